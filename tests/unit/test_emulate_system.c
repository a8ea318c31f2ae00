/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instructions on system registers and protected flags, each with its success and its faults.
 * APM vol. 3, 3 and 4: the rows are its exception tables.
 */
#include "emulate_rig.h"

#define OK       SVM_EMUL_OK
#define UNKNOWN  SVM_EMUL_UNKNOWN
#define UD       0x0606 /* Vector, and beside it: no error code. */
#define GP       0x0d0d
#define BYTES(s) s, sizeof(s) - 1

/* --- register instructions -------------------------------------------------------------------- */

struct row {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	int outcome;                              /* OK, UNKNOWN, or a vector as above. */
	uint64_t cr0, cr4, rflags;                /* Added to the mode's. */
	uint64_t rax, rcx, rdx;                   /* 0: the rig's. */
	uint64_t rax_after, rdx_after, rcx_after; /* 0: unchanged. */
	unsigned writes;
	enum svm_emul_register kind;
	uint32_t number;
	uint64_t value;
};

#define PE      1u
#define TS      8u
#define TSD     4u
#define DE      8u
#define PCE     0x100u
#define UMIP    0x800u
#define OSXSAVE 0x40000u

static const struct row rows[] = {
	/* MOV CR */
	{ "mov rax, cr3", EMU_64, 0, BYTES("\x0f\x20\xd8"), .outcome = OK,
	  .rax_after = 0x8765432100000003 },
	{ "mov eax, cr3", EMU_32, 0, BYTES("\x0f\x20\xd8"), .outcome = OK, .rax_after = 3 },
	{ "mov eax, cr3, 16-bit", EMU_16, 0, BYTES("\x0f\x20\xd8"), .outcome = OK, .rax_after = 3 },
	{ "mov eax, cr2, real", EMU_REAL, 0, BYTES("\x0f\x20\xd0"), .outcome = OK, .rax_after = 2 },
	{ "66 mov rax, cr3", EMU_64, 0, BYTES("\x66\x0f\x20\xd8"), .outcome = OK,
	  .rax_after = 0x8765432100000003 },
	{ "mov rax, cr8", EMU_64, 0, BYTES("\x44\x0f\x20\xc0"), .outcome = OK,
	  .rax_after = 0x8765432100000008 },
	{ "mov rax, cr3 with mod 0", EMU_64, 0, BYTES("\x0f\x20\x18"), .outcome = OK,
	  .rax_after = 0x8765432100000003 },
	{ "mov cr3, rax", EMU_64, 0, BYTES("\x0f\x22\xd8"), .outcome = OK, .rax = 0x123456789a000,
	  .writes = 1, .kind = SVM_EMUL_CR, .number = 3, .value = 0x123456789a000 },
	{ "mov cr3, eax", EMU_32, 0, BYTES("\x0f\x22\xd8"), .outcome = OK, .rax = 0x123456789a000,
	  .writes = 1, .kind = SVM_EMUL_CR, .number = 3, .value = 0x6789a000 },
	{ "mov cr0, eax, real", EMU_REAL, 0, BYTES("\x0f\x22\xc0"), .outcome = OK, .rax = 0x11,
	  .writes = 1, .kind = SVM_EMUL_CR, .number = 0, .value = 0x11 },
	{ "mov cr8, r15", EMU_64, 0, BYTES("\x45\x0f\x22\xc7"), .outcome = OK, .writes = 1,
	  .kind = SVM_EMUL_CR, .number = 8, .value = 0xf0f0f0f00000000f },
	{ "mov rax, cr1", EMU_64, 0, BYTES("\x0f\x20\xc8"), .outcome = UD },
	{ "mov cr5, rax", EMU_64, 0, BYTES("\x0f\x22\xe8"), .outcome = UD },
	{ "mov cr9, rax", EMU_64, 0, BYTES("\x44\x0f\x22\xc8"), .outcome = UD },
	{ "mov rax, cr3, CPL 3", EMU_64, 3, BYTES("\x0f\x20\xd8"), .outcome = GP },
	{ "mov cr3, eax, CPL 3", EMU_32, 3, BYTES("\x0f\x22\xd8"), .outcome = GP },
	{ "mov cr0, eax, CPL 1", EMU_16, 1, BYTES("\x0f\x22\xc0"), .outcome = GP },
	{ "mov cr0, eax, VM86", EMU_VM86, 3, BYTES("\x0f\x22\xc0"), .outcome = GP },
	{ "lock mov cr0, eax", EMU_32, 0, BYTES("\xf0\x0f\x22\xc0"), .outcome = UD },
	/* MOV DR */
	{ "mov rax, dr0", EMU_64, 0, BYTES("\x0f\x21\xc0"), .outcome = OK,
	  .rax_after = 0x8765432100010000 },
	{ "mov eax, dr3", EMU_32, 0, BYTES("\x0f\x21\xd8"), .outcome = OK,
	  .rax_after = 0x00010003 },
	{ "mov eax, dr4 is dr6", EMU_32, 0, BYTES("\x0f\x21\xe0"), .outcome = OK,
	  .rax_after = 0x00010006 },
	{ "mov eax, dr4, DE", EMU_32, 0, BYTES("\x0f\x21\xe0"), .outcome = UD, .cr4 = DE },
	{ "mov dr5, eax is dr7", EMU_32, 0, BYTES("\x0f\x23\xe8"), .outcome = OK, .rax = 0x400,
	  .writes = 1, .kind = SVM_EMUL_DR, .number = 7, .value = 0x400 },
	{ "mov dr5, eax, DE", EMU_32, 0, BYTES("\x0f\x23\xe8"), .outcome = UD, .cr4 = DE },
	{ "mov dr2, rax", EMU_64, 0, BYTES("\x0f\x23\xd0"), .outcome = OK,
	  .rax = 0xffff800000001000, .writes = 1, .kind = SVM_EMUL_DR, .number = 2,
	  .value = 0xffff800000001000 },
	{ "mov dr8, rax", EMU_64, 0, BYTES("\x44\x0f\x23\xc0"), .outcome = UD },
	{ "mov dr2, rax, CPL 3", EMU_64, 3, BYTES("\x0f\x23\xd0"), .outcome = GP },
	{ "mov eax, dr0, VM86", EMU_VM86, 3, BYTES("\x0f\x21\xc0"), .outcome = GP },
	/* LMSW */
	{ "lmsw ax sets all four", EMU_REAL, 0, BYTES("\x0f\x01\xf0"), .outcome = OK, .rax = 0xffff,
	  .writes = 1, .kind = SVM_EMUL_CR, .number = 0, .value = 0x1f },
	{ "lmsw ax keeps PE", EMU_32, 0, BYTES("\x0f\x01\xf0"), .outcome = OK, .rax = 0x8,
	  .writes = 1, .kind = SVM_EMUL_CR, .number = 0, .value = 0x80000019 },
	{ "lmsw [rbx]", EMU_64, 0, BYTES("\x0f\x01\x33"), .outcome = OK, .writes = 1,
	  .kind = SVM_EMUL_CR, .number = 0, .value = 0x80000013 },
	{ "lmsw ax, CPL 3", EMU_32, 3, BYTES("\x0f\x01\xf0"), .outcome = GP },
	{ "lmsw ax, VM86", EMU_VM86, 3, BYTES("\x0f\x01\xf0"), .outcome = GP },
	/* SMSW */
	{ "smsw eax", EMU_32, 0, BYTES("\x0f\x01\xe0"), .outcome = OK, .rax_after = 0x80000011 },
	{ "smsw ax", EMU_32, 0, BYTES("\x66\x0f\x01\xe0"), .outcome = OK, .rax = 0xffffffff,
	  .rax_after = 0xffff0011 },
	{ "smsw ax, 16-bit", EMU_16, 0, BYTES("\x0f\x01\xe0"), .outcome = OK, .rax = 0xffffffff,
	  .rax_after = 0xffff0011 },
	{ "smsw eax, real", EMU_REAL, 0, BYTES("\x66\x0f\x01\xe0"), .outcome = OK,
	  .rax_after = 0x10 },
	{ "smsw rax", EMU_64, 3, BYTES("\x48\x0f\x01\xe0"), .outcome = OK,
	  .rax_after = 0x80000011 },
	{ "smsw ax, VM86", EMU_VM86, 3, BYTES("\x0f\x01\xe0"), .outcome = OK, .rax = 0xffffffff,
	  .rax_after = 0xffff0011 },
	{ "smsw eax, UMIP, CPL 0", EMU_32, 0, BYTES("\x0f\x01\xe0"), .outcome = OK, .cr4 = UMIP,
	  .rax_after = 0x80000011 },
	{ "smsw eax, UMIP, CPL 3", EMU_32, 3, BYTES("\x0f\x01\xe0"), .outcome = GP, .cr4 = UMIP },
	/* CLTS */
	{ "clts", EMU_64, 0, BYTES("\x0f\x06"), .outcome = OK, .cr0 = TS, .writes = 1,
	  .kind = SVM_EMUL_CR, .number = 0, .value = 0x80000011 },
	{ "clts, real", EMU_REAL, 0, BYTES("\x0f\x06"), .outcome = OK, .cr0 = TS, .writes = 1,
	  .kind = SVM_EMUL_CR, .number = 0, .value = 0x10 },
	{ "clts, CPL 3", EMU_32, 3, BYTES("\x0f\x06"), .outcome = GP, .cr0 = TS },
	{ "clts, VM86", EMU_VM86, 3, BYTES("\x0f\x06"), .outcome = GP, .cr0 = TS },
	/* MSRs */
	{ "rdmsr", EMU_64, 0, BYTES("\x0f\x32"), .outcome = OK, .rcx = 0xffffffff00000277,
	  .rax_after = 0x20277, .rdx_after = 0x87654321 },
	{ "rdmsr, real", EMU_REAL, 0, BYTES("\x0f\x32"), .outcome = OK, .rcx = 0x277,
	  .rax_after = 0x20277, .rdx_after = 0x87654321 },
	{ "rdmsr of none", EMU_64, 0, BYTES("\x0f\x32"), .outcome = GP, .rcx = EMU_NO_REGISTER },
	{ "rdmsr, CPL 3", EMU_32, 3, BYTES("\x0f\x32"), .outcome = GP, .rcx = 0x277 },
	{ "rdmsr, VM86", EMU_VM86, 3, BYTES("\x0f\x32"), .outcome = GP, .rcx = 0x277 },
	{ "wrmsr", EMU_64, 0, BYTES("\x0f\x30"), .outcome = OK, .rcx = 0xc0000080,
	  .rax = 0xaaaa00000500, .rdx = 0xbbbb00000007, .writes = 1, .kind = SVM_EMUL_MSR,
	  .number = 0xc0000080, .value = 0x700000500 },
	{ "wrmsr of none", EMU_16, 0, BYTES("\x0f\x30"), .outcome = GP, .rcx = EMU_NO_REGISTER },
	{ "wrmsr, CPL 3", EMU_64, 3, BYTES("\x0f\x30"), .outcome = GP, .rcx = 0xc0000080 },
	/* XCR */
	{ "xsetbv", EMU_64, 0, BYTES("\x0f\x01\xd1"), .outcome = OK, .cr4 = OSXSAVE,
	  .rcx = 0xffff00000000, .rax = 7, .rdx = 1, .writes = 1, .kind = SVM_EMUL_XCR, .number = 0,
	  .value = 0x100000007 },
	{ "xsetbv of none", EMU_64, 0, BYTES("\x0f\x01\xd1"), .outcome = GP, .cr4 = OSXSAVE,
	  .rcx = EMU_NO_REGISTER },
	{ "xsetbv, CPL 3", EMU_32, 3, BYTES("\x0f\x01\xd1"), .outcome = GP, .cr4 = OSXSAVE },
	{ "xsetbv without OSXSAVE", EMU_32, 3, BYTES("\x0f\x01\xd1"), .outcome = UD },
	{ "xgetbv", EMU_64, 3, BYTES("\x0f\x01\xd0"), .outcome = OK, .cr4 = OSXSAVE,
	  .rcx = 0x500000000, .rax_after = 0xabcd, .rdx_after = 0x12 },
	{ "xgetbv of none", EMU_64, 3, BYTES("\x0f\x01\xd0"), .outcome = GP, .cr4 = OSXSAVE,
	  .rcx = EMU_NO_REGISTER },
	{ "xgetbv without OSXSAVE", EMU_16, 0, BYTES("\x0f\x01\xd0"), .outcome = UD },
	/* Counters */
	{ "rdtsc", EMU_64, 0, BYTES("\x0f\x31"), .outcome = OK, .rax_after = 0x20010,
	  .rdx_after = 0x87654321 },
	{ "rdtsc, CPL 3", EMU_32, 3, BYTES("\x0f\x31"), .outcome = OK, .rax_after = 0x20010,
	  .rdx_after = 0x87654321 },
	{ "rdtsc, TSD, CPL 3", EMU_32, 3, BYTES("\x0f\x31"), .outcome = GP, .cr4 = TSD },
	{ "rdtsc, TSD, VM86", EMU_VM86, 3, BYTES("\x0f\x31"), .outcome = GP, .cr4 = TSD },
	{ "rdtsc, TSD, CPL 0", EMU_16, 0, BYTES("\x0f\x31"), .outcome = OK, .cr4 = TSD,
	  .rax_after = 0x20010, .rdx_after = 0x87654321 },
	{ "rdtscp", EMU_64, 3, BYTES("\x0f\x01\xf9"), .outcome = OK, .rax_after = 0x20010,
	  .rdx_after = 0x87654321, .rcx_after = 0xc0020103 },
	{ "rdtscp, TSD", EMU_64, 3, BYTES("\x0f\x01\xf9"), .outcome = GP, .cr4 = TSD },
	{ "rdpmc", EMU_64, 0, BYTES("\x0f\x33"), .outcome = OK, .rcx = 2, .rax_after = 0x40002,
	  .rdx_after = 0x87654321 },
	{ "rdpmc, CPL 3", EMU_64, 3, BYTES("\x0f\x33"), .outcome = GP, .rcx = 2 },
	{ "rdpmc, PCE, CPL 3", EMU_64, 3, BYTES("\x0f\x33"), .outcome = OK, .cr4 = PCE, .rcx = 2,
	  .rax_after = 0x40002, .rdx_after = 0x87654321 },
	{ "rdpmc of none", EMU_32, 0, BYTES("\x0f\x33"), .outcome = GP, .rcx = EMU_NO_REGISTER },
	/* What only the owner can do: the fault is the emulator's. */
	{ "hlt", EMU_64, 0, BYTES("\xf4"), .outcome = UNKNOWN },
	{ "hlt, CPL 3", EMU_64, 3, BYTES("\xf4"), .outcome = GP },
	{ "hlt, VM86", EMU_VM86, 3, BYTES("\xf4"), .outcome = GP },
	{ "invd", EMU_REAL, 0, BYTES("\x0f\x08"), .outcome = UNKNOWN },
	{ "invd, CPL 3", EMU_32, 3, BYTES("\x0f\x08"), .outcome = GP },
	{ "wbinvd", EMU_32, 0, BYTES("\x0f\x09"), .outcome = UNKNOWN },
	{ "wbinvd, CPL 1", EMU_32, 1, BYTES("\x0f\x09"), .outcome = GP },
	{ "monitor", EMU_64, 0, BYTES("\x0f\x01\xc8"), .outcome = UNKNOWN },
	{ "monitor, CPL 3", EMU_64, 3, BYTES("\x0f\x01\xc8"), .outcome = UD },
	{ "mwait", EMU_64, 0, BYTES("\x0f\x01\xc9"), .outcome = UNKNOWN },
	{ "mwait, CPL 3", EMU_64, 3, BYTES("\x0f\x01\xc9"), .outcome = UD },
};

static void check_outcome(const struct emu *r, const struct emu *before, const char *what,
                          enum svm_emul_result result, int outcome, size_t size)
{
	if (outcome == OK) {
		ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u", what, (int)result,
		              r->e.fault.vector);
		ck_assert_msg(r->e.rip == EMU_CODE + size, "%s: rip %lx", what,
		              (unsigned long)r->e.rip);
		return;
	}
	emu_check_untouched(r, before, what);
	if (outcome == UNKNOWN) {
		ck_assert_msg(result == SVM_EMUL_UNKNOWN, "%s: result %d", what, (int)result);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_FAULT, "%s: result %d", what, (int)result);
	ck_assert_msg(r->e.fault.vector == (outcome & 0xff), "%s: vector %u", what,
	              r->e.fault.vector);
	ck_assert_msg(r->e.fault.has_error == (outcome != UD) && r->e.fault.error == 0,
	              "%s: error %x", what, r->e.fault.error);
}

START_TEST(a_register_instruction_follows_its_page)
{
	static struct emu r, before;
	const struct row *row = &rows[_i];
	enum svm_emul_result result;

	emu_init(&r, row->mode, row->cpl);
	r.e.xcr0 = 0x120000abcd;
	r.e.cr0 |= row->cr0;
	r.e.cr4 |= row->cr4;
	r.e.rflags |= row->rflags;
	r.e.gpr[SVM_EMUL_RAX] = row->rax ? row->rax : 0xaaaaaaaaaaaaaaaa;
	r.e.gpr[SVM_EMUL_RDX] = row->rdx ? row->rdx : 0xdddddddddddddddd;
	r.e.gpr[SVM_EMUL_RCX] = row->rcx;
	emu_put(&r, EMU_DATA, 0xfff2, 2);
	before = r;
	result = emu_run(&r, row->bytes, row->size);
	check_outcome(&r, &before, row->what, result, row->outcome, row->size);
	if (row->outcome != OK)
		return;
	ck_assert_msg(r.writes == row->writes, "%s: %u writes", row->what, r.writes);
	if (row->writes)
		ck_assert_msg(r.kind == row->kind && r.number == row->number &&
		                      r.value == row->value,
		              "%s: wrote %lx to %u", row->what, (unsigned long)r.value, r.number);
	before.gpr[SVM_EMUL_RAX] = row->rax_after ? row->rax_after : before.gpr[SVM_EMUL_RAX];
	before.gpr[SVM_EMUL_RCX] = row->rcx_after ? row->rcx_after : before.gpr[SVM_EMUL_RCX];
	before.gpr[SVM_EMUL_RDX] = row->rdx_after ? row->rdx_after : before.gpr[SVM_EMUL_RDX];
	for (unsigned n = 0; n < 16; n++)
		ck_assert_msg(r.e.gpr[n] == before.gpr[n], "%s: register %u is %lx", row->what, n,
		              (unsigned long)r.e.gpr[n]);
	ck_assert_uint_eq(r.e.rflags, before.e.rflags);
	ck_assert(!r.e.sets_shadow);
}
END_TEST

START_TEST(rdtscp_without_its_register_is_undefined)
{
	static struct emu r;

	emu_init(&r, EMU_64, 3);
	r.no_tsc_aux = true;
	r.e.cr4 = TSD; /* #UD comes first. */
	ck_assert_int_eq(emu_run(&r, "\x0f\x01\xf9", 3), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, 6);
	ck_assert(!r.e.fault.has_error);
}
END_TEST

START_TEST(a_guarded_debug_register_is_left_to_the_owner)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 0);
	r.dr7 = 0x2400;
	before = r;
	ck_assert_int_eq(emu_run(&r, "\x0f\x21\xc0", 3), SVM_EMUL_UNKNOWN);
	ck_assert_int_eq(emu_run(&r, "\x0f\x23\xc0", 3), SVM_EMUL_UNKNOWN);
	emu_check_untouched(&r, &before, "DR7.GD");
}
END_TEST

/* A table without these functions is one whose owner has no such registers to offer. */
START_TEST(without_an_owner_nothing_is_known)
{
	static const char *const insns[] = { "\x0f\x20\xd8", "\x0f\x22\xd8", "\x0f\x32\x90",
		                             "\x0f\x30\x90", "\x0f\x01\x3b", "\x0f\x06\x90" };
	static struct emu r, before;
	struct svm_emul_ops ops;

	emu_init(&r, EMU_32, 0);
	ops = *r.e.ops;
	ops.read_register = NULL;
	ops.write_register = NULL;
	ops.invalidate = NULL;
	r.e.ops = &ops;
	before = r;
	for (int i = 0; i < ARRAY_SIZE(insns); i++) {
		ck_assert_int_eq(emu_run(&r, insns[i], 3), SVM_EMUL_UNKNOWN);
		emu_check_untouched(&r, &before, "no owner");
	}
}
END_TEST

START_TEST(smsw_to_memory_stores_two_bytes)
{
	static const struct {
		enum emu_mode mode;
		const char *bytes;
		size_t size;
	} forms[] = {
		{ EMU_32, BYTES("\x0f\x01\x23") },
		{ EMU_64, BYTES("\x48\x0f\x01\x23") },
		{ EMU_16, BYTES("\x66\x0f\x01\x27") }, /* [bx] */
		{ EMU_REAL, BYTES("\x0f\x01\x27") },
	};
	static struct emu r;

	emu_init(&r, forms[_i].mode, 0);
	emu_put(&r, EMU_DATA, ~UINT64_C(0), 8);
	ck_assert_int_eq(emu_run(&r, forms[_i].bytes, forms[_i].size), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA, 8),
	                  forms[_i].mode == EMU_REAL ? 0xffffffffffff0010 : 0xffffffffffff0011);
}
END_TEST

/* --- INVLPG ----------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	int outcome;
	uint64_t rbx, linear;
} invlpg_rows[] = {
	{ "invlpg [rbx]", EMU_64, 0, BYTES("\x0f\x01\x3b"), OK, 0x123456789000, 0x123456789000 },
	{ "invlpg fs:[rbx]", EMU_64, 0, BYTES("\x64\x0f\x01\x3b"), OK, 0x1000, 0x7001000 },
	{ "invlpg [ebx]", EMU_32, 0, BYTES("\x0f\x01\x3b"), OK, 0xfffff000, 0xfffff000 },
	{ "invlpg fs:[ebx] wraps", EMU_32, 0, BYTES("\x64\x0f\x01\x3b"), OK, 0xfffff000,
	  0x6fff000 },
	{ "invlpg of no address", EMU_64, 0, BYTES("\x0f\x01\x3b"), OK, 0x8000000000000000,
	  0x8000000000000000 },
	{ "invlpg, CPL 3", EMU_64, 3, BYTES("\x0f\x01\x3b"), GP, 0x1000, 0 },
	{ "invlpg, VM86", EMU_VM86, 3, BYTES("\x0f\x01\x3f"), GP, 0x1000, 0 },
};

START_TEST(invlpg_names_a_linear_address)
{
	static struct emu r, before;
	enum svm_emul_result result;

	emu_init(&r, invlpg_rows[_i].mode, invlpg_rows[_i].cpl);
	r.segment[SVM_EMUL_FS].base = 0x7000000;
	r.e.gpr[SVM_EMUL_RBX] = invlpg_rows[_i].rbx;
	before = r;
	result = emu_run(&r, invlpg_rows[_i].bytes, invlpg_rows[_i].size);
	check_outcome(&r, &before, invlpg_rows[_i].what, result, invlpg_rows[_i].outcome,
	              invlpg_rows[_i].size);
	ck_assert_uint_eq(r.invalidations, invlpg_rows[_i].outcome == OK);
	ck_assert_uint_eq(r.invalidated, invlpg_rows[_i].linear);
}
END_TEST

/* --- flags ------------------------------------------------------------------------------------ */

#define CF   0x1u
#define IF   0x200u
#define IOPL 0x3000u
#define VME  0x1u
#define PVI  0x2u
#define VM   0x20000u
#define ALL  0x3f7fd7u /* Every flag there is, VM and RF included. */

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	int outcome;
	uint64_t cr4, rflags, rflags_after; /* Whole. */
	bool shadow;
	uint64_t image; /* On the stack, for POPF. */
} flag_rows[] = {
	{ "cli, real", EMU_REAL, 0, BYTES("\xfa"), OK, 0, 0x202, 0x002, false, 0 },
	{ "cli, CPL 0", EMU_64, 0, BYTES("\xfa"), OK, 0, 0x202, 0x002, false, 0 },
	{ "cli, CPL 3", EMU_64, 3, BYTES("\xfa"), GP, 0, 0x2202, 0, false, 0 },
	{ "cli, CPL 3, IOPL 3", EMU_32, 3, BYTES("\xfa"), OK, 0, 0x3202, 0x3002, false, 0 },
	{ "cli, CPL 3, PVI", EMU_32, 3, BYTES("\xfa"), UNKNOWN, PVI, 0x202, 0, false, 0 },
	{ "cli, CPL 3, VME", EMU_32, 3, BYTES("\xfa"), GP, VME, 0x202, 0, false, 0 },
	{ "cli, CPL 2, PVI", EMU_32, 2, BYTES("\xfa"), GP, PVI, 0x202, 0, false, 0 },
	{ "cli, VM86, IOPL 3", EMU_VM86, 3, BYTES("\xfa"), OK, 0, VM | 0x3202, VM | 0x3002, false,
	  0 },
	{ "cli, VM86", EMU_VM86, 3, BYTES("\xfa"), GP, PVI, VM | 0x202, 0, false, 0 },
	{ "cli, VM86, VME", EMU_VM86, 3, BYTES("\xfa"), UNKNOWN, VME, VM | 0x202, 0, false, 0 },
	{ "sti", EMU_64, 0, BYTES("\xfb"), OK, 0, 0x002, 0x202, true, 0 },
	{ "sti, IF was set", EMU_64, 0, BYTES("\xfb"), OK, 0, 0x202, 0x202, false, 0 },
	{ "sti, CPL 1, IOPL 1", EMU_16, 1, BYTES("\xfb"), OK, 0, 0x1002, 0x1202, true, 0 },
	{ "sti, CPL 3", EMU_16, 3, BYTES("\xfb"), GP, 0, 0x1002, 0, false, 0 },
	{ "sti, VM86, VME", EMU_VM86, 3, BYTES("\xfb"), UNKNOWN, VME, VM | 2, 0, false, 0 },
	{ "clc", EMU_64, 3, BYTES("\xf8"), OK, 0, 0x8d7, 0x8d6, false, 0 },
	{ "stc", EMU_64, 3, BYTES("\xf9"), OK, 0, 0x8d6, 0x8d7, false, 0 },
	{ "cmc", EMU_32, 3, BYTES("\xf5"), OK, 0, 0x8d6, 0x8d7, false, 0 },
	{ "cmc again", EMU_32, 3, BYTES("\xf5"), OK, 0, 0x8d7, 0x8d6, false, 0 },
	{ "cld", EMU_16, 3, BYTES("\xfc"), OK, 0, 0x402, 0x002, false, 0 },
	{ "std", EMU_REAL, 0, BYTES("\xfd"), OK, 0, 0x002, 0x402, false, 0 },
	{ "sahf", EMU_32, 3, BYTES("\x9e"), OK, 0, 0xcd7, 0xc02, false, 0 }, /* AH is 2ah. */
	/* POPF: what the image can change at which privilege. */
	{ "popfq, CPL 0, all ones", EMU_64, 0, BYTES("\x9d"), OK, 0, 2, 0x247fd7, false, ~0ull },
	{ "popfq, CPL 0, all zeros", EMU_64, 0, BYTES("\x9d"), OK, 0, ALL & ~VM, 0x180002, false,
	  0 },
	{ "popfq, CPL 3, all ones", EMU_64, 3, BYTES("\x9d"), OK, 0, 2, 0x244dd7, false, ~0ull },
	{ "popfq, CPL 3, all zeros", EMU_64, 3, BYTES("\x9d"), OK, 0, 0x1202, 0x1202, false, 0 },
	{ "popfd, CPL 3, IOPL 3, ones", EMU_32, 3, BYTES("\x9d"), OK, 0, 0x3002, 0x247fd7, false,
	  ~0ull },
	{ "popfd, CPL 1, IOPL 1, ones", EMU_32, 1, BYTES("\x9d"), OK, 0, 0x1002, 0x245fd7, false,
	  ~0ull },
	{ "popf, CPL 0, all ones", EMU_32, 0, BYTES("\x66\x9d"), OK, 0, 2, 0x7fd7, false, ~0ull },
	{ "popf, 64-bit, all ones", EMU_64, 0, BYTES("\x66\x9d"), OK, 0, 2, 0x7fd7, false, ~0ull },
	{ "popf, real, all ones", EMU_REAL, 0, BYTES("\x9d"), OK, 0, 2, 0x7fd7, false, ~0ull },
	{ "popfd, real, all ones", EMU_REAL, 0, BYTES("\x66\x9d"), OK, 0, 2, 0x247fd7, false,
	  ~0ull },
	{ "popf, VM86, IOPL 3, ones", EMU_VM86, 3, BYTES("\x9d"), OK, 0, VM | 0x3002, VM | 0x7fd7,
	  false, ~0ull },
	{ "popfd, VM86, IOPL 3, zeros", EMU_VM86, 3, BYTES("\x66\x9d"), OK, 0, VM | 0x3202,
	  VM | 0x3002, false, 0 },
	{ "popf, VM86", EMU_VM86, 3, BYTES("\x9d"), GP, 0, VM | 0x2002, 0, false, 0 },
	{ "popfd, VM86, VME", EMU_VM86, 3, BYTES("\x66\x9d"), GP, VME, VM | 2, 0, false, 0 },
	{ "popf, VM86, VME", EMU_VM86, 3, BYTES("\x9d"), UNKNOWN, VME, VM | 2, 0, false, 0 },
	{ "pushf, VM86", EMU_VM86, 3, BYTES("\x9c"), GP, 0, VM | 0x2002, 0, false, 0 },
	{ "pushf, VM86, VME", EMU_VM86, 3, BYTES("\x9c"), UNKNOWN, VME, VM | 2, 0, false, 0 },
};

START_TEST(flags_change_as_far_as_privilege_goes)
{
	static struct emu r, before;
	enum svm_emul_result result;

	emu_init(&r, flag_rows[_i].mode, flag_rows[_i].cpl);
	r.e.cr4 = flag_rows[_i].cr4;
	r.e.rflags = flag_rows[_i].rflags;
	r.e.gpr[SVM_EMUL_RAX] = 0xffff2aff;
	emu_put(&r, EMU_STACK, flag_rows[_i].image, 8);
	before = r;
	result = emu_run(&r, flag_rows[_i].bytes, flag_rows[_i].size);
	check_outcome(&r, &before, flag_rows[_i].what, result, flag_rows[_i].outcome,
	              flag_rows[_i].size);
	if (result != SVM_EMUL_OK)
		return;
	ck_assert_msg(r.e.rflags == flag_rows[_i].rflags_after, "%s: rflags %lx",
	              flag_rows[_i].what, (unsigned long)r.e.rflags);
	ck_assert(r.e.sets_shadow == flag_rows[_i].shadow);
}
END_TEST

START_TEST(lahf_writes_ah)
{
	static struct emu r;

	emu_init(&r, EMU_32, 3);
	r.e.rflags = 0x8d7;
	ck_assert_int_eq(emu_run(&r, "\x9f", 1), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0xf0f0f0f00000d700);
	r.e.rip = EMU_CODE;
	r.e.rflags = 0xc02;
	ck_assert_int_eq(emu_run(&r, "\x9f", 1), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0xf0f0f0f000000200);
}
END_TEST

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	uint64_t rflags, image;
	unsigned width;
} image_rows[] = {
	{ "pushfq", EMU_64, 3, BYTES("\x9c"), ALL & ~VM, 0x3c7fd7, 8 },
	{ "pushf, 64-bit", EMU_64, 3, BYTES("\x66\x9c"), ALL & ~VM, 0x7fd7, 2 },
	{ "pushfd", EMU_32, 3, BYTES("\x9c"), ALL & ~VM, 0x3c7fd7, 4 },
	{ "pushf, 16-bit", EMU_16, 0, BYTES("\x9c"), ALL & ~VM, 0x7fd7, 2 },
	{ "pushf, real", EMU_REAL, 0, BYTES("\x9c"), 0x7fd7, 0x7fd7, 2 },
	{ "pushfd, real", EMU_REAL, 0, BYTES("\x66\x9c"), 0x247fd7, 0x247fd7, 4 },
	{ "pushfd, VM86, IOPL 3", EMU_VM86, 3, BYTES("\x66\x9c"), ALL, 0x3c7fd7, 4 },
};

START_TEST(pushf_hides_vm_and_rf)
{
	static struct emu r;

	emu_init(&r, image_rows[_i].mode, image_rows[_i].cpl);
	r.e.rflags = image_rows[_i].rflags;
	emu_put(&r, EMU_STACK - 8, 0, 8);
	ck_assert_msg(emu_run(&r, image_rows[_i].bytes, image_rows[_i].size) == SVM_EMUL_OK, "%s",
	              image_rows[_i].what);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK - image_rows[_i].width);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - image_rows[_i].width, image_rows[_i].width),
	                  image_rows[_i].image);
}
END_TEST

/* The stack in a page that is not there. */
START_TEST(a_flags_image_that_faults_changes_nothing)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 3);
	r.e.gpr[SVM_EMUL_RSP] = EMU_BAD + 0x10;
	before = r;
	ck_assert_int_eq(emu_run(&r, _i ? "\x9d" : "\x9c", 1), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, 14);
	ck_assert_uint_eq(r.e.fault.error, _i ? 4 : 6);
	ck_assert_uint_eq(r.e.fault.address, _i ? EMU_BAD + 0x10 : EMU_BAD + 0xc);
	emu_check_untouched(&r, &before, "stack");
}
END_TEST

/* --- the permission map of ports -------------------------------------------------------------- */

/* Outside long mode the sum of base and offset has 32 bits.  APM vol. 2, 12.2.4. */
START_TEST(a_permission_map_wraps_at_4_gib)
{
	static struct emu r;

	emu_init(&r, EMU_32, 3);
	r.segment[SVM_EMUL_TR] = (struct svm_emul_segment){ 0x18, 0x08b, 0x20ff, 0xffffffc0 };
	emu_put(&r, 0x26, 0x68, 2); /* Where the map begins, at 66h of the TSS. */
	emu_put(&r, 0x28 + 0x80 / 8, 0x01, 2);
	ck_assert_int_eq(emu_run(&r, "\xe6\x80", 2), SVM_EMUL_FAULT); /* out 80h, al */
	ck_assert_uint_eq(r.e.fault.vector, 13);
	ck_assert_uint_eq(r.e.fault.error, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emulate_system");
	TCase *registers = tcase_create("registers"), *flags = tcase_create("flags");
	TCase *ports = tcase_create("ports");

	tcase_add_loop_test(registers, a_register_instruction_follows_its_page, 0,
	                    ARRAY_SIZE(rows));
	tcase_add_test(registers, rdtscp_without_its_register_is_undefined);
	tcase_add_test(registers, a_guarded_debug_register_is_left_to_the_owner);
	tcase_add_test(registers, without_an_owner_nothing_is_known);
	tcase_add_loop_test(registers, smsw_to_memory_stores_two_bytes, 0, 4);
	tcase_add_loop_test(registers, invlpg_names_a_linear_address, 0, ARRAY_SIZE(invlpg_rows));
	suite_add_tcase(suite, registers);
	tcase_add_loop_test(flags, flags_change_as_far_as_privilege_goes, 0, ARRAY_SIZE(flag_rows));
	tcase_add_test(flags, lahf_writes_ah);
	tcase_add_loop_test(flags, pushf_hides_vm_and_rf, 0, ARRAY_SIZE(image_rows));
	tcase_add_loop_test(flags, a_flags_image_that_faults_changes_nothing, 0, 2);
	suite_add_tcase(suite, flags);
	tcase_add_test(ports, a_permission_map_wraps_at_4_gib);
	suite_add_tcase(suite, ports);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
