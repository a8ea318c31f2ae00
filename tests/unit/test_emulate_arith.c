/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arithmetic and logic: APM vol. 3, 3; flags: vol. 1, 3.1.4.
 */
#include "emulate_row.h"

#define DIGITS(name, code, ax, flags, ax_out, flags_out)                                           \
	{ name, EMU_16, BYTES(code), .in = { RAX(0x12340000 + (ax)), FLAGS(flags) },               \
	  .out = { RAX(0x12340000 + (ax_out)), FLAGS(flags_out) } }

static const struct emu_row rows[] = {
	/* ADD, ADC */
	{ "ADD carries out of a byte", EMU_64, BYTES("\x00\x03"),
	  .in = { RAX(1), MEM(EMU_DATA, 1, 0xff) },
	  .out = { MEM(EMU_DATA, 1, 0), FLAGS(CF | PF | AF | ZF) } },
	{ "ADD overflows a byte", EMU_64, BYTES("\x00\x03"),
	  .in = { RAX(1), FLAGS(CF), MEM(EMU_DATA, 1, 0x7f) },
	  .out = { MEM(EMU_DATA, 1, 0x80), FLAGS(AF | SF | OF) } },
	{ "ADD overflows a quadword", EMU_64, BYTES("\x48\x01\x03"),
	  .in = { RAX(1), MEM(EMU_DATA, 8, 0x7fffffffffffffff) },
	  .out = { MEM(EMU_DATA, 8, 0x8000000000000000), FLAGS(AF | PF | SF | OF) } },
	{ "ADD to a register clears its upper half", EMU_64, BYTES("\x03\x03"),
	  .in = { RAX(0xffffffff00000003), MEM(EMU_DATA, 4, 4) },
	  .out = { RAX(7), FLAGS(0) } },
	{ "ADD of an immediate sign-extends it", EMU_64, BYTES("\x48\x83\x03\xff"),
	  .in = { MEM(EMU_DATA, 8, 0x100000000) },
	  .out = { MEM(EMU_DATA, 8, 0xffffffff), FLAGS(CF | PF) } },
	{ "ADC adds the carry", EMU_64, BYTES("\x11\x03"),
	  .in = { RAX(0xffffffff), FLAGS(CF), MEM(EMU_DATA, 4, 5) },
	  .out = { MEM(EMU_DATA, 4, 5), FLAGS(CF | AF | PF) } },
	{ "ADC without a carry is ADD", EMU_64, BYTES("\x11\x03"),
	  .in = { RAX(3), MEM(EMU_DATA, 4, 5) }, .out = { MEM(EMU_DATA, 4, 8), FLAGS(0) } },
	/* SUB, SBB, CMP, NEG */
	{ "SUB borrows", EMU_64, BYTES("\x66\x29\x03"), .in = { RAX(1), MEM(EMU_DATA, 2, 0) },
	  .out = { MEM(EMU_DATA, 2, 0xffff), FLAGS(CF | PF | AF | SF) } },
	{ "SUB overflows", EMU_64, BYTES("\x28\x03"), .in = { RAX(1), MEM(EMU_DATA, 1, 0x80) },
	  .out = { MEM(EMU_DATA, 1, 0x7f), FLAGS(AF | OF) } },
	{ "SBB subtracts the carry", EMU_64, BYTES("\x19\x03"),
	  .in = { RAX(0), FLAGS(CF), MEM(EMU_DATA, 4, 0) },
	  .out = { MEM(EMU_DATA, 4, 0xffffffff), FLAGS(CF | PF | AF | SF) } },
	{ "CMP writes flags alone", EMU_64, BYTES("\x39\x03"),
	  .in = { RAX(5), MEM(EMU_DATA, 4, 5) }, .out = { FLAGS(PF | ZF) } },
	{ "CMP needs no right to write", EMU_64, BYTES("\x39\x03"), .in = { RAX(1), RBX(EMU_RO) },
	  .out = { FLAGS(CF | PF | AF | SF) } },
	{ "CMP of AL", EMU_64, BYTES("\x3c\x80"), .in = { RAX(0x7f) },
	  .out = { FLAGS(CF | PF | SF | OF) } },
	{ "SUB of zero still needs the right", EMU_64, BYTES("\x83\x2b\x00"),
	  .in = { RBX(EMU_RO) }, .fault = FAULT_PF, .error = 3, .address = EMU_RO },
	{ "NEG of 0 clears CF", EMU_64, BYTES("\xf7\x1b"), .in = { FLAGS(CF) },
	  .out = { FLAGS(PF | ZF) } },
	{ "NEG of the smallest overflows", EMU_64, BYTES("\xf6\x1b"),
	  .in = { MEM(EMU_DATA, 1, 0x80) }, .out = { FLAGS(CF | SF | OF) } },
	/* Logic */
	{ "AND clears CF and OF", EMU_64, BYTES("\x21\x03"),
	  .in = { RAX(0xf0), FLAGS(CF | OF), MEM(EMU_DATA, 4, 0x33) },
	  .out = { MEM(EMU_DATA, 4, 0x30), FLAGS(PF) }, .undefined = AF },
	{ "OR", EMU_64, BYTES("\x08\x03"), .in = { RAX(0x80), MEM(EMU_DATA, 1, 1) },
	  .out = { MEM(EMU_DATA, 1, 0x81), FLAGS(PF | SF) }, .undefined = AF },
	{ "XOR of a register with itself is 0", EMU_64, BYTES("\x31\xc0"), .in = { FLAGS(CF) },
	  .out = { RAX(0), FLAGS(PF | ZF) }, .undefined = AF },
	{ "TEST writes flags alone", EMU_64, BYTES("\xf6\x03\x80"),
	  .in = { RBX(EMU_RO), MEM(EMU_RO, 1, 0x80) }, .out = { FLAGS(SF) }, .undefined = AF },
	{ "TEST of AX", EMU_16, BYTES("\xa9\x00\x80"), .in = { RAX(0x7fff) },
	  .out = { FLAGS(PF | ZF) }, .undefined = AF },
	{ "NOT changes no flag", EMU_64, BYTES("\xf7\x13"),
	  .in = { FLAGS(CF | OF), MEM(EMU_DATA, 4, 0x0f0f0f0f) },
	  .out = { MEM(EMU_DATA, 4, 0xf0f0f0f0) } },
	/* INC, DEC */
	{ "INC keeps CF", EMU_64, BYTES("\xff\x03"),
	  .in = { FLAGS(CF), MEM(EMU_DATA, 4, 0xffffffff) },
	  .out = { MEM(EMU_DATA, 4, 0), FLAGS(CF | PF | AF | ZF) } },
	{ "INC overflows", EMU_64, BYTES("\xfe\x03"), .in = { MEM(EMU_DATA, 1, 0x7f) },
	  .out = { MEM(EMU_DATA, 1, 0x80), FLAGS(AF | SF | OF) } },
	{ "DEC keeps CF clear", EMU_64, BYTES("\x48\xff\x0b"), .in = { MEM(EMU_DATA, 8, 0) },
	  .out = { MEM(EMU_DATA, 8, ~UINT64_C(0)), FLAGS(PF | AF | SF) } },
	{ "40 is INC outside 64-bit mode", EMU_32, BYTES("\x40"), .in = { RAX(0x7fffffff) },
	  .out = { RAX(0x80000000), FLAGS(PF | AF | SF | OF) } },
	{ "4B is DEC, of 16 bits in real mode", EMU_REAL, BYTES("\x4b"), .in = { RBX(0x10000) },
	  .out = { RBX(0x1ffff), FLAGS(PF | AF | SF) } },
	/* LOCK */
	{ "LOCK with a register is #UD", EMU_64, BYTES("\xf0\x01\xc0"), .fault = FAULT_UD },
	{ "LOCK with CMP is #UD", EMU_64, BYTES("\xf0\x39\x03"), .fault = FAULT_UD },
	{ "LOCK ADD", EMU_64, BYTES("\xf0\x01\x03"), .in = { RAX(1), MEM(EMU_DATA, 4, 1) },
	  .out = { MEM(EMU_DATA, 4, 2), FLAGS(0) } },
	/* BOUND */
	{ "BOUND takes both limits in", EMU_32, BYTES("\x62\x03"),
	  .in = { RAX(5), MEM(EMU_DATA, 4, 0xfffffffe), MEM(EMU_DATA + 4, 4, 5) },
	  .out = { RAX(5) } },
	{ "BOUND above", EMU_32, BYTES("\x62\x03"), .in = { RAX(6), MEM(EMU_DATA + 4, 4, 5) },
	  .fault = FAULT_BR },
	{ "BOUND below, signed", EMU_16, BYTES("\x62\x07"),
	  .in = { RAX(0xfffd), MEM(EMU_DATA, 2, 0xfffe), MEM(EMU_DATA + 2, 2, 5) },
	  .fault = FAULT_BR },
	{ "BOUND reads both limits first", EMU_32, BYTES("\x62\x03"),
	  .in = { RAX(0), RBX(EMU_BAD - 4) }, .fault = FAULT_PF, .address = EMU_BAD },
	/* Decimal digits */
	DIGITS("DAA mends the low digit", "\x27", 0x3c, 0, 0x42, AF | PF),
	DIGITS("DAA mends both", "\x27", 0x9a, 0, 0x00, CF | PF | AF | ZF),
	DIGITS("DAA heeds AF and CF", "\x27", 0x12, CF | AF, 0x78, CF | PF | AF),
	DIGITS("DAA of two digits changes none", "\x27", 0x99, 0, 0x99, SF | PF),
	DIGITS("DAS mends the low digit", "\x2f", 0x4e, AF, 0x48, AF | PF),
	DIGITS("DAS borrows", "\x2f", 0x05, AF, 0xff, CF | PF | AF | SF),
	{ "AAA carries into AH", EMU_16, BYTES("\x37"), .in = { RAX(0x010a) },
	  .out = { RAX(0x0200), FLAGS(CF | AF) }, .undefined = OF | SF | ZF | PF },
	{ "AAA of a digit clears the high bits", EMU_16, BYTES("\x37"),
	  .in = { RAX(0x0135), FLAGS(CF) }, .out = { RAX(0x0105), FLAGS(0) },
	  .undefined = OF | SF | ZF | PF },
	{ "AAS borrows from AH", EMU_16, BYTES("\x3f"), .in = { RAX(0x02ff) },
	  .out = { RAX(0x0109), FLAGS(CF | AF) }, .undefined = OF | SF | ZF | PF },
	{ "AAM divides by ten", EMU_16, BYTES("\xd4\x0a"), .in = { RAX(0x1157) },
	  .out = { RAX(0x0807), FLAGS(0) }, .undefined = OF | AF | CF },
	{ "AAM by zero", EMU_16, BYTES("\xd4\x00"), .fault = FAULT_DE },
	{ "AAD multiplies by ten", EMU_16, BYTES("\xd5\x0a"), .in = { RAX(0x0807) },
	  .out = { RAX(0x57), FLAGS(0) }, .undefined = OF | AF | CF },
};

int main(void)
{
	return emu_main("arithmetic", rows, ARRAY_SIZE(rows), NULL);
}
