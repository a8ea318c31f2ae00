/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scheduler of the bare-metal port on threads that are its processors.  There is no tick: a
 * processor that halts waits for a kick or for a sleeper's deadline, and nothing else makes up for
 * a wake-up that was lost.
 */
#include <asm/prctl.h>
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/apic.h"
#include "../../ports/baremetal/cpu.h"
#include "../../ports/baremetal/sched.h"
#include "../../ports/baremetal/time.h"
#include "../../ports/baremetal/timer.h"
#include "threads_x86.h"

#include <libsvm/vcpu.h>

#define CPUS       4u
#define TASKS      12u
#define SOME_TIME  40000u      /* ns */
#define ROUNDS     150
#define BURST_US   3000u

struct cpu cpus[CPU_MAX];

static pthread_mutex_t kick_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t kicked[CPUS];
static bool is_kicked[CPUS];
static bool is_over;   /* atomic: the processors shall return */
static uint32_t open_count; /* atomic */
static bool is_silent; /* atomic: no task gives others something to do */

struct player {
	struct sched_task task;
	unsigned int seed;
	uint32_t tokens;     /* atomic: what others have given it to do */
	uint64_t done;
	bool is_running;     /* atomic */
	bool has_deadline;   /* atomic: it sleeps until then */
	bool has_looked;     /* since its slice began, or it was disturbed */
};

static struct player players[TASKS];

/* --- the machine ----------------------------------------------------------------------------- */

uint32_t cpu_count(void)
{
	return CPUS;
}

uint64_t time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void svm_vcpu_kick(struct svm_vcpu *vcpu)
{
	(void)vcpu;
	ck_abort_msg("no task here has a vCPU");
}

static void kick(uint32_t cpu)
{
	pthread_mutex_lock(&kick_lock);
	is_kicked[cpu] = true;
	pthread_cond_signal(&kicked[cpu]);
	pthread_mutex_unlock(&kick_lock);
}

void apic_send_fixed(uint32_t apic_id, uint8_t vector)
{
	(void)vector;
	kick(apic_id);
}

uint64_t timer_answer(void)
{
	return 0;
}

void timer_arm_sleep(uint64_t deadline_ns)
{
	uint64_t *const armed = &cpu_self()->sleep_ns;

	if (deadline_ns < __atomic_load_n(armed, __ATOMIC_RELAXED))
		__atomic_store_n(armed, deadline_ns, __ATOMIC_RELAXED);
}

void threads_halt(void)
{
	const uint32_t self = cpu_self()->index;

	pthread_mutex_lock(&kick_lock);
	while (!is_kicked[self] && !__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		pthread_cond_wait(&kicked[self], &kick_lock);
	is_kicked[self] = false;
	pthread_mutex_unlock(&kick_lock);
}

static void become(struct cpu *cpu)
{
	ck_assert_int_eq(syscall(SYS_arch_prctl, ARCH_SET_GS, cpu), 0);
}

static bool should_return(void *arg)
{
	(void)arg;
	return __atomic_load_n(&is_over, __ATOMIC_RELAXED);
}

static void *processor(void *arg)
{
	become(arg);
	sched_open();
	__atomic_add_fetch(&open_count, 1, __ATOMIC_RELEASE);
	sched_run(should_return, NULL);
	return NULL;
}

/* The timers of all processors. */
static void *clockwork(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
			const uint64_t now = time_ns();

			if (now < __atomic_load_n(&cpus[cpu].sleep_ns, __ATOMIC_RELAXED))
				continue;
			become(&cpus[cpu]);
			/* First, so that one who arms it meanwhile is not forgotten. */
			__atomic_store_n(&cpus[cpu].sleep_ns, UINT64_MAX, __ATOMIC_SEQ_CST);
			timer_arm_sleep(sched_timer(cpu, now));
			kick(cpu);
		}
		usleep(50);
	}
	return NULL;
}

/* --- tasks ----------------------------------------------------------------------------------- */

static void on_slice(struct sched_task *task)
{
	struct player *player = (struct player *)task;

	ck_assert(!__atomic_exchange_n(&player->is_running, true, __ATOMIC_SEQ_CST));
	ck_assert(__atomic_load_n(&task->affinity, __ATOMIC_RELAXED) != 0);
	player->has_looked = false;
}

static enum sched_next look(struct sched_task *task)
{
	((struct player *)task)->has_looked = true;
	return SCHED_AGAIN;
}

static void on_slice_end(struct sched_task *task)
{
	struct player *player = (struct player *)task;

	ck_assert(__atomic_exchange_n(&player->is_running, false, __ATOMIC_SEQ_CST));
}

static void give(struct player *to)
{
	__atomic_add_fetch(&to->tokens, 1, __ATOMIC_SEQ_CST);
	sched_wake(&to->task);
}

/* As a vCPU at its HLT does. */
static enum sched_next sleep_unless_asked(struct player *player)
{
	sched_forget_wakes(&player->task);
	return __atomic_load_n(&player->tokens, __ATOMIC_SEQ_CST) ||
	                       __atomic_load_n(&is_over, __ATOMIC_SEQ_CST)
	               ? SCHED_AGAIN
	               : SCHED_SLEEP;
}

/* As by a tick that does not end the slice. */
static void be_disturbed(struct player *player)
{
	player->has_looked = false;
	sched_disturb(cpu_self());
}

static enum sched_next turn(struct sched_task *task)
{
	struct player *player = (struct player *)task;
	struct player *other = &players[(unsigned int)rand_r(&player->seed) % TASKS];
	const uint64_t until = time_ns() + (unsigned int)rand_r(&player->seed) % SOME_TIME;
	const int what = rand_r(&player->seed) % 16;

	const bool silent = __atomic_load_n(&is_silent, __ATOMIC_SEQ_CST);

	ck_assert(player->has_looked);
	player->done += __atomic_exchange_n(&player->tokens, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&player->has_deadline, false, __ATOMIC_SEQ_CST);
	task->deadline_ns = UINT64_MAX;
	if (__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		return SCHED_END;
	if (silent)
		return SCHED_SLEEP;
	while (time_ns() < until)
		cpu_pause();
	give(other);
	if (what == 0)
		sched_set_affinity(&other->task, 1u + (unsigned int)rand_r(&player->seed) % 15u);
	else if (what == 1)
		(void)sched_yield_to(task, &other->task);
	else if (what == 2)
		sched_give_way();
	else if (what == 3)
		be_disturbed(player);
	if (what < 6)
		return SCHED_AGAIN;
	if (what < 9) {
		task->deadline_ns = time_ns() + SOME_TIME;
		__atomic_store_n(&player->has_deadline, true, __ATOMIC_SEQ_CST);
	}
	return what % 2 ? SCHED_SLEEP : sleep_unless_asked(player);
}

static void come_and_go(void *arg)
{
	(void)arg;
	if (sched_close())
		sched_open();
}

static void start(pthread_t threads[CPUS + 1])
{
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		cpus[cpu].self = &cpus[cpu];
		cpus[cpu].index = cpus[cpu].apic_id = cpu;
		cpus[cpu].sleep_ns = UINT64_MAX;
		pthread_cond_init(&kicked[cpu], NULL);
	}
	/* This thread is none of them, or it would think that it need not send itself anything. */
	cpus[CPUS].self = &cpus[CPUS];
	cpus[CPUS].index = CPUS;
	become(&cpus[CPUS]);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		pthread_create(&threads[cpu], NULL, processor, &cpus[cpu]);
	pthread_create(&threads[CPUS], NULL, clockwork, NULL);
	while (__atomic_load_n(&open_count, __ATOMIC_ACQUIRE) < CPUS)
		usleep(100);
	for (unsigned int i = 0; i < TASKS; i++) {
		players[i].seed = i + 1;
		players[i].task = (struct sched_task){
			.turn = turn,
			.look = look,
			.on_slice = on_slice,
			.on_slice_end = on_slice_end,
			.affinity = SCHED_ANYWHERE,
		};
		sched_add(&players[i].task);
	}
}

/* What was given is done, and who slept until a deadline has woken. */
static bool all_is_done(void)
{
	for (unsigned int i = 0; i < TASKS; i++) {
		if (__atomic_load_n(&players[i].tokens, __ATOMIC_SEQ_CST) ||
		    __atomic_load_n(&players[i].has_deadline, __ATOMIC_SEQ_CST))
			return false;
	}
	return true;
}

/* Much at once, and then nothing any more that would make up for a wake-up that was lost. */
static void burst(uint32_t cpu)
{
	__atomic_store_n(&is_silent, false, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < TASKS; i++)
		give(&players[i]);
	usleep(BURST_US / 2);
	if (!__atomic_load_n(&cpus[cpu].work, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&cpus[cpu].work, come_and_go, __ATOMIC_SEQ_CST);
		kick(cpu);
	}
	usleep(BURST_US / 2);
	__atomic_store_n(&is_silent, true, __ATOMIC_SEQ_CST);
	for (unsigned int tries = 0; tries < 100000 && !all_is_done(); tries++)
		usleep(100);
	ck_assert(all_is_done());
}

START_TEST(nothing_is_lost_and_nobody_is_in_two_places)
{
	pthread_t threads[CPUS + 1];
	uint32_t cpu;

	start(threads);
	for (unsigned int round = 0; round < ROUNDS; round++)
		burst(round % CPUS);

	__atomic_store_n(&is_over, true, __ATOMIC_SEQ_CST);
	for (cpu = 0; cpu < CPUS; cpu++)
		kick(cpu);
	for (cpu = 0; cpu <= CPUS; cpu++)
		pthread_join(threads[cpu], NULL);
	for (unsigned int i = 0; i < TASKS; i++) {
		ck_assert_uint_gt(players[i].done, 10);
		ck_assert_uint_gt(players[i].task.slices, 10);
	}
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, nothing_is_lost_and_nobody_is_in_two_places);
}

int main(void)
{
	return suite_run("scheduler", add_tests);
}
