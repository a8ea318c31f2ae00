/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sets of numbers as text: what is understood, where the first mistake is, what is written. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/number_set.h"

static const struct {
	const char *text;
	unsigned int count;
	uint64_t set;
	int wrong_at; /* -1: it is understood */
} rows[] = {
	{ "0", 1, 1, -1 },
	{ "63", 64, UINT64_C(1) << 63, -1 },
	{ "0-63", 64, UINT64_MAX, -1 },
	{ "all", 1, UINT64_MAX, -1 },
	{ "0-1,3", 4, 0xb, -1 },
	{ "3,0-1", 4, 0xb, -1 },
	{ "2-2", 4, 4, -1 },
	{ "1,1,0-1", 4, 3, -1 },
	{ "007", 8, 0x80, -1 },
	{ "", 64, 0, 0 },
	{ "1", 1, 0, 0 },
	{ "64", 64, 0, 0 },
	{ "18446744073709551616", 64, 0, 0 },
	{ "4294967296", 64, 0, 0 },
	{ "a", 64, 0, 0 },
	{ "alls", 64, 0, 0 },
	{ "ALL", 64, 0, 0 },
	{ "-1", 64, 0, 0 },
	{ "0,", 64, 0, 2 },
	{ "0,,1", 64, 0, 2 },
	{ "0-", 64, 0, 2 },
	{ "0-64", 64, 0, 2 },
	{ "0-1-2", 64, 0, 3 },
	{ "2-1", 64, 0, 2 },
	{ "0 1", 64, 0, 1 },
	{ "0,all", 64, 0, 2 },
	{ "0x1", 64, 0, 1 },
};

/* The text lies at the very end of a block of its own, so that ASan sees a step beyond it. */
START_TEST(a_set_is_understood_or_told_where_it_is_wrong)
{
	const size_t length = strlen(rows[_i].text);
	char *const block = malloc(length + 1), *const text = block + 1;
	uint64_t set = 0x1234;
	const char *wrong;

	memcpy(text, rows[_i].text, length);
	wrong = number_set_read(text, length, rows[_i].count, &set);
	if (rows[_i].wrong_at < 0)
		ck_assert_ptr_null(wrong);
	else
		ck_assert_int_eq(wrong - text, rows[_i].wrong_at);
	ck_assert_uint_eq(set, rows[_i].wrong_at < 0 ? rows[_i].set : 0x1234);
	free(block);
}
END_TEST

static const struct {
	uint64_t set;
	const char *text;
} written[] = {
	{ 0, "" },
	{ 1, "0" },
	{ 0xb, "0-1,3" },
	{ UINT64_C(1) << 63, "63" },
	{ UINT64_C(3) << 62, "62-63" },
	{ UINT64_MAX, "all" },
	{ UINT64_MAX - 1, "1-63" },
	{ UINT64_C(0xdb6db6db6db6db6d),
	  "0,2-3,5-6,8-9,11-12,14-15,17-18,20-21,23-24,26-27,29-30,32-33,35-36,38-39,41-42,44-45,"
	  "47-48,50-51,53-54,56-57,59-60,62-63" },
	{ UINT64_C(0xaaaaaaaaaaaaaaaa),
	  "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,41,43,45,47,49,51,53,55,57,59,61,"
	  "63" },
};

START_TEST(a_set_is_written_as_it_is_read)
{
	char text[NUMBER_SET_TEXT_MAX];

	ck_assert_uint_eq(number_set_write(written[_i].set, text), strlen(written[_i].text));
	ck_assert_str_eq(text, written[_i].text);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_set_is_understood_or_told_where_it_is_wrong, 0, ROWS(rows));
	tcase_add_loop_test(tcase, a_set_is_written_as_it_is_read, 0, ROWS(written));
}

int main(void)
{
	return suite_run("number set", add_tests);
}
