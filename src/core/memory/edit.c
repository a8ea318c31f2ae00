/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Taking translations away.
 *
 * A removed entry lives on in TLBs and in the processors' caches of upper levels, through which a
 * processor may even walk a table that is linked nowhere (APM vol. 2, 15.16 and 5.5).  So what is
 * taken out is first collected, then svm_vm_flush() makes every CPU forget, then svm_section_wait()
 * sees out the walks by software, and only then is a frame free (XSA-480 was the other order).
 *
 * A whole table is taken out by one exchange of the entry above it, however much it maps; its
 * inside is looked at afterwards, when nobody can change it.
 */
#include "core/memory/edit.h"

#include "core/memory/dirty.h"
#include "core/memory/section.h"

void svm_edit_begin(struct svm_edit *edit, struct svm_vm *vm, struct svm_frames *frames)
{
	const struct svm_hal *hal = &vm->host->hal;

	*edit = (struct svm_edit){ .vm = vm, .frames = frames };
	hal->mutex_lock(hal->ctx, &vm->memory.edit_lock);
}

static bool line_is_empty(const uint64_t *line)
{
	return !(line[0] | line[1] | line[2] | line[3] | line[4] | line[5] | line[6] | line[7]);
}

/*
 * The first entry from index on that points to a table, or with leaves any that is present.  Of a
 * table that nobody else has; unmaking a VM is this loop for the most part, so it goes by cache
 * lines where they are empty.
 */
static unsigned find_entry(const uint64_t *table, unsigned index, unsigned level, bool leaves)
{
	const uint64_t *const end = &table[SVM_NPT_ENTRIES];
	const uint64_t *at = &table[index];

	while (at < end && !(leaves ? *at != 0 : svm_npt_is_table(*at, level))) {
		at++;
		while (!((uintptr_t)at & 63) && at < end && line_is_empty(at))
			at += 8;
	}
	return (unsigned)(at - table);
}

void svm_edit_free_table(struct svm_vm *vm, uint64_t entry, unsigned level, svm_gpa_t gpa,
                         bool harvest)
{
	const unsigned top = level;
	struct svm_frame frame[SVM_NPT_LEVEL_MAX + 1]; /* Tables from the top to the present one. */
	unsigned index[SVM_NPT_LEVEL_MAX + 1];

	frame[level].hva = svm_npt_table(vm, entry);
	frame[level].hpa = entry & SVM_NPT_ADDRESS;
	index[level] = 0;
	while (level <= top) {
		const unsigned next =
			level == 1 && !harvest ?
				SVM_NPT_ENTRIES :
				find_entry(frame[level].hva, index[level], level, harvest);

		gpa += (next - index[level]) * svm_npt_span(level);
		index[level] = next;
		if (next == SVM_NPT_ENTRIES) {
			svm_frame_release(vm, &frame[level]);
			level++;
			continue;
		}

		const uint64_t value = svm_atomic_load_relaxed(&frame[level].hva[index[level]]);

		index[level]++;
		if (svm_npt_is_table(value, level)) {
			level--;
			frame[level].hva = svm_npt_table(vm, value);
			frame[level].hpa = value & SVM_NPT_ADDRESS;
			index[level] = 0;
			continue;
		}
		if (harvest)
			svm_dirty_harvest(vm, gpa, value);
		gpa += svm_npt_span(level);
	}
}

/* Flush, see readers out, free what was retired. */
static void settle_edit(struct svm_edit *edit)
{
	struct svm_vm *vm = edit->vm;

	if (edit->must_flush || edit->retired_count)
		svm_vm_flush(vm);
	edit->must_flush = false;
	if (!edit->retired_count)
		return;

	svm_section_wait(&vm->memory);

	const bool harvest = svm_dirty_uses_bits(vm);

	for (uint32_t i = 0; i < edit->retired_count; i++)
		svm_edit_free_table(vm, edit->retired[i].entry, edit->retired[i].level,
		                    edit->retired[i].gpa, harvest);
	edit->retired_count = 0;
}

void svm_edit_end(struct svm_edit *edit)
{
	const struct svm_hal *hal = &edit->vm->host->hal;

	settle_edit(edit);
	hal->mutex_unlock(hal->ctx, &edit->vm->memory.edit_lock);
}

/* An entry of the level above pointed to a table that is linked nowhere now. */
static void retire(struct svm_edit *edit, uint64_t entry, unsigned level, svm_gpa_t gpa)
{
	if (edit->retired_count == SVM_EDIT_RETIRED)
		settle_edit(edit);
	edit->retired[edit->retired_count].entry = entry;
	edit->retired[edit->retired_count].level = level;
	edit->retired[edit->retired_count].gpa = gpa;
	edit->retired_count++;
}

/* Take out whatever the present entry is. */
static void remove_entry(struct svm_edit *edit, const struct svm_npt_walk *walk)
{
	const svm_gpa_t base = svm_npt_base(walk->gpa, walk->level);
	const uint64_t value = svm_atomic_exchange(svm_npt_at(walk), 0);

	edit->must_flush = true;
	if (svm_npt_is_table(value, walk->level))
		retire(edit, value, walk->level - 1, base);
	else
		svm_dirty_harvest(edit->vm, base, value);
}

uint64_t svm_edit_split_frames(const struct svm_vm *vm, svm_gpa_t gpa)
{
	const unsigned max = svm_npt_leaf_max(vm);
	uint64_t count = 0;

	for (unsigned level = 2; level <= max; level++)
		count += gpa & (svm_npt_span(level) - 1) ? 1u : 0u;
	return count;
}

bool svm_edit_split(struct svm_edit *edit, uint64_t *entry, unsigned level)
{
	uint64_t value = svm_atomic_load(entry);
	struct svm_frame frame;

	if (!edit->frames || !svm_frames_take(edit->vm, edit->frames, &frame))
		return false;
	/* Others only add A, D and W, or split it themselves: each turn takes one of these away. */
	for (unsigned turn = 0; turn < 8; turn++) {
		if (svm_npt_is_table(value, level) || !(value & SVM_NPT_PRESENT))
			break;
		svm_npt_divide(frame.hva, value, level);
		if (svm_atomic_cas(entry, &value, frame.hpa | SVM_NPT_TABLE))
			return true;
	}
	memset(frame.hva, 0, SVM_PAGE_SIZE);
	svm_frames_put(edit->frames, &frame);
	return true;
}

/*
 * Is the present entry inside the range as a whole, so that it can be dealt with?  Else go down
 * one level, splitting a leaf for that.
 */
static bool is_whole(const struct svm_npt_walk *walk, svm_gpa_t first, svm_gpa_t last)
{
	const svm_gpa_t base = svm_npt_base(walk->gpa, walk->level);

	return base >= first && base + (svm_npt_span(walk->level) - 1) <= last;
}

static void zap_at(struct svm_edit *edit, struct svm_npt_walk *walk, svm_gpa_t first,
                   svm_gpa_t last)
{
	for (unsigned turn = 0; turn < 2 * SVM_NPT_LEVEL_MAX; turn++) {
		const uint64_t value = svm_atomic_load(svm_npt_at(walk));

		if (!(value & SVM_NPT_PRESENT))
			return;
		if (is_whole(walk, first, last))
			break;
		if (svm_npt_is_table(value, walk->level))
			svm_npt_down(walk, value);
		else if (!svm_edit_split(edit, svm_npt_at(walk), walk->level))
			break;
	}
	remove_entry(edit, walk);
}

static bool is_empty(const uint64_t *table)
{
	for (unsigned i = 0; i < SVM_NPT_ENTRIES; i++)
		if (svm_atomic_load_relaxed(&table[i]))
			return false;
	return true;
}

/*
 * Take out the tables around gpa that are empty.  A fault may fill one of them in this moment:
 * its entry goes with the table, and the guest faults again.
 */
static void prune(struct svm_edit *edit, svm_gpa_t gpa)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, gpa, gpa);
	for (uint64_t value = svm_atomic_load(svm_npt_at(&walk));
	     svm_npt_is_table(value, walk.level); value = svm_atomic_load(svm_npt_at(&walk)))
		svm_npt_down(&walk, value);
	while (walk.level < edit->vm->memory.levels && is_empty(walk.table[walk.level])) {
		walk.level++;
		remove_entry(edit, &walk);
	}
}

void svm_edit_zap(struct svm_edit *edit, svm_gpa_t first, svm_gpa_t last)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, first, last);
	do {
		zap_at(edit, &walk, first, last);
	} while (svm_npt_next(&walk));
	prune(edit, first);
	prune(edit, last);
}

/*
 * The leaf at the present entry, which lies inside the range as a whole, or NULL: nothing is
 * mapped, or it could not be split and was removed, which is always safe.
 */
static uint64_t *leaf_at(struct svm_edit *edit, struct svm_npt_walk *walk, svm_gpa_t first,
                         svm_gpa_t last)
{
	for (unsigned turn = 0; turn < 2 * SVM_NPT_LEVEL_MAX; turn++) {
		uint64_t *entry = svm_npt_at(walk);
		const uint64_t value = svm_atomic_load(entry);

		if (!(value & SVM_NPT_PRESENT))
			return NULL;
		if (svm_npt_is_table(value, walk->level))
			svm_npt_down(walk, value);
		else if (is_whole(walk, first, last))
			return entry;
		else if (!svm_edit_split(edit, entry, walk->level))
			break;
	}
	remove_entry(edit, walk);
	return NULL;
}

/*
 * Rights that a leaf shall have.  What the piece forbids goes.  What it allows comes at once where
 * the piece alone decides; a resolve callback or a dirty log decides at the next touch.
 */
static uint64_t protected_value(const struct svm_slot_piece *piece, uint64_t value)
{
	const bool adds = piece->kind != SVM_SLOT_RESOLVE;

	if (!(piece->prot & SVM_PROT_WRITE))
		value &= ~SVM_NPT_WRITE;
	else if (adds && piece->dirty_mode != SVM_DIRTY_PROTECT)
		value |= SVM_NPT_WRITE;
	if (!(piece->prot & SVM_PROT_EXECUTE))
		value |= SVM_NPT_NX;
	else if (adds)
		value &= ~SVM_NPT_NX;
	return value;
}

void svm_edit_protect(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t first,
                      svm_gpa_t last)
{
	const uint64_t mask = edit->vm->host->features.host_nx ? ~UINT64_C(0) : ~SVM_NPT_NX;
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, first, last);
	do {
		uint64_t *entry = leaf_at(edit, &walk, first, last);

		if (!entry)
			continue;

		uint64_t value = svm_atomic_load(entry), wanted;

		/* It can fail only for A and D; nobody else changes a leaf to another table now. */
		do {
			wanted = protected_value(piece, value) & mask;
		} while (wanted != value && !svm_atomic_cas(entry, &value, wanted));
		if ((value & ~wanted & SVM_NPT_WRITE) || (wanted & ~value & SVM_NPT_NX))
			edit->must_flush = true;
	} while (svm_npt_next(&walk));
}

/*
 * The large leaf that a uniform, aligned table at a level amounts to; 0 if it is not.  It is full,
 * or what its empty entries stand for is there anyway, in a RANGE slot that nobody is invalidating:
 * who invalidates needs the edit lock first.  There the slot alone decides on rights, too.
 */
static uint64_t joined_value(struct svm_vm *vm, const struct svm_slot_piece *piece,
                             const uint64_t *table, unsigned level, svm_gpa_t base)
{
	const uint64_t used = SVM_NPT_ACCESSED | SVM_NPT_DIRTY;
	const uint64_t span = svm_npt_span(level), whole = svm_npt_span(level + 1) - 1;
	const bool may_be_empty = piece->kind == SVM_SLOT_RANGE &&
	                          !svm_memory_is_invalidating(&vm->memory, base, base + whole);
	const uint64_t open = used | (may_be_empty ? SVM_NPT_WRITE | SVM_NPT_NX : 0);
	uint64_t first = svm_atomic_load(&table[0]) & ~used;
	uint64_t all = 0;

	if (may_be_empty)
		first = svm_npt_leaf(vm, piece->target.hpa + (base - piece->first), level,
		                     piece->prot, (enum svm_memory_type)piece->memory_type);
	if (!(first & SVM_NPT_PRESENT) || svm_npt_is_table(first, level) ||
	    (first & SVM_NPT_ADDRESS & whole))
		return 0;
	for (unsigned i = 0; i < SVM_NPT_ENTRIES; i++) {
		const uint64_t value = svm_atomic_load(&table[i]);

		if ((value & ~open) != (first & ~open) + i * span && !(may_be_empty && !value))
			return 0;
		all |= value & used;
	}
	return first | all | SVM_NPT_LARGE;
}

/* Join the tables of one level that lie in the range. */
static void merge_level(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t first,
                        svm_gpa_t last, unsigned level)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, first, last);
	do {
		uint64_t value = svm_atomic_load(svm_npt_at(&walk));

		while (walk.level > level + 1 && svm_npt_is_table(value, walk.level)) {
			svm_npt_down(&walk, value);
			value = svm_atomic_load(svm_npt_at(&walk));
		}
		if (walk.level != level + 1 || !svm_npt_is_table(value, walk.level) ||
		    !is_whole(&walk, piece->first, piece->last))
			continue;

		const svm_gpa_t base = svm_npt_base(walk.gpa, level + 1);
		const uint64_t leaf =
			joined_value(edit->vm, piece, svm_npt_table(edit->vm, value), level, base);

		if (leaf && svm_atomic_cas(svm_npt_at(&walk), &value, leaf))
			retire(edit, value, level, base);
	} while (svm_npt_next(&walk));
}

/*
 * Old and new translations are the same, so both may be in use for a while; the flush that
 * retiring the table asks for is for the table.
 */
void svm_edit_merge(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t first,
                    svm_gpa_t last)
{
	if (edit->vm->config.no_huge_pages || piece->log || piece->kind == SVM_SLOT_RESOLVE)
		return;
	merge_level(edit, piece, first, last, 1);
	if (edit->vm->host->features.page_1g)
		merge_level(edit, piece, first, last, 2);
}

/* A large leaf was not logged yet, so its D says nothing: clear once what 512 would have to. */
static bool split_to_log(struct svm_edit *edit, uint64_t *entry, unsigned level, uint64_t clear)
{
	if (svm_atomic_and(entry, ~clear) & clear)
		edit->must_flush = true;
	return svm_edit_split(edit, entry, level);
}

bool svm_edit_log(struct svm_edit *edit, svm_gpa_t *gpa, svm_gpa_t last, enum svm_dirty_mode mode,
                  bool harvest)
{
	const uint64_t clear = SVM_NPT_DIRTY | (mode == SVM_DIRTY_PROTECT ? SVM_NPT_WRITE : 0);
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, edit->vm, *gpa, last);
	do {
		uint64_t *entry = svm_npt_at(&walk);
		uint64_t value = svm_atomic_load(entry);

		while (walk.level > 1 && (value & SVM_NPT_PRESENT)) {
			if (svm_npt_is_table(value, walk.level)) {
				svm_npt_down(&walk, value);
			} else if (!split_to_log(edit, entry, walk.level, clear)) {
				*gpa = walk.gpa;
				return false;
			}
			entry = svm_npt_at(&walk);
			value = svm_atomic_load(entry);
		}
		if (!(value & clear))
			continue;
		value = svm_atomic_and(entry, ~clear);
		if (harvest)
			svm_dirty_harvest(edit->vm, walk.gpa, value);
		edit->must_flush = true;
	} while (svm_npt_next(&walk));
	return true;
}
