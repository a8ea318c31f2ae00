/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pages are counted and forgotten: there is nowhere to send them to.  What that costs the host
 * and the guest is what a migration would cost them, and a guest can make it dear: each page that
 * it writes between two looks is a fault, or a flush.
 */
#include "guest_dirty.h"

#include "guest_pc.h"
#include "kprintf.h"
#include "memory.h"
#include "time.h"

#define PAGES_MAX UINT64_C(32768) /* of one call */

static int log_part(void *arg, const struct guest_memory_part *part)
{
	const struct guest_pc *g = arg;

	return svm_vm_dirty_log(g->guest.vm, part->gpa, g->dirty.mode);
}

int guest_dirty_start(struct guest_pc *g)
{
	g->dirty.looks = g->dirty.pages = g->dirty.next_ns = 0;
	return g->dirty.period_ns ? guest_pc_each_part(g, log_part, g) : 0;
}

static uint64_t count_bits(const uint8_t *bitmap, uint64_t size)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < size; i++) {
		for (unsigned int byte = bitmap[i]; byte; byte &= byte - 1)
			count++;
	}
	return count;
}

static int fetch_part(void *arg, const struct guest_memory_part *part)
{
	static uint8_t bitmap[PAGES_MAX / 8];
	struct guest_pc *g = arg;
	uint64_t left = part->size / PAGE_SIZE;
	svm_gpa_t gpa = part->gpa;

	while (left) {
		const uint64_t count = left < PAGES_MAX ? left : PAGES_MAX;
		const int error = svm_vm_dirty_fetch(g->guest.vm, gpa, count, bitmap);

		if (error)
			return error;
		g->dirty.pages += count_bits(bitmap, (count + 7) / 8);
		gpa += count * PAGE_SIZE;
		left -= count;
	}
	return 0;
}

uint64_t guest_dirty_look(struct guest_pc *g, uint64_t now)
{
	int error;

	if (!g->dirty.period_ns || guest_is_ending(&g->guest))
		return UINT64_MAX;
	if (now < g->dirty.next_ns)
		return g->dirty.next_ns;
	error = guest_pc_each_part(g, fetch_part, g);
	if (error) {
		(void)guest_fail(&g->guest, "svm_vm_dirty_fetch", error);
		return UINT64_MAX;
	}
	g->dirty.looks++;
	/* From the end of this look, so that one that takes long does not follow itself. */
	g->dirty.next_ns = time_ns() + g->dirty.period_ns;
	return g->dirty.next_ns;
}

void guest_dirty_account(const struct guest_pc *g)
{
	if (g->dirty.looks)
		kprintf("guest %s: %lu pages were found written in %lu looks\n", g->guest.name,
		        g->dirty.pages, g->dirty.looks);
}
