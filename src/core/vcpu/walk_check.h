/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_WALK_CHECK_H
#define SVM_CORE_VCPU_WALK_CHECK_H
/*
 * Whether a walk that is kept is the walk that is wanted, and still what it was.  In a header since
 * two files use these and a call would cost as much as what it calls.
 */
#include "core/features.h"
#include "core/memory/section.h"
#include "core/vcpu/vcpu.h"

/* What the present state of the vCPU makes of SVM_WALK_* flags. */
static inline uint32_t svm_walk_memo_mode(const struct svm_vcpu *vcpu, unsigned flags)
{
	uint32_t mode = flags | SVM_WALK_MEMO_VALID;

	if (svm_vmcb_get_cpl(vcpu->vmcb) == 3)
		mode |= SVM_WALK_MEMO_CPL3;
	if (vcpu->vmcb->save.rflags & RFLAGS_AC)
		mode |= SVM_WALK_MEMO_AC;
	return mode;
}

static inline bool svm_walk_memo_is_for(const struct svm_walk_memo *memo,
                                        const struct svm_vmcb *vmcb, svm_gva_t linear,
                                        uint32_t mode)
{
	return (((linear & SVM_PAGE_MASK) ^ memo->page) | (mode ^ memo->mode) |
	        (svm_vmcb_get_cr3(vmcb) ^ memo->cr3) | (svm_vmcb_get_cr0(vmcb) ^ memo->cr0) |
	        (svm_vmcb_get_cr4(vmcb) ^ memo->cr4) | (svm_vmcb_get_efer(vmcb) ^ memo->efer)) == 0;
}

/* Inside a section of which svm_memory.generation is the memo's. */
static inline bool svm_walk_step_holds(const struct svm_host *host,
                                       const struct svm_walk_step *step)
{
	const void *entry;

	return svm_host_find(host, step->hpa, &entry) &&
	       svm_atomic_load((const uint64_t *)entry) == step->entry;
}

/* Inside a section. */
static inline bool svm_walk_memo_holds(const struct svm_vm *vm, const struct svm_walk_memo *memo)
{
	const struct svm_walk_step *step = memo->step;

	if (svm_atomic_load(&vm->memory.generation) != memo->generation)
		return false;
	for (uint32_t left = memo->count; left; left--, step++)
		if (!svm_walk_step_holds(vm->host, step))
			return false;
	return true;
}

/*
 * Inside a section: as svm_walk_memo_find(), and 16 bytes at the address, if they are in its page
 * and memory.
 */
static inline bool svm_walk_memo_read(const struct svm_vcpu *vcpu,
                                      const struct svm_walk_memo *memo, svm_gva_t linear,
                                      uint32_t mode, uint64_t word[2])
{
	const uint64_t offset = linear & (SVM_PAGE_SIZE - 1);
	const void *hva;

	if (!SVM_MOSTLY(offset <= SVM_PAGE_SIZE - 16 && memo->hpa != SVM_WALK_MEMO_NOWHERE &&
	                svm_walk_memo_is_for(memo, vcpu->vmcb, linear, mode) &&
	                svm_walk_memo_holds(vcpu->vm, memo)))
		return false;
	if (!svm_host_find(vcpu->vm->host, memo->hpa | offset, &hva))
		return false;
	__builtin_memcpy(word, hva, 16);
	return true;
}

#endif
