/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A PC's own memory has holes, the one below 4 GiB above all, so a large guest rarely fits into one
 * piece.  The largest that fits of size, half of it and so on is taken first: few pieces, each of
 * which huge pages can map.
 */
#include "guest_memory.h"

#include "frames.h"
#include "memory.h"

/* False: not even one unit is free. */
static bool take_piece(struct guest_memory *memory, uint8_t owner, uint64_t size)
{
	uint64_t pa;

	while (!frames_alloc((size_t)(size / PAGE_SIZE), GUEST_MEMORY_UNIT, &pa)) {
		if (size <= GUEST_MEMORY_UNIT)
			return false;
		size = size / 2 / GUEST_MEMORY_UNIT * GUEST_MEMORY_UNIT;
	}
	frames_give(pa, (size_t)(size / PAGE_SIZE), owner);
	memory->piece[memory->count].pa = pa;
	memory->piece[memory->count++].size = size;
	return true;
}

bool guest_memory_take(struct guest_memory *memory, uint8_t owner, uint64_t size)
{
	memory->count = 0;
	while (size) {
		if (memory->count == GUEST_MEMORY_PIECES || !take_piece(memory, owner, size)) {
			guest_memory_give_back(memory);
			return false;
		}
		size -= memory->piece[memory->count - 1].size;
	}
	return true;
}

void guest_memory_give_back(struct guest_memory *memory)
{
	while (memory->count) {
		memory->count--;
		frames_free(memory->piece[memory->count].pa,
		            (size_t)(memory->piece[memory->count].size / PAGE_SIZE));
	}
}

int guest_memory_each(const struct guest_memory *memory, svm_gpa_t gpa, uint64_t offset,
                      uint64_t size,
                      int (*visit)(void *arg, const struct guest_memory_part *part), void *arg)
{
	struct guest_memory_part part = { .gpa = gpa };
	int error = 0;

	for (uint32_t i = 0; i < memory->count && size && !error; i++) {
		const uint64_t here = memory->piece[i].size;

		if (offset >= here) {
			offset -= here;
			continue;
		}
		part.pa = memory->piece[i].pa + offset;
		part.size = size < here - offset ? size : here - offset;
		error = visit(arg, &part);
		part.gpa += part.size;
		size -= part.size;
		offset = 0;
	}
	return error;
}

static int map_part(void *arg, const struct guest_memory_part *part)
{
	return svm_vm_map(arg, part->gpa, part->pa, part->size, SVM_PROT_ALL);
}

int guest_memory_map(const struct guest_memory *memory, struct svm_vm *vm, svm_gpa_t gpa,
                     uint64_t offset, uint64_t size)
{
	return guest_memory_each(memory, gpa, offset, size, map_part, vm);
}
