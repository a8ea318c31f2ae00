/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stack: PUSH, POP, PUSHA, POPA, ENTER, LEAVE, PUSHF, POPF.  APM vol. 3, 3; vol. 2, 2.4.
 */
#include "emulate_row.h"

#define S      EMU_STACK
#define SMALL  ATTRIBUTES(SVM_EMUL_SS, 0x093) /* A stack of 16 bits. */
#define CANARY 0x1122334455667788

static const struct emu_row rows[] = {
	/* PUSH */
	{ "PUSH of 64 bits", EMU_64, BYTES("\x50"), .in = { RAX(CANARY) },
	  .out = { RSP(S - 8), MEM(S - 8, 8, CANARY) } },
	{ "PUSH of 16 bits", EMU_64, BYTES("\x66\x41\x50"), .in = { GPR(8, CANARY) },
	  .out = { RSP(S - 2), MEM(S - 2, 2, 0x7788) } },
	{ "PUSH rSP stores the old value", EMU_64, BYTES("\x54"),
	  .out = { RSP(S - 8), MEM(S - 8, 8, S) } },
	{ "PUSH of an immediate sign-extends it", EMU_64, BYTES("\x6a\x80"),
	  .out = { RSP(S - 8), MEM(S - 8, 8, 0xffffffffffffff80) } },
	{ "PUSH of 32 bits", EMU_32, BYTES("\x68\x78\x56\x34\x12"),
	  .in = { RSP(S) }, .out = { RSP(S - 4), MEM(S - 4, 4, 0x12345678) } },
	{ "PUSH of memory", EMU_64, BYTES("\xff\x33"), .in = { MEM(EMU_DATA, 8, CANARY) },
	  .out = { RSP(S - 8), MEM(S - 8, 8, CANARY) } },
	{ "a stack of 16 bits wraps, and keeps the upper half", EMU_32, BYTES("\x50"),
	  .in = { SMALL, RAX(0x12345678), RSP(0x10000) },
	  .out = { RSP(0x1fffc), MEM(0xfffc, 4, 0x12345678) } },
	{ "PUSH in real mode", EMU_REAL, BYTES("\x50"),
	  .in = { RAX(0x1234), RSP(0x8002), BASE(SVM_EMUL_SS, 0x1000) },
	  .out = { RSP(0x8000), MEM(0x9000, 2, 0x1234) } },
	{ "a PUSH that faults leaves rSP", EMU_64, BYTES("\x50"), .in = { RSP(EMU_RO + 8) },
	  .fault = FAULT_PF, .error = 3, .address = EMU_RO },
	{ "PUSH beyond the limit is #SS", EMU_32, BYTES("\x50"),
	  .in = { RSP(0x8000), LIMIT(SVM_EMUL_SS, 0x7ffe) }, .fault = FAULT_SS },
	{ "PUSH to a non-canonical address is #SS", EMU_64, BYTES("\x50"),
	  .in = { RSP(0x800000000008) }, .fault = FAULT_SS },
	/* POP */
	{ "POP of 64 bits", EMU_64, BYTES("\x41\x58"), .in = { MEM(S, 8, CANARY) },
	  .out = { GPR(8, CANARY), RSP(S + 8) } },
	{ "POP of 16 bits merges", EMU_64, BYTES("\x66\x58"),
	  .in = { RAX(CANARY), MEM(S, 2, 0xaabb) },
	  .out = { RAX(0x112233445566aabb), RSP(S + 2) } },
	{ "POP rSP loads what was popped", EMU_64, BYTES("\x5c"), .in = { MEM(S, 8, 0x7000) },
	  .out = { RSP(0x7000) } },
	{ "POP computes its address with the new rSP", EMU_64, BYTES("\x8f\x44\x24\x08"),
	  .in = { MEM(S, 8, CANARY) }, .out = { RSP(S + 8), MEM(S + 16, 8, CANARY) } },
	{ "a POP whose destination faults leaves rSP", EMU_64, BYTES("\x8f\x03"),
	  .in = { RBX(EMU_BAD) }, .fault = FAULT_PF, .error = 2, .address = EMU_BAD },
	{ "POP of the last word of 64 KiB wraps SP", EMU_REAL, BYTES("\x58"),
	  .in = { RSP(0xfffe), RAX(0), MEM(0xfffe, 2, 0x1234) },
	  .out = { RSP(0), RAX(0x1234) } },
	{ "POP across the end of 64 KiB is #SS", EMU_REAL, BYTES("\x58"), .in = { RSP(0xffff) },
	  .fault = FAULT_SS },
	/* PUSHA, POPA */
	{ "PUSHA stores SP as it was", EMU_16, BYTES("\x60"),
	  .in = { RAX(1), RCX(2), RDX(3), RBX(4), RSP(0x8000), RBP(6), RSI(7), RDI(8) },
	  .out = { RSP(0x7ff0), MEM(0x7ff0, 8, 0x8000000600070008),
	  MEM(0x7ff8, 8, 0x0001000200030004) } },
	{ "PUSHAD", EMU_32, BYTES("\x60"),
	  .in = { RAX(1), RCX(2), RDX(3), RBX(4), RSP(S), RBP(6), RSI(7), RDI(8) },
	  .out = { RSP(S - 32), MEM(S - 32, 8, 0x0000000700000008),
	  MEM(S - 24, 8, 0x0000800000000006), MEM(S - 16, 8, 0x0000000300000004),
	  MEM(S - 8, 8, 0x0000000100000002) } },
	{ "PUSHA wraps within 64 KiB", EMU_REAL, BYTES("\x60"),
	  .in = { RAX(1), RCX(2), RDX(3), RBX(4), RSP(4), RBP(6), RSI(7), RDI(8) },
	  .out = { RSP(0xfff4), MEM(0, 4, 0x00010002), MEM(0xfff4, 8, 0x0004000600070008),
	  MEM(0xfffc, 4, 0x00030004) } },
	{ "PUSHA at an odd SP is #SS before anything is stored", EMU_REAL, BYTES("\x60"),
	  .in = { RSP(5) }, .fault = FAULT_SS },
	{ "PUSHA over an absent page stores nothing", EMU_32, BYTES("\x60"),
	  .in = { RSP(EMU_RO + 8) }, .fault = FAULT_PF, .error = 3, .address = EMU_RO + 4 },
	{ "POPA skips SP", EMU_16, BYTES("\x61"),
	  .in = { RSP(0x8000), RDI(0), RSI(0), RBP(0), RBX(0), RDX(0), RCX(0), RAX(0),
	  MEM(0x8000, 8, 0x5555000600070008), MEM(0x8008, 8, 0x0001000200030004) },
	  .out = { RSP(0x8010), RAX(1), RCX(2), RDX(3), RBX(4), RBP(6), RSI(7), RDI(8) } },
	{ "POPAD over an absent page changes nothing", EMU_32, BYTES("\x61"),
	  .in = { RSP(EMU_BAD - 16) }, .fault = FAULT_PF, .address = EMU_BAD },
	/* ENTER, LEAVE */
	{ "ENTER of level 0", EMU_64, BYTES("\xc8\x20\x00\x00"), .in = { RBP(CANARY) },
	  .out = { RSP(S - 8 - 0x20), RBP(S - 8), MEM(S - 8, 8, CANARY) } },
	{ "ENTER of level 1 stores its own frame pointer", EMU_64, BYTES("\xc8\x00\x00\x01"),
	  .in = { RBP(CANARY) },
	  .out = { RSP(S - 16), RBP(S - 8), MEM(S - 8, 8, CANARY), MEM(S - 16, 8, S - 8) } },
	{ "ENTER of level 3 copies two frame pointers", EMU_32, BYTES("\xc8\x04\x00\x03"),
	  .in = { RSP(S), RBP(EMU_DATA), MEM(EMU_DATA - 4, 4, 0xaaaa),
	  MEM(EMU_DATA - 8, 4, 0xbbbb) },
	  .out = { RSP(S - 20), RBP(S - 4), MEM(S - 4, 4, EMU_DATA), MEM(S - 8, 4, 0xaaaa),
	  MEM(S - 12, 4, 0xbbbb), MEM(S - 16, 4, S - 4) } },
	{ "ENTER of level 16 copies fifteen", EMU_64, BYTES("\xc8\x00\x00\x10"),
	  .in = { RBP(EMU_DATA) },
	  .out = { RSP(S - 8 - 128), RBP(S - 8), MEM(S - 8, 8, EMU_DATA),
	  MEM(S - 8 - 128, 8, S - 8) } },
	{ "a level above 31 is cut", EMU_64, BYTES("\xc8\x00\x00\x20"), .in = { RBP(CANARY) },
	  .out = { RSP(S - 8), RBP(S - 8), MEM(S - 8, 8, CANARY) } },
	{ "ENTER of 16 bits leaves the upper part of rBP", EMU_64, BYTES("\x66\xc8\x00\x00\x00"),
	  .in = { RBP(CANARY) },
	  .out = { RSP(S - 2), RBP(0x1122334455667ffe), MEM(S - 2, 2, 0x7788) } },
	{ "ENTER checks the end of its frame", EMU_64, BYTES("\xc8\x00\x10\x00"),
	  .in = { RSP(0x5010) }, .fault = FAULT_PF, .error = 3, .address = 0x4008 },
	{ "ENTER stores nothing if a frame pointer cannot be read", EMU_64,
	  BYTES("\xc8\x00\x00\x02"), .in = { RBP(EMU_BAD + 8) }, .fault = FAULT_PF,
	  .address = EMU_BAD },
	{ "LEAVE", EMU_64, BYTES("\xc9"), .in = { RBP(EMU_DATA), MEM(EMU_DATA, 8, CANARY) },
	  .out = { RSP(EMU_DATA + 8), RBP(CANARY) } },
	{ "LEAVE of 16 bits on a stack of 32", EMU_32, BYTES("\x66\xc9"),
	  .in = { RBP(EMU_DATA), RSP(0), MEM(EMU_DATA, 2, 0x1234) },
	  .out = { RSP(EMU_DATA + 2), RBP(0x1234) } },
	{ "a LEAVE that faults leaves rSP and rBP", EMU_64, BYTES("\xc9"),
	  .in = { RBP(EMU_BAD) }, .fault = FAULT_PF, .address = EMU_BAD },
	/* Flags */
	{ "PUSHF does not show RF", EMU_64, BYTES("\x9c"), .in = { FLAGS(0x10000 | CF | IF) },
	  .out = { RSP(S - 8), MEM(S - 8, 8, 0x203), FLAGS(CF | IF) } },
	{ "POPF at CPL 3 changes neither IF nor IOPL", EMU_64, BYTES("\x9d"), .cpl = 3,
	  .in = { FLAGS(IF), MEM(S, 8, 0x3cd7) }, .out = { RSP(S + 8), FLAGS(0xed5) } },
	{ "POPF at CPL 0 changes both", EMU_64, BYTES("\x9d"),
	  .in = { MEM(S, 8, 0x3202) }, .out = { RSP(S + 8), FLAGS(0x3200) } },
	{ "POPF of 16 bits leaves the upper flags", EMU_64, BYTES("\x66\x9d"),
	  .in = { FLAGS(AC), MEM(S, 2, CF) }, .out = { RSP(S + 2), FLAGS(AC | CF) } },
};

/* A stack in device memory: PUSHAD is one access for each page. */
START_TEST(pushad_on_a_device)
{
	static struct emu r;

	emu_init(&r, EMU_32, 0);
	r.e.gpr[SVM_EMUL_RSP] = EMU_DEVICE + 0x800;
	ck_assert_int_eq(emu_run(&r, BYTES("\x60")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.accesses, 1);
	ck_assert_uint_eq(r.access[0].address, EMU_DEVICE + 0x7e0);
	ck_assert_uint_eq(r.access[0].size, 32);
}
END_TEST

/* Each answer is kept only as long as there is room: then the owner gets the instruction whole. */
START_TEST(enter_on_a_device_comes_to_an_end)
{
	static struct emu r;
	unsigned exits = 0;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RSP] = EMU_DEVICE + 0x800;
	r.e.gpr[SVM_EMUL_RBP] = EMU_DEVICE + 0x400;
	while (emu_run(&r, BYTES("\xc8\x00\x00\x1f")) == SVM_EMUL_EXIT && exits < 100) {
		svm_emul_answer(&r.e, "12345678");
		exits++;
	}
	ck_assert_uint_eq(exits, SVM_EMUL_LOG_MAX);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_DEVICE + 0x800);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_test(tcase, pushad_on_a_device);
	tcase_add_test(tcase, enter_on_a_device_comes_to_an_end);
}

int main(void)
{
	return emu_main("stack", rows, ARRAY_SIZE(rows), more);
}
