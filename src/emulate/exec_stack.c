/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PUSH, POP, their forms for all registers, and the frames of ENTER and LEAVE.  APM vol. 3, 3.
 *
 * What stores more than once is checked whole before the first store: each push as one of its own,
 * and then all of them together.
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

/* --- PUSHA, POPA: eight registers, of which RSP is stored and not loaded ---------------------- */

#define ALL_REGISTERS 8u

/* A block of the stack, at most two pieces: an SP of 16 bits can wrap within it. */
struct stack_block {
	unsigned size[2]; /* Bytes, the lower addresses of the block's end first; [1] can be 0. */
	struct svm_emul_span span[2];
};

/* The bytes from RSP + from upwards; each element is checked alone, then the pieces as one. */
static enum svm_emul_result prepare_block(struct svm_emul *e, uint64_t from, unsigned element,
                                          uint32_t access, struct stack_block *block)
{
	const uint64_t mask = svm_emul_stack_mask(e), bottom = (e->gpr[SVM_EMUL_RSP] + from) & mask;
	const unsigned size = ALL_REGISTERS * element;
	enum svm_emul_result result = SVM_EMUL_OK;
	uint64_t linear;

	for (unsigned i = 0; result == SVM_EMUL_OK && i < ALL_REGISTERS; i++) {
		const unsigned nth = access & SVM_EMUL_WRITE ? ALL_REGISTERS - 1 - i : i;

		result = svm_emul_prepare(e, SVM_EMUL_SS, (bottom + nth * element) & mask, element,
		                          access, &block->span[0]);
	}
	block->size[0] = size;
	for (unsigned at = element; at < size; at += element)
		if (((bottom + at) & mask) < bottom && block->size[0] == size)
			block->size[0] = at;
	block->size[1] = size - block->size[0];
	for (unsigned i = 0; result == SVM_EMUL_OK && i < 2 && block->size[i]; i++) {
		result = svm_emul_linear(e, SVM_EMUL_SS,
		                         (bottom + i * block->size[0]) & mask, block->size[i],
		                         access, &linear);
		if (result == SVM_EMUL_OK)
			result = svm_emul_prepare_linear(e, linear, block->size[i], access,
			                                 &block->span[i]);
	}
	return result;
}

/* EAX is pushed first, so EDI lies lowest. */
static enum svm_emul_result push_registers(struct svm_emul *e)
{
	const unsigned element = svm_emul_width(e), size = ALL_REGISTERS * element;
	const uint64_t rsp = svm_emul_stack_move(e, -(uint64_t)size);
	struct stack_block block;
	uint8_t bytes[ALL_REGISTERS * 4];
	enum svm_emul_result result = prepare_block(e, -(uint64_t)size, element,
	                                            SVM_EMUL_READ | SVM_EMUL_WRITE, &block);

	for (unsigned i = 0; i < ALL_REGISTERS; i++)
		memcpy(bytes + i * element, &e->gpr[ALL_REGISTERS - 1 - i], element);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store(e, &block.span[0], bytes);
	if (result == SVM_EMUL_OK && block.size[1])
		result = svm_emul_store(e, &block.span[1], bytes + block.size[0]);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	return svm_emul_finish(e);
}

static enum svm_emul_result pop_registers(struct svm_emul *e)
{
	const unsigned element = svm_emul_width(e);
	struct stack_block block;
	uint8_t bytes[ALL_REGISTERS * 4];
	enum svm_emul_result result = prepare_block(e, 0, element, SVM_EMUL_READ, &block);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load(e, &block.span[0], bytes);
	if (result == SVM_EMUL_OK && block.size[1])
		result = svm_emul_load(e, &block.span[1], bytes + block.size[0]);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = svm_emul_stack_move(e, ALL_REGISTERS * element);
	for (unsigned i = 0; i < ALL_REGISTERS; i++) {
		uint64_t value = 0;

		memcpy(&value, bytes + i * element, element);
		if (ALL_REGISTERS - 1 - i != SVM_EMUL_RSP)
			svm_emul_set_reg(e, ALL_REGISTERS - 1 - i, element, value);
	}
	return svm_emul_finish(e);
}

/* --- ENTER, LEAVE ----------------------------------------------------------------------------- */

/* Nested frames: up to 31 pointers are copied from the frame before. */
struct stack_frame {
	unsigned size, level;
	uint64_t rsp, old_rsp, old_rbp;
	bool only_checks;
};

/* frame->rsp moves down by one element. */
static enum svm_emul_result push_on_frame(struct svm_emul *e, struct stack_frame *frame,
                                          uint64_t value)
{
	struct svm_emul_span span;
	uint64_t rsp;
	enum svm_emul_result result;

	e->gpr[SVM_EMUL_RSP] = frame->rsp;
	result = svm_emul_prepare_push(e, frame->size, &rsp, &span);
	e->gpr[SVM_EMUL_RSP] = frame->old_rsp;
	if (result == SVM_EMUL_OK && !frame->only_checks)
		result = svm_emul_store_u64(e, &span, value);
	frame->rsp = rsp;
	return result;
}

static enum svm_emul_result copy_frame_pointer(struct svm_emul *e, struct stack_frame *frame,
                                               unsigned n)
{
	const uint64_t offset =
		(frame->old_rbp - (uint64_t)n * frame->size) & svm_emul_stack_mask(e);
	struct svm_emul_span span;
	uint64_t value = 0;
	enum svm_emul_result result =
		svm_emul_prepare(e, SVM_EMUL_SS, offset, frame->size, SVM_EMUL_READ, &span);

	if (result == SVM_EMUL_OK && !frame->only_checks)
		result = svm_emul_load_u64(e, &span, &value);
	return result == SVM_EMUL_OK ? push_on_frame(e, frame, value) : result;
}

/* Everything that ENTER reads and pushes; *rbp is the new frame pointer. */
static enum svm_emul_result make_frame(struct svm_emul *e, struct stack_frame *frame, uint64_t *rbp)
{
	enum svm_emul_result result;

	frame->rsp = frame->old_rsp;
	result = push_on_frame(e, frame, frame->old_rbp);
	*rbp = frame->rsp;
	for (unsigned n = 1; result == SVM_EMUL_OK && n < frame->level; n++)
		result = copy_frame_pointer(e, frame, n);
	if (result == SVM_EMUL_OK && frame->level)
		result = push_on_frame(e, frame, *rbp);
	return result;
}

/* The end of the frame must be writable too, though nothing is written there. */
static enum svm_emul_result check_frame_end(struct svm_emul *e, const struct stack_frame *frame,
                                            uint64_t *rsp)
{
	struct svm_emul_span span;

	e->gpr[SVM_EMUL_RSP] = frame->rsp;
	*rsp = svm_emul_stack_move(e, -(e->insn.imm[0] & 0xffff));
	e->gpr[SVM_EMUL_RSP] = frame->old_rsp;
	return svm_emul_prepare(e, SVM_EMUL_SS, *rsp & svm_emul_stack_mask(e), frame->size,
	                        SVM_EMUL_READ | SVM_EMUL_WRITE, &span);
}

static enum svm_emul_result enter_frame(struct svm_emul *e)
{
	struct stack_frame frame = {
		.size = svm_emul_stack_width(e),
		.level = e->insn.imm[1] & 31,
		.old_rsp = e->gpr[SVM_EMUL_RSP],
		.old_rbp = e->gpr[SVM_EMUL_RBP],
		.only_checks = true,
	};
	uint64_t rbp, rsp = 0;
	enum svm_emul_result result = make_frame(e, &frame, &rbp);

	if (result == SVM_EMUL_OK)
		result = check_frame_end(e, &frame, &rsp);
	if (result != SVM_EMUL_OK)
		return result;
	frame.only_checks = false;
	result = make_frame(e, &frame, &rbp);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, SVM_EMUL_RBP, frame.size, rbp);
	e->gpr[SVM_EMUL_RSP] = rsp;
	return svm_emul_finish(e);
}

static enum svm_emul_result leave_frame(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	const uint64_t mask = svm_emul_stack_mask(e), old_rsp = e->gpr[SVM_EMUL_RSP];
	struct svm_emul_span span;
	uint64_t rsp, value = 0;
	enum svm_emul_result result;

	e->gpr[SVM_EMUL_RSP] = (old_rsp & ~mask) | (e->gpr[SVM_EMUL_RBP] & mask);
	result = svm_emul_prepare_pop(e, size, &rsp, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &value);
	e->gpr[SVM_EMUL_RSP] = result == SVM_EMUL_OK ? rsp : old_rsp;
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, SVM_EMUL_RBP, size, value);
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_stack(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;
	const unsigned size = svm_emul_stack_width(e), reg = svm_emul_opcode_reg(e);

	if (opcode >= 0x50 && opcode <= 0x57)
		return push_value(e, size, svm_emul_get_reg(e, reg, size));
	if (opcode >= 0x58 && opcode <= 0x5f)
		return pop_register(e, reg);
	switch (opcode) {
	case 0x60:
		return push_registers(e);
	case 0x61:
		return pop_registers(e);
	case 0x68:
	case 0x6a:
		return push_value(e, size, e->insn.imm[0]);
	case 0x8f:
		return svm_insn_reg(&e->insn) == 0 ? pop_rm(e) : SVM_EMUL_UNKNOWN;
	case 0xc8:
		return enter_frame(e);
	case 0xc9:
		return leave_frame(e);
	case 0xff:
		return svm_insn_reg(&e->insn) == 6 ? push_rm(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
