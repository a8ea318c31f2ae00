/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Callbacks are few and sorted, found by bisection.  An access belongs to a callback only if all
 * its bytes do: a word whose second byte is another device's goes to the embedder, which knows
 * how its bus splits it.
 *
 * A callback does not close the permission map: the map is closed until svm_vm_io_allow() opens a
 * port, and then the guest's own access wins.
 */
#include <libsvm/vmcb.h>

#include "core/io_policy.h"
#include "core/iopm.h"
#include "core/vm.h"
#include "core/vm_idle.h"

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

static bool owns(const struct svm_io_range *range, uint32_t port, uint32_t size)
{
	return port >= range->first && port + size - 1 <= range->last;
}

/* Another port of the device that was used last is the next guess. */
const struct svm_io_range *svm_io_find(const struct svm_io_policy *policy, uint16_t port,
                                       uint8_t size)
{
	const uint32_t guess = (uint32_t)(svm_atomic_load_relaxed(&policy->last) >> 32);
	uint32_t i;

	if (guess < policy->range_count && owns(&policy->range[guess], port, size))
		return &policy->range[guess];
	i = ranges_below(policy, port);
	return i < policy->range_count && owns(&policy->range[i], port, size) ? &policy->range[i]
	                                                                      : NULL;
}

const struct svm_io_range *svm_io_find_anew(struct svm_io_policy *policy, uint64_t info)
{
	const struct svm_io_range *range =
		svm_io_find(policy, (uint16_t)svm_bits_get(info, SVM_IOIO_PORT),
	                    (uint8_t)svm_bits_get(info, SVM_IOIO_SIZE));
	const uint32_t whose = range ? (uint32_t)(range - policy->range) : SVM_IO_NOBODY;

	svm_atomic_store_relaxed(&policy->last, (uint64_t)whose << 32 | (uint32_t)info);
	return range;
}

/* There is no word for none: it is a byte written to port 0, and whose that is. */
static void forget_last(struct svm_io_policy *policy)
{
	(void)svm_io_find_anew(policy, SVM_IOIO_SIZE_8);
}

void svm_io_policy_init(struct svm_vm *vm)
{
	vm->io.iopm = vm->host->iopm;
	vm->io.iopm_hpa = vm->host->iopm_hpa;
	vm->io.owns_map = false;
	vm->io.range_count = 0;
	forget_last(&vm->io);
}

void svm_io_policy_fini(struct svm_vm *vm)
{
	if (vm->io.owns_map)
		svm_host_frames_free(vm->host, vm->io.iopm, vm->io.iopm_hpa, SVM_IOPM_PAGES);
	svm_io_policy_init(vm);
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
	forget_last(policy);
	return 0;
}

static int remove_io_range(struct svm_io_policy *policy, uint32_t first, uint32_t last)
{
	const uint32_t place = ranges_below(policy, first);

	if (place == policy->range_count || policy->range[place].first != first ||
	    policy->range[place].last != last)
		return SVM_ERR_NOENT;
	policy->range_count--;
	memmove(&policy->range[place], &policy->range[place + 1],
	        (policy->range_count - place) * sizeof(policy->range[0]));
	forget_last(policy);
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
