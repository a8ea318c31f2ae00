/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Far JMP, CALL and RET, IRET, and INT in real mode.  APM vol. 2, 4.10, 8.6, 8.7; vol. 3, 3.
 *
 * What old firmware needs: from one code segment to another of the same privilege, and the jump
 * that completes a switch between real and protected mode.  A far pointer has an offset of 16 or 32
 * bits; REX.W does not widen it, as in AMD's processors.
 *
 * Left alone, and so UNKNOWN: call gates, task gates and TSSs, returns to another privilege, IRET
 * in 64-bit mode or with NT set, IRET into or out of virtual-8086 mode, and interrupts through
 * gates. They change CPL, the stack or the task in the same step.  That an IRET ends the handler of
 * an NMI is for its owner to note.
 */
#include "emulate/descriptor.h"

#define FAR_EFER_LMA UINT64_C(0x400)

/* A judged target: what CS and RIP become. */
struct far_target {
	struct svm_emul_segment cs;
	uint64_t rip;
	struct svm_descriptor descriptor;
	bool has_descriptor; /* Not in real and virtual-8086 mode. */
};

/* --- code segments ---------------------------------------------------------------------------- */

static enum svm_emul_result code_fault(struct svm_emul *e, uint8_t vector, uint16_t selector)
{
	return svm_emul_raise_error(e, vector, selector & 0xfffcu);
}

static bool is_long_code(const struct svm_emul *e, const struct svm_emul_segment *cs)
{
	return (e->efer & FAR_EFER_LMA) && (cs->attributes & DESCRIPTOR_L);
}

/* Into 64-bit code any canonical address; elsewhere one within the limit. */
static enum svm_emul_result check_far_rip(struct svm_emul *e, const struct far_target *target)
{
	const unsigned shift = 64u - e->linear_bits;
	const uint64_t rip = target->rip;
	const bool fits = is_long_code(e, &target->cs)
	                          ? (uint64_t)((int64_t)(rip << shift) >> shift) == rip
	                          : rip <= target->cs.limit;

	return fits ? SVM_EMUL_OK : svm_emul_raise_error(e, VECTOR_GP, 0);
}

/*
 * JMP and CALL reach code of their own privilege, or conforming code of a higher one.  RET reaches
 * code whose RPL is the CPL: then the DPL decides as it did when the code was entered.
 */
static bool privilege_allows(const struct svm_emul *e, const struct svm_descriptor *d,
                             bool is_return)
{
	const unsigned dpl = svm_descriptor_dpl(d), rpl = d->selector & 3u;

	if (svm_descriptor_attributes(d) & DESCRIPTOR_CONFORMING)
		return dpl <= e->cpl;
	return dpl == e->cpl && (is_return || rpl <= e->cpl);
}

static enum svm_emul_result judge_code(struct svm_emul *e, const struct svm_descriptor *d,
                                       bool is_return)
{
	const unsigned type = svm_descriptor_attributes(d);

	if (!(type & DESCRIPTOR_S) || !(type & DESCRIPTOR_CODE))
		return code_fault(e, VECTOR_GP, d->selector);
	if ((e->efer & FAR_EFER_LMA) && (type & DESCRIPTOR_L) && (type & DESCRIPTOR_DB))
		return code_fault(e, VECTOR_GP, d->selector);
	if (!privilege_allows(e, d, is_return))
		return code_fault(e, VECTOR_GP, d->selector);
	if (!(type & DESCRIPTOR_P))
		return code_fault(e, VECTOR_NP, d->selector);
	return SVM_EMUL_OK;
}

/* Call gates, task gates and TSSs; whether this one may be used is not looked at. */
static bool is_gate(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d) & 0x1fu;

	if (e->efer & FAR_EFER_LMA)
		return type == 0xc;
	return type == 0x1 || type == 0x4 || type == 0x5 || type == 0x9 || type == 0xc;
}

static enum svm_emul_result find_protected(struct svm_emul *e, uint16_t selector, bool is_return,
                                           struct far_target *target)
{
	enum svm_emul_result result;

	if (selector <= 3)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (is_return && (selector & 3u) < e->cpl)
		return code_fault(e, VECTOR_GP, selector);
	if (is_return && (selector & 3u) > e->cpl)
		return SVM_EMUL_UNKNOWN;
	result = svm_descriptor_read(e, selector, 8, &target->descriptor);
	if (result != SVM_EMUL_OK)
		return result;
	if (!is_return && is_gate(e, &target->descriptor))
		return SVM_EMUL_UNKNOWN;
	result = judge_code(e, &target->descriptor, is_return);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_prepare_mark(e, DESCRIPTOR_ACCESSED, &target->descriptor);
	if (result != SVM_EMUL_OK)
		return result;
	target->has_descriptor = true;
	svm_descriptor_unpack(&target->descriptor, &target->cs);
	target->cs.attributes |= 1; /* Accessed. */
	target->cs.selector = (uint16_t)((selector & 0xfffcu) | e->cpl);
	return SVM_EMUL_OK;
}

/* CS alone; limit and attributes stay in real mode. */
static enum svm_emul_result find_target(struct svm_emul *e, uint16_t selector, uint64_t rip,
                                        bool is_return, struct far_target *target)
{
	enum svm_emul_result result = SVM_EMUL_OK;

	if (!e->ops->load_segment || !e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	memset(target, 0, sizeof(*target));
	target->rip = rip;
	if (e->mode == SVM_INSN_MODE_REAL) {
		target->cs = e->segment[SVM_EMUL_CS];
		target->cs.selector = selector;
		target->cs.base = (uint32_t)selector << 4;
	} else {
		result = find_protected(e, selector, is_return, target);
	}
	return result;
}

/* The mark in memory is the last thing that can fail. */
static enum svm_emul_result mark_target(struct svm_emul *e, struct far_target *target)
{
	return target->has_descriptor ? svm_descriptor_mark(e, &target->descriptor) : SVM_EMUL_OK;
}

static enum svm_emul_result go_to_target(struct svm_emul *e, const struct far_target *target,
                                         uint64_t rsp)
{
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->ops->load_segment(e->arg, SVM_EMUL_CS, &target->cs);
	e->rip = target->rip;
	return SVM_EMUL_OK;
}

/* --- the stack -------------------------------------------------------------------------------- */

/* Offset and selector of a far pointer, or a return address: 2, 4 or 8 bytes. */
static unsigned far_width(const struct svm_emul *e)
{
	return svm_emul_prefix_width(e);
}

/* Up to three pushes or pops, each an access of its own: the stack may wrap between two of them. */
struct far_frame {
	uint64_t value[3]; /* In the order of the stack: [0] lies lowest. */
	struct svm_emul_span span[3];
	uint64_t rsp;
};

static enum svm_emul_result prepare_far_push(struct svm_emul *e, unsigned count, unsigned width,
                                             struct far_frame *frame)
{
	const uint64_t old = e->gpr[SVM_EMUL_RSP];
	enum svm_emul_result result = SVM_EMUL_OK;

	frame->rsp = old;
	for (unsigned i = count; i > 0 && result == SVM_EMUL_OK; i--) {
		e->gpr[SVM_EMUL_RSP] = frame->rsp;
		result = svm_emul_prepare_push(e, width, &frame->rsp, &frame->span[i - 1]);
	}
	e->gpr[SVM_EMUL_RSP] = old;
	return result;
}

static enum svm_emul_result do_far_push(struct svm_emul *e, unsigned count,
                                        const struct far_frame *frame)
{
	enum svm_emul_result result = SVM_EMUL_OK;

	for (unsigned i = count; i > 0 && result == SVM_EMUL_OK; i--)
		result = svm_emul_store_u64(e, &frame->span[i - 1], frame->value[i - 1]);
	return result;
}

static enum svm_emul_result far_pop(struct svm_emul *e, unsigned count, unsigned width,
                                    struct far_frame *frame)
{
	const uint64_t old = e->gpr[SVM_EMUL_RSP];
	enum svm_emul_result result = SVM_EMUL_OK;

	frame->rsp = old;
	for (unsigned i = 0; i < count && result == SVM_EMUL_OK; i++) {
		e->gpr[SVM_EMUL_RSP] = frame->rsp;
		result = svm_emul_prepare_pop(e, width, &frame->rsp, &frame->span[i]);
	}
	e->gpr[SVM_EMUL_RSP] = old;
	for (unsigned i = 0; i < count && result == SVM_EMUL_OK; i++)
		result = svm_emul_load_u64(e, &frame->span[i], &frame->value[i]);
	return result;
}

/* --- JMP and CALL ----------------------------------------------------------------------------- */

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

static enum svm_emul_result far_transfer(struct svm_emul *e, uint16_t selector, uint64_t rip,
                                         bool is_call)
{
	struct far_frame frame = { .value = { svm_emul_rip_after(e),
		                              e->segment[SVM_EMUL_CS].selector } };
	struct far_target target;
	enum svm_emul_result result = find_target(e, selector, rip, false, &target);

	frame.rsp = e->gpr[SVM_EMUL_RSP];
	if (result == SVM_EMUL_OK && is_call)
		result = prepare_far_push(e, 2, far_width(e), &frame);
	if (result == SVM_EMUL_OK)
		result = check_far_rip(e, &target);
	if (result == SVM_EMUL_OK)
		result = mark_target(e, &target);
	if (result == SVM_EMUL_OK && is_call)
		result = do_far_push(e, 2, &frame);
	return result == SVM_EMUL_OK ? go_to_target(e, &target, frame.rsp) : result;
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

/* --- RET and IRET ----------------------------------------------------------------------------- */

static enum svm_emul_result far_return(struct svm_emul *e)
{
	const uint64_t release = e->insn.opcode == 0xca ? e->insn.imm[0] & 0xffff : 0;
	struct far_frame frame;
	struct far_target target;
	enum svm_emul_result result = far_pop(e, 2, far_width(e), &frame);

	if (result == SVM_EMUL_OK)
		result = find_target(e, (uint16_t)frame.value[1], frame.value[0], true, &target);
	if (result == SVM_EMUL_OK)
		result = check_far_rip(e, &target);
	if (result == SVM_EMUL_OK)
		result = mark_target(e, &target);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = frame.rsp;
	return go_to_target(e, &target, svm_emul_stack_move(e, release));
}

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

/* 64-bit mode pops SS:RSP too, VM86 has rules of its own, NT means a task. */
static enum svm_emul_result check_iret(struct svm_emul *e)
{
	if (svm_emul_is_long(e) || e->in_vm86)
		return SVM_EMUL_UNKNOWN;
	if (e->mode == SVM_INSN_MODE_REAL || !(e->rflags & FLAG_NT))
		return SVM_EMUL_OK;
	if (e->efer & FAR_EFER_LMA)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	return SVM_EMUL_UNKNOWN;
}

static enum svm_emul_result interrupt_return(struct svm_emul *e)
{
	const unsigned width = far_width(e);
	const uint64_t writable = iret_writable(e, width);
	struct far_frame frame;
	struct far_target target;
	enum svm_emul_result result = check_iret(e);

	if (result == SVM_EMUL_OK)
		result = far_pop(e, 3, width, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	if (e->mode != SVM_INSN_MODE_REAL && e->cpl == 0 && (frame.value[2] & FLAG_VM))
		return SVM_EMUL_UNKNOWN;
	result = find_target(e, (uint16_t)frame.value[1], frame.value[0], true, &target);
	if (result == SVM_EMUL_OK)
		result = check_far_rip(e, &target);
	if (result == SVM_EMUL_OK)
		result = mark_target(e, &target);
	if (result != SVM_EMUL_OK)
		return result;
	e->rflags = (e->rflags & ~(writable | FLAG_RF)) | (frame.value[2] & writable);
	e->keeps_rf = true;
	return go_to_target(e, &target, frame.rsp);
}

/* --- INT in real mode ------------------------------------------------------------------------- */

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
	struct far_frame frame = { .value = { svm_emul_rip_after(e),
		                              e->segment[SVM_EMUL_CS].selector, e->rflags } };
	struct far_target target;
	enum svm_emul_result result;
	uint64_t entry = 0;

	if ((e->cr0 & 1) || !e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	result = read_real_vector(e, vector, &entry);
	if (result == SVM_EMUL_OK)
		result = find_target(e, (uint16_t)(entry >> 16), entry & 0xffff, false, &target);
	if (result == SVM_EMUL_OK)
		result = prepare_far_push(e, 3, 2, &frame);
	if (result == SVM_EMUL_OK)
		result = check_far_rip(e, &target);
	if (result == SVM_EMUL_OK)
		result = do_far_push(e, 3, &frame);
	if (result != SVM_EMUL_OK)
		return result;
	e->rflags &= ~(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
	return go_to_target(e, &target, frame.rsp);
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
		return far_return(e);
	case 0xff:
		return reg == 3 || reg == 5 ? far_indirect(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_far(struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_IRET:
		return interrupt_return(e);
	case SVM_INSN_INT:
		return real_interrupt(e, (uint8_t)e->insn.imm[0]);
	case SVM_INSN_OTHER:
		return far_other(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
