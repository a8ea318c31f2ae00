/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * VERR, VERW, LAR, LSL: what a selector would allow, asked without loading it.  APM vol. 3, 4.
 *
 * Nothing that is wrong with selector or descriptor faults, not even a descriptor that is absent;
 * ZF says no.  Only the operand and the table's own pages can.  In long mode system descriptors
 * have 16 bytes, the upper half of which has a type that must be 0.
 */
#include "emulate/descriptor.h"
#include "emulate/operand.h"

#define RIGHTS_EFER_LMA UINT64_C(0x400)
#define RIGHTS_MASK     UINT64_C(0x00ffff00)     /* Of the second doubleword. */
#define RIGHTS_UPPER    UINT64_C(0x1f0000000000) /* Of the upper half: its type. */

/* Types of system descriptors, as bits: those with a limit, and those that only LAR takes. */
#define RIGHTS_LIMIT_LEGACY (1u << 1 | 1u << 2 | 1u << 3 | 1u << 9 | 1u << 11)
#define RIGHTS_LIMIT_LONG   (1u << 2 | 1u << 9 | 1u << 11)
#define RIGHTS_GATE_LEGACY  (1u << 4 | 1u << 5 | 1u << 12)
#define RIGHTS_GATE_LONG    (1u << 12)

/* #GP is the reader's word for "not in the table"; here that is an answer. */
static enum svm_emul_result look_up_descriptor(struct svm_emul *e, uint16_t selector,
                                               unsigned size, struct svm_descriptor *d,
                                               bool *found)
{
	const enum svm_emul_result result = svm_descriptor_read(e, selector, size, VECTOR_GP, d);

	*found = result == SVM_EMUL_OK;
	return result == SVM_EMUL_FAULT && e->fault.vector == VECTOR_GP ? SVM_EMUL_OK : result;
}

static bool rights_allow(const struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d), dpl = svm_descriptor_dpl(d);
	const unsigned conforming = DESCRIPTOR_S | DESCRIPTOR_CODE | DESCRIPTOR_CONFORMING;

	if ((type & conforming) == conforming)
		return true;
	return dpl >= e->cpl && dpl >= (d->selector & 3u);
}

/* VERR: data and readable code.  VERW: writable data. */
static bool type_verifies(const struct svm_descriptor *d, bool for_write)
{
	const unsigned type = svm_descriptor_attributes(d);
	const bool is_code = type & DESCRIPTOR_CODE, rw = type & DESCRIPTOR_RW;

	if (!(type & DESCRIPTOR_S))
		return false;
	return for_write ? !is_code && rw : !is_code || rw;
}

static bool type_has_rights(const struct svm_emul *e, const struct svm_descriptor *d, bool limit)
{
	const bool is_long = e->efer & RIGHTS_EFER_LMA;
	const unsigned attributes = svm_descriptor_attributes(d);
	unsigned types = is_long ? RIGHTS_LIMIT_LONG : RIGHTS_LIMIT_LEGACY;

	if (attributes & DESCRIPTOR_S)
		return true;
	if (!limit)
		types |= is_long ? RIGHTS_GATE_LONG : RIGHTS_GATE_LEGACY;
	return types >> (attributes & 15u) & 1;
}

/* The upper half of a system descriptor of long mode. */
static enum svm_emul_result check_upper_half(struct svm_emul *e, struct svm_descriptor *d,
                                             bool *found)
{
	enum svm_emul_result result;

	if (!(e->efer & RIGHTS_EFER_LMA) || (svm_descriptor_attributes(d) & DESCRIPTOR_S))
		return SVM_EMUL_OK;
	result = look_up_descriptor(e, d->selector, 16, d, found);
	if (result == SVM_EMUL_OK && *found)
		*found = !(d->word[1] & RIGHTS_UPPER);
	return result;
}

/* The selector of r/m and its descriptor; *found is false where ZF will say no. */
static enum svm_emul_result find_descriptor(struct svm_emul *e, struct svm_descriptor *d,
                                            bool *found)
{
	uint64_t selector = 0;
	enum svm_emul_result result;

	*found = false;
	if (e->mode == SVM_INSN_MODE_REAL)
		return svm_emul_raise(e, VECTOR_UD);
	if (!e->ops->store_segment)
		return SVM_EMUL_UNKNOWN;
	result = svm_emul_load_word(e, &selector);
	if (result != SVM_EMUL_OK || selector <= 3)
		return result;
	return look_up_descriptor(e, (uint16_t)selector, 8, d, found);
}

static enum svm_emul_result rights_done(struct svm_emul *e, bool yes)
{
	e->rflags = (e->rflags & ~FLAG_ZF) | (yes ? FLAG_ZF : 0);
	return svm_emul_finish(e);
}

static enum svm_emul_result verify(struct svm_emul *e, bool for_write)
{
	struct svm_descriptor d = { .mark = 0 };
	bool found;
	const enum svm_emul_result result = find_descriptor(e, &d, &found);

	if (result != SVM_EMUL_OK)
		return result;
	return rights_done(e, found && type_verifies(&d, for_write) && rights_allow(e, &d));
}

static enum svm_emul_result load_rights(struct svm_emul *e, bool limit)
{
	struct svm_descriptor d = { .mark = 0 };
	struct svm_emul_segment segment;
	bool found;
	enum svm_emul_result result = find_descriptor(e, &d, &found);

	found = found && type_has_rights(e, &d, limit) && rights_allow(e, &d);
	if (result == SVM_EMUL_OK && found)
		result = check_upper_half(e, &d, &found);
	if (result != SVM_EMUL_OK)
		return result;
	if (found) {
		svm_descriptor_unpack(&d, &segment);
		svm_emul_set_reg(e, svm_emul_reg(e), svm_emul_prefix_width(e),
		                 limit ? segment.limit : d.word[0] >> 32 & RIGHTS_MASK);
	}
	return rights_done(e, found);
}

enum svm_emul_result svm_exec_rights(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x00:
		if (svm_insn_reg(&e->insn) < 4 || svm_insn_reg(&e->insn) > 5)
			return SVM_EMUL_UNKNOWN;
		return verify(e, svm_insn_reg(&e->insn) == 5);
	case 0x02:
		return load_rights(e, false);
	case 0x03:
		return load_rights(e, true);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
