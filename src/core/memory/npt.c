/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Entries of nested tables, walks over them, and the question what they hold.
 */
#include "core/memory/npt.h"

#include "core/memory/section.h"

uint32_t svm_npt_prot(uint64_t value)
{
	uint32_t prot = SVM_PROT_READ;

	if (value & SVM_NPT_WRITE)
		prot |= SVM_PROT_WRITE;
	if (!(value & SVM_NPT_NX))
		prot |= SVM_PROT_EXECUTE;
	return prot;
}

/* A and D are inherited: a page that may have been written must not look clean. */
void svm_npt_divide(uint64_t *table, uint64_t leaf, unsigned level)
{
	const uint64_t step = svm_npt_span(level - 1);
	uint64_t value = level == 2 ? leaf & ~SVM_NPT_LARGE : leaf;

	for (unsigned i = 0; i < SVM_NPT_ENTRIES; i++) {
		svm_atomic_store_relaxed(&table[i], value);
		value += step;
	}
}

void svm_npt_begin(struct svm_npt_walk *walk, struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	*walk = (struct svm_npt_walk){ .vm = vm, .gpa = first, .last = last };
	walk->level = vm->memory.levels;
	walk->table[walk->level] = vm->memory.root;
}

bool svm_npt_next(struct svm_npt_walk *walk)
{
	const svm_gpa_t end = walk->gpa | (svm_npt_span(walk->level) - 1);

	if (end >= walk->last)
		return false;
	walk->gpa = end + 1;
	while (walk->level < walk->vm->memory.levels && !svm_npt_index(walk->gpa, walk->level))
		walk->level++;
	return true;
}

static int query_in_section(struct svm_vm *vm, svm_gpa_t gpa, struct svm_mapping *mapping)
{
	struct svm_npt_walk walk;
	uint64_t value;

	svm_npt_begin(&walk, vm, gpa, gpa);
	value = svm_atomic_load(svm_npt_at(&walk));
	while (svm_npt_is_table(value, walk.level)) {
		svm_npt_down(&walk, value);
		value = svm_atomic_load(svm_npt_at(&walk));
	}
	if (!(value & SVM_NPT_PRESENT))
		return SVM_ERR_NOENT;

	const uint64_t offset = svm_npt_span(walk.level) - 1;

	*mapping = (struct svm_mapping){
		.hpa = (value & SVM_NPT_ADDRESS & ~offset) | (gpa & offset),
		.size = offset + 1,
		.prot = svm_npt_prot(value),
		.accessed = value & SVM_NPT_ACCESSED,
		.dirty = value & SVM_NPT_DIRTY,
		.memory_type = (enum svm_memory_type)svm_bits_get(value, SVM_NPT_PWT | SVM_NPT_PCD),
	};
	return 0;
}

int svm_vm_query(struct svm_vm *vm, svm_gpa_t gpa, struct svm_mapping *mapping)
{
	/* What the root's index drops would alias a lower address. */
	if (gpa >> (SVM_PAGE_SHIFT + 9 * vm->memory.levels))
		return SVM_ERR_NOENT;

	const unsigned section = svm_section_enter(&vm->memory);
	const int result = query_in_section(vm, gpa, mapping);

	svm_section_leave(&vm->memory, section);
	return result;
}

static unsigned path_in_section(struct svm_vm *vm, svm_gpa_t gpa,
                                uint64_t entries[SVM_NPT_LEVEL_MAX])
{
	struct svm_npt_walk walk;
	unsigned count = 1;

	svm_npt_begin(&walk, vm, gpa, gpa);
	entries[0] = svm_atomic_load(svm_npt_at(&walk));
	while (svm_npt_is_table(entries[count - 1], walk.level)) {
		svm_npt_down(&walk, entries[count - 1]);
		entries[count++] = svm_atomic_load(svm_npt_at(&walk));
	}
	return count;
}

unsigned svm_npt_path(struct svm_vm *vm, svm_gpa_t gpa, uint64_t entries[SVM_NPT_LEVEL_MAX])
{
	unsigned section, count;

	if (gpa >> (SVM_PAGE_SHIFT + 9 * vm->memory.levels))
		return 0;
	section = svm_section_enter(&vm->memory);
	count = path_in_section(vm, gpa, entries);
	svm_section_leave(&vm->memory, section);
	return count;
}
