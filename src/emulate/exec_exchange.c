/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * XCHG, XADD and the compare-exchanges.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

static enum svm_emul_result exchange(struct svm_emul *e, enum svm_rmw_op op)
{
	const unsigned size = svm_emul_pair_width(e), reg = svm_emul_reg(e);
	const uint64_t source = svm_emul_get_reg(e, reg, size);
	uint64_t old;
	const enum svm_emul_result result = svm_rmw(e, op, 0, size, source, 0, &old);

	/*
	 * XADD writes the register first and the destination last: with one register for both the
	 * sum stays.  svm_rmw() has written the destination already, so the register waits its turn
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
	const unsigned size = svm_emul_pair_width(e);
	const uint64_t source = svm_emul_get_reg(e, svm_emul_reg(e), size);
	const uint64_t wanted = svm_emul_get_reg(e, SVM_EMUL_RAX, size);
	const bool locked = e->insn.prefixes & SVM_INSN_LOCK;
	struct svm_operand operand;
	enum svm_emul_result result;
	uint64_t old = 0, flags;
	bool stored = true;

	result = svm_operand_prepare(e, size, SVM_EMUL_READ | SVM_EMUL_WRITE, &operand);
	for (unsigned i = 0; result == SVM_EMUL_OK && i < SVM_LOCK_TRIES; i++) {
		result = svm_operand_read(e, &operand, &old);
		if (result != SVM_EMUL_OK)
			return result;
		if (operand.is_memory || old == wanted)
			result = svm_rmw_store(e, &operand, locked, old,
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
		return svm_emul_finish(e);
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
	return svm_emul_finish(e);
}

/* XCHG rAX: with rAX itself it is NOP, and does not even clear the upper half. */
static enum svm_emul_result exchange_accumulator(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_opcode_reg(e);
	const uint64_t value = svm_emul_get_reg(e, reg, size);

	if (reg == SVM_EMUL_RAX)
		return svm_emul_finish(e);
	svm_emul_set_reg(e, reg, size, svm_emul_get_reg(e, SVM_EMUL_RAX, size));
	svm_emul_set_reg(e, SVM_EMUL_RAX, size, value);
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_exchange(struct svm_emul *e)
{
	if (e->insn.map == SVM_INSN_MAP_PRIMARY)
		return e->insn.opcode >= 0x90 ? exchange_accumulator(e) : exchange(e, RMW_XCHG);
	switch (e->insn.opcode) {
	case 0xb0:
	case 0xb1:
		return cmpxchg(e);
	case 0xc0:
	case 0xc1:
		return exchange(e, RMW_XADD);
	case 0xc7:
		return svm_insn_reg(&e->insn) == 1 ? cmpxchg_pair(e) : SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
