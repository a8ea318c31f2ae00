/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What user space switches on or off for a VM (KVM_ENABLE_CAP).
 */
#include <linux/uaccess.h>

#include "guest.h"
#include "guest_own.h"

static bool has_vcpus(const struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < GUEST_VCPUS; i++)
		if (guest->vcpus[i])
			return true;
	return false;
}

/* Once, before there are any; the same again is no change. */
static int limit_ids(struct guest *guest, u64 most)
{
	int error = -EINVAL;

	if (!most || most > GUEST_VCPUS)
		return -EINVAL;
	mutex_lock(&guest->lock);
	if (guest->vcpu_ids ? guest->vcpu_ids == most : !has_vcpus(guest)) {
		guest->vcpu_ids = (u32)most;
		error = 0;
	}
	mutex_unlock(&guest->lock);
	return error;
}

int guest_set_boot_id(struct guest *guest, unsigned long id)
{
	int error = -EBUSY;

	if (id >= GUEST_VCPUS)
		return -EINVAL;
	mutex_lock(&guest->lock);
	if (!has_vcpus(guest)) {
		guest->boot_id = (u32)id;
		error = 0;
	}
	mutex_unlock(&guest->lock);
	return error;
}

/* For processors that cannot run real mode, so that any address will do. */
long guest_set_identity_map(struct guest *guest, void __user *user)
{
	bool is_late;
	u64 address;

	mutex_lock(&guest->lock);
	is_late = has_vcpus(guest);
	mutex_unlock(&guest->lock);
	if (is_late)
		return -EINVAL;
	return copy_from_user(&address, user, sizeof(address)) ? -EFAULT : 0;
}

static int set_bits(u64 *bits, u64 wanted, u64 known)
{
	if (wanted & ~known)
		return -EINVAL;
	WRITE_ONCE(*bits, wanted);
	return 0;
}

static int add_x2apic_api(struct guest *guest, u64 wanted)
{
	int error;

	mutex_lock(&guest->lock);
	error = set_bits(&guest->x2apic_api, guest->x2apic_api | wanted, GUEST_X2APIC_API);
	mutex_unlock(&guest->lock);
	return error;
}

/* Beginning dirty has a meaning only for who clears. */
static int choose_dirty_log(struct guest *guest, u64 wanted)
{
	if ((wanted & ~(u64)GUEST_DIRTY_LOG) || wanted == KVM_DIRTY_LOG_INITIALLY_SET)
		return -EINVAL;
	mutex_lock(&guest->lock);
	guest->clears_dirty_log = wanted & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
	guest->begins_dirty = wanted & KVM_DIRTY_LOG_INITIALLY_SET;
	mutex_unlock(&guest->lock);
	return 0;
}

long guest_enable_cap(struct guest *guest, void __user *user)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, user, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	switch (cap.cap) {
	case KVM_CAP_SPLIT_IRQCHIP:
		return guest_irq_split(guest, cap.args[0]);
	case KVM_CAP_MAX_VCPU_ID:
		return limit_ids(guest, cap.args[0]);
	case KVM_CAP_MSR_PLATFORM_INFO:
		WRITE_ONCE(guest->hides_platform_info, !cap.args[0]);
		return 0;
	case KVM_CAP_DISABLE_QUIRKS2:
		return set_bits(&guest->quirks_off, cap.args[0], GUEST_QUIRKS);
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return choose_dirty_log(guest, cap.args[0]);
	case KVM_CAP_X2APIC_API:
		return add_x2apic_api(guest, cap.args[0]);
	case KVM_CAP_X86_USER_SPACE_MSR:
		return set_bits(&guest->msr_exits, cap.args[0], GUEST_MSR_EXITS);
	default:
		return -EINVAL;
	}
}
