/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Near branches: APM vol. 3, 3 and appendix A; the width of RIP: vol. 1, 3.7.
 */
#include "emulate_row.h"

#define C EMU_CODE
#define S EMU_STACK
#define NONCANONICAL 0x800000000000
#define JCC(name, code, flags, taken)                                                              \
	{ name, EMU_64, BYTES(code), .in = { FLAGS(flags) },                                       \
	  .out = { RIP((taken) ? C + 2 + 0x10 : C + 2) } }

static const struct emu_row rows[] = {
	/* Every condition, once each way: APM vol. 3, appendix A.2.1. */
	JCC("JO", "\x70\x10", OF, 1), JCC("JO not", "\x70\x10", CF, 0),
	JCC("JNO", "\x71\x10", 0, 1), JCC("JNO not", "\x71\x10", OF, 0),
	JCC("JB", "\x72\x10", CF, 1), JCC("JB not", "\x72\x10", ZF, 0),
	JCC("JNB", "\x73\x10", ZF, 1), JCC("JNB not", "\x73\x10", CF, 0),
	JCC("JZ", "\x74\x10", ZF, 1), JCC("JZ not", "\x74\x10", CF, 0),
	JCC("JNZ", "\x75\x10", CF, 1), JCC("JNZ not", "\x75\x10", ZF, 0),
	JCC("JBE with CF", "\x76\x10", CF, 1), JCC("JBE with ZF", "\x76\x10", ZF, 1),
	JCC("JBE not", "\x76\x10", SF, 0),
	JCC("JNBE", "\x77\x10", SF, 1), JCC("JNBE not", "\x77\x10", CF | ZF, 0),
	JCC("JS", "\x78\x10", SF, 1), JCC("JS not", "\x78\x10", OF, 0),
	JCC("JNS", "\x79\x10", OF, 1), JCC("JNS not", "\x79\x10", SF, 0),
	JCC("JP", "\x7a\x10", PF, 1), JCC("JP not", "\x7a\x10", AF, 0),
	JCC("JNP", "\x7b\x10", AF, 1), JCC("JNP not", "\x7b\x10", PF, 0),
	JCC("JL with SF", "\x7c\x10", SF, 1), JCC("JL with OF", "\x7c\x10", OF, 1),
	JCC("JL not", "\x7c\x10", SF | OF, 0),
	JCC("JNL", "\x7d\x10", SF | OF, 1), JCC("JNL not", "\x7d\x10", SF, 0),
	JCC("JLE with ZF", "\x7e\x10", ZF, 1), JCC("JLE with SF", "\x7e\x10", SF, 1),
	JCC("JLE not", "\x7e\x10", 0, 0),
	JCC("JNLE", "\x7f\x10", 0, 1), JCC("JNLE not", "\x7f\x10", ZF | SF | OF, 0),
	{ "a near Jcc takes 32 bits", EMU_64, BYTES("\x0f\x84\xf0\xff\xff\xff"),
	  .in = { FLAGS(ZF) }, .out = { RIP(C + 6 - 16) } },
	{ "and 16 in real mode", EMU_REAL, BYTES("\x0f\x85\x00\x01"), .out = { RIP(C + 4 + 256) } },
	/* JMP */
	{ "JMP backwards", EMU_64, BYTES("\xeb\xfe"), .out = { RIP(C) } },
	{ "JMP near", EMU_64, BYTES("\xe9\x00\x00\x01\x00"), .out = { RIP(C + 5 + 0x10000) } },
	{ "JMP wraps at 64 KiB in real mode", EMU_REAL, BYTES("\xe9\xff\xf0"),
	  .out = { RIP(0x102) } },
	{ "JMP of 16 bits cuts EIP", EMU_32, BYTES("\x66\xe9\x00\xf0"), .rip = 0x1000,
	  .out = { RIP(4) } },
	{ "JMP of 16 bits cuts RIP in 64-bit mode too", EMU_64, BYTES("\x66\xeb\x10"),
	  .rip = EMU_FAR_CODE, .out = { RIP(0x13) } },
	{ "a Jcc that is not taken does not", EMU_64, BYTES("\x66\x74\x10"),
	  .rip = EMU_FAR_CODE, .out = { RIP(EMU_FAR_CODE + 3) } },
	{ "JMP beyond the limit is #GP", EMU_32, BYTES("\xeb\x10"),
	  .in = { LIMIT(SVM_EMUL_CS, 0x1011) }, .fault = FAULT_GP },
	{ "JMP to the limit", EMU_32, BYTES("\xeb\x10"),
	  .in = { LIMIT(SVM_EMUL_CS, 0x1012) }, .out = { RIP(0x1012) } },
	{ "JMP through a register", EMU_64, BYTES("\xff\xe0"), .in = { RAX(0x123456789a) },
	  .out = { RIP(0x123456789a) } },
	{ "JMP through memory", EMU_64, BYTES("\xff\x23"), .in = { MEM(EMU_DATA, 8, 0x5000) },
	  .out = { RIP(0x5000) } },
	{ "JMP to a non-canonical address is #GP", EMU_64, BYTES("\xff\xe0"),
	  .in = { RAX(NONCANONICAL) }, .fault = FAULT_GP },
	/* LOOP, JCXZ */
	{ "LOOP counts down", EMU_64, BYTES("\xe2\xf0"), .in = { RCX(2), FLAGS(ZF) },
	  .out = { RCX(1), RIP(C + 2 - 16) } },
	{ "LOOP ends at 0", EMU_64, BYTES("\xe2\xf0"), .in = { RCX(1) }, .out = { RCX(0) } },
	{ "LOOP of 0 goes round", EMU_64, BYTES("\xe2\xf0"), .in = { RCX(0) },
	  .out = { RCX(~UINT64_C(0)), RIP(C + 2 - 16) } },
	{ "LOOP with 67 counts ECX", EMU_64, BYTES("\x67\xe2\xf0"), .in = { RCX(0x300000001) },
	  .out = { RCX(0) } },
	{ "LOOP in real mode counts CX", EMU_REAL, BYTES("\xe2\xf0"), .in = { RCX(0x30001) },
	  .out = { RCX(0x30000) } },
	{ "LOOPE goes on with ZF", EMU_64, BYTES("\xe1\xf0"), .in = { RCX(2), FLAGS(ZF) },
	  .out = { RCX(1), RIP(C + 2 - 16) } },
	{ "LOOPE ends without", EMU_64, BYTES("\xe1\xf0"), .in = { RCX(2) }, .out = { RCX(1) } },
	{ "LOOPNE ends with ZF", EMU_64, BYTES("\xe0\xf0"), .in = { RCX(2), FLAGS(ZF) },
	  .out = { RCX(1) } },
	{ "LOOPNE goes on without", EMU_64, BYTES("\xe0\xf0"), .in = { RCX(2) },
	  .out = { RCX(1), RIP(C + 2 - 16) } },
	{ "a LOOP that faults does not count", EMU_32, BYTES("\xe2\x10"),
	  .in = { RCX(2), LIMIT(SVM_EMUL_CS, 0x1011) }, .fault = FAULT_GP },
	{ "JRCXZ", EMU_64, BYTES("\xe3\x10"), .in = { RCX(0) }, .out = { RIP(C + 2 + 16) } },
	{ "JRCXZ looks at all of RCX", EMU_64, BYTES("\xe3\x10"), .in = { RCX(1ull << 32) },
	  .out = { RIP(C + 2) } },
	{ "JECXZ does not", EMU_64, BYTES("\x67\xe3\x10"), .in = { RCX(1ull << 32) },
	  .out = { RIP(C + 3 + 16) } },
	/* CALL, RET */
	{ "CALL pushes where it will return", EMU_64, BYTES("\xe8\x00\x01\x00\x00"),
	  .out = { RIP(C + 5 + 256), RSP(S - 8), MEM(S - 8, 8, C + 5) } },
	{ "CALL of 16 bits pushes two bytes", EMU_64, BYTES("\x66\xe8\x00\x01"),
	  .rip = EMU_FAR_CODE,
	  .out = { RIP(0x104), RSP(S - 2), MEM(S - 2, 2, 4) } },
	{ "CALL through memory", EMU_32, BYTES("\xff\x13"),
	  .in = { RSP(S), MEM(EMU_DATA, 4, 0x5000) },
	  .out = { RIP(0x5000), RSP(S - 4), MEM(S - 4, 4, C + 2) } },
	{ "CALL RSP goes to the old value", EMU_64, BYTES("\xff\xd4"),
	  .out = { RIP(S), RSP(S - 8), MEM(S - 8, 8, C + 2) } },
	{ "a CALL to nowhere pushes nothing", EMU_64, BYTES("\xff\xd0"),
	  .in = { RAX(NONCANONICAL) }, .fault = FAULT_GP },
	{ "a CALL without a stack goes nowhere", EMU_64, BYTES("\xe8\x00\x01\x00\x00"),
	  .in = { RSP(EMU_BAD + 8) }, .fault = FAULT_PF, .error = 2, .address = EMU_BAD },
	{ "RET", EMU_64, BYTES("\xc3"), .in = { MEM(S, 8, 0x123456) },
	  .out = { RIP(0x123456), RSP(S + 8) } },
	{ "RET of 16 bits pops two bytes", EMU_64, BYTES("\x66\xc3"),
	  .in = { MEM(S, 8, 0x123456) }, .out = { RIP(0x3456), RSP(S + 2) } },
	{ "RET n releases more", EMU_64, BYTES("\xc2\xf0\xff"), .in = { MEM(S, 8, 0x123456) },
	  .out = { RIP(0x123456), RSP(S + 8 + 0xfff0) } },
	{ "RET n wraps a stack of 16 bits", EMU_16, BYTES("\xc2\x10\x00"),
	  .in = { RSP(0x1fff0), MEM(0xfff0, 2, 0x2345) }, .out = { RIP(0x2345), RSP(0x10002) } },
	{ "a RET to nowhere leaves rSP", EMU_64, BYTES("\xc3"), .in = { MEM(S, 8, NONCANONICAL) },
	  .fault = FAULT_GP },
	/* No instruction at all */
	{ "UD2", EMU_64, BYTES("\x0f\x0b"), .fault = FAULT_UD },
	{ "UD1 looks at no operand", EMU_64, BYTES("\x0f\xb9\x03"), .in = { RBX(EMU_BAD) },
	  .fault = FAULT_UD },
};

int main(void)
{
	return emu_main("branches", rows, ARRAY_SIZE(rows), NULL);
}
