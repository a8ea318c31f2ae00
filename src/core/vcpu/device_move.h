/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_DEVICE_MOVE_H
#define SVM_CORE_VCPU_DEVICE_MOVE_H
/*
 * A driver's access to its device, the short way where there is one.
 */
#include "core/vcpu/emulation.h"

/*
 * After a nested fault of an access to data where no slot is, and not while an event was delivered:
 * by the callback that owns the address, by the embedder, or as NPT_FAULT if neither wants it.
 */
enum svm_action svm_device_access(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* Does a callback own the byte, or the embedder want what nobody owns? */
bool svm_device_answers(const struct svm_vcpu *vcpu, svm_gpa_t gpa);

/*
 * The embedder's answer to a plain move, or for a store that it was seen, ends the instruction at
 * once.  data: as many bytes as the exit said; not looked at for a store.
 */
void svm_device_move_answer(struct svm_vcpu *vcpu, const void *data);

/* Who owns an address has changed. */
void svm_device_forget(struct svm_vcpu *vcpu);

#endif
