/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every point at which the guest's exits can overtake a reader of the flight recorder.
 *
 * Threads would find few of them.  Here the reader's own file is compiled with a load that first
 * lets the writer go on: after the n-th load of a call some exits come, and of one more the
 * members are written and not yet all of what tells that they are.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

static void go_on(void);

#undef svm_atomic_load_acquire
#define svm_atomic_load_acquire(p) (go_on(), __atomic_load_n((p), __ATOMIC_ACQUIRE))

#include "core/diagnose/recorder.c"

#define CAPACITY  4u
#define LOADS_MAX 64u /* More than a call makes. */
#define EXITS_MAX (2u * CAPACITY + 1)

static struct svm_vcpu vcpu;
static struct svm_record_slot ring[CAPACITY];
static struct writer {
	uint64_t done;       /* Exits so far. */
	unsigned loads;      /* Of the reader, so far. */
	unsigned when, more; /* After so many loads, so many exits. */
	bool is_last_set;    /* Of the exit that is not whole. */
} writer;

/* Every member follows from the number. */
static void write_members(uint64_t n, bool whole)
{
	const struct svm_recorder before = vcpu.recorder;
	static struct svm_vmcb vmcb;

	vmcb.save.rip = 1000 + n;
	vmcb.control.exit_info_1 = 2000 + n;
	vmcb.control.exit_info_2 = 3000 + n;
	svm_recorder_note(&vcpu.recorder, &vmcb, 100 + n, 4000 + n);
	if (!whole)
		vcpu.recorder.laps_known = before.laps_known;
	if (!whole && !writer.is_last_set) {
		vcpu.recorder.last = before.last;
		return;
	}
	if (n % 3 == 0) {
		svm_recorder_injected(&vcpu.recorder, 5000 + n);
		svm_recorder_interrupted(&vcpu.recorder, 6000 + n);
	}
}

static void go_on(void)
{
	if (++writer.loads != writer.when)
		return;
	for (unsigned i = 0; i < writer.more; i++)
		write_members(writer.done++, true);
	write_members(writer.done, false);
}

static void check_record(const struct svm_record *record)
{
	const uint64_t n = record->number;

	ck_assert_uint_eq(record->tsc, 4000 + n);
	ck_assert_uint_eq(record->exit_code, 100 + n);
	ck_assert_uint_eq(record->rip, 1000 + n);
	ck_assert_uint_eq(record->exit_info_1, 2000 + n);
	ck_assert_uint_eq(record->exit_info_2, 3000 + n);
	ck_assert_uint_eq(record->event, n % 3 == 0 ? 5000 + n : 0);
	ck_assert_uint_eq(record->exit_int_info, n % 3 == 0 ? 6000 + n : 0);
}

/* `before` exits, then a call into which `more` exits fall after its load number `when`. */
static size_t read_overtaken(unsigned before, unsigned when, unsigned more, bool is_last_set)
{
	struct svm_record records[CAPACITY + 1];
	size_t count;

	memset(ring, 0, sizeof(ring));
	svm_recorder_init(&vcpu.recorder, ring, CAPACITY);
	writer = (struct writer){ 0 };
	for (unsigned i = 0; i < before; i++)
		write_members(writer.done++, true);
	writer.when = when;
	writer.more = more;
	writer.is_last_set = is_last_set;
	memset(records, 0xa5, sizeof(records));
	count = svm_recorder_read(&vcpu, 0, records, CAPACITY);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(records[i].number, records[0].number + i);
		check_record(&records[i]);
	}
	ck_assert_uint_eq(records[CAPACITY].number, 0xa5a5a5a5a5a5a5a5);
	return count;
}

START_TEST(no_exit_that_comes_meanwhile_tears_a_record)
{
	const unsigned before = (unsigned)_i;
	size_t fewer = 0;

	for (unsigned when = 1; when < LOADS_MAX; when++)
		for (unsigned more = 0; more < 2 * EXITS_MAX; more++)
			fewer += read_overtaken(before, when, more / 2, more % 2) <
			         svm_min(before, CAPACITY - 1);
	/* Some records were given up, or nothing was tried here. */
	if (before != 0)
		ck_assert_uint_gt(fewer, 0);
}
END_TEST

START_TEST(nothing_is_given_up_for_an_exit_before_or_behind)
{
	for (unsigned before = 0; before < EXITS_MAX; before++) {
		ck_assert_uint_eq(read_overtaken(before, 0, 0, false),
		                  svm_min(before, CAPACITY - 1));
		ck_assert_uint_lt(writer.loads, LOADS_MAX);
		/* One exit more: the oldest is the one whose slot is next. */
		ck_assert_uint_eq(read_overtaken(before, 1, 1, false),
		                  svm_min(before + 1, CAPACITY - 1));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recorder, read");
	TCase *tc = tcase_create("overtaken");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, no_exit_that_comes_meanwhile_tears_a_record, 0, EXITS_MAX);
	tcase_add_test(tc, nothing_is_given_up_for_an_exit_before_or_behind);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
