/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_IOPM_H
#define SVM_CORE_IOPM_H
/*
 * The I/O permission map: one bit per port, 1 means "exit".  APM vol. 2, 15.10.1.
 */
#include "core/core.h"

#define SVM_IOPM_SIZE  12288u /* Bytes: three pages, contiguous. */
#define SVM_PORT_COUNT 65536u

/* Every access exits. */
void svm_iopm_deny_all(uint8_t *iopm);

/* count ports from first on; first + count is at most SVM_PORT_COUNT. */
void svm_iopm_set(uint8_t *iopm, uint32_t first, uint32_t count, bool allow);

/* Whether the processor exits for an access of size bytes (1, 2, 4) at port. */
bool svm_iopm_denies(const uint8_t *iopm, uint16_t port, uint8_t size);

#endif
