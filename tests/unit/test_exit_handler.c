/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm_vcpu_set_exit_handler(): an embedder that answers exits within the run.
 */
#include "vcpu_rig.h"

#define ANSWERED 0x80 /* Ports: OUT and IN. */
#define REFUSED  0x81 /* The handler says no. */
#define LEFT     0x82 /* It says yes, and has completed nothing. */
#define KICKING  0x83
#define ENDLESS  0x84 /* It goes back and has the guest do the same again. */

static struct rig r;
static unsigned calls;
static uint64_t told; /* The values of OUT and of writes, the last in bits 7:0. */

static int answer_port(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	struct svm_regs regs;

	if (!exit->io.is_in)
		told = told << 8 | exit->io.value;
	switch (exit->io.port) {
	case REFUSED:
		return SVM_ERR_NOENT;
	case LEFT:
		return 0;
	case KICKING:
		svm_vcpu_kick(vcpu);
		break;
	case ENDLESS:
		return svm_vcpu_complete_retry(vcpu);
	default:
		svm_vcpu_get_regs(vcpu, &regs);
		ck_assert_uint_eq(regs.rip, exit->rip);
	}
	return exit->io.is_in ? svm_vcpu_complete_value(vcpu, 0x5a) : svm_vcpu_complete_skip(vcpu);
}

static int answer(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	ck_assert_ptr_eq(arg, &r);
	ck_assert_ptr_eq(vcpu, r.vcpu);
	ck_assert_int_eq(svm_vcpu_state(vcpu), SVM_VCPU_RUNNING);
	ck_assert_uint_eq(exit->flags, SVM_EXIT_COMPLETE);
	calls++;
	switch (exit->kind) {
	case SVM_EXIT_KIND_IO:
		return answer_port(vcpu, exit);
	case SVM_EXIT_KIND_MMIO:
		if (!exit->mmio.is_write)
			return svm_vcpu_complete_value(vcpu, 0x10);
		told = told << 8 | exit->mmio.data[0];
		return svm_vcpu_complete_skip(vcpu);
	default:
		return SVM_ERR_NOENT;
	}
}

static void setup(void)
{
	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	svm_vcpu_set_exit_handler(r.vcpu, answer, &r);
	calls = 0;
	told = 0;
}

static void teardown(void)
{
	rig_fini(&r);
}

static uint64_t returns(void)
{
	struct svm_vcpu_stats stats;

	svm_vcpu_get_stats(r.vcpu, &stats);
	return stats.host_exits;
}

START_TEST(an_answer_goes_on_in_the_same_run)
{
	for (int i = 0; i < 30; i++) {
		hosted_script_mov(&r.code, HOSTED_RAX, 7);
		hosted_script_out_imm(&r.code, ANSWERED, 1);
		hosted_script_in_imm(&r.code, ANSWERED, 1);
		hosted_script_out_imm(&r.code, ANSWERED, 1);
	}
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(calls, 91); /* The hypercall is offered too. */
	ck_assert_uint_eq(told & 0xffff, 0x075a);
	ck_assert_uint_eq(returns(), 1);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
}
END_TEST

static const uint8_t return_rows[] = { REFUSED, LEFT };

START_TEST(what_is_not_answered_returns)
{
	hosted_script_out_imm(&r.code, return_rows[_i], 1);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(r.exit.io.port, return_rows[_i]);
	ck_assert_uint_eq(calls, 1);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
}
END_TEST

START_TEST(a_kick_from_an_answer_ends_the_run)
{
	hosted_script_out_imm(&r.code, KICKING, 1);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
}
END_TEST

static bool wants_cpu(void *ctx)
{
	(void)ctx;
	return true;
}

/* A guest whose every exit is answered cannot keep the CPU. */
START_TEST(a_host_that_wants_the_cpu_gets_it)
{
	teardown();
	rig_machine(&r, NULL);
	r.hal.should_exit = wants_cpu;
	rig_start(&r, RIG_64);
	svm_vcpu_set_exit_handler(r.vcpu, answer, &r);
	hosted_script_out_imm(&r.code, ENDLESS, 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_uint_gt(calls, 50);
	ck_assert_uint_lt(calls, 500);
}
END_TEST

/* Exits that end by themselves are nobody's to answer. */
START_TEST(an_exit_without_a_completion_returns)
{
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(device_memory_is_answered_too)
{
	struct svm_regs regs = rig_regs(&r);

	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MMIO), 0);
	regs.rbx = RIG_HOLE + 0x10;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	for (int i = 0; i < 3; i++) { /* The second finds how the first was done. */
		hosted_script_load(&r.code, HOSTED_RAX, HOSTED_RBX, false);
		hosted_script_store(&r.code, HOSTED_RBX, HOSTED_RAX, false);
	}
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(calls, 7);
	ck_assert_uint_eq(told, 0x101010);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x10);
}
END_TEST

/* One instruction, many accesses: each byte once and in order, be it answered here or there. */
START_TEST(a_string_is_written_byte_by_byte)
{
	struct svm_regs regs = rig_regs(&r);
	unsigned runs = 0;

	memcpy(r.memory + RIG_DATA, "abcdef", 6);
	regs.rsi = RIG_DATA;
	regs.rdx = ANSWERED;
	regs.rcx = 6;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_rep_outsb(&r.code);
	hosted_script_vmmcall(&r.code);
	while (rig_run(&r) == SVM_EXIT_KIND_IO) {
		told = told << 8 | r.exit.io.value;
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
		runs++;
	}
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(told, 0x616263646566);
	ck_assert_uint_gt(runs, 0);
	ck_assert_uint_eq(rig_regs(&r).rcx, 0);
}
END_TEST

START_TEST(without_a_handler_each_exit_returns)
{
	svm_vcpu_set_exit_handler(r.vcpu, NULL, NULL);
	hosted_script_out_imm(&r.code, ANSWERED, 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(calls, 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_answer_goes_on_in_the_same_run);
	tcase_add_loop_test(tc, what_is_not_answered_returns, 0, ROWS(return_rows));
	tcase_add_test(tc, a_kick_from_an_answer_ends_the_run);
	tcase_add_test(tc, a_host_that_wants_the_cpu_gets_it);
	tcase_add_test(tc, an_exit_without_a_completion_returns);
	tcase_add_test(tc, device_memory_is_answered_too);
	tcase_add_test(tc, a_string_is_written_byte_by_byte);
	tcase_add_test(tc, without_a_handler_each_exit_returns);
}

int main(void)
{
	return rig_main("exit handler", add_tests);
}
