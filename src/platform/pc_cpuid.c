/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the PC adds to the VM's CPUID table: its interrupt controllers and that it is virtual.
 */
#include "platform/pc.h"

#define LEAF1_EDX_APIC         SVM_BIT(9)
#define LEAF1_ECX_X2APIC       SVM_BIT(21)
#define LEAF1_ECX_TSC_DEADLINE SVM_BIT(24)
#define LEAF1_ECX_HYPERVISOR   SVM_BIT(31)

static void offer(uint32_t *word, uint64_t bit, bool on)
{
	*word = on ? *word | (uint32_t)bit : *word & ~(uint32_t)bit;
}

static void change_rows(const struct svm_pc *pc, struct svm_cpuid_entry *rows, uint32_t count)
{
	const bool has_apic = pc->config.devices & SVM_PC_APIC;

	for (uint32_t i = 0; i < count; i++) {
		struct svm_cpuid_entry *row = &rows[i];

		if (row->leaf == 0x80000001) /* AMD repeats the bit. */
			offer(&row->edx, LEAF1_EDX_APIC, has_apic);
		if (row->leaf != 1)
			continue;
		offer(&row->edx, LEAF1_EDX_APIC, has_apic);
		offer(&row->ecx, LEAF1_ECX_X2APIC, pc->config.devices & SVM_PC_X2APIC);
		offer(&row->ecx, LEAF1_ECX_TSC_DEADLINE,
		      pc->config.devices & SVM_PC_TSC_DEADLINE);
		offer(&row->ecx, LEAF1_ECX_HYPERVISOR, pc->config.devices & SVM_PC_PARAVIRT);
	}
}

/* An earlier PC of this VM has left its rows. */
static uint32_t drop_paravirt(struct svm_cpuid_entry *rows, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (rows[i].leaf != SVM_PARAVIRT_LEAF && rows[i].leaf != SVM_PARAVIRT_LEAF + 1)
			rows[kept++] = rows[i];
	return kept;
}

#define PC_CPUID_PAGES                                                                             \
	((SVM_CPUID_MAX * sizeof(struct svm_cpuid_entry) + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE)

static int replace_rows(const struct svm_pc *pc, struct svm_cpuid_entry *rows)
{
	uint32_t count = pc->vm->cpuid.count;

	memcpy(rows, pc->vm->cpuid.entries, count * sizeof(rows[0]));
	count = drop_paravirt(rows, count);
	change_rows(pc, rows, count);
	if (pc->config.devices & SVM_PC_PARAVIRT) {
		if (count > SVM_CPUID_MAX - SVM_PARAVIRT_ROWS)
			return SVM_ERR_RANGE;
		svm_paravirt_cpuid(&pc->paravirt, rows + count);
		count += SVM_PARAVIRT_ROWS;
	}
	return svm_vm_set_cpuid(pc->vm, rows, count);
}

/* The table is too large for a stack. */
int svm_pc_set_cpuid(struct svm_pc *pc)
{
	struct svm_cpuid_entry *rows;
	svm_hpa_t hpa = 0;
	int error;

	rows = svm_host_frames(pc->vm->host, PC_CPUID_PAGES, &hpa);
	if (!rows)
		return SVM_ERR_NOMEM;
	error = replace_rows(pc, rows);
	svm_host_frames_free(pc->vm->host, rows, hpa, PC_CPUID_PAGES);
	return error;
}
