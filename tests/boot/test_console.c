/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The console and its prompt against a terminal made of two strings: what was typed, what is shown.
 * The lock is a flag, which also tells that no guest's function is ever called with it held.
 */
#include <check.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../ports/baremetal/console.h"
#include "../../ports/baremetal/console_lock.h"
#include "../../ports/baremetal/console_terminal.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/power.h"
#include "../../ports/baremetal/serial.h"
#include "../../ports/baremetal/time.h"

#define KEY    "\035"
#define ERASED "\r\033[K"
#define PROMPT "libsvm> "
#define SECOND UINT64_C(1000000000)

/* --- the machine --------------------------------------------------------------------------- */

static char shown[65536];
static size_t shown_size;
static const char *typed = "";
static uint64_t now;
static bool is_locked;
static jmp_buf off;

/* What another CPU does just before the lock is taken for the n-th time from now. */
static void (*meanwhile)(void);
static int meanwhile_after;

uint64_t console_lock(void)
{
	ck_assert(!is_locked);
	if (meanwhile && !--meanwhile_after) {
		void (*const run)(void) = meanwhile;

		meanwhile = NULL;
		run();
	}
	is_locked = true;
	return 0;
}

void console_unlock(uint64_t key)
{
	(void)key;
	ck_assert(is_locked);
	is_locked = false;
}

void serial_write(const char *text, size_t size)
{
	ck_assert_uint_lt(shown_size + size, sizeof(shown));
	memcpy(shown + shown_size, text, size);
	shown_size += size;
	shown[shown_size] = '\0';
}

void serial_write_raw(const char *text, size_t size)
{
	serial_write(text, size);
}

bool serial_read(uint8_t *byte)
{
	if (!*typed)
		return false;
	*byte = (uint8_t)*typed++;
	return true;
}

uint64_t time_ns(void)
{
	return now;
}

_Noreturn void power_off(int status)
{
	longjmp(off, status);
}

/* What is new on the terminal must be exactly this. */
static void expect(const char *text)
{
	ck_assert_str_eq(shown, text);
	shown_size = 0;
	shown[0] = '\0';
}

static void type(const char *text)
{
	typed = text;
	for (int i = 0; i < 64 && *typed; i++) {
		console_receive();
		console_poll();
	}
	console_poll();
}

/* --- guests -------------------------------------------------------------------------------- */

struct guest {
	struct console_guest console;
	char got[4096];
	size_t got_size, room;
	unsigned int stops;
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

static void stop(void *arg)
{
	ck_assert(!is_locked);
	((struct guest *)arg)->stops++;
}

static void describe(void *arg, char *text, size_t size)
{
	ck_assert(!is_locked);
	snprintf(text, size, "stopped %u times", ((struct guest *)arg)->stops);
}

static void stats(void *arg, char *text, size_t size)
{
	(void)arg;
	ck_assert(!is_locked);
	snprintf(text, size, "io 12\nhlt 3\n");
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
		             .stop = stop,
		             .describe = describe,
		             .stats = stats,
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
	shown_size = 0;
	shown[0] = '\0';
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

/* What is typed at the prompt, and the lines that answer it. */
static const struct {
	const char *what, *line, *answer;
} command_rows[] = {
	{ "list tells every guest", "list",
	  "  a                stopped 0 times\n  b                stopped 0 times\n" },
	{ "blanks around a command do not matter", "  list  ",
	  "  a                stopped 0 times\n  b                stopped 0 times\n" },
	{ "stats prints what a guest says", "stats b", "  io 12\n  hlt 3\n" },
	{ "blanks around a name do not matter", "stats   b ", "  io 12\n  hlt 3\n" },
	{ "a guest must be there", "stats c", "no guest 'c'; list tells what there are\n" },
	{ "a guest must be named whole", "stop aa", "no guest 'aa'; list tells what there are\n" },
	{ "a guest must be named", "attach", "which guest?  list tells what there are\n" },
	{ "a command must be named whole", "lis", "no command 'lis'; did you mean 'list'?\n" },
	{ "letters in the wrong order are understood", "attahc a",
	  "no command 'attahc'; did you mean 'attach'?\n" },
	{ "what is far from all is not", "reboot",
	  "no command 'reboot'; help tells what there are\n" },
	{ "a long word is no command",
	  "listxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	  "no command 'listxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; "
	  "help tells what there are\n" },
	{ "backspace takes a letter back", "lixx\b\177st",
	  "  a                stopped 0 times\n  b                stopped 0 times\n" },
	{ "backspace at the start takes nothing", "\b\177list",
	  "  a                stopped 0 times\n  b                stopped 0 times\n" },
	{ "Ctrl-U takes all back", "nonsense\025stats a", "  io 12\n  hlt 3\n" },
	{ "arrows are left out", "st\033[Aats a", "  io 12\n  hlt 3\n" },
	{ "controls and other alphabets are left out", "st\001\303\244ats a",
	  "  io 12\n  hlt 3\n" },
	{ "help tells every command", "help",
	  "  help           this list\n"
	  "  list           the guests and what they do\n"
	  "  attach NAME    give the terminal to a guest, until Ctrl-]\n"
	  "  stats NAME     what a guest has done so far\n"
	  "  stop NAME      end a guest\n"
	  "  quit           end all guests, then the machine\n"
	  "  power-off      end the machine at once\n"
	  "  an empty line  back to where you were; Ctrl-] there goes to the guest\n" },
};

START_TEST(a_command_is_answered)
{
	const char *answer;

	begin();
	type(KEY);
	type(command_rows[_i].line);
	shown_size = 0;
	type("\r\n");
	answer = strchr(shown, '\n');
	ck_assert_ptr_nonnull(answer);
	ck_assert_uint_gt(shown_size, strlen(PROMPT));
	ck_assert_str_eq(shown + shown_size - strlen(PROMPT), PROMPT);
	shown[shown_size - strlen(PROMPT)] = '\0';
	ck_assert_msg(!strcmp(answer + 1, command_rows[_i].answer), "%s: %s", command_rows[_i].what,
	              answer + 1);
}
END_TEST

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
	type(KEY "list\r");
	ck_assert_ptr_null(strstr(shown, "  a "));
	ck_assert_ptr_nonnull(strstr(shown, "  b "));
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

START_TEST(a_guest_is_stopped_by_name)
{
	begin();
	type(KEY "stop b\r");
	ck_assert_uint_eq(a.stops, 0);
	ck_assert_uint_eq(b.stops, 1);
	ck_assert(!console_wants_end());
}
END_TEST

START_TEST(quit_stops_all_and_lets_none_start)
{
	begin();
	type(KEY "quit\r");
	ck_assert_uint_eq(a.stops, 1);
	ck_assert_uint_eq(b.stops, 1);
	ck_assert(console_wants_end());
}
END_TEST

START_TEST(power_off_ends_the_machine)
{
	int status;

	begin();
	status = setjmp(off);
	if (!status) {
		type(KEY "power-off\r");
		ck_abort_msg("it goes on");
	}
	ck_assert_int_eq(status, POWER_SUCCESS);
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
	tcase_add_loop_test(tcase, a_command_is_answered, 0,
	                    (int)(sizeof(command_rows) / sizeof(command_rows[0])));
	tcase_add_test(tcase, what_is_typed_stays_below_what_is_printed);
	tcase_add_test(tcase, an_empty_line_goes_back_to_the_guest);
	tcase_add_test(tcase, the_key_twice_goes_to_the_guest);
	tcase_add_test(tcase, without_a_guest_the_key_twice_closes_the_prompt);
	tcase_add_test(tcase, a_guest_that_left_meanwhile_is_not_gone_back_to);
	tcase_add_test(tcase, a_guest_that_is_leaving_is_waited_for_and_not_attached);
	tcase_add_test(tcase, a_guest_is_stopped_by_name);
	tcase_add_test(tcase, quit_stops_all_and_lets_none_start);
	tcase_add_test(tcase, power_off_ends_the_machine);
	tcase_add_test(tcase, nothing_is_listened_to_before_the_start);
	tcase_add_test(tcase, a_guest_without_input_takes_none);
}

int main(void)
{
	Suite *suite = suite_create("console");
	TCase *tcase = tcase_create("console");
	SRunner *runner;
	int failed;

	add_output_tests(tcase);
	add_input_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
