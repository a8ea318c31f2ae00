/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the library writes, the tool reads: the two forms of lines, and the binary one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>

#include "../../ports/hosted/tools/trace.h"

#define RECORDS 3

static const struct svm_recorder_header header = {
	.magic = SVM_RECORDER_MAGIC,
	.version = SVM_RECORDER_VERSION,
	.header_size = sizeof(struct svm_recorder_header),
	.record_size = sizeof(struct svm_record),
	.vcpu = 3,
	.capacity = 64,
	.count = RECORDS,
	.recorded = 1002,
	.tsc_hz = 2600000000,
};

static const struct svm_record records[RECORDS] = {
	{ .number = 999, .tsc = 1000, .exit_code = SVM_EXIT_CPUID, .advanced = 1, .rip = 0x101a },
	{ .number = 1000,
	  .tsc = 1500,
	  .exit_code = SVM_EXIT_IOIO,
	  .kind = SVM_EXIT_KIND_IO,
	  .rip = 0xffffffff8000101c,
	  .exit_info_1 = 0x3f80010,
	  .exit_info_2 = 0xffffffff8000101d },
	{ .number = 1001,
	  .tsc = 1700,
	  .exit_code = SVM_EXIT_NPF,
	  .rip = 0x1021,
	  .has_event = 1,
	  .has_int_info = 1,
	  .exit_info_1 = 0x100000004,
	  .exit_info_2 = 0x8000,
	  .exit_int_info = 0x80000030,
	  .event = 0x80000030 },
};

static void check_trace(const char *text, size_t size)
{
	const struct dump raw = { .bytes = (uint8_t *)(uintptr_t)text, .size = size };
	struct trace trace = { 0 };
	char why[DUMP_WHY] = "";

	ck_assert_msg(trace_read(&trace, &raw, why), "%s", why);
	trace_measure(&trace);
	ck_assert_uint_eq(trace.dump_count, 1);
	ck_assert_uint_eq(trace.exit_count, RECORDS);
	ck_assert_uint_eq(trace.dumps[0].header.vcpu, 3);
	ck_assert_uint_eq(trace.dumps[0].header.recorded, 1002);
	ck_assert_uint_eq(trace.dumps[0].header.tsc_hz, 2600000000);
	ck_assert_uint_eq(trace.dumps[0].missing, 0);
	for (int i = 0; i < RECORDS; i++)
		ck_assert_int_eq(
			memcmp(&trace.exits[i].record, &records[i], sizeof(struct svm_record)), 0);
	ck_assert_uint_eq(trace.exits[0].ticks, 500);
	ck_assert_uint_eq(trace.exits[1].ticks, 200);
	ck_assert_uint_eq(trace.exits[2].ticks, 0);
	trace_free(&trace);
}

static void add(char *text, size_t room, const char *line)
{
	const size_t used = strlen(text);

	ck_assert_uint_lt(used + strlen(line) + 2, room);
	strcat(text, line);
	strcat(text, "\n");
}

START_TEST(lines_of_text_are_read_back)
{
	char text[(RECORDS + 1) * SVM_RECORD_LINE] = "", line[SVM_RECORD_LINE];

	svm_recorder_text(&header, line, sizeof(line));
	add(text, sizeof(text), line);
	for (int i = 0; i < RECORDS; i++) {
		svm_record_text(&records[i], line, sizeof(line));
		add(text, sizeof(text), line);
	}
	check_trace(text, strlen(text));
}
END_TEST

START_TEST(lines_of_digits_are_read_back)
{
	char text[(RECORDS + 1) * SVM_RECORD_LINE] = "", line[SVM_RECORD_LINE];

	svm_recorder_hex(&header, line, sizeof(line));
	add(text, sizeof(text), line);
	for (int i = 0; i < RECORDS; i++) {
		svm_recorder_hex(&records[i], line, sizeof(line));
		add(text, sizeof(text), line);
	}
	check_trace(text, strlen(text));
}
END_TEST

START_TEST(the_binary_form_is_read_back)
{
	char bytes[sizeof(header) + sizeof(records)];

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), records, sizeof(records));
	check_trace(bytes, sizeof(bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(all, lines_of_text_are_read_back);
	tcase_add_test(all, lines_of_digits_are_read_back);
	tcase_add_test(all, the_binary_form_is_read_back);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
