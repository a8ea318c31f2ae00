/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The steps of src/hal/world_switch.S on the model, with its contract checked before and after.
 *
 * The caller may get wrong what it puts into struct svm_switch: a host value that is not the
 * host's, a flag that is missing.  So the host state that the switch must give back is compared
 * with what it was.
 */
#include <string.h>

#include "model.h"

struct host_state {
	struct vmload_state vm;
	uint64_t xcr0, xss, spec_ctrl, tsc_aux;
	uint64_t dr[4], dr7;
};

static struct host_state host_state(const struct cpu *cpu)
{
	struct host_state h = {
		.vm = cpu->vm,
		.xcr0 = cpu->xcr0,
		.xss = cpu->xss,
		.spec_ctrl = cpu->spec_ctrl,
		.tsc_aux = cpu->tsc_aux,
		.dr7 = cpu->dr[7],
	};

	memcpy(h.dr, cpu->dr, sizeof(h.dr));
	return h;
}

static void check_entry(const struct cpu *cpu, const struct svm_switch *s)
{
	const bool says_off = s->flags & SVM_SWITCH_DO_IF;
	const char *what = !cpu->gif                    ? "GIF = 0"
	                   : cpu->intr_flag == says_off ? says_off ? "IF = 1" : "IF = 0"
	                                                : NULL;

	if (what)
		breach(cpu->m, HOSTED_BREACH_SWITCH_CONTEXT, "%s on CPU %u", what, cpu->id);
	if (s->vmcb == s->host_vmcb)
		breach(cpu->m, HOSTED_BREACH_SWITCH_CONTEXT, "guest and host share a VMCB page");
}

static void check_one(const struct cpu *cpu, const char *name, uint64_t was, uint64_t is)
{
	if (was != is)
		breach(cpu->m, HOSTED_BREACH_HOST_STATE, "CPU %u: %s was 0x%llx and is 0x%llx",
		       cpu->id, name, (unsigned long long)was, (unsigned long long)is);
}

static void check_exit(const struct cpu *cpu, const struct host_state *was)
{
	check_one(cpu, "XCR0", was->xcr0, cpu->xcr0);
	check_one(cpu, "IA32_XSS", was->xss, cpu->xss);
	check_one(cpu, "SPEC_CTRL", was->spec_ctrl, cpu->spec_ctrl);
	check_one(cpu, "TSC_AUX", was->tsc_aux, cpu->tsc_aux);
	check_one(cpu, "TR base", was->vm.tr.base, cpu->vm.tr.base);
	check_one(cpu, "LDTR", was->vm.ldtr.selector, cpu->vm.ldtr.selector);
	check_one(cpu, "FS base", was->vm.fs.base, cpu->vm.fs.base);
	check_one(cpu, "GS base", was->vm.gs.base, cpu->vm.gs.base);
	check_one(cpu, "KernelGSBase", was->vm.kernel_gs_base, cpu->vm.kernel_gs_base);
	check_one(cpu, "LSTAR", was->vm.lstar, cpu->vm.lstar);
	if (memcmp(&was->vm, &cpu->vm, sizeof(cpu->vm)) != 0)
		breach(cpu->m, HOSTED_BREACH_HOST_STATE, "CPU %u: VMLOAD state", cpu->id);
	if (!(was->dr7 & 0xff))
		return;
	/* The host has breakpoints: #VMEXIT disarmed them and the guest may have moved them. */
	check_one(cpu, "DR7", was->dr7, cpu->dr[7]);
	for (unsigned i = 0; i < 4; i++)
		check_one(cpu, "DR0 to DR3", was->dr[i], cpu->dr[i]);
}

/* The two sides in the order of world_switch.S. */
static void guest_side(struct cpu *cpu, struct svm_switch *s)
{
	if (s->flags & SVM_SWITCH_DO_HOST_DR)
		cpu->dr[7] = 0x400;
	if (s->flags & SVM_SWITCH_DO_GUEST_DR)
		memcpy(cpu->dr, s->guest_dr, sizeof(s->guest_dr));
	if ((s->flags & SVM_SWITCH_DO_XCR0) && s->guest_xcr0 != s->host_xcr0)
		svm_ring0_xsetbv0(s->guest_xcr0);
	if (s->flags & SVM_SWITCH_DO_XSS)
		svm_ring0_wrmsr(SVM_MSR_XSS, s->guest_xss);
	if (s->flags & SVM_SWITCH_DO_AUX)
		svm_ring0_wrmsr(SVM_MSR_TSC_AUX, s->guest_tsc_aux);
	if (s->flags & SVM_SWITCH_DO_IBPB) {
		svm_ring0_wrmsr(SVM_MSR_PRED_CMD, 1);
		s->flags &= ~(uint32_t)SVM_SWITCH_DO_IBPB;
	}
	if (s->flags & SVM_SWITCH_DO_SPEC)
		svm_ring0_wrmsr(SVM_MSR_SPEC_CTRL, s->guest_spec_ctrl);
}

static void host_side(struct cpu *cpu, struct svm_switch *s)
{
	if (s->flags & SVM_SWITCH_DO_SPEC)
		svm_ring0_wrmsr(SVM_MSR_SPEC_CTRL, s->host_spec_ctrl);
	if (s->flags & SVM_SWITCH_DO_XCR0) {
		s->guest_xcr0 = svm_ring0_xgetbv0();
		if (s->guest_xcr0 != s->host_xcr0)
			svm_ring0_xsetbv0(s->host_xcr0);
	}
	if (s->flags & SVM_SWITCH_DO_XSS)
		svm_ring0_wrmsr(SVM_MSR_XSS, s->host_xss);
	if (s->flags & SVM_SWITCH_DO_AUX)
		svm_ring0_wrmsr(SVM_MSR_TSC_AUX, s->host_tsc_aux);
	if (s->flags & SVM_SWITCH_DO_GUEST_DR) {
		memcpy(s->guest_dr, cpu->dr, sizeof(s->guest_dr));
		memcpy(cpu->dr, s->host_dr, sizeof(s->guest_dr));
	}
	if (s->flags & SVM_SWITCH_DO_HOST_DR) {
		svm_ring0_write_dr(6, s->host_dr[4]);
		svm_ring0_write_dr(7, s->host_dr[5]);
	}
}

#define SWITCH_GPRS(X)                                                                             \
	X(rbx, 3)                                                                                  \
	X(rcx, 1)                                                                                  \
	X(rdx, 2)                                                                                  \
	X(rsi, 6)                                                                                  \
	X(rdi, 7)                                                                                  \
	X(rbp, 5) X(r8, 8) X(r9, 9) X(r10, 10) X(r11, 11) X(r12, 12) X(r13, 13) X(r14, 14)         \
		X(r15, 15)

static void leave(struct cpu *cpu)
{
	cpu->gif = true;
	host_take_events(cpu);
}

uint64_t svm_world_switch(struct svm_switch *s)
{
	struct cpu *cpu = this_cpu();
	const struct host_state was = host_state(cpu);
	const bool interrupts = cpu->intr_flag;

	check_entry(cpu, s);
	host_take_events(cpu); /* What is pending comes before CLGI. */
	cpu->gif = false;
	if (atomic_get(&s->requests)) {
		leave(cpu);
		return 0;
	}
	guest_side(cpu, s);
	if (s->flags & SVM_SWITCH_DO_IF)
		cpu->intr_flag = true;
	vmload(cpu, s->vmcb);
#define LOAD_GPR(name, n) cpu->guest.gpr[n] = s->name;
	SWITCH_GPRS(LOAD_GPR)
#undef LOAD_GPR
	vmrun(cpu, s->vmcb);
	vmsave(cpu, s->vmcb);
#define SAVE_GPR(name, n) s->name = cpu->guest.gpr[n];
	SWITCH_GPRS(SAVE_GPR)
#undef SAVE_GPR
	memset(cpu->guest.gpr, 0, sizeof(cpu->guest.gpr));
	vmload(cpu, s->host_vmcb);
	host_side(cpu, s);
	cpu->intr_flag = interrupts;
	check_exit(cpu, &was);
	leave(cpu);
	return 1;
}
