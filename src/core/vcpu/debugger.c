/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A debugger that the guest does not see.  APM vol. 2, 13.1, 15.12.2.
 *
 * The processor has one set of debug registers.  While a debugger is on a vCPU they hold what it
 * wants, and the guest's own are kept aside (svm_vcpu.debugger.guest): the guest's moves are
 * intercepted and reach those.  Two of them are not just another value:
 *
 * - DR6 collects.  Only when it starts from reset does it tell what one #DB was for, so it is reset
 *   after each, and the guest's is not touched by a #DB that the guest does not get.
 * - A #DB clears DR7.GD, which is put back.
 *
 * A debugger that only steps leaves the guest its breakpoints, and each #DB is the debugger's to
 * hand on.  Steps are events.c's, which also steps for itself.
 */
#include "core/vcpu/debugger.h"

#include "core/features.h"
#include "core/vcpu/guest_virtual.h"

#define NUMBER_DR4 4u
#define NUMBER_DR5 5u

void svm_debugger_arm(struct svm_vcpu *vcpu)
{
	const struct svm_vcpu_debugger *d = &vcpu->debugger;
	const uint64_t dr7 = d->wanted.breakpoints ? d->wanted.dr7 : d->guest.dr7;

	memcpy(vcpu->s.guest_dr, d->wanted.breakpoints ? d->wanted.dr : d->guest.dr,
	       sizeof(vcpu->s.guest_dr));
	svm_vmcb_set_dr6(vcpu->vmcb, DR6_RESET);
	svm_vmcb_set_dr7(vcpu->vmcb, (dr7 & DR7_WRITABLE) | DR7_RESET);
	svm_vcpu_use_debug(vcpu, dr7 & DR7_ENABLES);
}

void svm_debugger_get_guest(const struct svm_vcpu *vcpu, struct svm_debug_regs *regs)
{
	if (vcpu->debugger.is_on) {
		*regs = vcpu->debugger.guest;
		return;
	}
	memcpy(regs->dr, vcpu->s.guest_dr, sizeof(regs->dr));
	regs->dr6 = svm_vmcb_get_dr6(vcpu->vmcb);
	regs->dr7 = svm_vmcb_get_dr7(vcpu->vmcb);
}

void svm_debugger_set_guest(struct svm_vcpu *vcpu, const struct svm_debug_regs *regs)
{
	if (vcpu->debugger.is_on) {
		vcpu->debugger.guest = *regs;
		svm_debugger_arm(vcpu);
		return;
	}
	memcpy(vcpu->s.guest_dr, regs->dr, sizeof(regs->dr));
	svm_vmcb_set_dr6(vcpu->vmcb, regs->dr6);
	svm_vmcb_set_dr7(vcpu->vmcb, regs->dr7);
	svm_vcpu_use_debug(vcpu, regs->dr7 & DR7_ENABLES);
}

/* --- the guest's moves ------------------------------------------------------------------------ */

/* What the processor would have raised had it not been intercepted; DR7 is that in force. */
static bool is_guarded(const struct svm_vcpu *vcpu)
{
	return svm_vmcb_get_dr7(vcpu->vmcb) & DR7_GD;
}

static enum svm_action guarded(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_vmcb_set_dr6(vcpu->vmcb, svm_vmcb_get_dr6(vcpu->vmcb) | DR6_BD);
	return svm_exit_debug(vcpu, exit);
}

enum svm_action svm_debugger_move(struct svm_vcpu *vcpu, struct svm_exit *exit, unsigned gpr,
                                  uint64_t next)
{
	const unsigned code = (unsigned)vcpu->vmcb->control.exit_code;
	const unsigned number = code & 15;
	const bool is_wide = svm_vcpu_code_bits(vcpu) == 64;
	const uint64_t value = svm_vcpu_read_gpr(vcpu, gpr);

	if ((number == NUMBER_DR4 || number == NUMBER_DR5) &&
	    (svm_vmcb_get_cr4(vcpu->vmcb) & CR4_DE))
		return svm_exit_fault(vcpu, SVM_VECTOR_UD, 0);
	if (is_guarded(vcpu))
		return guarded(vcpu, exit);
	if (code < SVM_EXIT_DR_WRITE) {
		const uint64_t old = svm_debug_read(vcpu, number);

		svm_vcpu_write_gpr(vcpu, gpr, is_wide ? old : (uint32_t)old);
	} else if (!svm_debug_write(vcpu, number, is_wide ? value : (uint32_t)value)) {
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	}
	svm_vcpu_advance(vcpu, next);
	return SVM_ACTION_RESUME;
}

/* --- the embedder's side ---------------------------------------------------------------------- */

/* A step that is over but was not shown yet, and was not the guest's: nobody waits for it now. */
static void forget_step(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;

	if (!events->is_unseen || svm_debugger_wants_db(vcpu) ||
	    (svm_events_rflags(vcpu) & RFLAGS_TF))
		return;
	events->is_unseen = events->exception_pending = false;
}

static bool debugger_is_legal(const struct svm_debugger *wanted)
{
	return !wanted->breakpoints || !(wanted->dr7 >> 32);
}

int svm_vcpu_set_debugger(struct svm_vcpu *vcpu, const struct svm_debugger *debugger)
{
	const struct svm_debugger nothing = { .single_step = false };
	const struct svm_debugger wanted = debugger ? *debugger : nothing;
	struct svm_debug_regs guest;

	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		return SVM_ERR_STATE;
	if (!debugger_is_legal(&wanted))
		return SVM_ERR_INVAL;
	svm_debugger_get_guest(vcpu, &guest);
	svm_events_end_step(vcpu);
	vcpu->debugger.wanted = wanted;
	vcpu->debugger.is_on = wanted.single_step || wanted.breakpoints;
	svm_debugger_set_guest(vcpu, &guest);
	svm_vcpu_update_intercepts(vcpu);
	forget_step(vcpu);
	svm_events_step_again(vcpu);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS | SVM_REQUEST_AUDIT);
	return 0;
}
