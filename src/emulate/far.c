/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Targets and frames of far transfers.  APM vol. 2, 4.8, 4.11.
 *
 * A frame is pushed twice: first to see that each push is allowed, then to store it.  A call gate's
 * may have 35 values, on a stack that may wrap between any two, and to keep where each of them goes
 * would take more than it is worth.  If another vCPU takes the stack away in between, the
 * instruction faults or starts again with part of the frame below RSP, where nobody looks.
 */
#include "emulate/far.h"

/* --- code segments ---------------------------------------------------------------------------- */

bool svm_far_is_long_code(const struct svm_emul *e, const struct svm_emul_segment *cs)
{
	return svm_emul_in_long_mode(e) && (cs->attributes & DESCRIPTOR_L);
}

enum svm_insn_mode svm_far_mode(const struct svm_emul *e, const struct svm_emul_segment *cs)
{
	if (svm_far_is_long_code(e, cs))
		return SVM_INSN_MODE_64;
	return cs->attributes & DESCRIPTOR_DB ? SVM_INSN_MODE_32 : SVM_INSN_MODE_16;
}

/* Into 64-bit code any canonical address; elsewhere one within the limit. */
enum svm_emul_result svm_far_check_rip(struct svm_emul *e, const struct svm_far_target *target)
{
	const unsigned shift = 64u - e->linear_bits;
	const uint64_t rip = target->rip;
	const bool fits = svm_far_is_long_code(e, &target->cs)
	                          ? (uint64_t)((int64_t)(rip << shift) >> shift) == rip
	                          : rip <= target->cs.limit;

	return fits ? SVM_EMUL_OK : svm_emul_raise_error(e, VECTOR_GP, 0);
}

void svm_far_real_target(struct svm_emul *e, uint16_t selector, uint64_t rip,
                         struct svm_far_target *target)
{
	memset(target, 0, sizeof(*target));
	target->rip = rip;
	target->cpl = e->cpl;
	target->cs = e->segment[SVM_EMUL_CS];
	target->cs.selector = selector;
	target->cs.base = (uint32_t)selector << 4;
}

enum svm_emul_result svm_far_judge_code(struct svm_emul *e, const struct svm_descriptor *d,
                                        bool is_allowed)
{
	const unsigned type = svm_descriptor_attributes(d);

	if (!(type & DESCRIPTOR_S) || !(type & DESCRIPTOR_CODE))
		return svm_descriptor_fault(e, VECTOR_GP, d->selector);
	if (svm_emul_in_long_mode(e) && (type & DESCRIPTOR_L) && (type & DESCRIPTOR_DB))
		return svm_descriptor_fault(e, VECTOR_GP, d->selector);
	if (!is_allowed)
		return svm_descriptor_fault(e, VECTOR_GP, d->selector);
	if (!(type & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, d->selector);
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_far_take_code(struct svm_emul *e, struct svm_far_target *target)
{
	const enum svm_emul_result result =
		svm_descriptor_prepare_mark(e, DESCRIPTOR_ACCESSED, &target->descriptor);

	if (result != SVM_EMUL_OK)
		return result;
	svm_descriptor_unpack(&target->descriptor, &target->cs);
	target->cs.attributes |= 1; /* Accessed. */
	target->cs.selector = (uint16_t)((target->descriptor.selector & 0xfffcu) | target->cpl);
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_far_gate_target(struct svm_emul *e, uint16_t selector, uint64_t rip,
                                         struct svm_far_target *target)
{
	struct svm_descriptor *const d = &target->descriptor;
	enum svm_emul_result result;
	unsigned type, dpl;

	target->rip = rip;
	if (svm_is_null_selector(selector))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_descriptor_read(e, selector, 8, VECTOR_GP, d);
	if (result != SVM_EMUL_OK)
		return result;
	type = svm_descriptor_attributes(d);
	dpl = svm_descriptor_dpl(d);
	target->cpl = (uint8_t)(type & DESCRIPTOR_CONFORMING ? e->cpl : dpl);
	result = svm_far_judge_code(
		e, d, dpl <= e->cpl && (!svm_emul_in_long_mode(e) || (type & DESCRIPTOR_L)));
	return result == SVM_EMUL_OK ? svm_far_take_code(e, target) : result;
}

/* --- frames ----------------------------------------------------------------------------------- */

void svm_far_push(struct svm_far_frame *frame, uint64_t value)
{
	frame->value[frame->count++] = value;
}

static enum svm_emul_result push_all(struct svm_emul *e, const struct svm_far_frame *frame,
                                     bool is_store)
{
	enum svm_emul_result result = SVM_EMUL_OK;
	struct svm_emul_span span;
	uint64_t rsp;

	for (unsigned i = 0; i < frame->count && result == SVM_EMUL_OK; i++) {
		result = svm_emul_prepare_push(e, frame->width, &rsp, &span);
		if (result == SVM_EMUL_OK && is_store)
			result = svm_emul_store_u64(e, &span, frame->value[i]);
		e->gpr[SVM_EMUL_RSP] = rsp;
	}
	return result;
}

/* As the code that the transfer leads to would push, with its SS, CPL and mode. */
static enum svm_emul_result push_on_stack(struct svm_emul *e, const struct svm_far_stack *stack,
                                          struct svm_far_frame *frame, bool is_store)
{
	const struct svm_emul_segment *const own = e->segment;
	const uint64_t rsp = e->gpr[SVM_EMUL_RSP];
	const enum svm_insn_mode mode = e->mode;
	const uint8_t cpl = e->cpl;
	struct svm_emul_segment segment[SVM_EMUL_SEGMENTS];
	enum svm_emul_result result;

	memcpy(segment, own, sizeof(segment));
	segment[SVM_EMUL_SS] = stack->ss;
	e->segment = segment;
	e->gpr[SVM_EMUL_RSP] = stack->rsp;
	e->mode = stack->mode;
	e->cpl = stack->cpl;
	result = push_all(e, frame, is_store);
	frame->rsp = e->gpr[SVM_EMUL_RSP];
	e->segment = own;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->mode = mode;
	e->cpl = cpl;
	if (result == SVM_EMUL_FAULT && e->fault.vector == VECTOR_SS)
		e->fault.error = stack->error;
	return result;
}

static enum svm_emul_result pop_all(struct svm_emul *e, unsigned count, unsigned width,
                                    uint64_t *value, bool is_load)
{
	enum svm_emul_result result = SVM_EMUL_OK;
	struct svm_emul_span span;
	uint64_t rsp;

	for (unsigned i = 0; i < count && result == SVM_EMUL_OK; i++) {
		result = svm_emul_prepare_pop(e, width, &rsp, &span);
		if (result == SVM_EMUL_OK && is_load)
			result = svm_emul_load_u64(e, &span, &value[i]);
		e->gpr[SVM_EMUL_RSP] = rsp;
	}
	return result;
}

enum svm_emul_result svm_far_pop(struct svm_emul *e, unsigned count, unsigned width,
                                 uint64_t *value, uint64_t *rsp)
{
	const uint64_t own = e->gpr[SVM_EMUL_RSP];
	enum svm_emul_result result;

	e->gpr[SVM_EMUL_RSP] = *rsp;
	result = pop_all(e, count, width, value, false);
	e->gpr[SVM_EMUL_RSP] = *rsp;
	if (result == SVM_EMUL_OK)
		result = pop_all(e, count, width, value, true);
	*rsp = e->gpr[SVM_EMUL_RSP];
	e->gpr[SVM_EMUL_RSP] = own;
	return result;
}

/* --- the end ---------------------------------------------------------------------------------- */

enum svm_emul_result svm_far_mark(struct svm_emul *e, struct svm_far_target *target,
                                  struct svm_far_stack *stack)
{
	const enum svm_emul_result result = svm_descriptor_mark(e, &stack->descriptor);

	return result == SVM_EMUL_OK ? svm_descriptor_mark(e, &target->descriptor) : result;
}

enum svm_emul_result svm_far_write_frame(struct svm_emul *e, struct svm_far_target *target,
                                         struct svm_far_stack *stack, struct svm_far_frame *frame)
{
	enum svm_emul_result result = push_on_stack(e, stack, frame, false);

	if (result == SVM_EMUL_OK)
		result = svm_far_check_rip(e, target);
	if (result == SVM_EMUL_OK)
		result = svm_far_mark(e, target, stack);
	return result == SVM_EMUL_OK ? push_on_stack(e, stack, frame, true) : result;
}

enum svm_emul_result svm_far_go(struct svm_emul *e, const struct svm_far_target *target,
                                const struct svm_far_stack *stack, uint64_t rsp)
{
	e->cpl = target->cpl;
	e->ops->load_segment(e->arg, SVM_EMUL_CS, &target->cs);
	if (stack->is_new)
		e->ops->load_segment(e->arg, SVM_EMUL_SS, &stack->ss);
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->rip = target->rip;
	return SVM_EMUL_OK;
}
