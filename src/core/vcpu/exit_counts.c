/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How often each exit code came, and what it cost.  Counting is always on: one addition.  Time is
 * taken on request, since it reads the TSC once more an exit: it begins where the recorder has
 * read it.
 *
 * Written by the thread that runs the vCPU and read by any: each word for itself is whole.
 */
#include "core/vcpu/exit_counts.h"

#include <libsvm/exit_codes.h>

#include "core/vcpu/vcpu.h"

/* The codes stand in two runs, from 0 and from 400h; what is in neither shares the last place. */
#define HIGH_FIRST UINT64_C(0x400)
#define HIGH_SLOT  SVM_EXIT_COUNT_LOW
#define OTHER_SLOT (SVM_EXIT_COUNT_MAX - 1)

#define IS_HIGH(code) ((code) >= HIGH_FIRST && (code) - HIGH_FIRST < OTHER_SLOT - HIGH_SLOT)
#define CHECK_CODE(name, code, mask, text)                                                         \
	_Static_assert((code) < HIGH_SLOT || IS_HIGH(code), "each code that is known has a place");
SVM_EXIT_CODES(CHECK_CODE)

uint64_t svm_exit_counts_high(uint64_t code)
{
	return IS_HIGH(code) ? HIGH_SLOT + (code - HIGH_FIRST) : OTHER_SLOT;
}

static uint64_t code_of(unsigned slot)
{
	if (slot == OTHER_SLOT)
		return UINT64_MAX;
	return slot < HIGH_SLOT ? slot : HIGH_FIRST + (slot - HIGH_SLOT);
}

void svm_exit_counts_charge(struct svm_vcpu *vcpu)
{
	const struct svm_recorder *const recorder = &vcpu->recorder;
	struct svm_exit_counts *const counts = &vcpu->counts;
	uint64_t *const cycles = &counts->cycles[svm_exit_counts_slot(recorder->last->exit_code)];

	if (counts->charged == recorder->position)
		return;
	counts->charged = recorder->position;
	svm_atomic_store_relaxed(cycles, *cycles + (svm_ring0_rdtsc() - recorder->last->tsc));
}

void svm_vcpu_time_exits(struct svm_vcpu *vcpu, bool on)
{
	svm_atomic_store_relaxed(&vcpu->counts.wanted, on);
}

size_t svm_vcpu_get_exit_counts(const struct svm_vcpu *vcpu, struct svm_exit_count *rows,
                                size_t room)
{
	const struct svm_exit_counts *counts = &vcpu->counts;
	size_t used = 0;

	for (unsigned slot = 0; slot < SVM_EXIT_COUNT_MAX; slot++) {
		const uint64_t count = svm_atomic_load_relaxed(&counts->count[slot]);

		if (!count)
			continue;
		if (used < room)
			rows[used] = (struct svm_exit_count){
				.code = code_of(slot),
				.count = count,
				.cycles = svm_atomic_load_relaxed(&counts->cycles[slot]),
			};
		used++;
	}
	return used;
}
