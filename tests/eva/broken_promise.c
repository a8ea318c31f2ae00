/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a proof asserts itself and what does not hold: no alarm of Eva's own, but no proof either.
 *
 * eva: src/core/msrpm.c
 */
#include "core/msrpm.h"

void eva_main(void);

void eva_main(void)
{
	static uint8_t msrpm[SVM_MSRPM_SIZE];
	const uint32_t msr = (uint32_t)eva_any();
	const bool denied = svm_msrpm_denies(msrpm, msr, false);

	/* A register outside the windows is denied, whatever the map says. */
	/*@ assert !denied; */
	(void)denied;
}
