/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Callbacks are few and sorted, found by bisection.  An access belongs to a callback only if all
 * its bytes do: a word whose second byte is another device's goes to the embedder, which knows
 * how its bus splits it.
 *
 * A callback does not close the permission map: the map is closed until svm_vm_io_allow() opens a
 * port, and then the guest's own access wins.
 */
#include "core/io_policy.h"
#include "core/iopm.h"
#include "core/vm.h"
#include "core/vm_idle.h"

/* From 1 to 0: no port. */
#define NO_GAP 1u

void svm_io_policy_init(struct svm_vm *vm)
{
	vm->io.iopm = vm->host->iopm;
	vm->io.iopm_hpa = vm->host->iopm_hpa;
	vm->io.owns_map = false;
	vm->io.range_count = 0;
	vm->io.gap = NO_GAP;
}

void svm_io_policy_fini(struct svm_vm *vm)
{
	if (vm->io.owns_map)
		svm_host_frames_free(vm->host, vm->io.iopm, vm->io.iopm_hpa, SVM_IOPM_PAGES);
	svm_io_policy_init(vm);
}

/* Ranges that end below a port: the place where a range from that port on belongs. */
static uint32_t ranges_below(const struct svm_io_policy *policy, uint32_t port)
{
	uint32_t low = 0, high = policy->range_count;

	while (low < high) {
		const uint32_t middle = (low + high) / 2;

		if (policy->range[middle].last < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct svm_io_range *svm_io_find(const struct svm_io_policy *policy, uint16_t port,
                                       uint8_t size)
{
	const uint32_t i = ranges_below(policy, port);
	const struct svm_io_range *range;

	if (i == policy->range_count)
		return NULL;
	range = &policy->range[i];
	if (range->first > port || range->last < (uint32_t)port + size - 1)
		return NULL;
	return range;
}

/* The ports between two callbacks, if this one is; the embedder's own devices are there. */
static void note_gap(struct svm_io_policy *policy, uint32_t port)
{
	const uint32_t above = ranges_below(policy, port);
	const uint32_t first = above ? policy->range[above - 1].last + 1 : 0;
	const uint32_t end =
		above < policy->range_count ? policy->range[above].first : SVM_PORT_COUNT;

	if (port < end)
		svm_atomic_store_relaxed(&policy->gap, first | (end - 1) << 16);
}

const struct svm_io_range *svm_io_find_anew(struct svm_io_policy *policy, uint16_t port,
                                            uint8_t size)
{
	const struct svm_io_range *range = svm_io_find(policy, port, size);

	if (range)
		svm_atomic_store_relaxed(&policy->recent, (uint32_t)(range - policy->range));
	else
		note_gap(policy, port);
	return range;
}

static int add_io_range(struct svm_io_policy *policy, const struct svm_io_range *added)
{
	const uint32_t place = ranges_below(policy, added->first);

	if (place < policy->range_count && policy->range[place].first <= added->last)
		return SVM_ERR_EXIST;
	if (policy->range_count == SVM_IO_RANGE_MAX)
		return SVM_ERR_NOMEM;
	memmove(&policy->range[place + 1], &policy->range[place],
	        (policy->range_count - place) * sizeof(policy->range[0]));
	policy->range[place] = *added;
	policy->range_count++;
	policy->gap = NO_GAP;
	return 0;
}

static int remove_io_range(struct svm_io_policy *policy, uint32_t first, uint32_t last)
{
	const uint32_t place = ranges_below(policy, first);

	if (place == policy->range_count || policy->range[place].first != first ||
	    policy->range[place].last != last)
		return SVM_ERR_NOENT;
	policy->range_count--;
	policy->gap = NO_GAP; /* It may be a larger one now. */
	memmove(&policy->range[place], &policy->range[place + 1],
	        (policy->range_count - place) * sizeof(policy->range[0]));
	return 0;
}

static bool is_port_range(uint16_t first, uint32_t count)
{
	return count && count <= SVM_PORT_COUNT - first;
}

int svm_vm_io_handler(struct svm_vm *vm, uint16_t first, uint32_t count, svm_io_fn fn, void *arg)
{
	const struct svm_io_range range = { first, first + count - 1, fn, arg };
	int result;

	if (!is_port_range(first, count))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm))
		result = SVM_ERR_BUSY;
	else if (fn)
		result = add_io_range(&vm->io, &range);
	else
		result = remove_io_range(&vm->io, range.first, range.last);
	svm_vm_unlock(vm);
	return result;
}

/* The VM's own map instead of the host's. */
static int own_iopm(struct svm_vm *vm)
{
	svm_hpa_t hpa;
	uint8_t *map;

	if (vm->io.owns_map)
		return 0;
	map = svm_host_frames(vm->host, SVM_IOPM_PAGES, &hpa);
	if (!map)
		return SVM_ERR_NOMEM;
	memcpy(map, vm->io.iopm, SVM_IOPM_SIZE);
	vm->io.iopm = map;
	vm->io.iopm_hpa = hpa;
	vm->io.owns_map = true;
	return 0;
}

int svm_vm_io_allow(struct svm_vm *vm, uint16_t first, uint32_t count, bool allow)
{
	int result = 0;

	if (!is_port_range(first, count))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (!svm_vm_is_idle(vm))
		result = SVM_ERR_BUSY;
	else if (allow || vm->io.owns_map) /* The host's map denies all there is to deny. */
		result = own_iopm(vm);
	if (!result && vm->io.owns_map) {
		svm_iopm_set(vm->io.iopm, first, count, allow);
		vm->settings++;
	}
	svm_vm_unlock(vm);
	return result;
}
