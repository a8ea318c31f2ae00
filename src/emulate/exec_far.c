/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Far JMP and CALL.  APM vol. 2, 4.11; vol. 3, 3.
 *
 * To a code segment directly: the privilege stays.  A far pointer has an offset of 16 or 32 bits;
 * REX.W does not widen it, as in AMD's processors.  What leads through a gate or into a task is in
 * exec_gate.c, the ways back are in exec_return.c.
 */
#include "emulate/far.h"

/* JMP and CALL reach code of their own privilege, or conforming code of a higher one. */
static bool privilege_allows(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned dpl = svm_descriptor_dpl(d), rpl = d->selector & 3u;

	if (svm_descriptor_attributes(d) & DESCRIPTOR_CONFORMING)
		return dpl <= e->cpl;
	return dpl == e->cpl && rpl <= e->cpl;
}

/* Call gates, task gates and TSSs; whether this one may be used is not looked at. */
static bool is_gate(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d) & 0x1fu;

	if (svm_emul_in_long_mode(e))
		return type == 0xc;
	return type == 0x1 || type == 0x4 || type == 0x5 || type == 0x9 || type == 0xc;
}

/* --- pointers --------------------------------------------------------------------------------- */

/* Offset and selector of a far pointer, or a return address: 2, 4 or 8 bytes. */
static unsigned far_width(const struct svm_emul *e)
{
	return svm_emul_prefix_width(e);
}

static enum svm_emul_result read_far_pointer(struct svm_emul *e, unsigned size, uint64_t *offset,
                                             uint16_t *selector)
{
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t pointer = 0;
	unsigned segment;
	uint64_t at;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	at = svm_emul_effective_address(e, &segment);
	result = svm_emul_prepare(e, segment, at, size + 2, SVM_EMUL_READ, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &pointer);
	*offset = pointer & svm_emul_mask(size);
	*selector = (uint16_t)(pointer >> (8 * size));
	return result;
}

/* --- transfers -------------------------------------------------------------------------------- */

static enum svm_emul_result transfer_to_code(struct svm_emul *e, struct svm_far_target *target,
                                             bool is_call)
{
	struct svm_far_stack stack;
	struct svm_far_frame frame = { .count = 0 };
	enum svm_emul_result result;

	svm_far_keep_stack(e, e->mode, &stack);
	frame.width = (uint8_t)far_width(e);
	if (is_call) {
		svm_far_push(&frame, e->segment[SVM_EMUL_CS].selector);
		svm_far_push(&frame, svm_emul_rip_after(e));
	}
	result = svm_far_write_frame(e, target, &stack, &frame);
	return result == SVM_EMUL_OK ? svm_far_go(e, target, &stack, frame.rsp) : result;
}

static enum svm_emul_result far_transfer(struct svm_emul *e, uint16_t selector, uint64_t rip,
                                         bool is_call)
{
	struct svm_far_target target;
	enum svm_emul_result result;

	svm_far_real_target(e, selector, rip, &target);
	if (e->mode == SVM_INSN_MODE_REAL)
		return transfer_to_code(e, &target, is_call);
	if (svm_is_null_selector(selector))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_descriptor_read(e, selector, 8, VECTOR_GP, &target.descriptor);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_gate(e, &target.descriptor))
		return svm_exec_gate(e, &target, is_call);
	result = svm_far_judge_code(e, &target.descriptor, privilege_allows(e, &target.descriptor));
	if (result == SVM_EMUL_OK)
		result = svm_far_take_code(e, &target);
	return result == SVM_EMUL_OK ? transfer_to_code(e, &target, is_call) : result;
}

/* 9A and EA hold offset and selector themselves. */
static enum svm_emul_result far_direct(struct svm_emul *e)
{
	const uint64_t rip = e->insn.imm[0] & svm_emul_mask(far_width(e));

	return far_transfer(e, (uint16_t)e->insn.imm[1], rip, e->insn.opcode == 0x9a);
}

static enum svm_emul_result far_indirect(struct svm_emul *e)
{
	const unsigned size = far_width(e) == 2 ? 2 : 4;
	uint16_t selector = 0;
	uint64_t rip = 0;
	const enum svm_emul_result result = read_far_pointer(e, size, &rip, &selector);

	if (result != SVM_EMUL_OK)
		return result;
	return far_transfer(e, selector, rip, svm_insn_reg(&e->insn) == 3);
}

/* --- dispatch --------------------------------------------------------------------------------- */

static enum svm_emul_result far_other(struct svm_emul *e)
{
	const unsigned reg = svm_insn_reg(&e->insn);

	if (e->insn.encoding != SVM_INSN_LEGACY || e->insn.map != SVM_INSN_MAP_PRIMARY)
		return SVM_EMUL_UNKNOWN;
	switch (e->insn.opcode) {
	case 0x9a:
	case 0xea:
		return far_direct(e);
	case 0xca:
	case 0xcb:
		return svm_exec_far_return(e);
	case 0xff:
		return reg == 3 || reg == 5 ? far_indirect(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_far(struct svm_emul *e)
{
	if (!e->ops->load_segment || !e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	switch (e->insn.kind) {
	case SVM_INSN_IRET:
		return svm_exec_interrupt_return(e);
	case SVM_INSN_INT:
	case SVM_INSN_INT1:
	case SVM_INSN_INT3:
	case SVM_INSN_INTO:
		return svm_exec_interrupt(e);
	case SVM_INSN_OTHER:
		return far_other(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
