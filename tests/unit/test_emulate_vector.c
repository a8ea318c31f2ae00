/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Moves of vector and MMX registers: APM vol. 4 and 5; what enables them: vol. 2, 11.3 and 11.4.
 */
#include "emulate_row.h"

#define D     EMU_DATA
#define ON    CR4(0x40200), XCR0(7) /* OSFXSR and OSXSAVE, x87, SSE and AVX. */
#define A     0x1111111111111111u
#define B     0x2222222222222222u
#define C     0x3333333333333333
#define E     0x4444444444444444
#define ALL_0 VECTOR(0, 0, A), VECTOR(0, 1, B), VECTOR(0, 2, C), VECTOR(0, 3, E)
#define ALL_1 VECTOR(1, 0, ~A), VECTOR(1, 1, ~B)
#define LOW   0x0807060504030201
#define HIGH  0x100f0e0d0c0b0a09
#define DATA  MEM(D, 8, LOW), MEM(D + 8, 8, HIGH)
#define MORE  MEM(D + 16, 8, 5), MEM(D + 24, 8, 6)

static const struct emu_row rows[] = {
	/* 16 bytes */
	{ "MOVUPS loads, and keeps the upper half of YMM", EMU_64, BYTES("\x0f\x10\x03"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 0, LOW), VECTOR(0, 1, HIGH) } },
	{ "MOVUPS stores", EMU_64, BYTES("\x0f\x11\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A), MEM(D + 8, 8, B) } },
	{ "MOVUPD over a page", EMU_64, BYTES("\x66\x0f\x11\x83\xf8\x0f\0\0"),
	  .in = { ON, ALL_0 }, .out = { MEM(0x9ff8, 8, A), MEM(0xa000, 8, B) } },
	{ "MOVAPS must be aligned", EMU_64, BYTES("\x0f\x28\x43\x08"), .in = { ON },
	  .fault = FAULT_GP },
	{ "MOVDQA must be aligned before it faults elsewhere", EMU_64, BYTES("\x66\x0f\x7f\x03"),
	  .in = { ON, RBX(EMU_BAD + 8) }, .fault = FAULT_GP },
	{ "MOVDQU need not", EMU_64, BYTES("\xf3\x0f\x6f\x43\x08"), .in = { ON, DATA },
	  .out = { VECTOR(0, 0, HIGH) } },
	{ "REX.R names XMM8", EMU_64, BYTES("\x44\x0f\x28\x03"), .in = { ON, DATA },
	  .out = { VECTOR(8, 0, LOW), VECTOR(8, 1, HIGH) } },
	{ "MOVNTDQ stores", EMU_64, BYTES("\x66\x0f\xe7\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A), MEM(D + 8, 8, B) } },
	{ "MOVNTDQA loads", EMU_64, BYTES("\x66\x0f\x38\x2a\x03"), .in = { ON, DATA },
	  .out = { VECTOR(0, 0, LOW), VECTOR(0, 1, HIGH) } },
	{ "LDDQU loads", EMU_64, BYTES("\xf2\x0f\xf0\x43\x04"), .in = { ON, DATA },
	  .out = { VECTOR(0, 0, 0x0c0b0a0908070605), VECTOR(0, 1, 0x100f0e0d) } },
	/* Less */
	{ "MOVSS loads 4 bytes and clears the rest of XMM", EMU_64, BYTES("\xf3\x0f\x10\x03"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 0, 0x04030201), VECTOR(0, 1, 0) } },
	{ "MOVSD stores 8 bytes", EMU_64, BYTES("\xf2\x0f\x11\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A) } },
	{ "MOVLPS loads the lower half and keeps the upper", EMU_64, BYTES("\x0f\x12\x03"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 0, LOW) } },
	{ "MOVHPD loads the upper half and keeps the lower", EMU_64, BYTES("\x66\x0f\x16\x03"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 1, LOW) } },
	{ "MOVHPS stores the upper half", EMU_64, BYTES("\x0f\x17\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, B) } },
	{ "MOVD loads 4 bytes", EMU_64, BYTES("\x66\x0f\x6e\x03"), .in = { ON, ALL_0, DATA },
	  .out = { VECTOR(0, 0, 0x04030201), VECTOR(0, 1, 0) } },
	{ "MOVD with REX.W is MOVQ", EMU_64, BYTES("\x66\x48\x0f\x7e\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A) } },
	{ "MOVNTSS stores 4 bytes", EMU_64, BYTES("\xf3\x0f\x2b\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 4, 0x11111111) } },
	{ "MOVNTSD stores 8 bytes", EMU_64, BYTES("\xf2\x0f\x2b\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A) } },
	{ "PINSRB writes one byte", EMU_64, BYTES("\x66\x0f\x3a\x20\x03\x19"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 1, 0x2222222222220122) } },
	{ "PINSRW writes two", EMU_64, BYTES("\x66\x0f\xc4\x03\x03"), .in = { ON, ALL_0, DATA },
	  .out = { VECTOR(0, 0, 0x0201111111111111) } },
	{ "PINSRQ writes eight", EMU_64, BYTES("\x66\x48\x0f\x3a\x22\x03\x01"),
	  .in = { ON, ALL_0, DATA }, .out = { VECTOR(0, 1, LOW) } },
	{ "PEXTRD stores four", EMU_64, BYTES("\x66\x0f\x3a\x16\x03\x02"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 4, 0x22222222) } },
	/* VEX */
	{ "VMOVUPS of 128 bits clears the upper half", EMU_64, BYTES("\xc5\xf8\x10\x03"),
	  .in = { ON, ALL_0, DATA },
	  .out = { VECTOR(0, 0, LOW), VECTOR(0, 1, HIGH), VECTOR(0, 2, 0), VECTOR(0, 3, 0) } },
	{ "VMOVUPS of 256 bits", EMU_64, BYTES("\xc5\xfc\x10\x03"), .in = { ON, ALL_0, DATA, MORE },
	  .out = { VECTOR(0, 0, LOW), VECTOR(0, 1, HIGH), VECTOR(0, 2, 5), VECTOR(0, 3, 6) } },
	{ "VMOVDQU stores 256 bits", EMU_64, BYTES("\xc5\xfe\x7f\x03"), .in = { ON, ALL_0 },
	  .out = { MEM(D, 8, A), MEM(D + 8, 8, B), MEM(D + 16, 8, C), MEM(D + 24, 8, E) } },
	{ "VMOVAPS of 256 bits must be aligned to 32", EMU_64, BYTES("\xc5\xfc\x29\x43\x10"),
	  .in = { ON }, .fault = FAULT_GP },
	{ "VMOVAPS of 128 bits to 16", EMU_64, BYTES("\xc5\xf8\x29\x43\x10"), .in = { ON, ALL_0 },
	  .out = { MEM(D + 16, 8, A), MEM(D + 24, 8, B) } },
	{ "VMOVHPS takes the lower half of vvvv", EMU_64, BYTES("\xc5\xf0\x16\x03"),
	  .in = { ON, ALL_0, ALL_1, DATA },
	  .out = { VECTOR(0, 0, ~A), VECTOR(0, 1, LOW), VECTOR(0, 2, 0),
	  VECTOR(0, 3, 0) } },
	{ "VPINSRD takes the rest of vvvv", EMU_64, BYTES("\xc4\xe3\x71\x22\x03\x00"),
	  .in = { ON, ALL_0, ALL_1, DATA },
	  .out = { VECTOR(0, 0, 0xeeeeeeee04030201), VECTOR(0, 1, ~B), VECTOR(0, 2, 0),
	  VECTOR(0, 3, 0) } },
	/* MMX */
	{ "MOVQ loads an MMX register", EMU_64, BYTES("\x0f\x6f\x0b"), .in = { ON, DATA },
	  .out = { MMX(1, LOW) } },
	{ "MOVD clears its upper half", EMU_64, BYTES("\x0f\x6e\x0b"),
	  .in = { ON, MMX(1, A), DATA }, .out = { MMX(1, 0x04030201) } },
	{ "MOVNTQ stores one", EMU_64, BYTES("\x0f\xe7\x13"), .in = { ON, MMX(2, A) },
	  .out = { MEM(D, 8, A) } },
	/* What has to be enabled */
	{ "without CR4.OSFXSR there is no SSE", EMU_64, BYTES("\x0f\x10\x03"),
	  .in = { CR4(0x40000), XCR0(7) }, .fault = FAULT_UD },
	{ "but MMX", EMU_64, BYTES("\x0f\x6f\x0b"), .in = { CR4(0), DATA },
	  .out = { MMX(1, LOW) } },
	{ "with CR0.EM there is neither", EMU_64, BYTES("\x0f\x6f\x0b"),
	  .in = { ON, CR0(0x80000015) }, .fault = FAULT_UD },
	{ "CR0.TS is #NM", EMU_64, BYTES("\x0f\x10\x03"), .in = { ON, CR0(0x80000019),
	  RBX(EMU_BAD) }, .fault = FAULT_NM },
	{ "#UD comes before #NM", EMU_64, BYTES("\x0f\x10\x03"),
	  .in = { CR4(0), CR0(0x80000019) }, .fault = FAULT_UD },
	{ "without CR4.OSXSAVE there is no VEX", EMU_64, BYTES("\xc5\xf8\x10\x03"),
	  .in = { CR4(0x200), XCR0(7) }, .fault = FAULT_UD },
	{ "XCR0 must have SSE and AVX", EMU_64, BYTES("\xc5\xf8\x10\x03"),
	  .in = { CR4(0x40200), XCR0(5) }, .fault = FAULT_UD },
	{ "CR0.EM does not matter to VEX", EMU_64, BYTES("\xc5\xf8\x10\x03"),
	  .in = { ON, CR0(0x80000015), DATA },
	  .out = { VECTOR(0, 0, LOW), VECTOR(0, 1, HIGH) } },
	{ "a form of two registers is the owner's", EMU_64, BYTES("\x0f\x10\xc1"), .in = { ON },
	  .unknown = true },
	/* Faults */
	{ "a load that faults leaves the register", EMU_64, BYTES("\x0f\x10\x83\xf8\x5f\xff\xff"),
	  .in = { ON, ALL_0, RBX(0xd000) }, .fault = FAULT_PF, .address = EMU_BAD },
	{ "a store over an absent page stores nothing", EMU_64, BYTES("\x0f\x11\x03"),
	  .in = { ON, ALL_0, RBX(EMU_BAD - 8) }, .fault = FAULT_PF, .error = 2,
	  .address = EMU_BAD },
};

int main(void)
{
	return emu_main("vectors", rows, ARRAY_SIZE(rows), NULL);
}
