/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Physical memory by frames of 4 KiB.  Only RAM of the memory map above 1 MiB is ever handed out,
 * and of it not the image and not a module.
 */
#ifndef BAREMETAL_FRAMES_H
#define BAREMETAL_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Take over the memory boot_info describes. False: no place for the allocator's own map. */
bool frames_init(void);

/**
 * @brief Allocate zeroed, contiguous frames, the lowest that fit.
 * @param count  Frames, not 0.
 * @param align  Alignment of the first in bytes; a power of two, at least 4096.
 * @param[out] pa  Physical address; untouched on failure.
 * @return The frames in the direct map, or NULL.
 */
void *frames_alloc(size_t count, uint64_t align, uint64_t *pa);

/**
 * @brief Give frames back, zeroed, so that no later owner sees what they held.
 * @return False, and nothing is changed, when any of them was not allocated.
 */
bool frames_free(uint64_t pa, size_t count);

/* Whose frames are; what frames_alloc() gives is the host's. */
#define FRAMES_HOST   0u /**< this port's and the library's: no guest ever gets it */
#define FRAMES_SHARED 1u /**< any guest may have it */
#define FRAMES_GUEST  2u /**< of guest n: this and n, below 256 */

/**
 * @brief Let frames that frames_alloc() gave be somebody's, until they are freed.
 * @return False, and nothing is changed, when any of them was not allocated.
 */
bool frames_give(uint64_t pa, size_t count, uint8_t owner);

/** Whether @p owner may have all of these frames: they are its own, or shared. */
bool frames_may_have(uint64_t pa, uint64_t count, uint8_t owner);

size_t frames_free_count(void);
size_t frames_total_count(void);

/** End of the highest RAM frame, physical bytes. */
uint64_t frames_end(void);

/** A byte of a frame that frames_alloc() can hand out (free or not), in the direct map; or NULL. */
void *frames_at(uint64_t pa);

/** True when every byte of the range is RAM of the memory map (taken or not). */
bool memory_map_has_ram(uint64_t start, uint64_t end);

#endif
