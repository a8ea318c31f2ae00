/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Debug registers, the guest's own, and user space's debugger.
 *
 * KVM gives a debugger all #DB while it steps or has breakpoints in the processor, and all #BP
 * while it has them in the guest's memory.  What was the guest's it gives back, with
 * KVM_GUESTDBG_INJECT_* or as a pending exception.  Of an INT3 KVM then wants RIP where the
 * instruction is, and delivers the exception behind it; its length was known when it exited
 * (int3_next).
 */
#include <linux/uaccess.h>

#include <libsvm/exit_codes.h>

#include "guest.h"
#include "hal.h"

long guest_debugregs_get(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_debugregs out = { 0 };
	struct svm_debug_regs regs;

	svm_vcpu_get_debug(vcpu->vcpu, &regs);
	memcpy(out.db, regs.dr, sizeof(out.db));
	out.dr6 = regs.dr6;
	out.dr7 = regs.dr7;
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

long guest_debugregs_set(struct guest_vcpu *vcpu, void __user *user)
{
	struct svm_debug_regs regs;
	struct kvm_debugregs in;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.flags)
		return -EINVAL;
	memcpy(regs.dr, in.db, sizeof(regs.dr));
	regs.dr6 = in.dr6;
	regs.dr7 = in.dr7;
	return hal_errno(svm_vcpu_set_debug(vcpu->vcpu, &regs));
}

/* --- user space's debugger -------------------------------------------------------------------- */

#define VECTOR_DB 1u
#define VECTOR_BP 3u
#define INT3      0xccu
#define DR7_FIXED 0x400u
#define TAKES_DB  (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP)
#define INJECTS   (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)

static bool has_exception(struct guest_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	guest_get_events(vcpu, &events);
	return events.exception.injected;
}

static int inject(struct guest_vcpu *vcpu, u32 control)
{
	if (!(control & INJECTS))
		return 0;
	if (has_exception(vcpu))
		return -EBUSY;
	if (control & KVM_GUESTDBG_INJECT_DB)
		return hal_errno(svm_vcpu_inject_exception(vcpu->vcpu, VECTOR_DB, 0, 0));
	vcpu->owes_int3 = true;
	return 0;
}

/* QEMU's emulated processor shows INT3 to the intercept of INT n, not to that of #BP. */
static bool int3_is_int_n;

void guest_debug_start(void)
{
	int3_is_int_n = boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	                hypervisor_cpuid_base("TCGTCGTCGTCG", 0);
}

static int take_int3(struct guest_vcpu *vcpu, bool takes)
{
	int error = svm_vcpu_set_intercept(vcpu->vcpu, SVM_EXIT_EXCEPTION + VECTOR_BP, takes);

	if (!error && int3_is_int_n)
		error = svm_vcpu_set_intercept(vcpu->vcpu, SVM_EXIT_INTN, takes);
	return error;
}

static int debug(struct guest_vcpu *vcpu, u32 control, const u64 *registers)
{
	struct svm_debugger debugger = {
		.single_step = control & KVM_GUESTDBG_SINGLESTEP,
		.breakpoints = control & KVM_GUESTDBG_USE_HW_BP,
		.hold_events = control & KVM_GUESTDBG_BLOCKIRQ,
	};
	int error;

	if (debugger.breakpoints) {
		memcpy(debugger.dr, registers, sizeof(debugger.dr));
		debugger.dr7 = registers[7];
	}
	error = svm_vcpu_set_debugger(vcpu->vcpu, &debugger);
	if (!error)
		error = take_int3(vcpu, control & KVM_GUESTDBG_USE_SW_BP);
	if (error)
		return hal_errno(error);
	vcpu->debug = control;
	vcpu->debug_dr7 = debugger.dr7 | DR7_FIXED;
	return 0;
}

long guest_debug_set(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_guest_debug in;
	int error;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.control & ~GUEST_DEBUG)
		return -EINVAL;
	error = inject(vcpu, in.control);
	if (error)
		return error;
	in.control &= ~INJECTS;
	return debug(vcpu, in.control & KVM_GUESTDBG_ENABLE ? in.control : 0, in.arch.debugreg);
}

/* DR7 tells user space which kind of breakpoint the one is that DR6 names. */
static u64 dr7_in_force(struct guest_vcpu *vcpu)
{
	struct svm_debug_regs regs;

	if (vcpu->debug & KVM_GUESTDBG_USE_HW_BP)
		return vcpu->debug_dr7;
	svm_vcpu_get_debug(vcpu->vcpu, &regs);
	return regs.dr7;
}

static int tell_debugger(struct guest_vcpu *vcpu, u8 vector)
{
	struct kvm_debug_exit_arch *const out = &vcpu->run->debug.arch;
	struct svm_system_regs system;

	if (svm_vcpu_complete_retry(vcpu->vcpu))
		return -EIO;
	svm_vcpu_get_system(vcpu->vcpu, &system);
	memset(out, 0, sizeof(*out));
	out->exception = vector;
	out->pc = system.cs.base + vcpu->exit.rip;
	if (vector == VECTOR_DB) {
		out->dr6 = vcpu->exit.exception.address;
		out->dr7 = dr7_in_force(vcpu);
	} else {
		vcpu->int3_rip = vcpu->exit.rip;
		vcpu->int3_next = vcpu->exit.rip + max_t(u8, vcpu->exit.insn_len, 1);
	}
	vcpu->run->exit_reason = KVM_EXIT_DEBUG;
	return 0;
}

int guest_debug_exit(struct guest_vcpu *vcpu)
{
	const u8 vector = vcpu->exit.exception.vector;

	if (vcpu->debug & (vector == VECTOR_DB ? TAKES_DB : KVM_GUESTDBG_USE_SW_BP))
		return tell_debugger(vcpu, vector);
	return svm_vcpu_complete_fault(vcpu->vcpu, vector, 0) ? -EIO : 1;
}

/* See int3_is_int_n: any other than INT3 is the guest's. */
int guest_debug_int(struct guest_vcpu *vcpu)
{
	struct svm_system_regs system;
	svm_gva_t at;
	u8 opcode;

	svm_vcpu_get_system(vcpu->vcpu, &system);
	at = vcpu->exit.rip + (system.cs.attributes & SVM_SEG_L ? 0 : system.cs.base);
	if (!svm_vcpu_read(vcpu->vcpu, at, &opcode, sizeof(opcode), NULL) && opcode == INT3)
		return tell_debugger(vcpu, VECTOR_BP);
	return svm_vcpu_complete_emulate(vcpu->vcpu) ? -EIO : 1;
}

int guest_debug_settle(struct guest_vcpu *vcpu)
{
	struct svm_regs regs;
	int error;

	vcpu->owes_int3 = false;
	svm_vcpu_get_regs(vcpu->vcpu, &regs);
	if (regs.rip == vcpu->int3_rip && vcpu->int3_next != vcpu->int3_rip) {
		regs.rip = vcpu->int3_next;
		error = svm_vcpu_set_regs(vcpu->vcpu, &regs);
		if (error)
			return hal_errno(error);
	}
	error = svm_vcpu_inject_exception(vcpu->vcpu, VECTOR_BP, 0, 0);
	return error ? hal_errno(error) : 1;
}
