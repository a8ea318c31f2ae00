/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's page walk.  APM vol. 2, 5.1 to 5.6; error codes 8.4.2.
 *
 * One loop serves all four paging modes, since they differ in numbers only: levels, size of an
 * entry, bits of an index.  Order matters and is the processor's: at each level first presence,
 * then reserved bits; rights only at the end, over all levels, so that a page that is both absent
 * and forbidden is reported as absent.
 *
 * Tables belong to the guest and other processors change them at any time.  Each entry is read
 * once, and what was read is what is judged.  Accessed and dirty bits are set last, from the top
 * down, each by an exchange that fails if the entry is no longer the one judged; then the walk
 * starts again.  So a fault never leaves a mark, and no mark lands in an entry that was replaced.
 */
#include "emulate/walk.h"

#include <libsvm/types.h>

#define CR0_PG    SVM_BIT(31)
#define CR0_WP    SVM_BIT(16)
#define CR4_PSE   SVM_BIT(4)
#define CR4_PAE   SVM_BIT(5)
#define CR4_LA57  SVM_BIT(12)
#define CR4_SMEP  SVM_BIT(20)
#define CR4_SMAP  SVM_BIT(21)
#define CR4_PKE   SVM_BIT(22)
#define EFER_LMA  SVM_BIT(10)
#define EFER_NXE  SVM_BIT(11)
#define RFLAGS_AC SVM_BIT(18)

#define ENTRY_P   SVM_BIT(0)
#define ENTRY_RW  SVM_BIT(1)
#define ENTRY_US  SVM_BIT(2)
#define ENTRY_A   SVM_BIT(5)
#define ENTRY_D   SVM_BIT(6)
#define ENTRY_PS  SVM_BIT(7)
#define ENTRY_G   SVM_BIT(8)
#define ENTRY_KEY SVM_BITS(62, 59)
#define ENTRY_NX  SVM_BIT(63)

#define PSE_HIGH_BASE SVM_BITS(20, 13) /* Bits 39:32 of a 4 MiB page's address. */
#define PSE_RESERVED  SVM_BIT(21)

#define LEVELS_MAX  5u
#define ATTEMPTS    4u
#define TABLE_SHIFT 12u

enum paging { PAGING_NONE, PAGING_32, PAGING_PAE, PAGING_LONG };

/* The numbers of a paging mode. */
struct shape {
	enum paging paging;
	unsigned int levels;
	unsigned int entry_size;
	unsigned int index_bits;
	uint64_t root;
	uint64_t base_mask; /* Address bits of an entry that names a table. */
	uint64_t reserved;  /* Bits that are 0 in entries of every level. */
};

/* One entry on the way down. */
struct step {
	uint64_t gpa, entry;
};

/* A walk under way: steps[i] is of level i + 1. */
struct walk {
	const struct svm_walk_state *state;
	const struct svm_walk_memory *memory;
	struct svm_walk_result *result;
	uint64_t linear;
	unsigned int flags;
	bool is_user;
	struct shape shape;
	unsigned int leaf_level;  /* The lowest level read. */
	uint64_t in_all, in_some; /* Bits of the entries that have rights. */
	struct step steps[LEVELS_MAX];
};

/* Address bits of entries below MAXPHYADDR; the manual's limit is 52. */
static uint64_t address_mask(const struct svm_walk_state *state)
{
	const unsigned int bits = state->physical_bits < 32   ? 32
	                          : state->physical_bits > 52 ? 52
	                                                      : state->physical_bits;

	return SVM_BITS(bits - 1, TABLE_SHIFT);
}

static void shape_64(struct shape *shape, const struct svm_walk_state *state)
{
	shape->entry_size = 8;
	shape->index_bits = 9;
	shape->base_mask = address_mask(state);
	shape->reserved = SVM_BITS(51, TABLE_SHIFT) & ~shape->base_mask;
	if (!(state->efer & EFER_NXE))
		shape->reserved |= ENTRY_NX;
	if (state->efer & EFER_LMA) {
		shape->paging = PAGING_LONG;
		shape->levels = state->cr4 & CR4_LA57 ? 5 : 4;
		shape->root = state->cr3 & shape->base_mask;
	} else {
		shape->paging = PAGING_PAE;
		shape->levels = 3;
		shape->root = state->cr3 & SVM_BITS(31, 5);
		shape->reserved |= SVM_BITS(62, 52);
	}
}

static void shape_32(struct shape *shape, const struct svm_walk_state *state)
{
	shape->paging = PAGING_32;
	shape->levels = 2;
	shape->entry_size = 4;
	shape->index_bits = 10;
	shape->base_mask = SVM_BITS(31, TABLE_SHIFT);
	shape->root = state->cr3 & shape->base_mask;
	shape->reserved = 0;
}

/* Without paging there is a mode and nothing else. */
static void find_shape(struct shape *shape, const struct svm_walk_state *state)
{
	if (!(state->cr0 & CR0_PG))
		shape->paging = PAGING_NONE;
	else if ((state->efer & EFER_LMA) || (state->cr4 & CR4_PAE))
		shape_64(shape, state);
	else
		shape_32(shape, state);
}

/* Lowest address bit that an entry of a level decides. */
static unsigned int level_shift(const struct shape *shape, unsigned int level)
{
	return TABLE_SHIFT + (level - 1) * shape->index_bits;
}

static bool is_canonical_in(uint64_t linear, const struct shape *shape)
{
	const uint64_t upper = SVM_BITS(63, level_shift(shape, shape->levels + 1) - 1);

	return !(linear & upper) || (linear & upper) == upper;
}

/* Whether a present entry maps a page. */
static inline bool is_leaf(const struct walk *w, unsigned int level, uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & ENTRY_PS))
		return false;
	switch (w->shape.paging) {
	case PAGING_32:
		return w->state->cr4 & CR4_PSE;
	case PAGING_PAE:
		return level == 2;
	case PAGING_LONG:
		return level == 2 || (level == 3 && w->state->page_1g);
	case PAGING_NONE:
		break;
	}
	return false;
}

/* Bits that must be 0 in a legacy page directory entry. */
static uint64_t reserved_32(const struct walk *w, unsigned int level, uint64_t entry)
{
	const unsigned int bits = w->state->physical_bits;

	if (level == 1 || !is_leaf(w, level, entry))
		return 0;
	if (bits >= 40)
		return PSE_RESERVED;
	/* Address bits 39:32 stand in 20:13; those from MAXPHYADDR on are reserved. */
	return PSE_RESERVED | SVM_BITS(20, bits > 32 ? bits - 32 + 13 : 13);
}

/*
 * Bits that must be 0 in a 64-bit entry beside those of all levels: figures of 5.2.3, 5.3.3 to
 * 5.3.5.
 */
static uint64_t reserved_64(const struct walk *w, unsigned int level, uint64_t entry)
{
	/*
	 * A page directory pointer of PAE has no rights and no accessed bit.  Bit 5 is reserved by
	 * the book and forgiven: there are processor models that set it.
	 */
	if (w->shape.paging == PAGING_PAE && level == 3)
		return ENTRY_NX | SVM_BITS(8, 6) | SVM_BITS(2, 1);
	if (level == 1)
		return 0;
	if (is_leaf(w, level, entry)) /* From the PAT bit, 12, up to the page's own bits. */
		return SVM_BITS(level_shift(&w->shape, level) - 1, 13);
	return level >= 3 ? ENTRY_PS | ENTRY_G : 0;
}

static uint64_t reserved_bits(const struct walk *w, unsigned int level, uint64_t entry)
{
	return w->shape.reserved | (w->shape.paging == PAGING_32 ? reserved_32(w, level, entry)
	                                                         : reserved_64(w, level, entry));
}

/* The error code's bits that follow from the access alone. */
static uint32_t access_error(const struct walk *w)
{
	uint32_t error = 0;

	if (w->flags & SVM_WALK_WRITE)
		error |= SVM_WALK_ERROR_WRITE;
	if (w->is_user)
		error |= SVM_WALK_ERROR_USER;
	/* Fetches are told apart only where a page can forbid them. */
	if ((w->flags & SVM_WALK_EXECUTE) &&
	    ((w->state->cr4 & CR4_SMEP) ||
	     ((w->state->efer & EFER_NXE) && (w->state->cr4 & CR4_PAE))))
		error |= SVM_WALK_ERROR_FETCH;
	return error;
}

static void point_at(struct walk *w, unsigned int level)
{
	w->result->level = (uint8_t)level;
	w->result->entry_gpa = w->steps[level - 1].gpa;
	w->result->entry = w->steps[level - 1].entry;
}

static enum svm_walk_status page_fault(struct walk *w, unsigned int level,
                                       enum svm_walk_reason reason, uint32_t error)
{
	point_at(w, level);
	w->result->reason = (uint8_t)reason;
	w->result->error_code = access_error(w) | error;
	return SVM_WALK_PAGE_FAULT;
}

/* Whether an entry of this level has rights at all. */
static bool has_rights(const struct walk *w, unsigned int level)
{
	return !(w->shape.paging == PAGING_PAE && level == 3);
}

/* Read entries from the top to the leaf. */
static enum svm_walk_status descend(struct walk *w)
{
	unsigned int shift = level_shift(&w->shape, w->shape.levels);
	uint64_t table = w->shape.root;

	w->in_all = UINT64_MAX;
	w->in_some = 0;
	for (unsigned int level = w->shape.levels; level >= 1; level--) {
		const uint64_t index = w->linear >> shift & (SVM_BIT(w->shape.index_bits) - 1);
		struct step *step = &w->steps[level - 1];

		w->leaf_level = level;
		step->gpa = table + index * w->shape.entry_size;
		step->entry = 0;
		w->result->memory_error = w->memory->read(w->memory->arg, step->gpa,
		                                          w->shape.entry_size, &step->entry);
		if (w->result->memory_error) {
			point_at(w, level);
			return SVM_WALK_MEMORY;
		}
		if (!(step->entry & ENTRY_P))
			return page_fault(w, level, SVM_WALK_REASON_NOT_PRESENT, 0);
		if (step->entry & reserved_bits(w, level, step->entry))
			return page_fault(w, level, SVM_WALK_REASON_RESERVED,
			                  SVM_WALK_ERROR_PRESENT | SVM_WALK_ERROR_RESERVED);
		if (has_rights(w, level)) {
			w->in_all &= step->entry;
			w->in_some |= step->entry;
		}
		if (is_leaf(w, level, step->entry))
			return SVM_WALK_OK;
		table = step->entry & w->shape.base_mask;
		shift -= w->shape.index_bits;
	}
	return SVM_WALK_OK; /* Not reached: an entry of level 1 is a leaf. */
}

/* The uppermost entry with a bit at 0 (or, inverted, at 1); 0 if there is none. */
static unsigned int level_lacking(const struct walk *w, uint64_t bit, bool inverted)
{
	for (unsigned int level = w->shape.levels; level >= w->leaf_level; level--)
		if (has_rights(w, level) && ((w->steps[level - 1].entry & bit) == 0) != inverted)
			return level;
	return 0;
}

/* Memory protection keys: long mode, user pages, data accesses; 5.6.7. */
static bool key_denies(const struct walk *w, bool is_user_page)
{
	const uint64_t entry = w->steps[w->leaf_level - 1].entry;
	const unsigned int key = (unsigned int)svm_bits_get(entry, ENTRY_KEY);
	const uint32_t denied = w->state->pkru >> (2 * key) & 3u;

	if (!(w->state->cr4 & CR4_PKE) || w->shape.paging != PAGING_LONG || !is_user_page ||
	    (w->flags & SVM_WALK_EXECUTE))
		return false;
	if (denied & 1)
		return true;
	return (denied & 2) && (w->flags & SVM_WALK_WRITE) &&
	       (w->is_user || (w->state->cr0 & CR0_WP));
}

/* Why the access is not allowed, and the level that says so. */
static enum svm_walk_reason find_denial(const struct walk *w, unsigned int *level)
{
	const struct svm_walk_state *s = w->state;
	const unsigned int supervisor = level_lacking(w, ENTRY_US, false);
	const bool is_fetch = w->flags & SVM_WALK_EXECUTE;

	if (w->is_user && supervisor) {
		*level = supervisor;
		return SVM_WALK_REASON_SUPERVISOR;
	}
	if ((w->flags & SVM_WALK_WRITE) && (w->is_user || (s->cr0 & CR0_WP))) {
		*level = level_lacking(w, ENTRY_RW, false);
		if (*level)
			return SVM_WALK_REASON_READ_ONLY;
	}
	if (is_fetch && w->shape.paging != PAGING_32 && (s->efer & EFER_NXE)) {
		*level = level_lacking(w, ENTRY_NX, true);
		if (*level)
			return SVM_WALK_REASON_NO_EXECUTE;
	}
	*level = w->leaf_level;
	if (!w->is_user && !supervisor) {
		if (is_fetch && (s->cr4 & CR4_SMEP))
			return SVM_WALK_REASON_SMEP;
		if (!is_fetch && (s->cr4 & CR4_SMAP) &&
		    ((w->flags & SVM_WALK_IMPLICIT) || !(s->rflags & RFLAGS_AC)))
			return SVM_WALK_REASON_SMAP;
	}
	return SVM_WALK_REASON_NONE;
}

/* Most accesses: every right is there, and none of the modes that forbid user pages is on. */
static bool clearly_allowed(const struct walk *w)
{
	const struct svm_walk_state *s = w->state;
	const bool is_write = w->flags & SVM_WALK_WRITE;
	uint64_t needed = w->is_user ? ENTRY_US : 0;

	if (is_write && (w->is_user || (s->cr0 & CR0_WP)))
		needed |= ENTRY_RW;
	if ((w->in_all & needed) != needed || (s->cr4 & CR4_PKE))
		return false;
	if ((w->flags & SVM_WALK_EXECUTE) && (w->in_some & ENTRY_NX))
		return false;
	return w->is_user || !(w->in_all & ENTRY_US) || !(s->cr4 & (CR4_SMEP | CR4_SMAP));
}

static enum svm_walk_status check_rights(struct walk *w)
{
	if (clearly_allowed(w))
		return SVM_WALK_OK;

	const bool key = key_denies(w, !level_lacking(w, ENTRY_US, false));
	unsigned int level = w->leaf_level;
	enum svm_walk_reason reason = find_denial(w, &level);

	if (reason == SVM_WALK_REASON_NONE && key)
		reason = SVM_WALK_REASON_PROTECTION_KEY;
	if (reason == SVM_WALK_REASON_NONE)
		return SVM_WALK_OK;
	return page_fault(w, level, reason,
	                  SVM_WALK_ERROR_PRESENT | (key ? SVM_WALK_ERROR_KEY : 0));
}

/* Whether all accessed bits are set, and the leaf's dirty bit if that is wanted. */
static bool is_marked(const struct walk *w)
{
	return (w->in_all & ENTRY_A) && (!(w->flags & SVM_WALK_WRITE) ||
	                                 (w->steps[w->leaf_level - 1].entry & ENTRY_D));
}

/* Accessed bits on the way, accessed and dirty in the leaf.  RETRY: an entry is not what it was. */
static enum svm_walk_status set_marks(struct walk *w)
{
	for (unsigned int level = w->shape.levels; level >= w->leaf_level; level--) {
		const struct step *step = &w->steps[level - 1];
		uint64_t marks = ENTRY_A;
		bool stored = false;

		if (!has_rights(w, level))
			continue; /* A page directory pointer of PAE has no accessed bit. */
		if (level == w->leaf_level && (w->flags & SVM_WALK_WRITE))
			marks |= ENTRY_D;
		if ((step->entry & marks) == marks)
			continue;
		w->result->memory_error =
			w->memory->exchange(w->memory->arg, step->gpa, w->shape.entry_size,
		                            step->entry, step->entry | marks, &stored);
		if (w->result->memory_error) {
			point_at(w, level);
			return SVM_WALK_MEMORY;
		}
		if (!stored)
			return SVM_WALK_RETRY;
	}
	return SVM_WALK_OK;
}

static uint64_t page_base(const struct walk *w, uint64_t page_size)
{
	const uint64_t entry = w->steps[w->leaf_level - 1].entry;
	uint64_t base = entry & w->shape.base_mask & ~(page_size - 1);

	if (w->shape.paging == PAGING_32 && w->leaf_level == 2)
		base |= svm_bits_get(entry, PSE_HIGH_BASE) << 32;
	return base;
}

static enum svm_walk_status walk_once(struct walk *w)
{
	enum svm_walk_status status = descend(w);
	uint64_t page_size;

	if (status == SVM_WALK_OK)
		status = check_rights(w);
	if (status == SVM_WALK_OK && (w->flags & SVM_WALK_SET_AD) && !is_marked(w))
		status = set_marks(w);
	if (status != SVM_WALK_OK)
		return status;
	page_size = SVM_BIT(level_shift(&w->shape, w->leaf_level));
	point_at(w, w->leaf_level);
	w->result->page_size = page_size;
	w->result->gpa = page_base(w, page_size) | (w->linear & (page_size - 1));
	return SVM_WALK_OK;
}

enum svm_walk_status svm_walk(const struct svm_walk_state *state,
                              const struct svm_walk_memory *memory, uint64_t linear,
                              unsigned int flags, struct svm_walk_result *result)
{
	struct walk w = {
		.state = state,
		.memory = memory,
		.result = result,
		.linear = linear,
		.flags = flags,
		.is_user = (flags & SVM_WALK_USER) ||
		           (state->cpl == 3 && !(flags & SVM_WALK_IMPLICIT)),
	};
	enum svm_walk_status status = SVM_WALK_RETRY;

	find_shape(&w.shape, state);
	*result = (struct svm_walk_result){ 0 };
	if (w.shape.paging != PAGING_LONG)
		w.linear = (uint32_t)linear;
	else if (!is_canonical_in(linear, &w.shape))
		return SVM_WALK_NON_CANONICAL;
	if (w.shape.paging == PAGING_NONE) {
		result->gpa = w.linear;
		return SVM_WALK_OK;
	}
	for (unsigned int i = 0; i < ATTEMPTS && status == SVM_WALK_RETRY; i++)
		status = walk_once(&w);
	return status;
}

const char *svm_walk_reason_text(unsigned int reason)
{
	static const char texts[][64] = {
#define REASON_TEXT(name, text) text,
		SVM_WALK_REASONS(REASON_TEXT)
#undef REASON_TEXT
	};

	return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "?";
}
