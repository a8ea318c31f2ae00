/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SWAPGS, and reading and writing the bases of FS and GS.  APM vol. 3, 3 and 4.
 *
 * These bases are those of the hidden parts of FS and GS; KernelGSbase is an MSR of the owner's.
 */
#include "emulate/operand.h"

#define BASE_CR4_FSGSBASE        (UINT64_C(1) << 16)
#define BASE_MSR_KERNEL_GS_BASE 0xc0000102u

static void set_base(struct svm_emul *e, unsigned n, uint64_t base)
{
	struct svm_emul_segment segment = e->segment[n];

	segment.base = base;
	e->ops->load_segment(e->arg, n, &segment);
}

/* The owner's part comes first, since it can fail. */
static enum svm_emul_result swap_gs(struct svm_emul *e)
{
	const uint64_t base = e->segment[SVM_EMUL_GS].base;
	enum svm_emul_result result;
	uint64_t kernel = 0;

	if (!svm_emul_is_long(e))
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (!e->ops->read_register || !e->ops->write_register || !e->ops->load_segment)
		return SVM_EMUL_UNKNOWN;
	result = e->ops->read_register(e->arg, SVM_EMUL_MSR, BASE_MSR_KERNEL_GS_BASE, &kernel,
	                               &e->fault);
	if (result == SVM_EMUL_OK)
		result = e->ops->write_register(e->arg, SVM_EMUL_MSR, BASE_MSR_KERNEL_GS_BASE, base,
		                                &e->fault);
	if (result != SVM_EMUL_OK)
		return result;
	set_base(e, SVM_EMUL_GS, kernel);
	return svm_emul_finish(e);
}

static bool is_canonical_value(const struct svm_emul *e, uint64_t value)
{
	const unsigned shift = 64u - e->linear_bits;

	return (uint64_t)((int64_t)(value << shift) >> shift) == value;
}

/* ModRM.reg: RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE. */
static enum svm_emul_result access_base(struct svm_emul *e)
{
	const unsigned n = svm_insn_reg(&e->insn) & 1 ? SVM_EMUL_GS : SVM_EMUL_FS;
	const unsigned size = e->insn.rex & SVM_INSN_REX_W ? 8 : 4, reg = svm_emul_rm(e);
	uint64_t base;

	if (!svm_emul_is_long(e) || !(e->cr4 & BASE_CR4_FSGSBASE))
		return svm_emul_raise(e, VECTOR_UD);
	if (svm_insn_reg(&e->insn) < 2) {
		svm_emul_set_reg(e, reg, size, e->segment[n].base);
		return svm_emul_finish(e);
	}
	base = svm_emul_get_reg(e, reg, size);
	if (!is_canonical_value(e, base))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (!e->ops->load_segment)
		return SVM_EMUL_UNKNOWN;
	set_base(e, n, base);
	return svm_emul_finish(e);
}

enum svm_emul_result svm_exec_base(struct svm_emul *e)
{
	if (e->insn.kind == SVM_INSN_SWAPGS)
		return swap_gs(e);
	if (e->insn.opcode == 0xae && (e->insn.prefixes & SVM_INSN_REP) &&
	    !svm_emul_rm_is_memory(e) && svm_insn_reg(&e->insn) < 4)
		return access_base(e);
	return SVM_EMUL_UNKNOWN;
}
