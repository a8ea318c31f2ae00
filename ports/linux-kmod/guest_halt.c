/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How the thread of a vCPU waits.
 *
 * To sleep and to be woken takes the kernel longer than many a guest's HLT lasts.  So a thread
 * looks for a while by itself, as long as nobody else wants its CPU.  How long is learnt: a wait
 * that was a little longer makes it longer, one that no patience would have outlasted ends it.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "guest.h"

#define FIRST_NS 10000u

static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "Longest wait for an event of a halted vCPU without sleep; 0: none");

static void learn(struct guest_vcpu *vcpu, u64 waited)
{
	const u32 most = READ_ONCE(halt_poll_ns);

	if (waited > most)
		vcpu->poll_ns = 0;
	else if (waited > vcpu->poll_ns)
		vcpu->poll_ns = min(max(2 * vcpu->poll_ns, FIRST_NS), most);
}

/* False: nothing came in that time, or somebody else wants the CPU. */
static bool look(struct guest_vcpu *vcpu, bool (*is_over)(struct guest_vcpu *vcpu), u64 end)
{
	while (!is_over(vcpu)) {
		if (need_resched() || signal_pending(current) || !single_task_running() ||
		    ktime_get_ns() >= end)
			return false;
		cpu_relax();
	}
	return true;
}

int guest_halt_wait(struct guest_vcpu *vcpu, bool (*is_over)(struct guest_vcpu *vcpu))
{
	const u64 start = ktime_get_ns();
	int error = 0;

	if (!vcpu->poll_ns || !look(vcpu, is_over, start + vcpu->poll_ns))
		error = rcuwait_wait_event(&vcpu->wait, is_over(vcpu), TASK_INTERRUPTIBLE);
	learn(vcpu, ktime_get_ns() - start);
	return error;
}
