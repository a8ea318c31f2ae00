/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * IN, OUT, INS, OUTS: APM vol. 3, 3; who may: vol. 2, 12.2.4 (the I/O-permission bitmap).
 */
#include "emulate_row.h"

#define D   EMU_DATA
#define TSS 0xb000u

static const struct emu_row rows[] = {
	{ "IN of a byte merges", EMU_64, BYTES("\xe4\x60"), .in = { RAX(0x1122334455667788) },
	  .out = { RAX(0x11223344556677d4) } },
	{ "IN of a word merges", EMU_64, BYTES("\x66\xe5\x60"), .in = { RAX(0x1122334455667788) },
	  .out = { RAX(0x112233445566c3d4) } },
	{ "IN of a doubleword clears the upper half", EMU_64, BYTES("\xed"),
	  .out = { RAX(0xa1b2c3d4) } },
	{ "REX.W makes no quadword of it", EMU_64, BYTES("\x48\xed"), .out = { RAX(0xa1b2c3d4) } },
	{ "INSW", EMU_64, BYTES("\x66\x6d"), .in = { RDI(D) },
	  .out = { RDI(D + 2), MEM(D, 2, 0xc3d4) } },
	{ "INSD backwards", EMU_64, BYTES("\x6d"), .in = { RDI(D), FLAGS(DF) },
	  .out = { RDI(D - 4), MEM(D, 4, 0xa1b2c3d4) } },
	{ "REP INSB", EMU_64, BYTES("\xf3\x6c"), .in = { RDI(D), RCX(3) },
	  .out = { RDI(D + 3), RCX(0), MEM(D, 3, 0xd4d4d4) } },
	{ "REP INSB of 0 does nothing", EMU_64, BYTES("\xf3\x6c"),
	  .in = { RDI(EMU_BAD), RCX(0) }, .fault = 0 },
	{ "OUTSB obeys an override", EMU_32, BYTES("\x26\x6e"),
	  .in = { RSI(D), BASE(SVM_EMUL_DS, 0xffff0000) }, .out = { RSI(D + 1) } },
	{ "OUTSW faults on its source", EMU_64, BYTES("\x66\x6f"), .in = { RSI(EMU_BAD - 1) },
	  .fault = FAULT_PF, .address = EMU_BAD },
	{ "at CPL 3 without a right to any port", EMU_64, BYTES("\xec"), .cpl = 3,
	  .fault = FAULT_GP },
	{ "IOPL 3 gives all", EMU_64, BYTES("\xec"), .cpl = 3, .in = { FLAGS(0x3000), RAX(0) },
	  .out = { RAX(0xd4) } },
	{ "IOPL 2 does not", EMU_64, BYTES("\xec"), .cpl = 3, .in = { FLAGS(0x2000) },
	  .fault = FAULT_GP },
	{ "in virtual-8086 mode IOPL is not asked", EMU_VM86, BYTES("\xec"), .cpl = 3,
	  .in = { FLAGS(0x3000) }, .fault = FAULT_GP },
	{ "a right is asked for before the count", EMU_64, BYTES("\xf3\x6c"), .cpl = 3,
	  .in = { RCX(0) }, .fault = FAULT_GP },
};

/* --- what goes to a port ---------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
	uint16_t port;
	uint8_t width;
	bool is_write;
	uint32_t value;
} accesses[] = {
	{ "OUT of AL to an immediate port", BYTES("\xe6\xff"), 0xff, 1, true, 0x88 },
	{ "OUT of AX to DX", BYTES("\x66\xef"), 0xfedc, 2, true, 0x7788 },
	{ "OUT of EAX", BYTES("\xef"), 0xfedc, 4, true, 0x55667788 },
	{ "IN of a byte", BYTES("\xec"), 0xfedc, 1, false, 0 },
	{ "OUTSD", BYTES("\x6f"), 0xfedc, 4, true, 0x44332211 },
	{ "OUTSB with a prefix once", BYTES("\xf3\x6e"), 0xfedc, 1, true, 0x11 },
	{ "INSB", BYTES("\x6c"), 0xfedc, 1, false, 0 },
};

static void init_access(struct emu *r)
{
	emu_init(r, EMU_64, 0);
	r->e.gpr[SVM_EMUL_RAX] = 0x1122334455667788;
	r->e.gpr[SVM_EMUL_RDX] = 0x1234fedc;
	r->e.gpr[SVM_EMUL_RSI] = D;
	r->e.gpr[SVM_EMUL_RDI] = D;
	r->e.gpr[SVM_EMUL_RCX] = 1;
	emu_put(r, D, 0x44332211, 4);
}

START_TEST(a_port_gets_its_bytes)
{
	static struct emu r;
	uint32_t value;

	init_access(&r);
	ck_assert_msg(emu_run(&r, accesses[_i].bytes, accesses[_i].size) == SVM_EMUL_OK, "%s",
	              accesses[_i].what);
	ck_assert_uint_eq(r.accesses, 1);
	ck_assert_msg(r.access[0].kind == SVM_EMUL_PENDING_PORT &&
	                      r.access[0].address == accesses[_i].port &&
	                      r.access[0].size == accesses[_i].width &&
	                      r.access[0].is_write == accesses[_i].is_write,
	              "%s: port %llx, size %u", accesses[_i].what,
	              (unsigned long long)r.access[0].address, r.access[0].size);
	memcpy(&value, r.access[0].data, sizeof(value));
	if (accesses[_i].is_write)
		ck_assert_uint_eq(value & (0xffffffffu >> (32 - 8 * accesses[_i].width)),
		                  accesses[_i].value);
}
END_TEST

/* INS has its destination checked before the device is asked, which may forget what it said. */
START_TEST(ins_asks_no_port_for_nothing)
{
	static struct emu r;

	init_access(&r);
	r.e.gpr[SVM_EMUL_RDI] = EMU_RO;
	ck_assert_int_eq(emu_run(&r, BYTES("\x6c")), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.accesses, 0);
}
END_TEST

START_TEST(in_waits_for_its_answer)
{
	static struct emu r;

	init_access(&r);
	r.device_exits = true;
	ck_assert_int_eq(emu_run(&r, BYTES("\xed")), SVM_EMUL_EXIT);
	ck_assert_int_eq(r.e.pending.kind, SVM_EMUL_PENDING_PORT);
	ck_assert_uint_eq(r.e.rip, EMU_CODE);
	svm_emul_answer(&r.e, "\x01\x02\x03\x04");
	ck_assert_int_eq(emu_run(&r, BYTES("\xed")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0x04030201);
	/* The answer belonged to that one instruction. */
	r.e.rip = EMU_CODE;
	ck_assert_int_eq(emu_run(&r, BYTES("\xed")), SVM_EMUL_EXIT);
}
END_TEST

/* --- the permission bitmap -------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint16_t port;
	const char *bytes;
	size_t size;
	uint16_t attributes;
	uint32_t limit;
	uint16_t denied; /* This port's bit is set. */
	bool allowed;
} bitmaps[] = {
	{ "a clear bit allows", 0x60, BYTES("\xec"), 0x8b, 0x2067, 0x61, true },
	{ "a set bit forbids", 0x60, BYTES("\xec"), 0x8b, 0x2067, 0x60, false },
	{ "each byte of a doubleword is asked", 0x5d, BYTES("\xed"), 0x8b, 0x2067, 0x60, false },
	{ "and none behind it", 0x5c, BYTES("\xed"), 0x8b, 0x2067, 0x60, true },
	{ "over a byte of the map", 0x5e, BYTES("\x66\xed"), 0x8b, 0x2067, 0x5f, false },
	{ "the second byte has to be within the limit", 0x67, BYTES("\xec"), 0x8b, 0x74, 0, false },
	{ "the last byte but one", 0x5f, BYTES("\xec"), 0x8b, 0x74, 0, true },
	{ "a TSS without room for the offset", 0, BYTES("\xec"), 0x8b, 0x66, 1, false },
	{ "a TSS of 16 bits has no map", 0, BYTES("\xec"), 0x83, 0x2067, 1, false },
	{ "an absent TSS", 0, BYTES("\xec"), 0x0b, 0x2067, 1, false },
};

START_TEST(the_map_of_the_tss_is_asked)
{
	static struct emu r;
	enum svm_emul_result result;

	emu_init(&r, EMU_32, 3);
	r.segment[SVM_EMUL_TR] = (struct svm_emul_segment){ 0x28, bitmaps[_i].attributes,
		                                            bitmaps[_i].limit, TSS };
	emu_put(&r, TSS + 102, 104, 2);
	r.ram[TSS + 104 + bitmaps[_i].denied / 8] = (uint8_t)(1u << bitmaps[_i].denied % 8);
	r.e.gpr[SVM_EMUL_RDX] = bitmaps[_i].port;
	result = emu_run(&r, bitmaps[_i].bytes, bitmaps[_i].size);
	ck_assert_msg(result == (bitmaps[_i].allowed ? SVM_EMUL_OK : SVM_EMUL_FAULT), "%s",
	              bitmaps[_i].what);
	ck_assert_uint_eq(r.accesses, bitmaps[_i].allowed);
	ck_assert(bitmaps[_i].allowed || r.e.fault.vector == 13);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_port_gets_its_bytes, 0, ARRAY_SIZE(accesses));
	tcase_add_test(tcase, ins_asks_no_port_for_nothing);
	tcase_add_test(tcase, in_waits_for_its_answer);
	tcase_add_loop_test(tcase, the_map_of_the_tss_is_asked, 0, ARRAY_SIZE(bitmaps));
}

int main(void)
{
	return emu_main("ports", rows, ARRAY_SIZE(rows), more);
}
