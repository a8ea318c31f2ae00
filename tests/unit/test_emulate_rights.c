/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VERR, VERW, LAR and LSL: APM vol. 3, 4.  The bases of FS and GS: SWAPGS and RDFSBASE to WRGSBASE.
 */
#include "emulate_row.h"

#define VERR "\x0f\x00\xe0" /* ax */
#define VERW "\x0f\x00\xe8"
#define LAR  "\x0f\x02\xc8" /* ecx, ax */
#define LSL  "\x0f\x03\xc8"

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;  /* As the descriptor has it. */
	bool yes;
	uint64_t result; /* RCX, of LAR and LSL. */
} rows[] = {
	{ "data can be read", EMU_32, 0, VERR, 0x40, 0x0f2, 0xff, true, 0 },
	{ "code that is readable too", EMU_32, 0, VERR, 0x40, 0x0fa, 0xff, true, 0 },
	{ "other code cannot", EMU_32, 0, VERR, 0x40, 0x0f8, 0xff, false, 0 },
	{ "the null selector cannot", EMU_32, 0, VERR, 3, 0x0f2, 0xff, false, 0 },
	{ "a system segment cannot", EMU_32, 0, VERR, 0x40, 0x082, 0xff, false, 0 },
	{ "presence is not asked", EMU_32, 0, VERR, 0x40, 0x072, 0xff, true, 0 },
	{ "DPL below CPL", EMU_32, 3, VERR, 0x40, 0x0d2, 0xff, false, 0 },
	{ "DPL below RPL", EMU_32, 0, VERR, 0x43, 0x0d2, 0xff, false, 0 },
	{ "conforming code asks no privilege", EMU_32, 3, VERR, 0x43, 0x09e, 0xff, true, 0 },
	{ "expand-down data does", EMU_32, 3, VERR, 0x43, 0x096, 0xff, false, 0 },
	{ "behind the table", EMU_32, 0, VERR, 0x800, 0x0f2, 0xff, false, 0 },
	{ "the local table", EMU_32, 0, VERR, 0x44, 0x0f2, 0xff, true, 0 },
	{ "64-bit mode too", EMU_64, 3, VERR, 0x43, 0x0f2, 0xff, true, 0 },
	{ "data can be written", EMU_32, 0, VERW, 0x40, 0x0f2, 0xff, true, 0 },
	{ "read-only data cannot", EMU_32, 0, VERW, 0x40, 0x0f0, 0xff, false, 0 },
	{ "code cannot", EMU_32, 0, VERW, 0x40, 0x0fa, 0xff, false, 0 },
	/* Bits 23 to 8 of the second doubleword. */
	{ "LAR of data", EMU_32, 0, LAR, 0x40, 0xcf2, 0xabcde, true, 0xcaf200 },
	{ "LAR clears the upper half", EMU_64, 0, LAR, 0x40, 0xaf8, 0xfffff, true, 0xaff800 },
	{ "LAR of a task gate", EMU_32, 0, LAR, 0x40, 0x085, 0, true, 0x8500 },
	{ "LAR of a call gate", EMU_32, 0, LAR, 0x40, 0x08c, 0, true, 0x8c00 },
	{ "LAR of a 16-bit TSS", EMU_32, 0, LAR, 0x40, 0x083, 0, true, 0x8300 },
	{ "not of an interrupt gate", EMU_32, 0, LAR, 0x40, 0x08e, 0, false, 0 },
	{ "not of a task gate in long mode", EMU_64, 0, LAR, 0x40, 0x085, 0, false, 0 },
	{ "not of a 16-bit TSS in long mode", EMU_64, 0, LAR, 0x40, 0x081, 0, false, 0 },
	{ "LAR of a TSS in long mode", EMU_64, 0, LAR, 0x40, 0x08b, 0x67, true, 0x8b00 },
	{ "LAR of an absent segment", EMU_32, 0, LAR, 0x40, 0x072, 0, true, 0x7200 },
	{ "LAR asks for privilege", EMU_32, 3, LAR, 0x40, 0x092, 0, false, 0 },
	{ "a TSS that ends behind the table", EMU_64, 0, LAR, 0x7f8, 0x08b, 0, false, 0 },
	{ "LSL in bytes", EMU_32, 0, LSL, 0x40, 0x0f2, 0xabcde, true, 0xabcde },
	{ "LSL in pages", EMU_32, 0, LSL, 0x40, 0x8f2, 0xabcde, true, 0xabcdefff },
	{ "LSL of an LDT", EMU_COMPAT, 0, LSL, 0x40, 0x082, 0x17, true, 0x17 },
	{ "LSL of a 16-bit TSS", EMU_32, 0, LSL, 0x40, 0x081, 0x2b, true, 0x2b },
	{ "not of a call gate", EMU_32, 0, LSL, 0x40, 0x08c, 0x2b, false, 0 },
	{ "not of a 16-bit TSS in long mode", EMU_64, 0, LSL, 0x40, 0x083, 0x2b, false, 0 },
};

START_TEST(zf_says_whether_it_would_be_allowed)
{
	static struct emu r;
	const bool has_result = rows[_i].bytes[1] != 0;
	uint64_t rcx;

	emu_init(&r, rows[_i].mode, rows[_i].cpl);
	r.e.gpr[SVM_EMUL_RAX] = 0xffff0000 + rows[_i].selector;
	rcx = r.e.gpr[SVM_EMUL_RCX];
	r.e.rflags |= rows[_i].yes ? 0 : ZF;
	if (rows[_i].selector > 3)
		emu_descriptor(&r, (rows[_i].selector & 4 ? EMU_LDT : EMU_GDT) +
		                           (rows[_i].selector & 0xfff8u),
		               0x12345678, rows[_i].limit, rows[_i].attributes);
	ck_assert_msg(emu_run(&r, rows[_i].bytes, 3) == SVM_EMUL_OK, "%s: vector %u",
	              rows[_i].what, r.e.fault.vector);
	ck_assert_msg((r.e.rflags & 0xffff) == (rows[_i].yes ? 2 | ZF : 2), "%s: flags %llx",
	              rows[_i].what, (unsigned long long)r.e.rflags);
	if (rows[_i].yes && has_result)
		rcx = rows[_i].result;
	ck_assert_msg(r.e.gpr[SVM_EMUL_RCX] == rcx, "%s: %llx", rows[_i].what,
	              (unsigned long long)r.e.gpr[SVM_EMUL_RCX]);
	ck_assert_uint_eq(r.e.rip, EMU_CODE + 3);
	ck_assert_uint_eq(r.loads, 0);
	ck_assert_uint_eq(r.exchanges, 0); /* Nothing is marked accessed. */
}
END_TEST

START_TEST(a_type_in_the_upper_half_is_none)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	emu_descriptor(&r, EMU_GDT + 0x40, 0, 0x67, 0x08b);
	emu_put(&r, EMU_GDT + 0x4c, 0x100, 4);
	r.e.gpr[SVM_EMUL_RAX] = 0x40;
	ck_assert_int_eq(emu_run(&r, BYTES(LAR)), SVM_EMUL_OK);
	ck_assert(!(r.e.rflags & ZF));
}
END_TEST

START_TEST(a_page_of_the_table_can_fault)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 3);
	r.segment[SVM_EMUL_GDTR].base = EMU_BAD;
	r.e.gpr[SVM_EMUL_RAX] = 0x40;
	before = r;
	ck_assert_int_eq(emu_run(&r, BYTES(LSL)), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, 14);
	ck_assert_uint_eq(r.e.fault.error, 0); /* As supervisor. */
	ck_assert_uint_eq(r.e.fault.address, EMU_BAD + 0x40);
	emu_check_untouched(&r, &before, "table");
}
END_TEST

/* --- bases ------------------------------------------------------------------------------------ */

#define FSGSBASE CR4(0x10000)

static const struct emu_row base_rows[] = {
	{ "RDFSBASE clears the upper half", EMU_64, BYTES("\xf3\x0f\xae\xc1"), .cpl = 3,
	  .in = { FSGSBASE, BASE(SVM_EMUL_FS, 0x1122334455667788) },
	  .out = { RCX(0x55667788) } },
	{ "RDGSBASE of 64 bits", EMU_64, BYTES("\xf3\x48\x0f\xae\xc9"), .cpl = 3,
	  .in = { FSGSBASE, BASE(SVM_EMUL_GS, 0xffff800000000000) },
	  .out = { RCX(0xffff800000000000) } },
	{ "RDFSBASE needs CR4.FSGSBASE", EMU_64, BYTES("\xf3\x0f\xae\xc1"), .in = { CR4(0) },
	  .fault = FAULT_UD },
	{ "WRGSBASE of a non-canonical base is #GP", EMU_64, BYTES("\xf3\x48\x0f\xae\xd9"),
	  .in = { FSGSBASE, RCX(0x800000000000) }, .fault = FAULT_GP },
	{ "SWAPGS is for CPL 0", EMU_64, BYTES("\x0f\x01\xf8"), .cpl = 3, .fault = FAULT_GP },
	{ "STMXCSR is the owner's", EMU_64, BYTES("\x0f\xae\x1b"), .in = { FSGSBASE },
	  .unknown = true },
};

START_TEST(wrfsbase_writes_the_base_alone)
{
	static struct emu r;

	emu_init(&r, EMU_64, 3);
	r.e.cr4 = 0x10000;
	r.e.gpr[SVM_EMUL_RCX] = 0x1122334455667788;
	ck_assert_int_eq(emu_run(&r, BYTES("\xf3\x0f\xae\xd1")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[SVM_EMUL_FS].base, 0x55667788);
	ck_assert_uint_eq(r.segment[SVM_EMUL_FS].selector, 0x2b);
	ck_assert_uint_eq(r.segment[SVM_EMUL_FS].limit, 0xffffffff);
}
END_TEST

START_TEST(swapgs_swaps_with_the_owner)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.segment[SVM_EMUL_GS].base = 0x7000;
	ck_assert_int_eq(emu_run(&r, BYTES("\x0f\x01\xf8")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[SVM_EMUL_GS].base, EMU_PATTERN(SVM_EMUL_MSR, 0xc0000102u));
	ck_assert_uint_eq(r.writes, 1);
	ck_assert_uint_eq(r.kind, SVM_EMUL_MSR);
	ck_assert_uint_eq(r.number, 0xc0000102);
	ck_assert_uint_eq(r.value, 0x7000);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_loop_test(tcase, zf_says_whether_it_would_be_allowed, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, a_type_in_the_upper_half_is_none);
	tcase_add_test(tcase, a_page_of_the_table_can_fault);
	tcase_add_test(tcase, wrfsbase_writes_the_base_alone);
	tcase_add_test(tcase, swapgs_swaps_with_the_owner);
}

int main(void)
{
	return emu_main("rights", base_rows, ARRAY_SIZE(base_rows), more);
}
