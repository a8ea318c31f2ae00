/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the guest has used lately, for a host that needs memory back.
 *
 * A host's memory manager asks from where it may neither sleep nor wait, with locks of its own
 * held, so the edit lock is out of reach.  It is not needed: nothing is taken out of the tables,
 * and a walk inside a section sees no table freed.  The bit goes by compare-exchange, since a leaf
 * may become a table meanwhile (a fault splits it), whose A bit is not the guest's.  Whoever loses
 * an update here loses a hint: A is the one bit of an entry that nobody relies on.
 *
 * For the same reason the flush is not waited for: the processors forget at their next entries.
 */
#include "core/memory/npt.h"
#include "core/memory/section.h"
#include "core/memory/slots.h"

/* Entries that are looked at in one section: writers wait for its end. */
#define SECTION_ENTRIES SVM_NPT_ENTRIES

/* Others change a leaf's A, D and W, split it or take it out: each is a turn. */
#define CLEAR_TURNS 8u

struct age {
	svm_gpa_t first, last; /* What is left to look at. */
	bool clear;
	bool is_young; /* Of what has been looked at. */
};

static void clear_accessed(uint64_t *entry, uint64_t value, unsigned level)
{
	for (unsigned turn = 0; turn < CLEAR_TURNS; turn++) {
		if (!(value & SVM_NPT_ACCESSED) || svm_npt_is_table(value, level))
			return;
		if (svm_atomic_cas(entry, &value, value & ~SVM_NPT_ACCESSED))
			return;
	}
}

static void look_at(struct age *age, struct svm_npt_walk *walk)
{
	uint64_t value = svm_atomic_load(svm_npt_at(walk));

	while (svm_npt_is_table(value, walk->level)) {
		svm_npt_down(walk, value);
		value = svm_atomic_load(svm_npt_at(walk));
	}
	if (!(value & SVM_NPT_ACCESSED))
		return;
	age->is_young = true;
	if (age->clear)
		clear_accessed(svm_npt_at(walk), value, walk->level);
}

/* True: that was the last of it. */
static bool look_at_some(struct svm_vm *vm, struct age *age)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, vm, age->first, age->last);
	for (unsigned i = 0; i < SECTION_ENTRIES; i++) {
		look_at(age, &walk);
		if (!svm_npt_next(&walk) || (age->is_young && !age->clear))
			return true;
	}
	age->first = walk.gpa;
	return false;
}

static bool look(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, bool clear)
{
	struct age age = { .clear = clear };
	unsigned section;
	bool is_done;

	if (!svm_memory_page_range(vm, gpa, size, &age.first, &age.last))
		return false;
	do {
		section = svm_section_enter(&vm->memory);
		is_done = look_at_some(vm, &age);
		svm_section_leave(&vm->memory, section);
	} while (!is_done);
	return age.is_young;
}

bool svm_vm_test_young(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	return look(vm, gpa, size, false);
}

bool svm_vm_clear_young(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size, bool flush)
{
	const bool is_young = look(vm, gpa, size, true);

	if (is_young && flush)
		svm_vm_flush_later(vm);
	return is_young;
}
