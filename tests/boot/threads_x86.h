/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * In place of ports/baremetal/x86.h where the port's files run in a process: threads are the
 * processors.  What would be an interrupt of a processor is the work of another thread beside it,
 * so there is nothing to turn off; the locks keep them apart.
 */
#ifndef BAREMETAL_X86_H
#define BAREMETAL_X86_H

#include <stdbool.h>
#include <stdint.h>

/** Sleep until this processor is kicked; test_sched.c. */
void threads_halt(void);

static inline void interrupts_on_and_halt(void)
{
	threads_halt();
}

static inline void interrupts_on(void)
{
}

static inline void interrupts_off(void)
{
}

static inline uint64_t interrupts_save(void)
{
	return 0;
}

static inline void interrupts_restore(uint64_t flags)
{
	(void)flags;
}

static inline void cpu_pause(void)
{
	__builtin_ia32_pause();
}

#endif
