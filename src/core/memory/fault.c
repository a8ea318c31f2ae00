/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The nested fault: fill an entry from the slots, and those around it.
 *
 * All of it lies inside one section, from the first look at the slots to the last store into a
 * table.  That alone keeps stale entries out: whoever changes what is behind an address (a new
 * slot table, an invalidation) publishes that first and waits for the sections then open, before
 * it removes entries.  A fill that used the old answer has ended by then and its entry is removed
 * with the others; a later fill sees the new answer.
 *
 * Several vCPUs may fill the same entry.  A compare-exchange decides, the loser looks again.
 *
 * A guest that touches a page touches its neighbours next, and each would be an exit.  So what is
 * behind them without anybody's being asked is filled at once, within the entry's cache line, which
 * is at hand.  They get the rights of their slot, A and D clear: nobody used them.  In a slot that
 * logs each page waits for its own touch.
 */
#include "core/memory/dirty.h"
#include "core/memory/npt.h"
#include "core/memory/section.h"

/*
 * Turns before the guest is let go to fault again: one for each table that is added and one for
 * the leaf; the rest is for lost races.
 */
#define FILL_TURNS 16u

/* Entries filled with one touch: a cache line of a table, which never crosses into another. */
#define WINDOW 8u

struct fill {
	const struct svm_slot_piece *piece;
	svm_gpa_t gpa;
	uint32_t access;
	struct svm_backing backing;
};

static enum svm_fault_outcome refuse(enum svm_npt_fault_reason *reason,
                                     enum svm_npt_fault_reason why)
{
	*reason = why;
	return SVM_FAULT_REFUSED;
}

/*
 * The new leaf.  A and D are set as the access will set them: that saves the processor two locked
 * updates, and the access is what the guest does next.  A log by write protection lets W in only
 * with a write, which it then notes.  Rights that the old leaf gave stay, since nobody has taken
 * them away and a fault does not flush.
 */
static uint64_t fill_value(const struct svm_vm *vm, const struct fill *fill, unsigned level,
                           uint64_t old)
{
	const svm_hpa_t hpa = svm_npt_base(fill->backing.hpa, level);
	uint32_t prot = fill->backing.prot;

	if (fill->piece->dirty_mode == SVM_DIRTY_PROTECT && !(fill->access & SVM_PROT_WRITE))
		prot &= ~SVM_PROT_WRITE;
	if (old & SVM_NPT_PRESENT)
		prot |= svm_npt_prot(old);

	uint64_t value =
		svm_npt_leaf(vm, hpa, level, prot, (enum svm_memory_type)fill->piece->memory_type);

	value |= SVM_NPT_ACCESSED | (old & SVM_NPT_DIRTY);
	if (fill->access & SVM_PROT_WRITE)
		value |= SVM_NPT_DIRTY;
	return value;
}

/* Put a table where nothing is, or in place of a leaf that is too large to change as a whole. */
static bool fill_table(struct svm_vm *vm, uint64_t *entry, uint64_t value, unsigned level)
{
	struct svm_frame frame;

	if (!svm_reserve_take(vm, &frame))
		return false;
	if (value & SVM_NPT_PRESENT)
		svm_npt_divide(frame.hva, value, level);
	if (!svm_atomic_cas(entry, &value, frame.hpa | SVM_NPT_TABLE))
		svm_reserve_return(vm, &frame);
	return true;
}

/* A leaf for an entry that nobody has touched. */
static uint64_t unused_leaf(const struct svm_vm *vm, const struct fill *fill, svm_hpa_t hpa,
                            unsigned level)
{
	return svm_npt_leaf(vm, hpa, level, fill->backing.prot,
	                    (enum svm_memory_type)fill->piece->memory_type);
}

static void fill_unused(uint64_t *entry, uint64_t leaf)
{
	uint64_t expected = 0;

	if (!svm_atomic_load_relaxed(entry))
		(void)svm_atomic_cas(entry, &expected, leaf);
}

/* first, last: pages of a FRAMES piece, whose frames lie anywhere. */
static void fill_frames(struct svm_vm *vm, const struct fill *fill, uint64_t *table,
                        svm_gpa_t first, svm_gpa_t last)
{
	svm_hpa_t hpa;

	for (svm_gpa_t gpa = first; gpa < last; gpa += SVM_PAGE_SIZE)
		if (svm_slots_frame(vm, fill->piece, gpa, &hpa))
			fill_unused(&table[svm_npt_index(gpa, 1)], unused_leaf(vm, fill, hpa, 1));
}

/* The entry at fill->gpa in a table is filled; fill those of its window that are empty. */
static void fill_around(struct svm_vm *vm, const struct fill *fill, uint64_t *table, unsigned level)
{
	const struct svm_slot_piece *piece = fill->piece;
	const uint64_t span = svm_npt_span(level);
	svm_gpa_t first = fill->gpa & ~(WINDOW * span - 1);
	svm_gpa_t last = first + (WINDOW * span - 1);

	if (piece->log || svm_memory_is_invalidating(&vm->memory, first, last))
		return;
	/* Whole entries of the slot; a callback has spoken of one page, which may be large. */
	first = svm_max(first, (piece->first + span - 1) & ~(span - 1));
	last = svm_min(last, piece->last);
	if (piece->kind == SVM_SLOT_RESOLVE) {
		first = svm_max(first, svm_npt_base(fill->gpa, fill->backing.level));
		last = svm_min(last, fill->gpa | (svm_npt_span(fill->backing.level) - 1));
	} else if (piece->kind == SVM_SLOT_FRAMES) {
		if (level == 1)
			fill_frames(vm, fill, table, first, last);
		return;
	}

	uint64_t leaf = unused_leaf(vm, fill,
	                            svm_npt_base(fill->backing.hpa, level) + first -
	                                    svm_npt_base(fill->gpa, level),
	                            level);

	for (; first + (span - 1) <= last; first += span, leaf += span)
		fill_unused(&table[svm_npt_index(first, level)], leaf);
}

/* target: level of the leaf to make, or of a lower one where a table is there already. */
static enum svm_fault_outcome fill_entry(struct svm_vm *vm, const struct fill *fill,
                                         unsigned target, enum svm_npt_fault_reason *reason)
{
	uint64_t *table = vm->memory.root;
	unsigned level = vm->memory.levels;

	for (unsigned turn = 0; turn < FILL_TURNS; turn++) {
		uint64_t *entry = &table[svm_npt_index(fill->gpa, level)];
		uint64_t value = svm_atomic_load(entry);

		while (svm_npt_is_table(value, level)) {
			table = svm_npt_table(vm, value);
			level--;
			entry = &table[svm_npt_index(fill->gpa, level)];
			value = svm_atomic_load(entry);
		}
		if (target > level)
			target = level;
		if ((value & SVM_NPT_PRESENT) && svm_npt_allows(value, fill->access))
			return SVM_FAULT_FILLED;
		if (level > target) {
			if (!fill_table(vm, entry, value, level))
				return SVM_FAULT_NEED_FRAMES;
			continue;
		}

		const uint64_t leaf = fill_value(vm, fill, level, value);

		/* Another target without an invalidation: other CPUs may use the old one. */
		if ((value & SVM_NPT_PRESENT) && ((value ^ leaf) & SVM_NPT_ADDRESS))
			return refuse(reason, SVM_NPT_FAULT_AGAIN);
		if (svm_atomic_cas(entry, &value, leaf)) {
			if (fill->piece->dirty_mode == SVM_DIRTY_PROTECT && (leaf & SVM_NPT_WRITE))
				svm_dirty_set(fill->piece, fill->gpa);
			if (!(value & SVM_NPT_PRESENT))
				fill_around(vm, fill, table, level);
			return SVM_FAULT_FILLED;
		}
	}
	return SVM_FAULT_FILLED;
}

static enum svm_fault_outcome fault_in_section(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access,
                                               enum svm_npt_fault_reason *reason)
{
	struct fill fill; /* Filled on the way; zeroing it first would show. */

	fill.piece = svm_slots_find_again(&vm->memory, gpa);
	fill.gpa = gpa;
	fill.access = access;
	if (!fill.piece)
		return refuse(reason, SVM_NPT_FAULT_ABSENT);
	if (access & ~(uint32_t)fill.piece->prot)
		return refuse(reason, SVM_NPT_FAULT_RIGHTS);

	switch (svm_slots_backing(vm, fill.piece, gpa, access, &fill.backing)) {
	case 0:
		break;
	case SVM_ERR_AGAIN:
		return refuse(reason, SVM_NPT_FAULT_AGAIN);
	default:
		return refuse(reason, SVM_NPT_FAULT_ABSENT);
	}
	if (access & ~fill.backing.prot)
		return refuse(reason, SVM_NPT_FAULT_RIGHTS);
	return fill_entry(vm, &fill, svm_slots_leaf_level(vm, fill.piece, gpa, &fill.backing),
	                  reason);
}

enum svm_fault_outcome svm_memory_fault(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access,
                                        enum svm_npt_fault_reason *reason)
{
	const unsigned section = svm_section_enter(&vm->memory);
	const enum svm_fault_outcome outcome = fault_in_section(vm, gpa, access, reason);

	svm_section_leave(&vm->memory, section);
	return outcome;
}

/* The number first: a table that is published in between moves it on. */
bool svm_memory_is_hole(struct svm_vm *vm, svm_gpa_t gpa, uint64_t *generation)
{
	const unsigned section = svm_section_enter(&vm->memory);
	bool is_hole;

	*generation = svm_atomic_load(&vm->memory.generation);
	is_hole = !svm_slots_find_again(&vm->memory, gpa);
	svm_section_leave(&vm->memory, section);
	return is_hole;
}
