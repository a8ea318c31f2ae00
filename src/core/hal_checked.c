/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A HAL around a HAL that watches both sides keep the contract.
 *
 * svm_hal_check() tries a port once, at rest; this one stays in the way while guests run and finds
 * what only happens then: a frame handed out twice, an allocation with preemption off, a lock
 * released twice.  It answers a breach through bug() and goes on, as the library itself does; only
 * a free that would corrupt the port's allocator is not passed on.
 *
 * It takes no memory of its own: what it remembers fits the caller's block, and when that is full
 * it stops watching frames rather than the host's work.
 */
#include <libsvm/host.h>

#include "core/core.h"
#include "core/hal_default.h"
#include "hal/ring0.h"

struct frames_record {
	void *hva; /* NULL: free. */
	svm_hpa_t hpa;
	size_t count;
};

/* What one CPU is in the middle of. */
struct cpu_record {
	uint8_t preempt_depth, irq_depth, fpu_depth;
};

#define LOCKS_MAX 16u
#define HEAD_SIZE 1024u
#define RECORDS_MAX                                                                                \
	((SVM_HAL_CHECKED_SIZE - HEAD_SIZE - SVM_CPU_MAX * sizeof(struct cpu_record)) /            \
	 sizeof(struct frames_record))

struct checked_state {
	const struct svm_hal *hal;
	struct svm_hal completed; /* hal, with defaults for what it lacks. */
	uint64_t breaches;        /* Atomic. */
	uint64_t unwatched;       /* Allocations that found no record. */
	uintptr_t guard;          /* Of held and records. */
	uintptr_t *held[LOCKS_MAX];
	struct cpu_record cpu[SVM_CPU_MAX];
	struct frames_record records[RECORDS_MAX];
};

_Static_assert(sizeof(struct checked_state) <= SVM_HAL_CHECKED_SIZE,
               "the caller's block is enough");

static void breach(struct checked_state *s, const char *what)
{
	const struct svm_hal *hal = s->hal;

	svm_atomic_add(&s->breaches, 1u);
	if (hal->bug)
		hal->bug(hal->ctx, what);
	else if (hal->log)
		hal->log(hal->ctx, SVM_LOG_ERROR, what);
}

/* Short, and never around a call of the HAL. */
static void take_guard(struct checked_state *s)
{
	while (svm_atomic_exchange(&s->guard, (uintptr_t)1))
		svm_ring0_pause();
}

static void drop_guard(struct checked_state *s)
{
	svm_atomic_store(&s->guard, (uintptr_t)0);
}

/* The record of this CPU.  A number out of range is a breach, and shares the first record. */
static struct cpu_record *this_cpu(struct checked_state *s)
{
	const uint32_t id = s->hal->cpu_id(s->hal->ctx);

	if (id < s->hal->cpu_max && id < SVM_CPU_MAX)
		return &s->cpu[id];
	breach(s, "svm_hal: cpu_id is not below cpu_max");
	return &s->cpu[0];
}

/* For entries that may sleep. */
static void want_thread(struct checked_state *s, const char *what)
{
	const struct cpu_record *cpu = this_cpu(s);

	if (cpu->preempt_depth || cpu->irq_depth || cpu->fpu_depth)
		breach(s, what);
}

static bool overlaps(const struct frames_record *r, svm_hpa_t hpa, size_t count)
{
	return r->hva && hpa < r->hpa + r->count * SVM_PAGE_SIZE &&
	       r->hpa < hpa + count * SVM_PAGE_SIZE;
}

/* Remember an allocation; says whether a living one overlaps it. */
static bool record_frames(struct checked_state *s, void *hva, svm_hpa_t hpa, size_t count)
{
	struct frames_record *free = NULL;
	bool overlapping = false;

	take_guard(s);
	for (size_t i = 0; i < RECORDS_MAX; i++) {
		if (!s->records[i].hva && !free)
			free = &s->records[i];
		overlapping = overlapping || overlaps(&s->records[i], hpa, count);
	}
	if (free)
		*free = (struct frames_record){ hva, hpa, count };
	else
		s->unwatched++;
	drop_guard(s);
	return overlapping;
}

/* Forget an allocation.  False: it is not known, and every one is. */
static bool forget_frames(struct checked_state *s, void *hva, svm_hpa_t hpa, size_t count)
{
	bool known = false;

	take_guard(s);
	for (size_t i = 0; i < RECORDS_MAX && !known; i++) {
		struct frames_record *r = &s->records[i];

		if (r->hva == hva && r->hpa == hpa && r->count == count) {
			r->hva = NULL;
			known = true;
		}
	}
	if (!known && s->unwatched) {
		s->unwatched--;
		known = true;
	}
	drop_guard(s);
	return known;
}

static bool pages_are_zero(const void *hva, size_t count)
{
	const uint64_t *words = hva;

	for (size_t i = 0; i < count * (SVM_PAGE_SIZE / sizeof(*words)); i++)
		if (words[i])
			return false;
	return true;
}

static bool leads_back(struct checked_state *s, const uint8_t *hva, svm_hpa_t hpa, size_t count)
{
	const struct svm_hal *hal = s->hal;
	const uint64_t last = count * SVM_PAGE_SIZE - 1;
	const uint8_t *first_byte = hal->phys_to_virt(hal->ctx, hpa);
	const uint8_t *last_byte = hal->phys_to_virt(hal->ctx, hpa + last);

	/* Frames may be mapped more than once: what must agree is what stands there. */
	return first_byte && last_byte && *first_byte == hva[0] && *last_byte == hva[last];
}

static void *checked_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	struct checked_state *s = ctx;
	void *hva;

	want_thread(s, "svm_hal: frames_alloc with preemption or interrupts off");
	if (!count) {
		breach(s, "svm_hal: frames_alloc of nothing");
		return NULL;
	}
	hva = s->hal->frames_alloc(s->hal->ctx, count, hpa);
	if (!hva)
		return NULL;
	if (((uintptr_t)hva | *hpa) & (SVM_PAGE_SIZE - 1)) {
		breach(s, "svm_hal: frames_alloc gave frames that are not aligned");
	} else {
		if (!pages_are_zero(hva, count))
			breach(s, "svm_hal: frames_alloc gave frames that are not zeroed");
		if (!leads_back(s, hva, *hpa, count))
			breach(s, "svm_hal: phys_to_virt does not lead to fresh frames");
	}
	if (record_frames(s, hva, *hpa, count))
		breach(s, "svm_hal: frames_alloc gave frames that are in use");
	return hva;
}

static void checked_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	struct checked_state *s = ctx;

	want_thread(s, "svm_hal: frames_free with preemption or interrupts off");
	if (!hva || !forget_frames(s, hva, hpa, count)) {
		breach(s, "svm_hal: frames_free of what was not allocated, or twice");
		return;
	}
	s->hal->frames_free(s->hal->ctx, hva, hpa, count);
}

static void *checked_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	const struct checked_state *s = ctx;

	return s->hal->phys_to_virt(s->hal->ctx, hpa);
}

static uint32_t checked_cpu_id(void *ctx)
{
	struct checked_state *s = ctx;
	const uint32_t id = s->hal->cpu_id(s->hal->ctx);

	if (id >= s->hal->cpu_max)
		breach(s, "svm_hal: cpu_id is not below cpu_max");
	return id;
}

static void checked_cpu_kick(void *ctx, uint32_t cpu)
{
	struct checked_state *s = ctx;

	if (cpu < s->hal->cpu_max)
		s->hal->cpu_kick(s->hal->ctx, cpu);
	else
		breach(s, "svm_hal: cpu_kick of a CPU that does not exist");
}

/* The depth is of the CPU that the caller is pinned to, so it counts inside the pinned stretch. */
static void checked_preempt_off(void *ctx)
{
	struct checked_state *s = ctx;

	s->completed.preempt_off(s->hal->ctx);
	this_cpu(s)->preempt_depth++;
}

static void checked_preempt_on(void *ctx)
{
	struct checked_state *s = ctx;
	struct cpu_record *cpu = this_cpu(s);

	if (!cpu->preempt_depth) {
		breach(s, "svm_hal: preempt_on without preempt_off");
		return;
	}
	cpu->preempt_depth--;
	s->completed.preempt_on(s->hal->ctx);
}

static uint64_t checked_irq_save(void *ctx)
{
	struct checked_state *s = ctx;
	const uint64_t flags = s->completed.irq_save(s->hal->ctx);

	this_cpu(s)->irq_depth++;
	return flags;
}

static void checked_irq_restore(void *ctx, uint64_t flags)
{
	struct checked_state *s = ctx;
	struct cpu_record *cpu = this_cpu(s);

	if (!cpu->irq_depth) {
		breach(s, "svm_hal: irq_restore without irq_save");
		return;
	}
	cpu->irq_depth--;
	s->completed.irq_restore(s->hal->ctx, flags);
}

static void checked_fpu_begin(void *ctx)
{
	struct checked_state *s = ctx;
	struct cpu_record *cpu = this_cpu(s);

	if (cpu->fpu_depth)
		breach(s, "svm_hal: fpu_begin inside fpu_begin");
	s->hal->fpu_begin(s->hal->ctx);
	cpu->fpu_depth = 1;
}

static void checked_fpu_end(void *ctx)
{
	struct checked_state *s = ctx;
	struct cpu_record *cpu = this_cpu(s);

	if (!cpu->fpu_depth) {
		breach(s, "svm_hal: fpu_end without fpu_begin");
		return;
	}
	cpu->fpu_depth = 0;
	s->hal->fpu_end(s->hal->ctx);
}

/* Put lock in place of the first word that is from; false: there is none. */
static bool replace_held(struct checked_state *s, const uintptr_t *from, uintptr_t *lock)
{
	bool done = false;

	take_guard(s);
	for (unsigned i = 0; i < LOCKS_MAX && !done; i++) {
		if (s->held[i] == from) {
			s->held[i] = lock;
			done = true;
		}
	}
	drop_guard(s);
	return done;
}

static void checked_mutex_lock(void *ctx, uintptr_t *lock)
{
	struct checked_state *s = ctx;

	want_thread(s, "svm_hal: mutex_lock with preemption or interrupts off");
	s->completed.mutex_lock(s->hal->ctx, lock);
	if (!replace_held(s, NULL, lock))
		breach(s, "svm_hal: more mutexes are held at once than the library has use for");
}

static void checked_mutex_unlock(void *ctx, uintptr_t *lock)
{
	struct checked_state *s = ctx;

	if (!replace_held(s, lock, NULL)) {
		breach(s, "svm_hal: mutex_unlock of a lock that is free");
		return;
	}
	s->completed.mutex_unlock(s->hal->ctx, lock);
}

static bool checked_should_exit(void *ctx)
{
	const struct checked_state *s = ctx;

	return s->completed.should_exit(s->hal->ctx);
}

static void checked_log(void *ctx, enum svm_log_level level, const char *line)
{
	const struct checked_state *s = ctx;

	s->completed.log(s->hal->ctx, level, line);
}

static void checked_bug(void *ctx, const char *what)
{
	const struct checked_state *s = ctx;

	s->hal->bug(s->hal->ctx, what);
}

static bool checked_machine_check(void *ctx)
{
	const struct checked_state *s = ctx;

	return s->hal->machine_check(s->hal->ctx);
}

static uint64_t checked_clock_ns(void *ctx)
{
	const struct checked_state *s = ctx;

	return s->hal->clock_ns(s->hal->ctx);
}

static void checked_timer_arm(void *ctx, uint64_t deadline_ns)
{
	const struct checked_state *s = ctx;

	s->hal->timer_arm(s->hal->ctx, deadline_ns);
}

static bool checked_rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	const struct checked_state *s = ctx;

	return s->hal->rdmsr_safe(s->hal->ctx, msr, value);
}

static bool checked_wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	const struct checked_state *s = ctx;

	return s->hal->wrmsr_safe(s->hal->ctx, msr, value);
}

static bool checked_may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	const struct checked_state *s = ctx;

	return s->hal->may_map(s->hal->ctx, vm, hpa, count);
}

int svm_hal_checked_init(struct svm_hal *checked, const struct svm_hal *hal, void *state)
{
	struct checked_state *s = state;

	if (svm_hal_missing_entry(hal))
		return SVM_ERR_HAL_MISSING;
	s->hal = hal;
	s->completed = *hal;
	svm_hal_complete(&s->completed);

	/* Where NULL has a meaning that only the host object knows, NULL it stays. */
	*checked = (struct svm_hal){
		.size = hal->size,
		.abi = hal->abi,
		.ctx = s,
		.cpu_max = hal->cpu_max,
		.tsc_hz = hal->tsc_hz,
		.frames_alloc = checked_frames_alloc,
		.frames_free = checked_frames_free,
		.phys_to_virt = checked_phys_to_virt,
		.cpu_id = checked_cpu_id,
		.cpu_kick = checked_cpu_kick,
		.preempt_off = checked_preempt_off,
		.preempt_on = checked_preempt_on,
		.irq_save = checked_irq_save,
		.irq_restore = checked_irq_restore,
		.fpu_begin = hal->fpu_begin && hal->fpu_end ? checked_fpu_begin : NULL,
		.fpu_end = hal->fpu_begin && hal->fpu_end ? checked_fpu_end : NULL,
		.mutex_lock = checked_mutex_lock,
		.mutex_unlock = checked_mutex_unlock,
		.should_exit = checked_should_exit,
		.log = checked_log,
		.bug = hal->bug ? checked_bug : NULL,
		.machine_check = hal->machine_check ? checked_machine_check : NULL,
		.clock_ns = hal->clock_ns ? checked_clock_ns : NULL,
		.timer_arm = hal->timer_arm ? checked_timer_arm : NULL,
		.rdmsr_safe = hal->rdmsr_safe ? checked_rdmsr_safe : NULL,
		.wrmsr_safe = hal->wrmsr_safe ? checked_wrmsr_safe : NULL,
		.may_map = hal->may_map ? checked_may_map : NULL,
		.features = hal->features,
	};
	return 0;
}

uint64_t svm_hal_checked_leaks(const struct svm_hal *checked)
{
	struct checked_state *s = checked->ctx;
	uint64_t frames = 0;

	take_guard(s);
	for (size_t i = 0; i < RECORDS_MAX; i++)
		if (s->records[i].hva)
			frames += s->records[i].count;
	drop_guard(s);
	return frames;
}

uint64_t svm_hal_checked_breaches(const struct svm_hal *checked)
{
	const struct checked_state *s = checked->ctx;

	return svm_atomic_load(&s->breaches);
}
