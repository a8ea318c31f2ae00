/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flight recorder's cold half: reading while the vCPU runs, without stopping it.
 *
 * One thread writes, in this order: the members of slot n, then position = n + 1, then the members
 * of slot n + 1.  Each store releases those before it and each load of a reader acquires, so that
 * a reader that saw any member of exit m finds position at m or beyond afterwards.  So it copies,
 * looks at position again, and forgets the exits whose slots may have been written to meanwhile:
 * all up to position - capacity, of which the last is the one whose slot is next.  On x86 all of
 * these are plain moves.
 */
#include "core/vcpu/recorder.h"

#include "core/vcpu/vcpu.h"

#define SLOT_SIZE sizeof(struct svm_record_slot)

void svm_recorder_init(struct svm_recorder *recorder, void *ring, uint32_t capacity)
{
	*recorder = (struct svm_recorder){
		.ring = ring,
		.mask = (capacity - 1) * SLOT_SIZE,
		.last = ring, /* Of no exit yet; the first overwrites it. */
	};
}

uint64_t svm_recorder_count(const struct svm_recorder *recorder)
{
	return svm_atomic_load_acquire(&recorder->position) / SLOT_SIZE;
}

static uint64_t capacity_of(const struct svm_recorder *recorder)
{
	return recorder->mask / SLOT_SIZE + 1;
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
	const struct svm_record_slot *slot =
		(const void *)(recorder->ring + (number * SLOT_SIZE & recorder->mask));
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
