/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The queues of all processors: what the files of the scheduler share.
 *
 * A queue's lock is the innermost one: wakers hold the locks of devices.  A task's state and its
 * `cpu` change under the lock of the queue it is in; while it runs it is in none, and belongs to
 * its processor.
 */
#ifndef BAREMETAL_SCHED_QUEUES_H
#define BAREMETAL_SCHED_QUEUES_H

#include "cpu.h"
#include "sched.h"
#include "spinlock.h"

struct cpu_queue {
	struct spinlock lock;
	struct run_queue queue;
	uint64_t head_vtime;  /* of the first that waits, or UINT64_MAX; written under the lock */
	uint64_t slice_vtime; /* of the task that runs, when its slice began; UINT64_MAX: idle */
	uint64_t busy_ns;
	uint64_t waited_ns; /* within turns that are not charged yet: nobody's time */
	bool is_open;
	bool is_idle; /* about to halt, or halted */
	bool yields;  /* the slice is over early */
};

extern struct cpu_queue sched_queues[CPU_MAX];

/** Whether tasks may come to a CPU. */
static inline bool sched_is_open(uint32_t cpu)
{
	return __atomic_load_n(&sched_queues[cpu].is_open, __ATOMIC_ACQUIRE);
}

/** @name Under the lock of the queue that the task is in */
/** @{ */
void sched_note_head(struct cpu_queue *q);
void sched_set_state(struct sched_task *task, enum sched_state state);
/** Out of the queue, to run or to be let wait elsewhere. */
void sched_take(struct cpu_queue *q, struct sched_task *task);
/** @} */

/** Let a task wait where it should; it is in no queue.  On return it may be anywhere. */
void sched_place(struct sched_task *task);

/** The same with one that is in @p q, which is locked; @p flags are spin_lock()'s. */
void sched_move(struct cpu_queue *q, struct sched_task *task, uint64_t flags);

#endif
