/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Errors in words: embedders log these, so each number has one sentence and one name for ever. */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/error.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	int error;
	const char *name;
} name_rows[] = {
	{ 0, "0" },
	{ -1, "SVM_ERR_INVAL" },
	{ -2, "SVM_ERR_NOMEM" },
	{ -9, "SVM_ERR_HAL_MISSING" },
	{ -15, "SVM_ERR_SVM_LOCKED_KEY" },
	{ -24, "SVM_ERR_BAD_IMAGE" },
	{ -25, "SVM_ERR_FORBIDDEN" },
	{ -26, "SVM_ERR_?" },
	{ 1, "SVM_ERR_?" },
	{ INT_MIN, "SVM_ERR_?" },
	{ INT_MAX, "SVM_ERR_?" },
};

START_TEST(an_error_has_its_name)
{
	ck_assert_str_eq(svm_error_name(name_rows[_i].error), name_rows[_i].name);
}
END_TEST

START_TEST(success_and_strangers_have_a_text)
{
	ck_assert_str_eq(svm_strerror(0), "success");
	ck_assert_str_eq(svm_strerror(1), "unknown error");
	ck_assert_str_eq(svm_strerror(-26), "unknown error");
	ck_assert_str_eq(svm_strerror(INT_MIN), "unknown error");
}
END_TEST

static const int all_errors[] = {
#define ROW(name, value, text) (value),
	SVM_ERRORS(ROW)
#undef ROW
};

START_TEST(no_two_errors_read_alike)
{
	const char *mine = svm_strerror(all_errors[_i]);

	ck_assert_str_ne(mine, "unknown error");
	for (int i = 0; i < ARRAY_SIZE(all_errors); i++) {
		if (i == _i)
			continue;
		ck_assert_str_ne(mine, svm_strerror(all_errors[i]));
		ck_assert_str_ne(svm_error_name(all_errors[_i]), svm_error_name(all_errors[i]));
	}
}
END_TEST

START_TEST(errors_are_negative_and_without_gaps)
{
	/* A gap would be an error that somebody removed: numbers are part of the ABI. */
	ck_assert_int_eq(all_errors[_i], -1 - _i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");

	tcase_add_loop_test(tcase, an_error_has_its_name, 0, ARRAY_SIZE(name_rows));
	tcase_add_test(tcase, success_and_strangers_have_a_text);
	tcase_add_loop_test(tcase, no_two_errors_read_alike, 0, ARRAY_SIZE(all_errors));
	tcase_add_loop_test(tcase, errors_are_negative_and_without_gaps, 0, ARRAY_SIZE(all_errors));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
