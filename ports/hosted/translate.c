/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's own page tables, long mode only: every entry is read through the nested tables, as
 * a user write (APM vol. 2, 15.25.5), and its A and D bits are set by compare-exchange.
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
#define PTE_GPA SVM_BITS(51, 12)

#define PF_P    1u
#define PF_W    2u
#define PF_U    4u
#define PF_RSVD 8u
#define PF_I    16u

/* What the walk depended on, and the monitor must flush for: 15.16. */
#define CR0_PAGING  (CR0_PG | CR0_WP)
#define CR4_PAGING  (CR4_PGE | CR4_PAE | SVM_BIT(4))
#define EFER_PAGING (EFER_NXE | EFER_LME | EFER_LMA)

struct guest_walk {
	uint64_t *places[6];
	uint64_t entries[6];
	unsigned top, level; /* level: of the leaf */
};

static bool is_user(const struct cpu *cpu, struct guest_access access)
{
	return cpu->guest.v->save._cpl == 3 && !access.system;
}

static void page_fault(struct cpu *cpu, svm_gva_t gva, struct guest_access access, uint32_t error)
{
	struct guest *g = &cpu->guest;

	if (access.prot & SVM_PROT_WRITE)
		error |= PF_W;
	if (is_user(cpu, access))
		error |= PF_U;
	if (access.prot & SVM_PROT_EXECUTE)
		error |= PF_I;
	g->has_insn = !(error & PF_I) && !g->delivering && g->insn_count;
	guest_fault(cpu, SVM_VECTOR_PF, error, gva);
	if (!g->exiting)
		g->has_insn = false;
}

static bool allowed(const struct cpu *cpu, const struct linear_entry *e, struct guest_access access)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const bool user = is_user(cpu, access);

	if (user && !e->user)
		return false;
	if ((access.prot & SVM_PROT_WRITE) && !(e->prot & SVM_PROT_WRITE) &&
	    (user || (save->_cr0 & CR0_WP)))
		return false;
	if (access.prot & SVM_PROT_EXECUTE)
		return (e->prot & SVM_PROT_EXECUTE) &&
		       !(e->user && !user && (save->_cr4 & CR4_SMEP));
	return !(e->user && !user && (save->_cr4 & CR4_SMAP) &&
	         (access.system || !(save->rflags & SVM_BIT(18))));
}

static uint64_t reserved_bits(const struct cpu *cpu, unsigned level, uint64_t entry)
{
	uint64_t reserved = PTE_GPA & ~(SVM_BIT(cpu->f.physical_bits) - 1);

	if (!(cpu->guest.v->save._efer & EFER_NXE))
		reserved |= PTE_NX;
	if (level >= 4)
		reserved |= PTE_PS;
	if (level == 3 && (entry & PTE_PS))
		reserved |= cpu->f.page_1g ? SVM_BITS(29, 13) : PTE_PS;
	if (level == 2 && (entry & PTE_PS))
		reserved |= SVM_BITS(20, 13);
	return reserved;
}

/* Fill e from the tables; false: a fault or an exit is on its way. */
static bool walk(struct cpu *cpu, svm_gva_t gva, struct guest_access access, struct linear_entry *e,
                 struct guest_walk *w)
{
	const struct guest_access table_access = { .prot = SVM_PROT_WRITE };
	svm_gpa_t table = cpu->guest.v->save._cr3 & PTE_GPA;

	w->top = cpu->guest.v->save._cr4 & CR4_LA57 ? 5 : 4;
	e->prot = SVM_PROT_ALL;
	e->user = true;
	for (w->level = w->top; w->level > 0; w->level--) {
		const unsigned shift = 12 + 9 * (w->level - 1);
		svm_hpa_t hpa;

		if (!guest_physical(cpu, table + (gva >> shift & 511) * 8, table_access, true,
		                    &hpa))
			return false;
		w->places[w->level] = hosted_memory(cpu->m, hpa);
		const uint64_t entry = __atomic_load_n(w->places[w->level], __ATOMIC_ACQUIRE);

		w->entries[w->level] = entry;
		if (!(entry & PTE_P)) {
			page_fault(cpu, gva, access, 0);
			return false;
		}
		if (entry & reserved_bits(cpu, w->level, entry)) {
			page_fault(cpu, gva, access, PF_P | PF_RSVD);
			return false;
		}
		e->user = e->user && (entry & PTE_U);
		if (!(entry & PTE_W))
			e->prot &= (uint8_t)~SVM_PROT_WRITE;
		if (entry & PTE_NX)
			e->prot &= (uint8_t)~SVM_PROT_EXECUTE;
		if (w->level == 1 || (w->level <= 3 && (entry & PTE_PS))) {
			const uint64_t inside = (UINT64_C(1) << shift) - 1;

			e->gpa = ((entry & PTE_GPA & ~inside) | (gva & inside)) & SVM_PAGE_MASK;
			e->dirty = entry & PTE_D;
			e->global = (entry & PTE_G) && (cpu->guest.v->save._cr4 & CR4_PGE);
			return true;
		}
		table = entry & PTE_GPA;
	}
	return false;
}

static bool mark(const struct guest_walk *w, bool is_write)
{
	for (unsigned level = w->top; level >= w->level; level--) {
		uint64_t expected = w->entries[level];
		const uint64_t dirty = is_write && level == w->level ? PTE_D : 0;
		const uint64_t wanted = expected | PTE_A | dirty;

		if (wanted != expected &&
		    !__atomic_compare_exchange_n(w->places[level], &expected, wanted, false,
		                                 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return false;
	}
	return true;
}

static void check_kept(const struct cpu *cpu, const struct linear_entry *e)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const struct translation_key *key = &cpu->guest.key;
	const char *what = NULL;

	if (e->owner != key->owner || e->owner_generation != key->owner_generation) {
		breach(cpu->m, HOSTED_BREACH_ASID_REUSED, "CPU %u ASID %u gva 0x%llx", cpu->id,
		       e->asid, (unsigned long long)e->gva);
		return;
	}
	if ((e->cr0 ^ save->_cr0) & CR0_PAGING)
		what = "CR0";
	else if (e->cr3 != save->_cr3 && !e->global)
		what = "CR3";
	else if ((e->cr4 ^ save->_cr4) & CR4_PAGING)
		what = "CR4";
	else if ((e->efer ^ save->_efer) & EFER_PAGING)
		what = "EFER";
	if (what)
		breach(cpu->m, HOSTED_BREACH_STALE_GUEST, "CPU %u ASID %u gva 0x%llx: %s", cpu->id,
		       e->asid, (unsigned long long)e->gva, what);
}

bool guest_translate(struct cpu *cpu, svm_gva_t gva, struct guest_access access, svm_gpa_t *gpa)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const bool is_write = access.prot & SVM_PROT_WRITE;
	struct linear_entry *kept;
	struct guest_walk w;

	if (!(save->_cr0 & CR0_PG)) {
		*gpa = gva & 0xffffffff;
		return true;
	}
	if (!guest_is_long(cpu)) {
		breach(cpu->m, HOSTED_BREACH_MODEL, "a guest with legacy paging");
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return false;
	}
	kept = linear_find(cpu, &cpu->guest.key, gva);
	if (kept && allowed(cpu, kept, access) && (!is_write || kept->dirty)) {
		check_kept(cpu, kept);
		*gpa = kept->gpa | (gva & ~SVM_PAGE_MASK);
		return true;
	}
	struct linear_entry e = {
		.gva = gva & SVM_PAGE_MASK,
		.owner = cpu->guest.key.owner,
		.owner_generation = cpu->guest.key.owner_generation,
		.asid = cpu->guest.key.asid,
		.cr0 = save->_cr0,
		.cr3 = save->_cr3,
		.cr4 = save->_cr4,
		.efer = save->_efer,
	};

	do {
		if (!walk(cpu, gva, access, &e, &w))
			return false;
		if (!allowed(cpu, &e, access)) {
			page_fault(cpu, gva, access, PF_P);
			return false;
		}
	} while (!mark(&w, is_write));
	e.dirty = e.dirty || is_write;
	linear_insert(cpu, &e);
	*gpa = e.gpa | (gva & ~SVM_PAGE_MASK);
	return true;
}
