/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_GUEST_VIRTUAL_H
#define SVM_CORE_VCPU_GUEST_VIRTUAL_H
/*
 * Memory by linear address, through the guest's own page tables.
 */
#include "core/vcpu/vcpu.h"

/* Up to want bytes of code at a linear address; *got of them on success, at least one. */
int svm_guest_fetch(struct svm_vcpu *vcpu, uint64_t linear, uint8_t *buffer, unsigned want,
                    unsigned *got);

#endif
