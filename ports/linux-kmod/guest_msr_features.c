/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers that describe the processor, for user space that chooses a guest's before there is one.
 */
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include <libsvm/msrs.h>

#include "guest_own.h"

#define DE_CFG_LFENCE_SERIALIZES BIT_ULL(1)

static const u32 features[] = { SVM_MSR_PATCH_LEVEL, SVM_MSR_DE_CFG };

long guest_msr_feature_list(void __user *user)
{
	struct kvm_msr_list __user *const out = user;
	u32 room;

	if (get_user(room, &out->nmsrs) || put_user((u32)ARRAY_SIZE(features), &out->nmsrs))
		return -EFAULT;
	if (room < ARRAY_SIZE(features))
		return -E2BIG;
	return copy_to_user(out->indices, features, sizeof(features)) ? -EFAULT : 0;
}

static int get_feature(u32 msr, u64 *value)
{
	switch (msr) {
	case SVM_MSR_PATCH_LEVEL:
		return rdmsrl_safe(MSR_IA32_UCODE_REV, value);
	case SVM_MSR_DE_CFG:
		*value = boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ? DE_CFG_LFENCE_SERIALIZES : 0;
		return 0;
	default:
		return -ENOENT;
	}
}

/* As of a vCPU: the number of those done, and the first that is refused ends it. */
long guest_msr_features(void __user *user)
{
	struct kvm_msrs __user *const out = user;
	u32 count, done;

	if (get_user(count, &out->nmsrs))
		return -EFAULT;
	if (count > GUEST_MSR_ENTRIES)
		return -E2BIG;
	for (done = 0; done < count; done++) {
		u64 value = 0;
		u32 msr;

		if (get_user(msr, &out->entries[done].index))
			return -EFAULT;
		if (get_feature(msr, &value))
			break;
		if (put_user(value, &out->entries[done].data))
			return -EFAULT;
	}
	return done;
}
