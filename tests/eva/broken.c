/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One register past the windows: what Eva must complain of, or the other proofs prove nothing.
 *
 * eva: src/core/msrpm.c
 */
#include "core/msrpm.h"

void eva_main(void);

void eva_main(void)
{
	static uint8_t msrpm[0x1800 - 1];

	(void)svm_msrpm_denies(msrpm, (uint32_t)eva_any(), false);
}
