/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All that this kernel can do.  It knows nothing of libsvm. */
#ifndef TINY_KERNEL_H
#define TINY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* The program, run by the kernel with interrupts on; 0 is success.  kernel.c has one of no use. */
int program(void);

void print(const char *text); /* on the first serial port */

/* Page frames: a physical address and whatever was in them before; 0 if there are none. */
uint64_t frames_take(size_t count);
void frames_give(uint64_t address, size_t count);
void *address_of(uint64_t physical); /* where the kernel sees it; NULL if it does not */

extern uint64_t tsc_hz;                /* measured at boot */
extern volatile uint64_t kicks, ticks; /* interrupts taken */
void interrupt_this_cpu(void);
void tick_every(uint32_t milliseconds); /* 0: no longer */

#endif
