/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel tells of the process's memory before it changes it, and asks of its age.
 *
 * A notifier's start and end must see the same slots, since the library counts pairs.  Slots
 * therefore change only while no notifier is between the two.
 *
 * Whoever asks for the age of a page may hold the lock of its page table: nothing sleeps or waits
 * there.  Without an answer reclaim would take the guest's busiest pages for the oldest, since the
 * process itself hardly ever touches them.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "guest.h"
#include "trace.h"

static struct guest *guest_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct guest, memory.notifier);
}

/* The part of a slot that lies in a range of the process. */
static bool overlap(const struct guest_slot *slot, unsigned long start, unsigned long end,
                    svm_gpa_t *gpa, u64 *size)
{
	const unsigned long first = max(start, slot->hva);
	const unsigned long last = min(end, slot->hva + (unsigned long)slot->size);

	if (!slot->size || first >= last)
		return false;
	*gpa = slot->gpa + (first - slot->hva);
	*size = last - first;
	return true;
}

static bool touches_guest(const struct guest_memory *memory, unsigned long start,
                          unsigned long end)
{
	svm_gpa_t gpa;
	u64 size;
	unsigned int i;

	for (i = 0; i < GUEST_SLOTS; i++)
		if (overlap(&memory->slots[i], start, end, &gpa, &size))
			return true;
	return false;
}

static void for_range(struct guest *guest, unsigned long start, unsigned long end,
                      void (*call)(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size))
{
	svm_gpa_t gpa;
	u64 size;
	unsigned int i;

	for (i = 0; i < GUEST_SLOTS; i++)
		if (overlap(&guest->memory.slots[i], start, end, &gpa, &size))
			call(guest->vm, gpa, size);
}

static int invalidate_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct guest *const guest = guest_of(notifier);
	struct guest_memory *const memory = &guest->memory;
	bool refuse;

	spin_lock(&memory->lock);
	/* The library waits for CPUs and for its own lock. */
	refuse = !mmu_notifier_range_blockable(range) &&
	         touches_guest(memory, range->start, range->end);
	if (!refuse) {
		memory->invalidations++;
		memory->sequence++;
	}
	spin_unlock(&memory->lock);
	if (refuse)
		return -EAGAIN;
	for_range(guest, range->start, range->end, svm_vm_invalidate_begin);
	return 0;
}

static void invalidate_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct guest *const guest = guest_of(notifier);
	struct guest_memory *const memory = &guest->memory;
	bool quiet;

	for_range(guest, range->start, range->end, svm_vm_invalidate_end);
	spin_lock(&memory->lock);
	quiet = --memory->invalidations == 0;
	spin_unlock(&memory->lock);
	if (quiet)
		wake_up_all(&memory->quiet);
}

/* The process is gone, its files need not be: no translation may survive its memory. */
static void release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	svm_vm_invalidate_begin(guest_of(notifier)->vm, 0, U64_MAX);
}

/* --- age -------------------------------------------------------------------------------------- */

static bool look_only(struct svm_vm *vm, svm_gpa_t gpa, u64 size)
{
	return svm_vm_test_young(vm, gpa, size);
}

static bool make_old(struct svm_vm *vm, svm_gpa_t gpa, u64 size)
{
	return svm_vm_clear_young(vm, gpa, size, false);
}

static bool make_old_and_flush(struct svm_vm *vm, svm_gpa_t gpa, u64 size)
{
	return svm_vm_clear_young(vm, gpa, size, true);
}

/* The lock is for the slots: here they may change. */
static int age_of(struct mmu_notifier *notifier, unsigned long start, unsigned long end,
                  bool (*look)(struct svm_vm *vm, svm_gpa_t gpa, u64 size))
{
	struct guest *const guest = guest_of(notifier);
	bool is_young = false;
	svm_gpa_t gpa;
	u64 size;
	unsigned int i;

	spin_lock(&guest->memory.lock);
	for (i = 0; i < GUEST_SLOTS; i++)
		if (overlap(&guest->memory.slots[i], start, end, &gpa, &size))
			is_young |= look(guest->vm, gpa, size);
	spin_unlock(&guest->memory.lock);
	trace_libsvm_age(start, end, is_young);
	return is_young;
}

static int clear_flush_young(struct mmu_notifier *notifier, struct mm_struct *mm,
                             unsigned long start, unsigned long end)
{
	return age_of(notifier, start, end, make_old_and_flush);
}

static int clear_young(struct mmu_notifier *notifier, struct mm_struct *mm, unsigned long start,
                       unsigned long end)
{
	return age_of(notifier, start, end, make_old);
}

static int test_young(struct mmu_notifier *notifier, struct mm_struct *mm, unsigned long address)
{
	return age_of(notifier, address, address + PAGE_SIZE, look_only);
}

/* ---------------------------------------------------------------------------------------------- */

static const struct mmu_notifier_ops notifier_ops = {
	.release = release,
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.clear_flush_young = clear_flush_young,
	.clear_young = clear_young,
	.test_young = test_young,
};

int guest_memory_start(struct guest *guest)
{
	spin_lock_init(&guest->memory.lock);
	init_waitqueue_head(&guest->memory.quiet);
	guest->memory.sequence = 1;
	guest->memory.notifier.ops = &notifier_ops;
	return mmu_notifier_register(&guest->memory.notifier, guest->mm);
}

void guest_memory_end(struct guest *guest)
{
	mmu_notifier_unregister(&guest->memory.notifier, guest->mm);
}
