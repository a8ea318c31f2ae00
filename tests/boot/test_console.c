/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The console against a terminal made of two strings: what was typed, what is shown. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/console.h"
#include "../../ports/baremetal/console_terminal.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/monitor.h"
#include "fake_terminal.h"

/* --- a prompt ------------------------------------------------------------------------------ */

/* As simple as can be: its one command is `attach NAME`. */
static char command[64];
static size_t command_size;

bool console_wants_end(void)
{
	return false;
}

static void show_prompt(void)
{
	char bottom[sizeof(command) + sizeof(PROMPT)];

	command[command_size] = '\0';
	snprintf(bottom, sizeof(bottom), PROMPT "%s", command);
	console_set_bottom(bottom);
}

void monitor_open(void)
{
	command_size = 0;
	console_open_prompt();
	show_prompt();
}

static void enter_line(void)
{
	struct console_guest *guest = NULL;

	if (command_size > 7)
		guest = console_pin(command + 7);
	if (guest) {
		console_set_bottom("");
		kprintf(PROMPT "%s\n", command);
		console_attach(guest);
	} else {
		console_close_prompt();
	}
	console_unpin(guest);
}

void monitor_key(uint8_t key)
{
	if (key == KEY[0]) {
		struct console_guest *guest;

		console_close_prompt();
		guest = console_pin_attached();
		if (guest)
			console_type(guest, key);
		console_unpin(guest);
	} else if (key == '\r' || key == '\n') {
		enter_line();
	} else {
		command[command_size++] = (char)key;
		show_prompt();
	}
}

/* --- guests -------------------------------------------------------------------------------- */

struct guest {
	struct console_guest console;
	char got[4096];
	size_t got_size, room;
};

static bool take(void *arg, uint8_t byte)
{
	struct guest *guest = arg;

	ck_assert(!is_locked);
	if (!guest->room)
		return false;
	guest->room--;
	guest->got[guest->got_size++] = (char)byte;
	guest->got[guest->got_size] = '\0';
	return true;
}

static void say(struct guest *guest, const char *text)
{
	for (; *text; text++)
		console_guest_put(&guest->console, (uint8_t)*text);
}

static void enter(struct guest *guest, const char *name, enum guest_console_mode mode)
{
	*guest = (struct guest){
		.console = { .name = name,
		             .mode = mode,
		             .input = take,
		             .arg = guest },
		.room = 4000,
	};
	console_register(&guest->console);
}

static struct guest a, b;

/* Each test is a process of its own, so it begins at the beginning. */
static void begin(void)
{
	console_start_input(NULL);
	enter(&a, "a", GUEST_CONSOLE_PREFIX);
	enter(&b, "b", GUEST_CONSOLE_PREFIX);
	expect("");
}

static void attach_to_a(void)
{
	type(KEY "attach a\r");
	forget();
}

/* --- lines --------------------------------------------------------------------------------- */

START_TEST(guests_speak_in_whole_lines)
{
	begin();
	say(&a, "one");
	say(&b, "two\r\n");
	expect("b| two\n");
	kprintf("host\n");
	say(&a, " and a half\n\n");
	expect("host\na| one and a half\na| \n");
}
END_TEST

START_TEST(a_line_cannot_steer_the_terminal)
{
	begin();
	say(&a, "x\033[2J\a\b\t\177\200y\n");
	expect("a| x?[2J?????y\n");
}
END_TEST

START_TEST(a_line_without_end_is_broken)
{
	char line[200];

	begin();
	memset(line, 'x', 199);
	line[199] = '\0';
	say(&a, line);
	ck_assert_uint_eq(shown_size, 3 + 159 + 1);
	shown_size = 0;
	say(&a, "\n");
	expect("a| xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
}
END_TEST

START_TEST(a_stamp_is_the_time_at_which_a_line_began)
{
	begin();
	console_set_stamps(true);
	now = 3 * SECOND + 70;
	say(&a, "\rone");
	now = 12 * SECOND;
	say(&a, " and a half\n\nt");
	now = 13 * SECOND;
	say(&a, "wo\n");
	expect("a| @3.000000070 one and a half\na| \na| @12.000000000 two\n");
}
END_TEST

START_TEST(a_line_that_was_kept_has_the_stamp_of_its_time)
{
	begin();
	console_set_stamps(true);
	attach_to_a();
	now = SECOND / 10;
	say(&b, "one\n");
	say(&a, "~ # ");
	now = 5 * SECOND;
	type(KEY);
	expect("~ # \nb| @0.100000000 one\n" PROMPT);
}
END_TEST

START_TEST(a_guests_line_ends_an_unfinished_one_of_the_host)
{
	begin();
	kprintf("checking ... ");
	kprintf("still ");
	say(&a, "hello\n");
	expect("checking ... still \na| hello\n");
}
END_TEST

START_TEST(a_silent_guest_is_silent_until_somebody_attaches)
{
	struct guest c;

	begin();
	enter(&c, "c", GUEST_CONSOLE_OFF);
	say(&c, "nobody hears\nlogin: ");
	expect("");
	type(KEY "attach c\n");
	say(&c, "yes\n");
	expect(PROMPT ERASED PROMPT
	       "a" ERASED PROMPT "at" ERASED PROMPT "att" ERASED PROMPT "atta" ERASED PROMPT
	       "attac" ERASED PROMPT "attach" ERASED PROMPT "attach " ERASED PROMPT
	       "attach c" ERASED PROMPT "attach c\n[attached to c; Ctrl-] opens the monitor]\n"
	       "login: yes\n");
	console_unregister(&c.console);
}
END_TEST

/* --- attached ------------------------------------------------------------------------------ */

START_TEST(an_attached_guest_has_the_terminal_both_ways)
{
	begin();
	attach_to_a();
	say(&a, "~ # \033[1mls\033[0m\r\n\b\x9b"
	        "6n");
	expect("~ # \033[1mls\033[0m\r\n\b6n");
	type("ls\r\003\033[A");
	ck_assert_str_eq(a.got, "ls\r\003\033[A");
	ck_assert_str_eq(b.got, "");
	expect("");
}
END_TEST

START_TEST(a_line_feed_alone_does_not_indent_what_follows)
{
	begin();
	attach_to_a();
	say(&a, "one\r\n");
	kprintf("host\n");
	say(&a, "two\n");
	kprintf("host\n");
	kprintf("host\n");
	expect("one\r\nhost\ntwo\n\rhost\nhost\n");
}
END_TEST

START_TEST(hosts_lines_do_not_fall_into_an_attached_guests)
{
	begin();
	attach_to_a();
	say(&a, "~ # l");
	kprintf("host %d\n", 1);
	say(&a, "s\r\n");
	kprintf("host 2\n");
	kprintf("half");
	say(&a, "x\n");
	expect("~ # l\nhost 1\ns\r\nhost 2\nhalf\nx\n");
}
END_TEST

START_TEST(others_lines_are_kept_and_shown_afterwards)
{
	begin();
	attach_to_a();
	say(&b, "one\ntwo\nthr");
	say(&a, "~ # ");
	expect("~ # ");
	type(KEY);
	expect("\nb| one\nb| two\n" PROMPT);
	say(&b, "ee\n");
	say(&a, "more\n");
	expect(ERASED "b| three\n" PROMPT ERASED "a| more\n" PROMPT);
}
END_TEST

START_TEST(no_guests_line_comes_between_two_of_an_answer)
{
	begin();
	say(&a, "hal");
	console_begin_answer();
	kprintf("  one   RUNNING\n");
	say(&a, "f\nmore\n");
	say(&b, "hello\n");
	kprintf("  two   RUNNING\n");
	expect("  one   RUNNING\n  two   RUNNING\n");
	console_end_answer();
	expect("a| half\na| more\nb| hello\n");
	say(&b, "again\n");
	expect("b| again\n");
}
END_TEST

START_TEST(of_too_many_lines_the_newest_are_kept)
{
	char line[64];

	begin();
	attach_to_a();
	/* 128 lines of 16 bytes fit. */
	for (int i = 0; i < 138; i++) {
		snprintf(line, sizeof(line), "line number %03d\n", i);
		say(&b, line);
	}
	expect("");
	type(KEY);
	ck_assert_ptr_eq(strstr(shown, "b| (10 lines before this are lost)\nb| line number 010\n"),
	                 shown);
	ck_assert_ptr_nonnull(strstr(shown, "b| line number 137\n" PROMPT));
}
END_TEST

START_TEST(the_ring_of_kept_lines_is_filled_to_the_last_byte)
{
	begin();
	attach_to_a();
	/* 127 lines of 16 bytes, and one of 17: a byte too many. */
	for (int i = 0; i < 127; i++)
		say(&b, "123456789012345\n");
	say(&b, "1234567890123456\n");
	ck_assert_uint_eq(b.console.held.lost, 1);
	ck_assert_uint_eq(b.console.held.used, 2033);
	/* 15 bytes are left. */
	say(&b, "12345678901234\n");
	ck_assert_uint_eq(b.console.held.lost, 1);
	ck_assert_uint_eq(b.console.held.used, 2048);
}
END_TEST

START_TEST(the_terminal_is_put_right_after_a_guest_that_used_sequences)
{
	begin();
	attach_to_a();
	say(&a, "\033[31mred");
	type(KEY);
	expect("\033[31mred" TERMINAL_RESET "\n" PROMPT);
}
END_TEST

START_TEST(a_guest_can_be_attached_from_its_start)
{
	struct guest c, d;

	begin();
	enter(&c, "c", GUEST_CONSOLE_ATTACH);
	enter(&d, "d", GUEST_CONSOLE_ATTACH);
	expect("[attached to c; Ctrl-] opens the monitor]\n");
	say(&d, "d waits\n");
	type("x");
	ck_assert_str_eq(c.got, "x");
	say(&c, "bye");
	console_unregister(&c.console);
	expect("bye\n");
	say(&d, "d again\n");
	expect("d| d waits\nd| d again\n");
	console_unregister(&d.console);
}
END_TEST

START_TEST(the_last_words_of_a_guest_are_shown_at_once)
{
	begin();
	attach_to_a();
	say(&b, "one\ntwo");
	say(&a, "~ # ");
	console_guest_flush(&b.console);
	kprintf("guest b: ended\n");
	console_unregister(&b.console);
	expect("~ # \nb| one\nb| two\nguest b: ended\n");
}
END_TEST

/* --- input that waits ---------------------------------------------------------------------- */

START_TEST(input_waits_for_room)
{
	char text[401];

	begin();
	attach_to_a();
	a.room = 1;
	memset(text, 'k', 400);
	text[400] = '\0';
	type(text);
	ck_assert_str_eq(a.got, "k");
	a.room = 4000;
	type("");
	console_receive();
	console_poll();
	ck_assert_uint_eq(a.got_size, 400);
	expect("");
}
END_TEST

START_TEST(a_guest_that_reads_nothing_cannot_keep_the_monitor_away)
{
	char text[302];

	begin();
	attach_to_a();
	a.room = 0;
	memset(text, 'k', 300);
	memcpy(text + 300, KEY, 2);
	type(text);
	expect("");
	now += SECOND - 1;
	type("");
	expect("");
	now += 1;
	type("");
	/* 256 wait for the guest, 44 were dropped, each with a bell. */
	ck_assert_uint_eq(strspn(shown, "\a"), 44);
	ck_assert_str_eq(shown + 44, PROMPT);
	a.room = 4000;
	type("");
	ck_assert_uint_eq(a.got_size, 256);
}
END_TEST

/* --- the prompt ---------------------------------------------------------------------------- */

START_TEST(what_is_typed_stays_below_what_is_printed)
{
	begin();
	type(KEY "li");
	expect(PROMPT ERASED PROMPT "l" ERASED PROMPT "li");
	kprintf("host\n");
	say(&a, "guest\n");
	expect(ERASED "host\n" PROMPT "li" ERASED "a| guest\n" PROMPT "li");
	kprintf("half ");
	kprintf("a line\n");
	expect(ERASED "half a line\n" PROMPT "li");
}
END_TEST

START_TEST(an_empty_line_goes_back_to_the_guest)
{
	begin();
	attach_to_a();
	type(KEY "\r");
	expect(PROMPT ERASED "[attached to a; Ctrl-] opens the monitor]\n");
	type("x");
	ck_assert_str_eq(a.got, "x");
}
END_TEST

START_TEST(the_key_twice_goes_to_the_guest)
{
	begin();
	attach_to_a();
	type(KEY KEY "x");
	ck_assert_str_eq(a.got, KEY "x");
}
END_TEST

START_TEST(without_a_guest_the_key_twice_closes_the_prompt)
{
	begin();
	type(KEY KEY);
	expect(PROMPT ERASED);
	type("\r");
	expect("Ctrl-] opens the monitor\n");
}
END_TEST

START_TEST(a_guest_that_left_meanwhile_is_not_gone_back_to)
{
	begin();
	attach_to_a();
	type(KEY);
	console_unregister(&a.console);
	type("\rx");
	expect(PROMPT ERASED);
	ck_assert_str_eq(a.got, "");
	ck_assert_ptr_null(console_pin("a"));
}
END_TEST

static void attach_to_b(void)
{
	console_attach(&b.console);
	console_unpin(&b.console);
}

START_TEST(a_guest_that_is_leaving_is_waited_for_and_not_attached)
{
	begin();
	ck_assert_ptr_eq(console_pin("b"), &b.console);
	meanwhile = attach_to_b;
	meanwhile_after = 4;
	console_unregister(&b.console);
	ck_assert_ptr_null(meanwhile);
	ck_assert_uint_eq(b.console.pins, 0);
	say(&a, "nobody is attached\n");
	expect("a| nobody is attached\n");
	ck_assert_ptr_null(console_pin("b"));
}
END_TEST

/* It is made afresh: whoever had it before their eyes still has. */
START_TEST(a_guest_that_comes_again_gets_its_terminal_back)
{
	begin();
	attach_to_a();
	console_unregister(&a.console);
	a.console.is_leaving = false;
	console_register(&a.console);
	expect("[attached to a; Ctrl-] opens the monitor]\n");
	type(KEY);
	console_unregister(&a.console);
	a.console.is_leaving = false;
	console_register(&a.console);
	type("\rx");
	expect(PROMPT ERASED "[attached to a; Ctrl-] opens the monitor]\n");
	ck_assert_str_eq(a.got, "x");
}
END_TEST

START_TEST(a_guest_that_comes_again_does_not_take_the_terminal_from_another)
{
	begin();
	attach_to_a();
	console_unregister(&a.console);
	console_attach(&b.console);
	a.console.is_leaving = false;
	console_register(&a.console);
	type("x");
	ck_assert_str_eq(b.got, "x");
	ck_assert(!a.console.had_terminal);
}
END_TEST

START_TEST(nothing_is_listened_to_before_the_start)
{
	enter(&a, "a", GUEST_CONSOLE_ATTACH);
	typed = "x";
	console_receive();
	console_poll();
	ck_assert_str_eq(a.got, "");
	console_start_input(NULL);
	console_receive();
	console_poll();
	ck_assert_str_eq(a.got, "x");
}
END_TEST

START_TEST(a_guest_without_input_takes_none)
{
	begin();
	a.console.input = NULL;
	attach_to_a();
	type("abc" KEY);
	expect(PROMPT);
}
END_TEST

static void add_output_tests(TCase *tcase)
{
	tcase_add_test(tcase, guests_speak_in_whole_lines);
	tcase_add_test(tcase, a_line_cannot_steer_the_terminal);
	tcase_add_test(tcase, a_line_without_end_is_broken);
	tcase_add_test(tcase, a_stamp_is_the_time_at_which_a_line_began);
	tcase_add_test(tcase, a_line_that_was_kept_has_the_stamp_of_its_time);
	tcase_add_test(tcase, a_guests_line_ends_an_unfinished_one_of_the_host);
	tcase_add_test(tcase, a_silent_guest_is_silent_until_somebody_attaches);
	tcase_add_test(tcase, an_attached_guest_has_the_terminal_both_ways);
	tcase_add_test(tcase, a_line_feed_alone_does_not_indent_what_follows);
	tcase_add_test(tcase, hosts_lines_do_not_fall_into_an_attached_guests);
	tcase_add_test(tcase, others_lines_are_kept_and_shown_afterwards);
	tcase_add_test(tcase, no_guests_line_comes_between_two_of_an_answer);
	tcase_add_test(tcase, of_too_many_lines_the_newest_are_kept);
	tcase_add_test(tcase, the_ring_of_kept_lines_is_filled_to_the_last_byte);
	tcase_add_test(tcase, the_terminal_is_put_right_after_a_guest_that_used_sequences);
	tcase_add_test(tcase, a_guest_can_be_attached_from_its_start);
	tcase_add_test(tcase, the_last_words_of_a_guest_are_shown_at_once);
}

static void add_input_tests(TCase *tcase)
{
	tcase_add_test(tcase, input_waits_for_room);
	tcase_add_test(tcase, a_guest_that_reads_nothing_cannot_keep_the_monitor_away);
	tcase_add_test(tcase, what_is_typed_stays_below_what_is_printed);
	tcase_add_test(tcase, an_empty_line_goes_back_to_the_guest);
	tcase_add_test(tcase, the_key_twice_goes_to_the_guest);
	tcase_add_test(tcase, without_a_guest_the_key_twice_closes_the_prompt);
	tcase_add_test(tcase, a_guest_that_left_meanwhile_is_not_gone_back_to);
	tcase_add_test(tcase, a_guest_that_is_leaving_is_waited_for_and_not_attached);
	tcase_add_test(tcase, a_guest_that_comes_again_gets_its_terminal_back);
	tcase_add_test(tcase, a_guest_that_comes_again_does_not_take_the_terminal_from_another);
	tcase_add_test(tcase, nothing_is_listened_to_before_the_start);
	tcase_add_test(tcase, a_guest_without_input_takes_none);
}

static void add_tests(TCase *tcase)
{
	add_output_tests(tcase);
	add_input_tests(tcase);
}

int main(void)
{
	return suite_run("console", add_tests);
}
