/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Firmware configuration against QEMU's docs/specs/fw_cfg. */
#include <check.h>
#include <string.h>

#include <libsvm/platform/fw_cfg.h>

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct svm_fw_cfg fw;
static uint8_t bytes[8192];

static void setup(void)
{
	svm_fw_cfg_init(&fw, UINT64_C(0x123456789a), 3, 0x0104);
}

/* The first bytes of an item. */
static void read_item(uint16_t item, unsigned count)
{
	svm_fw_cfg_write(&fw, 0, 2, item);
	for (unsigned i = 0; i < count; i++)
		bytes[i] = (uint8_t)svm_fw_cfg_read(&fw, 1, 1);
}

static const struct {
	const char *what;
	uint16_t item;
	uint8_t bytes[12];
} item_rows[] = {
	{ "signature, then zeros", 0x00, { 'Q', 'E', 'M', 'U' } },
	{ "ID: the traditional interface, no DMA", 0x01, { 1 } },
	{ "unknown item", 0x02, { 0 } },
	{ "RAM", 0x03, { 0x9a, 0x78, 0x56, 0x34, 0x12 } },
	{ "processors", 0x05, { 3 } },
	{ "most processors", 0x0f, { 0x04, 0x01 } },
	{ "empty directory", 0x19, { 0 } },
	{ "file that is not there", 0x20, { 0 } },
	{ "last item", 0xffff, { 0 } },
	{ "architecture's item", 0x8000, { 0 } },
};

START_TEST(items_read_as_specified)
{
	read_item(item_rows[_i].item, 12);
	ck_assert_msg(!memcmp(bytes, item_rows[_i].bytes, 12), "%s", item_rows[_i].what);
}
END_TEST

START_TEST(selecting_starts_again)
{
	read_item(0, 2);
	ck_assert_uint_eq(bytes[1], 'E');
	read_item(0, 2);
	ck_assert_uint_eq(bytes[0], 'Q');
}
END_TEST

START_TEST(files_are_in_the_directory)
{
	static const struct svm_fw_cfg_file e820 = { "etc/e820", "abc", 3 };
	static const struct svm_fw_cfg_file boot = { "bootorder", "", 0 };

	ck_assert_int_eq(svm_fw_cfg_add(&fw, &e820), 0);
	ck_assert_int_eq(svm_fw_cfg_add(&fw, &boot), 0);
	ck_assert_int_eq(svm_fw_cfg_add(&fw, &e820), SVM_ERR_EXIST);
	read_item(0x19, 4 + 3 * 64);
	ck_assert_mem_eq(bytes, "\0\0\0\2", 4);
	ck_assert_mem_eq(bytes + 4, "\0\0\0\3\0\x20\0\0etc/e820\0", 17);
	ck_assert_mem_eq(bytes + 68, "\0\0\0\0\0\x21\0\0bootorder\0", 18);
	for (unsigned i = 4 + 128; i < 4 + 192; i++)
		ck_assert_uint_eq(bytes[i], 0);
	read_item(0x20, 5);
	ck_assert_mem_eq(bytes, "abc\0\0", 5);
	read_item(0x21, 2);
	ck_assert_mem_eq(bytes, "\0\0", 2);
}
END_TEST

/* 55 bytes. */
#define LONGEST "0123456789012345678901234567890123456789012345678901234"

static const struct {
	const char *what;
	struct svm_fw_cfg_file file;
	int result;
} add_rows[] = {
	{ "no name", { NULL, "a", 1 }, SVM_ERR_INVAL },
	{ "empty name", { "", "a", 1 }, SVM_ERR_INVAL },
	{ "no bytes", { "a", NULL, 1 }, SVM_ERR_INVAL },
	{ "nothing of no bytes", { "a", NULL, 0 }, 0 },
	{ "longest name", { LONGEST, "a", 1 }, 0 },
	{ "a name too long", { LONGEST "5", "a", 1 }, SVM_ERR_INVAL },
};

START_TEST(files_have_their_shape)
{
	ck_assert_msg(svm_fw_cfg_add(&fw, &add_rows[_i].file) == add_rows[_i].result, "%s",
	              add_rows[_i].what);
	if (!add_rows[_i].result) {
		read_item(0x19, 68);
		ck_assert_str_eq((const char *)bytes + 12, add_rows[_i].file.name);
	}
}
END_TEST

START_TEST(number_of_files_has_a_limit)
{
	static char names[SVM_FW_CFG_FILE_MAX + 1][4];

	for (unsigned i = 0; i <= SVM_FW_CFG_FILE_MAX; i++) {
		const struct svm_fw_cfg_file file = { names[i], "x", 1 };

		names[i][0] = (char)('A' + i % 26);
		names[i][1] = (char)('a' + i / 26);
		ck_assert_int_eq(svm_fw_cfg_add(&fw, &file),
		                 i < SVM_FW_CFG_FILE_MAX ? 0 : SVM_ERR_NOMEM);
	}
	/* A name that begins like another is another. */
	fw.file_count = 1;
	ck_assert_int_eq(svm_fw_cfg_add(&fw, &(struct svm_fw_cfg_file){ "A", "x", 1 }), 0);
	ck_assert_int_eq(svm_fw_cfg_add(&fw, &(struct svm_fw_cfg_file){ "Aab", "x", 1 }), 0);
}
END_TEST

/* Accesses that are none: nothing is read, and the position stays. */
static const struct {
	const char *what;
	bool is_write;
	uint32_t offset, size;
} odd_rows[] = {
	{ "reading the selector", false, 0, 2 },
	{ "two bytes of data", false, 1, 2 },
	{ "selector and data", false, 0, 4 },
	{ "behind", false, 2, 1 },
	{ "selecting by a byte", true, 0, 1 },
	{ "selecting by 4 bytes", true, 0, 4 },
	{ "writing data", true, 1, 1 },
	{ "writing far away", true, 0xffffffff, 2 },
};

START_TEST(odd_accesses_do_nothing)
{
	read_item(0, 1);
	if (odd_rows[_i].is_write)
		svm_fw_cfg_write(&fw, odd_rows[_i].offset, odd_rows[_i].size, 5);
	else
		ck_assert_uint_eq(svm_fw_cfg_read(&fw, odd_rows[_i].offset, odd_rows[_i].size), 0);
	ck_assert_msg(svm_fw_cfg_read(&fw, 1, 1) == 'E', "%s", odd_rows[_i].what);
}
END_TEST

START_TEST(state_is_restored)
{
	const struct svm_fw_cfg_state end = { 0x20, 0, UINT32_MAX }, bad = { 0, 1, 0 };
	const struct svm_fw_cfg_file file = { "a", "x", 1 };
	struct svm_fw_cfg_state state;

	ck_assert_int_eq(svm_fw_cfg_add(&fw, &file), 0);
	ck_assert_int_eq(svm_fw_cfg_restore(&fw, &end), 0);
	/* The last offset of all stays the last. */
	ck_assert_uint_eq(svm_fw_cfg_read(&fw, 1, 1), 0);
	ck_assert_uint_eq(svm_fw_cfg_read(&fw, 1, 1), 0);
	ck_assert_int_eq(svm_fw_cfg_restore(&fw, &bad), SVM_ERR_INVAL);
	svm_fw_cfg_save(&fw, &state);
	ck_assert_mem_eq(&state, &end, sizeof(end));
	svm_fw_cfg_reset(&fw);
	ck_assert_uint_eq(svm_fw_cfg_read(&fw, 1, 1), 'Q');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fw_cfg");
	TCase *tc = tcase_create("fw_cfg");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, items_read_as_specified, 0, ROWS(item_rows));
	tcase_add_test(tc, selecting_starts_again);
	tcase_add_test(tc, files_are_in_the_directory);
	tcase_add_loop_test(tc, files_have_their_shape, 0, ROWS(add_rows));
	tcase_add_test(tc, number_of_files_has_a_limit);
	tcase_add_loop_test(tc, odd_accesses_do_nothing, 0, ROWS(odd_rows));
	tcase_add_test(tc, state_is_restored);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
