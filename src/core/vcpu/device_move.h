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

/*
 * The same where nobody has a callback and the embedder answers: *exit says what is asked, and the
 * answer, or for a store that it was seen, ends the instruction at once.  data: as many bytes as
 * the exit says; not looked at for a store.
 */
bool svm_device_move_out(struct svm_vcpu *vcpu, struct svm_exit *exit);
void svm_device_move_answer(struct svm_vcpu *vcpu, const void *data);

#endif
