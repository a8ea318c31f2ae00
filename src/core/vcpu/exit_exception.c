/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Intercepted exceptions.  APM vol. 2, 15.12.
 *
 * The intercept sees each exception before it is merged into a double fault, so the merging is
 * ours (events.c).  #DB and #AC are always intercepted: a guest whose handler's stack raises the
 * same exception again would otherwise keep the processor in microcode for ever.
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"
#include "core/vcpu/emulation.h"

static enum svm_action exception_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                             enum svm_exit_kind kind, uint8_t vector)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	/* INT3 and INTO report their own RIP; the exception is delivered behind them. */
	const bool is_trap = vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF;
	const uint64_t next = is_trap ? svm_vcpu_next_rip(vcpu) : 0;

	svm_exit_owe(vcpu, exit, kind, SVM_OWED_EVENT, next);
	exit->exception.vector = vector;
	exit->exception.has_error = svm_exception_has_error(vector);
	exit->exception.error =
		exit->exception.has_error ? (uint32_t)vmcb->control.exit_info_1 : 0;
	exit->exception.address = vector == SVM_VECTOR_PF   ? vmcb->control.exit_info_2
	                          : vector == SVM_VECTOR_DB ? svm_vmcb_get_dr6(vmcb)
	                                                    : 0;
	if (vector == SVM_VECTOR_UD)
		svm_emulation_describe(vcpu, exit);
	return SVM_ACTION_RETURN;
}

enum svm_action svm_exit_debug(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	exception_to_embedder(vcpu, exit, SVM_EXIT_KIND_DEBUG, SVM_VECTOR_DB);
	if (vcpu->debugger.is_on)
		svm_debugger_arm(vcpu);
	return SVM_ACTION_RETURN;
}

static enum svm_action debug(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	if (svm_events_single_step(vcpu))
		return SVM_ACTION_RESUME;
	if (svm_debugger_wants_db(vcpu))
		return svm_exit_debug(vcpu, exit);
	return svm_exit_fault(vcpu, SVM_VECTOR_DB, 0);
}

/*
 * Behind an instruction that the library has finished it raises the #DB of TF by itself, and no
 * intercept shows that one.
 */
enum svm_action svm_exit_trap(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	vcpu->events.is_unseen = vcpu->events.exception_pending = false;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS); /* Whatever else waits comes next. */
	return svm_exit_debug(vcpu, exit);
}

/* The machine check is the host's; whether the guest can go on is the host's to say. */
static enum svm_action machine_check(struct svm_vcpu *vcpu)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;

	if (!hal->machine_check || !hal->machine_check(hal->ctx))
		svm_vm_bug(vcpu->vm, "machine check while a guest ran");
	return SVM_ACTION_RESUME;
}

enum svm_action svm_exit_exception(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint8_t vector = (uint8_t)(vcpu->vmcb->control.exit_code - SVM_EXIT_EXCEPTION);

	switch (vector) {
	case SVM_VECTOR_DB:
		return debug(vcpu, exit);
	case SVM_VECTOR_AC:
		return svm_exit_fault(vcpu, SVM_VECTOR_AC,
		                      (uint32_t)vcpu->vmcb->control.exit_info_1);
	case SVM_VECTOR_MC:
		return machine_check(vcpu);
	case SVM_VECTOR_BP:
		return exception_to_embedder(vcpu, exit, SVM_EXIT_KIND_DEBUG, vector);
	default:
		return exception_to_embedder(vcpu, exit, SVM_EXIT_KIND_EXCEPTION, vector);
	}
}
