/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The host changes what is behind guest memory (Linux: MMU notifiers).
 *
 * Begin announces the range, waits for the sections then open, removes the translations and
 * flushes.  A touch looks at the announcement inside its section and before it asks the slots.
 * So either it saw the announcement and keeps away; or it had entered its section before
 * the announcement, was waited for, and what it filled is removed.  Reads and writes of guest
 * memory by the library are sections too: none is under way in the old memory when begin returns.
 *
 * One pair of limits around all invalidations that are going on takes the place of a list, which
 * would have to be allocated.  A touch between two of them is told AGAIN without need and comes
 * back.  The three words are not read as one: a reader that misses one of the stores was in its
 * section before it, and begin waits for that reader.
 *
 * Because begin waits for sections, a resolve callback must not wait for a lock under which
 * begin is called; it answers AGAIN instead.
 */
#include "core/memory/edit.h"

#include "core/memory/section.h"

void svm_vm_invalidate_begin(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	struct svm_memory *memory = &vm->memory;
	struct svm_edit edit;
	svm_gpa_t first, last;

	if (!svm_memory_page_range(vm, gpa, size, &first, &last))
		return;
	svm_edit_begin(&edit, vm, NULL);
	if (first < memory->invalidate_first)
		svm_atomic_store(&memory->invalidate_first, first);
	if (last > memory->invalidate_last)
		svm_atomic_store(&memory->invalidate_last, last);
	svm_atomic_add(&memory->invalidate_count, 1u);
	svm_atomic_add(&memory->generation, 1u);
	svm_section_wait(memory);
	svm_edit_zap(&edit, first, last);
	svm_edit_end(&edit);
}

void svm_vm_invalidate_end(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	struct svm_memory *memory = &vm->memory;
	struct svm_edit edit;
	svm_gpa_t first, last;

	if (!svm_memory_page_range(vm, gpa, size, &first, &last))
		return;
	svm_edit_begin(&edit, vm, NULL);
	/* An end without a begin is the caller's mistake and must not let others in early. */
	if (memory->invalidate_count && !svm_atomic_add(&memory->invalidate_count, ~0u)) {
		svm_atomic_store(&memory->invalidate_first, UINT64_MAX);
		svm_atomic_store(&memory->invalidate_last, 0);
	}
	svm_edit_end(&edit);
}
