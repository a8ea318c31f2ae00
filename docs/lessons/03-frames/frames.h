/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef FRAMES_H
#define FRAMES_H
#include <stdint.h>

/* What a multiboot loader tells: of all that, how much memory there is. */
struct multiboot {
	uint32_t flags, lower_kib, upper_kib; /* Upper: from 1 MiB on. */
};

/* Give all memory behind the image, below 4 GiB, to the allocator; the number of frames. */
unsigned long frames_init(const struct multiboot *info);

/* 4 KiB of zeros.  Its address is its physical address: start.S maps one to one. */
void *frame_alloc(void);
void frame_free(void *frame);

#endif
