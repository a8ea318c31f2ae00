/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of exits, exceptions, MSRs and features against literals.  APM vol. 2, appendix C. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>
#include <libsvm/exit.h>
#include <libsvm/exit_codes.h>
#include <libsvm/host.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	uint64_t exit_code;
	const char *name; /* NULL: unknown. */
} exit_rows[] = {
	{ 0x000, "CR0_READ" },
	{ 0x00f, "CR15_READ" },
	{ 0x010, "CR0_WRITE" },
	{ 0x014, "CR4_WRITE" },
	{ 0x01f, "CR15_WRITE" },
	{ 0x020, "DR0_READ" },
	{ 0x037, "DR7_WRITE" },
	{ 0x03f, "DR15_WRITE" },
	{ 0x040, "EXCEPTION_DE" },
	{ 0x042, "EXCEPTION_2" },
	{ 0x04e, "EXCEPTION_PF" },
	{ 0x05f, "EXCEPTION_31" },
	{ 0x060, "INTR" },
	{ 0x063, "INIT" },
	{ 0x065, "CR0_SEL_WRITE" },
	{ 0x072, "CPUID" },
	{ 0x078, "HLT" },
	{ 0x07b, "IOIO" },
	{ 0x07c, "MSR" },
	{ 0x07f, "SHUTDOWN" },
	{ 0x080, "VMRUN" },
	{ 0x08f, "EFER_WRITE_TRAP" },
	{ 0x090, "CR0_WRITE_TRAP" },
	{ 0x09f, "CR15_WRITE_TRAP" },
	{ 0x0a0, "INVLPGB" },
	{ 0x0a6, "IDLE_HLT" },
	{ 0x0a7, NULL },
	{ 0x0bf, NULL },
	{ 0x3ff, NULL },
	{ 0x400, "NPF" },
	{ 0x403, "VMGEXIT" },
	{ 0x404, NULL },
	{ 0x407, "PML_FULL" },
	{ 0x10000000000, NULL },
	{ 0x100000072, NULL },             /* Not CPUID with a high half. */
	{ 0xffffffff, "INVALID" },         /* As QEMU writes it, */
	{ 0xffffffffffffffff, "INVALID" }, /* and as the manual says. */
	{ 0xfffffffffffffffe, "BUSY" },
	{ 0xfffffffffffffffd, "IDLE_REQUIRED" },
	{ 0xfffffffffffffffc, "INVALID_PMC" },
	{ 0xfffffffffffffffb, NULL },
	{ 0xfffffffe, NULL },
};

START_TEST(an_exit_has_the_manuals_name)
{
	char buffer[24];
	const char *name;

	memset(buffer, 'x', sizeof(buffer));
	name = svm_exit_name(exit_rows[_i].exit_code, buffer);
	if (!exit_rows[_i].name) {
		ck_assert_ptr_null(name);
		ck_assert_ptr_null(svm_exit_text(exit_rows[_i].exit_code));
		return;
	}
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, exit_rows[_i].name);
	ck_assert_ptr_nonnull(svm_exit_text(exit_rows[_i].exit_code));
}
END_TEST

START_TEST(a_name_and_a_text_come_together_and_fit)
{
	char buffer[24];

	for (uint64_t code = 0; code < 0x1000; code++) {
		const char *name = svm_exit_name(code, buffer);

		ck_assert_int_eq(name == NULL, svm_exit_text(code) == NULL);
		if (name)
			ck_assert_uint_lt(strlen(name), sizeof(buffer));
	}
}
END_TEST

START_TEST(exits_in_words)
{
	ck_assert_str_eq(svm_exit_text(0x7f), "shutdown (triple fault)");
	ck_assert_str_eq(svm_exit_text(0x14), "write of a control register");
	ck_assert_str_eq(svm_exit_text(0xffffffff), "VMRUN refused the VMCB");
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(svm_exit_kind_name(SVM_EXIT_KIND_NONE), "NONE");
	ck_assert_str_eq(svm_exit_kind_name(SVM_EXIT_KIND_IO), "IO");
	ck_assert_str_eq(svm_exit_kind_name(SVM_EXIT_KIND_NPT_FAULT), "NPT_FAULT");
	ck_assert_str_eq(svm_exit_kind_name(SVM_EXIT_KIND_LOOP), "LOOP");
	ck_assert_str_eq(svm_exit_kind_name(SVM_EXIT_KIND_COUNT), "?");
	ck_assert_str_eq(svm_exit_kind_name((enum svm_exit_kind)1000), "?");
}
END_TEST

static const struct {
	uint8_t vector;
	const char *name;
} exception_rows[] = {
	{ 0, "#DE" },  { 1, "#DB" },  { 2, "#?" },   { 3, "#BP" }, { 6, "#UD" },  { 8, "#DF" },
	{ 9, "#?" },   { 13, "#GP" }, { 14, "#PF" }, { 15, "#?" }, { 19, "#XF" }, { 21, "#CP" },
	{ 29, "#VC" }, { 30, "#SX" }, { 31, "#?" },  { 32, "#?" }, { 255, "#?" },
};

START_TEST(an_exception_has_its_mnemonic)
{
	ck_assert_str_eq(svm_exception_name(exception_rows[_i].vector), exception_rows[_i].name);
}
END_TEST

START_TEST(an_msr_has_its_name)
{
	ck_assert_str_eq(svm_msr_name(0x10), "TSC");
	ck_assert_str_eq(svm_msr_name(0xc0000080), "EFER");
	ck_assert_str_eq(svm_msr_name(0xc0010117), "VM_HSAVE_PA");
	ck_assert_ptr_null(svm_msr_name(0x11));
	ck_assert_ptr_null(svm_msr_name(0xffffffff));
}
END_TEST

static const struct {
	unsigned bit;
	const char *name;
} feature_rows[] = {
	{ 0, "NPT" },          { 3, "NRIPS" },     { 5, "CLEAN" },  { 6, "FLUSH_BY_ASID" },
	{ 8, NULL },           { 13, "AVIC" },     { 16, "V_GIF" }, { 25, "V_NMI" },
	{ 31, NULL },          { 30, "IDLE_HLT" }, { 32, NULL },    { 64, NULL },
	{ 4294967295u, NULL },
};

START_TEST(a_feature_has_its_name)
{
	const char *name = svm_feature_name(feature_rows[_i].bit);

	if (!feature_rows[_i].name) {
		ck_assert_ptr_null(name);
		return;
	}
	ck_assert_ptr_nonnull(name);
	ck_assert_str_eq(name, feature_rows[_i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = tcase_create("names");

	tcase_add_loop_test(tcase, an_exit_has_the_manuals_name, 0, ARRAY_SIZE(exit_rows));
	tcase_add_test(tcase, a_name_and_a_text_come_together_and_fit);
	tcase_add_test(tcase, exits_in_words);
	tcase_add_test(tcase, kinds_have_names);
	tcase_add_loop_test(tcase, an_exception_has_its_mnemonic, 0, ARRAY_SIZE(exception_rows));
	tcase_add_test(tcase, an_msr_has_its_name);
	tcase_add_loop_test(tcase, a_feature_has_its_name, 0, ARRAY_SIZE(feature_rows));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
