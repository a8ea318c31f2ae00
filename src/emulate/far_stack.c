/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stack that a far transfer goes to.  APM vol. 2, 4.11.2, 8.7.3, 8.9.3, 8.9.4, 12.2.
 *
 * Inwards it comes from the TSS, whose faults are #TS; outwards from the frame, whose faults are
 * #GP.  In long mode an inner stack has a null SS with the new CPL as its RPL.
 */
#include "emulate/far.h"

#define TSS_IS_32  0x8u /* Of the type in TR. */
#define TSS_RSP_64 0x04u
#define TSS_IST_64 0x24u

void svm_far_keep_stack(const struct svm_emul *e, enum svm_insn_mode mode,
                        struct svm_far_stack *stack)
{
	memset(stack, 0, sizeof(*stack));
	stack->ss = e->segment[SVM_EMUL_SS];
	stack->rsp = e->gpr[SVM_EMUL_RSP];
	stack->mode = mode;
	stack->cpl = e->cpl;
}

/* Only its DPL is left of a null SS: it has to be the CPL. */
static void null_stack(struct svm_far_stack *stack, uint16_t selector)
{
	stack->ss = (struct svm_emul_segment){
		.selector = selector,
		.attributes = (uint16_t)(stack->cpl << 5),
	};
	stack->is_new = true;
}

/* A descriptor for SS at stack->cpl; the vector is that of most of its faults. */
static enum svm_emul_result find_stack(struct svm_emul *e, uint16_t selector, uint8_t vector,
                                       struct svm_far_stack *stack)
{
	struct svm_descriptor *const d = &stack->descriptor;
	enum svm_emul_result result = svm_descriptor_read(e, selector, 8, vector, d);

	if (result == SVM_EMUL_OK)
		result = svm_descriptor_judge_stack(e, stack->cpl, vector, d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_prepare_mark(e, DESCRIPTOR_ACCESSED, d);
	if (result != SVM_EMUL_OK)
		return result;
	svm_descriptor_unpack(d, &stack->ss);
	stack->ss.attributes |= 1; /* Accessed. */
	stack->is_new = true;
	return SVM_EMUL_OK;
}

/* --- inwards ---------------------------------------------------------------------------------- */

static enum svm_emul_result read_tss(struct svm_emul *e, const struct svm_emul_segment *tr,
                                     unsigned offset, unsigned size, uint64_t *value)
{
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t linear = tr->base + offset;

	if (offset + size - 1 > tr->limit)
		return svm_descriptor_fault(e, VECTOR_TS, tr->selector);
	if (!svm_emul_in_long_mode(e))
		linear = (uint32_t)linear;
	result = svm_emul_prepare_linear(e, linear, size, SVM_EMUL_READ | SVM_EMUL_SYSTEM, &span);
	return result == SVM_EMUL_OK ? svm_emul_load_u64(e, &span, value) : result;
}

/* An offset of 16 or 32 bits and behind it the selector. */
static enum svm_emul_result legacy_inner_stack(struct svm_emul *e,
                                               const struct svm_emul_segment *tr,
                                               struct svm_far_stack *stack)
{
	const unsigned size = tr->attributes & TSS_IS_32 ? 4 : 2;
	uint64_t value = 0;
	uint16_t selector;
	enum svm_emul_result result =
		read_tss(e, tr, size + 2 * size * stack->cpl, size + 2, &value);

	if (result != SVM_EMUL_OK)
		return result;
	selector = (uint16_t)(value >> (8 * size));
	stack->rsp = value & svm_emul_mask(size);
	stack->error = selector & 0xfffcu;
	if (svm_is_null_selector(selector))
		return svm_emul_raise_error(e, VECTOR_TS, 0);
	return find_stack(e, selector, VECTOR_TS, stack);
}

enum svm_emul_result svm_far_inner_stack(struct svm_emul *e, const struct svm_far_target *target,
                                         unsigned ist, struct svm_far_stack *stack)
{
	struct svm_emul_segment tr;

	svm_far_keep_stack(e, svm_far_mode(e, &target->cs), stack);
	stack->cpl = target->cpl;
	e->ops->store_segment(e->arg, SVM_EMUL_TR, &tr);
	if (!svm_emul_in_long_mode(e))
		return legacy_inner_stack(e, &tr, stack);
	if (target->cpl != e->cpl)
		null_stack(stack, target->cpl);
	return read_tss(e, &tr, ist ? TSS_IST_64 + 8 * (ist - 1) : TSS_RSP_64 + 8u * target->cpl, 8,
	                &stack->rsp);
}

/* --- outwards --------------------------------------------------------------------------------- */

/* As much of RSP as SS is wide: what lies above 16 bits stays, above 32 it is cleared. */
static uint64_t outer_rsp(const struct svm_emul *e, const struct svm_far_stack *stack, uint64_t rsp)
{
	if (stack->mode == SVM_INSN_MODE_64)
		return rsp;
	if (stack->ss.attributes & DESCRIPTOR_DB)
		return (uint32_t)rsp;
	return (e->gpr[SVM_EMUL_RSP] & ~UINT64_C(0xffff)) | (rsp & 0xffff);
}

enum svm_emul_result svm_far_outer_stack(struct svm_emul *e, const struct svm_far_target *target,
                                         uint16_t selector, uint64_t rsp,
                                         struct svm_far_stack *stack)
{
	enum svm_emul_result result = SVM_EMUL_OK;

	svm_far_keep_stack(e, svm_far_mode(e, &target->cs), stack);
	stack->cpl = target->cpl;
	if (!svm_is_null_selector(selector))
		result = find_stack(e, selector, VECTOR_GP, stack);
	else if (stack->mode == SVM_INSN_MODE_64 && stack->cpl != 3 && selector == stack->cpl)
		null_stack(stack, selector);
	else
		result = svm_emul_raise_error(e, VECTOR_GP, 0);
	if (result == SVM_EMUL_OK)
		stack->rsp = outer_rsp(e, stack, rsp);
	return result;
}
