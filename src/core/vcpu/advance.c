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
#include "core/vcpu/exits.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"

#define INSN_MAX 15u

uint64_t svm_vcpu_wrap_rip(const struct svm_vcpu *vcpu, uint64_t rip)
{
	if (rip <= 0xffff)
		return rip; /* In every mode, and most callers ask for a length. */
	switch (svm_vcpu_code_bits(vcpu)) {
	case 64:
		return rip;
	case 32:
		return (uint32_t)rip;
	default:
		return rip & 0xffff;
	}
}

static unsigned fetch_code(struct svm_vcpu *vcpu, unsigned bits, uint8_t bytes[15])
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t base = bits == 64 ? 0 : svm_vmcb_get_cs(vmcb).base;
	uint64_t linear = base + vmcb->save.rip;
	unsigned got = 0;

	if (bits != 64)
		linear = (uint32_t)linear;
	(void)svm_guest_fetch(vcpu, linear, bytes, INSN_MAX, &got);
	return got;
}

unsigned svm_vcpu_fetch(struct svm_vcpu *vcpu, uint8_t bytes[15])
{
	return fetch_code(vcpu, svm_vcpu_code_bits(vcpu), bytes);
}

uint64_t svm_vcpu_next_rip(struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t rip = vmcb->save.rip;
	struct svm_insn_scan scan;
	uint8_t bytes[INSN_MAX];
	unsigned bits, got;

	if (vcpu->vm->host->features.svm & SVM_FEATURE_NRIPS) {
		const uint64_t next = vmcb->control.next_rip;

		/* 0 on exits that are no instructions; a length beyond 15 is none either. */
		if (svm_vcpu_wrap_rip(vcpu, next - rip) - 1 < INSN_MAX)
			return rip + svm_vcpu_wrap_rip(vcpu, next - rip);
	}
	bits = svm_vcpu_code_bits(vcpu);
	got = fetch_code(vcpu, bits, bytes);
	if (!svm_insn_scan(bytes, got, bits, vmcb->control.exit_code, &scan))
		return 0;
	return rip + scan.length;
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

void svm_vcpu_advance(struct svm_vcpu *vcpu, uint64_t next_rip)
{
	const bool tf = vcpu->vmcb->save.rflags & RFLAGS_TF;

	/* It may be the library's own. */
	svm_vcpu_retire(vcpu, next_rip, tf && (svm_events_rflags(vcpu) & RFLAGS_TF));
}
