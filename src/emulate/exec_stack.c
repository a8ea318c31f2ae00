/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PUSH and POP.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

static enum svm_emul_result push_value(struct svm_emul *e, unsigned size, uint64_t value)
{
	struct svm_emul_span span;
	uint64_t rsp;
	enum svm_emul_result result = svm_emul_prepare_push(e, size, &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &span, value);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	return svm_emul_finish(e);
}

static enum svm_emul_result push_rm(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	return result == SVM_EMUL_OK ? push_value(e, size, value) : result;
}

/* The address of the destination is computed with the RSP after the pop. */
static enum svm_emul_result pop_rm(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	const uint64_t old_rsp = e->gpr[SVM_EMUL_RSP];
	struct svm_emul_span from;
	struct svm_operand to;
	uint64_t rsp, value;
	enum svm_emul_result result = svm_emul_prepare_pop(e, size, &rsp, &from);

	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	result = svm_operand_prepare(e, size, SVM_EMUL_WRITE, &to);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &from, &value);
	if (result == SVM_EMUL_OK)
		result = svm_operand_write(e, &to, value);
	if (result != SVM_EMUL_OK) {
		e->gpr[SVM_EMUL_RSP] = old_rsp;
		return result;
	}
	return svm_emul_finish(e);
}

static enum svm_emul_result pop_register(struct svm_emul *e, unsigned reg)
{
	const unsigned size = svm_emul_stack_width(e);
	struct svm_emul_span span;
	uint64_t rsp, value;
	enum svm_emul_result result = svm_emul_prepare_pop(e, size, &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &value);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	svm_emul_set_reg(e, reg, size, value); /* POP rSP: the value popped wins. */
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_stack(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;
	const unsigned size = svm_emul_stack_width(e);
	const unsigned reg = (opcode & 7u) | (e->insn.rex & SVM_INSN_REX_B ? 8u : 0u);

	if (opcode >= 0x50 && opcode <= 0x57)
		return push_value(e, size, svm_emul_get_reg(e, reg, size));
	if (opcode >= 0x58 && opcode <= 0x5f)
		return pop_register(e, reg);
	switch (opcode) {
	case 0x68:
	case 0x6a:
		return push_value(e, size, e->insn.imm[0]);
	case 0x8f:
		return svm_insn_reg(&e->insn) == 0 ? pop_rm(e) : SVM_EMUL_UNKNOWN;
	case 0xff:
		return svm_insn_reg(&e->insn) == 6 ? push_rm(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
