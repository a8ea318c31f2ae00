/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest that waits for a device fetches the same instruction and touches the same register over
 * and over, and an emulated access walks its tables twice.
 *
 * A processor would keep the translation until it is told to drop it.  We are not told (INVLPG is
 * not intercepted), so nothing is believed: of a walk the entries are kept, each is read again, and
 * only if all have the value of then, and the registers too, is its end the end of this one.  That
 * is what the walk itself would find, since it depends on nothing else.  What is saved is the
 * judging of each entry and the search for the memory it lies in.
 *
 * That memory is kept as a host-physical address and used inside a section only, while
 * svm_memory.generation is what it was: an announcement of change moves it and then waits for the
 * sections that have seen the old number.  The host is asked for a pointer each time.
 *
 * PKRU is not looked at, so with CR4.PKE nothing is kept.
 */
#include "core/vcpu/walk_memo.h"

#include "core/features.h"
#include "core/memory/section.h"
#include "core/vcpu/vcpu.h"

uint32_t svm_walk_memo_mode(const struct svm_vcpu *vcpu, unsigned flags)
{
	uint32_t mode = flags | SVM_WALK_MEMO_VALID;

	if (svm_vmcb_get_cpl(vcpu->vmcb) == 3)
		mode |= SVM_WALK_MEMO_CPL3;
	if (vcpu->vmcb->save.rflags & RFLAGS_AC)
		mode |= SVM_WALK_MEMO_AC;
	return mode;
}

/* Inside a section, with the generation of the memo. */
static bool entries_are_same(const struct svm_hal *hal, const struct svm_walk_memo *memo)
{
	for (uint32_t i = 0; i < memo->count; i++) {
		const uint64_t *entry = hal->phys_to_virt(hal->ctx, memo->step[i].hpa);

		if (!entry || svm_atomic_load(entry) != memo->step[i].entry)
			return false;
	}
	return true;
}

bool svm_walk_memo_find(const struct svm_vcpu *vcpu, const struct svm_walk_memo *memo,
                        svm_gva_t linear, uint32_t mode, svm_gpa_t *gpa)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	struct svm_memory *memory = &vcpu->vm->memory;
	unsigned section;
	bool same;

	if (((linear & SVM_PAGE_MASK) ^ memo->page) | (mode ^ memo->mode) |
	    (svm_vmcb_get_cr3(vmcb) ^ memo->cr3) | (svm_vmcb_get_cr0(vmcb) ^ memo->cr0) |
	    (svm_vmcb_get_cr4(vmcb) ^ memo->cr4) | (svm_vmcb_get_efer(vmcb) ^ memo->efer))
		return false;
	section = svm_section_enter(memory);
	same = svm_atomic_load(&memory->generation) == memo->generation &&
	       entries_are_same(&vcpu->vm->host->hal, memo);
	svm_section_leave(memory, section);
	*gpa = memo->gpa | (linear & (SVM_PAGE_SIZE - 1));
	return same;
}

void svm_walk_memo_begin(struct svm_walk_memo *memo, struct svm_memory *memory)
{
	memo->mode = 0;
	memo->count = 0;
	memo->generation = svm_atomic_load(&memory->generation);
}

void svm_walk_memo_note(struct svm_walk_memo *memo, svm_hpa_t hpa, uint64_t entry)
{
	if (memo->count < SVM_WALK_MEMO_LEVELS) {
		memo->step[memo->count].hpa = hpa;
		memo->step[memo->count].entry = entry;
		memo->count++;
	} else {
		memo->count = SVM_WALK_MEMO_SPOILT;
	}
}

void svm_walk_memo_keep(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo, svm_gva_t linear,
                        uint32_t mode, svm_gpa_t gpa)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	if (memo->count > SVM_WALK_MEMO_LEVELS || (svm_vmcb_get_cr4(vmcb) & CR4_PKE))
		return;
	memo->page = linear & SVM_PAGE_MASK;
	memo->gpa = gpa & SVM_PAGE_MASK;
	memo->cr0 = svm_vmcb_get_cr0(vmcb);
	memo->cr3 = svm_vmcb_get_cr3(vmcb);
	memo->cr4 = svm_vmcb_get_cr4(vmcb);
	memo->efer = svm_vmcb_get_efer(vmcb);
	memo->mode = mode;
}
