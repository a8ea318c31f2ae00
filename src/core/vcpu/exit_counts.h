/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef CORE_VCPU_EXIT_COUNTS_H
#define CORE_VCPU_EXIT_COUNTS_H

#include <libsvm/vcpu.h>

struct svm_exit_counts {
	uint64_t since; /* TSC of the exit that is being dealt with; 0: none, or not timed. */
	unsigned last;  /* Its place. */
	bool is_timed;  /* Atomic. */
	uint64_t count[SVM_EXIT_COUNT_MAX], cycles[SVM_EXIT_COUNT_MAX];
};

/* An exit has come; the run's thread. */
void svm_exit_counts_note(struct svm_exit_counts *counts, uint64_t code);
/* It has been dealt with; `since` is not 0. */
void svm_exit_counts_charge(struct svm_exit_counts *counts);

#endif
