/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a processor does: slices, and waiting for one.
 *
 * The virtual times of those that wait and of those that run are where all processors can read
 * them, so that each finds out by itself who should be next; only one that would not look soon is
 * interrupted (sched_place.c).
 */
#include "sched_queues.h"

#include "time.h"
#include "timer.h"
#include "x86.h"

/* --- a slice --------------------------------------------------------------------------------- */

void sched_give_way(void)
{
	struct cpu *const self = cpu_self();

	sched_queues[self->index].yields = true;
	sched_disturb(self);
}

/* Before all that the caller looks at; the wake of whoever changes that comes behind the change. */
void sched_forget_wakes(struct sched_task *task)
{
	__atomic_store_n(&task->is_woken, false, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* False: it was woken meanwhile. */
static bool fall_asleep(struct cpu_queue *q, struct sched_task *task)
{
	const uint64_t flags = spin_lock(&q->lock), deadline_ns = task->deadline_ns;
	bool sleeps;

	__atomic_store_n(&task->cpu, (uint32_t)(q - sched_queues), __ATOMIC_RELAXED);
	sched_set_state(task, SCHED_SLEEPING);
	sleeps = !__atomic_load_n(&task->is_woken, __ATOMIC_SEQ_CST);
	if (sleeps)
		run_queue_sleep(&q->queue, task);
	else
		sched_set_state(task, SCHED_RUNNING);
	spin_unlock(&q->lock, flags);
	if (sleeps)
		timer_arm_sleep(deadline_ns);
	return sleeps;
}

/* Another processor's task that waits in vain: its virtual time is a slice behind ours. */
static struct sched_task *pull(uint32_t self, uint64_t own_vtime)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct cpu_queue *q = &sched_queues[cpu];
		const uint64_t vtime = __atomic_load_n(&q->head_vtime, __ATOMIC_SEQ_CST);
		struct sched_task *task;
		uint64_t flags;

		if (cpu == self || vtime == UINT64_MAX ||
		    (own_vtime != UINT64_MAX && vtime + sched_slice_ns >= own_vtime))
			continue;
		flags = spin_lock(&q->lock);
		task = run_queue_first(&q->queue, self);
		if (task && own_vtime != UINT64_MAX && task->vtime + sched_slice_ns >= own_vtime)
			task = NULL;
		if (task)
			sched_take(q, task);
		spin_unlock(&q->lock, flags);
		if (task)
			return task;
	}
	return NULL;
}

static struct sched_task *pick(uint32_t self)
{
	struct cpu_queue *q = &sched_queues[self];
	struct sched_task *task;
	uint64_t flags;

	if (!sched_is_open(self))
		return NULL;
	task = pull(self, __atomic_load_n(&q->head_vtime, __ATOMIC_SEQ_CST));
	if (task) {
		/* As run_queue_add() does: no advance over those who are here. */
		if (task->vtime + sched_slice_ns < q->queue.floor)
			task->vtime = q->queue.floor - sched_slice_ns;
		return task;
	}
	flags = spin_lock(&q->lock);
	task = run_queue_first(&q->queue, self);
	if (task)
		sched_take(q, task);
	spin_unlock(&q->lock, flags);
	return task;
}

/* Somebody waits, here or elsewhere in vain, who should run rather than a task that has this. */
static bool has_better(uint32_t self, uint64_t vtime)
{
	const uint32_t count = cpu_count();

	for (uint32_t cpu = 0; cpu < count; cpu++) {
		const struct cpu_queue *q = &sched_queues[cpu];
		const uint64_t head = __atomic_load_n(&q->head_vtime, __ATOMIC_RELAXED);
		const uint64_t lead = cpu == self ? 0 : sched_slice_ns;

		if (head < vtime && vtime - head > lead)
			return true;
	}
	return false;
}

static bool is_over(const struct cpu_queue *q, const struct sched_task *task, uint64_t used,
                    bool whole)
{
	const uint32_t self = (uint32_t)(q - sched_queues);

	if (q->yields || !sched_is_open(self) || !sched_may_run(task, self) ||
	    __atomic_load_n(&cpus[self].work, __ATOMIC_RELAXED))
		return true;
	if (whole)
		return has_better(self, task->vtime);
	/* Somebody was woken who had less time than this task had when it began. */
	return used && __atomic_load_n(&q->head_vtime, __ATOMIC_RELAXED) < task->vtime;
}

static void charge(struct cpu_queue *q, struct sched_task *task, uint64_t ns)
{
	const uint64_t flags = spin_lock(&q->lock);

	run_queue_charge(&q->queue, task, ns);
	__atomic_store_n(&q->busy_ns, q->busy_ns + ns, __ATOMIC_RELAXED);
	__atomic_store_n(&q->slice_vtime, task->vtime, __ATOMIC_SEQ_CST);
	spin_unlock(&q->lock, flags);
}

/* Ticks end turns.  What one had to wait for is work that nobody could interrupt. */
static void note_held(struct sched_task *task, uint64_t ns)
{
	if (ns > task->held_ns)
		__atomic_store_n(&task->held_ns, ns, __ATOMIC_RELAXED);
}

/*
 * What can end a slice comes with an interrupt of this processor, a tick or a kick, or out of the
 * turn itself.  So between two interrupts nothing is looked at.  A wake that came before the last
 * turn may keep the task awake once too often.
 */
static enum sched_next turns_until_disturbed(struct cpu *self, struct sched_task *task)
{
	enum sched_next next = SCHED_AGAIN;

	__atomic_store_n(&task->is_woken, false, __ATOMIC_SEQ_CST);
	if (task->look)
		next = task->look(task);
	while (next == SCHED_AGAIN) {
		next = task->turn(task);
		if (__atomic_load_n(&self->is_disturbed, __ATOMIC_RELAXED))
			break;
	}
	/* Before the look at what has come: what comes from now on is the next look's. */
	__atomic_store_n(&self->is_disturbed, false, __ATOMIC_SEQ_CST);
	return next;
}

/* Turns until the slice is over; a slice that nobody disputes is followed by another. */
static enum sched_next take_turns(struct cpu_queue *q, struct sched_task *task)
{
	struct cpu *const self = cpu_self();
	uint64_t start = time_ns();

	for (;;) {
		const enum sched_next next = turns_until_disturbed(self, task);
		uint64_t used;
		bool whole;

		note_held(task, timer_answer());
		start += q->waited_ns;
		q->waited_ns = 0;
		used = time_ns() - start;
		whole = used >= sched_slice_ns;
		if (whole || next != SCHED_AGAIN || is_over(q, task, used, false)) {
			charge(q, task, used);
			start += used;
			if (next != SCHED_AGAIN || !whole || is_over(q, task, 0, true))
				return next;
		}
	}
}

/* As in idle() below: whoever lets a task wait stores it first and then looks for an idle one. */
bool sched_wait(void)
{
	struct cpu *const self = cpu_self();
	struct cpu_queue *const q = &sched_queues[self->index];
	bool may_wait;

	__atomic_store_n(&q->is_idle, true, __ATOMIC_SEQ_CST);
	may_wait = sched_is_open(self->index) && !has_better(self->index, UINT64_MAX) &&
	           !__atomic_load_n(&self->work, __ATOMIC_SEQ_CST);
	if (may_wait) {
		const uint64_t start = time_ns();

		self->waits = true;
		do {
			interrupts_on_and_halt();
			interrupts_off();
		} while (self->waits && !self->is_disturbed);
		self->waits = false;
		q->waited_ns += time_ns() - start;
	}
	__atomic_store_n(&q->is_idle, false, __ATOMIC_SEQ_CST);
	return may_wait;
}

static void run_slice(struct cpu_queue *q, struct sched_task *task)
{
	enum sched_next next;

	__atomic_store_n(&q->slice_vtime, task->vtime, __ATOMIC_SEQ_CST);
	__atomic_store_n(&task->slices, task->slices + 1, __ATOMIC_RELAXED);
	q->yields = false;
	if (task->on_slice)
		task->on_slice(task);
	(void)timer_answer(); /* to a tick that found nobody */
	next = take_turns(q, task);
	if (task->on_slice_end)
		task->on_slice_end(task);
	__atomic_store_n(&q->slice_vtime, UINT64_MAX, __ATOMIC_SEQ_CST);

	if (next == SCHED_END) {
		sched_set_state(task, SCHED_ENDED);
		if (task->on_end)
			task->on_end(task);
	} else if (next == SCHED_AGAIN || !fall_asleep(q, task)) {
		sched_place(task);
	}
}

/* --- the loop -------------------------------------------------------------------------------- */

static bool run_work(struct cpu *self)
{
	void (*work)(void *) = __atomic_load_n(&self->work, __ATOMIC_ACQUIRE);

	if (!work)
		return false;
	work(self->work_arg);
	__atomic_store_n(&self->work, NULL, __ATOMIC_RELEASE);
	return true;
}

/*
 * Whoever lets a task wait stores it first and then looks for an idle processor; this one says that
 * it is idle first and then looks for a task.  An interrupt between the look and HLT waits until
 * HLT has begun.
 */
static struct sched_task *idle(struct cpu_queue *q, bool (*is_done)(void *arg), void *arg)
{
	const uint32_t self = (uint32_t)(q - sched_queues);
	struct sched_task *task;

	__atomic_store_n(&q->is_idle, true, __ATOMIC_SEQ_CST);
	interrupts_off();
	task = pick(self);
	if (!task && !__atomic_load_n(&cpus[self].work, __ATOMIC_SEQ_CST) && !is_done(arg))
		interrupts_on_and_halt();
	interrupts_on();
	__atomic_store_n(&q->is_idle, false, __ATOMIC_SEQ_CST);
	return task;
}

void sched_run(bool (*is_done)(void *arg), void *arg)
{
	struct cpu *const self = cpu_self();
	struct cpu_queue *const q = &sched_queues[self->index];

	for (;;) {
		struct sched_task *task;

		/* As above: all that came before is looked at from here on. */
		__atomic_store_n(&self->is_disturbed, false, __ATOMIC_SEQ_CST);
		if (is_done(arg))
			return;
		if (run_work(self))
			continue;
		task = pick(self->index);
		if (!task)
			task = idle(q, is_done, arg);
		if (task)
			run_slice(q, task);
	}
}

uint64_t sched_busy_ns(uint32_t cpu)
{
	return __atomic_load_n(&sched_queues[cpu].busy_ns, __ATOMIC_RELAXED);
}
