/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CPUID: the VM's table, with the bits that follow the vCPU's state.  Intercepted before every
 * fault, and it has none (APM vol. 2, 15.9).
 */
#include "core/vcpu/next_rip.h"

struct svm_cpuid_state svm_vcpu_cpuid_state(const struct svm_vcpu *vcpu)
{
	return (struct svm_cpuid_state){
		.apic_id = vcpu->id,
		.cr4 = svm_vmcb_get_cr4(vcpu->vmcb),
		.xcr0 = vcpu->s.guest_xcr0,
		.xss = vcpu->s.guest_xss,
		.monitor = vcpu->monitor,
	};
}

void svm_vcpu_show_monitor(struct svm_vcpu *vcpu, bool on)
{
	vcpu->monitor = on ? SVM_CPUID_MONITOR_SHOWN : SVM_CPUID_MONITOR_HIDDEN;
}

static void set_results(struct svm_vcpu *vcpu, struct svm_cpuid_regs regs)
{
	vcpu->vmcb->save.rax = regs.eax;
	vcpu->s.rbx = regs.ebx;
	vcpu->s.rcx = regs.ecx;
	vcpu->s.rdx = regs.edx;
}

static SVM_LONG_WAY enum svm_action answer_by_search(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                     uint64_t next)
{
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	const uint32_t leaf = (uint32_t)vcpu->vmcb->save.rax;
	const uint32_t subleaf = (uint32_t)vcpu->s.rcx;
	struct svm_cpuid_regs regs;

	if (!svm_cpuid_lookup(&vcpu->vm->cpuid, &state, leaf, subleaf, &regs) &&
	    (vcpu->vm->want & SVM_WANT_CPUID)) {
		svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_CPUID, SVM_OWED_CPUID, next);
		exit->cpuid.leaf = leaf;
		exit->cpuid.subleaf = subleaf;
		return SVM_ACTION_RETURN;
	}
	set_results(vcpu, regs);
	return svm_vcpu_advance(vcpu, next);
}

enum svm_action svm_exit_cpuid(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0xa20f, 2));
	const struct svm_cpuid_entry *row;

	if (!next)
		return SVM_ACTION_RESUME;
	row = svm_cpuid_plain(&vcpu->vm->cpuid, (uint32_t)vcpu->vmcb->save.rax);
	if (!row)
		return answer_by_search(vcpu, exit, next);
	vcpu->vmcb->save.rax = row->eax;
	vcpu->s.rbx = row->ebx;
	vcpu->s.rcx = row->ecx;
	vcpu->s.rdx = row->edx;
	return svm_vcpu_advance(vcpu, next);
}

int svm_vcpu_complete_cpuid(struct svm_vcpu *vcpu, uint32_t eax, uint32_t ebx, uint32_t ecx,
                            uint32_t edx)
{
	if (vcpu->owed != SVM_OWED_CPUID)
		return SVM_ERR_STATE;
	if (!vcpu->next_rip)
		return SVM_ERR_NOSUPPORT;
	set_results(vcpu, (struct svm_cpuid_regs){ eax, ebx, ecx, edx });
	return svm_vcpu_complete_skip(vcpu);
}
