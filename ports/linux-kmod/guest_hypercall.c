/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Hypercalls of KVM's, and instructions that are another processor's.
 *
 * A guest that was moved here from an Intel processor executes VMCALL, which is undefined here.
 * KVM puts VMMCALL in its place unless user space has forbidden it, and so do we.  MONITOR and
 * MWAIT do nothing, as on a processor that always finds something stored, whether CPUID offers them
 * or not; that too user space can switch off.
 */
#include <uapi/linux/kvm_para.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

#define VECTOR_UD 6u

/* As a signed number of Linux's, in RAX. */
#define DENIED  ((u64)-KVM_EPERM)
#define UNKNOWN ((u64)-KVM_ENOSYS)

static bool has_quirk(const struct guest_vcpu *vcpu, u64 quirk)
{
	return !(READ_ONCE(vcpu->guest->quirks_off) & quirk);
}

/* Another vCPU waits for what this one knows to have come. */
static u64 kick(struct guest *guest, u64 id)
{
	struct guest_vcpu *other;

	if (id >= GUEST_VCPUS)
		return 0;
	other = guest_vcpu_at(guest, (u32)id);
	if (other)
		svm_vcpu_unhalt(other->vcpu);
	return 0;
}

/* Inside a run: a thread that shall give way does so when the run has returned. */
static enum svm_device_result serve(void *arg, struct svm_vcpu *vcpu, struct svm_hypercall *call)
{
	call->result = DENIED;
	if (call->cpl)
		return SVM_DEVICE_DONE;
	switch (call->number) {
	case KVM_HC_VAPIC_POLL_IRQ: /* The exit was all that it wanted. */
		call->result = 0;
		return SVM_DEVICE_DONE;
	case KVM_HC_KICK_CPU:
		call->result = kick(arg, call->argument[1]);
		return SVM_DEVICE_DONE;
	case KVM_HC_SCHED_YIELD: /* To whom, the scheduler knows better. */
		call->result = 0;
		return SVM_DEVICE_RETURN;
	default:
		call->result = UNKNOWN;
		return SVM_DEVICE_DONE;
	}
}

int guest_hypercall_start(struct guest *guest)
{
	return svm_vm_hypercall_handler(guest->vm, 0, U32_MAX, serve, guest);
}

/* A number that is none of KVM's by its width alone. */
int guest_hypercall(struct guest_vcpu *vcpu)
{
	const u64 answer = vcpu->exit.hypercall.cpl ? DENIED : UNKNOWN;

	return svm_vcpu_complete_value(vcpu->vcpu, answer) ? -EIO : 1;
}

static bool is_vmcall(const struct svm_exit *exit)
{
	return exit->decoded.valid && exit->decoded.map == SVM_OPCODE_0F &&
	       exit->decoded.opcode == 0x01 && exit->decoded.has_modrm &&
	       exit->decoded.modrm == 0xc1 && !exit->decoded.prefixes;
}

static bool put_vmmcall(struct guest_vcpu *vcpu)
{
	static const u8 vmmcall[] = { 0x0f, 0x01, 0xd9 };
	struct svm_system_regs system;
	svm_gva_t at;

	svm_vcpu_get_system(vcpu->vcpu, &system);
	at = vcpu->exit.rip + (system.cs.attributes & SVM_SEG_L ? 0 : system.cs.base);
	return !svm_vcpu_write(vcpu->vcpu, at, vmmcall, sizeof(vmmcall), NULL);
}

/* What the guest may not write is not changed for it either. */
int guest_undefined(struct guest_vcpu *vcpu)
{
	int error;

	if (is_vmcall(&vcpu->exit) && has_quirk(vcpu, KVM_X86_QUIRK_FIX_HYPERCALL_INSN) &&
	    put_vmmcall(vcpu))
		error = svm_vcpu_complete_retry(vcpu->vcpu);
	else
		error = svm_vcpu_complete_fault(vcpu->vcpu, VECTOR_UD, 0);
	return error ? hal_errno(error) : 1;
}

int guest_mwait(struct guest_vcpu *vcpu)
{
	int error;

	if (has_quirk(vcpu, KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) || guest_has_mwait(vcpu))
		error = svm_vcpu_complete_skip(vcpu->vcpu);
	else
		error = svm_vcpu_complete_fault(vcpu->vcpu, VECTOR_UD, 0);
	return error ? hal_errno(error) : 1;
}
