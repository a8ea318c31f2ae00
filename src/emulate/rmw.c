/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Read, compute, write.  APM vol. 3; vol. 2, 7.3.2.
 *
 * A locked instruction on RAM within one page is an atomic compare-exchange of the host.  Over a
 * page boundary, or on a device, it is a read and a write: atomic among emulated accesses only as
 * far as the owner serialises them.
 */
#include "emulate/operand.h"

static uint64_t compute(enum svm_rmw_op op, unsigned sub, uint64_t old, uint64_t source,
                        uint8_t count, unsigned size, uint64_t *flags)
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

enum svm_emul_result svm_rmw_store(struct svm_emul *e, const struct svm_operand *op, bool locked,
                                   uint64_t old, uint64_t new, bool *stored)
{
	if (locked && op->is_memory)
		return svm_emul_replace(e, &op->span, &old, &new, stored);
	*stored = true;
	return svm_operand_write(e, op, new);
}

/* Tries again where another processor was faster; *old is what the successful try found. */
enum svm_emul_result svm_rmw(struct svm_emul *e, enum svm_rmw_op op, unsigned sub, unsigned size,
                             uint64_t source, uint8_t count, uint64_t *old)
{
	const bool locked = (e->insn.prefixes & SVM_INSN_LOCK) || op == RMW_XCHG;
	enum svm_emul_result result;
	struct svm_operand operand;
	uint64_t flags, new;
	bool stored;

	result = svm_operand_prepare(e, size, SVM_EMUL_READ | SVM_EMUL_WRITE, &operand);
	for (unsigned i = 0; result == SVM_EMUL_OK && i < SVM_LOCK_TRIES; i++) {
		result = svm_operand_read(e, &operand, old);
		if (result != SVM_EMUL_OK)
			break;
		flags = e->rflags;
		new = compute(op, sub, *old, source, count, size, &flags);
		result = svm_rmw_store(e, &operand, locked, *old, new, &stored);
		if (result == SVM_EMUL_OK && stored) {
			e->rflags = flags;
			return svm_emul_finish(e);
		}
	}
	return result == SVM_EMUL_OK ? SVM_EMUL_RETRY : result;
}

enum svm_emul_result svm_rmw_plain(struct svm_emul *e, enum svm_rmw_op op, unsigned sub,
                                   unsigned size, uint64_t source, uint8_t count)
{
	uint64_t old;

	return svm_rmw(e, op, sub, size, source, count, &old);
}
