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
	uint64_t last; /* Atomic: the last access of a guest, and whose it was. */
	struct svm_io_range range[SVM_IO_RANGE_MAX]; /* Sorted by first. */
};

void svm_io_policy_init(struct svm_vm *vm);
void svm_io_policy_fini(struct svm_vm *vm);

/* The callback that owns all bytes of an access, or NULL. */
const struct svm_io_range *svm_io_find(const struct svm_io_policy *policy, uint16_t port,
                                       uint8_t size);

/*
 * Guests come to one port again and again.  So the last plain access is remembered as the low half
 * of its EXITINFO1, which tells all of it, and above it whose it was: the index of a callback, or
 * SVM_IO_NOBODY, which is beyond all of them.  It lasts as long as the callbacks stay the same.
 */
#define SVM_IO_NOBODY UINT32_MAX

static inline bool svm_io_is_last(uint64_t last, uint64_t info)
{
	return (uint32_t)last == (uint32_t)info;
}

/* svm_io_find() for a plain access that is not the last one, and is so from now on. */
const struct svm_io_range *svm_io_find_anew(struct svm_io_policy *policy, uint64_t info);

#endif
