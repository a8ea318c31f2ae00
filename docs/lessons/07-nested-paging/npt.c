/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Nested tables have the form of ordinary page tables, four levels of 512 entries; guest-physical
 * addresses go in and host-physical ones come out.  The user bit must be set everywhere: to them
 * each access of a guest is a user's.  APM vol. 2, 15.25.5.
 */
#include <stddef.h>

#include "frames.h"
#include "npt.h"

#define PRESENT_WRITABLE_USER 7ul
#define ADDRESS               0x000ffffffffff000ul

/* The last-level entry of an address; NULL: a table is missing and shall not be made. */
static uint64_t *entry_of(uint64_t *table, uint64_t gpa, int make)
{
	for (unsigned shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[gpa >> shift & 511];

		if (!*entry && !make)
			return NULL;
		if (!*entry)
			*entry = (uintptr_t)frame_alloc() | PRESENT_WRITABLE_USER;
		table = (uint64_t *)(*entry & ADDRESS);
	}
	return &table[gpa >> 12 & 511];
}

void npt_map(uint64_t *root, uint64_t gpa, void *frame)
{
	*entry_of(root, gpa, 1) = (uintptr_t)frame | PRESENT_WRITABLE_USER;
}

void *npt_find(uint64_t *root, uint64_t gpa)
{
	const uint64_t *entry = entry_of(root, gpa, 0);

	return entry && *entry ? (void *)(*entry & ADDRESS) : NULL;
}
