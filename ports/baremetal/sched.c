/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The queues, their locks and the interrupts between processors.
 *
 * A queue's lock is the innermost one: wakers hold the locks of devices.  A task's state and its
 * `cpu` change under the lock of the queue it is in; while it runs it is in none, and belongs to
 * its processor.
 *
 * Going to sleep against being woken: the sleeper stores its state and then looks whether it was
 * woken, the waker says so and then looks at the state, both in one total order, so that one of
 * them sees the other.
 */
#include "sched.h"

#include <libsvm/vcpu.h>

#include "apic.h"
#include "cpu.h"
#include "idt.h"
#include "spinlock.h"
#include "time.h"
#include "timer.h"
#include "x86.h"

struct cpu_queue {
	struct spinlock lock;
	struct run_queue queue;
	uint64_t head_vtime;  /* of the first that waits, or UINT64_MAX; written under the lock */
	uint64_t slice_vtime; /* of the task that runs, when its slice began; UINT64_MAX: idle */
	uint64_t busy_ns;
	bool is_open;
	bool is_idle; /* about to halt, or halted */
	bool yields;  /* the slice is over early */
};

static struct cpu_queue queues[CPU_MAX] = { [0 ... CPU_MAX - 1] = { .head_vtime = UINT64_MAX,
	                                                            .slice_vtime = UINT64_MAX } };

/* --- one queue; under its lock --------------------------------------------------------------- */

static void note_head(struct cpu_queue *q)
{
	const uint64_t vtime = q->queue.waiting ? q->queue.waiting->vtime : UINT64_MAX;

	__atomic_store_n(&q->head_vtime, vtime, __ATOMIC_SEQ_CST);
}

static void set_state(struct sched_task *task, enum sched_state state)
{
	__atomic_store_n(&task->state, (uint32_t)state, __ATOMIC_SEQ_CST);
}

static void let_wait(struct cpu_queue *q, struct sched_task *task)
{
	run_queue_add(&q->queue, task);
	__atomic_store_n(&task->cpu, (uint32_t)(q - queues), __ATOMIC_RELAXED);
	set_state(task, SCHED_WAITING);
	note_head(q);
}

static void take_to_run(struct cpu_queue *q, struct sched_task *task)
{
	run_queue_remove(&q->queue, task);
	set_state(task, SCHED_RUNNING);
	note_head(q);
}

/* --- between processors ---------------------------------------------------------------------- */

void sched_prod(uint32_t cpu)
{
	__atomic_store_n(&cpus[cpu].is_prodded, true, __ATOMIC_SEQ_CST);
	if (cpu == cpu_self()->index)
		sched_prodded(&cpus[cpu]);
	else
		apic_send_fixed(cpus[cpu].apic_id, VECTOR_KICK);
}

/* What the processor runs comes back even if it is just about to enter its guest. */
void sched_prodded(struct cpu *self)
{
	if (__atomic_exchange_n(&self->is_prodded, false, __ATOMIC_SEQ_CST) && self->vcpu)
		svm_vcpu_kick(self->vcpu);
}

static bool is_open(uint32_t cpu)
{
	return __atomic_load_n(&queues[cpu].is_open, __ATOMIC_ACQUIRE);
}

/* An idle processor that may run it; CPU_MAX: none. */
static uint32_t find_idle(const struct sched_task *task)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (sched_may_run(task, cpu) && is_open(cpu) &&
		    __atomic_load_n(&queues[cpu].is_idle, __ATOMIC_SEQ_CST))
			return cpu;
	}
	return CPU_MAX;
}

/* Its own queue if that may have it, else any; if none may, its own all the same. */
static uint32_t home_of(const struct sched_task *task)
{
	const uint32_t own = __atomic_load_n(&task->cpu, __ATOMIC_RELAXED);

	if (sched_may_run(task, own) && is_open(own))
		return own;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (sched_may_run(task, cpu) && is_open(cpu))
			return cpu;
	}
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (is_open(cpu))
			return cpu;
	}
	return own;
}

/*
 * Who should know that a task waits, and with what virtual time, on a processor whose task has
 * another?  One between two slices needs no word: it looks by itself.
 */
static void announce(uint32_t cpu, uint32_t idle, uint64_t vtime)
{
	const uint64_t running = __atomic_load_n(&queues[cpu].slice_vtime, __ATOMIC_SEQ_CST);

	if (idle < CPU_MAX)
		sched_prod(idle);
	else if (running != UINT64_MAX && vtime < running)
		sched_prod(cpu);
}

/* Once the lock is given back the task may be anywhere, even at its end. */
static void place(struct sched_task *task)
{
	const uint32_t cpu = home_of(task);
	struct cpu_queue *q = &queues[cpu];
	const uint64_t flags = spin_lock(&q->lock);
	uint32_t idle = cpu;
	uint64_t vtime;

	let_wait(q, task);
	vtime = task->vtime;
	if (!__atomic_load_n(&q->is_idle, __ATOMIC_SEQ_CST))
		idle = find_idle(task);
	spin_unlock(&q->lock, flags);
	announce(cpu, idle, vtime);
}

void sched_add(struct sched_task *task)
{
	task->cpu = cpu_self()->index;
	place(task);
}

/*
 * Lock the queue in which a task waits or sleeps; NULL: it does not.  Its `cpu` was stored before
 * its state, so one that belongs to the state is seen; if it is another one than was locked, the
 * task has moved.
 */
static struct cpu_queue *lock_in_state(struct sched_task *task, enum sched_state state,
                                       uint64_t *flags)
{
	for (;;) {
		const uint32_t cpu = __atomic_load_n(&task->cpu, __ATOMIC_SEQ_CST);
		bool is_in_state;

		*flags = spin_lock(&queues[cpu].lock);
		is_in_state = __atomic_load_n(&task->state, __ATOMIC_SEQ_CST) == state;
		if (is_in_state && __atomic_load_n(&task->cpu, __ATOMIC_SEQ_CST) == cpu)
			return &queues[cpu];
		spin_unlock(&queues[cpu].lock, *flags);
		if (!is_in_state)
			return NULL;
	}
}

/* From its queue into another one, or the same. */
static void move_home(struct cpu_queue *q, struct sched_task *task, uint64_t flags)
{
	take_to_run(q, task);
	spin_unlock(&q->lock, flags);
	place(task);
}

void sched_wake(struct sched_task *task)
{
	struct cpu_queue *q;
	uint64_t flags;

	__atomic_store_n(&task->is_woken, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&task->state, __ATOMIC_SEQ_CST) != SCHED_SLEEPING)
		return;
	q = lock_in_state(task, SCHED_SLEEPING, &flags);
	if (q)
		move_home(q, task, flags);
}

bool sched_remove(struct sched_task *task)
{
	for (;;) {
		const uint32_t state = __atomic_load_n(&task->state, __ATOMIC_SEQ_CST);
		struct cpu_queue *q = NULL;
		uint64_t flags;

		if (state == SCHED_ENDED)
			return false;
		if (state == SCHED_WAITING || state == SCHED_SLEEPING)
			q = lock_in_state(task, (enum sched_state)state, &flags);
		if (!q) { /* between a queue and another, or the end */
			cpu_pause();
			continue;
		}
		run_queue_remove(&q->queue, task);
		set_state(task, SCHED_ENDED);
		note_head(q);
		spin_unlock(&q->lock, flags);
		return true;
	}
}

void sched_set_affinity(struct sched_task *task, uint64_t affinity)
{
	struct cpu_queue *q;
	uint64_t flags;

	__atomic_store_n(&task->affinity, affinity, __ATOMIC_SEQ_CST);
	q = lock_in_state(task, SCHED_WAITING, &flags);
	if (q)
		move_home(q, task, flags);
}

bool sched_yield_to(struct sched_task *from, struct sched_task *to)
{
	uint64_t flags, gift;
	struct cpu_queue *q;

	if (__atomic_load_n(&to->state, __ATOMIC_RELAXED) != SCHED_WAITING)
		return false;
	q = lock_in_state(to, SCHED_WAITING, &flags);
	if (!q)
		return false;
	/* What one is given the other has less: together they get no more than before. */
	gift = to->vtime - q->queue.waiting->vtime;
	gift = gift < sched_slice_ns ? gift : sched_slice_ns;
	run_queue_remove(&q->queue, to);
	to->vtime -= gift;
	from->vtime += gift;
	run_queue_add(&q->queue, to);
	note_head(q);
	spin_unlock(&q->lock, flags);
	sched_give_way();
	return true;
}

void sched_give_way(void)
{
	queues[cpu_self()->index].yields = true;
}

/* --- sleeping -------------------------------------------------------------------------------- */

/* Interrupts off, or from the timer's interrupt. */
uint64_t sched_timer(uint32_t cpu, uint64_t now)
{
	struct cpu_queue *q = &queues[cpu];
	uint64_t flags = spin_lock(&q->lock), next;
	struct sched_task *task;

	while ((task = run_queue_due(&q->queue, now)) != NULL) {
		__atomic_store_n(&task->is_woken, true, __ATOMIC_SEQ_CST);
		move_home(q, task, flags);
		flags = spin_lock(&q->lock);
	}
	next = run_queue_deadline(&q->queue);
	spin_unlock(&q->lock, flags);
	return next;
}

/* False: it was woken meanwhile. */
static bool fall_asleep(struct cpu_queue *q, struct sched_task *task)
{
	const uint64_t flags = spin_lock(&q->lock), deadline_ns = task->deadline_ns;
	bool sleeps;

	__atomic_store_n(&task->cpu, (uint32_t)(q - queues), __ATOMIC_RELAXED);
	set_state(task, SCHED_SLEEPING);
	sleeps = !__atomic_load_n(&task->is_woken, __ATOMIC_SEQ_CST);
	if (sleeps)
		run_queue_sleep(&q->queue, task);
	else
		set_state(task, SCHED_RUNNING);
	spin_unlock(&q->lock, flags);
	if (sleeps)
		timer_arm_sleep(deadline_ns);
	return sleeps;
}

/* --- a slice --------------------------------------------------------------------------------- */

/* Another processor's task that waits in vain: its virtual time is a slice behind ours. */
static struct sched_task *pull(uint32_t self, uint64_t own_vtime)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct cpu_queue *q = &queues[cpu];
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
			take_to_run(q, task);
		spin_unlock(&q->lock, flags);
		if (task)
			return task;
	}
	return NULL;
}

static struct sched_task *pick(uint32_t self)
{
	struct cpu_queue *q = &queues[self];
	struct sched_task *task;
	uint64_t flags;

	if (!is_open(self))
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
		take_to_run(q, task);
	spin_unlock(&q->lock, flags);
	return task;
}

/* Somebody waits, here or elsewhere in vain, who should run rather than a task that has this. */
static bool has_better(uint32_t self, uint64_t vtime)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		const uint64_t head = __atomic_load_n(&queues[cpu].head_vtime, __ATOMIC_RELAXED);
		const uint64_t lead = cpu == self ? 0 : sched_slice_ns;

		if (head < vtime && vtime - head > lead)
			return true;
	}
	return false;
}

static bool is_over(const struct cpu_queue *q, const struct sched_task *task, uint64_t used,
                    bool whole)
{
	const uint32_t self = (uint32_t)(q - queues);

	if (q->yields || !is_open(self) || !sched_may_run(task, self) ||
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

/* Turns until the slice is over; a slice that nobody disputes is followed by another. */
static enum sched_next take_turns(struct cpu_queue *q, struct sched_task *task)
{
	uint64_t start = time_ns();

	for (;;) {
		enum sched_next next;
		uint64_t used;
		bool whole;

		__atomic_store_n(&task->is_woken, false, __ATOMIC_SEQ_CST);
		next = task->turn(task);
		note_held(task, timer_answer());
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
		set_state(task, SCHED_ENDED);
		if (task->on_end)
			task->on_end(task);
	} else if (next == SCHED_AGAIN || !fall_asleep(q, task)) {
		place(task);
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
	const uint32_t self = (uint32_t)(q - queues);
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
	struct cpu_queue *const q = &queues[self->index];

	while (!is_done(arg)) {
		struct sched_task *task;

		if (run_work(self))
			continue;
		task = pick(self->index);
		if (!task)
			task = idle(q, is_done, arg);
		if (task)
			run_slice(q, task);
	}
}

/* --- processors that come and go ------------------------------------------------------------- */

void sched_open(void)
{
	__atomic_store_n(&queues[cpu_self()->index].is_open, true, __ATOMIC_SEQ_CST);
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
		move_home(q, task, flags);
	}
}

bool sched_close(void)
{
	const uint32_t self = cpu_self()->index;
	struct cpu_queue *q = &queues[self];
	uint64_t others = 0, flags;
	bool can;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		others |= (uint64_t)(cpu != self && is_open(cpu)) << cpu;
	flags = spin_lock(&q->lock);
	can = can_leave(q, others);
	if (can)
		__atomic_store_n(&q->is_open, false, __ATOMIC_SEQ_CST);
	spin_unlock(&q->lock, flags);
	if (can)
		leave(q);
	return can;
}

uint64_t sched_busy_ns(uint32_t cpu)
{
	return __atomic_load_n(&queues[cpu].busy_ns, __ATOMIC_RELAXED);
}
