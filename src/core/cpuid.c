/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The CPUID table as a part of the VM.  It is sealed by the first run: what a guest has read once
 * it may rely on for ever.
 */
#include "core/cpuid_default.h"
#include "core/cpuid.h"
#include "core/vm.h"

#define TABLE_BYTES (SVM_CPUID_MAX * sizeof(struct svm_cpuid_entry))
#define TABLE_PAGES ((TABLE_BYTES + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE)

_Static_assert(SVM_CPUID_MAX <= UINT8_MAX + 1, "a hint can name each row");

/* Whether a row sorts after another one. */
static bool row_is_after(const struct svm_cpuid_entry *a, const struct svm_cpuid_entry *b)
{
	return a->leaf != b->leaf ? a->leaf > b->leaf : a->subleaf > b->subleaf;
}

/* By leaf, then subleaf; insertion, for rows come nearly sorted and are few. */
static void sort_rows(struct svm_cpuid_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct svm_cpuid_entry row = entries[i];
		uint32_t place = i;

		if (!row.subleaf_matters)
			row.subleaf = 0;
		for (; place > 0 && row_is_after(&entries[place - 1], &row); place--)
			entries[place] = entries[place - 1];
		entries[place] = row;
	}
}

static void note_plain(struct svm_cpuid_table *table, uint32_t row)
{
	const struct svm_cpuid_entry *e = &table->entries[row];

	if (!e->subleaf_matters && !svm_cpuid_is_dynamic(e->leaf) && row < UINT8_MAX)
		table->plain[svm_cpuid_hint(e->leaf)] = (uint8_t)(row + 1);
}

/* The rows stand in table->entries already, in any order. */
static void seal_rows(struct svm_cpuid_table *table, uint32_t count)
{
	sort_rows(table->entries, count);
	table->count = count;
	table->max_basic = 0;
	table->max_extended = 0;
	memset(table->hint, 0, sizeof(table->hint));
	memset(table->plain, 0, sizeof(table->plain));
	for (uint32_t i = 0; i < count; i++) {
		/* Backwards: of several rows the first one stays. */
		table->hint[svm_cpuid_hint(table->entries[count - 1 - i].leaf)] =
			(uint8_t)(count - 1 - i);
		note_plain(table, i);
		if (table->entries[i].leaf == 0)
			table->max_basic = table->entries[i].eax;
		if (table->entries[i].leaf == 0x80000000)
			table->max_extended = table->entries[i].eax;
	}
}

void svm_cpuid_init_host(struct svm_host *host)
{
	struct svm_cpuid_table *table = &host->cpuid;
	size_t count;

	table->entries = host->cpuid_rows;
	count = svm_cpuid_make(svm_ring0_cpuid, &host->features, table->entries, SVM_CPUID_MAX);
	seal_rows(table, (uint32_t)svm_min(count, SVM_CPUID_MAX));
}

static void copy_default(struct svm_vm *vm)
{
	struct svm_cpuid_table *table = &vm->cpuid;
	const struct svm_cpuid_table *from = &vm->host->cpuid;
	struct svm_cpuid_entry *entries = table->entries;
	const svm_hpa_t hpa = table->entries_hpa;

	*table = *from;
	table->entries = entries;
	table->entries_hpa = hpa;
	memcpy(entries, from->entries, from->count * sizeof(entries[0]));
	svm_cpuid_set_topology(entries, from->count, vm->config.vcpu_max);
}

int svm_cpuid_init(struct svm_vm *vm)
{
	struct svm_cpuid_table *table = &vm->cpuid;

	*table = (struct svm_cpuid_table){ .count = 0 };
	table->entries = svm_host_frames(vm->host, TABLE_PAGES, &table->entries_hpa);
	if (!table->entries)
		return SVM_ERR_NOMEM;
	if (!vm->config.no_prepared_cpuid)
		copy_default(vm);
	return 0;
}

void svm_cpuid_fini(struct svm_vm *vm)
{
	if (vm->cpuid.entries)
		svm_host_frames_free(vm->host, vm->cpuid.entries, vm->cpuid.entries_hpa,
		                     TABLE_PAGES);
	vm->cpuid = (struct svm_cpuid_table){ 0 };
}

static bool rows_are_distinct(const struct svm_cpuid_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (entries[i].leaf == entries[j].leaf &&
			    (!entries[i].subleaf_matters || !entries[j].subleaf_matters ||
			     entries[i].subleaf == entries[j].subleaf))
				return false;
	return true;
}

int svm_vm_set_cpuid(struct svm_vm *vm, const struct svm_cpuid_entry *entries, size_t count)
{
	int result = 0;

	if (count > SVM_CPUID_MAX || !rows_are_distinct(entries, count))
		return SVM_ERR_INVAL;
	svm_vm_lock(vm);
	if (svm_vm_state(vm) != SVM_VM_CREATED) {
		result = SVM_ERR_STATE;
	} else {
		if (count)
			memcpy(vm->cpuid.entries, entries, count * sizeof(entries[0]));
		seal_rows(&vm->cpuid, (uint32_t)count);
	}
	svm_vm_unlock(vm);
	return result;
}

int svm_cpuid_default(const struct svm_host *host, struct svm_cpuid_entry *entries, size_t room,
                      size_t *count)
{
	*count = svm_cpuid_make(svm_ring0_cpuid, &host->features, entries, room);
	if (*count > room)
		return SVM_ERR_RANGE;
	svm_cpuid_set_topology(entries, *count, 1);
	return 0;
}
