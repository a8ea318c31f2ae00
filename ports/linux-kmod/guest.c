/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A VM's file, and its life.
 *
 * Whichever file is closed last ends the VM, maybe in a kernel thread and long after the process.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <libsvm/msrs.h>

#include "guest.h"
#include "guest_irq.h"
#include "guest_own.h"
#include "hal.h"
#include "trace.h"

static void destroy(struct kref *kref)
{
	struct guest *const guest = container_of(kref, struct guest, references);
	unsigned int i;

	guest_debugfs_remove(guest);
	guest_memory_end(guest);
	guest_irq_stop(guest);
	for (i = 0; i < GUEST_VCPUS; i++)
		if (guest->vcpus[i])
			guest_vcpu_destroy(guest->vcpus[i]);
	if (svm_vm_destroy(guest->vm))
		pr_err("a VM could not be destroyed\n");
	guest_ioeventfd_stop(guest);
	guest_coalesced_stop(guest);
	guest_irq_destroy(guest);
	mmdrop(guest->mm);
	guest_msr_filter_free(guest->msr_filter);
	kfree(guest->cpuid);
	kfree(guest);
}

struct guest *guest_get(struct guest *guest)
{
	kref_get(&guest->references);
	return guest;
}

void guest_put(struct guest *guest)
{
	kref_put(&guest->references, destroy);
}

int guest_while_stopped(struct guest *guest, int (*change)(struct guest *guest, void *arg),
                        void *arg)
{
	int error;

	do {
		/* Before the first run there is nothing to stop, but it may come just now. */
		const bool stopped = svm_vm_state(guest->vm) == SVM_VM_RUNNING &&
		                     !svm_vm_pause(guest->vm);

		error = change(guest, arg);
		if (stopped && svm_vm_resume(guest->vm))
			return -EIO;
	} while (error == SVM_ERR_BUSY);
	return hal_errno(error);
}

/* --- calls ------------------------------------------------------------------------------------ */

static long set_memory(struct guest *guest, void __user *user)
{
	struct kvm_userspace_memory_region region;

	if (copy_from_user(&region, user, sizeof(region)))
		return -EFAULT;
	return guest_memory_set(guest, &region);
}

static long call(struct guest *guest, unsigned int number, unsigned long arg)
{
	switch (number) {
	case KVM_CHECK_EXTENSION:
		return guest_capability(arg);
	case KVM_CREATE_VCPU:
		return guest_vcpu_create(guest, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory(guest, (void __user *)arg);
	case KVM_GET_DIRTY_LOG:
		return guest_dirty_get(guest, (void __user *)arg);
	case KVM_CLEAR_DIRTY_LOG:
		return guest_dirty_clear(guest, (void __user *)arg);
	case KVM_SET_NR_MMU_PAGES:
		return guest_memory_limit(guest, arg);
	case KVM_GET_NR_MMU_PAGES:
		return (int)READ_ONCE(guest->mmu_pages);
	case KVM_SET_BOOT_CPU_ID:
		return guest_set_boot_id(guest, arg);
	case KVM_GET_STATS_FD:
		return guest_stats_open(guest, NULL);
	case KVM_ENABLE_CAP:
		return guest_enable_cap(guest, (void __user *)arg);
	case KVM_X86_SET_MSR_FILTER:
		return guest_msr_filter_set(guest, (void __user *)arg);
	case KVM_GET_CLOCK:
		return guest_clock_get(guest, (void __user *)arg);
	case KVM_SET_CLOCK:
		return guest_clock_set(guest, (void __user *)arg);
	case KVM_SET_TSS_ADDR: /* Of use to processors that cannot run real mode. */
		return 0;
	case KVM_SET_IDENTITY_MAP_ADDR:
		return guest_set_identity_map(guest, (void __user *)arg);
	default:
		return guest_irq_vm_ioctl(guest, number, arg);
	}
}

static long vm_ioctl(struct file *file, unsigned int number, unsigned long arg)
{
	struct guest *const guest = file->private_data;
	long result;

	if (guest->mm != current->mm)
		return -EIO;
	result = call(guest, number, arg);
	trace_libsvm_ioctl("vm", -1, number, arg, result);
	return result;
}

static int vm_release(struct inode *inode, struct file *file)
{
	guest_put(file->private_data);
	return 0;
}

static const struct file_operations vm_file = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};

/* --- making ----------------------------------------------------------------------------------- */

#define WANTED_EXITS (SVM_WANT_MMIO | SVM_WANT_MSR | SVM_WANT_UD | SVM_WANT_MWAIT)

static unsigned int careful;
module_param(careful, uint, 0444);
MODULE_PARM_DESC(careful,
                 "An exit behind each interrupt: 0 under QEMU's TCG, 1 always, 2 never");

/* Those that the library has, and not as KVM has them: a write of the TSC moves TSC_ADJUST too. */
static const struct {
	u32 first, count;
} our_msrs[] = {
	{ SVM_MSR_TSC, 1 },
	{ SVM_MSR_MCG_CAP, 3 },
	{ SVM_MSR_MC0_CTL, 4 * GUEST_MCE_BANKS },
};

static int make_vm(struct guest *guest)
{
	const struct svm_vm_config config = {
		.vcpu_max = GUEST_VCPUS,
		.exit_after_interrupt = min(careful, 2u),
	};
	unsigned int tries = 0, i;
	int error;

	do {
		error = svm_vm_create(guest_host, &config, &guest->vm);
	} while (error == SVM_ERR_NOMEM && tries++ < 3 && hal_reclaim(8));
	if (error)
		return hal_errno(error);
	error = svm_vm_set_exits(guest->vm, WANTED_EXITS);
	for (i = 0; i < ARRAY_SIZE(our_msrs) && !error; i++)
		error = svm_vm_set_msr_policy(guest->vm, our_msrs[i].first, our_msrs[i].count,
		                              SVM_MSR_EXIT);
	if (!error)
		error = guest_hypercall_start(guest);
	if (error && svm_vm_destroy(guest->vm))
		pr_err("a VM could not be destroyed\n");
	return hal_errno(error);
}

static int make(struct guest *guest)
{
	int error = make_vm(guest);

	if (error)
		return error;
	kref_init(&guest->references);
	mutex_init(&guest->lock);
	mutex_init(&guest->tsc_lock);
	spin_lock_init(&guest->ioeventfd_lock);
	INIT_LIST_HEAD(&guest->ioeventfds);
	spin_lock_init(&guest->zones_lock);
	INIT_LIST_HEAD(&guest->zones);
	guest->mm = current->mm;
	error = guest_clock_init(guest);
	if (!error)
		error = guest_coalesced_start(guest);
	if (!error)
		error = guest_memory_start(guest);
	if (error) {
		guest_coalesced_stop(guest);
		if (svm_vm_destroy(guest->vm))
			pr_err("a VM could not be destroyed\n");
		return error;
	}
	mmgrab(guest->mm);
	return 0;
}

int guest_create(unsigned long type)
{
	struct guest *guest;
	int result;

	if (type)
		return -EINVAL;
	guest = kzalloc(sizeof(*guest), GFP_KERNEL_ACCOUNT);
	if (!guest)
		return -ENOMEM;
	result = make(guest);
	if (result) {
		kfree(guest);
		return result;
	}
	guest_debugfs_add(guest);
	result = anon_inode_getfd("kvm-vm", &vm_file, guest, O_RDWR | O_CLOEXEC);
	if (result < 0)
		guest_put(guest);
	return result;
}
