/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* I/O permission map: the edges of ports, bytes and widths.  APM vol. 2, 15.10.1, 15.10.2. */
#include <check.h>
#include <stdlib.h>

#include "core/iopm.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static uint8_t map[SVM_IOPM_SIZE];

/* One port open; byte and bit of it; and which accesses of 1, 2 and 4 bytes then pass. */
static const struct {
	const char *what;
	uint32_t port;
	uint32_t byte;
	uint8_t value;
} bit_rows[] = {
	{ "the first port", 0x0000, 0x0000, 0xfe },
	{ "the last port of a byte", 0x0007, 0x0000, 0x7f },
	{ "the first port of the next", 0x0008, 0x0001, 0xfe },
	{ "COM1's data register", 0x03f8, 0x007f, 0xfe },
	{ "COM1's line status", 0x03fd, 0x007f, 0xdf },
	{ "the last port of the first page", 0x7fff, 0x0fff, 0x7f },
	{ "the first port of the second page", 0x8000, 0x1000, 0xfe },
	{ "the last port", 0xffff, 0x1fff, 0x7f },
};

START_TEST(opening_a_port_clears_its_bit_and_no_other)
{
	svm_iopm_deny_all(map);
	svm_iopm_set(map, bit_rows[_i].port, 1, true);
	for (uint32_t i = 0; i < SVM_IOPM_SIZE; i++)
		ck_assert_msg(map[i] == (i == bit_rows[_i].byte ? bit_rows[_i].value : 0xff),
		              "%s: byte %#x is %#x", bit_rows[_i].what, i, map[i]);
	svm_iopm_set(map, bit_rows[_i].port, 1, false);
	ck_assert_uint_eq(map[bit_rows[_i].byte], 0xff);
}
END_TEST

/* Ports first to last are open; the access exits or not. */
static const struct {
	const char *what;
	uint32_t first, last;
	uint16_t port;
	uint8_t size;
	bool denied;
} access_rows[] = {
	{ "a byte in the range", 0x60, 0x60, 0x60, 1, false },
	{ "a word that leaves the range above", 0x60, 0x60, 0x60, 2, true },
	{ "a word that begins below the range", 0x60, 0x60, 0x5f, 2, true },
	{ "a word inside", 0x60, 0x61, 0x60, 2, false },
	{ "a double word with its last byte outside", 0x60, 0x62, 0x60, 4, true },
	{ "a double word with its third byte outside", 0x60, 0x61, 0x60, 4, true },
	{ "a double word inside", 0x60, 0x63, 0x60, 4, false },
	{ "a word across two bytes of the map", 0x67, 0x68, 0x67, 2, false },
	{ "the same with the second byte closed", 0x60, 0x67, 0x67, 2, true },
	{ "a double word across two bytes of the map", 0x65, 0x68, 0x65, 4, false },
	{ "a double word across pages", 0x7ffe, 0x8001, 0x7ffe, 4, false },
	{ "the last port by a byte", 0x0000, 0xffff, 0xffff, 1, false },
	{ "the last two ports by a word", 0x0000, 0xffff, 0xfffe, 2, false },
	{ "the last four ports by a double word", 0x0000, 0xffff, 0xfffc, 4, false },
	{ "a word past the last port", 0x0000, 0xffff, 0xffff, 2, true },
	{ "a double word one past the last port", 0x0000, 0xffff, 0xfffd, 4, true },
	{ "a double word two past the last port", 0x0000, 0xffff, 0xfffe, 4, true },
	{ "a double word three past the last port", 0x0000, 0xffff, 0xffff, 4, true },
};

START_TEST(every_byte_of_an_access_is_looked_up)
{
	svm_iopm_deny_all(map);
	svm_iopm_set(map, access_rows[_i].first, access_rows[_i].last - access_rows[_i].first + 1,
	             true);
	ck_assert_msg(svm_iopm_denies(map, access_rows[_i].port, access_rows[_i].size) ==
	                      access_rows[_i].denied,
	              "%s", access_rows[_i].what);
}
END_TEST

START_TEST(a_new_map_denies_all_and_the_page_behind_the_ports_stays_closed)
{
	svm_iopm_deny_all(map);
	for (uint32_t i = 0; i < SVM_IOPM_SIZE; i++)
		ck_assert_uint_eq(map[i], 0xff);
	svm_iopm_set(map, 0, SVM_PORT_COUNT, true);
	for (uint32_t i = 0; i < SVM_IOPM_SIZE; i++)
		ck_assert_uint_eq(map[i], i < 0x2000 ? 0x00 : 0xff);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("iopm");
	TCase *tcase = tcase_create("iopm");

	tcase_add_loop_test(tcase, opening_a_port_clears_its_bit_and_no_other, 0,
	                    ARRAY_SIZE(bit_rows));
	tcase_add_loop_test(tcase, every_byte_of_an_access_is_looked_up, 0,
	                    ARRAY_SIZE(access_rows));
	tcase_add_test(tcase, a_new_map_denies_all_and_the_page_behind_the_ports_stays_closed);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
