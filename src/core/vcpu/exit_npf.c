/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Nested page faults: filled from the slots, or the embedder's.  APM vol. 2, 15.25.6.
 */
#include "core/vcpu/device_move.h"

#define NO_PAGE UINT64_MAX

/* A walk of the guest's own tables is a write to the processor, whatever the guest does. */
static uint32_t access_of(uint64_t info)
{
	if (info & SVM_NPF_FETCH)
		return SVM_PROT_EXECUTE;
	return info & SVM_NPF_WRITE ? SVM_PROT_WRITE : SVM_PROT_READ;
}

/*
 * Only the guest's own access to its data can be finished by decoding: not a fetch, not a walk of
 * its page tables, and not the delivery of an event.
 */
static inline bool is_access(const struct svm_vmcb_control *control)
{
	return !(control->exit_info_1 & (SVM_NPF_FETCH | SVM_NPF_WALK)) &&
	       !(control->exit_int_info & SVM_EVENT_VALID);
}

/* A driver comes back to the page of its device; the slots are asked once. */
static void note_hole(struct svm_vcpu *vcpu, svm_gpa_t gpa)
{
	vcpu->hole_page = NO_PAGE;
	if (svm_memory_is_hole(vcpu->vm, gpa, &vcpu->hole_generation))
		vcpu->hole_page = gpa & SVM_PAGE_MASK;
}

static enum svm_fault_outcome fill_or_refuse(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t info,
                                             enum svm_npt_fault_reason *reason)
{
	enum svm_fault_outcome outcome;

	*reason = SVM_NPT_FAULT_ABSENT;
	if (svm_device_is_alone(vcpu, gpa))
		return SVM_FAULT_REFUSED;
	outcome = svm_memory_fault(vcpu->vm, gpa, access_of(info), reason);
	if (outcome == SVM_FAULT_REFUSED && *reason == SVM_NPT_FAULT_ABSENT)
		note_hole(vcpu, gpa);
	return outcome;
}

enum svm_action svm_exit_npf_refused(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                     enum svm_npt_fault_reason reason)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;

	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NPT_FAULT);
	exit->npt.gpa = control->exit_info_2;
	exit->npt.access = access_of(control->exit_info_1);
	exit->npt.reason = reason;
	if (reason == SVM_NPT_FAULT_ABSENT && (control->exit_info_1 & SVM_NPF_WALK))
		exit->npt.reason = SVM_NPT_FAULT_TABLE;
	return SVM_ACTION_RETURN;
}

enum svm_action svm_exit_npf_anew(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	const svm_gpa_t gpa = control->exit_info_2;
	const uint64_t info = control->exit_info_1;
	enum svm_npt_fault_reason reason;

	switch (fill_or_refuse(vcpu, gpa, info, &reason)) {
	case SVM_FAULT_FILLED:
		vcpu->stats.npt_fills++;
		return SVM_ACTION_RESUME;
	case SVM_FAULT_NEED_FRAMES:
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NEED_MEMORY);
	case SVM_FAULT_REFUSED:
		break;
	}
	if (reason == SVM_NPT_FAULT_ABSENT && is_access(control))
		return svm_device_first(vcpu, exit);
	if (reason == SVM_NPT_FAULT_RIGHTS && is_access(control) && svm_device_answers(vcpu, gpa))
		return svm_emulation_run(vcpu, exit, SVM_EMUL_MEMORY);
	return svm_exit_npf_refused(vcpu, exit, reason);
}

enum svm_action svm_exit_npf(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	return SVM_MOSTLY(is_access(&vcpu->vmcb->control)) ? svm_device_again(vcpu, exit)
	                                                   : svm_exit_npf_anew(vcpu, exit);
}
