/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The conformance kit: each clause of hal.h that can be tried on a running host, by name.
 *
 * Most first ports fail in frames_alloc(): a virtual address where a physical one was asked for,
 * frames that are not contiguous, not zeroed, or above MAXPHYADDR.  On the way to a guest such a
 * mistake shows as a refused VMRUN or as corrupted memory much later, so each is looked for by
 * writing through one address and reading through the other.
 *
 * Every clause is reported exactly once, in the order of the list.  What cannot be seen from here
 * is not claimed: that a kick interrupts another CPU is proved by the self-test's guests.
 */
#include <libsvm/host.h>

#include "core/core.h"
#include "core/hal_default.h"
#include "hal/ring0.h"

/* X(id, name, sentence) */
#define CLAUSES(X)                                                                                 \
	X(TABLE_SIZE, "table.size", "size is sizeof(struct svm_hal)")                              \
	X(TABLE_ABI, "table.abi", "abi is SVM_HAL_ABI")                                            \
	X(TABLE_MANDATORY, "table.mandatory", "all five mandatory entries are there")              \
	X(TABLE_PAIRS, "table.pairs", "entries that undo each other are both there or neither")    \
	X(CPU_MAX, "table.cpu_max", "cpu_max is 1 to SVM_CPU_MAX")                                 \
	X(TSC_HZ, "table.tsc_hz", "tsc_hz is a plausible rate: 1 MHz to 100 GHz")                  \
	X(ALLOC, "frames_alloc.gives", "a single frame and three contiguous ones can be had")      \
	X(ALIGNED, "frames_alloc.aligned", "frames are aligned to 4096 bytes in both addresses")   \
	X(ZEROED, "frames_alloc.zeroed", "fresh frames hold zeros")                                \
	X(MAXPHYADDR, "frames_alloc.maxphyaddr", "frames lie below the processor's MAXPHYADDR")    \
	X(ROUND_TRIP, "phys_to_virt.round_trip", "phys_to_virt leads to what hva shows")           \
	X(WRITABLE, "phys_to_virt.writable", "what is written there is seen through hva")          \
	X(CONTIGUOUS, "frames_alloc.contiguous", "page i of count is found at hpa + 4096 * i")     \
	X(DISTINCT, "frames_alloc.distinct", "two allocations share no frame")                     \
	X(REZEROED, "frames_alloc.rezeroed", "frames that were freed dirty come back zeroed")      \
	X(CPU_ID_RANGE, "cpu_id.range", "cpu_id is below cpu_max")                                 \
	X(CPU_ID_STABLE, "cpu_id.stable", "cpu_id stays the same while pinned")                    \
	X(PREEMPT, "preempt.nests", "preempt_off and preempt_on nest and return")                  \
	X(IRQ_ENTRY, "irq.on_entry", "the check was called with interrupts on")                    \
	X(IRQ_OFF, "irq.off", "irq_save turns interrupts off")                                     \
	X(IRQ_NESTS, "irq.nests", "an inner irq_restore leaves them off")                          \
	X(IRQ_ON, "irq.on", "the outer irq_restore turns them on again")                           \
	X(KICK, "cpu_kick.self", "a kick of this CPU returns, with interrupts on and off")         \
	X(MUTEX_TAKES, "mutex.takes", "mutex_lock marks its own word and no other")                \
	X(MUTEX_FREES, "mutex.frees", "mutex_unlock makes the word zero, which means free")        \
	X(FPU, "fpu.pair", "fpu_begin and fpu_end return, twice in a row")                         \
	X(SHOULD_EXIT, "should_exit.returns", "should_exit returns")                               \
	X(LOG, "log.returns", "log returns")                                                       \
	X(CLOCK_FORWARD, "clock_ns.forward", "clock_ns never goes backwards, and advances")        \
	X(CLOCK_RATE, "clock_ns.rate", "clock_ns and the TSC agree by tsc_hz to one eighth")       \
	X(TIMER, "timer_arm.returns", "timer_arm returns for a far deadline and for never")        \
	X(RDMSR_SAFE, "rdmsr_safe.reads", "rdmsr_safe reads EFER as RDMSR does")                   \
	X(RDMSR_SURVIVES, "rdmsr_safe.survives", "rdmsr_safe returns for an MSR that is not there")

enum clause {
#define CLAUSE_ENUM(id, name, text) CLAUSE_##id,
	CLAUSES(CLAUSE_ENUM)
#undef CLAUSE_ENUM
		CLAUSE_COUNT,
};

static const struct {
	const char *name, *text;
} clause_texts[CLAUSE_COUNT] = {
#define CLAUSE_TEXT(id, name, text) { name, text },
	CLAUSES(CLAUSE_TEXT)
#undef CLAUSE_TEXT
};

#define CONTIGUOUS_PAGES 3u
#define CPU_ID_READS     1000u
#define CLOCK_READS      1000u
#define CLOCK_SPINS      100000000u
#define MSR_EFER         0xc0000080u
#define MSR_NONE         0xc001fff0u
#define FLAGS_IF         SVM_BIT(9)

struct check {
	const struct svm_hal *given;
	struct svm_hal hal; /* Completed, so that an absent entry need not be asked for. */
	void (*report)(void *arg, const struct svm_hal_check_result *result);
	void *arg;
	unsigned failed;
	enum clause next; /* Clauses are reported in order. */
};

static void report_clause(struct check *c, enum clause clause, bool passed, bool skipped,
                          uint64_t observed)
{
	const struct svm_hal_check_result result = {
		.clause = clause_texts[clause].name,
		.text = clause_texts[clause].text,
		.passed = passed,
		.skipped = skipped,
		.observed = observed,
	};

	if (!passed && !skipped)
		c->failed++;
	if (c->report)
		c->report(c->arg, &result);
}

/* Clauses between the last one said and this one could not be tried. */
static void skip_to(struct check *c, enum clause clause)
{
	for (unsigned i = c->next; i < (unsigned)clause; i++)
		report_clause(c, (enum clause)i, false, true, 0);
	c->next = clause;
}

static bool put(struct check *c, enum clause clause, bool passed, uint64_t observed)
{
	skip_to(c, clause);
	report_clause(c, clause, passed, false, observed);
	c->next = (enum clause)(clause + 1);
	return passed;
}

/* Number of the entry that lacks its partner, from 1 on; 0: none. */
static uint64_t lonely_entry(const struct svm_hal *hal)
{
	if (!hal->preempt_off != !hal->preempt_on)
		return 1;
	if (!hal->irq_save != !hal->irq_restore)
		return 2;
	if (!hal->fpu_begin != !hal->fpu_end)
		return 3;
	if (!hal->mutex_lock != !hal->mutex_unlock)
		return 4;
	if (!hal->rdmsr_safe != !hal->wrmsr_safe)
		return 5;
	return 0;
}

/* False: no entry can be called. */
static bool check_table(struct check *c)
{
	const struct svm_hal *hal = c->given;
	uint64_t lonely;

	if (!put(c, CLAUSE_TABLE_SIZE, hal->size == sizeof(*hal), hal->size))
		return false;
	if (!put(c, CLAUSE_TABLE_ABI, hal->abi == SVM_HAL_ABI, hal->abi))
		return false;
	if (!put(c, CLAUSE_TABLE_MANDATORY, !svm_hal_missing_entry(hal), 0))
		return false;
	lonely = lonely_entry(hal);
	(void)put(c, CLAUSE_TABLE_PAIRS, !lonely, lonely);
	(void)put(c, CLAUSE_CPU_MAX, hal->cpu_max && hal->cpu_max <= SVM_CPU_MAX, hal->cpu_max);
	(void)put(c, CLAUSE_TSC_HZ,
	          hal->tsc_hz >= UINT64_C(1000000) && hal->tsc_hz <= UINT64_C(100000000000),
	          hal->tsc_hz);
	c->hal = *hal;
	svm_hal_complete(&c->hal);
	return true;
}

/* Offset of the first byte that is not zero; size if there is none. */
static size_t first_nonzero(const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && !bytes[i])
		i++;
	return i;
}

static uint64_t physical_limit(void)
{
	uint8_t bits = 36;

	if (svm_ring0_cpuid(0x80000000, 0).eax >= 0x80000008)
		bits = (uint8_t)svm_ring0_cpuid(0x80000008, 0).eax;
	return bits < 64 ? SVM_BIT(bits) : UINT64_MAX;
}

static uint8_t *page_of(const struct check *c, svm_hpa_t hpa)
{
	return c->hal.phys_to_virt(c->hal.ctx, hpa);
}

/* First page whose mark, written through hva, is not found by its physical address. */
static uint64_t first_lost_page(const struct check *c, uint8_t *hva, svm_hpa_t hpa, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		hva[i * SVM_PAGE_SIZE] = (uint8_t)(0x10 + i);
		hva[i * SVM_PAGE_SIZE + SVM_PAGE_SIZE - 1] = (uint8_t)(0x80 + i);
	}
	for (size_t i = 0; i < count; i++) {
		const svm_hpa_t page = hpa + i * SVM_PAGE_SIZE;
		const uint8_t *first = page_of(c, page);
		const uint8_t *last = page_of(c, page + SVM_PAGE_SIZE - 1);

		if (!first || !last || *first != 0x10 + i || *last != 0x80 + i)
			return i;
	}
	return count;
}

/* Frames under test: one, and three in a row. */
struct samples {
	uint8_t *one, *three;
	svm_hpa_t one_hpa, three_hpa;
};

static void check_addresses(struct check *c, const struct samples *s)
{
	const uint64_t low_bits =
		((uintptr_t)s->one | s->one_hpa | (uintptr_t)s->three | s->three_hpa) &
		(SVM_PAGE_SIZE - 1);
	const size_t clean = first_nonzero(s->one, SVM_PAGE_SIZE);
	const size_t clean_3 = first_nonzero(s->three, CONTIGUOUS_PAGES * SVM_PAGE_SIZE);
	const svm_hpa_t end = s->one_hpa > s->three_hpa
	                              ? s->one_hpa + SVM_PAGE_SIZE
	                              : s->three_hpa + CONTIGUOUS_PAGES * SVM_PAGE_SIZE;

	(void)put(c, CLAUSE_ALIGNED, !low_bits, low_bits);
	(void)put(c, CLAUSE_ZEROED,
	          clean == SVM_PAGE_SIZE && clean_3 == CONTIGUOUS_PAGES * SVM_PAGE_SIZE,
	          clean == SVM_PAGE_SIZE ? clean_3 : clean);
	(void)put(c, CLAUSE_MAXPHYADDR, end <= physical_limit(), end);
}

static void check_mapping(struct check *c, const struct samples *s)
{
	uint64_t lost = first_lost_page(c, s->one, s->one_hpa, 1);
	uint8_t *back;

	if (!put(c, CLAUSE_ROUND_TRIP, lost == 1, s->one_hpa))
		return;
	back = page_of(c, s->one_hpa);
	back[SVM_PAGE_SIZE / 2] = 0x5a;
	(void)put(c, CLAUSE_WRITABLE, s->one[SVM_PAGE_SIZE / 2] == 0x5a, s->one_hpa);
	lost = first_lost_page(c, s->three, s->three_hpa, CONTIGUOUS_PAGES);
	(void)put(c, CLAUSE_CONTIGUOUS, lost == CONTIGUOUS_PAGES,
	          s->three_hpa + lost * SVM_PAGE_SIZE);
	/* By address, and by what writing to the three did to the one. */
	(void)put(c, CLAUSE_DISTINCT,
	          (s->one_hpa + SVM_PAGE_SIZE <= s->three_hpa ||
	           s->one_hpa >= s->three_hpa + CONTIGUOUS_PAGES * SVM_PAGE_SIZE) &&
	                  s->one[0] == 0x10 && s->one[SVM_PAGE_SIZE / 2] == 0x5a,
	          s->one_hpa);
}

static void check_rezeroed(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	svm_hpa_t hpa = 0;
	uint8_t *hva = hal->frames_alloc(hal->ctx, 1, &hpa);
	size_t clean;

	if (!hva)
		return;
	memset(hva, 0xff, SVM_PAGE_SIZE);
	hal->frames_free(hal->ctx, hva, hpa, 1);
	hva = hal->frames_alloc(hal->ctx, 1, &hpa);
	if (!hva)
		return;
	clean = first_nonzero(hva, SVM_PAGE_SIZE);
	(void)put(c, CLAUSE_REZEROED, clean == SVM_PAGE_SIZE, clean);
	hal->frames_free(hal->ctx, hva, hpa, 1);
}

static void check_frames(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	struct samples s = { NULL, NULL, 0, 0 };

	s.one = hal->frames_alloc(hal->ctx, 1, &s.one_hpa);
	s.three = hal->frames_alloc(hal->ctx, CONTIGUOUS_PAGES, &s.three_hpa);
	if (put(c, CLAUSE_ALLOC, s.one && s.three, !!s.one + (uint64_t) !!s.three)) {
		check_addresses(c, &s);
		check_mapping(c, &s);
		skip_to(c, CLAUSE_REZEROED);
	}
	if (s.three)
		hal->frames_free(hal->ctx, s.three, s.three_hpa, CONTIGUOUS_PAGES);
	if (s.one)
		hal->frames_free(hal->ctx, s.one, s.one_hpa, 1);
	if (s.one && s.three)
		check_rezeroed(c);
}

static void check_cpu(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	const uint32_t id = hal->cpu_id(hal->ctx);
	uint32_t other = id;

	(void)put(c, CLAUSE_CPU_ID_RANGE, id < hal->cpu_max, id);
	hal->preempt_off(hal->ctx);
	for (unsigned i = 0; i < CPU_ID_READS && other == id; i++)
		other = hal->cpu_id(hal->ctx);
	hal->preempt_on(hal->ctx);
	(void)put(c, CLAUSE_CPU_ID_STABLE, other == id, other);
	if (!c->given->preempt_off || !c->given->preempt_on)
		return;
	hal->preempt_off(hal->ctx);
	hal->preempt_off(hal->ctx);
	hal->preempt_on(hal->ctx);
	other = hal->cpu_id(hal->ctx);
	hal->preempt_on(hal->ctx);
	(void)put(c, CLAUSE_PREEMPT, other == id, other);
}

/* RFLAGS.IF of this CPU, without asking the HAL. */
static bool interrupts_are_on(void)
{
	const uint64_t flags = svm_ring0_irq_save();

	svm_ring0_irq_restore(flags);
	return flags & FLAGS_IF;
}

static void check_irq(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	const bool before = interrupts_are_on();
	uint64_t outer, inner;
	bool off, still_off, on;

	(void)put(c, CLAUSE_IRQ_ENTRY, before, before);
	outer = hal->irq_save(hal->ctx);
	off = !interrupts_are_on();
	inner = hal->irq_save(hal->ctx);
	hal->irq_restore(hal->ctx, inner);
	still_off = !interrupts_are_on();
	hal->irq_restore(hal->ctx, outer);
	on = interrupts_are_on();
	(void)put(c, CLAUSE_IRQ_OFF, off, !off);
	(void)put(c, CLAUSE_IRQ_NESTS, still_off, !still_off);
	(void)put(c, CLAUSE_IRQ_ON, on == before, on);
	if (before && !on) /* The clauses to come, and the caller, want them on. */
		svm_ring0_irq_restore(svm_ring0_irq_save() | FLAGS_IF);
}

static void check_kick(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	const uint32_t id = hal->cpu_id(hal->ctx);
	uint64_t flags;

	if (id >= hal->cpu_max)
		return;
	hal->preempt_off(hal->ctx);
	hal->cpu_kick(hal->ctx, id);
	flags = hal->irq_save(hal->ctx);
	hal->cpu_kick(hal->ctx, id);
	hal->irq_restore(hal->ctx, flags);
	hal->preempt_on(hal->ctx);
	(void)put(c, CLAUSE_KICK, true, id);
}

static void check_mutex(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	uintptr_t a = 0, b = 0;
	bool takes;

	if (!c->given->mutex_lock || !c->given->mutex_unlock)
		return;
	hal->mutex_lock(hal->ctx, &a);
	takes = svm_atomic_load(&a) && !svm_atomic_load(&b);
	hal->mutex_lock(hal->ctx, &b);
	takes = takes && svm_atomic_load(&b);
	hal->mutex_unlock(hal->ctx, &b);
	takes = takes && svm_atomic_load(&a);
	hal->mutex_unlock(hal->ctx, &a);
	(void)put(c, CLAUSE_MUTEX_TAKES, takes, takes);
	(void)put(c, CLAUSE_MUTEX_FREES, !svm_atomic_load(&a) && !svm_atomic_load(&b), a | b);
}

static void check_callable(struct check *c)
{
	const struct svm_hal *hal = &c->hal;

	if (c->given->fpu_begin && c->given->fpu_end) {
		for (unsigned i = 0; i < 2; i++) {
			hal->preempt_off(hal->ctx);
			hal->fpu_begin(hal->ctx);
			hal->fpu_end(hal->ctx);
			hal->preempt_on(hal->ctx);
		}
		(void)put(c, CLAUSE_FPU, true, 2);
	}
	if (c->given->should_exit)
		(void)put(c, CLAUSE_SHOULD_EXIT, true, hal->should_exit(hal->ctx));
	if (c->given->log) {
		hal->log(hal->ctx, SVM_LOG_DEBUG, "svm_hal_check: a line of text");
		(void)put(c, CLAUSE_LOG, true, 0);
	}
}

/* Spin for some ticks; the TSC may be broken, so not for ever. */
static uint64_t spin(uint64_t ticks)
{
	const uint64_t start = svm_ring0_rdtsc();
	uint64_t gone = 0;

	for (unsigned i = 0; i < CLOCK_SPINS && gone < ticks; i++)
		gone = svm_ring0_rdtsc() - start;
	return gone;
}

static void check_clock(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	const uint64_t wait = hal->tsc_hz / 500; /* 2 ms: an interrupt or two do not matter. */
	uint64_t start, last, backwards = 0, before, inside, outside, ns;

	if (!hal->clock_ns)
		return;
	last = hal->clock_ns(hal->ctx);
	for (unsigned i = 0; i < CLOCK_READS; i++) {
		const uint64_t now = hal->clock_ns(hal->ctx);

		if (now < last)
			backwards = last - now;
		last = now;
	}
	hal->preempt_off(hal->ctx);
	before = svm_ring0_rdtsc();
	start = hal->clock_ns(hal->ctx);
	inside = spin(wait);
	ns = hal->clock_ns(hal->ctx) - start;
	outside = svm_ring0_rdtsc() - before;
	hal->preempt_on(hal->ctx);
	(void)put(c, CLAUSE_CLOCK_FORWARD, !backwards && ns, backwards);
	if (inside < wait || hal->tsc_hz < 1000000)
		return;
	/* Whoever takes the CPU away between two reads makes the outer interval longer too. */
	inside = inside * 1000 / (hal->tsc_hz / 1000000);
	outside = outside * 1000 / (hal->tsc_hz / 1000000);
	(void)put(c, CLAUSE_CLOCK_RATE, ns >= inside - inside / 8 && ns <= outside + outside / 8,
	          ns);
}

static void check_timer(struct check *c)
{
	const struct svm_hal *hal = &c->hal;

	if (!hal->timer_arm || !hal->clock_ns)
		return;
	hal->preempt_off(hal->ctx);
	hal->timer_arm(hal->ctx, hal->clock_ns(hal->ctx) + UINT64_C(3600000000000));
	hal->timer_arm(hal->ctx, UINT64_MAX);
	hal->preempt_on(hal->ctx);
	(void)put(c, CLAUSE_TIMER, true, 0);
}

static void check_msrs(struct check *c)
{
	const struct svm_hal *hal = &c->hal;
	uint64_t value = 0;
	bool there;

	if (!c->given->rdmsr_safe)
		return;
	there = hal->rdmsr_safe(hal->ctx, MSR_EFER, &value);
	(void)put(c, CLAUSE_RDMSR_SAFE, there && value == svm_ring0_rdmsr(MSR_EFER), value);
	/* Either answer is right: some emulated processors have every MSR. */
	there = hal->rdmsr_safe(hal->ctx, MSR_NONE, &value);
	(void)put(c, CLAUSE_RDMSR_SURVIVES, true, there);
}

unsigned svm_hal_check(const struct svm_hal *hal,
                       void (*report)(void *arg, const struct svm_hal_check_result *result),
                       void *arg)
{
	struct check c = { .given = hal, .report = report, .arg = arg };

	if (check_table(&c)) {
		check_frames(&c);
		check_cpu(&c);
		check_irq(&c);
		check_kick(&c);
		check_mutex(&c);
		check_callable(&c);
		check_clock(&c);
		check_timer(&c);
		check_msrs(&c);
	}
	skip_to(&c, CLAUSE_COUNT);
	return c.failed;
}
