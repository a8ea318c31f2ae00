/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Dirty logs: which pages were written, in either of two ways.
 *
 * PROTECT.  A leaf is writable only if its bit is set in the log, or is about to be: the fault
 * makes the leaf writable and *then* sets the bit.  A fetch takes the bit and *then* takes W away
 * and flushes.  A write after that faults.  A write before it went through a leaf whose
 * bit was taken by this fetch, or whose bit the fault will set after it: a later fetch reports it
 * (and finds W to take away then, since it takes W for each bit it finds).  The other order in
 * the fault, bit before W, would lose writes: the fetch in between takes the bit of a leaf that
 * is still read-only.
 *
 * BITS.  The processor sets D with the first write through a translation, and not again while it
 * holds that translation with D known set.  A fetch clears D, and then flushes before it
 * returns.  Writes between the two may set no D: their page is reported by this fetch, and
 * the caller reads it after.  D bits of leaves that are removed (invalidations) are harvested into
 * the log after the flush, when no processor can set them any more.
 *
 * In both modes the library's own writes set the bit after the write (guest_memory.c).
 *
 * Logged slots have 4 KiB leaves only, so that a write dirties 4 KiB.
 */
#include "core/memory/dirty.h"

#include "core/memory/edit.h"
#include "core/memory/section.h"

#define SPLIT_BATCH 16u

static struct svm_dirty_log *make_log(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	const uint64_t pages = ((last - first) >> SVM_PAGE_SHIFT) + 1;
	const uint64_t size = sizeof(struct svm_dirty_log) + (pages + 63) / 64 * 8;
	const uint64_t frames = (size + SVM_PAGE_SIZE - 1) >> SVM_PAGE_SHIFT;
	svm_hpa_t hpa;
	struct svm_dirty_log *log = svm_host_frames(vm->host, frames, &hpa);

	if (!log)
		return NULL;
	log->hpa = hpa;
	log->frames = frames;
	log->first = first;
	log->pages = pages;
	return log;
}

void svm_dirty_log_free(struct svm_vm *vm, struct svm_dirty_log *log)
{
	svm_host_frames_free(vm->host, log, log->hpa, log->frames);
}

void svm_dirty_harvest(struct svm_vm *vm, svm_gpa_t gpa, uint64_t leaf)
{
	const struct svm_slot_piece *piece;
	unsigned section;

	if (!(leaf & SVM_NPT_PRESENT) || !(leaf & SVM_NPT_DIRTY))
		return;
	section = svm_section_enter(&vm->memory);
	piece = svm_slots_find(svm_atomic_load(&vm->memory.slots), gpa);
	if (piece && piece->log)
		svm_dirty_set(piece, gpa);
	svm_section_leave(&vm->memory, section);
}

bool svm_dirty_uses_bits(struct svm_vm *vm)
{
	const unsigned section = svm_section_enter(&vm->memory);
	const struct svm_slot_table *slots = svm_atomic_load(&vm->memory.slots);
	bool uses = false;

	for (uint32_t i = 0; i < slots->count; i++)
		uses |= slots->piece[i].dirty_mode == SVM_DIRTY_BITS;
	svm_section_leave(&vm->memory, section);
	return uses;
}

/* Give the pieces of the slot at an index a log and a mode. */
static void set_log(struct svm_slot_table *slots, uint32_t index, struct svm_dirty_log *log,
                    enum svm_dirty_mode mode)
{
	const uint32_t id = slots->piece[index].id;

	for (uint32_t i = index; i < slots->count && slots->piece[i].id == id; i++) {
		slots->piece[i].log = log;
		slots->piece[i].dirty_mode = (uint8_t)mode;
	}
}

/* Publish a table that differs in one slot's log.  VM lock held. */
static int publish_log(struct svm_vm *vm, uint32_t index, struct svm_dirty_log *log,
                       enum svm_dirty_mode mode)
{
	struct svm_slot_table *slots = svm_slots_copy(vm);

	if (!slots)
		return SVM_ERR_NOMEM;
	set_log(slots, index, log, mode);
	svm_slots_publish(vm, slots);
	return 0;
}

/* Bring the leaves of a logged range in line with its mode. */
static int apply_mode(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last, enum svm_dirty_mode mode,
                      bool harvest)
{
	struct svm_frames frames = { .head = 0 };
	svm_gpa_t gpa = first;
	int result = 0;
	bool is_done;

	do {
		struct svm_edit edit;

		svm_edit_begin(&edit, vm, &frames);
		is_done = svm_edit_log(&edit, &gpa, last, mode, harvest);
		svm_edit_end(&edit);
		if (!is_done)
			result = svm_frames_fill(vm, &frames, SPLIT_BATCH);
	} while (!is_done && (!result || frames.count));
	svm_frames_drop(vm, &frames);
	return is_done ? 0 : SVM_ERR_NOMEM;
}

/* Rights that logging withheld come back, and large leaves where they fit. */
static void restore_leaves(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	const struct svm_slot_table *slots = vm->memory.slots;
	struct svm_edit edit;

	svm_edit_begin(&edit, vm, NULL);
	for (uint32_t i = svm_slots_index(slots, first);
	     i < slots->count && slots->piece[i].first <= last; i++) {
		const struct svm_slot_piece *piece = &slots->piece[i];

		/* First what is alike, so that few leaves are left to change one by one. */
		svm_edit_merge(&edit, piece, piece->first, piece->last);
		svm_edit_protect(&edit, piece, piece->first, piece->last);
		svm_edit_merge(&edit, piece, piece->first, piece->last);
	}
	svm_edit_end(&edit);
}

static int stop_log(struct svm_vm *vm, uint32_t index, svm_gpa_t first, svm_gpa_t last)
{
	const int result = publish_log(vm, index, NULL, SVM_DIRTY_OFF);

	if (!result)
		restore_leaves(vm, first, last);
	return result;
}

/*
 * The fallback table is made first, so that giving up half-way cannot fail.  What was split by
 * then stays split, which the guest cannot see.
 */
static int start_log(struct svm_vm *vm, uint32_t index, svm_gpa_t first, svm_gpa_t last,
                     enum svm_dirty_mode mode)
{
	const enum svm_dirty_mode old_mode =
		(enum svm_dirty_mode)vm->memory.slots->piece[index].dirty_mode;
	struct svm_dirty_log *old_log = vm->memory.slots->piece[index].log;
	struct svm_dirty_log *log = old_log ? old_log : make_log(vm, first, last);
	struct svm_slot_table *fallback;
	int result = SVM_ERR_NOMEM;

	if (!log)
		return SVM_ERR_NOMEM;
	fallback = svm_slots_copy(vm);
	if (!fallback || publish_log(vm, index, log, mode)) {
		if (fallback)
			svm_slots_free(vm, fallback);
		if (!old_log)
			svm_dirty_log_free(vm, log);
		return SVM_ERR_NOMEM;
	}
	result = apply_mode(vm, first, last, mode, old_mode != SVM_DIRTY_OFF);
	if (!result) {
		svm_slots_free(vm, fallback);
		return 0;
	}
	svm_slots_publish(vm, fallback);
	if (old_mode == SVM_DIRTY_OFF)
		restore_leaves(vm, first, last);
	return result;
}

int svm_vm_dirty_log(struct svm_vm *vm, svm_gpa_t gpa, enum svm_dirty_mode mode)
{
	svm_gpa_t last;
	uint32_t index;
	int result = 0;

	if ((unsigned)mode > SVM_DIRTY_BITS)
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	index = svm_slots_begin(vm->memory.slots, gpa, &last);
	if (index == vm->memory.slots->count)
		result = SVM_ERR_NOENT;
	else if (vm->memory.slots->piece[index].dirty_mode == mode)
		result = 0;
	else if (mode == SVM_DIRTY_OFF)
		result = stop_log(vm, index, gpa, last);
	else
		result = start_log(vm, index, gpa, last, mode);
	svm_vm_unlock(vm);
	return result;
}

/* The first piece of a range that lies in one slot that logs, or NULL. */
static const struct svm_slot_piece *logged(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	const struct svm_slot_table *slots = vm->memory.slots;
	const struct svm_slot_piece *piece = svm_slots_find(slots, first);
	const struct svm_slot_piece *end = svm_slots_find(slots, last);

	return piece && end && piece->log && piece->id == end->id ? piece : NULL;
}

/* Whole pages from gpa on; *last is the last byte. */
static bool page_count_fits(svm_gpa_t gpa, uint64_t count, svm_gpa_t *last)
{
	if ((gpa & (SVM_PAGE_SIZE - 1)) || !count || count > UINT64_MAX >> SVM_PAGE_SHIFT)
		return false;
	*last = gpa + ((count << SVM_PAGE_SHIFT) - 1);
	return *last >= gpa;
}

/* Take the bits of a range out of the log; bit 0 of the bitmap is the page at first. */
static bool take_bits(struct svm_dirty_log *log, svm_gpa_t first, uint64_t count, uint8_t *bitmap)
{
	const uint64_t start = (first - log->first) >> SVM_PAGE_SHIFT;
	bool any = false;

	memset(bitmap, 0, (size_t)((count + 7) / 8));
	for (uint64_t page = start; page < start + count;) {
		const uint64_t in_word = svm_min(64 - page % 64, start + count - page);
		const uint64_t mask = (in_word == 64 ? ~UINT64_C(0) : SVM_BIT(in_word) - 1)
		                      << (page % 64);
		uint64_t bits = 0;

		if (svm_atomic_load(&log->word[page / 64]) & mask)
			bits = svm_atomic_and(&log->word[page / 64], ~mask) & mask;
		for (uint64_t i = 0; bits && i < in_word; i++) {
			const uint64_t to = page - start + i;

			if (bits & SVM_BIT(page % 64 + i))
				bitmap[to / 8] = (uint8_t)(bitmap[to / 8] | 1u << (to % 8));
		}
		any |= bits != 0;
		page += in_word;
	}
	return any;
}

/* Write-protect the pages of a bitmap.  Logged slots have no leaf that would need a frame. */
static void protect_pages(struct svm_edit *edit, svm_gpa_t first, uint64_t count,
                          const uint8_t *bitmap)
{
	for (uint64_t page = 0; page < count; page++) {
		const svm_gpa_t gpa = first + (page << SVM_PAGE_SHIFT);
		svm_gpa_t at = gpa;

		if (!(page % 8) && !bitmap[page / 8]) {
			page += 7;
			continue;
		}
		if (bitmap[page / 8] & 1u << (page % 8))
			(void)SVM_ASSERT(edit->vm,
			                 svm_edit_log(edit, &at, gpa, SVM_DIRTY_PROTECT, false));
	}
}

int svm_vm_dirty_fetch(struct svm_vm *vm, svm_gpa_t gpa, uint64_t count, uint8_t *bitmap)
{
	const struct svm_slot_piece *piece;
	struct svm_edit edit;
	svm_gpa_t last, at = gpa;
	int result = SVM_ERR_NOENT;

	if (!page_count_fits(gpa, count, &last))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	piece = logged(vm, gpa, last);
	if (piece) {
		svm_edit_begin(&edit, vm, NULL);
		if (piece->dirty_mode == SVM_DIRTY_BITS)
			(void)SVM_ASSERT(vm, svm_edit_log(&edit, &at, last, SVM_DIRTY_BITS, true));
		if (take_bits(piece->log, gpa, count, bitmap) &&
		    piece->dirty_mode == SVM_DIRTY_PROTECT)
			protect_pages(&edit, gpa, count, bitmap);
		svm_edit_end(&edit);
		result = 0;
	}
	svm_vm_unlock(vm);
	return result;
}

int svm_vm_dirty_mark(struct svm_vm *vm, svm_gpa_t gpa, uint64_t count)
{
	const struct svm_slot_piece *piece;
	svm_gpa_t last;
	int result = SVM_ERR_NOENT;

	svm_vm_lock(vm);
	if (page_count_fits(gpa & SVM_PAGE_MASK, count, &last)) {
		piece = logged(vm, gpa, last);
		for (uint64_t i = 0; piece && i < count; i++)
			svm_dirty_set(piece, gpa + (i << SVM_PAGE_SHIFT));
		if (piece)
			result = 0;
	}
	svm_vm_unlock(vm);
	return result;
}
