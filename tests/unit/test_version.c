/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Headers, archive and build files carry the version once each; here they meet. */
#include <check.h>
#include <stdlib.h>

#include <libsvm/version.h>

START_TEST(version_is_the_projects)
{
	ck_assert_str_eq(svm_version(), PROJECT_VERSION);
}
END_TEST

START_TEST(headers_and_library_agree)
{
	ck_assert_uint_eq(svm_version_number(), SVM_VERSION_NUMBER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("version");
	TCase *tcase = tcase_create("version");

	tcase_add_test(tcase, version_is_the_projects);
	tcase_add_test(tcase, headers_and_library_agree);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
