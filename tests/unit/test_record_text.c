/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Dumps of the recorder: whole lines, since tools of other versions read them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/recorder.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	struct svm_record record;
	const char *text;
} rows[] = {
	{ { 0 },
	  "svm-record n=0 tsc=0 code=0 name=CR0_READ rip=0 info1=0 info2=0 intinfo=0 advanced=0 "
	  "event=0 kind=-" },
	{ { .number = 1000,
	    .tsc = 0x2a0f1,
	    .exit_code = 0x7b,
	    .rip = 0x101c,
	    .exit_info_1 = 0x3f80010,
	    .exit_info_2 = 0x101d,
	    .advanced = 1,
	    .kind = SVM_EXIT_KIND_IO },
	  "svm-record n=1000 tsc=2A0F1 code=7B name=IOIO rip=101C info1=3F80010 info2=101D "
	  "intinfo=0 advanced=1 event=0 kind=IO" },
	{ { .number = 1001,
	    .tsc = 0x2b3c0,
	    .exit_code = 0x400,
	    .rip = 0x1021,
	    .exit_info_1 = 0x100000004,
	    .exit_info_2 = 0x8000,
	    .exit_int_info = 0x80000020,
	    .has_int_info = 1,
	    .event = 0x680000b0e,
	    .has_event = 1 },
	  "svm-record n=1001 tsc=2B3C0 code=400 name=NPF rip=1021 info1=100000004 info2=8000 "
	  "intinfo=80000020 advanced=0 event=680000B0E kind=-" },
	{ { .exit_code = 0xffffffff, .kind = SVM_EXIT_KIND_ENTRY_FAILED },
	  "svm-record n=0 tsc=0 code=FFFFFFFF name=INVALID rip=0 info1=0 info2=0 intinfo=0 "
	  "advanced=0 event=0 kind=ENTRY_FAILED" },
	/* What only a damaged file holds. */
	{ { .exit_code = 0x999, .kind = 0xff },
	  "svm-record n=0 tsc=0 code=999 name=- rip=0 info1=0 info2=0 intinfo=0 advanced=0 event=0 "
	  "kind=-" },
};

START_TEST(a_record_is_one_line)
{
	char line[SVM_RECORD_LINE];

	ck_assert_uint_eq(svm_record_text(&rows[_i].record, line, sizeof(line)),
	                  strlen(rows[_i].text));
	ck_assert_str_eq(line, rows[_i].text);
}
END_TEST

START_TEST(a_header_is_one_line)
{
	const struct svm_recorder_header header = {
		.magic = SVM_RECORDER_MAGIC,
		.version = SVM_RECORDER_VERSION,
		.header_size = 64,
		.record_size = 64,
		.vcpu = 3,
		.capacity = 64,
		.count = 64,
		.recorded = 18446744073709551615u,
		.tsc_hz = 2400000000,
	};
	char line[SVM_RECORD_LINE];

	svm_recorder_text(&header, line, sizeof(line));
	ck_assert_str_eq(line, "svm-recorder version=1 vcpu=3 capacity=64 count=64 "
	                       "recorded=18446744073709551615 tsc_hz=2400000000");
}
END_TEST

START_TEST(the_longest_line_fits)
{
	struct svm_record record;
	char line[SVM_RECORD_LINE];

	memset(&record, 0xff, sizeof(record));
	record.kind = SVM_EXIT_KIND_HOST_INTERRUPT;
	record.exit_code = 0x401; /* The longest name. */
	ck_assert_uint_lt(svm_record_text(&record, line, sizeof(line)), sizeof(line));
	ck_assert_ptr_nonnull(strstr(line, "kind=HOST_INTERRUPT"));
}
END_TEST

/* The order of bytes is the format's, and so is each place. */
START_TEST(hexadecimal_is_the_bytes)
{
	const struct svm_record record = {
		.number = 0x1122334455667788,
		.tsc = 2,
		.exit_code = 0x400,
		.advanced = 1,
		.kind = SVM_EXIT_KIND_MMIO,
		.has_event = 1,
		.has_int_info = 1,
		.rip = 3,
		.exit_info_1 = 4,
		.exit_info_2 = 5,
		.exit_int_info = 0x80000020,
		.event = 0x8000030e,
	};
	char line[SVM_RECORD_LINE];

	ck_assert_uint_eq(svm_recorder_hex(&record, line, sizeof(line)), 8 + 128);
	ck_assert_str_eq(line, "svm-hex 8877665544332211"
	                       "0200000000000000"
	                       "0004000001020101"
	                       "0300000000000000"
	                       "0400000000000000"
	                       "0500000000000000"
	                       "2000008000000000"
	                       "0E03008000000000");
}
END_TEST

START_TEST(a_short_buffer_holds_the_beginning)
{
	const size_t whole = strlen(rows[1].text);
	char line[SVM_RECORD_LINE];

	for (size_t size = 0; size < whole + 2; size++) {
		memset(line, 'x', sizeof(line));
		ck_assert_uint_eq(svm_record_text(&rows[1].record, line, size), whole);
		ck_assert_int_eq(line[size], 'x');
		if (size != 0)
			ck_assert_int_eq(strncmp(line, rows[1].text, size - 1), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record text");
	TCase *tc = tcase_create("lines");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_record_is_one_line, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, a_header_is_one_line);
	tcase_add_test(tc, the_longest_line_fits);
	tcase_add_test(tc, hexadecimal_is_the_bytes);
	tcase_add_test(tc, a_short_buffer_holds_the_beginning);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
