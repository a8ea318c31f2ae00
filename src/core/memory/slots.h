/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_SLOTS_H
#define SVM_CORE_MEMORY_SLOTS_H
/*
 * The slot table: what is behind each guest-physical address.
 *
 * A slot of the embedder is one piece, or several once svm_vm_protect() has given its parts
 * different rights: pieces of one slot carry one id and lie next to each other.
 * svm_vm_unmap() in the middle of a slot makes two slots of it.
 */
#include "core/vm.h"

struct svm_dirty_log;

struct svm_slot_piece {
	svm_gpa_t first, last; /* Bytes, both included. */
	union {
		svm_hpa_t hpa;           /* RANGE */
		const svm_hpa_t *frames; /* FRAMES */
		svm_resolve_fn resolve;  /* RESOLVE */
	} target;
	void *resolve_arg;
	struct svm_dirty_log *log; /* NULL: SVM_DIRTY_OFF. */
	uint32_t id;
	uint8_t prot;
	uint8_t memory_type; /* enum svm_memory_type */
	uint8_t kind;        /* enum svm_slot_kind */
	uint8_t dirty_mode;  /* enum svm_dirty_mode */
};

struct svm_slot_table {
	svm_hpa_t hpa;  /* Of the frame that holds the table. */
	uint32_t count; /* Pieces, sorted by first, without overlap. */
	struct svm_slot_piece piece[SVM_SLOT_MAX];
};
_Static_assert(sizeof(struct svm_slot_table) <= SVM_PAGE_SIZE, "a slot table is one frame");

/* What is behind one 4 KiB page. */
struct svm_backing {
	svm_hpa_t hpa;  /* Of the page's first byte. */
	uint32_t prot;  /* Rights there. */
	unsigned level; /* Largest leaf that the host allows around it, as svm_npt_span() counts. */
};

/* T, VM lock held.  A copy to be changed and published, or NULL. */
struct svm_slot_table *svm_slots_copy(struct svm_vm *vm);
/* A table that was never published; the logs belong to the published one. */
void svm_slots_free(struct svm_vm *vm, struct svm_slot_table *table);
/* The last table of a VM, with its logs. */
void svm_slots_free_all(struct svm_vm *vm, struct svm_slot_table *table);
/*
 * T, VM lock held.  Make table the one that readers find, wait for those who found the old one,
 * and free that with the logs that only it knew.
 */
void svm_slots_publish(struct svm_vm *vm, struct svm_slot_table *table);

/* Index of the first piece that ends at or after gpa; count if none does. */
static inline uint32_t svm_slots_index(const struct svm_slot_table *table, svm_gpa_t gpa)
{
	uint32_t low = 0, high = table->count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (table->piece[middle].last < gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The piece that covers gpa, or NULL. */
static inline const struct svm_slot_piece *svm_slots_find(const struct svm_slot_table *table,
                                                          svm_gpa_t gpa)
{
	const uint32_t i = svm_slots_index(table, gpa);

	return i < table->count && table->piece[i].first <= gpa ? &table->piece[i] : NULL;
}

/*
 * The same inside a section, for accesses of guests: most lie where the last one did.  Nothing is
 * believed of the guess, which may be about a table that is gone.
 */
static inline const struct svm_slot_piece *svm_slots_find_again(struct svm_memory *memory,
                                                                svm_gpa_t gpa)
{
	const struct svm_slot_table *table = svm_atomic_load(&memory->slots);
	const uint32_t guess = svm_atomic_load_relaxed(&memory->recent_piece);
	const struct svm_slot_piece *piece;

	if (guess < table->count) {
		piece = &table->piece[guess];
		if (piece->first <= gpa && gpa <= piece->last)
			return piece;
	}
	piece = svm_slots_find(table, gpa);
	if (piece)
		svm_atomic_store_relaxed(&memory->recent_piece,
		                         (uint32_t)(piece - table->piece));
	return piece;
}

/* Is every byte of the range in some piece? */
bool svm_slots_cover(const struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last);
/* The slot that begins at gpa: index of its first piece, or count; *last is its last byte. */
uint32_t svm_slots_begin(const struct svm_slot_table *table, svm_gpa_t gpa, svm_gpa_t *last);

/* Edits of a copy.  On error the copy is spoilt. */
SVM_MUST_CHECK int svm_slots_insert(struct svm_slot_table *table,
                                    const struct svm_slot_piece *piece);
/* Take a range out.  *serial: svm_memory.slot_serial, for the part behind a hole. */
SVM_MUST_CHECK int svm_slots_cut(struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last,
                                 uint32_t *serial);
SVM_MUST_CHECK int svm_slots_protect(struct svm_slot_table *table, svm_gpa_t first, svm_gpa_t last,
                                     uint32_t prot);

/*
 * A, inside a section: what is behind the page at gpa, which the piece covers.
 * 0, SVM_ERR_AGAIN (an invalidation or the callback says so) or SVM_ERR_FAULT (not there).
 */
SVM_MUST_CHECK int svm_slots_backing(struct svm_vm *vm, const struct svm_slot_piece *piece,
                                     svm_gpa_t gpa, uint32_t access, struct svm_backing *backing);
/* The same of a FRAMES piece: the frame of the page at gpa.  False: none that may be used. */
bool svm_slots_frame(const struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                     svm_hpa_t *hpa);
/* Level of the leaf that the piece and the host allow at gpa, backed so. */
unsigned svm_slots_leaf_level(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                              const struct svm_backing *backing);

/* Does an invalidation that is going on touch the range?  Meaningful inside a section. */
static inline bool svm_memory_is_invalidating(struct svm_memory *memory, svm_gpa_t first,
                                              svm_gpa_t last)
{
	return svm_atomic_load(&memory->invalidate_count) &&
	       first <= svm_atomic_load(&memory->invalidate_last) &&
	       last >= svm_atomic_load(&memory->invalidate_first);
}

/* Bytes past the highest guest-physical and host-physical address that tables may hold. */
static inline uint64_t svm_memory_hpa_limit(const struct svm_vm *vm)
{
	return SVM_BIT(vm->host->features.physical_bits);
}

/* The library's own self-test runs in frames that it took for itself. */
static inline bool svm_memory_may_map(const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	const struct svm_hal *hal = &vm->host->hal;

	return vm->is_selftest || hal->may_map(hal->ctx, vm, hpa, count);
}

static inline uint64_t svm_memory_gpa_limit(const struct svm_vm *vm)
{
	return SVM_BIT(svm_min(vm->host->features.physical_bits, vm->memory.levels == 5 ? 57 : 48));
}

/* The pages that a range touches, which may be of any shape; false for an empty one. */
static inline bool svm_memory_page_range(const struct svm_vm *vm, svm_gpa_t gpa, uint64_t size,
                                         svm_gpa_t *first, svm_gpa_t *last)
{
	const svm_gpa_t limit = svm_memory_gpa_limit(vm);

	if (!size || gpa >= limit)
		return false;
	*first = gpa & SVM_PAGE_MASK;
	*last = size > limit - gpa ? limit - 1 : (gpa + (size - 1)) | (SVM_PAGE_SIZE - 1);
	return true;
}

#endif
