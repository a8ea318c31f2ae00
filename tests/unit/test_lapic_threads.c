/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local APIC: what other threads may do at any time.  Each sends again only when its last one has
 * been seen, so each must be seen exactly once; under the thread sanitizer nothing may race.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <libsvm/platform/apic_bus.h>

#define SENDERS 3u
#define ROUNDS  3000u

/* What each sender has sent and the owner has seen; a sender's vectors are its own. */
static struct {
	uint32_t sent, seen;
} vectors[256], nmis, startups, pins;

static struct svm_lapic lapic;
static struct svm_apic_bus bus;
static uint32_t wakes, finished;
static const struct svm_lapic_time zero;

static void wake(void *arg)
{
	(void)arg;
	__atomic_fetch_add(&wakes, 1, __ATOMIC_SEQ_CST);
}

static void eoi(void *arg, uint8_t vector)
{
	(void)arg;
	(void)vector;
}

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void count(uint32_t *p)
{
	__atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
}

/* Lowest priority by way of the bus, and vectors straight, in turns. */
static void send_vector(unsigned round, uint8_t vector)
{
	const struct svm_apic_message message = {
		.mode = round % 2 ? SVM_APIC_LOWEST : SVM_APIC_FIXED,
		.destination = 1,
		.is_logical = true,
		.vector = vector,
		.is_level = round % 3 == 0,
	};

	while (load(&vectors[vector].seen) != load(&vectors[vector].sent))
		sched_yield();
	count(&vectors[vector].sent);
	ck_assert(svm_apic_bus_send(&bus, &message));
}

static void *send_vectors(void *arg)
{
	const unsigned first = 0x20 + 0x40 * (unsigned)(uintptr_t)arg;

	for (unsigned round = 0; round < ROUNDS; round++)
		send_vector(round, (uint8_t)(first + round % 0x40));
	count(&finished);
	return NULL;
}

static void *send_requests(void *arg)
{
	const struct svm_apic_message nmi = { .mode = SVM_APIC_NMI };

	(void)arg;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct svm_apic_message startup = {
			.mode = SVM_APIC_STARTUP,
			.vector = (uint8_t)round,
		};

		while (load(&nmis.seen) != load(&nmis.sent) ||
		       load(&startups.seen) != load(&startups.sent))
			sched_yield();
		count(&nmis.sent);
		ck_assert(svm_apic_bus_send(&bus, &nmi));
		count(&startups.sent);
		ck_assert(svm_apic_bus_send(&bus, &startup));
	}
	count(&finished);
	return NULL;
}

/* LINT1 by level: up until it is seen. */
static void *drive_pin(void *arg)
{
	(void)arg;
	for (unsigned round = 0; round < ROUNDS; round++) {
		count(&pins.sent);
		svm_lapic_set_lint(&lapic, 1, true);
		while (load(&pins.seen) < load(&pins.sent))
			sched_yield();
		svm_lapic_set_lint(&lapic, 1, false);
	}
	count(&finished);
	return NULL;
}

static void serve_vector(void)
{
	const int vector = svm_lapic_pending(&lapic, 0);

	if (vector < 0)
		return;
	svm_lapic_accept(&lapic, (uint8_t)vector);
	if (vector == 0xf0) {
		if (load(&pins.seen) < load(&pins.sent))
			count(&pins.seen);
	} else {
		ck_assert_uint_eq(load(&vectors[vector].seen) + 1, load(&vectors[vector].sent));
	}
	svm_lapic_eoi(&lapic);
	if (vector != 0xf0)
		count(&vectors[vector].seen);
}

static void serve_requests(void)
{
	uint8_t page = 0;
	const uint32_t requests = svm_lapic_take_requests(&lapic, &page);

	if (requests & SVM_LAPIC_REQUEST_STARTUP) {
		ck_assert_uint_eq(page, load(&startups.seen) & 0xff);
		count(&startups.seen);
	}
	if (requests & SVM_LAPIC_REQUEST_NMI)
		count(&nmis.seen);
}

START_TEST(what_many_threads_send_is_seen_once_each)
{
	const struct svm_lapic_config config = {
		.physical_bits = 40,
		.host = { wake, svm_apic_bus_send, eoi, &bus },
	};
	pthread_t threads[SENDERS + 2];

	ck_assert_int_eq(svm_lapic_init(&lapic, &config), 0);
	svm_apic_bus_init(&bus);
	ck_assert_int_eq(svm_apic_bus_add(&bus, &lapic), 0);
	svm_lapic_write(&lapic, 0xf0, 4, 0x1ff, zero);
	svm_lapic_write(&lapic, 0xd0, 4, 0x01000000, zero);
	svm_lapic_write(&lapic, 0x360, 4, 0x80f0, zero);
	for (uintptr_t i = 0; i < SENDERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_vectors, (void *)i), 0);
	ck_assert_int_eq(pthread_create(&threads[SENDERS], NULL, send_requests, NULL), 0);
	ck_assert_int_eq(pthread_create(&threads[SENDERS + 1], NULL, drive_pin, NULL), 0);
	while (load(&finished) < SENDERS + 2 || svm_lapic_pending(&lapic, 0) >= 0) {
		serve_vector();
		serve_requests();
		sched_yield();
	}
	serve_requests();
	for (unsigned i = 0; i < SENDERS + 2; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < 256; i++)
		ck_assert_uint_eq(vectors[i].seen, vectors[i].sent);
	ck_assert_uint_eq(nmis.seen, ROUNDS);
	ck_assert_uint_eq(startups.seen, ROUNDS);
	ck_assert_uint_eq(pins.seen, ROUNDS);
	ck_assert_uint_ge(wakes, ROUNDS);
	svm_lapic_write(&lapic, 0x280, 4, 0, zero);
	ck_assert_uint_eq(svm_lapic_read(&lapic, 0x280, 4, zero), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lapic_threads");
	TCase *tcase = tcase_create("lapic_threads");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_many_threads_send_is_seen_once_each);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
