/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Past the instruction that was intercepted.
 *
 * Where the processor saves the next RIP (NRIPS, 15.7.1) it is used; elsewhere the length comes
 * from the bytes, by a scan that knows which instruction it has to be.  Bytes that are another
 * instruction mean that someone rewrote the code after the exit: nothing is executed for them,
 * the guest simply runs again.
 */
#include "core/features.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"
#include "core/vcpu/next_rip.h"

/* Linear address of the byte at RIP. */
static uint64_t code_address(const struct svm_vcpu *vcpu, unsigned bits)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	if (bits == 64)
		return vmcb->save.rip;
	return (uint32_t)(svm_vmcb_get_cs(vmcb).base + vmcb->save.rip);
}

unsigned svm_vcpu_fetch(struct svm_vcpu *vcpu, uint8_t bytes[15])
{
	const uint64_t linear = code_address(vcpu, svm_vcpu_code_bits(vcpu));
	unsigned got = 0;

	(void)svm_guest_fetch(vcpu, linear, bytes, SVM_INSN_LENGTH_MAX, &got);
	return got;
}

static unsigned scan_length(struct svm_vcpu *vcpu)
{
	struct svm_insn_scan scan;
	uint8_t bytes[SVM_INSN_LENGTH_MAX];
	const unsigned got = svm_vcpu_fetch(vcpu, bytes);

	return svm_insn_scan(bytes, got, svm_vcpu_code_bits(vcpu), vcpu->vmcb->control.exit_code,
	                     &scan)
	               ? scan.length
	               : 0;
}

uint64_t svm_vcpu_scan_next_rip(struct svm_vcpu *vcpu)
{
	const unsigned length = scan_length(vcpu);

	return length ? vcpu->vmcb->save.rip + length : 0;
}

uint64_t svm_vcpu_next_rip(struct svm_vcpu *vcpu)
{
	const uint64_t saved = svm_vcpu_saved_next_rip(vcpu);

	return saved ? saved : svm_vcpu_scan_next_rip(vcpu);
}

void svm_vcpu_retire(struct svm_vcpu *vcpu, uint64_t next_rip, bool traps)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	vmcb->save.rip = svm_vcpu_wrap_rip(vcpu, next_rip);
	vmcb->save.rflags &= ~RFLAGS_RF;
	vmcb->control.int_state &= ~SVM_INT_STATE_SHADOW;
	svm_recorder_advanced(&vcpu->recorder);
	svm_events_end_step(vcpu); /* The instruction to be stepped over is done: so is the step. */
	if (!traps)
		return;
	svm_vmcb_set_dr6(vmcb, svm_vmcb_get_dr6(vmcb) | DR6_BS);
	svm_events_trap(vcpu);
}

SVM_LONG_WAY enum svm_action svm_vcpu_advance_traced(struct svm_vcpu *vcpu, uint64_t next_rip)
{
	const bool tf = vcpu->vmcb->save.rflags & RFLAGS_TF;

	/* It may be the library's own. */
	svm_vcpu_retire(vcpu, next_rip, tf && svm_events_traps(vcpu));
	return SVM_ACTION_RESUME;
}

enum svm_action svm_vcpu_advance(struct svm_vcpu *vcpu, uint64_t next_rip)
{
	if (!SVM_MOSTLY(svm_vcpu_is_near(vcpu, next_rip)))
		next_rip = svm_vcpu_wrap_rip(vcpu, next_rip);
	return svm_vcpu_advance_near(vcpu, next_rip);
}
