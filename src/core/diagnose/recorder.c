/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flight recorder's cold half: reading while the vCPU runs, without stopping it.
 *
 * One thread writes, in this order: the members of a slot, then `last`, then the members of the
 * next slot.  Each store releases those before it and each load of a reader acquires, so that a
 * reader that saw any member of exit n finds n exits recorded or more afterwards.  So it copies,
 * counts again, and forgets the exits whose slots may have been written to meanwhile: all up to
 * count - capacity, of which the last is the one whose slot is next.  On x86 all of these are plain
 * moves.
 *
 * How many exits there were follows from `last` and from the laps, which are two words.  A lap is
 * counted before the first member of its first slot is written, and again after `last` is there.
 * Where both counts, read around it, are one number, `last` belongs to that lap.  Where they are
 * not, that many laps are over, and what was seen before can be of the next one's first exit, but
 * of none behind it.
 */
#include "core/vcpu/recorder.h"

#include "core/vcpu/vcpu.h"

void svm_recorder_init(struct svm_recorder *recorder, void *ring, uint32_t capacity)
{
	struct svm_record_slot *const slots = ring;

	*recorder = (struct svm_recorder){
		.ring = slots,
		.end = slots + capacity,
		.last = slots + capacity - 1, /* Of no exit yet; its first overwrites it. */
	};
}

void svm_recorder_note_first(struct svm_recorder *recorder, const struct svm_vmcb *vmcb,
                             uint64_t code, uint64_t tsc)
{
	svm_recorder_put(recorder->laps_begun, recorder->laps_begun + 1);
	svm_recorder_fill(recorder->ring, vmcb, code, tsc);
	svm_recorder_put(recorder->last, recorder->ring);
	svm_recorder_put(recorder->laps_known, recorder->laps_begun);
}

static uint64_t capacity_of(const struct svm_recorder *recorder)
{
	return (uint64_t)(recorder->end - recorder->ring);
}

uint64_t svm_recorder_count(const struct svm_recorder *recorder)
{
	const uint64_t known = svm_atomic_load_acquire(&recorder->laps_known);
	const struct svm_record_slot *last = svm_atomic_load_acquire(&recorder->last);
	const uint64_t begun = svm_atomic_load_acquire(&recorder->laps_begun);
	const uint64_t whole = known * capacity_of(recorder);

	return begun == known ? whole - (uint64_t)(recorder->end - (last + 1)) : whole;
}

/* The oldest exit whose slot is not written to as long as this many were recorded. */
static uint64_t oldest(const struct svm_recorder *recorder, uint64_t end)
{
	const uint64_t capacity = capacity_of(recorder);

	return end < capacity ? 0 : end - capacity + 1;
}

void svm_recorder_describe(const struct svm_vcpu *vcpu, struct svm_recorder_header *header)
{
	const struct svm_recorder *recorder = &vcpu->recorder;
	const uint64_t end = svm_recorder_count(recorder);

	*header = (struct svm_recorder_header){
		.magic = SVM_RECORDER_MAGIC,
		.version = SVM_RECORDER_VERSION,
		.header_size = sizeof(*header),
		.record_size = sizeof(struct svm_record),
		.vcpu = vcpu->id,
		.capacity = (uint32_t)capacity_of(recorder),
		.count = (uint32_t)(end - oldest(recorder, end)),
		.recorded = end,
		.tsc_hz = vcpu->vm->host->hal.tsc_hz,
	};
}

#define MARK(marks, member)                                                                        \
	((uint8_t)((marks) >> (8 * (offsetof(struct svm_record, member) -                          \
	                            offsetof(struct svm_record, exit_code)))))

static void copy_slot(const struct svm_recorder *recorder, uint64_t number,
                      struct svm_record *record)
{
	const struct svm_record_slot *slot = recorder->ring + number % capacity_of(recorder);
	const uint64_t marks = svm_atomic_load_acquire(&slot->code_and_marks);

	*record = (struct svm_record){
		.number = number,
		.tsc = svm_atomic_load_acquire(&slot->tsc),
		.exit_code = (uint32_t)marks,
		.advanced = MARK(marks, advanced),
		.kind = MARK(marks, kind),
		.has_event = MARK(marks, has_event),
		.has_int_info = MARK(marks, has_int_info),
		.rip = svm_atomic_load_acquire(&slot->rip),
		.exit_info_1 = svm_atomic_load_acquire(&slot->exit_info_1),
		.exit_info_2 = svm_atomic_load_acquire(&slot->exit_info_2),
	};
	if (record->has_int_info)
		record->exit_int_info = svm_atomic_load_acquire(&slot->exit_int_info);
	if (record->has_event)
		record->event = svm_atomic_load_acquire(&slot->event);
}

size_t svm_recorder_read(const struct svm_vcpu *vcpu, uint64_t first, struct svm_record *records,
                         size_t room)
{
	const struct svm_recorder *recorder = &vcpu->recorder;
	const uint64_t end = svm_recorder_count(recorder);
	size_t count = 0, lost;
	uint64_t sure;

	if (first < oldest(recorder, end))
		first = oldest(recorder, end);
	for (uint64_t number = first; number < end && count < room; number++)
		copy_slot(recorder, number, &records[count++]);

	sure = oldest(recorder, svm_recorder_count(recorder));
	lost = sure > first ? (size_t)svm_min(sure - first, count) : 0;
	if (lost != 0)
		memmove(records, records + lost, (count - lost) * sizeof(*records));
	return count - lost;
}
