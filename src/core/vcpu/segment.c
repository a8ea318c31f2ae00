/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The VMCB packs a descriptor's bits 55:52 and 47:40 side by side, so that G, D, L and AVL are its
 * attribute bits 11 to 8.  Intel's layout keeps the four limit bits between them as a gap; values
 * from there lose D and L here without a sound.  Only these two functions know either form.
 */
#include "core/vcpu/segment.h"

#define DESC_LIMIT_LOW  SVM_BITS(15, 0)
#define DESC_BASE_LOW   SVM_BITS(39, 16)
#define DESC_ATTR_LOW   SVM_BITS(47, 40)
#define DESC_LIMIT_HIGH SVM_BITS(51, 48)
#define DESC_ATTR_HIGH  SVM_BITS(55, 52)
#define DESC_BASE_HIGH  SVM_BITS(63, 56)

#define ATTR_LOW  SVM_BITS(7, 0)
#define ATTR_HIGH SVM_BITS(11, 8)

#define PAGE_OFFSET 0xfffu /* A limit in pages means the last byte of its page. */

struct svm_vmcb_segment svm_segment_unpack(uint16_t selector, uint64_t descriptor,
                                           uint32_t base_high)
{
	const uint64_t limit = svm_bits_get(descriptor, DESC_LIMIT_LOW) |
	                       svm_bits_get(descriptor, DESC_LIMIT_HIGH) << 16;
	struct svm_vmcb_segment segment = { .selector = selector };

	if (selector <= 3)
		return segment;
	segment.attributes = (uint16_t)(svm_bits_get(descriptor, DESC_ATTR_LOW) |
	                                svm_bits_get(descriptor, DESC_ATTR_HIGH) << 8);
	segment.limit = (uint32_t)limit;
	if (segment.attributes & SVM_SEG_G)
		segment.limit = (uint32_t)(limit << 12) | PAGE_OFFSET;
	segment.base = svm_bits_get(descriptor, DESC_BASE_LOW) |
	               svm_bits_get(descriptor, DESC_BASE_HIGH) << 24 | (uint64_t)base_high << 32;
	return segment;
}

bool svm_segment_pack(const struct svm_vmcb_segment *segment, uint64_t *descriptor)
{
	const bool in_pages = segment->attributes & SVM_SEG_G;
	const uint32_t limit = in_pages ? segment->limit >> 12 : segment->limit;

	if (segment->attributes & ~SVM_SEG_ALL)
		return false;
	if (in_pages ? (segment->limit & PAGE_OFFSET) != PAGE_OFFSET : limit > 0xfffff)
		return false;
	*descriptor = svm_bits_put(limit, DESC_LIMIT_LOW) |
	              svm_bits_put(limit >> 16, DESC_LIMIT_HIGH) |
	              svm_bits_put(segment->base, DESC_BASE_LOW) |
	              svm_bits_put(segment->base >> 24, DESC_BASE_HIGH) |
	              svm_bits_put(svm_bits_get(segment->attributes, ATTR_LOW), DESC_ATTR_LOW) |
	              svm_bits_put(svm_bits_get(segment->attributes, ATTR_HIGH), DESC_ATTR_HIGH);
	return true;
}

unsigned svm_segment_code_bits(uint16_t cs_attributes, bool long_mode)
{
	if (long_mode && (cs_attributes & SVM_SEG_L))
		return 64;
	return cs_attributes & SVM_SEG_DB ? 32 : 16;
}
