/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The MSR permission map with every register number and any contents: no access outside its two
 * pages.
 *
 * eva: src/core/msrpm.c
 */
#include "core/msrpm.h"

void eva_main(void);

void eva_main(void)
{
	static uint8_t msrpm[SVM_MSRPM_SIZE];

	svm_msrpm_deny_all(msrpm);
	Frama_C_make_unknown((char *)msrpm, sizeof(msrpm));

	const uint32_t msr = (uint32_t)Frama_C_unsigned_int_interval(0, 0xffffffff);
	const bool flag = Frama_C_interval(0, 1);

	svm_msrpm_set(msrpm, msr, flag);
	(void)svm_msrpm_denies(msrpm, msr, flag);
}
