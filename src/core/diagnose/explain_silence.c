/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Why a vCPU may not come back, told by another CPU.
 *
 * The processor keeps the guest's registers, so that the VMCB's are stale or half written while the
 * guest runs.  What decides whether it can be interrupted is the monitor's own and stays readable.
 */
#include <libsvm/exit_codes.h>

#include "core/diagnose/explain_vcpu.h"

static void add_last(struct svm_text *text, const struct svm_silence *silence)
{
	char buffer[24];
	const char *const name = svm_exit_name(silence->exit_code, buffer);

	svm_text_add(text, "; the last exit was ");
	svm_text_add(text, name ? name : "of an unknown code");
	svm_text_add(text, " at ");
	svm_text_add_hex(text, silence->rip);
}

/* What keeps a physical interrupt from ending the run, worst first. */
static void add_cause(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	if (!svm_vmcb_get_intercept(vmcb, SVM_EXIT_INTR))
		svm_text_add(text, "; interrupts are not intercepted: they go to the guest's IDT");
	else if (!(svm_vmcb_get_int_control(vmcb) & SVM_INT_V_MASKING))
		svm_text_add(text, "; V_INTR_MASKING is clear: while the guest's IF is clear, no "
		                   "interrupt ends the run");
	else
		svm_text_add(text, "; V_INTR_MASKING is set and the host enters with IF set: any "
		                   "interrupt would end the run, so none came; look at the timer "
		                   "of its CPU and at the EOI, or for a processor that ignores "
		                   "the host's IF");
	svm_text_add(text, "; GIF is 1: VMRUN sets it, and the guest cannot execute CLGI");
}

size_t svm_explain_silence(const struct svm_vcpu *vcpu, char *buffer, size_t size)
{
	struct svm_silence silence;
	struct svm_text text;

	svm_vcpu_get_silence(vcpu, &silence);
	svm_text_init(&text, buffer, size);
	svm_text_add(&text, "vCPU ");
	svm_text_add_decimal(&text, vcpu->id);
	if (silence.exits == 0) {
		svm_text_add(&text, silence.in_guest ? ": in its guest since its first entry"
		                                     : ": has never run");
	} else {
		svm_text_add(&text, silence.in_guest ? ": in its guest for "
		                                     : ": out of its guest for ");
		svm_text_add_decimal(&text, silence.ms);
		svm_text_add(&text, " ms");
		add_last(&text, &silence);
	}
	if (silence.in_guest)
		add_cause(&text, vcpu->vmcb);
	else
		svm_text_add(&text, "; it is the host's turn to call svm_vcpu_run()");
	return text.length;
}
