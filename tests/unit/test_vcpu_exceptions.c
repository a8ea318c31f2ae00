/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Exceptions of the guest that a debugger or an embedder asked for.  APM vol. 2, 8.2, 15.12. */
#include "vcpu_rig.h"

/* --- exceptions that someone asked for ---------------------------------------------------- */

START_TEST(int3_is_delivered_behind_itself)
{
	static const uint8_t prefixed[] = { 0x66, 0xcc };
	const bool has_prefix = _i & 1;
	struct rig r;

	rig_init_help(&r, _i / 2, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	if (has_prefix)
		hosted_script_raw(&r.code, prefixed, sizeof(prefixed));
	else
		hosted_script_int3(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.exception.vector, 3);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_NOSUPPORT);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 3, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 3);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 1 + has_prefix);
	rig_fini(&r);
}
END_TEST

START_TEST(a_debugger_sees_db_first)
{
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	regs = rig_regs(&r);
	regs.rflags |= 0x100;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.exception.vector, 1);
	ck_assert_uint_eq(r.exit.exception.address, 0xffff4ff0);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0); /* Swallowed. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 1, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 1);
	rig_fini(&r);
}
END_TEST

static void set_rflags(struct rig *r, uint64_t rflags)
{
	struct svm_regs regs = rig_regs(r);

	regs.rflags = rflags;
	ck_assert_int_eq(svm_vcpu_set_regs(r->vcpu, &regs), 0);
}

static enum svm_device_result interrupting_device(void *arg, struct svm_vcpu *vcpu,
                                                  struct svm_io_access *access)
{
	(void)arg;
	(void)access;
	ck_assert_int_eq(svm_vcpu_inject_interrupt(vcpu, 0x30), 0);
	return SVM_DEVICE_DONE;
}

START_TEST(an_interrupt_follows_a_step_that_was_swallowed)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, interrupting_device, NULL), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	set_rflags(&r, 0x302); /* IF and TF. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + r.code.size);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	ck_assert_int_eq(rig_outcome(&r), 0x30);
	rig_fini(&r);
}
END_TEST

START_TEST(an_exception_takes_the_place_of_a_step_not_yet_seen)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	set_rflags(&r, 0x102);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0); /* The step is over: #DB waits. */
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

START_TEST(a_debugger_sees_icebp)
{
	static const uint8_t icebp[] = { 0xf1 };
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	hosted_script_raw(&r.code, icebp, sizeof(icebp));
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.exception.vector, 1);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 1);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 1, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 1);
	rig_fini(&r);
}
END_TEST

START_TEST(an_intercepted_page_fault_keeps_its_address)
{
	struct svm_system_regs system;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, 0x4e, true), 0);
	hosted_script_load_abs(&r.code, 0x40000000);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	ck_assert_uint_eq(r.exit.exception.vector, 14);
	ck_assert(r.exit.exception.has_error);
	ck_assert_uint_eq(r.exit.exception.error, 0);
	ck_assert_uint_eq(r.exit.exception.address, 0x40000000);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 14, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 14);
	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_uint_eq(system.cr2, 0x40000000);
	rig_fini(&r);
}
END_TEST

START_TEST(ud_goes_to_whoever_wants_it)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	ck_assert_uint_eq(r.exit.exception.vector, 6);
	ck_assert_uint_eq(r.exit.insn_len, 2);
	ck_assert_uint_ge(r.exit.insn_count, 2);
	ck_assert_int_eq(memcmp(r.exit.insn, "\x0f\x0b", 2), 0);
	ck_assert(r.exit.decoded.valid);
	ck_assert_uint_eq(r.exit.decoded.map, SVM_OPCODE_0F);
	ck_assert_uint_eq(r.exit.decoded.opcode, 0x0b);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 2, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 6, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 6);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, int3_is_delivered_behind_itself, 0, 2 * RIG_HELPS);
	tcase_add_test(tc, a_debugger_sees_db_first);
	tcase_add_test(tc, an_interrupt_follows_a_step_that_was_swallowed);
	tcase_add_test(tc, an_exception_takes_the_place_of_a_step_not_yet_seen);
	tcase_add_test(tc, a_debugger_sees_icebp);
	tcase_add_loop_test(tc, an_intercepted_page_fault_keeps_its_address, 0, RIG_HELPS);
	tcase_add_test(tc, ud_goes_to_whoever_wants_it);
}

int main(void)
{
	return rig_main("vCPU exceptions", add_tests);
}
