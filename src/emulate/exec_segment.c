/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loads and stores of segment and descriptor-table registers.  APM vol. 2, 4; vol. 3, 3 and 4.
 *
 * In real and virtual-8086 mode a load changes selector and base alone: limit and attributes stay
 * what they were, which is how "big real mode" comes about.  In protected mode the descriptor is
 * read once, judged, and only then marked accessed or busy, by compare-exchange with the value that
 * was judged: another vCPU that changed it in between makes the instruction start again.
 *
 * The manual leaves the base of a null FS or GS in 64-bit mode to the processor; here it becomes 0,
 * as with NullSelectorClearsBase.  VERR, VERW, LAR and LSL are not in this file's tables.
 */
#include "emulate/descriptor.h"

/* --- data and stack segments ------------------------------------------------------------------ */

/* A null SS exists in 64-bit mode alone, and not at CPL 3. */
static enum svm_emul_result load_null(struct svm_emul *e, unsigned n, uint16_t selector)
{
	const struct svm_emul_segment null = { .selector = selector };

	if (n == SVM_EMUL_SS && (!svm_emul_is_long(e) || e->cpl == 3 || selector != e->cpl))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	e->ops->load_segment(e->arg, n, &null);
	return SVM_EMUL_OK;
}

static enum svm_emul_result load_protected(struct svm_emul *e, unsigned n, uint16_t selector)
{
	struct svm_descriptor d = { .selector = selector };
	struct svm_emul_segment segment;
	enum svm_emul_result result;

	if (svm_is_null_selector(selector))
		return load_null(e, n, selector);
	result = svm_descriptor_read(e, selector, 8, VECTOR_GP, &d);
	if (result == SVM_EMUL_OK)
		result = n == SVM_EMUL_SS ? svm_descriptor_judge_stack(e, e->cpl, VECTOR_GP, &d)
		                          : svm_descriptor_judge_data(e, VECTOR_GP, &d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_prepare_mark(e, DESCRIPTOR_ACCESSED, &d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_mark(e, &d);
	if (result != SVM_EMUL_OK)
		return result;
	svm_descriptor_unpack(&d, &segment);
	e->ops->load_segment(e->arg, n, &segment);
	return SVM_EMUL_OK;
}

/* The last step of a load: what comes after it cannot fail. */
static enum svm_emul_result load_sreg(struct svm_emul *e, unsigned n, uint16_t selector)
{
	struct svm_emul_segment segment = e->segment[n];
	enum svm_emul_result result = SVM_EMUL_OK;

	if (!e->ops->load_segment || !e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	if (e->mode == SVM_INSN_MODE_REAL) {
		segment.selector = selector;
		segment.base = (uint32_t)selector << 4;
		e->ops->load_segment(e->arg, n, &segment);
	} else {
		result = load_protected(e, n, selector);
	}
	return result;
}

static enum svm_emul_result segment_done(struct svm_emul *e)
{
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}

/* --- MOV, PUSH, POP, LxS ---------------------------------------------------------------------- */

static enum svm_emul_result move_to_sreg(struct svm_emul *e)
{
	const unsigned n = svm_insn_reg(&e->insn);
	enum svm_emul_result result;
	uint64_t selector = 0;

	if (n == SVM_EMUL_CS || n > SVM_EMUL_GS)
		return svm_emul_raise(e, VECTOR_UD);
	result = svm_emul_load_word(e, &selector);
	if (result == SVM_EMUL_OK)
		result = load_sreg(e, n, (uint16_t)selector);
	if (result != SVM_EMUL_OK)
		return result;
	e->sets_shadow = n == SVM_EMUL_SS;
	return segment_done(e);
}

static enum svm_emul_result move_from_sreg(struct svm_emul *e)
{
	const unsigned n = svm_insn_reg(&e->insn);

	if (n > SVM_EMUL_GS)
		return svm_emul_raise(e, VECTOR_UD);
	return svm_emul_store_word(e, e->segment[n].selector);
}

static enum svm_emul_result push_sreg(struct svm_emul *e, unsigned n)
{
	struct svm_emul_span span;
	uint64_t rsp;
	enum svm_emul_result result =
		svm_emul_prepare_push(e, svm_emul_stack_width(e), &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &span, e->segment[n].selector);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	return segment_done(e);
}

/* POP SS: RSP moves by the width of the old SS. */
static enum svm_emul_result pop_sreg(struct svm_emul *e, unsigned n)
{
	struct svm_emul_span span;
	uint64_t rsp, selector = 0;
	enum svm_emul_result result = svm_emul_prepare_pop(e, svm_emul_stack_width(e), &rsp, &span);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &selector);
	if (result == SVM_EMUL_OK)
		result = load_sreg(e, n, (uint16_t)selector);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->sets_shadow = n == SVM_EMUL_SS;
	return segment_done(e);
}

/* An offset of 16 or 32 bits before the selector; REX.W makes the register wider, not the memory.
 */
static enum svm_emul_result load_far_pointer(struct svm_emul *e, unsigned n)
{
	const unsigned width = svm_emul_width(e), size = width == 2 ? 2 : 4;
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t pointer = 0, offset;
	unsigned segment;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	offset = svm_emul_effective_address(e, &segment);
	result = svm_emul_prepare(e, segment, offset, size + 2, SVM_EMUL_READ, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &pointer);
	if (result == SVM_EMUL_OK)
		result = load_sreg(e, n, (uint16_t)(pointer >> (8 * size)));
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, svm_emul_reg(e), width, pointer & svm_emul_mask(size));
	return segment_done(e);
}

/* --- GDTR and IDTR ---------------------------------------------------------------------------- */

static bool is_canonical_base(const struct svm_emul *e, uint64_t address)
{
	const unsigned shift = 64u - e->linear_bits;

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

/* Six bytes, of which a 16-bit load takes a base of 24 bits; ten in 64-bit mode. */
static enum svm_emul_result load_table(struct svm_emul *e, unsigned n)
{
	const unsigned size = svm_emul_is_long(e) ? 10 : 6;
	struct svm_emul_segment table = { 0, 0, 0, 0 };
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint8_t bytes[10] = { 0 };
	uint16_t limit;
	uint64_t offset;
	unsigned segment;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (!e->ops->load_segment)
		return SVM_EMUL_UNKNOWN;
	offset = svm_emul_effective_address(e, &segment);
	result = svm_emul_prepare(e, segment, offset, size, SVM_EMUL_READ, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load(e, &span, bytes);
	if (result != SVM_EMUL_OK)
		return result;
	memcpy(&limit, bytes, sizeof(limit));
	memcpy(&table.base, bytes + sizeof(limit), size - sizeof(limit));
	table.limit = limit;
	if (!svm_emul_is_long(e) && svm_emul_prefix_width(e) == 2)
		table.base &= 0xffffff;
	if (svm_emul_is_long(e) && !is_canonical_base(e, table.base))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	e->ops->load_segment(e->arg, n, &table);
	return segment_done(e);
}

/* The whole base, whatever the operand size. */
static enum svm_emul_result store_table(struct svm_emul *e, unsigned n)
{
	const unsigned size = svm_emul_is_long(e) ? 10 : 6;
	struct svm_emul_segment table;
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint8_t bytes[10];
	uint16_t limit;
	uint64_t offset;
	unsigned segment;

	if (!svm_emul_rm_is_memory(e))
		return svm_emul_raise(e, VECTOR_UD);
	if (svm_emul_umip_forbids(e))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (!e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	e->ops->store_segment(e->arg, n, &table);
	limit = (uint16_t)table.limit;
	memcpy(bytes, &limit, sizeof(limit));
	memcpy(bytes + sizeof(limit), &table.base, sizeof(table.base));
	offset = svm_emul_effective_address(e, &segment);
	result = svm_emul_prepare(e, segment, offset, size, SVM_EMUL_WRITE, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store(e, &span, bytes);
	return result == SVM_EMUL_OK ? segment_done(e) : result;
}

/* --- LDTR and TR ------------------------------------------------------------------------------ */

#define TYPE_LDT       0x2u
#define TYPE_TSS_16    0x1u
#define TYPE_TSS       0x9u
#define UPPER_TYPE     UINT64_C(0x1f0000000000)               /* Of the upper half: must be 0. */
#define SYSTEM_TYPE(d) (svm_descriptor_attributes(d) & 0x1fu) /* S is 0 in all of these. */

static bool is_system_type(const struct svm_emul *e, unsigned n, unsigned type)
{
	if (n == SVM_EMUL_LDTR)
		return type == TYPE_LDT;
	return type == TYPE_TSS || (type == TYPE_TSS_16 && !svm_emul_in_long_mode(e));
}

/* Long mode doubles the descriptor: 16 bytes, a base of 64 bits. */
static enum svm_emul_result read_system(struct svm_emul *e, unsigned n, uint16_t selector,
                                        struct svm_descriptor *d)
{
	enum svm_emul_result result;

	if (selector & 4)
		return svm_descriptor_fault(e, VECTOR_GP, selector);
	result = svm_descriptor_read(e, selector, svm_emul_in_long_mode(e) ? 16 : 8, VECTOR_GP,
	                             d);
	if (result != SVM_EMUL_OK)
		return result;
	if (!is_system_type(e, n, SYSTEM_TYPE(d)) || (d->word[1] & UPPER_TYPE))
		return svm_descriptor_fault(e, VECTOR_GP, selector);
	if (!(svm_descriptor_attributes(d) & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, selector);
	d->word[1] &= UINT32_MAX;
	return SVM_EMUL_OK;
}

static enum svm_emul_result load_system(struct svm_emul *e, unsigned n, uint16_t selector)
{
	struct svm_emul_segment segment = { .selector = selector };
	struct svm_descriptor d = { .selector = selector };
	enum svm_emul_result result;

	if (svm_is_null_selector(selector)) {
		if (n == SVM_EMUL_TR)
			return svm_emul_raise_error(e, VECTOR_GP, 0);
		e->ops->load_segment(e->arg, n, &segment);
		return SVM_EMUL_OK;
	}
	result = read_system(e, n, selector, &d);
	if (result != SVM_EMUL_OK)
		return result;
	svm_descriptor_unpack(&d, &segment);
	if (svm_emul_in_long_mode(e) && !is_canonical_base(e, segment.base))
		return svm_descriptor_fault(e, VECTOR_GP, selector);
	result = svm_descriptor_prepare_mark(e, n == SVM_EMUL_TR ? DESCRIPTOR_BUSY : 0, &d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_mark(e, &d);
	if (result != SVM_EMUL_OK)
		return result;
	svm_descriptor_unpack(&d, &segment);
	e->ops->load_segment(e->arg, n, &segment);
	return SVM_EMUL_OK;
}

/* None of the four exists in real and virtual-8086 mode, nor does the decoder know them there. */
static enum svm_emul_result move_system(struct svm_emul *e, unsigned n, bool is_load)
{
	struct svm_emul_segment segment;
	enum svm_emul_result result;
	uint64_t selector = 0;

	if (e->mode == SVM_INSN_MODE_REAL)
		return svm_emul_raise(e, VECTOR_UD);
	if (is_load ? e->cpl != 0 : svm_emul_umip_forbids(e))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	if (!e->ops->load_segment || !e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	if (!is_load) {
		e->ops->store_segment(e->arg, n, &segment);
		return svm_emul_store_word(e, segment.selector);
	}
	result = svm_emul_load_word(e, &selector);
	if (result == SVM_EMUL_OK)
		result = load_system(e, n, (uint16_t)selector);
	return result == SVM_EMUL_OK ? segment_done(e) : result;
}

/* --- dispatch --------------------------------------------------------------------------------- */

static enum svm_emul_result segment_primary(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		return push_sreg(e, e->insn.opcode >> 3);
	case 0x07:
	case 0x17:
	case 0x1f:
		return pop_sreg(e, e->insn.opcode >> 3);
	case 0x8c:
		return move_from_sreg(e);
	case 0x8e:
		return move_to_sreg(e);
	case 0xc4:
		return load_far_pointer(e, SVM_EMUL_ES);
	case 0xc5:
		return load_far_pointer(e, SVM_EMUL_DS);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

static enum svm_emul_result segment_0f(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0xa0:
	case 0xa8:
		return push_sreg(e, e->insn.opcode == 0xa0 ? SVM_EMUL_FS : SVM_EMUL_GS);
	case 0xa1:
	case 0xa9:
		return pop_sreg(e, e->insn.opcode == 0xa1 ? SVM_EMUL_FS : SVM_EMUL_GS);
	case 0xb2:
		return load_far_pointer(e, SVM_EMUL_SS);
	case 0xb4:
		return load_far_pointer(e, SVM_EMUL_FS);
	case 0xb5:
		return load_far_pointer(e, SVM_EMUL_GS);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_segment(struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_LGDT:
		return load_table(e, SVM_EMUL_GDTR);
	case SVM_INSN_LIDT:
		return load_table(e, SVM_EMUL_IDTR);
	case SVM_INSN_SGDT:
		return store_table(e, SVM_EMUL_GDTR);
	case SVM_INSN_SIDT:
		return store_table(e, SVM_EMUL_IDTR);
	case SVM_INSN_LLDT:
	case SVM_INSN_SLDT:
		return move_system(e, SVM_EMUL_LDTR, e->insn.kind == SVM_INSN_LLDT);
	case SVM_INSN_LTR:
	case SVM_INSN_STR:
		return move_system(e, SVM_EMUL_TR, e->insn.kind == SVM_INSN_LTR);
	case SVM_INSN_OTHER:
		break;
	default:
		return SVM_EMUL_UNKNOWN;
	}
	if (e->insn.encoding != SVM_INSN_LEGACY)
		return SVM_EMUL_UNKNOWN;
	if (e->insn.map == SVM_INSN_MAP_PRIMARY)
		return segment_primary(e);
	return e->insn.map == SVM_INSN_MAP_0F ? segment_0f(e) : SVM_EMUL_UNKNOWN;
}
