/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Who runs when on which processor.
 *
 * Each processor has a queue of its own.  A task runs by turns of its own choice, together one
 * slice; then the one with the least time so far is next, be it from this queue or, if it waits
 * there in vain, from another processor's.  A task that is woken goes before one that has run
 * longer, at once.  Nothing is preempted within a turn: a vCPU's turn ends with the tick.
 */
#ifndef BAREMETAL_SCHED_H
#define BAREMETAL_SCHED_H

#include "cpu.h"
#include "run_queue.h"

/** Every processor. */
#define SCHED_ANYWHERE UINT64_MAX

/** Let a task take turns.  T. */
void sched_add(struct sched_task *task);

/** Let it have another turn soon, if it sleeps or is about to.  Any CPU, I. */
void sched_wake(struct sched_task *task);

/**
 * A task that is about to sleep has been woken by its own doing, or looks after this for all that
 * it could have been woken for: it sleeps unless it is woken again.  From within its turn.
 */
void sched_forget_wakes(struct sched_task *task);

/**
 * Take a task away; it has ended, though nobody is told.  It must not be within a turn but may be
 * on its way out of one, on another CPU.  T, not from within its own slice.
 * @return False: it had ended by itself.
 */
bool sched_remove(struct sched_task *task);

/** Change where it may run; from its next slice on.  Any CPU, T. */
void sched_set_affinity(struct sched_task *task, uint64_t affinity);

/**
 * @p from gives the rest of its slice to @p to, which waits: it answers SCHED_AGAIN next.
 * @return False: @p to does not wait, nothing was done.
 */
bool sched_yield_to(struct sched_task *from, struct sched_task *to);

/**
 * Wait within a turn for an interrupt that is for the waiter to see, as sched_run() would between
 * two slices; of ticks that is one in TIMER_TICKS_SLEPT.  The time is not charged.  Interrupts off,
 * on return too.
 * @return False: a task waits, or something is to be done here; there was no wait.
 */
bool sched_wait(void);

/** Give the processor to others for once, though the slice is not over.  From within a turn. */
void sched_give_way(void);

/**
 * Give turns on the calling CPU until @p is_done says so; it is asked between slices and whenever
 * the processor was woken.  T, interrupts on.
 */
void sched_run(bool (*is_done)(void *arg), void *arg);

/** Make a CPU's sched_run() ask again.  Any CPU, I. */
void sched_prod(uint32_t cpu);

/**
 * Make the calling CPU look after the present turn whether the slice goes on.  Each interrupt that
 * may be the reason for another task to run calls it.  I.
 */
static inline void sched_disturb(struct cpu *self)
{
	__atomic_store_n(&self->is_disturbed, true, __ATOMIC_RELAXED);
}

/** The interrupt that sched_prod() sent, or one like it, has come.  Interrupts off. */
void sched_prodded(struct cpu *self);

/**
 * From the timer's interrupt: wake whose deadline has come.
 * @return The next deadline of a sleeper on this CPU, or UINT64_MAX.
 */
uint64_t sched_timer(uint32_t cpu, uint64_t now);

/** Open a CPU for tasks; all are closed at first.  On that CPU. */
void sched_open(void);

/**
 * Close the calling CPU: its tasks go to others, and none comes back.
 * @return False: one may run here only, or no other CPU is open; nothing was done.
 */
bool sched_close(void);

/** Time that a CPU has given to tasks, in ns.  A snapshot. */
uint64_t sched_busy_ns(uint32_t cpu);

#endif
