/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instructions that the library executes in the processor's place: who may, what comes instead, and
 * what a trap flag or a debugger sees of them.  APM vol. 2, 13.1, 15.9.
 */
#include "core/vcpu/emulation.h"
#include "vcpu_rig.h"

static void set_cpl3(struct rig *r)
{
	struct svm_system_regs s;

	svm_vcpu_get_system(r->vcpu, &s);
	s.cpl = 3;
	s.cs.selector |= 3;
	s.ss.selector |= 3;
	s.cs.attributes |= 0x60;
	s.ss.attributes |= 0x60;
	ck_assert_int_eq(svm_vcpu_set_system(r->vcpu, &s), 0);
}

/* --- a trap flag over instructions that the library executes ------------------------------ */

static void emit_cpuid(struct rig *r)
{
	hosted_script_cpuid(&r->code);
}
static void emit_rdmsr(struct rig *r)
{
	hosted_script_rdmsr(&r->code);
}
static void emit_wrmsr(struct rig *r)
{
	hosted_script_wrmsr(&r->code);
}
static void emit_wbinvd(struct rig *r)
{
	hosted_script_wbinvd(&r->code);
}
static void emit_invd(struct rig *r)
{
	hosted_script_invd(&r->code);
}
static void emit_hlt(struct rig *r)
{
	hosted_script_hlt(&r->code);
}
static void emit_write_cr4(struct rig *r)
{
	hosted_script_write_cr(&r->code, 4, HOSTED_RBX);
}
static void emit_nop(struct rig *r)
{
	hosted_script_nop(&r->code);
}

static const struct {
	const char *name;
	void (*emit)(struct rig *r);
	uint64_t rcx, rbx;
} stepped_rows[] = {
	{ "NOP, by the processor", emit_nop, 0, 0 },
	{ "CPUID", emit_cpuid, 0, 0 },
	{ "RDMSR of EFER", emit_rdmsr, 0xc0000080, 0 },
	{ "WRMSR of TSC_AUX", emit_wrmsr, 0xc0000103, 0 },
	{ "WBINVD", emit_wbinvd, 0, 0 },
	{ "INVD", emit_invd, 0, 0 },
	{ "HLT", emit_hlt, 0, 0 },
	{ "MOV CR4", emit_write_cr4, 0, 0x220 },
};

static void step_over(int row, int help, bool shadow)
{
	struct svm_events events = { .interrupt_shadow = shadow };
	struct svm_debug_regs debug;
	struct svm_regs regs;
	uint64_t length;
	struct rig r;

	rig_init_help(&r, help, RIG_64);
	stepped_rows[row].emit(&r);
	length = r.code.size;
	hosted_script_nop(&r.code);
	regs = rig_regs(&r);
	regs.rflags |= 0x10100; /* TF; and RF, which one instruction uses up. */
	regs.rcx = stepped_rows[row].rcx;
	regs.rbx = stepped_rows[row].rbx;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	ck_assert_msg(rig_outcome(&r) == 1, "%s", stepped_rows[row].name);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + length);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 24) & 0x100, 0x100);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr6, 0xffff4ff0); /* BS */
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.interrupt_shadow);
	rig_fini(&r);
}

START_TEST(the_trap_flag_traps_behind_each_instruction)
{
	for (int help = 0; help < RIG_HELPS; help++) {
		step_over(_i, help, false);
		step_over(_i, help, true);
	}
}
END_TEST

START_TEST(an_instruction_uses_up_rf_and_the_shadow)
{
	struct svm_events events = { .interrupt_shadow = true };
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	stepped_rows[_i].emit(&r);
	regs = rig_regs(&r);
	regs.rflags |= 0x10000;
	regs.rcx = stepped_rows[_i].rcx;
	regs.rbx = stepped_rows[_i].rbx;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	if (stepped_rows[_i].emit == emit_hlt) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
		svm_vcpu_inject_nmi(r.vcpu);
	}
	(void)rig_outcome(&r);
	ck_assert_uint_eq(rig_regs(&r).rflags & 0x10000, 0);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 24) & 0x10000, 0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.interrupt_shadow);
	rig_fini(&r);
}
END_TEST

/* ICEBP is a trap of its own: #DB behind it, and DR6 says nothing. */
START_TEST(icebp_is_a_debug_exception)
{
	struct svm_debug_regs debug;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	hosted_script_icebp(&r.code);
	ck_assert_int_eq(rig_outcome(&r), 1);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 1);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr6, 0xffff0ff0);
	rig_fini(&r);
}
END_TEST

/* --- a debugger over the same instructions ------------------------------------------------- */

/* Behind an instruction that the library finishes no processor raises it, but the library does. */
static void step_once(struct rig *r, int row)
{
	struct svm_regs regs;

	ck_assert_int_eq(svm_vm_set_exits(r->vm, SVM_WANT_DEBUG), 0);
	stepped_rows[row].emit(r);
	regs = rig_regs(r);
	regs.rflags |= 0x100;
	regs.rcx = stepped_rows[row].rcx;
	regs.rbx = stepped_rows[row].rbx;
	ck_assert_int_eq(svm_vcpu_set_regs(r->vcpu, &regs), 0);
	ck_assert_msg(rig_run(r) == SVM_EXIT_KIND_DEBUG, "%s", stepped_rows[row].name);
	ck_assert_uint_eq(r->exit.exception.vector, 1);
	ck_assert(!r->exit.exception.has_error);
	ck_assert_uint_eq(r->exit.exception.error, 0);
	ck_assert_uint_eq(r->exit.exception.address, 0xffff4ff0);
	ck_assert_uint_eq(r->exit.rip, RIG_CODE + r->code.size);
	ck_assert_int_eq(svm_vcpu_run(r->vcpu, &r->exit), SVM_ERR_INCOMPLETE);
}

START_TEST(a_debugger_sees_the_step_over_each_instruction)
{
	for (int help = 0; help < RIG_HELPS; help++) {
		struct svm_regs regs;
		struct rig r;

		rig_init_help(&r, help, RIG_64);
		step_once(&r, _i);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0); /* Swallowed. */
		regs = rig_regs(&r);
		regs.rflags &= ~UINT64_C(0x100);
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		ck_assert_int_eq(rig_outcome(&r), -1);
		rig_fini(&r);
	}
}
END_TEST

START_TEST(a_debugger_lets_the_guest_have_its_step)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	step_once(&r, _i);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 1, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 1);
	rig_fini(&r);
}
END_TEST


/* --- who may, and what comes instead: 15.9 ------------------------------------------------ */

static void emit_rdpmc(struct rig *r)
{
	hosted_script_rdpmc(&r->code);
}
static void emit_rsm(struct rig *r)
{
	hosted_script_rsm(&r->code);
}
static void emit_monitor(struct rig *r)
{
	hosted_script_monitor(&r->code);
}
static void emit_mwait(struct rig *r)
{
	hosted_script_mwait(&r->code);
}
static void emit_vmrun(struct rig *r)
{
	hosted_script_vmrun(&r->code);
}
static void emit_vmload(struct rig *r)
{
	hosted_script_vmload(&r->code);
}
static void emit_vmsave(struct rig *r)
{
	hosted_script_vmsave(&r->code);
}
static void emit_stgi(struct rig *r)
{
	hosted_script_stgi(&r->code);
}
static void emit_clgi(struct rig *r)
{
	hosted_script_clgi(&r->code);
}
static void emit_skinit(struct rig *r)
{
	hosted_script_skinit(&r->code);
}
static void emit_invlpga(struct rig *r)
{
	hosted_script_invlpga(&r->code);
}
static void emit_xsetbv(struct rig *r)
{
	hosted_script_xsetbv(&r->code);
}

static const struct {
	void (*emit)(struct rig *r);
	int cpl0, cpl3; /* Vector, -1: none. */
} fault_rows[] = {
	{ emit_cpuid, -1, -1 },  { emit_rdmsr, -1, 13 },  { emit_wrmsr, -1, 13 },
	{ emit_rdpmc, 13, 13 },  { emit_rsm, 6, 6 },      { emit_wbinvd, -1, 13 },
	{ emit_invd, -1, 13 },   { emit_monitor, 6, 13 }, { emit_mwait, 6, 13 },
	{ emit_vmrun, 6, 13 },   { emit_vmload, 6, 13 },  { emit_vmsave, 6, 13 },
	{ emit_stgi, 6, 13 },    { emit_clgi, 6, 13 },    { emit_skinit, 6, 13 },
	{ emit_invlpga, 6, 13 }, { emit_xsetbv, 6, 6 }, /* CR4.OSXSAVE = 0 */
};

START_TEST(an_instruction_faults_as_without_a_monitor)
{
	for (int help = 0; help < RIG_HELPS; help++) {
		for (int cpl = 0; cpl <= 3; cpl += 3) {
			struct svm_regs regs;
			struct rig r;

			rig_init_help(&r, help, RIG_64);
			regs = rig_regs(&r);
			regs.rcx = 0xc0000103;
			ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
			if (cpl)
				set_cpl3(&r);
			fault_rows[_i].emit(&r);
			ck_assert_int_eq(rig_outcome(&r),
			                 cpl ? fault_rows[_i].cpl3 : fault_rows[_i].cpl0);
			rig_fini(&r);
		}
	}
}
END_TEST

START_TEST(mwait_goes_to_whoever_wants_it)
{
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MWAIT), 0);
	emit_monitor(&r);
	emit_mwait(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(!r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 6, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 6);
	rig_fini(&r);
}
END_TEST

START_TEST(svm_instructions_go_to_whoever_wants_them)
{
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_SVM), 0);
	hosted_script_stgi(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RAW);
	ck_assert_uint_eq(r.exit.raw.exit_code, 0x84);
	ck_assert_uint_eq(r.exit.insn_len, 3);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_outcome(&r), -1);
	rig_fini(&r);
}
END_TEST

/* --- executed after all --------------------------------------------------------------------- */

/* The embedder looks at an instruction and leaves it to the library; RBX points to RIG_DATA. */
static const struct {
	const char *what;
	enum rig_mode mode;
	unsigned code;
	const char *bytes;
	unsigned size;
	uint64_t rip, rsp, data; /* Afterwards; data: the first 8 bytes there. */
} look_rows[] = {
	{ "pushfq", RIG_64, SVM_EXIT_PUSHF, "\x9c", 1, RIG_CODE + 1, RIG_STACK - 8, 0x112233 },
	{ "sidt [rbx]", RIG_64, SVM_EXIT_IDTR_READ, "\x0f\x01\x0b", 3, RIG_CODE + 3, RIG_STACK,
	  RIG_IDT << 16 | 0x3ff },
	{ "invlpg [rbx]", RIG_64, SVM_EXIT_INVLPG, "\x0f\x01\x3b", 3, RIG_CODE + 3, RIG_STACK,
	  0x112233 },
	{ "mov cr0, rdi", RIG_64, SVM_EXIT_CR_WRITE, "\x0f\x22\xc7", 3, RIG_CODE + 3, RIG_STACK,
	  0x112233 },
	{ "clts", RIG_64, SVM_EXIT_CR_WRITE, "\x0f\x06", 2, RIG_CODE + 2, RIG_STACK, 0x112233 },
	{ "int 20h", RIG_REAL, SVM_EXIT_INTN, "\xcd\x20", 2, 0x2345, RIG_STACK - 6, 0x112233 },
};

START_TEST(an_instruction_looked_at_is_executed_after_all)
{
	const uint64_t vector = 0x2345; /* Of INT 20h in real mode: 0000:2345. */
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, look_rows[_i].mode);
	memcpy(r.memory + RIG_IDT + 4 * 0x20, &vector, 4);
	memcpy(r.memory + RIG_DATA, &(uint64_t){ 0x112233 }, 8);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, look_rows[_i].code, true), 0);
	regs = rig_regs(&r);
	regs.rbx = RIG_DATA;
	regs.rdi = 0x80010011;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	svm_vcpu_get_system(r.vcpu, &system);
	system.idtr.base = RIG_IDT;
	system.idtr.limit = 0x3ff;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	memcpy(r.memory + RIG_CODE, look_rows[_i].bytes, look_rows[_i].size);

	r.vcpu->owed = SVM_OWED_SKIP;
	r.vcpu->vmcb->control.exit_code = look_rows[_i].code;
	ck_assert_int_eq(svm_vcpu_complete_emulate(r.vcpu), 0);
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert(!r.vcpu->events.exception_pending);
	ck_assert_msg(rig_regs(&r).rip == look_rows[_i].rip, "%s: RIP %lx", look_rows[_i].what,
	              rig_regs(&r).rip);
	ck_assert_uint_eq(rig_regs(&r).rsp, look_rows[_i].rsp);
	ck_assert_uint_eq(rig_read64(&r, RIG_DATA), look_rows[_i].data);
	rig_fini(&r);
}
END_TEST

START_TEST(only_the_instruction_looked_at_is_executed)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_complete_emulate(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, SVM_EXIT_PUSHF, true), 0);
	memcpy(r.memory + RIG_CODE, "\x50", 1); /* push rax by now */
	r.vcpu->owed = SVM_OWED_SKIP;
	r.vcpu->vmcb->control.exit_code = SVM_EXIT_PUSHF;
	ck_assert_int_eq(svm_vcpu_complete_emulate(r.vcpu), 0);
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_uint_eq(rig_regs(&r).rsp, RIG_STACK);
	/* A hypercall has no meaning but the embedder's. */
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_emulate(r.vcpu), SVM_ERR_NOSUPPORT);
	rig_fini(&r);
}
END_TEST

/* MOVBE of a guest whose processor lacks it: the library executes what it knows. */
START_TEST(a_missing_instruction_is_supplied)
{
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	regs = rig_regs(&r);
	regs.rbx = RIG_DATA;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	memcpy(r.memory + RIG_CODE, "\x0f\x38\xf0\x03", 4); /* movbe eax, [rbx] */
	memcpy(r.memory + RIG_DATA, "\x11\x22\x33\x44", 4);
	ck_assert_int_eq(svm_vcpu_complete_emulate(r.vcpu), 0);
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x11223344);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_trap_flag_traps_behind_each_instruction, 0, ROWS(stepped_rows));
	tcase_add_loop_test(tc, an_instruction_uses_up_rf_and_the_shadow, 1, ROWS(stepped_rows));
	tcase_add_loop_test(tc, icebp_is_a_debug_exception, 0, RIG_HELPS);
	tcase_add_loop_test(tc, an_instruction_faults_as_without_a_monitor, 0, ROWS(fault_rows));
	tcase_add_loop_test(tc, mwait_goes_to_whoever_wants_it, 0, RIG_HELPS);
	tcase_add_loop_test(tc, svm_instructions_go_to_whoever_wants_them, 0, RIG_HELPS);
	tcase_add_loop_test(tc, a_debugger_sees_the_step_over_each_instruction, 0,
	                    ROWS(stepped_rows));
	tcase_add_loop_test(tc, a_debugger_lets_the_guest_have_its_step, 0, ROWS(stepped_rows));
	tcase_add_loop_test(tc, an_instruction_looked_at_is_executed_after_all, 0,
	                    ROWS(look_rows));
	tcase_add_test(tc, only_the_instruction_looked_at_is_executed);
	tcase_add_test(tc, a_missing_instruction_is_supplied);
}

int main(void)
{
	return rig_main("vCPU instructions", add_tests);
}
