/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VMMCALL.  The processor checks no privilege before the intercept, so the CPL is told.
 *
 * Registers are as wide as the code that makes the call: outside 64-bit mode the upper halves are
 * leftovers, which the guest neither sees nor means.
 */
#include "core/vcpu/next_rip.h"

static enum svm_action hypercall_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                             uint64_t next_rip)
{
	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_HYPERCALL, SVM_OWED_VALUE, next_rip);
	vcpu->owed_register = 0;
	vcpu->owed_size = 8;
	exit->hypercall.number = vcpu->vmcb->save.rax;
	exit->hypercall.cpl = svm_vmcb_get_cpl(vcpu->vmcb);
	return SVM_ACTION_RETURN;
}

static inline void read_hypercall(const struct svm_vcpu *vcpu, struct svm_hypercall *call)
{
	/* Long mode implies protection and excludes virtual-8086 mode. */
	const bool is_wide = (svm_vmcb_get_efer(vcpu->vmcb) & EFER_LMA) &&
	                     (svm_vmcb_get_cs(vcpu->vmcb).attributes & SVM_SEG_L);
	const uint64_t mask = is_wide ? UINT64_MAX : UINT32_MAX;

	call->number = vcpu->vmcb->save.rax & mask;
	call->argument[0] = vcpu->s.rbx & mask;
	call->argument[1] = vcpu->s.rcx & mask;
	call->argument[2] = vcpu->s.rdx & mask;
	call->argument[3] = vcpu->s.rsi & mask;
	call->cpl = svm_vmcb_get_cpl(vcpu->vmcb);
	call->is_wide = is_wide;
	call->result = 0;
}

void svm_vcpu_get_hypercall(const struct svm_vcpu *vcpu, struct svm_hypercall *call)
{
	*call = (struct svm_hypercall){ .number = 0 };
	read_hypercall(vcpu, call);
}

/* Most VMs have no callback: then nothing is read. */
static enum svm_device_result ask_callback(struct svm_vcpu *vcpu, struct svm_hypercall *call)
{
	const struct svm_hypercall_range *range;

	if (vcpu->vm->hypercalls.range_count == 0)
		return SVM_DEVICE_EXIT;
	read_hypercall(vcpu, call);
	range = svm_hypercall_find(&vcpu->vm->hypercalls, call->number);
	return range ? range->fn(range->arg, vcpu, call) : SVM_DEVICE_EXIT;
}

enum svm_action svm_exit_hypercall(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0xd9010f, 3));
	enum svm_device_result result;
	struct svm_hypercall call;

	if (!next)
		return SVM_ACTION_RESUME;
	result = ask_callback(vcpu, &call);
	if (result == SVM_DEVICE_EXIT)
		return hypercall_to_embedder(vcpu, exit, next);
	vcpu->vmcb->save.rax = call.is_wide ? call.result : (uint32_t)call.result;
	svm_vcpu_advance(vcpu, next);
	if (result == SVM_DEVICE_RETURN)
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_REQUEST);
	return SVM_ACTION_RESUME;
}
