/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which verdicts hang on what is not known?
 *
 * A list of the fields that each rule reads could be wrong, and says too much: a rule that reads a
 * field may be decided by the others.  So the rules are asked: every field that is not known is set
 * to other values, one bit and all of them, and a finding that comes or goes with that is none.
 * Rules look at one such field at a time; for those that would not, all are set at once as well.
 */
#include <string.h>

#include "partial.h"

uint64_t partial_unknown_bits(const uint8_t *known, const struct field *field)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; known && i < field->size; i++)
		if (!known[field->offset + i])
			bits |= UINT64_C(0xff) << (8 * i);
	return bits;
}

static bool is_among(const struct svm_finding *findings, size_t count,
                     const struct svm_finding *finding)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].rule == finding->rule && findings[i].offset == finding->offset)
			return true;
	return false;
}

static void doubt(struct partial *partial, const struct svm_finding *finding)
{
	if (partial->unsure_count < PARTIAL_MOST &&
	    !is_among(partial->unsure, partial->unsure_count, finding))
		partial->unsure[partial->unsure_count++] = *finding;
}

static size_t audit_of(const struct svm_vmcb *vmcb, const struct svm_audit_context *context,
                       struct svm_finding *findings)
{
	const size_t count = svm_audit(vmcb, context, findings, PARTIAL_MOST);

	return count < PARTIAL_MOST ? count : PARTIAL_MOST;
}

/* Another VMCB that this one may be. */
static void compare_verdicts(struct partial *partial, const struct svm_vmcb *vmcb,
                             const struct svm_audit_context *context)
{
	static struct svm_finding others[PARTIAL_MOST];
	const size_t count = audit_of(vmcb, context, others);

	for (size_t i = 0; i < count; i++)
		if (!is_among(partial->findings, partial->count, &others[i]))
			doubt(partial, &others[i]);
	for (size_t i = 0; i < partial->count; i++)
		if (!is_among(others, count, &partial->findings[i]))
			doubt(partial, &partial->findings[i]);
}

static void set_bits(struct svm_vmcb *vmcb, uint16_t offset, uint64_t bits)
{
	uint8_t *at = (uint8_t *)vmcb + offset;

	for (; bits; bits >>= 8)
		*at++ |= (uint8_t)bits;
}

static void vary_field(struct partial *partial, const struct svm_vmcb *vmcb, uint16_t offset,
                       uint64_t bits, const struct svm_audit_context *context)
{
	struct svm_vmcb other;

	for (uint64_t left = bits; left; left &= left - 1) {
		other = *vmcb;
		set_bits(&other, offset, left & -left);
		compare_verdicts(partial, &other, context);
	}
	other = *vmcb;
	set_bits(&other, offset, bits);
	compare_verdicts(partial, &other, context);
}

static void vary_all(struct partial *partial, const struct svm_vmcb *vmcb, const uint8_t *known,
                     const struct svm_audit_context *context)
{
	struct svm_vmcb other = *vmcb;

	for (uint16_t offset = 0; offset < sizeof(other); offset++)
		if (!known[offset])
			set_bits(&other, offset, 0xff);
	compare_verdicts(partial, &other, context);
}

static void drop_unsure(struct partial *partial)
{
	size_t kept = 0;

	for (size_t i = 0; i < partial->count; i++)
		if (!is_among(partial->unsure, partial->unsure_count, &partial->findings[i]))
			partial->findings[kept++] = partial->findings[i];
	partial->count = kept;
}

void partial_audit(struct partial *partial, const struct svm_vmcb *vmcb, const uint8_t *known,
                   const struct svm_audit_context *context)
{
	partial->unsure_count = 0;
	partial->count = audit_of(vmcb, context, partial->findings);
	if (!known)
		return;
	for (uint16_t offset = 0; offset < sizeof(*vmcb);) {
		struct field field;
		uint64_t bits;

		offset = field_at(offset, &field);
		bits = partial_unknown_bits(known, &field);
		if (bits && !field.is_reserved)
			vary_field(partial, vmcb, field.offset, bits, context);
	}
	vary_all(partial, vmcb, known, context);
	drop_unsure(partial);
}
