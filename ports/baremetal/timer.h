/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Each CPU's timer: a periodic tick, the library's deadline, and those of sleepers. */
#ifndef BAREMETAL_TIMER_H
#define BAREMETAL_TIMER_H

#include <stdint.h>

struct cpu;

/** Of so many ticks one ends the wait of a vCPU that sleeps, see sched_wait(). */
#define TIMER_TICKS_SLEPT 8u

/** Tick so often on the calling CPU; 1 ... 10,000. */
void timer_start_ticks(uint32_t ticks_per_second);
/** Interrupt the calling CPU at time_ns() = @p deadline_ns; UINT64_MAX: not. The newest counts. */
void timer_arm(uint64_t deadline_ns);
/** Call sched_timer() on the calling CPU at @p deadline_ns, or earlier. */
void timer_arm_sleep(uint64_t deadline_ns);
/**
 * The scheduler has the calling CPU, and so what a tick asks for.
 * @return How long a tick had to wait for that from the time on that it was due, in ns; 0: none has
 *         come since the last answer.
 */
uint64_t timer_answer(void);
/** From the timer's interrupt handler. */
void timer_interrupt(struct cpu *self);

#endif
