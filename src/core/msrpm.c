/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Three windows of 2000h registers lie one behind the other, 800h bytes each; the fourth quarter
 * of the map is reserved and stays all ones.  A register outside the windows has no bits: the
 * processor always exits for it, so "not found" here means "denied", never an index.
 */
#include "core/msrpm.h"

#define WINDOW_MSRS  0x2000u
#define WINDOW_BYTES 0x800u

/* First register of each window, in the order of the map.  Table 15-8. */
static const uint32_t window_first[] = { 0x00000000, 0xc0000000, 0xc0010000 };

void svm_msrpm_deny_all(uint8_t *msrpm)
{
	memset(msrpm, 0xff, SVM_MSRPM_SIZE);
}

int svm_msrpm_find(uint32_t msr, struct svm_msrpm_slot *slot)
{
	for (uint32_t i = 0; i < SVM_ARRAY_SIZE(window_first); i++) {
		const uint32_t index = msr - window_first[i]; /* Huge if msr is below. */

		if (index < WINDOW_MSRS) {
			slot->byte = (uint16_t)(i * WINDOW_BYTES + index / 4);
			slot->shift = (uint8_t)(index % 4 * 2);
			return 0;
		}
	}
	return SVM_ERR_INVAL;
}

bool svm_msrpm_denies(const uint8_t *msrpm, uint32_t msr, bool is_write)
{
	struct svm_msrpm_slot slot;

	if (svm_msrpm_find(msr, &slot))
		return true;
	return (unsigned)msrpm[slot.byte] >> slot.shift &
	       (is_write ? SVM_MSRPM_WRITE : SVM_MSRPM_READ);
}

void svm_msrpm_set(uint8_t *msrpm, uint32_t msr, bool allow)
{
	struct svm_msrpm_slot slot;

	if (svm_msrpm_find(msr, &slot))
		return;

	const unsigned bits = (SVM_MSRPM_READ | SVM_MSRPM_WRITE) << slot.shift;

	if (allow)
		msrpm[slot.byte] &= (uint8_t)~bits;
	else
		msrpm[slot.byte] |= (uint8_t)bits;
}
