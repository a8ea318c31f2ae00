/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_EVENTS_H
#define SVM_CORE_VCPU_EVENTS_H
/*
 * Exceptions, NMIs and interrupts on their way into the guest.
 */
#include "core/features.h"
#include "core/vcpu/vcpu.h"

/*
 * Raise an exception.  Merged with one that waits, or whose delivery was interrupted, by the
 * rules of #DF; an exception on top of #DF makes the next entry a shutdown.
 */
void svm_events_raise(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error);

/* Raise a #DB that no intercept has shown to an embedder that wants each (SVM_WANT_DEBUG). */
void svm_events_trap(struct svm_vcpu *vcpu);

/* Before an entry with SVM_REQUEST_EVENTS: fill EVENTINJ, open the windows that are needed. */
void svm_events_prepare(struct svm_vcpu *vcpu);

/* By the vCPU's thread, of a port with a deadline, which may be another now. */
void svm_events_rearm(struct svm_vcpu *vcpu);

/*
 * Of a port with a deadline, on the CPU whose timer was armed for it last: that timer is still to
 * come, and for what the port says now.
 */
bool svm_events_timer_stands(struct svm_vcpu *vcpu);

/*
 * Behind an interrupt of the host, on a processor that saves a shadow and does not load it again
 * (QEMU 7.2): the guest gets no interrupt before the instruction in the shadow.  A lost one is STI
 * with HLT behind it, to which the handler would return, and nobody would wake the guest.
 */
void svm_events_keep_shadow(struct svm_vcpu *vcpu);

/* The long way of the next one: perhaps something was being delivered, or waited for this exit. */
void svm_events_settle(struct svm_vcpu *vcpu);

/* After each exit: keep what was being delivered, forget EVENTINJ. */
static inline void svm_events_after_exit(struct svm_vcpu *vcpu)
{
	struct svm_vmcb_control *control = &vcpu->vmcb->control;

	control->event_inj = 0;
	if ((control->exit_int_info & SVM_EVENT_VALID) || vcpu->unusual)
		svm_events_settle(vcpu);
	vcpu->events.injecting = 0;
}

/* Exits that only events want. */
void svm_events_interrupt_window(struct svm_vcpu *vcpu);
void svm_events_iret(struct svm_vcpu *vcpu);
/* A #DB that is the library's own single step over IRET: true, and nothing is left to do. */
bool svm_events_single_step(struct svm_vcpu *vcpu);

/* From now on the guest's instruction has a TF of the library's, to get past it. */
void svm_events_start_step(struct svm_vcpu *vcpu);
static inline void svm_events_step_again(struct svm_vcpu *vcpu)
{
	if (vcpu->debugger.wanted.single_step)
		svm_events_start_step(vcpu);
}
/* The library's single step is over or taken back; nothing if there is none. */
void svm_events_end_step(struct svm_vcpu *vcpu);
/* RFLAGS as the guest sees them: without a TF that is the library's. */
uint64_t svm_events_rflags(const struct svm_vcpu *vcpu);
/* Is a #DB due behind the instruction: the guest's, or a debugger's? */
static inline bool svm_events_traps(const struct svm_vcpu *vcpu)
{
	return vcpu->debugger.wanted.single_step || (svm_events_rflags(vcpu) & RFLAGS_TF);
}
/* The guest has written them in an emulated instruction. */
void svm_events_set_rflags(struct svm_vcpu *vcpu, uint64_t rflags);

/* Does the processor push an error code for this exception? */
bool svm_exception_has_error(uint8_t vector);
/* Is RIP that of the instruction, which runs again?  Then RF is set in what the handler returns. */
bool svm_exception_is_fault(uint8_t vector);

void svm_events_close_windows(struct svm_vcpu *vcpu);

/* Would the guest take an external interrupt or an NMI now? */
bool svm_events_can_interrupt(const struct svm_vcpu *vcpu);

#endif
