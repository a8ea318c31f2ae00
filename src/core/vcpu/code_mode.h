/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_CODE_MODE_H
#define SVM_CORE_VCPU_CODE_MODE_H
/*
 * How the guest's code is read.  In a header since each exit of an instruction asks.
 */
#include "core/features.h"
#include "core/vcpu/vcpu.h"

/* 16, 32 or 64: how the present code segment decodes. */
static inline unsigned svm_vcpu_code_bits(const struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint16_t cs = svm_vmcb_get_cs(vmcb).attributes;

	if (!(svm_vmcb_get_cr0(vmcb) & CR0_PE) || (vmcb->save.rflags & RFLAGS_VM))
		return 16;
	if ((svm_vmcb_get_efer(vmcb) & EFER_LMA) && (cs & SVM_SEG_L))
		return 64;
	return cs & SVM_SEG_DB ? 32 : 16;
}

/* A RIP as the code segment wraps it. */
static inline uint64_t svm_vcpu_wrap_rip(const struct svm_vcpu *vcpu, uint64_t rip)
{
	unsigned bits;

	if (rip <= 0xffff)
		return rip; /* In every mode, and most callers ask for a length. */
	bits = svm_vcpu_code_bits(vcpu);
	if (bits == 64)
		return rip;
	return bits == 32 ? (uint32_t)rip : rip & 0xffff;
}

#endif
