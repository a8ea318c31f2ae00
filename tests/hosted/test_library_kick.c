/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kicks and interrupts from another thread, without a timer that would hide a lost one: a guest
 * that is not woken runs for ever, and the test's own time runs out.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "rig.h"
#include "suite.h"

#define get(p)    __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#define PATIENCE 60 /* Seconds for one test. */
#define FEWEST   (KICKS / 10 < 200u ? KICKS / 10 : 200u)

struct kicker {
	struct rig r;
	uint64_t answered; /* REQUEST exits so far. */
	uint64_t other;    /* Exits that nobody asked for. */
	uint64_t asked;
	uint64_t waits;    /* Inside a run. */
	bool is_idle;      /* A run is to wait at HLT. */
	bool stop;
};

static void *kick(void *arg)
{
	struct kicker *k = arg;
	const time_t end = time(NULL) + PATIENCE;
	uint64_t noise = 1, i;

	hosted_become(k->r.m, 1);
	for (i = 1; i <= KICKS && time(NULL) < end; i++) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		/* From the middle of the guest's run to the middle of an exit. */
		for (volatile unsigned spin = 0; spin < noise >> 55; spin++)
			;
		svm_vcpu_kick(k->r.vcpu);
		while (get(&k->answered) < i)
			sched_yield();
	}
	put(&k->asked, i - 1);
	put(&k->stop, true);
	svm_vcpu_kick(k->r.vcpu);
	hosted_leave();
	return NULL;
}

static struct hosted_config two_cpus(int row)
{
	struct hosted_config config = rig_lacking(row);

	config.cpus = 2;
	config.run_limit = UINT64_MAX; /* No timer. */
	return config;
}

START_TEST(no_kick_is_lost)
{
	const struct hosted_config config = two_cpus(_i ? rig_lack_count - 1 : 0);
	static struct kicker k;
	pthread_t thread;

	rig_init(&k.r, &config, GUEST_64);
	if (_i)
		hosted_script_cpuid(&k.r.code); /* Mostly between two entries. */
	hosted_script_jmp(&k.r.code, 0);
	rig_load(&k.r);
	ck_assert_int_eq(pthread_create(&thread, NULL, kick, &k), 0);
	while (!get(&k.stop)) {
		ck_assert_int_eq(svm_vcpu_run(k.r.vcpu, &k.r.exit), 0);
		if (k.r.exit.kind == SVM_EXIT_KIND_REQUEST)
			put(&k.answered, k.answered + 1);
		else if (k.r.exit.kind != SVM_EXIT_KIND_HOST_INTERRUPT)
			k.other++;
	}
	pthread_join(thread, NULL);
	/* The last kick may be answered or still stick. */
	ck_assert_uint_ge(k.answered, k.asked);
	ck_assert_uint_le(k.answered, k.asked + 1);
	ck_assert_uint_ge(k.asked, FEWEST);
	printf("%llu kicks, none lost\n", (unsigned long long)k.asked);
	ck_assert_uint_eq(k.other, 0);
	rig_fini(&k.r);
}
END_TEST

static void *interrupt(void *arg)
{
	struct kicker *k = arg;

	const time_t end = time(NULL) + PATIENCE;
	uint64_t i;

	hosted_become(k->r.m, 1);
	while (k->is_idle && !get(&k->waits)) /* One wait at least, whoever is faster. */
		sched_yield();
	for (i = 1; i <= KICKS / 10 && time(NULL) < end; i++) {
		while (svm_vcpu_inject_interrupt(k->r.vcpu, 0x55) == SVM_ERR_BUSY)
			sched_yield();
		if (i % 3 == 0)
			svm_vcpu_inject_nmi(k->r.vcpu);
	}
	put(&k->asked, i - 1);
	while (!get(&k->stop)) {
		svm_vcpu_notify(k->r.vcpu); /* It may wait for what never comes. */
		sched_yield();
	}
	hosted_leave();
	return NULL;
}

/* Interrupts are off: what kicks this CPU from the look at the requests on stays pending. */
static bool wait_for_kick(void *arg, struct svm_vcpu *vcpu)
{
	struct kicker *k = arg;

	(void)vcpu;
	put(&k->waits, k->waits + 1);
	while (!(hosted_pending(k->r.m, 0) & HOSTED_INTR))
		sched_yield();
	return true;
}

/*
 * The guest counts in its handler and halts in between; both must see the same number.  From row 2
 * on the run waits at HLT, and a kick that it does not get would be waited for in vain.
 */
START_TEST(no_interrupt_is_lost)
{
	const struct hosted_config config = two_cpus(_i & 1 ? rig_lack_count - 1 : 0);
	static struct kicker k;
	struct hosted_script h;
	pthread_t thread;

	rig_init(&k.r, &config, GUEST_64);
	hosted_script_init(&h, 64);
	hosted_script_inc(&h, HOSTED_RBX);
	hosted_script_iret(&h);
	guest_handler(k.r.memory, 0x55, 0xd000, &h);
	hosted_script_init(&h, 64);
	hosted_script_inc(&h, HOSTED_RSI);
	hosted_script_iret(&h);
	guest_handler(k.r.memory, 2, 0xd100, &h);
	hosted_script_sti(&k.r.code);
	hosted_script_hlt(&k.r.code);
	hosted_script_jmp(&k.r.code, 0);
	rig_load(&k.r);
	k.is_idle = _i >= 2;
	if (k.is_idle)
		svm_vcpu_set_idle(k.r.vcpu, wait_for_kick, &k);
	ck_assert_int_eq(pthread_create(&thread, NULL, interrupt, &k), 0);
	/* To the HLT behind the last handler. */
	while (!get(&k.asked) || rig_regs(&k.r).rbx < k.asked ||
	       k.r.exit.kind != SVM_EXIT_KIND_HLT) {
		ck_assert_int_eq(svm_vcpu_run(k.r.vcpu, &k.r.exit), 0);
		ck_assert(k.r.exit.kind == SVM_EXIT_KIND_HLT ||
		          k.r.exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
		if (k.r.exit.kind == SVM_EXIT_KIND_HLT)
			sched_yield();
	}
	put(&k.stop, true);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(rig_regs(&k.r).rbx, k.asked);
	ck_assert_uint_ge(k.asked, FEWEST);
	ck_assert_uint_gt(rig_regs(&k.r).rsi, 0);
	ck_assert_int_eq(k.waits > 0, k.is_idle);
	ck_assert_uint_eq(rig_regs(&k.r).rsp, GUEST_STACK);
	rig_fini(&k.r);
}
END_TEST

static void *pend_init(void *arg)
{
	struct kicker *k = arg;

	/* Once the guest has said so it never leaves by itself: the INIT meets it inside. */
	while (!__atomic_load_n(&k->r.memory[GUEST_DATA], __ATOMIC_ACQUIRE))
		sched_yield();
	hosted_pend(k->r.m, 0, HOSTED_INIT);
	return NULL;
}

START_TEST(a_physical_init_is_an_exit)
{
	struct hosted_config config = two_cpus(0);
	static struct kicker k;
	pthread_t thread;

	rig_init(&k.r, &config, GUEST_32);
	hosted_script_mov(&k.r.code, HOSTED_RBX, GUEST_DATA);
	hosted_script_mov(&k.r.code, HOSTED_RAX, 1);
	hosted_script_store(&k.r.code, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_jmp(&k.r.code, k.r.code.size);
	rig_load(&k.r);
	ck_assert_int_eq(pthread_create(&thread, NULL, pend_init, &k), 0);
	ck_assert_int_eq(rig_run(&k.r), SVM_EXIT_KIND_INIT);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(hosted_taken(k.r.m, 0, HOSTED_INIT), 1);
	rig_fini(&k.r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, 500); /* Two threads that wait for each other, on a busy machine. */
	tcase_add_loop_test(tc, no_kick_is_lost, 0, 2);
	tcase_add_loop_test(tc, no_interrupt_is_lost, 0, 4);
	tcase_add_test(tc, a_physical_init_is_an_exit);
}

int main(void)
{
	return suite_run("library kick", add);
}
