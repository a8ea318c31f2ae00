/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SVM on and off, wherever a CPU comes and goes.
 *
 * svm_cpu_online() allocates, so it runs in the thread that brings a CPU up, and not in the early
 * slot that KVM of 6.1 uses.  That slot is taken all the same, with nothing in it: it exists once,
 * so kvm_amd is refused while this module is loaded, and the reverse.
 *
 * A CPU that goes down has no vCPU loaded: the callback is a thread of that CPU, and a vCPU is put
 * when its thread loses the CPU (guest_load.c).  A thread that comes back finds the CPU offline and
 * tries again until the scheduler has moved it.  Suspend takes all CPUs but one down in this way;
 * the last is syscore's, with interrupts off.  A machine that reboots or starts another kernel must
 * not have SVM on: INIT would be blocked, and the new kernel would find EFER.SVME set.
 */
#include "cpus.h"

#include <linux/cpu.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>

#include "compat.h"
#include "hal.h"

static struct svm_host *the_host;
static enum cpuhp_state online_state;
static bool stopping;

bool cpus_are_stopping(void)
{
	return READ_ONCE(stopping);
}

static int come(unsigned int cpu)
{
	int error = 0;

	if (!cpus_are_stopping())
		error = svm_cpu_online(the_host);
	if (error)
		pr_err("CPU %u: %s\n", cpu, svm_strerror(error));
	return hal_errno(error);
}

static int go(unsigned int cpu)
{
	const int error = svm_cpu_offline(the_host);

	/* STATE: it was off already, by a reboot that went no further. */
	return error == SVM_ERR_STATE ? 0 : hal_errno(error);
}

static int last_one_suspends(void)
{
	return go(smp_processor_id());
}

static void first_one_resumes(void)
{
	come(smp_processor_id());
}

/* Linux's type has no place for a resume that fails; the log has the reason. */
static struct syscore_ops syscore = {
	.suspend = last_one_suspends,
	.resume = first_one_resumes,
};

static int go_here(void *unused)
{
	return go(raw_smp_processor_id());
}

static int reboot(struct notifier_block *block, unsigned long action, void *data)
{
	unsigned int cpu;

	WRITE_ONCE(stopping, true);
	cpus_read_lock();
	for_each_online_cpu(cpu)
		smp_call_on_cpu(cpu, go_here, NULL, false);
	cpus_read_unlock();
	return NOTIFY_OK;
}

static struct notifier_block reboot_block = { .notifier_call = reboot };

int cpus_start(struct svm_host *host)
{
	int error;

	the_host = host;
	error = cpuhp_setup_state_nocalls(COMPAT_CPUHP_KVM, "virt/libsvm:claim", NULL, NULL);
	if (error) {
		pr_err("KVM uses SVM: unload kvm_amd first\n");
		return error;
	}
	error = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/libsvm:online", come, go);
	if (error < 0)
		goto give_back;
	online_state = error;
	error = register_reboot_notifier(&reboot_block);
	if (error)
		goto take_down;
	register_syscore_ops(&syscore);
	return 0;

take_down:
	cpuhp_remove_state(online_state);
give_back:
	cpuhp_remove_state_nocalls(COMPAT_CPUHP_KVM);
	return error;
}

void cpus_stop(void)
{
	unregister_syscore_ops(&syscore);
	unregister_reboot_notifier(&reboot_block);
	cpuhp_remove_state(online_state);
	cpuhp_remove_state_nocalls(COMPAT_CPUHP_KVM);
}
