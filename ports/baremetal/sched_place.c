/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where a task waits, and who is told of it.
 *
 * Going to sleep against being woken: the sleeper stores its state and then looks whether it was
 * woken, the waker says so and then looks at the state, both in one total order, so that one of
 * them sees the other.
 */
#include "sched_queues.h"

#include <libsvm/vcpu.h>

#include "apic.h"
#include "idt.h"
#include "x86.h"

struct cpu_queue sched_queues[CPU_MAX] = { [0 ... CPU_MAX - 1] = { .head_vtime = UINT64_MAX,
	                                                           .slice_vtime = UINT64_MAX } };

/* --- one queue; under its lock --------------------------------------------------------------- */

void sched_note_head(struct cpu_queue *q)
{
	const uint64_t vtime = q->queue.waiting ? q->queue.waiting->vtime : UINT64_MAX;

	__atomic_store_n(&q->head_vtime, vtime, __ATOMIC_SEQ_CST);
}

void sched_set_state(struct sched_task *task, enum sched_state state)
{
	__atomic_store_n(&task->state, (uint32_t)state, __ATOMIC_SEQ_CST);
}

static void let_wait(struct cpu_queue *q, struct sched_task *task)
{
	run_queue_add(&q->queue, task);
	__atomic_store_n(&task->cpu, (uint32_t)(q - sched_queues), __ATOMIC_RELAXED);
	sched_set_state(task, SCHED_WAITING);
	sched_note_head(q);
}

void sched_take(struct cpu_queue *q, struct sched_task *task)
{
	run_queue_remove(&q->queue, task);
	sched_set_state(task, SCHED_RUNNING);
	sched_note_head(q);
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
	sched_disturb(self);
	if (__atomic_exchange_n(&self->is_prodded, false, __ATOMIC_SEQ_CST) && self->vcpu)
		svm_vcpu_kick(self->vcpu);
}

/* An idle processor that may run it; CPU_MAX: none. */
static uint32_t find_idle(const struct sched_task *task)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (sched_may_run(task, cpu) && sched_is_open(cpu) &&
		    __atomic_load_n(&sched_queues[cpu].is_idle, __ATOMIC_SEQ_CST))
			return cpu;
	}
	return CPU_MAX;
}

/* Its own queue if that may have it, else any; if none may, its own all the same. */
static uint32_t home_of(const struct sched_task *task)
{
	const uint32_t own = __atomic_load_n(&task->cpu, __ATOMIC_RELAXED);

	if (sched_may_run(task, own) && sched_is_open(own))
		return own;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (sched_may_run(task, cpu) && sched_is_open(cpu))
			return cpu;
	}
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (sched_is_open(cpu))
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
	const uint64_t running = __atomic_load_n(&sched_queues[cpu].slice_vtime, __ATOMIC_SEQ_CST);

	if (idle < CPU_MAX)
		sched_prod(idle);
	else if (running != UINT64_MAX && vtime < running)
		sched_prod(cpu);
}

/* Once the lock is given back the task may be anywhere, even at its end. */
void sched_place(struct sched_task *task)
{
	const uint32_t cpu = home_of(task);
	struct cpu_queue *q = &sched_queues[cpu];
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
	sched_place(task);
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

		*flags = spin_lock(&sched_queues[cpu].lock);
		is_in_state = __atomic_load_n(&task->state, __ATOMIC_SEQ_CST) == state;
		if (is_in_state && __atomic_load_n(&task->cpu, __ATOMIC_SEQ_CST) == cpu)
			return &sched_queues[cpu];
		spin_unlock(&sched_queues[cpu].lock, *flags);
		if (!is_in_state)
			return NULL;
	}
}

/* From its queue into another one, or the same. */
void sched_move(struct cpu_queue *q, struct sched_task *task, uint64_t flags)
{
	sched_take(q, task);
	spin_unlock(&q->lock, flags);
	sched_place(task);
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
		sched_move(q, task, flags);
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
		sched_set_state(task, SCHED_ENDED);
		sched_note_head(q);
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
		sched_move(q, task, flags);
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
	sched_note_head(q);
	spin_unlock(&q->lock, flags);
	sched_give_way();
	return true;
}

/* Interrupts off, or from the timer's interrupt. */
uint64_t sched_timer(uint32_t cpu, uint64_t now)
{
	struct cpu_queue *q = &sched_queues[cpu];
	uint64_t flags = spin_lock(&q->lock), next;
	struct sched_task *task;

	while ((task = run_queue_due(&q->queue, now)) != NULL) {
		__atomic_store_n(&task->is_woken, true, __ATOMIC_SEQ_CST);
		sched_move(q, task, flags);
		flags = spin_lock(&q->lock);
	}
	next = run_queue_deadline(&q->queue);
	spin_unlock(&q->lock, flags);
	return next;
}
