/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A vCPU is destroyed while the host's memory manager invalidates a range: the flush looks at every
 * vCPU, so the frames of one must stay until the invalidation is over.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include <libsvm/libsvm.h>

#include "core/vm.h"
#include "hosted.h"

static struct {
	struct hosted_machine *machine;
	const struct svm_hal *port;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	pthread_t thread;
	bool armed;       /* The next lock of the tables starts the other thread. */
	bool inside;      /* Atomic: an invalidation holds the lock. */
	bool freed_early; /* Frames were given back meanwhile. */
} t;

static void *destroy(void *arg)
{
	(void)arg;
	hosted_become(t.machine, 1);
	ck_assert_int_eq(svm_vcpu_destroy(t.vcpu), 0);
	hosted_leave();
	return NULL;
}

static void mutex_lock(void *ctx, uintptr_t *lock)
{
	const struct timespec while_ = { 0, 100 * 1000 * 1000 };

	(void)ctx;
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	if (!t.armed || lock != &t.vm->memory.edit_lock)
		return;
	t.armed = false;
	__atomic_store_n(&t.inside, true, __ATOMIC_SEQ_CST);
	ck_assert_int_eq(pthread_create(&t.thread, NULL, destroy, NULL), 0);
	nanosleep(&while_, NULL);
	__atomic_store_n(&t.inside, false, __ATOMIC_SEQ_CST);
}

static void mutex_unlock(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static void frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	if (__atomic_load_n(&t.inside, __ATOMIC_SEQ_CST))
		t.freed_early = true;
	t.port->frames_free(ctx, hva, hpa, count);
}

START_TEST(a_vcpu_outlives_an_invalidation_that_looks_at_it)
{
	struct hosted_config config;
	struct svm_host *host;
	struct svm_hal hal;

	hosted_config_init(&config);
	config.cpus = 2;
	t.machine = hosted_create(&config);
	hosted_become(t.machine, 0);
	t.port = hosted_hal(t.machine);
	hal = *t.port;
	hal.mutex_lock = mutex_lock;
	hal.mutex_unlock = mutex_unlock;
	hal.frames_free = frames_free;
	ck_assert_int_eq(svm_host_create(&hal, &host), 0);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	ck_assert_int_eq(svm_vm_create(host, NULL, &t.vm), 0);
	ck_assert_int_eq(svm_vcpu_create(t.vm, 0, &t.vcpu), 0);

	t.armed = true;
	svm_vm_invalidate_begin(t.vm, 0, SVM_PAGE_SIZE);
	svm_vm_invalidate_end(t.vm, 0, SVM_PAGE_SIZE);
	ck_assert(!t.armed);
	ck_assert_int_eq(pthread_join(t.thread, NULL), 0);
	ck_assert(!t.freed_early);

	ck_assert_int_eq(svm_vm_destroy(t.vm), 0);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_leave();
	hosted_destroy(t.machine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("teardown");
	TCase *tc = tcase_create("teardown");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, a_vcpu_outlives_an_invalidation_that_looks_at_it);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
