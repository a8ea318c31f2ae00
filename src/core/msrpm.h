/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MSRPM_H
#define SVM_CORE_MSRPM_H
/*
 * The MSR permission map: two bits per register, 1 means "exit".  APM vol. 2, 15.11.
 */
#include "core/core.h"

#define SVM_MSRPM_SIZE 8192u /* Bytes: two pages, contiguous. */

/* Bits of a slot, after shifting. */
#define SVM_MSRPM_READ  1u
#define SVM_MSRPM_WRITE 2u

/* Where a register's two bits are. */
struct svm_msrpm_slot {
	uint16_t byte; /* Offset in the map. */
	uint8_t shift; /* 0, 2, 4, 6. */
};

/* Every access exits. */
void svm_msrpm_deny_all(uint8_t *msrpm);

/* SVM_ERR_INVAL, and *slot is left alone, for a register that the map does not cover. */
SVM_MUST_CHECK int svm_msrpm_find(uint32_t msr, struct svm_msrpm_slot *slot);

/* Whether the processor exits; always for a register that the map does not cover. */
bool svm_msrpm_denies(const uint8_t *msrpm, uint32_t msr, bool is_write);

/* Open or close one register for reads and writes; a register outside the map stays closed. */
void svm_msrpm_set(uint8_t *msrpm, uint32_t msr, bool allow);

#endif
