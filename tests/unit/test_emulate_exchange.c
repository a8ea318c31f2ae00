/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * XCHG, XADD and the compare-exchanges: APM vol. 3, 3; which of them are atomic: vol. 2, 7.3.2.
 */
#include "emulate_row.h"

#define D EMU_DATA

static const struct emu_row rows[] = {
	{ "XCHG swaps", EMU_64, BYTES("\x87\x03"),
	  .in = { RAX(0x1122334455667788), MEM(D, 4, 0x8000000a) },
	  .out = { RAX(0x8000000a), MEM(D, 4, 0x55667788) } },
	{ "XCHG of bytes", EMU_64, BYTES("\x86\x23"), .in = { RAX(0x1122), MEM(D, 1, 0xaa) },
	  .out = { RAX(0xaa22), MEM(D, 1, 0x11) } },
	{ "XCHG of registers", EMU_64, BYTES("\x48\x87\xc8"), .in = { RAX(1), RCX(2) },
	  .out = { RAX(2), RCX(1) } },
	{ "XCHG needs both rights", EMU_64, BYTES("\x87\x03"), .in = { RBX(EMU_RO) },
	  .fault = FAULT_PF, .error = 3, .address = EMU_RO },
	{ "91 swaps rAX and rCX", EMU_64, BYTES("\x91"),
	  .in = { RAX(0x1122334455667788), RCX(3) }, .out = { RAX(3), RCX(0x55667788) } },
	{ "90 is NOP, and clears nothing", EMU_64, BYTES("\x90"), .in = { RAX(~UINT64_C(0)) } },
	{ "PAUSE is NOP", EMU_64, BYTES("\xf3\x90"), .in = { RAX(~UINT64_C(0)) } },
	{ "90 with REX.B swaps rAX and R8", EMU_64, BYTES("\x49\x90"),
	  .in = { RAX(1), GPR(8, 2) }, .out = { RAX(2), GPR(8, 1) } },
	{ "90 of 16 bits and REX.B merges", EMU_64, BYTES("\x66\x41\x90"),
	  .in = { RAX(0x10001), GPR(8, 0x20002) }, .out = { RAX(0x10002), GPR(8, 0x20001) } },
	{ "XADD adds and loads the old value", EMU_64, BYTES("\x0f\xc1\x03"),
	  .in = { RAX(5), MEM(D, 4, 3) }, .out = { RAX(3), MEM(D, 4, 8), FLAGS(0) } },
	{ "XADD of one register doubles it", EMU_64, BYTES("\x0f\xc1\xc0"), .in = { RAX(3) },
	  .out = { RAX(6), FLAGS(PF) } },
	{ "CMPXCHG stores where rAX is equal", EMU_64, BYTES("\x0f\xb1\x0b"),
	  .in = { RAX(0xffffffff00000005), RCX(7), MEM(D, 4, 5) },
	  .out = { MEM(D, 4, 7), FLAGS(PF | ZF) } },
	{ "CMPXCHG loads rAX where it is not", EMU_64, BYTES("\x0f\xb1\x0b"),
	  .in = { RAX(0xffffffff00000006), MEM(D, 4, 5) }, .out = { RAX(5), FLAGS(0) } },
	{ "CMPXCHG of bytes", EMU_64, BYTES("\x0f\xb0\x0b"),
	  .in = { RAX(0x1105), RCX(7), MEM(D, 1, 4) },
	  .out = { RAX(0x1104), FLAGS(0) } },
	{ "CMPXCHG that fails still needs the right to write", EMU_64, BYTES("\x0f\xb1\x0b"),
	  .in = { RAX(1), RBX(EMU_RO) }, .fault = FAULT_PF, .error = 3, .address = EMU_RO },
	{ "CMPXCHG of registers that fails leaves the destination", EMU_64, BYTES("\x0f\xb1\xcb"),
	  .in = { RAX(1), RBX(0x1122334400000002) }, .out = { RAX(2), FLAGS(CF | PF | AF | SF) } },
	{ "CMPXCHG8B stores ECX:EBX", EMU_64, BYTES("\x0f\xc7\x0e"),
	  .in = { RSI(D), RAX(1), RDX(2), RBX(3), RCX(4), MEM(D, 4, 1), MEM(D + 4, 4, 2),
	  FLAGS(CF) }, .out = { MEM(D, 4, 3), MEM(D + 4, 4, 4), FLAGS(CF | ZF) } },
	{ "CMPXCHG8B loads EDX:EAX", EMU_64, BYTES("\x0f\xc7\x0e"),
	  .in = { RSI(D), RAX(1), RDX(0xffffffff00000002), MEM(D, 4, 1), MEM(D + 4, 4, 9),
	  FLAGS(ZF) }, .out = { RDX(9), FLAGS(0) } },
	{ "66 does not make CMPXCHG8B smaller", EMU_64, BYTES("\x66\x0f\xc7\x0e"),
	  .in = { RSI(D), RAX(0), RDX(0), RBX(3), RCX(4) },
	  .out = { MEM(D, 4, 3), MEM(D + 4, 4, 4), FLAGS(ZF) } },
	{ "CMPXCHG16B stores RCX:RBX", EMU_64, BYTES("\x48\x0f\xc7\x0e"),
	  .in = { RSI(D), RAX(0), RDX(0), RBX(3), RCX(0x8000000000000004) },
	  .out = { MEM(D, 8, 3), MEM(D + 8, 8, 0x8000000000000004), FLAGS(ZF) } },
	{ "CMPXCHG16B must be aligned", EMU_64, BYTES("\x48\x0f\xc7\x0e"),
	  .in = { RSI(D + 8) }, .fault = FAULT_GP },
	{ "LOCK CMPXCHG of a register is #UD", EMU_64, BYTES("\xf0\x0f\xb1\xcb"),
	  .fault = FAULT_UD },
};

/* --- what is one step of the memory ----------------------------------------------------------- */

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
	unsigned exchanges;
} atomics[] = {
	{ "XCHG without LOCK", BYTES("\x87\x03"), 1 },
	{ "LOCK ADD", BYTES("\xf0\x01\x03"), 1 },
	{ "ADD", BYTES("\x01\x03"), 0 },
	{ "LOCK XADD", BYTES("\xf0\x0f\xc1\x03"), 1 },
	{ "XADD", BYTES("\x0f\xc1\x03"), 0 },
	{ "LOCK CMPXCHG", BYTES("\xf0\x0f\xb1\x03"), 1 },
	{ "CMPXCHG", BYTES("\x0f\xb1\x03"), 0 },
	{ "LOCK CMPXCHG8B", BYTES("\xf0\x0f\xc7\x0b"), 1 },
	{ "LOCK NEG", BYTES("\xf0\xf7\x1b"), 1 },
	{ "LOCK BTS", BYTES("\xf0\x0f\xba\x2b\x05"), 1 },
	{ "XCHG over a page boundary", BYTES("\x87\x83\xfe\x0f\0\0"), 0 },
};

START_TEST(locked_is_an_exchange_of_the_owner)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	ck_assert_msg(emu_run(&r, atomics[_i].bytes, atomics[_i].size) == SVM_EMUL_OK, "%s",
	              atomics[_i].what);
	ck_assert_msg(r.exchanges == atomics[_i].exchanges, "%s: %u", atomics[_i].what,
	              r.exchanges);
}
END_TEST

/* Another processor writes between the read and the exchange: the sum is that of its value. */
START_TEST(locked_tries_again)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	emu_put(&r, D, 0x10, 4);
	r.e.gpr[SVM_EMUL_RAX] = 1;
	r.interfere = true;
	ck_assert_int_eq(emu_run(&r, BYTES("\xf0\x0f\xc1\x03")), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, D, 4), 0x12);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0x11);
	ck_assert_uint_eq(r.exchanges, 2);
}
END_TEST

/* A device gets one read and one write, and CMPXCHG writes the old value back. */
START_TEST(a_device_is_read_and_written)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE;
	ck_assert_int_eq(emu_run(&r, BYTES("\xf0\x0f\xb1\x0b")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.accesses, 2);
	ck_assert(!r.access[0].is_write && r.access[1].is_write);
	ck_assert_mem_eq(r.access[1].data, "\xc0\xc1\xc2\xc3", 4);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0xc3c2c1c0);
}
END_TEST

/* LOCK over two pages: read, compared and written while nobody else emulates. */
START_TEST(a_locked_operand_over_two_pages_is_serialised)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.e.gpr[SVM_EMUL_RBX] = 0x9ffe;
	emu_put(&r, 0x9ffe, 0x11223344, 4);
	ck_assert_int_eq(emu_run(&r, "\xf0\xff\x03", 3), SVM_EMUL_OK); /* lock inc [rbx] */
	ck_assert_uint_eq(emu_get(&r, 0x9ffe, 4), 0x11223345);
	ck_assert_uint_eq(r.serialised, 2);
	ck_assert_uint_eq(r.exchanges, 0);
	/* Somebody was faster, on the second page. */
	r.e.rip = EMU_CODE;
	r.interfere = true;
	r.interfere_at = 0xa000;
	ck_assert_int_eq(emu_run(&r, "\xf0\xff\x03", 3), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, 0x9ffe, 4), 0x11233346);
	ck_assert_uint_eq(r.serialised, 6);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_test(tcase, a_locked_operand_over_two_pages_is_serialised);
	tcase_add_loop_test(tcase, locked_is_an_exchange_of_the_owner, 0, ARRAY_SIZE(atomics));
	tcase_add_test(tcase, locked_tries_again);
	tcase_add_test(tcase, a_device_is_read_and_written);
}

int main(void)
{
	return emu_main("exchanges", rows, ARRAY_SIZE(rows), more);
}
