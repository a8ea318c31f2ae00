/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Model-specific registers for user space.
 *
 * The list is short on purpose: a VMM saves and restores what is in it, and what it restores must
 * be accepted.  Beyond the library's own, and those of guest_msr_own.c, are registers of KVM's
 * paravirtual interface that are not there: VMMs write them without asking, but only 0.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <libsvm/msrs.h>

#include "guest.h"
#include "guest_irq.h"
#include "guest_own.h"
#include "hal.h"

#define PV_FIRST 0x4b564d00u
#define PV_LAST  0x4b564d08u

static const u32 listed[] = {
	SVM_MSR_TSC,    SVM_MSR_SYSENTER_CS, SVM_MSR_SYSENTER_ESP,   SVM_MSR_SYSENTER_EIP,
	SVM_MSR_PAT,    SVM_MSR_STAR,        SVM_MSR_LSTAR,          SVM_MSR_CSTAR,
	SVM_MSR_SFMASK, SVM_MSR_TSC_AUX,     SVM_MSR_KERNEL_GS_BASE, SVM_MSR_TSC_DEADLINE,
	SVM_MSR_MCG_STATUS, SVM_MSR_MCG_CTL,
	SVM_MSR_SPEC_CTRL, GUEST_MSR_TSC_ADJUST, GUEST_MSR_MISC_ENABLE, GUEST_MSR_PLATFORM_INFO,
};

/* Two of them only where the processor has them. */
static bool is_there(u32 msr)
{
	const struct svm_features *const features = svm_host_features(guest_host);

	if (msr == SVM_MSR_SPEC_CTRL)
		return features->spec_ctrl;
	return msr != SVM_MSR_TSC_AUX || features->rdtscp;
}

int guest_msr_list(void __user *user)
{
	struct kvm_msr_list __user *const out = user;
	u32 room, count = 0, i;

	if (get_user(room, &out->nmsrs))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(listed); i++)
		count += is_there(listed[i]);
	if (put_user(count, &out->nmsrs))
		return -EFAULT;
	if (room < count)
		return -E2BIG;
	for (i = 0, count = 0; i < ARRAY_SIZE(listed); i++)
		if (is_there(listed[i]) && put_user(listed[i], &out->indices[count++]))
			return -EFAULT;
	return 0;
}

static bool is_paravirtual(u32 msr)
{
	return msr >= PV_FIRST && msr <= PV_LAST;
}

/* A VMM that found it in the list may set it, whoever has the APIC. */
static bool has_no_apic_for(const struct guest_vcpu *vcpu, u32 msr)
{
	return msr == SVM_MSR_TSC_DEADLINE && !guest_irq_of(vcpu->guest);
}

static int set_msr(struct guest_vcpu *vcpu, u32 msr, u64 value)
{
	const enum guest_msr_result own = guest_msr_own_set(vcpu, msr, false, value);

	if (own != GUEST_MSR_ANOTHER)
		return own == GUEST_MSR_DONE ? 0 : -EINVAL;
	if (is_paravirtual(msr))
		return value ? -EINVAL : 0;
	if (msr == SVM_MSR_APIC_BASE && guest_irq_of(vcpu->guest))
		return guest_irq_set_base(vcpu->apic, value);
	if (has_no_apic_for(vcpu, msr))
		return 0;
	return hal_errno(svm_vcpu_set_msr(vcpu->vcpu, msr, value));
}

static int get_msr(struct guest_vcpu *vcpu, u32 msr, u64 *value)
{
	uint64_t read = 0;
	int error = 0;

	if (guest_msr_own_get(vcpu, msr, false, value) == GUEST_MSR_DONE)
		return 0;
	if (!is_paravirtual(msr) && !has_no_apic_for(vcpu, msr))
		error = svm_vcpu_get_msr(vcpu->vcpu, msr, &read);
	*value = read;
	return hal_errno(error);
}

static struct kvm_msr_entry *copy_entries(struct kvm_msrs __user *user, u32 *count)
{
	struct kvm_msrs head;

	if (copy_from_user(&head, user, sizeof(head)))
		return ERR_PTR(-EFAULT);
	if (head.nmsrs > GUEST_MSR_ENTRIES)
		return ERR_PTR(-E2BIG);
	*count = head.nmsrs;
	return memdup_user(user->entries, array_size(sizeof(struct kvm_msr_entry), head.nmsrs));
}

/* As KVM: the number of those done, and the first that is refused ends it. */
int guest_get_msrs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_msrs __user *const out = user;
	struct kvm_msr_entry *entries;
	u32 count = 0, done = 0;
	int result;

	entries = copy_entries(out, &count);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	while (done < count && !get_msr(vcpu, entries[done].index, &entries[done].data))
		done++;
	result = (int)done;
	if (copy_to_user(out->entries, entries, done * sizeof(*entries)))
		result = -EFAULT;
	kfree(entries);
	return result;
}

int guest_set_msrs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_msr_entry *entries;
	u32 count = 0, done = 0;

	entries = copy_entries(user, &count);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	while (done < count && !set_msr(vcpu, entries[done].index, entries[done].data))
		done++;
	kfree(entries);
	return (int)done;
}
