/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Moves between the states of a VM and of a vCPU: the whole squares, against pictures by hand. */
#include <check.h>
#include <stdlib.h>

#include <libsvm/vcpu.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	enum svm_vcpu_state state;
	const char *name;
	/* To CREATED, RUNNABLE, RUNNING, HALTED, WAIT_SIPI, SHUTDOWN, DEAD: x is legal. */
	const char *moves;
} rows[] = {
	{ SVM_VCPU_CREATED, "CREATED", "..x.x.x" },
	{ SVM_VCPU_RUNNABLE, "RUNNABLE", "x.x.x.x" },
	{ SVM_VCPU_RUNNING, "RUNNING", "xx.xxxx" },
	{ SVM_VCPU_HALTED, "HALTED", "xxx.x.x" },
	{ SVM_VCPU_WAIT_SIPI, "WAIT_SIPI", "xx....x" },
	{ SVM_VCPU_SHUTDOWN, "SHUTDOWN", "x...x.x" },
	{ SVM_VCPU_DEAD, "DEAD", "......." }, /* Nothing leads back from there. */
};

START_TEST(the_table_is_the_picture)
{
	ck_assert_int_eq(ARRAY_SIZE(rows), SVM_VCPU_STATE_COUNT);
	ck_assert_int_eq((int)rows[_i].state, _i);
	ck_assert_str_eq(svm_vcpu_state_name(rows[_i].state), rows[_i].name);
	for (int to = 0; to < SVM_VCPU_STATE_COUNT; to++)
		ck_assert_msg(svm_vcpu_state_allowed(rows[_i].state, (enum svm_vcpu_state)to) ==
		                      (rows[_i].moves[to] == 'x'),
		              "%s to %s", rows[_i].name, rows[to].name);
}
END_TEST

START_TEST(a_number_that_is_no_state_goes_nowhere)
{
	const enum svm_vcpu_state none = (enum svm_vcpu_state)99;

	ck_assert_str_eq(svm_vcpu_state_name(none), "?");
	ck_assert_str_eq(svm_vcpu_state_name(SVM_VCPU_STATE_COUNT), "?");
	for (int i = 0; i < SVM_VCPU_STATE_COUNT; i++) {
		ck_assert(!svm_vcpu_state_allowed(none, (enum svm_vcpu_state)i));
		ck_assert(!svm_vcpu_state_allowed((enum svm_vcpu_state)i, none));
	}
}
END_TEST

static const struct {
	enum svm_vm_state state;
	const char *name;
	const char *moves; /* To CREATED, RUNNING, PAUSED, STOPPED, DEAD: x is legal. */
} vm_rows[] = {
	{ SVM_VM_CREATED, "CREATED", ".xxxx" },
	{ SVM_VM_RUNNING, "RUNNING", "..xxx" },
	{ SVM_VM_PAUSED, "PAUSED", "xx.xx" },
	{ SVM_VM_STOPPED, "STOPPED", "x...x" },
	{ SVM_VM_DEAD, "DEAD", "....." },
};

START_TEST(the_table_of_a_vm_is_the_picture)
{
	ck_assert_int_eq(ARRAY_SIZE(vm_rows), SVM_VM_STATE_COUNT);
	ck_assert_int_eq((int)vm_rows[_i].state, _i);
	ck_assert_str_eq(svm_vm_state_name(vm_rows[_i].state), vm_rows[_i].name);
	for (int to = 0; to < SVM_VM_STATE_COUNT; to++)
		ck_assert_msg(svm_vm_state_allowed(vm_rows[_i].state, (enum svm_vm_state)to) ==
		                      (vm_rows[_i].moves[to] == 'x'),
		              "%s to %s", vm_rows[_i].name, vm_rows[to].name);
	ck_assert_str_eq(svm_vm_state_name((enum svm_vm_state)99), "?");
	ck_assert(!svm_vm_state_allowed(vm_rows[_i].state, (enum svm_vm_state)99));
	ck_assert(!svm_vm_state_allowed((enum svm_vm_state)99, vm_rows[_i].state));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = tcase_create("state");

	tcase_add_loop_test(tcase, the_table_is_the_picture, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, a_number_that_is_no_state_goes_nowhere);
	tcase_add_loop_test(tcase, the_table_of_a_vm_is_the_picture, 0, ARRAY_SIZE(vm_rows));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
