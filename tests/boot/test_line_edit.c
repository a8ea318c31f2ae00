/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A line at the prompt against what a user of a shell's line expects of each key. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/line_edit.h"

#define UP    "\033[A"
#define DOWN  "\033[B"
#define RIGHT "\033[C"
#define LEFT  "\033[D"
#define HOME  "\033[H"
#define END   "\033[F"

/* Words that fit behind nothing; behind "attach " two others. */
static const char *offer(const char *before, size_t length, unsigned int number)
{
	static const char *const first[] = { "attach", "help", "vcpu", "vm", NULL };
	static const char *const names[] = { "debian-1", "debian-2", NULL };
	const char *const *const words = length == 0                                    ? first
	                                 : length == 7 && !memcmp(before, "attach ", 7) ? names
	                                                                                : NULL;

	return words ? words[number] : NULL;
}

static struct line_edit edit;

static enum line_edit_result type(const char *keys)
{
	enum line_edit_result result = LINE_EDIT_NOTHING;

	edit.offer = offer;
	for (; *keys; keys++)
		result = line_edit_key(&edit, (uint8_t)*keys);
	return result;
}

static void enter(const char *keys, const char *line)
{
	char got[LINE_EDIT_MAX];

	ck_assert_int_eq(type(keys), LINE_EDIT_DONE);
	line_edit_take(&edit, got);
	ck_assert_str_eq(got, line);
	ck_assert_str_eq(edit.text, "");
}

static const struct {
	const char *what, *keys, *text;
	size_t at;
} key_rows[] = {
	{ "letters are added", "vm list", "vm list", 7 },
	{ "left and right move by a letter", "ab" LEFT LEFT RIGHT "x", "axb", 2 },
	{ "nothing is left of the start", LEFT LEFT "a" LEFT LEFT "b", "ba", 1 },
	{ "nothing is right of the end", "a" RIGHT RIGHT "b", "ab", 2 },
	{ "home and end", "bc" HOME "a" END "d", "abcd", 4 },
	{ "home and end of other terminals", "bc\033[1~a\033[4~d", "abcd", 4 },
	{ "home and end of yet others", "bc\033[7~a\033[8~d", "abcd", 4 },
	{ "home and end in application mode", "bc\033OHa\033OFd", "abcd", 4 },
	{ "Ctrl-A and Ctrl-E", "bc\001a\005d", "abcd", 4 },
	{ "Ctrl-B and Ctrl-F", "ab\002\002\006x", "axb", 2 },
	{ "backspace takes the letter before the cursor", "abc" LEFT "\b", "ac", 1 },
	{ "so does DEL, the key of most terminals", "abc" LEFT "\177", "ac", 1 },
	{ "backspace at the start takes nothing", "ab" HOME "\b\177", "ab", 0 },
	{ "delete takes the letter at the cursor", "abc" HOME "\033[3~", "bc", 0 },
	{ "delete at the end takes nothing", "abc\033[3~\004", "abc", 3 },
	{ "Ctrl-D deletes", "abc" HOME "\004", "bc", 0 },
	{ "Ctrl-U takes all before the cursor", "abcd" LEFT "\025", "d", 0 },
	{ "Ctrl-K takes all from the cursor on", "abcd" HOME RIGHT "\013", "a", 1 },
	{ "Ctrl-W takes a word", "vm list web\027", "vm list ", 8 },
	{ "Ctrl-W takes blanks behind the word with it", "vm list   \027", "vm ", 3 },
	{ "Ctrl-W in the middle", "vm list" LEFT LEFT "\027", "vm st", 3 },
	{ "Ctrl-W at the start", "\027a", "a", 1 },
	{ "Ctrl-C takes all", "abc" LEFT "\003x", "x", 1 },
	{ "a key that is not known vanishes whole", "a\033[15~\033[5;2P\033OQb", "ab", 2 },
	{ "a number does not grow beyond a byte", "ab\033[2560003~", "ab", 2 },
	{ "modifiers are ignored", "ab\033[1;5Dx", "axb", 2 },
	{ "escape and a letter are no letter", "a\033xb", "ab", 2 },
	{ "a sequence that breaks off is over", "abc\033[\001x", "xabc", 1 },
	{ "other controls and alphabets are left out", "a\016\303\244\377b", "ab", 2 },
	{ "Tab completes a word that is the only one", "h\t", "help ", 5 },
	{ "Tab completes as far as words agree", "attach d\t", "attach debian-", 14 },
	{ "Tab completes what fits best in the middle", "x" HOME "he\t", "help x", 5 },
	{ "Tab on what fits nothing does nothing", "q\t", "q", 1 },
	{ "Tab where nothing fits does nothing", "help \t", "help ", 5 },
};

START_TEST(each_key_does_what_it_says)
{
	type(key_rows[_i].keys);
	ck_assert_msg(!strcmp(edit.text, key_rows[_i].text), "%s: \"%s\"", key_rows[_i].what,
	              edit.text);
	ck_assert_uint_eq(edit.used, strlen(edit.text));
	ck_assert_msg(edit.at == key_rows[_i].at, "%s: at %zu", key_rows[_i].what, edit.at);
}
END_TEST

START_TEST(a_line_is_taken_without_blanks_around_it)
{
	enter("  vm  list  \r", "vm  list");
	enter("   \r", "");
	enter("\r", "");
}
END_TEST

START_TEST(both_ends_of_a_line_are_one)
{
	enter("a\r", "a");
	ck_assert_int_eq(type("\n"), LINE_EDIT_NOTHING);
	enter("b\n", "b");
	enter("\n", "");
	/* A key between them parts them. */
	enter("c\r", "c");
	enter("d\n", "d");
}
END_TEST

START_TEST(history_goes_back_and_forth)
{
	enter("one\r", "one");
	enter("two\r", "two");
	type("new" UP);
	ck_assert_str_eq(edit.text, "two");
	type(UP);
	ck_assert_str_eq(edit.text, "one");
	ck_assert_int_eq(type(UP), LINE_EDIT_NOTHING);
	type("\016");
	ck_assert_str_eq(edit.text, "two");
	type(DOWN);
	ck_assert_str_eq(edit.text, "new");
	ck_assert_int_eq(type(DOWN), LINE_EDIT_NOTHING);
	/* What is changed of an old line is a new one, and the old one stays. */
	enter("\020x\r", "twox");
	enter(UP UP "\r", "two");
	type(UP UP UP);
	ck_assert_str_eq(edit.text, "two");
}
END_TEST

START_TEST(history_keeps_neither_empty_lines_nor_the_same_twice)
{
	enter("one\r", "one");
	enter("\r", "");
	enter("one\r", "one");
	enter("  one\r", "one");
	ck_assert_uint_eq(edit.history_count, 1);
	enter("on\r", "on");
	ck_assert_uint_eq(edit.history_count, 2);
}
END_TEST

START_TEST(history_forgets_the_oldest)
{
	char line[16], keys[20];

	for (int i = 0; i < LINE_EDIT_HISTORY + 3; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		snprintf(keys, sizeof(keys), "%s\r", line);
		enter(keys, line);
	}
	for (int i = 0; i < LINE_EDIT_HISTORY; i++)
		ck_assert_int_eq(type(UP), LINE_EDIT_CHANGED);
	ck_assert_str_eq(edit.text, "line 3");
	ck_assert_int_eq(type(UP), LINE_EDIT_NOTHING);
}
END_TEST

START_TEST(a_full_line_takes_no_more)
{
	for (int i = 0; i < 2 * LINE_EDIT_MAX; i++)
		type("x");
	ck_assert_uint_eq(edit.used, LINE_EDIT_MAX - 1);
	ck_assert_int_eq(edit.text[LINE_EDIT_MAX - 1], '\0');
	ck_assert_int_eq(type("y"), LINE_EDIT_NOTHING);
	ck_assert_int_eq(type("\b"), LINE_EDIT_CHANGED);
}
END_TEST

START_TEST(tab_tells_what_would_fit)
{
	ck_assert_int_eq(type("v\t"), LINE_EDIT_CHOICE);
	ck_assert_str_eq(line_edit_choice(&edit, 0), "vcpu");
	ck_assert_str_eq(line_edit_choice(&edit, 1), "vm");
	ck_assert_ptr_null(line_edit_choice(&edit, 2));
	ck_assert_str_eq(edit.text, "v");
}
END_TEST

START_TEST(the_part_around_the_cursor_is_seen)
{
	char view[11];

	type("012345678");
	ck_assert_uint_eq(line_edit_view(&edit, 10, view), 0);
	ck_assert_str_eq(view, "012345678");
	type("9");
	ck_assert_uint_eq(line_edit_view(&edit, 10, view), 0);
	ck_assert_str_eq(view, "123456789");
	type("ab" LEFT);
	ck_assert_uint_eq(line_edit_view(&edit, 10, view), 1);
	ck_assert_str_eq(view, "23456789ab");
	type(HOME);
	ck_assert_uint_eq(line_edit_view(&edit, 10, view), 10);
	ck_assert_str_eq(view, "0123456789");
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, each_key_does_what_it_says, 0,
	                    (int)(sizeof(key_rows) / sizeof(key_rows[0])));
	tcase_add_test(tcase, a_line_is_taken_without_blanks_around_it);
	tcase_add_test(tcase, both_ends_of_a_line_are_one);
	tcase_add_test(tcase, history_goes_back_and_forth);
	tcase_add_test(tcase, history_keeps_neither_empty_lines_nor_the_same_twice);
	tcase_add_test(tcase, history_forgets_the_oldest);
	tcase_add_test(tcase, a_full_line_takes_no_more);
	tcase_add_test(tcase, tab_tells_what_would_fit);
	tcase_add_test(tcase, the_part_around_the_cursor_is_seen);
}

int main(void)
{
	return suite_run("line_edit", add_tests);
}
