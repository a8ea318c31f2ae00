/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_RECORDER_H
#define SVM_CORE_VCPU_RECORDER_H
/*
 * The flight recorder's hot half: on the path of every exit, so it is counted in instructions
 * (docs/recorder.md).  Four things keep it short:
 *
 * - The slot that was written last is the place in the ring; the way back to its beginning is one
 *   comparison, and all that goes with it is out of the way.
 * - A slot has no number of its own and nothing is cleared in it: both follow from the place of the
 *   slot, and from the bytes above the exit code, which the store of the 64-bit code sets to 0.
 * - What seldom happens is written by whoever does it, and marked by one of these bytes.
 * - Readers pay for the order of things: see diagnose/recorder.c.
 */
#include <libsvm/recorder.h>

#include "core/core.h"
#include "hal/ring0.h"

/* A svm_record as it lies in the ring. */
struct svm_record_slot {
	uint64_t unused; /* The number; filled for the reader. */
	uint64_t tsc;
	union {
		uint64_t code_and_marks; /* Written at the exit, and read, as one. */
		struct {
			uint32_t exit_code;
			uint8_t advanced, kind, has_event, has_int_info;
		};
	};
	uint64_t rip, exit_info_1, exit_info_2, exit_int_info, event;
};

#define SVM_SLOT_ASSERT(member)                                                                    \
	_Static_assert(offsetof(struct svm_record_slot, member) ==                                 \
	                       offsetof(struct svm_record, member),                                \
	               #member)
SVM_SLOT_ASSERT(tsc);
SVM_SLOT_ASSERT(exit_code);
SVM_SLOT_ASSERT(advanced);
SVM_SLOT_ASSERT(kind);
SVM_SLOT_ASSERT(has_event);
SVM_SLOT_ASSERT(has_int_info);
SVM_SLOT_ASSERT(rip);
SVM_SLOT_ASSERT(event);
_Static_assert(sizeof(struct svm_record_slot) == sizeof(struct svm_record), "one slot, one record");

/* Written by the thread that runs the vCPU alone. */
struct svm_recorder {
	struct svm_record_slot *last; /* Atomic: the newest that is whole. */
	struct svm_record_slot *ring, *end;
	uint64_t laps_begun; /* Atomic: exits that went into the ring's first slot. */
	uint64_t laps_known; /* Atomic: the same, but after `last` was set there. */
};

#define svm_recorder_put(place, value) svm_atomic_store_release(&(place), (value))

static inline void svm_recorder_fill(struct svm_record_slot *slot, const struct svm_vmcb *vmcb,
                                     uint64_t code, uint64_t tsc)
{
	svm_recorder_put(slot->tsc, tsc);
	svm_recorder_put(slot->code_and_marks, code);
	svm_recorder_put(slot->rip, vmcb->save.rip);
	svm_recorder_put(slot->exit_info_1, vmcb->control.exit_info_1);
	svm_recorder_put(slot->exit_info_2, vmcb->control.exit_info_2);
}

/* As svm_recorder_note(), at the end of the ring. */
void svm_recorder_note_first(struct svm_recorder *recorder, const struct svm_vmcb *vmcb,
                             uint64_t code, uint64_t tsc);

/* An exit has come, `code` is its 64-bit code. */
static inline void svm_recorder_note(struct svm_recorder *recorder, const struct svm_vmcb *vmcb,
                                     uint64_t code, uint64_t tsc)
{
	struct svm_record_slot *const slot = recorder->last + 1;

	if (SVM_MOSTLY(slot != recorder->end)) {
		svm_recorder_fill(slot, vmcb, code, tsc);
		svm_recorder_put(recorder->last, slot);
	} else {
		svm_recorder_note_first(recorder, vmcb, code, tsc);
	}
}

/* Its code had bits in the upper half, where the marks are.  No exit of an ordinary guest has. */
static inline void svm_recorder_cut(struct svm_recorder *recorder)
{
	struct svm_record_slot *const slot = recorder->last;

	svm_recorder_put(slot->code_and_marks, (uint32_t)slot->code_and_marks);
}

/* Its instruction is done. */
static inline void svm_recorder_advanced(struct svm_recorder *recorder)
{
	svm_recorder_put(recorder->last->advanced, 1);
}

/* It came in the middle of a delivery. */
static inline void svm_recorder_interrupted(struct svm_recorder *recorder, uint64_t exit_int_info)
{
	struct svm_record_slot *const slot = recorder->last;

	svm_recorder_put(slot->exit_int_info, exit_int_info);
	svm_recorder_put(slot->has_int_info, 1);
}

/* The entry behind it will deliver this. */
static inline void svm_recorder_injected(struct svm_recorder *recorder, uint64_t event)
{
	struct svm_record_slot *const slot = recorder->last;

	svm_recorder_put(slot->event, event);
	svm_recorder_put(slot->has_event, 1);
}

/* It ends the run, which comes back with `kind`. */
static inline void svm_recorder_returned(struct svm_recorder *recorder, enum svm_exit_kind kind)
{
	svm_recorder_put(recorder->last->kind, (uint8_t)kind);
}

/* Something else ended the run behind it; further runs that end there are not its. */
static inline void svm_recorder_ended(struct svm_recorder *recorder, enum svm_exit_kind kind)
{
	if (recorder->last->kind == SVM_EXIT_KIND_NONE)
		svm_recorder_put(recorder->last->kind, (uint8_t)kind);
}

/* Exits recorded; any thread. */
uint64_t svm_recorder_count(const struct svm_recorder *recorder);

/* A ring of `capacity` slots that begins at `ring`, zeroed. */
void svm_recorder_init(struct svm_recorder *recorder, void *ring, uint32_t capacity);

#endif
