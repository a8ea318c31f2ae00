/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What holds for every instruction: segments (APM vol. 2, 4.7 and 4.12), canonical addresses (5.3),
 * alignment (8.2.18), pages, devices, the fetch, and RIP.
 */
#include "emulate_row.h"

#define D     EMU_DATA
#define V     0x1122334455667788
#define TOP   0x800000000000 /* The first address that is not canonical. */
#define AM_AC CR0(0x80040011), FLAGS(AC)
#define DS(attributes) ATTRIBUTES(SVM_EMUL_DS, attributes)

static const struct emu_row rows[] = {
	/* Two pages */
	{ "a load over a page boundary", EMU_64, BYTES("\x48\x8b\x03"),
	  .in = { RBX(0x9ffd), MEM(0x9ffd, 8, V) }, .out = { RAX(V) } },
	{ "a store over a page boundary", EMU_64, BYTES("\x48\x89\x03"),
	  .in = { RAX(V), RBX(0x9fff) }, .out = { MEM(0x9fff, 8, V) } },
	{ "a fault on the second page names it and stores nothing", EMU_64,
	  BYTES("\x48\x89\x03"), .in = { RBX(EMU_BAD - 3) }, .fault = FAULT_PF, .error = 2,
	  .address = EMU_BAD },
	{ "a fault on the first page names the first byte", EMU_64, BYTES("\x48\x89\x03"),
	  .in = { RBX(EMU_RO - 3) }, .fault = FAULT_PF, .error = 2, .address = EMU_RO - 3 },
	/* Segments of protected mode */
	{ "the limit takes its last byte in", EMU_32, BYTES("\x8b\x03"),
	  .in = { LIMIT(SVM_EMUL_DS, D + 3), MEM(D, 4, 5) }, .out = { RAX(5) } },
	{ "and nothing behind it", EMU_32, BYTES("\x8b\x03"),
	  .in = { LIMIT(SVM_EMUL_DS, D + 2) }, .fault = FAULT_GP },
	{ "SS is the segment of rBP, and its fault #SS", EMU_32, BYTES("\x8b\x45\x00"),
	  .in = { RBP(D), LIMIT(SVM_EMUL_SS, D + 2) }, .fault = FAULT_SS },
	{ "an override takes that away", EMU_32, BYTES("\x3e\x8b\x45\x00"),
	  .in = { RBP(D), LIMIT(SVM_EMUL_SS, D + 2), MEM(D, 4, 5) }, .out = { RAX(5) } },
	{ "expand-down begins above its limit", EMU_32, BYTES("\x8b\x03"),
	  .in = { DS(0xc97), LIMIT(SVM_EMUL_DS, D - 1), MEM(D, 4, 5) }, .out = { RAX(5) } },
	{ "not at it", EMU_32, BYTES("\x8b\x03"), .in = { DS(0xc97), LIMIT(SVM_EMUL_DS, D) },
	  .fault = FAULT_GP },
	{ "a small expand-down segment ends at FFFF", EMU_32, BYTES("\x8b\x03"),
	  .in = { RBX(0xfffd), DS(0x097), LIMIT(SVM_EMUL_DS, D) }, .fault = FAULT_GP },
	{ "an offset that wraps is outside any segment", EMU_32, BYTES("\x8b\x03"),
	  .in = { RBX(0xfffffffd) }, .fault = FAULT_GP },
	{ "base and offset wrap at 4 GiB", EMU_32, BYTES("\x8b\x03"),
	  .in = { BASE(SVM_EMUL_DS, 0xfffff000), MEM(D - 0x1000, 4, 5) }, .out = { RAX(5) } },
	{ "read-only data cannot be written", EMU_32, BYTES("\x89\x03"), .in = { DS(0xc91) },
	  .fault = FAULT_GP },
	{ "nor code", EMU_32, BYTES("\x2e\x89\x03"), .fault = FAULT_GP },
	{ "code that is readable can be read", EMU_32, BYTES("\x2e\x8b\x03"),
	  .in = { MEM(D, 4, 5) }, .out = { RAX(5) } },
	{ "other code cannot", EMU_32, BYTES("\x2e\x8b\x03"),
	  .in = { ATTRIBUTES(SVM_EMUL_CS, 0xc99) }, .fault = FAULT_GP },
	{ "a null segment cannot", EMU_32, BYTES("\x8b\x03"), .in = { DS(0) },
	  .fault = FAULT_GP },
	{ "64-bit mode knows no limit, no type and no base of DS", EMU_64, BYTES("\x89\x03"),
	  .in = { DS(0), LIMIT(SVM_EMUL_DS, 0), BASE(SVM_EMUL_DS, 0x1000), RAX(V) },
	  .out = { MEM(D, 4, 0x55667788) } },
	{ "but the base of GS", EMU_64, BYTES("\x65\x89\x03"),
	  .in = { BASE(SVM_EMUL_GS, 0x1000), RAX(V) }, .out = { MEM(D + 0x1000, 4, 0x55667788) } },
	{ "an ignored override does not undo FS", EMU_64, BYTES("\x64\x3e\x89\x03"),
	  .in = { BASE(SVM_EMUL_FS, 0x1000), RAX(V) }, .out = { MEM(D + 0x1000, 4, 0x55667788) } },
	/* Real mode */
	{ "real mode adds 16 times the selector", EMU_REAL, BYTES("\x8a\x07"),
	  .in = { BASE(SVM_EMUL_DS, 0x1000), MEM(D + 0x1000, 1, 5), RAX(0) },
	  .out = { RAX(5) } },
	{ "BP is of SS", EMU_REAL, BYTES("\x8a\x46\x00"),
	  .in = { BASE(SVM_EMUL_SS, 0x1000), RBP(D), MEM(D + 0x1000, 1, 5), RAX(0) },
	  .out = { RAX(5) } },
	{ "BX and SI add up within 64 KiB", EMU_REAL, BYTES("\x8a\x00"),
	  .in = { RBX(0xfff0), RSI(0x20), MEM(0x10, 1, 5), RAX(0) }, .out = { RAX(5) } },
	{ "a displacement alone is of DS", EMU_REAL, BYTES("\x8a\x06\x05\x90"),
	  .in = { BASE(SVM_EMUL_DS, 0x1000), MEM(0xa005, 1, 5), RAX(0) }, .out = { RAX(5) } },
	{ "BP and DI are of SS, and add up with a displacement", EMU_REAL, BYTES("\x8a\x43\xff"),
	  .in = { BASE(SVM_EMUL_SS, 0x1000), RBP(0x8000), RDI(6), MEM(0x9005, 1, 5), RAX(0) },
	  .out = { RAX(5) } },
	{ "a byte at FFFF", EMU_REAL, BYTES("\x8a\x07"),
	  .in = { RBX(0xffff), MEM(0xffff, 1, 5), RAX(0) }, .out = { RAX(5) } },
	{ "a word at FFFF is #GP", EMU_REAL, BYTES("\x8b\x07"), .in = { RBX(0xffff) },
	  .fault = FAULT_GP },
	{ "and #SS where BP names it", EMU_REAL, BYTES("\x8b\x46\x00"), .in = { RBP(0xffff) },
	  .fault = FAULT_SS },
	{ "a limit of 4 GiB makes real mode big", EMU_REAL, BYTES("\x67\x8b\x03"),
	  .in = { RAX(0), RBX(EMU_FAR_DATA), LIMIT(SVM_EMUL_DS, 0xffffffff),
	  MEM(EMU_FAR_DATA, 2, 0x1234) }, .out = { RAX(0x1234) } },
	/* Canonical addresses */
	{ "the last canonical byte is absent, not wrong", EMU_64, BYTES("\x8a\x03"),
	  .in = { RBX(TOP - 1) }, .fault = FAULT_PF, .address = TOP - 1 },
	{ "the next is wrong", EMU_64, BYTES("\x8a\x03"), .in = { RBX(TOP) },
	  .fault = FAULT_GP },
	{ "the last byte counts too", EMU_64, BYTES("\x8b\x03"), .in = { RBX(TOP - 3) },
	  .fault = FAULT_GP },
	{ "with rBP it is #SS", EMU_64, BYTES("\x8b\x45\x00"), .in = { RBP(TOP) },
	  .fault = FAULT_SS },
	{ "the base of FS is added first", EMU_64, BYTES("\x64\x8a\x03"),
	  .in = { RBX(TOP), BASE(SVM_EMUL_FS, 0xffff800000000000 + D), RAX(0), MEM(D, 1, 5) },
	  .out = { RAX(5) } },
	{ "67 cuts an address to 32 bits", EMU_64, BYTES("\x67\x8b\x03"),
	  .in = { RBX(0xf00000000 + D), MEM(D, 4, 5) }, .out = { RAX(5) } },
	/* Alignment */
	{ "#AC at CPL 3", EMU_64, BYTES("\x8b\x43\x02"), .cpl = 3, .in = { AM_AC },
	  .fault = FAULT_AC },
	{ "not at CPL 0", EMU_64, BYTES("\x8b\x43\x02"), .in = { AM_AC }, .out = { RAX(0) } },
	{ "nor without RFLAGS.AC", EMU_64, BYTES("\x8b\x43\x02"), .cpl = 3,
	  .in = { CR0(0x80040011) }, .out = { RAX(0) } },
	{ "nor without CR0.AM", EMU_64, BYTES("\x8b\x43\x02"), .cpl = 3, .in = { FLAGS(AC) },
	  .out = { RAX(0) } },
	{ "a word needs an even address", EMU_64, BYTES("\x66\x8b\x43\x02"), .cpl = 3,
	  .in = { AM_AC, RAX(0) }, .fault = 0 },
	{ "a byte needs none", EMU_64, BYTES("\x8a\x43\x01"), .cpl = 3, .in = { AM_AC, RAX(0) },
	  .fault = 0 },
	{ "#AC comes before #PF", EMU_64, BYTES("\x8b\x03"), .cpl = 3,
	  .in = { AM_AC, RBX(EMU_BAD + 1) }, .fault = FAULT_AC },
	/* The fetch */
	{ "fifteen bytes are an instruction", EMU_64,
	  BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"), .fault = 0 },
	{ "sixteen are #GP", EMU_64,
	  BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"),
	  .fault = FAULT_GP },
	{ "an instruction that ends with its page needs no other", EMU_64, BYTES("\x90"),
	  .rip = EMU_BAD - 1, .fault = 0 },
	{ "one that goes on in an absent page faults there", EMU_64, BYTES("\x8b"),
	  .rip = EMU_BAD - 1, .fault = FAULT_PF, .address = EMU_BAD },
	{ "an instruction may end at the limit", EMU_32, BYTES("\xb0\x05"),
	  .in = { LIMIT(SVM_EMUL_CS, EMU_CODE + 1), RAX(0) }, .out = { RAX(5) } },
	{ "but not behind it", EMU_32, BYTES("\xb0\x05"),
	  .in = { LIMIT(SVM_EMUL_CS, EMU_CODE) }, .fault = FAULT_GP },
	/* RIP and RFLAGS */
	{ "IP wraps behind FFFF", EMU_REAL, BYTES("\x90"), .rip = 0xffff, .out = { RIP(0) } },
	{ "EIP does not wrap at 64 KiB", EMU_32, BYTES("\x90"), .rip = EMU_FAR_CODE + 0xfff,
	  .fault = 0 },
	{ "an instruction clears RF and keeps TF", EMU_64, BYTES("\x90"),
	  .in = { FLAGS(0x10000 | TF) }, .out = { FLAGS(TF) } },
	{ "a fault keeps RF", EMU_64, BYTES("\x8b\x03"),
	  .in = { FLAGS(0x10000), RBX(EMU_BAD) }, .fault = FAULT_PF, .address = EMU_BAD },
	{ "STI shields the next instruction", EMU_64, BYTES("\xfb"), .out = { FLAGS(IF) },
	  .shadow = true },
	{ "not where IF was set", EMU_64, BYTES("\xfb"), .in = { FLAGS(IF) }, .fault = 0 },
	{ "CLI at CPL 3 is #GP", EMU_64, BYTES("\xfa"), .cpl = 3, .fault = FAULT_GP },
	{ "SAHF takes five flags", EMU_64, BYTES("\x9e"), .in = { RAX(0xff00), FLAGS(OF) },
	  .out = { FLAGS(CF | PF | AF | ZF | SF | OF) } },
	{ "LAHF shows bit 1", EMU_64, BYTES("\x9f"), .in = { RAX(0), FLAGS(CF | OF) },
	  .out = { RAX(0x300) } },
	{ "CMC", EMU_64, BYTES("\xf5"), .in = { FLAGS(CF | ZF) }, .out = { FLAGS(ZF) } },
	{ "STD", EMU_64, BYTES("\xfd"), .out = { FLAGS(DF) } },
};

/* --- devices ---------------------------------------------------------------------------------- */

#define STORE "\x48\x89\x03" /* mov [rbx], rax */
#define LOAD  "\x48\x8b\x03"

/* The first part of the operand is a device's, the second RAM. */
START_TEST(a_load_over_device_and_ram)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE + 0xffd;
	emu_put(&r, EMU_DEVICE + 0x1000, 0x1122334455, 5);
	ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_OK);
	ck_assert_uint_eq(r.accesses, 1);
	ck_assert_uint_eq(r.access[0].size, 3);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], 0x1122334455bfbebd);
}
END_TEST

START_TEST(a_store_over_device_and_ram_waits_and_goes_on)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RAX] = V;
	r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE + 0xffd;
	ck_assert_int_eq(emu_run(&r, BYTES(STORE)), SVM_EMUL_EXIT);
	ck_assert(r.e.pending.is_write);
	ck_assert_uint_eq(r.e.pending.address, EMU_DEVICE + 0xffd);
	ck_assert_uint_eq(r.e.pending.size, 3);
	ck_assert_mem_eq(r.e.pending.data, "\x88\x77\x66", 3);
	ck_assert_uint_eq(r.e.rip, EMU_CODE);
	ck_assert_uint_eq(emu_get(&r, EMU_DEVICE + 0x1000, 8), 0);
	svm_emul_answer(&r.e, NULL);
	ck_assert_int_eq(emu_run(&r, BYTES(STORE)), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, EMU_DEVICE + 0x1000, 8), 0x1122334455);
	ck_assert_uint_eq(r.e.rip, EMU_CODE + 3);
}
END_TEST

/* An RMW reads, waits, computes, writes: the answer is taken from the log, not asked for again. */
START_TEST(a_read_and_a_write_are_two_exits)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RAX] = 1;
	r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE;
	ck_assert_int_eq(emu_run(&r, BYTES("\x01\x03")), SVM_EMUL_EXIT);
	ck_assert(!r.e.pending.is_write);
	svm_emul_answer(&r.e, "\xff\xff\xff\xff");
	ck_assert_int_eq(emu_run(&r, BYTES("\x01\x03")), SVM_EMUL_EXIT);
	ck_assert(r.e.pending.is_write);
	ck_assert_mem_eq(r.e.pending.data, "\0\0\0\0", 4);
	ck_assert_uint_eq(r.e.rflags, 2); /* Not before the write is done. */
	svm_emul_answer(&r.e, NULL);
	ck_assert_int_eq(emu_run(&r, BYTES("\x01\x03")), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rflags, 2 | CF | PF | AF | ZF);
}
END_TEST

/* An answer belongs to its bytes, its place and its address. */
START_TEST(an_answer_is_not_for_another_access)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.device_exits = true;
	r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE;
	ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_EXIT);
	svm_emul_answer(&r.e, "12345678");
	switch (_i) {
	case 0: /* Other bytes. */
		ck_assert_int_eq(emu_run(&r, BYTES("\x48\x8b\x0b")), SVM_EMUL_EXIT);
		break;
	case 1: /* Another address. */
		r.e.gpr[SVM_EMUL_RBX] = EMU_DEVICE + 8;
		ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_EXIT);
		break;
	case 2: /* Another place. */
		memcpy(r.ram + EMU_CODE + 0x100, LOAD, 3);
		r.e.rip += 0x100;
		r.e.count = 0;
		ck_assert_int_eq(svm_emulate(&r.e), SVM_EMUL_EXIT);
		break;
	default:
		svm_emul_forget(&r.e);
		ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_EXIT);
		break;
	}
	ck_assert(!r.e.pending.is_write);
}
END_TEST

/* With CR4.LA57 addresses have 57 bits. */
START_TEST(five_levels_make_more_addresses_canonical)
{
	static struct emu r;

	emu_init(&r, EMU_64, 0);
	r.e.linear_bits = 57;
	r.e.gpr[SVM_EMUL_RBX] = TOP;
	ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, 14);
	r.e.gpr[SVM_EMUL_RBX] = UINT64_C(1) << 56;
	ck_assert_int_eq(emu_run(&r, BYTES(LOAD)), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, 13);
}
END_TEST

static void more(TCase *tcase)
{
	tcase_add_test(tcase, a_load_over_device_and_ram);
	tcase_add_test(tcase, a_store_over_device_and_ram_waits_and_goes_on);
	tcase_add_test(tcase, a_read_and_a_write_are_two_exits);
	tcase_add_loop_test(tcase, an_answer_is_not_for_another_access, 0, 4);
	tcase_add_test(tcase, five_levels_make_more_addresses_canonical);
}

int main(void)
{
	return emu_main("memory", rows, ARRAY_SIZE(rows), more);
}
