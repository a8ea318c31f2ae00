/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Building translations ahead of the first touch.
 *
 * This only adds, so it needs no flush and may run beside faults that fill the same entries: an
 * entry that is there already stays.  The loop over the entries of one table is kept as short as
 * a compare-exchange allows, for it is what mapping many gigabytes with 4 KiB leaves costs.
 */
#include "core/memory/edit.h"

#include "core/memory/section.h"

/* Levels at which a range has tables for its ragged ends only. */
static uint64_t ragged_ends(svm_gpa_t first, svm_gpa_t last, uint64_t span)
{
	return (first & (span - 1) ? 1u : 0u) + ((last + 1) & (span - 1) ? 1u : 0u);
}

uint64_t svm_edit_build_frames(const struct svm_vm *vm, const struct svm_slot_piece *piece)
{
	const svm_gpa_t first = piece->first, last = piece->last;
	const unsigned max = svm_npt_leaf_max(vm);
	uint64_t count = 0;

	/* Tables of a level lie under entries of the level above, whose leaves may replace them. */
	for (unsigned level = 1; level < vm->memory.levels; level++) {
		const uint64_t span = svm_npt_span(level + 1);

		if (level < max && !((first ^ piece->target.hpa) & (span - 1)))
			count += ragged_ends(first, last, span);
		else
			count += last / span - first / span + 1;
	}
	return count;
}

/* Entries dealt with: all, or those before one that is a table, which has to be gone into. */
static uint64_t fill_run(uint64_t *entries, uint64_t count, uint64_t value, unsigned level)
{
	const uint64_t step = svm_npt_span(level);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t expected = 0;

		if (!svm_atomic_cas(&entries[i], &expected, value) &&
		    svm_npt_is_table(expected, level))
			return i;
		value += step;
	}
	return count;
}

/*
 * Leaves at the present entry and, for a RANGE piece, at those behind it: within one table the
 * leaves have one size, since a larger one would have replaced the table.  False: a table has
 * come up in the present entry.
 */
static bool fill_leaves(struct svm_npt_walk *walk, const struct svm_slot_piece *piece,
                        const struct svm_backing *backing)
{
	struct svm_vm *vm = walk->vm;
	const unsigned level = walk->level;
	const uint64_t span = svm_npt_span(level);
	const svm_gpa_t base = svm_npt_base(walk->gpa, level);
	const unsigned index = svm_npt_index(base, level);
	uint64_t count = SVM_NPT_ENTRIES - index;
	uint32_t prot = backing->prot;

	if (count > (walk->last - base) / span + 1)
		count = (walk->last - base) / span + 1;
	if (count > (piece->last - base + 1) / span)
		count = (piece->last - base + 1) / span;
	if (piece->kind != SVM_SLOT_RANGE ||
	    svm_memory_is_invalidating(&vm->memory, base, base + (count * span - 1)))
		count = 1;
	if (piece->dirty_mode == SVM_DIRTY_PROTECT)
		prot &= ~SVM_PROT_WRITE;
	count = fill_run(&walk->table[level][index], count,
	                 svm_npt_leaf(vm, svm_npt_base(backing->hpa, level), level, prot,
	                              (enum svm_memory_type)piece->memory_type),
	                 level);
	if (count)
		walk->gpa = base + (count - 1) * span;
	return count != 0;
}

static bool build_at(struct svm_edit *edit, const struct svm_slot_piece *piece,
                     struct svm_npt_walk *walk)
{
	struct svm_backing backing;
	unsigned level;

	/*
	 * An invalidation of the page, or a bad frame: the guest's touch will find out.  This
	 * passes over all that the present entry maps, which is left to touches too.
	 */
	if (svm_slots_backing(edit->vm, piece, walk->gpa, 0, &backing))
		return true;
	level = svm_slots_leaf_level(edit->vm, piece, walk->gpa, &backing);

	for (unsigned turn = 0; turn < 2 * SVM_NPT_LEVEL_MAX; turn++) {
		uint64_t *entry = svm_npt_at(walk);
		uint64_t value = svm_atomic_load(entry);
		struct svm_frame frame;

		if (svm_npt_is_table(value, walk->level)) {
			svm_npt_down(walk, value);
			continue;
		}
		if (value & SVM_NPT_PRESENT)
			return true;
		if (walk->level <= level) {
			if (fill_leaves(walk, piece, &backing))
				return true;
			continue;
		}
		if (!svm_frames_take(edit->vm, edit->frames, &frame))
			return false;
		if (!svm_atomic_cas(entry, &value, frame.hpa | SVM_NPT_TABLE))
			svm_frames_put(edit->frames, &frame);
	}
	return true;
}

bool svm_edit_build(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t *gpa,
                    svm_gpa_t last)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, *gpa, last);
	do {
		if (!build_at(edit, piece, &walk)) {
			*gpa = walk.gpa;
			return false;
		}
	} while (svm_npt_next(&walk));
	return true;
}
