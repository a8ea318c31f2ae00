/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RDMSR and WRMSR.  APM vol. 2, 15.11.
 *
 * The privilege check comes before the intercept (15.9), the check of the number and the value
 * after it, so those two are ours.
 */
#include "core/vcpu/next_rip.h"

static SVM_LONG_WAY enum svm_action msr_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                    bool is_write, uint64_t next)
{
	svm_exit_owe(vcpu, exit, is_write ? SVM_EXIT_KIND_WRMSR : SVM_EXIT_KIND_RDMSR,
	             is_write ? SVM_OWED_SKIP : SVM_OWED_VALUE, next);
	vcpu->owed_register = 0;
	vcpu->owed_size = 0;
	exit->msr.msr = (uint32_t)vcpu->s.rcx;
	exit->msr.value = is_write ? vcpu->s.rdx << 32 | (uint32_t)vcpu->vmcb->save.rax : 0;
	return SVM_ACTION_RETURN;
}

static bool wants_refused(const struct svm_vcpu *vcpu)
{
	return vcpu->vm->want & SVM_WANT_MSR;
}

static inline bool wants_msr(const struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr,
                             bool is_write)
{
	return policy == SVM_MSR_EXIT || (policy == SVM_MSR_REFUSE && wants_refused(vcpu)) ||
	       !svm_msr_is_offered(&vcpu->vm->msr, msr, is_write);
}

static SVM_LONG_WAY enum svm_action refuse_msr(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                               bool is_write, uint64_t next)
{
	return wants_refused(vcpu) ? msr_to_embedder(vcpu, exit, is_write, next)
	                           : svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
}

static SVM_LONG_WAY enum svm_action on_rdmsr(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0x320f, 2));
	const uint32_t msr = (uint32_t)vcpu->s.rcx;
	enum svm_msr_policy policy;
	uint64_t value;

	if (!next)
		return SVM_ACTION_RESUME;
	policy = svm_msr_policy_again(&vcpu->vm->msr, msr);
	if (wants_msr(vcpu, policy, msr, false))
		return msr_to_embedder(vcpu, exit, false, next);
	if (!svm_msr_read(vcpu, policy, msr, &value))
		return refuse_msr(vcpu, exit, false, next);
	vcpu->vmcb->save.rax = (uint32_t)value;
	vcpu->s.rdx = value >> 32;
	return svm_vcpu_is_near(vcpu, next) ? svm_vcpu_advance_near(vcpu, next)
	                                    : svm_vcpu_advance(vcpu, next);
}

static SVM_LONG_WAY enum svm_action on_wrmsr(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0x300f, 2));
	const uint64_t value = (vcpu->s.rdx << 32) | (uint32_t)vcpu->vmcb->save.rax;
	const uint32_t msr = (uint32_t)vcpu->s.rcx;
	enum svm_msr_policy policy;

	if (!next)
		return SVM_ACTION_RESUME;
	policy = svm_msr_policy_again(&vcpu->vm->msr, msr);
	if (wants_msr(vcpu, policy, msr, true))
		return msr_to_embedder(vcpu, exit, true, next);
	if (!svm_msr_write(vcpu, policy, msr, value))
		return refuse_msr(vcpu, exit, true, next);
	return svm_vcpu_advance(vcpu, next);
}

bool svm_vcpu_wants_msr(const struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr,
                        bool is_write)
{
	return wants_msr(vcpu, policy, msr, is_write);
}

enum svm_action svm_exit_msr(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const bool is_write = vcpu->vmcb->control.exit_info_1 & 1;

	return is_write ? on_wrmsr(vcpu, exit) : on_rdmsr(vcpu, exit);
}
