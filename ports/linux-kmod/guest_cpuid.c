/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What CPUID tells the guest.
 *
 * KVM has a table for each vCPU, the library one for the VM, whose APIC IDs it fills in itself.
 * VMMs give all vCPUs the same table but for those IDs, so the last one given counts, until the
 * first run; after that only the same again is accepted, as KVM does it.
 *
 * x2APIC is offered, whatever the processor has; VMMs take it back where their own APIC lacks it.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/asm/kvm_para.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

#define SUBLEAF_MATTERS 1u /* KVM_CPUID_FLAG_SIGNIFCANT_INDEX. */

/* Of leaf 1. */
#define ECX_X2APIC BIT(21)
/* Of leaf 7. */
#define EBX_TSC_ADJUST BIT(1)

/* Calls that are always there; the clock where the host has one. */
#define PARAVIRT (BIT(KVM_FEATURE_NOP_IO_DELAY) | BIT(KVM_FEATURE_PV_SCHED_YIELD))

static struct kvm_cpuid_entry2 to_kvm(const struct svm_cpuid_entry *e)
{
	return (struct kvm_cpuid_entry2){
		.function = e->leaf,
		.index = e->subleaf,
		.flags = e->subleaf_matters ? SUBLEAF_MATTERS : 0,
		.eax = e->eax,
		.ebx = e->ebx,
		.ecx = e->ecx,
		.edx = e->edx,
	};
}

static struct svm_cpuid_entry from_kvm(const struct kvm_cpuid_entry2 *e)
{
	return (struct svm_cpuid_entry){
		.leaf = e->function,
		.subleaf = e->flags & SUBLEAF_MATTERS ? e->index : 0,
		.subleaf_matters = !!(e->flags & SUBLEAF_MATTERS),
		.eax = e->eax,
		.ebx = e->ebx,
		.ecx = e->ecx,
		.edx = e->edx,
	};
}

static int copy_out(struct kvm_cpuid2 __user *out, const struct svm_cpuid_entry *entries, u32 count)
{
	struct kvm_cpuid2 head;
	u32 i;

	if (copy_from_user(&head, out, sizeof(head)))
		return -EFAULT;
	if (put_user(count, &out->nent))
		return -EFAULT;
	if (head.nent < count)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		const struct kvm_cpuid_entry2 entry = to_kvm(&entries[i]);

		if (copy_to_user(&out->entries[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return 0;
}

static struct svm_cpuid_entry *room_for_table(void)
{
	return kcalloc(SVM_CPUID_MAX, sizeof(struct svm_cpuid_entry), GFP_KERNEL_ACCOUNT);
}

static void change_offer(struct svm_cpuid_entry *entries, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (entries[i].leaf == 7 && !entries[i].subleaf)
			entries[i].ebx |= EBX_TSC_ADJUST;
		if (entries[i].leaf != 1)
			continue;
		entries[i].ecx |= ECX_X2APIC;
	}
}

/* The signature, and behind it what there is of KVM's interface. */
static size_t add_paravirt(struct svm_cpuid_entry *rows)
{
	const struct svm_paravirt pv = {
		.config.features = PARAVIRT | guest_clock_features(),
	};

	svm_paravirt_cpuid(&pv, rows);
	return SVM_PARAVIRT_ROWS;
}

int guest_cpuid_supported(void __user *user)
{
	struct svm_cpuid_entry *const entries = room_for_table();
	size_t count = 0;
	int error;

	if (!entries)
		return -ENOMEM;
	error = hal_errno(svm_cpuid_default(guest_host, entries,
	                                    SVM_CPUID_MAX - SVM_PARAVIRT_ROWS, &count));
	change_offer(entries, count);
	if (!error) {
		count += add_paravirt(entries + count);
		error = copy_out(user, entries, (u32)count);
	}
	kfree(entries);
	return error;
}

static struct svm_cpuid_entry *copy_in(struct kvm_cpuid2 __user *user, u32 *count)
{
	struct kvm_cpuid_entry2 *copied;
	struct svm_cpuid_entry *entries;
	struct kvm_cpuid2 head;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return ERR_PTR(-EFAULT);
	if (head.nent > SVM_CPUID_MAX)
		return ERR_PTR(-E2BIG);
	entries = room_for_table();
	if (!entries)
		return ERR_PTR(-ENOMEM);
	copied = memdup_user(user->entries, array_size(sizeof(*copied), head.nent));
	if (IS_ERR(copied)) {
		kfree(entries);
		return ERR_CAST(copied);
	}
	for (i = 0; i < head.nent; i++)
		entries[i] = from_kvm(&copied[i]);
	kfree(copied);
	*count = head.nent;
	return entries;
}

static bool is_same(const struct guest *guest, const struct svm_cpuid_entry *entries, u32 count)
{
	return guest->cpuid && guest->cpuid_count == count &&
	       !memcmp(guest->cpuid, entries, count * sizeof(*entries));
}

int guest_cpuid_set(struct guest *guest, void __user *user)
{
	struct svm_cpuid_entry *entries;
	u32 count = 0;
	int error = 0;

	entries = copy_in(user, &count);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	mutex_lock(&guest->lock);
	if (!is_same(guest, entries, count))
		error = hal_errno(svm_vm_set_cpuid(guest->vm, entries, count));
	if (!error) {
		swap(guest->cpuid, entries);
		guest->cpuid_count = count;
	}
	mutex_unlock(&guest->lock);
	kfree(entries);
	return error;
}

int guest_cpuid_get(struct guest *guest, void __user *user)
{
	int error;

	mutex_lock(&guest->lock);
	error = copy_out(user, guest->cpuid, guest->cpuid_count);
	mutex_unlock(&guest->lock);
	return error;
}

u32 guest_cpuid_word(struct guest *guest, u32 leaf, enum guest_cpuid_word word)
{
	u32 i, value = 0;

	mutex_lock(&guest->lock);
	for (i = 0; guest->cpuid && i < guest->cpuid_count; i++) {
		const struct svm_cpuid_entry *const e = &guest->cpuid[i];

		if (e->leaf == leaf && !e->subleaf)
			value = word == GUEST_CPUID_EBX ? e->ebx : e->ecx;
	}
	mutex_unlock(&guest->lock);
	return value;
}
