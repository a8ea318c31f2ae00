/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VMMCALL.  The processor checks no privilege before the intercept, so the CPL is told.
 *
 * Registers are as wide as the code that makes the call: outside 64-bit mode the upper halves are
 * leftovers, which the guest neither sees nor means.
 */
#include "core/vcpu/next_rip.h"

static SVM_LONG_WAY enum svm_action hypercall_to_embedder(struct svm_vcpu *vcpu,
                                                          struct svm_exit *exit,
                                                          uint64_t next_rip)
{
	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_HYPERCALL, SVM_OWED_VALUE, next_rip);
	vcpu->owed_register = 0;
	vcpu->owed_size = 8;
	exit->hypercall.number = vcpu->vmcb->save.rax;
	exit->hypercall.cpl = svm_vmcb_get_cpl(vcpu->vmcb);
	return SVM_ACTION_RETURN;
}

/* Long mode implies protection and excludes virtual-8086 mode. */
static inline bool is_wide(const struct svm_vmcb *vmcb)
{
	return (svm_vmcb_get_efer(vmcb) & EFER_LMA) &&
	       (svm_vmcb_get_cs(vmcb).attributes & SVM_SEG_L);
}

/* As much of a register as the caller means or sees. */
static inline uint64_t as_wide(bool wide, uint64_t value)
{
	return wide ? value : (uint32_t)value;
}

void svm_vcpu_get_hypercall(const struct svm_vcpu *vcpu, struct svm_hypercall *call)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const bool wide = is_wide(vmcb);

	*call = (struct svm_hypercall){
		.number = as_wide(wide, vmcb->save.rax),
		.argument = { as_wide(wide, vcpu->s.rbx), as_wide(wide, vcpu->s.rcx),
		              as_wide(wide, vcpu->s.rdx), as_wide(wide, vcpu->s.rsi) },
		.cpl = svm_vmcb_get_cpl(vmcb),
		.is_wide = wide,
	};
}

static SVM_LONG_WAY enum svm_action ask_callback(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                 const struct svm_hypercall_range *range,
                                                 uint64_t next)
{
	enum svm_device_result result;
	struct svm_hypercall call;

	svm_vcpu_get_hypercall(vcpu, &call);
	result = range->fn(range->arg, vcpu, &call);
	if (result == SVM_DEVICE_EXIT)
		return hypercall_to_embedder(vcpu, exit, next);
	vcpu->vmcb->save.rax = as_wide(call.is_wide, call.result);
	svm_vcpu_advance(vcpu, next);
	if (result == SVM_DEVICE_RETURN)
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_REQUEST);
	return SVM_ACTION_RESUME;
}

enum svm_action svm_exit_hypercall(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_hypercall_policy *const policy = &vcpu->vm->hypercalls;
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0xd9010f, 3));
	struct svm_vmcb *const vmcb = vcpu->vmcb;
	const struct svm_hypercall_range *range;
	bool wide;

	if (!next)
		return SVM_ACTION_RESUME;
	wide = is_wide(vmcb);
	range = svm_hypercall_find(policy, as_wide(wide, vmcb->save.rax));
	if (range)
		return ask_callback(vcpu, exit, range, next);
	if (!policy->has_default || svm_vmcb_get_cpl(vmcb) != 0)
		return hypercall_to_embedder(vcpu, exit, next);
	vmcb->save.rax = as_wide(wide, policy->default_result);
	return svm_vcpu_advance(vcpu, next);
}
