/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_POWER_H
#define BAREMETAL_POWER_H

/*
 * What the machine is told on the way out.  QEMU's isa-debug-exit ends the emulator with
 * (value << 1) | 1, so 33 means success and nothing QEMU itself returns.
 */
#define POWER_SUCCESS 0x10
#define POWER_FAILURE 0x11
#define POWER_CRASH   0x12

/** Turn the machine off, or at least stop this CPU for good. */
_Noreturn void power_off(int status);

/** Stop this CPU for good. */
_Noreturn void cpu_halt_forever(void);

#endif
