/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Far JMP and CALL through gates, and of TSSs.  APM vol. 2, 4.7.4, 4.8.3, 4.11.2, 12.3; vol. 3, 3.
 *
 * The gate names code and offset; those of the instruction do not count.  A CALL may go to more
 * privilege, onto the stack that the TSS holds for it, and takes up to 31 parameters along.  In
 * long mode gates have 16 bytes, lead to 64-bit code, and copy nothing.
 */
#include "emulate/far.h"

#define GATE_CALL_16 0x4u
#define GATE_TASK    0x5u
#define GATE_CALL    0xcu
#define GATE_TYPE(d) (svm_descriptor_attributes(d) & 0x1fu)
#define GATE_UPPER   UINT64_C(0x1f0000000000) /* Type of the upper half: must be 0. */

/* What a gate says. */
struct gate {
	uint64_t rip;
	uint16_t selector;
	uint8_t width; /* Bytes of each push. */
	uint8_t count; /* Parameters. */
};

/* DPL of a gate against CPL and RPL; then, whether it is there. */
static enum svm_emul_result judge_gate(struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned dpl = svm_descriptor_dpl(d), rpl = d->selector & 3u;

	if (dpl < e->cpl || dpl < rpl)
		return svm_descriptor_fault(e, VECTOR_GP, d->selector);
	if (!(svm_descriptor_attributes(d) & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, d->selector);
	return SVM_EMUL_OK;
}

/* The whole of the gate, read once more if it is twice as long. */
static enum svm_emul_result read_gate(struct svm_emul *e, struct svm_descriptor *d)
{
	enum svm_emul_result result;

	if (!svm_emul_in_long_mode(e))
		return SVM_EMUL_OK;
	result = svm_descriptor_read(e, d->selector, 16, VECTOR_GP, d);
	if (result != SVM_EMUL_OK)
		return result;
	if (GATE_TYPE(d) != GATE_CALL || (d->word[1] & GATE_UPPER))
		return svm_descriptor_fault(e, VECTOR_GP, d->selector);
	return SVM_EMUL_OK;
}

static struct gate open_gate(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const uint64_t low = d->word[0];
	const bool is_16 = GATE_TYPE(d) == GATE_CALL_16, is_long = svm_emul_in_long_mode(e);

	return (struct gate){
		.rip = (low & 0xffff) | (is_16 ? 0 : low >> 32 & 0xffff0000) | d->word[1] << 32,
		.selector = (uint16_t)(low >> 16),
		.width = is_long ? 8 : is_16 ? 2 : 4,
		.count = is_long ? 0 : (uint8_t)(low >> 32 & 0x1f),
	};
}

/*
 * They lie on the old stack in the order in which they will lie on the new one: the last of them is
 * pushed first.
 */
static enum svm_emul_result copy_parameters(struct svm_emul *e, unsigned count,
                                            struct svm_far_frame *frame)
{
	uint64_t *const parameter = &frame->value[frame->count], rsp = e->gpr[SVM_EMUL_RSP];
	const enum svm_emul_result result = svm_far_pop(e, count, frame->width, parameter, &rsp);

	for (unsigned i = 0; i < count / 2; i++) {
		const uint64_t swapped = parameter[i];

		parameter[i] = parameter[count - 1 - i];
		parameter[count - 1 - i] = swapped;
	}
	frame->count = (uint8_t)(frame->count + count);
	return result;
}

static enum svm_emul_result call_through_gate(struct svm_emul *e, const struct gate *gate,
                                              struct svm_far_target *target)
{
	struct svm_far_frame frame = { .width = gate->width };
	enum svm_emul_result result = SVM_EMUL_OK;
	struct svm_far_stack stack;

	if (target->cpl == e->cpl)
		svm_far_keep_stack(e, svm_far_mode(e, &target->cs), &stack);
	else
		result = svm_far_inner_stack(e, target, 0, &stack);
	if (result == SVM_EMUL_OK && target->cpl != e->cpl) {
		svm_far_push(&frame, e->segment[SVM_EMUL_SS].selector);
		svm_far_push(&frame, e->gpr[SVM_EMUL_RSP]);
		result = copy_parameters(e, gate->count, &frame);
	}
	if (result != SVM_EMUL_OK)
		return result;
	svm_far_push(&frame, e->segment[SVM_EMUL_CS].selector);
	svm_far_push(&frame, svm_emul_rip_after(e));
	result = svm_far_write_frame(e, target, &stack, &frame);
	return result == SVM_EMUL_OK ? svm_far_go(e, target, &stack, frame.rsp) : result;
}

/* To code of the same privilege alone. */
static enum svm_emul_result jump_through_gate(struct svm_emul *e, struct svm_far_target *target)
{
	enum svm_emul_result result = SVM_EMUL_OK;
	struct svm_far_stack stack;

	if (target->cpl != e->cpl)
		return svm_descriptor_fault(e, VECTOR_GP, target->descriptor.selector);
	svm_far_keep_stack(e, svm_far_mode(e, &target->cs), &stack);
	result = svm_far_check_rip(e, target);
	if (result == SVM_EMUL_OK)
		result = svm_far_mark(e, target, &stack);
	return result == SVM_EMUL_OK ? svm_far_go(e, target, &stack, stack.rsp) : result;
}

/* A TSS is named itself, or by a task gate, whose DPL then counts alone. */
static enum svm_emul_result switch_through_gate(struct svm_emul *e, const struct svm_descriptor *d,
                                                bool is_call)
{
	const uint16_t selector =
		GATE_TYPE(d) == GATE_TASK ? (uint16_t)(d->word[0] >> 16) : d->selector;

	return svm_exec_task(e, selector, is_call ? SVM_EMUL_TASK_CALL : SVM_EMUL_TASK_JMP);
}

enum svm_emul_result svm_exec_gate(struct svm_emul *e, struct svm_far_target *target, bool is_call)
{
	struct svm_descriptor *const d = &target->descriptor;
	enum svm_emul_result result;
	struct gate gate;

	result = read_gate(e, d);
	if (result == SVM_EMUL_OK)
		result = judge_gate(e, d);
	if (result != SVM_EMUL_OK)
		return result;
	if (GATE_TYPE(d) != GATE_CALL && GATE_TYPE(d) != GATE_CALL_16)
		return switch_through_gate(e, d, is_call);
	gate = open_gate(e, d);
	result = svm_far_gate_target(e, gate.selector, gate.rip, target);
	if (result != SVM_EMUL_OK)
		return result;
	return is_call ? call_through_gate(e, &gate, target) : jump_through_gate(e, target);
}
