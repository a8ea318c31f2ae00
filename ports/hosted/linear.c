/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guest-linear pages that the processor keeps, tagged with the ASID as nested translations are.
 *
 * What the guest does itself with its CRs flushes as on any processor.  When the monitor changes
 * them nothing is flushed (APM vol. 2, 15.16): the monitor has to say so by TLB_CONTROL.  Each
 * entry remembers the registers that its walk depended on, so that use under others is seen.
 */
#include "model.h"

static struct linear_entry *slot(struct cpu *cpu, uint32_t asid, svm_gva_t gva)
{
	const uint64_t h = ((gva >> 12) ^ (uint64_t)asid << 40) * UINT64_C(0x9e3779b97f4a7c15);

	return &cpu->tlb.linear[h >> 40 & (cpu->tlb.linear_size - 1)];
}

static bool is_kept(const struct cpu *cpu, const struct linear_entry *e)
{
	return e->stamp && e->stamp >= cpu->tlb.all_flushed &&
	       e->stamp >= cpu->tlb.asid_flushed[e->asid % TLB_ASIDS];
}

struct linear_entry *linear_find(struct cpu *cpu, const struct translation_key *key, svm_gva_t gva)
{
	struct linear_entry *e = slot(cpu, key->asid, gva);

	if (!is_kept(cpu, e) || e->asid != key->asid || e->gva != (gva & SVM_PAGE_MASK))
		return NULL;
	return e;
}

void linear_insert(struct cpu *cpu, const struct linear_entry *entry)
{
	struct linear_entry *e = slot(cpu, entry->asid, entry->gva);

	*e = *entry;
	e->stamp = cpu->tlb.sequence;
}

void linear_flush(struct cpu *cpu, uint32_t asid, bool globals_too)
{
	for (size_t i = 0; i < cpu->tlb.linear_size; i++) {
		struct linear_entry *e = &cpu->tlb.linear[i];

		if (e->asid == asid && (globals_too || !e->global))
			e->stamp = 0;
	}
}

void linear_flush_page(struct cpu *cpu, uint32_t asid, svm_gva_t gva)
{
	struct linear_entry *e = slot(cpu, asid, gva);

	if (e->asid == asid && e->gva == (gva & SVM_PAGE_MASK))
		e->stamp = 0;
}
