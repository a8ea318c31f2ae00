/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Guests on the bare model: what an exit reports.  APM vol. 2, 15.6 to 15.14. */
#include <libsvm/exit_codes.h>

#include "bare.h"

START_TEST(a_guest_ends_with_vmmcall_in_every_mode)
{
	struct bare b;

	bare_init(&b, NULL, (enum bare_mode)_i);
	hosted_script_mov(&b.code, HOSTED_RBX, 0x1234);
	hosted_script_vmmcall(&b.code);
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_uint_eq(b.s.rbx, 0x1234);
	ck_assert_uint_eq(b.vmcb->save.rip, BARE_CODE + b.code.size - 3);
	ck_assert_uint_eq(b.vmcb->control.next_rip, BARE_CODE + b.code.size);
	ck_assert(hosted_cpu_gif(b.m, 0));
	ck_assert_uint_eq(hosted_breaches_all(b.m), 0);
	bare_fini(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hosted run");
	TCase *tc = tcase_create("exits");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_guest_ends_with_vmmcall_in_every_mode, 0, 3);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
