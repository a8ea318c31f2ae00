/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers as tables and as JSON, and the words of a command. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/console.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/report.h"
#include "../../ports/baremetal/words.h"

static char written[2 * REPORT_SIZE];
static size_t written_size;
static unsigned int writes;

static void write(const char *text, size_t size)
{
	ck_assert_uint_lt(written_size + size, sizeof(written));
	ck_assert_int_eq(text[size - 1], '\n');
	memcpy(written + written_size, text, size);
	written_size += size;
	written[written_size] = '\0';
	writes++;
}

void console_write(const char *text, size_t size)
{
	(void)text;
	(void)size;
	ck_abort_msg("a report is written by who asked for it");
}

static struct report report;

static void two_rows(bool is_json)
{
	report_begin(&report, REPORT_ROWS, is_json);
	report_text(&report, "name", "a");
	report_number(&report, "memory_mib", 16);
	report_bool(&report, "ok", true);
	report_hex(&report, "rip", 0xfff0, 1);
	report_row(&report);
	report_text(&report, "name", "debian-1");
	report_number(&report, "memory_mib", 1024);
	report_bool(&report, "ok", false);
	report_hex(&report, "rip", UINT64_MAX, 1);
	report_row(&report);
	report_end(&report, write);
}

START_TEST(columns_are_as_wide_as_their_widest_cells)
{
	two_rows(false);
	ck_assert_str_eq(written, "  NAME      MEMORY MIB  OK                RIP\n"
	                          "  a                 16  yes              fff0\n"
	                          "  debian-1        1024  no   ffffffffffffffff\n");
	ck_assert_uint_eq(writes, 3);
}
END_TEST

START_TEST(headings_have_a_colour_where_colours_are_wanted)
{
	console_set_color(true);
	report_begin(&report, REPORT_ROWS, false);
	report_text(&report, "name", "a");
	report_end(&report, write);
	ck_assert_ptr_eq(strstr(written, "\033["), written);
	ck_assert_ptr_nonnull(strstr(written, "  NAME\033[0m\n  a\n"));
}
END_TEST

START_TEST(json_is_one_line)
{
	two_rows(true);
	ck_assert_str_eq(written,
	                 "[{\"name\":\"a\",\"memory_mib\":16,\"ok\":true,\"rip\":\"0xfff0\"},"
	                 "{\"name\":\"debian-1\",\"memory_mib\":1024,\"ok\":false,"
	                 "\"rip\":\"0xffffffffffffffff\"}]\n");
	ck_assert_uint_eq(writes, 1);
}
END_TEST

START_TEST(strings_are_escaped)
{
	report_begin(&report, REPORT_FIELDS, true);
	report_text(&report, "text", "a\"b\\c\n\033\001\177\303\244");
	report_end(&report, write);
	ck_assert_str_eq(written, "{\"text\":\"a\\\"b\\\\c\\u000a\\u001b\\u0001???\"}\n");
}
END_TEST

START_TEST(fields_are_lines_with_names)
{
	report_begin(&report, REPORT_FIELDS, false);
	for (int i = 0; i < 20; i++)
		report_number(&report, i ? "n" : "state", (uint64_t)i);
	report_end(&report, write);
	ck_assert_uint_eq(writes, 20);
	ck_assert_ptr_eq(strstr(written, "  state  0\n  n      1\n"), written);
	ck_assert_ptr_nonnull(strstr(written, "  n      19\n"));
}
END_TEST

START_TEST(nothing_is_an_answer_too)
{
	report_begin(&report, REPORT_ROWS, true);
	report_end(&report, write);
	report_begin(&report, REPORT_FIELDS, true);
	report_end(&report, write);
	ck_assert_str_eq(written, "[]\n{}\n");
	written_size = 0;
	report_begin(&report, REPORT_ROWS, false);
	report_end(&report, write);
	ck_assert_uint_eq(written_size, 0);
}
END_TEST

static void too_much(bool is_json)
{
	report_begin(&report, REPORT_ROWS, is_json);
	for (unsigned int i = 0; i < REPORT_SIZE; i++) {
		report_number(&report, "number", i);
		/* Short rows behind one that did not fit would fit; they do not come in. */
		report_text(&report, "text", i == 500 ? written : "0123456789");
		report_row(&report);
	}
	report_end(&report, write);
}

START_TEST(json_that_does_not_fit_is_cut_behind_a_whole_row)
{
	memset(written, 'x', REPORT_SIZE);
	too_much(true);
	ck_assert_uint_le(written_size, REPORT_SIZE);
	ck_assert_ptr_nonnull(strstr(written, "{\"number\":499,"));
	ck_assert_ptr_null(strstr(written, "{\"number\":500,"));
	ck_assert_ptr_null(strstr(written, "{\"number\":501,"));
	ck_assert_str_eq(written + written_size - 16, "},{\"cut\":true}]\n");
}
END_TEST

START_TEST(json_without_a_row_that_fits_is_still_json)
{
	static char huge[REPORT_SIZE + 1];

	memset(huge, 'x', REPORT_SIZE);
	for (int form = 0; form < 2; form++) {
		report_begin(&report, form ? REPORT_FIELDS : REPORT_ROWS, true);
		report_text(&report, "text", huge);
		report_end(&report, write);
	}
	ck_assert_str_eq(written, "[{\"cut\":true}]\n{\"cut\":true}\n");
}
END_TEST

START_TEST(a_table_that_does_not_fit_says_so)
{
	memset(written, 'x', REPORT_SIZE);
	too_much(false);
	ck_assert_str_eq(written + written_size - 18, "  (there is more)\n");
	ck_assert_uint_eq(writes, 1 + 500 + 1);
}
END_TEST

START_TEST(a_line_of_a_table_has_an_end)
{
	char cell[1024] = { 0 };

	memset(cell, 'x', sizeof(cell) - 1);
	report_begin(&report, REPORT_ROWS, false);
	report_text(&report, "a", cell);
	report_text(&report, "b", cell);
	report_end(&report, write);
	ck_assert_uint_eq(writes, 2);
	ck_assert_int_eq(written[written_size - 1], '\n');
}
END_TEST

/* --- words --------------------------------------------------------------------------------- */

static const struct {
	const char *what, *line, *words; /* each between bars; or what is wrong */
} word_rows[] = {
	{ "blanks part words", "vm list", "|vm|list|" },
	{ "any number of them", "  vm   list  ", "|vm|list|" },
	{ "nothing is no word", "", "|" },
	{ "blanks are no word", "   ", "|" },
	{ "quotes hold a word together", "a \"b c\" d", "|a|b c|d|" },
	{ "quotes may begin in a word", "cmdline=\"a b\"c d", "|cmdline=a bc|d|" },
	{ "an empty word", "a \"\" b", "|a||b|" },
	{ "a quote within quotes", "\"a\\\"b\" \\\"c", "|a\"b|\"c|" },
	{ "a backslash", "a\\\\b a\\b \\", "|a\\b|a\\b|\\|" },
	{ "an open quote", "a \"b c", "a quote is not closed" },
	{ "as many as fit", "a a a a a a a a a a a a a a a a a a a a a a a b",
	  "|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|a|b|" },
	{ "one too many", "a a a a a a a a a a a a a a a a a a a a a a a b c", "too many words" },
};

START_TEST(a_line_is_made_of_words)
{
	char line[128], got[256] = "|";
	struct words words;
	const char *wrong;

	strcpy(line, word_rows[_i].line);
	wrong = words_split(line, &words);
	if (!wrong) {
		ck_assert_ptr_null(words.word[words.count]);
		for (unsigned int i = 0; i < words.count; i++)
			strcat(strcat(got, words.word[i]), "|");
	}
	ck_assert_msg(!strcmp(wrong ? wrong : got, word_rows[_i].words), "%s: %s",
	              word_rows[_i].what, wrong ? wrong : got);
}
END_TEST

START_TEST(an_option_may_stand_anywhere)
{
	char line[] = "-j vm -j list -f -j";
	struct words words;

	ck_assert_ptr_null(words_split(line, &words));
	ck_assert(words_take(&words, "-j"));
	ck_assert(!words_take(&words, "-j"));
	ck_assert_uint_eq(words.count, 3);
	ck_assert_str_eq(words.word[0], "vm");
	words_drop(&words, 2);
	ck_assert_str_eq(words.word[0], "-f");
	ck_assert_ptr_null(words.word[1]);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, columns_are_as_wide_as_their_widest_cells);
	tcase_add_test(tcase, headings_have_a_colour_where_colours_are_wanted);
	tcase_add_test(tcase, json_is_one_line);
	tcase_add_test(tcase, strings_are_escaped);
	tcase_add_test(tcase, fields_are_lines_with_names);
	tcase_add_test(tcase, nothing_is_an_answer_too);
	tcase_add_test(tcase, json_that_does_not_fit_is_cut_behind_a_whole_row);
	tcase_add_test(tcase, json_without_a_row_that_fits_is_still_json);
	tcase_add_test(tcase, a_table_that_does_not_fit_says_so);
	tcase_add_test(tcase, a_line_of_a_table_has_an_end);
	tcase_add_loop_test(tcase, a_line_is_made_of_words, 0,
	                    (int)(sizeof(word_rows) / sizeof(word_rows[0])));
	tcase_add_test(tcase, an_option_may_stand_anywhere);
}

int main(void)
{
	return suite_run("report", add_tests);
}
