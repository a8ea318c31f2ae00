/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * String instructions: APM vol. 3, 1.2.6 (repeat prefixes) and 3.
 */
#include "emulate_row.h"

#define D EMU_DATA
#define E 0xa000u /* Where RDI points. */
#define AT RSI(D), RDI(E)

static const struct emu_row rows[] = {
	/* MOVS */
	{ "MOVSB", EMU_64, BYTES("\xa4"), .in = { AT, MEM(D, 2, 0x2211) },
	  .out = { RSI(D + 1), RDI(E + 1), MEM(E, 1, 0x11) } },
	{ "MOVSW", EMU_64, BYTES("\x66\xa5"), .in = { AT, MEM(D, 4, 0x44332211) },
	  .out = { RSI(D + 2), RDI(E + 2), MEM(E, 2, 0x2211) } },
	{ "MOVSD", EMU_64, BYTES("\xa5"), .in = { AT, MEM(D, 4, 0x44332211) },
	  .out = { RSI(D + 4), RDI(E + 4), MEM(E, 4, 0x44332211) } },
	{ "MOVSQ", EMU_64, BYTES("\x48\xa5"), .in = { AT, MEM(D, 8, 0x8877665544332211) },
	  .out = { RSI(D + 8), RDI(E + 8), MEM(E, 8, 0x8877665544332211) } },
	{ "DF goes backwards", EMU_64, BYTES("\xa5"), .in = { AT, FLAGS(DF), MEM(D, 4, 9) },
	  .out = { RSI(D - 4), RDI(E - 4), MEM(E, 4, 9) } },
	{ "REP MOVSB counts to 0", EMU_64, BYTES("\xf3\xa4"),
	  .in = { AT, RCX(3), MEM(D, 4, 0x44332211) },
	  .out = { RSI(D + 3), RDI(E + 3), RCX(0), MEM(E, 3, 0x332211) } },
	{ "F2 repeats MOVS too", EMU_64, BYTES("\xf2\xa4"),
	  .in = { AT, RCX(2), MEM(D, 4, 0x44332211) },
	  .out = { RSI(D + 2), RDI(E + 2), RCX(0), MEM(E, 2, 0x2211) } },
	{ "a count of 0 touches nothing", EMU_64, BYTES("\xf3\xa4"),
	  .in = { RSI(EMU_BAD), RDI(EMU_BAD), RCX(0) }, .fault = 0 },
	{ "copying onto the next byte fills", EMU_64, BYTES("\xf3\xa4"),
	  .in = { RSI(D), RDI(D + 1), RCX(3), MEM(D, 1, 7) },
	  .out = { RSI(D + 3), RDI(D + 4), RCX(0), MEM(D, 4, 0x07070707) } },
	/* Widths of addresses */
	{ "67 in 64-bit mode uses and clears 32 bits", EMU_64, BYTES("\x67\xa4"),
	  .in = { RSI(0xf00000000 + D), RDI(0xf00000000 + E), MEM(D, 1, 5) },
	  .out = { RSI(D + 1), RDI(E + 1), MEM(E, 1, 5) } },
	{ "the count has the width of an address", EMU_64, BYTES("\x67\xf3\xa4"),
	  .in = { AT, RCX(0xf00000001), MEM(D, 1, 5) },
	  .out = { RSI(D + 1), RDI(E + 1), RCX(0), MEM(E, 1, 5) } },
	{ "16-bit registers wrap and keep their upper half", EMU_REAL, BYTES("\xa4"),
	  .in = { RSI(0x1ffff), RDI(0x20000 + E), MEM(0xffff, 1, 5) },
	  .out = { RSI(0x10000), RDI(0x20001 + E), MEM(E, 1, 5) } },
	{ "67 in real mode uses 32 bits", EMU_REAL, BYTES("\x67\xa4"),
	  .in = { AT, MEM(D, 1, 5) }, .out = { RSI(D + 1), RDI(E + 1), MEM(E, 1, 5) } },
	{ "a word at FFFF is #GP", EMU_REAL, BYTES("\xa5"), .in = { RSI(0xffff), RDI(E) },
	  .fault = FAULT_GP },
	/* Segments */
	{ "an override changes the source alone", EMU_32, BYTES("\x36\xa4"),
	  .in = { AT, BASE(SVM_EMUL_SS, 0x10), BASE(SVM_EMUL_ES, 0x20), MEM(D + 0x10, 1, 6) },
	  .out = { RSI(D + 1), RDI(E + 1), MEM(E + 0x20, 1, 6) } },
	{ "in 64-bit mode FS is one", EMU_64, BYTES("\x64\xa4"),
	  .in = { AT, BASE(SVM_EMUL_FS, 0x10), MEM(D + 0x10, 1, 6) },
	  .out = { RSI(D + 1), RDI(E + 1), MEM(E, 1, 6) } },
	/* STOS, LODS */
	{ "REP STOSD", EMU_64, BYTES("\xf3\xab"), .in = { AT, RAX(0x11223344), RCX(2) },
	  .out = { RDI(E + 8), RCX(0), MEM(E, 8, 0x1122334411223344) } },
	{ "STOSB stores AL", EMU_64, BYTES("\xaa"), .in = { AT, RAX(0x1122) },
	  .out = { RDI(E + 1), MEM(E, 1, 0x22) } },
	{ "LODSB merges", EMU_64, BYTES("\xac"), .in = { AT, RAX(0x1122), MEM(D, 1, 9) },
	  .out = { RSI(D + 1), RAX(0x1109) } },
	{ "LODSD clears the upper half", EMU_64, BYTES("\xad"), .in = { AT, MEM(D, 4, 9) },
	  .out = { RSI(D + 4), RAX(9) } },
	{ "REP LODSB keeps the last", EMU_64, BYTES("\xf3\xac"),
	  .in = { AT, RAX(0), RCX(3), MEM(D, 3, 0x332211) },
	  .out = { RSI(D + 3), RAX(0x33), RCX(0) } },
	/* CMPS, SCAS */
	{ "CMPSB compares [rsi] with [rdi]", EMU_64, BYTES("\xa6"),
	  .in = { AT, MEM(D, 1, 1), MEM(E, 1, 2) },
	  .out = { RSI(D + 1), RDI(E + 1), FLAGS(CF | PF | AF | SF) } },
	{ "REPE CMPSB ends at the first difference", EMU_64, BYTES("\xf3\xa6"),
	  .in = { AT, RCX(9), MEM(D, 4, 0x33332211), MEM(E, 4, 0x33332311) },
	  .out = { RSI(D + 2), RDI(E + 2), RCX(7), FLAGS(CF | PF | AF | SF) } },
	{ "REPNE CMPSB ends at the first equality", EMU_64, BYTES("\xf2\xa6"),
	  .in = { AT, RCX(9), MEM(D, 2, 0x2211), MEM(E, 2, 0x2212) },
	  .out = { RSI(D + 2), RDI(E + 2), RCX(7), FLAGS(PF | ZF) } },
	{ "REPNE SCASB finds", EMU_64, BYTES("\xf2\xae"),
	  .in = { AT, RAX(0x33), RCX(9), MEM(E, 4, 0x44332211) },
	  .out = { RDI(E + 3), RCX(6), FLAGS(PF | ZF) } },
	{ "REPE SCASW of equal words ends with the count", EMU_64, BYTES("\xf3\x66\xaf"),
	  .in = { AT, RAX(0), RCX(3) }, .out = { RDI(E + 6), RCX(0), FLAGS(PF | ZF) } },
	{ "a count of 0 leaves the flags", EMU_64, BYTES("\xf3\xa6"),
	  .in = { RCX(0), FLAGS(CF | OF) }, .fault = 0 },
	{ "CMPS looks at the second operand first", EMU_64, BYTES("\xa6"),
	  .in = { RSI(EMU_BAD), RDI(EMU_BAD + 8) }, .fault = FAULT_PF,
	  .address = EMU_BAD + 8 },
	/* Faults and bounds */
	{ "a fault in the middle keeps what is done", EMU_64, BYTES("\xf3\xa4"),
	  .in = { RSI(EMU_BAD - 2), RDI(E), RCX(5), MEM(EMU_BAD - 2, 2, 0x2211) },
	  .out = { RSI(EMU_BAD), RDI(E + 2), RCX(3), MEM(E, 2, 0x2211), RIP(EMU_CODE) },
	  .fault = FAULT_PF, .address = EMU_BAD },
	{ "the destination is checked before anything is read", EMU_64, BYTES("\xa4"),
	  .in = { RSI(D), RDI(EMU_RO) }, .fault = FAULT_PF, .error = 3, .address = EMU_RO },
	{ "a call ends after rep_max iterations", EMU_64, BYTES("\xf3\xaa"),
	  .in = { AT, RAX(0x55), RCX(5), REP_MAX(2) },
	  .out = { RDI(E + 2), RCX(3), MEM(E, 2, 0x5555) }, .goes_on = true },
	{ "or goes on to the end if there are no more", EMU_64, BYTES("\xf3\xaa"),
	  .in = { AT, RAX(0x55), RCX(2), REP_MAX(2) },
	  .out = { RDI(E + 2), RCX(0), MEM(E, 2, 0x5555) } },
	{ "a trap is taken after one iteration", EMU_64, BYTES("\xf3\xaa"),
	  .in = { AT, RAX(0x55), RCX(5), FLAGS(TF) },
	  .out = { RDI(E + 1), RCX(4), MEM(E, 1, 0x55) }, .goes_on = true },
	{ "RF stays until a repeat is over", EMU_64, BYTES("\xf3\xaa"),
	  .in = { AT, RAX(0x55), RCX(5), REP_MAX(1), FLAGS(0x10000) },
	  .out = { RDI(E + 1), RCX(4), MEM(E, 1, 0x55) }, .goes_on = true },
	{ "LOCK is #UD", EMU_64, BYTES("\xf0\xa4"), .fault = FAULT_UD },
};

/* A device that answers later: each iteration waits for its own access, none is repeated. */
START_TEST(a_repeat_on_a_device_waits_for_each_answer)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RSI] = EMU_DEVICE;
	r.e.gpr[SVM_EMUL_RDI] = E;
	r.e.gpr[SVM_EMUL_RCX] = 3;
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t answer = (uint8_t)(0x11 * (i + 1));

		ck_assert_int_eq(emu_run(&r, BYTES("\xf3\xa4")), SVM_EMUL_EXIT);
		ck_assert_uint_eq(r.e.pending.address, EMU_DEVICE + i);
		ck_assert_uint_eq(r.e.pending.size, 1);
		ck_assert(!r.e.pending.is_write);
		ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RCX], 3 - i);
		svm_emul_answer(&r.e, &answer);
	}
	ck_assert_int_eq(emu_run(&r, BYTES("\xf3\xa4")), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, E, 4), 0x332211);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RCX], 0);
}
END_TEST

/* From a device to a device: the read is answered, kept, and then the write is asked for. */
START_TEST(a_move_between_devices_reads_once)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RSI] = EMU_DEVICE + 0xffe; /* Over the page: two accesses for the read. */
	r.e.gpr[SVM_EMUL_RDI] = EMU_DEVICE;
	emu_put(&r, EMU_DEVICE + 0x1000, 0x4433, 2);
	ck_assert_int_eq(emu_run(&r, BYTES("\xa5")), SVM_EMUL_EXIT);
	ck_assert_uint_eq(r.e.pending.size, 2);
	svm_emul_answer(&r.e, "\x11\x22");
	ck_assert_int_eq(emu_run(&r, BYTES("\xa5")), SVM_EMUL_EXIT);
	ck_assert(r.e.pending.is_write);
	ck_assert_mem_eq(r.e.pending.data, "\x11\x22\x33\x44", 4);
	svm_emul_answer(&r.e, NULL);
	ck_assert_int_eq(emu_run(&r, BYTES("\xa5")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSI], EMU_DEVICE + 0x1002);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_test(tcase, a_repeat_on_a_device_waits_for_each_answer);
	tcase_add_test(tcase, a_move_between_devices_reads_once);
}

int main(void)
{
	return emu_main("strings", rows, ARRAY_SIZE(rows), more);
}
