/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MSR_POLICY_H
#define SVM_CORE_MSR_POLICY_H
/*
 * What a VM does with each MSR number: the ranges that the embedder chose over the table of
 * msrs.h, and the permission map that follows from them.
 */
#include <libsvm/msrs.h>
#include <libsvm/vm.h>

#include "core/core.h"

struct svm_vm;

struct svm_msr_range {
	uint32_t first, last; /* Both included. */
	enum svm_msr_policy policy;
};

struct svm_msr_handler {
	uint32_t first, last;
	svm_msr_fn fn;
	void *arg;
};

struct svm_msr_policies {
	uint64_t recent; /* Atomic: a register in the lower half, and its policy in the upper. */
	uint8_t *msrpm; /* 8 KiB; the host's default map until the VM changes it. */
	svm_hpa_t msrpm_hpa;
	bool owns_map;
	uint32_t range_count;
	struct svm_msr_range range[SVM_MSR_RANGE_MAX]; /* In the order set: the last match wins. */
	uint32_t handler_count;
	struct svm_msr_handler handler[SVM_MSR_HANDLER_MAX];
	svm_msr_filter_fn filter; /* NULL: everything is offered. */
	void *filter_arg;
};

/* Index of a register in SVM_MSRS, for shadow values; SVM_MSR_INDEX_COUNT if it has none. */
enum svm_msr_index {
#define SVM_MSR_INDEX(name, number, policy, reset, text) SVM_MSR_INDEX_##name,
	SVM_MSRS(SVM_MSR_INDEX)
#undef SVM_MSR_INDEX
	SVM_MSR_INDEX_COUNT,
};

void svm_msr_policy_init(struct svm_vm *vm);
void svm_msr_policy_fini(struct svm_vm *vm);

/* What the VM does with a register, any number. */
enum svm_msr_policy svm_msr_policy_of(const struct svm_msr_policies *policies, uint32_t msr);

/* The same for an access of the guest, which is likely to be to the last register again. */
enum svm_msr_policy svm_msr_policy_anew(struct svm_msr_policies *policies, uint32_t msr);
static inline enum svm_msr_policy svm_msr_policy_again(struct svm_msr_policies *policies,
                                                       uint32_t msr)
{
	const uint64_t recent = svm_atomic_load_relaxed(&policies->recent);

	return SVM_MOSTLY((uint32_t)recent == msr) ? (enum svm_msr_policy)(recent >> 32)
	                                           : svm_msr_policy_anew(policies, msr);
}
/* The callback of a register whose policy is DEVICE; NULL for another. */
const struct svm_msr_handler *svm_msr_handler_of(const struct svm_msr_policies *policies,
                                                 uint32_t msr);

/* Whether the filter, if there is one, lets the guest's access through. */
static inline bool svm_msr_is_offered(const struct svm_msr_policies *policies, uint32_t msr,
                                      bool is_write)
{
	return !policies->filter || policies->filter(policies->filter_arg, msr, is_write);
}

/* The table of msrs.h (msr_table.c): SVM_MSR_INDEX_COUNT stands for "not in the table". */
enum svm_msr_index svm_msr_index_of(uint32_t msr);
uint32_t svm_msr_number(enum svm_msr_index index); /* Not for SVM_MSR_INDEX_COUNT. */
enum svm_msr_policy svm_msr_default_policy(enum svm_msr_index index);
enum svm_msr_policy svm_msr_table_policy(uint32_t msr); /* The same by number. */
uint64_t svm_msr_reset_value(enum svm_msr_index index);

/* Fill a fresh 8 KiB map with the defaults of msrs.h: all ones but the PASS registers. */
void svm_msrpm_default(uint8_t *msrpm);

#endif
