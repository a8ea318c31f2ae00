/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_IO_POLICY_H
#define SVM_CORE_IO_POLICY_H
/*
 * Who answers a port: the guest's own IN and OUT (permission map), a callback, the embedder.
 */
#include <libsvm/vm.h>

#include "core/core.h"

struct svm_vm;

struct svm_io_range {
	uint32_t first, last; /* Ports, both included. */
	svm_io_fn fn;
	void *arg;
};

struct svm_io_policy {
	uint8_t *iopm; /* 12 KiB; the host's default map until the VM changes it. */
	svm_hpa_t iopm_hpa;
	bool owns_map;
	uint32_t range_count;
	uint32_t recent; /* Atomic: index of the last find; only a guess. */
	uint32_t gap;    /* Atomic: ports without a callback: first, and last in bits 31:16. */
	struct svm_io_range range[SVM_IO_RANGE_MAX]; /* Sorted by first. */
};

void svm_io_policy_init(struct svm_vm *vm);
void svm_io_policy_fini(struct svm_vm *vm);

/* The callback that owns all bytes of an access, or NULL. */
const struct svm_io_range *svm_io_find(const struct svm_io_policy *policy, uint16_t port,
                                       uint8_t size);

/* The same for an access of the guest: what is found is remembered for the two below. */
const struct svm_io_range *svm_io_find_anew(struct svm_io_policy *policy, uint16_t port,
                                            uint8_t size);

/* The callback that was found last, if it owns this access too.  It may be gone meanwhile. */
static inline const struct svm_io_range *svm_io_recent(const struct svm_io_policy *policy,
                                                       uint32_t port, uint32_t size)
{
	const uint32_t guess = svm_atomic_load_relaxed(&policy->recent);

	if (guess >= policy->range_count || port < policy->range[guess].first ||
	    port + size - 1 > policy->range[guess].last)
		return NULL;
	return &policy->range[guess];
}

/* Whether the access is where none was found last, between two callbacks. */
static inline bool svm_io_is_in_gap(const struct svm_io_policy *policy, uint32_t port,
                                    uint32_t size)
{
	const uint32_t gap = svm_atomic_load_relaxed(&policy->gap);

	return port >= (uint16_t)gap && port + size - 1 <= gap >> 16;
}

#endif
