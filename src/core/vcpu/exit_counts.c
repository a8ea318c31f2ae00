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
_Static_assert(HIGH_SLOT + (SVM_EXIT_NPF - HIGH_FIRST) == SVM_EXIT_COUNT_NPF, "of the first");

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

/* Of a number that is not 0. */
static unsigned log2_of(uint64_t value)
{
	return 63u - (unsigned)__builtin_clzll(value);
}

void svm_exit_counts_charge(struct svm_vcpu *vcpu)
{
	const struct svm_recorder *const recorder = &vcpu->recorder;
	struct svm_exit_times *const times = vcpu->counts.times;
	const uint64_t exits = svm_recorder_count(recorder);
	uint64_t slot, cycles;
	uint32_t *bucket;

	if (vcpu->counts.charged == exits)
		return;
	vcpu->counts.charged = exits;
	slot = svm_exit_counts_slot(recorder->last->exit_code);
	cycles = svm_ring0_rdtsc() - recorder->last->tsc;
	bucket = &times->bucket[slot][svm_min(log2_of(cycles | 1), SVM_EXIT_BUCKETS - 1)];
	svm_atomic_store_relaxed(&times->cycles[slot], times->cycles[slot] + cycles);
	svm_atomic_store_relaxed(bucket, *bucket + 1);
}

/*
 * The bit goes first: whoever asks from now on is seen by the next look.  The last exit has no
 * beginning that was wanted, or no end.
 */
void svm_exit_counts_switch(struct svm_vcpu *vcpu)
{
	svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_TIMES);
	vcpu->timed = svm_atomic_load(&vcpu->counts.wanted);
	vcpu->counts.charged = svm_recorder_count(&vcpu->recorder);
}

/* --- asking for the time --------------------------------------------------------------------- */

#define TIMES_FRAMES ((sizeof(struct svm_exit_times) + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE)

/* Two may ask at once: the second's frames go back. */
static int make_times(struct svm_vcpu *vcpu)
{
	struct svm_exit_counts *const counts = &vcpu->counts;
	struct svm_host *const host = vcpu->vm->host;
	svm_hpa_t hpa = 0;
	void *const times = svm_host_frames(host, TIMES_FRAMES, &hpa);
	bool is_first;

	if (!times)
		return SVM_ERR_NOMEM;
	svm_vm_lock(vcpu->vm);
	is_first = !counts->times;
	if (is_first) {
		counts->times_hpa = hpa;
		svm_atomic_store_release(&counts->times, times);
	}
	svm_vm_unlock(vcpu->vm);
	if (!is_first)
		svm_host_frames_free(host, times, hpa, TIMES_FRAMES);
	return 0;
}

int svm_vcpu_time_exits(struct svm_vcpu *vcpu, bool on)
{
	int error = 0;

	if (on && !svm_atomic_load_acquire(&vcpu->counts.times))
		error = make_times(vcpu);
	if (error)
		return error;
	svm_atomic_store(&vcpu->counts.wanted, on);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_TIMES); /* No kick: it is in no hurry. */
	return 0;
}

void svm_exit_counts_fini(struct svm_vcpu *vcpu)
{
	struct svm_exit_counts *const counts = &vcpu->counts;

	if (counts->times)
		svm_host_frames_free(vcpu->vm->host, counts->times, counts->times_hpa,
		                     TIMES_FRAMES);
}

/* --- reading --------------------------------------------------------------------------------- */

struct svm_exit_count svm_exit_counts_row(const struct svm_exit_counts *counts, unsigned slot)
{
	const struct svm_exit_times *const times = svm_atomic_load_acquire(&counts->times);
	struct svm_exit_count row = {
		.code = code_of(slot),
		.count = svm_atomic_load_relaxed(&counts->count[slot]),
	};

	if (!times || !row.count)
		return row;
	row.cycles = svm_atomic_load_relaxed(&times->cycles[slot]);
	for (unsigned i = 0; i < SVM_EXIT_BUCKETS; i++)
		row.timed += svm_atomic_load_relaxed(&times->bucket[slot][i]);
	return row;
}

size_t svm_vcpu_get_exit_counts(const struct svm_vcpu *vcpu, struct svm_exit_count *rows,
                                size_t room)
{
	size_t used = 0;

	for (unsigned slot = 0; slot < SVM_EXIT_COUNT_MAX; slot++) {
		const struct svm_exit_count row = svm_exit_counts_row(&vcpu->counts, slot);

		if (!row.count)
			continue;
		if (used < room)
			rows[used] = row;
		used++;
	}
	return used;
}

void svm_vcpu_get_exit_histogram(const struct svm_vcpu *vcpu, uint64_t code,
                                 uint32_t buckets[SVM_EXIT_BUCKETS])
{
	const struct svm_exit_times *const times = svm_atomic_load_acquire(&vcpu->counts.times);
	const uint64_t slot = svm_exit_counts_slot(code);

	for (unsigned i = 0; i < SVM_EXIT_BUCKETS; i++)
		buckets[i] = times ? svm_atomic_load_relaxed(&times->bucket[slot][i]) : 0;
}
