/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_HAL_H
#define BAREMETAL_HAL_H

#include <libsvm/host.h>

/** This machine as the library sees it. After smp_start_others(). */
const struct svm_hal *hal_table(void);

/** svm_host_create(), and what the library may know of this host. */
int hal_create_host(const struct svm_hal *hal, struct svm_host **host);

#endif
