/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The emulator against the processor: the same bytes, registers and memory, executed by both.
 *
 * usage: differential [CASES [SEED]]
 *
 * Templates name instructions; operands, prefixes, registers and memory are random, with a bias to
 * edges.  Memory is two pages between two holes, so that operands cross a page, end at the last
 * byte, and fault.  A difference is made smaller and printed as a row that any of the tables in
 * tests/unit/test_emulate_*.c takes: what went in, and what the processor made of it.
 */
#include "native.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "emulate/emulate.h"

#define PAGE       4096u
#define DATA_PAGES 2u
#define DATA_SIZE  (DATA_PAGES * PAGE)
#define DATA_AT    0x20000000ull /* Below it and above it nothing is mapped. */

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u
#define ALL_FLAGS (CF | PF | AF | ZF | SF | OF)

/* What the template's operand is. */
enum operand {
	RM,      /* ModRM, any form. */
	RM_MEM,  /* ModRM, memory only. */
	MOFFS,   /* 8 bytes of address. */
	NONE,
};

/* How a vector instruction is written; the prefix byte comes before REX, or into VEX. */
enum vector_form {
	NOT_VECTOR,
	LEGACY,
	LEGACY_MMX,
	VEX_128,
	VEX_256,
};

struct template {
	const char *name;
	uint8_t bytes[3];
	uint8_t count;
	enum operand operand;
	int8_t sub;         /* ModRM.reg, or -1: any. */
	uint8_t imm;        /* Bytes; 4 means "as the operand, at most 4". */
	bool lockable, repeats;
	uint32_t undefined; /* Flags that the manual leaves undefined. */
	bool no_66;         /* 66 makes another instruction of it. */
};

#define ALU(name, base)                                                                            \
	{ name " E,b", { base }, 1, RM, -1, 0, true, false, 0, false },                            \
	{ name " E,v", { base + 1 }, 1, RM, -1, 0, true, false, 0, false },                        \
	{ name " b,E", { base + 2 }, 1, RM, -1, 0, false, false, 0, false },                       \
	{ name " v,E", { base + 3 }, 1, RM, -1, 0, false, false, 0, false }
#define ALU_LOGIC(name, base)                                                                      \
	{ name " E,b", { base }, 1, RM, -1, 0, true, false, AF, false },                           \
	{ name " E,v", { base + 1 }, 1, RM, -1, 0, true, false, AF, false },                       \
	{ name " b,E", { base + 2 }, 1, RM, -1, 0, false, false, AF, false },                      \
	{ name " v,E", { base + 3 }, 1, RM, -1, 0, false, false, AF, false }
#define ALU_ACCUMULATOR(base)                                                                      \
	{ "alu al,ib " #base, { base }, 1, NONE, -1, 1, false, false, AF, false },                 \
	{ "alu ax,iv " #base, { base + 1 }, 1, NONE, -1, 4, false, false, AF, false }
#define GROUP1(opcode, imm)                                                                        \
	{ "group1 " #opcode, { opcode }, 1, RM, -1, imm, true, false, AF, false }
#define SHIFTS(opcode, imm)                                                                        \
	{ "shift " #opcode, { opcode }, 1, RM, -1, imm, false, false, AF | OF, false }
#define TWO(name, second, lock, undef)                                                             \
	{ name, { 0x0f, second }, 2, RM, -1, 0, lock, false, undef, false }

static const struct template templates[] = {
	ALU("add", 0x00), ALU_LOGIC("or", 0x08), ALU("adc", 0x10), ALU("sbb", 0x18),
	ALU_LOGIC("and", 0x20), ALU("sub", 0x28), ALU_LOGIC("xor", 0x30),
	ALU_ACCUMULATOR(0x04), ALU_ACCUMULATOR(0x0c), ALU_ACCUMULATOR(0x14), ALU_ACCUMULATOR(0x1c),
	ALU_ACCUMULATOR(0x24), ALU_ACCUMULATOR(0x2c), ALU_ACCUMULATOR(0x34), ALU_ACCUMULATOR(0x3c),
	{ "cmp E,b", { 0x38 }, 1, RM, -1, 0, false, false, 0, false },
	{ "cmp E,v", { 0x39 }, 1, RM, -1, 0, false, false, 0, false },
	{ "cmp b,E", { 0x3a }, 1, RM, -1, 0, false, false, 0, false },
	{ "cmp v,E", { 0x3b }, 1, RM, -1, 0, false, false, 0, false },
	GROUP1(0x80, 1), GROUP1(0x81, 4), GROUP1(0x83, 1),
	{ "movsxd", { 0x63 }, 1, RM, -1, 0, false, false, 0, false },
	{ "imul v,E,i", { 0x69 }, 1, RM, -1, 4, false, false, SF | ZF | AF | PF, false },
	{ "imul v,E,b", { 0x6b }, 1, RM, -1, 1, false, false, SF | ZF | AF | PF, false },
	{ "test b", { 0x84 }, 1, RM, -1, 0, false, false, AF, false },
	{ "test v", { 0x85 }, 1, RM, -1, 0, false, false, AF, false },
	{ "xchg b", { 0x86 }, 1, RM, -1, 0, true, false, 0, false },
	{ "xchg v", { 0x87 }, 1, RM, -1, 0, true, false, 0, false },
	{ "mov E,b", { 0x88 }, 1, RM, -1, 0, false, false, 0, false },
	{ "mov E,v", { 0x89 }, 1, RM, -1, 0, false, false, 0, false },
	{ "mov b,E", { 0x8a }, 1, RM, -1, 0, false, false, 0, false },
	{ "mov v,E", { 0x8b }, 1, RM, -1, 0, false, false, 0, false },
	{ "lea", { 0x8d }, 1, RM, -1, 0, false, false, 0, false },
	{ "pop E", { 0x8f }, 1, RM, 0, 0, false, false, 0, false },
	{ "nop", { 0x90 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "xchg ax,cx", { 0x91 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "xchg ax,sp", { 0x94 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "cbw", { 0x98 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "cwd", { 0x99 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "sahf", { 0x9e }, 1, NONE, -1, 0, false, false, 0, false },
	{ "lahf", { 0x9f }, 1, NONE, -1, 0, false, false, 0, false },
	{ "test al,ib", { 0xa8 }, 1, NONE, -1, 1, false, false, AF, false },
	{ "test ax,iv", { 0xa9 }, 1, NONE, -1, 4, false, false, AF, false },
	{ "mov r,ib", { 0xb3 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "mov ah,ib", { 0xb4 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "mov r,iv", { 0xbe }, 1, NONE, -1, 8, false, false, 0, false },
	{ "enter", { 0xc8 }, 1, NONE, -1, 3, false, false, 0, false },
	{ "leave", { 0xc9 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "xlat", { 0xd7 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "cmc", { 0xf5 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "clc", { 0xf8 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "stc", { 0xf9 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "cld", { 0xfc }, 1, NONE, -1, 0, false, false, 0, false },
	{ "std", { 0xfd }, 1, NONE, -1, 0, false, false, 0, false },
	{ "mov al,O", { 0xa0 }, 1, MOFFS, -1, 0, false, false, 0, false },
	{ "mov ax,O", { 0xa1 }, 1, MOFFS, -1, 0, false, false, 0, false },
	{ "mov O,al", { 0xa2 }, 1, MOFFS, -1, 0, false, false, 0, false },
	{ "mov O,ax", { 0xa3 }, 1, MOFFS, -1, 0, false, false, 0, false },
	{ "movs b", { 0xa4 }, 1, NONE, -1, 0, false, true, 0, false },
	{ "movs v", { 0xa5 }, 1, NONE, -1, 0, false, true, 0, false },
	{ "cmps b", { 0xa6 }, 1, NONE, -1, 0, false, true, 0, false },
	{ "cmps v", { 0xa7 }, 1, NONE, -1, 0, false, true, 0, false },
	{ "stos b", { 0xaa }, 1, NONE, -1, 0, false, true, 0, false },
	{ "stos v", { 0xab }, 1, NONE, -1, 0, false, true, 0, false },
	{ "lods b", { 0xac }, 1, NONE, -1, 0, false, true, 0, false },
	{ "lods v", { 0xad }, 1, NONE, -1, 0, false, true, 0, false },
	{ "scas b", { 0xae }, 1, NONE, -1, 0, false, true, 0, false },
	{ "scas v", { 0xaf }, 1, NONE, -1, 0, false, true, 0, false },
	SHIFTS(0xc0, 1), SHIFTS(0xc1, 1), SHIFTS(0xd0, 0), SHIFTS(0xd1, 0), SHIFTS(0xd2, 0),
	SHIFTS(0xd3, 0),
	{ "mov E,ib", { 0xc6 }, 1, RM, 0, 1, false, false, 0, false },
	{ "mov E,iv", { 0xc7 }, 1, RM, 0, 4, false, false, 0, false },
	{ "test E,ib", { 0xf6 }, 1, RM, 0, 1, false, false, AF, false },
	{ "test E,iv", { 0xf7 }, 1, RM, 0, 4, false, false, AF, false },
	{ "not b", { 0xf6 }, 1, RM, 2, 0, true, false, 0, false },
	{ "not v", { 0xf7 }, 1, RM, 2, 0, true, false, 0, false },
	{ "neg b", { 0xf6 }, 1, RM, 3, 0, true, false, 0, false },
	{ "neg v", { 0xf7 }, 1, RM, 3, 0, true, false, 0, false },
	{ "mul b", { 0xf6 }, 1, RM, 4, 0, false, false, SF | ZF | AF | PF, false },
	{ "mul v", { 0xf7 }, 1, RM, 4, 0, false, false, SF | ZF | AF | PF, false },
	{ "imul b", { 0xf6 }, 1, RM, 5, 0, false, false, SF | ZF | AF | PF, false },
	{ "imul v", { 0xf7 }, 1, RM, 5, 0, false, false, SF | ZF | AF | PF, false },
	{ "div b", { 0xf6 }, 1, RM, 6, 0, false, false, ALL_FLAGS, false },
	{ "div v", { 0xf7 }, 1, RM, 6, 0, false, false, ALL_FLAGS, false },
	{ "idiv b", { 0xf6 }, 1, RM, 7, 0, false, false, ALL_FLAGS, false },
	{ "idiv v", { 0xf7 }, 1, RM, 7, 0, false, false, ALL_FLAGS, false },
	{ "inc b", { 0xfe }, 1, RM, 0, 0, true, false, 0, false },
	{ "dec b", { 0xfe }, 1, RM, 1, 0, true, false, 0, false },
	{ "inc v", { 0xff }, 1, RM, 0, 0, true, false, 0, false },
	{ "dec v", { 0xff }, 1, RM, 1, 0, true, false, 0, false },
	{ "push E", { 0xff }, 1, RM, 6, 0, false, false, 0, false },
	{ "push r", { 0x50 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "pop r", { 0x5e }, 1, NONE, -1, 0, false, false, 0, false },
	{ "push iv", { 0x68 }, 1, NONE, -1, 4, false, false, 0, false },
	{ "push ib", { 0x6a }, 1, NONE, -1, 1, false, false, 0, false },
	TWO("cmovo", 0x40, false, 0), TWO("cmovb", 0x42, false, 0), TWO("cmovz", 0x44, false, 0),
	TWO("cmovbe", 0x46, false, 0), TWO("cmovs", 0x48, false, 0), TWO("cmovp", 0x4a, false, 0),
	TWO("cmovl", 0x4c, false, 0), TWO("cmovle", 0x4e, false, 0), TWO("cmovnle", 0x4f, false, 0),
	TWO("seto", 0x90, false, 0), TWO("setnb", 0x93, false, 0), TWO("setz", 0x94, false, 0),
	TWO("setnbe", 0x97, false, 0), TWO("setns", 0x99, false, 0), TWO("setp", 0x9a, false, 0),
	TWO("setnl", 0x9d, false, 0), TWO("setle", 0x9e, false, 0),
	TWO("bt", 0xa3, false, OF | SF | AF | PF), TWO("bts", 0xab, true, OF | SF | AF | PF),
	TWO("btr", 0xb3, true, OF | SF | AF | PF), TWO("btc", 0xbb, true, OF | SF | AF | PF),
	{ "bt ib", { 0x0f, 0xba }, 2, RM, 4, 1, false, false, OF | SF | AF | PF, false },
	{ "bts ib", { 0x0f, 0xba }, 2, RM, 5, 1, true, false, OF | SF | AF | PF, false },
	{ "btr ib", { 0x0f, 0xba }, 2, RM, 6, 1, true, false, OF | SF | AF | PF, false },
	{ "btc ib", { 0x0f, 0xba }, 2, RM, 7, 1, true, false, OF | SF | AF | PF, false },
	{ "shld ib", { 0x0f, 0xa4 }, 2, RM, -1, 1, false, false, AF | OF, false },
	{ "shld cl", { 0x0f, 0xa5 }, 2, RM, -1, 0, false, false, AF | OF, false },
	{ "shrd ib", { 0x0f, 0xac }, 2, RM, -1, 1, false, false, AF | OF, false },
	{ "shrd cl", { 0x0f, 0xad }, 2, RM, -1, 0, false, false, AF | OF, false },
	TWO("imul v,E", 0xaf, false, SF | ZF | AF | PF), TWO("cmpxchg b", 0xb0, true, 0),
	TWO("cmpxchg v", 0xb1, true, 0), TWO("movzx b", 0xb6, false, 0),
	TWO("movzx w", 0xb7, false, 0), TWO("movsx b", 0xbe, false, 0),
	TWO("movsx w", 0xbf, false, 0), TWO("xadd b", 0xc0, true, 0), TWO("xadd v", 0xc1, true, 0),
	{ "movnti", { 0x0f, 0xc3 }, 2, RM_MEM, -1, 0, false, false, 0, true },
	{ "cmpxchg8b", { 0x0f, 0xc7 }, 2, RM_MEM, 1, 0, true, false, 0, false },
	{ "bsf", { 0x0f, 0xbc }, 2, RM, -1, 0, false, false, ALL_FLAGS & ~ZF, false },
	{ "bsr", { 0x0f, 0xbd }, 2, RM, -1, 0, false, false, ALL_FLAGS & ~ZF, false },
	{ "prefetchw", { 0x0f, 0x0d }, 2, RM, -1, 0, false, false, 0, false },
	{ "prefetch", { 0x0f, 0x18 }, 2, RM, -1, 0, false, false, 0, false },
	{ "nop 0f19", { 0x0f, 0x19 }, 2, RM, -1, 0, false, false, 0, false },
	{ "nop 0f1e", { 0x0f, 0x1e }, 2, RM, -1, 0, false, false, 0, false },
	{ "bswap ax", { 0x0f, 0xc8 }, 2, NONE, -1, 0, false, false, 0, false },
	{ "bswap di", { 0x0f, 0xcf }, 2, NONE, -1, 0, false, false, 0, false },
	{ "ud2", { 0x0f, 0x0b }, 2, NONE, -1, 0, false, false, 0, false },
	{ "ud1", { 0x0f, 0xb9 }, 2, RM, -1, 0, false, false, 0, false },
	{ "nop E", { 0x0f, 0x1f }, 2, RM, 0, 0, false, false, 0, false },
	{ "movbe v,M", { 0x0f, 0x38, 0xf0 }, 3, RM_MEM, -1, 0, false, false, 0, false },
	{ "movbe M,v", { 0x0f, 0x38, 0xf1 }, 3, RM_MEM, -1, 0, false, false, 0, false },
};
#define TEMPLATES (sizeof(templates) / sizeof(templates[0]))

/* Transfers of control; what an immediate says is where they go. */
static const struct template branches[] = {
	{ "jo", { 0x70 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jnb", { 0x73 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jz", { 0x74 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jnbe", { 0x77 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "js", { 0x78 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jnp", { 0x7b }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jl", { 0x7c }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jnle", { 0x7f }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jb near", { 0x0f, 0x82 }, 2, NONE, -1, 4, false, false, 0, false },
	{ "jnz near", { 0x0f, 0x85 }, 2, NONE, -1, 4, false, false, 0, false },
	{ "jle near", { 0x0f, 0x8e }, 2, NONE, -1, 4, false, false, 0, false },
	{ "loopne", { 0xe0 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "loope", { 0xe1 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "loop", { 0xe2 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "jcxz", { 0xe3 }, 1, NONE, -1, 1, false, false, 0, false },
	{ "call", { 0xe8 }, 1, NONE, -1, 4, false, false, 0, false },
	{ "jmp near", { 0xe9 }, 1, NONE, -1, 4, false, false, 0, false },
	{ "jmp short", { 0xeb }, 1, NONE, -1, 1, false, false, 0, false },
	{ "ret", { 0xc3 }, 1, NONE, -1, 0, false, false, 0, false },
	{ "ret n", { 0xc2 }, 1, NONE, -1, 2, false, false, 0, false },
	{ "call E", { 0xff }, 1, RM, 2, 0, false, false, 0, false },
	{ "jmp E", { 0xff }, 1, RM, 4, 0, false, false, 0, false },
};
#define BRANCHES (sizeof(branches) / sizeof(branches[0]))

/* Behind F3; the prefix is part of the opcode. */
static const struct template counted[] = {
	{ "popcnt", { 0x0f, 0xb8 }, 2, RM, -1, 0, false, false, 0, false },
	{ "tzcnt", { 0x0f, 0xbc }, 2, RM, -1, 0, false, false, OF | SF | AF | PF, false },
	{ "lzcnt", { 0x0f, 0xbd }, 2, RM, -1, 0, false, false, OF | SF | AF | PF, false },
};
#define COUNTED (sizeof(counted) / sizeof(counted[0]))

/* Vector moves: X(name, mandatory prefix or 0, map 0F38, opcode, has VEX, is MMX). */
static const struct vector_template {
	const char *name;
	uint8_t prefix;
	bool is_0f38;
	uint8_t opcode;
	bool has_vex, vex_256, is_mmx;
} vectors[] = {
	{ "movups load", 0, false, 0x10, true, true, false },
	{ "movups store", 0, false, 0x11, true, true, false },
	{ "movupd load", 0x66, false, 0x10, true, true, false },
	{ "movupd store", 0x66, false, 0x11, true, true, false },
	{ "movss load", 0xf3, false, 0x10, true, false, false },
	{ "movss store", 0xf3, false, 0x11, true, false, false },
	{ "movsd load", 0xf2, false, 0x10, true, false, false },
	{ "movsd store", 0xf2, false, 0x11, true, false, false },
	{ "movlps load", 0, false, 0x12, true, false, false },
	{ "movlpd load", 0x66, false, 0x12, true, false, false },
	{ "movhps load", 0, false, 0x16, true, false, false },
	{ "movhpd load", 0x66, false, 0x16, true, false, false },
	{ "movntss", 0xf3, false, 0x2b, false, false, false },
	{ "movntsd", 0xf2, false, 0x2b, false, false, false },
	{ "movlps store", 0, false, 0x13, true, false, false },
	{ "movlpd store", 0x66, false, 0x13, true, false, false },
	{ "movhps store", 0, false, 0x17, true, false, false },
	{ "movhpd store", 0x66, false, 0x17, true, false, false },
	{ "movaps load", 0, false, 0x28, true, true, false },
	{ "movaps store", 0, false, 0x29, true, true, false },
	{ "movapd load", 0x66, false, 0x28, true, true, false },
	{ "movapd store", 0x66, false, 0x29, true, true, false },
	{ "movntps", 0, false, 0x2b, true, true, false },
	{ "movntpd", 0x66, false, 0x2b, true, true, false },
	{ "movd load", 0x66, false, 0x6e, true, false, false },
	{ "movd store", 0x66, false, 0x7e, true, false, false },
	{ "movq load", 0xf3, false, 0x7e, true, false, false },
	{ "movq store", 0x66, false, 0xd6, true, false, false },
	{ "movdqa load", 0x66, false, 0x6f, true, true, false },
	{ "movdqa store", 0x66, false, 0x7f, true, true, false },
	{ "movdqu load", 0xf3, false, 0x6f, true, true, false },
	{ "movdqu store", 0xf3, false, 0x7f, true, true, false },
	{ "lddqu", 0xf2, false, 0xf0, true, true, false },
	{ "movntdq", 0x66, false, 0xe7, true, true, false },
	{ "movntdqa", 0x66, true, 0x2a, true, false, false },
	{ "movd mmx load", 0, false, 0x6e, false, false, true },
	{ "movd mmx store", 0, false, 0x7e, false, false, true },
	{ "movq mmx load", 0, false, 0x6f, false, false, true },
	{ "movq mmx store", 0, false, 0x7f, false, false, true },
	{ "movntq", 0, false, 0xe7, false, false, true },
};
/* The same of map 0F3A, or with an immediate behind; the element is one of a register. */
static const struct vector_template elements[] = {
	{ "pinsrb", 0x66, true, 0x20, true, false, false },
	{ "pinsrw", 0x66, false, 0xc4, true, false, false },
	{ "pinsrd", 0x66, true, 0x22, true, false, false },
	{ "pextrb", 0x66, true, 0x14, true, false, false },
	{ "pextrw", 0x66, true, 0x15, true, false, false },
	{ "pextrd", 0x66, true, 0x16, true, false, false },
	{ "extractps", 0x66, true, 0x17, true, false, false },
};
#define ELEMENTS (sizeof(elements) / sizeof(elements[0]))

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* ADX, BMI1, BMI2: X(name, prefix, map 0F38 or 0F3A, opcode, ModRM.reg, VEX, undefined flags). */
static const struct bmi_template {
	const char *name;
	uint8_t prefix;
	bool is_0f3a;
	uint8_t opcode;
	int8_t sub;
	bool has_vex;
	uint32_t undefined;
} bmis[] = {
	{ "adcx", 0x66, false, 0xf6, -1, false, 0 },
	{ "adox", 0xf3, false, 0xf6, -1, false, 0 },
	{ "andn", 0, false, 0xf2, -1, true, 0 },
	{ "blsr", 0, false, 0xf3, 1, true, 0 },
	{ "blsmsk", 0, false, 0xf3, 2, true, 0 },
	{ "blsi", 0, false, 0xf3, 3, true, 0 },
	{ "bzhi", 0, false, 0xf5, -1, true, 0 },
	{ "pext", 0xf3, false, 0xf5, -1, true, 0 },
	{ "pdep", 0xf2, false, 0xf5, -1, true, 0 },
	{ "mulx", 0xf2, false, 0xf6, -1, true, 0 },
	{ "bextr", 0, false, 0xf7, -1, true, AF | SF | PF },
	{ "shlx", 0x66, false, 0xf7, -1, true, 0 },
	{ "sarx", 0xf3, false, 0xf7, -1, true, 0 },
	{ "shrx", 0xf2, false, 0xf7, -1, true, 0 },
	{ "rorx", 0xf2, true, 0xf0, -1, true, 0 },
};
#define BMIS (sizeof(bmis) / sizeof(bmis[0]))

static const struct template vector_operand = { "vector", { 0 }, 0, RM_MEM, -1, 0, false, false, 0,
	                                        false };

struct test {
	const char *name;
	const struct template *template;
	uint8_t bytes[15];
	unsigned length;
	bool is_branch;
	uint32_t undefined;
	struct native_state in;
	uint8_t data[DATA_SIZE];
};

/* --- randomness: repeatable by seed ----------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545f4914f6cdd1dull;
}

static unsigned below(unsigned n)
{
	return (unsigned)(random64() >> 32) % n;
}

static uint64_t edge_value(void)
{
	static const uint64_t edges[] = { 0,
		                          1,
		                          2,
		                          0x7f,
		                          0x80,
		                          0xff,
		                          0x7fff,
		                          0x8000,
		                          0xffff,
		                          0x7fffffff,
		                          0x80000000,
		                          0xffffffff,
		                          0x7fffffffffffffff,
		                          0x8000000000000000,
		                          ~0ull,
		                          ~1ull };
	const uint64_t value =
		below(2) ? edges[below(sizeof(edges) / sizeof(edges[0]))] : random64();

	return below(4) ? value : value & 0xff;
}

/* Somewhere in the data, often at an edge of a page. */
static uint64_t data_address(void)
{
	switch (below(8)) {
	case 0:
		return DATA_AT + PAGE - 8 + below(16);
	case 1:
		return DATA_AT + DATA_SIZE - 16 + below(16);
	case 2:
		return DATA_AT + below(16);
	case 3:
		return (DATA_AT + below(DATA_SIZE)) & ~15ull;
	default:
		return DATA_AT + below(DATA_SIZE - 32);
	}
}

/* --- making a test ---------------------------------------------------------------------------- */

static void put(struct test *t, uint64_t value, unsigned size)
{
	memcpy(t->bytes + t->length, &value, size);
	t->length += size;
}

/* ModRM, SIB, displacement: an address whose base register is made to fit. */
static void put_memory(struct test *t, unsigned reg, uint8_t rex, bool address_32)
{
	const uint64_t address = data_address();
	unsigned base = below(8), mod = below(3), scale = below(4), index = below(8);
	int64_t disp = 0;

	(void)address_32; /* All addresses lie below 4 GiB. */
	if (base == 4 || below(3) == 0) { /* SIB */
		const unsigned real_base = base | (rex & 1 ? 8 : 0);
		const unsigned real_index = index | (rex & 2 ? 8 : 0);

		if (mod == 0 && base == 5)
			mod = 1;
		if (real_index == 4 || real_index == real_base)
			index = 4;
		put(t, mod << 6 | (reg & 7) << 3 | 4, 1);
		put(t, scale << 6 | index << 3 | base, 1);
		if (mod == 1)
			disp = (int8_t)random64();
		else if (mod == 2)
			disp = (int32_t)random64() >> 8;
		uint64_t offset = (uint64_t)disp;

		if ((index | (rex & 2 ? 8 : 0)) != 4) {
			t->in.gpr[real_index] = below(64);
			offset += t->in.gpr[real_index] << scale;
		}
		t->in.gpr[real_base] = address - offset;
		put(t, (uint64_t)disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
		return;
	}
	if (mod == 0 && base == 5)
		mod = 2;
	put(t, mod << 6 | (reg & 7) << 3 | base, 1);
	if (mod == 1)
		disp = (int8_t)random64();
	else if (mod == 2)
		disp = (int32_t)random64() >> 8;
	t->in.gpr[base | (rex & 1 ? 8 : 0)] = address - (uint64_t)disp;
	put(t, (uint64_t)disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* A 16-bit SHLD or SHRD by more than 16 has no defined result. */
static bool is_double_shift(const struct test *t)
{
	return t->template->bytes[0] == 0x0f && (t->template->bytes[1] & 0xf6) == 0xa4;
}

static void limit_count(struct test *t)
{
	t->in.gpr[1] = (t->in.gpr[1] & ~31ull) | below(17);
	if (t->template->imm)
		put(t, below(17), 1);
}

/* A bit offset in a register reaches far: keep it near the data. */
static void limit_bit_offset(struct test *t, unsigned reg)
{
	t->in.gpr[reg] = (uint64_t)((int64_t)below(4096) - 2048);
}

static bool is_bit_by_register(const struct test *t)
{
	return t->template->bytes[0] == 0x0f && (t->template->bytes[1] & 0xe7) == 0xa3;
}

static void put_rm(struct test *t, unsigned reg, uint8_t rex, bool address_32)
{
	if (below(5) == 0 && !(t->bytes[0] == 0xf0))
		put(t, 3 << 6 | reg << 3 | below(8), 1);
	else
		put_memory(t, reg, rex, address_32);
}

static void put_operand(struct test *t, uint8_t rex, bool address_32)
{
	const struct template *p = t->template;
	const unsigned reg = p->sub >= 0 ? (unsigned)p->sub : below(8);

	if (is_bit_by_register(t))
		limit_bit_offset(t, reg | (rex & 4 ? 8u : 0u));
	switch (p->operand) {
	case RM:
		put_rm(t, reg, rex, address_32);
		break;
	case RM_MEM:
		put_memory(t, reg, rex, address_32);
		break;
	case MOFFS:
		put(t, data_address(), address_32 ? 4 : 8);
		break;
	case NONE:
		break;
	}
}

/* All states present, MXCSR and the control word at reset, registers random. */
static void make_fpu(struct test *t)
{
	const uint64_t present = 7;
	const uint32_t mxcsr = 0x1f80;
	const uint16_t fcw = 0x037f;

	for (unsigned i = NATIVE_XMM; i < NATIVE_XMM + 256; i++)
		t->in.fpu[i] = (uint8_t)random64();
	for (unsigned i = NATIVE_YMM; i < NATIVE_YMM + 256; i++)
		t->in.fpu[i] = (uint8_t)random64();
	for (unsigned i = 0; i < 8; i++) { /* No NaN: XRSTOR keeps them as they are. */
		const uint64_t mantissa = random64() | 1ull << 63;

		memcpy(t->in.fpu + NATIVE_ST + 16 * i, &mantissa, 8);
		t->in.fpu[NATIVE_ST + 16 * i + 9] = 0x3f;
	}
	memcpy(t->in.fpu, &fcw, 2);
	t->in.fpu[4] = 0xff; /* All tags valid. */
	memcpy(t->in.fpu + 24, &mxcsr, 4);
	memcpy(t->in.fpu + NATIVE_HEADER, &present, 8);
}

static uint8_t prefix_number(uint8_t prefix)
{
	return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

/* Three bytes; R, X, B and vvvv are inverted, and here vvvv comes as the bytes have it. */
static void put_vex(struct test *t, uint8_t rex, unsigned map, unsigned vvvv, bool l,
                    uint8_t prefix)
{
	put(t, 0xc4, 1);
	put(t, (~(unsigned)rex & 7) << 5 | map, 1);
	put(t, ((rex & 8u) << 4) | vvvv << 3 | (l ? 4 : 0) | prefix_number(prefix), 1);
}

/* Now and then with what an encoding forbids: L, or a register in an unused vvvv. */
static void make_bmi(struct test *t)
{
	const struct bmi_template *b = &bmis[below(BMIS)];
	const uint8_t rex = (uint8_t)(below(2) ? 0x40 | below(16) : 0x40);
	const unsigned reg = b->sub >= 0 ? (unsigned)b->sub : below(8);

	t->name = b->name;
	t->undefined = b->undefined;
	if (b->has_vex) {
		put_vex(t, rex, b->is_0f3a ? 3 : 2,
		        b->is_0f3a && below(16) ? 15 : below(16), below(32) == 0, b->prefix);
	} else {
		put(t, b->prefix, 1);
		put(t, rex, 1);
		put(t, 0x0f, 1);
		put(t, 0x38, 1);
	}
	put(t, b->opcode, 1);
	put_rm(t, reg, rex, false);
	if (b->is_0f3a)
		put(t, random64(), 1);
}

/* A load of less than the register, which has a second source with VEX. */
static bool merges(const struct vector_template *v)
{
	return strncmp(v->name, "pinsr", 5) == 0 || v->opcode == 0x12 ||
	       (v->opcode == 0x16 && !v->is_0f38);
}

static void make_vector(struct test *t)
{
	const bool is_element = below(8) == 0;
	const struct vector_template *v =
		is_element ? &elements[below(ELEMENTS)] : &vectors[below(VECTORS)];
	const unsigned map = !v->is_0f38 ? 1 : is_element ? 3 : 2;
	const bool vex = v->has_vex && below(2);
	const uint8_t rex = (uint8_t)(below(2) ? 0x40 | below(16) : 0x40);

	t->name = v->name;
	t->template = &vector_operand;
	if (vex) {
		put_vex(t, rex, map, merges(v) ? below(16) : 15, v->vex_256 && below(2), v->prefix);
	} else {
		if (v->prefix)
			put(t, v->prefix, 1);
		put(t, rex, 1);
		put(t, 0x0f, 1);
		if (map > 1)
			put(t, map == 2 ? 0x38 : 0x3a, 1);
	}
	put(t, v->opcode, 1);
	put_operand(t, rex, false);
	if (is_element)
		put(t, random64(), 1);
}

/* Somewhere before the instruction, where the page of code holds nothing but HLT. */
static uint64_t branch_target(bool is_short)
{
	const uint64_t page = native_code_address(0) & ~(uint64_t)(PAGE - 1);

	return page + (is_short ? PAGE - 140 + below(60) : 64 + below(PAGE - 256));
}

/* In a register, or everywhere in memory. */
static void place_target(struct test *t, uint8_t rex)
{
	const uint64_t target = branch_target(false);
	const bool fills = below(2);
	const unsigned modrm = t->bytes[t->length - 1], rm = (modrm & 7) | (rex & 1 ? 8 : 0);

	if (t->bytes[t->length - 2] == 0xff && modrm >= 0xc0 && rm != 4)
		t->in.gpr[rm] = target;
	for (unsigned i = 0; fills && i < DATA_SIZE; i += 8)
		memcpy(t->data + i, &target, 8);
}

/* A displacement, or what a RET finds on the stack. */
static void put_target(struct test *t, bool is_word, uint8_t rex)
{
	const bool is_short = t->template->imm == 1;
	const unsigned size = is_short ? 1 : is_word ? 2 : 4;
	const uint64_t target = branch_target(is_short);
	const uint64_t next = native_code_address(t->length + size) + t->length + size;

	if (t->template->imm == 2)
		put(t, below(3) ? below(64) : random64(), 2);
	else if (t->template->imm)
		put(t, target - next, size);
	else if (t->template->operand == RM)
		place_target(t, rex);
	if (t->in.gpr[4] - DATA_AT <= DATA_SIZE - 8)
		memcpy(t->data + (t->in.gpr[4] - DATA_AT), &target, 8);
}

static bool is_enter(const struct test *t)
{
	return t->template->bytes[0] == 0xc8;
}

/* Frames: RBP is an address, and ENTER's space small, its level any. */
static void make_frame(struct test *t)
{
	t->in.gpr[5] = data_address();
	if (is_enter(t)) {
		put(t, below(4) ? below(64) : random64(), 2);
		put(t, below(2) ? below(4) : random64(), 1);
	}
}

static void put_immediate(struct test *t, bool width_16, uint8_t rex)
{
	const bool is_word = width_16 && !(rex & 8);

	if (is_double_shift(t) && width_16)
		limit_count(t);
	else if (t->is_branch)
		put_target(t, is_word, rex);
	else if (is_enter(t) || t->template->bytes[0] == 0xc9)
		make_frame(t);
	else if (t->template->imm == 1)
		put(t, random64(), 1);
	else if (t->template->imm == 4)
		put(t, edge_value(), is_word ? 2 : 4);
	else if (t->template->imm == 8)
		put(t, edge_value(), is_word ? 2 : rex & 8 ? 8 : 4);
}

static const struct template *pick_template(struct test *t)
{
	const unsigned dice = below(24);

	if (dice == 0)
		return &counted[below(COUNTED)];
	t->is_branch = dice < 3;
	return t->is_branch ? &branches[below(BRANCHES)] : &templates[below(TEMPLATES)];
}

static void make(struct test *t)
{
	const bool is_vector = below(6) == 0, is_bmi = below(12) == 0;
	uint8_t rex = 0;
	bool width_16 = false, address_32 = false;

	memset(t, 0, sizeof(*t));
	t->template = pick_template(t);
	t->name = t->template->name;
	t->undefined = t->template->undefined;
	make_fpu(t);
	for (unsigned i = 0; i < 16; i++)
		t->in.gpr[i] = edge_value();
	t->in.gpr[4] = data_address() & ~7ull;
	t->in.gpr[6] = data_address();
	t->in.gpr[7] = data_address();
	if (t->template->bytes[0] == 0xd7) /* XLAT */
		t->in.gpr[3] = data_address() - below(256);
	t->in.gpr[1] = t->template->repeats ? below(20) : edge_value();
	t->in.rflags = 0x202 | (random64() & ALL_FLAGS) | (below(4) == 0 ? 0x400 : 0) |
	               (below(16) == 0 ? 0x40000 : 0);
	for (unsigned i = 0; i < DATA_SIZE; i += 8) {
		const uint64_t word = below(3) ? random64() : edge_value();

		memcpy(t->data + i, &word, 8);
	}
	if (is_vector) {
		t->is_branch = false;
		t->undefined = 0;
		make_vector(t);
		return;
	}
	if (is_bmi) {
		t->is_branch = false;
		make_bmi(t);
		return;
	}
	if (t->template->lockable && below(4) == 0)
		put(t, 0xf0, 1);
	if (t->template->repeats && below(2))
		put(t, below(2) ? 0xf3 : 0xf2, 1);
	if (below(4) == 0 && !t->template->no_66) {
		put(t, 0x66, 1);
		width_16 = true;
	}
	if (below(8) == 0) {
		put(t, 0x67, 1);
		address_32 = true;
	}
	if (t->template >= counted && t->template < counted + COUNTED)
		put(t, 0xf3, 1);
	if (below(2)) {
		rex = (uint8_t)(0x40 | below(16));
		put(t, rex, 1);
	}
	for (unsigned i = 0; i < t->template->count; i++)
		put(t, t->template->bytes[i], 1);
	put_operand(t, rex, address_32);
	put_immediate(t, width_16, rex);
}

/* --- the emulator's side: the same addresses, in a copy --------------------------------------- */

struct flat {
	uint8_t *data;
	const struct test *test;
	uint64_t code;
	uint8_t fpu[NATIVE_FPU_SIZE];
};

static enum svm_emul_result flat_translate(void *arg, uint64_t linear, uint32_t access,
                                           uint64_t *gpa, struct svm_emul_fault *fault)
{
	const struct flat *flat = arg;

	*gpa = linear;
	if (linear - flat->code < 64 && (access & (SVM_EMUL_FETCH | SVM_EMUL_READ)))
		return SVM_EMUL_OK;
	if (linear - DATA_AT < DATA_SIZE)
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){ .vector = 14,
		                          .has_error = true,
		                          .error = 4 | (access & SVM_EMUL_WRITE ? 2 : 0),
		                          .address = linear };
	return SVM_EMUL_FAULT;
}

static uint8_t *flat_at(const struct flat *flat, uint64_t gpa, unsigned size)
{
	if (gpa - DATA_AT < DATA_SIZE && gpa - DATA_AT + size <= DATA_SIZE)
		return flat->data + (gpa - DATA_AT);
	return NULL;
}

static enum svm_emul_result flat_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	const struct flat *flat = arg;
	const uint8_t *from = flat_at(flat, gpa, size);

	if (from) {
		memcpy(data, from, size);
		return SVM_EMUL_OK;
	}
	if (gpa - flat->code < 64) {
		uint8_t code[128] = { 0 };

		memcpy(code, flat->test->bytes, flat->test->length);
		memcpy(data, code + (gpa - flat->code), size);
		return SVM_EMUL_OK;
	}
	return SVM_EMUL_NOT_RAM;
}

static enum svm_emul_result flat_write(void *arg, uint64_t gpa, const void *data, unsigned size)
{
	uint8_t *to = flat_at(arg, gpa, size);

	if (!to)
		return SVM_EMUL_NOT_RAM;
	memcpy(to, data, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result flat_exchange(void *arg, uint64_t gpa, void *expected,
                                          const void *desired, unsigned size, bool *stored)
{
	uint8_t *at = flat_at(arg, gpa, size);

	if (!at)
		return SVM_EMUL_NOT_RAM;
	*stored = memcmp(at, expected, size) == 0;
	if (*stored)
		memcpy(at, desired, size);
	else
		memcpy(expected, at, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result no_mmio(void *arg, uint64_t gpa, void *data, unsigned size,
                                    bool is_write)
{
	(void)arg;
	(void)gpa;
	(void)data;
	(void)size;
	(void)is_write;
	return SVM_EMUL_EXIT;
}

static void flat_read_vector(void *arg, unsigned n, void *data, unsigned size)
{
	const struct flat *flat = arg;

	memcpy(data, flat->fpu + NATIVE_XMM + 16 * n, 16);
	if (size == 32)
		memcpy((uint8_t *)data + 16, flat->fpu + NATIVE_YMM + 16 * n, 16);
}

static void flat_write_vector(void *arg, unsigned n, const void *data, unsigned size,
                              bool clear_upper)
{
	struct flat *flat = arg;

	memcpy(flat->fpu + NATIVE_XMM + 16 * n, data, 16);
	if (size == 32)
		memcpy(flat->fpu + NATIVE_YMM + 16 * n, (const uint8_t *)data + 16, 16);
	else if (clear_upper)
		memset(flat->fpu + NATIVE_YMM + 16 * n, 0, 16);
}

static void flat_read_mmx(void *arg, unsigned n, uint64_t *value)
{
	const struct flat *flat = arg;

	memcpy(value, flat->fpu + NATIVE_ST + 16 * n, 8);
}

static void flat_write_mmx(void *arg, unsigned n, uint64_t value)
{
	struct flat *flat = arg;

	memcpy(flat->fpu + NATIVE_ST + 16 * n, &value, 8);
	memset(flat->fpu + NATIVE_ST + 16 * n + 8, 0xff, 2);
}

static const struct svm_emul_ops flat_ops = {
	.translate = flat_translate,
	.ram_read = flat_read,
	.ram_write = flat_write,
	.ram_exchange = flat_exchange,
	.mmio = no_mmio,
	.read_vector = flat_read_vector,
	.write_vector = flat_write_vector,
	.read_mmx = flat_read_mmx,
	.write_mmx = flat_write_mmx,
};

static enum svm_emul_result run_emulator(const struct test *t, uint8_t *data, uint8_t *fpu,
                                         uint64_t *gpr, struct svm_emul *e)
{
	static const struct svm_emul_segment segments[6] = {
		{ 0x2b, 0xcf3, 0xffffffff, 0 }, { 0x33, 0xafb, 0xffffffff, 0 },
		{ 0x2b, 0xcf3, 0xffffffff, 0 }, { 0x2b, 0xcf3, 0xffffffff, 0 },
		{ 0, 0, 0, 0 },                 { 0, 0, 0, 0 },
	};
	struct flat flat = { .data = data, .test = t, .code = native_code_address(t->length) };
	enum svm_emul_result result;

	memset(e, 0, sizeof(*e));
	e->ops = &flat_ops;
	e->arg = &flat;
	e->gpr = gpr;
	memcpy(gpr, t->in.gpr, sizeof(t->in.gpr));
	e->rip = flat.code;
	e->rflags = t->in.rflags;
	e->segment = segments;
	e->cr0 = 0x80050033;
	e->cr4 = 0x406f0;
	e->xcr0 = 7;
	e->efer = 0xd01;
	e->cpl = 3;
	e->linear_bits = 48;
	e->mode = SVM_INSN_MODE_64;
	memcpy(flat.fpu, t->in.fpu, sizeof(flat.fpu));
	result = svm_emulate(e);
	memcpy(fpu, flat.fpu, sizeof(flat.fpu));
	return result;
}

/* --- comparing -------------------------------------------------------------------------------- */

struct verdict {
	bool differs;
	char what[256];
	struct native_outcome native;
};

static void differ(struct verdict *v, const char *what, uint64_t native, uint64_t emulated)
{
	if (v->differs)
		return;
	v->differs = true;
	snprintf(v->what, sizeof(v->what), "%s: processor %#llx, emulator %#llx", what,
	         (unsigned long long)native, (unsigned long long)emulated);
}

/* Linux reports the upper half of the address space as present, so as to reveal nothing of it. */
static uint32_t hidden_error_bits(const struct native_outcome *n)
{
	return n->vector == 14 && n->address >> 47 ? 1 : 0;
}

static void compare_faults(struct verdict *v, const struct native_outcome *n,
                           enum svm_emul_result result, const struct svm_emul *e)
{
	if (n->faulted != (result == SVM_EMUL_FAULT)) {
		differ(v, "faults", n->faulted ? 0x100 | n->vector : 0, (uint64_t)result);
		return;
	}
	if (!n->faulted)
		return;
	if (n->vector != e->fault.vector)
		differ(v, "vector", n->vector, e->fault.vector);
	else if (e->fault.has_error && (n->error ^ e->fault.error) & ~hidden_error_bits(n))
		differ(v, "error code", n->error, e->fault.error);
	else if (n->vector == 14 && n->address != e->fault.address)
		differ(v, "fault address", n->address, e->fault.address);
}

/* A state that the processor found initial is not stored: those registers are 0. */
static void compare_fpu(struct verdict *v, const struct test *t, const uint8_t *native,
                        const uint8_t *emulated)
{
	const bool used_mmx = t->name[0] == 'm' && strstr(t->name, "mmx");

	for (unsigned i = 0; i < 256; i++) {
		const unsigned xmm = NATIVE_XMM + i, ymm = NATIVE_YMM + i;

		if (native[xmm] != emulated[xmm])
			differ(v, "xmm", native[xmm], emulated[xmm] | i << 16);
		if (native[ymm] != emulated[ymm])
			differ(v, "ymm", native[ymm], emulated[ymm] | i << 16);
	}
	for (unsigned i = 0; used_mmx && i < 8; i++)
		if (memcmp(native + NATIVE_ST + 16 * i, emulated + NATIVE_ST + 16 * i, 8) != 0)
			differ(v, "mmx", native[NATIVE_ST + 16 * i], emulated[NATIVE_ST + 16 * i]);
}

/* A branch that was taken faults where it went: there is a HLT, or nothing. */
static void forgive_target(const struct test *t, struct native_outcome *n,
                           enum svm_emul_result result, const struct svm_emul *e)
{
	const uint64_t start = native_code_address(t->length);

	if (t->is_branch && n->faulted && result == SVM_EMUL_OK && n->rip &&
	    start + n->rip == e->rip)
		n->faulted = false;
}

static const struct verdict *judge(const struct test *t, uint8_t *real)
{
	static const char *const names[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",
		                               "rsi", "rdi", "r8",  "r9",  "r10", "r11",
		                               "r12", "r13", "r14", "r15" };
	static uint8_t copy[DATA_SIZE], fpu[NATIVE_FPU_SIZE];
	static struct svm_emul e;
	static struct verdict v;
	struct native_outcome *n = &v.native;
	uint64_t gpr[16];
	enum svm_emul_result result;
	uint64_t mask;

	v.differs = false;
	memcpy(real, t->data, DATA_SIZE);
	native_run(t->bytes, t->length, &t->in, n);
	memcpy(copy, t->data, DATA_SIZE);
	result = run_emulator(t, copy, fpu, gpr, &e);
	/* The decoder does not tell #UD from what it does not know. */
	if (result == SVM_EMUL_UNKNOWN && !e.insn.length && n->faulted && n->vector == 6)
		return &v;
	if (result == SVM_EMUL_UNKNOWN) {
		differ(&v, "unknown to the emulator", n->vector, e.insn.opcode);
		return &v;
	}
	if (result == SVM_EMUL_FAULT && e.fault.vector == 14 && native_owns(e.fault.address))
		return &v;
	forgive_target(t, n, result, &e);
	compare_faults(&v, n, result, &e);
	for (unsigned i = 0; i < 16; i++)
		if (n->state.gpr[i] != gpr[i])
			differ(&v, names[i], n->state.gpr[i], gpr[i]);
	mask = (ALL_FLAGS & ~(n->faulted ? 0 : t->undefined)) | 0x400;
	if ((n->state.rflags ^ e.rflags) & mask)
		differ(&v, "flags", n->state.rflags & mask, e.rflags & mask);
	if (n->rip != e.rip - native_code_address(t->length))
		differ(&v, "rip", n->rip, e.rip - native_code_address(t->length));
	compare_fpu(&v, t, n->state.fpu, fpu);
	/* A processor pushes until ENTER faults; the emulator has checked before. */
	for (unsigned i = 0; i < DATA_SIZE && !v.differs && !(n->faulted && is_enter(t)); i++)
		if (real[i] != copy[i])
			differ(&v, "memory", real[i], copy[i] | (uint64_t)i << 16);
	return &v;
}

/* --- making a difference small ---------------------------------------------------------------- */

/* Vector and MMX registers, eight bytes at a time. */
static void minimise_fpu(struct test *t, uint8_t *real)
{
	for (unsigned at = NATIVE_ST; at < NATIVE_FPU_SIZE; at += 8) {
		const bool is_header = at >= NATIVE_XMM + 256 && at < NATIVE_YMM;
		const bool is_exponent = at < NATIVE_XMM && at % 16;
		uint64_t old;

		if (is_header || is_exponent)
			continue;
		memcpy(&old, t->in.fpu + at, sizeof(old));
		memset(t->in.fpu + at, 0, sizeof(old));
		if (!judge(t, real)->differs)
			memcpy(t->in.fpu + at, &old, sizeof(old));
	}
}

static void minimise(struct test *t, uint8_t *real)
{
	minimise_fpu(t, real);
	for (unsigned i = 0; i < 16; i++) {
		const uint64_t old = t->in.gpr[i];

		t->in.gpr[i] = 0;
		if (!judge(t, real)->differs)
			t->in.gpr[i] = old;
	}
	for (unsigned bit = 0; bit < 12; bit++) {
		const uint64_t old = t->in.rflags;

		t->in.rflags &= ~(1ull << bit) | 0x202;
		if (!judge(t, real)->differs)
			t->in.rflags = old;
	}
	for (unsigned block = DATA_SIZE; block >= 8; block /= 2) {
		for (unsigned at = 0; at < DATA_SIZE; at += block) {
			uint8_t old[DATA_SIZE];

			memcpy(old, t->data, DATA_SIZE);
			memset(t->data + at, 0, block);
			if (!judge(t, real)->differs)
				memcpy(t->data, old, DATA_SIZE);
		}
	}
}

/* --- a difference as a row of tests/unit/emulate_row.h ---------------------------------------- */

/* A list in braces, without a comma before its first setting. */
static void setting(const char *format, unsigned long long n, unsigned long long value,
                    unsigned *count)
{
	printf((*count)++ ? ", " : " ");
	printf(format, n, value);
}

static void print_registers(const struct native_state *now, const struct native_state *before,
                            unsigned *count)
{
	const uint64_t shown = ALL_FLAGS | 0x40700; /* AC, DF, IF, TF */

	if (!before || (now->rflags ^ before->rflags) & shown)
		setting("FLAGS(%2$#llx)", 0, now->rflags & shown, count);
	for (unsigned i = 0; i < 16; i++)
		if (now->gpr[i] != (before ? before->gpr[i] : 0))
			setting("GPR(%llu, %#llx)", i, now->gpr[i], count);
}

static uint64_t vector_word(const struct native_state *state, unsigned n, unsigned word)
{
	const unsigned at = (word < 2 ? NATIVE_XMM : NATIVE_YMM) + 16 * n + 8 * (word & 1);
	uint64_t value = 0;

	if (state)
		memcpy(&value, state->fpu + at, sizeof(value));
	return value;
}

static void print_vectors(const struct test *t, const struct native_state *now,
                          const struct native_state *before, unsigned *count)
{
	char format[32];

	for (unsigned i = 0; i < 64 && t->template == &vector_operand; i++) {
		const uint64_t value = vector_word(now, i / 4, i % 4);

		snprintf(format, sizeof(format), "VECTOR(%u, %%llu, %%#llx)", i / 4);
		if (value != vector_word(before, i / 4, i % 4))
			setting(format, i % 4, value, count);
	}
	for (unsigned i = 0; i < 8 && strstr(t->name, "mmx"); i++) {
		uint64_t value, old = 0;

		memcpy(&value, now->fpu + NATIVE_ST + 16 * i, sizeof(value));
		if (before)
			memcpy(&old, before->fpu + NATIVE_ST + 16 * i, sizeof(old));
		if (value != old)
			setting("MMX(%llu, %#llx)", i, value, count);
	}
}

static void print_memory(const uint8_t *now, const uint8_t *before, unsigned *count)
{
	for (unsigned i = 0; i < DATA_SIZE; i += 8) {
		uint64_t value, old = 0;

		memcpy(&value, now + i, sizeof(value));
		if (before)
			memcpy(&old, before + i, sizeof(old));
		if (value != old)
			setting("MEM(%#llx, 8, %#llx)", DATA_AT + i, value, count);
	}
}

/* What the processor did with it. */
static void print_outcome(const struct test *t, const struct native_outcome *n, const uint8_t *real)
{
	const uint64_t start = native_code_address(t->length);
	unsigned count = 0;

	printf("\n\t  .out = {");
	print_registers(&n->state, &t->in, &count);
	print_vectors(t, &n->state, &t->in, &count);
	print_memory(real, t->data, &count);
	if (!n->faulted && n->rip != t->length)
		setting("RIP(%2$#llx)", 0, start + n->rip, &count);
	printf(" },\n\t  .rip = %#llx", (unsigned long long)start);
	if (t->undefined)
		printf(", .undefined = %#x", t->undefined);
	if (n->faulted)
		printf(", .fault = FAULT(%u), .error = %#x", n->vector,
		       n->error & ~hidden_error_bits(n));
	if (n->faulted && n->vector == 14)
		printf(", .address = %#llx", (unsigned long long)n->address);
	printf(" },\n");
}

static void print(const struct test *t, const struct verdict *v, const uint8_t *real)
{
	unsigned count = 0;

	printf("DIFFERS %s: %s\n\t{ \"%s\", EMU_PROCESS, BYTES(\"", t->name, v->what, t->name);
	for (unsigned i = 0; i < t->length; i++)
		printf("\\x%02x", t->bytes[i]);
	printf("\"),\n\t  .in = {");
	print_registers(&t->in, NULL, &count);
	print_vectors(t, &t->in, NULL, &count);
	print_memory(t->data, NULL, &count);
	printf(" },");
	print_outcome(t, &v->native, real);
}

int main(int argc, char **argv)
{
	const unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	const unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	static struct test t;
	unsigned long failed = 0;
	uint8_t *real;

	if (!native_init()) {
		printf("cannot run generated code here\n");
		return 1;
	}
	real = mmap((void *)DATA_AT, DATA_SIZE, PROT_READ | PROT_WRITE,
	            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (real == MAP_FAILED)
		return 1;
	/* What branches land on: HLT. */
	memset((uint8_t *)(uintptr_t)native_code_address(PAGE - 64), 0xf4, PAGE - 128);
	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (unsigned long i = 0; i < cases && failed < 20; i++) {
		make(&t);
		if (!judge(&t, real)->differs)
			continue;
		failed++;
		minimise(&t, real);
		print(&t, judge(&t, real), real);
	}
	printf("seed %lu: %lu cases, %lu differences\n", seed, cases, failed);
	printf("%d passed, %d failed\n", failed == 0, failed != 0);
	return failed != 0;
}
