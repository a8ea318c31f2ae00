/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two guests of two VMs take turns on one CPU, with opposite patterns in every register that a
 * guest has.  A value of the other, or of the host, is seen by the guest itself, which reads what
 * can be read by instructions that the model knows, and for FPU, SSE and AVX by the file of the
 * processor as it stands at each entry.
 */
#include <stdio.h>

#include "model.h"
#include "rig.h"
#include "suite.h"

#define GUESTS  2u
#define TURNS   100000u /* Switches from one to the other. */
#define RESULTS GUEST_DATA
#define FPU     576u /* Legacy part and header; AVX follows. */

/* Without an exit, and with one. */
static const uint32_t msrs[] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000102, 0x174, 0x175, 0x176,                /* KERNEL_GS_BASE, SYSENTER_* */
	0x277, 0xc0000103,                              /* PAT, TSC_AUX, which is last */
};
#define MSRS ROWS(msrs)
#define DRS  4

/* Carry a pattern; the others are needed to read with. */
static const unsigned carriers[] = { HOSTED_RBX, HOSTED_RBP, HOSTED_RSI, HOSTED_RDI,
	                             8,          9,          10,         11,
	                             12,         13,         14,         15 };

struct twin {
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	uint64_t base; /* RESULTS of its own. */
	uint8_t fpu[HOSTED_FPU_SIZE];
};

static struct twin guests[GUESTS], *running;

uint64_t __real_svm_world_switch(struct svm_switch *s);
uint64_t __wrap_svm_world_switch(struct svm_switch *s);

/* The vector file is the guest's from before the switch until behind it. */
uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	const uint8_t *file = hosted_cpu_fpu(this_cpu()->m, 0);

	ck_assert_mem_eq(file + 32, running->fpu + 32, 512 - 32 - 96);
	if (s->guest_xcr0 & 4)
		ck_assert_mem_eq(file + FPU, running->fpu + FPU, 256);
	return __real_svm_world_switch(s);
}

static uint64_t pattern(const struct twin *guest, unsigned n)
{
	const uint64_t bits = UINT64_C(0x0123456789abcdef) * (n + 1);

	return guest == &guests[0] ? bits : ~bits;
}

/* Legal for the register: canonical, reserved bits 0. */
static uint64_t msr_pattern(const struct twin *guest, int n)
{
	const uint64_t bits = pattern(guest, (unsigned)n) & 0x7fffffff;

	if (msrs[n] == 0x277)
		return guest == &guests[0] ? 0x0606060606060606 : 0x0404040404040404;
	return bits;
}

static uint64_t xcr0_of(const struct twin *guest)
{
	return guest == &guests[0] ? 3 : 7;
}

/* --- the guest ------------------------------------------------------------------------------ */

/* RAX and RDX to the next two words. */
static void keep_pair(struct hosted_script *s, uint64_t *at)
{
	hosted_script_store_abs(s, *at);
	hosted_script_mov(s, HOSTED_RAX, 0);
	hosted_script_add(s, HOSTED_RAX, HOSTED_RDX);
	hosted_script_store_abs(s, *at + 8);
	*at += 16;
}

static void emit_reads(struct hosted_script *s, uint64_t at)
{
	for (int i = 0; i < MSRS; i++) {
		hosted_script_mov(s, HOSTED_RCX, msrs[i]);
		hosted_script_rdmsr(s);
		keep_pair(s, &at);
	}
	hosted_script_mov(s, HOSTED_RCX, 0);
	hosted_script_xgetbv(s);
	keep_pair(s, &at);
	hosted_script_rdtscp(s); /* TSC_AUX as the processor has it; RDMSR is an exit. */
	hosted_script_mov(s, HOSTED_RAX, 0);
	hosted_script_add(s, HOSTED_RAX, HOSTED_RCX);
	hosted_script_store_abs(s, at);
	at += 8;
	for (unsigned i = 0; i < DRS; i++, at += 8) {
		hosted_script_read_dr(s, HOSTED_RAX, i);
		hosted_script_store_abs(s, at);
	}
}

static void load_guest(struct rig *r, struct twin *guest, uint64_t rip)
{
	struct hosted_script s;

	hosted_script_init(&s, 64);
	for (int i = 0; i < ROWS(carriers); i++)
		hosted_script_inc(&s, carriers[i]);
	emit_reads(&s, guest->base);
	hosted_script_vmmcall(&s);
	ck_assert_uint_le(s.size, 0x800);
	memcpy(r->memory + rip, s.bytes, s.size);
	rig_start(r, guest->vcpu, rip);
}

static uint64_t *carrier(struct svm_regs *regs, int i)
{
	uint64_t *const all[] = { &regs->rbx, &regs->rbp, &regs->rsi, &regs->rdi,
		                  &regs->r8,  &regs->r9,  &regs->r10, &regs->r11,
		                  &regs->r12, &regs->r13, &regs->r14, &regs->r15 };

	return all[i];
}

/* --- setting -------------------------------------------------------------------------------- */

static void set_fpu(struct twin *guest)
{
	uint8_t *area = guest->fpu;

	ck_assert_int_eq(svm_vcpu_get_xsave(guest->vcpu, area, HOSTED_FPU_SIZE), 0);
	for (unsigned i = 32; i < 512 - 96; i++)
		area[i] = (uint8_t)pattern(guest, i);
	for (unsigned i = FPU; i < HOSTED_FPU_SIZE; i++)
		area[i] = (uint8_t)pattern(guest, i);
	area[512] = (uint8_t)xcr0_of(guest); /* XSTATE_BV */
	ck_assert_int_eq(svm_vcpu_set_xsave(guest->vcpu, area, HOSTED_FPU_SIZE), 0);
}

static void set_guest(struct twin *guest)
{
	struct svm_debug_regs debug = { .dr6 = 0xffff0ff0, .dr7 = 0x400 | 0xf0000 };
	struct svm_system_regs system;
	struct svm_regs regs;

	svm_vcpu_get_regs(guest->vcpu, &regs);
	for (int i = 0; i < ROWS(carriers); i++)
		*carrier(&regs, i) = pattern(guest, (unsigned)i);
	ck_assert_int_eq(svm_vcpu_set_regs(guest->vcpu, &regs), 0);
	svm_vcpu_get_system(guest->vcpu, &system);
	system.cr4 |= 1 << 18 | 1 << 9; /* OSXSAVE, OSFXSR */
	ck_assert_int_eq(svm_vcpu_set_system(guest->vcpu, &system), 0);
	for (unsigned i = 0; i < DRS; i++)
		debug.dr[i] = pattern(guest, i) & 0x7ffffff0;
	ck_assert_int_eq(svm_vcpu_set_debug(guest->vcpu, &debug), 0);
	for (int i = 0; i < MSRS; i++)
		ck_assert_msg(svm_vcpu_set_msr(guest->vcpu, msrs[i], msr_pattern(guest, i)) == 0,
		              "MSR %x", msrs[i]);
	ck_assert_int_eq(svm_vcpu_set_xcr0(guest->vcpu, xcr0_of(guest)), 0);
	set_fpu(guest);
}

/* --- looking -------------------------------------------------------------------------------- */

static void check_memory(struct rig *r, const struct twin *guest)
{
	const uint64_t *at = (const void *)(r->memory + guest->base);

	for (int i = 0; i < MSRS; i++, at += 2)
		ck_assert_msg((at[1] << 32 | at[0]) == msr_pattern(guest, i), "MSR %x is %llx",
		              msrs[i], (unsigned long long)(at[1] << 32 | at[0]));
	ck_assert_uint_eq(at[0], xcr0_of(guest));
	at += 2;
	ck_assert_uint_eq(*at, msr_pattern(guest, MSRS - 1));
	at++;
	for (unsigned i = 0; i < DRS; i++)
		ck_assert_uint_eq(at[i], pattern(guest, i) & 0x7ffffff0);
}

static void take_turn(struct rig *r, struct twin *guest, uint64_t turn, uint64_t rip)
{
	struct svm_regs regs;

	running = guest;
	r->vcpu = guest->vcpu;
	memset(r->memory + guest->base, 0x5a, 0x200);
	ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(guest->vcpu), 0);
	check_memory(r, guest);
	svm_vcpu_get_regs(guest->vcpu, &regs);
	for (int i = 0; i < ROWS(carriers); i++)
		ck_assert_uint_eq(*carrier(&regs, i), pattern(guest, (unsigned)i) + turn + 1);
	regs.rip = rip;
	ck_assert_int_eq(svm_vcpu_set_regs(guest->vcpu, &regs), 0);
}

START_TEST(nothing_of_another_guest_is_seen)
{
	struct rig r;

	rig_init(&r, NULL, GUEST_64);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		struct twin *guest = &guests[i];

		guest->base = RESULTS + 0x400 * i;
		ck_assert_int_eq(rig_vm(&r, &guest->vm, NULL), 0);
		ck_assert_int_eq(svm_vcpu_create(guest->vm, 0, &guest->vcpu), 0);
		load_guest(&r, guest, GUEST_CODE + 0x800 * i);
		set_guest(guest);
	}
	for (uint64_t turn = 0; turn < TURNS / GUESTS; turn++)
		for (unsigned i = 0; i < GUESTS; i++)
			take_turn(&r, &guests[i], turn, GUEST_CODE + 0x800 * i);
	for (unsigned i = 0; i < GUESTS; i++) {
		ck_assert_int_eq(svm_vcpu_destroy(guests[i].vcpu), 0);
		ck_assert_int_eq(svm_vm_destroy(guests[i].vm), 0);
	}
	r.vcpu = NULL;
	ck_assert_uint_eq(hosted_breaches_all(r.m), 0);
	printf("%u switches between two guests, no foreign value\n", TURNS);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, nothing_of_another_guest_is_seen);
}

int main(void)
{
	return suite_run("library registers", add);
}
