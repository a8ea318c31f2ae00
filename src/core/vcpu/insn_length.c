/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the processor does not save the next RIP, the exit code says which instruction it was and
 * only the prefixes are unknown: one pass over them and a comparison are enough, and much cheaper
 * than a decoder.  A fixed length (CPUID: 2) is wrong as soon as there is a prefix.
 *
 * The comparison is not a formality: another processor of the guest may have put something else
 * there since the exit, and stepping over *that* would be executing what was never decoded.
 *
 * Three emulated processors report some instructions under a neighbour's code; those are accepted
 * here, since they can occur nowhere else (QEMU: RDTSCP as RDTSC, INVD as WBINVD, INT3 and INTO as
 * INT n).
 */
#include "core/vcpu/insn_length.h"

#include <libsvm/exit_codes.h>

#define INSN_MAX 15u

#define CONTROL_REGISTERS 0x11du /* CR0, CR2, CR3, CR4, CR8. */

#define REX_B 1u
#define REX_R 4u

/* Behind the prefixes. */
struct prefixed {
	const uint8_t *bytes;
	unsigned count; /* At most 15. */
	unsigned at;    /* Of the opcode. */
	unsigned code_bits;
	bool lock, operand_size, address_size;
	uint8_t repeat;       /* F2h or F3h, the later; 0. */
	uint8_t rex;          /* Bits W R X B; 0 without. */
	unsigned length, gpr; /* Results. */
};

static void skip_prefixes(struct prefixed *p)
{
	for (; p->at < p->count; p->at++) {
		const uint8_t byte = p->bytes[p->at];

		switch (byte) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
			break;
		case 0x66:
			p->operand_size = true;
			break;
		case 0x67:
			p->address_size = true;
			break;
		case 0xf0:
			p->lock = true;
			break;
		case 0xf2:
		case 0xf3:
			p->repeat = byte;
			break;
		default:
			if (p->code_bits != 64 || (byte & 0xf0) != 0x40)
				return;
			p->rex = byte & 0xf;
			continue;
		}
		p->rex = 0; /* A REX counts only right before the opcode. */
	}
}

static bool has(const struct prefixed *p, unsigned offset, uint8_t byte)
{
	return p->at + offset < p->count && p->bytes[p->at + offset] == byte;
}

static bool ends(struct prefixed *p, unsigned opcode_bytes)
{
	p->length = p->at + opcode_bytes;
	return p->length <= p->count && !p->lock; /* LOCK is #UD with all of these. */
}

/* op */
static bool one(struct prefixed *p, uint8_t op)
{
	return has(p, 0, op) && ends(p, 1);
}

/* op, an immediate byte */
static bool one_imm8(struct prefixed *p, uint8_t op)
{
	return has(p, 0, op) && ends(p, 2);
}

/* 0F op */
static bool two(struct prefixed *p, uint8_t op)
{
	return has(p, 0, 0x0f) && has(p, 1, op) && ends(p, 2);
}

/* 0F 01 op */
static bool three(struct prefixed *p, uint8_t op)
{
	return has(p, 0, 0x0f) && has(p, 1, 0x01) && has(p, 2, op) && ends(p, 3);
}

/* 0F 01 op where F2 or F3 would make another instruction of it. */
static bool three_bare(struct prefixed *p, uint8_t op)
{
	return !p->repeat && three(p, op);
}

/* Bytes of ModRM, SIB and displacement; p->at + offset is the ModRM's. */
static unsigned operand_bytes(const struct prefixed *p, unsigned offset)
{
	const uint8_t modrm = p->bytes[p->at + offset];
	const unsigned mod = modrm >> 6, rm = modrm & 7u;
	unsigned base = rm, size = 1;

	if (mod == 3)
		return 1;
	if (p->code_bits == (p->address_size ? 32 : 16)) /* 16-bit addresses. */
		return mod == 1 ? 2 : mod == 2 || rm == 6 ? 3 : 1;
	if (rm == 4) {
		size = 2;
		if (p->at + offset + 1 >= p->count)
			return INSN_MAX; /* Cut off: no length fits. */
		base = p->bytes[p->at + offset + 1] & 7u;
	}
	if (mod == 1)
		return size + 1;
	return mod == 2 || base == 5 ? size + 4 : size;
}

/* Opcode bytes, then a ModRM with this reg field; memory operands, registers too if both. */
static bool group(struct prefixed *p, unsigned opcode_bytes, uint8_t reg, bool both)
{
	uint8_t modrm;

	if (p->at + opcode_bytes >= p->count)
		return false;
	modrm = p->bytes[p->at + opcode_bytes];
	if ((modrm >> 3 & 7u) != reg || (modrm >> 6 == 3 && !both))
		return false;
	return ends(p, opcode_bytes + operand_bytes(p, opcode_bytes));
}

/* 0F 00 /reg, 0F 01 /reg */
static bool group_6(struct prefixed *p, uint8_t reg)
{
	return has(p, 0, 0x0f) && has(p, 1, 0x00) && group(p, 2, reg, true);
}

static bool group_7(struct prefixed *p, uint8_t reg)
{
	return has(p, 0, 0x0f) && has(p, 1, 0x01) && group(p, 2, reg, false);
}

/* 66 0F 38 82 /r, memory only; any register. */
static bool invpcid(struct prefixed *p)
{
	return p->operand_size && !p->repeat && has(p, 0, 0x0f) && has(p, 1, 0x38) &&
	       has(p, 2, 0x82) && p->at + 3 < p->count && p->bytes[p->at + 3] < 0xc0 &&
	       ends(p, 3 + operand_bytes(p, 3));
}

/* INTO */
static bool is_into(struct prefixed *p)
{
	return p->code_bits != 64 && one(p, 0xce);
}

/*
 * 0F op with a ModRM of which the mod bits do not count.  REX.R makes 8 to 15 of the number; LOCK
 * with CR0 is CR8, for code without REX (15.21.3).
 */
static bool mov_register(struct prefixed *p, uint8_t op, unsigned number)
{
	unsigned reg;
	uint8_t modrm;

	if (!has(p, 0, 0x0f) || !has(p, 1, op) || p->at + 2 >= p->count)
		return false;
	modrm = p->bytes[p->at + 2];
	reg = (modrm >> 3 & 7u) | (p->rex & REX_R ? 8u : 0);
	if (p->lock) {
		if (reg != 0 || (op != 0x20 && op != 0x22))
			return false;
		reg = 8;
	}
	if (reg != number)
		return false;
	p->gpr = (modrm & 7u) | (p->rex & REX_B ? 8u : 0);
	p->length = p->at + 3;
	return true;
}

static bool is_io(struct prefixed *p)
{
	if (p->at >= p->count)
		return false;
	switch (p->bytes[p->at]) {
	case 0xe4: /* IN and OUT, port as immediate. */
	case 0xe5:
	case 0xe6:
	case 0xe7:
		return ends(p, 2);
	case 0xec: /* Port in DX. */
	case 0xed:
	case 0xee:
	case 0xef:
	case 0x6c: /* INS, OUTS. */
	case 0x6d:
	case 0x6e:
	case 0x6f:
		return ends(p, 1);
	default:
		return false;
	}
}

static bool is_pause(struct prefixed *p)
{
	/* With REX.B it is an exchange with R8. */
	return p->repeat == 0xf3 && !(p->rex & REX_B) && one(p, 0x90);
}

/* Exits with the number of a register in the code; numbers of no register are #UD and never exit.
 */
static bool matches_register(struct prefixed *p, unsigned exit_code)
{
	const unsigned number = exit_code % 16;
	const bool is_cr = CONTROL_REGISTERS >> number & 1;
	const bool is_dr = number < 8;

	switch (exit_code & ~15u) {
	case SVM_EXIT_CR_READ:
		return is_cr && mov_register(p, 0x20, number);
	case SVM_EXIT_CR_WRITE:
		return is_cr && mov_register(p, 0x22, number);
	case SVM_EXIT_DR_READ:
		return is_dr && mov_register(p, 0x21, number);
	default:
		return is_dr && mov_register(p, 0x23, number);
	}
}

static bool matches(struct prefixed *p, uint64_t exit_code)
{
	switch (exit_code) {
	case SVM_EXIT_CPUID:
		return two(p, 0xa2);
	case SVM_EXIT_MSR:
		return two(p, 0x32) || two(p, 0x30);
	case SVM_EXIT_IOIO:
		return is_io(p);
	case SVM_EXIT_HLT:
	case SVM_EXIT_IDLE_HLT:
		return one(p, 0xf4);
	case SVM_EXIT_VMMCALL:
		return three(p, 0xd9);
	case SVM_EXIT_PAUSE:
		return is_pause(p);
	case SVM_EXIT_RDTSC:
		return two(p, 0x31) || three(p, 0xf9);
	case SVM_EXIT_RDTSCP:
		return three(p, 0xf9);
	case SVM_EXIT_RDPMC:
		return two(p, 0x33);
	case SVM_EXIT_RDPRU:
		return three(p, 0xfd);
	case SVM_EXIT_INVD:
		return two(p, 0x08);
	case SVM_EXIT_WBINVD:
		return two(p, 0x09) || two(p, 0x08);
	case SVM_EXIT_XSETBV:
		return three_bare(p, 0xd1);
	case SVM_EXIT_MONITOR:
		return three_bare(p, 0xc8) || three_bare(p, 0xfa);
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_MWAIT_COND:
		return three_bare(p, 0xc9) || three_bare(p, 0xfb);
	case SVM_EXIT_CR0_SEL_WRITE:
		return mov_register(p, 0x22, 0);
	case SVM_EXIT_INVLPG:
		return group_7(p, 7);
	case SVM_EXIT_INVPCID:
		return invpcid(p);
	case SVM_EXIT_PUSHF:
		return one(p, 0x9c);
	case SVM_EXIT_POPF:
		return one(p, 0x9d);
	case SVM_EXIT_IRET:
		return one(p, 0xcf);
	case SVM_EXIT_INTN:
		return one_imm8(p, 0xcd) || one(p, 0xcc) || is_into(p);
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_BP:
		return one(p, 0xcc);
	case SVM_EXIT_EXCEPTION + SVM_VECTOR_OF:
		return is_into(p);
	case SVM_EXIT_ICEBP:
		return one(p, 0xf1);
	case SVM_EXIT_RSM:
		return two(p, 0xaa);
	case SVM_EXIT_LDTR_READ:
		return group_6(p, 0);
	case SVM_EXIT_TR_READ:
		return group_6(p, 1);
	case SVM_EXIT_LDTR_WRITE:
		return group_6(p, 2);
	case SVM_EXIT_TR_WRITE:
		return group_6(p, 3);
	case SVM_EXIT_GDTR_READ:
		return group_7(p, 0);
	case SVM_EXIT_IDTR_READ:
		return group_7(p, 1);
	case SVM_EXIT_GDTR_WRITE:
		return group_7(p, 2);
	case SVM_EXIT_IDTR_WRITE:
		return group_7(p, 3);
	case SVM_EXIT_VMRUN:
		return three(p, 0xd8);
	case SVM_EXIT_VMLOAD:
		return three(p, 0xda);
	case SVM_EXIT_VMSAVE:
		return three(p, 0xdb);
	case SVM_EXIT_STGI:
		return three(p, 0xdc);
	case SVM_EXIT_CLGI:
		return three(p, 0xdd);
	case SVM_EXIT_SKINIT:
		return three(p, 0xde);
	case SVM_EXIT_INVLPGA:
		return three(p, 0xdf);
	case SVM_EXIT_INVLPGB:
	case SVM_EXIT_INVLPGB_ILLEGAL:
		return three_bare(p, 0xfe);
	case SVM_EXIT_TLBSYNC:
		return three_bare(p, 0xff);
	case SVM_EXIT_MCOMMIT:
		return p->repeat == 0xf3 && three(p, 0xfa);
	default:
		return exit_code < SVM_EXIT_EXCEPTION && matches_register(p, (unsigned)exit_code);
	}
}

bool svm_insn_scan(const uint8_t *bytes, unsigned count, unsigned code_bits, uint64_t exit_code,
                   struct svm_insn_scan *scan)
{
	struct prefixed p = {
		.bytes = bytes,
		.count = count < INSN_MAX ? count : INSN_MAX,
		.code_bits = code_bits,
	};

	skip_prefixes(&p);
	if (!matches(&p, exit_code))
		return false;
	scan->length = p.length;
	scan->gpr = p.gpr;
	return true;
}
