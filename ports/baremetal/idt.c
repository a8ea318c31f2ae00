/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The IDT.  All gates are interrupt gates: handlers run with interrupts off and never nest, save
 * for NMI and #MC, which have stacks of their own.  #DF and #DB have too: the first because the
 * stack may be what broke, the second because it can hit in the instruction that switches stacks.
 */
#include "idt.h"

#include "cpu.h"
#include "layout.h"

#define GATE_INTERRUPT 0x8e00ull

struct gate {
	uint64_t low, high;
};

static struct gate gates[256];
extern const char trap_stubs[]; /* exceptions.S: 256 entries of 16 bytes */

static unsigned int ist_of(unsigned int vector)
{
	switch (vector) {
	case VECTOR_DOUBLE_FAULT:
		return IST_DOUBLE_FAULT;
	case VECTOR_NMI:
		return IST_NMI;
	case VECTOR_MACHINE_CHECK:
		return IST_MACHINE_CHECK;
	case VECTOR_DEBUG:
		return IST_DEBUG;
	default:
		return 0;
	}
}

void idt_init(void)
{
	for (unsigned int vector = 0; vector < 256; vector++) {
		const uint64_t target = (uintptr_t)trap_stubs + vector * 16;

		gates[vector].low = (target & 0xffff) | (uint64_t)SELECTOR_CODE << 16 |
		                    (uint64_t)ist_of(vector) << 32 | GATE_INTERRUPT << 32 |
		                    (target >> 16 & 0xffff) << 48;
		gates[vector].high = target >> 32;
	}
}

void idt_load(void)
{
	const struct {
		uint16_t padding[3], limit;
		uint64_t base;
	} idtr = { .limit = sizeof(gates) - 1, .base = (uintptr_t)gates };

	__asm__ volatile("lidt %0" : : "m"(idtr.limit) : "memory");
}
