/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guest memory by linear address: the page walk of emulate/walk.c on top of the VM's slots.
 *
 * Every page is translated for itself and no translation is believed for longer than its access:
 * the guest may change its tables between any two of our looks.  What is remembered of a walk is
 * compared with the tables before it counts (walk_memo.c).
 *
 * MAXPHYADDR and 1 GiB pages are the processor's, not what CPUID tells the guest: its walker does
 * not know that table.
 */
#include "core/vcpu/guest_virtual.h"

#include <libsvm/exit_codes.h>

#include "core/features.h"
#include "core/memory/section.h"
#include "core/vcpu/code_mode.h"
#include "core/vcpu/walk_check.h"
#include "emulate/walk.h"

#define XCR0_PKRU   SVM_BIT(9)
#define XSAVE_BV    512u /* Offset of XSTATE_BV in an XSAVE area. */
#define ACCESS_OWN  (SVM_ACCESS_USER | SVM_ACCESS_SYSTEM)
#define ACCESS_BITS (SVM_PROT_ALL | ACCESS_OWN)

/* What a walk reads its tables by: inside one section. */
struct table_reader {
	struct svm_vm *vm;
	struct svm_walk_memo *memo; /* Filled on the way; NULL: none. */
	struct svm_walk_path *path; /* The same. */
	svm_gpa_t refused;          /* The entry that could not be read or written. */
};

static void note_step(struct svm_walk_path *path, svm_gpa_t gpa, uint64_t entry)
{
	if (path->count == SVM_ARRAY_SIZE(path->step))
		return;
	path->step[path->count].gpa = gpa;
	path->step[path->count].entry = entry;
	path->count++;
}

static int read_entry(void *arg, uint64_t gpa, unsigned int size, uint64_t *entry)
{
	struct table_reader *reader = arg;
	const void *hva;
	svm_hpa_t hpa;
	const int result = svm_memory_locate(reader->vm, gpa, SVM_PROT_READ, &hpa);

	reader->refused = gpa;
	if (result)
		return result;
	hva = svm_host_at(reader->vm->host, hpa);
	if (!hva)
		return SVM_ERR_FAULT;
	if (size == 8) {
		*entry = svm_atomic_load((const uint64_t *)hva);
		if (reader->memo)
			svm_walk_memo_note(reader->memo, hpa, *entry);
	} else {
		*entry = svm_atomic_load((const uint32_t *)hva);
		if (reader->memo) /* Which compares 8 bytes. */
			reader->memo->count = SVM_WALK_MEMO_SPOILT;
	}
	if (reader->path)
		note_step(reader->path, gpa, *entry);
	return 0;
}

static int exchange_entry(void *arg, uint64_t gpa, unsigned int size, uint64_t expected,
                          uint64_t desired, bool *stored)
{
	struct table_reader *reader = arg;
	struct svm_vm *vm = reader->vm;
	uint32_t half = (uint32_t)expected;

	reader->refused = gpa;
	if (reader->memo) /* The entry is no longer what was read. */
		reader->memo->count = SVM_WALK_MEMO_SPOILT;
	if (size == 8)
		return svm_memory_cas_u64(vm, gpa, &expected, desired, stored);
	return svm_memory_cas_u32(vm, gpa, &half, (uint32_t)desired, stored);
}

/*
 * PKRU lives in the FPU area, or in the processor while the guest's FPU is.  Only guests that
 * use protection keys pay for this.
 */
static uint32_t guest_pkru(struct svm_vcpu *vcpu)
{
	const struct svm_features *features = &vcpu->vm->host->features;
	const uint8_t *area = vcpu->fpu;
	uint64_t present;
	uint32_t offset, pkru = 0;

	if (!(svm_vmcb_get_cr4(vcpu->vmcb) & CR4_PKE) || !features->xsave ||
	    !(features->xcr0 & XCR0_PKRU))
		return 0;
	if (vcpu->fpu_here)
		svm_ring0_xsave(vcpu->fpu, XCR0_PKRU);
	memcpy(&present, area + XSAVE_BV, sizeof(present));
	offset = svm_ring0_cpuid(0xd, 9).ebx;
	if ((present & XCR0_PKRU) && offset + sizeof(pkru) <= features->xsave_size)
		memcpy(&pkru, area + offset, sizeof(pkru));
	return pkru;
}

static struct svm_walk_state walk_state(struct svm_vcpu *vcpu, uint32_t access)
{
	const struct svm_features *features = &vcpu->vm->host->features;
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	struct svm_walk_state state = {
		.cr0 = svm_vmcb_get_cr0(vmcb),
		.cr3 = svm_vmcb_get_cr3(vmcb),
		.cr4 = svm_vmcb_get_cr4(vmcb),
		.efer = svm_vmcb_get_efer(vmcb),
		.rflags = vmcb->save.rflags,
		.pkru = guest_pkru(vcpu),
		.cpl = svm_vmcb_get_cpl(vmcb),
		.physical_bits = features->physical_bits,
		.page_1g = features->page_1g,
	};

	if (access & SVM_ACCESS_SYSTEM) {
		state.cpl = 0;
		state.rflags |= RFLAGS_AC; /* The monitor's access is none that SMAP is for. */
	}
	return state;
}

static unsigned int walk_flags(uint32_t access)
{
	unsigned int flags = 0;

	if (access & SVM_PROT_WRITE)
		flags |= SVM_WALK_WRITE;
	else if (access & SVM_PROT_EXECUTE)
		flags |= SVM_WALK_EXECUTE;
	if (access & SVM_ACCESS_USER)
		flags |= SVM_WALK_USER;
	return flags;
}

static void fill_translation(const struct svm_walk_result *walk, struct svm_translation *result)
{
	*result = (struct svm_translation){
		.gpa = walk->gpa,
		.page_size = walk->page_size ? walk->page_size : SVM_PAGE_SIZE,
		.error_code = walk->error_code,
		.level = walk->level,
		.entry_gpa = walk->entry_gpa,
		.entry = walk->entry,
	};
}

/* All of it in one section: at most 20 entries are read. */
static enum svm_walk_status walk_in_section(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access,
                                            unsigned int flags, struct svm_walk_memo *memo,
                                            struct svm_walk_path *path,
                                            struct svm_walk_result *walk)
{
	struct svm_memory *memory = &vcpu->vm->memory;
	struct table_reader reader = { vcpu->vm, memo, path, 0 };
	const struct svm_walk_state state = walk_state(vcpu, access);
	const struct svm_walk_memory functions = { &reader, read_entry, exchange_entry };
	const unsigned section = svm_section_enter(memory);
	enum svm_walk_status status;

	if (memo)
		svm_walk_memo_begin(memo, memory);
	status = svm_walk(&state, &functions, gva, flags, walk);
	svm_section_leave(memory, section);
	if (status == SVM_WALK_MEMORY)
		walk->entry_gpa = reader.refused;
	return status;
}

/* One walk.  extra: SVM_WALK_SET_AD or 0.  memo: what to remember it by, or NULL. */
static int walk_page(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access, unsigned int extra,
                     struct svm_walk_memo *memo, struct svm_translation *result)
{
	struct svm_walk_result walk;
	const enum svm_walk_status status =
		walk_in_section(vcpu, gva, access, walk_flags(access) | extra, memo, NULL, &walk);

	fill_translation(&walk, result);
	switch (status) {
	case SVM_WALK_OK:
		return 0;
	case SVM_WALK_PAGE_FAULT:
		result->vector = SVM_VECTOR_PF;
		return SVM_ERR_FAULT;
	case SVM_WALK_NON_CANONICAL:
		result->vector = SVM_VECTOR_GP;
		return SVM_ERR_FAULT;
	case SVM_WALK_MEMORY:
		return walk.memory_error;
	case SVM_WALK_RETRY:
		break;
	}
	return SVM_ERR_AGAIN;
}

enum svm_walk_status svm_guest_walk_path(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access,
                                         struct svm_walk_path *path,
                                         struct svm_walk_result *result)
{
	path->count = 0;
	return walk_in_section(vcpu, gva, access, walk_flags(access), NULL, path, result);
}

/* Without paging nothing is walked: the 32 bits of the address are the guest-physical one. */
static int translate_page(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access, unsigned int extra,
                          struct svm_translation *result)
{
	if (svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG)
		return walk_page(vcpu, gva, access, extra, NULL, result);
	*result = (struct svm_translation){ .gpa = (uint32_t)gva, .page_size = SVM_PAGE_SIZE };
	return 0;
}

int svm_guest_walk(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access, bool is_system,
                   svm_gpa_t *gpa, struct svm_translation *fault)
{
	const unsigned int extra = SVM_WALK_SET_AD | (is_system ? SVM_WALK_IMPLICIT : 0);
	struct svm_walk_memo *memo =
		access & SVM_PROT_EXECUTE ? &vcpu->code_walk : &vcpu->data_walk;
	const uint32_t mode = svm_walk_memo_mode(vcpu, walk_flags(access) | extra);
	int error;

	*gpa = (uint32_t)gva;
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG)) {
		if (access & SVM_PROT_EXECUTE)
			svm_walk_memo_keep_unpaged(vcpu, memo, *gpa, mode);
		return 0;
	}
	if (svm_walk_memo_find(vcpu, memo, gva, mode, gpa))
		return 0;
	error = walk_page(vcpu, gva, access, extra, memo, fault);
	*gpa = fault->gpa;
	if (!error)
		svm_walk_memo_keep(vcpu, memo, gva, mode, *gpa);
	return error;
}

int svm_vcpu_translate(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access,
                       struct svm_translation *result)
{
	struct svm_translation both;
	int error;

	if (access & ~ACCESS_BITS || (access & ACCESS_OWN) == ACCESS_OWN)
		return SVM_ERR_INVAL;
	error = translate_page(vcpu, gva, access, 0, result);
	/* A walk is for a write or a fetch; whoever asks for both gets the second verdict too. */
	if (error || !(access & SVM_PROT_WRITE) || !(access & SVM_PROT_EXECUTE))
		return error;
	error = translate_page(vcpu, gva, access & ~SVM_PROT_WRITE, 0, &both);
	if (error)
		*result = both;
	return error;
}

/* Bytes of a transfer that lie in the 4 KiB page of gva. */
static size_t bytes_in_page(svm_gva_t gva, size_t size)
{
	return svm_min(size, SVM_PAGE_SIZE - (gva & (SVM_PAGE_SIZE - 1)));
}

/* Linear addresses are 32 bits wide but in 64-bit mode. */
static svm_gva_t wrap_linear(const struct svm_vcpu *vcpu, svm_gva_t gva)
{
	return svm_vcpu_code_bits(vcpu) == 64 ? gva : (uint32_t)gva;
}

int svm_vcpu_read(struct svm_vcpu *vcpu, svm_gva_t gva, void *data, size_t size, size_t *done)
{
	struct svm_translation page;
	uint8_t *to = data;
	size_t count = 0;
	int result = 0;

	while (count < size && !result) {
		const svm_gva_t at = wrap_linear(vcpu, gva + count);
		size_t moved = 0;

		result = translate_page(vcpu, at, SVM_PROT_READ | SVM_ACCESS_SYSTEM, 0, &page);
		if (!result)
			result = svm_vm_read(vcpu->vm, page.gpa, to + count,
			                     bytes_in_page(at, size - count), &moved);
		count += moved;
	}
	if (done)
		*done = count;
	return result;
}

int svm_vcpu_write(struct svm_vcpu *vcpu, svm_gva_t gva, const void *data, size_t size,
                   size_t *done)
{
	const uint8_t *from = data;
	struct svm_translation page;
	size_t count = 0;
	int result = 0;

	while (count < size && !result) {
		const svm_gva_t at = wrap_linear(vcpu, gva + count);
		size_t moved = 0;

		/* The guest's pager must see that the page was written. */
		result = translate_page(vcpu, at, SVM_PROT_WRITE | SVM_ACCESS_SYSTEM,
		                        SVM_WALK_SET_AD, &page);
		if (!result)
			result = svm_vm_write(vcpu->vm, page.gpa, from + count,
			                      bytes_in_page(at, size - count), &moved);
		count += moved;
	}
	if (done)
		*done = count;
	return result;
}

/* Code that lies in one page.  As translate_page(), without a struct for the short way. */
static int fetch_in_page(struct svm_vcpu *vcpu, svm_gva_t at, uint8_t *buffer, size_t size)
{
	svm_gpa_t gpa = (uint32_t)at;

	if (svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG) {
		struct svm_translation page;
		const int result = walk_page(vcpu, at, SVM_PROT_EXECUTE, 0, NULL, &page);

		if (result)
			return result;
		gpa = page.gpa;
	}
	return svm_memory_read_page(vcpu->vm, gpa, buffer, size);
}

int svm_guest_fetch(struct svm_vcpu *vcpu, uint64_t linear, uint8_t *buffer, unsigned want,
                    unsigned *got)
{
	const svm_gva_t mask = wrap_linear(vcpu, UINT64_MAX);
	size_t count = 0;
	int result = 0;

	while (count < want && !result) {
		const svm_gva_t at = (linear + count) & mask;
		const size_t bytes = bytes_in_page(at, want - count);

		result = fetch_in_page(vcpu, at, buffer + count, bytes);
		if (!result)
			count += bytes;
	}
	*got = (unsigned)count;
	return count ? 0 : result;
}
