/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_HAL_H
#define LIBSVM_LINUX_HAL_H
/*
 * Linux, as the library sees it.
 */
#include <linux/percpu.h>
#include <linux/thread_info.h>

#include <libsvm/host.h>

/* The table, with the numbers of this machine; the same one each time. */
const struct svm_hal *hal_table(void);

/* Whoever runs on keeps another task, a signal or a patch waiting. */
static inline bool hal_task_has_work(void)
{
	return read_thread_flags() & (_TIF_NEED_RESCHED | _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL |
	                              _TIF_NOTIFY_RESUME);
}

/* A number that is another one when this CPU has been kicked. */
DECLARE_PER_CPU(u32, hal_kick_count);

static inline u32 hal_kicks(void)
{
	return raw_cpu_read(hal_kick_count);
}

/* Errors of the library as Linux's. */
int hal_errno(int error);

/*
 * What makes the library's own allocations possible again after SVM_ERR_NOMEM.  False: there is no
 * memory, or the caller is being killed.  May sleep; under no lock that a reclaim could want.
 */
bool hal_reclaim(size_t frames);

#endif
