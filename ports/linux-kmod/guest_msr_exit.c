/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RDMSR and WRMSR that the library left to us: denied by the filter, ours, or refused by it.
 *
 * Which of these become exits to user space is user space's choice; the others are #GP(0).
 */
#include <linux/string.h>

#include <libsvm/diagnose.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

#define VECTOR_GP 13u

/* 1: answered; 0: why not, in *reason. */
static int answer(struct guest_vcpu *vcpu, u32 msr, bool is_write, u64 *value, u32 *reason)
{
	enum guest_msr_result result;

	*reason = KVM_MSR_EXIT_REASON_FILTER;
	if (guest_msr_is_denied(vcpu->guest, msr, is_write))
		return 0;
	result = is_write ? guest_msr_own_set(vcpu, msr, true, *value)
	                  : guest_msr_own_get(vcpu, msr, true, value);
	if (result == GUEST_MSR_DONE)
		return 1;
	*reason = result == GUEST_MSR_REFUSED || svm_msr_name(msr) ? KVM_MSR_EXIT_REASON_INVAL
	                                                           : KVM_MSR_EXIT_REASON_UNKNOWN;
	return 0;
}

static int to_user(struct guest_vcpu *vcpu, u32 msr, bool is_write, u64 value, u32 reason)
{
	struct kvm_run *const run = vcpu->run;

	vcpu->debt = GUEST_OWES_MSR;
	run->exit_reason = is_write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = msr;
	run->msr.data = is_write ? value : 0;
	return 0;
}

int guest_msr_exit(struct guest_vcpu *vcpu)
{
	const bool is_write = vcpu->exit.kind == SVM_EXIT_KIND_WRMSR;
	const u32 msr = vcpu->exit.msr.msr;
	u64 value = is_write ? vcpu->exit.msr.value : 0;
	u32 reason;
	int error;

	if (!answer(vcpu, msr, is_write, &value, &reason)) {
		if (READ_ONCE(vcpu->guest->msr_exits) & reason)
			return to_user(vcpu, msr, is_write, value, reason);
		error = svm_vcpu_complete_fault(vcpu->vcpu, VECTOR_GP, 0);
	} else if (is_write) {
		error = svm_vcpu_complete_skip(vcpu->vcpu);
	} else {
		error = svm_vcpu_complete_value(vcpu->vcpu, value);
	}
	return error ? hal_errno(error) : 1;
}

int guest_msr_complete(struct guest_vcpu *vcpu)
{
	const struct kvm_run *const run = vcpu->run;

	vcpu->debt = GUEST_OWES_NOTHING;
	if (READ_ONCE(run->msr.error))
		return svm_vcpu_complete_fault(vcpu->vcpu, VECTOR_GP, 0);
	if (vcpu->exit.kind == SVM_EXIT_KIND_WRMSR)
		return svm_vcpu_complete_skip(vcpu->vcpu);
	return svm_vcpu_complete_value(vcpu->vcpu, READ_ONCE(run->msr.data));
}
