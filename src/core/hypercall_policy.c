/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ranges of hypercalls, and what is said to the others.
 */
#include "core/hypercall_policy.h"

#include "core/vm.h"
#include "core/vm_idle.h"

static int add_calls(struct svm_hypercall_policy *policy, const struct svm_hypercall_range *added)
{
	for (uint32_t i = 0; i < policy->range_count; i++)
		if (added->first <= policy->range[i].last && added->last >= policy->range[i].first)
			return SVM_ERR_EXIST;
	if (policy->range_count == SVM_HYPERCALL_RANGE_MAX)
		return SVM_ERR_NOMEM;
	policy->range[policy->range_count++] = *added;
	return 0;
}

static int remove_calls(struct svm_hypercall_policy *policy, uint32_t first, uint32_t last)
{
	for (uint32_t i = 0; i < policy->range_count; i++) {
		if (policy->range[i].first != first || policy->range[i].last != last)
			continue;
		policy->range[i] = policy->range[--policy->range_count];
		return 0;
	}
	return SVM_ERR_NOENT;
}

int svm_vm_hypercall_handler(struct svm_vm *vm, uint32_t first, uint32_t count,
                             svm_hypercall_fn fn, void *arg)
{
	const struct svm_hypercall_range range = { first, first + count - 1, fn, arg };
	int result;

	if (count == 0 || range.last < first)
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm))
		result = SVM_ERR_BUSY;
	else if (fn)
		result = add_calls(&vm->hypercalls, &range);
	else
		result = remove_calls(&vm->hypercalls, first, range.last);
	svm_vm_unlock(vm);
	return result;
}

int svm_vm_hypercall_default(struct svm_vm *vm, bool on, uint64_t result)
{
	int error = 0;

	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm)) {
		error = SVM_ERR_BUSY;
	} else {
		vm->hypercalls.has_default = on;
		vm->hypercalls.default_result = result;
	}
	svm_vm_unlock(vm);
	return error;
}
