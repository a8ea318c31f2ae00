/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_NEXT_RIP_H
#define SVM_CORE_VCPU_NEXT_RIP_H
/*
 * Where the next instruction is, for those that guests execute all the time.  In a header, so that
 * each handler compares with constants: on a processor without NRIPS this is a fourth of what an
 * exit costs.
 */
#include "core/vcpu/code_mode.h"
#include "core/vcpu/code_word.h"
#include "core/vcpu/exits.h"

#define SVM_INSN_LENGTH_MAX 15u

/* What the processor says, or 0. */
static inline uint64_t svm_vcpu_saved_next_rip(const struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	uint64_t length;

	if (!(vcpu->vm->host->features.svm & SVM_FEATURE_NRIPS))
		return 0;
	/* 0 on exits that are no instructions; a length beyond 15 is none either. */
	length = svm_vcpu_wrap_rip(vcpu, vmcb->control.next_rip - vmcb->save.rip);
	return length - 1 < SVM_INSN_LENGTH_MAX ? vmcb->save.rip + length : 0;
}

/*
 * svm_vcpu_next_rip() where the instruction has mostly no prefix: then it is these bytes, the first
 * in bits 7:0, and their number, 1 to 3, in bits 31:24.
 */
static inline uint64_t svm_vcpu_next_rip_of(struct svm_vcpu *vcpu, uint32_t insn)
{
	const uint64_t saved = svm_vcpu_saved_next_rip(vcpu);
	const unsigned length = insn >> 24;

	if (saved)
		return saved;
	if (!SVM_MOSTLY((svm_code_word(vcpu) ^ insn) << (64 - 8 * length) == 0))
		return svm_vcpu_scan_next_rip(vcpu);
	return vcpu->vmcb->save.rip + length;
}
#define SVM_BARE_INSN(bytes, length) ((uint32_t)(length) << 24 | (uint32_t)(bytes))

#endif
