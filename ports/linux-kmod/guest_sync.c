/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers by way of the run page, which saves user space calls.
 *
 * Which groups to take is read once; each group is copied from the page before anything looks at
 * it, since another thread may write there all the time.
 */
#include <linux/string.h>

#include "guest.h"

static int take_regs(struct guest_vcpu *vcpu)
{
	struct kvm_regs regs;

	memcpy(&regs, &vcpu->run->s.regs.regs, sizeof(regs));
	return guest_set_regs(vcpu, &regs);
}

static int take_sregs(struct guest_vcpu *vcpu)
{
	struct kvm_sregs regs;

	memcpy(&regs, &vcpu->run->s.regs.sregs, sizeof(regs));
	return guest_set_sregs(vcpu, &regs);
}

static int take_events(struct guest_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	memcpy(&events, &vcpu->run->s.regs.events, sizeof(events));
	return guest_set_events(vcpu, &events);
}

/* A group that was refused stays marked; those before it are in force. */
static int take_group(struct guest_vcpu *vcpu, u64 wanted, u64 group,
                      int (*take)(struct guest_vcpu *vcpu))
{
	int error;

	if (!(wanted & group))
		return 0;
	error = take(vcpu);
	if (!error)
		vcpu->run->kvm_dirty_regs &= ~group;
	return error ? -EINVAL : 0;
}

int guest_sync_take(struct guest_vcpu *vcpu)
{
	const u64 wanted = READ_ONCE(vcpu->run->kvm_dirty_regs);
	int error;

	if ((wanted | READ_ONCE(vcpu->run->kvm_valid_regs)) & ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	error = take_group(vcpu, wanted, KVM_SYNC_X86_REGS, take_regs);
	if (!error)
		error = take_group(vcpu, wanted, KVM_SYNC_X86_SREGS, take_sregs);
	if (!error)
		error = take_group(vcpu, wanted, KVM_SYNC_X86_EVENTS, take_events);
	return error;
}

void guest_sync_give(struct guest_vcpu *vcpu)
{
	struct kvm_sync_regs *const out = &vcpu->run->s.regs;
	const u64 wanted = READ_ONCE(vcpu->run->kvm_valid_regs);

	if (wanted & KVM_SYNC_X86_REGS)
		guest_get_regs(vcpu, &out->regs);
	if (wanted & KVM_SYNC_X86_SREGS)
		guest_get_sregs(vcpu, &out->sregs);
	if (wanted & KVM_SYNC_X86_EVENTS)
		guest_get_events(vcpu, &out->events);
}
