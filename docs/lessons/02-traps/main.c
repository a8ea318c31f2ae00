/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "traps.h"

void kernel_main(void);

static volatile unsigned long ticks;

static void on_breakpoint(struct trap *trap)
{
	say("trap %lu: a breakpoint\n", trap->vector);
}

static void on_tick(struct trap *trap)
{
	(void)trap;
	ticks++;
	timer_done();
}

void kernel_main(void)
{
	traps_init();
	on_trap(3, on_breakpoint);
	__asm__ volatile("int3");
	on_trap(TIMER_VECTOR, on_tick);
	timer_init();
	__asm__ volatile("sti");
	while (ticks < 3)
		__asm__ volatile("hlt");
	say("three ticks\n");
	end();
}
