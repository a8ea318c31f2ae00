/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Integer instructions with an operand in memory.  APM vol. 3, 3 and appendix A.
 *
 * A locked instruction on RAM within one page is an atomic compare-exchange of the host.  Over a
 * page boundary, or on a device, it is a read and a write: atomic among emulated accesses only as
 * far as the owner serialises them.
 */
#include "emulate/internal.h"

#define LOCK_TRIES 16u

/* The r/m operand, prepared: a register, or a span of memory. */
struct operand {
	bool is_memory;
	unsigned reg, size;
	struct svm_emul_span span;
};

static enum svm_emul_result prepare_rm(struct svm_emul *e, unsigned size, uint32_t access,
                                       struct operand *op)
{
	unsigned segment;
	uint64_t offset;

	op->size = size;
	op->is_memory = svm_emul_rm_is_memory(e);
	op->reg = svm_emul_rm(e);
	if (!op->is_memory)
		return SVM_EMUL_OK;
	offset = svm_emul_effective_address(e, &segment);
	return svm_emul_prepare(e, segment, offset, size, access, &op->span);
}

static enum svm_emul_result read_operand(struct svm_emul *e, const struct operand *op,
                                         uint64_t *value)
{
	if (op->is_memory)
		return svm_emul_load_u64(e, &op->span, value);
	*value = svm_emul_get_reg(e, op->reg, op->size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result write_operand(struct svm_emul *e, const struct operand *op,
                                          uint64_t value)
{
	if (op->is_memory)
		return svm_emul_store_u64(e, &op->span, value);
	svm_emul_set_reg(e, op->reg, op->size, value);
	return SVM_EMUL_OK;
}

static enum svm_emul_result finish(struct svm_emul *e)
{
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}

/* Width of the forms that come in pairs: even opcode bytes, odd operand size. */
static unsigned pair_width(const struct svm_emul *e)
{
	return e->insn.opcode & 1 ? svm_emul_width(e) : 1;
}

/* --- read, compute, write -------------------------------------------------------------------- */

enum rmw_op {
	RMW_ALU, /* sub: enum svm_alu_op */
	RMW_SHIFT, /* sub: enum svm_shift_op */
	RMW_SHLD,
	RMW_SHRD,
	RMW_INC,
	RMW_DEC,
	RMW_NEG,
	RMW_NOT,
	RMW_XADD,
	RMW_XCHG,
};

static uint64_t compute(enum rmw_op op, unsigned sub, uint64_t old, uint64_t source, uint8_t count,
                        unsigned size, uint64_t *flags)
{
	switch (op) {
	case RMW_ALU:
		return svm_alu((enum svm_alu_op)sub, old, source, size, flags);
	case RMW_SHIFT:
		return svm_alu_shift((enum svm_shift_op)sub, old, count, size, flags);
	case RMW_SHLD:
		return svm_alu_shld(old, source, count, size, flags);
	case RMW_SHRD:
		return svm_alu_shrd(old, source, count, size, flags);
	case RMW_INC:
		return svm_alu_inc(old, size, flags);
	case RMW_DEC:
		return svm_alu_dec(old, size, flags);
	case RMW_NEG:
		return svm_alu_neg(old, size, flags);
	case RMW_NOT:
		return ~old & svm_emul_mask(size);
	case RMW_XADD:
		return svm_alu(ALU_ADD, old, source, size, flags);
	case RMW_XCHG:
		break;
	}
	return source;
}

/* OK and not *stored: locked, and another processor was faster. */
static enum svm_emul_result store_result(struct svm_emul *e, const struct operand *op, bool locked,
                                         uint64_t old, uint64_t new, bool *stored)
{
	if (locked && op->is_memory)
		return svm_emul_replace(e, &op->span, &old, &new, stored);
	*stored = true;
	return write_operand(e, op, new);
}

/* Tries again where another processor was faster; *old is what the successful try found. */
static enum svm_emul_result rmw(struct svm_emul *e, enum rmw_op op, unsigned sub, unsigned size,
                                uint64_t source, uint8_t count, uint64_t *old)
{
	const bool locked = (e->insn.prefixes & SVM_INSN_LOCK) || op == RMW_XCHG;
	enum svm_emul_result result;
	struct operand operand;
	uint64_t flags, new;
	bool stored;

	result = prepare_rm(e, size, SVM_EMUL_READ | SVM_EMUL_WRITE, &operand);
	for (unsigned i = 0; result == SVM_EMUL_OK && i < LOCK_TRIES; i++) {
		result = read_operand(e, &operand, old);
		if (result != SVM_EMUL_OK)
			break;
		flags = e->rflags;
		new = compute(op, sub, *old, source, count, size, &flags);
		result = store_result(e, &operand, locked, *old, new, &stored);
		if (result == SVM_EMUL_OK && stored) {
			e->rflags = flags;
			return finish(e);
		}
	}
	return result == SVM_EMUL_OK ? SVM_EMUL_RETRY : result;
}

static enum svm_emul_result rmw_plain(struct svm_emul *e, enum rmw_op op, unsigned sub,
                                      unsigned size, uint64_t source, uint8_t count)
{
	uint64_t old;

	return rmw(e, op, sub, size, source, count, &old);
}

/* CMP and TEST write nothing, so they need no right to. */
static enum svm_emul_result compare(struct svm_emul *e, enum svm_alu_op op, unsigned size,
                                    uint64_t source)
{
	enum svm_emul_result result;
	struct operand operand;
	uint64_t value;

	result = prepare_rm(e, size, SVM_EMUL_READ, &operand);
	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_alu(op, value, source, size, &e->rflags);
	return finish(e);
}

/* op r/m, source */
static enum svm_emul_result alu_rm(struct svm_emul *e, unsigned op, unsigned size, uint64_t source)
{
	if (op == ALU_CMP)
		return compare(e, ALU_CMP, size, source);
	return rmw_plain(e, RMW_ALU, op, size, source, 0);
}

/* op register, value */
static enum svm_emul_result alu_register(struct svm_emul *e, unsigned op, unsigned reg,
                                         unsigned size, uint64_t value)
{
	const uint64_t result = svm_alu((enum svm_alu_op)op, svm_emul_get_reg(e, reg, size), value,
	                                size, &e->rflags);

	if (op != ALU_CMP)
		svm_emul_set_reg(e, reg, size, result);
	return finish(e);
}

/* op reg, r/m */
static enum svm_emul_result alu_reg_rm(struct svm_emul *e, unsigned op, unsigned size)
{
	enum svm_emul_result result;
	struct operand operand;
	uint64_t value;

	result = prepare_rm(e, size, SVM_EMUL_READ, &operand);
	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	if (result != SVM_EMUL_OK)
		return result;
	return alu_register(e, op, svm_emul_reg(e), size, value);
}

/* 00 to 3D: the operation in bits 5:3, the form in 2:0. */
static enum svm_emul_result alu_block(struct svm_emul *e)
{
	const unsigned op = e->insn.opcode >> 3, size = pair_width(e);

	switch (e->insn.opcode & 7) {
	case 0:
	case 1:
		return alu_rm(e, op, size, svm_emul_get_reg(e, svm_emul_reg(e), size));
	case 2:
	case 3:
		return alu_reg_rm(e, op, size);
	case 4:
	case 5:
		return alu_register(e, op, SVM_EMUL_RAX, size, e->insn.imm[0]);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* --- moves ------------------------------------------------------------------------------------ */

static enum svm_emul_result move_to_rm(struct svm_emul *e, unsigned size, uint64_t value)
{
	struct operand operand;
	enum svm_emul_result result = prepare_rm(e, size, SVM_EMUL_WRITE, &operand);

	if (result == SVM_EMUL_OK)
		result = write_operand(e, &operand, value);
	return result == SVM_EMUL_OK ? finish(e) : result;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	const unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* reg = r/m, from one width to another. */
static enum svm_emul_result move_from_rm(struct svm_emul *e, unsigned from, unsigned to,
                                         bool is_signed)
{
	struct operand operand;
	uint64_t value;
	enum svm_emul_result result = prepare_rm(e, from, SVM_EMUL_READ, &operand);

	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_signed)
		value = sign_extend(value, from);
	svm_emul_set_reg(e, svm_emul_reg(e), to, value);
	return finish(e);
}

/* A0 to A3: the offset is as wide as an address, and not sign-extended. */
static enum svm_emul_result move_offset(struct svm_emul *e)
{
	const unsigned size = pair_width(e);
	const bool is_store = e->insn.opcode & 2;
	const uint64_t offset = (uint64_t)e->insn.disp & svm_emul_address_mask(e);
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t value;

	result = svm_emul_prepare(e, svm_emul_data_segment(e, SVM_EMUL_DS), offset, size,
	                          is_store ? SVM_EMUL_WRITE : SVM_EMUL_READ, &span);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_store) {
		result = svm_emul_store_u64(e, &span, svm_emul_get_reg(e, SVM_EMUL_RAX, size));
	} else {
		result = svm_emul_load_u64(e, &span, &value);
		if (result == SVM_EMUL_OK)
			svm_emul_set_reg(e, SVM_EMUL_RAX, size, value);
	}
	return result == SVM_EMUL_OK ? finish(e) : result;
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
	uint64_t swapped = 0;

	for (unsigned i = 0; i < size; i++)
		swapped |= (value >> (8 * i) & 0xff) << (8 * (size - 1 - i));
	return swapped;
}

static enum svm_emul_result movbe(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_reg(e);
	struct operand operand;
	uint64_t value;
	enum svm_emul_result result;

	if (e->insn.opcode == 0xf1)
		return move_to_rm(e, size, swap_bytes(svm_emul_get_reg(e, reg, size), size));
	result = prepare_rm(e, size, SVM_EMUL_READ, &operand);
	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, reg, size, swap_bytes(value, size));
	return finish(e);
}

/* A 32-bit CMOV clears the upper half even when nothing moves. */
static enum svm_emul_result cmov(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_reg(e);
	const bool holds = svm_alu_condition(e->insn.opcode & 15, e->rflags);
	struct operand operand;
	uint64_t value;
	enum svm_emul_result result = prepare_rm(e, size, SVM_EMUL_READ, &operand);

	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, reg, size, holds ? value : svm_emul_get_reg(e, reg, size));
	return finish(e);
}

/* --- exchanges -------------------------------------------------------------------------------- */

static enum svm_emul_result exchange(struct svm_emul *e, enum rmw_op op)
{
	const unsigned size = pair_width(e), reg = svm_emul_reg(e);
	const uint64_t source = svm_emul_get_reg(e, reg, size);
	uint64_t old;
	const enum svm_emul_result result = rmw(e, op, 0, size, source, 0, &old);

	/*
	 * XADD writes the register first and the destination last: with one register for both the
	 * sum stays.  rmw() has written the destination already, so the register waits its turn
	 * only where it is another one.
	 */
	if (result == SVM_EMUL_OK &&
	    (svm_emul_rm_is_memory(e) || op == RMW_XCHG || svm_emul_rm(e) != reg))
		svm_emul_set_reg(e, reg, size, old);
	return result;
}

/* A failed comparison still writes memory: the old value.  A register it leaves alone. */
static enum svm_emul_result cmpxchg(struct svm_emul *e)
{
	const unsigned size = pair_width(e);
	const uint64_t source = svm_emul_get_reg(e, svm_emul_reg(e), size);
	const uint64_t wanted = svm_emul_get_reg(e, SVM_EMUL_RAX, size);
	const bool locked = e->insn.prefixes & SVM_INSN_LOCK;
	struct operand operand;
	enum svm_emul_result result;
	uint64_t old = 0, flags;
	bool stored = true;

	result = prepare_rm(e, size, SVM_EMUL_READ | SVM_EMUL_WRITE, &operand);
	for (unsigned i = 0; result == SVM_EMUL_OK && i < LOCK_TRIES; i++) {
		result = read_operand(e, &operand, &old);
		if (result != SVM_EMUL_OK)
			return result;
		if (operand.is_memory || old == wanted)
			result = store_result(e, &operand, locked, old,
			                      old == wanted ? source : old, &stored);
		if (result != SVM_EMUL_OK)
			return result;
		if (!stored)
			continue;
		flags = e->rflags;
		svm_alu(ALU_CMP, wanted, old, size, &flags);
		e->rflags = flags;
		if (old != wanted)
			svm_emul_set_reg(e, SVM_EMUL_RAX, size, old);
		return finish(e);
	}
	return result == SVM_EMUL_OK ? SVM_EMUL_RETRY : result;
}

/* CMPXCHG8B and 16B: the operand size is REX.W's alone; only ZF changes. */
static enum svm_emul_result cmpxchg_pair(struct svm_emul *e)
{
	const unsigned half = e->insn.rex & SVM_INSN_REX_W ? 8 : 4;
	const bool locked = e->insn.prefixes & SVM_INSN_LOCK;
	uint64_t old[2] = { 0, 0 }, wanted[2], source[2];
	uint8_t bytes[16], new[16];
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t offset, linear;
	unsigned segment;
	bool equal, stored = true;

	if (!svm_emul_rm_is_memory(e))
		return SVM_EMUL_UNKNOWN;
	offset = svm_emul_effective_address(e, &segment);
	result = svm_emul_linear(e, segment, offset, 2 * half, SVM_EMUL_READ | SVM_EMUL_WRITE,
	                         &linear);
	if (result != SVM_EMUL_OK)
		return result;
	/* 16 bytes must be aligned; this comes before #AC and #PF. */
	if (half == 8 && (linear & 15))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_emul_prepare(e, segment, offset, 2 * half, SVM_EMUL_READ | SVM_EMUL_WRITE,
	                          &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load(e, &span, bytes);
	if (result != SVM_EMUL_OK)
		return result;

	memcpy(&old[0], bytes, half);
	memcpy(&old[1], bytes + half, half);
	wanted[0] = svm_emul_get_reg(e, SVM_EMUL_RAX, half);
	wanted[1] = svm_emul_get_reg(e, SVM_EMUL_RDX, half);
	source[0] = svm_emul_get_reg(e, SVM_EMUL_RBX, half);
	source[1] = svm_emul_get_reg(e, SVM_EMUL_RCX, half);
	equal = old[0] == wanted[0] && old[1] == wanted[1];
	memcpy(new, equal ? &source[0] : &old[0], half);
	memcpy(new + half, equal ? &source[1] : &old[1], half);
	result = locked ? svm_emul_replace(e, &span, bytes, new, &stored)
	                : svm_emul_store(e, &span, new);
	if (result != SVM_EMUL_OK)
		return result;
	if (!stored)
		return SVM_EMUL_RETRY;

	if (equal) {
		e->rflags |= FLAG_ZF;
	} else {
		e->rflags &= ~FLAG_ZF;
		svm_emul_set_reg(e, SVM_EMUL_RAX, half, old[0]);
		svm_emul_set_reg(e, SVM_EMUL_RDX, half, old[1]);
	}
	return finish(e);
}

/* --- the stack -------------------------------------------------------------------------------- */

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
	return finish(e);
}

static enum svm_emul_result push_rm(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	struct operand operand;
	uint64_t value;
	enum svm_emul_result result = prepare_rm(e, size, SVM_EMUL_READ, &operand);

	if (result == SVM_EMUL_OK)
		result = read_operand(e, &operand, &value);
	return result == SVM_EMUL_OK ? push_value(e, size, value) : result;
}

/* The address of the destination is computed with the RSP after the pop. */
static enum svm_emul_result pop_rm(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	const uint64_t old_rsp = e->gpr[SVM_EMUL_RSP];
	struct svm_emul_span from;
	struct operand to;
	uint64_t rsp, value;
	enum svm_emul_result result = svm_emul_prepare_pop(e, size, &rsp, &from);

	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	result = prepare_rm(e, size, SVM_EMUL_WRITE, &to);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &from, &value);
	if (result == SVM_EMUL_OK)
		result = write_operand(e, &to, value);
	if (result != SVM_EMUL_OK) {
		e->gpr[SVM_EMUL_RSP] = old_rsp;
		return result;
	}
	return finish(e);
}

static enum svm_emul_result pop_register(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	const unsigned reg = (e->insn.opcode & 7u) | (e->insn.rex & SVM_INSN_REX_B ? 8u : 0u);
	struct svm_emul_span span;
	uint64_t rsp, value;
	enum svm_emul_result result = svm_emul_prepare_pop(e, size, &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &value);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	svm_emul_set_reg(e, reg, size, value); /* POP rSP: the value popped wins. */
	return finish(e);
}

/* --- groups ----------------------------------------------------------------------------------- */

static enum svm_emul_result shift_group(struct svm_emul *e)
{
	uint8_t count = 1;

	if (e->insn.opcode < 0xd0)
		count = (uint8_t)e->insn.imm[0];
	else if (e->insn.opcode & 2)
		count = (uint8_t)e->gpr[SVM_EMUL_RCX];
	return rmw_plain(e, RMW_SHIFT, svm_insn_reg(&e->insn), pair_width(e), 0, count);
}

static enum svm_emul_result double_shift(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);
	const bool left = e->insn.opcode < 0xa8, by_cl = e->insn.opcode & 1;
	const uint8_t count = (uint8_t)(by_cl ? e->gpr[SVM_EMUL_RCX] : e->insn.imm[0]);

	return rmw_plain(e, left ? RMW_SHLD : RMW_SHRD, 0, size,
	                 svm_emul_get_reg(e, svm_emul_reg(e), size), count);
}

/* F6, F7: TEST, NOT, NEG.  Multiplication and division are exec_bits.c's. */
static enum svm_emul_result unary_group(struct svm_emul *e)
{
	const unsigned size = pair_width(e);

	switch (svm_insn_reg(&e->insn)) {
	case 0:
	case 1: /* The undocumented alias. */
		return compare(e, ALU_AND, size, e->insn.imm[0]);
	case 2:
		return rmw_plain(e, RMW_NOT, 0, size, 0, 0);
	case 3:
		return rmw_plain(e, RMW_NEG, 0, size, 0, 0);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* FE, FF: INC, DEC, PUSH.  CALL and JMP are exec_branch.c's. */
static enum svm_emul_result increment_group(struct svm_emul *e)
{
	switch (svm_insn_reg(&e->insn)) {
	case 0:
		return rmw_plain(e, RMW_INC, 0, pair_width(e), 0, 0);
	case 1:
		return rmw_plain(e, RMW_DEC, 0, pair_width(e), 0, 0);
	case 6:
		return e->insn.opcode == 0xff ? push_rm(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* --- opcode maps ------------------------------------------------------------------------------ */

static enum svm_emul_result primary(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;
	const unsigned size = pair_width(e), reg = svm_emul_reg(e);

	if (opcode < 0x40)
		return alu_block(e);
	if (opcode >= 0x50 && opcode <= 0x57)
		return push_value(
			e, svm_emul_stack_width(e),
			svm_emul_get_reg(e,
		                         (opcode & 7u) | (e->insn.rex & SVM_INSN_REX_B ? 8u : 0u),
		                         svm_emul_stack_width(e)));
	if (opcode >= 0x58 && opcode <= 0x5f)
		return pop_register(e);
	switch (opcode) {
	case 0x63:
		/* MOVSXD reads 32 bits whatever the operand size, on AMD processors. */
		return svm_emul_is_long(e) ? move_from_rm(e, 4, svm_emul_width(e), true)
		                           : SVM_EMUL_UNKNOWN;
	case 0x68:
	case 0x6a:
		return push_value(e, svm_emul_stack_width(e), e->insn.imm[0]);
	case 0x80:
	case 0x81:
	case 0x82:
		return alu_rm(e, svm_insn_reg(&e->insn), size, e->insn.imm[0]);
	case 0x83:
		return alu_rm(e, svm_insn_reg(&e->insn), svm_emul_width(e), e->insn.imm[0]);
	case 0x84:
	case 0x85:
		return compare(e, ALU_AND, size, svm_emul_get_reg(e, reg, size));
	case 0x86:
	case 0x87:
		return exchange(e, RMW_XCHG);
	case 0x88:
	case 0x89:
		return move_to_rm(e, size, svm_emul_get_reg(e, reg, size));
	case 0x8a:
	case 0x8b:
		return move_from_rm(e, size, size, false);
	case 0x8f:
		return svm_insn_reg(&e->insn) == 0 ? pop_rm(e) : SVM_EMUL_UNKNOWN;
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return move_offset(e);
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return shift_group(e);
	case 0xc6:
	case 0xc7:
		return svm_insn_reg(&e->insn) == 0 ? move_to_rm(e, size, e->insn.imm[0])
		                                   : SVM_EMUL_UNKNOWN;
	case 0xf6:
	case 0xf7:
		return unary_group(e);
	case 0xfe:
	case 0xff:
		return increment_group(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

static enum svm_emul_result extended(struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;

	if (opcode >= 0x40 && opcode <= 0x4f)
		return cmov(e);
	if (opcode >= 0x90 && opcode <= 0x9f)
		return move_to_rm(e, 1, svm_alu_condition(opcode & 15, e->rflags));
	switch (opcode) {
	case 0x0d: /* PREFETCH */
	case 0x18: /* PREFETCHh */
	case 0x1f: /* NOP with an operand: none of them touches memory. */
		return finish(e);
	case 0xa4:
	case 0xa5:
	case 0xac:
	case 0xad:
		return double_shift(e);
	case 0xb0:
	case 0xb1:
		return cmpxchg(e);
	case 0xb6:
	case 0xb7:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), false);
	case 0xbe:
	case 0xbf:
		return move_from_rm(e, opcode & 1 ? 2 : 1, svm_emul_width(e), true);
	case 0xc0:
	case 0xc1:
		return exchange(e, RMW_XADD);
	case 0xc3: /* MOVNTI */
		return svm_emul_rm_is_memory(e)
		               ? move_to_rm(e, svm_emul_width(e),
		                            svm_emul_get_reg(e, svm_emul_reg(e), svm_emul_width(e)))
		               : SVM_EMUL_UNKNOWN;
	case 0xc7:
		return svm_insn_reg(&e->insn) == 1 ? cmpxchg_pair(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_integer(struct svm_emul *e)
{
	if (e->insn.encoding != SVM_INSN_LEGACY)
		return SVM_EMUL_UNKNOWN;
	switch (e->insn.map) {
	case SVM_INSN_MAP_PRIMARY:
		return primary(e);
	case SVM_INSN_MAP_0F:
		return extended(e);
	case SVM_INSN_MAP_0F38:
		/* With F2 these are CRC32. */
		if ((e->insn.opcode == 0xf0 || e->insn.opcode == 0xf1) &&
		    svm_emul_rm_is_memory(e) && !(e->insn.prefixes & SVM_INSN_REPNE))
			return movbe(e);
		return SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
