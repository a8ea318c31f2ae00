/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A vCPU's file: three shared pages and the calls on it.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "guest_irq.h"
#include "guest_own.h"
#include "hal.h"
#include "trace.h"

#define SHARED_PAGES 3u

/* --- the mapping ------------------------------------------------------------------------------ */

static vm_fault_t fault(struct vm_fault *fault)
{
	const struct guest_vcpu *const vcpu = fault->vma->vm_file->private_data;
	void *const pages[SHARED_PAGES] = { vcpu->run, vcpu->io_data, vcpu->guest->ring };

	if (fault->pgoff >= SHARED_PAGES)
		return VM_FAULT_SIGBUS;
	fault->page = virt_to_page(pages[array_index_nospec(fault->pgoff, SHARED_PAGES)]);
	get_page(fault->page);
	return 0;
}

static const struct vm_operations_struct mapping = { .fault = fault };

static int map(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vma->vm_ops = &mapping;
	return 0;
}

/* --- calls ------------------------------------------------------------------------------------ */

static long get_regs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_regs regs;

	guest_get_regs(vcpu, &regs);
	return copy_to_user(user, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_regs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_regs regs;

	if (copy_from_user(&regs, user, sizeof(regs)))
		return -EFAULT;
	return guest_set_regs(vcpu, &regs);
}

static long get_sregs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs regs;

	guest_get_sregs(vcpu, &regs);
	return copy_to_user(user, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_sregs(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_sregs regs;

	if (copy_from_user(&regs, user, sizeof(regs)))
		return -EFAULT;
	return guest_set_sregs(vcpu, &regs);
}

static long get_fpu(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_fpu fpu;
	const int error = guest_get_fpu(vcpu, &fpu);

	if (error)
		return error;
	return copy_to_user(user, &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

static long set_fpu(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_fpu fpu;

	if (copy_from_user(&fpu, user, sizeof(fpu)))
		return -EFAULT;
	return guest_set_fpu(vcpu, &fpu);
}

static long get_mp_state(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_mp_state state = { 0 };
	const int error = guest_mp_get(vcpu, &state.mp_state);

	if (error)
		return error;
	return copy_to_user(user, &state, sizeof(state)) ? -EFAULT : 0;
}

static long set_mp_state(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_mp_state state;

	if (copy_from_user(&state, user, sizeof(state)))
		return -EFAULT;
	return guest_mp_set(vcpu, state.mp_state);
}

static long interrupt(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_interrupt given;

	if (copy_from_user(&given, user, sizeof(given)))
		return -EFAULT;
	if (given.irq > 255)
		return -EINVAL;
	if (guest_has_pic(vcpu->guest))
		return -ENXIO;
	if (guest_irq_of(vcpu->guest) && vcpu->interrupt >= 0)
		return -EEXIST;
	vcpu->interrupt = (int)given.irq;
	svm_vcpu_notify(vcpu->vcpu);
	return 0;
}

/* All calls but KVM_RUN, which would pay for the stack that the others need. */
static noinline long other_call(struct guest_vcpu *vcpu, unsigned int number, unsigned long arg)
{
	void __user *const user = (void __user *)arg;

	switch (number) {
	case KVM_GET_REGS:
		return get_regs(vcpu, user);
	case KVM_SET_REGS:
		return set_regs(vcpu, user);
	case KVM_GET_SREGS:
		return get_sregs(vcpu, user);
	case KVM_SET_SREGS:
		return set_sregs(vcpu, user);
	case KVM_GET_FPU:
		return get_fpu(vcpu, user);
	case KVM_SET_FPU:
		return set_fpu(vcpu, user);
	case KVM_GET_MSRS:
		return guest_get_msrs(vcpu, user);
	case KVM_SET_MSRS:
		return guest_set_msrs(vcpu, user);
	case KVM_GET_MP_STATE:
		return get_mp_state(vcpu, user);
	case KVM_SET_MP_STATE:
		return set_mp_state(vcpu, user);
	case KVM_GET_VCPU_EVENTS:
		return guest_events_get(vcpu, user);
	case KVM_SET_VCPU_EVENTS:
		return guest_events_set(vcpu, user);
	case KVM_GET_XSAVE:
		return guest_xsave_get(vcpu, user);
	case KVM_GET_XSAVE2:
		return guest_xsave2_get(vcpu, user);
	case KVM_SET_XSAVE:
		return guest_xsave_set(vcpu, user);
	case KVM_GET_XCRS:
		return guest_xcrs_get(vcpu, user);
	case KVM_SET_XCRS:
		return guest_xcrs_set(vcpu, user);
	case KVM_GET_DEBUGREGS:
		return guest_debugregs_get(vcpu, user);
	case KVM_SET_DEBUGREGS:
		return guest_debugregs_set(vcpu, user);
	case KVM_SET_GUEST_DEBUG:
		return guest_debug_set(vcpu, user);
	case KVM_SET_CPUID2:
		return guest_cpuid_set(vcpu->guest, user);
	case KVM_GET_CPUID2:
		return guest_cpuid_get(vcpu->guest, user);
	case KVM_INTERRUPT:
		return interrupt(vcpu, user);
	case KVM_NMI:
		svm_vcpu_inject_nmi(vcpu->vcpu);
		return 0;
	case KVM_X86_SETUP_MCE:
		return guest_mce_setup(vcpu, user);
	case KVM_X86_SET_MCE:
		return guest_mce_raise(vcpu, user);
	case KVM_SET_SIGNAL_MASK:
		return guest_task_set_mask(vcpu, user);
	case KVM_GET_STATS_FD:
		return guest_stats_open(vcpu->guest, vcpu);
	case KVM_SET_TSC_KHZ:
		return guest_tsc_set_khz(arg);
	case KVM_GET_TSC_KHZ:
		return (long)(hal_table()->tsc_hz / 1000);
	default:
		return guest_irq_vcpu_ioctl(vcpu, number, arg);
	}
}

static noinline long run_masked(struct guest_vcpu *vcpu)
{
	long result;

	guest_task_begin_mask(vcpu);
	result = guest_run(vcpu);
	guest_task_end_mask();
	return result;
}

static long call(struct guest_vcpu *vcpu, unsigned int number, unsigned long arg)
{
	if (unlikely(number != KVM_RUN))
		return other_call(vcpu, number, arg);
	if (arg)
		return -EINVAL;
	return unlikely(vcpu->has_mask) ? run_masked(vcpu) : guest_run(vcpu);
}

static long vcpu_ioctl(struct file *file, unsigned int number, unsigned long arg)
{
	struct guest_vcpu *const vcpu = file->private_data;
	long result;

	if (vcpu->guest->mm != current->mm)
		return -EIO;
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	result = call(vcpu, number, arg);
	if (trace_libsvm_ioctl_enabled())
		trace_libsvm_ioctl("vcpu", (int)svm_vcpu_id(vcpu->vcpu), number, arg, result);
	mutex_unlock(&vcpu->lock);
	return result;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct guest_vcpu *const vcpu = file->private_data;

	guest_put(vcpu->guest);
	return 0;
}

static const struct file_operations vcpu_file = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = map,
	.release = vcpu_release,
	.llseek = noop_llseek,
};

/* --- making ----------------------------------------------------------------------------------- */

static void free_memory(struct guest_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->run);
	free_page((unsigned long)vcpu->io_data);
	free_page((unsigned long)vcpu->ins_data);
	kvfree(vcpu->xsave);
	guest_explain_fini(vcpu);
	guest_task_fini(vcpu);
	kfree(vcpu);
}

static struct guest_vcpu *alloc_memory(void)
{
	struct guest_vcpu *const vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->xsave_size = max(svm_host_features(guest_host)->xsave_size, 1024u);
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->io_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->ins_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->xsave = kvzalloc(vcpu->xsave_size, GFP_KERNEL_ACCOUNT);
	if (vcpu->run && vcpu->io_data && vcpu->ins_data && vcpu->xsave && !guest_task_init(vcpu))
		return vcpu;
	free_memory(vcpu);
	return NULL;
}

static int make(struct guest *guest, u32 id, struct guest_vcpu **made)
{
	struct guest_vcpu *const vcpu = alloc_memory();
	unsigned int tries = 0;
	int error;

	if (!vcpu)
		return -ENOMEM;
	do {
		error = svm_vcpu_create(guest->vm, id, &vcpu->vcpu);
	} while (error == SVM_ERR_NOMEM && tries++ < 3 && hal_reclaim(8));
	if (error) {
		free_memory(vcpu);
		return hal_errno(error);
	}
	vcpu->guest = guest;
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	guest_timer_init(vcpu);
	guest_explain_init(vcpu);
	guest_mce_init(vcpu);
	guest_run_init(vcpu);
	guest_load_init(vcpu);
	guest_tsc_set(vcpu, 0);
	*made = vcpu;
	return 0;
}

void guest_vcpu_destroy(struct guest_vcpu *vcpu)
{
	if (svm_vcpu_destroy(vcpu->vcpu))
		pr_err("a vCPU could not be destroyed\n");
	free_memory(vcpu);
}

/*
 * The file is the last thing that can fail.  Others reach the vCPU by its APIC and by its number,
 * both after that.
 */
static int publish(struct guest *guest, u32 id, struct guest_vcpu *vcpu)
{
	const int fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	struct file *file;
	char name[24];

	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "kvm-vcpu:%u", id);
	file = anon_inode_getfile(name, &vcpu_file, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	guest_debugfs_add_vcpu(vcpu);
	guest_irq_attach(vcpu);
	/* Pairs with guest_vcpu_at(). */
	smp_store_release(&guest->vcpus[id], vcpu);
	fd_install(fd, file);
	return fd;
}

int guest_vcpu_create(struct guest *guest, unsigned long id)
{
	struct guest_vcpu *vcpu = NULL;
	int result;

	if (id >= GUEST_VCPUS)
		return -EINVAL;
	id = array_index_nospec(id, GUEST_VCPUS);
	mutex_lock(&guest->lock);
	if (guest->vcpu_ids && id >= guest->vcpu_ids)
		result = -EINVAL;
	else
		result = guest->vcpus[id] ? -EEXIST : make(guest, (u32)id, &vcpu);
	if (!result) {
		guest_get(guest);
		result = publish(guest, (u32)id, vcpu);
		if (result < 0) {
			guest_vcpu_destroy(vcpu);
			guest_put(guest);
		}
	}
	mutex_unlock(&guest->lock);
	return result;
}
