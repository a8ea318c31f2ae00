/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control and debug registers and XCR0, by the guest's instructions and by their exits.  APM
 * vol. 2, 3.1, 13.1, 15.8, 15.9.
 */
#include "vcpu_rig.h"

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
	for (int help = 0; help < RIG_HELPS; help++) {
		struct svm_system_regs system;
		struct svm_regs regs;
		struct rig r;

		rig_init_help(&r, help, cr4_rows[_i].mode);
		regs = rig_regs(&r);
		regs.rbx = cr4_rows[_i].cr4;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		svm_vcpu_get_system(r.vcpu, &system);
		const uint64_t before = system.cr4;

		hosted_script_write_cr(&r.code, 4, HOSTED_RBX);
		ck_assert_int_eq(rig_outcome(&r), cr4_rows[_i].vector);
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

	rig_init_help(&r, _i, RIG_64);
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
	ck_assert_int_eq(rig_outcome(&r), -1);
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

	rig_init_help(&r, 0, RIG_32);
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
		rig_init_help(&r, _i, RIG_64);
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

	rig_init_help(&r, _i, RIG_64);
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

	rig_init_help(&r, 0, control_rows[_i].mode);
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

/* A step of the library's own sets TF, which is not the guest's. */
START_TEST(single_registers_are_as_in_their_groups)
{
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, RIG_32);
	ck_assert_uint_eq(svm_vcpu_get_apic_base(r.vcpu), 0xfee00900);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x1b, 0xfed00800), 0);
	ck_assert_uint_eq(svm_vcpu_get_apic_base(r.vcpu), 0xfed00800);
	ck_assert_uint_eq(svm_vcpu_get_cr8(r.vcpu), 0);
	svm_vcpu_set_cr8(r.vcpu, 11);
	ck_assert_uint_eq(svm_vcpu_get_cr8(r.vcpu), 11);
	svm_vcpu_get_regs(r.vcpu, &regs);
	regs.rflags = 0x202;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	svm_events_start_step(r.vcpu);
	ck_assert_uint_eq(svm_vcpu_get_rflags(r.vcpu), 0x202);
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

	rig_init_help(&r, 0, RIG_64);
	for (int i = 0; i < ROWS(rows); i++) {
		ck_assert_int_eq(svm_debug_write(r.vcpu, rows[i].n, rows[i].value), rows[i].legal);
		ck_assert_uint_eq(svm_debug_read(r.vcpu, rows[i].n), rows[i].after);
		ck_assert_int_eq(r.vcpu->guest_debugs, rows[i].n == 7);
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

	rig_init_help(&r, _i, RIG_64);
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
	ck_assert_int_eq(rig_outcome(&r), -1);
	ck_assert_uint_eq(rig_regs(&r).rdi, 0x55);
	ck_assert_uint_eq(rig_regs(&r).rsi, 0x66);
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

	rig_init_help(&r, 0, RIG_64);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	regs = rig_regs(&r);
	regs.rcx = xsetbv_rows[_i].rcx;
	regs.rax = (uint32_t)xsetbv_rows[_i].value;
	regs.rdx = xsetbv_rows[_i].value >> 32;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_xsetbv(&r.code);
	ck_assert_int_eq(rig_outcome(&r), xsetbv_rows[_i].vector);
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

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, ROWS(rows)), 0);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	regs = rig_regs(&r);
	regs.rax = _i ? 0x3 : 0x7;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_xsetbv(&r.code);
	ck_assert_int_eq(rig_outcome(&r), _i ? -1 : 13);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, ROWS(rows)), SVM_ERR_STATE); /* Sealed. */
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, xsetbv_takes_what_the_manual_allows, 0, ROWS(xsetbv_rows));
	tcase_add_loop_test(tc, states_come_in_groups, 0, ROWS(state_rows));
	tcase_add_loop_test(tc, xsetbv_of_a_hidden_state_faults, 0, 2);
	tcase_add_loop_test(tc, cr4_holds_what_cpuid_offers, 0, ROWS(cr4_rows));
	tcase_add_loop_test(tc, control_registers_go_to_whoever_wants_them, 0, RIG_HELPS);
	tcase_add_test(tc, a_control_register_is_read_in_its_width);
	tcase_add_loop_test(tc, clts_and_lmsw_are_writes_of_cr0, 0, RIG_HELPS);
	tcase_add_loop_test(tc, smsw_reads_cr0, 0, RIG_HELPS);
	tcase_add_loop_test(tc, the_library_writes_control_registers_as_the_guest, 0,
	                    ROWS(control_rows));
	tcase_add_test(tc, single_registers_are_as_in_their_groups);
	tcase_add_test(tc, the_library_writes_debug_registers_as_the_guest);
	tcase_add_loop_test(tc, debug_registers_are_each_guests_own, 0, 2);
	tcase_add_loop_test(tc, debug_registers_go_to_a_debugger, 0, RIG_HELPS);
}

int main(void)
{
	return rig_main("vCPU registers", add_tests);
}
