/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MMIO_POLICY_H
#define SVM_CORE_MMIO_POLICY_H
/*
 * Which callback answers for device memory.
 */
#include <libsvm/vm.h>

#include "core/core.h"

struct svm_mmio_range {
	svm_gpa_t first, last; /* Bytes, both included. */
	svm_mmio_fn fn;
	void *arg;
};

struct svm_mmio_policy {
	uint32_t range_count;
	uint32_t recent_range; /* Atomic: index of the last find; only a guess. */
	uint32_t serial; /* Of the ranges: moves when one comes or goes, with no vCPU running. */
	struct svm_mmio_range range[SVM_MMIO_RANGE_MAX]; /* Sorted by first. */
};

static inline bool svm_mmio_owns(const struct svm_mmio_range *range, svm_gpa_t gpa, unsigned size)
{
	return gpa >= range->first && gpa <= range->last && range->last - gpa >= size - 1;
}

/* The range that was found last if it is the one, or NULL, which says nothing. */
static inline const struct svm_mmio_range *svm_mmio_guess(const struct svm_mmio_policy *policy,
                                                          svm_gpa_t gpa, unsigned size)
{
	const uint32_t guess = svm_atomic_load_relaxed(&policy->recent_range);

	if (SVM_MOSTLY(guess < policy->range_count &&
	               svm_mmio_owns(&policy->range[guess], gpa, size)))
		return &policy->range[guess];
	return NULL;
}

/* The callback that owns all bytes of an access, or NULL. */
const struct svm_mmio_range *svm_mmio_find(struct svm_mmio_policy *policy, svm_gpa_t gpa,
                                           unsigned size);

#endif
