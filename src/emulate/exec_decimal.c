/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arithmetic on decimal digits: DAA, DAS, AAA, AAS, AAM, AAD.  APM vol. 3, 3.
 *
 * They live in AL and AH alone and do not exist in 64-bit mode.  Real-mode firmware prints numbers
 * with them.
 */
#include "emulate/operand.h"

static void set_al(struct svm_emul *e, uint64_t al)
{
	e->gpr[SVM_EMUL_RAX] = (e->gpr[SVM_EMUL_RAX] & ~UINT64_C(0xff)) | (al & 0xff);
}

static void set_ax(struct svm_emul *e, uint64_t ax)
{
	e->gpr[SVM_EMUL_RAX] = (e->gpr[SVM_EMUL_RAX] & ~UINT64_C(0xffff)) | (ax & 0xffff);
}

/* SF, ZF and PF as the result in AL has them. */
static void flags_of_al(struct svm_emul *e)
{
	uint64_t flags = e->rflags;

	svm_alu(ALU_OR, e->gpr[SVM_EMUL_RAX], 0, 1, &flags);
	e->rflags = (e->rflags & ~(FLAG_SF | FLAG_ZF | FLAG_PF)) |
	            (flags & (FLAG_SF | FLAG_ZF | FLAG_PF));
}

static void set_flag(struct svm_emul *e, uint64_t flag, bool on)
{
	e->rflags = on ? e->rflags | flag : e->rflags & ~flag;
}

/*
 * DAA, DAS: AL holds two digits after an ADD or SUB of such.  Either digit is mended by 6 if it is
 * none, or has carried.  OF is undefined and stays.
 */
static enum svm_emul_result adjust_packed(struct svm_emul *e, bool add)
{
	const uint64_t al = e->gpr[SVM_EMUL_RAX] & 0xff;
	const bool low = (al & 0xf) > 9 || (e->rflags & FLAG_AF);
	const bool high = al > 0x99 || (e->rflags & FLAG_CF);
	const uint64_t by = (low ? 6u : 0u) + (high ? 0x60u : 0u);
	/* DAS: mending the low digit can borrow where the high one needed no mending. */
	const bool borrows = !add && low && al < 6;

	set_al(e, add ? al + by : al - by);
	set_flag(e, FLAG_AF, low);
	set_flag(e, FLAG_CF, high || borrows);
	flags_of_al(e);
	return svm_emul_finish(e);
}

/* AAA, AAS: AL holds one digit, what is over goes into AH.  SF, ZF, PF and OF are undefined. */
static enum svm_emul_result adjust_unpacked(struct svm_emul *e, bool add)
{
	const uint64_t ax = e->gpr[SVM_EMUL_RAX] & 0xffff;
	const bool carries = (ax & 0xf) > 9 || (e->rflags & FLAG_AF);
	const uint64_t by = carries ? 0x106 : 0;

	set_ax(e, (add ? ax + by : ax - by) & 0xff0f);
	set_flag(e, FLAG_AF, carries);
	set_flag(e, FLAG_CF, carries);
	return svm_emul_finish(e);
}

/* AAM: AL in digits of any base.  AF, CF and OF are undefined; AMD processors clear them. */
static enum svm_emul_result split_digits(struct svm_emul *e)
{
	const uint64_t al = e->gpr[SVM_EMUL_RAX] & 0xff, base = e->insn.imm[0] & 0xff;

	if (base == 0)
		return svm_emul_raise(e, VECTOR_DE);
	set_ax(e, al / base << 8 | svm_alu(ALU_OR, al % base, 0, 1, &e->rflags));
	return svm_emul_finish(e);
}

/* AAD: the inverse.  AF, CF and OF are undefined; AMD processors leave those of the addition. */
static enum svm_emul_result join_digits(struct svm_emul *e)
{
	const uint64_t al = e->gpr[SVM_EMUL_RAX] & 0xff, ah = e->gpr[SVM_EMUL_RAX] >> 8 & 0xff;

	set_ax(e, svm_alu(ALU_ADD, al, ah * (e->insn.imm[0] & 0xff), 1, &e->rflags));
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_decimal(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x27:
	case 0x2f:
		return adjust_packed(e, e->insn.opcode == 0x27);
	case 0x37:
	case 0x3f:
		return adjust_unpacked(e, e->insn.opcode == 0x37);
	case 0xd4:
		return split_digits(e);
	case 0xd5:
		return join_digits(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
