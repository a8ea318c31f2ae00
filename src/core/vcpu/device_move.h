/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_DEVICE_MOVE_H
#define SVM_CORE_VCPU_DEVICE_MOVE_H
/*
 * A driver's access to its device, the short way where there is one.
 */
#include "core/vcpu/emulation.h"

/*
 * After a nested fault of an access to data, and not while an event was delivered: as the last time
 * at this place, if all is as it was; else svm_exit_npf_anew().
 */
enum svm_action svm_device_again(struct svm_vcpu *vcpu, struct svm_exit *exit);

/*
 * After such a fault where no slot is: by the callback that owns the address, by the embedder, or
 * as NPT_FAULT if neither wants it.
 */
enum svm_action svm_device_first(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* No slot was at the address the last time, and none has come since. */
static inline bool svm_device_is_alone(const struct svm_vcpu *vcpu, svm_gpa_t gpa)
{
	return (gpa & SVM_PAGE_MASK) == vcpu->hole_page &&
	       svm_atomic_load(&vcpu->vm->memory.generation) == vcpu->hole_generation;
}

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
