/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The extended state and XCR0 as KVM's user space has them.
 *
 * Both sides use the standard format of XSAVE, so bytes are copied and the library checks them.
 * KVM_GET_XSAVE is for an area of one page; a processor whose area is larger needs KVM_GET_XSAVE2,
 * whose size user space has asked for.
 */
#include <linux/uaccess.h>

#include "guest.h"
#include "hal.h"

#define AREA_OLD sizeof(struct kvm_xsave)

u32 guest_xsave_size(void)
{
	return max(svm_host_features(guest_host)->xsave_size, (u32)AREA_OLD);
}

static bool has_xsave(void)
{
	return svm_host_features(guest_host)->xsave;
}

static long get_area(struct guest_vcpu *vcpu, void __user *user, size_t room)
{
	const size_t size = min_t(size_t, vcpu->xsave_size, room);
	const int error = svm_vcpu_get_xsave(vcpu->vcpu, vcpu->xsave, vcpu->xsave_size);

	if (error)
		return hal_errno(error);
	if (copy_to_user(user, vcpu->xsave, size) || clear_user(user + size, room - size))
		return -EFAULT;
	return 0;
}

long guest_xsave_get(struct guest_vcpu *vcpu, void __user *user)
{
	if (!has_xsave() || guest_xsave_size() > AREA_OLD)
		return -EINVAL;
	return get_area(vcpu, user, AREA_OLD);
}

long guest_xsave2_get(struct guest_vcpu *vcpu, void __user *user)
{
	return has_xsave() ? get_area(vcpu, user, guest_xsave_size()) : -EINVAL;
}

long guest_xsave_set(struct guest_vcpu *vcpu, void __user *user)
{
	if (!has_xsave())
		return -EINVAL;
	if (copy_from_user(vcpu->xsave, user, vcpu->xsave_size))
		return -EFAULT;
	return hal_errno(svm_vcpu_set_xsave(vcpu->vcpu, vcpu->xsave, vcpu->xsave_size));
}

long guest_xcrs_get(struct guest_vcpu *vcpu, void __user *user)
{
	const struct kvm_xcrs xcrs = {
		.nr_xcrs = 1,
		.xcrs[0] = { .xcr = 0, .value = svm_vcpu_get_xcr0(vcpu->vcpu) },
	};

	if (!has_xsave())
		return -EINVAL;
	return copy_to_user(user, &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

/* There is only XCR0. */
long guest_xcrs_set(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_xcrs xcrs;
	u32 i;

	if (copy_from_user(&xcrs, user, sizeof(xcrs)))
		return -EFAULT;
	if (!has_xsave() || xcrs.flags || xcrs.nr_xcrs > KVM_MAX_XCRS)
		return -EINVAL;
	for (i = 0; i < xcrs.nr_xcrs; i++)
		if (xcrs.xcrs[i].xcr == 0)
			return hal_errno(svm_vcpu_set_xcr0(vcpu->vcpu, xcrs.xcrs[i].value));
	return 0;
}
