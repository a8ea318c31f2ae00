/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A walk of the nested tables in the host's format: long mode, 4 or 5 levels.
 * APM vol. 2, 5.3, 5.4, 15.25.
 *
 * Every nested access is a user access; hCR0.WP, hCR4.PGE and the G bit do not count.  What is
 * read here is read once and atomically, since the library may change it at the same time.
 */
#include "model.h"

#define PTE_P   SVM_BIT(0)
#define PTE_W   SVM_BIT(1)
#define PTE_U   SVM_BIT(2)
#define PTE_A   SVM_BIT(5)
#define PTE_D   SVM_BIT(6)
#define PTE_PS  SVM_BIT(7)
#define PTE_G   SVM_BIT(8)
#define PTE_NX  SVM_BIT(63)
#define PTE_HPA SVM_BITS(51, 12)

/* Bits that must be 0 in an entry of this level. */
static uint64_t reserved_bits(const struct cpu *cpu, unsigned level, uint64_t entry)
{
	uint64_t reserved = SVM_BITS(51, 12) & ~(SVM_BIT(cpu->f.physical_bits) - 1);

	if (!(cpu->efer & EFER_NXE))
		reserved |= PTE_NX;
	if (level >= 4)
		reserved |= PTE_PS | PTE_G;
	if (level == 3 && !cpu->f.page_1g)
		reserved |= PTE_PS;
	if (level == 3 && (entry & PTE_PS))
		reserved |= SVM_BITS(29, 13);
	if (level == 2 && (entry & PTE_PS))
		reserved |= SVM_BITS(20, 13);
	return reserved;
}

static bool is_leaf(unsigned level, uint64_t entry)
{
	return level == 1 || (level <= 3 && (entry & PTE_PS));
}

static uint64_t leaf_size(unsigned level)
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

static uint64_t *entry_place(struct cpu *cpu, svm_hpa_t table, svm_gpa_t gpa, unsigned level)
{
	uint64_t *entries = library_page(cpu->m, table, "nested table");

	return entries ? entries + (gpa >> (12 + 9 * (level - 1)) & 511) : NULL;
}

void walk_nested(struct cpu *cpu, svm_hpa_t root, svm_gpa_t gpa, uint32_t access, struct walk *walk)
{
	svm_hpa_t table = root & PTE_HPA;
	uint8_t prot = SVM_PROT_ALL;

	*walk = (struct walk){ .top = cpu->cr4 & CR4_LA57 ? 5 : 4 };
	if (gpa >> (12 + 9 * walk->top))
		return; /* Beyond the tables: as not present. */
	for (unsigned level = walk->top; level > 0; level--) {
		uint64_t *place = entry_place(cpu, table, gpa, level);

		if (!place)
			return;
		const uint64_t entry = __atomic_load_n(place, __ATOMIC_ACQUIRE);

		walk->places[level] = place;
		walk->entries[level] = entry;
		walk->level = (uint8_t)level;
		if (!(entry & PTE_P))
			return;
		if (entry & reserved_bits(cpu, level, entry)) {
			walk->fault = SVM_NPF_PRESENT | SVM_NPF_RESERVED;
			return;
		}
		if (!(entry & PTE_W))
			prot &= (uint8_t)~SVM_PROT_WRITE;
		if (entry & PTE_NX)
			prot &= (uint8_t)~SVM_PROT_EXECUTE;
		if (!(entry & PTE_U))
			prot = 0;
		if (is_leaf(level, entry)) {
			walk->hpa = entry & PTE_HPA & ~(leaf_size(level) - 1);
			walk->dirty = entry & PTE_D;
			break;
		}
		table = entry & PTE_HPA;
	}
	walk->prot = prot;
	walk->present = (prot & access) == access;
	if (!walk->present)
		walk->fault = SVM_NPF_PRESENT;
}

bool walk_mark(const struct walk *walk, bool is_write)
{
	for (unsigned level = walk->top; level >= walk->level; level--) {
		uint64_t expected = walk->entries[level];
		uint64_t wanted = expected | PTE_A;

		if (is_write && level == walk->level)
			wanted |= PTE_D;
		if (wanted != expected &&
		    !__atomic_compare_exchange_n(walk->places[level], &expected, wanted, false,
		                                 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return false;
	}
	return true;
}
