/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loading and unloading.
 *
 * Before anything can open the device, the library's own proofs run on this kernel: each clause of
 * the HAL, and on request the ladder of tiny guests.  A kernel on which one fails does not get the
 * module, since what follows would be a hang or worse in somebody's process.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/smp.h>

#include <libsvm/diagnose.h>
#include <libsvm/version.h>

#include "cpus.h"
#include "device.h"
#include "guest.h"
#include "hal.h"

MODULE_AUTHOR("The libsvm authors");
MODULE_DESCRIPTION("Virtual machine monitor for AMD-V");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_VERSION(__stringify(SVM_VERSION_MAJOR) "." __stringify(SVM_VERSION_MINOR) "."
               __stringify(SVM_VERSION_PATCH));

static bool selftest;
module_param(selftest, bool, 0444);
MODULE_PARM_DESC(selftest, "Run the self-test's guests while loading and print each rung");

struct svm_host *guest_host;

static void report_clause(void *arg, const struct svm_hal_check_result *result)
{
	if (!result->passed && !result->skipped)
		pr_err("HAL: %s failed (%#llx): %s\n", result->clause, result->observed,
		       result->text);
}

static int check_hal(void *unused)
{
	return svm_hal_check(hal_table(), report_clause, NULL);
}

static void report_rung(void *arg, const struct svm_selftest_result *result)
{
	if (result->passed || result->skipped)
		pr_info("selftest: %s %s\n", result->rung, result->passed ? "passed" : "skipped");
	else
		pr_err("selftest: %s failed: expected %#llx, observed %#llx: %s\n", result->rung,
		       result->expected, result->observed, result->explanation);
}

static int climb(void *unused)
{
	return svm_selftest(guest_host, report_rung, NULL);
}

/* Both want to be pinned, but may sleep. */
static int prove(const char *what, int (*proof)(void *))
{
	int failed;

	cpus_read_lock();
	failed = smp_call_on_cpu(cpumask_first(cpu_online_mask), proof, NULL, false);
	cpus_read_unlock();
	if (failed)
		pr_err("%s: %d\n", what, failed);
	else
		pr_info("%s: all passed\n", what);
	return failed ? -EIO : 0;
}

static int __init libsvm_init(void)
{
	int error = prove("HAL", check_hal);

	if (error)
		return error;
	error = svm_host_create(hal_table(), &guest_host);
	if (error)
		return hal_errno(error);
	/* What is added later lies above, and the library asks. */
	error = hal_errno(svm_host_set_direct_map(guest_host, __va(0), __pa(high_memory - 1) + 1));
	if (error)
		goto destroy_host;
	error = cpus_start(guest_host);
	if (error)
		goto destroy_host;
	guest_load_start();
	guest_debug_start();
	guest_debugfs_start();
	if (selftest)
		error = prove("selftest", climb);
	if (!error)
		error = guest_irqfd_load();
	if (error)
		goto stop_cpus;
	error = device_start();
	if (error)
		goto unload_irqfd;
	return 0;

unload_irqfd:
	guest_irqfd_unload();
stop_cpus:
	guest_debugfs_stop();
	guest_load_stop();
	cpus_stop();
destroy_host:
	if (svm_host_destroy(guest_host))
		pr_err("the host could not be destroyed\n");
	return error;
}
module_init(libsvm_init);

static void __exit libsvm_exit(void)
{
	device_stop();
	guest_irqfd_unload();
	guest_debugfs_stop();
	guest_load_stop();
	cpus_stop();
	if (svm_host_destroy(guest_host))
		pr_err("the host could not be destroyed\n");
}
module_exit(libsvm_exit);
