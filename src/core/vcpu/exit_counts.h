/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef CORE_VCPU_EXIT_COUNTS_H
#define CORE_VCPU_EXIT_COUNTS_H

#include <libsvm/vcpu.h>

#include "core/core.h"
#include "hal/ring0.h"

/* Codes below this are their own places. */
#define SVM_EXIT_COUNT_LOW 0xb0u

struct svm_exit_counts {
	uint64_t since; /* TSC of the exit that is being dealt with; 0: none, or not timed. */
	unsigned last;  /* Its place. */
	bool is_timed;  /* Atomic. */
	uint64_t count[SVM_EXIT_COUNT_MAX], cycles[SVM_EXIT_COUNT_MAX];
};

/* The place of a code that is not below SVM_EXIT_COUNT_LOW. */
unsigned svm_exit_counts_high(uint64_t code);

/* An exit has come; the run's thread.  On the path of every exit: a call would double it. */
static inline void svm_exit_counts_note(struct svm_exit_counts *counts, uint64_t code)
{
	const unsigned slot = code < SVM_EXIT_COUNT_LOW ? (unsigned)code
	                                                : svm_exit_counts_high(code);

	counts->last = slot;
	svm_atomic_store_relaxed(&counts->count[slot], counts->count[slot] + 1);
	if (counts->is_timed)
		counts->since = svm_ring0_rdtsc();
}

/* It has been dealt with; `since` is not 0. */
void svm_exit_counts_charge(struct svm_exit_counts *counts);

#endif
