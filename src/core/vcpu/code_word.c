/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The code at RIP, as much of it as tells a common instruction.
 *
 * Where the processor saves no next RIP this is read at nearly every exit, and a guest has many
 * exits in one page.  So where the last page lies is remembered, under the rules of walk_memo.c: as
 * a host-physical address, used inside a section only and while svm_memory.generation is what it
 * was.  The bytes themselves are read each time, since another vCPU or a device may have written
 * them.
 *
 * Without paging there are no entries to compare, and none of the registers that a walk depends on.
 */
#include "core/vcpu/code_word.h"

#include "core/features.h"
#include "core/memory/section.h"
#include "core/vcpu/code_mode.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/walk_check.h"

#define WORD_SIZE sizeof(uint64_t)

static SVM_LONG_WAY uint64_t paged_word(struct svm_vcpu *vcpu)
{
	const uint64_t rip = vcpu->vmcb->save.rip;
	const uint64_t linear =
		svm_vcpu_code_bits(vcpu) == 64
			? rip
			: (uint32_t)(svm_vmcb_get_cs(vcpu->vmcb).base + rip);
	const uint32_t mode = svm_walk_memo_mode(vcpu, SVM_WALK_EXECUTE | SVM_WALK_SET_AD);
	const unsigned section = svm_section_enter(&vcpu->vm->memory);
	uint64_t words[2] = { 0, 0 };
	const bool again = svm_walk_memo_read(vcpu, &vcpu->code_walk, linear, mode, words);
	struct svm_translation fault;
	svm_gpa_t gpa;

	svm_section_leave(&vcpu->vm->memory, section);
	if (again)
		return words[0];
	if ((linear & (SVM_PAGE_SIZE - 1)) > SVM_PAGE_SIZE - WORD_SIZE ||
	    svm_guest_walk(vcpu, linear, SVM_PROT_EXECUTE, false, &gpa, &fault) ||
	    svm_memory_read_page(vcpu->vm, gpa, (uint8_t *)words, WORD_SIZE))
		return 0;
	return words[0];
}

/* The page is looked for in the slots, and remembered if it does not change meanwhile. */
static SVM_LONG_WAY uint64_t plain_word(struct svm_vcpu *vcpu, uint32_t linear)
{
	struct svm_memory *memory = &vcpu->vm->memory;
	struct svm_code_page *page = &vcpu->code_page;
	const unsigned section = svm_section_enter(memory);
	const uint64_t generation = svm_atomic_load(&memory->generation);
	uint64_t word = 0;
	svm_hpa_t hpa;

	page->gpa = SVM_CODE_PAGE_NONE;
	if (!svm_memory_locate(vcpu->vm, linear & SVM_PAGE_MASK, SVM_PROT_READ, &hpa)) {
		page->gpa = linear & SVM_PAGE_MASK;
		page->hpa = hpa;
		page->generation = generation;
	}
	svm_section_leave(memory, section);
	if ((linear & (SVM_PAGE_SIZE - 1)) > SVM_PAGE_SIZE - WORD_SIZE ||
	    svm_memory_read_page(vcpu->vm, linear, (uint8_t *)&word, WORD_SIZE))
		return 0;
	return word;
}

/* As below, of a host that must be asked where the page is. */
static SVM_LONG_WAY uint64_t asked_word(struct svm_vcpu *vcpu, uint32_t linear)
{
	struct svm_memory *memory = &vcpu->vm->memory;
	const struct svm_code_page *page = &vcpu->code_page;
	const unsigned section = svm_section_enter(memory);
	const void *hva = NULL;
	uint64_t word = 0;

	if (svm_atomic_load(&memory->generation) == page->generation)
		hva = svm_host_at(vcpu->vm->host, page->hpa + (linear - page->gpa));
	if (hva)
		__builtin_memcpy(&word, hva, WORD_SIZE);
	svm_section_leave(memory, section);
	return hva ? word : plain_word(vcpu, linear);
}

/* Of few instructions, since nothing is called in the section: no register has to be saved. */
uint64_t svm_code_word(struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	struct svm_memory *memory = &vcpu->vm->memory;
	const struct svm_code_page *page = &vcpu->code_page;
	const uint32_t linear = (uint32_t)(svm_vmcb_get_cs(vmcb).base + vmcb->save.rip);
	const uint64_t offset = linear - page->gpa;
	uint64_t word = 0;
	const void *hva;
	unsigned section;
	bool is_there;

	if (svm_vmcb_get_cr0(vmcb) & CR0_PG)
		return paged_word(vcpu);
	if (offset > SVM_PAGE_SIZE - WORD_SIZE)
		return plain_word(vcpu, linear);
	hva = svm_host_direct(vcpu->vm->host, page->hpa + offset);
	if (!hva)
		return asked_word(vcpu, linear);
	section = svm_section_enter(memory);
	is_there = svm_atomic_load(&memory->generation) == page->generation;
	if (is_there)
		__builtin_memcpy(&word, hva, WORD_SIZE);
	svm_section_leave(memory, section);
	return is_there ? word : plain_word(vcpu, linear);
}
