/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Three ways to turn a machine off, tried in order: QEMU's exit device, Bochs's shutdown port,
 * ACPI.  A write to a port nobody listens to is harmless, so nobody has to ask where we are.
 */
#include "power.h"

#include "acpi.h"
#include "x86.h"

#define QEMU_EXIT_PORT      0xf4
#define BOCHS_SHUTDOWN_PORT 0x8900

_Noreturn void cpu_halt_forever(void)
{
	for (;;) {
		interrupts_off();
		__asm__ volatile("hlt");
	}
}

_Noreturn void power_off(int status)
{
	static const char word[] = "Shutdown";

	outb(QEMU_EXIT_PORT, (uint8_t)status);
	for (const char *c = word; *c; c++)
		outb(BOCHS_SHUTDOWN_PORT, (uint8_t)*c);
	acpi_power_off();
	cpu_halt_forever();
}
