/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Descriptors in their tables.  APM vol. 2, 4.7, 4.8.
 *
 * Read once, judged by whoever loads them, and only then marked, by compare-exchange with the value
 * that was judged.
 */
#include "emulate/descriptor.h"

/* Exceptions of descriptors name the selector, without its RPL. */
enum svm_emul_result svm_descriptor_fault(struct svm_emul *e, uint8_t vector, uint16_t selector)
{
	return svm_emul_raise_error(e, vector, selector & 0xfffcu);
}

static enum svm_emul_result prepare_in_table(struct svm_emul *e,
                                             const struct svm_emul_segment *table, uint16_t index,
                                             unsigned size, uint32_t access,
                                             struct svm_emul_span *span)
{
	uint64_t linear = table->base + index;

	if (!svm_emul_in_long_mode(e))
		linear = (uint32_t)linear;
	return svm_emul_prepare_linear(e, linear, size, access | SVM_EMUL_SYSTEM, span);
}

enum svm_emul_result svm_descriptor_read(struct svm_emul *e, uint16_t selector, unsigned size,
                                         uint8_t vector, struct svm_descriptor *d)
{
	struct svm_emul_segment table;
	struct svm_emul_span span;
	enum svm_emul_result result;
	const uint16_t index = selector & 0xfff8u;

	e->ops->store_segment(e->arg, selector & 4 ? SVM_EMUL_LDTR : SVM_EMUL_GDTR, &table);
	if ((selector & 4) && !(table.attributes & DESCRIPTOR_P))
		return svm_descriptor_fault(e, vector, selector);
	if (index + size - 1 > table.limit)
		return svm_descriptor_fault(e, vector, selector);
	*d = (struct svm_descriptor){ .selector = selector, .table = table };
	result = prepare_in_table(e, &table, index, size, SVM_EMUL_READ, &span);
	return result == SVM_EMUL_OK ? svm_emul_load(e, &span, d->word) : result;
}

unsigned svm_descriptor_attributes(const struct svm_descriptor *d)
{
	return (unsigned)(d->word[0] >> 40 & 0xff) | (unsigned)(d->word[0] >> 52 & 0xf) << 8;
}

unsigned svm_descriptor_dpl(const struct svm_descriptor *d)
{
	return svm_descriptor_attributes(d) >> 5 & 3u;
}

/* word[1] is that of a 16-byte descriptor, else 0. */
void svm_descriptor_unpack(const struct svm_descriptor *d, struct svm_emul_segment *segment)
{
	const uint64_t word = d->word[0];
	const uint32_t limit = (uint32_t)((word & 0xffff) | (word >> 32 & 0xf0000));

	segment->selector = d->selector;
	segment->attributes = (uint16_t)svm_descriptor_attributes(d);
	segment->limit = segment->attributes & DESCRIPTOR_G ? limit << 12 | 0xfff : limit;
	segment->base = (word >> 16 & 0xffffff) | (word >> 56) << 24 | d->word[1] << 32;
}

/* SS: writable data of exactly this privilege. */
enum svm_emul_result svm_descriptor_judge_stack(struct svm_emul *e, unsigned cpl, uint8_t vector,
                                                const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d);

	if ((d->selector & 3u) != cpl || svm_descriptor_dpl(d) != cpl)
		return svm_descriptor_fault(e, vector, d->selector);
	if (!(type & DESCRIPTOR_S) || (type & DESCRIPTOR_CODE) || !(type & DESCRIPTOR_RW))
		return svm_descriptor_fault(e, vector, d->selector);
	if (!(type & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_SS, d->selector);
	return SVM_EMUL_OK;
}

/* DS, ES, FS, GS: data, or code that can be read; conforming code asks no privilege. */
enum svm_emul_result svm_descriptor_judge_data(struct svm_emul *e, uint8_t vector,
                                               const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d), dpl = svm_descriptor_dpl(d);
	const bool is_code = type & DESCRIPTOR_CODE;

	if (!(type & DESCRIPTOR_S) || (is_code && !(type & DESCRIPTOR_RW)))
		return svm_descriptor_fault(e, vector, d->selector);
	if (!(is_code && (type & DESCRIPTOR_CONFORMING)) &&
	    (dpl < e->cpl || dpl < (d->selector & 3u)))
		return svm_descriptor_fault(e, vector, d->selector);
	if (!(type & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, d->selector);
	return SVM_EMUL_OK;
}

/* The right to write is asked for before anything is written anywhere. */
static enum svm_emul_result prepare_change(struct svm_emul *e, uint64_t mark,
                                           struct svm_descriptor *d)
{
	d->mark = mark;
	if (!d->mark)
		return SVM_EMUL_OK;
	return prepare_in_table(e, &d->table, d->selector & 0xfff8u, 8,
	                        SVM_EMUL_READ | SVM_EMUL_WRITE, &d->span);
}

enum svm_emul_result svm_descriptor_prepare_mark(struct svm_emul *e, uint64_t bit,
                                                 struct svm_descriptor *d)
{
	return prepare_change(e, bit & ~d->word[0], d);
}

enum svm_emul_result svm_descriptor_prepare_clear(struct svm_emul *e, uint64_t bit,
                                                  struct svm_descriptor *d)
{
	return prepare_change(e, bit & d->word[0], d);
}

enum svm_emul_result svm_descriptor_mark(struct svm_emul *e, struct svm_descriptor *d)
{
	const uint64_t new = d->word[0] ^ d->mark;
	enum svm_emul_result result = SVM_EMUL_OK;
	bool stored = true;

	if (d->mark)
		result = svm_emul_replace(e, &d->span, &d->word[0], &new, &stored);
	if (result != SVM_EMUL_OK)
		return result;
	if (!stored)
		return SVM_EMUL_RETRY; /* Another processor changed the descriptor. */
	d->word[0] = new;
	return SVM_EMUL_OK;
}
