/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Between two runs of one KVM_RUN a vCPU stays loaded, as long as its thread has the CPU and the
 * guest something to do.
 *
 * The scheduler says when the thread loses it, with interrupts off and the lock of its queue held:
 * nothing may be printed there, nobody woken, no lock taken.  svm_vcpu_put() stores a few words.
 * The FPU is not among what it gives back: kernel_fpu_begin() forbids preemption, so the guest's is
 * in the CPU during a run alone (load.c of the library), and a run is not preempted.
 *
 * When the thread gets a CPU again there is nothing to do.  The next run loads the vCPU where it
 * is, and says if there is no SVM; to load it before would be to read the host's registers twice,
 * and in vain for a thread that goes on to user space.
 *
 * A CPU that goes offline is left by all threads first, so no vCPU is loaded on it.
 *
 * Only KVM wants CONFIG_PREEMPT_NOTIFIERS: a kernel that was configured without KVM lacks it, and
 * each run loads the vCPU and puts it.
 */
#include <linux/preempt.h>

#include "guest.h"

#ifdef CONFIG_PREEMPT_NOTIFIERS

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	svm_vcpu_put(container_of(notifier, struct guest_vcpu, notifier)->vcpu);
}

static struct preempt_ops ops = { .sched_in = sched_in, .sched_out = sched_out };

/* Not for each VM: whoever is first or last changes the text of the scheduler. */
void guest_load_start(void)
{
	preempt_notifier_inc();
}

void guest_load_stop(void)
{
	preempt_notifier_dec();
}

void guest_load_init(struct guest_vcpu *vcpu)
{
	preempt_notifier_init(&vcpu->notifier, &ops);
}

void guest_load_begin(struct guest_vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_register(&vcpu->notifier);
	svm_vcpu_stay_loaded(vcpu->vcpu, true);
	preempt_enable();
	vcpu->stays = true;
}

void guest_load_stop_staying(struct guest_vcpu *vcpu)
{
	vcpu->stays = false;
	preempt_disable();
	svm_vcpu_stay_loaded(vcpu->vcpu, false);
	svm_vcpu_put(vcpu->vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	preempt_enable();
}

#else

void guest_load_start(void)
{
}

void guest_load_stop(void)
{
}

void guest_load_init(struct guest_vcpu *vcpu)
{
}

void guest_load_begin(struct guest_vcpu *vcpu)
{
}

void guest_load_stop_staying(struct guest_vcpu *vcpu)
{
}

#endif
