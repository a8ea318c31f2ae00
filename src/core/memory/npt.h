/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_NPT_H
#define SVM_CORE_MEMORY_NPT_H
/*
 * Nested page tables: the format of an entry, and walks.  APM vol. 2, 15.25 and 5.3.
 *
 * The tables have the format of ordinary long-mode page tables, walked with the host's mode at
 * VMRUN: its number of levels and its EFER.NXE.  Three rules differ from a process's tables:
 * every nested access counts as a user access, so U is always set; G has no meaning (left 0);
 * and CR0.WP does not count, so W = 0 stops a guest's supervisor too (15.25.5).
 *
 * Memory types are chosen through PWT and PCD, that is by entries 0 to 3 of the *host's* PAT
 * register, which the nested walk uses (15.25.8).  The encoding below is that of the reset value:
 * WB, WT, UC-, UC, which is enum svm_memory_type as PCD:PWT.  A host that changed entry 1 (Linux:
 * WC) gives that type for SVM_MEMORY_WT; entries 0, 2 and 3 are left alone by every host known.
 *
 * Entries change by compare-exchange or exchange of all 64 bits, since other CPUs fill them and
 * the processor sets A and D at any time.  An entry without P is 0.
 */
#include "core/memory/frames.h"

#define SVM_NPT_PRESENT  SVM_BIT(0)
#define SVM_NPT_WRITE    SVM_BIT(1)
#define SVM_NPT_USER     SVM_BIT(2)
#define SVM_NPT_PWT      SVM_BIT(3)
#define SVM_NPT_PCD      SVM_BIT(4)
#define SVM_NPT_ACCESSED SVM_BIT(5)
#define SVM_NPT_DIRTY    SVM_BIT(6)
#define SVM_NPT_LARGE    SVM_BIT(7) /* Levels 2 and 3: a leaf. Level 1: PAT, left 0. */
#define SVM_NPT_ADDRESS  SVM_BITS(51, 12)
#define SVM_NPT_NX       SVM_BIT(63)

/* Attributes of an entry that points to a table: rights are the leaf's business. */
#define SVM_NPT_TABLE (SVM_NPT_PRESENT | SVM_NPT_WRITE | SVM_NPT_USER | SVM_NPT_ACCESSED)

/* Levels: 1 maps 4 KiB, 2 2 MiB, 3 1 GiB; 4 and 5 hold tables only. */
#define SVM_NPT_LEVEL_MAX 5u
#define SVM_NPT_ENTRIES   512u

/* Highest level with leaves that the processor and the VM's configuration allow. */
static inline unsigned svm_npt_leaf_max(const struct svm_vm *vm)
{
	if (vm->config.no_huge_pages)
		return 1;
	return vm->host->features.page_1g ? 3 : 2;
}

/* Bytes that one entry of a level maps. */
static inline uint64_t svm_npt_span(unsigned level)
{
	return UINT64_C(1) << (SVM_PAGE_SHIFT + 9 * (level - 1));
}

static inline svm_gpa_t svm_npt_base(svm_gpa_t gpa, unsigned level)
{
	return gpa & ~(svm_npt_span(level) - 1);
}

static inline unsigned svm_npt_index(svm_gpa_t gpa, unsigned level)
{
	return (unsigned)(gpa >> (SVM_PAGE_SHIFT + 9 * (level - 1))) & (SVM_NPT_ENTRIES - 1);
}

static inline bool svm_npt_is_table(uint64_t value, unsigned level)
{
	return level > 1 && (value & (SVM_NPT_PRESENT | SVM_NPT_LARGE)) == SVM_NPT_PRESENT;
}

static inline bool svm_npt_allows(uint64_t value, uint32_t access)
{
	return !((access & SVM_PROT_WRITE) && !(value & SVM_NPT_WRITE)) &&
	       !((access & SVM_PROT_EXECUTE) && (value & SVM_NPT_NX));
}

/* The table that an entry points to. */
static inline uint64_t *svm_npt_table(const struct svm_vm *vm, uint64_t value)
{
	return svm_host_at(vm->host, value & SVM_NPT_ADDRESS);
}

/* A leaf with A = D = 0.  Without EFER.NXE bit 63 is reserved and everything may execute. */
static inline uint64_t svm_npt_leaf(const struct svm_vm *vm, svm_hpa_t hpa, unsigned level,
                                    uint32_t prot, enum svm_memory_type type)
{
	uint64_t value = hpa | SVM_NPT_PRESENT | SVM_NPT_USER;

	value |= svm_bits_put((prot & SVM_PROT_WRITE) / SVM_PROT_WRITE, SVM_NPT_WRITE);
	value |= svm_bits_put((uint64_t)type, SVM_NPT_PWT | SVM_NPT_PCD);
	if (level > 1)
		value |= SVM_NPT_LARGE;
	if (!(prot & SVM_PROT_EXECUTE) && vm->host->features.host_nx)
		value |= SVM_NPT_NX;
	return value;
}

/* Rights that a leaf gives. */
uint32_t svm_npt_prot(uint64_t value);
/* Fill a frame with the 512 leaves that together are the leaf at a level. */
void svm_npt_divide(uint64_t *table, uint64_t leaf, unsigned level);

_Static_assert(SVM_MEMORY_WB == 0 && SVM_MEMORY_WT == 1 && SVM_MEMORY_UC_MINUS == 2 &&
                       SVM_MEMORY_UC == 3,
               "memory types are numbers of PAT entries");

/*
 * A walk over a range, entry by entry, without recursion.  The caller goes down where an entry
 * is a table and it wants what is below; svm_npt_next() steps over the present entry and climbs
 * by itself.
 */
struct svm_npt_walk {
	struct svm_vm *vm;
	uint64_t *table[SVM_NPT_LEVEL_MAX + 1]; /* By level, from the root to the present one. */
	unsigned level;
	svm_gpa_t gpa; /* Inside the present entry. */
	svm_gpa_t last;
};

void svm_npt_begin(struct svm_npt_walk *walk, struct svm_vm *vm, svm_gpa_t first, svm_gpa_t last);

static inline uint64_t *svm_npt_at(const struct svm_npt_walk *walk)
{
	return &walk->table[walk->level][svm_npt_index(walk->gpa, walk->level)];
}

/* value is the present entry and a table. */
static inline void svm_npt_down(struct svm_npt_walk *walk, uint64_t value)
{
	walk->level--;
	walk->table[walk->level] = svm_npt_table(walk->vm, value);
}

/* False: the present entry was the last one. */
bool svm_npt_next(struct svm_npt_walk *walk);

/*
 * The entries on the way to an address, from the root on; the last is a leaf or not present.  Their
 * number; 0 for an address that the tables cannot hold.  Any context that may enter a section.
 */
unsigned svm_npt_path(struct svm_vm *vm, svm_gpa_t gpa, uint64_t entries[SVM_NPT_LEVEL_MAX]);

#endif
