/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two sorted lists.  There are as many tasks as virtual processors, tens and not thousands, and a
 * list is quicker than a tree for as few.
 */
#include "run_queue.h"

uint64_t sched_slice_ns = 8000000;

static void insert(struct sched_task **list, struct sched_task *task, bool by_deadline)
{
	while (*list && (by_deadline ? (*list)->deadline_ns <= task->deadline_ns
	                             : (*list)->vtime <= task->vtime))
		list = &(*list)->next;
	task->next = *list;
	*list = task;
}

static bool take_out(struct sched_task **list, const struct sched_task *task)
{
	while (*list && *list != task)
		list = &(*list)->next;
	if (!*list)
		return false;
	*list = task->next;
	return true;
}

void run_queue_add(struct run_queue *queue, struct sched_task *task)
{
	const uint64_t least = queue->floor > sched_slice_ns ? queue->floor - sched_slice_ns : 0;

	if (task->vtime < least)
		task->vtime = least;
	insert(&queue->waiting, task, false);
}

struct sched_task *run_queue_first(const struct run_queue *queue, uint32_t cpu)
{
	struct sched_task *task = queue->waiting;

	while (task && !sched_may_run(task, cpu))
		task = task->next;
	return task;
}

void run_queue_sleep(struct run_queue *queue, struct sched_task *task)
{
	insert(&queue->sleeping, task, true);
}

struct sched_task *run_queue_due(const struct run_queue *queue, uint64_t now)
{
	struct sched_task *task = queue->sleeping;

	return task && task->deadline_ns <= now ? task : NULL;
}

uint64_t run_queue_deadline(const struct run_queue *queue)
{
	return queue->sleeping ? queue->sleeping->deadline_ns : UINT64_MAX;
}

void run_queue_remove(struct run_queue *queue, struct sched_task *task)
{
	if (!take_out(&queue->waiting, task))
		(void)take_out(&queue->sleeping, task);
	task->next = NULL;
}

void run_queue_charge(struct run_queue *queue, struct sched_task *task, uint64_t ns)
{
	uint64_t least;

	task->vtime += ns;
	__atomic_store_n(&task->used_ns, task->used_ns + ns, __ATOMIC_RELAXED);
	least = task->vtime;
	if (queue->waiting && queue->waiting->vtime < least)
		least = queue->waiting->vtime;
	if (least > queue->floor)
		queue->floor = least;
}
