/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_SECTION_H
#define SVM_CORE_MEMORY_SECTION_H
/*
 * Sections: how readers without locks and the freeing of what they read live together.
 *
 * A reader counts itself in before its first look and out after its last; a writer publishes
 * the new state first and then sees each of the two counters at 0 once.
 *
 * Why that suffices: all of these operations are sequentially consistent.  A reader that saw the
 * old state looked before the publication, so it had counted itself in before the publication;
 * the writer's 0 of that counter, which comes later, can only follow the reader's counting out.
 * Which counter a reader picks does not matter for this.  The phase is for progress alone: it
 * sends newcomers to the counter that the writer is not waiting for.
 *
 * A section is context A and bounded, so the wait is short; it does not sleep.
 */
#include "core/core.h"
#include "core/memory/memory.h"

static inline unsigned svm_section_enter(struct svm_memory *memory)
{
	const unsigned phase = svm_atomic_load(&memory->section_phase) & 1;

	svm_atomic_add(&memory->section_count[phase], 1u);
	return phase;
}

static inline void svm_section_leave(struct svm_memory *memory, unsigned phase)
{
	svm_atomic_add(&memory->section_count[phase & 1], ~0u);
}

/* On return every section that was entered before the call is over.  Not from inside one. */
void svm_section_wait(struct svm_memory *memory);

#endif
