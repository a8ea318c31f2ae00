/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_IO_POLICY_H
#define SVM_CORE_IO_POLICY_H
/*
 * Who answers a port: the guest's own IN and OUT (permission map), a callback, the embedder.
 */
#include <libsvm/vm.h>

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

/* The same for an access of the guest, which is likely to be where the last one was. */
const struct svm_io_range *svm_io_find_again(struct svm_io_policy *policy, uint16_t port,
                                             uint8_t size);

#endif
