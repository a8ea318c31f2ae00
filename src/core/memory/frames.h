/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_FRAMES_H
#define SVM_CORE_MEMORY_FRAMES_H
/*
 * Frames for tables: private lists of a call in context T, and the reserve for faults.
 *
 * A free frame is zero but for its first word, which links to the next one: 0 ends a list, else
 * the frame's hpa with bit 0 set, since frame 0 is a frame too.
 */
#include "core/vm.h"

struct svm_frame {
	uint64_t *hva;
	svm_hpa_t hpa;
};

/* Frames that one call owns; all zero is an empty list. */
struct svm_frames {
	uint64_t head;
	uint64_t count;
};

/* T.  Bring a list to at least count frames; on error it keeps what it has. */
SVM_MUST_CHECK int svm_frames_fill(struct svm_vm *vm, struct svm_frames *frames, uint64_t count);
/* False: the list is empty.  The frame is all zero. */
bool svm_frames_take(struct svm_vm *vm, struct svm_frames *frames, struct svm_frame *frame);
/* Put a frame back that is still all zero. */
void svm_frames_put(struct svm_frames *frames, const struct svm_frame *frame);
/* T.  Give everything back to the HAL. */
void svm_frames_drop(struct svm_vm *vm, struct svm_frames *frames);

/* A, inside a section.  False: nothing is left. */
bool svm_reserve_take(struct svm_vm *vm, struct svm_frame *frame);
/* A.  A frame that was taken and never became part of a table; its content does not matter. */
void svm_reserve_return(struct svm_vm *vm, const struct svm_frame *frame);
/*
 * T, after svm_section_wait(): a frame that no table and no section knows any more goes into the
 * reserve while that is short of its configured size, else to the HAL.
 */
void svm_frame_release(struct svm_vm *vm, const struct svm_frame *frame);
/* T.  Empty the reserve, nobody else being there. */
void svm_reserve_fini(struct svm_vm *vm);

#endif
