/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_EDIT_H
#define SVM_CORE_MEMORY_EDIT_H
/*
 * Edits of the nested tables by context T, between svm_edit_begin() and svm_edit_end().
 *
 * svm_edit_end() is the promise of every call that takes something away: on return no CPU uses a
 * translation that the edit removed or narrowed, and tables that were taken out are free.
 */
#include "core/memory/npt.h"
#include "core/memory/slots.h"

/* Tables taken out and not freed yet; when it is full, an edit flushes in between. */
#define SVM_EDIT_RETIRED 32u

struct svm_edit {
	struct svm_vm *vm;
	struct svm_frames *frames; /* For tables; NULL: none, a leaf that would be split goes. */
	bool must_flush;
	uint32_t retired_count;
	struct {
		uint64_t entry; /* As it pointed to the table. */
		svm_gpa_t gpa;
		unsigned level; /* Of the table. */
	} retired[SVM_EDIT_RETIRED];
};

void svm_edit_begin(struct svm_edit *edit, struct svm_vm *vm, struct svm_frames *frames);
void svm_edit_end(struct svm_edit *edit);

/* Most frames that splitting the leaf around an address takes, so that one begins there. */
uint64_t svm_edit_split_frames(const struct svm_vm *vm, svm_gpa_t gpa);

/* Remove every translation of a range, and tables that are empty then. */
void svm_edit_zap(struct svm_edit *edit, svm_gpa_t first, svm_gpa_t last);

/* Give the leaves of a range the rights of a piece that covers it. */
void svm_edit_protect(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t first,
                      svm_gpa_t last);

/*
 * Build leaves for a range within a RANGE or FRAMES piece.  False: out of frames, *gpa is where
 * to go on.
 */
bool svm_edit_build(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t *gpa,
                    svm_gpa_t last);
/* Tables that building a range of a RANGE slot takes at most. */
uint64_t svm_edit_build_frames(const struct svm_vm *vm, const struct svm_slot_piece *piece);

/* Join full uniform tables that lie within a piece into larger leaves. */
void svm_edit_merge(struct svm_edit *edit, const struct svm_slot_piece *piece, svm_gpa_t first,
                    svm_gpa_t last);

/*
 * Make a range fit to be logged: 4 KiB leaves, D clear, and W clear for SVM_DIRTY_PROTECT.  A D
 * that was set is harvested if asked.  False: out of frames, *gpa is where to go on.
 */
bool svm_edit_log(struct svm_edit *edit, svm_gpa_t *gpa, svm_gpa_t last, enum svm_dirty_mode mode,
                  bool harvest);

/* Replace the large leaf in an entry by a table.  False: no frame; the entry is as it was. */
bool svm_edit_split(struct svm_edit *edit, uint64_t *entry, unsigned level);

/* Free a table, all below it, and harvest its D bits if asked; nobody walks it any more. */
void svm_edit_free_table(struct svm_vm *vm, uint64_t entry, unsigned level, svm_gpa_t gpa,
                         bool harvest);

#endif
