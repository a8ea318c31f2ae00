/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of msrs.h as functions.
 *
 * A number is looked for in the rows, which ascend.  A switch would be faster and larger, and
 * accesses of a guest seldom come here: the last policy is remembered (msr_policy.h).
 */
#include "core/msr_policy.h"
#include "core/msrpm.h"

struct msr_row {
	uint64_t reset;
	enum svm_msr_policy policy;
	uint32_t number;
};

static const struct msr_row msr_rows[SVM_MSR_INDEX_COUNT] = {
#define ROW(name, number, policy, reset, text)                                                     \
	[SVM_MSR_INDEX_##name] = { (reset), SVM_MSR_##policy, (number) },
	SVM_MSRS(ROW)
#undef ROW
};

enum svm_msr_index svm_msr_index_of(uint32_t msr)
{
	unsigned low = 0, high = SVM_MSR_INDEX_COUNT;

	while (low < high) {
		const unsigned middle = (low + high) / 2;

		if (msr_rows[middle].number < msr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < SVM_MSR_INDEX_COUNT && msr_rows[low].number == msr ? (enum svm_msr_index)low
	                                                                : SVM_MSR_INDEX_COUNT;
}

uint32_t svm_msr_number(enum svm_msr_index index)
{
	return msr_rows[index].number;
}

enum svm_msr_policy svm_msr_default_policy(enum svm_msr_index index)
{
	return index < SVM_MSR_INDEX_COUNT ? msr_rows[index].policy : SVM_MSR_REFUSE;
}

enum svm_msr_policy svm_msr_table_policy(uint32_t msr)
{
	return svm_msr_default_policy(svm_msr_index_of(msr));
}

uint64_t svm_msr_reset_value(enum svm_msr_index index)
{
	return index < SVM_MSR_INDEX_COUNT ? msr_rows[index].reset : 0;
}

void svm_msrpm_default(uint8_t *msrpm)
{
	svm_msrpm_deny_all(msrpm);
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++)
		if (msr_rows[i].policy == SVM_MSR_PASS)
			svm_msrpm_set(msrpm, msr_rows[i].number, true);
}
