/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The second processor.  It starts in real mode on a page below 1 MiB that the start-up IPI names,
 * so its first instructions are copied there.  APM vol. 2, 15.27.8 and 16.5.
 */
#include <stdint.h>

#include "frames.h"
#include "smp.h"
#include "traps.h"

#define PAGE     0x9ul
#define APIC_ICR 0xfee00300ul
#define INIT     0xc4500 /* To all but ourselves. */
#define STARTUP  0xc4600

extern const unsigned char trampoline[], trampoline_end[];
extern char *second_stack;

void second_main(void); /* trampoline.S */

static void (*entry)(void);

static void send(uint32_t command)
{
	volatile uint32_t *icr = (volatile uint32_t *)APIC_ICR;

	*icr = command;
	while (*icr & 0x1000)
		;
}

void second_main(void)
{
	traps_load();
	entry();
	for (;;)
		__asm__ volatile("hlt");
}

void smp_start(void (*main)(void))
{
	volatile unsigned char *page = (volatile unsigned char *)(PAGE * 4096);

	entry = main;
	second_stack = (char *)frame_alloc() + 4096;
	for (long i = 0; i < trampoline_end - trampoline; i++)
		page[i] = trampoline[i];
	send(INIT);
	send(STARTUP | PAGE);
}
