/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory from what monitors, debuggers and hex dumps print. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../ports/hosted/tools/dump.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Texts that show the bytes 01 02 ... 0f 10. */
static const char *const forms[] = {
	"0102030405060708090a0b0c0d0e0f10",
	"01 02 03 04 05 06 07 08\r\n09 0a 0b 0c 0d 0e 0f 10\r\n",
	"01,02,03,04,05,06,07,08, 09,0A,0B,0C,0D,0E,0F,10\n",
	/* xxd, whose characters may look like digits */
	"00000000: 0102 0304 0506 0708 090a 0b0c 0d0e 0f10  abcdef01abcdef01\n",
	"00000010: 0102 0304 0506 0708  ........\n00000018: 090a 0b0c 0d0e 0f10  ........\n",
	/* hexdump -C, od -Ax -tx1 */
	"00000000  01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10  "
	"|................|\n00000010\n",
	"000000 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10\n000010\n",
	/* The QEMU monitor, in each unit */
	"QEMU 7.2.22 monitor - type 'help' for more information\n"
	"(qemu) x\x1b[Kxp\x1b[D\x1b[Dxp /4wx 0x1000\n"
	"0000000000001000: 0x04030201 0x08070605 0x0c0b0a09 0x100f0e0d\n(qemu) \n",
	"0000000000001000: 0x0807060504030201 0x100f0e0d0c0b0a09\n",
	"0000000000001000: 0x0201 0x0403 0x0605 0x0807\n0000000000001008: 0x0a09 0x0c0b 0x0e0d "
	"0x100f\n",
	"1000: 0x01 0x02 0x03 0x04 0x05 0x06 0x07 0x08\n1008: 0x09 0x0a 0x0b 0x0c 0x0d 0x0e 0x0f "
	"0x10",
	/* gdb */
	"0x1000:\t0x04030201\t0x08070605\t0x0c0b0a09\t0x100f0e0d\n",
	"(gdb) x/2gx vmcb\n0xffff800000001000 <vmcb>:\t0x0807060504030201\n"
	"0xffff800000001008 <vmcb+8>:\t0x100f0e0d0c0b0a09\n",
	"# by hand\n0x0807060504030201, 0x100f0e0d0c0b0a09\n",
};

#define MOST 8192

static bool decode(const char *text, size_t size, struct dump *memory, char why[DUMP_WHY])
{
	const struct dump raw = { .bytes = (uint8_t *)(uintptr_t)text, .size = size };

	why[0] = '\0';
	return dump_decode(&raw, memory, MOST, why);
}

START_TEST(each_form_shows_the_same_bytes)
{
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert_msg(decode(forms[_i], strlen(forms[_i]), &memory, why), "%s: %s", forms[_i], why);
	ck_assert_uint_eq(memory.size, 16);
	for (unsigned int i = 0; i < 16; i++)
		ck_assert_uint_eq(memory.bytes[i], i + 1);
	dump_free(&memory);
}
END_TEST

static const struct {
	const char *text, *why;
} refused[] = {
	{ "0001 0203 0405\n", "line 1: words of two bytes can be read in two ways" },
	{ "0000000 0201 0403\n", "line 1: an odd number of digits" },
	{ "01 02\n0x123 \n", "line 2: an odd number of digits" },
	{ "0x123456\n", "line 1: a number has 2, 4, 8 or 16 digits" },
	{ "0x00112233445566778899\n", "line 1: a number has 2, 4, 8 or 16 digits" },
	{ "hello\n", "line 1: not a hex dump" },
	{ "01 02 0g\n", "line 1: not a hex dump" },
	{ "01 02\n\nCannot access memory\n", "line 3: not a hex dump" },
	{ "1000: 0x01\n1002: 0x02\n", "line 2: the address does not follow" },
	{ "1000: 0x01\n0fff: 0x02\n", "line 2: the address does not follow" },
	{ "*\n", "line 1: * repeats nothing" },
	{ "00000000  01 02\n*\n", "line 3: * without an address" },
	{ "00000000  01 02\n*\n00000005\n", "line 3: the lines that * stands for do not fit" },
	{ "00000004  01 02\n*\n00000000\n", "line 3: the lines that * stands for do not fit" },
	{ "00000000  01 02\n*\nffffffffffffffff\n", "line 3: the lines that * stands for" },
	{ "0000000000000000  01 02\n*\n0000000010000000\n", "line 3: the lines that * stands" },
	{ "001000 <vmcb: 0x01\n", "line 1: not a hex dump" },
};

START_TEST(what_is_none_of_them_is_refused_with_its_line)
{
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert_msg(!decode(refused[_i].text, strlen(refused[_i].text), &memory, why), "%s",
	              refused[_i].text);
	ck_assert_msg(strncmp(why, refused[_i].why, strlen(refused[_i].why)) == 0,
	              "%s: expected \"%s\", got \"%s\"", refused[_i].text, refused[_i].why, why);
	ck_assert_ptr_null(memory.bytes);
}
END_TEST

START_TEST(a_star_stands_for_copies_of_the_row_before)
{
	static const char text[] =
		"00000000  01 02 03 04  |....|\n*\n0000000c  05  |.|\n0000000d\n";
	static const uint8_t expected[13] = { 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 5 };
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert_msg(decode(text, strlen(text), &memory, why), "%s", why);
	ck_assert_uint_eq(memory.size, sizeof(expected));
	ck_assert_int_eq(memcmp(memory.bytes, expected, sizeof(expected)), 0);
	dump_free(&memory);
}
END_TEST

/* Two VMCBs of one text: a jump is right where a whole block ended. */
START_TEST(another_block_may_begin_where_one_has_ended)
{
	static const char text[] =
		"000000 01 02\n*\n001000\n0x200000: 0x0201 0x0201\n0x200004: 0x0201\n";
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert_msg(decode(text, strlen(text), &memory, why), "%s", why);
	ck_assert_uint_eq(memory.size, 4096 + 6);
	for (size_t i = 0; i < memory.size; i++)
		ck_assert_uint_eq(memory.bytes[i], 1 + i % 2);
	dump_free(&memory);
}
END_TEST

START_TEST(what_is_no_text_is_taken_as_it_is)
{
	static const char bytes[] = { '0', '1', 0, '\n', (char)0xff };
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert(decode(bytes, sizeof(bytes), &memory, why));
	ck_assert_uint_eq(memory.size, sizeof(bytes));
	ck_assert_int_eq(memcmp(memory.bytes, bytes, sizeof(bytes)), 0);
	dump_free(&memory);
	ck_assert(decode("", 0, &memory, why));
	ck_assert_uint_eq(memory.size, 0);
	dump_free(&memory);
}
END_TEST

START_TEST(no_more_than_is_wanted)
{
	static const char many[] = "000000 01 02\n*\n002000\n";
	static const char more[] = "000000 01 02\n*\n002000 01\n";
	static uint8_t bytes[MOST + 1];
	struct dump memory;
	char why[DUMP_WHY];

	ck_assert(decode(many, strlen(many), &memory, why));
	ck_assert_uint_eq(memory.size, MOST);
	dump_free(&memory);
	ck_assert(!decode(more, strlen(more), &memory, why));
	ck_assert_str_eq(why, "line 3: that is too much");
	ck_assert(!decode((const char *)bytes, sizeof(bytes), &memory, why));
	ck_assert_str_eq(why, "that is too much");
}
END_TEST

START_TEST(a_stream_is_read_whole)
{
	static uint8_t bytes[100000];
	FILE *file = tmpfile();
	struct dump raw;
	char why[DUMP_WHY];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	rewind(file);
	ck_assert(dump_read(file, &raw, why));
	ck_assert_uint_eq(raw.size, sizeof(bytes));
	ck_assert_int_eq(memcmp(raw.bytes, bytes, sizeof(bytes)), 0);
	dump_free(&raw);
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(all, each_form_shows_the_same_bytes, 0, ARRAY_SIZE(forms));
	tcase_add_loop_test(all, what_is_none_of_them_is_refused_with_its_line, 0,
	                    ARRAY_SIZE(refused));
	tcase_add_test(all, a_star_stands_for_copies_of_the_row_before);
	tcase_add_test(all, another_block_may_begin_where_one_has_ended);
	tcase_add_test(all, what_is_no_text_is_taken_as_it_is);
	tcase_add_test(all, no_more_than_is_wanted);
	tcase_add_test(all, a_stream_is_read_whole);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
