/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Binding a vCPU to a CPU and letting go of it.
 *
 * What is done here is done once per binding and not once per exit: the host's VMSAVE, the FPU,
 * the host's values of the registers that the world switch swaps.  A vCPU that comes to another
 * CPU, or back to one that was offline meanwhile, is a new VMCB there: all clean bits 0, a new
 * ASID (APM vol. 2, 15.15, 15.16).
 *
 * A host that has a way of its own to lend its FPU, fpu_begin(), cannot be preempted until it has
 * it back.  There the FPU comes and goes with each run, and of a vCPU that is loaded between two
 * nothing is in the CPU that svm_vcpu_put() would have to save: a scheduler may call it.
 */
#include <libsvm/msrs.h>

#include "core/features.h"
#include "core/vcpu/events.h"

static void read_breakpoints(struct svm_switch *s)
{
	for (unsigned n = 0; n < 4; n++)
		s->host_dr[n] = svm_ring0_read_dr(n);
}

static SVM_LONG_WAY uint32_t switch_mitigations(uint64_t mitigations)
{
	uint32_t flags = 0;

	if (mitigations & SVM_MITIGATE_RSB)
		flags |= SVM_SWITCH_DO_RSB;
	if (mitigations & SVM_MITIGATE_VERW)
		flags |= SVM_SWITCH_DO_VERW;
	if (mitigations & SVM_MITIGATE_DIV)
		flags |= SVM_SWITCH_DO_DIV;
	return flags;
}

void svm_vcpu_update_switch(struct svm_vcpu *vcpu)
{
	const struct svm_features *features = &vcpu->vm->host->features;
	const uint64_t mitigations = vcpu->vm->mitigations;
	struct svm_switch *s = &vcpu->s;
	uint32_t flags =
		s->flags & (SVM_SWITCH_DO_HOST_DR | SVM_SWITCH_DO_IBPB | SVM_SWITCH_DO_IF);

	/*
	 * Without CR4.OSXSAVE a guest neither sees XCR0 nor uses what it enables.  With it the
	 * guest can execute XSETBV, and not every processor honours the intercept (QEMU 7.2 does
	 * not): what it left is read back after each exit.
	 */
	if (features->xsave && (svm_vmcb_get_cr4(vcpu->vmcb) & CR4_OSXSAVE))
		flags |= SVM_SWITCH_DO_XCR0;
	if (features->xsaves && s->guest_xss != s->host_xss)
		flags |= SVM_SWITCH_DO_XSS;
	if (features->spec_ctrl && !(features->svm & SVM_FEATURE_V_SPEC_CTRL) &&
	    s->guest_spec_ctrl != s->host_spec_ctrl)
		flags |= SVM_SWITCH_DO_SPEC;
	if (features->rdtscp && s->guest_tsc_aux != s->host_tsc_aux)
		flags |= SVM_SWITCH_DO_AUX;
	if (vcpu->guest_debugs) {
		/* It begins while the vCPU is bound: read what the switch will put back. */
		if (vcpu->cpu && !(s->flags & SVM_SWITCH_DO_GUEST_DR))
			read_breakpoints(s);
		flags |= SVM_SWITCH_DO_GUEST_DR;
	}
	s->flags = flags | (mitigations ? switch_mitigations(mitigations) : 0);
}

/*
 * The host's side of every pair in the switch block; true if one that the pairs are compared by has
 * changed.  Debug registers are slow to read: those that the switch will not write are left.
 */
static bool read_host(struct svm_vcpu *vcpu)
{
	const struct svm_features *features = &vcpu->vm->host->features;
	struct svm_switch *s = &vcpu->s;
	const uint64_t xss = s->host_xss, spec_ctrl = s->host_spec_ctrl, tsc_aux = s->host_tsc_aux;
	const uint64_t dr7 = svm_ring0_read_dr(7);

	s->host_xcr0 = features->xsave ? svm_ring0_xgetbv0() : 0;
	s->host_xss = features->xsaves ? svm_ring0_rdmsr(SVM_MSR_XSS) : 0;
	s->host_spec_ctrl = features->spec_ctrl ? svm_ring0_rdmsr(SVM_MSR_SPEC_CTRL) : 0;
	s->host_tsc_aux = features->rdtscp ? svm_ring0_rdmsr(SVM_MSR_TSC_AUX) : 0;
	if (vcpu->guest_debugs)
		read_breakpoints(s);
	if (dr7 & DR7_ENABLES) {
		s->host_dr[4] = svm_ring0_read_dr(6);
		s->host_dr[5] = dr7;
		s->flags |= SVM_SWITCH_DO_HOST_DR;
	} else {
		s->flags &= ~(uint32_t)SVM_SWITCH_DO_HOST_DR;
	}
	return s->host_xss != xss || s->host_spec_ctrl != spec_ctrl || s->host_tsc_aux != tsc_aux;
}

/*
 * 15.15 does not say whether a clean bit covers what the maps hold or only where they are: a change
 * of either is told.
 */
static SVM_LONG_WAY void follow_vm(struct svm_vcpu *vcpu)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const struct svm_vm *vm = vcpu->vm;

	vcpu->seen_settings = vm->settings;
	svm_vmcb_set_iopm_base(vmcb, vm->io.iopm_hpa);
	svm_vmcb_set_msrpm_base(vmcb, vm->msr.msrpm_hpa);
	svm_vcpu_update_intercepts(vcpu); /* SMI's depends on the ports. */
	svm_vcpu_update_switch(vcpu);
}

/* A host that has them off now wants its interrupts to end the guest's run all the same. */
static void read_interrupt_flag(struct svm_switch *s)
{
	const uint64_t rflags = svm_ring0_irq_save();

	svm_ring0_irq_restore(rflags);
	if (rflags & RFLAGS_IF)
		s->flags &= ~(uint32_t)SVM_SWITCH_DO_IF;
	else
		s->flags |= SVM_SWITCH_DO_IF;
}

/* All else that the switch block depends on tells of its change; registers.c, msr.c, control.c. */
static void follow_host(struct svm_vcpu *vcpu)
{
	svm_ring0_vmsave(vcpu->s.host_vmcb);
	read_interrupt_flag(&vcpu->s);
	if (read_host(vcpu))
		svm_vcpu_update_switch(vcpu);
}

/* A guest that has disarmed its breakpoints pays for them no longer. */
static void follow_guest(struct svm_vcpu *vcpu)
{
	if (vcpu->guest_debugs)
		svm_vcpu_use_debug(vcpu, svm_vmcb_get_dr7(vcpu->vmcb) & DR7_ENABLES);
}

/* False: a predictor barrier asked for here was not executed yet. */
static bool barrier_done(const struct svm_vcpu *vcpu)
{
	return !(vcpu->s.flags & SVM_SWITCH_DO_IBPB);
}

static int attach(struct svm_vcpu *vcpu, struct svm_cpu *cpu)
{
	if (vcpu->cpu || cpu->loaded)
		return SVM_ERR_BUSY;
	vcpu->cpu = cpu;
	cpu->loaded = vcpu;
	if (vcpu->last_cpu != cpu->serial) {
		svm_vmcb_mark_all_dirty(vcpu->vmcb);
		vcpu->asid_generation = 0;
		vcpu->last_cpu = cpu->serial;
	}
	vcpu->asid_is_old = vcpu->asid_generation != cpu->asid_generation;
	if (cpu->last_serial != vcpu->serial && (vcpu->vm->mitigations & SVM_MITIGATE_IBPB))
		vcpu->s.flags |= SVM_SWITCH_DO_IBPB;
	vcpu->s.host_vmcb = svm_cpu_host_vmcb(cpu);
	vcpu->in_guest_here = cpu->id + 1;
	return 0;
}

static void follow_settings(struct svm_vcpu *vcpu)
{
	if (vcpu->seen_settings != vcpu->vm->settings)
		follow_vm(vcpu);
	follow_guest(vcpu);
}

static SVM_LONG_WAY int come_here(struct svm_vcpu *vcpu)
{
	struct svm_cpu *const cpu = svm_host_this_cpu(vcpu->vm->host);
	int error;

	if (!cpu)
		return SVM_ERR_CPU_OFFLINE;
	error = attach(vcpu, cpu);
	if (error)
		return error;
	follow_settings(vcpu);
	follow_host(vcpu);
	svm_fpu_enter_guest(vcpu);
	vcpu->stats.loads++;
	if (vcpu->irq.deadline) /* The timer of this CPU may be armed for another vCPU. */
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	if (vcpu->presence.arrive)
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_ARRIVE);
	return 0;
}

/* Also one that has stayed looks: the VM's settings and the host's registers may be others. */
int svm_vcpu_bind(struct svm_vcpu *vcpu)
{
	const struct svm_host *const host = vcpu->vm->host;

	if (!svm_vcpu_is_here(vcpu))
		return come_here(vcpu);
	follow_settings(vcpu);
	if (!host->fixed_registers)
		follow_host(vcpu);
	if (!vcpu->fpu_here)
		svm_fpu_enter_guest(vcpu);
	return 0;
}

/*
 * In the middle of an instruction it is not gone: what the instruction has translated is used when
 * it is completed.
 */
static void tell_leave(struct svm_vcpu *vcpu, bool has_work)
{
	if (!(svm_atomic_load_relaxed(&vcpu->s.requests) & SVM_REQUEST_ARRIVE) &&
	    vcpu->owed == SVM_OWED_NOTHING && !vcpu->emulating)
		vcpu->presence.leave(vcpu->presence.arg, vcpu, has_work);
}

void svm_vcpu_set_presence(struct svm_vcpu *vcpu, const struct svm_presence *presence)
{
	vcpu->presence = presence ? *presence : (struct svm_presence){ .arrive = NULL };
	if (presence)
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_ARRIVE);
}

void svm_vcpu_unbind(struct svm_vcpu *vcpu, bool has_work)
{
	if (!vcpu->cpu)
		return;
	if (vcpu->presence.leave)
		tell_leave(vcpu, has_work);
	if (vcpu->fpu_here)
		svm_fpu_leave_guest(vcpu);
	if (barrier_done(vcpu))
		vcpu->cpu->last_serial = vcpu->serial;
	vcpu->cpu->loaded = NULL;
	vcpu->cpu = NULL;
}

static void choose_after_run(struct svm_vcpu *vcpu)
{
	if (!vcpu->loaded_by_user && !vcpu->stays)
		vcpu->after_run = SVM_AFTER_RUN_PUT;
	else
		vcpu->after_run = vcpu->vm->host->own_fpu ? SVM_AFTER_RUN_NOTHING
		                                          : SVM_AFTER_RUN_LEAVE_FPU;
}

void svm_vcpu_stay_loaded(struct svm_vcpu *vcpu, bool stays)
{
	vcpu->stays = stays;
	choose_after_run(vcpu);
}

bool svm_vcpu_is_elsewhere(const struct svm_vcpu *vcpu)
{
	return vcpu->cpu && !svm_vcpu_is_here(vcpu);
}

int svm_vcpu_load(struct svm_vcpu *vcpu)
{
	const int error = svm_vcpu_bind(vcpu);

	if (error)
		return error;
	vcpu->loaded_by_user = true;
	choose_after_run(vcpu);
	if (!vcpu->vm->host->own_fpu)
		svm_fpu_leave_guest(vcpu);
	return 0;
}

void svm_vcpu_put(struct svm_vcpu *vcpu)
{
	if (svm_vcpu_is_elsewhere(vcpu))
		return;
	vcpu->loaded_by_user = false;
	choose_after_run(vcpu);
	svm_vcpu_unbind(vcpu, svm_vcpu_state(vcpu) == SVM_VCPU_RUNNABLE);
}
