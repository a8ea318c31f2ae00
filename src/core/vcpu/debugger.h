/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_DEBUGGER_H
#define SVM_CORE_VCPU_DEBUGGER_H
/*
 * A debugger outside the guest: svm_vcpu_set_debugger().
 */
#include "core/vcpu/exits.h"

/* Is each #DB the embedder's? */
static inline bool svm_debugger_wants_db(const struct svm_vcpu *vcpu)
{
	return vcpu->debugger.is_on || (vcpu->vm->want & SVM_WANT_DEBUG);
}

/* A #DB has been shown, or registers have changed: the processor's are to be as they were meant. */
void svm_debugger_arm(struct svm_vcpu *vcpu);

/* The guest's debug registers, wherever they are. */
void svm_debugger_get_guest(const struct svm_vcpu *vcpu, struct svm_debug_regs *regs);
void svm_debugger_set_guest(struct svm_vcpu *vcpu, const struct svm_debug_regs *regs);

/* An intercepted MOV to or from a debug register, while there is a debugger. */
enum svm_action svm_debugger_move(struct svm_vcpu *vcpu, struct svm_exit *exit, unsigned gpr,
                                  uint64_t next);

#endif
