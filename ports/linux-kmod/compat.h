/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_COMPAT_H
#define LIBSVM_LINUX_COMPAT_H
/*
 * What differs between the kernels that the module is built for, 6.1 to 6.12, and nowhere else.
 */
#include <linux/cpuhotplug.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/version.h>

/* What smp_send_reschedule() calls, a macro by now. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <trace/events/ipi.h>
#endif

/* The one hot-plug slot that KVM's vendor modules claim, so that only one of us has it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define COMPAT_CPUHP_KVM CPUHP_AP_KVM_ONLINE
#else
#define COMPAT_CPUHP_KVM CPUHP_AP_KVM_STARTING
#endif

/* Newer headers rename it for the kernel, so that nobody reads it twice. */
static inline bool compat_immediate_exit(const struct kvm_run *run)
{
#ifdef HINT_UNSAFE_IN_KVM
	return READ_ONCE(run->immediate_exit__unsafe);
#else
	return READ_ONCE(run->immediate_exit);
#endif
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(eventfd) eventfd_signal(eventfd)
#else
#define compat_eventfd_signal(eventfd) eventfd_signal(eventfd, 1)
#endif

#ifdef fd_file
#define compat_fd_file(f) fd_file(f)
#else
#define compat_fd_file(f) ((f).file)
#endif

/* The source of a string is what __string() has named. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define compat_assign_str(to, from) __assign_str(to)
#else
#define compat_assign_str(to, from) __assign_str(to, from)
#endif

static inline void compat_hrtimer_init(struct hrtimer *timer,
                                       enum hrtimer_restart (*fired)(struct hrtimer *),
                                       enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fired, CLOCK_MONOTONIC, mode);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = fired;
#endif
}

#endif
