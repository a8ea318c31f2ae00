/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each verb in each state, what becomes of a guest that ends, and that none takes all the time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/frames.h"
#include "../../ports/baremetal/guest.h"
#include "../../ports/baremetal/monitor.h"
#include "fake_guests.h"
#include "fake_terminal.h"

#define MS UINT64_C(1000000)

static struct guest *const a = &guest[0];

bool console_wants_end(void)
{
	return false;
}

void monitor_open(void)
{
}

void monitor_key(uint8_t key)
{
	(void)key;
}

static void bring_to(enum guest_state state)
{
	make_guests();
	if (state == GUEST_CREATED)
		guest_do(a, GUEST_VERB_CREATE);
	else if (state != GUEST_ABSENT)
		guest_do(a, GUEST_VERB_START);
	if (state == GUEST_PAUSED)
		guest_do(a, GUEST_VERB_PAUSE);
	if (state == GUEST_STOPPED)
		guest_do(a, GUEST_VERB_STOP);
	ck_assert_int_eq(guest_state(a), state);
	steps[0] = '\0';
}

/* steps "": refused.  The letters are in fake_guests.h. */
static const struct {
	enum guest_state from;
	enum guest_verb verb;
	enum guest_state to;
	const char *steps;
} rows[] = {
	{ GUEST_ABSENT, GUEST_VERB_CREATE, GUEST_CREATED, "M" },
	{ GUEST_ABSENT, GUEST_VERB_START, GUEST_RUNNING, "MS" },
	{ GUEST_ABSENT, GUEST_VERB_PAUSE, GUEST_ABSENT, "" },
	{ GUEST_ABSENT, GUEST_VERB_RESUME, GUEST_ABSENT, "" },
	{ GUEST_ABSENT, GUEST_VERB_RESET, GUEST_ABSENT, "" },
	{ GUEST_ABSENT, GUEST_VERB_STOP, GUEST_ABSENT, "" },
	{ GUEST_ABSENT, GUEST_VERB_DESTROY, GUEST_ABSENT, "" },
	{ GUEST_CREATED, GUEST_VERB_CREATE, GUEST_CREATED, "" },
	{ GUEST_CREATED, GUEST_VERB_START, GUEST_RUNNING, "S" },
	{ GUEST_CREATED, GUEST_VERB_PAUSE, GUEST_CREATED, "" },
	{ GUEST_CREATED, GUEST_VERB_RESUME, GUEST_CREATED, "" },
	{ GUEST_CREATED, GUEST_VERB_RESET, GUEST_CREATED, "DgM" },
	{ GUEST_CREATED, GUEST_VERB_STOP, GUEST_STOPPED, "s" },
	{ GUEST_CREATED, GUEST_VERB_DESTROY, GUEST_ABSENT, "sDg" },
	{ GUEST_RUNNING, GUEST_VERB_CREATE, GUEST_RUNNING, "" },
	{ GUEST_RUNNING, GUEST_VERB_START, GUEST_RUNNING, "" },
	{ GUEST_RUNNING, GUEST_VERB_PAUSE, GUEST_PAUSED, "Pp" },
	{ GUEST_RUNNING, GUEST_VERB_RESUME, GUEST_RUNNING, "" },
	{ GUEST_RUNNING, GUEST_VERB_RESET, GUEST_RUNNING, "PHsDgMS" },
	{ GUEST_RUNNING, GUEST_VERB_STOP, GUEST_STOPPED, "PHs" },
	{ GUEST_RUNNING, GUEST_VERB_DESTROY, GUEST_ABSENT, "PHsDg" },
	{ GUEST_PAUSED, GUEST_VERB_CREATE, GUEST_PAUSED, "" },
	{ GUEST_PAUSED, GUEST_VERB_START, GUEST_PAUSED, "" },
	{ GUEST_PAUSED, GUEST_VERB_PAUSE, GUEST_PAUSED, "" },
	{ GUEST_PAUSED, GUEST_VERB_RESUME, GUEST_RUNNING, "rU" },
	{ GUEST_PAUSED, GUEST_VERB_RESET, GUEST_CREATED, "PHsDgM" },
	{ GUEST_PAUSED, GUEST_VERB_STOP, GUEST_STOPPED, "PHs" },
	{ GUEST_PAUSED, GUEST_VERB_DESTROY, GUEST_ABSENT, "PHsDg" },
	{ GUEST_STOPPED, GUEST_VERB_CREATE, GUEST_STOPPED, "" },
	{ GUEST_STOPPED, GUEST_VERB_START, GUEST_RUNNING, "DgMS" },
	{ GUEST_STOPPED, GUEST_VERB_PAUSE, GUEST_STOPPED, "" },
	{ GUEST_STOPPED, GUEST_VERB_RESUME, GUEST_STOPPED, "" },
	{ GUEST_STOPPED, GUEST_VERB_RESET, GUEST_CREATED, "DgM" },
	{ GUEST_STOPPED, GUEST_VERB_STOP, GUEST_STOPPED, "" },
	{ GUEST_STOPPED, GUEST_VERB_DESTROY, GUEST_ABSENT, "Dg" },
};

START_TEST(a_verb_does_its_steps_or_is_refused)
{
	const char *const word = guest_verb_word(rows[_i].verb);
	enum guest_result result;

	bring_to(rows[_i].from);
	result = guest_do(a, rows[_i].verb);
	ck_assert_msg(result == (rows[_i].steps[0] ? GUEST_DONE : GUEST_REFUSED), "%s %s: %d",
	              guest_state_name(rows[_i].from), word, result);
	ck_assert_msg(!strcmp(steps, rows[_i].steps), "%s %s: %s", guest_state_name(rows[_i].from),
	              word, steps);
	ck_assert_int_eq(guest_state(a), rows[_i].to);
	ck_assert_int_eq(guest_look(a, now) == UINT64_MAX, 1);
}
END_TEST

START_TEST(what_cannot_be_made_is_absent)
{
	static const enum guest_verb verbs[] = { GUEST_VERB_CREATE, GUEST_VERB_START };

	make_fails = true;
	for (int i = 0; i < 2; i++) {
		make_guests();
		ck_assert_int_eq(guest_do(a, verbs[i]), GUEST_FAILED);
		ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
		expect_steps("mg");
	}
	for (int state = GUEST_CREATED; state < GUEST_STATE_COUNT; state++) {
		make_fails = false;
		bring_to((enum guest_state)state);
		make_fails = true;
		ck_assert_int_eq(guest_do(a, GUEST_VERB_RESET), GUEST_FAILED);
		ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
		ck_assert_str_eq(steps + strlen(steps) - 4, "Dgmg");
	}
}
END_TEST

/* Between two looks a guest may end, and a verb may come first. */
START_TEST(what_has_just_ended_is_not_paused)
{
	bring_to(GUEST_RUNNING);
	end_guest(a, GUEST_END_TRIPLE_FAULT, "triple-fault: x");
	ck_assert_int_eq(guest_do(a, GUEST_VERB_PAUSE), GUEST_FAILED);
	expect_steps("PU");
	ck_assert_int_eq(guest_state(a), GUEST_RUNNING);
	guest_look(a, now);
	ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
}
END_TEST

START_TEST(what_the_library_does_not_pause_goes_on)
{
	bring_to(GUEST_RUNNING);
	pause_fails = true;
	ck_assert_int_eq(guest_do(a, GUEST_VERB_PAUSE), GUEST_FAILED);
	expect_steps("PU");
	ck_assert_int_eq(guest_state(a), GUEST_RUNNING);
}
END_TEST

START_TEST(a_pause_is_no_part_of_the_time_that_a_guest_has)
{
	now = 5 * SECOND;
	bring_to(GUEST_RUNNING);
	now = 7 * SECOND;
	guest_do(a, GUEST_VERB_PAUSE);
	now = 107 * SECOND;
	guest_do(a, GUEST_VERB_RESUME);
	ck_assert_uint_eq(a->start_ns, 105 * SECOND);
}
END_TEST

/* --- ends ---------------------------------------------------------------------------------- */

static const struct {
	enum guest_end end;
	enum guest_occasion occasion; /* what is configured for it */
	enum guest_action action;
	enum guest_state state;
	const char *steps;
} end_rows[] = {
	{ GUEST_END_POWER_OFF, GUEST_ON_POWER_OFF, GUEST_ACTION_DESTROY, GUEST_ABSENT, "sDg" },
	{ GUEST_END_POWER_OFF, GUEST_ON_POWER_OFF, GUEST_ACTION_KEEP, GUEST_STOPPED, "s" },
	{ GUEST_END_POWER_OFF, GUEST_ON_POWER_OFF, GUEST_ACTION_RESTART, GUEST_RUNNING, "sDgMS" },
	{ GUEST_END_RESET, GUEST_ON_RESET, GUEST_ACTION_DESTROY, GUEST_ABSENT, "sDg" },
	{ GUEST_END_RESET, GUEST_ON_RESET, GUEST_ACTION_KEEP, GUEST_STOPPED, "s" },
	{ GUEST_END_RESET, GUEST_ON_RESET, GUEST_ACTION_RESTART, GUEST_RUNNING, "sDgMS" },
	{ GUEST_END_TRIPLE_FAULT, GUEST_ON_CRASH, GUEST_ACTION_DESTROY, GUEST_ABSENT, "sDg" },
	{ GUEST_END_TRIPLE_FAULT, GUEST_ON_CRASH, GUEST_ACTION_KEEP, GUEST_STOPPED, "s" },
	{ GUEST_END_TRIPLE_FAULT, GUEST_ON_CRASH, GUEST_ACTION_RESTART, GUEST_RUNNING, "sDgMS" },
	/* Another occasion's action is not its own. */
	{ GUEST_END_RESET, GUEST_ON_CRASH, GUEST_ACTION_KEEP, GUEST_ABSENT, "sDg" },
	{ GUEST_END_TIME, GUEST_ON_POWER_OFF, GUEST_ACTION_KEEP, GUEST_ABSENT, "sDg" },
};

START_TEST(an_end_has_the_consequence_that_is_configured)
{
	bring_to(GUEST_RUNNING);
	a->life.actions[end_rows[_i].occasion] = end_rows[_i].action;
	guest_look(a, now);
	expect_steps("");
	end_guest(a, end_rows[_i].end, "x");
	guest_look(a, now);
	ck_assert_int_eq(guest_state(a), end_rows[_i].state);
	expect_steps(end_rows[_i].steps);
}
END_TEST

START_TEST(where_the_host_failed_nothing_is_tried_again)
{
	bring_to(GUEST_RUNNING);
	for (int i = 0; i < GUEST_OCCASION_COUNT; i++)
		a->life.actions[i] = GUEST_ACTION_RESTART;
	a->host_failed = true;
	end_guest(a, GUEST_END_EXIT, "x");
	guest_look(a, now);
	ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
	ck_assert(!guest_is_busy(a));
}
END_TEST

static void crash_at(uint64_t when)
{
	now = when;
	ck_assert_int_eq(guest_state(a), GUEST_RUNNING);
	end_guest(a, GUEST_END_TRIPLE_FAULT, "x");
}

START_TEST(who_crashes_again_and_again_is_let_wait)
{
	static const uint64_t waits[] = { 1, 2, 4, 8, 16, 32, 64, 64, 64 };

	now = SECOND;
	bring_to(GUEST_RUNNING);
	a->life.actions[GUEST_ON_CRASH] = GUEST_ACTION_RESTART;
	crash_at(now);
	guest_look(a, now);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		const uint64_t due = now + waits[i] * SECOND;

		crash_at(now);
		ck_assert_uint_eq(guest_look(a, now), due);
		ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
		ck_assert(guest_is_busy(a));
		ck_assert_uint_eq(guest_look(a, due - 1), due);
		ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
		now = due;
		guest_look(a, now);
	}
	/* A long life is forgiven the short ones before it. */
	crash_at(now + 10 * SECOND);
	guest_look(a, now);
	ck_assert_int_eq(guest_state(a), GUEST_RUNNING);
	crash_at(now + 10 * SECOND - 1);
	ck_assert_uint_eq(guest_look(a, now), now + SECOND);
}
END_TEST

START_TEST(who_waits_can_be_started_or_kept_from_it)
{
	for (int i = 0; i < 2; i++) {
		bring_to(GUEST_RUNNING);
		a->life.actions[GUEST_ON_CRASH] = GUEST_ACTION_RESTART;
		for (int j = 0; j < 2; j++) {
			crash_at(now);
			guest_look(a, now);
		}
		ck_assert_int_eq(guest_state(a), GUEST_ABSENT);
		ck_assert_int_eq(guest_do(a, i ? GUEST_VERB_DESTROY : GUEST_VERB_START),
		                 GUEST_DONE);
		ck_assert_int_eq(guest_state(a), i ? GUEST_ABSENT : GUEST_RUNNING);
		ck_assert_uint_eq(guest_look(a, now + 1000 * SECOND), UINT64_MAX);
		ck_assert_int_eq(guest_state(a), i ? GUEST_ABSENT : GUEST_RUNNING);
	}
}
END_TEST

/* --- again and again ----------------------------------------------------------------------- */

START_TEST(a_cycle_makes_runs_and_unmakes)
{
	make_guests();
	a->life.actions[GUEST_ON_POWER_OFF] = GUEST_ACTION_KEEP;
	now = SECOND;
	ck_assert_int_eq(guest_cycle(a, 3, 50), GUEST_DONE);
	ck_assert(guest_is_busy(a));
	/* It ends by itself, whatever is configured; */
	ck_assert_uint_eq(guest_look(a, now), now + 50 * MS);
	expect_steps("MS");
	end_guest(a, GUEST_END_EXIT, "x");
	ck_assert_uint_eq(guest_look(a, now), now);
	expect_steps("PHsDg");
	/* or when its time is over; */
	guest_look(a, now);
	now += 50 * MS - 1;
	ck_assert_uint_eq(guest_look(a, now), now + 1);
	expect_steps("MS");
	now++;
	ck_assert_uint_eq(guest_look(a, now), now);
	expect_steps("PHsDg");
	/* so often and no more. */
	guest_look(a, now);
	now += 50 * MS;
	free_frames--;
	guest_look(a, now);
	expect_steps("MSPHsDg");
	ck_assert_uint_eq(guest_look(a, now), UINT64_MAX);
	expect_steps("");
	ck_assert(!guest_is_busy(a));
	expect("guest a: 3 cycles in 100 ms, 1000 frames free before and 999 after\n");
}
END_TEST

START_TEST(a_cycle_that_cannot_go_on_is_over)
{
	make_guests();
	guest_cycle(a, 3, 50);
	make_fails = true;
	ck_assert_uint_eq(guest_look(a, now), UINT64_MAX);
	ck_assert(!guest_is_busy(a));
}
END_TEST

START_TEST(a_cycle_is_for_who_is_absent_and_ends_with_any_verb)
{
	bring_to(GUEST_PAUSED);
	ck_assert_int_eq(guest_cycle(a, 3, 50), GUEST_REFUSED);
	bring_to(GUEST_ABSENT);
	guest_cycle(a, 3, 50);
	ck_assert_int_eq(guest_do(a, GUEST_VERB_DESTROY), GUEST_DONE);
	ck_assert(!guest_is_busy(a));
	guest_cycle(a, 3, 50);
	guest_look(a, now);
	ck_assert_int_eq(guest_do(a, GUEST_VERB_PAUSE), GUEST_DONE);
	ck_assert_uint_eq(guest_look(a, now + SECOND), UINT64_MAX);
	ck_assert_int_eq(guest_state(a), GUEST_PAUSED);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_verb_does_its_steps_or_is_refused, 0,
	                    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, what_cannot_be_made_is_absent);
	tcase_add_test(tcase, what_has_just_ended_is_not_paused);
	tcase_add_test(tcase, what_the_library_does_not_pause_goes_on);
	tcase_add_test(tcase, a_pause_is_no_part_of_the_time_that_a_guest_has);
	tcase_add_loop_test(tcase, an_end_has_the_consequence_that_is_configured, 0,
	                    (int)(sizeof(end_rows) / sizeof(end_rows[0])));
	tcase_add_test(tcase, where_the_host_failed_nothing_is_tried_again);
	tcase_add_test(tcase, who_crashes_again_and_again_is_let_wait);
	tcase_add_test(tcase, who_waits_can_be_started_or_kept_from_it);
	tcase_add_test(tcase, a_cycle_makes_runs_and_unmakes);
	tcase_add_test(tcase, a_cycle_that_cannot_go_on_is_over);
	tcase_add_test(tcase, a_cycle_is_for_who_is_absent_and_ends_with_any_verb);
}

int main(void)
{
	return suite_run("guest_life", add_tests);
}
