/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The library's exits on every machine of rig_lacks: what an embedder sees must not depend on what
 * the processor helps with.
 */
#include "rig.h"
#include "suite.h"

static int row_of(int i)
{
	return i / 3;
}

static void start(struct rig *r, int i)
{
	const struct hosted_config config = rig_lacking(row_of(i));

	rig_init(r, &config, (enum guest_mode)(i % 3));
}

START_TEST(a_guest_says_hello_and_goes_on)
{
	struct rig r;

	start(&r, _i);
	hosted_script_mov(&r.code, HOSTED_RAX, 0x1234);
	hosted_script_vmmcall(&r.code);
	hosted_script_mov(&r.code, HOSTED_RBX, 0x5678);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.hypercall.number, 0x1234);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x99), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x99);
	ck_assert_uint_eq(rig_regs(&r).rbx, 0x5678);
	rig_fini(&r);
}
END_TEST

START_TEST(ports_are_exits_with_their_values)
{
	struct rig r;

	start(&r, _i);
	hosted_script_mov(&r.code, HOSTED_RAX, 0xa1b2c3d4);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_mov(&r.code, HOSTED_RDX, 0x3f8);
	hosted_script_out_dx(&r.code, 2);
	hosted_script_out_dx(&r.code, 4);
	hosted_script_in_imm(&r.code, 0x71, 1);
	hosted_script_in_dx(&r.code, 4);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);

	static const struct {
		uint16_t port;
		uint8_t size;
		uint32_t value;
	} outs[] = { { 0x80, 1, 0xd4 }, { 0x3f8, 2, 0xc3d4 }, { 0x3f8, 4, 0xa1b2c3d4 } };

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
		ck_assert(!r.exit.io.is_in);
		ck_assert_uint_eq(r.exit.io.port, outs[i].port);
		ck_assert_uint_eq(r.exit.io.size, outs[i].size);
		ck_assert_uint_eq(r.exit.io.value, outs[i].value);
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	}
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert(r.exit.io.is_in && r.exit.io.size == 1 && r.exit.io.port == 0x71);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x5a), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(rig_regs(&r).rax & 0xffffffff, 0xa1b2c35a);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0xfeedbeef), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0xfeedbeef);
	rig_fini(&r);
}
END_TEST

START_TEST(cpuid_and_msrs_are_answered_inside)
{
	struct rig r;

	start(&r, _i);
	hosted_script_mov(&r.code, HOSTED_RAX, 0x80000001);
	hosted_script_mov(&r.code, HOSTED_RCX, 0);
	hosted_script_cpuid(&r.code);
	hosted_script_mov(&r.code, HOSTED_RBX, 0);
	hosted_script_add(&r.code, HOSTED_RBX, HOSTED_RCX); /* ECX of the leaf */
	hosted_script_mov(&r.code, HOSTED_RCX, 0x277);
	hosted_script_mov(&r.code, HOSTED_RAX, 0x00070106);
	hosted_script_mov(&r.code, HOSTED_RDX, 0x00070406);
	hosted_script_wrmsr(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 0);
	hosted_script_rdmsr(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx & 4, 0); /* SVM is hidden. */
	ck_assert_uint_eq(rig_regs(&r).rax, 0x00070106);
	ck_assert_uint_eq(rig_regs(&r).rdx, 0x00070406);
	rig_fini(&r);
}
END_TEST

START_TEST(an_msr_can_be_the_embedders)
{
	struct rig r;

	start(&r, _i);
	ck_assert_int_eq(svm_vm_set_msr_policy(r.vm, 0x4b564d00, 4, SVM_MSR_EXIT), 0);
	hosted_script_mov(&r.code, HOSTED_RCX, 0x4b564d01);
	hosted_script_mov(&r.code, HOSTED_RAX, 0x11);
	hosted_script_mov(&r.code, HOSTED_RDX, 0x22);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_WRMSR);
	ck_assert_uint_eq(r.exit.msr.msr, 0x4b564d01);
	ck_assert_uint_eq(r.exit.msr.value, 0x2200000011);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x3300000044), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x44);
	ck_assert_uint_eq(rig_regs(&r).rdx, 0x33);
	rig_fini(&r);
}
END_TEST

START_TEST(hlt_halts_until_an_event)
{
	struct rig r;
	struct hosted_script handler;

	start(&r, _i);
	hosted_script_init(&handler, r.code.bits);
	hosted_script_mov(&handler, HOSTED_RBX, 0x77);
	hosted_script_iret(&handler);
	guest_handler(r.memory, 0x40, 0xd000, &handler);
	hosted_script_sti(&r.code);
	hosted_script_hlt(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_HALTED);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x40), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 0x77);
	ck_assert_uint_eq(rig_regs(&r).rsp, GUEST_STACK);
	rig_fini(&r);
}
END_TEST

START_TEST(memory_is_mapped_on_touch_and_holes_are_exits)
{
	struct rig r;

	start(&r, _i);
	hosted_script_mov(&r.code, HOSTED_RBX, 0xe010);
	hosted_script_mov(&r.code, HOSTED_RAX, 0xcafe);
	hosted_script_store(&r.code, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_mov(&r.code, HOSTED_RBX, 0x20008); /* Behind the slot. */
	hosted_script_load(&r.code, HOSTED_RSI, HOSTED_RBX, false);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	if (r.mode == GUEST_REAL) { /* Beyond a real-mode segment: #GP there. */
		rig_fini(&r);
		return;
	}
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_mem_eq(r.memory + 0xe010, "\xfe\xca", 2);
	ck_assert_uint_eq(r.exit.npt.gpa, 0x20008);
	ck_assert_uint_eq(r.exit.npt.access, SVM_PROT_READ);
	ck_assert_int_eq(r.exit.npt.reason, SVM_NPT_FAULT_ABSENT);
	rig_fini(&r);
}
END_TEST

/* None of them may reach the host, whatever the machine. */
static void (*const forbidden[])(struct hosted_script *s) = {
	hosted_script_vmload, hosted_script_vmsave,  hosted_script_vmrun,   hosted_script_stgi,
	hosted_script_clgi,   hosted_script_skinit,  hosted_script_invlpga, hosted_script_rsm,
	hosted_script_mwait,  hosted_script_monitor, hosted_script_rdpmc,
};

START_TEST(svm_instructions_fault_in_the_guest)
{
	struct rig r;
	struct hosted_script handler;

	start(&r, _i);
	hosted_script_init(&handler, r.code.bits);
	hosted_script_vmmcall(&handler);
	guest_handler(r.memory, 6, 0xd000, &handler);
	guest_handler(r.memory, 13, 0xd000, &handler);
	for (int i = 0; i < ROWS(forbidden); i++) {
		hosted_script_init(&r.code, r.code.bits);
		hosted_script_mov(&r.code, HOSTED_RAX, 0x5000);
		const uint64_t rip = GUEST_CODE + r.code.size;

		forbidden[i](&r.code);
		rig_load(&r);
		rig_start(&r, r.vcpu, GUEST_CODE);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(r.exit.rip, 0xd000);
		if (r.mode == GUEST_64) { /* The frame says who faulted; #GP has an error code. */
			uint64_t frame[2];

			memcpy(frame, r.memory + rig_regs(&r).rsp, sizeof(frame));
			ck_assert_msg(frame[0] == rip || frame[1] == rip, "row %d", i);
		}
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(caches_and_xcr0_are_finished_inside)
{
	struct hosted_config config = rig_lacking(row_of(_i));
	struct rig r;

	rig_init(&r, &config, (enum guest_mode)(_i % 3));
	hosted_script_wbinvd(&r.code);
	hosted_script_invd(&r.code);
	if (config.features.xsave && r.mode == GUEST_64) {
		hosted_script_mov(&r.code, HOSTED_RAX, 0x40020);
		hosted_script_write_cr(&r.code, 4, HOSTED_RAX);
		hosted_script_mov(&r.code, HOSTED_RCX, 0);
		hosted_script_mov(&r.code, HOSTED_RDX, 0);
		hosted_script_mov(&r.code, HOSTED_RAX, 3);
		hosted_script_xsetbv(&r.code);
		hosted_script_mov(&r.code, HOSTED_RAX, 0);
		hosted_script_xgetbv(&r.code);
	}
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	if (config.features.xsave && r.mode == GUEST_64) {
		ck_assert_uint_eq(rig_regs(&r).rax, 3);
		ck_assert_uint_eq(svm_vcpu_get_xcr0(r.vcpu), 3);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(a_guest_that_spins_gives_the_cpu_back)
{
	struct rig r;

	start(&r, _i);
	hosted_script_cli(&r.code);
	hosted_script_jmp(&r.code, 1);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), 0);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert_uint_eq(hosted_taken(r.m, 0, HOSTED_INTR), 1);
	ck_assert_uint_eq(rig_regs(&r).rip, GUEST_CODE + 1);
	rig_fini(&r);
}
END_TEST

START_TEST(a_triple_fault_is_a_shutdown)
{
	struct rig r;
	struct svm_system_regs s;

	start(&r, _i);
	hosted_script_ud2(&r.code);
	rig_load(&r);
	svm_vcpu_get_system(r.vcpu, &s);
	s.idtr.limit = 0;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_SHUTDOWN);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_STATE);
	/* A reset wakes it, and nothing of the scribbled save area is left. */
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	hosted_script_init(&r.code, r.code.bits);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	rig_start(&r, r.vcpu, GUEST_CODE);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* Behind the last byte of a real-mode segment comes its first; 0 is a RIP like any other. */
START_TEST(an_instruction_may_end_a_segment)
{
	static const uint8_t out[] = { 0xe6, 0xe9 }; /* out %al, $0xe9 */
	const struct hosted_config config = rig_lacking(_i);
	struct rig r;

	rig_init(&r, &config, GUEST_REAL);
	r.memory[0xffff] = 0xf4; /* hlt */
	rig_start(&r, r.vcpu, 0xffff);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rip, 0);

	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	memcpy(r.memory + 0xfffe, out, sizeof(out));
	rig_start(&r, r.vcpu, 0xfffe);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(r.exit.insn_len, 2);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_uint_eq(rig_regs(&r).rip, 0);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	const int rows = 3 * rig_lack_count;

	tcase_add_loop_test(tc, a_guest_says_hello_and_goes_on, 0, rows);
	tcase_add_loop_test(tc, ports_are_exits_with_their_values, 0, rows);
	tcase_add_loop_test(tc, cpuid_and_msrs_are_answered_inside, 0, rows);
	tcase_add_loop_test(tc, an_msr_can_be_the_embedders, 0, rows);
	tcase_add_loop_test(tc, hlt_halts_until_an_event, 0, rows);
	tcase_add_loop_test(tc, memory_is_mapped_on_touch_and_holes_are_exits, 0, rows);
	tcase_add_loop_test(tc, svm_instructions_fault_in_the_guest, 0, rows);
	tcase_add_loop_test(tc, caches_and_xcr0_are_finished_inside, 0, rows);
	tcase_add_loop_test(tc, a_guest_that_spins_gives_the_cpu_back, 0, rows);
	tcase_add_loop_test(tc, a_triple_fault_is_a_shutdown, 0, rows);
	tcase_add_loop_test(tc, an_instruction_may_end_a_segment, 0, rig_lack_count);
}

int main(void)
{
	return suite_run("library exits", add);
}
