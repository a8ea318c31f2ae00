/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "traps.h"

void kernel_main(const struct multiboot *info);

void kernel_main(const struct multiboot *info)
{
	unsigned long *frame;
	unsigned long count;

	traps_init();
	count = frames_init(info);
	say("more than 50 MiB of frames: %s\n", count > 50 * 256 ? "yes" : "no");
	frame = frame_alloc();
	*frame = 42;
	frame_free(frame);
	say("the same frame again: %s\n", frame_alloc() == frame ? "yes" : "no");
	say("and empty: %s\n", *frame == 0 ? "yes" : "no");
	end();
}
