/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The memory map: calls of the embedder that change it.
 *
 * Each has two phases, since an error half-way would leave a map that nobody asked for (XSA-222,
 * 389): first all frames that the change may need are taken and the new slot table is made; then
 * comes what cannot fail.  The order there is always the same: publish the slots and wait for
 * the readers of the old ones, edit the nested tables, flush, and only then return or free.
 */
#include "core/memory/memory.h"

#include "core/memory/edit.h"
#include "core/memory/section.h"

/* Frames taken at once where the number needed shows only on the way. */
#define BUILD_BATCH 16u

static bool is_prot(uint32_t prot)
{
	return (prot & SVM_PROT_READ) && !(prot & ~SVM_PROT_ALL);
}

/* Whole pages that do not wrap; *last is the last byte. */
static bool is_range(svm_gpa_t gpa, uint64_t size, svm_gpa_t *last)
{
	if (!size || ((gpa | size) & (SVM_PAGE_SIZE - 1)) || gpa + (size - 1) < gpa)
		return false;
	*last = gpa + (size - 1);
	return true;
}

/* A host range that the tables can name; last is that of a range of the same size at gpa. */
static bool hpa_fits(const struct svm_vm *vm, svm_hpa_t hpa, uint64_t size)
{
	const uint64_t limit = svm_memory_hpa_limit(vm);

	return hpa < limit && size <= limit - hpa;
}

static int check_host_range(const struct svm_vm *vm, svm_hpa_t hpa, uint64_t size)
{
	if (!hpa_fits(vm, hpa, size))
		return SVM_ERR_RANGE;
	return svm_memory_may_map(vm, hpa, size >> SVM_PAGE_SHIFT) ? 0 : SVM_ERR_FORBIDDEN;
}

static int check_host_frames(const struct svm_vm *vm, const svm_hpa_t *frames, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if ((frames[i] & (SVM_PAGE_SIZE - 1)) || frames[i] >= svm_memory_hpa_limit(vm))
			return SVM_ERR_RANGE;
		if (!svm_memory_may_map(vm, frames[i], 1))
			return SVM_ERR_FORBIDDEN;
	}
	return 0;
}

static int make_piece(struct svm_vm *vm, const struct svm_slot *slot, struct svm_slot_piece *piece)
{
	svm_gpa_t last;

	if (!is_range(slot->gpa, slot->size, &last) || !is_prot(slot->prot) ||
	    (unsigned)slot->memory_type > SVM_MEMORY_UC)
		return SVM_ERR_INVAL;
	*piece = (struct svm_slot_piece){ .first = slot->gpa,
		                          .last = last,
		                          .prot = (uint8_t)slot->prot,
		                          .memory_type = (uint8_t)slot->memory_type,
		                          .kind = (uint8_t)slot->kind };
	if (last >= svm_memory_gpa_limit(vm))
		return SVM_ERR_RANGE;

	switch (slot->kind) {
	case SVM_SLOT_RANGE:
		if (slot->hpa & (SVM_PAGE_SIZE - 1))
			return SVM_ERR_INVAL;
		piece->target.hpa = slot->hpa;
		return check_host_range(vm, slot->hpa, slot->size);
	case SVM_SLOT_FRAMES:
		if (!slot->frames)
			return SVM_ERR_INVAL;
		piece->target.frames = slot->frames;
		return check_host_frames(vm, slot->frames, slot->size >> SVM_PAGE_SHIFT);
	case SVM_SLOT_RESOLVE:
		if (!slot->resolve)
			return SVM_ERR_INVAL;
		piece->target.resolve = slot->resolve;
		piece->resolve_arg = slot->resolve_arg;
		return 0;
	default:
		return SVM_ERR_INVAL;
	}
}

/* VM lock held.  A copy of the slot table with one more piece. */
static int slots_with(struct svm_vm *vm, struct svm_slot_piece *piece,
                      struct svm_slot_table **slots)
{
	int result;

	*slots = svm_slots_copy(vm);
	if (!*slots)
		return SVM_ERR_NOMEM;
	piece->id = vm->memory.slot_serial + 1;
	result = svm_slots_insert(*slots, piece);
	if (result)
		svm_slots_free(vm, *slots);
	else
		vm->memory.slot_serial++;
	return result;
}

int svm_vm_slot_add(struct svm_vm *vm, const struct svm_slot *slot)
{
	struct svm_slot_table *slots;
	struct svm_slot_piece piece;
	int result = make_piece(vm, slot, &piece);

	if (result)
		return result;
	svm_vm_lock(vm);
	result = slots_with(vm, &piece, &slots);
	if (!result)
		svm_slots_publish(vm, slots);
	svm_vm_unlock(vm);
	return result;
}

int svm_vm_map(struct svm_vm *vm, svm_gpa_t gpa, svm_hpa_t hpa, uint64_t size, uint32_t prot)
{
	const struct svm_slot slot = {
		.gpa = gpa, .size = size, .prot = prot, .kind = SVM_SLOT_RANGE, .hpa = hpa
	};
	struct svm_frames frames = { .head = 0 };
	struct svm_slot_table *slots;
	struct svm_slot_piece piece;
	struct svm_edit edit;
	int result = make_piece(vm, &slot, &piece);

	if (result)
		return result;
	svm_vm_lock(vm);
	result = slots_with(vm, &piece, &slots);
	if (result)
		goto unlock;
	result = svm_frames_fill(vm, &frames, svm_edit_build_frames(vm, &piece));
	if (result) {
		svm_slots_free(vm, slots);
		goto drop;
	}

	/*
	 * The slot comes first, or an invalidation in between would find translations that no
	 * slot explains.  Frames can be short only because an invalidation makes leaves smaller;
	 * what is not built then is filled by touches.
	 */
	svm_slots_publish(vm, slots);
	svm_edit_begin(&edit, vm, &frames);
	(void)svm_edit_build(&edit, &piece, &gpa, piece.last);
	svm_edit_end(&edit);
drop:
	svm_frames_drop(vm, &frames);
unlock:
	svm_vm_unlock(vm);
	return result;
}

/* VM lock held. */
static int populate_piece(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t first,
                          svm_gpa_t last)
{
	struct svm_frames frames = { .head = 0 };
	svm_gpa_t gpa = first;
	int result = 0;
	bool is_done;

	if (piece->kind == SVM_SLOT_RESOLVE)
		return 0;
	do {
		struct svm_edit edit;

		svm_edit_begin(&edit, vm, &frames);
		is_done = svm_edit_build(&edit, piece, &gpa, last);
		if (is_done)
			svm_edit_merge(&edit, piece, first, last);
		svm_edit_end(&edit);
		if (!is_done)
			result = svm_frames_fill(vm, &frames, BUILD_BATCH);
	} while (!is_done && (!result || frames.count));
	svm_frames_drop(vm, &frames);
	return is_done ? 0 : SVM_ERR_NOMEM;
}

int svm_vm_populate(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	const struct svm_slot_table *slots;
	svm_gpa_t last;
	int result = 0;

	if (!size && !(gpa & (SVM_PAGE_SIZE - 1)))
		return 0;
	if (!is_range(gpa, size, &last))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	slots = vm->memory.slots;
	if (!svm_slots_cover(slots, gpa, last))
		result = SVM_ERR_NOENT;
	for (uint32_t i = svm_slots_index(slots, gpa);
	     !result && i < slots->count && slots->piece[i].first <= last; i++) {
		const struct svm_slot_piece *piece = &slots->piece[i];

		result = populate_piece(vm, piece, gpa > piece->first ? gpa : piece->first,
		                        svm_min(last, piece->last));
	}
	svm_vm_unlock(vm);
	return result;
}

/* VM lock held.  A leaf lies in one piece, so only an end of the range inside one may cut it. */
static uint64_t frames_to_cut(const struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	const struct svm_slot_piece *front = svm_slots_find(vm->memory.slots, first);
	const struct svm_slot_piece *back = svm_slots_find(vm->memory.slots, last);
	uint64_t count = 0;

	if (front && front->first < first)
		count += svm_edit_split_frames(vm, first);
	if (back && back->last > last)
		count += svm_edit_split_frames(vm, last + 1);
	return count;
}

/* VM lock held: take a range out of slots and tables. */
static int unmap_locked(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	struct svm_frames frames = { .head = 0 };
	struct svm_slot_table *slots = svm_slots_copy(vm);
	struct svm_edit edit;
	int result;

	if (!slots)
		return SVM_ERR_NOMEM;
	result = svm_slots_cut(slots, first, last, &vm->memory.slot_serial);
	if (!result)
		result = svm_frames_fill(vm, &frames, frames_to_cut(vm, first, last));
	if (result) {
		svm_slots_free(vm, slots);
		svm_frames_drop(vm, &frames);
		return result;
	}

	svm_slots_publish(vm, slots);
	svm_edit_begin(&edit, vm, &frames);
	svm_edit_zap(&edit, first, last);
	svm_edit_end(&edit);
	svm_frames_drop(vm, &frames);
	return 0;
}

int svm_vm_unmap(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	svm_gpa_t last;
	int result;

	if (!is_range(gpa, size, &last))
		return SVM_ERR_INVAL;
	if (gpa >= svm_memory_gpa_limit(vm))
		return 0;
	last = svm_min(last, svm_memory_gpa_limit(vm) - 1);
	svm_vm_lock(vm);
	result = unmap_locked(vm, gpa, last);
	svm_vm_unlock(vm);
	return result;
}

int svm_vm_slot_remove(struct svm_vm *vm, svm_gpa_t gpa)
{
	svm_gpa_t last;
	int result = SVM_ERR_NOENT;

	svm_vm_lock(vm);
	if (svm_slots_begin(vm->memory.slots, gpa, &last) < vm->memory.slots->count)
		result = unmap_locked(vm, gpa, last);
	svm_vm_unlock(vm);
	return result;
}

/* VM lock held, slots published: bring the tables in line with the pieces of a range. */
static void apply_rights(struct svm_vm *vm, struct svm_frames *frames, svm_gpa_t first,
                         svm_gpa_t last)
{
	const struct svm_slot_table *slots = vm->memory.slots;
	struct svm_edit edit;

	svm_edit_begin(&edit, vm, frames);
	for (uint32_t i = svm_slots_index(slots, first);
	     i < slots->count && slots->piece[i].first <= last; i++) {
		const struct svm_slot_piece *piece = &slots->piece[i];
		const svm_gpa_t from = first > piece->first ? first : piece->first;
		const svm_gpa_t to = svm_min(last, piece->last);

		svm_edit_protect(&edit, piece, from, to);
		svm_edit_merge(&edit, piece, from, to);
	}
	svm_edit_end(&edit);
}

static int protect_locked(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last, uint32_t prot)
{
	struct svm_frames frames = { .head = 0 };
	struct svm_slot_table *slots;
	int result;

	if (!svm_slots_cover(vm->memory.slots, first, last))
		return SVM_ERR_NOENT;
	slots = svm_slots_copy(vm);
	if (!slots)
		return SVM_ERR_NOMEM;
	result = svm_slots_protect(slots, first, last, prot);
	if (!result)
		result = svm_frames_fill(vm, &frames, frames_to_cut(vm, first, last));
	if (result) {
		svm_slots_free(vm, slots);
	} else {
		svm_slots_publish(vm, slots);
		apply_rights(vm, &frames, first, last);
	}
	svm_frames_drop(vm, &frames);
	return result;
}

int svm_vm_protect(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, uint32_t prot)
{
	svm_gpa_t last;
	int result;

	if (!is_range(gpa, size, &last) || !is_prot(prot))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	result = protect_locked(vm, gpa, last, prot);
	svm_vm_unlock(vm);
	return result;
}

int svm_memory_init(struct svm_vm *vm)
{
	struct svm_memory *memory = &vm->memory;

	*memory = (struct svm_memory){ .levels = vm->config.npt_levels };
	memory->invalidate_first = UINT64_MAX;
	memory->root = svm_host_frames(vm->host, 1, &memory->root_hpa);
	if (!memory->root)
		return SVM_ERR_NOMEM;
	memory->slots = svm_slots_copy(vm);
	if (!memory->slots)
		goto free_root;
	if (svm_vm_reserve(vm, 0))
		goto free_reserve;
	return 0;

free_reserve:
	svm_reserve_fini(vm);
	svm_slots_free(vm, memory->slots);
free_root:
	svm_host_frames_free(vm->host, memory->root, memory->root_hpa, 1);
	return SVM_ERR_NOMEM;
}

void svm_memory_fini(struct svm_vm *vm)
{
	struct svm_memory *memory = &vm->memory;

	svm_edit_free_table(vm, memory->root_hpa, memory->levels, 0, false);
	svm_reserve_fini(vm);
	svm_slots_free_all(vm, memory->slots);
	*memory = (struct svm_memory){ .root_hpa = 0 };
}
