/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Provisional: what hal_check.c will do.  The file goes when that comes.
 */
#include <libsvm/diagnose.h>


unsigned svm_hal_check(const struct svm_hal *hal,
                       void (*report)(void *arg, const struct svm_hal_check_result *result),
                       void *arg)
{
	(void)report;
	(void)arg;
	return svm_hal_missing_entry(hal) ? 1 : 0;
}
