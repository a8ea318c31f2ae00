/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which accesses to MSRs are not the kernel's (KVM_X86_SET_MSR_FILTER).
 *
 * The processor's permission map follows from the filter, so the filter changes only while no vCPU
 * runs.  That also ends the library's uses of the old one; ours are under the VM's lock.
 *
 * The registers of an x2APIC cannot be denied: its emulation is one whole.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

#define X2APIC_FIRST 0x800u
#define X2APIC_COUNT 0x100u

struct filter_range {
	u32 first, count, flags; /* KVM_MSR_FILTER_*. */
	unsigned long *allowed;
};

struct guest_msr_filter {
	bool denies; /* What no range covers. */
	u32 count;
	struct filter_range ranges[KVM_MSR_FILTER_MAX_RANGES];
};

static bool is_in(const struct filter_range *range, u32 msr, u32 kind)
{
	return (range->flags & kind) && msr - range->first < range->count;
}

static bool offers(void *arg, uint32_t msr, bool is_write)
{
	const u32 kind = is_write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ;
	const struct guest_msr_filter *const filter = arg;
	u32 i;

	if (msr - X2APIC_FIRST < X2APIC_COUNT)
		return true;
	for (i = 0; i < filter->count; i++) {
		const struct filter_range *const range = &filter->ranges[i];

		if (is_in(range, msr, kind))
			return test_bit(msr - range->first, range->allowed);
	}
	return !filter->denies;
}

bool guest_msr_is_denied(struct guest *guest, u32 msr, bool is_write)
{
	bool denied;

	mutex_lock(&guest->lock);
	denied = guest->msr_filter && !offers(guest->msr_filter, msr, is_write);
	mutex_unlock(&guest->lock);
	return denied;
}

void guest_msr_filter_free(struct guest_msr_filter *filter)
{
	u32 i;

	for (i = 0; filter && i < filter->count; i++)
		kvfree(filter->ranges[i].allowed);
	kfree(filter);
}

static int take_range(struct guest_msr_filter *filter, const struct kvm_msr_filter_range *user)
{
	struct filter_range *const range = &filter->ranges[filter->count];
	const size_t size = BITS_TO_LONGS((u64)user->nmsrs) * sizeof(long);

	if (!user->nmsrs)
		return 0;
	if (!user->flags || (user->flags & ~(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)))
		return -EINVAL;
	if (size > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	range->allowed = vmemdup_user((void __user *)user->bitmap, size);
	if (IS_ERR(range->allowed))
		return PTR_ERR(range->allowed);
	range->first = user->base;
	range->count = user->nmsrs;
	range->flags = user->flags;
	filter->count++;
	return 0;
}

static struct guest_msr_filter *make(const struct kvm_msr_filter *user)
{
	struct guest_msr_filter *filter;
	int error = 0;
	u32 i;

	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	filter->denies = user->flags & KVM_MSR_FILTER_DEFAULT_DENY;
	for (i = 0; !error && i < KVM_MSR_FILTER_MAX_RANGES; i++)
		error = take_range(filter, &user->ranges[i]);
	if (!error && !filter->count && filter->denies)
		error = -EINVAL; /* It would deny all there is. */
	if (!error)
		return filter;
	guest_msr_filter_free(filter);
	return ERR_PTR(error);
}

static int apply(struct guest *guest, void *arg)
{
	struct guest_msr_filter *const filter = arg;

	return svm_vm_msr_filter(guest->vm, offers, filter);
}

long guest_msr_filter_set(struct guest *guest, void __user *user)
{
	struct guest_msr_filter *filter;
	struct kvm_msr_filter in;
	int error;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	filter = make(&in);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	mutex_lock(&guest->lock);
	error = guest_while_stopped(guest, apply, filter);
	if (!error)
		swap(guest->msr_filter, filter);
	mutex_unlock(&guest->lock);
	guest_msr_filter_free(filter);
	return error;
}
