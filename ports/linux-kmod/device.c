/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The device node, with the calls of KVM's that concern the whole system.
 *
 * What is not whole answers 0: a VMM that is told of half a feature does not fall back to what
 * would work.
 */
#include "device.h"

#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "guest.h"
#include "guest_own.h"
#include "trace.h"

static char *node = "libsvm";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "Name of the device node; kvm for VMMs that know no other");

long guest_capability(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_HLT:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IMMEDIATE_EXIT:
		return 1;
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_MSR_PLATFORM_INFO:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_SET_BOOT_CPU_ID:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_X86_ROBUST_SINGLESTEP:
		return 1;
	case KVM_CAP_MCE:
		return GUEST_MCE_BANKS;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return GUEST_DEBUG;
	case KVM_CAP_DISABLE_QUIRKS2:
		return GUEST_QUIRKS;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return GUEST_DIRTY_LOG;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return GUEST_MSR_EXITS;
	case KVM_CAP_ADJUST_CLOCK:
		return guest_clock_flags();
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
		return svm_host_features(guest_host)->xsave;
	case KVM_CAP_XSAVE2:
		return svm_host_features(guest_host)->xsave ? guest_xsave_size() : 0;
	case KVM_CAP_SYNC_REGS:
		return KVM_SYNC_X86_VALID_FIELDS;
	case KVM_CAP_NR_VCPUS:
		return min(num_online_cpus(), GUEST_VCPUS);
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return GUEST_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return GUEST_SLOTS;
	default:
		return guest_irq_capability(cap);
	}
}

static long call(unsigned int number, unsigned long arg)
{
	switch (number) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return guest_create(arg);
	case KVM_CHECK_EXTENSION:
		return guest_capability(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : 3 * PAGE_SIZE;
	case KVM_GET_MSR_INDEX_LIST:
		return guest_msr_list((void __user *)arg);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return guest_msr_feature_list((void __user *)arg);
	case KVM_GET_MSRS:
		return guest_msr_features((void __user *)arg);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return guest_mce_supported((void __user *)arg);
	case KVM_GET_SUPPORTED_CPUID:
		return guest_cpuid_supported((void __user *)arg);
	default: /* What KVM says; of a VM it is -ENOTTY. */
		return -EINVAL;
	}
}

static long device_ioctl(struct file *file, unsigned int number, unsigned long arg)
{
	const long result = call(number, arg);

	trace_libsvm_ioctl("device", -1, number, arg, result);
	return result;
}

static const struct file_operations device_file = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.fops = &device_file,
};

int device_start(void)
{
	device.name = node;
	return misc_register(&device);
}

void device_stop(void)
{
	misc_deregister(&device);
}
