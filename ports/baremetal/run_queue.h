/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The tasks of one processor: those that wait for it, by virtual time, and those that sleep, by
 * deadline.  Pure: no lock, no clock, no machine, so that an ordinary process can test it.
 *
 * Virtual time is the time that a task has run, in ns.  Who has the least runs next.  A task that
 * slept, or comes from a processor on which time passed more slowly, would have the processor to
 * itself until it has caught up; so nobody is placed more than one slice before the queue's floor,
 * which is the virtual time that the processor has come to.
 */
#ifndef BAREMETAL_RUN_QUEUE_H
#define BAREMETAL_RUN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * As long as this a task runs while others wait, in ns, and then to the end of its turn.  A little
 * less than a tick, which is what ends a turn: a slice that began at a tick ends at the next.
 */
extern uint64_t sched_slice_ns;

/** What a task wants after a turn. */
enum sched_next {
	SCHED_AGAIN, /**< another turn, now or after others */
	SCHED_SLEEP, /**< none before sched_wake(), or the task's deadline */
	SCHED_END,   /**< none ever; the task's memory is its owner's again after on_end() */
};

enum sched_state {
	SCHED_NEW,
	SCHED_WAITING,
	SCHED_RUNNING,
	SCHED_SLEEPING,
	SCHED_ENDED,
};

/** Something that runs by turns. */
struct sched_task {
	/* Set before sched_add(). */
	/** Run until there is something to decide.  T, interrupts on, on the CPU of the slice. */
	enum sched_next (*turn)(struct sched_task *task);
	/**
	 * Look for a reason to take no turn: before the first of a slice, and behind each interrupt
	 * that may have brought one, see sched_disturb().  Or NULL.
	 */
	enum sched_next (*look)(struct sched_task *task);
	void (*on_slice)(struct sched_task *task);     /**< a slice begins here; or NULL */
	void (*on_slice_end)(struct sched_task *task); /**< and ends; or NULL */
	void (*on_end)(struct sched_task *task);       /**< the last that is heard of it; or NULL */
	uint64_t affinity;                             /**< bit n: may run on CPU n; atomic */

	uint64_t deadline_ns; /**< set by a turn that answers SCHED_SLEEP; UINT64_MAX: none */

	/* The scheduler's. */
	struct sched_task *next;
	uint64_t vtime;   /**< ns */
	uint64_t used_ns; /**< time that it has run; any thread, a snapshot */
	uint64_t held_ns; /**< the longest that a tick waited for a turn's end; likewise */
	uint64_t slices;  /**< times that it was given a processor; any thread, a snapshot */
	uint32_t state;   /**< enum sched_state; atomic */
	uint32_t cpu;     /**< whose queue; atomic */
	bool is_woken;    /**< since its last look or sched_forget_wakes(); atomic */
};

/** Whether a task may run on a CPU. */
static inline bool sched_may_run(const struct sched_task *task, uint32_t cpu)
{
	return __atomic_load_n(&task->affinity, __ATOMIC_RELAXED) >> cpu & 1;
}

struct run_queue {
	struct sched_task *waiting;  /**< least virtual time first; equals in order of coming */
	struct sched_task *sleeping; /**< earliest deadline first */
	uint64_t floor;
};

/** Let a task wait; its virtual time is brought up to the floor. */
void run_queue_add(struct run_queue *queue, struct sched_task *task);

/** The first waiting task that may run on a CPU, or NULL. */
struct sched_task *run_queue_first(const struct run_queue *queue, uint32_t cpu);

/** Let a task sleep until its deadline. */
void run_queue_sleep(struct run_queue *queue, struct sched_task *task);

/** The first sleeper whose deadline has passed, or NULL. */
struct sched_task *run_queue_due(const struct run_queue *queue, uint64_t now);

/** The earliest deadline; UINT64_MAX: none. */
uint64_t run_queue_deadline(const struct run_queue *queue);

/** Take a task out, whether it waits or sleeps. */
void run_queue_remove(struct run_queue *queue, struct sched_task *task);

/** @p task has run for @p ns: count it, and let the floor follow. */
void run_queue_charge(struct run_queue *queue, struct sched_task *task, uint64_t ns);

#endif
