/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Three bitmaps, one bit per frame: `taken` says what cannot be handed out now, `ours` what can be
 * handed out at all, `cleared` which free ones are zero, since they were cleared when they came
 * back.  The second makes a wrong free harmless and lets the map be read after it was carved up.
 * Bitmaps and not a buddy system, because hosts ask for few, long-lived runs of any length; a
 * search begins at the lowest frame that may be free and costs one bit test per frame, 64 at a time
 * where all are taken.  Behind them a byte per frame says whose it is.
 */
#include "frames.h"

#include "memory.h"
#include "multiboot.h"
#include "spinlock.h"
#include "string.h"

#define LOW_MEMORY_END 0x100000ull
#define BITS           64
#define LARGE_COUNT    512 /* frames: 2 MiB, as much as a processor's own cache holds */

static struct spinlock frames_lock;
static uint64_t *taken, *ours, *cleared;
static uint8_t *owners;
static size_t frame_count, free_frames, total_frames;
static size_t lowest_free; /* No frame below it is free. */

static bool bit_get(const uint64_t *map, size_t frame)
{
	return map[frame / BITS] >> (frame % BITS) & 1;
}

static void bit_set(uint64_t *map, size_t frame)
{
	map[frame / BITS] |= UINT64_C(1) << (frame % BITS);
}

static void bit_clear(uint64_t *map, size_t frame)
{
	map[frame / BITS] &= ~(UINT64_C(1) << (frame % BITS));
}

bool memory_map_has_ram(uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t next = start;

		for (size_t i = 0; i < boot_info.range_count; i++) {
			const struct boot_range *range = &boot_info.ranges[i];

			if (range->type == BOOT_RANGE_RAM && range->start <= start &&
			    range->end > next)
				next = range->end;
		}
		if (next == start)
			return false;
		start = next;
	}
	return true;
}

/* The first end of something in the way of [start, end), or 0 when the range is clear. */
static uint64_t blocked_until(uint64_t start, uint64_t end)
{
	if (start < LOW_MEMORY_END)
		return LOW_MEMORY_END;
	if (start < (uintptr_t)image_end_phys && end > (uintptr_t)image_start_phys)
		return page_up((uintptr_t)image_end_phys);
	for (size_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *module = &boot_info.modules[i];

		if (start < module->end && end > module->start)
			return page_up(module->end);
	}
	for (size_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *range = &boot_info.ranges[i];

		if (range->type != BOOT_RANGE_RAM && start < range->end && end > range->start)
			return page_up(range->end);
	}
	return 0;
}

/* A place below 4 GiB, which the bootstrap tables map, for the bitmaps. */
static uint64_t find_map_place(uint64_t size)
{
	for (size_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *range = &boot_info.ranges[i];
		uint64_t at = page_up(range->start);

		if (range->type != BOOT_RANGE_RAM)
			continue;
		while (at + size <= range->end && at + size <= UINT64_C(1) << 32) {
			const uint64_t next = blocked_until(at, at + size);

			if (!next)
				return at;
			at = next;
		}
	}
	return 0;
}

/* What is mapped by a 4-level table's direct map: 64 TiB are plenty and leave room above. */
#define PHYSICAL_LIMIT (UINT64_C(1) << 46)

static uint64_t highest_ram(void)
{
	uint64_t end = 0;

	for (size_t i = 0; i < boot_info.range_count; i++) {
		const struct boot_range *range = &boot_info.ranges[i];

		if (range->type == BOOT_RANGE_RAM && range->end > end)
			end = range->end;
	}
	return page_down(end < PHYSICAL_LIMIT ? end : PHYSICAL_LIMIT);
}

static void give_range(uint64_t start, uint64_t end)
{
	if (end > frame_count * PAGE_SIZE)
		end = frame_count * PAGE_SIZE;
	for (uint64_t at = page_up(start); at + PAGE_SIZE <= end; at += PAGE_SIZE) {
		const size_t frame = (size_t)(at / PAGE_SIZE);

		if (bit_get(ours, frame) || blocked_until(at, at + PAGE_SIZE))
			continue;
		bit_set(ours, frame);
		bit_clear(taken, frame);
		free_frames++;
	}
}

bool frames_init(void)
{
	const uint64_t end = highest_ram();

	frame_count = (size_t)(end / PAGE_SIZE);

	const uint64_t map_size = page_up((frame_count + BITS - 1) / BITS * sizeof(uint64_t));
	const uint64_t all_size = 3 * map_size + page_up(frame_count);
	const uint64_t place = frame_count ? find_map_place(all_size) : 0;

	if (!place)
		return false;
	taken = phys_to_direct(place);
	ours = phys_to_direct(place + map_size);
	cleared = phys_to_direct(place + 2 * map_size);
	owners = phys_to_direct(place + 3 * map_size);
	memset(taken, 0xff, map_size);
	memset(owners, FRAMES_HOST, frame_count);
	memset(ours, 0, map_size);
	memset(cleared, 0, map_size);

	for (size_t i = 0; i < boot_info.range_count; i++) {
		if (boot_info.ranges[i].type == BOOT_RANGE_RAM)
			give_range(boot_info.ranges[i].start, boot_info.ranges[i].end);
	}
	for (uint64_t at = place; at < place + all_size; at += PAGE_SIZE) {
		const size_t frame = (size_t)(at / PAGE_SIZE);

		bit_clear(ours, frame);
		bit_set(taken, frame);
		free_frames--;
	}
	total_frames = free_frames;
	return true;
}

/* First frame of a free run, or frame_count. */
static size_t find_run(size_t count, size_t step)
{
	size_t first = (lowest_free + step - 1) / step * step;

	while (first < frame_count && count <= frame_count - first) {
		size_t used = 0;

		if (taken[first / BITS] == ~UINT64_C(0) && first % BITS == 0) {
			first += step > BITS ? step : BITS;
			continue;
		}
		while (used < count && !bit_get(taken, first + used))
			used++;
		if (used == count)
			return first;
		first = (first + used + step) / step * step;
	}
	return frame_count;
}

/*
 * By 16 bytes, which is half the steps of REP STOSQ that an emulator takes one by one.  XMM0 may be
 * the guest's, whose registers stay loaded while its vCPU is: it is as before.
 */
#define CLEAR_BY(store, at, end, saved)                                                 \
	__asm__ volatile("movdqu %%xmm0, %[kept]\n\t"                                   \
	                 "pxor %%xmm0, %%xmm0\n"                                        \
	                 "1:\n\t"                                                       \
	                 ".set clear_offset, 0\n\t"                                     \
	                 ".rept 64\n\t" store " %%xmm0, clear_offset(%[at])\n\t"        \
	                 ".set clear_offset, clear_offset + 16\n\t"                     \
	                 ".endr\n\t"                                                    \
	                 "add $1024, %[at]\n\t"                                         \
	                 "cmp %[end], %[at]\n\t"                                        \
	                 "jb 1b\n\t"                                                    \
	                 "sfence\n\t"                                                   \
	                 "movdqu %[kept], %%xmm0"                                       \
	                 : [at] "+r"(at), [kept] "=m"(saved)                            \
	                 : [end] "r"(end)                                               \
	                 : "memory", "cc")

/* A guest's memory goes past the caches, which would only lose what is in use. */
static void clear_frames(uint8_t *at, size_t count)
{
	const uint8_t *end = at + count * PAGE_SIZE;
	uint8_t saved[16];

	if (count < LARGE_COUNT)
		CLEAR_BY("movdqa", at, end, saved);
	else
		CLEAR_BY("movntdq", at, end, saved);
}

/* Small runs are page tables above all, the first of which are made before SSE is on. */
static void clear_new(size_t first, size_t count)
{
	uint8_t *at = phys_to_direct(first * PAGE_SIZE);

	if (count < LARGE_COUNT)
		memset(at, 0, count * PAGE_SIZE);
	else
		clear_frames(at, count);
}

/* Of frames that are taken now, those that no free has cleared. */
static void clear_rest(size_t first, size_t count)
{
	const size_t end = first + count;
	size_t from = first;

	for (size_t frame = first; frame < end; frame++) {
		if (!bit_get(cleared, frame))
			continue;
		if (from < frame)
			clear_new(from, frame - from);
		from = frame + 1;
	}
	if (from < end)
		clear_new(from, end - from);
}

/* A search for one frame passes over none that is free. */
static void note_lowest_free(size_t first, size_t count)
{
	if (count == 1 || first == lowest_free)
		lowest_free = first + count;
}

void *frames_alloc(size_t count, uint64_t align, uint64_t *pa)
{
	const size_t step = (size_t)(align / PAGE_SIZE);

	if (!count || !step || (align & (align - 1)))
		return NULL;

	const uint64_t flags = spin_lock(&frames_lock);
	const size_t first = find_run(count, step);

	if (first < frame_count) {
		for (size_t i = 0; i < count; i++)
			bit_set(taken, first + i);
		free_frames -= count;
		if (step == 1)
			note_lowest_free(first, count);
	}
	spin_unlock(&frames_lock, flags);
	if (first >= frame_count)
		return NULL;

	clear_rest(first, count);
	*pa = first * PAGE_SIZE;
	return phys_to_direct(first * PAGE_SIZE);
}

static bool run_is_allocated(size_t first, size_t count)
{
	if (first >= frame_count || count > frame_count - first)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!bit_get(ours, first + i) || !bit_get(taken, first + i))
			return false;
	}
	return true;
}

bool frames_free(uint64_t pa, size_t count)
{
	const size_t first = (size_t)(pa / PAGE_SIZE);

	if ((pa & PAGE_MASK) || !run_is_allocated(first, count))
		return false;
	clear_frames(phys_to_direct(pa), count);

	const uint64_t flags = spin_lock(&frames_lock);

	for (size_t i = 0; i < count; i++) {
		bit_clear(taken, first + i);
		bit_set(cleared, first + i);
	}
	if (first < lowest_free)
		lowest_free = first;
	memset(owners + first, FRAMES_HOST, count);
	free_frames += count;
	spin_unlock(&frames_lock, flags);
	return true;
}

bool frames_give(uint64_t pa, size_t count, uint8_t owner)
{
	const size_t first = (size_t)(pa / PAGE_SIZE);

	if ((pa & PAGE_MASK) || !run_is_allocated(first, count))
		return false;
	memset(owners + first, owner, count);
	return true;
}

/* Runs of one owner are long. */
static bool next_eight_are(const uint8_t *at, uint8_t owner)
{
	uint64_t next;

	memcpy(&next, at + 1, sizeof(next));
	return next == owner * UINT64_C(0x0101010101010101);
}

bool frames_may_have(uint64_t pa, uint64_t count, uint8_t owner)
{
	const uint64_t first = pa / PAGE_SIZE;

	if (first >= frame_count || count > frame_count - first)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t is = owners[first + i];

		/* A VM that is no guest's gets nothing of the host's either. */
		if (is != FRAMES_SHARED && (is != owner || owner == FRAMES_HOST))
			return false;
		while (count - i > 8 && next_eight_are(&owners[first + i], is))
			i += 8;
	}
	return true;
}

void *frames_at(uint64_t pa)
{
	const uint64_t frame = pa / PAGE_SIZE;

	return frame < frame_count && bit_get(ours, (size_t)frame) ? phys_to_direct(pa) : NULL;
}

size_t frames_free_count(void)
{
	return __atomic_load_n(&free_frames, __ATOMIC_RELAXED);
}

size_t frames_total_count(void)
{
	return total_frames;
}

uint64_t frames_end(void)
{
	return frame_count * PAGE_SIZE;
}
