/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Near CALL, JMP and RET, and the conditional branches.  APM vol. 3, 3; the target is checked
 * before anything is written.
 */
#include "emulate/operand.h"

static enum svm_emul_result check_target(struct svm_emul *e, uint64_t target)
{
	uint64_t linear;

	/* The first byte: canonical, or within CS. */
	return svm_emul_linear(e, SVM_EMUL_CS, target, 1, SVM_EMUL_FETCH, &linear);
}

/*
 * The width that cuts RIP.  In 64-bit mode there are near branches of 64 bits and, with 66, of 16;
 * none of 32.  The decoder's width is not asked: it says 64 of some with 66.
 */
static unsigned branch_width(const struct svm_emul *e)
{
	const unsigned width = svm_emul_prefix_width(e);

	return svm_emul_is_long(e) && width == 4 ? 8 : width;
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

static enum svm_emul_result jump_to(struct svm_emul *e, uint64_t target)
{
	const enum svm_emul_result result = check_target(e, target);

	if (result == SVM_EMUL_OK)
		e->rip = target;
	return result;
}

static enum svm_emul_result indirect(struct svm_emul *e, bool is_call)
{
	uint64_t target = 0;
	const enum svm_emul_result result = svm_operand_load(e, branch_width(e), &target);

	if (result != SVM_EMUL_OK)
		return result;
	return is_call ? call_to(e, target) : jump_to(e, target);
}

static uint64_t relative_target(const struct svm_emul *e)
{
	return (svm_emul_rip_after(e) + e->insn.imm[0]) & svm_emul_mask(branch_width(e));
}

/* A branch that is not taken does not cut RIP. */
static enum svm_emul_result jump_if(struct svm_emul *e, bool taken)
{
	return taken ? jump_to(e, relative_target(e)) : svm_emul_finish(e);
}

/* LOOPNE, LOOPE, LOOP: the counter is as wide as an address, and ZF can end the loop early. */
static enum svm_emul_result loop_branch(struct svm_emul *e)
{
	const unsigned size = e->insn.address_width / 8u;
	const uint64_t left = svm_emul_get_reg(e, SVM_EMUL_RCX, size) - 1;
	const bool zero = e->rflags & FLAG_ZF;
	const bool goes_on = e->insn.opcode == 0xe2 || zero == (e->insn.opcode == 0xe1);
	const enum svm_emul_result result =
		jump_if(e, goes_on && (left & svm_emul_address_mask(e)));

	if (result == SVM_EMUL_OK)
		svm_emul_set_reg(e, SVM_EMUL_RCX, size, left);
	return result;
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
	const uint8_t opcode = e->insn.opcode;

	if (e->insn.encoding != SVM_INSN_LEGACY)
		return SVM_EMUL_UNKNOWN;
	if (e->insn.map == SVM_INSN_MAP_0F)
		return opcode >= 0x80 && opcode <= 0x8f
		               ? jump_if(e, svm_alu_condition(opcode & 15, e->rflags))
		               : SVM_EMUL_UNKNOWN;
	if (e->insn.map != SVM_INSN_MAP_PRIMARY)
		return SVM_EMUL_UNKNOWN;
	switch (opcode) {
	case 0x70 ... 0x7f:
		return jump_if(e, svm_alu_condition(opcode & 15, e->rflags));
	case 0xc2:
	case 0xc3:
		return near_return(e);
	case 0xe0:
	case 0xe1:
	case 0xe2:
		return loop_branch(e);
	case 0xe3: /* JCXZ, JECXZ, JRCXZ */
		return jump_if(e, !(e->gpr[SVM_EMUL_RCX] & svm_emul_address_mask(e)));
	case 0xe8:
		return call_to(e, relative_target(e));
	case 0xe9:
	case 0xeb:
		return jump_to(e, relative_target(e));
	case 0xff:
		if (svm_insn_reg(&e->insn) == 2 || svm_insn_reg(&e->insn) == 4)
			return indirect(e, svm_insn_reg(&e->insn) == 2);
		return SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
