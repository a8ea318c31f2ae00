/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Address space identifiers and TLB_CONTROL.  APM vol. 2, 15.16.
 *
 * A processor tags what it translates with the ASID, so a number may be given to another guest
 * only after a flush.  Each CPU hands out its numbers once per generation; when they run out a
 * new generation begins with one flush of everything, and whoever holds a number of an older
 * generation takes a new one before its next entry.  The same move serves as a flush of one
 * guest on processors that cannot flush by ASID: a fresh number has no translations.
 *
 * asid_flush is set with a new generation only, so that an entry need not look at both.
 *
 * TLB_CONTROL has this one owner.  VMRUN does not reset it, so the run loop does.
 */
#include "core/vcpu/vcpu.h"

void svm_cpu_drop_asids(struct svm_cpu *cpu)
{
	cpu->asid_generation++;
	cpu->asid_next = 1;
	cpu->asid_flush = true;
}

static void take_asid(struct svm_vcpu *vcpu, struct svm_cpu *cpu)
{
	if (cpu->asid_next >= vcpu->vm->host->features.asid_count)
		svm_cpu_drop_asids(cpu);
	svm_vmcb_set_asid(vcpu->vmcb, cpu->asid_next++);
	vcpu->asid_generation = cpu->asid_generation;
	vcpu->asid_is_old = false;
	vcpu->flush = false;
	vcpu->stats.asid_changes++;
}

void svm_vcpu_keep_flush(struct svm_vcpu *vcpu)
{
	if (vcpu->vmcb->control.tlb_control == SVM_TLB_FLUSH_ALL)
		vcpu->cpu->asid_flush = true;
}

void svm_vcpu_prepare_asid(struct svm_vcpu *vcpu)
{
	struct svm_cpu *cpu = vcpu->cpu;
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (vcpu->asid_is_old)
		take_asid(vcpu, cpu);
	if (vcpu->flush) {
		if (vcpu->vm->host->features.svm & SVM_FEATURE_FLUSH_BY_ASID)
			vmcb->control.tlb_control = SVM_TLB_FLUSH_ASID;
		else
			take_asid(vcpu, cpu);
		vcpu->flush = false;
		vcpu->stats.flushes++;
	}
	if (cpu->asid_flush) {
		vmcb->control.tlb_control = SVM_TLB_FLUSH_ALL;
		cpu->asid_flush = false;
	}
}
