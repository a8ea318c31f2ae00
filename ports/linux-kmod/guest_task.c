/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel wants of a task before it may go on: signals, rescheduling, task work,
 * restartable sequences, live patches.
 *
 * The kernel's loop for it is KVM's alone: it takes a struct kvm_vcpu, of which it uses the run
 * page, for the exit reason, and a counter.  So each vCPU of ours has one of KVM's that is
 * otherwise empty.  A kernel that was configured without KVM lacks the loop; there the call
 * returns, and the work is done on the way to user space.  Every VMM takes -EINTR for "call again".
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#ifdef CONFIG_KVM_XFER_TO_GUEST_WORK
#include <linux/entry-kvm.h>
#endif

#include "guest.h"

int guest_task_init(struct guest_vcpu *vcpu)
{
	vcpu->task = kvzalloc(sizeof(*vcpu->task), GFP_KERNEL_ACCOUNT);
	if (!vcpu->task)
		return -ENOMEM;
	vcpu->task->run = vcpu->run;
	return 0;
}

void guest_task_fini(struct guest_vcpu *vcpu)
{
	kvfree(vcpu->task);
}

#ifdef CONFIG_KVM_XFER_TO_GUEST_WORK

int guest_task_work(struct guest_vcpu *vcpu)
{
	cond_resched();
	return __xfer_to_guest_mode_work_pending() ? xfer_to_guest_mode_handle_work(vcpu->task) : 0;
}

#else

int guest_task_work(struct guest_vcpu *vcpu)
{
	cond_resched();
	if (!signal_pending(current) && !test_thread_flag(TIF_NOTIFY_RESUME))
		return 0;
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

#endif

/* --- signals --------------------------------------------------------------------------------- */

/*
 * How a VMM without immediate_exit loses no signal: blocked in its thread, and let through here,
 * where it ends the run and stays pending.  Without an argument the thread's own mask is in force.
 */
long guest_task_set_mask(struct guest_vcpu *vcpu, const void __user *user)
{
	struct kvm_signal_mask head;
	sigset_t mask;

	if (!user) {
		vcpu->has_mask = false;
		return 0;
	}
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.len != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, user + sizeof(head), sizeof(mask)))
		return -EFAULT;
	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP)); /* Nobody blocks these. */
	vcpu->mask = mask;
	vcpu->has_mask = true;
	return 0;
}

/*
 * The thread's own mask is where the kernel looks when it decides whether a signal that comes now
 * ends the process at once: it does not, since it is blocked again before user space is reached.
 */
void guest_task_begin_mask(const struct guest_vcpu *vcpu)
{
	sigset_t mask = vcpu->mask;

	sigprocmask(SIG_SETMASK, &mask, &current->real_blocked);
}

void guest_task_end_mask(void)
{
	sigset_t own = current->real_blocked;

	sigprocmask(SIG_SETMASK, &own, NULL);
	sigemptyset(&current->real_blocked);
}
