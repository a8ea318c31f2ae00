/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_HAL_DEFAULT_H
#define SVM_CORE_HAL_DEFAULT_H

#include <libsvm/hal.h>

/*
 * Put a default into each optional entry that is NULL.  Three stay NULL, because what replaces
 * them needs the host: fpu_begin and fpu_end (vcpu/fpu.c saves the host's state), bug and
 * machine_check (vm.c).
 */
void svm_hal_complete(struct svm_hal *hal);

#endif
