/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_DEVICE_MOVE_H
#define SVM_CORE_VCPU_DEVICE_MOVE_H
/*
 * A driver's MOV to or from a device, the short way.
 */
#include "core/vcpu/emulation.h"

/*
 * After a nested fault of an access to data, within range, where no slot is, and not while an event
 * was delivered.  True: the instruction is done.  False: nothing is, svm_emulation_run() has to.
 */
bool svm_device_move(struct svm_vcpu *vcpu, const struct svm_mmio_range *range);

#endif
