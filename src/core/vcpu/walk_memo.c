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
 *
 * Without paging there is no entry to read again, and what is saved is the search alone.
 */
#include "core/vcpu/walk_memo.h"

#include "core/vcpu/walk_check.h"

bool svm_walk_memo_find(const struct svm_vcpu *vcpu, const struct svm_walk_memo *memo,
                        svm_gva_t linear, uint32_t mode, svm_gpa_t *gpa)
{
	struct svm_memory *memory = &vcpu->vm->memory;
	unsigned section;
	bool same;

	if (!svm_walk_memo_is_for(memo, vcpu->vmcb, linear, mode))
		return false;
	section = svm_section_enter(memory);
	same = svm_walk_memo_holds(vcpu->vm, memo);
	svm_section_leave(memory, section);
	*gpa = memo->gpa | (linear & (SVM_PAGE_SIZE - 1));
	return same;
}

void svm_walk_memo_begin(struct svm_walk_memo *memo, struct svm_memory *memory)
{
	memo->serial++;
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

/* Not where the memory has changed since the walk: then the entries are of no use either. */
static svm_hpa_t find_page(struct svm_vm *vm, const struct svm_walk_memo *memo, svm_gpa_t gpa)
{
	const unsigned section = svm_section_enter(&vm->memory);
	svm_hpa_t hpa = SVM_WALK_MEMO_NOWHERE;

	if (svm_atomic_load(&vm->memory.generation) != memo->generation ||
	    svm_memory_locate(vm, gpa, SVM_PROT_READ, &hpa))
		hpa = SVM_WALK_MEMO_NOWHERE;
	svm_section_leave(&vm->memory, section);
	return hpa;
}

static void remember_end(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo, svm_gva_t linear,
                         uint32_t mode, svm_gpa_t gpa)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	memo->page = linear & SVM_PAGE_MASK;
	memo->gpa = gpa & SVM_PAGE_MASK;
	memo->hpa = find_page(vcpu->vm, memo, memo->gpa);
	memo->cr0 = svm_vmcb_get_cr0(vmcb);
	memo->cr3 = svm_vmcb_get_cr3(vmcb);
	memo->cr4 = svm_vmcb_get_cr4(vmcb);
	memo->efer = svm_vmcb_get_efer(vmcb);
	memo->mode = mode;
}

void svm_walk_memo_keep(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo, svm_gva_t linear,
                        uint32_t mode, svm_gpa_t gpa)
{
	if (memo->count && memo->count <= SVM_WALK_MEMO_LEVELS &&
	    !(svm_vmcb_get_cr4(vcpu->vmcb) & CR4_PKE))
		remember_end(vcpu, memo, linear, mode, gpa);
}

void svm_walk_memo_keep_unpaged(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo,
                                svm_gva_t linear, uint32_t mode)
{
	struct svm_memory *memory = &vcpu->vm->memory;

	if (svm_walk_memo_is_for(memo, vcpu->vmcb, linear, mode) &&
	    svm_atomic_load(&memory->generation) == memo->generation)
		return;
	svm_walk_memo_begin(memo, memory);
	remember_end(vcpu, memo, linear, mode, linear);
}
