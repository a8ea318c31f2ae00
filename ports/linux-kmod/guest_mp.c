/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What becomes of a vCPU between two runs: INIT and start-up, and where its thread sleeps.
 *
 * KVM's "uninitialised" is a vCPU that waits for its first INIT while user space may still set its
 * registers; the library has no such state, so a flag of ours keeps the thread from running it.
 * "Init received" is the library's WAIT_SIPI, and "halted" its HALTED or a flag, since user space
 * can ask for it without a HLT.
 */
#include <linux/preempt.h>

#include "guest_irq.h"
#include "hal.h"

/* --- INIT and start-up ------------------------------------------------------------------------ */

/* As INIT leaves it, but running: at the reset vector, or where user space has put it. */
static int start_at(struct guest_vcpu *vcpu, const struct svm_regs *regs,
                    const struct svm_system_regs *system)
{
	int error = svm_vcpu_startup_ipi(vcpu->vcpu, 0);

	if (!error)
		error = svm_vcpu_set_system(vcpu->vcpu, system);
	if (!error)
		error = svm_vcpu_set_regs(vcpu->vcpu, regs);
	return error;
}

/* From WAIT_SIPI, with the registers as they are. */
static int start_here(struct guest_vcpu *vcpu)
{
	struct svm_system_regs system;
	struct svm_regs regs;

	svm_vcpu_get_regs(vcpu->vcpu, &regs);
	svm_vcpu_get_system(vcpu->vcpu, &system);
	return start_at(vcpu, &regs, &system);
}

/* The boot processor does not wait for a start-up: it begins at the reset vector (14.1.3). */
static int take_init(struct guest_vcpu *vcpu, struct guest_apic *apic)
{
	int error;

	vcpu->waits_for_init = false;
	vcpu->is_halted = false;
	vcpu->debt = GUEST_OWES_NOTHING; /* Its instruction is gone. */
	apic->extint_requested = false;
	svm_lapic_reset_by_init(&apic->lapic);
	guest_load_end(vcpu);
	error = svm_vcpu_init_ipi(vcpu->vcpu);
	if (!error && guest_is_boot(vcpu))
		error = start_here(vcpu);
	guest_irq_follow_apic(apic);
	return error;
}

/* A start-up that no INIT came before is dropped, and an SMI has no mode to enter. */
static int serve(struct guest_vcpu *vcpu, struct guest_apic *apic)
{
	uint8_t vector = 0;
	const u32 requests = svm_lapic_take_requests(&apic->lapic, &vector);
	int error = 0;

	if (requests & SVM_LAPIC_REQUEST_INIT)
		error = take_init(vcpu, apic);
	if (!error && (requests & SVM_LAPIC_REQUEST_STARTUP) && !vcpu->waits_for_init &&
	    svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_WAIT_SIPI)
		error = svm_vcpu_startup_ipi(vcpu->vcpu, vector);
	if (requests & SVM_LAPIC_REQUEST_NMI)
		svm_vcpu_inject_nmi(vcpu->vcpu);
	if (requests & SVM_LAPIC_REQUEST_EXTINT)
		apic->extint_requested = true;
	return hal_errno(error);
}

/* --- sleeping --------------------------------------------------------------------------------- */

static bool has_event(struct guest_vcpu *vcpu)
{
	bool result;

	preempt_disable();
	result = svm_vcpu_has_event(vcpu->vcpu);
	preempt_enable();
	return result;
}

static bool is_waiting(const struct guest_vcpu *vcpu)
{
	return vcpu->waits_for_init || svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_WAIT_SIPI;
}

static bool is_halted(const struct guest_vcpu *vcpu)
{
	return vcpu->is_halted || svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_HALTED;
}

static bool has_to_sleep(struct guest_vcpu *vcpu)
{
	return is_waiting(vcpu) || (is_halted(vcpu) && !has_event(vcpu));
}

/* Also with what its APIC has for the vCPU itself. */
static bool may_wake(struct guest_vcpu *vcpu)
{
	return READ_ONCE(vcpu->apic->lapic.requests) || !has_to_sleep(vcpu);
}

/* --- controllers in user space ---------------------------------------------------------------- */

/* One for each return: the others follow. */
static bool tell_end(struct guest_vcpu *vcpu, struct guest_apic *apic)
{
	const unsigned long vector = find_first_bit(apic->ended, 256);

	if (vector == 256)
		return false;
	__clear_bit(vector, apic->ended);
	vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
	vcpu->run->eoi.vector = (u8)vector;
	return true;
}

/* The library tells of a guest that runs; one that is halted does not get there. */
static bool tell_window(struct guest_vcpu *vcpu)
{
	if (!vcpu->wants_window || is_waiting(vcpu) || vcpu->interrupt >= 0 ||
	    !svm_vcpu_can_interrupt(vcpu->vcpu))
		return false;
	vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
	return true;
}

int guest_mp_settle(struct guest_vcpu *vcpu)
{
	struct guest_apic *const apic = vcpu->apic;
	int error = 0;

	if (apic->irq->is_split && (tell_end(vcpu, apic) || tell_window(vcpu)))
		return 0;
	if (READ_ONCE(apic->lapic.requests))
		error = serve(vcpu, apic);
	while (!error && (is_waiting(vcpu) || is_halted(vcpu))) {
		guest_load_end(vcpu);
		if (guest_halt_wait(vcpu, may_wake))
			error = guest_task_work(vcpu);
		else if (!READ_ONCE(apic->lapic.requests))
			break;
		if (!error)
			error = serve(vcpu, apic);
	}
	vcpu->is_halted = false;
	return error ? error : 1;
}

/* --- for user space --------------------------------------------------------------------------- */

/* What has arrived is part of the state. */
int guest_mp_get(struct guest_vcpu *vcpu, u32 *state)
{
	struct guest_apic *const apic = vcpu->apic;
	const int error = apic ? serve(vcpu, apic) : 0;

	if (vcpu->waits_for_init)
		*state = KVM_MP_STATE_UNINITIALIZED;
	else if (svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_WAIT_SIPI)
		*state = KVM_MP_STATE_INIT_RECEIVED;
	else if (apic && has_to_sleep(vcpu))
		*state = KVM_MP_STATE_HALTED;
	else
		*state = KVM_MP_STATE_RUNNABLE;
	return error;
}

static int make_runnable(struct guest_vcpu *vcpu)
{
	vcpu->waits_for_init = false;
	vcpu->is_halted = false;
	if (svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_HALTED)
		svm_vcpu_unhalt(vcpu->vcpu);
	if (svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_WAIT_SIPI)
		return hal_errno(start_here(vcpu));
	return 0;
}

/* What was on its way to the vCPU that was. */
static void drop_startup(struct guest_apic *apic)
{
	uint8_t vector;

	(void)svm_lapic_take_requests(&apic->lapic, &vector);
}

int guest_mp_set(struct guest_vcpu *vcpu, u32 state)
{
	struct guest_apic *const apic = vcpu->apic;
	int error;

	if (!apic && state != KVM_MP_STATE_RUNNABLE)
		return -EINVAL;
	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
		return make_runnable(vcpu);
	case KVM_MP_STATE_UNINITIALIZED:
		drop_startup(apic);
		vcpu->waits_for_init = true;
		return 0;
	case KVM_MP_STATE_INIT_RECEIVED:
		error = hal_errno(svm_vcpu_init_ipi(vcpu->vcpu));
		if (!error)
			vcpu->debt = GUEST_OWES_NOTHING;
		vcpu->waits_for_init = vcpu->waits_for_init && error;
		return error;
	case KVM_MP_STATE_HALTED:
		error = make_runnable(vcpu);
		vcpu->is_halted = !error;
		return error;
	default: /* SIPI_RECEIVED too: nobody is told of it, so nobody can give it back. */
		return -EINVAL;
	}
}
