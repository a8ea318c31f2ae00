/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_CPUS_H
#define LIBSVM_LINUX_CPUS_H
/*
 * SVM on every CPU that is online, from loading to unloading.
 */
#include <linux/types.h>

struct svm_host;

/* Negative errno; -EBUSY where another hypervisor has SVM. */
int cpus_start(struct svm_host *host);
void cpus_stop(void);

/* The machine goes down and SVM is off: no vCPU may run again. */
bool cpus_are_stopping(void);

#endif
