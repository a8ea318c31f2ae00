/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A guest's life, whatever machine it is: made, started, ended by one line that says how and why,
 * unmade.  Its virtual processors are tasks of the scheduler.
 *
 * The calls below are for one thread at a time, the one that looks after the guests; what the
 * guest's own processors call is marked so.
 */
#ifndef BAREMETAL_GUEST_H
#define BAREMETAL_GUEST_H

#include <libsvm/libsvm.h>

#include "console.h"
#include "guest_life.h"
#include "sched.h"

#define GUEST_NAME_MAX   32
#define GUEST_CPUS_MAX   16
#define GUEST_ENDING_MAX 128

/**
 * How a guest ends: X(name, key, occasion); the key is what is printed.  At its limit there is
 * nothing to configure: the limit is an end for good.
 */
#define GUEST_ENDS(X)                                                                              \
	X(EXIT, "exit", ON_POWER_OFF)                                                              \
	X(POWER_OFF, "power-off", ON_POWER_OFF)                                                    \
	X(HALTED, "halted", ON_POWER_OFF)                                                          \
	X(RESET, "reset", ON_RESET)                                                                \
	X(TRIPLE_FAULT, "triple-fault", ON_CRASH)                                                  \
	X(UNMAPPED, "unmapped", ON_CRASH)                                                          \
	X(SPIN, "spin", ON_CRASH)                                                                  \
	X(LOOP, "loop", ON_CRASH)                                                                  \
	X(ENTRY_FAILED, "entry-failed", ON_CRASH)                                                  \
	X(UNHANDLED, "unhandled", ON_CRASH)                                                        \
	X(TIME, "time", OCCASION_COUNT)

enum guest_end {
#define GUEST_END_ENUM(name, key, occasion) GUEST_END_##name,
	GUEST_ENDS(GUEST_END_ENUM)
#undef GUEST_END_ENUM
};

struct guest;

/** One of its processors. */
struct guest_cpu {
	struct sched_task task;
	struct guest *guest;
	struct svm_vcpu *vcpu;
	bool in_slice; /**< atomic: it may use the vCPU */
	bool is_timed; /**< atomic: somebody has asked what its exits cost */
	uint32_t favoured; /**< whom it gave its time to last */

	/* What it has done; written by its task, read as a snapshot by any. */
	uint64_t exits[SVM_EXIT_KIND_COUNT];
	uint64_t timed[SVM_EXIT_KIND_COUNT];  /**< of them, since is_timed, */
	uint64_t cycles[SVM_EXIT_KIND_COUNT]; /**< and of the TSC for these in on_exit() */
	struct svm_exit exit[2]; /**< the last run that the guest ended, and room for the next */
	uint32_t next_exit;      /**< which of them is the room */
	bool has_exit;           /**< the other one holds an exit */
};

/** What makes one kind of machine different from another. */
struct guest_kind {
	/**
	 * Take memory, fill vm and vcpus, load the image.  False: it was said why; whatever was
	 * made is there for unmake().
	 */
	bool (*make)(struct guest *guest);
	/** Give back all that make() took. */
	void (*unmake)(struct guest *guest);
	/** Bytes of memory that it has while it is made. */
	uint64_t (*memory)(const struct guest *guest);
	/** While it runs, by the keeper: when to call again, by time_ns(); or NULL. */
	uint64_t (*look)(struct guest *guest, uint64_t now);
	/** Before each run: SCHED_AGAIN to run, SCHED_SLEEP if it waits for a start. */
	enum sched_next (*before_run)(struct guest_cpu *cpu);
	/** svm_vcpu_run() came back with this.  SCHED_END after guest_end(). */
	enum sched_next (*on_exit)(struct guest_cpu *cpu, const struct svm_exit *exit);
	/** For svm_vcpu_set_exit_handler(), with a struct guest_cpu; asks guest_answers() first. */
	svm_exit_fn answer;
};

struct guest {
	/* What to run. */
	struct svm_host *host;
	const struct guest_kind *kind;
	char name[GUEST_NAME_MAX];
	uint64_t limit_ms; /**< longest run; 0: none */
	uint64_t affinity[GUEST_CPUS_MAX]; /**< of each vCPU: bit n, may run on CPU n */
	uint32_t cpu_count;
	uint8_t owner; /**< whose its frames are, FRAMES_* */
	struct console_guest console; /**< its mode is set before */
	struct guest_life life;

	/* While it is made. */
	struct svm_vm *vm;
	struct guest_cpu cpus[GUEST_CPUS_MAX];
	uint64_t start_ns; /**< moved on by the time that it is paused */
	uint32_t running;  /**< atomic: processors that are tasks */
	bool is_ending;    /**< atomic: how was said, its processors are leaving */
	bool is_parked;    /**< atomic: its processors do not touch their vCPUs */
	bool was_started;

	/* The outcome. */
	enum guest_end end; /**< while is_ending */
	char ending[GUEST_ENDING_MAX]; /**< "KEY: sentence" */
	bool host_failed;   /**< libsvm or this port failed, not the guest */
};

/** Whether an exit may be answered within the run.  It is counted then, as on_exit()'s are. */
static inline bool guest_answers(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	uint64_t *const counter = &cpu->exits[exit->kind];

	if (__atomic_load_n(&cpu->is_timed, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
	return true;
}

/** The occasion of an end; GUEST_OCCASION_COUNT: none that something can be configured for. */
enum guest_occasion guest_end_occasion(enum guest_end end);

/** Make its machine. False: it was said why, and nothing is left. T. */
bool guest_make(struct guest *guest);

/** Let a guest that was made run. T. */
void guest_start(struct guest *guest);

/** Whether it was started and none of its processors runs any more. Any CPU. */
bool guest_has_ended(const struct guest *guest);

/** Whether one of its processors has said how it ends. Any CPU. */
static inline bool guest_is_ending(const struct guest *guest)
{
	return __atomic_load_n(&guest->is_ending, __ATOMIC_ACQUIRE);
}

/**
 * Keep its processors from their vCPUs; on return none of them uses its own, so that the caller
 * may look at and change them.  T, not from one of its processors.
 */
void guest_park(struct guest *guest);

/** Let them go on. T. */
void guest_unpark(struct guest *guest);

/** The first of its processors that may run on none of these; cpu_count: there is none. T. */
uint32_t guest_stranded(const struct guest *guest, uint64_t processors);

/** Change where one of its processors may run, now and in its lives to come. T. */
void guest_pin(struct guest *guest, uint32_t vcpu, uint64_t affinity);

/** Take its processors from the scheduler, for good; it is parked. T. */
void guest_halt(struct guest *guest);

/** Say how it ended, if that was not said yet, as the doing of who has halted it. T. */
void guest_say_stopped(struct guest *guest);

/** Unmake what guest_make() made; it has ended, was halted, or was never started. T. */
void guest_unmake(struct guest *guest);

/** @name For kinds, from make(), before_run() and on_exit() */
/** @{ */
/** What the command line says of it, for the VM of a guest. */
enum svm_exit_after_interrupt guest_exit_after_interrupt(void);
/** It ends: print how, once; always SCHED_END. */
enum sched_next guest_end(struct guest_cpu *cpu, enum guest_end end, const char *text);
/** The same with what svm_explain() has to say of the exit, or svm_explain_full(). */
enum sched_next guest_end_explained(struct guest_cpu *cpu, const struct svm_exit *exit,
                                    enum guest_end end, const char *text);
/** Print what svm_explain() has to say of an exit. */
void guest_explain(const struct guest_cpu *cpu, const struct svm_exit *exit);
/** NEED_MEMORY: fill the reserve of table frames. */
enum sched_next guest_refill(struct guest_cpu *cpu);
/** libsvm or this port failed; always SCHED_END. */
enum sched_next guest_fail(struct guest *guest, const char *what, int error);
/** What a completion's result means for the next turn. */
static inline enum sched_next guest_completed(struct guest_cpu *cpu, int error)
{
	return error ? guest_fail(cpu->guest, "completing an exit", error) : SCHED_AGAIN;
}
/** Make a vCPU. Result of svm_vcpu_create(). */
int guest_add_cpu(struct guest *guest, uint32_t id);
/** Destroy the vCPUs, as far as there are any. */
void guest_destroy_cpus(struct guest *guest);
/** Destroy the vCPUs and the VM, as far as there are any. */
void guest_destroy_vm(struct guest *guest);
/** A PAUSE loop: let one of its other processors have the time, or another guest. */
void guest_favour_another(struct guest_cpu *cpu);
/**
 * Before the look for a reason to stay awake: what woke the processor so far is seen by that look,
 * what wakes it from now on keeps it awake.
 * @return False: there is a reason already.
 */
bool guest_may_sleep(struct guest_cpu *cpu);
/** Sleep until @p deadline_ns at the latest, or the guest's limit. */
enum sched_next guest_sleep(struct guest_cpu *cpu, uint64_t deadline_ns);
/** @} */

#endif
