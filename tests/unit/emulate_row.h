/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_EMULATE_ROW_H
#define TESTS_UNIT_EMULATE_ROW_H
/*
 * One instruction as a row of a table: what the guest holds before it and what has changed after
 * it.  Everything that `out` does not name must be as it was: all registers, the flags, 64 KiB of
 * memory.  A difference that tests/differential finds is printed as such a row.
 */
#include "emulate_rig.h"

#define BYTES(s) s, sizeof(s) - 1

enum emu_what {
	EMU_NOTHING, /* Ends the list. */
	EMU_IS_GPR,
	EMU_IS_FLAGS,
	EMU_IS_RIP,
	EMU_IS_MEMORY,
	EMU_IS_VECTOR, /* at: 8-byte word 0 to 3. */
	EMU_IS_MMX,
	EMU_IS_BASE,
	EMU_IS_LIMIT,
	EMU_IS_ATTRIBUTES,
	EMU_IS_CR0,
	EMU_IS_CR4,
	EMU_IS_XCR0,
	EMU_IS_REP_MAX,
};

struct emu_setting {
	uint8_t what; /* enum emu_what */
	uint8_t n, size;
	uint32_t at;
	uint64_t value;
};

#define GPR(n, value)            { EMU_IS_GPR, n, 0, 0, value }
#define RAX(value)               GPR(SVM_EMUL_RAX, value)
#define RCX(value)               GPR(SVM_EMUL_RCX, value)
#define RDX(value)               GPR(SVM_EMUL_RDX, value)
#define RBX(value)               GPR(SVM_EMUL_RBX, value)
#define RSP(value)               GPR(SVM_EMUL_RSP, value)
#define RBP(value)               GPR(SVM_EMUL_RBP, value)
#define RSI(value)               GPR(SVM_EMUL_RSI, value)
#define RDI(value)               GPR(SVM_EMUL_RDI, value)
/* All of RFLAGS, beside bit 1 and VM. */
#define FLAGS(value)             { EMU_IS_FLAGS, 0, 0, 0, value }
#define RIP(value)               { EMU_IS_RIP, 0, 0, 0, value }
#define MEM(at, size, value)     { EMU_IS_MEMORY, 0, size, at, value }
#define VECTOR(n, word, value)   { EMU_IS_VECTOR, n, 8, word, value }
#define MMX(n, value)            { EMU_IS_MMX, n, 0, 0, value }
#define BASE(segment, value)     { EMU_IS_BASE, segment, 0, 0, value }
#define LIMIT(segment, value)    { EMU_IS_LIMIT, segment, 0, 0, value }
#define ATTRIBUTES(segment, value) { EMU_IS_ATTRIBUTES, segment, 0, 0, value }
#define CR0(value)               { EMU_IS_CR0, 0, 0, 0, value }
#define CR4(value)               { EMU_IS_CR4, 0, 0, 0, value }
#define XCR0(value)              { EMU_IS_XCR0, 0, 0, 0, value }
#define REP_MAX(value)           { EMU_IS_REP_MAX, 0, 0, 0, value }

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define TF 0x100u
#define IF 0x200u
#define DF 0x400u
#define OF 0x800u
#define AC 0x40000u

/* emu_row.fault */
#define FAULT(vector) (0x100u + (vector))
#define FAULT_DE      FAULT(0)
#define FAULT_BR      FAULT(5)
#define FAULT_UD      FAULT(6)
#define FAULT_NM      FAULT(7)
#define FAULT_SS      FAULT(12)
#define FAULT_GP      FAULT(13)
#define FAULT_PF      FAULT(14)
#define FAULT_AC      FAULT(17)

#define EMU_SETTINGS 24

struct emu_row {
	const char *what;
	enum emu_mode mode; /* EMU_PROCESS: 64-bit mode as in tests/differential. */
	const char *bytes;
	size_t size;
	struct emu_setting in[EMU_SETTINGS], out[EMU_SETTINGS];
	uint64_t rip;       /* Where the bytes lie; 0: EMU_CODE. */
	uint32_t fault;     /* FAULT(vector); 0: none, RIP is behind the bytes unless RIP() says. */
	uint32_t error;
	uint64_t address;   /* #PF: CR2. */
	uint32_t undefined; /* Flags not to look at. */
	uint8_t cpl;
	bool unknown;       /* Left to the owner. */
	bool goes_on;       /* A repeat that is not over. */
	bool shadow;        /* Interrupts stay out for one more instruction. */
};

void emu_check_row(const struct emu_row *row);
/* main() of a program that checks them, and more tests if there are any. */
int emu_main(const char *name, const struct emu_row *rows, int count, void (*more)(TCase *));

#endif
