/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The queue of one processor: who is next, who is due, and that nobody gains by having slept. */
#include <check.h>
#include <stdlib.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/run_queue.h"

#define SLICE 8000000u
#define HERE  3u

static struct run_queue queue;
static struct sched_task tasks[8];

static void prepare(void)
{
	queue = (struct run_queue){ 0 };
	for (unsigned int i = 0; i < 8; i++)
		tasks[i] = (struct sched_task){ .affinity = UINT64_MAX };
	ck_assert_uint_eq(sched_slice_ns, SLICE);
}

static struct sched_task *take_first(void)
{
	struct sched_task *task = run_queue_first(&queue, HERE);

	if (task)
		run_queue_remove(&queue, task);
	return task;
}

START_TEST(least_time_first_and_equals_in_order)
{
	const uint64_t times[] = { 50, 20, 50, 10 };
	const unsigned int order[] = { 3, 1, 0, 2 };

	for (unsigned int i = 0; i < 4; i++) {
		tasks[i].vtime = times[i];
		run_queue_add(&queue, &tasks[i]);
	}
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_ptr_eq(take_first(), &tasks[order[i]]);
	ck_assert_ptr_null(take_first());
}
END_TEST

START_TEST(who_may_not_run_here_is_passed_over)
{
	tasks[0].affinity = ~(UINT64_C(1) << HERE);
	tasks[1].affinity = UINT64_C(1) << HERE;
	tasks[1].vtime = 1;
	run_queue_add(&queue, &tasks[0]);
	run_queue_add(&queue, &tasks[1]);
	ck_assert_ptr_eq(take_first(), &tasks[1]);
	ck_assert_ptr_null(take_first());
	ck_assert_ptr_eq(run_queue_first(&queue, HERE + 1), &tasks[0]);
}
END_TEST

START_TEST(who_slept_is_one_slice_before_the_floor)
{
	run_queue_charge(&queue, &tasks[0], 100 * UINT64_C(1000000));
	ck_assert_uint_eq(queue.floor, 100 * UINT64_C(1000000));
	run_queue_add(&queue, &tasks[1]);
	ck_assert_uint_eq(tasks[1].vtime, queue.floor - SLICE);
	tasks[2].vtime = queue.floor + 5;
	run_queue_add(&queue, &tasks[2]);
	ck_assert_uint_eq(tasks[2].vtime, queue.floor + 5);
}
END_TEST

START_TEST(the_floor_waits_for_the_last)
{
	tasks[1].vtime = 7;
	run_queue_add(&queue, &tasks[1]);
	run_queue_charge(&queue, &tasks[0], 1000);
	ck_assert_uint_eq(queue.floor, 7);
	run_queue_remove(&queue, &tasks[1]);
	run_queue_charge(&queue, &tasks[0], 0);
	ck_assert_uint_eq(queue.floor, 1000);
	ck_assert_uint_eq(tasks[0].used_ns, 1000);
}
END_TEST

START_TEST(sleepers_are_due_by_deadline)
{
	const uint64_t deadlines[] = { 300, 100, UINT64_MAX, 200 };

	ck_assert_uint_eq(run_queue_deadline(&queue), UINT64_MAX);
	for (unsigned int i = 0; i < 4; i++) {
		tasks[i].deadline_ns = deadlines[i];
		run_queue_sleep(&queue, &tasks[i]);
	}
	ck_assert_uint_eq(run_queue_deadline(&queue), 100);
	ck_assert_ptr_null(run_queue_due(&queue, 99));
	ck_assert_ptr_eq(run_queue_due(&queue, 250), &tasks[1]);
	run_queue_remove(&queue, &tasks[1]);
	ck_assert_ptr_eq(run_queue_due(&queue, 250), &tasks[3]);
	run_queue_remove(&queue, &tasks[3]);
	ck_assert_ptr_null(run_queue_due(&queue, 250));
	run_queue_remove(&queue, &tasks[0]);
	ck_assert_uint_eq(run_queue_deadline(&queue), UINT64_MAX);
}
END_TEST

/* Tasks that run until a tick, one of them only now and then, for ten seconds of our clock. */
START_TEST(shares_are_equal)
{
	const unsigned int busy = (unsigned int)_i;
	uint64_t slept_until = 0;

	srand(busy);
	for (unsigned int i = 0; i <= busy; i++)
		run_queue_add(&queue, &tasks[i]);
	for (uint64_t now = 0; now < UINT64_C(10000000000);) {
		struct sched_task *task = take_first();
		const bool is_sleeper = task == &tasks[busy];
		const uint64_t used = is_sleeper ? 50000 : SLICE + (uint64_t)(rand() % 4000000);

		now += used;
		run_queue_charge(&queue, task, used);
		if (is_sleeper)
			slept_until = now + 5000000;
		else
			run_queue_add(&queue, task);
		if (slept_until && slept_until <= now) {
			slept_until = 0;
			run_queue_add(&queue, &tasks[busy]);
			/* And it is the next. */
			ck_assert_ptr_eq(run_queue_first(&queue, HERE), &tasks[busy]);
		}
	}
	for (unsigned int i = 1; i < busy; i++) {
		const int64_t apart = (int64_t)(tasks[i].used_ns - tasks[0].used_ns);

		ck_assert_int_lt(llabs(apart), 2 * 12000000);
	}
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, least_time_first_and_equals_in_order);
	tcase_add_test(tcase, who_may_not_run_here_is_passed_over);
	tcase_add_test(tcase, who_slept_is_one_slice_before_the_floor);
	tcase_add_test(tcase, the_floor_waits_for_the_last);
	tcase_add_test(tcase, sleepers_are_due_by_deadline);
	tcase_add_loop_test(tcase, shares_are_equal, 1, 7);
}

int main(void)
{
	return suite_run("run queue", add_tests);
}
