/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dispatch: a switch on the exit code, of calls only, and one more for what is seldom.  The
 * handlers of this file are kept out of it, so that it needs no frame and ends in a jump.
 *
 * An unknown code goes to the embedder as it came.  Nothing is guessed at, nothing panics.
 */
#include "core/features.h"
#include "core/vcpu/next_rip.h"

SVM_LONG_WAY enum svm_action svm_exit_return(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                             enum svm_exit_kind kind)
{
	svm_exit_begin(vcpu, exit, kind,
	               vcpu->events.reinject ? 0 : (uint32_t)SVM_EXIT_CONSISTENT, 0);
	return SVM_ACTION_RETURN;
}

enum svm_action svm_exit_owe(struct svm_vcpu *vcpu, struct svm_exit *exit,
                             enum svm_exit_kind kind, enum svm_owed owed, uint64_t next_rip)
{
	return svm_exit_owe_here(vcpu, exit, kind, owed, next_rip);
}

SVM_LONG_WAY enum svm_action svm_exit_fault(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error)
{
	svm_events_raise(vcpu, vector, error);
	return SVM_ACTION_RESUME;
}

/*
 * The host's caches are coherent, and dropping dirty lines of its memory is not the guest's to ask
 * for.
 */
static SVM_LONG_WAY enum svm_action cache(struct svm_vcpu *vcpu)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0x090f, 2));

	return next ? svm_vcpu_advance(vcpu, next) : SVM_ACTION_RESUME;
}

enum svm_action svm_exit_look_at_host(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;

	/* What came may be the timer that a device behind the interrupt port has armed. */
	if (vcpu->irq.pending)
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	if (!hal->should_exit(hal->ctx))
		return SVM_ACTION_RESUME;
	return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_HOST_INTERRUPT);
}

/* The host has taken its interrupt by now: GIF and IF are set again. */
static SVM_LONG_WAY enum svm_action host_interrupt(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	vcpu->stats.interrupts++;
	if (vcpu->vm->host->features.is_tcg) /* Its VMRUN loads no shadow. */
		svm_events_keep_shadow(vcpu);
	if (vcpu->stuck.silence_limit && svm_stuck_is_silent(vcpu, exit))
		return SVM_ACTION_RETURN;
	return svm_exit_look_at_host(vcpu, exit);
}

static SVM_LONG_WAY enum svm_action interrupt_window(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const bool wanted = vcpu->events.window_wanted || (vcpu->vm->want & SVM_WANT_WINDOWS);

	vcpu->events.window_wanted = false;
	svm_events_interrupt_window(vcpu);
	return wanted ? svm_exit_return(vcpu, exit, SVM_EXIT_KIND_INTR_WINDOW) : SVM_ACTION_RESUME;
}

static SVM_LONG_WAY enum svm_action iret(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_events_iret(vcpu);
	if (vcpu->vm->want & SVM_WANT_WINDOWS)
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NMI_WINDOW);
	return SVM_ACTION_RESUME;
}

static SVM_LONG_WAY enum svm_action pause(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0x90f3, 2));

	if (!next)
		return SVM_ACTION_RESUME;
	svm_vcpu_advance(vcpu, next);
	return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_PAUSE);
}

/*
 * A guest that CPUID does not offer MONITOR gets what a processor without it would raise, unless
 * the embedder is more generous.
 */
static SVM_LONG_WAY enum svm_action mwait(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	struct svm_cpuid_regs leaf1 = { 0, 0, 0, 0 };

	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 1, 0, &leaf1);
	if (!(leaf1.ecx & SVM_BIT(3)) && !(vcpu->vm->want & SVM_WANT_MWAIT))
		return svm_exit_fault(vcpu, SVM_VECTOR_UD, 0);
	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_MWAIT, SVM_OWED_SKIP, svm_vcpu_next_rip(vcpu));
	exit->mwait.is_monitor = vcpu->vmcb->control.exit_code == SVM_EXIT_MONITOR;
	return SVM_ACTION_RETURN;
}

/*
 * The guest's EFER.SVME reads 0, and with SVME = 0 these are #UD at any privilege.  The processor
 * sees SVME = 1, so the #UD is ours to raise.
 */
static SVM_LONG_WAY enum svm_action svm_instruction(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	if (vcpu->vm->want & SVM_WANT_SVM)
		return svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_RAW, SVM_OWED_SKIP,
		                    svm_vcpu_next_rip(vcpu));
	return svm_exit_fault(vcpu, SVM_VECTOR_UD, 0);
}

/* ICEBP is a trap: the saved RIP is the next instruction's, and DR6 says nothing of it. */
static SVM_LONG_WAY enum svm_action icebp(struct svm_vcpu *vcpu)
{
	const uint64_t next = svm_vcpu_next_rip(vcpu);

	if (!next)
		return SVM_ACTION_RESUME;
	svm_vcpu_advance(vcpu, next);
	svm_events_trap(vcpu);
	return SVM_ACTION_RESUME;
}

static SVM_LONG_WAY enum svm_action raw(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	return svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_RAW, SVM_OWED_SKIP,
	                    svm_vcpu_next_rip(vcpu));
}

/* Families with a number in them. */
static SVM_LONG_WAY enum svm_action family(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;

	if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32)
		return svm_exit_exception(vcpu, exit);
	if (code < SVM_EXIT_EXCEPTION)
		return svm_exit_register(vcpu, exit);
	if (code > UINT32_MAX)
		svm_recorder_cut(&vcpu->recorder);
	return raw(vcpu, exit);
}

static SVM_LONG_WAY enum svm_action dispatch_seldom(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	switch (vcpu->vmcb->control.exit_code) {
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
		return host_interrupt(vcpu, exit);
	case SVM_EXIT_INIT:
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_INIT);
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_MWAIT_COND:
		return mwait(vcpu, exit);
	case SVM_EXIT_XSETBV:
		return svm_exit_xsetbv(vcpu, exit);
	case SVM_EXIT_INVD:
		return cache(vcpu);
	case SVM_EXIT_RDPMC:
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	case SVM_EXIT_RSM: /* Outside SMM. */
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_MCOMMIT:
	case SVM_EXIT_INVLPGB:
	case SVM_EXIT_INVLPGB_ILLEGAL:
	case SVM_EXIT_TLBSYNC:
		return svm_exit_fault(vcpu, SVM_VECTOR_UD, 0);
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_INVLPGA:
		return svm_instruction(vcpu, exit);
	case SVM_EXIT_IRET:
		return iret(vcpu, exit);
	case SVM_EXIT_ICEBP:
		return icebp(vcpu);
	case SVM_EXIT_TASK_SWITCH:
		return svm_exit_task_switch(vcpu, exit);
	case SVM_EXIT_SHUTDOWN:
		exit->shutdown.merged = false;
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_SHUTDOWN);
	default:
		return family(vcpu, exit);
	}
}

/* Without jump tables a switch costs two instructions for each doubling of its cases. */
enum svm_action svm_exit_dispatch(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	switch (vcpu->vmcb->control.exit_code) {
	case SVM_EXIT_INTR:
		return host_interrupt(vcpu, exit);
	case SVM_EXIT_VINTR:
		return interrupt_window(vcpu, exit);
	case SVM_EXIT_CPUID:
		return svm_exit_cpuid(vcpu, exit);
	case SVM_EXIT_PAUSE:
		return pause(vcpu, exit);
	case SVM_EXIT_HLT:
		return svm_exit_hlt(vcpu, exit);
	case SVM_EXIT_IOIO:
		return svm_exit_io(vcpu, exit);
	case SVM_EXIT_MSR:
		return svm_exit_msr(vcpu, exit);
	case SVM_EXIT_VMMCALL:
		return svm_exit_hypercall(vcpu, exit);
	case SVM_EXIT_WBINVD:
		return cache(vcpu);
	case SVM_EXIT_NPF:
		return svm_exit_npf(vcpu, exit);
	default:
		return dispatch_seldom(vcpu, exit);
	}
}
