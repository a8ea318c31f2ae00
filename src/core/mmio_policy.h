/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MMIO_POLICY_H
#define SVM_CORE_MMIO_POLICY_H
/*
 * Which callback answers for device memory.
 */
#include <libsvm/vm.h>

struct svm_mmio_range {
	svm_gpa_t first, last; /* Bytes, both included. */
	svm_mmio_fn fn;
	void *arg;
};

struct svm_mmio_policy {
	uint32_t range_count;
	uint32_t recent_range; /* Atomic: index of the last find; only a guess. */
	struct svm_mmio_range range[SVM_MMIO_RANGE_MAX]; /* Sorted by first. */
};

/* The callback that owns all bytes of an access, or NULL. */
const struct svm_mmio_range *svm_mmio_find(struct svm_mmio_policy *policy, svm_gpa_t gpa,
                                           unsigned size);

#endif
