/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A debugger outside the guest.  APM vol. 2, 13.1.
 *
 * The processor model has breakpoints; QEMU's has none that a VMRUN loads.
 */
#include "vcpu_rig.h"

#define DR6_NONE UINT64_C(0xffff0ff0)

static const struct svm_debug_regs own = {
	.dr = { 0x11, 0x22, 0x33, 0x44 },
	.dr6 = 0xffff0ff1,
	.dr7 = 0x402,
};

static void debug_with(struct rig *r, const struct svm_debugger *debugger)
{
	ck_assert_int_eq(svm_vcpu_set_debugger(r->vcpu, debugger), 0);
}

/* The guest's own registers are in place, and no debugger has been there yet. */
static void begin(struct rig *r)
{
	rig_init(r, NULL, RIG_64);
	rig_handlers(r);
	ck_assert_int_eq(svm_vcpu_set_debug(r->vcpu, &own), 0);
}

static void expect_own(struct rig *r)
{
	struct svm_debug_regs debug;

	svm_vcpu_get_debug(r->vcpu, &debug);
	ck_assert_int_eq(memcmp(&debug, &own, sizeof(own)), 0);
}

static void expect_debug(struct rig *r, uint64_t rip, uint64_t dr6)
{
	ck_assert_int_eq(rig_run_on(r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r->exit.exception.vector, SVM_VECTOR_DB);
	ck_assert_uint_eq(r->exit.rip, rip);
	ck_assert_uint_eq(r->exit.exception.address, dr6);
	ck_assert_int_eq(svm_vcpu_complete_retry(r->vcpu), 0);
	ck_assert_uint_eq(rig_regs(r).rflags & RFLAGS_TF, 0);
	expect_own(r);
}

START_TEST(each_instruction_is_a_step)
{
	const struct svm_debugger steps = { .single_step = true };
	struct rig r;

	begin(&r);
	hosted_script_nop(&r.code);
	hosted_script_cpuid(&r.code); /* The library's. */
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	debug_with(&r, &steps);
	expect_debug(&r, RIG_CODE + 1, 0xffff4ff0);
	expect_debug(&r, RIG_CODE + 3, 0xffff4ff0);
	expect_debug(&r, RIG_CODE + 4, 0xffff4ff0);
	debug_with(&r, NULL);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	expect_own(&r);
	rig_fini(&r);
}
END_TEST

START_TEST(a_step_that_nobody_waits_for_is_none_of_the_guests)
{
	const struct svm_debugger steps = { .single_step = true };
	struct svm_events events;
	struct rig r;

	begin(&r);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_vmmcall(&r.code);
	debug_with(&r, &steps);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.exception_pending);
	debug_with(&r, NULL);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	rig_fini(&r);
}
END_TEST

/* Of each of the four; the guest's own would have been hit as well. */
START_TEST(a_breakpoint_stops_before_its_instruction)
{
	struct svm_debugger debugger = { .breakpoints = true, .dr7 = UINT64_C(2) << (2 * _i) };
	struct rig r;

	begin(&r);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	debugger.dr[_i] = RIG_CODE + 1;
	debug_with(&r, &debugger);
	expect_debug(&r, RIG_CODE + 1, DR6_NONE | SVM_BIT(_i));
	expect_debug(&r, RIG_CODE + 1, DR6_NONE | SVM_BIT(_i)); /* Still armed, and DR6 is new. */
	debug_with(&r, NULL);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	expect_own(&r);
	rig_fini(&r);
}
END_TEST

START_TEST(a_watchpoint_stops_behind_its_access)
{
	struct svm_debugger debugger = {
		.breakpoints = true, .dr7 = UINT64_C(2) << (2 * _i) | UINT64_C(0xd) << (16 + 4 * _i)
	};
	size_t behind;
	struct rig r;

	begin(&r);
	hosted_script_load_abs(&r.code, RIG_DATA);
	hosted_script_store_abs(&r.code, RIG_DATA);
	behind = r.code.size;
	hosted_script_vmmcall(&r.code);
	debugger.dr[_i] = RIG_DATA;
	debug_with(&r, &debugger);
	expect_debug(&r, RIG_CODE + behind, DR6_NONE | SVM_BIT(_i));
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* Breakpoints of the guest's own are in force while a debugger only steps. */
START_TEST(the_guests_breakpoints_show_while_stepping)
{
	const struct svm_debug_regs debug = { .dr = { RIG_CODE + 1 },
		                              .dr6 = DR6_NONE,
		                              .dr7 = 0x402 };
	const struct svm_debugger steps = { .single_step = true };
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &debug), 0);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	debug_with(&r, &steps);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 1);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.exception.address & 0xf, 1);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(the_guest_moves_its_own_registers)
{
	const struct svm_debugger debugger = { .breakpoints = true, .dr = { 0x55555 }, .dr7 = 2 };
	struct svm_debug_regs debug;
	struct svm_regs regs;
	struct rig r;

	begin(&r);
	hosted_script_write_dr(&r.code, 1, HOSTED_RBX);
	hosted_script_read_dr(&r.code, HOSTED_RSI, 1);
	hosted_script_read_dr(&r.code, HOSTED_RDI, 6);
	hosted_script_read_dr(&r.code, HOSTED_RBP, 7);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	regs.rbx = UINT64_C(0x123456789a);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	debug_with(&r, &debugger);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rsi, UINT64_C(0x123456789a));
	ck_assert_uint_eq(regs.rdi, own.dr6);
	ck_assert_uint_eq(regs.rbp, own.dr7);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr[0], 0x11);
	ck_assert_uint_eq(debug.dr[1], UINT64_C(0x123456789a));
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &own), 0);
	debug_with(&r, NULL);
	expect_own(&r);
	rig_fini(&r);
}
END_TEST

/* To DR6 an upper half is #GP, and DR4 is none with CR4.DE: as the processor would have it. */
START_TEST(a_move_that_faults_faults)
{
	const struct svm_debugger debugger = { .breakpoints = true };
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	begin(&r);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= CR4_DE;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	hosted_script_write_dr(&r.code, _i ? 4 : 6, HOSTED_RBX);
	regs = rig_regs(&r);
	regs.rbx = UINT64_C(1) << 32;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	debug_with(&r, &debugger);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, _i ? SVM_VECTOR_UD : SVM_VECTOR_GP);
	expect_own(&r);
	rig_fini(&r);
}
END_TEST

START_TEST(a_guard_stops_before_the_move)
{
	const struct svm_debugger debugger = { .breakpoints = true, .dr7 = DR7_GD };
	struct rig r;

	begin(&r);
	hosted_script_read_dr(&r.code, HOSTED_RSI, 0);
	hosted_script_vmmcall(&r.code);
	debug_with(&r, &debugger);
	expect_debug(&r, RIG_CODE, 0xffff2ff0);
	expect_debug(&r, RIG_CODE, 0xffff2ff0); /* The processor takes it away, the library not. */
	debug_with(&r, NULL);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi, 0x11);
	rig_fini(&r);
}
END_TEST

START_TEST(events_wait_for_a_debugger)
{
	const struct svm_debugger debugger = { .single_step = true, .hold_events = true };
	struct svm_regs regs;
	struct rig r;

	begin(&r);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	regs = rig_regs(&r);
	regs.rflags |= RFLAGS_IF;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	if (_i)
		svm_vcpu_inject_nmi(r.vcpu);
	else
		ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x30), 0);
	debug_with(&r, &debugger);
	expect_debug(&r, RIG_CODE + 1, 0xffff4ff0);
	expect_debug(&r, RIG_CODE + 2, 0xffff4ff0);
	debug_with(&r, NULL);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, _i ? 2 : 0x30);
	rig_fini(&r);
}
END_TEST

START_TEST(a_reset_leaves_the_debugger)
{
	const struct svm_debugger debugger = { .breakpoints = true,
		                               .dr = { RIG_CODE + 1 },
		                               .dr7 = 2 };
	struct svm_debug_regs debug;
	struct rig r;

	begin(&r);
	debug_with(&r, &debugger);
	rig_rewind(&r);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr[0], 0);
	ck_assert_uint_eq(debug.dr6, DR6_NONE);
	ck_assert_uint_eq(debug.dr7, 0x400);
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &own), 0);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	expect_debug(&r, RIG_CODE + 1, DR6_NONE | 1);
	rig_fini(&r);
}
END_TEST

START_TEST(what_no_processor_has_is_refused)
{
	const struct svm_debugger debugger = { .breakpoints = true, .dr7 = SVM_BIT(32) };
	struct rig r;

	begin(&r);
	ck_assert_int_eq(svm_vcpu_set_debugger(r.vcpu, &debugger), SVM_ERR_INVAL);
	expect_own(&r);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, each_instruction_is_a_step);
	tcase_add_test(tc, a_step_that_nobody_waits_for_is_none_of_the_guests);
	tcase_add_loop_test(tc, a_breakpoint_stops_before_its_instruction, 0, 4);
	tcase_add_loop_test(tc, a_watchpoint_stops_behind_its_access, 0, 4);
	tcase_add_test(tc, the_guests_breakpoints_show_while_stepping);
	tcase_add_test(tc, the_guest_moves_its_own_registers);
	tcase_add_loop_test(tc, a_move_that_faults_faults, 0, 2);
	tcase_add_test(tc, a_guard_stops_before_the_move);
	tcase_add_loop_test(tc, events_wait_for_a_debugger, 0, 2);
	tcase_add_test(tc, a_reset_leaves_the_debugger);
	tcase_add_test(tc, what_no_processor_has_is_refused);
}

int main(void)
{
	return rig_main("vcpu_debugger", add);
}
