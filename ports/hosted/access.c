/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory as the guest sees it: segment, guest's tables, nested tables, frame.
 *
 * At the end of that chain stands a check that no processor makes: the frame must be a guest's.
 */
#include <string.h>

#include "model.h"

static void nested_fault(struct cpu *cpu, svm_gpa_t gpa, uint64_t fault, struct guest_access access,
                         bool is_walk)
{
	struct guest *g = &cpu->guest;

	fault |= SVM_NPF_USER | (is_walk ? SVM_NPF_WALK : SVM_NPF_FINAL);
	if (access.prot & SVM_PROT_WRITE)
		fault |= SVM_NPF_WRITE;
	if (access.prot & SVM_PROT_EXECUTE)
		fault |= SVM_NPF_FETCH;
	g->has_insn = !(fault & SVM_NPF_FETCH) && !g->delivering && g->insn_count;
	guest_exit(cpu, SVM_EXIT_NPF, fault, gpa);
}

bool guest_physical(struct cpu *cpu, svm_gpa_t gpa, struct guest_access access, bool is_walk,
                    svm_hpa_t *hpa)
{
	struct hosted_touch touch;

	if (!(cpu->guest.v->control._np_control & SVM_NP_ENABLE)) {
		breach(cpu->m, HOSTED_BREACH_MODEL, "a guest without nested paging");
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return false;
	}
	if (!tlb_translate(cpu, &cpu->guest.key, gpa, access.prot | SVM_PROT_READ, &touch)) {
		nested_fault(cpu, gpa, touch.fault, access, is_walk);
		return false;
	}
	const struct frame *frame = frame_at(cpu->m, touch.hpa);

	if (!frame || atomic_get(&frame->owner) != FRAME_GUEST) {
		breach(cpu->m, HOSTED_BREACH_ESCAPE, "gpa 0x%llx leads to hpa 0x%llx, which is %s",
		       (unsigned long long)gpa, (unsigned long long)touch.hpa,
		       !frame                                       ? "no memory"
		       : atomic_get(&frame->owner) == FRAME_LIBRARY ? "the library's"
		                                                    : "free");
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return false;
	}
	*hpa = touch.hpa;
	return true;
}

/* Of a size that the processor moves whole if it is aligned: APM vol. 2, 7.3.2. */
#define MOVE_WHOLE(type)                                                                           \
	do {                                                                                       \
		type *const p = (type *)(void *)memory;                                            \
		type word;                                                                         \
                                                                                                   \
		memcpy(&word, data, sizeof(word));                                                 \
		if (is_write)                                                                      \
			__atomic_store_n(p, word, __ATOMIC_RELEASE);                               \
		else                                                                               \
			word = __atomic_load_n(p, __ATOMIC_ACQUIRE);                               \
		memcpy(data, &word, sizeof(word));                                                 \
	} while (0)

/* Aligned words move whole, as between processors; everything else byte by byte. */
static void move(uint8_t *memory, void *data, size_t size, bool is_write)
{
	uint8_t *bytes = data;

	if (size == 8 && !((uintptr_t)memory & 7)) {
		MOVE_WHOLE(uint64_t);
	} else if (size == 4 && !((uintptr_t)memory & 3)) {
		MOVE_WHOLE(uint32_t);
	} else if (size == 2 && !((uintptr_t)memory & 1)) {
		MOVE_WHOLE(uint16_t);
	} else {
		for (size_t i = 0; i < size; i++) {
			if (is_write)
				__atomic_store_n(&memory[i], bytes[i], __ATOMIC_RELEASE);
			else
				bytes[i] = __atomic_load_n(&memory[i], __ATOMIC_ACQUIRE);
		}
	}
}

bool guest_linear(struct cpu *cpu, svm_gva_t gva, void *data, size_t size,
                  struct guest_access access)
{
	uint8_t *pages[2];
	size_t first = SVM_PAGE_SIZE - (gva & (SVM_PAGE_SIZE - 1));

	if (first > size)
		first = size;
	/* Both pages before the first byte moves: a fault must leave nothing behind. */
	for (unsigned i = 0; i < (first < size ? 2u : 1u); i++) {
		svm_gpa_t gpa;
		svm_hpa_t hpa;

		if (!guest_translate(cpu, gva + i * first, access, &gpa) ||
		    !guest_physical(cpu, gpa, access, false, &hpa))
			return false;
		pages[i] = hosted_memory(cpu->m, hpa);
	}
	move(pages[0], data, first, access.prot & SVM_PROT_WRITE);
	if (first < size)
		move(pages[1], (uint8_t *)data + first, size - first, access.prot & SVM_PROT_WRITE);
	return true;
}

bool guest_is_long(const struct cpu *cpu)
{
	return (cpu->guest.v->save._efer & EFER_LMA) && (cpu->guest.v->save._cr0 & CR0_PG);
}

int guest_code_bits(const struct cpu *cpu)
{
	const uint16_t attributes = cpu->guest.v->save._cs.attributes;

	if (guest_is_long(cpu) && (attributes & SVM_SEG_L))
		return 64;
	if (!(cpu->guest.v->save._cr0 & CR0_PE))
		return 16;
	return attributes & SVM_SEG_DB ? 32 : 16;
}

static const struct svm_vmcb_segment *segment_register(const struct cpu *cpu,
                                                       enum guest_segment segment)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;

	switch (segment) {
	case GUEST_ES:
		return &save->_es;
	case GUEST_CS:
		return &save->_cs;
	case GUEST_SS:
		return &save->_ss;
	case GUEST_FS:
		return &cpu->vm.fs;
	case GUEST_GS:
		return &cpu->vm.gs;
	default:
		return &save->_ds;
	}
}

/* Offset to linear address; false: #GP or #SS is on its way. */
static bool to_linear(struct cpu *cpu, enum guest_segment segment, uint64_t offset, size_t size,
                      svm_gva_t *gva)
{
	const struct svm_vmcb_segment *s = segment_register(cpu, segment);
	const bool has_base = segment == GUEST_FS || segment == GUEST_GS;
	bool ok;

	if (guest_code_bits(cpu) == 64) {
		*gva = offset + (has_base ? s->base : 0);
		ok = (uint64_t)((int64_t)(*gva << 16) >> 16) == *gva;
	} else {
		*gva = (s->base + offset) & 0xffffffff;
		ok = offset <= s->limit && s->limit - offset >= size - 1;
	}
	if (!ok)
		guest_fault(cpu, segment == GUEST_SS ? SVM_VECTOR_SS : SVM_VECTOR_GP, 0, 0);
	return ok;
}

bool guest_segmented(struct cpu *cpu, enum guest_segment segment, uint64_t offset, void *data,
                     size_t size, uint32_t prot)
{
	svm_gva_t gva;

	if (!to_linear(cpu, segment, offset, size, &gva) ||
	    !guest_linear(cpu, gva, data, size, (struct guest_access){ .prot = prot }))
		return false;
	cpu->guest.trap |= breakpoint_on(cpu, gva, size, prot & SVM_PROT_WRITE);
	return true;
}

/* Bytes at RIP up to the end of the page, and past it only if more is asked for. */
size_t guest_fetch(struct cpu *cpu, uint8_t *bytes, size_t size)
{
	const struct guest_access access = { .prot = SVM_PROT_EXECUTE };
	svm_gva_t gva;
	size_t here;

	if (!to_linear(cpu, GUEST_CS, cpu->guest.v->save.rip, 1, &gva))
		return 0;
	here = SVM_PAGE_SIZE - (gva & (SVM_PAGE_SIZE - 1));
	if (here > size)
		here = size;
	if (!guest_linear(cpu, gva, bytes, here, access))
		return 0;
	return here;
}
