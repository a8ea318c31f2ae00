/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The slot table: found by bisection, edited in a copy, replaced whole.
 *
 * Replacing whole is what lets readers go without a lock: a table never changes while anybody can
 * see it.  All arithmetic on ranges uses the last byte instead of the byte after it, which may
 * not exist.
 */
#include "core/memory/slots.h"

#include "core/memory/dirty.h"
#include "core/memory/npt.h"
#include "core/memory/section.h"

struct svm_slot_table *svm_slots_copy(struct svm_vm *vm)
{
	const struct svm_slot_table *old = vm->memory.slots;
	svm_hpa_t hpa;
	struct svm_slot_table *table = svm_host_frames(vm->host, 1, &hpa);

	if (!table)
		return NULL;
	if (old) {
		table->count = old->count;
		memcpy(table->piece, old->piece, old->count * sizeof(old->piece[0]));
	}
	table->hpa = hpa;
	return table;
}

void svm_slots_free(struct svm_vm *vm, struct svm_slot_table *table)
{
	svm_host_frames_free(vm->host, table, table->hpa, 1);
}

static bool has_log(const struct svm_slot_table *table, const struct svm_dirty_log *log)
{
	for (uint32_t i = 0; i < table->count; i++)
		if (table->piece[i].log == log)
			return true;
	return false;
}

/* Logs of old that table lacks: pieces of one log may be several, so each is freed at its last. */
static void free_logs(struct svm_vm *vm, struct svm_slot_table *old,
                      const struct svm_slot_table *table)
{
	while (old->count) {
		struct svm_dirty_log *log = old->piece[--old->count].log;

		if (log && !has_log(old, log) && !(table && has_log(table, log)))
			svm_dirty_log_free(vm, log);
	}
}

void svm_slots_free_all(struct svm_vm *vm, struct svm_slot_table *table)
{
	free_logs(vm, table, NULL);
	svm_slots_free(vm, table);
}

void svm_slots_publish(struct svm_vm *vm, struct svm_slot_table *table)
{
	struct svm_slot_table *old = vm->memory.slots;

	svm_atomic_store(&vm->memory.slots, table);
	svm_atomic_add(&vm->memory.generation, 1u);
	svm_section_wait(&vm->memory);
	free_logs(vm, old, table);
	svm_slots_free(vm, old);
}

bool svm_slots_cover(const struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last)
{
	for (uint32_t i = svm_slots_index(table, first); i < table->count; i++) {
		if (table->piece[i].first > first)
			return false;
		if (table->piece[i].last >= last)
			return true;
		first = table->piece[i].last + 1;
	}
	return false;
}

uint32_t svm_slots_begin(const struct svm_slot_table *table, svm_gpa_t gpa, svm_gpa_t *last)
{
	const uint32_t first = svm_slots_index(table, gpa);
	uint32_t i = first;

	if (i == table->count || table->piece[i].first != gpa)
		return table->count;
	if (i && table->piece[i - 1].id == table->piece[i].id)
		return table->count;
	while (i + 1 < table->count && table->piece[i + 1].id == table->piece[first].id)
		i++;
	*last = table->piece[i].last;
	return first;
}

static void remove_at(struct svm_slot_table *table, uint32_t index)
{
	table->count--;
	memmove(&table->piece[index], &table->piece[index + 1],
	        (table->count - index) * sizeof(table->piece[0]));
}

static int insert_at(struct svm_slot_table *table, uint32_t index,
                     const struct svm_slot_piece *piece)
{
	if (table->count == SVM_SLOT_MAX)
		return SVM_ERR_NOMEM;
	memmove(&table->piece[index + 1], &table->piece[index],
	        (table->count - index) * sizeof(table->piece[0]));
	table->piece[index] = *piece;
	table->count++;
	return 0;
}

int svm_slots_insert(struct svm_slot_table *table, const struct svm_slot_piece *piece)
{
	const uint32_t i = svm_slots_index(table, piece->first);

	if (i < table->count && table->piece[i].first <= piece->last)
		return SVM_ERR_EXIST;
	return insert_at(table, i, piece);
}

/* Let a piece begin later, with what belongs there behind it. */
static void trim_front(struct svm_slot_piece *piece, svm_gpa_t first)
{
	if (piece->kind == SVM_SLOT_RANGE)
		piece->target.hpa += first - piece->first;
	else if (piece->kind == SVM_SLOT_FRAMES)
		piece->target.frames += (first - piece->first) >> SVM_PAGE_SHIFT;
	piece->first = first;
}

/* Make gpa the first byte of a piece, if it is inside one. */
static int split_at(struct svm_slot_table *table, svm_gpa_t gpa)
{
	const uint32_t i = svm_slots_index(table, gpa);

	if (i == table->count || table->piece[i].first >= gpa)
		return 0;

	struct svm_slot_piece behind = table->piece[i];

	trim_front(&behind, gpa);
	if (insert_at(table, i + 1, &behind))
		return SVM_ERR_NOMEM;
	table->piece[i].last = gpa - 1;
	return 0;
}

/* Split at both ends of a range; the pieces in it are then whole. */
static int isolate(struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last)
{
	const int result = split_at(table, first);

	if (result || last == UINT64_MAX)
		return result;
	return split_at(table, last + 1);
}

/* Give the pieces of one slot from index on a new id, for they follow a hole now. */
static void renumber(struct svm_slot_table *table, uint32_t index, uint32_t *serial)
{
	const uint32_t id = table->piece[index].id;

	(*serial)++;
	for (uint32_t i = index; i < table->count && table->piece[i].id == id; i++)
		table->piece[i].id = *serial;
}

/* Not by isolate(): only a hole inside a piece needs a piece more, which must not fail needlessly.
 */
int svm_slots_cut(struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last, uint32_t *serial)
{
	uint32_t i = svm_slots_index(table, first);

	if (i < table->count && table->piece[i].first < first) {
		struct svm_slot_piece *piece = &table->piece[i];

		if (piece->last > last) {
			struct svm_slot_piece behind = *piece;

			trim_front(&behind, last + 1);
			if (insert_at(table, i + 1, &behind))
				return SVM_ERR_NOMEM;
		}
		piece->last = first - 1;
		i++;
	}
	while (i < table->count && table->piece[i].last <= last)
		remove_at(table, i);
	if (i < table->count && table->piece[i].first <= last)
		trim_front(&table->piece[i], last + 1);
	if (i && i < table->count && table->piece[i - 1].id == table->piece[i].id)
		renumber(table, i, serial);
	return 0;
}

static bool can_join(const struct svm_slot_piece *a, const struct svm_slot_piece *b)
{
	return a->id == b->id && a->prot == b->prot && a->last + 1 == b->first;
}

int svm_slots_protect(struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last, uint32_t prot)
{
	const int result = isolate(table, first, last);

	if (result)
		return result;

	uint32_t i = svm_slots_index(table, first);

	for (; i < table->count && table->piece[i].first <= last; i++)
		table->piece[i].prot = (uint8_t)prot;
	for (i = 0; i + 1 < table->count;) {
		if (can_join(&table->piece[i], &table->piece[i + 1])) {
			table->piece[i].last = table->piece[i + 1].last;
			remove_at(table, i + 1);
		} else {
			i++;
		}
	}
	return 0;
}

/* An array of frames is the embedder's, who may write in it after it was checked. */
static bool is_frame(const struct svm_vm *vm, svm_hpa_t hpa)
{
	return !(hpa & (SVM_PAGE_SIZE - 1)) && hpa < svm_memory_hpa_limit(vm) &&
	       svm_memory_may_map(vm, hpa, 1);
}

bool svm_slots_frame(const struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                     svm_hpa_t *hpa)
{
	*hpa = svm_atomic_load_relaxed(
		&piece->target.frames[(gpa - piece->first) >> SVM_PAGE_SHIFT]);
	return is_frame(vm, *hpa);
}

/* Are the 512 frames of the aligned 2 MiB around gpa one block?  A bounded look: 512 loads. */
static bool is_block(const struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                     svm_hpa_t hpa)
{
	const svm_gpa_t base = svm_npt_base(gpa, 2);
	const uint64_t span = svm_npt_span(2);

	if (((gpa ^ hpa) & (span - 1)) || base < piece->first || base + (span - 1) > piece->last)
		return false;

	const svm_hpa_t *frames = &piece->target.frames[(base - piece->first) >> SVM_PAGE_SHIFT];
	const svm_hpa_t start = svm_npt_base(hpa, 2);

	for (unsigned i = 0; i < SVM_NPT_ENTRIES; i++)
		if (svm_atomic_load_relaxed(&frames[i]) != start + i * UINT64_C(4096))
			return false;
	return svm_memory_may_map(vm, start, SVM_NPT_ENTRIES);
}

/*
 * The largest level whose span around gpa nobody is invalidating.  An invalidation that began
 * before this section does not wait for it, and may be over when the callback has answered.
 */
static unsigned quiet_level(struct svm_vm *vm, svm_gpa_t gpa)
{
	unsigned level = 1;

	while (level < 3 && !svm_memory_is_invalidating(&vm->memory, svm_npt_base(gpa, level + 1),
	                                                gpa | (svm_npt_span(level + 1) - 1)))
		level++;
	return level;
}

/* The embedder's word is checked: what does not fit becomes "not there", never a wrong entry. */
static int resolve(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                   uint32_t access, struct svm_backing *backing)
{
	const unsigned quiet = quiet_level(vm, gpa); /* Before anybody is asked. */
	struct svm_resolved_page page = { .hpa = 0 };

	switch (piece->target.resolve(piece->resolve_arg, gpa, access, &page)) {
	case SVM_RESOLVE_MAPPED:
		break;
	case SVM_RESOLVE_AGAIN:
		return SVM_ERR_AGAIN;
	case SVM_RESOLVE_ABSENT:
	default:
		return SVM_ERR_FAULT;
	}

	backing->level = page.size == svm_npt_span(3) ? 3 : page.size == svm_npt_span(2) ? 2 : 1;

	const uint64_t offset = svm_npt_span(backing->level) - 1;

	if ((page.hpa & offset) || !is_frame(vm, page.hpa) ||
	    page.hpa + offset >= svm_memory_hpa_limit(vm) ||
	    !svm_memory_may_map(vm, page.hpa, (offset + 1) >> SVM_PAGE_SHIFT))
		return SVM_ERR_FAULT;
	backing->hpa = page.hpa + (gpa & offset & SVM_PAGE_MASK);
	backing->level = (unsigned)svm_min(backing->level, quiet);
	/* A leaf that exists can be read; a page without any right gets none. */
	backing->prot = page.prot ? (page.prot | SVM_PROT_READ) & piece->prot : 0;
	return 0;
}

int svm_slots_backing(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                      uint32_t access, struct svm_backing *backing)
{
	const svm_gpa_t page = gpa & SVM_PAGE_MASK;

	if (svm_memory_is_invalidating(&vm->memory, page, page | (SVM_PAGE_SIZE - 1)))
		return SVM_ERR_AGAIN;

	switch (piece->kind) {
	case SVM_SLOT_RANGE:
		*backing = (struct svm_backing){ .hpa = piece->target.hpa + (page - piece->first),
			                         .prot = piece->prot,
			                         .level = 3 };
		return 0;
	case SVM_SLOT_FRAMES:
		*backing = (struct svm_backing){ .prot = piece->prot, .level = 1 };
		if (!svm_slots_frame(vm, piece, page, &backing->hpa))
			return SVM_ERR_FAULT;
		if (is_block(vm, piece, page, backing->hpa))
			backing->level = 2;
		return 0;
	default:
		return resolve(vm, piece, gpa, access, backing);
	}
}

/* What keeps a leaf from growing to one level keeps it from every larger one too. */
unsigned svm_slots_leaf_level(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                              const struct svm_backing *backing)
{
	const unsigned max = piece->log ? 1 : svm_npt_leaf_max(vm);
	const uint64_t difference = (gpa ^ backing->hpa) & SVM_PAGE_MASK;
	unsigned level = 1;

	while (level < max && level < backing->level) {
		const uint64_t offset = svm_npt_span(level + 1) - 1;
		const svm_gpa_t base = gpa & ~offset;

		if ((difference & offset) || base < piece->first || (gpa | offset) > piece->last ||
		    svm_memory_is_invalidating(&vm->memory, base, gpa | offset))
			break;
		level++;
	}
	return level;
}
