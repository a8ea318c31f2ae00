/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Debug registers, the guest's own.
 */
#include <linux/uaccess.h>

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
