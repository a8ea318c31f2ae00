/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The memory of a guest: pieces of ours, which look like one to the guest.
 */
#ifndef BAREMETAL_GUEST_MEMORY_H
#define BAREMETAL_GUEST_MEMORY_H

#include <libsvm/libsvm.h>

#define GUEST_MEMORY_UNIT   UINT64_C(0x200000) /**< what one entry of a table can map */
#define GUEST_MEMORY_PIECES 32

struct guest_memory {
	uint32_t count;
	struct {
		uint64_t pa, size; /**< both multiples of the unit */
	} piece[GUEST_MEMORY_PIECES];
};

/**
 * @brief Take zeroed memory from the frames that are free.
 * @param owner FRAMES_GUEST and the guest's number.
 * @param size  A multiple of GUEST_MEMORY_UNIT, not 0.
 * @return False, and nothing is taken: there is not so much, or it lies in too many pieces.
 */
bool guest_memory_take(struct guest_memory *memory, uint8_t owner, uint64_t size);

/** Give all of it back. */
void guest_memory_give_back(struct guest_memory *memory);

/** A part of a guest's memory that lies in one piece. */
struct guest_memory_part {
	svm_gpa_t gpa;
	uint64_t pa, size;
};

/**
 * @brief Visit what of it the guest sees from @p gpa on, piece by piece; arguments as below.
 * @return The first result of @p visit that is not 0, after which it is not called again; else 0.
 */
int guest_memory_each(const struct guest_memory *memory, svm_gpa_t gpa, uint64_t offset,
                      uint64_t size,
                      int (*visit)(void *arg, const struct guest_memory_part *part), void *arg);

/**
 * @brief Map a part of it for the guest to read, write and execute. T.
 * @param gpa     Where; a multiple of 4096.
 * @param offset  Of the part in the whole; a multiple of 4096.
 * @param size    A multiple of 4096.  The part lies within the memory.
 * @return What svm_vm_map() said.
 */
int guest_memory_map(const struct guest_memory *memory, struct svm_vm *vm, svm_gpa_t gpa,
                     uint64_t offset, uint64_t size);

#endif
