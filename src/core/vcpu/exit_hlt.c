/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * HLT, and where the guest's sleep is spent.
 *
 * As a rule the run returns, since waiting is the embedder's.  But an embedder with nothing else to
 * do would come straight back, and for a guest that sleeps often and briefly the way out and in is
 * most of what it costs.  So it may offer to wait right here (svm_vcpu_set_idle()).
 *
 * To others the vCPU then is in its guest: in_guest is published before the requests are read, as
 * in enter() of run.c, and the kick that would end the guest ends the wait.
 *
 * One wait and no loop: what came and is no event, a tick or a kick, is for the embedder to see.
 */
#include "core/vcpu/next_rip.h"

/* Waits to be delivered, or has ended the HLT, whatever an interrupt port says. */
static bool has_own_event(const struct svm_vcpu *vcpu)
{
	const struct svm_vcpu_events *events = &vcpu->events;

	return events->reinject || events->exception_pending || events->shutdown ||
	       svm_atomic_load(&vcpu->unhalted);
}

/* To find an event and to prepare its delivery is one; the timer is armed for those to come. */
static bool takes_event(struct svm_vcpu *vcpu)
{
	/* Clear first: whoever asks from now on is seen by the next look. */
	svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_EVENTS);
	svm_events_prepare(vcpu);
	return vcpu->vmcb->control.event_inj & SVM_EVENT_VALID;
}

static bool is_woken(struct svm_vcpu *vcpu)
{
	return has_own_event(vcpu) || takes_event(vcpu);
}

/*
 * Nobody has asked for a look since the last one, before the entry.  An interrupt that it found and
 * the guest did not take has a window open.
 */
static bool is_quiet(const struct svm_vcpu *vcpu)
{
	return !svm_atomic_load(&vcpu->s.requests) && !svm_atomic_load(&vcpu->unhalted) &&
	       !(svm_vmcb_get_int_control(vcpu->vmcb) & SVM_INT_V_IRQ);
}

/* False: the host did not want to wait. */
static bool wait_for_interrupt(struct svm_vcpu *vcpu)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;
	const uint64_t irq = hal->irq_save(hal->ctx);
	bool may_look = true;

	svm_atomic_store(&vcpu->in_guest, vcpu->cpu->id + 1);
	if (!svm_atomic_load(&vcpu->s.requests))
		may_look = vcpu->idle(vcpu->idle_arg, vcpu);
	svm_atomic_store_release(&vcpu->in_guest, 0);
	hal->irq_restore(hal->ctx, irq);
	return may_look && !hal->should_exit(hal->ctx);
}

static bool wakes_inside(struct svm_vcpu *vcpu)
{
	if (vcpu->timed)
		svm_exit_counts_charge(vcpu); /* What comes now is the guest's sleep. */
	if ((!is_quiet(vcpu) && is_woken(vcpu)) || (wait_for_interrupt(vcpu) && is_woken(vcpu)))
		return true;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	return false;
}

SVM_LONG_WAY enum svm_action svm_exit_hlt(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t next = svm_vcpu_next_rip_of(vcpu, SVM_BARE_INSN(0xf4, 1));

	if (!next)
		return SVM_ACTION_RESUME;
	svm_vcpu_advance(vcpu, next);
	if (vcpu->idle ? !wakes_inside(vcpu) : !svm_vcpu_has_event(vcpu))
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_HLT);
	svm_atomic_store(&vcpu->unhalted, false);
	if (!vcpu->idle)
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS); /* Perhaps by time. */
	return SVM_ACTION_RESUME;
}
