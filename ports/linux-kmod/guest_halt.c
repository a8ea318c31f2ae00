/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How the thread of a vCPU waits.
 *
 * To sleep and to be woken takes the kernel longer than many a guest's HLT lasts.  So a thread
 * watches for a while by itself, inside the run, as long as nobody else wants its CPU.  How long
 * is learnt: a wait that was a little longer makes it longer, one that no patience would have
 * outlasted ends it.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "guest.h"
#include "hal.h"

#define FIRST_NS 10000u

static unsigned int halt_poll_ns = 200000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "Longest wait for an event of a halted vCPU without sleep; 0: none");

/*
 * As svm_idle_fn, but not for any interrupt: for a kick of this CPU since the interrupt port was
 * asked, which was before the vCPU could be kicked.
 */
static bool watch(void *arg, struct svm_vcpu *vcpu)
{
	struct guest_vcpu *const g = arg;
	const u64 end = ktime_get_ns() + g->poll_ns;

	if (!single_task_running())
		return false;
	raw_local_irq_enable(); /* As the library switches them off: lockdep sees neither. */
	while (hal_kicks() == g->kicks && !hal_task_has_work() && ktime_get_ns() < end)
		cpu_relax();
	raw_local_irq_disable();
	g->watched_ns = g->poll_ns;
	return hal_kicks() != g->kicks;
}

static void learn(struct guest_vcpu *vcpu, u64 waited)
{
	const u32 most = READ_ONCE(halt_poll_ns);

	if (waited > most)
		vcpu->poll_ns = 0;
	else if (waited > vcpu->poll_ns)
		vcpu->poll_ns = min(max(2 * vcpu->poll_ns, FIRST_NS), most);
	svm_vcpu_set_idle(vcpu->vcpu, vcpu->poll_ns ? watch : NULL, vcpu);
}

int guest_halt_wait(struct guest_vcpu *vcpu, bool (*is_over)(struct guest_vcpu *vcpu))
{
	const u64 start = ktime_get_ns();
	const int error = rcuwait_wait_event(&vcpu->wait, is_over(vcpu), TASK_INTERRUPTIBLE);

	learn(vcpu, vcpu->watched_ns + ktime_get_ns() - start);
	vcpu->watched_ns = 0;
	return error;
}
