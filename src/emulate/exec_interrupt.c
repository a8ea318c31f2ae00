/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * INT n, INT3, INTO and INT1: the interrupt of an instruction.  APM vol. 2, 4.7.4, 8.6 to 8.9; vol.
 * 3, 3.
 *
 * In real mode a vector's entry is offset and selector.  In protected mode it is a gate, whose DPL
 * must not be below CPL, but for INT1.  An interrupt of virtual-8086 mode goes to CPL 0 and takes
 * its data segments along on the stack; a gate in long mode pushes SS:RSP always.
 *
 * INT1 counts as an event from outside: its faults have EXT set.  Left alone, and so UNKNOWN: INT n
 * of virtual-8086 mode with CR4.VME, which a bitmap in the TSS redirects.
 */
#include "emulate/far.h"

#define INTERRUPT_CR0_PE  UINT64_C(0x1)
#define INTERRUPT_CR4_VME UINT64_C(0x1)

#define GATE_TASK   0x5u
#define GATE_INT_16 0x6u
#define GATE_TRAP   0x1u /* Beside the type of an interrupt gate. */
#define GATE_IS_32  0x8u
#define ERROR_IDT   0x2u

struct interrupt {
	struct svm_descriptor gate; /* .selector is the error code of its faults. */
	uint8_t vector;
	bool is_int_n;
	bool is_external; /* INT1. */
};

/* --- real mode -------------------------------------------------------------------------------- */

/* A vector's entry is offset and selector, 4 bytes, in a table that LIDT may have moved. */
static enum svm_emul_result read_real_vector(struct svm_emul *e, uint8_t vector, uint64_t *entry)
{
	struct svm_emul_segment idt;
	struct svm_emul_span span;
	enum svm_emul_result result;

	e->ops->store_segment(e->arg, SVM_EMUL_IDTR, &idt);
	if (vector * 4u + 3 > idt.limit)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_emul_prepare_linear(e, (uint32_t)(idt.base + vector * 4u), 4,
	                                 SVM_EMUL_READ | SVM_EMUL_SYSTEM, &span);
	return result == SVM_EMUL_OK ? svm_emul_load_u64(e, &span, entry) : result;
}

static enum svm_emul_result real_interrupt(struct svm_emul *e, uint8_t vector)
{
	struct svm_far_frame frame = { .width = 2 };
	struct svm_far_target target;
	struct svm_far_stack stack;
	uint64_t entry = 0;
	enum svm_emul_result result = read_real_vector(e, vector, &entry);

	svm_far_real_target(e, (uint16_t)(entry >> 16), entry & 0xffff, &target);
	svm_far_keep_stack(e, e->mode, &stack);
	svm_far_push(&frame, e->rflags);
	svm_far_push(&frame, e->segment[SVM_EMUL_CS].selector);
	svm_far_push(&frame, svm_emul_rip_after(e));
	if (result == SVM_EMUL_OK)
		result = svm_far_write_frame(e, &target, &stack, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	e->rflags &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
	return svm_far_go(e, &target, &stack, frame.rsp);
}

/* --- gates ------------------------------------------------------------------------------------ */

static enum svm_emul_result read_gate_of(struct svm_emul *e, struct interrupt *i)
{
	const unsigned size = svm_emul_in_long_mode(e) ? 16 : 8, offset = i->vector * size;
	struct svm_emul_segment idt;
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t linear;

	i->gate = (struct svm_descriptor){ .selector = (uint16_t)(i->vector * 8u | ERROR_IDT) };
	e->ops->store_segment(e->arg, SVM_EMUL_IDTR, &idt);
	if (offset + size - 1 > idt.limit)
		return svm_emul_raise_error(e, VECTOR_GP, i->gate.selector);
	linear = svm_emul_in_long_mode(e) ? idt.base + offset : (uint32_t)(idt.base + offset);
	result = svm_emul_prepare_linear(e, linear, size, SVM_EMUL_READ | SVM_EMUL_SYSTEM, &span);
	return result == SVM_EMUL_OK ? svm_emul_load(e, &span, i->gate.word) : result;
}

static bool is_interrupt_gate(const struct svm_emul *e, unsigned type)
{
	if (svm_emul_in_long_mode(e))
		return (type & ~GATE_TRAP) == (GATE_INT_16 | GATE_IS_32);
	return (type & ~(GATE_TRAP | GATE_IS_32)) == GATE_INT_16 || type == GATE_TASK;
}

static enum svm_emul_result judge_gate_of(struct svm_emul *e, const struct interrupt *i)
{
	const unsigned attributes = svm_descriptor_attributes(&i->gate);

	if (!is_interrupt_gate(e, attributes & 0x1f))
		return svm_emul_raise_error(e, VECTOR_GP, i->gate.selector);
	if (!i->is_external && svm_descriptor_dpl(&i->gate) < e->cpl)
		return svm_emul_raise_error(e, VECTOR_GP, i->gate.selector);
	if (!(attributes & DESCRIPTOR_P))
		return svm_emul_raise_error(e, VECTOR_NP, i->gate.selector);
	return SVM_EMUL_OK;
}

static enum svm_emul_result find_handler(struct svm_emul *e, const struct interrupt *i,
                                         struct svm_far_target *target)
{
	const uint64_t low = i->gate.word[0];
	const bool is_wide = svm_descriptor_attributes(&i->gate) & GATE_IS_32;
	const uint64_t rip = (low & 0xffff) | (is_wide ? low >> 32 & 0xffff0000 : 0) |
	                     i->gate.word[1] << 32;
	const enum svm_emul_result result =
		svm_far_gate_target(e, (uint16_t)(low >> 16), rip, target);

	/* Virtual-8086 mode is left for CPL 0 and nothing else. */
	if (result == SVM_EMUL_OK && e->in_vm86 && target->cpl != 0)
		return svm_descriptor_fault(e, VECTOR_GP, target->descriptor.selector);
	return result;
}

/* In long mode RSP is aligned, whosever it is. */
static enum svm_emul_result find_handler_stack(struct svm_emul *e, const struct interrupt *i,
                                               const struct svm_far_target *target,
                                               struct svm_far_stack *stack)
{
	const bool is_long = svm_emul_in_long_mode(e);
	const unsigned ist = is_long ? (unsigned)(i->gate.word[0] >> 32) & 7u : 0;
	enum svm_emul_result result = SVM_EMUL_OK;

	if (target->cpl == e->cpl && !ist)
		svm_far_keep_stack(e, svm_far_mode(e, &target->cs), stack);
	else
		result = svm_far_inner_stack(e, target, ist, stack);
	if (is_long)
		stack->rsp &= ~UINT64_C(0xf);
	return result;
}

/* The return address is behind the instruction, which has ended: RF is clear by then. */
static void fill_interrupt_frame(const struct svm_emul *e, const struct interrupt *i, bool is_inner,
                                 struct svm_far_frame *frame)
{
	const bool is_wide = svm_descriptor_attributes(&i->gate) & GATE_IS_32;
	const struct svm_emul_segment *const segment = e->segment;

	frame->width = svm_emul_in_long_mode(e) ? 8 : is_wide ? 4 : 2;
	if (e->in_vm86) {
		svm_far_push(frame, segment[SVM_EMUL_GS].selector);
		svm_far_push(frame, segment[SVM_EMUL_FS].selector);
		svm_far_push(frame, segment[SVM_EMUL_DS].selector);
		svm_far_push(frame, segment[SVM_EMUL_ES].selector);
	}
	if (is_inner || svm_emul_in_long_mode(e)) {
		svm_far_push(frame, segment[SVM_EMUL_SS].selector);
		svm_far_push(frame, e->gpr[SVM_EMUL_RSP]);
	}
	svm_far_push(frame, e->rflags & ~FLAG_RF);
	svm_far_push(frame, segment[SVM_EMUL_CS].selector);
	svm_far_push(frame, svm_emul_rip_after(e));
}

/* Trap gates leave IF alone; the data segments of virtual-8086 mode mean nothing to the handler. */
static void enter_handler(struct svm_emul *e, const struct interrupt *i)
{
	static const uint8_t segments[] = { SVM_EMUL_ES, SVM_EMUL_DS, SVM_EMUL_FS, SVM_EMUL_GS };
	const struct svm_emul_segment null = { .selector = 0 };

	for (size_t n = 0; n < sizeof(segments) && e->in_vm86; n++)
		e->ops->load_segment(e->arg, segments[n], &null);
	e->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM);
	if (!(svm_descriptor_attributes(&i->gate) & GATE_TRAP))
		e->rflags &= ~FLAG_IF;
}

static enum svm_emul_result through_gate(struct svm_emul *e, const struct interrupt *i)
{
	struct svm_far_frame frame = { .count = 0 };
	struct svm_far_target target;
	struct svm_far_stack stack;
	enum svm_emul_result result = find_handler(e, i, &target);

	if (result == SVM_EMUL_OK)
		result = find_handler_stack(e, i, &target, &stack);
	if (result != SVM_EMUL_OK)
		return result;
	fill_interrupt_frame(e, i, target.cpl != e->cpl, &frame);
	result = svm_far_write_frame(e, &target, &stack, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	enter_handler(e, i);
	return svm_far_go(e, &target, &stack, frame.rsp);
}

/* In virtual-8086 mode INT n is a matter of IOPL; INT3, INTO and INT1 are not. */
static enum svm_emul_result check_virtual_interrupt(struct svm_emul *e, const struct interrupt *i)
{
	if (!e->in_vm86 || !i->is_int_n)
		return SVM_EMUL_OK;
	if (e->cr4 & INTERRUPT_CR4_VME)
		return SVM_EMUL_UNKNOWN;
	return (e->rflags & FLAG_IOPL) == FLAG_IOPL ? SVM_EMUL_OK
	                                            : svm_emul_raise_error(e, VECTOR_GP, 0);
}

static enum svm_emul_result protected_interrupt(struct svm_emul *e, struct interrupt *i)
{
	enum svm_emul_result result = check_virtual_interrupt(e, i);

	if (result == SVM_EMUL_OK)
		result = read_gate_of(e, i);
	if (result == SVM_EMUL_OK)
		result = judge_gate_of(e, i);
	if (result != SVM_EMUL_OK)
		return result;
	if ((svm_descriptor_attributes(&i->gate) & 0x1f) == GATE_TASK)
		return svm_exec_task(e, (uint16_t)(i->gate.word[0] >> 16), SVM_EMUL_TASK_EVENT);
	return through_gate(e, i);
}

/* --- dispatch --------------------------------------------------------------------------------- */

static enum svm_emul_result interrupt(struct svm_emul *e, uint8_t vector)
{
	struct interrupt i = {
		.vector = vector,
		.is_int_n = e->insn.kind == SVM_INSN_INT,
		.is_external = e->insn.kind == SVM_INSN_INT1,
	};
	enum svm_emul_result result;

	if (!(e->cr0 & INTERRUPT_CR0_PE))
		return real_interrupt(e, vector);
	result = protected_interrupt(e, &i);
	if (result == SVM_EMUL_FAULT && i.is_external && svm_names_selector(e->fault.vector))
		e->fault.error |= SVM_ERROR_EXT;
	return result;
}

enum svm_emul_result svm_exec_interrupt(struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_INT1:
		return interrupt(e, VECTOR_DB);
	case SVM_INSN_INT3:
		return interrupt(e, VECTOR_BP);
	case SVM_INSN_INTO:
		if (e->rflags & FLAG_OF)
			return interrupt(e, VECTOR_OF);
		e->rip = svm_emul_rip_after(e);
		return SVM_EMUL_OK;
	default:
		return interrupt(e, (uint8_t)e->insn.imm[0]);
	}
}
