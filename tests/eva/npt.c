/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Nested tables: entries and walks over them, with any entry anywhere, changing at any time, for 4
 * and for 5 levels and any address: no access outside a table of 512 entries, no level that is not.
 *
 * eva: src/core/memory/npt.c
 * eva-options: -eva-slevel 100 -eva-min-loop-unroll 5 -eva-interprocedural-splits
 */
#include "core/memory/npt.h"

void eva_main(void);

static uint64_t table[SVM_NPT_ENTRIES], another[SVM_NPT_ENTRIES];

static void *any_table(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	(void)hpa;
	return eva_maybe() ? table : another;
}

/* As svm_edit_*() go: down wherever there is a table, or not, and on to the next entry. */
static void walk_over(struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, vm, first, last);
	/*@ dynamic_split walk.level; */
	do {
		for (unsigned turn = 0; turn < SVM_NPT_LEVEL_MAX; turn++) {
			const uint64_t value = svm_atomic_load(svm_npt_at(&walk));

			if (svm_npt_is_table(value, walk.level) && eva_maybe())
				svm_npt_down(&walk, value);
		}
		*svm_npt_at(&walk) = eva_any();
	} while (svm_npt_next(&walk));
}

void eva_main(void)
{
	static struct svm_host host;
	static struct svm_vm vm;
	struct svm_mapping mapping;

	host.hal.phys_to_virt = any_table;
	host.features.nx = eva_maybe();
	host.features.page_1g = eva_maybe();
	vm.host = &host;
	vm.memory.root = table;
	vm.memory.levels = eva_maybe() ? 4 : 5;
	Frama_C_make_unknown((char *)table, sizeof(table));
	Frama_C_make_unknown((char *)another, sizeof(another));

	(void)svm_vm_query(&vm, eva_any(), &mapping);
	walk_over(&vm, eva_any(), eva_any());

	const unsigned level = (unsigned)Frama_C_interval(1, 3);

	(void)svm_npt_leaf(&vm, eva_any(), level, (uint32_t)eva_any(),
	                   (enum svm_memory_type)Frama_C_interval(0, 3));
	(void)svm_npt_prot(eva_any());
	svm_npt_divide(table, eva_any(), (unsigned)Frama_C_interval(2, 3));
}
