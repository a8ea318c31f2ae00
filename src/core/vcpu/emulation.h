/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_EMULATION_H
#define SVM_CORE_VCPU_EMULATION_H
/*
 * From an exit to the emulator and back.
 */
#include "core/vcpu/exits.h"

/* Their argument is the vCPU (emulation_ops.c). */
extern const struct svm_emul_ops svm_emulation_ops;

/*
 * Emulate the instruction at RIP, of which the exit code allows a class.  RESUME: done, or a fault
 * is pending, or the guest shall simply run again.  RETURN: *exit says what the embedder owes.
 */
enum svm_action svm_emulation_run(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                  enum svm_emul_class class);

/* The callback that owns all bytes of an access, or NULL. */
const struct svm_mmio_range *svm_vcpu_find_mmio(const struct svm_vcpu *vcpu, svm_gpa_t gpa,
                                                unsigned size);

/* The bytes at RIP and what they say: for an embedder that finishes the instruction itself. */
void svm_emulation_describe(struct svm_vcpu *vcpu, struct svm_exit *exit);

/*
 * The emulator works on registers where they are; RAX and RSP, whose home is the VMCB, are lent to
 * it and taken back.
 */
static inline void svm_emulation_lend(struct svm_vcpu *vcpu)
{
	vcpu->s.lent_rax = vcpu->vmcb->save.rax;
	vcpu->s.lent_rsp = vcpu->vmcb->save.rsp;
}

static inline void svm_emulation_take_back(struct svm_vcpu *vcpu)
{
	vcpu->vmcb->save.rax = vcpu->s.lent_rax;
	vcpu->vmcb->save.rsp = vcpu->s.lent_rsp;
}

/* Go on with an instruction whose device access the embedder has answered. */
enum svm_action svm_emulation_continue(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* After SVM_EMUL_ABSENT: the exit that says what is to be paged in. */
enum svm_action svm_emulation_wait(struct svm_vcpu *vcpu, struct svm_exit *exit);

/*
 * Switch tasks, as svm_emul_task_switch(); registers are stored once vcpu->emul.task_switched.  A
 * FAULT is still to be raised: the event that led to the switch decides what becomes of both.
 */
enum svm_emul_result svm_emulation_switch_task(struct svm_vcpu *vcpu,
                                               const struct svm_emul_task *task);
void svm_emulation_raise(struct svm_vcpu *vcpu);

/* The embedder's answer to the access that the instruction waits for. */
void svm_emulation_answer(struct svm_vcpu *vcpu, const void *data);

/* The embedder leaves the intercepted instruction to the library: the next run executes it. */
void svm_emulation_release(struct svm_vcpu *vcpu);

/* Registers were set, or the vCPU was reset: nothing is half done any more. */
void svm_emulation_forget(struct svm_vcpu *vcpu);

#endif
