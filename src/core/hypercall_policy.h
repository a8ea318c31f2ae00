/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_HYPERCALL_POLICY_H
#define SVM_CORE_HYPERCALL_POLICY_H
/*
 * Who answers a hypercall: a callback, or the embedder.
 */
#include <libsvm/vm.h>

struct svm_hypercall_range {
	uint32_t first, last; /* Numbers, both included. */
	svm_hypercall_fn fn;
	void *arg;
};

struct svm_hypercall_policy {
	bool has_default; /* For numbers in no range. */
	uint64_t default_result;
	uint32_t range_count;
	struct svm_hypercall_range range[SVM_HYPERCALL_RANGE_MAX];
};

/*
 * The callback of a number, or NULL.  They are few, one for each interface that a machine offers,
 * so they are kept in the order of the calls and searched one by one.
 */
static inline const struct svm_hypercall_range *
svm_hypercall_find(const struct svm_hypercall_policy *policy, uint64_t number)
{
	for (uint32_t i = 0; i < policy->range_count; i++)
		if (number >= policy->range[i].first && number <= policy->range[i].last)
			return &policy->range[i];
	return NULL;
}

#endif
