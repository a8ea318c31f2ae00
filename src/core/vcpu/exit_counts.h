/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef CORE_VCPU_EXIT_COUNTS_H
#define CORE_VCPU_EXIT_COUNTS_H

#include <libsvm/vcpu.h>

#include "core/core.h"
#include "core/vcpu/recorder.h"

/* Codes below this are their own places; behind them those from 400h on, which NPF is. */
#define SVM_EXIT_COUNT_LOW 0xb0u
#define SVM_EXIT_COUNT_NPF SVM_EXIT_COUNT_LOW

/* Frames of their own, since few ever ask. */
struct svm_exit_times {
	uint64_t cycles[SVM_EXIT_COUNT_MAX];
	uint32_t bucket[SVM_EXIT_COUNT_MAX][SVM_EXIT_BUCKETS];
};

struct svm_exit_counts {
	struct svm_exit_times *times; /* Atomic; NULL until somebody asks, then for ever. */
	svm_hpa_t times_hpa;
	uint64_t charged; /* Exits of which nothing is left to charge. */
	uint8_t wanted;   /* Atomic, 0 or 1: what svm_vcpu_time_exits() asked for last. */
	uint64_t count[SVM_EXIT_COUNT_MAX];
};

/* The place of a code that is not below SVM_EXIT_COUNT_LOW. */
uint64_t svm_exit_counts_high(uint64_t code);

static inline uint64_t svm_exit_counts_slot(uint64_t code)
{
	return code < SVM_EXIT_COUNT_LOW ? code : svm_exit_counts_high(code);
}

/* An exit of this place has come; the run's thread.  On the path of every exit. */
static inline void svm_exit_counts_add(struct svm_exit_counts *counts, uint64_t slot)
{
	svm_atomic_store_relaxed(&counts->count[slot], counts->count[slot] + 1);
}

/* SVM_REQUEST_TIMES: begin to take the time, or end. */
void svm_exit_counts_switch(struct svm_vcpu *vcpu);

/* The last exit has been dealt with, unless it was before; exits are timed. */
void svm_exit_counts_charge(struct svm_vcpu *vcpu);

/* The row of a place below SVM_EXIT_COUNT_MAX; any thread. */
struct svm_exit_count svm_exit_counts_row(const struct svm_exit_counts *counts, unsigned slot);

/* Give the frames back. */
void svm_exit_counts_fini(struct svm_vcpu *vcpu);

#endif
