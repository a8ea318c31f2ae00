/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_WALK_MEMO_H
#define SVM_CORE_VCPU_WALK_MEMO_H
/*
 * A walk of the guest's tables, kept so that the same one again is a comparison.
 */
#include "core/memory/memory.h"

#define SVM_WALK_MEMO_LEVELS 5u
#define SVM_WALK_MEMO_SPOILT (SVM_WALK_MEMO_LEVELS + 1) /* Of count: not to be kept. */

/* Beside SVM_WALK_* what a walk's outcome depends on. */
#define SVM_WALK_MEMO_CPL3  (1u << 8)
#define SVM_WALK_MEMO_AC    (1u << 9)
#define SVM_WALK_MEMO_VALID (1u << 10)

#define SVM_WALK_MEMO_NOWHERE UINT64_MAX

/* An entry of the guest's tables, with its accessed and dirty bits. */
struct svm_walk_step {
	svm_hpa_t hpa;
	uint64_t entry;
};

struct svm_walk_memo {
	uint32_t mode; /* OR of SVM_WALK_* and SVM_WALK_MEMO_*; 0: nothing is kept. */
	uint32_t count;
	uint64_t page; /* Linear address of 4 KiB, ... */
	svm_gpa_t gpa; /* ... where they are, ... */
	svm_hpa_t hpa; /* ... and where the host has them, to be read; SVM_WALK_MEMO_NOWHERE. */
	uint64_t cr0, cr3, cr4, efer;
	uint64_t generation; /* svm_memory.generation: good for the hpa below. */
	uint64_t serial; /* Moves whenever another walk begins. */
	struct svm_walk_step step[SVM_WALK_MEMO_LEVELS]; /* From the top to the leaf. */
};

struct svm_vcpu;

/*
 * True: a walk would read the entries of the one that is kept, find each as it was then, and so end
 * at *gpa without a mark to set.  False says nothing.
 */
bool svm_walk_memo_find(const struct svm_vcpu *vcpu, const struct svm_walk_memo *memo,
                        svm_gva_t linear, uint32_t mode, svm_gpa_t *gpa);

/* A walk begins, in a section that stays open until its end; an entry was read on the way down. */
void svm_walk_memo_begin(struct svm_walk_memo *memo, struct svm_memory *memory);
void svm_walk_memo_note(struct svm_walk_memo *memo, svm_hpa_t hpa, uint64_t entry);

/* The walk ended at gpa. */
void svm_walk_memo_keep(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo, svm_gva_t linear,
                        uint32_t mode, svm_gpa_t gpa);
/* CR0.PG is 0: the address is where it ends. */
void svm_walk_memo_keep_unpaged(const struct svm_vcpu *vcpu, struct svm_walk_memo *memo,
                                svm_gva_t linear, uint32_t mode);

#endif
