/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The nested fault: any address and access, over slot tables of no, one and 64 pieces of the kinds
 * RANGE and RESOLVE with anything in them, sorted or not, a callback that answers anything, and
 * nested tables whose entries are anything and change between two looks.  Not here: FRAMES, whose
 * index is within the embedder's array because the address is within the piece, a relation that
 * intervals do not hold, and dirty logs.
 *
 * eva: src/core/memory/fault.c src/core/memory/npt.c src/core/memory/reserve.c
 * eva: src/core/memory/slots.c
 * eva-options: -no-warn-invalid-bool -eva-precision 4 -eva-split-return auto
 * eva-options: -eva-interprocedural-splits -eva-domains cvalue,equality
 * eva-options: -eva-slevel-function svm_slots_index:300,svm_slots_find:99
 * eva-options: -eva-slevel-function svm_slots_backing:50,resolve:50,fault_in_section:99
 * eva-options: -eva-slevel-function fill_entry:2000,svm_reserve_take:20,fill_table:20
 * eva-options: -eva-split-return-function svm_slots_backing:full,resolve:full
 * eva-options: -eva-split-return-function svm_npt_is_table:full
 * eva-options: -eva-slevel-function svm_npt_is_table:20
 */
#include "core/memory/dirty.h"
#include "core/memory/npt.h"
#include "core/memory/slots.h"

void eva_main(void);

static uint64_t table[SVM_NPT_ENTRIES], another[SVM_NPT_ENTRIES];

static void *any_table(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	(void)hpa;
	return eva_maybe() ? table : another;
}

static enum svm_resolve_result any_page(void *arg, svm_gpa_t gpa, uint32_t access,
                                        struct svm_resolved_page *page)
{
	(void)arg;
	(void)gpa;
	(void)access;
	page->hpa = eva_any();
	page->size = eva_any();
	page->prot = (uint32_t)eva_any();
	return (enum svm_resolve_result)Frama_C_interval(0, 2);
}

/* Stand for the host and the dirty log. */
void *svm_host_frames(struct svm_host *host, size_t count, svm_hpa_t *hpa)
{
	(void)host;
	(void)count;
	*hpa = eva_any();
	return eva_maybe() ? table : NULL;
}

void svm_host_frames_free(struct svm_host *host, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)host;
	(void)hva;
	(void)hpa;
	(void)count;
}

void svm_dirty_log_free(struct svm_vm *vm, struct svm_dirty_log *log)
{
	(void)vm;
	(void)log;
}

void svm_section_wait(struct svm_memory *memory)
{
	(void)memory;
}

void svm_vm_lock(struct svm_vm *vm)
{
	(void)vm;
}

void svm_vm_unlock(struct svm_vm *vm)
{
	(void)vm;
}

static bool any_answer(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	(void)ctx;
	(void)vm;
	(void)hpa;
	(void)count;
	return eva_maybe();
}

/* One kind for all pieces, since their target is a union. */
static void fault_in(struct svm_vm *vm, struct svm_slot_table *slots, enum svm_slot_kind kind,
                     uint32_t count)
{
	enum svm_npt_fault_reason reason;

	Frama_C_make_unknown((char *)slots, sizeof(*slots));
	slots->count = count;
	/*@ loop unroll 64; */
	for (unsigned i = 0; i < SVM_SLOT_MAX; i++) {
		slots->piece[i].kind = (uint8_t)kind;
		slots->piece[i].log = NULL;
		if (kind == SVM_SLOT_RESOLVE)
			slots->piece[i].target.resolve = any_page;
	}
	(void)svm_memory_fault(vm, eva_any(), (uint32_t)eva_any(), &reason);
}

void eva_main(void)
{
	static struct svm_slot_table slots;
	static struct svm_host host;
	static struct svm_vm vm;

	host.hal.phys_to_virt = any_table;
	host.hal.may_map = any_answer;
	host.features.nx = eva_maybe();
	host.features.page_1g = eva_maybe();
	host.features.physical_bits = (uint8_t)Frama_C_interval(32, 52);
	Frama_C_make_unknown((char *)&vm, sizeof(vm));
	vm.host = &host;
	vm.memory.root = table;
	vm.memory.slots = &slots;
	vm.memory.levels = eva_maybe() ? 4 : 5;
	Frama_C_make_unknown((char *)table, sizeof(table));
	Frama_C_make_unknown((char *)another, sizeof(another));

	fault_in(&vm, &slots, SVM_SLOT_RANGE, 0);
	fault_in(&vm, &slots, SVM_SLOT_RANGE, 1);
	fault_in(&vm, &slots, SVM_SLOT_RANGE, SVM_SLOT_MAX);
	fault_in(&vm, &slots, SVM_SLOT_RESOLVE, SVM_SLOT_MAX);
}
