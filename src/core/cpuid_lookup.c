/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One CPUID exit.  Guests execute CPUID often (it serialises), so the way is short: a hint or
 * one bisection, then a switch over the few leaves with dynamic bits.
 *
 * Rows are sorted by leaf and subleaf; a row that answers every ECX has subleaf 0 and is alone in
 * its leaf, so the last row at or below (leaf, subleaf) is the only candidate.
 */
#include "core/core.h"
#include "core/cpuid.h"

#define CR4_OSXSAVE SVM_BIT(18)
#define CR4_PKE     SVM_BIT(22)

#define F1_APIC_ID UINT32_C(0xff000000) /* EBX. */
#define F1_MONITOR SVM_BIT(3)           /* ECX. */
#define F1_XSAVE   SVM_BIT(26)          /* ECX. */
#define F1_OSXSAVE SVM_BIT(27)
#define F7_PKU     SVM_BIT(3) /* ECX. */
#define F7_OSPKE   SVM_BIT(4)
#define FD_COMPACT UINT32_C(0x0000000a) /* EAX: XSAVEC, XSAVES. */
#define FD_ALIGNED SVM_BIT(1)           /* ECX of a state. */
#define E1E_CORE   UINT32_C(0x000000ff) /* EBX. */

#define XSAVE_LEGACY 576u /* FXSAVE image and XSAVE header. */

/* Index of the last row at or below a question; table->count if there is none. */
static uint32_t find_cpuid_row(const struct svm_cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	const uint64_t key = (uint64_t)leaf << 32 | subleaf;
	const uint32_t hint = table->hint[svm_cpuid_hint(leaf)];
	uint32_t low = 0, high = table->count;

	/* Alone in its leaf: nothing can be between it and the question. */
	if (hint < high && table->entries[hint].leaf == leaf &&
	    !table->entries[hint].subleaf_matters)
		return hint;
	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		const struct svm_cpuid_entry *e = &table->entries[middle];

		if (((uint64_t)e->leaf << 32 | e->subleaf) <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : table->count;
}

static void set_bit(uint32_t *value, uint64_t bit, bool on)
{
	*value = on ? *value | (uint32_t)bit : *value & (uint32_t)~bit;
}

/*
 * Bytes of an XSAVE area for some states, from the rows of leaf 0Dh that describe them.  Standard
 * form: up to the end of the last one.  Compacted: one behind the other, some aligned to 64.
 */
static uint32_t xsave_area_size(const struct svm_cpuid_table *table, uint32_t row, uint64_t states,
                                bool compacted)
{
	uint32_t size = XSAVE_LEGACY;

	for (uint32_t i = row; i < table->count && table->entries[i].leaf == 0xd; i++) {
		const struct svm_cpuid_entry *e = &table->entries[i];
		const uint32_t state = e->subleaf;

		if (state < 2 || state > 62 || !(states & SVM_BIT(state)))
			continue;
		if (compacted) {
			if (e->ecx & FD_ALIGNED)
				size = (size + 63) & ~63u;
			size += e->eax;
		} else if (e->ebx + e->eax > size) {
			size = e->ebx + e->eax;
		}
	}
	return size;
}

static void patch_xsave(const struct svm_cpuid_table *table, uint32_t row,
                        const struct svm_cpuid_state *state, struct svm_cpuid_regs *regs)
{
	if (table->entries[row].subleaf == 0)
		regs->ebx = xsave_area_size(table, row, state->xcr0, false);
	else if (table->entries[row].subleaf == 1)
		regs->ebx = regs->eax & FD_COMPACT
		                    ? xsave_area_size(table, row, state->xcr0 | state->xss, true)
		                    : 0;
}

bool svm_cpuid_is_dynamic(uint32_t leaf)
{
	switch (leaf) {
	case 0x00000001:
	case 0x00000007:
	case 0x0000000b:
	case 0x0000000d:
	case 0x8000001e:
		return true;
	default:
		return false;
	}
}

/* The bits of a row that follow the vCPU's state; svm_cpuid_is_dynamic() names the leaves. */
static void patch_row(const struct svm_cpuid_table *table, uint32_t row,
                      const struct svm_cpuid_state *state, struct svm_cpuid_regs *regs)
{
	switch (table->entries[row].leaf) {
	case 0x00000001:
		regs->ebx = (regs->ebx & ~F1_APIC_ID) | state->apic_id << 24;
		set_bit(&regs->ecx, F1_OSXSAVE,
		        (regs->ecx & F1_XSAVE) && (state->cr4 & CR4_OSXSAVE));
		if (state->monitor != SVM_CPUID_MONITOR_AS_TABLE)
			set_bit(&regs->ecx, F1_MONITOR, state->monitor == SVM_CPUID_MONITOR_SHOWN);
		break;
	case 0x00000007:
		if (table->entries[row].subleaf == 0)
			set_bit(&regs->ecx, F7_OSPKE,
			        (regs->ecx & F7_PKU) && (state->cr4 & CR4_PKE));
		break;
	case 0x0000000b:
		regs->edx = state->apic_id;
		break;
	case 0x0000000d:
		patch_xsave(table, row, state, regs);
		break;
	case 0x8000001e:
		regs->eax = state->apic_id;
		regs->ebx = (regs->ebx & ~E1E_CORE) | (state->apic_id & E1E_CORE);
		break;
	default:
		break;
	}
}

bool svm_cpuid_lookup(const struct svm_cpuid_table *table, const struct svm_cpuid_state *state,
                      uint32_t leaf, uint32_t subleaf, struct svm_cpuid_regs *regs)
{
	const uint32_t row = find_cpuid_row(table, leaf, subleaf);
	const struct svm_cpuid_entry *e;

	*regs = (struct svm_cpuid_regs){ 0, 0, 0, 0 };
	if (row >= table->count)
		return false;
	e = &table->entries[row];
	if (e->leaf != leaf)
		return false;
	if (e->subleaf_matters && e->subleaf != subleaf)
		return true; /* The leaf is known, and has nothing under this subleaf. */

	*regs = (struct svm_cpuid_regs){ e->eax, e->ebx, e->ecx, e->edx };
	patch_row(table, row, state, regs);
	return true;
}
