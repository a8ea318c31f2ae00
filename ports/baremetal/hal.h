/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_HAL_H
#define BAREMETAL_HAL_H

#include <libsvm/hal.h>

/** This machine as the library sees it. After smp_start_others(). */
const struct svm_hal *hal_table(void);

#endif
