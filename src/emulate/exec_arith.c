/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arithmetic and logic with an operand in memory.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

/* CMP and TEST write nothing, so they need no right to. */
static enum svm_emul_result compare(struct svm_emul *e, enum svm_alu_op op, unsigned size,
                                    uint64_t source)
{
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	svm_alu(op, value, source, size, &e->rflags);
	return svm_emul_finish(e);
}

/* op r/m, source */
static enum svm_emul_result alu_rm(struct svm_emul *e, unsigned op, unsigned size, uint64_t source)
{
	if (op == ALU_CMP)
		return compare(e, ALU_CMP, size, source);
	return svm_rmw_plain(e, RMW_ALU, op, size, source, 0);
}

/* op register, value */
static enum svm_emul_result alu_register(struct svm_emul *e, unsigned op, unsigned reg,
                                         unsigned size, uint64_t value)
{
	const uint64_t result = svm_alu((enum svm_alu_op)op, svm_emul_get_reg(e, reg, size), value,
	                                size, &e->rflags);

	if (op != ALU_CMP)
		svm_emul_set_reg(e, reg, size, result);
	return svm_emul_finish(e);
}

/* op reg, r/m */
static enum svm_emul_result alu_reg_rm(struct svm_emul *e, unsigned op, unsigned size)
{
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	return alu_register(e, op, svm_emul_reg(e), size, value);
}

/* 00 to 3D: the operation in bits 5:3, the form in 2:0. */
static enum svm_emul_result alu_block(struct svm_emul *e)
{
	const unsigned op = e->insn.opcode >> 3, size = svm_emul_pair_width(e);

	switch (e->insn.opcode & 7) {
	case 0:
	case 1:
		return alu_rm(e, op, size, svm_emul_get_reg(e, svm_emul_reg(e), size));
	case 2:
	case 3:
		return alu_reg_rm(e, op, size);
	case 4:
	case 5:
		return alu_register(e, op, SVM_EMUL_RAX, size, e->insn.imm[0]);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* F6, F7: TEST, NOT, NEG.  Multiplication and division are exec_bits.c's. */
static enum svm_emul_result unary_group(struct svm_emul *e)
{
	const unsigned size = svm_emul_pair_width(e);

	switch (svm_insn_reg(&e->insn)) {
	case 0:
	case 1: /* The undocumented alias. */
		return compare(e, ALU_AND, size, e->insn.imm[0]);
	case 2:
		return svm_rmw_plain(e, RMW_NOT, 0, size, 0, 0);
	case 3:
		return svm_rmw_plain(e, RMW_NEG, 0, size, 0, 0);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* FE, FF: INC, DEC.  PUSH is exec_stack.c's, CALL and JMP are exec_branch.c's. */
static enum svm_emul_result increment_group(struct svm_emul *e)
{
	switch (svm_insn_reg(&e->insn)) {
	case 0:
		return svm_rmw_plain(e, RMW_INC, 0, svm_emul_pair_width(e), 0, 0);
	case 1:
		return svm_rmw_plain(e, RMW_DEC, 0, svm_emul_pair_width(e), 0, 0);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* 40 to 4F, outside 64-bit mode, where these are REX prefixes. */
static enum svm_emul_result increment_register(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = e->insn.opcode & 7u;
	const uint64_t value = svm_emul_get_reg(e, reg, size);

	svm_emul_set_reg(e, reg, size,
	                 e->insn.opcode & 8 ? svm_alu_dec(value, size, &e->rflags)
	                                    : svm_alu_inc(value, size, &e->rflags));
	return svm_emul_finish(e);
}

static enum svm_emul_result test_accumulator(struct svm_emul *e)
{
	const unsigned size = svm_emul_pair_width(e);

	svm_alu(ALU_AND, svm_emul_get_reg(e, SVM_EMUL_RAX, size), e->insn.imm[0], size, &e->rflags);
	return svm_emul_finish(e);
}

static int64_t signed_element(uint64_t pair, unsigned index, unsigned size)
{
	const unsigned shift = 64 - 8 * size;

	return (int64_t)(pair >> (8 * size * index) << shift) >> shift;
}

/* BOUND: two signed limits side by side in memory, both of them still allowed. */
static enum svm_emul_result check_bounds(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);
	struct svm_operand op;
	uint64_t limits = 0;
	int64_t index;
	enum svm_emul_result result;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	result = svm_operand_prepare(e, 2 * size, SVM_EMUL_READ, &op);
	if (result == SVM_EMUL_OK)
		result = svm_operand_read(e, &op, &limits);
	if (result != SVM_EMUL_OK)
		return result;
	index = signed_element(svm_emul_get_reg(e, svm_emul_reg(e), size), 0, size);
	if (index < signed_element(limits, 0, size) || index > signed_element(limits, 1, size))
		return svm_emul_raise(e, VECTOR_BR);
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_arith(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;
	const unsigned size = svm_emul_pair_width(e);

	switch (opcode) {
	case 0x00 ... 0x3f:
		return alu_block(e);
	case 0x40 ... 0x4f:
		return increment_register(e);
	case 0x62:
		return check_bounds(e);
	case 0x80:
	case 0x81:
	case 0x82:
		return alu_rm(e, svm_insn_reg(&e->insn), size, e->insn.imm[0]);
	case 0x83:
		return alu_rm(e, svm_insn_reg(&e->insn), svm_emul_width(e), e->insn.imm[0]);
	case 0x84:
	case 0x85:
		return compare(e, ALU_AND, size, svm_emul_get_reg(e, svm_emul_reg(e), size));
	case 0xa8:
	case 0xa9:
		return test_accumulator(e);
	case 0xf6:
	case 0xf7:
		return unary_group(e);
	case 0xfe:
	case 0xff:
		return increment_group(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
