/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's page walk with any registers, address and kind of access, over tables that hold
 * anything and hold something else at the next look.  The functions that reach the tables check
 * what walk.h promises them: a size of 4 or 8 and an aligned address.
 *
 * eva: src/emulate/walk.c
 * eva-options: -eva-domains cvalue,bitwise -no-warn-invalid-bool
 */
#include "emulate/walk.h"

#define PG   (UINT64_C(1) << 31)
#define PAE  (UINT64_C(1) << 5)
#define LA57 (UINT64_C(1) << 12)
#define LMA  (UINT64_C(1) << 10)

void eva_main(void);

static int any_read(void *arg, uint64_t gpa, unsigned int size, uint64_t *entry)
{
	(void)arg;
	/*@ assert size == 4 || size == 8; */
	/*@ assert gpa % 4 == 0; */
	*entry = eva_any();
	return Frama_C_interval(-1, 1);
}

static int any_exchange(void *arg, uint64_t gpa, unsigned int size, uint64_t expected,
                        uint64_t desired, bool *stored)
{
	(void)arg;
	(void)expected;
	(void)desired;
	/*@ assert size == 4 || size == 8; */
	/*@ assert gpa % 4 == 0; */
	*stored = eva_maybe();
	return Frama_C_interval(-1, 1);
}

/* Any state in which some bits of CR0, CR4 and EFER are as told: one mode of paging. */
static void walk_in_mode(uint64_t cr0, uint64_t cr4_on, uint64_t cr4_off, uint64_t efer)
{
	static const struct svm_walk_memory memory = { 0, any_read, any_exchange };
	struct svm_walk_result result;
	struct svm_walk_state state;

	Frama_C_make_unknown((char *)&state, sizeof(state));
	state.cr0 = (state.cr0 & ~PG) | cr0;
	state.cr4 = (state.cr4 & ~cr4_off) | cr4_on;
	state.efer = (state.efer & ~LMA) | efer;
	const enum svm_walk_status status =
		svm_walk(&state, &memory, eva_any(), (unsigned int)eva_any(), &result);

	/*@ assert status == SVM_WALK_OK || status == SVM_WALK_PAGE_FAULT ||
	      status == SVM_WALK_NON_CANONICAL || status == SVM_WALK_MEMORY ||
	      status == SVM_WALK_RETRY; */
	(void)svm_walk_reason_text(result.reason);
}

void eva_main(void)
{
	walk_in_mode(0, 0, 0, eva_maybe() ? LMA : 0);
	walk_in_mode(PG, 0, PAE, 0);
	walk_in_mode(PG, PAE, 0, 0);
	walk_in_mode(PG, 0, LA57, LMA);
	walk_in_mode(PG, LA57, 0, LMA);
	(void)svm_walk_reason_text((unsigned int)eva_any());
}
