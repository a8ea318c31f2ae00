/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The state of a vCPU: what RESET and INIT leave (APM vol. 2, 14.1.3), what may be set (15.5.1),
 * and what each call says in each state.
 */
#include <libsvm/diagnose.h>

#include "vcpu_rig.h"

#define IS(field, value) ck_assert_msg((field) == (value), #field " is %llx", \
	                               (unsigned long long)(field))

static void check_segment(struct svm_vmcb_segment is, uint16_t selector, uint16_t attributes,
                          uint32_t limit, uint64_t base)
{
	IS(is.selector, selector);
	IS(is.attributes, attributes);
	IS(is.limit, limit);
	IS(is.base, base);
}

/* Table 14-1.  CD and NW are 0 here: see reset.c. */
START_TEST(reset_is_the_manuals)
{
	struct svm_system_regs s;
	struct svm_debug_regs debug;
	struct svm_regs regs;
	uint64_t value;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_CREATED);
	regs = rig_regs(&r);
	svm_vcpu_get_system(r.vcpu, &s);
	svm_vcpu_get_debug(r.vcpu, &debug);
	IS(regs.rip, 0xfff0);
	IS(regs.rflags, 2);
	IS(regs.rax | regs.rbx | regs.rcx | regs.rsi | regs.rdi | regs.rbp | regs.rsp, 0);
	IS(regs.r8 | regs.r9 | regs.r10 | regs.r11 | regs.r12 | regs.r13 | regs.r14 | regs.r15, 0);
	IS(regs.rdx, 0x00800f11); /* Family 17h, model 1, stepping 1, as CPUID says. */
	check_segment(s.cs, 0xf000, 0x9b, 0xffff, 0xffff0000);
	check_segment(s.ds, 0, 0x93, 0xffff, 0);
	check_segment(s.es, 0, 0x93, 0xffff, 0);
	check_segment(s.fs, 0, 0x93, 0xffff, 0);
	check_segment(s.gs, 0, 0x93, 0xffff, 0);
	check_segment(s.ss, 0, 0x93, 0xffff, 0);
	check_segment(s.ldtr, 0, 0x82, 0xffff, 0);
	check_segment(s.tr, 0, 0x83, 0xffff, 0);
	IS(s.gdtr.limit, 0xffff);
	IS(s.gdtr.base, 0);
	IS(s.idtr.limit, 0xffff);
	IS(s.idtr.base, 0);
	IS(s.cr0, 0x10);
	IS(s.cr2 | s.cr3 | s.cr4 | s.cr8, 0);
	IS(s.efer, 0);
	IS(s.cpl, 0);
	IS(debug.dr6, 0xffff0ff0);
	IS(debug.dr7, 0x400);
	IS(debug.dr[0] | debug.dr[1] | debug.dr[2] | debug.dr[3], 0);
	IS(svm_vcpu_get_xcr0(r.vcpu), 1);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x277, &value), 0);
	IS(value, 0x0007040600070406);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x1b, &value), 0);
	IS(value, 0xfee00900); /* The first is the boot processor. */
	rig_fini(&r);
}
END_TEST

START_TEST(only_the_first_is_the_boot_processor)
{
	struct svm_vcpu *second;
	uint64_t value;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(second, 0x1b, &value), 0);
	IS(value, 0xfee00800);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(init_keeps_msrs_and_sipi_starts)
{
	struct svm_system_regs s;
	uint64_t value;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	hosted_script_vmmcall(&r.code); /* Translated with paging, and below without. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xc0000082, 0x1234), 0);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xc0000103, 7), 0);
	ck_assert_int_eq(svm_vcpu_set_xcr0(r.vcpu, 3), 0);
	ck_assert_int_eq(svm_vcpu_startup_ipi(r.vcpu, 1), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_init_ipi(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_WAIT_SIPI);
	ck_assert_int_eq(svm_vcpu_init_ipi(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xc0000082, &value), 0);
	IS(value, 0x1234);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xc0000103, &value), 0);
	IS(value, 7);
	IS(svm_vcpu_get_xcr0(r.vcpu), 3);
	ck_assert_int_eq(svm_vcpu_startup_ipi(r.vcpu, 0x1), 0);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_RUNNABLE);
	svm_vcpu_get_system(r.vcpu, &s);
	check_segment(s.cs, 0x100, 0x9b, 0xffff, 0x1000);
	IS(rig_regs(&r).rip, 0);
	hosted_script_init(&r.code, 16);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* --- what may be set ---------------------------------------------------------------------- */

static void good(struct svm_system_regs *s)
{
	s->cr0 |= 0x40000000; /* CD */
}
static void cd_nw(struct svm_system_regs *s)
{
	s->cr0 |= 0x60000000;
}
static void nw(struct svm_system_regs *s)
{
	s->cr0 |= 0x20000000;
}
static void cr0_high(struct svm_system_regs *s)
{
	s->cr0 |= SVM_BIT(32);
}
static void pg_without_pe(struct svm_system_regs *s)
{
	s->cr0 &= ~UINT64_C(1);
}
static void lme_without_pae(struct svm_system_regs *s)
{
	s->cr4 = 0;
}
static void cs_l_and_d(struct svm_system_regs *s)
{
	s->cs.attributes |= 0x400;
}
static void cr3_high(struct svm_system_regs *s)
{
	s->cr3 |= SVM_BIT(48);
}
static void cr4_vmxe(struct svm_system_regs *s)
{
	s->cr4 |= 0x2000;
}
static void cr4_high(struct svm_system_regs *s)
{
	s->cr4 |= SVM_BIT(32);
}
static void svme(struct svm_system_regs *s)
{
	s->efer |= 0x1000;
}
static void efer_reserved(struct svm_system_regs *s)
{
	s->efer |= 2;
}
static void cr8_16(struct svm_system_regs *s)
{
	s->cr8 = 16;
}
static void cpl_4(struct svm_system_regs *s)
{
	s->cpl = 4;
}
static void real_mode_cd(struct svm_system_regs *s)
{
	s->cr0 = 0x60000010;
	s->efer = 0;
	s->cr4 = 0;
}

static const struct {
	void (*change)(struct svm_system_regs *s);
	int result;
} system_rows[] = {
	{ good, 0 },
	{ cd_nw, 0 },
	{ real_mode_cd, 0 },
	{ nw, SVM_ERR_INVAL },
	{ cr0_high, SVM_ERR_INVAL },
	{ pg_without_pe, SVM_ERR_INVAL },
	{ lme_without_pae, SVM_ERR_INVAL },
	{ cs_l_and_d, SVM_ERR_INVAL },
	{ cr3_high, SVM_ERR_INVAL },
	{ cr4_vmxe, SVM_ERR_INVAL },
	{ cr4_high, SVM_ERR_INVAL },
	{ svme, SVM_ERR_INVAL },
	{ efer_reserved, SVM_ERR_INVAL },
	{ cr8_16, SVM_ERR_INVAL },
	{ cpl_4, SVM_ERR_INVAL },
};

START_TEST(what_vmrun_refuses_is_refused_before)
{
	struct svm_system_regs before, s, after;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_vcpu_get_system(r.vcpu, &before);
	s = before;
	system_rows[_i].change(&s);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), system_rows[_i].result);
	svm_vcpu_get_system(r.vcpu, &after);
	if (system_rows[_i].result) { /* All or nothing. */
		IS(after.cr0, before.cr0);
		IS(after.cr3, before.cr3);
		IS(after.cr4, before.cr4);
		IS(after.efer, before.efer);
		IS(after.cpl, before.cpl);
	} else { /* And VMRUN takes it. */
		IS(after.cr0, s.cr0);
		hosted_script_vmmcall(&r.code);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	}
	rig_fini(&r);
}
END_TEST

/* CR3 from outside: the guest's old translations are gone. */
START_TEST(a_new_cr3_is_flushed)
{
	const svm_gpa_t tables = 0x20000, other = 0x28000;
	struct svm_system_regs s;
	struct svm_regs regs;
	uint64_t entry;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	memcpy(r.memory + tables, r.memory + RIG_PT, 4 * 4096);
	for (unsigned i = 0; i < 3; i++) {
		entry = (tables + (i + 1) * 4096u) | 7;
		memcpy(r.memory + tables + i * 4096u, &entry, 8);
	}
	entry = other | 7;
	memcpy(r.memory + tables + 3 * 4096u + RIG_DATA / 4096 * 8, &entry, 8);
	r.memory[RIG_DATA] = 0x11;
	r.memory[other] = 0x22;
	hosted_script_load_abs(&r.code, RIG_DATA);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	IS(rig_regs(&r).rax, 0x11);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	svm_vcpu_get_system(r.vcpu, &s);
	s.cr3 = tables;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	IS(rig_regs(&r).rax, 0x22);
	rig_fini(&r);
}
END_TEST

/* LMA follows from LME and PG; ET is always 1; reserved bits of segments and RFLAGS are dropped. */
START_TEST(what_no_processor_holds_is_dropped)
{
	struct svm_system_regs s;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_vcpu_get_system(r.vcpu, &s);
	s.efer = 0x900;
	s.cr0 &= ~UINT64_C(0x10);
	s.ds.attributes |= 0xf000;
	s.gdtr.limit = 0x123ffff;
	s.gdtr.attributes = 0xff;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	svm_vcpu_get_system(r.vcpu, &s);
	IS(s.efer, 0xd00);
	IS(s.cr0, 0x80010011);
	IS(s.ds.attributes, 0xc93);
	IS(s.gdtr.limit, 0xffff);
	IS(s.gdtr.attributes, 0);
	IS(svm_vmcb_get_efer(svm_vcpu_vmcb(r.vcpu)), 0x1d00);
	regs = rig_regs(&r);
	regs.rflags = ~UINT64_C(0);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	IS(rig_regs(&r).rflags, 0x3f7fd7);
	rig_fini(&r);
}
END_TEST

START_TEST(sixteen_registers_are_sixteen)
{
	struct svm_regs set = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 2 }, got;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &set), 0);
	got = rig_regs(&r);
	ck_assert_mem_eq(&set, &got, sizeof(set));
	/* By the processor's numbers: RAX RCX RDX RBX RSP RBP RSI RDI R8 … */
	static const uint64_t by_number[16] = { 1, 3,  4,  2,  8,  7,  5,  6,
		                                9, 10, 11, 12, 13, 14, 15, 16 };

	for (unsigned n = 0; n < 16; n++) {
		IS(svm_vcpu_read_gpr(r.vcpu, n), by_number[n]);
		svm_vcpu_write_gpr(r.vcpu, n, 100 + n);
		IS(svm_vcpu_read_gpr(r.vcpu, n), 100 + n);
	}
	rig_fini(&r);
}
END_TEST

/* A load from a device that was answered, and then never ran on: its value goes nowhere. */
START_TEST(a_half_done_instruction_is_forgotten)
{
	struct svm_regs regs;
	uint64_t second;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MMIO), 0);
	hosted_script_load_abs(&r.code, RIG_HOLE);
	second = RIG_CODE + r.code.size;
	hosted_script_load_abs(&r.code, RIG_HOLE);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	IS(r.exit.mmio.gpa, RIG_HOLE);
	if (_i)
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x77), 0);
	if (_i == 2)
		ck_assert_int_eq(svm_vcpu_init_ipi(r.vcpu), 0);
	if (_i < 3)
		rig_prepare(&r, r.vcpu);
	regs = rig_regs(&r);
	if (_i == 3)
		regs.rip = second;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	IS(r.exit.mmio.gpa, RIG_HOLE);
	IS(r.exit.rip, _i == 3 ? second : RIG_CODE);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	rig_fini(&r);
}
END_TEST

/* --- calls while it runs ------------------------------------------------------------------ */

static enum svm_device_result meddle(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	struct rig *r = arg;
	struct svm_system_regs s;
	struct svm_debug_regs debug;
	struct svm_events events;
	struct svm_regs regs;
	struct svm_exit exit;
	uint8_t area[1024];

	(void)access;
	ck_assert_int_eq(svm_vcpu_state(vcpu), SVM_VCPU_RUNNING);
	svm_vcpu_get_regs(vcpu, &regs);
	svm_vcpu_get_system(vcpu, &s);
	svm_vcpu_get_debug(vcpu, &debug);
	svm_vcpu_get_events(vcpu, &events);
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_system(vcpu, &s), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_debug(vcpu, &debug), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_events(vcpu, &events), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_msr(vcpu, 0x277, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_intercept(vcpu, 0x6e, true), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_get_xsave(vcpu, area, sizeof(area)), 0);
	ck_assert_int_eq(svm_vcpu_set_xsave(vcpu, area, sizeof(area)), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_reset(vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_init_ipi(vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_startup_ipi(vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &exit), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_cpu_offline(r->host), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_io_handler(r->vm, 0x90, 1, meddle, r), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_io_allow(r->vm, 0x90, 1, true), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_set_msr_policy(r->vm, 0x277, 1, SVM_MSR_EXIT), SVM_ERR_BUSY);
	return SVM_DEVICE_DONE;
}

START_TEST(a_running_vcpu_is_left_alone)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, meddle, &r), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* --- HALTED ------------------------------------------------------------------------------- */

START_TEST(hlt_sleeps_until_an_event)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	hosted_script_hlt(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_HALTED);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	/* IF is 0: an interrupt does not wake it. */
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vcpu_kick(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_HALTED);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 2);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_CODE + 1);
	rig_fini(&r);
}
END_TEST

/* --- a refused entry ---------------------------------------------------------------------- */

static const enum hosted_invalid_mode modes[] = { HOSTED_INVALID_UNTOUCHED,
	                                          HOSTED_INVALID_OVERWRITTEN };

/* Set behind the library's back, so that VMRUN is the first to see it. */
START_TEST(a_refused_entry_names_its_rule)
{
	struct hosted_config config;
	struct rig r;
	bool named = false;

	hosted_config_init(&config);
	config.invalid_mode = modes[_i % 2];
	rig_init(&r, &config, RIG_64);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	if (_i < 2)
		svm_vmcb_set_asid(r.vcpu->vmcb, 0);
	else if (_i < 4)
		svm_vmcb_set_intercept(r.vcpu->vmcb, SVM_EXIT_VMRUN, false);
	else
		r.vcpu->events.reinject = 0x80000100; /* Type 1 is reserved. */
	svm_atomic_or(&r.vcpu->s.requests, SVM_REQUEST_EVENTS);
	r.vcpu->flush = false;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_ENTRY_FAILED);
	ck_assert_uint_eq((uint32_t)r.exit.raw.exit_code, 0xffffffff);
	ck_assert_uint_eq(r.exit.entry.count, 1);
	for (unsigned i = 0; i < r.exit.entry.count; i++) {
		const struct svm_rule_info *info =
			svm_rule_info((enum svm_rule)r.exit.entry.rules[i]);

		named = named || !strcmp(info->id, _i < 2 ? "C02" : _i < 4 ? "C01" : "C07");
	}
	ck_assert(named);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_DEAD);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_DEAD);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), SVM_ERR_STATE);
	ck_assert_uint_eq(hosted_cpu_counts(r.m, 0).invalid, 1);
	ck_assert(r.host->cpu[0].asid_flush); /* Perhaps it was not done. */
	rig_fini(&r);
}
END_TEST

/* With state set from outside, the audit is first: VMRUN never sees it. */
START_TEST(the_audit_comes_before_vmrun)
{
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_vmcb_set_g_pat(r.vcpu->vmcb, 2);
	regs = rig_regs(&r);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_ENTRY_FAILED);
	ck_assert_uint_eq(r.exit.entry.count, 1);
	ck_assert_str_eq(svm_rule_info((enum svm_rule)r.exit.entry.rules[0])->id, "C16");
	ck_assert_uint_eq(hosted_cpu_counts(r.m, 0).vmruns, 0);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_DEAD);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, reset_is_the_manuals);
	tcase_add_test(tc, only_the_first_is_the_boot_processor);
	tcase_add_test(tc, init_keeps_msrs_and_sipi_starts);
	tcase_add_loop_test(tc, what_vmrun_refuses_is_refused_before, 0, ROWS(system_rows));
	tcase_add_test(tc, a_new_cr3_is_flushed);
	tcase_add_test(tc, what_no_processor_holds_is_dropped);
	tcase_add_test(tc, sixteen_registers_are_sixteen);
	tcase_add_loop_test(tc, a_half_done_instruction_is_forgotten, 0, 4);
	tcase_add_test(tc, a_running_vcpu_is_left_alone);
	tcase_add_test(tc, hlt_sleeps_until_an_event);
	tcase_add_loop_test(tc, a_refused_entry_names_its_rule, 0, 6);
	tcase_add_test(tc, the_audit_comes_before_vmrun);
}

int main(void)
{
	return rig_main("vCPU state", add_tests);
}
