/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* MSR permission map and the table of registers behind it.  APM vol. 2, 15.11. */
#include <check.h>
#include <stdlib.h>

#include "core/msr_policy.h"
#include "core/msrpm.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static uint8_t map[SVM_MSRPM_SIZE];

static const struct {
	const char *what;
	uint32_t msr;
	int result;
	struct svm_msrpm_slot slot; /* byte, shift */
} find_rows[] = {
	{ "first of window 1", 0x00000000, 0, { 0x0000, 0 } },
	{ "second of window 1", 0x00000001, 0, { 0x0000, 2 } },
	{ "TSC", 0x00000010, 0, { 0x0004, 0 } },
	{ "SYSENTER_EIP", 0x00000176, 0, { 0x005d, 4 } },
	{ "last of window 1", 0x00001fff, 0, { 0x07ff, 6 } },
	{ "first past window 1", 0x00002000, SVM_ERR_INVAL, { 0, 0 } },
	{ "a hypervisor's", 0x40000000, SVM_ERR_INVAL, { 0, 0 } },
	{ "last before window 2", 0xbfffffff, SVM_ERR_INVAL, { 0, 0 } },
	{ "first of window 2", 0xc0000000, 0, { 0x0800, 0 } },
	{ "EFER", 0xc0000080, 0, { 0x0820, 0 } },
	{ "LSTAR", 0xc0000082, 0, { 0x0820, 4 } },
	{ "last of window 2", 0xc0001fff, 0, { 0x0fff, 6 } },
	{ "first past window 2", 0xc0002000, SVM_ERR_INVAL, { 0, 0 } },
	{ "last before window 3", 0xc000ffff, SVM_ERR_INVAL, { 0, 0 } },
	{ "first of window 3", 0xc0010000, 0, { 0x1000, 0 } },
	{ "VM_HSAVE_PA", 0xc0010117, 0, { 0x1045, 6 } },
	{ "last of window 3", 0xc0011fff, 0, { 0x17ff, 6 } },
	{ "first past window 3", 0xc0012000, SVM_ERR_INVAL, { 0, 0 } },
	{ "where a fourth window would be", 0xc0020000, SVM_ERR_INVAL, { 0, 0 } },
	{ "the last number", 0xffffffff, SVM_ERR_INVAL, { 0, 0 } },
};

START_TEST(find_follows_the_manual)
{
	struct svm_msrpm_slot slot = { 0, 0 };
	const int result = svm_msrpm_find(find_rows[_i].msr, &slot);

	ck_assert_msg(result == find_rows[_i].result, "%s: got %d", find_rows[_i].what, result);
	ck_assert_msg(slot.byte == find_rows[_i].slot.byte, "%s: byte %#x", find_rows[_i].what,
	              slot.byte);
	ck_assert_msg(slot.shift == find_rows[_i].slot.shift, "%s: shift %u", find_rows[_i].what,
	              slot.shift);
}
END_TEST

START_TEST(set_opens_and_closes_both_directions_of_one_register)
{
	svm_msrpm_deny_all(map);
	svm_msrpm_set(map, find_rows[_i].msr, true);
	for (uint32_t i = 0; i < SVM_MSRPM_SIZE; i++) {
		const bool here = !find_rows[_i].result && i == find_rows[_i].slot.byte;

		ck_assert_uint_eq(map[i], here ? 0xff & ~(3u << find_rows[_i].slot.shift) : 0xffu);
	}
	ck_assert(svm_msrpm_denies(map, find_rows[_i].msr, false) == (find_rows[_i].result != 0));
	ck_assert(svm_msrpm_denies(map, find_rows[_i].msr, true) == (find_rows[_i].result != 0));
	svm_msrpm_set(map, find_rows[_i].msr, false);
	ck_assert(svm_msrpm_denies(map, find_rows[_i].msr, false));
	ck_assert(svm_msrpm_denies(map, find_rows[_i].msr, true));
}
END_TEST

START_TEST(the_lower_bit_is_for_reads)
{
	svm_msrpm_deny_all(map);
	map[0x0820] = 0xfe; /* EFER readable. */
	ck_assert(!svm_msrpm_denies(map, 0xc0000080, false));
	ck_assert(svm_msrpm_denies(map, 0xc0000080, true));
	map[0x0820] = 0xfd; /* EFER writable. */
	ck_assert(svm_msrpm_denies(map, 0xc0000080, false));
	ck_assert(!svm_msrpm_denies(map, 0xc0000080, true));
}
END_TEST

/* The registers that VMLOAD and VMSAVE switch (15.5.2), and no other. */
static const uint32_t open_msrs[] = {
	0x00000174, 0x00000175, 0x00000176, 0xc0000081, 0xc0000082,
	0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
};

START_TEST(only_what_vmload_switches_is_open_by_default)
{
	uint8_t expected[SVM_MSRPM_SIZE];

	memset(expected, 0xff, sizeof(expected));
	expected[0x005d] = 0xc0; /* 174h, 175h, 176h; 177h closed. */
	expected[0x0820] = 0x03; /* EFER closed; STAR, LSTAR, CSTAR. */
	expected[0x0821] = 0xfc; /* SFMASK. */
	expected[0x0840] = 0xc0; /* FS, GS, KernelGS base; TSC_AUX closed. */
	svm_msrpm_default(map);
	ck_assert_mem_eq(map, expected, sizeof(expected));
	for (int i = 0; i < ARRAY_SIZE(open_msrs); i++)
		ck_assert(!svm_msrpm_denies(map, open_msrs[i], true));
}
END_TEST

static const struct {
	uint32_t msr;
	enum svm_msr_policy policy;
	uint64_t reset;
} table_rows[] = {
	{ 0x00000010, SVM_MSR_STATE, 0 },    { 0x0000001b, SVM_MSR_STATE, 0xfee00900 },
	{ 0x00000174, SVM_MSR_PASS, 0 },     { 0x00000250, SVM_MSR_SHADOW, 0 },
	{ 0x0000026f, SVM_MSR_SHADOW, 0 },   { 0x00000277, SVM_MSR_STATE, 0x0007040600070406 },
	{ 0xc0000080, SVM_MSR_STATE, 0 },    { 0xc0010000, SVM_MSR_ZERO, 0 },
	{ 0xc0010114, SVM_MSR_STATE, 0x10 }, /* VM_CR: SVM is disabled. */
	{ 0xc0010117, SVM_MSR_REFUSE, 0 },   { 0x00000000, SVM_MSR_REFUSE, 0 },
	{ 0x00000011, SVM_MSR_REFUSE, 0 },   { 0x4b564d00, SVM_MSR_REFUSE, 0 },
	{ 0xffffffff, SVM_MSR_REFUSE, 0 },
};

START_TEST(the_table_says_what_a_register_is)
{
	const enum svm_msr_index index = svm_msr_index_of(table_rows[_i].msr);

	ck_assert_int_eq((int)svm_msr_default_policy(index), (int)table_rows[_i].policy);
	ck_assert_int_eq((int)svm_msr_table_policy(table_rows[_i].msr),
	                 (int)table_rows[_i].policy);
	ck_assert_uint_eq(svm_msr_reset_value(index), table_rows[_i].reset);
}
END_TEST

START_TEST(numbers_ascend_and_lead_back_to_their_rows)
{
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++) {
		const uint32_t msr = svm_msr_number((enum svm_msr_index)i);

		ck_assert_uint_eq(svm_msr_index_of(msr), i);
		if (i)
			ck_assert_uint_gt(msr, svm_msr_number((enum svm_msr_index)(i - 1)));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("msrpm");
	TCase *tcase = tcase_create("msrpm");

	tcase_add_loop_test(tcase, find_follows_the_manual, 0, ARRAY_SIZE(find_rows));
	tcase_add_loop_test(tcase, set_opens_and_closes_both_directions_of_one_register, 0,
	                    ARRAY_SIZE(find_rows));
	tcase_add_test(tcase, the_lower_bit_is_for_reads);
	tcase_add_test(tcase, only_what_vmload_switches_is_open_by_default);
	tcase_add_loop_test(tcase, the_table_says_what_a_register_is, 0, ARRAY_SIZE(table_rows));
	tcase_add_test(tcase, numbers_ascend_and_lead_back_to_their_rows);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
