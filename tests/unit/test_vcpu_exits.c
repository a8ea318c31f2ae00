/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the library answers for the processor: CPUID, MSRs, control and debug registers, XCR0, and
 * the instructions that never run.  APM vol. 2, 3.1, 8.2, 13.1, 15.7 to 15.14.
 */
#include "core/msrpm.h"
#include "core/vcpu/emulation.h"
#include "vcpu_rig.h"

/* With every help of the processor, without NRIPS, and with nested paging alone. */
static const uint32_t helps[] = { HOSTED_SVM_EDX, HOSTED_SVM_EDX & ~8u, 1u };

static void init_help(struct rig *r, int help, enum rig_mode mode)
{
	struct hosted_config config;

	hosted_config_init(&config);
	config.features.svm_edx = helps[help];
	rig_init(r, &config, mode);
	rig_handlers(r);
}

/* Run r->code; the vector of the exception that came, or -1 for the VMMCALL at the end. */
static int outcome(struct rig *r)
{
	hosted_script_vmmcall(&r->code);
	ck_assert_int_eq(rig_run_on(r), SVM_EXIT_KIND_HYPERCALL);
	if (r->exit.rip == RIG_CODE + r->code.size - 3)
		return -1;
	return (int)((r->exit.rip - RIG_HANDLER) / 64);
}

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

	init_help(&r, help, RIG_64);
	stepped_rows[row].emit(&r);
	length = r.code.size;
	hosted_script_nop(&r.code);
	regs = rig_regs(&r);
	regs.rflags |= 0x10100; /* TF; and RF, which one instruction uses up. */
	regs.rcx = stepped_rows[row].rcx;
	regs.rbx = stepped_rows[row].rbx;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	ck_assert_msg(outcome(&r) == 1, "%s", stepped_rows[row].name);
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
	for (int help = 0; help < ROWS(helps); help++) {
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

	init_help(&r, 0, RIG_64);
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
	(void)outcome(&r);
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

	init_help(&r, _i, RIG_64);
	hosted_script_icebp(&r.code);
	ck_assert_int_eq(outcome(&r), 1);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 1);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr6, 0xffff0ff0);
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
	for (int help = 0; help < ROWS(helps); help++) {
		for (int cpl = 0; cpl <= 3; cpl += 3) {
			struct svm_regs regs;
			struct rig r;

			init_help(&r, help, RIG_64);
			regs = rig_regs(&r);
			regs.rcx = 0xc0000103;
			ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
			if (cpl)
				set_cpl3(&r);
			fault_rows[_i].emit(&r);
			ck_assert_int_eq(outcome(&r),
			                 cpl ? fault_rows[_i].cpl3 : fault_rows[_i].cpl0);
			rig_fini(&r);
		}
	}
}
END_TEST

START_TEST(mwait_goes_to_whoever_wants_it)
{
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MWAIT), 0);
	emit_monitor(&r);
	emit_mwait(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(!r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 6, 0), 0);
	ck_assert_int_eq(outcome(&r), 6);
	rig_fini(&r);
}
END_TEST

START_TEST(svm_instructions_go_to_whoever_wants_them)
{
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_SVM), 0);
	hosted_script_stgi(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RAW);
	ck_assert_uint_eq(r.exit.raw.exit_code, 0x84);
	ck_assert_uint_eq(r.exit.insn_len, 3);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(outcome(&r), -1);
	rig_fini(&r);
}
END_TEST

/* --- XSETBV ------------------------------------------------------------------------------- */

static const struct {
	uint64_t rcx, value;
	int vector;
} xsetbv_rows[] = {
	{ 0, 0x1, -1 }, { 0, 0x3, -1 },  { 0, 0x7, -1 },  { 0, 0x0, 13 },
	{ 0, 0x2, 13 }, { 0, 0x5, 13 },  { 0, 0x6, 13 },  { 0, 0xf, 13 },
	{ 0, 0x200000007, 13 },          { 0, SVM_BIT(63) | 1, 13 },
	{ 1, 0x1, 13 }, { 0x100000000, 0x3, -1 }, /* ECX counts, not RCX. */
};

START_TEST(xsetbv_takes_what_the_manual_allows)
{
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	init_help(&r, 0, RIG_64);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	regs = rig_regs(&r);
	regs.rcx = xsetbv_rows[_i].rcx;
	regs.rax = (uint32_t)xsetbv_rows[_i].value;
	regs.rdx = xsetbv_rows[_i].value >> 32;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_xsetbv(&r.code);
	ck_assert_int_eq(outcome(&r), xsetbv_rows[_i].vector);
	ck_assert_uint_eq(svm_vcpu_get_xcr0(r.vcpu),
	                  xsetbv_rows[_i].vector < 0 ? xsetbv_rows[_i].value : 1);
	/* The same from outside. */
	if (!(uint32_t)xsetbv_rows[_i].rcx)
		ck_assert_int_eq(svm_vcpu_set_xcr0(r.vcpu, xsetbv_rows[_i].value),
		                 xsetbv_rows[_i].vector < 0 ? 0 : SVM_ERR_INVAL);
	rig_fini(&r);
}
END_TEST

/* A processor with AVX-512, MPX, PKRU and AMX: its own rules, which would fault with GIF = 0. */
static const struct {
	uint64_t xcr0;
	bool legal;
} state_rows[] = {
	{ 0x1, true },      { 0x7, true },      { 0xe7, true },    { 0x27, false },
	{ 0x67, false },    { 0xc7, false },    { 0xe3, false },   { 0xe1, false },
	{ 0x1f, true },     { 0xb, false },     { 0x13, false },   { 0x201, true },
	{ 0x2e7, true },    { 0x60007, true },  { 0x20007, false }, { 0x40007, false },
	{ 0x100, false },   { 0x0, false },
};

START_TEST(states_come_in_groups)
{
	const struct svm_features features = { .xcr0 = 0x602ff };

	ck_assert_int_eq(svm_xcr0_is_legal(&features, state_rows[_i].xcr0), state_rows[_i].legal);
}
END_TEST

START_TEST(xsetbv_of_a_hidden_state_faults)
{
	static const struct svm_cpuid_entry rows[] = {
		{ 0, 0, false, 0xd, 0, 0, 0 },
		{ 1, 0, false, 0, 0, 1u << 26, 0 },
		{ 0xd, 0, true, 0x3, 576, 576, 0 },
	};
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, ROWS(rows)), 0);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	regs = rig_regs(&r);
	regs.rax = _i ? 0x3 : 0x7;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_xsetbv(&r.code);
	ck_assert_int_eq(outcome(&r), _i ? -1 : 13);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, ROWS(rows)), SVM_ERR_STATE); /* Sealed. */
	rig_fini(&r);
}
END_TEST

/* --- MSRs --------------------------------------------------------------------------------- */

#define FAULT 13
#define NONE  (-1)

static const struct {
	uint32_t msr;
	uint64_t value;
	int write;       /* Vector, or NONE. */
	uint64_t reads;  /* After the write; FAULT row below decides. */
	int read;
} msr_rows[] = {
	{ 0x1b, 0xfee00900, NONE, 0xfee00900, NONE },
	{ 0x1b, 0xfee00d00, NONE, 0xfee00d00, NONE },
	{ 0x1b, 0xfee00500, FAULT, 0xfee00900, NONE },         /* x2APIC without enable */
	{ 0x1b, 0xfee00901, FAULT, 0xfee00900, NONE },         /* reserved */
	{ 0x1b, SVM_BIT(48), FAULT, 0xfee00900, NONE },        /* MAXPHYADDR is 48 */
	{ 0x48, 0x1, NONE, 0x1, NONE },                        /* IBRS: what the CPU has */
	{ 0x48, 0x2, FAULT, 0x0, NONE },                       /* no STIBP here */
	{ 0x48, 0x4, FAULT, 0x0, NONE },                       /* no SSBD here */
	{ 0x48, SVM_BIT(32), FAULT, 0x0, NONE },
	{ 0x49, 0x1, NONE, 0, FAULT },                         /* write only */
	{ 0x49, 0x0, NONE, 0, FAULT },
	{ 0x49, 0x2, FAULT, 0, FAULT },
	{ 0xfe, 0x508, FAULT, 0x508, NONE },                   /* read only */
	{ 0x179, 0, FAULT, 0, NONE },
	{ 0x174, 0x10, NONE, 0x10, NONE },
	{ 0x1d9, 0x3f, NONE, 0x3f, NONE },
	{ 0x1d9, 0x40, FAULT, 0, NONE },
	{ 0x200, 0x1234, NONE, 0x1234, NONE },                 /* shadow */
	{ 0x277, 0x0007040600070406, NONE, 0x0007040600070406, NONE },
	{ 0x277, 0x0706050401000100, NONE, 0x0706050401000100, NONE },
	{ 0x277, 0x2, FAULT, 0x0007040600070406, NONE },
	{ 0x277, 0x0300000000000000, FAULT, 0x0007040600070406, NONE },
	{ 0x277, 0x8, FAULT, 0x0007040600070406, NONE },
	{ 0xda0, 0, NONE, 0, NONE },
	{ 0xda0, 0x100, FAULT, 0, NONE },                      /* no supervisor state */
	{ 0xc0000080, 0xd01, NONE, 0xd01, NONE },              /* SCE */
	{ 0xc0000080, 0x901, NONE, 0xd01, NONE },              /* LMA is not software's */
	{ 0xc0000080, 0x500, NONE, 0x500, NONE },              /* NXE */
	{ 0xc0000080, 0x4d00, NONE, 0x4d00, NONE },            /* FFXSR */
	{ 0xc0000080, 0xc00, FAULT, 0xd00, NONE },             /* LME under paging */
	{ 0xc0000080, 0x1d00, FAULT, 0xd00, NONE },            /* SVME */
	{ 0xc0000080, 0xd02, FAULT, 0xd00, NONE },
	{ 0xc0000080, SVM_BIT(63) | 0xd00, FAULT, 0xd00, NONE },
	{ 0xc0000103, 0xffffffff, NONE, 0xffffffff, NONE },
	{ 0xc0000103, SVM_BIT(32), FAULT, 0, NONE },
	{ 0xc0000104, 0, FAULT, 0, FAULT },                    /* TSC_RATIO is the host's */
	{ 0xc0010000, 0x1234, NONE, 0, NONE },                 /* zero */
	{ 0xc0010114, 0x0, NONE, 0x18, NONE },                 /* SVMDIS and LOCK */
	{ 0xc0010117, 0x1000, FAULT, 0, FAULT },
	{ 0x12345678, 0, FAULT, 0, FAULT },
	{ 0xc0000082, 0xffff800000000000, NONE, 0xffff800000000000, NONE },
	{ 0xc0000102, 0x00007fffffffffff, NONE, 0x00007fffffffffff, NONE },
};

static void try_msr(struct rig *r, bool is_write, int row)
{
	struct svm_regs regs = rig_regs(r);

	regs.rcx = msr_rows[row].msr | UINT64_C(0xffffffff00000000); /* ECX counts. */
	regs.rax = (uint32_t)msr_rows[row].value | UINT64_C(0xabcdef0100000000);
	regs.rdx = msr_rows[row].value >> 32 | UINT64_C(0xabcdef0100000000);
	regs.rip = RIG_CODE;
	regs.rsp = RIG_STACK;
	ck_assert_int_eq(svm_vcpu_set_regs(r->vcpu, &regs), 0);
	hosted_script_init(&r->code, 64);
	if (is_write)
		hosted_script_wrmsr(&r->code);
	else
		hosted_script_rdmsr(&r->code);
}

START_TEST(an_msr_answers_as_the_manual_says)
{
	struct svm_regs regs;
	uint64_t value = 0;
	struct rig r;

	init_help(&r, 0, RIG_64);
	try_msr(&r, true, _i);
	ck_assert_msg(outcome(&r) == msr_rows[_i].write, "WRMSR %x", msr_rows[_i].msr);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	try_msr(&r, false, _i);
	ck_assert_msg(outcome(&r) == msr_rows[_i].read, "RDMSR %x", msr_rows[_i].msr);
	if (msr_rows[_i].read == NONE) {
		regs = rig_regs(&r);
		ck_assert_uint_eq(regs.rdx << 32 | regs.rax, msr_rows[_i].reads);
		ck_assert_uint_le(regs.rdx, 0xffffffff);
		ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr_rows[_i].msr, &value), 0);
		ck_assert_uint_eq(value, msr_rows[_i].reads);
	} else {
		ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr_rows[_i].msr, &value),
		                 SVM_ERR_NOENT);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(an_msr_set_from_outside_is_checked_alike)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, msr_rows[_i].msr, msr_rows[_i].value),
	                 msr_rows[_i].write == NONE ? 0 : SVM_ERR_INVAL);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(outcome(&r), -1); /* And the entry is accepted. */
	rig_fini(&r);
}
END_TEST

static const uint32_t address_msrs[] = { 0x175,      0x176,      0xc0000082, 0xc0000083,
	                                 0xc0000100, 0xc0000101, 0xc0000102 };

START_TEST(an_address_must_be_canonical)
{
	uint64_t value;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0x0000800000000000),
	                 SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0xffff7fffffffffff),
	                 SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0xffff800000000000), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, address_msrs[_i], &value), 0);
	ck_assert_uint_eq(value, 0xffff800000000000);
	rig_fini(&r);
}
END_TEST

START_TEST(speculation_msrs_need_their_processor)
{
	struct hosted_config config;
	uint64_t value;
	struct rig r;

	hosted_config_init(&config);
	config.features.spec_ctrl = config.features.rdtscp = config.features.xsaves = false;
	rig_init(&r, &config, RIG_64);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x48, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x48, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x49, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xc0000103, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xc0000103, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xda0, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xda0, 0), SVM_ERR_INVAL);
	rig_fini(&r);
}
END_TEST

/* Policies beside the table's own. */
START_TEST(a_policy_decides_what_the_guest_gets)
{
	struct svm_regs regs;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(r.vm, 0x277, 1, SVM_MSR_EXIT), 0);
	regs = rig_regs(&r);
	regs.rcx = 0x277;
	regs.rax = 0x11112222;
	regs.rdx = 0x33334444;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_WRMSR);
	ck_assert_uint_eq(r.exit.msr.msr, 0x277);
	ck_assert_uint_eq(r.exit.msr.value, 0x3333444411112222);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x5555666677778888), 0);
	ck_assert_int_eq(outcome(&r), -1);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rax, 0x77778888);
	ck_assert_uint_eq(regs.rdx, 0x55556666);

	/* Refused ones are the embedder's too, and it may refuse. */
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	rig_rewind(&r);
	regs = rig_regs(&r);
	regs.rcx = 0xc0010117;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), 0);
	ck_assert_int_eq(outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

/* For its number above; here for its value. */
START_TEST(a_value_that_is_refused_can_be_an_exit)
{
	struct svm_regs regs;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	regs = rig_regs(&r);
	regs.rcx = 0x277;
	regs.rax = 2; /* No memory type. */
	regs.rdx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_WRMSR);
	ck_assert_uint_eq(r.exit.msr.value, 2);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), 0);
	ck_assert_int_eq(outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

static bool deny_reads_of(void *arg, uint32_t msr, bool is_write)
{
	const uint32_t *denied = arg;

	return is_write || msr != *denied;
}

/* STAR is open to the guest, PAT the library's: what the filter denies is an exit of both. */
START_TEST(a_filter_comes_before_everything)
{
	static const uint32_t denied[] = { 0xc0000081, 0x277 };
	uint32_t msr = denied[_i];
	struct svm_regs regs;
	uint64_t value = 0;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false));
	ck_assert_int_eq(svm_vm_msr_filter(r.vm, deny_reads_of, &msr), 0);
	ck_assert_int_eq(svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false), _i == 0);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000082, false));
	regs = rig_regs(&r);
	regs.rcx = msr;
	regs.rax = 6;
	regs.rdx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_uint_eq(r.exit.msr.msr, msr);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 7), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr, &value), 0);
	ck_assert_uint_eq(value, 6);
	ck_assert_int_eq(svm_vm_msr_filter(r.vm, NULL, NULL), 0);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false));
	rig_fini(&r);
}
END_TEST

/* Guest TSC = host TSC + offset; WRMSR moves the offset. */
START_TEST(the_tsc_has_an_offset)
{
	uint64_t before, after, value;
	struct svm_regs regs;
	struct rig r;

	init_help(&r, 0, RIG_64);
	svm_vcpu_set_tsc_offset(r.vcpu, UINT64_C(0) - 0x123456789);
	ck_assert_uint_eq(svm_vcpu_get_tsc_offset(r.vcpu), UINT64_C(0) - 0x123456789);
	hosted_script_rdtsc(&r.code);
	before = svm_ring0_rdtsc() - 0x123456789;
	ck_assert_int_eq(outcome(&r), -1);
	after = svm_ring0_rdtsc() - 0x123456789;
	regs = rig_regs(&r);
	ck_assert(before <= (regs.rdx << 32 | regs.rax) && (regs.rdx << 32 | regs.rax) <= after);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x10, 1000), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x10, &value), 0);
	ck_assert(value >= 1000 && value < 1000 + 10 * r.hal.tsc_hz);
	rig_fini(&r);
}
END_TEST

/* --- control registers -------------------------------------------------------------------- */

static const struct {
	enum rig_mode mode;
	uint64_t cr4;
	int vector;
} cr4_rows[] = {
	{ RIG_64, 0x20, -1 },
	{ RIG_64, 0x6f8, -1 },                   /* DE PSE PAE MCE PGE OSFXSR OSXMMEXCPT */
	{ RIG_64, 0x40020, -1 },                 /* OSXSAVE */
	{ RIG_64, 0x10020, -1 },                 /* FSGSBASE */
	{ RIG_64, 0, 13 },                       /* long mode needs PAE */
	{ RIG_64, 0x1020, 13 },                  /* LA57: this processor has none */
	{ RIG_64, 0x2020, 13 },                  /* VMXE */
	{ RIG_64, 0x20020, 13 },                 /* PCIDE: not offered */
	{ RIG_64, 0x400020, 13 },                /* PKE: not offered */
	{ RIG_64, 0x800020, 13 },                /* CET */
	{ RIG_64, 0x80000020, 13 },
	{ RIG_64, SVM_BIT(32) | 0x20, 13 },
	{ RIG_32, 0, -1 },
	{ RIG_32, 0x20, -1 },
	{ RIG_32, 0x300000, -1 },                /* SMEP, SMAP */
	{ RIG_32, 0x2000, 13 },
};

START_TEST(cr4_holds_what_cpuid_offers)
{
	for (int help = 0; help < ROWS(helps); help++) {
		struct svm_system_regs system;
		struct svm_regs regs;
		struct rig r;

		init_help(&r, help, cr4_rows[_i].mode);
		regs = rig_regs(&r);
		regs.rbx = cr4_rows[_i].cr4;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		svm_vcpu_get_system(r.vcpu, &system);
		const uint64_t before = system.cr4;

		hosted_script_write_cr(&r.code, 4, HOSTED_RBX);
		ck_assert_int_eq(outcome(&r), cr4_rows[_i].vector);
		svm_vcpu_get_system(r.vcpu, &system);
		ck_assert_uint_eq(system.cr4, cr4_rows[_i].vector < 0 ? cr4_rows[_i].cr4 : before);
		rig_fini(&r);
	}
}
END_TEST

START_TEST(control_registers_go_to_whoever_wants_them)
{
	struct svm_regs regs;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_CR), 0);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, 0x12, true), 0); /* MOV CR2 */
	regs = rig_regs(&r);
	regs.rbx = 0x1234567890;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_read_cr(&r.code, HOSTED_RDI, 0);
	hosted_script_write_cr(&r.code, 4, HOSTED_RDI);
	hosted_script_write_cr(&r.code, 2, HOSTED_RBX);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
	ck_assert_uint_eq(r.exit.reg.number, 0);
	ck_assert(!r.exit.reg.is_write);
	ck_assert_uint_eq(r.exit.reg.value, 0x80010011);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x20), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
	ck_assert_uint_eq(r.exit.reg.number, 4);
	ck_assert(r.exit.reg.is_write);
	ck_assert_uint_eq(r.exit.reg.value, 0x20);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
	ck_assert_uint_eq(r.exit.reg.number, 2);
	ck_assert_uint_eq(r.exit.reg.value, 0x1234567890);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(outcome(&r), -1);
	ck_assert_uint_eq(rig_regs(&r).rdi, 0x20);
	rig_fini(&r);
}
END_TEST

/* Reads: the register by number, also in code whose registers have 32 bits. */
START_TEST(a_control_register_is_read_in_its_width)
{
	static const struct {
		unsigned n;
		uint64_t value;
	} rows[] = { { 0, 0x11 }, { 2, 0x4444 }, { 3, 0 }, { 4, 0 } };
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	init_help(&r, 0, RIG_32);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr2 = 0x4444;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, rows[i].n, true), 0);
		hosted_script_init(&r.code, 32);
		hosted_script_read_cr(&r.code, HOSTED_RBX, rows[i].n);
		regs = rig_regs(&r);
		regs.rip = RIG_CODE;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
		ck_assert_uint_eq(r.exit.reg.value, rows[i].value);
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x1122334455667788), 0);
		ck_assert_uint_eq(rig_regs(&r).rbx, 0x55667788);
	}
	rig_fini(&r);
}
END_TEST

/* CLTS and LMSW write CR0 as MOV does: the embedder sees the value, and stores it itself. */
START_TEST(clts_and_lmsw_are_writes_of_cr0)
{
	static const struct {
		const char *bytes;
		unsigned size;
		uint64_t rax, value; /* CR0 is 8001_0019h: PG, WP, ET, TS, PE. */
	} rows[] = {
		{ "\x0f\x06", 2, 0, 0x80010011 },           /* clts */
		{ "\x0f\x01\xf0", 3, 0x6, 0x80010017 },     /* lmsw ax: PE stays. */
		{ "\x0f\x01\xf0", 3, 0xfff0, 0x80010011 }, /* Only 4 bits are loaded. */
	};
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	for (int i = 0; i < ROWS(rows); i++) {
		init_help(&r, _i, RIG_64);
		ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_CR), 0);
		svm_vcpu_get_system(r.vcpu, &system);
		system.cr0 |= 0x18;
		ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
		regs = rig_regs(&r);
		regs.rax = rows[i].rax;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		hosted_script_raw(&r.code, rows[i].bytes, rows[i].size);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
		ck_assert_uint_eq(r.exit.reg.number, 0);
		ck_assert(r.exit.reg.is_write);
		ck_assert_uint_eq(r.exit.reg.value, rows[i].value);
		ck_assert_uint_eq(r.exit.insn_len, rows[i].size);
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
		ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + rows[i].size);
		svm_vcpu_get_system(r.vcpu, &system);
		ck_assert_uint_eq(system.cr0, 0x80010019);
		rig_fini(&r);
	}
}
END_TEST

/* SMSW shares the exit of MOV from CR0 and is finished in the library. */
START_TEST(smsw_reads_cr0)
{
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, SVM_EXIT_CR_READ, true), 0);
	hosted_script_raw(&r.code, "\x0f\x01\xe3", 3); /* smsw ebx */
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 0x80010011);
	rig_fini(&r);
}
END_TEST

/* What the library writes in the processor's place.  APM vol. 2, 3.1.1, 3.1.2, 14.6. */
#define PG  UINT64_C(0x80000000)
#define LMA UINT64_C(0x400)
static const struct {
	const char *what;
	enum rig_mode mode;
	uint64_t cr4_set, efer_set; /* Beside what the mode has. */
	unsigned number;
	uint64_t value;
	bool legal;
	uint64_t after, efer_after; /* LME and LMA. */
} control_rows[] = {
	{ "CR0 keeps ET", RIG_32, 0, 0, 0, 0x1, true, 0x11, 0 },
	{ "CR0 drops bits that do not exist", RIG_32, 0, 0, 0, 0x1ffaffd1, true, 0x11, 0 },
	{ "CR0 upper half", RIG_32, 0, 0, 0, 0x100000011, false, 0x11, 0 },
	{ "PG without PE", RIG_32, 0, 0, 0, PG | 0x10, false, 0x11, 0 },
	{ "NW without CD", RIG_32, 0, 0, 0, 0x20000011, false, 0x11, 0 },
	{ "NW with CD", RIG_32, 0, 0, 0, 0x60000011, true, 0x60000011, 0 },
	{ "back to real mode", RIG_32, 0, 0, 0, 0x10, true, 0x10, 0 },
	{ "legacy paging", RIG_32, 0, 0, 0, PG | 0x11, true, PG | 0x11, 0 },
	{ "long mode without PAE", RIG_32, 0, 0x100, 0, PG | 0x11, false, 0x11, 0x100 },
	{ "long mode", RIG_32, 0x20, 0x100, 0, PG | 0x11, true, PG | 0x11, 0x500 },
	{ "paging off in 64-bit code", RIG_64, 0, 0, 0, 0x10011, false, PG | 0x10011, 0x500 },
	{ "no WP", RIG_64, 0, 0, 0, PG | 0x40011, true, PG | 0x40011, 0x500 },
	{ "CR2 holds anything", RIG_32, 0, 0, 2, 0xdeadbeef0000, true, 0xdeadbeef0000, 0 },
	{ "CR3 below MAXPHYADDR", RIG_64, 0, 0, 3, 0x8018, true, 0x8018, 0x500 },
	{ "CR3 above MAXPHYADDR", RIG_64, 0, 0, 3, UINT64_C(1) << 60, false, 0x8000, 0x500 },
	{ "CR4 without PAE in long mode", RIG_64, 0, 0, 4, 0, false, 0x20, 0x500 },
	{ "CR8", RIG_32, 0, 0, 8, 0xf, true, 0xf, 0 },
	{ "CR8 has 4 bits", RIG_32, 0, 0, 8, 0x10, false, 0, 0 },
	{ "there is no CR1", RIG_32, 0, 0, 1, 0, false, 0, 0 },
};

START_TEST(the_library_writes_control_registers_as_the_guest)
{
	struct svm_system_regs system;
	struct rig r;

	init_help(&r, 0, control_rows[_i].mode);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= control_rows[_i].cr4_set;
	system.efer |= control_rows[_i].efer_set;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	r.vcpu->flush = false;
	ck_assert_msg(svm_control_write(r.vcpu, control_rows[_i].number, control_rows[_i].value) ==
	                      control_rows[_i].legal,
	              "%s", control_rows[_i].what);
	ck_assert_msg(svm_control_read(r.vcpu, control_rows[_i].number) == control_rows[_i].after,
	              "%s: %lx", control_rows[_i].what,
	              svm_control_read(r.vcpu, control_rows[_i].number));
	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_msg((system.efer & 0x500) == control_rows[_i].efer_after, "%s: EFER %lx",
	              control_rows[_i].what, system.efer);
	/* Translations end where paging changed, and with CR3. */
	if (control_rows[_i].number == 0 || control_rows[_i].number == 3)
		ck_assert_int_eq(r.vcpu->flush, control_rows[_i].legal &&
		                                        control_rows[_i].after != 0x11);
	rig_fini(&r);
}
END_TEST

START_TEST(the_library_writes_debug_registers_as_the_guest)
{
	static const struct {
		unsigned n;
		uint64_t value;
		bool legal;
		uint64_t after;
	} rows[] = {
		{ 3, 0x123456789abc, true, 0x123456789abc },
		{ 6, 0, true, 0xffff0ff0 },
		{ 6, UINT64_C(1) << 32, false, 0xffff0ff0 },
		{ 7, 0xffffffff, true, 0xffff2fff },
		{ 7, UINT64_C(1) << 32, false, 0xffff2fff },
	};
	struct rig r;

	init_help(&r, 0, RIG_64);
	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(svm_debug_write(r.vcpu, rows[i].n, rows[i].value), rows[i].legal);
		ck_assert_uint_eq(svm_debug_read(r.vcpu, rows[i].n), rows[i].after);
		ck_assert_int_eq(r.vcpu->guest_debugs, rows[i].n == 7);
	}
	rig_fini(&r);
}
END_TEST

/* --- registers behind a callback -------------------------------------------------------------- */

static bool count_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	uint64_t *last = arg;

	(void)vcpu;
	if (access->msr == 0x801)
		return false;
	if (access->is_write)
		*last = access->value;
	else
		access->value = *last + 1;
	return true;
}

START_TEST(a_callback_is_asked_for_its_registers)
{
	struct svm_regs regs;
	uint64_t last = 0;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	ck_assert_int_eq(svm_vm_msr_handler(r.vm, 0x800, 2, count_msr, &last), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	regs.rcx = 0x800;
	regs.rdx = 0x11223344;
	regs.rax = 0x55667788;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(last, 0x1122334455667788);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x55667789);
	ck_assert_uint_eq(rig_regs(&r).rdx, 0x11223344);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x801, &last), SVM_ERR_NOENT);
	rig_fini(&r);
}
END_TEST

/* --- hypercalls behind a callback ------------------------------------------------------------- */

struct called {
	struct svm_hypercall call;
	enum svm_device_result result;
	unsigned count;
};

static enum svm_device_result note_call(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_hypercall *call)
{
	struct called *called = arg;

	(void)vcpu;
	called->call = *call;
	called->count++;
	call->result = UINT64_C(0x1122334455667788);
	return called->result;
}

#define WHOLE UINT64_C(0x8877665544332211)
#define GIVEN UINT64_C(0x1122334455667788)

static const struct {
	const char *what;
	enum rig_mode mode;
	enum svm_device_result result;
	uint64_t number; /* In RAX. */
	unsigned count;  /* Calls of the callback. */
	enum svm_exit_kind kind;
	uint64_t seen_number, seen_argument, rax;
} hypercall_rows[] = {
	{ "64-bit code has whole registers", RIG_64, SVM_DEVICE_DONE, 0x53, 1,
	  SVM_EXIT_KIND_HLT, 0x53, WHOLE, GIVEN },
	{ "32-bit code has lower halves", RIG_32, SVM_DEVICE_DONE, UINT64_C(0xf00000053), 1,
	  SVM_EXIT_KIND_HLT, 0x53, 0x44332211, 0x55667788 },
	{ "a number of 64 bits", RIG_64, SVM_DEVICE_DONE, UINT64_C(0xf00000053), 0,
	  SVM_EXIT_KIND_HYPERCALL, 0, 0, UINT64_C(0xf00000053) },
	{ "another's number", RIG_64, SVM_DEVICE_DONE, 0x54, 0, SVM_EXIT_KIND_HYPERCALL, 0, 0,
	  0x54 },
	{ "not mine after all", RIG_64, SVM_DEVICE_EXIT, 0x53, 1, SVM_EXIT_KIND_HYPERCALL, 0x53,
	  WHOLE, 0x53 },
	{ "done, and back to the embedder", RIG_64, SVM_DEVICE_RETURN, 0x53, 1,
	  SVM_EXIT_KIND_REQUEST, 0x53, WHOLE, GIVEN },
};

START_TEST(a_callback_is_asked_for_its_hypercalls)
{
	struct called called = { .result = hypercall_rows[_i].result };
	struct svm_hypercall call;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, hypercall_rows[_i].mode);
	ck_assert_int_eq(svm_vm_hypercall_handler(r.vm, 0x50, 4, note_call, &called), 0);
	hosted_script_vmmcall(&r.code);
	hosted_script_hlt(&r.code);
	regs = rig_regs(&r);
	regs.rax = hypercall_rows[_i].number;
	regs.rsi = WHOLE;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_msg(rig_run(&r) == hypercall_rows[_i].kind, "%s", hypercall_rows[_i].what);
	ck_assert_uint_eq(called.count, hypercall_rows[_i].count);
	ck_assert_uint_eq(called.call.number, hypercall_rows[_i].seen_number);
	ck_assert_uint_eq(called.call.argument[3], hypercall_rows[_i].seen_argument);
	ck_assert_uint_eq(called.call.cpl, 0);
	ck_assert_uint_eq(rig_regs(&r).rax, hypercall_rows[_i].rax);
	if (hypercall_rows[_i].kind == SVM_EXIT_KIND_HYPERCALL) {
		svm_vcpu_get_hypercall(r.vcpu, &call);
		ck_assert_uint_eq(call.number, hypercall_rows[_i].number);
		ck_assert_uint_eq(call.argument[3], WHOLE);
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 7), 0);
	}
	rig_fini(&r);
}
END_TEST

/* --- debug registers ---------------------------------------------------------------------- */

/* Two guests and the host: nobody sees another's DR0 to DR3. */
START_TEST(debug_registers_are_each_guests_own)
{
	struct svm_debug_regs debug;
	struct svm_vcpu *second;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	for (unsigned n = 0; n < 4; n++)
		*hosted_cpu_dr(r.m, 0, n) = 0x1000 + n;
	if (_i)
		*hosted_cpu_dr(r.m, 0, 7) = 0x401;
	hosted_script_read_dr(&r.code, HOSTED_RSI, 0);
	hosted_script_write_dr(&r.code, 0, HOSTED_RBX);
	hosted_script_write_dr(&r.code, 7, HOSTED_RDI);
	hosted_script_read_dr(&r.code, HOSTED_RBP, 0);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	regs.rbx = 0x2222;
	regs.rdi = 0x402;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi, 0);
	ck_assert_uint_eq(rig_regs(&r).rbp, 0x2222);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr[0], 0x2222);
	ck_assert_uint_eq(debug.dr7, 0x402);

	ck_assert_int_eq(svm_vcpu_run(second, &r.exit), 0);
	svm_vcpu_get_regs(second, &regs);
	ck_assert_uint_eq(regs.rsi, 0);
	if (_i) {
		ck_assert_uint_eq(*hosted_cpu_dr(r.m, 0, 0), 0x1000);
		ck_assert_uint_eq(*hosted_cpu_dr(r.m, 0, 7), 0x401);
		*hosted_cpu_dr(r.m, 0, 7) = 0x400;
	}
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(debug_registers_go_to_a_debugger)
{
	struct svm_debug_regs debug = { .dr = { 0x11, 0x22, 0x33, 0x44 },
		                        .dr6 = 0xffff0ff1, .dr7 = 0x455 };
	struct svm_regs regs;
	struct rig r;

	init_help(&r, _i, RIG_64);
	debug.dr6 |= SVM_BIT(32);
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &debug), SVM_ERR_INVAL);
	debug.dr6 ^= SVM_BIT(32);
	debug.dr7 |= SVM_BIT(32);
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &debug), SVM_ERR_INVAL);
	debug.dr7 ^= SVM_BIT(32);
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &debug), 0);
	for (unsigned n = 0; n < 8; n++) {
		ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, 0x20 + n, true), 0);
		ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, 0x30 + n, true), 0);
	}
	regs = rig_regs(&r);
	regs.rbx = 0x99;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_read_dr(&r.code, HOSTED_RDI, 3);
	hosted_script_read_dr(&r.code, HOSTED_RSI, 7);
	hosted_script_write_dr(&r.code, 6, HOSTED_RBX);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DR);
	ck_assert_uint_eq(r.exit.reg.number, 3);
	ck_assert_uint_eq(r.exit.reg.value, 0x44);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x55), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DR);
	ck_assert_uint_eq(r.exit.reg.value, 0x455);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x66), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DR);
	ck_assert_uint_eq(r.exit.reg.number, 6);
	ck_assert(r.exit.reg.is_write);
	ck_assert_uint_eq(r.exit.reg.value, 0x99);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(outcome(&r), -1);
	ck_assert_uint_eq(rig_regs(&r).rdi, 0x55);
	ck_assert_uint_eq(rig_regs(&r).rsi, 0x66);
	rig_fini(&r);
}
END_TEST

/* --- exceptions that someone asked for ---------------------------------------------------- */

START_TEST(int3_is_delivered_behind_itself)
{
	static const uint8_t prefixed[] = { 0x66, 0xcc };
	const bool has_prefix = _i & 1;
	struct rig r;

	init_help(&r, _i / 2, RIG_64);
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
	ck_assert_int_eq(outcome(&r), 3);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 1 + has_prefix);
	rig_fini(&r);
}
END_TEST

START_TEST(a_debugger_sees_db_first)
{
	struct svm_regs regs;
	struct rig r;

	init_help(&r, 0, RIG_64);
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
	ck_assert_int_eq(outcome(&r), 1);
	rig_fini(&r);
}
END_TEST

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
	for (int help = 0; help < ROWS(helps); help++) {
		struct svm_regs regs;
		struct rig r;

		init_help(&r, help, RIG_64);
		step_once(&r, _i);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0); /* Swallowed. */
		regs = rig_regs(&r);
		regs.rflags &= ~UINT64_C(0x100);
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		ck_assert_int_eq(outcome(&r), -1);
		rig_fini(&r);
	}
}
END_TEST

START_TEST(a_debugger_lets_the_guest_have_its_step)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
	step_once(&r, _i);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 1, 0), 0);
	ck_assert_int_eq(outcome(&r), 1);
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

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, interrupting_device, NULL), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	set_rflags(&r, 0x302); /* IF and TF. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + r.code.size);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	ck_assert_int_eq(outcome(&r), 0x30);
	rig_fini(&r);
}
END_TEST

START_TEST(an_exception_takes_the_place_of_a_step_not_yet_seen)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	set_rflags(&r, 0x102);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0); /* The step is over: #DB waits. */
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0, 0), 0);
	ck_assert_int_eq(outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

START_TEST(a_debugger_sees_icebp)
{
	static const uint8_t icebp[] = { 0xf1 };
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_DEBUG), 0);
	hosted_script_raw(&r.code, icebp, sizeof(icebp));
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_DEBUG);
	ck_assert_uint_eq(r.exit.exception.vector, 1);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 1);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 1, 0), 0);
	ck_assert_int_eq(outcome(&r), 1);
	rig_fini(&r);
}
END_TEST

START_TEST(an_intercepted_page_fault_keeps_its_address)
{
	struct svm_system_regs system;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, 0x4e, true), 0);
	hosted_script_load_abs(&r.code, 0x40000000);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	ck_assert_uint_eq(r.exit.exception.vector, 14);
	ck_assert(r.exit.exception.has_error);
	ck_assert_uint_eq(r.exit.exception.error, 0);
	ck_assert_uint_eq(r.exit.exception.address, 0x40000000);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 14, 0), 0);
	ck_assert_int_eq(outcome(&r), 14);
	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_uint_eq(system.cr2, 0x40000000);
	rig_fini(&r);
}
END_TEST

START_TEST(ud_goes_to_whoever_wants_it)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
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
	ck_assert_int_eq(outcome(&r), 6);
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

	init_help(&r, 0, look_rows[_i].mode);
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

	init_help(&r, 0, RIG_64);
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

	init_help(&r, 0, RIG_64);
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

/* --- completing --------------------------------------------------------------------------- */

START_TEST(an_exit_must_be_completed_once_and_in_kind)
{
	struct svm_exit exit;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 0, 0, 0, 0), SVM_ERR_STATE);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.flags, SVM_EXIT_COMPLETE);
	ck_assert_uint_eq(r.exit.insn_len, 3);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 0, 0, 0, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x123456789abc), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_STATE);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x123456789abc);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 3);
	rig_fini(&r);
}
END_TEST

/* IN writes AL, AX or EAX; the last clears the upper half. */
static const struct {
	int size;
	uint64_t rax;
} in_rows[] = { { 1, 0x11111111111111ab }, { 2, 0x11111111111189ab }, { 4, 0x456789ab } };

START_TEST(in_writes_its_operand_alone)
{
	for (int help = 0; help < ROWS(helps); help++) {
		struct svm_regs regs;
		struct rig r;

		init_help(&r, help, RIG_64);
		regs = rig_regs(&r);
		regs.rax = 0x1111111111111111;
		regs.rdx = 0x3f8;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		hosted_script_in_dx(&r.code, in_rows[_i].size);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
		ck_assert_uint_eq(r.exit.io.port, 0x3f8);
		ck_assert_uint_eq(r.exit.io.size, (unsigned)in_rows[_i].size);
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x3456789ab), 0);
		ck_assert_uint_eq(rig_regs(&r).rax, in_rows[_i].rax);
		rig_fini(&r);
	}
}
END_TEST

/* A device callback may do what an embedder may from any thread. */
static enum svm_device_result device(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	unsigned *calls = arg;

	++*calls;
	switch (access->port) {
	case 0x80:
		svm_vcpu_kick(vcpu);
		return SVM_DEVICE_DONE;
	case 0x81:
		return SVM_DEVICE_RETURN;
	case 0x82:
		svm_vcpu_inject_nmi(vcpu);
		svm_vcpu_notify(vcpu);
		access->value = 0x77;
		return SVM_DEVICE_DONE;
	default:
		return SVM_DEVICE_EXIT;
	}
}

START_TEST(a_device_may_kick_return_and_inject)
{
	unsigned calls = 0;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 4, device, &calls), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_out_imm(&r.code, 0x81, 1);
	hosted_script_in_imm(&r.code, 0x83, 1);
	hosted_script_in_imm(&r.code, 0x82, 1);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	ck_assert(r.exit.flags & SVM_EXIT_CONSISTENT);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 4);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 1), 0);
	ck_assert_int_eq(outcome(&r), 2);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 8);
	ck_assert_uint_eq(calls, 4);
	rig_fini(&r);
}
END_TEST

START_TEST(cpuid_can_be_the_embedders)
{
	static const struct svm_cpuid_entry only[] = { { 0, 0, false, 5, 0, 0, 0 } };
	struct svm_regs regs;
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, only, 1), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_CPUID), 0);
	regs = rig_regs(&r);
	regs.rax = 4;
	regs.rcx = 2;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_cpuid(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CPUID);
	ck_assert_uint_eq(r.exit.cpuid.leaf, 4);
	ck_assert_uint_eq(r.exit.cpuid.subleaf, 2);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 1, 2, 3, 4), 0);
	regs = rig_regs(&r);
	ck_assert(regs.rax == 1 && regs.rbx == 2 && regs.rcx == 3 && regs.rdx == 4);
	ck_assert_uint_eq(regs.rip, RIG_CODE + 2);
	rig_fini(&r);
}
END_TEST

/* Bits that follow the vCPU: APIC ID, OSXSAVE, the XSAVE size of leaf 0Dh. */
START_TEST(cpuid_follows_the_vcpu)
{
	struct svm_system_regs system;
	struct svm_regs regs;
	struct svm_vcpu *vcpu;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 3, &vcpu), 0);
	rig_prepare(&r, vcpu);
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	svm_vcpu_get_system(vcpu, &system);
	if (_i)
		system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(vcpu, &system), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	regs.rax = 1;
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &r.exit), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	ck_assert_uint_eq(regs.rbx >> 24, 3);
	ck_assert_uint_eq(regs.rcx >> 27 & 1, (unsigned)_i);
	ck_assert_int_eq(svm_vcpu_complete_skip(vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_xcr0(vcpu, _i ? 7 : 3), 0);
	regs.rip = RIG_CODE;
	regs.rax = 0xd;
	regs.rcx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &r.exit), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	ck_assert_uint_eq(regs.rbx, _i ? 832 : 576);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
	rig_fini(&r);
}
END_TEST

/* --- loops -------------------------------------------------------------------------------- */

/* A guest whose fault handler's fault is intercepted again and again: the detector names it. */
START_TEST(an_exit_that_repeats_is_a_loop)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
	svm_vcpu_set_loop_limit(r.vcpu, 10);
	/* Its bytes become another instruction behind the processor's back: it runs for ever. */
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	for (int i = 0; i < 9; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	}
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_LOOP);
	ck_assert_uint_eq(r.exit.loop.count, 10);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	/* It counts anew, and nothing is owed. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	svm_vcpu_set_loop_limit(r.vcpu, 0);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	}
	rig_fini(&r);
}
END_TEST

static unsigned asked;

static bool never(void *ctx)
{
	(void)ctx;
	asked++;
	return false;
}

static bool at_third(void *ctx)
{
	(void)ctx;
	return ++asked == 3;
}

/* All its exits end inside the library, and host interrupts arrive in the host: still preempted. */
START_TEST(a_guest_that_exits_for_ever_gives_the_cpu_back)
{
	struct hosted_config config;
	struct svm_vcpu_stats stats;
	struct rig r;

	hosted_config_init(&config);
	config.run_limit = UINT64_MAX; /* No timer of the model. */
	rig_machine(&r, &config);
	r.hal.should_exit = at_third;
	asked = 0;
	rig_start(&r, RIG_64);
	hosted_script_cpuid(&r.code);
	hosted_script_jmp(&r.code, 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(asked, 3);
	ck_assert_uint_eq(stats.interrupts, 0);
	ck_assert_uint_ge(stats.entries, 3 * 128 - 8);
	ck_assert_uint_le(stats.entries, 3 * 128 + 8);
	rig_fini(&r);
}
END_TEST

/* The library finishes CPUID, VMMCALL ends a run; times are taken from when they are asked for. */
START_TEST(exits_are_counted_by_code)
{
	struct svm_exit_count rows[SVM_EXIT_COUNT_MAX];
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	for (int i = 0; i < 5; i++)
		hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, SVM_EXIT_COUNT_MAX), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, SVM_EXIT_COUNT_MAX), 2);
	ck_assert_uint_eq(rows[0].code, SVM_EXIT_CPUID);
	ck_assert_uint_eq(rows[0].count, 5);
	ck_assert_uint_eq(rows[0].cycles, 0);
	ck_assert_uint_eq(rows[1].code, SVM_EXIT_VMMCALL);
	ck_assert_uint_eq(rows[1].count, 1);
	ck_assert_uint_eq(rows[1].cycles, 0);

	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rows[1].count = 0;
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, 1), 2);
	ck_assert_uint_eq(rows[0].count, 6);
	ck_assert_uint_gt(rows[0].cycles, 0);
	ck_assert_uint_eq(rows[1].count, 0);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, 2), 2);
	ck_assert_uint_gt(rows[1].cycles, 0);
	rig_fini(&r);
}
END_TEST

static enum svm_device_result swallow(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	(void)vcpu;
	(void)access;
	++*(unsigned *)arg;
	return SVM_DEVICE_DONE;
}

/* What would keep the host busy for as long as the guest likes: many parts, or many wholes. */
static const uint64_t repeats[] = { UINT64_C(1) << 20, 1024 };

START_TEST(a_repeat_without_end_gives_the_cpu_back)
{
	struct hosted_config config;
	struct svm_vcpu_stats stats;
	unsigned swallowed = 0;
	struct svm_regs regs;
	struct rig r;

	hosted_config_init(&config);
	config.run_limit = UINT64_MAX; /* No timer of the model. */
	rig_machine(&r, &config);
	r.hal.should_exit = at_third;
	asked = 0;
	rig_start(&r, RIG_64);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, swallow, &swallowed), 0);
	hosted_script_mov(&r.code, HOSTED_RCX, repeats[_i]);
	hosted_script_mov(&r.code, HOSTED_RSI, RIG_DATA);
	hosted_script_rep_outsb(&r.code);
	hosted_script_jmp(&r.code, 0);
	regs = rig_regs(&r);
	regs.rdx = 0x80;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.entries, 3);
	ck_assert_uint_eq(swallowed, 3 * 1024);
	ck_assert_uint_eq(rig_regs(&r).rcx, (repeats[_i] - 3 * 1024) % repeats[_i]);
	rig_fini(&r);
}
END_TEST

static int restless(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)tpr;
	svm_vcpu_notify(vcpu);
	return -1;
}

static uint8_t accept_none(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	(void)arg;
	(void)vcpu;
	ck_abort_msg("vector %u", vector);
	return vector;
}

static void no_change(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
}

/* An interrupt port that asks to be asked again, always: no entry, and no hang. */
START_TEST(a_port_that_never_rests_gives_the_cpu_back)
{
	static const struct svm_irq_port port = {
		.pending = restless, .accept = accept_none, .tpr_changed = no_change, .arg = NULL,
	};
	struct svm_vcpu_stats stats;
	struct rig r;

	init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_host_interrupt_asks_and_goes_on)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.run_limit = 100;
	rig_machine(&r, &config);
	r.hal.should_exit = never;
	asked = 0;
	rig_start(&r, RIG_64);
	hosted_script_mov(&r.code, HOSTED_RBX, 1000);
	const size_t top = r.code.size;

	hosted_script_dec(&r.code, HOSTED_RBX);
	hosted_script_jnz(&r.code, top);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_ge(asked, 10);
	ck_assert_uint_eq(hosted_taken(r.m, 0, HOSTED_INTR), asked);
	rig_fini(&r);
}
END_TEST

START_TEST(a_physical_nmi_is_the_hosts)
{
	struct rig r;

	init_help(&r, 0, RIG_64);
	hosted_script_jmp(&r.code, 0);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	svm_ring0_irq_save();
	hosted_pend(r.m, 0, _i ? HOSTED_SMI : HOSTED_NMI);
	svm_ring0_irq_restore(0x202);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	rig_fini(&r);
}
END_TEST

/* --- PAUSE -------------------------------------------------------------------------------- */

START_TEST(pause_loops_are_counted_by_the_filter)
{
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 0), 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 3, 0), _i == 2 ? SVM_ERR_NOSUPPORT : 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 3), _i == 2 ? SVM_ERR_NOSUPPORT : 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 0), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_PAUSE), 0);
	for (int i = 0; i < 6; i++)
		hosted_script_pause(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_PAUSE);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2); /* It is done. */
	if (_i != 2) {
		ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 3, 0), 0);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_PAUSE);
		ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2 + 8); /* Count 3: the fourth exits. */
	}
	rig_fini(&r);
}
END_TEST

START_TEST(mwait_goes_to_the_embedder_if_cpuid_offers_it)
{
	static const struct svm_cpuid_entry rows[] = { { 1, 0, false, 0, 0, 1u << 3, 0 } };
	struct rig r;

	init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, 1), 0);
	hosted_script_monitor(&r.code);
	hosted_script_mwait(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(!r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(outcome(&r), -1);
	rig_fini(&r);
}
END_TEST

/* --- codes that no guest of the model makes ----------------------------------------------- */

/* The dispatch alone, on a VMCB as a processor would leave it. */
static const struct {
	uint64_t code, info_1, info_2;
	enum svm_exit_kind kind; /* NONE: the guest goes on. */
	int vector;              /* Pending then; -1: none. */
} dispatch_rows[] = {
	{ 0x8e, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* RDPRU */
	{ 0xa0, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* INVLPGB */
	{ 0xa1, 0, 0, SVM_EXIT_KIND_NONE, 6 },
	{ 0xa3, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* MCOMMIT */
	{ 0xa4, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* TLBSYNC */
	{ 0x51, 0x1c, 0, SVM_EXIT_KIND_NONE, 17 }, /* #AC */
	{ 0x7e, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* FERR_FREEZE */
	{ 0xa5, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* bus lock */
	{ 0x7b, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* IOIO without a size */
	/* OUTSB by the exit, something else in memory: the guest runs again. */
	{ 0x7b, 0x03f80014, RIG_CODE + 1, SVM_EXIT_KIND_NONE, -1 },
	{ 0x63, 0, 0, SVM_EXIT_KIND_INIT, -1 },
	{ 0x407, 0, 0, SVM_EXIT_KIND_RAW, -1 },
	{ 0x12345, 0, 0, SVM_EXIT_KIND_RAW, -1 },
	{ UINT64_C(0xfffffffe), 0, 0, SVM_EXIT_KIND_RAW, -1 },
};

START_TEST(an_unknown_exit_comes_as_it_is)
{
	struct svm_events events;
	struct rig r;

	init_help(&r, 0, RIG_64);
	r.vcpu->vmcb->control.exit_code = dispatch_rows[_i].code;
	r.vcpu->vmcb->control.exit_info_1 = dispatch_rows[_i].info_1;
	r.vcpu->vmcb->control.exit_info_2 = dispatch_rows[_i].info_2;
	r.exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	ck_assert_int_eq(svm_exit_dispatch(r.vcpu, &r.exit),
	                 dispatch_rows[_i].kind == SVM_EXIT_KIND_NONE ? SVM_ACTION_RESUME
	                                                              : SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, dispatch_rows[_i].kind);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_int_eq(events.exception_pending, dispatch_rows[_i].vector >= 0);
	if (dispatch_rows[_i].vector >= 0)
		ck_assert_int_eq(events.exception_vector, dispatch_rows[_i].vector);
	if (dispatch_rows[_i].vector == 17)
		ck_assert_uint_eq(events.exception_error, 0x1c);
	rig_fini(&r);
}
END_TEST

static unsigned checks;

static bool survives(void *ctx)
{
	(void)ctx;
	checks++;
	return true;
}

static bool does_not(void *ctx)
{
	(void)ctx;
	checks++;
	return false;
}

static void no_bug(void *ctx, const char *what)
{
	(void)ctx;
	ck_assert_str_eq(what, "machine check while a guest ran");
}

START_TEST(a_machine_check_is_the_hosts_to_judge)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.machine_check = _i == 0 ? survives : _i == 1 ? does_not : NULL;
	r.hal.bug = no_bug;
	checks = 0;
	rig_start(&r, RIG_64);
	r.vcpu->vmcb->control.exit_code = 0x52;
	ck_assert_int_eq(svm_exit_dispatch(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(checks, _i < 2);
	ck_assert_int_eq(svm_vm_state(r.vm), _i == 0 ? SVM_VM_CREATED : SVM_VM_DEAD);
	if (_i)
		ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_DEAD);
	rig_fini(&r);
}
END_TEST

/* --- MONITOR of the intercepts ------------------------------------------------------------ */

static const struct {
	unsigned code;
	int result;
} intercept_rows[] = {
	{ 0x00, 0 },  { 0x18, 0 },  { 0x20, 0 },  { 0x4d, 0 },  { 0x6e, 0 },
	{ 0x75, 0 },  { 0x79, 0 },  { 0x87, 0 },  { 0x4e, 0 },
	{ 0x41, SVM_ERR_INVAL }, /* #DB: floor */
	{ 0x51, SVM_ERR_INVAL }, /* #AC */
	{ 0x52, SVM_ERR_INVAL }, /* #MC */
	{ 0x42, SVM_ERR_INVAL }, /* vectors without an exception */
	{ 0x49, SVM_ERR_INVAL },
	{ 0x14, SVM_ERR_INVAL }, /* CR4 */
	{ 0x60, SVM_ERR_INVAL }, { 0x61, SVM_ERR_INVAL }, { 0x7b, SVM_ERR_INVAL },
	{ 0x7c, SVM_ERR_INVAL }, { 0x80, SVM_ERR_INVAL }, { 0x8d, SVM_ERR_INVAL },
	{ 0x64, SVM_ERR_INVAL }, /* VINTR and IRET are the library's */
	{ 0x74, SVM_ERR_INVAL },
	{ 0x8f, SVM_ERR_INVAL }, /* traps of SEV-ES */
	{ 0x90, SVM_ERR_INVAL }, { 0x9f, SVM_ERR_INVAL },
	{ 0xa5, SVM_ERR_INVAL }, /* not of this processor */
	{ 0xa6, SVM_ERR_INVAL },
	{ 0xa7, SVM_ERR_INVAL }, { 0xbf, SVM_ERR_INVAL }, { 0xc0, SVM_ERR_INVAL },
	{ 0x400, SVM_ERR_INVAL },
};

START_TEST(a_debugger_may_take_what_is_above_the_floor)
{
	struct svm_vmcb before;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	before = *svm_vcpu_vmcb(r.vcpu);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, intercept_rows[_i].code, true),
	                 intercept_rows[_i].result);
	if (!intercept_rows[_i].result) {
		ck_assert(svm_vmcb_get_intercept(svm_vcpu_vmcb(r.vcpu), intercept_rows[_i].code));
		ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, intercept_rows[_i].code, false), 0);
	}
	ck_assert_mem_eq(before.control._intercept, svm_vcpu_vmcb(r.vcpu)->control._intercept,
	                 sizeof(before.control._intercept));
	rig_fini(&r);
}
END_TEST

/* Word by word: what every guest is caught at (15.7 to 15.14 and the floor of the design). */
START_TEST(the_floor_is_what_the_manual_calls_for)
{
	static const uint32_t expected[6] = {
		0x00100000,                 /* CR4 writes */
		0xffffffff,                 /* debug registers */
		0x00060002,                 /* #DB #AC #MC */
		0xfd4c800f & ~0u,           /* see exit_codes.h; no SWINT, no PAUSE, no VINTR */
		0x00007f7f,                 /* VMRUN … RDPRU, not RDTSCP */
		0x00000000,                 /* nothing that this processor lacks */
	};
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_mem_eq(svm_vcpu_vmcb(r.vcpu)->control._intercept, expected, sizeof(expected));
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_trap_flag_traps_behind_each_instruction, 0, ROWS(stepped_rows));
	tcase_add_loop_test(tc, an_instruction_uses_up_rf_and_the_shadow, 1, ROWS(stepped_rows));
	tcase_add_loop_test(tc, icebp_is_a_debug_exception, 0, ROWS(helps));
	tcase_add_loop_test(tc, an_instruction_faults_as_without_a_monitor, 0, ROWS(fault_rows));
	tcase_add_loop_test(tc, mwait_goes_to_whoever_wants_it, 0, ROWS(helps));
	tcase_add_loop_test(tc, svm_instructions_go_to_whoever_wants_them, 0, ROWS(helps));
	tcase_add_loop_test(tc, xsetbv_takes_what_the_manual_allows, 0, ROWS(xsetbv_rows));
	tcase_add_loop_test(tc, states_come_in_groups, 0, ROWS(state_rows));
	tcase_add_loop_test(tc, xsetbv_of_a_hidden_state_faults, 0, 2);
	tcase_add_loop_test(tc, an_msr_answers_as_the_manual_says, 0, ROWS(msr_rows));
	tcase_add_loop_test(tc, an_msr_set_from_outside_is_checked_alike, 0, ROWS(msr_rows));
	tcase_add_loop_test(tc, an_address_must_be_canonical, 0, ROWS(address_msrs));
	tcase_add_test(tc, speculation_msrs_need_their_processor);
	tcase_add_loop_test(tc, a_policy_decides_what_the_guest_gets, 0, ROWS(helps));
	tcase_add_loop_test(tc, a_value_that_is_refused_can_be_an_exit, 0, ROWS(helps));
	tcase_add_loop_test(tc, a_filter_comes_before_everything, 0, 2);
	tcase_add_test(tc, the_tsc_has_an_offset);
	tcase_add_loop_test(tc, cr4_holds_what_cpuid_offers, 0, ROWS(cr4_rows));
	tcase_add_loop_test(tc, control_registers_go_to_whoever_wants_them, 0, ROWS(helps));
	tcase_add_test(tc, a_control_register_is_read_in_its_width);
	tcase_add_loop_test(tc, clts_and_lmsw_are_writes_of_cr0, 0, ROWS(helps));
	tcase_add_loop_test(tc, smsw_reads_cr0, 0, ROWS(helps));
	tcase_add_loop_test(tc, a_callback_is_asked_for_its_hypercalls, 0,
	                    ROWS(hypercall_rows));
	tcase_add_loop_test(tc, a_callback_is_asked_for_its_registers, 0, ROWS(helps));
	tcase_add_loop_test(tc, the_library_writes_control_registers_as_the_guest, 0,
	                    ROWS(control_rows));
	tcase_add_test(tc, the_library_writes_debug_registers_as_the_guest);
	tcase_add_loop_test(tc, debug_registers_are_each_guests_own, 0, 2);
	tcase_add_loop_test(tc, debug_registers_go_to_a_debugger, 0, ROWS(helps));
	tcase_add_loop_test(tc, int3_is_delivered_behind_itself, 0, 2 * ROWS(helps));
	tcase_add_test(tc, a_debugger_sees_db_first);
	tcase_add_loop_test(tc, a_debugger_sees_the_step_over_each_instruction, 0,
	                    ROWS(stepped_rows));
	tcase_add_loop_test(tc, a_debugger_lets_the_guest_have_its_step, 0, ROWS(stepped_rows));
	tcase_add_test(tc, an_interrupt_follows_a_step_that_was_swallowed);
	tcase_add_test(tc, an_exception_takes_the_place_of_a_step_not_yet_seen);
	tcase_add_test(tc, a_debugger_sees_icebp);
	tcase_add_loop_test(tc, an_intercepted_page_fault_keeps_its_address, 0, ROWS(helps));
	tcase_add_test(tc, ud_goes_to_whoever_wants_it);
	tcase_add_loop_test(tc, an_instruction_looked_at_is_executed_after_all, 0,
	                    ROWS(look_rows));
	tcase_add_test(tc, only_the_instruction_looked_at_is_executed);
	tcase_add_test(tc, a_missing_instruction_is_supplied);
	tcase_add_test(tc, an_exit_must_be_completed_once_and_in_kind);
	tcase_add_loop_test(tc, in_writes_its_operand_alone, 0, ROWS(in_rows));
	tcase_add_test(tc, a_device_may_kick_return_and_inject);
	tcase_add_loop_test(tc, cpuid_can_be_the_embedders, 0, ROWS(helps));
	tcase_add_loop_test(tc, cpuid_follows_the_vcpu, 0, 2);
	tcase_add_test(tc, an_exit_that_repeats_is_a_loop);
	tcase_add_test(tc, exits_are_counted_by_code);
	tcase_add_test(tc, a_guest_that_exits_for_ever_gives_the_cpu_back);
	tcase_add_loop_test(tc, a_repeat_without_end_gives_the_cpu_back, 0, ROWS(repeats));
	tcase_add_test(tc, a_port_that_never_rests_gives_the_cpu_back);
	tcase_add_test(tc, a_host_interrupt_asks_and_goes_on);
	tcase_add_loop_test(tc, a_physical_nmi_is_the_hosts, 0, 2);
	tcase_add_loop_test(tc, pause_loops_are_counted_by_the_filter, 0, ROWS(helps));
	tcase_add_loop_test(tc, mwait_goes_to_the_embedder_if_cpuid_offers_it, 0, ROWS(helps));
	tcase_add_loop_test(tc, an_unknown_exit_comes_as_it_is, 0, ROWS(dispatch_rows));
	tcase_add_loop_test(tc, a_machine_check_is_the_hosts_to_judge, 0, 3);
	tcase_add_loop_test(tc, a_debugger_may_take_what_is_above_the_floor, 0,
	                    ROWS(intercept_rows));
	tcase_add_test(tc, the_floor_is_what_the_manual_calls_for);
}

int main(void)
{
	return rig_main("vCPU exits", add_tests);
}
