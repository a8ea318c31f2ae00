/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ranges of device memory.  The address space is 64 bits wide, so last bytes are kept and not
 * ends: a range up to the very top has none.
 */
#include "core/vm.h"
#include "core/vm_idle.h"

const struct svm_mmio_range *svm_mmio_find(struct svm_mmio_policy *policy, svm_gpa_t gpa,
                                           unsigned size)
{
	for (uint32_t i = 0; i < policy->range_count; i++) {
		if (!svm_mmio_owns(&policy->range[i], gpa, size))
			continue;
		svm_atomic_store_relaxed(&policy->recent_range, i);
		return &policy->range[i];
	}
	return NULL;
}

static int add_mmio_range(struct svm_mmio_policy *policy, const struct svm_mmio_range *range)
{
	uint32_t at = 0;

	while (at < policy->range_count && policy->range[at].last < range->first)
		at++;
	if (at < policy->range_count && policy->range[at].first <= range->last)
		return SVM_ERR_EXIST;
	if (policy->range_count == SVM_MMIO_RANGE_MAX)
		return SVM_ERR_NOMEM;
	memmove(&policy->range[at + 1], &policy->range[at],
	        (policy->range_count - at) * sizeof(policy->range[0]));
	policy->range[at] = *range;
	policy->range_count++;
	return 0;
}

static int remove_mmio_range(struct svm_mmio_policy *policy, const struct svm_mmio_range *range)
{
	for (uint32_t i = 0; i < policy->range_count; i++) {
		if (policy->range[i].first != range->first || policy->range[i].last != range->last)
			continue;
		policy->range_count--;
		memmove(&policy->range[i], &policy->range[i + 1],
		        (policy->range_count - i) * sizeof(policy->range[0]));
		return 0;
	}
	return SVM_ERR_NOENT;
}

int svm_vm_mmio_handler(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, svm_mmio_fn fn, void *arg)
{
	const struct svm_mmio_range range = { gpa, gpa + size - 1, fn, arg };
	int result;

	if (size == 0 || range.last < gpa)
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm))
		result = SVM_ERR_BUSY;
	else if (fn)
		result = add_mmio_range(&vm->mmio, &range);
	else
		result = remove_mmio_range(&vm->mmio, &range);
	vm->mmio.serial += !result;
	svm_vm_unlock(vm);
	return result;
}
