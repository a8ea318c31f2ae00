/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_CODE_WORD_H
#define SVM_CORE_VCPU_CODE_WORD_H
/*
 * Eight bytes of the code at CS:RIP, the first in bits 7:0.
 */
#include <libsvm/types.h>

#define SVM_CODE_PAGE_NONE SVM_BIT(63) /* Far from each 32-bit address. */

/* The page that code was last read from, without paging. */
struct svm_code_page {
	svm_gpa_t gpa; /* Multiple of 4096, or SVM_CODE_PAGE_NONE. */
	svm_hpa_t hpa;
	uint64_t generation; /* svm_memory.generation: good for the hpa above. */
};

struct svm_vcpu;

/*
 * 0, which no instruction that is looked for begins with: they lie in two pages or cannot be read,
 * and svm_guest_fetch() tells more.
 */
uint64_t svm_code_word(struct svm_vcpu *vcpu);

#endif
