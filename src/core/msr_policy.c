/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The embedder's ranges are kept in the order of the calls and searched backwards, so the newest
 * wins; a range that a newer one covers whole is dropped, so that setting and setting back does
 * not fill the array.
 *
 * The permission map follows from the policies and never leads: only registers that the processor
 * switches (PASS in msrs.h) are ever open, whatever an embedder asks for.  A hole in this map is a
 * hole in the host.  Most VMs change no PASS register and share the host's map.
 */
#include "core/msr_policy.h"
#include "core/msrpm.h"
#include "core/vm.h"
#include "core/vm_idle.h"

/* One is always remembered. */
static void forget_recent(struct svm_msr_policies *policies)
{
	svm_msr_policy_anew(policies, 0);
}

void svm_msr_policy_init(struct svm_vm *vm)
{
	vm->msr.msrpm = vm->host->msrpm;
	vm->msr.msrpm_hpa = vm->host->msrpm_hpa;
	vm->msr.owns_map = false;
	vm->msr.range_count = 0;
	vm->msr.handler_count = 0;
	vm->msr.filter = NULL;
	vm->msr.recent = (uint64_t)SVM_MSR_REFUSE << 32; /* There is no register 0. */
}

void svm_msr_policy_fini(struct svm_vm *vm)
{
	if (vm->msr.owns_map)
		svm_host_frames_free(vm->host, vm->msr.msrpm, vm->msr.msrpm_hpa, SVM_MSRPM_PAGES);
	svm_msr_policy_init(vm);
}

const struct svm_msr_handler *svm_msr_handler_of(const struct svm_msr_policies *policies,
                                                 uint32_t msr)
{
	for (uint32_t i = 0; i < policies->handler_count; i++) {
		const struct svm_msr_handler *handler = &policies->handler[i];

		if (msr >= handler->first && msr <= handler->last)
			return handler;
	}
	return NULL;
}

static SVM_LONG_WAY enum svm_msr_policy policy_set(const struct svm_msr_policies *policies,
                                                   uint32_t msr)
{
	if (svm_msr_handler_of(policies, msr))
		return SVM_MSR_DEVICE;
	for (uint32_t i = policies->range_count; i > 0; i--) {
		const struct svm_msr_range *range = &policies->range[i - 1];

		if (msr >= range->first && msr <= range->last)
			return range->policy;
	}
	return svm_msr_table_policy(msr);
}

enum svm_msr_policy svm_msr_policy_of(const struct svm_msr_policies *policies, uint32_t msr)
{
	if (policies->handler_count || policies->range_count)
		return policy_set(policies, msr);
	return svm_msr_table_policy(msr);
}

SVM_LONG_WAY enum svm_msr_policy svm_msr_policy_anew(struct svm_msr_policies *policies,
                                                     uint32_t msr)
{
	const enum svm_msr_policy policy = svm_msr_policy_of(policies, msr);

	svm_atomic_store_relaxed(&policies->recent, (uint64_t)policy << 32 | msr);
	return policy;
}

/* Whether a register of the table can have a policy. */
static bool may_have(enum svm_msr_index index, enum svm_msr_policy policy)
{
	if (policy == SVM_MSR_SHADOW)
		return true;
	return svm_msr_default_policy(index) == policy;
}

/*
 * PASS, STATE and SHADOW need every register of the range to be in the table with that right.
 * Numbers are unique, so counting those that are is enough, and 2^32 need not be walked.
 */
static bool range_may_have(const struct svm_msr_range *range)
{
	uint64_t able = 0;

	switch (range->policy) {
	case SVM_MSR_REFUSE:
	case SVM_MSR_EXIT:
	case SVM_MSR_ZERO:
		return true;
	case SVM_MSR_STATE:
	case SVM_MSR_SHADOW:
	case SVM_MSR_PASS:
		break;
	default:
		return false;
	}
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++) {
		const uint32_t msr = svm_msr_number((enum svm_msr_index)i);

		if (msr >= range->first && msr <= range->last)
			able += may_have((enum svm_msr_index)i, range->policy);
	}
	return able == (uint64_t)range->last - range->first + 1;
}

/* Whether a register of the table is open under the policies: by right and by choice. */
static bool is_msr_open(const struct svm_msr_policies *policies, enum svm_msr_index index)
{
	const uint32_t msr = svm_msr_number(index);

	return svm_msr_default_policy(index) == SVM_MSR_PASS &&
	       svm_msr_policy_of(policies, msr) == SVM_MSR_PASS &&
	       svm_msr_is_offered(policies, msr, false) && svm_msr_is_offered(policies, msr, true);
}

/* The map is not the one for the policies any more.  They have changed from first to last alone. */
static bool map_differs(const struct svm_msr_policies *policies, uint32_t first, uint32_t last)
{
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++) {
		const enum svm_msr_index index = (enum svm_msr_index)i;
		const uint32_t msr = svm_msr_number(index);

		if (msr >= first && msr <= last &&
		    svm_msrpm_denies(policies->msrpm, msr, false) == is_msr_open(policies, index))
			return true;
	}
	return false;
}

/* The VM's own map instead of the host's. */
static int own_msrpm(struct svm_vm *vm)
{
	svm_hpa_t hpa;
	uint8_t *map;

	if (vm->msr.owns_map)
		return 0;
	map = svm_host_frames(vm->host, SVM_MSRPM_PAGES, &hpa);
	if (!map)
		return SVM_ERR_NOMEM;
	memcpy(map, vm->msr.msrpm, SVM_MSRPM_SIZE);
	vm->msr.msrpm = map;
	vm->msr.msrpm_hpa = hpa;
	vm->msr.owns_map = true;
	return 0;
}

/* Append a range, without those that it hides.  False: no room. */
static bool add_range(struct svm_msr_policies *policies, const struct svm_msr_range *added)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < policies->range_count; i++) {
		const struct svm_msr_range range = policies->range[i];

		if (range.first < added->first || range.last > added->last)
			policies->range[kept++] = range;
	}
	policies->range_count = kept;
	if (kept == SVM_MSR_RANGE_MAX)
		return false;
	policies->range[kept] = *added;
	policies->range_count = kept + 1;
	return true;
}

/* After a change that concerns the registers from first to last. */
static void update_map(struct svm_vm *vm, uint32_t first, uint32_t last)
{
	if (!vm->msr.owns_map)
		return;
	vm->settings++;
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++) {
		const enum svm_msr_index index = (enum svm_msr_index)i;
		const uint32_t msr = svm_msr_number(index);

		if (msr >= first && msr <= last)
			svm_msrpm_set(vm->msr.msrpm, msr, is_msr_open(&vm->msr, index));
	}
}

/* Caller: holds the VM's lock. */
static int set_range(struct svm_vm *vm, const struct svm_msr_range *added)
{
	struct svm_msr_policies changed = vm->msr;
	const bool had_map = vm->msr.owns_map;
	int result;

	if (!svm_vm_is_idle(vm))
		return SVM_ERR_BUSY;
	if (!add_range(&changed, added))
		return SVM_ERR_NOMEM;
	if (!had_map && map_differs(&changed, added->first, added->last)) {
		result = own_msrpm(vm);
		if (result)
			return result;
	}
	vm->msr.range_count = changed.range_count;
	memcpy(vm->msr.range, changed.range, sizeof(changed.range));
	forget_recent(&vm->msr);
	update_map(vm, had_map ? added->first : 0, had_map ? added->last : UINT32_MAX);
	return 0;
}

int svm_vm_set_msr_policy(struct svm_vm *vm, uint32_t first, uint64_t count,
                          enum svm_msr_policy policy)
{
	struct svm_msr_range added = { .first = first, .policy = policy };
	int result;

	if (!count || count > (UINT64_C(1) << 32) - first)
		return SVM_ERR_INVAL;
	added.last = (uint32_t)(first + (count - 1));
	if (!range_may_have(&added))
		return SVM_ERR_INVAL;

	svm_vm_lock(vm);
	result = set_range(vm, &added);
	svm_vm_unlock(vm);
	return result;
}

/* --- callbacks -------------------------------------------------------------------------------- */

/* The map leaves such a register open: no callback would ever be asked. */
static bool has_passed_register(const struct svm_msr_handler *handler)
{
	for (unsigned i = 0; i < SVM_MSR_INDEX_COUNT; i++) {
		const enum svm_msr_index index = (enum svm_msr_index)i;
		const uint32_t msr = svm_msr_number(index);

		if (msr >= handler->first && msr <= handler->last &&
		    svm_msr_default_policy(index) == SVM_MSR_PASS)
			return true;
	}
	return false;
}

static int add_handler(struct svm_msr_policies *policies, const struct svm_msr_handler *added)
{
	for (uint32_t i = 0; i < policies->handler_count; i++)
		if (added->first <= policies->handler[i].last &&
		    added->last >= policies->handler[i].first)
			return SVM_ERR_EXIST;
	if (policies->handler_count == SVM_MSR_HANDLER_MAX)
		return SVM_ERR_NOMEM;
	policies->handler[policies->handler_count++] = *added;
	forget_recent(policies);
	return 0;
}

static int remove_handler(struct svm_msr_policies *policies, const struct svm_msr_handler *removed)
{
	for (uint32_t i = 0; i < policies->handler_count; i++) {
		struct svm_msr_handler *handler = &policies->handler[i];

		if (handler->first != removed->first || handler->last != removed->last)
			continue;
		*handler = policies->handler[--policies->handler_count];
		forget_recent(policies);
		return 0;
	}
	return SVM_ERR_NOENT;
}

int svm_vm_msr_handler(struct svm_vm *vm, uint32_t first, uint64_t count, svm_msr_fn fn, void *arg)
{
	struct svm_msr_handler handler = { .first = first, .fn = fn, .arg = arg };
	int result;

	if (!count || count > (UINT64_C(1) << 32) - first)
		return SVM_ERR_INVAL;
	handler.last = (uint32_t)(first + (count - 1));
	if (has_passed_register(&handler))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm))
		result = SVM_ERR_BUSY;
	else if (fn)
		result = add_handler(&vm->msr, &handler);
	else
		result = remove_handler(&vm->msr, &handler);
	svm_vm_unlock(vm);
	return result;
}

/* --- the filter ------------------------------------------------------------------------------- */

/* Caller: holds the VM's lock. */
static int set_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg)
{
	struct svm_msr_policies changed = vm->msr;
	int result;

	if (!svm_vm_is_idle(vm))
		return SVM_ERR_BUSY;
	changed.filter = fn;
	changed.filter_arg = arg;
	if (map_differs(&changed, 0, UINT32_MAX)) {
		result = own_msrpm(vm);
		if (result)
			return result;
	}
	vm->msr.filter = fn;
	vm->msr.filter_arg = arg;
	update_map(vm, 0, UINT32_MAX);
	return 0;
}

int svm_vm_msr_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg)
{
	int result;

	svm_vm_lock(vm);
	result = set_filter(vm, fn, arg);
	svm_vm_unlock(vm);
	return result;
}
