/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The interrupt descriptor table, and who wants which vector. */
#include "console.h"
#include "ports.h"
#include "traps.h"

extern const char trap_stubs[];

static struct gate {
	uint16_t offset_0, selector, attributes, offset_16;
	uint32_t offset_32, reserved;
} idt[256];
static void (*handlers[256])(struct trap *trap);

void traps_load(void)
{
	const struct {
		uint16_t limit, base[4];
	} pointer = { sizeof(idt) - 1,
		      { (uint16_t)(uintptr_t)idt, (uint16_t)((uintptr_t)idt >> 16) } };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void traps_init(void)
{
	for (unsigned i = 0; i < 256; i++) {
		const uintptr_t stub = (uintptr_t)trap_stubs + 16 * i;

		idt[i] = (struct gate){ (uint16_t)stub,         8, 0x8e00, (uint16_t)(stub >> 16),
			                (uint32_t)(stub >> 32), 0 };
	}
	traps_load();
	out8(0x21, 0xff); /* The old interrupt controllers are silenced. */
	out8(0xa1, 0xff);
}

void on_trap(unsigned vector, void (*handler)(struct trap *trap))
{
	handlers[vector] = handler;
}

void trap(struct trap *trap); /* traps.S */

void trap(struct trap *trap)
{
	if (!handlers[trap->vector]) {
		say("trap %lu, error %lx, at %lx\n", trap->vector, trap->error, trap->rip);
		end();
	}
	handlers[trap->vector](trap);
}
