/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VMRUN, and the two instructions that move what it leaves alone.  APM vol. 2, 15.5.
 */
#include <string.h>

#include "model.h"

#define VMLOAD_FIELDS(X)                                                                           \
	X(fs)                                                                                      \
	X(gs)                                                                                      \
	X(tr)                                                                                      \
	X(ldtr)                                                                                    \
	X(kernel_gs_base)                                                                          \
	X(star) X(lstar) X(cstar) X(sfmask) X(sysenter_cs) X(sysenter_esp) X(sysenter_eip)

static struct svm_vmcb *vmcb_page(struct cpu *cpu, svm_hpa_t hpa, const char *what)
{
	if ((hpa & ~SVM_PAGE_MASK) || hpa >> cpu->f.physical_bits) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: %s of 0x%llx", what,
		       (unsigned long long)hpa);
		return NULL;
	}
	return library_page(cpu->m, hpa, what);
}

void vmload(struct cpu *cpu, svm_hpa_t hpa)
{
	const struct svm_vmcb *page = vmcb_page(cpu, hpa, "VMLOAD");

	if (!page)
		return;
#define LOAD(name) cpu->vm.name = page->save.name;
	VMLOAD_FIELDS(LOAD)
#undef LOAD
}

void vmsave(struct cpu *cpu, svm_hpa_t hpa)
{
	struct svm_vmcb *page = vmcb_page(cpu, hpa, "VMSAVE");

	if (!page)
		return;
#define SAVE(name) page->save.name = cpu->vm.name;
	VMLOAD_FIELDS(SAVE)
#undef SAVE
}

static void flush(struct cpu *cpu, const struct svm_vmcb *v)
{
	switch (v->control.tlb_control) {
	case SVM_TLB_FLUSH_ALL:
		tlb_flush_all(cpu);
		break;
	case SVM_TLB_FLUSH_ASID:
		tlb_flush_asid(cpu, v->control._asid);
		break;
	case SVM_TLB_FLUSH_NONGLOBAL: /* What is global in the guest's eyes may stay. */
		linear_flush(cpu, v->control._asid, false);
		break;
	default:
		break;
	}
}

static void enter(struct cpu *cpu, const struct kept_vmcb *kept, struct svm_vmcb *v)
{
	struct guest *g = &cpu->guest;
	uint64_t gpr[16];

	memcpy(gpr, g->gpr, sizeof(gpr)); /* Put there by the world switch. */
	*g = (struct guest){
		.v = v,
		.vmcb_hpa = kept->hpa,
		.key = {
			.asid = v->control._asid,
			.root = v->control._ncr3 & SVM_PAGE_MASK,
			.owner = kept->hpa,
			.owner_generation = kept->generation,
		},
		.host_if = cpu->intr_flag,
		.pause_left = v->control._pause_filter_count,
	};
	memcpy(g->gpr, gpr, sizeof(gpr));
	g->gpr[HOSTED_RAX] = v->save.rax;
	g->gpr[HOSTED_RSP] = v->save.rsp;
	if (!(v->save._cr0 & CR0_PE))
		v->save._cpl = 0;
	v->save.rflags = (v->save.rflags & ~UINT64_C(0xffc08028)) | RFLAGS_1;
}

static bool host_ready(struct cpu *cpu)
{
	if (!(cpu->efer & EFER_SVME)) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#UD: VMRUN with EFER.SVME = 0, CPU %u",
		       cpu->id);
		return false;
	}
	return library_page(cpu->m, cpu->hsave, "VM_HSAVE_PA");
}

void vmrun(struct cpu *cpu, svm_hpa_t hpa)
{
	struct svm_vmcb *memory = vmcb_page(cpu, hpa, "VMRUN");

	if (!host_ready(cpu) || !memory)
		return;
	if (hpa == cpu->hsave)
		breach(cpu->m, HOSTED_BREACH_UNDEFINED, "the VMCB is the host save area");
	int *const busy = &frame_at(cpu->m, hpa)->vmcb_busy;

	if (__atomic_exchange_n(busy, 1, __ATOMIC_SEQ_CST))
		breach(cpu->m, HOSTED_BREACH_UNDEFINED, "VMCB 0x%llx runs on two CPUs",
		       (unsigned long long)hpa);
	struct kept_vmcb *kept = vmcb_load(cpu, hpa, memory);
	const char *rule = vmrun_check(cpu, &kept->copy);

	cpu->counts.vmruns++;
	if (rule) {
		cpu->invalid_rule = rule;
		cpu->counts.invalid++;
		vmexit_invalid(cpu, memory);
	} else {
		flush(cpu, &kept->copy);
		enter(cpu, kept, &kept->copy);
		cpu->gif = true;
		guest_run(cpu);
		vmexit_store(cpu, memory);
	}
	cpu->gif = false;
	cpu->dr[7] = 0x400;
	atomic_set(busy, 0);
}
