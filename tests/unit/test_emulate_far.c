/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Far transfers within one privilege, and interrupts of real mode.  APM vol. 2, 4.10, 8.6; vol.
 * 3, 3.
 */
#include "emulate_rig.h"

#define BYTES(s) s, sizeof(s) - 1
#define OK       0
#define NP       11
#define SS       12
#define GP       13
#define PF       14

#define SLOT 0x40 /* Selector of the rows' descriptor, RPL 0. */

/* Untouched but for the table, and with this outcome. */
static void check_outcome(const struct emu *r, const struct emu *before, const char *what,
                          enum svm_emul_result result, int outcome, uint32_t error)
{
	emu_check_untouched(r, before, what);
	ck_assert_msg(memcmp(r->ram + EMU_GDT, before->ram + EMU_GDT, EMU_RAM - EMU_GDT) == 0,
	              "%s: memory changed", what);
	ck_assert_msg(result == SVM_EMUL_FAULT, "%s: result %d", what, (int)result);
	ck_assert_msg(r->e.fault.vector == outcome && r->e.fault.error == error,
	              "%s: vector %u, error %x", what, r->e.fault.vector, r->e.fault.error);
	ck_assert(r->e.fault.has_error);
}

/* --- JMP and CALL through memory -------------------------------------------------------------- */

#define JMP     BYTES("\xff\x2b") /* [rbx] */
#define JMP_66  BYTES("\x66\xff\x2b")
#define JMP_16  BYTES("\xff\x2f") /* [bx] */
#define CALL    BYTES("\xff\x1b")
#define CALL_66 BYTES("\x66\xff\x1b")
#define CALL_16 BYTES("\xff\x1f")
#define CALL_W  BYTES("\x48\xff\x1b")

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned offset_size;
	uint16_t selector, attributes;
	uint32_t limit, rip;
	unsigned pushes; /* Bytes of each. */
	int outcome;
	uint32_t error;
	uint16_t cs_selector;
} transfer_rows[] = {
	{ "jmp", EMU_32, 0, JMP, 4, 0x40, 0xc9b, 0xfffff, 0x12345678, 0, OK, 0, 0x40 },
	{ "jmp marks accessed", EMU_32, 0, JMP, 4, 0x40, 0xc9a, 0xfffff, 0x12345678, 0, OK, 0,
	  0x40 },
	{ "jmp to 16-bit code", EMU_32, 0, JMP, 4, 0x40, 0x09b, 0xffff, 0xffff, 0, OK, 0, 0x40 },
	{ "jmp of 16 bits", EMU_32, 0, JMP_66, 2, 0x40, 0xc9b, 0xfffff, 0x5678, 0, OK, 0, 0x40 },
	{ "jmp from 16-bit code", EMU_16, 0, JMP_16, 2, 0x40, 0x09b, 0xffff, 0x5678, 0, OK, 0,
	  0x40 },
	{ "jmp in 64-bit mode", EMU_64, 0, JMP, 4, 0x40, 0xa9b, 0, 0x89abcdef, 0, OK, 0, 0x40 },
	{ "jmp to compatibility mode", EMU_64, 0, JMP, 4, 0x40, 0xc9b, 0xfffff, 0x1000, 0, OK, 0,
	  0x40 },
	{ "jmp to 64-bit mode", EMU_COMPAT, 0, JMP, 4, 0x40, 0xa9b, 0, 0x1000, 0, OK, 0, 0x40 },
	{ "jmp, local table", EMU_32, 0, JMP, 4, 0x44, 0xc9b, 0xfffff, 0x10, 0, OK, 0, 0x44 },
	{ "jmp to the last byte", EMU_32, 0, JMP, 4, 0x40, 0x49b, 0x1234, 0x1234, 0, OK, 0, 0x40 },
	{ "jmp behind the limit", EMU_32, 0, JMP, 4, 0x40, 0x49a, 0x1234, 0x1235, 0, GP, 0, 0 },
	{ "jmp to L and D", EMU_64, 0, JMP, 4, 0x40, 0xe9b, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "L means nothing outside long mode", EMU_32, 0, JMP, 4, 0x40, 0xe9b, 0xfffff, 0x10, 0, OK,
	  0, 0x40 },
	{ "jmp, RPL below CPL", EMU_32, 3, JMP, 4, 0x40, 0xcfb, 0xfffff, 0x10, 0, OK, 0, 0x43 },
	{ "jmp, RPL above CPL", EMU_32, 0, JMP, 4, 0x43, 0xc9b, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "jmp, DPL above CPL", EMU_32, 0, JMP, 4, 0x40, 0xcfb, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "jmp, DPL below CPL", EMU_32, 3, JMP, 4, 0x43, 0xc9b, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "jmp to conforming code", EMU_32, 3, JMP, 4, 0x40, 0xc9f, 0xfffff, 0x10, 0, OK, 0, 0x43 },
	{ "jmp to conforming code, any RPL", EMU_32, 1, JMP, 4, 0x43, 0xc9f, 0xfffff, 0x10, 0, OK,
	  0, 0x41 },
	{ "jmp to conforming code of CPL 3", EMU_32, 0, JMP, 4, 0x40, 0xcff, 0xfffff, 0x10, 0, GP,
	  0x40, 0 },
	{ "jmp to data", EMU_32, 0, JMP, 4, 0x40, 0xc93, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "jmp to an LDT", EMU_32, 0, JMP, 4, 0x40, 0x082, 0xfffff, 0x10, 0, GP, 0x40, 0 },
	{ "jmp to an interrupt gate", EMU_32, 0, JMP, 4, 0x40, 0x08e, 0xfffff, 0x10, 0, GP, 0x40,
	  0 },
	{ "jmp to absent code", EMU_32, 0, JMP, 4, 0x40, 0xc1b, 0xfffff, 0x10, 0, NP, 0x40, 0 },
	{ "jmp to null", EMU_32, 0, JMP, 4, 0x3, 0xc9b, 0xfffff, 0x10, 0, GP, 0, 0 },
	{ "jmp behind the table", EMU_32, 0, JMP, 4, 0x800, 0xc9b, 0xfffff, 0x10, 0, GP, 0x800, 0 },
	{ "jmp to a task in long mode", EMU_64, 0, JMP, 4, 0x40, 0x089, 0xfffff, 0x10, 0, GP, 0x40,
	  0 },
	{ "call", EMU_32, 0, CALL, 4, 0x40, 0xc9b, 0xfffff, 0x12345678, 4, OK, 0, 0x40 },
	{ "call of 16 bits", EMU_32, 0, CALL_66, 2, 0x40, 0xc9b, 0xfffff, 0x5678, 2, OK, 0, 0x40 },
	{ "call from 16-bit code", EMU_16, 0, CALL_16, 2, 0x40, 0x09a, 0xffff, 0x5678, 2, OK, 0,
	  0x40 },
	{ "call in 64-bit mode", EMU_64, 0, CALL, 4, 0x40, 0xa9b, 0, 0x1000, 4, OK, 0, 0x40 },
	{ "call with REX.W", EMU_64, 3, CALL_W, 4, 0x43, 0xafb, 0, 0x1000, 8, OK, 0, 0x43 },
	{ "call behind the limit", EMU_32, 0, CALL, 4, 0x40, 0x49a, 0x1234, 0x1235, 4, GP, 0, 0 },
	{ "call of absent code", EMU_32, 0, CALL, 4, 0x40, 0xc1a, 0xfffff, 0x10, 4, NP, 0x40, 0 },
	/* Real and virtual-8086 mode ask no table. */
	{ "jmp, real", EMU_REAL, 0, JMP_16, 2, 0xf000, 0, 0, 0xfff0, 0, OK, 0, 0xf000 },
	{ "call, real", EMU_REAL, 0, CALL_16, 2, 0x0123, 0, 0, 0x4567, 2, OK, 0, 0x0123 },
	{ "call, real, 32-bit operand", EMU_REAL, 0, BYTES("\x66\xff\x1f"), 4, 0x0123, 0, 0, 0x4567,
	  4, OK, 0, 0x0123 },
	{ "call, real, behind the limit", EMU_REAL, 0, BYTES("\x66\xff\x1f"), 4, 0x0123, 0, 0,
	  0x10000, 4, GP, 0, 0 },
	{ "jmp, VM86", EMU_VM86, 3, JMP_16, 2, 0xf000, 0, 0, 0xfff0, 0, OK, 0, 0xf000 },
};

static void check_cs(const struct emu *r, const struct emu *before, bool is_protected,
                     uint16_t selector, uint16_t attributes, const char *what)
{
	const struct svm_emul_segment *cs = &r->segment[SVM_EMUL_CS];

	ck_assert_msg(cs->selector == selector, "%s: CS is %x", what, cs->selector);
	if (is_protected) {
		ck_assert_msg(cs->attributes == (attributes | 1), "%s: %x", what, cs->attributes);
		ck_assert_uint_eq(cs->base, 0x200000);
	} else {
		ck_assert_uint_eq(cs->attributes, before->segment[SVM_EMUL_CS].attributes);
		ck_assert_uint_eq(cs->limit, before->segment[SVM_EMUL_CS].limit);
		ck_assert_uint_eq(cs->base, (uint32_t)selector * 16);
	}
	ck_assert_uint_eq(r->loads, 1);
}

START_TEST(a_far_transfer_follows_the_descriptor)
{
	static struct emu r, before;
	const unsigned width = transfer_rows[_i].pushes;
	const char *what = transfer_rows[_i].what;
	const bool is_protected = transfer_rows[_i].mode >= EMU_16;
	const uint16_t selector = transfer_rows[_i].selector;
	const uint32_t slot = (selector & 4 ? EMU_LDT : EMU_GDT) + (selector & 0xfff8u);
	enum svm_emul_result result;

	emu_init(&r, transfer_rows[_i].mode, transfer_rows[_i].cpl);
	r.segment[SVM_EMUL_CS].selector = 0x1a18;
	if (is_protected)
		emu_descriptor(&r, slot, 0x200000, transfer_rows[_i].limit,
		               transfer_rows[_i].attributes);
	emu_put(&r, EMU_DATA, transfer_rows[_i].rip, transfer_rows[_i].offset_size);
	emu_put(&r, EMU_DATA + transfer_rows[_i].offset_size, selector, 2);
	before = r;
	result = emu_run(&r, transfer_rows[_i].bytes, transfer_rows[_i].size);
	if (transfer_rows[_i].outcome != OK) {
		check_outcome(&r, &before, what, result, transfer_rows[_i].outcome,
		              transfer_rows[_i].error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u", what, (int)result,
	              r.e.fault.vector);
	ck_assert_uint_eq(r.e.rip, transfer_rows[_i].rip);
	check_cs(&r, &before, is_protected, transfer_rows[_i].cs_selector,
	         transfer_rows[_i].attributes, what);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK - 2 * width);
	ck_assert_uint_eq(r.e.rflags, before.e.rflags);
	if (is_protected)
		ck_assert_uint_eq(emu_get(&r, slot + 5, 1) & 1, 1);
	if (!width)
		return;
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - width, width), 0x1a18);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - 2 * width, width),
	                  EMU_CODE + transfer_rows[_i].size);
}
END_TEST

/* EA and 9A: the pointer is in the code. */
static const struct {
	const char *what;
	enum emu_mode mode;
	const char *bytes;
	size_t size;
	uint64_t rip, rsp;
	uint16_t selector;
} direct_rows[] = {
	{ "jmp 40:12345678", EMU_32, BYTES("\xea\x78\x56\x34\x12\x40\x00"), 0x12345678, EMU_STACK,
	  0x40 },
	{ "jmp 40:f678", EMU_16, BYTES("\xea\x78\xf6\x40\x00"), 0xf678, EMU_STACK, 0x40 },
	/* The jump that enters protected mode: 16-bit code, 32-bit pointer. */
	{ "jmp dword 40:f2345678", EMU_16, BYTES("\x66\xea\x78\x56\x34\xf2\x40\x00"), 0xf2345678,
	  EMU_STACK, 0x40 },
	{ "call 40:12345678", EMU_32, BYTES("\x9a\x78\x56\x34\x12\x40\x00"), 0x12345678,
	  EMU_STACK - 8, 0x40 },
	{ "jmp f000:e05b", EMU_REAL, BYTES("\xea\x5b\xe0\x00\xf0"), 0xe05b, EMU_STACK, 0xf000 },
	{ "call f000:e05b", EMU_REAL, BYTES("\x9a\x5b\xe0\x00\xf0"), 0xe05b, EMU_STACK - 4,
	  0xf000 },
};

START_TEST(a_far_pointer_in_the_code_is_taken)
{
	static struct emu r, before;
	const bool is_protected = direct_rows[_i].mode >= EMU_16;

	emu_init(&r, direct_rows[_i].mode, 0);
	emu_descriptor(&r, EMU_GDT + SLOT, 0x200000, 0xfffff, 0xc9b);
	before = r;
	ck_assert_msg(emu_run(&r, direct_rows[_i].bytes, direct_rows[_i].size) == SVM_EMUL_OK, "%s",
	              direct_rows[_i].what);
	ck_assert_uint_eq(r.e.rip, direct_rows[_i].rip);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], direct_rows[_i].rsp);
	check_cs(&r, &before, is_protected, direct_rows[_i].selector, 0xc9b, direct_rows[_i].what);
}
END_TEST

/* The second push is the one that fails, in a page that cannot be written: nothing is pushed. */
START_TEST(a_call_without_stack_changes_nothing)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 0);
	emu_descriptor(&r, EMU_GDT + SLOT, 0, 0xfffff, 0xc9a);
	emu_put(&r, EMU_DATA, 0x1234, 4);
	emu_put(&r, EMU_DATA + 4, SLOT, 2);
	r.e.gpr[SVM_EMUL_RSP] = EMU_RO + 0x1004;
	before = r;
	check_outcome(&r, &before, "stack", emu_run(&r, CALL), PF, 3);
	r.segment[SVM_EMUL_SS].limit = 0x7000;
	r.e.gpr[SVM_EMUL_RSP] = 0x7005;
	before = r;
	check_outcome(&r, &before, "limit", emu_run(&r, CALL), SS, 0);
}
END_TEST

/* SP 2: the selector goes to 0, the offset to fffe. */
START_TEST(a_frame_may_wrap_between_two_pushes)
{
	static struct emu r;

	emu_init(&r, EMU_REAL, 0);
	r.segment[SVM_EMUL_CS].selector = 0xabcd;
	r.e.gpr[SVM_EMUL_RSP] = 0x770002;
	emu_put(&r, EMU_DATA, 0x12340010, 4);
	ck_assert_int_eq(emu_run(&r, CALL_16), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], 0x77fffe);
	ck_assert_uint_eq(emu_get(&r, 0, 2), 0xabcd);
	ck_assert_uint_eq(emu_get(&r, 0xfffe, 2), EMU_CODE + 2);
}
END_TEST

/* --- RET and IRET ----------------------------------------------------------------------------- */

#define RETF    BYTES("\xcb")
#define RETF_66 BYTES("\x66\xcb")
#define RETF_W  BYTES("\x48\xcb")
#define RETF_10 BYTES("\xca\x10\x00")
#define IRET    BYTES("\xcf")
#define IRET_66 BYTES("\x66\xcf")

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned width;
	uint16_t selector, attributes;
	uint64_t rip;
	uint64_t image; /* Third on the stack. */
	unsigned pops;  /* Bytes by which RSP moves. */
	int outcome;
	uint32_t error;
	uint64_t rflags, rflags_after; /* 0: the mode's. */
} return_rows[] = {
	{ "retf", EMU_32, 0, RETF, 4, 0x40, 0xc9b, 0x12345678, 0, 8, OK, 0, 0, 0 },
	{ "retf of 16 bits", EMU_32, 0, RETF_66, 2, 0x40, 0xc9b, 0x5678, 0, 4, OK, 0, 0, 0 },
	{ "retf 16", EMU_32, 3, RETF_10, 4, 0x43, 0xcfb, 0x10, 0, 0x18, OK, 0, 0, 0 },
	{ "retf from 16-bit code", EMU_16, 0, RETF, 2, 0x40, 0x09a, 0x10, 0, 4, OK, 0, 0, 0 },
	{ "retf in 64-bit mode", EMU_64, 0, RETF, 4, 0x40, 0xa9b, 0x12345678, 0, 8, OK, 0, 0, 0 },
	{ "retf with REX.W", EMU_64, 0, RETF_W, 8, 0x40, 0xa9b, 0xffff800012345678, 0, 16, OK, 0, 0,
	  0 },
	{ "retf, not canonical", EMU_64, 0, RETF_W, 8, 0x40, 0xa9a, 0x800012345678, 0, 0, GP, 0, 0,
	  0 },
	{ "retf to compatibility mode", EMU_64, 3, RETF_W, 8, 0x43, 0xcfb, 0x1000, 0, 16, OK, 0, 0,
	  0 },
	{ "retf above 4 GiB to compatibility mode", EMU_64, 3, RETF_W, 8, 0x43, 0xcfb, 0x100001000,
	  0, 0, GP, 0, 0, 0 },
	{ "retf to conforming code", EMU_32, 3, RETF, 4, 0x43, 0xc9f, 0x10, 0, 8, OK, 0, 0, 0 },
	{ "retf to conforming code of DPL 3", EMU_32, 0, RETF, 4, 0x40, 0xcff, 0x10, 0, 0, GP, 0x40,
	  0, 0 },
	{ "retf, DPL below CPL", EMU_32, 3, RETF, 4, 0x43, 0xc9b, 0x10, 0, 0, GP, 0x40, 0, 0 },
	{ "retf to more privilege", EMU_32, 3, RETF, 4, 0x40, 0xc9b, 0x10, 0, 0, GP, 0x40, 0, 0 },
	{ "retf to null", EMU_32, 0, RETF, 4, 0, 0xc9b, 0x10, 0, 0, GP, 0, 0, 0 },
	{ "retf to absent code", EMU_32, 0, RETF, 4, 0x40, 0xc1b, 0x10, 0, 0, NP, 0x40, 0, 0 },
	{ "retf to a call gate", EMU_32, 0, RETF, 4, 0x40, 0x08c, 0x10, 0, 0, GP, 0x40, 0, 0 },
	{ "retf, real", EMU_REAL, 0, RETF, 2, 0xf000, 0, 0xfff0, 0, 4, OK, 0, 0, 0 },
	{ "retf, VM86", EMU_VM86, 3, RETF, 2, 0xf000, 0, 0xfff0, 0, 4, OK, 0, 0, 0 },
	/* IRET */
	{ "iret, real", EMU_REAL, 0, IRET, 2, 0xf000, 0, 0xe05b, 0xffff, 6, OK, 0, 2, 0x7fd7 },
	{ "iret, real, zeros", EMU_REAL, 0, IRET, 2, 0xf000, 0, 0xe05b, 0, 6, OK, 0, 0x257fd7,
	  0x240002 },
	{ "iretd, real", EMU_REAL, 0, IRET_66, 4, 0xf000, 0, 0xe05b, 0xffffffff, 12, OK, 0, 2,
	  0x257fd7 },
	{ "iretd, CPL 0", EMU_32, 0, IRET, 4, 0x40, 0xc9b, 0x10, 0xfffdffff, 12, OK, 0, 2,
	  0x3d7fd7 },
	{ "iretd, CPL 3", EMU_32, 3, IRET, 4, 0x43, 0xcfb, 0x10, 0xffffffff, 12, OK, 0, 2,
	  0x254dd7 },
	{ "iretd, CPL 3, IOPL 3", EMU_32, 3, IRET, 4, 0x43, 0xcfb, 0x10, 0, 12, OK, 0, 0x3202,
	  0x3002 },
	{ "iret of 16 bits, CPL 0", EMU_32, 0, IRET_66, 2, 0x40, 0xc9b, 0x10, 0xffff, 6, OK, 0, 2,
	  0x7fd7 },
	{ "iretd, compatibility", EMU_COMPAT, 3, IRET, 4, 0x43, 0xcfb, 0x10, 2, 12, OK, 0, 0x97,
	  0x2 },
	{ "iretd to absent code", EMU_32, 0, IRET, 4, 0x40, 0xc1b, 0x10, 2, 0, NP, 0x40, 2, 0 },
	{ "iretd, NT, long mode", EMU_COMPAT, 0, IRET, 4, 0x40, 0xc9b, 0x10, 2, 0, GP, 0, 0x4002,
	  0 },
	{ "iret, NT means nothing in real mode", EMU_REAL, 0, IRET, 2, 0xf000, 0, 0xe05b, 2, 6, OK,
	  0, 0x4002, 2 },
	{ "iret, VM86, IOPL 0", EMU_VM86, 3, IRET, 2, 0xf000, 0, 0xe05b, 2, 0, GP, 0, 0, 0 },
	{ "iret, VM86, IOPL 3", EMU_VM86, 3, IRET, 2, 0xf000, 0, 0xe05b, 0xcfd7, 6, OK, 0, 0x23002,
	  0x27fd7 },
	{ "iretd, VM86, IOPL 3", EMU_VM86, 3, IRET_66, 4, 0xf000, 0, 0xe05b, 0xffffffff, 12, OK, 0,
	  0x23002, 0x277fd7 },
};

START_TEST(a_return_stays_at_its_privilege)
{
	static struct emu r, before;
	const unsigned width = return_rows[_i].width;
	const char *what = return_rows[_i].what;
	const bool is_protected = return_rows[_i].mode >= EMU_16;
	enum svm_emul_result result;

	emu_init(&r, return_rows[_i].mode, return_rows[_i].cpl);
	if (return_rows[_i].rflags)
		r.e.rflags = return_rows[_i].rflags;
	if (is_protected)
		emu_descriptor(&r, EMU_GDT + SLOT, 0x200000, 0xfffff, return_rows[_i].attributes);
	emu_put(&r, EMU_STACK, return_rows[_i].rip, width);
	emu_put(&r, EMU_STACK + width, 0xffffffffffff0000 + return_rows[_i].selector, width);
	emu_put(&r, EMU_STACK + 2 * width, return_rows[_i].image, width);
	before = r;
	result = emu_run(&r, return_rows[_i].bytes, return_rows[_i].size);
	if (return_rows[_i].outcome != OK) {
		check_outcome(&r, &before, what, result, return_rows[_i].outcome,
		              return_rows[_i].error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u", what, (int)result,
	              r.e.fault.vector);
	ck_assert_msg(r.e.rip == return_rows[_i].rip, "%s: %lx", what, (unsigned long)r.e.rip);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK + return_rows[_i].pops);
	check_cs(&r, &before, is_protected, return_rows[_i].selector, return_rows[_i].attributes,
	         what);
	ck_assert_msg(r.e.rflags == (return_rows[_i].rflags_after ? return_rows[_i].rflags_after
	                                                          : before.e.rflags),
	              "%s: flags %lx", what, (unsigned long)r.e.rflags);
}
END_TEST

/* --- INT in real mode ------------------------------------------------------------------------- */

START_TEST(int_takes_the_vector_of_real_mode)
{
	static struct emu r, before;

	emu_init(&r, EMU_REAL, 0);
	r.segment[SVM_EMUL_IDTR] = (struct svm_emul_segment){ 0, 0, 0x43, 0x9100 };
	r.segment[SVM_EMUL_CS].selector = 0xabcd;
	emu_put(&r, 0x9100 + 0x40, 0xf000e05b, 4);
	emu_put(&r, 0x9100 + 0x44, 0xf000e05b, 4);
	r.e.rflags = 0x47fd7;
	before = r;
	ck_assert_int_eq(emu_run(&r, "\xcd\x10", 2), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rip, 0xe05b);
	check_cs(&r, &before, false, 0xf000, 0, "int 10h");
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK - 6);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - 2, 2), 0x7fd7);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - 4, 2), 0xabcd);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - 6, 2), EMU_CODE + 2);
	ck_assert_uint_eq(r.e.rflags, 0x7cd7);
	/* Behind the table. */
	r = before;
	check_outcome(&r, &before, "int 11h", emu_run(&r, "\xcd\x11", 2), GP, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emulate_far");
	TCase *tc = tcase_create("far");

	tcase_add_loop_test(tc, a_far_transfer_follows_the_descriptor, 0,
	                    ARRAY_SIZE(transfer_rows));
	tcase_add_loop_test(tc, a_far_pointer_in_the_code_is_taken, 0, ARRAY_SIZE(direct_rows));
	tcase_add_test(tc, a_call_without_stack_changes_nothing);
	tcase_add_test(tc, a_frame_may_wrap_between_two_pushes);
	tcase_add_loop_test(tc, a_return_stays_at_its_privilege, 0, ARRAY_SIZE(return_rows));
	tcase_add_test(tc, int_takes_the_vector_of_real_mode);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
