/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The writer's half of section.h.  Two writers may wait at once (one holds the VM's lock, one the
 * edit lock): each sees both counters at 0 with its own eyes and relies on no phase it set.
 */
#include "core/memory/section.h"

void svm_section_wait(struct svm_memory *memory)
{
	for (unsigned phase = 0; phase < 2; phase++) {
		svm_atomic_store(&memory->section_phase, 1 - phase);
		while (svm_atomic_load(&memory->section_count[phase]))
			__builtin_ia32_pause();
	}
}
