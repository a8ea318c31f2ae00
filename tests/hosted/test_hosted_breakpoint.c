/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Breakpoints on execution are faults, on data they are traps.  APM vol. 2, 13.1.1 and 13.1.3.
 *
 * The guest writes four bytes at GUEST_DATA and reads them back.
 */
#include <libsvm/exit_codes.h>

#include "bare.h"
#include "suite.h"

enum at { AT_START, AT_STORE, AT_LOAD, AT_END };

#define DATA  GUEST_DATA
#define RF    0x10000u
#define ENDED 0x81u /* VMMCALL. */
#define DEBUG 0x41u

static const struct {
	const char *what;
	uint64_t address; /* Of DR1; below AT_END + 1: the address of that instruction. */
	uint64_t dr7, rflags;
	unsigned exit_code;
	enum at at; /* Where RIP is at the exit. */
	uint64_t dr6;
} rows[] = {
	{ "execution, before it", AT_STORE, 0x8, 0, DEBUG, AT_STORE, 2 },
	{ "execution, local enable", AT_STORE, 0x4, 0, DEBUG, AT_STORE, 2 },
	{ "execution, not enabled", AT_STORE, 0x3, 0, ENDED, AT_END, 0 },
	{ "execution, RF at the first one", AT_START, 0x8, RF, ENDED, AT_END, 0 },
	{ "execution, RF lasts for one", AT_STORE, 0x8, RF, DEBUG, AT_STORE, 2 },
	{ "a store, behind it", DATA, 0xd00008, 0, DEBUG, AT_LOAD, 2 },
	{ "a store touches the last byte", DATA + 3, 0x100008, 0, DEBUG, AT_LOAD, 2 },
	{ "one byte past the store", DATA + 4, 0x100008, 0, ENDED, AT_END, 0 },
	{ "eight bytes, aligned down", DATA + 7, 0x900008, 0, DEBUG, AT_LOAD, 2 },
	{ "access: the store comes first", DATA, 0xf00008, 0, DEBUG, AT_LOAD, 2 },
	{ "I/O does not match memory", DATA, 0xe00008, 0, ENDED, AT_END, 0 },
	{ "RF hides no data", DATA, 0xd00008, RF, DEBUG, AT_LOAD, 2 },
};

START_TEST(a_breakpoint_hits_what_it_names)
{
	uint64_t places[AT_END + 1];
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	places[AT_START] = GUEST_CODE;
	hosted_script_mov(&b.code, HOSTED_RBX, DATA);
	places[AT_STORE] = GUEST_CODE + b.code.size;
	hosted_script_store(&b.code, HOSTED_RBX, HOSTED_RAX, false);
	places[AT_LOAD] = GUEST_CODE + b.code.size;
	hosted_script_load(&b.code, HOSTED_RCX, HOSTED_RBX, false);
	places[AT_END] = GUEST_CODE + b.code.size;
	hosted_script_vmmcall(&b.code);
	*hosted_cpu_dr(b.m, 0, 1) =
		rows[_i].address <= AT_END ? places[rows[_i].address] : rows[_i].address;
	svm_vmcb_set_dr7(b.vmcb, 0x400 | rows[_i].dr7);
	svm_vmcb_set_dr6(b.vmcb, 0xffff0ff0);
	b.vmcb->save.rflags |= rows[_i].rflags;
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + 1, true);

	ck_assert_msg(bare_run(&b) == rows[_i].exit_code, "%s", rows[_i].what);
	ck_assert_uint_eq(b.vmcb->save.rip, places[rows[_i].at]);
	ck_assert_uint_eq(svm_vmcb_get_dr6(b.vmcb), 0xffff0ff0 | rows[_i].dr6);
	bare_fini(&b);
}
END_TEST

START_TEST(a_step_and_a_store_are_one_trap)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_store(&b.code, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_vmmcall(&b.code);
	b.s.rbx = DATA;
	*hosted_cpu_dr(b.m, 0, 0) = DATA;
	svm_vmcb_set_dr7(b.vmcb, 0xd0402);
	svm_vmcb_set_dr6(b.vmcb, 0xffff0ff0);
	b.vmcb->save.rflags |= 0x100; /* TF */
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + 1, true);
	ck_assert_uint_eq(bare_run(&b), DEBUG);
	ck_assert_uint_eq(svm_vmcb_get_dr6(b.vmcb), 0xffff4ff1);
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_breakpoint_hits_what_it_names, 0, ROWS(rows));
	tcase_add_test(tc, a_step_and_a_store_are_one_trap);
}

int main(void)
{
	return suite_run("hosted breakpoint", add);
}
