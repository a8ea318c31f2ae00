/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_DIRTY_H
#define SVM_CORE_MEMORY_DIRTY_H
/*
 * Dirty logs.  dirty.c explains why no write is lost.
 */
#include "core/memory/slots.h"

struct svm_dirty_log {
	svm_hpa_t hpa;   /* Of the first frame. */
	uint64_t frames; /* Of this object. */
	svm_gpa_t first; /* Page of bit 0. */
	uint64_t pages;
	uint64_t word[]; /* Bit i of word i / 64: written, and not fetched since. */
};

void svm_dirty_log_free(struct svm_vm *vm, struct svm_dirty_log *log);

/* The page at gpa was or may have been written: *after* the write, or after allowing it. */
static inline void svm_dirty_set(const struct svm_slot_piece *piece, svm_gpa_t gpa)
{
	struct svm_dirty_log *log = piece->log;

	if (!log || gpa < log->first)
		return;

	const uint64_t page = (gpa - log->first) >> SVM_PAGE_SHIFT;

	if (page < log->pages)
		svm_atomic_or(&log->word[page / 64], SVM_BIT(page % 64));
}

/* A leaf with D was taken out: whoever logs its page shall know.  Not from inside a section. */
void svm_dirty_harvest(struct svm_vm *vm, svm_gpa_t gpa, uint64_t leaf);

/* Does any slot log by D bits? */
bool svm_dirty_uses_bits(struct svm_vm *vm);

#endif
