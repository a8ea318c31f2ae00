/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Addresses: the direct map, and the image's own edges as link.ld names them. */
#ifndef BAREMETAL_MEMORY_H
#define BAREMETAL_MEMORY_H

#include "layout.h"

#include <stdint.h>

#define PAGE_SIZE 4096ull
#define PAGE_MASK (PAGE_SIZE - 1)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** Where the direct map shows physical address @p pa. */
static inline void *phys_to_direct(uint64_t pa)
{
	return (void *)(uintptr_t)(DIRECT_MAP + pa);
}

/** The physical address behind a pointer into the direct map. */
static inline uint64_t direct_to_phys(const void *va)
{
	return (uint64_t)(uintptr_t)va - DIRECT_MAP;
}

/* Linker symbols; only their addresses mean anything.  *_phys are physical. */
extern char image_start_phys[], image_text_phys[], image_rodata_phys[], image_data_phys[],
	image_end_phys[];
extern char image_text_start[], image_rodata_start[], image_data_start[], image_end[];
extern char boot_stack_guard[], boot_stack_bottom[], boot_stack_top[];

static inline uint64_t page_down(uint64_t value)
{
	return value & ~PAGE_MASK;
}

static inline uint64_t page_up(uint64_t value)
{
	return (value + PAGE_MASK) & ~PAGE_MASK;
}

#endif
