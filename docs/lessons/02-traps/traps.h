/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TRAPS_H
#define TRAPS_H
#include <stdint.h>

/* What traps.S and the processor have pushed. */
struct trap {
	uint64_t registers[15];
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

void traps_init(void);
void traps_load(void); /* On each processor. */
void on_trap(unsigned vector, void (*handler)(struct trap *trap));

#define TIMER_VECTOR 0x40

/* A tick each millisecond, at TIMER_VECTOR. */
void timer_init(void);
void timer_done(void);

#endif
