/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What each exit reports, and that nothing else is promised.  APM vol. 2, 15.6 to 15.14.
 */
#include <libsvm/exit_codes.h>

#include "bare.h"
#include "suite.h"

#define ANY UINT64_C(0xdead5eeddead5eed) /* What the model leaves in undefined fields. */

START_TEST(a_guest_ends_with_vmmcall_in_every_mode)
{
	struct bare b;

	bare_init(&b, NULL, (enum guest_mode)_i);
	hosted_script_mov(&b.code, HOSTED_RBX, 0x1234);
	hosted_script_vmmcall(&b.code);
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_uint_eq(b.s.rbx, 0x1234);
	ck_assert_uint_eq(b.vmcb->save.rip, GUEST_CODE + b.code.size - 3);
	ck_assert_uint_eq(b.vmcb->control.next_rip, GUEST_CODE + b.code.size);
	ck_assert(hosted_cpu_gif(b.m, 0));
	ck_assert(hosted_cpu_if(b.m, 0));
	bare_fini(&b);
}
END_TEST

struct row {
	const char *what;
	void (*emit)(struct hosted_script *s);
	unsigned intercept;
	uint64_t exit_code, info_1, info_2;
	uint8_t length; /* Of the instruction; 0: next RIP is 0. */
};

static void in_al_imm(struct hosted_script *s)
{
	hosted_script_in_imm(s, 0x71, 1);
}

static void out_imm_ax(struct hosted_script *s)
{
	hosted_script_out_imm(s, 0x80, 2);
}

static void out_dx_eax(struct hosted_script *s)
{
	hosted_script_out_dx(s, 4);
}

static void cr0_write(struct hosted_script *s)
{
	hosted_script_write_cr(s, 0, 9);
}

static void cr4_read(struct hosted_script *s)
{
	hosted_script_read_cr(s, 11, 4);
}

static void cr8_write(struct hosted_script *s)
{
	hosted_script_write_cr(s, 8, HOSTED_RCX);
}

static void dr7_write(struct hosted_script *s)
{
	hosted_script_write_dr(s, 7, HOSTED_RBX);
}

static void dr0_read(struct hosted_script *s)
{
	hosted_script_read_dr(s, HOSTED_RSI, 0);
}

static void int_80(struct hosted_script *s)
{
	hosted_script_int(s, 0x80);
}

static void invlpg_rbp(struct hosted_script *s)
{
	hosted_script_invlpg(s, HOSTED_RBP);
}

/* RAX is 0x5000, RCX 2, RDX 0x3f8, RBP 0x4000; all others 0. */
static const struct row rows[] = {
	{ "CPUID", hosted_script_cpuid, 0x72, 0x72, ANY, ANY, 2 },
	{ "IN AL, 71h", in_al_imm, 0x7b, 0x7b, 0x00710211, 0x1002, 2 },
	{ "OUT 80h, AX", out_imm_ax, 0x7b, 0x7b, 0x00800220, 0x1003, 3 },
	{ "OUT DX, EAX", out_dx_eax, 0x7b, 0x7b, 0x03f80240, 0x1001, 1 },
	{ "REP OUTSB", hosted_script_rep_outsb, 0x7b, 0x7b, 0x03f80e1c, 0x1002, 2 },
	{ "RDMSR", hosted_script_rdmsr, 0x7c, 0x7c, 0, ANY, 2 },
	{ "WRMSR", hosted_script_wrmsr, 0x7c, 0x7c, 1, ANY, 2 },
	{ "RDTSC", hosted_script_rdtsc, 0x6e, 0x6e, ANY, ANY, 2 },
	{ "RDTSCP", hosted_script_rdtscp, 0x87, 0x87, ANY, ANY, 3 },
	{ "RDPMC", hosted_script_rdpmc, 0x6f, 0x6f, ANY, ANY, 2 },
	{ "HLT", hosted_script_hlt, 0x78, 0x78, ANY, ANY, 1 },
	{ "INVD", hosted_script_invd, 0x76, 0x76, ANY, ANY, 2 },
	{ "WBINVD", hosted_script_wbinvd, 0x89, 0x89, ANY, ANY, 2 },
	{ "RSM", hosted_script_rsm, 0x73, 0x73, ANY, ANY, 2 },
	{ "PUSHF", hosted_script_pushf, 0x70, 0x70, ANY, ANY, 1 },
	{ "POPF", hosted_script_popf, 0x71, 0x71, ANY, ANY, 1 },
	{ "IRETQ", hosted_script_iret, 0x74, 0x74, ANY, ANY, 2 },
	{ "VMRUN", hosted_script_vmrun, 0x80, 0x80, ANY, ANY, 3 },
	{ "VMLOAD", hosted_script_vmload, 0x82, 0x82, ANY, ANY, 3 },
	{ "VMSAVE", hosted_script_vmsave, 0x83, 0x83, ANY, ANY, 3 },
	{ "STGI", hosted_script_stgi, 0x84, 0x84, ANY, ANY, 3 },
	{ "CLGI", hosted_script_clgi, 0x85, 0x85, ANY, ANY, 3 },
	{ "SKINIT", hosted_script_skinit, 0x86, 0x86, ANY, ANY, 3 },
	{ "INVLPGA", hosted_script_invlpga, 0x7a, 0x7a, ANY, ANY, 3 },
	{ "MONITOR", hosted_script_monitor, 0x8a, 0x8a, ANY, ANY, 3 },
	{ "MWAIT", hosted_script_mwait, 0x8b, 0x8b, ANY, ANY, 3 },
	{ "XSETBV", hosted_script_xsetbv, 0x8d, 0x8d, ANY, ANY, 3 },
	{ "ICEBP", hosted_script_icebp, 0x88, 0x88, ANY, ANY, 1 },
	{ "INT3", hosted_script_int3, 0x43, 0x43, ANY, ANY, 1 },
	{ "UD2", hosted_script_ud2, 0x46, 0x46, ANY, ANY, 0 },
	{ "INT 80h", int_80, 0x75, 0x75, 0x80, ANY, 2 },
	{ "MOV CR0, R9", cr0_write, 0x10, 0x10, SVM_BIT(63) | 9, ANY, 4 },
	{ "MOV R11, CR4", cr4_read, 0x04, 0x04, SVM_BIT(63) | 11, ANY, 4 },
	{ "MOV CR8, RCX", cr8_write, 0x18, 0x18, SVM_BIT(63) | 1, ANY, 4 },
	{ "MOV DR7, RBX", dr7_write, 0x37, 0x37, 3, ANY, 3 },
	{ "MOV RSI, DR0", dr0_read, 0x20, 0x20, 6, ANY, 3 },
	{ "CLTS", hosted_script_clts, 0x10, 0x10, 0, ANY, 2 },
	{ "INVLPG [RBP]", invlpg_rbp, 0x79, 0x79, 0x4000, ANY, 4 },
};

static void prepare(struct bare *b, const struct row *row)
{
	row->emit(&b->code);
	svm_vmcb_set_intercept(b->vmcb, row->intercept, true);
	b->vmcb->save.rax = 0x5000;
	b->s.rcx = 2;
	b->s.rdx = 0x3f8;
	b->s.rbp = 0x4000;
	b->s.r9 = 0x80000011;
}

static void run_row(const struct row *row, uint32_t without)
{
	const bool assists = !(without & SVM_FEATURE_DECODE_ASSISTS);
	const bool needs_assists =
		row->exit_code < 0x40 || row->exit_code == 0x75 || row->exit_code == 0x79;
	uint64_t info_1 = row->info_1;
	struct hosted_config config;
	struct bare b;

	if (!assists && needs_assists)
		info_1 = ANY;
	if (!assists && (info_1 & 0x100000004) == 4 && row->exit_code == 0x7b)
		info_1 &= ~SVM_IOIO_SEGMENT;
	hosted_config_init(&config);
	config.features.svm_edx &= ~without;
	bare_init(&b, &config, GUEST_64);
	prepare(&b, row);
	bare_run(&b);
	const struct svm_vmcb_control *c = &b.vmcb->control;

	ck_assert_msg(c->exit_code == row->exit_code, "%s: code %llx", row->what,
	              (unsigned long long)c->exit_code);
	ck_assert_msg(c->exit_info_1 == info_1, "%s: info 1 %llx", row->what,
	              (unsigned long long)c->exit_info_1);
	ck_assert_msg(c->exit_info_2 == row->info_2, "%s: info 2 %llx", row->what,
	              (unsigned long long)c->exit_info_2);
	ck_assert_uint_eq(b.vmcb->save.rip, GUEST_CODE);
	ck_assert_uint_eq(c->exit_int_info & SVM_EVENT_VALID, 0);
	if (without & SVM_FEATURE_NRIPS)
		ck_assert_uint_eq(c->next_rip, ANY);
	else
		ck_assert_msg(c->next_rip == (row->length ? GUEST_CODE + row->length : 0),
		              "%s: next RIP %llx", row->what, (unsigned long long)c->next_rip);
	ck_assert_uint_eq(c->insn_count, assists ? 0 : 0x5e);
	ck_assert_uint_eq(b.s.rcx, 2);
	bare_fini(&b);
}

START_TEST(an_exit_reports_what_the_manual_says)
{
	run_row(&rows[_i], 0);
}
END_TEST

START_TEST(without_nrips_the_next_rip_is_noise)
{
	run_row(&rows[_i], SVM_FEATURE_NRIPS);
}
END_TEST

START_TEST(without_decode_assists_operands_are_noise)
{
	run_row(&rows[_i], SVM_FEATURE_DECODE_ASSISTS);
}
END_TEST

/* Left to the guest these reach the host.  No test of the library may ever see it. */
static const struct {
	const char *what;
	void (*emit)(struct hosted_script *s);
	unsigned intercept;
} escapes[] = {
	{ "VMLOAD", hosted_script_vmload, SVM_EXIT_VMLOAD },
	{ "VMSAVE", hosted_script_vmsave, SVM_EXIT_VMSAVE },
	{ "STGI", hosted_script_stgi, SVM_EXIT_STGI },
	{ "CLGI", hosted_script_clgi, SVM_EXIT_CLGI },
	{ "SKINIT", hosted_script_skinit, SVM_EXIT_SKINIT },
	{ "INVLPGA", hosted_script_invlpga, SVM_EXIT_INVLPGA },
	{ "INVD", hosted_script_invd, SVM_EXIT_INVD },
};

START_TEST(an_instruction_that_reaches_the_host_is_an_escape)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	escapes[_i].emit(&b.code);
	svm_vmcb_set_intercept(b.vmcb, escapes[_i].intercept, false);
	hosted_tolerate(b.m, HOSTED_BREACH_ESCAPE);
	b.vmcb->save.rax = 0x5000;
	bare_run(&b);
	ck_assert_msg(hosted_breaches(b.m, HOSTED_BREACH_ESCAPE) == 1, "%s", escapes[_i].what);
	bare_fini(&b);
}
END_TEST

START_TEST(a_guest_that_reaches_the_library_is_an_escape)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_load_abs(&b.code, 0x10000);
	b.pt[16] = b.s.vmcb | 7;
	hosted_tolerate(b.m, HOSTED_BREACH_ESCAPE);
	bare_run(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_ESCAPE), 1);
	ck_assert_ptr_nonnull(strstr(hosted_breach_text(b.m), "the library's"));
	bare_fini(&b);
}
END_TEST

/* Order of fault and intercept.  CPL 3: INVD faults first, CPUID exits first.  15.9. */
START_TEST(privilege_comes_before_some_intercepts)
{
	static const struct {
		void (*emit)(struct hosted_script *s);
		uint64_t exit_code;
	} order[] = {
		{ hosted_script_cpuid, 0x72 },   { hosted_script_xsetbv, 0x8d },
		{ hosted_script_vmmcall, 0x81 }, { hosted_script_invd, 0x4d },
		{ hosted_script_hlt, 0x4d },     { hosted_script_rdmsr, 0x4d },
		{ hosted_script_vmload, 0x4d },  { hosted_script_clts, 0x4d },
	};
	struct bare b;

	for (int i = 0; i < ROWS(order); i++) {
		bare_init(&b, NULL, GUEST_64);
		order[i].emit(&b.code);
		for (unsigned code = 0x60; code < 0x90; code++)
			svm_vmcb_set_intercept(b.vmcb, code, true);
		svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_CR_WRITE, true);
		svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_GP, true);
		svm_vmcb_set_cpl(b.vmcb, 3);
		ck_assert_uint_eq(bare_run(&b), order[i].exit_code);
		bare_fini(&b);
	}
}
END_TEST

START_TEST(cr0_selective_write_ignores_ts_and_mp)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_mov(&b.code, HOSTED_RBX, 0x8001001b); /* TS, MP */
	hosted_script_write_cr(&b.code, 0, HOSTED_RBX);
	hosted_script_mov(&b.code, HOSTED_RBX, 0x80000011); /* WP cleared */
	hosted_script_write_cr(&b.code, 0, HOSTED_RBX);
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_CR0_SEL_WRITE, true);
	ck_assert_uint_eq(bare_run(&b), 0x65);
	ck_assert_uint_eq(svm_vmcb_get_cr0(b.vmcb), 0x8001001b);
	ck_assert_uint_eq(b.s.rbx, 0x80000011);
	bare_fini(&b);
}
END_TEST

START_TEST(permission_maps_open_single_ports_and_registers)
{
	struct bare b;
	uint8_t *iopm, *msrpm;

	bare_init(&b, NULL, GUEST_64);
	iopm = (uint8_t *)b.pages + 0x3000;
	msrpm = (uint8_t *)b.pages + 0x6000;
	iopm[0x3f8 / 8] &= (uint8_t)~1;
	iopm[0xffff / 8] &= 0x7f;
	msrpm[0x800 + 0x100 / 4] &= (uint8_t)~1; /* C000_0100h, reads */
	hosted_script_mov(&b.code, HOSTED_RDX, 0x3f8);
	hosted_script_mov(&b.code, HOSTED_RAX, 0x41);
	hosted_script_out_dx_al(&b.code);
	hosted_script_mov(&b.code, HOSTED_RCX, 0xc0000100);
	hosted_script_rdmsr(&b.code);
	hosted_script_mov(&b.code, HOSTED_RDX, 0xffff);
	hosted_script_out_dx(&b.code, 2); /* One byte past the ports: its bit is set. */
	b.vmcb->save.fs.base = 0x12345;
	ck_assert_uint_eq(bare_run(&b), 0x7b);
	ck_assert_uint_eq(hosted_port(b.m, 0x3f8), 0x41);
	ck_assert_uint_eq(b.vmcb->save.rax & 0xffff, 0x2345);
	ck_assert_uint_eq(b.vmcb->control.exit_info_1 >> 16, 0xffff);
	bare_fini(&b);
}
END_TEST

START_TEST(a_nested_fault_gives_address_and_bytes)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	if (_i)
		config.features.svm_edx &= ~(uint32_t)SVM_FEATURE_DECODE_ASSISTS;
	bare_init(&b, &config, GUEST_64);
	b.pt[20] = 0;
	hosted_script_store_abs(&b.code, 0x14abc);
	ck_assert_uint_eq(bare_run(&b), 0x400);
	ck_assert_uint_eq(b.vmcb->control.exit_info_1, 0x100000006);
	ck_assert_uint_eq(b.vmcb->control.exit_info_2, 0x14abc);
	ck_assert_uint_eq(b.vmcb->control.next_rip, 0);
	ck_assert_uint_eq(b.vmcb->control.insn_count, _i ? 0x5e : 15);
	if (!_i)
		ck_assert_mem_eq(b.vmcb->control.insn_bytes, b.code.bytes, b.code.size);
	b.pt[20] = (b.memory_hpa + 20 * 4096) | 7; /* Mapped now: go on. */
	hosted_script_vmmcall(&b.code);
	b.vmcb->save.rax = 0x55;
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_uint_eq(b.memory[0x14abc], 0x55);
	bare_fini(&b);
}
END_TEST

START_TEST(a_guests_table_that_is_not_mapped_is_a_walk)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	b.pt[9] &= ~2ull; /* Second table, read-only: a guest's walk writes. */
	hosted_script_nop(&b.code);
	ck_assert_uint_eq(bare_run(&b), 0x400);
	ck_assert_uint_eq(b.vmcb->control.exit_info_1, 0x200000007);
	ck_assert_uint_eq(b.vmcb->control.exit_info_2, 0x9000);
	bare_fini(&b);
}
END_TEST

START_TEST(a_guest_page_fault_is_the_guests)
{
	uint64_t *pte;
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	pte = (uint64_t *)(void *)(b.memory + GUEST_PT + 0x3000);
	pte[20] = 0x14005; /* Read-only. */
	svm_vmcb_set_cr2(b.vmcb, 0x77);
	hosted_script_store_abs(&b.code, 0x14008);
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_PF, true);
	ck_assert_uint_eq(bare_run(&b), 0x4e);
	ck_assert_uint_eq(b.vmcb->control.exit_info_1, 3);
	ck_assert_uint_eq(b.vmcb->control.exit_info_2, 0x14008);
	ck_assert_uint_eq(svm_vmcb_get_cr2(b.vmcb), 0x77); /* Not yet. */
	ck_assert_uint_eq(pte[1] & 0x60, 0x20);            /* The code was read. */
	bare_fini(&b);
}
END_TEST

START_TEST(a_shutdown_leaves_nothing_to_go_on_with)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_ud2(&b.code);
	svm_vmcb_set_idtr(b.vmcb, (struct svm_vmcb_segment){ 0 });
	ck_assert_uint_eq(bare_run(&b), 0x7f);
	ck_assert_uint_eq(b.vmcb->save.rip, ANY);
	ck_assert_uint_eq(svm_vmcb_get_cr0(b.vmcb), ANY);
	bare_fini(&b);
}
END_TEST

START_TEST(the_switch_saves_what_vmrun_leaves_alone)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	b.vmcb->save.tr.base = 0x666;
	b.vmcb->save.gs.base = 0x777;
	b.vmcb->save.lstar = 0x888;
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_uint_eq(b.vmcb->save.gs.base, 0x777);
	ck_assert_uint_ne(svm_ring0_rdmsr(0xc0000101), 0x777);
	/* A VMSAVE page that is not this CPU's gives the host wrong registers. */
	hosted_tolerate(b.m, HOSTED_BREACH_HOST_STATE);
	((struct svm_vmcb *)(void *)((uint8_t *)b.pages + 0x1000))->save.gs.base = 0x999;
	bare_run(&b);
	ck_assert_uint_ge(hosted_breaches(b.m, HOSTED_BREACH_HOST_STATE), 1);
	bare_fini(&b);
}
END_TEST

static const struct {
	uint32_t feature;
	uint16_t count, threshold;
	unsigned nops;     /* Between two PAUSEs. */
	unsigned exits_at; /* Which PAUSE exits; 0: none of ten. */
} pauses[] = {
	{ SVM_FEATURE_PAUSE_FILTER, 3, 0, 0, 1 }, /* Feature masked: every one. */
	{ 0, 0, 0, 0, 1 },
	{ 0, 2, 0, 0, 3 },
	{ 0, 2, 15, 0, 3 },
	{ 0, 2, 15, 4, 0 }, /* Far apart: the counter starts again. */
	{ SVM_FEATURE_PAUSE_THRESHOLD, 2, 15, 4, 3 },
};

START_TEST(pause_filter_counts)
{
	struct hosted_config config;
	struct bare b;
	size_t ends[11];

	hosted_config_init(&config);
	config.features.svm_edx &= ~pauses[_i].feature;
	bare_init(&b, &config, GUEST_64);
	for (unsigned i = 0; i < 10; i++) {
		ends[i] = b.code.size;
		hosted_script_pause(&b.code);
		for (unsigned n = 0; n < pauses[_i].nops; n++)
			hosted_script_nop(&b.code);
	}
	hosted_script_vmmcall(&b.code);
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_PAUSE, true);
	svm_vmcb_set_pause_filter_count(b.vmcb, pauses[_i].count);
	svm_vmcb_set_pause_filter_threshold(b.vmcb, pauses[_i].threshold);
	bare_run(&b);
	if (pauses[_i].exits_at) {
		ck_assert_uint_eq(b.vmcb->control.exit_code, 0x77);
		ck_assert_uint_eq(b.vmcb->save.rip, GUEST_CODE + ends[pauses[_i].exits_at - 1]);
	} else {
		ck_assert_uint_eq(b.vmcb->control.exit_code, 0x81);
	}
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_guest_ends_with_vmmcall_in_every_mode, 0, 3);
	tcase_add_loop_test(tc, an_exit_reports_what_the_manual_says, 0, ROWS(rows));
	tcase_add_loop_test(tc, without_nrips_the_next_rip_is_noise, 0, ROWS(rows));
	tcase_add_loop_test(tc, without_decode_assists_operands_are_noise, 0, ROWS(rows));
	tcase_add_loop_test(tc, an_instruction_that_reaches_the_host_is_an_escape, 0,
	                    ROWS(escapes));
	tcase_add_test(tc, a_guest_that_reaches_the_library_is_an_escape);
	tcase_add_test(tc, privilege_comes_before_some_intercepts);
	tcase_add_test(tc, cr0_selective_write_ignores_ts_and_mp);
	tcase_add_test(tc, permission_maps_open_single_ports_and_registers);
	tcase_add_loop_test(tc, a_nested_fault_gives_address_and_bytes, 0, 2);
	tcase_add_test(tc, a_guests_table_that_is_not_mapped_is_a_walk);
	tcase_add_test(tc, a_guest_page_fault_is_the_guests);
	tcase_add_test(tc, a_shutdown_leaves_nothing_to_go_on_with);
	tcase_add_test(tc, the_switch_saves_what_vmrun_leaves_alone);
	tcase_add_loop_test(tc, pause_filter_counts, 0, ROWS(pauses));
}

int main(void)
{
	return suite_run("hosted run", add);
}
