/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The local APIC's own timer. */
#include "traps.h"

static void apic_write(unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(0xfee00000ul + offset) = value;
}

void timer_init(void)
{
	apic_write(0x0f0, 0x1ff);                  /* On; spurious interrupts at FFh. */
	apic_write(0x3e0, 0x3);                    /* Every 16th cycle of the bus, */
	apic_write(0x320, 0x20000 | TIMER_VECTOR); /* again and again, */
	apic_write(0x380, 1000000000 / 16 / 1000); /* 1000 times a second. */
}

void timer_done(void)
{
	apic_write(0x0b0, 0);
}
