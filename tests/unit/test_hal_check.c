/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The conformance kit and the checking wrapper against ports that are broken on purpose: one
 * mistake each, and the clause that has to find it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/host.h>

#include "core/core.h"
#include "hal/ring0.h"
#include "hosted.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define PAGE          4096u

/* --- a port that keeps the contract, with every optional entry --- */

static struct hosted_machine *machine;
static const struct svm_hal *base;
static struct svm_hal good;
static unsigned bugs;
static char last_bug[200];

static void *good_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	(void)ctx;
	return base->frames_alloc(base->ctx, count, hpa);
}
static void good_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)ctx;
	base->frames_free(base->ctx, hva, hpa, count);
}
static void *good_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	return base->phys_to_virt(base->ctx, hpa);
}
static uint32_t good_cpu_id(void *ctx)
{
	(void)ctx;
	return base->cpu_id(base->ctx);
}
static void good_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	base->cpu_kick(base->ctx, cpu);
}
static void good_nothing(void *ctx)
{
	(void)ctx;
}
static uint64_t good_irq_save(void *ctx)
{
	(void)ctx;
	return svm_ring0_irq_save();
}
static void good_irq_restore(void *ctx, uint64_t flags)
{
	(void)ctx;
	svm_ring0_irq_restore(flags);
}
static void good_lock(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	*lock = 1;
}
static void good_unlock(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	*lock = 0;
}
static bool good_should_exit(void *ctx)
{
	(void)ctx;
	return false;
}
static void good_log(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	ck_assert_ptr_nonnull(line);
}
static void good_bug(void *ctx, const char *what)
{
	(void)ctx;
	bugs++;
	snprintf(last_bug, sizeof(last_bug), "%s", what);
}
static uint64_t good_clock(void *ctx)
{
	(void)ctx;
	return svm_ring0_rdtsc(); /* The machine's TSC counts nanoseconds. */
}
static void good_timer(void *ctx, uint64_t deadline)
{
	(void)ctx;
	(void)deadline;
}
static bool good_rdmsr(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	if (msr != 0xc0000080)
		return false;
	*value = svm_ring0_rdmsr(msr);
	return true;
}
static bool good_wrmsr(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	(void)msr;
	(void)value;
	return false;
}

static void setup(void)
{
	machine = hosted_create(NULL);
	hosted_become(machine, 0);
	base = hosted_hal(machine);
	svm_ring0_irq_restore(0x202);
	bugs = 0;
	good = (struct svm_hal){
		.size = sizeof(struct svm_hal),
		.abi = SVM_HAL_ABI,
		.cpu_max = 1,
		.tsc_hz = 1000000000,
		.frames_alloc = good_alloc,
		.frames_free = good_free,
		.phys_to_virt = good_phys_to_virt,
		.cpu_id = good_cpu_id,
		.cpu_kick = good_kick,
		.preempt_off = good_nothing,
		.preempt_on = good_nothing,
		.irq_save = good_irq_save,
		.irq_restore = good_irq_restore,
		.fpu_begin = good_nothing,
		.fpu_end = good_nothing,
		.mutex_lock = good_lock,
		.mutex_unlock = good_unlock,
		.should_exit = good_should_exit,
		.log = good_log,
		.bug = good_bug,
		.clock_ns = good_clock,
		.timer_arm = good_timer,
		.rdmsr_safe = good_rdmsr,
		.wrmsr_safe = good_wrmsr,
	};
}

static void teardown(void)
{
	hosted_leave();
	hosted_destroy(machine); /* Frames that the kit kept would be a breach. */
}

/* --- verdicts --- */

#define VERDICTS_MAX 64

static struct svm_hal_check_result verdicts[VERDICTS_MAX];
static unsigned verdict_count;

static void keep_verdict(void *arg, const struct svm_hal_check_result *result)
{
	ck_assert_ptr_eq(arg, verdicts);
	ck_assert_uint_lt(verdict_count, VERDICTS_MAX);
	verdicts[verdict_count++] = *result;
}

static unsigned run_check(const struct svm_hal *hal)
{
	verdict_count = 0;
	return svm_hal_check(hal, keep_verdict, verdicts);
}

static const struct svm_hal_check_result *verdict_on(const char *clause)
{
	for (unsigned i = 0; i < verdict_count; i++)
		if (!strcmp(verdicts[i].clause, clause))
			return &verdicts[i];
	ck_abort_msg("no clause %s", clause);
	return NULL;
}

START_TEST(a_good_port_passes_every_clause)
{
	const unsigned failed = run_check(&good);

	for (unsigned i = 0; i < verdict_count; i++)
		ck_assert_msg(verdicts[i].passed && !verdicts[i].skipped, "%s", verdicts[i].clause);
	ck_assert_uint_eq(failed, 0);
	ck_assert_uint_eq(verdict_count, 33);
	ck_assert_uint_eq(svm_hal_check(&good, NULL, NULL), 0);
}
END_TEST

START_TEST(a_minimal_port_passes_and_the_rest_is_skipped)
{
	unsigned skipped = 0;

	ck_assert_uint_eq(run_check(base), 0);
	for (unsigned i = 0; i < verdict_count; i++) {
		ck_assert(verdicts[i].passed != verdicts[i].skipped);
		skipped += verdicts[i].skipped;
	}
	ck_assert_uint_eq(verdict_count, 33);
	ck_assert_uint_eq(skipped, 10);
}
END_TEST

/* --- ports with one mistake --- */

static struct svm_hal bad;

static void bad_size(void)
{
	bad.size--;
}
static void bad_abi(void)
{
	bad.abi++;
}
static void no_kick(void)
{
	bad.cpu_kick = NULL;
}
static void lonely_irq(void)
{
	bad.irq_restore = NULL;
}
static void lonely_mutex(void)
{
	bad.mutex_lock = NULL;
}
static void no_cpus(void)
{
	bad.cpu_max = 0;
}
static void too_many_cpus(void)
{
	bad.cpu_max = SVM_CPU_MAX + 1;
}
static void no_tsc(void)
{
	bad.tsc_hz = 0;
}

static void *empty_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	return count > 1 ? NULL : good_alloc(ctx, count, hpa);
}
static void no_three(void)
{
	bad.frames_alloc = empty_alloc;
}

/* One frame more, so that an address in the middle of a frame can be given out. */
static void *crooked_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	uint8_t *hva = good_alloc(ctx, count + 1, hpa);

	*hpa += 64;
	return hva + 64;
}
static void crooked_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	good_free(ctx, (uint8_t *)hva - 64, hpa - 64, count + 1);
}
static void unaligned(void)
{
	bad.frames_alloc = crooked_alloc;
	bad.frames_free = crooked_free;
}

static void *dirty_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	uint8_t *hva = good_alloc(ctx, count, hpa);

	hva[count * PAGE - 1] = 1;
	return hva;
}
static void not_zeroed(void)
{
	bad.frames_alloc = dirty_alloc;
}

/* Physical addresses that no processor can reach. */
static void *high_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *hva = good_alloc(ctx, count, hpa);

	*hpa |= 1ull << 52;
	return hva;
}
static void high_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	good_free(ctx, hva, hpa & ~(1ull << 52), count);
}
static void *high_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	return good_phys_to_virt(ctx, hpa & ~(1ull << 52));
}
static void beyond_maxphyaddr(void)
{
	bad.frames_alloc = high_alloc;
	bad.frames_free = high_free;
	bad.phys_to_virt = high_phys_to_virt;
}

static uint8_t elsewhere[PAGE];

static void *lost_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	return elsewhere + (hpa & (PAGE - 1));
}
static void leads_elsewhere(void)
{
	bad.phys_to_virt = lost_phys_to_virt;
}
static void *null_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	(void)hpa;
	return NULL;
}
static void leads_nowhere(void)
{
	bad.phys_to_virt = null_phys_to_virt;
}
/* The start of each frame is right, the rest is not: a port that forgets the offset. */
static void *start_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	return good_phys_to_virt(ctx, hpa & ~(svm_hpa_t)(PAGE - 1));
}
static void forgets_the_offset(void)
{
	bad.phys_to_virt = start_phys_to_virt;
}
/* A snapshot: reads are right, writes are lost. */
static void *copy_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	const svm_hpa_t offset = hpa & (PAGE - 1);

	memcpy(elsewhere, good_phys_to_virt(ctx, hpa - offset), PAGE);
	return elsewhere + offset;
}
static void loses_writes(void)
{
	bad.phys_to_virt = copy_phys_to_virt;
}

/* Virtually contiguous, physically not: the second page is another frame. */
static svm_hpa_t scattered_at, stray_hpa;
static void *stray;

static void *scattered_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *hva = good_alloc(ctx, count, hpa);

	if (count > 1)
		scattered_at = *hpa + PAGE;
	return hva;
}
static void *scattered_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	if (scattered_at && hpa >= scattered_at && hpa < scattered_at + PAGE)
		return elsewhere + (hpa & (PAGE - 1));
	return good_phys_to_virt(ctx, hpa);
}
static void not_contiguous(void)
{
	scattered_at = 0;
	bad.frames_alloc = scattered_alloc;
	bad.phys_to_virt = scattered_phys_to_virt;
}

/* The same frames each time. */
static void *same_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	(void)ctx;
	memset(stray, 0, count * PAGE);
	*hpa = stray_hpa;
	return stray;
}
static void same_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)ctx;
	(void)hva;
	(void)hpa;
	(void)count;
}
static void gives_twice(void)
{
	stray = good_alloc(NULL, 3, &stray_hpa);
	bad.frames_alloc = same_alloc;
	bad.frames_free = same_free;
}

/* A free list without memset. */
static void *kept;
static svm_hpa_t kept_hpa;

static void keeping_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	if (count != 1 || kept) {
		good_free(ctx, hva, hpa, count);
		return;
	}
	kept = hva;
	kept_hpa = hpa;
}
static void *keeping_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *hva = kept;

	if (count != 1 || !kept)
		return good_alloc(ctx, count, hpa);
	*hpa = kept_hpa;
	kept = NULL;
	return hva;
}
static void recycles_dirty(void)
{
	kept = NULL;
	bad.frames_alloc = keeping_alloc;
	bad.frames_free = keeping_free;
}

/* For CPU numbers that the machine does not have. */
static void kick_nothing(void *ctx, uint32_t cpu)
{
	(void)ctx;
	(void)cpu;
}
static uint32_t high_cpu_id(void *ctx)
{
	(void)ctx;
	return 1;
}
static void cpu_out_of_range(void)
{
	bad.cpu_id = high_cpu_id;
}
static uint32_t drifting_cpu_id(void *ctx)
{
	static uint32_t calls;

	(void)ctx;
	return ++calls / 100 % 2;
}
static void cpu_drifts(void)
{
	bad.cpu_max = 2;
	bad.cpu_kick = kick_nothing;
	bad.cpu_id = drifting_cpu_id;
}
/* A flag where a counter is needed: the inner preempt_on lets the thread migrate. */
static bool is_pinned;

static void flag_off(void *ctx)
{
	(void)ctx;
	is_pinned = true;
}
static void flag_on(void *ctx)
{
	(void)ctx;
	is_pinned = false;
}
static uint32_t unpinned_cpu_id(void *ctx)
{
	static bool was_pinned;
	static uint32_t id;

	(void)ctx;
	if (was_pinned && !is_pinned)
		id = 1;
	was_pinned = is_pinned;
	return id;
}
static void preempt_is_a_flag(void)
{
	is_pinned = false;
	bad.cpu_max = 2;
	bad.cpu_kick = kick_nothing;
	bad.preempt_off = flag_off;
	bad.preempt_on = flag_on;
	bad.cpu_id = unpinned_cpu_id;
}

static void *no_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	(void)ctx;
	(void)count;
	(void)hpa;
	return NULL;
}
static void called_with_interrupts_off(void)
{
	(void)svm_ring0_irq_save();
	bad.frames_alloc = no_alloc; /* The machine forbids to allocate so. */
}

static uint64_t lazy_irq_save(void *ctx)
{
	(void)ctx;
	return 0x202;
}
static void irqs_stay_on(void)
{
	bad.irq_save = lazy_irq_save;
}
static void eager_irq_restore(void *ctx, uint64_t flags)
{
	(void)ctx;
	(void)flags;
	svm_ring0_irq_restore(0x202);
}
static void inner_restore_turns_on(void)
{
	bad.irq_restore = eager_irq_restore;
}
static void lazy_irq_restore(void *ctx, uint64_t flags)
{
	(void)ctx;
	(void)flags;
}
static void irqs_stay_off(void)
{
	bad.irq_restore = lazy_irq_restore;
}

static void lock_nothing(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	(void)lock;
}
static void mutex_marks_nothing(void)
{
	bad.mutex_lock = lock_nothing;
}
static void unlock_with_a_trace(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	*lock = 2;
}
static void mutex_leaves_a_mark(void)
{
	bad.mutex_unlock = unlock_with_a_trace;
}

static uint64_t jumping_clock(void *ctx)
{
	static uint64_t calls;

	return good_clock(ctx) - (++calls % 7 == 0 ? 1000000 : 0);
}
static void clock_goes_back(void)
{
	bad.clock_ns = jumping_clock;
}
static uint64_t standing_clock(void *ctx)
{
	(void)ctx;
	return 42;
}
static void clock_stands(void)
{
	bad.clock_ns = standing_clock;
}
static uint64_t microsecond_clock(void *ctx)
{
	return good_clock(ctx) / 1000;
}
static void clock_counts_microseconds(void)
{
	bad.clock_ns = microsecond_clock;
}
static void tsc_hz_is_half(void)
{
	bad.tsc_hz = 500000000;
}

static bool deaf_rdmsr(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	(void)msr;
	(void)value;
	return false;
}
static void rdmsr_never_reads(void)
{
	bad.rdmsr_safe = deaf_rdmsr;
}
static bool wrong_rdmsr(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)good_rdmsr(ctx, msr, value);
	*value = (uint32_t)*value ^ 0x400u;
	return true;
}
static void rdmsr_is_wrong(void)
{
	bad.rdmsr_safe = wrong_rdmsr;
}

static const struct {
	void (*break_it)(void);
	const char *clause;
	unsigned failures; /* That clause, and what follows from the same mistake. */
} broken_rows[] = {
	{ bad_size, "table.size", 1 },
	{ bad_abi, "table.abi", 1 },
	{ no_kick, "table.mandatory", 1 },
	{ lonely_irq, "table.pairs", 1 },
	{ lonely_mutex, "table.pairs", 1 },
	{ no_cpus, "table.cpu_max", 2 }, /* No CPU id is below 0. */
	{ too_many_cpus, "table.cpu_max", 1 },
	{ no_tsc, "table.tsc_hz", 1 },
	{ no_three, "frames_alloc.gives", 1 },
	{ unaligned, "frames_alloc.aligned", 1 },
	{ not_zeroed, "frames_alloc.zeroed", 2 },
	{ beyond_maxphyaddr, "frames_alloc.maxphyaddr", 1 },
	{ leads_elsewhere, "phys_to_virt.round_trip", 1 },
	{ leads_nowhere, "phys_to_virt.round_trip", 1 },
	{ forgets_the_offset, "phys_to_virt.round_trip", 1 },
	{ loses_writes, "phys_to_virt.writable", 2 },
	{ not_contiguous, "frames_alloc.contiguous", 1 },
	{ gives_twice, "frames_alloc.distinct", 1 },
	{ recycles_dirty, "frames_alloc.rezeroed", 1 },
	{ cpu_out_of_range, "cpu_id.range", 1 },
	{ cpu_drifts, "cpu_id.stable", 2 },
	{ preempt_is_a_flag, "preempt.nests", 1 },
	{ called_with_interrupts_off, "irq.on_entry", 2 },
	{ irqs_stay_on, "irq.off", 2 },
	{ inner_restore_turns_on, "irq.nests", 1 },
	{ irqs_stay_off, "irq.on", 1 },
	{ mutex_marks_nothing, "mutex.takes", 1 },
	{ mutex_leaves_a_mark, "mutex.frees", 1 },
	{ clock_goes_back, "clock_ns.forward", 1 },
	{ clock_stands, "clock_ns.forward", 2 },
	{ clock_counts_microseconds, "clock_ns.rate", 1 },
	{ tsc_hz_is_half, "clock_ns.rate", 1 },
	{ rdmsr_never_reads, "rdmsr_safe.reads", 1 },
	{ rdmsr_is_wrong, "rdmsr_safe.reads", 1 },
};

START_TEST(a_mistake_is_found_by_its_clause)
{
	unsigned failed;

	bad = good;
	stray = NULL;
	broken_rows[_i].break_it();
	failed = run_check(&bad);
	ck_assert_uint_eq(verdict_count, 33);
	ck_assert_msg(!verdict_on(broken_rows[_i].clause)->passed &&
	                      !verdict_on(broken_rows[_i].clause)->skipped,
	              "%s held", broken_rows[_i].clause);
	if (failed != broken_rows[_i].failures)
		for (unsigned i = 0; i < verdict_count; i++)
			if (!verdicts[i].passed && !verdicts[i].skipped)
				printf("row %d: %s failed\n", _i, verdicts[i].clause);
	ck_assert_uint_eq(failed, broken_rows[_i].failures);
	svm_ring0_irq_restore(0x202);
	if (stray)
		good_free(NULL, stray, stray_hpa, 3);
	if (kept)
		good_free(NULL, kept, kept_hpa, 1);
}
END_TEST

/* --- the wrapper --- */

static uint64_t block[SVM_HAL_CHECKED_SIZE / 8];
static struct svm_hal checked;

static void wrap(const struct svm_hal *hal)
{
	memset(block, 0, sizeof(block));
	bugs = 0;
	ck_assert_int_eq(svm_hal_checked_init(&checked, hal, block), 0);
}

static void expect_breach(const char *words)
{
	ck_assert_msg(bugs == 1, "%u breaches, not 1: %s", bugs, words);
	ck_assert_msg(strstr(last_bug, words), "\"%s\" does not say \"%s\"", last_bug, words);
	ck_assert_uint_eq(svm_hal_checked_breaches(&checked), 1);
}

START_TEST(a_good_port_wrapped_is_still_good)
{
	wrap(&good);
	ck_assert_uint_eq(run_check(&checked), 0);
	ck_assert_uint_eq(svm_hal_checked_breaches(&checked), 0);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 0);
	ck_assert_uint_eq(bugs, 0);
	wrap(base);
	ck_assert_ptr_null((const void *)(uintptr_t)checked.fpu_begin);
	ck_assert_ptr_null((const void *)(uintptr_t)checked.clock_ns);
	ck_assert_uint_eq(run_check(&checked), 0);
}
END_TEST

START_TEST(a_port_without_a_mandatory_entry_is_not_wrapped)
{
	bad = good;
	bad.phys_to_virt = NULL;
	ck_assert_int_eq(svm_hal_checked_init(&checked, &bad, block), SVM_ERR_HAL_MISSING);
}
END_TEST

START_TEST(frames_are_counted)
{
	svm_hpa_t a_hpa, b_hpa;
	void *a, *b;

	wrap(&good);
	a = checked.frames_alloc(checked.ctx, 1, &a_hpa);
	b = checked.frames_alloc(checked.ctx, 5, &b_hpa);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 6);
	checked.frames_free(checked.ctx, a, a_hpa, 1);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 5);
	checked.frames_free(checked.ctx, b, b_hpa, 5);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 0);
	ck_assert_uint_eq(bugs, 0);
}
END_TEST

/* More allocations than the block has room for: what is not watched is neither a leak nor a breach.
 */
START_TEST(a_full_block_stops_watching_and_not_the_host)
{
	static void *hva[700];
	static svm_hpa_t hpa[700];

	wrap(&good);
	for (int i = 0; i < ARRAY_SIZE(hva); i++) {
		hva[i] = checked.frames_alloc(checked.ctx, 1, &hpa[i]);
		ck_assert_ptr_nonnull(hva[i]);
	}
	ck_assert_uint_lt(svm_hal_checked_leaks(&checked), 700);
	ck_assert_uint_gt(svm_hal_checked_leaks(&checked), 400);
	for (int i = 0; i < ARRAY_SIZE(hva); i++)
		checked.frames_free(checked.ctx, hva[i], hpa[i], 1);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 0);
	ck_assert_uint_eq(bugs, 0);
}
END_TEST

static void free_twice(void)
{
	svm_hpa_t hpa;
	void *hva = checked.frames_alloc(checked.ctx, 1, &hpa);

	checked.frames_free(checked.ctx, hva, hpa, 1);
	checked.frames_free(checked.ctx, hva, hpa, 1);
}
static void free_with_another_count(void)
{
	svm_hpa_t hpa;
	void *hva = checked.frames_alloc(checked.ctx, 2, &hpa);

	checked.frames_free(checked.ctx, hva, hpa, 1);
	ck_assert_uint_eq(svm_hal_checked_leaks(&checked), 2);
	good_free(NULL, hva, hpa, 2);
}
static void alloc_nothing(void)
{
	svm_hpa_t hpa;

	ck_assert_ptr_null(checked.frames_alloc(checked.ctx, 0, &hpa));
}
static void alloc_while_pinned(void)
{
	svm_hpa_t hpa;
	void *hva;

	checked.preempt_off(checked.ctx);
	hva = checked.frames_alloc(checked.ctx, 1, &hpa);
	checked.preempt_on(checked.ctx);
	checked.frames_free(checked.ctx, hva, hpa, 1);
}
static void lock_with_interrupts_off(void)
{
	uintptr_t lock = 0;
	const uint64_t flags = checked.irq_save(checked.ctx);

	checked.mutex_lock(checked.ctx, &lock);
	checked.irq_restore(checked.ctx, flags);
	checked.mutex_unlock(checked.ctx, &lock);
}
static void unlock_what_is_free(void)
{
	uintptr_t lock = 0;

	checked.mutex_lock(checked.ctx, &lock);
	checked.mutex_unlock(checked.ctx, &lock);
	checked.mutex_unlock(checked.ctx, &lock);
}
static void preempt_on_alone(void)
{
	checked.preempt_on(checked.ctx);
}
static void irq_restore_alone(void)
{
	checked.irq_restore(checked.ctx, 0x202);
}
static void fpu_twice(void)
{
	checked.fpu_begin(checked.ctx);
	checked.fpu_begin(checked.ctx);
	checked.fpu_end(checked.ctx);
}
static void fpu_end_alone(void)
{
	checked.fpu_end(checked.ctx);
}
static void kick_nobody(void)
{
	checked.cpu_kick(checked.ctx, 1);
}

static const struct {
	void (*misuse)(void);
	const char *words;
} misuse_rows[] = {
	{ free_twice, "frames_free of what was not allocated, or twice" },
	{ free_with_another_count, "frames_free of what was not allocated, or twice" },
	{ alloc_nothing, "frames_alloc of nothing" },
	{ alloc_while_pinned, "frames_alloc with preemption or interrupts off" },
	{ lock_with_interrupts_off, "mutex_lock with preemption or interrupts off" },
	{ unlock_what_is_free, "mutex_unlock of a lock that is free" },
	{ preempt_on_alone, "preempt_on without preempt_off" },
	{ irq_restore_alone, "irq_restore without irq_save" },
	{ fpu_twice, "fpu_begin inside fpu_begin" },
	{ fpu_end_alone, "fpu_end without fpu_begin" },
	{ kick_nobody, "cpu_kick of a CPU that does not exist" },
};

START_TEST(the_caller_s_breach_is_told)
{
	wrap(&good);
	misuse_rows[_i].misuse();
	expect_breach(misuse_rows[_i].words);
}
END_TEST

static const struct {
	void (*break_it)(void);
	const char *words;
} port_rows[] = {
	{ not_zeroed, "not zeroed" },
	{ leads_nowhere, "does not lead to fresh frames" },
};

START_TEST(the_port_s_breach_is_told)
{
	svm_hpa_t hpa;
	void *hva;

	bad = good;
	port_rows[_i].break_it();
	wrap(&bad);
	hva = checked.frames_alloc(checked.ctx, 1, &hpa);
	expect_breach(port_rows[_i].words);
	checked.frames_free(checked.ctx, hva, hpa, 1);
}
END_TEST

START_TEST(a_frame_given_twice_is_told)
{
	svm_hpa_t hpa;

	bad = good;
	gives_twice();
	wrap(&bad);
	ck_assert_ptr_nonnull(checked.frames_alloc(checked.ctx, 1, &hpa));
	ck_assert_uint_eq(bugs, 0);
	ck_assert_ptr_nonnull(checked.frames_alloc(checked.ctx, 3, &hpa));
	expect_breach("in use");
	good_free(NULL, stray, stray_hpa, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hal_check");
	TCase *kit = tcase_create("kit");
	TCase *wrapper = tcase_create("wrapper");

	tcase_add_checked_fixture(kit, setup, teardown);
	tcase_add_test(kit, a_good_port_passes_every_clause);
	tcase_add_test(kit, a_minimal_port_passes_and_the_rest_is_skipped);
	tcase_add_loop_test(kit, a_mistake_is_found_by_its_clause, 0, ARRAY_SIZE(broken_rows));
	suite_add_tcase(suite, kit);
	tcase_add_checked_fixture(wrapper, setup, teardown);
	tcase_add_test(wrapper, a_good_port_wrapped_is_still_good);
	tcase_add_test(wrapper, a_port_without_a_mandatory_entry_is_not_wrapped);
	tcase_add_test(wrapper, frames_are_counted);
	tcase_add_test(wrapper, a_full_block_stops_watching_and_not_the_host);
	tcase_add_loop_test(wrapper, the_caller_s_breach_is_told, 0, ARRAY_SIZE(misuse_rows));
	tcase_add_loop_test(wrapper, the_port_s_breach_is_told, 0, ARRAY_SIZE(port_rows));
	tcase_add_test(wrapper, a_frame_given_twice_is_told);
	suite_add_tcase(suite, wrapper);

	SRunner *runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK); /* Some rows end their process. */
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
