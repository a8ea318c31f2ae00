/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_TYPES_H
#define LIBSVM_TYPES_H
/**
 * @file
 * @brief Address types and bit helpers that every other header uses.
 *
 * Four kinds of address meet in a hypervisor and mixing two of them is the classic mistake, so
 * each has a type and a spelling of its own, used everywhere: @c gva, @c gpa, @c hva, @c hpa.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** @addtogroup svm_base
 *  @{ */

/** Guest-virtual (linear) address. */
typedef uint64_t svm_gva_t;
/** Guest-physical address: what the guest's page tables produce and the nested tables translate. */
typedef uint64_t svm_gpa_t;
/** Host-physical address: what goes into page tables and the VMCB. */
typedef uint64_t svm_hpa_t;

/** Bytes in the unit of memory that a HAL hands out and a nested table maps. */
#define SVM_PAGE_SIZE  4096u
#define SVM_PAGE_MASK  (~(uint64_t)(SVM_PAGE_SIZE - 1))
#define SVM_PAGE_SHIFT 12

/** One bit of a 64-bit word. */
#define SVM_BIT(n) (UINT64_C(1) << (n))
/** Bits @p high down to @p low of a 64-bit word, both included. */
#define SVM_BITS(high, low) ((~UINT64_C(0) >> (63 - (high))) & (~UINT64_C(0) << (low)))

/** _Static_assert() in both languages that may include these headers. */
#ifdef __cplusplus
#define SVM_STATIC_ASSERT static_assert
#else
#define SVM_STATIC_ASSERT _Static_assert
#endif

/** The result of a call that can fail must be looked at. */
#define SVM_MUST_CHECK __attribute__((warn_unused_result))

/** Field @p mask of @p value, shifted down to bit 0. */
static inline uint64_t svm_bits_get(uint64_t value, uint64_t mask)
{
	return (value & mask) / (mask & (~mask + 1));
}

/** @p field shifted up to the place of @p mask; bits that do not fit are dropped. */
static inline uint64_t svm_bits_put(uint64_t field, uint64_t mask)
{
	return (field * (mask & (~mask + 1))) & mask;
}

/** @} */

#endif
