/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A word that others change, looked at twice: checked is not what is used.  Eva must complain, or
 * the model of atomic loads proves nothing about races.
 *
 * eva: src/core/msrpm.c
 */
#include "core/core.h"

void eva_main(void);

static unsigned pick(uint64_t *shared, const unsigned four[4])
{
	if (svm_atomic_load(shared) >= 4)
		return 0;
	return four[svm_atomic_load(shared)];
}

void eva_main(void)
{
	static const unsigned four[4];
	static uint64_t shared;

	(void)pick(&shared, four);
}
