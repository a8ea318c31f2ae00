/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shifts and rotates: APM vol. 3, 3.  A count is masked to 5 bits, or 6 with a 64-bit operand; a
 * masked count of 0 changes nothing.
 */
#include "emulate_row.h"

#define D EMU_DATA

static const struct emu_row rows[] = {
	/* Shifts */
	{ "SHL by 1 carries the highest bit out", EMU_64, BYTES("\xd0\x23"),
	  .in = { MEM(D, 1, 0xc0) }, .out = { MEM(D, 1, 0x80), FLAGS(CF | SF) },
	  .undefined = AF },
	{ "SHL by 1 overflows where the sign changes", EMU_64, BYTES("\xd0\x23"),
	  .in = { MEM(D, 1, 0x40) }, .out = { MEM(D, 1, 0x80), FLAGS(SF | OF) },
	  .undefined = AF },
	{ "SHL by 0 changes no flag", EMU_64, BYTES("\xc1\x23\x00"),
	  .in = { FLAGS(CF | ZF), MEM(D, 4, 5) }, .out = { MEM(D, 4, 5) } },
	{ "SHL by 32 of 32 bits is by 0", EMU_64, BYTES("\xc1\x23\x20"),
	  .in = { FLAGS(CF), MEM(D, 4, 5) }, .out = { MEM(D, 4, 5) } },
	{ "SHL by 32 of 64 bits is by 32", EMU_64, BYTES("\x48\xc1\x23\x20"),
	  .in = { MEM(D, 8, 0x180000001) }, .out = { MEM(D, 8, 0x8000000100000000),
	  FLAGS(CF | PF | SF) }, .undefined = AF | OF },
	{ "SHL by 9 empties a byte", EMU_64, BYTES("\xc0\x23\x09"), .in = { MEM(D, 1, 0xff) },
	  .out = { MEM(D, 1, 0), FLAGS(PF | ZF) }, .undefined = AF | OF },
	{ "SHL by CL", EMU_64, BYTES("\x66\xd3\x23"), .in = { RCX(0xf04), MEM(D, 2, 0x1234) },
	  .out = { MEM(D, 2, 0x2340), FLAGS(CF) }, .undefined = AF | OF },
	{ "/6 is SHL too", EMU_64, BYTES("\xd1\x33"), .in = { MEM(D, 4, 3) },
	  .out = { MEM(D, 4, 6), FLAGS(PF) }, .undefined = AF },
	{ "SHR by 1 keeps the old sign in OF", EMU_64, BYTES("\xd1\x2b"),
	  .in = { MEM(D, 4, 0x80000001) }, .out = { MEM(D, 4, 0x40000000),
	  FLAGS(CF | PF | OF) }, .undefined = AF },
	{ "SHR of 64 bits by 63", EMU_64, BYTES("\x48\xc1\x2b\x3f"),
	  .in = { MEM(D, 8, 0xc000000000000000) }, .out = { MEM(D, 8, 1), FLAGS(CF) },
	  .undefined = AF | OF },
	{ "SAR keeps the sign", EMU_64, BYTES("\xd0\x3b"), .in = { MEM(D, 1, 0x81) },
	  .out = { MEM(D, 1, 0xc0), FLAGS(CF | PF | SF) }, .undefined = AF },
	{ "SAR by more than the width leaves the sign", EMU_64, BYTES("\xc0\x3b\x1f"),
	  .in = { MEM(D, 1, 0x80) }, .out = { MEM(D, 1, 0xff), FLAGS(CF | PF | SF) },
	  .undefined = AF | OF },
	{ "a shift of a register by 0 clears its upper half", EMU_64, BYTES("\xc1\xe0\x00"),
	  .in = { RAX(0x1122334455667788) }, .out = { RAX(0x55667788) } },
	/* Rotates change CF and OF alone. */
	{ "ROL by 1", EMU_64, BYTES("\xd0\x03"), .in = { FLAGS(ZF | AF), MEM(D, 1, 0x81) },
	  .out = { MEM(D, 1, 0x03), FLAGS(ZF | AF | CF | OF) } },
	{ "ROL by the width moves nothing and sets CF", EMU_64, BYTES("\xc0\x03\x08"),
	  .in = { MEM(D, 1, 0x81) }, .out = { MEM(D, 1, 0x81), FLAGS(CF) }, .undefined = OF },
	{ "ROL of 16 bits by 20 is by 4", EMU_64, BYTES("\x66\xc1\x03\x14"),
	  .in = { MEM(D, 2, 0x1234) }, .out = { MEM(D, 2, 0x2341), FLAGS(CF) },
	  .undefined = OF },
	{ "ROR by 1", EMU_64, BYTES("\xd1\x0b"), .in = { MEM(D, 4, 1) },
	  .out = { MEM(D, 4, 0x80000000), FLAGS(CF | OF) } },
	{ "RCL shifts CF in", EMU_64, BYTES("\xd0\x13"), .in = { FLAGS(CF), MEM(D, 1, 0x80) },
	  .out = { MEM(D, 1, 0x01), FLAGS(CF | OF) } },
	{ "RCL of 9 bits by 9 is by 0", EMU_64, BYTES("\xc0\x13\x09"),
	  .in = { FLAGS(CF), MEM(D, 1, 0x55) }, .out = { MEM(D, 1, 0x55) }, .undefined = OF },
	{ "RCR shifts CF in from above", EMU_64, BYTES("\x48\xd1\x1b"),
	  .in = { FLAGS(CF), MEM(D, 8, 2) },
	  .out = { MEM(D, 8, 0x8000000000000001), FLAGS(OF) } },
	{ "RCR of 64 bits by 32", EMU_64, BYTES("\x48\xc1\x1b\x20"),
	  .in = { MEM(D, 8, 0x180000000) }, .out = { MEM(D, 8, 1), FLAGS(CF) },
	  .undefined = OF },
	/* SHLD, SHRD */
	{ "SHLD fills from the register", EMU_64, BYTES("\x0f\xa4\x03\x08"),
	  .in = { RAX(0xab000000), MEM(D, 4, 0x01234567) },
	  .out = { MEM(D, 4, 0x234567ab), FLAGS(CF) }, .undefined = AF | OF },
	{ "SHLD by CL", EMU_64, BYTES("\x48\x0f\xa5\x03"),
	  .in = { RCX(0x44), RAX(0xa000000000000000), MEM(D, 8, 0x1) },
	  .out = { MEM(D, 8, 0x1a), FLAGS(0) }, .undefined = AF | OF },
	{ "SHRD fills from the register", EMU_64, BYTES("\x66\x0f\xac\x03\x04"),
	  .in = { RAX(0x000b), MEM(D, 2, 0x1238) },
	  .out = { MEM(D, 2, 0xb123), FLAGS(CF | SF) }, .undefined = AF | OF },
	{ "SHRD by 1 overflows where the sign changes", EMU_64, BYTES("\x0f\xac\x03\x01"),
	  .in = { RAX(1), MEM(D, 4, 2) }, .out = { MEM(D, 4, 0x80000001), FLAGS(SF | OF) },
	  .undefined = AF },
	{ "SHRD by 0 changes no flag", EMU_64, BYTES("\x0f\xad\x03"),
	  .in = { RCX(32), FLAGS(CF | ZF), MEM(D, 4, 2) }, .out = { MEM(D, 4, 2) } },
	{ "a shift needs the right to write", EMU_64, BYTES("\xc1\x23\x00"),
	  .in = { RBX(EMU_RO) }, .fault = FAULT_PF, .error = 3, .address = EMU_RO },
};

int main(void)
{
	return emu_main("shifts", rows, ARRAY_SIZE(rows), NULL);
}
