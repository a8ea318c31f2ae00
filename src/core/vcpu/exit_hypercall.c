/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VMMCALL.  The processor checks no privilege before the intercept, so the CPL is told.
 */
#include "core/vcpu/exits.h"

enum svm_action svm_exit_hypercall(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip(vcpu);

	if (!next)
		return SVM_ACTION_RESUME;
	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_HYPERCALL, SVM_OWED_VALUE, next);
	vcpu->owed_register = 0;
	vcpu->owed_size = 8;
	exit->hypercall.number = vcpu->vmcb->save.rax;
	exit->hypercall.cpl = svm_vmcb_get_cpl(vcpu->vmcb);
	return SVM_ACTION_RETURN;
}
