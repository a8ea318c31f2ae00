/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The reserve of table frames.
 *
 * A nested fault cannot allocate, so it takes from a stack that thread context fills.  The pop is
 * a compare-exchange of the head with the successor read from the frame; its classic failure is
 * that the head goes away and comes back in between with another successor (ABA).  It cannot
 * happen here: pops lie inside sections, and a frame that was popped is pushed again only after a
 * svm_section_wait() that followed its removal, hence after the end of every section that may
 * have seen it as the head.  For the same reason a fault that took a frame in vain may not push
 * it back: it goes on a second stack, which is only ever taken as a whole.
 */
#include "core/memory/frames.h"
#include "core/memory/section.h"

#define LINK_USED 1u

/* More often than this many turns the head does not change within one section. */
#define TAKE_TURNS 4096u

static uint64_t *link_frame(const struct svm_vm *vm, uint64_t link)
{
	return svm_host_at(vm->host, link & SVM_PAGE_MASK);
}

static void push(uint64_t *head, const struct svm_frame *frame)
{
	uint64_t old = svm_atomic_load(head);

	do {
		svm_atomic_store_relaxed(frame->hva, old);
	} while (!svm_atomic_cas(head, &old, frame->hpa | LINK_USED));
}

int svm_frames_fill(struct svm_vm *vm, struct svm_frames *frames, uint64_t count)
{
	while (frames->count < count) {
		struct svm_frame frame;

		frame.hva = svm_host_frames(vm->host, 1, &frame.hpa);
		if (!frame.hva)
			return SVM_ERR_NOMEM;
		svm_frames_put(frames, &frame);
	}
	return 0;
}

bool svm_frames_take(struct svm_vm *vm, struct svm_frames *frames, struct svm_frame *frame)
{
	if (!frames->count)
		return false;
	frame->hva = link_frame(vm, frames->head);
	frame->hpa = frames->head & SVM_PAGE_MASK;
	frames->head = *frame->hva;
	frames->count--;
	*frame->hva = 0;
	return true;
}

void svm_frames_put(struct svm_frames *frames, const struct svm_frame *frame)
{
	*frame->hva = frames->head;
	frames->head = frame->hpa | LINK_USED;
	frames->count++;
}

void svm_frames_drop(struct svm_vm *vm, struct svm_frames *frames)
{
	struct svm_frame frame;

	while (svm_frames_take(vm, frames, &frame))
		svm_host_frames_free(vm->host, frame.hva, frame.hpa, 1);
}

bool svm_reserve_take(struct svm_vm *vm, struct svm_frame *frame)
{
	struct svm_memory *memory = &vm->memory;
	uint64_t head = svm_atomic_load(&memory->reserve);

	for (unsigned turn = 0; head && turn < TAKE_TURNS; turn++) {
		uint64_t *hva = link_frame(vm, head);
		const uint64_t next = svm_atomic_load_relaxed(hva);
		const uint64_t taken = head;

		if (svm_atomic_cas(&memory->reserve, &head, next)) {
			svm_atomic_add(&memory->reserve_count, ~0u);
			svm_atomic_store_relaxed(hva, 0);
			*frame = (struct svm_frame){ .hva = hva, .hpa = taken & SVM_PAGE_MASK };
			return true;
		}
	}
	return false;
}

void svm_reserve_return(struct svm_vm *vm, const struct svm_frame *frame)
{
	push(&vm->memory.returned, frame);
}

void svm_frame_release(struct svm_vm *vm, const struct svm_frame *frame)
{
	struct svm_memory *memory = &vm->memory;

	if (svm_atomic_load(&memory->reserve_count) >= vm->config.table_reserve) {
		svm_host_frames_free(vm->host, frame->hva, frame->hpa, 1);
		return;
	}
	memset(frame->hva, 0, SVM_PAGE_SIZE);
	svm_atomic_add(&memory->reserve_count, 1u);
	push(&memory->reserve, frame);
}

/* Frames taken in vain become part of the reserve again. */
static void recycle_returned(struct svm_vm *vm)
{
	struct svm_memory *memory = &vm->memory;
	uint64_t link = svm_atomic_exchange(&memory->returned, 0);

	if (!link)
		return;
	svm_section_wait(memory);
	while (link) {
		const struct svm_frame frame = { .hva = link_frame(vm, link),
			                         .hpa = link & SVM_PAGE_MASK };

		link = *frame.hva;
		memset(frame.hva, 0, SVM_PAGE_SIZE);
		svm_atomic_add(&memory->reserve_count, 1u);
		push(&memory->reserve, &frame);
	}
}

int svm_vm_reserve(struct svm_vm *vm, uint32_t frames)
{
	struct svm_memory *memory = &vm->memory;
	const uint32_t wanted = frames ? frames : vm->config.table_reserve;
	int result = 0;

	svm_vm_lock(vm);
	recycle_returned(vm);
	while (!result && svm_atomic_load(&memory->reserve_count) < wanted) {
		struct svm_frame frame;

		frame.hva = svm_host_frames(vm->host, 1, &frame.hpa);
		if (frame.hva) {
			svm_atomic_add(&memory->reserve_count, 1u);
			push(&memory->reserve, &frame);
		} else {
			result = SVM_ERR_NOMEM;
		}
	}
	svm_vm_unlock(vm);
	return result;
}

void svm_reserve_fini(struct svm_vm *vm)
{
	struct svm_frames frames = { .head = 0 };
	struct svm_frame frame;

	recycle_returned(vm);
	while (svm_reserve_take(vm, &frame))
		svm_frames_put(&frames, &frame);
	svm_frames_drop(vm, &frames);
}
