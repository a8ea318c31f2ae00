/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Moves between registers and memory.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

static enum svm_emul_result move_to_rm(struct svm_emul *e, unsigned size, uint64_t value)
{
	struct svm_operand operand;
	enum svm_emul_result result = svm_operand_prepare(e, size, SVM_EMUL_WRITE, &operand);

	if (result == SVM_EMUL_OK)
		result = svm_operand_write(e, &operand, value);
	return result == SVM_EMUL_OK ? svm_emul_finish(e) : result;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	const unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* reg = r/m, from one width to another. */
static enum svm_emul_result move_from_rm(struct svm_emul *e, unsigned from, unsigned to,
                                         bool is_signed)
{
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, from, &value);

	if (result != SVM_EMUL_OK)
		return result;
	if (is_signed)
		value = sign_extend(value, from);
	svm_emul_set_reg(e, svm_emul_reg(e), to, value);
	return svm_emul_finish(e);
}

/* A0 to A3: the offset is as wide as an address, and not sign-extended. */
static enum svm_emul_result move_offset(struct svm_emul *e)
{
	const unsigned size = svm_emul_pair_width(e);
	const bool is_store = e->insn.opcode & 2;
	const uint64_t offset = (uint64_t)e->insn.disp & svm_emul_address_mask(e);
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t value;

	result = svm_emul_prepare(e, svm_emul_data_segment(e, SVM_EMUL_DS), offset, size,
	                          is_store ? SVM_EMUL_WRITE : SVM_EMUL_READ, &span);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_store) {
		result = svm_emul_store_u64(e, &span, svm_emul_get_reg(e, SVM_EMUL_RAX, size));
	} else {
		result = svm_emul_load_u64(e, &span, &value);
		if (result == SVM_EMUL_OK)
			svm_emul_set_reg(e, SVM_EMUL_RAX, size, value);
	}
	return result == SVM_EMUL_OK ? svm_emul_finish(e) : result;
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
	uint64_t swapped = 0;

	for (unsigned i = 0; i < size; i++)
		swapped |= (value >> (8 * i) & 0xff) << (8 * (size - 1 - i));
	return swapped;
}

static enum svm_emul_result movbe(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_reg(e);
	enum svm_emul_result result;
	uint64_t value = 0;

	if (e->insn.opcode == 0xf1)
		return move_to_rm(e, size, swap_bytes(svm_emul_get_reg(e, reg, size), size));
	result = svm_operand_load(e, size, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, reg, size, swap_bytes(value, size));
	return svm_emul_finish(e);
}

/* A 32-bit CMOV clears the upper half even when nothing moves. */
static enum svm_emul_result cmov(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_reg(e);
	const bool holds = svm_alu_condition(e->insn.opcode & 15, e->rflags);
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, reg, size, holds ? value : svm_emul_get_reg(e, reg, size));
	return svm_emul_finish(e);
}

static enum svm_emul_result move_primary(struct svm_emul *e)
{
	const unsigned size = svm_emul_pair_width(e);

	switch (e->insn.opcode) {
	case 0x63:
		/* MOVSXD reads 32 bits whatever the operand size, on AMD processors. */
		return svm_emul_is_long(e) ? move_from_rm(e, 4, svm_emul_width(e), true)
		                           : SVM_EMUL_UNKNOWN;
	case 0x88:
	case 0x89:
		return move_to_rm(e, size, svm_emul_get_reg(e, svm_emul_reg(e), size));
	case 0x8a:
	case 0x8b:
		return move_from_rm(e, size, size, false);
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return move_offset(e);
	case 0xc6:
	case 0xc7:
		return svm_insn_reg(&e->insn) == 0 ? move_to_rm(e, size, e->insn.imm[0])
		                                   : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

static enum svm_emul_result move_0f(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;

	if (opcode >= 0x40 && opcode <= 0x4f)
		return cmov(e);
	if (opcode >= 0x90 && opcode <= 0x9f)
		return move_to_rm(e, 1, svm_alu_condition(opcode & 15, e->rflags));
	switch (opcode) {
	case 0x0d: /* PREFETCH */
	case 0x18: /* PREFETCHh */
	case 0x1f: /* NOP with an operand: none of them touches memory. */
		return svm_emul_finish(e);
	case 0xb6:
	case 0xb7:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), false);
	case 0xbe:
	case 0xbf:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), true);
	case 0xc3: /* MOVNTI */
		return svm_emul_rm_is_memory(e)
		               ? move_to_rm(e, svm_emul_width(e),
		                            svm_emul_get_reg(e, svm_emul_reg(e), svm_emul_width(e)))
		               : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_move(struct svm_emul *e)
{
	switch (e->insn.map) {
	case SVM_INSN_MAP_PRIMARY:
		return move_primary(e);
	case SVM_INSN_MAP_0F:
		return move_0f(e);
	default:
		return movbe(e);
	}
}
