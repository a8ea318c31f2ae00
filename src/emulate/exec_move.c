/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Moves between registers and memory.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

#define MOVE_CR4_CET (UINT64_C(1) << 23)

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

static enum svm_emul_result move_immediate(struct svm_emul *e)
{
	const unsigned size = e->insn.opcode & 8 ? svm_emul_width(e) : 1;

	svm_emul_set_reg(e, svm_emul_opcode_reg(e), size, e->insn.imm[0]);
	return svm_emul_finish(e);
}

/* Computes an address and touches nothing: no segment, no check. */
static enum svm_emul_result load_address(struct svm_emul *e)
{
	uint64_t address;
	unsigned segment;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	address = svm_emul_effective_address(e, &segment);
	svm_emul_set_reg(e, svm_emul_reg(e), svm_emul_width(e), address);
	return svm_emul_finish(e);
}

/* Of a 16-bit operand the manual leaves the result open; AMD processors leave 0. */
static enum svm_emul_result swap_register(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_opcode_reg(e);
	const uint64_t value = svm_emul_get_reg(e, reg, size);

	svm_emul_set_reg(e, reg, size, size == 2 ? 0 : swap_bytes(value, size));
	return svm_emul_finish(e);
}

/* CBW, CWDE, CDQE */
static enum svm_emul_result widen_accumulator(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);

	svm_emul_set_reg(e, SVM_EMUL_RAX, size,
	                 sign_extend(svm_emul_get_reg(e, SVM_EMUL_RAX, size / 2), size / 2));
	return svm_emul_finish(e);
}

/* CWD, CDQ, CQO: the sign of rAX fills rDX. */
static enum svm_emul_result widen_into_rdx(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);
	const bool negative = svm_emul_get_reg(e, SVM_EMUL_RAX, size) >> (8 * size - 1);

	svm_emul_set_reg(e, SVM_EMUL_RDX, size, negative ? ~UINT64_C(0) : 0);
	return svm_emul_finish(e);
}

/* XLAT: AL picks a byte of the table at rBX. */
static enum svm_emul_result translate_byte(struct svm_emul *e)
{
	const uint64_t offset = (e->gpr[SVM_EMUL_RBX] + svm_emul_get_reg(e, SVM_EMUL_RAX, 1)) &
	                        svm_emul_address_mask(e);
	struct svm_emul_span span;
	uint64_t value = 0;
	enum svm_emul_result result = svm_emul_prepare(e, svm_emul_data_segment(e, SVM_EMUL_DS),
	                                               offset, 1, SVM_EMUL_READ, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &value);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RAX] = (e->gpr[SVM_EMUL_RAX] & ~UINT64_C(0xff)) | value;
	return svm_emul_finish(e);
}

/*
 * PREFETCH and the reserved NOPs touch no memory, whatever operand they name.  With shadow stacks
 * on, F3 0F 1E can be RDSSP.
 */
static enum svm_emul_result no_operation(struct svm_emul *e)
{
	if (e->insn.opcode == 0x0d && !svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	if ((e->cr4 & MOVE_CR4_CET) && (e->insn.prefixes & SVM_INSN_REP))
		return SVM_EMUL_UNKNOWN;
	return svm_emul_finish(e);
}

static enum svm_emul_result store_register(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	return move_to_rm(e, size, svm_emul_get_reg(e, svm_emul_reg(e), size));
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
	case 0x8d:
		return load_address(e);
	case 0x98:
		return widen_accumulator(e);
	case 0x99:
		return widen_into_rdx(e);
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return move_offset(e);
	case 0xb0 ... 0xbf:
		return move_immediate(e);
	case 0xc6:
	case 0xc7:
		return svm_insn_reg(&e->insn) == 0 ? move_to_rm(e, size, e->insn.imm[0])
		                                   : SVM_EMUL_UNKNOWN;
	case 0xd7:
		return translate_byte(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

static enum svm_emul_result move_0f(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;

	switch (opcode) {
	case 0x0d: /* PREFETCH */
	case 0x18 ... 0x1f: /* PREFETCHh, NOP with an operand */
		return no_operation(e);
	case 0x40 ... 0x4f:
		return cmov(e);
	case 0x90 ... 0x9f:
		return move_to_rm(e, 1, svm_alu_condition(opcode & 15, e->rflags));
	case 0xb6:
	case 0xb7:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), false);
	case 0xbe:
	case 0xbf:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), true);
	case 0xc3: /* MOVNTI */
		return store_register(e);
	case 0xc8 ... 0xcf:
		return swap_register(e);
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
		/* MOVDIRI, MOVBE */
		return e->insn.opcode == 0xf9 ? store_register(e) : movbe(e);
	}
}
