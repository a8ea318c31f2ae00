/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words, keys and numbers of a command line. */
#include <check.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/cmdline.h"

static const char line[] = "/boot/x.elf  run=a,b\tquiet run=c guest= mem=16M xrun=d";

START_TEST(words_stand_by_themselves)
{
	ck_assert(cmdline_has(line, "quiet"));
	ck_assert(!cmdline_has(line, "qui"));
	ck_assert(!cmdline_has(line, "quiets"));
	ck_assert(!cmdline_has(line, "run"));
	ck_assert(!cmdline_has("", "quiet"));
	ck_assert(!cmdline_has("   ", "quiet"));
	ck_assert(cmdline_has("quiet", "quiet"));
}
END_TEST

START_TEST(the_last_value_wins_and_is_cut)
{
	char value[8];

	ck_assert(cmdline_get(line, "run", value, sizeof(value)));
	ck_assert_str_eq(value, "c");
	ck_assert(cmdline_get(line, "guest", value, sizeof(value)));
	ck_assert_str_eq(value, "");
	ck_assert(!cmdline_get(line, "mode", value, sizeof(value)));
	ck_assert_str_eq(value, "");
	ck_assert(cmdline_get("name=123456789", "name", value, sizeof(value)));
	ck_assert_str_eq(value, "1234567");
}
END_TEST

static const struct {
	const char *text;
	uint64_t value;
	bool bad;
} numbers[] = {
	{ "0", 0, false },
	{ "18446744073709551615", UINT64_MAX, false },
	{ "18446744073709551616", 99, true },
	{ "0xffffffffffffffff", UINT64_MAX, false },
	{ "0x10000000000000000", 99, true },
	{ "0X1f", 31, false },
	{ "16M", 16u << 20, false },
	{ "4k", 4096, false },
	{ "3G", UINT64_C(3) << 30, false },
	{ "17179869184G", 99, true },
	{ "17179869183G", UINT64_C(17179869183) << 30, false },
	{ "", 99, true },
	{ "0x", 99, true },
	{ "-1", 99, true },
	{ "1MB", 99, true },
	{ "M", 99, true },
	{ "1f", 99, true },
};

START_TEST(numbers_are_read_whole_or_not_at_all)
{
	char text[64] = "n=";
	bool bad = false;

	strcat(text, numbers[_i].text);
	ck_assert_uint_eq(cmdline_number(text, "n", 99, &bad), numbers[_i].value);
	ck_assert_msg(bad == numbers[_i].bad, "'%s'", numbers[_i].text);
}
END_TEST

START_TEST(an_absent_number_is_not_bad)
{
	bool bad = false;

	ck_assert_uint_eq(cmdline_number(line, "n", 5, &bad), 5);
	ck_assert(!bad);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, words_stand_by_themselves);
	tcase_add_test(tcase, the_last_value_wins_and_is_cut);
	tcase_add_loop_test(tcase, numbers_are_read_whole_or_not_at_all, 0, ROWS(numbers));
	tcase_add_test(tcase, an_absent_number_is_not_bad);
}

int main(void)
{
	return suite_run("command line", add_tests);
}
