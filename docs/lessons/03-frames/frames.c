/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Frames: what page tables, control blocks and guests are made of.  A free one holds a pointer to
 * the next, so the list needs no memory of its own.
 */
#include <stddef.h>

#include "console.h"
#include "frames.h"

struct free_frame {
	struct free_frame *next;
};

extern char image_end[];

static struct free_frame *list;

void frame_free(void *frame)
{
	struct free_frame *first = frame;

	first->next = list;
	list = first;
}

void *frame_alloc(void)
{
	struct free_frame *frame = list;

	if (!frame) {
		say("no memory\n");
		end();
	}
	list = frame->next;
	for (unsigned i = 0; i < 512; i++)
		((volatile uint64_t *)frame)[i] = 0;
	return frame;
}

unsigned long frames_init(const struct multiboot *info)
{
	const uintptr_t first = ((uintptr_t)image_end + 4095) & ~(uintptr_t)4095;
	const uintptr_t last = ((info->upper_kib + 1024ul) << 10) - 4096;
	unsigned long count = 0;

	for (uintptr_t frame = last; frame >= first; frame -= 4096, count++)
		frame_free((void *)frame);
	return count;
}
