/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Processors that come and go.  One that is closed takes no task any more, and those that wait or
 * sleep there go on elsewhere.  Whoever has just chosen it for a task may still bring it: others
 * look at the queues of all processors, closed or not.
 */
#include "sched_queues.h"

void sched_open(void)
{
	__atomic_store_n(&sched_queues[cpu_self()->index].is_open, true, __ATOMIC_SEQ_CST);
}

static bool may_run_on_any(const struct sched_task *task, uint64_t among)
{
	return __atomic_load_n(&task->affinity, __ATOMIC_RELAXED) & among;
}

/* Under the lock of q: each task may run on another processor that is open. */
static bool can_leave(const struct cpu_queue *q, uint64_t others)
{
	const struct sched_task *task;

	for (task = q->queue.waiting; task; task = task->next)
		if (!may_run_on_any(task, others))
			return false;
	for (task = q->queue.sleeping; task; task = task->next)
		if (!may_run_on_any(task, others))
			return false;
	return others != 0;
}

static void leave(struct cpu_queue *q)
{
	for (;;) {
		const uint64_t flags = spin_lock(&q->lock);
		struct sched_task *task = q->queue.waiting ? q->queue.waiting : q->queue.sleeping;

		if (!task) {
			spin_unlock(&q->lock, flags);
			return;
		}
		/* A sleeper takes a turn, and sleeps again where it then is. */
		sched_move(q, task, flags);
	}
}

bool sched_close(void)
{
	const uint32_t self = cpu_self()->index;
	struct cpu_queue *q = &sched_queues[self];
	uint64_t others = 0, flags;
	bool can;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		others |= (uint64_t)(cpu != self && sched_is_open(cpu)) << cpu;
	flags = spin_lock(&q->lock);
	can = can_leave(q, others);
	if (can)
		__atomic_store_n(&q->is_open, false, __ATOMIC_SEQ_CST);
	spin_unlock(&q->lock, flags);
	if (can)
		leave(q);
	return can;
}
