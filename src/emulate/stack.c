/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Pushes and pops.  The stack's width is SS.B's in 16- and 32-bit modes, 64 bits in 64-bit mode;
 * it says how much of RSP moves, and has nothing to do with the operand's size.
 */
#include "emulate/internal.h"

#define ATTRIBUTE_DB 0x400u

uint64_t svm_emul_stack_mask(const struct svm_emul *e)
{
	if (svm_emul_is_long(e))
		return ~UINT64_C(0);
	return e->segment[SVM_EMUL_SS].attributes & ATTRIBUTE_DB ? UINT32_MAX : 0xffffu;
}

/* What lies above the width stays. */
uint64_t svm_emul_stack_move(const struct svm_emul *e, uint64_t delta)
{
	const uint64_t mask = svm_emul_stack_mask(e), rsp = e->gpr[SVM_EMUL_RSP];

	return (rsp & ~mask) | ((rsp + delta) & mask);
}

/* In 64-bit mode there are no 32-bit pushes. */
unsigned svm_emul_stack_width(const struct svm_emul *e)
{
	const unsigned width = svm_emul_width(e);

	return svm_emul_is_long(e) && width == 4 ? 8 : width;
}

enum svm_emul_result svm_emul_prepare_push(struct svm_emul *e, unsigned size, uint64_t *rsp,
                                           struct svm_emul_span *span)
{
	*rsp = svm_emul_stack_move(e, -(uint64_t)size);
	return svm_emul_prepare(e, SVM_EMUL_SS, *rsp & svm_emul_stack_mask(e), size,
	                        SVM_EMUL_READ | SVM_EMUL_WRITE, span);
}

enum svm_emul_result svm_emul_prepare_pop(struct svm_emul *e, unsigned size, uint64_t *rsp,
                                          struct svm_emul_span *span)
{
	*rsp = svm_emul_stack_move(e, size);
	return svm_emul_prepare(e, SVM_EMUL_SS, e->gpr[SVM_EMUL_RSP] & svm_emul_stack_mask(e), size,
	                        SVM_EMUL_READ, span);
}
