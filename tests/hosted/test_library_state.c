/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * State that is set between two runs reaches the guest: no stale clean bit, no translation that
 * belongs to the paging before.  APM vol. 2, 15.15, 15.16.
 */
#include "hal/ring0.h"
#include "rig.h"
#include "suite.h"

#define PAGE  UINT64_C(0x10000) /* Guest-linear; two sets of tables map it to two places. */
#define FIRST UINT64_C(0x11000)
#define OTHER UINT64_C(0x12000)
#define ROOT  UINT64_C(0x14000) /* The second set: four pages. */

static uint64_t *entry(struct rig *r, svm_gpa_t gpa)
{
	return (uint64_t *)(void *)(r->memory + gpa);
}

/* Two page tables that differ in one page, with an own value behind each. */
static void two_tables(struct rig *r)
{
	memcpy(r->memory + ROOT, r->memory + GUEST_PT, 0x4000);
	for (unsigned i = 0; i < 3; i++)
		*entry(r, ROOT + i * 0x1000) = (ROOT + (i + 1) * 0x1000) | 7;
	entry(r, GUEST_PT + 0x3000)[16] = FIRST | 7;
	entry(r, ROOT + 0x3000)[16] = OTHER | 7;
	r->memory[FIRST] = 0x11;
	r->memory[OTHER] = 0x22;
}

/* Read the page to RSI, say so; again. */
static void reading_code(struct rig *r)
{
	hosted_script_mov(&r->code, HOSTED_RBX, PAGE);
	const size_t again = r->code.size;

	hosted_script_load(&r->code, HOSTED_RSI, HOSTED_RBX, false);
	hosted_script_vmmcall(&r->code);
	hosted_script_jmp(&r->code, again);
	rig_load(r);
}

static uint64_t read_page(struct rig *r)
{
	ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(r->vcpu), 0);
	return rig_regs(r).rsi & 0xff;
}

START_TEST(a_new_cr3_shows_the_new_tables)
{
	const struct hosted_config config = rig_lacking(_i);
	struct svm_system_regs s;
	struct rig r;

	rig_init(&r, &config, GUEST_64);
	two_tables(&r);
	reading_code(&r);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(read_page(&r), i % 2 ? 0x22 : 0x11);
		svm_vcpu_get_system(r.vcpu, &s);
		s.cr3 = i % 2 ? GUEST_PT : ROOT;
		ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	}
	rig_fini(&r);
}
END_TEST

/* The guest itself: its own move flushes; one that the library does for it must as well. */
static void move_cr(struct rig *r, unsigned cr, uint64_t value)
{
	hosted_script_mov(&r->code, HOSTED_RAX, value);
	hosted_script_write_cr(&r->code, cr, HOSTED_RAX);
}

START_TEST(a_guest_that_changes_its_paging_sees_it)
{
	const struct hosted_config config = rig_lacking(_i);
	struct rig r;

	rig_init(&r, &config, GUEST_64);
	two_tables(&r);
	hosted_script_mov(&r.code, HOSTED_RBX, PAGE);
	hosted_script_load(&r.code, HOSTED_RSI, HOSTED_RBX, false);
	move_cr(&r, 3, ROOT);
	hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	move_cr(&r, 4, 0xa0); /* PGE on and off. */
	hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	move_cr(&r, 4, 0x20);
	hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	move_cr(&r, 0, 0x80000011); /* WP off and on. */
	hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	move_cr(&r, 0, 0x80010011);
	hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	if (config.features.nx) { /* EFER.NXE off. */
		hosted_script_mov(&r.code, HOSTED_RCX, 0xc0000080);
		hosted_script_rdmsr(&r.code);
		hosted_script_mov(&r.code, HOSTED_RAX, 0x500);
		hosted_script_mov(&r.code, HOSTED_RDX, 0);
		hosted_script_wrmsr(&r.code);
		hosted_script_load(&r.code, HOSTED_RDI, HOSTED_RBX, false);
	}
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi & 0xff, 0x11);
	ck_assert_uint_eq(rig_regs(&r).rdi & 0xff, 0x22);
	rig_fini(&r);
}
END_TEST

/* The same with every one of those moves intercepted, as a debugger has it. */
START_TEST(an_embedder_that_watches_them_changes_nothing)
{
	const struct hosted_config config = rig_lacking(_i);
	struct svm_system_regs s;
	struct rig r;

	rig_init(&r, &config, GUEST_64);
	two_tables(&r);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_CR), 0);
	hosted_script_mov(&r.code, HOSTED_RBX, PAGE);
	hosted_script_load(&r.code, HOSTED_RSI, HOSTED_RBX, false);
	move_cr(&r, 3, ROOT);
	hosted_script_load(&r.code, HOSTED_RSI, HOSTED_RBX, false);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CR);
	ck_assert(r.exit.reg.number == 3 && r.exit.reg.is_write);
	ck_assert_uint_eq(r.exit.reg.value, ROOT);
	ck_assert_uint_eq(rig_regs(&r).rsi & 0xff, 0x11);
	svm_vcpu_get_system(r.vcpu, &s);
	s.cr3 = r.exit.reg.value;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi & 0xff, 0x22);
	rig_fini(&r);
}
END_TEST

/* --- random setters: the processor model compares what they leave with what it kept ------- */

static uint64_t noise(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 16;
}

static void set_something(struct rig *r, uint64_t *state)
{
	struct svm_system_regs s;
	struct svm_debug_regs d;
	const uint64_t value = noise(state);

	svm_vcpu_get_system(r->vcpu, &s);
	switch (noise(state) % 12) {
	case 0:
		s.cr2 = value;
		break;
	case 1:
		s.cr8 = value % 16;
		break;
	case 2:
		s.ds.base = value;
		break;
	case 3:
		s.gdtr.limit = 0x1f + value % 16;
		break;
	case 4:
		s.cr4 ^= 0x80; /* PGE */
		break;
	case 5:
		s.cr3 = s.cr3 == ROOT ? GUEST_PT : ROOT;
		break;
	case 6:
		svm_vcpu_get_debug(r->vcpu, &d);
		d.dr[value % 4] = value >> 32;
		d.dr7 ^= 0x100; /* LE */
		d.dr6 ^= 2;
		ck_assert_int_eq(svm_vcpu_set_debug(r->vcpu, &d), 0);
		return;
	case 7:
		svm_vcpu_set_tsc_offset(r->vcpu, value);
		return;
	case 8:
		ck_assert_int_eq(
			svm_vcpu_set_msr(r->vcpu, SVM_MSR_PAT, 0x0007040600070406 ^ (value % 2)),
			0);
		return;
	case 9:
		if (svm_host_features(r->host)->svm & SVM_FEATURE_PAUSE_FILTER)
			ck_assert_int_eq(svm_vcpu_set_pause_filter(r->vcpu, (uint16_t)value, 0), 0);
		return;
	case 10:
		ck_assert_int_eq(svm_vcpu_set_intercept(r->vcpu, 0x6e, value % 2), 0);
		return;
	default:
		svm_vcpu_inject_nmi(r->vcpu);
		return;
	}
	ck_assert_int_eq(svm_vcpu_set_system(r->vcpu, &s), 0);
}

START_TEST(what_is_set_is_what_runs)
{
	struct hosted_config config = rig_lacking(_i);
	struct svm_system_regs s, t;
	struct hosted_script h;
	struct rig r;
	uint64_t state = (uint64_t)_i + 1;

	config.cpus = 2;
	rig_init(&r, &config, GUEST_64);
	two_tables(&r);
	hosted_script_init(&h, 64);
	hosted_script_iret(&h);
	guest_handler(r.memory, 2, 0xd000, &h);
	reading_code(&r);
	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	for (int round = 0; round < 400; round++) {
		for (uint64_t n = noise(&state) % 4; n > 0; n--)
			set_something(&r, &state);
		if (noise(&state) % 8 == 0)
			hosted_become(r.m, (uint32_t)(noise(&state) % 2));
		svm_vcpu_get_system(r.vcpu, &s);
		ck_assert_uint_eq(read_page(&r), s.cr3 == ROOT ? 0x22 : 0x11);
		svm_vcpu_get_system(r.vcpu, &t);
		ck_assert_uint_eq(t.cr2, s.cr2);
		ck_assert_uint_eq(t.cr8, s.cr8);
		ck_assert_uint_eq(t.ds.base, s.ds.base);
		ck_assert_uint_eq(t.cr4, s.cr4);
	}
	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_cpu_offline(r.host), 0);
	hosted_become(r.m, 0);
	rig_fini(&r);
}
END_TEST

/* The host's vector registers under a guest's, and back. */
START_TEST(the_hosts_fpu_survives)
{
	const struct hosted_config config = rig_lacking(_i);
	uint8_t host[832], guest[832], back[832], *fpu;
	struct rig r;

	rig_init(&r, &config, GUEST_64);
	const size_t size = config.features.xsave ? svm_host_features(r.host)->xsave_size : 512;

	ck_assert_uint_le(size, sizeof(guest));
	fpu = hosted_cpu_fpu(r.m, 0);
	for (size_t i = 160; i < 416; i++)
		fpu[i] = (uint8_t)(i ^ 0x5a); /* XMM registers. */
	for (size_t i = 576; i < 832; i++)
		fpu[i] = (uint8_t)(i ^ 0xa5);
	memcpy(host, fpu, sizeof(host));
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, guest, size), 0);
	for (size_t i = 160; i < 416; i++)
		guest[i] = (uint8_t)(i + 3);
	if (size > 512)
		guest[512] |= 3;
	ck_assert_int_eq(svm_vcpu_set_xsave(r.vcpu, guest, size), 0);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_mem_eq(fpu + 160, guest + 160, 256); /* The guest's while it is loaded. */
	svm_vcpu_put(r.vcpu);
	ck_assert_mem_eq(fpu + 160, host + 160, 256);
	if (config.features.xsave)
		ck_assert_mem_eq(fpu + 576, host + 576, 256);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, back, size), 0);
	ck_assert_mem_eq(back + 160, guest + 160, 256);
	rig_fini(&r);
}
END_TEST

START_TEST(the_hosts_breakpoints_survive)
{
	const struct hosted_config config = rig_lacking(_i / 2);
	struct svm_debug_regs d;
	struct rig r;

	rig_init(&r, &config, GUEST_64);
	for (unsigned n = 0; n < 4; n++)
		svm_ring0_write_dr(n, 0x1000 * (n + 1));
	svm_ring0_write_dr(7, 0x455);
	svm_vcpu_get_debug(r.vcpu, &d);
	for (unsigned n = 0; n < 4; n++)
		d.dr[n] = 0x77000 + n;
	d.dr7 = _i % 2 ? 0x401 : 0x400;
	ck_assert_int_eq(svm_vcpu_set_debug(r.vcpu, &d), 0);
	hosted_script_read_dr(&r.code, HOSTED_RSI, 1);
	hosted_script_mov(&r.code, HOSTED_RAX, 0x99000);
	hosted_script_write_dr(&r.code, 2, HOSTED_RAX);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi, 0x77001);
	svm_vcpu_get_debug(r.vcpu, &d);
	ck_assert_uint_eq(d.dr[2], 0x99000);
	ck_assert_uint_eq(d.dr[3], 0x77003);
	ck_assert_uint_eq(svm_ring0_read_dr(2), 0x3000);
	ck_assert_uint_eq(svm_ring0_read_dr(7), 0x455);
	svm_ring0_write_dr(7, 0x400);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_new_cr3_shows_the_new_tables, 0, rig_lack_count);
	tcase_add_loop_test(tc, a_guest_that_changes_its_paging_sees_it, 0, rig_lack_count);
	tcase_add_loop_test(tc, an_embedder_that_watches_them_changes_nothing, 0, rig_lack_count);
	tcase_add_loop_test(tc, what_is_set_is_what_runs, 0, rig_lack_count);
	tcase_add_loop_test(tc, the_hosts_fpu_survives, 0, rig_lack_count);
	tcase_add_loop_test(tc, the_hosts_breakpoints_survive, 0, 2 * rig_lack_count);
}

int main(void)
{
	return suite_run("library state", add);
}
