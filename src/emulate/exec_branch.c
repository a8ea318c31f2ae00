/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Near CALL, JMP and RET whose target or stack lies in memory that needs emulation.
 * APM vol. 3, 3; the target is checked before anything is written.
 */
#include "emulate/operand.h"

static enum svm_emul_result check_target(struct svm_emul *e, uint64_t target)
{
	uint64_t linear;

	/* The first byte: canonical, or within CS. */
	return svm_emul_linear(e, SVM_EMUL_CS, target, 1, SVM_EMUL_FETCH, &linear);
}

/* Near branches in 64-bit mode are 64 bits wide; elsewhere the operand's width cuts RIP. */
static unsigned branch_width(const struct svm_emul *e)
{
	return svm_emul_is_long(e) ? 8 : svm_emul_width(e);
}

static enum svm_emul_result call_to(struct svm_emul *e, uint64_t target)
{
	struct svm_emul_span span;
	uint64_t rsp;
	enum svm_emul_result result = svm_emul_prepare_push(e, branch_width(e), &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = check_target(e, target);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &span, svm_emul_rip_after(e));
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->rip = target;
	return SVM_EMUL_OK;
}

static enum svm_emul_result indirect(struct svm_emul *e, bool is_call)
{
	uint64_t target = 0;
	enum svm_emul_result result = svm_operand_load(e, branch_width(e), &target);

	if (result != SVM_EMUL_OK)
		return result;
	if (is_call)
		return call_to(e, target);
	result = check_target(e, target);
	if (result == SVM_EMUL_OK)
		e->rip = target;
	return result;
}

static enum svm_emul_result relative_call(struct svm_emul *e)
{
	const uint64_t target =
		(svm_emul_rip_after(e) + e->insn.imm[0]) & svm_emul_mask(branch_width(e));

	return call_to(e, target);
}

static enum svm_emul_result near_return(struct svm_emul *e)
{
	const uint64_t release = e->insn.opcode == 0xc2 ? e->insn.imm[0] & 0xffff : 0;
	struct svm_emul_span span;
	uint64_t rsp, target = 0;
	enum svm_emul_result result = svm_emul_prepare_pop(e, branch_width(e), &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &target);
	if (result == SVM_EMUL_OK)
		result = check_target(e, target);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->gpr[SVM_EMUL_RSP] = svm_emul_stack_move(e, release);
	e->rip = target;
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_exec_branch(struct svm_emul *e)
{
	if (e->insn.encoding != SVM_INSN_LEGACY || e->insn.map != SVM_INSN_MAP_PRIMARY)
		return SVM_EMUL_UNKNOWN;
	switch (e->insn.opcode) {
	case 0xc2:
	case 0xc3:
		return near_return(e);
	case 0xe8:
		return relative_call(e);
	case 0xff:
		if (svm_insn_reg(&e->insn) == 2 || svm_insn_reg(&e->insn) == 4)
			return indirect(e, svm_insn_reg(&e->insn) == 2);
		return SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
