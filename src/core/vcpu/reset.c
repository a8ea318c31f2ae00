/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The state after RESET and after INIT.  APM vol. 2, 14.1.3.
 *
 * One departure: CR0.CD and NW start as 0.  A processor starts with its caches off so that
 * firmware can set up memory; there is nothing to set up here, and a guest that never looks would
 * run uncached for ever.
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"
#include "core/vcpu/emulation.h"
#include "core/vcpu/vcpu.h"

#define CODE_SEGMENT 0x9b /* Present, code, readable, accessed. */
#define DATA_SEGMENT 0x93 /* Present, data, writable, accessed. */
#define LDT_SEGMENT  0x82 /* Present, LDT. */
#define TSS_SEGMENT  0x83 /* Present, 16-bit TSS, busy. */
#define RESET_LIMIT  0xffff
#define RESET_RIP    0xfff0

static void set_segments(struct svm_vmcb *vmcb, uint16_t cs, uint64_t cs_base)
{
	const struct svm_vmcb_segment data = { 0, DATA_SEGMENT, RESET_LIMIT, 0 };

	svm_vmcb_set_cs(vmcb,
	                (struct svm_vmcb_segment){ cs, CODE_SEGMENT, RESET_LIMIT, cs_base });
	svm_vmcb_set_ds(vmcb, data);
	svm_vmcb_set_es(vmcb, data);
	svm_vmcb_set_ss(vmcb, data);
	svm_vmcb_set_fs(vmcb, data);
	svm_vmcb_set_gs(vmcb, data);
	svm_vmcb_set_gdtr(vmcb, (struct svm_vmcb_segment){ 0, 0, RESET_LIMIT, 0 });
	svm_vmcb_set_idtr(vmcb, (struct svm_vmcb_segment){ 0, 0, RESET_LIMIT, 0 });
	svm_vmcb_set_ldtr(vmcb, (struct svm_vmcb_segment){ 0, LDT_SEGMENT, RESET_LIMIT, 0 });
	svm_vmcb_set_tr(vmcb, (struct svm_vmcb_segment){ 0, TSS_SEGMENT, RESET_LIMIT, 0 });
}

/* What INIT and RESET have in common: the processor is in real mode at a page of its own. */
static void set_registers(struct svm_vcpu *vcpu, uint16_t cs, uint64_t cs_base, uint64_t rip)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	struct svm_cpuid_regs id = { 0, 0, 0, 0 };
	const struct svm_cpuid_state state = { .apic_id = vcpu->id };
	const struct svm_debug_regs debug = { .dr6 = DR6_RESET, .dr7 = DR7_RESET };

	for (unsigned n = 0; n < 16; n++)
		svm_vcpu_write_gpr(vcpu, n, 0);
	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 1, 0, &id);
	vcpu->s.rdx = id.eax; /* Family, model, stepping. */

	set_segments(vmcb, cs, cs_base);
	svm_vmcb_set_cpl(vmcb, 0);
	svm_vmcb_set_cr0(vmcb, CR0_ET);
	svm_vmcb_set_cr2(vmcb, 0);
	svm_vmcb_set_cr3(vmcb, 0);
	svm_vmcb_set_cr4(vmcb, 0);
	svm_vmcb_set_efer(vmcb, EFER_SVME);
	svm_debugger_set_guest(vcpu, &debug);
	vmcb->save.rflags = RFLAGS_FIXED;
	vmcb->save.rip = rip;
	vmcb->control.int_state = 0;
	vmcb->control.event_inj = 0;
	svm_vmcb_set_int_control(vmcb, SVM_INT_V_MASKING);

	/* Events are gone, a kick is not: it is for the embedder.  Exits are timed as before. */
	vcpu->events = (struct svm_vcpu_events){ .held_interrupt = -1 };
	vcpu->exit_at_once = vcpu->iret_seen = vcpu->shadowed = false;
	svm_atomic_store(&vcpu->interrupt_vector, -1);
	svm_atomic_store(&vcpu->unhalted, false);
	svm_atomic_and(&vcpu->s.requests, SVM_REQUEST_RETURN | SVM_REQUEST_TIMES);
	vcpu->tpr = 0;
	vcpu->owed = SVM_OWED_NOTHING;
	svm_emulation_forget(vcpu);
	vcpu->flush = true;
	svm_events_close_windows(vcpu);
	svm_vcpu_update_intercepts(vcpu);
	svm_vcpu_update_switch(vcpu);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_AUDIT | SVM_REQUEST_EVENTS);
}

void svm_vcpu_reset_state(struct svm_vcpu *vcpu)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	vcpu->guest_debugs = false;
	set_registers(vcpu, 0xf000, 0xffff0000, RESET_RIP);
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++)
		vcpu->msr_shadow[i] = svm_msr_reset_value((enum svm_msr_index)i);
	if (vcpu->id != 0)
		vcpu->msr_shadow[SVM_MSR_INDEX_APIC_BASE] &= ~APIC_BASE_BSP;
	save->star = save->lstar = save->cstar = save->sfmask = save->kernel_gs_base = 0;
	save->sysenter_cs = save->sysenter_esp = save->sysenter_eip = 0;
	save->spec_ctrl = 0;
	svm_vmcb_set_g_pat(vcpu->vmcb, PAT_RESET);
	vcpu->s.guest_xcr0 = 1;
	vcpu->s.guest_xss = 0;
	vcpu->s.guest_spec_ctrl = 0;
	vcpu->s.guest_tsc_aux = 0;
	svm_fpu_reset(vcpu);
}

int svm_vcpu_reset(struct svm_vcpu *vcpu)
{
	const enum svm_vcpu_state state = svm_vcpu_state(vcpu);

	if (state == SVM_VCPU_RUNNING || state == SVM_VCPU_DEAD || svm_vcpu_is_elsewhere(vcpu))
		return SVM_ERR_STATE;
	if (state != SVM_VCPU_CREATED && !svm_vcpu_move(vcpu, SVM_VCPU_CREATED))
		return SVM_ERR_STATE;
	svm_vcpu_put(vcpu);
	svm_vcpu_reset_state(vcpu);
	return 0;
}

int svm_vcpu_init_ipi(struct svm_vcpu *vcpu)
{
	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING || svm_vcpu_is_elsewhere(vcpu))
		return SVM_ERR_STATE;
	if (svm_vcpu_state(vcpu) == SVM_VCPU_WAIT_SIPI)
		return 0;
	if (!svm_vcpu_move(vcpu, SVM_VCPU_WAIT_SIPI))
		return SVM_ERR_STATE;
	svm_vcpu_put(vcpu);
	vcpu->guest_debugs = false;
	set_registers(vcpu, 0xf000, 0xffff0000, RESET_RIP); /* INIT keeps MSRs, FPU and TSC. */
	return 0;
}

int svm_vcpu_startup_ipi(struct svm_vcpu *vcpu, uint8_t vector)
{
	if (svm_vcpu_state(vcpu) != SVM_VCPU_WAIT_SIPI)
		return SVM_ERR_STATE;
	set_registers(vcpu, (uint16_t)(vector << 8), (uint64_t)vector << 12, 0);
	return svm_vcpu_move(vcpu, SVM_VCPU_RUNNABLE) ? 0 : SVM_ERR_STATE;
}
