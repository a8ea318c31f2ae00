/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The final page tables.  The bootstrap tables already keep W^X; these replace them because they
 * map 4 GiB whether RAM is there or not, and have no guard pages.
 *
 * Entries are written once, at boot and by one CPU: before the others run, or for addresses none of
 * them uses yet.  So there is no lock and no cross-CPU flush here, and nothing to get wrong.
 */
#include "paging.h"

#include "frames.h"
#include "memory.h"
#include "multiboot.h"
#include "string.h"
#include "x86.h"

#define ENTRIES 512u
#define SIZE_2M (UINT64_C(1) << 21)

static uint64_t *root;
static uint64_t root_pa;
static uint64_t window_next = WINDOW_AREA;
static uint64_t stack_next = STACK_AREA;

/* Level 1 is the table of 4 KiB pages, level 4 the root. */
static unsigned int level_shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static uint64_t *entry_of(uint64_t *table, unsigned int level, uint64_t va)
{
	return &table[va >> level_shift(level) & (ENTRIES - 1)];
}

static uint64_t *table_behind(uint64_t entry)
{
	return phys_to_direct(entry & PTE_ADDR);
}

/* The entry of @p va at @p level, making the tables above it; NULL: no frame, or a leaf above. */
static uint64_t *walk_create(uint64_t va, unsigned int level)
{
	uint64_t *table = root;

	for (unsigned int at = 4; at > level; at--) {
		uint64_t *entry = entry_of(table, at, va);

		if (!(*entry & PTE_P)) {
			uint64_t pa;

			if (!frames_alloc(1, PAGE_SIZE, &pa))
				return NULL;
			*entry = pa | PTE_P | PTE_RW;
		} else if (at < 4 && (*entry & PTE_PS)) {
			return NULL;
		}
		table = table_behind(*entry);
	}
	return entry_of(table, level, va);
}

bool paging_map(uint64_t va, uint64_t pa, uint64_t size, uint64_t flags)
{
	while (size) {
		const bool large = !((va | pa) & (SIZE_2M - 1)) && size >= SIZE_2M;
		const uint64_t step = large ? SIZE_2M : PAGE_SIZE;
		uint64_t *entry = walk_create(va, large ? 2 : 1);

		if (!entry || (*entry & PTE_P))
			return false;
		*entry = pa | flags | (large ? PTE_PS : 0);
		va += step;
		pa += step;
		size -= step;
	}
	return true;
}

void paging_unmap(uint64_t va, uint64_t size)
{
	for (uint64_t at = va; at < va + size; at += PAGE_SIZE) {
		uint64_t *entry = walk_create(at, 1);

		if (entry)
			*entry = 0;
		invlpg(at);
	}
}

static bool map_image(void)
{
	const uint64_t text = (uintptr_t)image_text_phys, rodata = (uintptr_t)image_rodata_phys;
	const uint64_t data = (uintptr_t)image_data_phys, end = (uintptr_t)image_end_phys;
	const uint64_t guard = (uintptr_t)boot_stack_guard;

	/* By 4 KiB pages, whatever the alignment: the guard page is taken out of the middle. */
	for (uint64_t pa = text; pa < end; pa += PAGE_SIZE) {
		const uint64_t flags = pa < rodata ? MAP_RX : pa < data ? MAP_R : MAP_RW;

		if (KERNEL_VMA + pa != guard && !paging_map(KERNEL_VMA + pa, pa, PAGE_SIZE, flags))
			return false;
	}
	return true;
}

static bool map_direct(uint64_t start, uint64_t end, uint64_t flags)
{
	return start >= end || paging_map(DIRECT_MAP + start, start, end - start, flags);
}

/* RAM [start, end) in the direct map, with the image's read-only part read-only here too. */
static bool map_ram(uint64_t start, uint64_t end)
{
	const uint64_t text = (uintptr_t)image_text_phys, data = (uintptr_t)image_data_phys;
	const uint64_t low = end < text ? end : text, high = start > data ? start : data;
	const uint64_t from = start > text ? start : text, to = end < data ? end : data;

	return map_direct(start, low, MAP_RW) && map_direct(from, to, MAP_R) &&
	       map_direct(high, end, MAP_RW);
}

/*
 * Memory maps need not be sorted and may overlap, so walk upwards: at each step take the RAM range
 * that holds the page, or jump to the next one.
 */
static bool map_all_ram(void)
{
	uint64_t at = 0;

	while (at < frames_end()) {
		uint64_t end = 0, next = frames_end();

		for (size_t i = 0; i < boot_info.range_count; i++) {
			const struct boot_range *range = &boot_info.ranges[i];
			const uint64_t first = page_up(range->start), last = page_down(range->end);

			if (range->type != BOOT_RANGE_RAM || first >= last)
				continue;
			if (first <= at && last > at && last > end)
				end = last;
			if (first > at && first < next)
				next = first;
		}
		if (end > frames_end())
			end = frames_end();
		if (end && !map_ram(at, end))
			return false;
		at = end ? end : next;
	}
	return true;
}

bool paging_init(void)
{
	root = frames_alloc(1, PAGE_SIZE, &root_pa);
	if (!root || root_pa >> 32)
		return false;
	if (!map_image() || !map_all_ram())
		return false;
	write_cr3(root_pa);
	return true;
}

uint64_t paging_root(void)
{
	return root_pa;
}

void *paging_window(uint64_t pa, uint64_t size, uint64_t flags)
{
	const uint64_t first = page_down(pa), last = page_up(pa + size);
	const uint64_t va = window_next;

	if (last <= first || !paging_map(va, first, last - first, flags))
		return NULL;
	window_next += last - first + PAGE_SIZE;
	return (void *)(uintptr_t)(va + (pa - first));
}

uint64_t paging_stack(size_t pages)
{
	const uint64_t bottom = stack_next + PAGE_SIZE; /* the page below stays unmapped */
	uint64_t at = bottom;

	for (size_t i = 0; i < pages; i++, at += PAGE_SIZE) {
		uint64_t pa;

		if (!frames_alloc(1, PAGE_SIZE, &pa) || !paging_map(at, pa, PAGE_SIZE, MAP_RW))
			return 0;
	}
	stack_next = at;
	return at;
}

static bool overlaps_read_only_image(uint64_t pa, uint64_t size)
{
	return pa < (uintptr_t)image_data_phys && pa + size > (uintptr_t)image_text_phys;
}

static void audit_leaf(struct paging_audit *audit, uint64_t entry, unsigned int level,
                       bool writable, bool executable)
{
	const uint64_t size = UINT64_C(1) << level_shift(level);
	const uint64_t pa = entry & PTE_ADDR & ~(size - 1);

	audit->leaves++;
	if (writable && executable)
		audit->writable_exec++;
	if (writable && overlaps_read_only_image(pa, size))
		audit->writable_text++;
	if (executable)
		audit->executable_bytes += size;
}

/* An explicit stack of four positions instead of recursion. */
struct paging_audit paging_audit(void)
{
	struct paging_audit audit = { 0 };
	uint64_t *tables[5] = { 0 };
	bool writable[5], executable[5];
	unsigned int index[5] = { 0 }, level = 4;

	tables[4] = phys_to_direct(read_cr3() & PTE_ADDR);
	writable[4] = executable[4] = true;
	while (level <= 4) {
		if (index[level] == ENTRIES) {
			level++;
			continue;
		}

		const uint64_t entry = tables[level][index[level]++];
		const bool can_write = writable[level] && (entry & PTE_RW);
		const bool can_execute = executable[level] && !(entry & PTE_NX);

		if (!(entry & PTE_P))
			continue;
		if (level == 1 || (level < 4 && (entry & PTE_PS))) {
			audit_leaf(&audit, entry, level, can_write, can_execute);
			continue;
		}
		level--;
		tables[level] = table_behind(entry);
		writable[level] = can_write;
		executable[level] = can_execute;
		index[level] = 0;
	}
	return audit;
}
