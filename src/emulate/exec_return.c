/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Far RET and IRET.  APM vol. 2, 4.11.3, 8.7.4, 8.9.5, 12.3.4; vol. 3, 3.
 *
 * A return goes to its own privilege or to a lower one, whose stack is in the frame; IRET in 64-bit
 * mode always pops one.  After a return outwards data segments that the new CPL may not use are
 * null.  An IRET at CPL 0 may enter virtual-8086 mode.  With NT set it ends a task.  That an IRET
 * ends the handler of an NMI is for its owner to note.
 *
 * Left alone, and so UNKNOWN: the IRET of virtual-8086 mode that CR4.VME changes.
 */
#include "emulate/far.h"

#define RETURN_CR4_VME UINT64_C(0x1)

/* A frame, in the order of the stack. */
enum {
	FRAME_RIP,
	FRAME_CS,
	FRAME_RFLAGS,
	FRAME_RSP,
	FRAME_SS,
	FRAME_ES, /* From here on of virtual-8086 mode. */
	FRAME_DS,
	FRAME_FS,
	FRAME_GS,
	FRAME_COUNT,
};

struct return_frame {
	uint64_t value[FRAME_COUNT];
	uint64_t rsp; /* Behind what was popped. */
	uint8_t width;
	bool has_stack; /* RSP and SS were popped. */
};

/* The RPL is the new CPL; the DPL decides as it did when the code was entered. */
static bool return_is_allowed(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned dpl = svm_descriptor_dpl(d), rpl = d->selector & 3u;

	if (rpl < e->cpl)
		return false;
	return svm_descriptor_attributes(d) & DESCRIPTOR_CONFORMING ? dpl <= rpl : dpl == rpl;
}

static enum svm_emul_result find_return_target(struct svm_emul *e, const struct return_frame *frame,
                                               struct svm_far_target *target)
{
	const uint16_t selector = (uint16_t)frame->value[FRAME_CS];
	enum svm_emul_result result;

	svm_far_real_target(e, selector, frame->value[FRAME_RIP], target);
	if (e->mode == SVM_INSN_MODE_REAL)
		return SVM_EMUL_OK;
	if (svm_is_null_selector(selector))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	target->cpl = selector & 3u;
	result = svm_descriptor_read(e, selector, 8, VECTOR_GP, &target->descriptor);
	if (result == SVM_EMUL_OK)
		result = svm_far_judge_code(e, &target->descriptor,
		                            return_is_allowed(e, &target->descriptor));
	return result == SVM_EMUL_OK ? svm_far_take_code(e, target) : result;
}

static enum svm_emul_result pop_more(struct svm_emul *e, unsigned first, unsigned count,
                                     struct return_frame *frame)
{
	return svm_far_pop(e, count, frame->width, &frame->value[first], &frame->rsp);
}

/* RSP and SS behind CS or RFLAGS, if the privilege changes or the mode has it so. */
static enum svm_emul_result pop_stack(struct svm_emul *e, bool is_always,
                                      struct return_frame *frame)
{
	const unsigned rpl = frame->value[FRAME_CS] & 3u;

	frame->has_stack = e->mode != SVM_INSN_MODE_REAL && (is_always || rpl > e->cpl);
	return frame->has_stack ? pop_more(e, FRAME_RSP, 2, frame) : SVM_EMUL_OK;
}

/* A segment that the new CPL may not use.  A null one keeps its base: it may be of use still. */
static bool is_forbidden(const struct svm_emul_segment *segment, unsigned cpl)
{
	const unsigned type = segment->attributes;

	if (svm_is_null_selector(segment->selector))
		return false;
	if ((type & DESCRIPTOR_CODE) && (type & DESCRIPTOR_CONFORMING))
		return false;
	return (type >> 5 & 3u) < cpl;
}

static void forget_segments(struct svm_emul *e)
{
	static const uint8_t segments[] = { SVM_EMUL_ES, SVM_EMUL_DS, SVM_EMUL_FS, SVM_EMUL_GS };
	const struct svm_emul_segment null = { .selector = 0 };

	for (size_t i = 0; i < sizeof(segments); i++)
		if (is_forbidden(&e->segment[segments[i]], e->cpl))
			e->ops->load_segment(e->arg, segments[i], &null);
}

/* Everything behind the pops; release is what RET frees on an outer stack too. */
static enum svm_emul_result finish_return(struct svm_emul *e, const struct return_frame *frame,
                                          uint64_t release)
{
	const uint8_t cpl = e->cpl;
	struct svm_far_target target;
	struct svm_far_stack stack;
	enum svm_emul_result result = find_return_target(e, frame, &target);

	svm_far_keep_stack(e, e->mode, &stack);
	stack.rsp = frame->rsp;
	if (result == SVM_EMUL_OK && frame->has_stack)
		result = svm_far_outer_stack(e, &target, (uint16_t)frame->value[FRAME_SS],
		                             frame->value[FRAME_RSP] + release, &stack);
	if (result == SVM_EMUL_OK)
		result = svm_far_check_rip(e, &target);
	if (result == SVM_EMUL_OK)
		result = svm_far_mark(e, &target, &stack);
	if (result != SVM_EMUL_OK)
		return result;
	svm_far_go(e, &target, &stack, stack.rsp);
	if (e->cpl != cpl)
		forget_segments(e);
	return SVM_EMUL_OK;
}

static void start_frame(const struct svm_emul *e, struct return_frame *frame)
{
	frame->rsp = e->gpr[SVM_EMUL_RSP];
	frame->width = (uint8_t)svm_emul_prefix_width(e);
	frame->has_stack = false;
}

/* --- RET -------------------------------------------------------------------------------------- */

/* RSP where the pops have left it, moved on. */
static uint64_t released(struct svm_emul *e, uint64_t rsp, uint64_t release)
{
	const uint64_t own = e->gpr[SVM_EMUL_RSP];

	e->gpr[SVM_EMUL_RSP] = rsp;
	rsp = svm_emul_stack_move(e, release);
	e->gpr[SVM_EMUL_RSP] = own;
	return rsp;
}

/* What RET n frees lies between the return address and the pointer to the outer stack. */
enum svm_emul_result svm_exec_far_return(struct svm_emul *e)
{
	const uint64_t release = e->insn.opcode == 0xca ? e->insn.imm[0] & 0xffff : 0;
	struct return_frame frame;
	enum svm_emul_result result;

	start_frame(e, &frame);
	result = pop_more(e, FRAME_RIP, 2, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	frame.rsp = released(e, frame.rsp, release);
	result = pop_stack(e, false, &frame);
	return result == SVM_EMUL_OK ? finish_return(e, &frame, release) : result;
}

/* --- IRET ------------------------------------------------------------------------------------- */

/* What POPF can write, and RF; in protected mode CPL 0 also gets VIF and VIP. */
static uint64_t iret_writable(const struct svm_emul *e, unsigned width)
{
	const uint64_t writable = svm_emul_flags_writable(e, width);

	if (width == 2)
		return writable;
	if (e->mode == SVM_INSN_MODE_REAL || e->cpl != 0)
		return writable | FLAG_RF;
	return writable | FLAG_RF | FLAG_VIF | FLAG_VIP;
}

static void take_flags(struct svm_emul *e, uint64_t image, uint64_t writable)
{
	e->rflags = (e->rflags & ~(writable | FLAG_RF)) | (image & writable);
	e->keeps_rf = true;
}

/* Below IOPL 3 virtual-8086 mode has no IRET of its own, unless CR4.VME makes one. */
static enum svm_emul_result check_virtual_return(struct svm_emul *e, unsigned width)
{
	if (!e->in_vm86 || (e->rflags & FLAG_IOPL) == FLAG_IOPL)
		return SVM_EMUL_OK;
	if ((e->cr4 & RETURN_CR4_VME) && width == 2)
		return SVM_EMUL_UNKNOWN;
	return svm_emul_raise_error(e, VECTOR_GP, 0);
}

static void load_virtual_segment(struct svm_emul *e, unsigned n, uint16_t selector)
{
	const struct svm_emul_segment segment = svm_far_virtual_segment(selector);

	e->ops->load_segment(e->arg, n, &segment);
}

/* Six more values, and nothing of them can be wrong. */
static enum svm_emul_result return_to_virtual(struct svm_emul *e, struct return_frame *frame)
{
	const uint64_t writable = iret_writable(e, 4) | FLAG_VM;
	const enum svm_emul_result result = pop_more(e, FRAME_RSP, 6, frame);

	if (result != SVM_EMUL_OK)
		return result;
	take_flags(e, frame->value[FRAME_RFLAGS], writable);
	e->cpl = 3;
	load_virtual_segment(e, SVM_EMUL_CS, (uint16_t)frame->value[FRAME_CS]);
	load_virtual_segment(e, SVM_EMUL_SS, (uint16_t)frame->value[FRAME_SS]);
	load_virtual_segment(e, SVM_EMUL_ES, (uint16_t)frame->value[FRAME_ES]);
	load_virtual_segment(e, SVM_EMUL_DS, (uint16_t)frame->value[FRAME_DS]);
	load_virtual_segment(e, SVM_EMUL_FS, (uint16_t)frame->value[FRAME_FS]);
	load_virtual_segment(e, SVM_EMUL_GS, (uint16_t)frame->value[FRAME_GS]);
	e->gpr[SVM_EMUL_RSP] = frame->value[FRAME_RSP];
	e->rip = frame->value[FRAME_RIP] & 0xffff;
	return SVM_EMUL_OK;
}

static bool is_virtual_image(const struct svm_emul *e, uint64_t image)
{
	return e->mode != SVM_INSN_MODE_REAL && e->cpl == 0 && !svm_emul_in_long_mode(e) &&
	       (image & FLAG_VM);
}

static enum svm_emul_result return_from_interrupt(struct svm_emul *e)
{
	struct return_frame frame;
	enum svm_emul_result result;
	uint64_t writable;

	start_frame(e, &frame);
	writable = iret_writable(e, frame.width);
	result = check_virtual_return(e, frame.width);
	if (result == SVM_EMUL_OK)
		result = pop_more(e, FRAME_RIP, 3, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_virtual_image(e, frame.value[FRAME_RFLAGS]))
		return return_to_virtual(e, &frame);
	result = pop_stack(e, svm_emul_is_long(e), &frame);
	if (result == SVM_EMUL_OK)
		result = finish_return(e, &frame, 0);
	if (result == SVM_EMUL_OK)
		take_flags(e, frame.value[FRAME_RFLAGS], writable);
	return result;
}

enum svm_emul_result svm_exec_interrupt_return(struct svm_emul *e)
{
	if (e->mode == SVM_INSN_MODE_REAL || !(e->rflags & FLAG_NT))
		return return_from_interrupt(e);
	if (svm_emul_in_long_mode(e))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	return svm_exec_task_return(e);
}
