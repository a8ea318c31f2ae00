/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_INSN_H
#define SVM_EMULATE_INSN_H
/*
 * One decoded guest instruction, in a form that knows nothing of the decoder behind it.
 *
 * The fields are what stands in the bytes: no effective address, no register names, no operand
 * list. Whoever needs an address computes it from modrm, sib, disp and rex by the rules of APM vol.
 * 3, 1.4 to 1.7.  (The decoder's own memory operand is wrong for one encoding, and does not exist
 * in the small build of it that we use.)
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest instruction there is.  A longer one raises #GP(0): APM vol. 3, 1.1. */
#define SVM_INSN_MAX_LENGTH 15

/*
 * The code segment's defaults.  Real mode and virtual-8086 mode are not merely 16 bits wide: VEX
 * and XOP do not exist there, and several system instructions raise #UD.
 */
enum svm_insn_mode {
	SVM_INSN_MODE_REAL, /* CR0.PE = 0, or RFLAGS.VM = 1 */
	SVM_INSN_MODE_16,   /* protected or compatibility mode, CS.D = 0 */
	SVM_INSN_MODE_32,   /* protected or compatibility mode, CS.D = 1 */
	SVM_INSN_MODE_64,   /* EFER.LMA = 1 and CS.L = 1 */
};

/*
 * What svm_insn_decode() found.  UNKNOWN is not a verdict on the guest: the processor may know an
 * instruction that the decoder does not (AVX-512 is left out of it).
 */
enum svm_insn_status {
	SVM_INSN_OK,
	SVM_INSN_TRUNCATED, /* goes on behind the bytes given: fetch the next page and try again */
	SVM_INSN_TOO_LONG,  /* more than 15 bytes: #GP(0) */
	SVM_INSN_ILLEGAL, /* a known instruction in a form that raises #UD (LOCK, CR1, VEX after 66)
	                   */
	SVM_INSN_UNKNOWN, /* not in the decoder's tables: #UD, or newer than they are */
};

/*
 * Which instruction, as far as an intercept can name it.  Everything else is OTHER, known by its
 * map and opcode.  One value for all widths: PUSHF, PUSHFD and PUSHFQ are one intercept.
 */
/* clang-format off */
#define SVM_INSN_KINDS(X)                                                                          \
	X(OTHER)                                                                                   \
	X(BOUND) X(CLGI) X(CLI) X(CLTS) X(CPUID) X(HLT) X(IN) X(INS) X(INT) X(INT1) X(INT3)        \
	X(INTO) X(INVD) X(INVLPG) X(INVLPGA) X(INVLPGB) X(INVPCID) X(IRET) X(LGDT) X(LIDT) X(LLDT) \
	X(LMSW) X(LTR) X(MCOMMIT) X(MONITOR) X(MONITORX) X(MOV_FROM_CR) X(MOV_FROM_DR)             \
	X(MOV_TO_CR) X(MOV_TO_DR) X(MWAIT) X(MWAITX) X(OUT) X(OUTS) X(PAUSE) X(POPF) X(PUSHF)      \
	X(RDMSR) X(RDPMC) X(RDPRU) X(RDTSC) X(RDTSCP) X(RSM) X(SGDT) X(SIDT) X(SKINIT) X(SLDT)     \
	X(SMSW) X(STGI) X(STI) X(STR) X(SWAPGS) X(TLBSYNC) X(VMCALL) X(VMLOAD) X(VMMCALL)          \
	X(VMRUN) X(VMSAVE) X(WBINVD) X(WRMSR) X(XSETBV)
/* clang-format on */

enum svm_insn_kind {
#define SVM_INSN_KIND_ENUM(name) SVM_INSN_##name,
	SVM_INSN_KINDS(SVM_INSN_KIND_ENUM)
#undef SVM_INSN_KIND_ENUM
		SVM_INSN_KIND_COUNT,
};

/* Opcode maps.  APM vol. 3, 1.2.3 and appendix A. */
enum svm_insn_map {
	SVM_INSN_MAP_PRIMARY,
	SVM_INSN_MAP_0F,
	SVM_INSN_MAP_0F38,
	SVM_INSN_MAP_0F3A,
	SVM_INSN_MAP_0F0F, /* 3DNow!: the opcode is the last byte */
	SVM_INSN_MAP_XOP8,
	SVM_INSN_MAP_XOP9,
	SVM_INSN_MAP_XOPA,
};

enum svm_insn_encoding {
	SVM_INSN_LEGACY, /* with or without REX */
	SVM_INSN_VEX,
	SVM_INSN_XOP,
};

/*
 * svm_insn.prefixes.  Present in the bytes, or named by VEX.pp; whether the instruction heeds it is
 * its own affair.
 */
#define SVM_INSN_LOCK     (1u << 0)
#define SVM_INSN_REP      (1u << 1) /* F3, and no F2 behind it */
#define SVM_INSN_REPNE    (1u << 2) /* F2, and no F3 behind it */
#define SVM_INSN_OPSIZE   (1u << 3) /* 66 */
#define SVM_INSN_ADDRSIZE (1u << 4) /* 67 */
#define SVM_INSN_REX                                                                               \
	(1u << 5) /* effective REX: byte registers 4 to 7 are SPL to DIL                           \
	           */

/* svm_insn.rex, in the processor's own bit order; VEX and XOP hold the same four, uninverted here.
 */
#define SVM_INSN_REX_B (1u << 0)
#define SVM_INSN_REX_X (1u << 1)
#define SVM_INSN_REX_R (1u << 2)
#define SVM_INSN_REX_W (1u << 3)

/* svm_insn.segment: the override in force, in the processor's register numbers. */
enum svm_insn_segment {
	SVM_INSN_SEG_ES,
	SVM_INSN_SEG_CS,
	SVM_INSN_SEG_SS,
	SVM_INSN_SEG_DS,
	SVM_INSN_SEG_FS,
	SVM_INSN_SEG_GS,
	SVM_INSN_SEG_DEFAULT, /* no override, or one that 64-bit mode ignores */
};

struct svm_insn {
	int64_t disp;          /* sign-extended; a moffs address is not: mask to address_width */
	uint64_t imm[2];       /* sign-extended where the instruction does; branch: displacement */
	uint8_t imm_size[2];   /* bytes, 0: no such immediate.  Two: ENTER, far pointers, EXTRQ */
	uint8_t disp_size;     /* bytes, 0: none */
	uint8_t kind;          /* enum svm_insn_kind */
	uint8_t length;        /* bytes, 1 to SVM_INSN_MAX_LENGTH */
	uint8_t encoding;      /* enum svm_insn_encoding */
	uint8_t map;           /* enum svm_insn_map */
	uint8_t opcode;        /* within its map */
	uint8_t operand_width; /* bits: 8, 16, 32, 64; what opcode, 66, REX.W and mode make of it */
	uint8_t address_width; /* bits: 16, 32, 64 */
	uint8_t prefixes;      /* OR of SVM_INSN_LOCK ... */
	uint8_t segment;       /* enum svm_insn_segment */
	uint8_t rex;           /* OR of SVM_INSN_REX_*; 0 without */
	uint8_t vvvv;          /* VEX, XOP: the extra register, uninverted */
	uint8_t vex_l;         /* VEX, XOP: L, 0 for 128 bits, 1 for 256 */
	uint8_t has_modrm;
	uint8_t modrm;
	uint8_t has_sib;
	uint8_t sib;
};

/* The three fields of ModRM, the two registers without their REX bit. */
static inline unsigned int svm_insn_mod(const struct svm_insn *insn)
{
	return insn->modrm >> 6;
}

static inline unsigned int svm_insn_reg(const struct svm_insn *insn)
{
	return insn->modrm >> 3 & 7u;
}

static inline unsigned int svm_insn_rm(const struct svm_insn *insn)
{
	return insn->modrm & 7u;
}

/*
 * Decode the instruction that starts at bytes[0].
 *
 * count   bytes that could be fetched; more than 15 are not looked at, none is TRUNCATED.
 * insn    written whole on SVM_INSN_OK, left alone otherwise.
 *
 * Context: any; no state, needs less than 1.2 KiB of stack.  The bytes are the guest's: the caller
 * hands over a private copy, which no other vCPU can change while it is looked at.
 */
enum svm_insn_status svm_insn_decode(enum svm_insn_mode mode, const uint8_t *bytes, size_t count,
                                     struct svm_insn *insn);

/* "CPUID"; "?" for a number that is no kind. */
const char *svm_insn_kind_name(unsigned int kind);

#endif
