/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the library reads through the HAL: guest memory above all.
 *
 * The library looks at guest memory through pointers, and nobody sees which bytes it reads.  But it
 * asks phys_to_virt() for each page each time, since it is told of no direct map: so a page that is
 * not as it was when last asked for is recorded whole.  What the library itself changed in it is
 * found out when control leaves, and recorded as a sum, for a replay to compare.
 */
#include "capture/capture.h"

#define RUNS    2048u
#define PAGES   1024u
#define TOUCHED 64u

/* Frames of frames_alloc(). */
struct run {
	svm_hpa_t hpa;
	uint64_t count;
	uint8_t *hva;
	bool is_vcpu;
};

struct page {
	svm_hpa_t hpa;
	uint64_t sum; /* When it was last looked at. */
	const void *hva;
};

static struct {
	struct svm_hal own, wrapped;
	unsigned runs, touches;
	struct run run[RUNS];          /* By hpa. */
	struct page page[PAGES];       /* At hpa's own place, or another's is there. */
	struct page *touched[TOUCHED]; /* Since control came in. */
} memory;

void svm_capture_reset_memory(void)
{
	memory.runs = memory.touches = 0;
	for (unsigned i = 0; i < PAGES; i++)
		memory.page[i].hpa = UINT64_MAX;
}

bool svm_capture_host_lives(void)
{
	return memory.runs != 0;
}

/* --- frames of the library -------------------------------------------------------------------- */

/* Number of runs that begin at or below an address. */
static unsigned runs_below(svm_hpa_t hpa)
{
	unsigned low = 0, high = memory.runs;

	while (low < high) {
		const unsigned middle = (low + high) / 2;

		if (memory.run[middle].hpa <= hpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct run *run_of(svm_hpa_t hpa)
{
	const unsigned below = runs_below(hpa);
	const struct run *run = &memory.run[below ? below - 1 : 0];

	return below && hpa - run->hpa < run->count * SVM_PAGE_SIZE ? run : NULL;
}

void *svm_capture_frame(svm_hpa_t hpa)
{
	const struct run *run = run_of(hpa);

	return run ? run->hva + (hpa - run->hpa) : NULL;
}

bool svm_capture_is_guest_state(const void *hva)
{
	const uint8_t *at = hva;

	for (unsigned i = 0; i < memory.runs; i++)
		if (at >= memory.run[i].hva &&
		    (size_t)(at - memory.run[i].hva) < memory.run[i].count * SVM_PAGE_SIZE)
			return memory.run[i].is_vcpu;
	return false;
}

static void add_run(struct run run)
{
	const unsigned at = runs_below(run.hpa);

	if (memory.runs == RUNS) {
		svm_capture_lose();
		return;
	}
	memmove(&memory.run[at + 1], &memory.run[at], (memory.runs - at) * sizeof(run));
	memory.run[at] = run;
	memory.runs++;
}

static void *frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *const hva = memory.own.frames_alloc(ctx, count, hpa);

	if (!svm_capture_inside())
		return hva;
	svm_capture_asyncs();
	svm_capture_event(SVM_CAPTURE_FRAMES);
	svm_capture_number(count);
	svm_capture_number(hva ? *hpa : 0);
	if (hva)
		add_run((struct run){ *hpa, count, hva, svm_capture_makes_vcpu() });
	return hva;
}

static void frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	const unsigned below = runs_below(hpa);

	if (below && memory.run[below - 1].hpa == hpa) {
		memory.runs--;
		memmove(&memory.run[below - 1], &memory.run[below],
		        (memory.runs - (below - 1)) * sizeof(memory.run[0]));
	}
	memory.own.frames_free(ctx, hva, hpa, count);
}

/* --- guest memory ----------------------------------------------------------------------------- */

static bool is_touched(svm_hpa_t hpa)
{
	for (unsigned i = 0; i < memory.touches; i++)
		if (memory.touched[i]->hpa == hpa)
			return true;
	return false;
}

static void record_page(svm_hpa_t hpa, const void *hva)
{
	svm_capture_event(SVM_CAPTURE_PAGE);
	svm_capture_number(hpa);
	svm_capture_bytes(hva, SVM_PAGE_SIZE);
}

static void touch(svm_hpa_t hpa, const void *hva)
{
	struct page *page = &memory.page[hpa / SVM_PAGE_SIZE % PAGES];
	uint64_t sum;

	if (is_touched(hpa))
		return;
	/* Another's place: what was written there is told first. */
	if (memory.touches == TOUCHED || (page->hpa != hpa && is_touched(page->hpa)))
		svm_capture_writes();
	sum = svm_capture_sum(hva);
	if (page->hpa != hpa || page->sum != sum)
		record_page(hpa, hva);
	*page = (struct page){ hpa, sum, hva };
	memory.touched[memory.touches++] = page;
}

void svm_capture_writes(void)
{
	for (unsigned i = 0; i < memory.touches; i++) {
		struct page *page = memory.touched[i];
		const uint64_t sum = svm_capture_sum(page->hva);

		if (sum == page->sum)
			continue;
		page->sum = sum;
		svm_capture_event(SVM_CAPTURE_WROTE);
		svm_capture_number(page->hpa);
		svm_capture_number(sum);
	}
	memory.touches = 0;
}

static void *phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	uint8_t *const hva = memory.own.phys_to_virt(ctx, hpa);

	if (!svm_capture_inside() || run_of(hpa))
		return hva;
	svm_capture_asyncs();
	if (hva) {
		touch(hpa & SVM_PAGE_MASK, hva - (hpa & ~SVM_PAGE_MASK));
	} else {
		svm_capture_event(SVM_CAPTURE_NOWHERE);
		svm_capture_number(hpa);
	}
	return hva;
}

/* --- the rest of the HAL ---------------------------------------------------------------------- */

static uint64_t answer(enum svm_capture_event event, uint64_t value)
{
	if (svm_capture_inside()) {
		svm_capture_asyncs();
		svm_capture_event(event);
		svm_capture_number(value);
	}
	return value;
}

static uint32_t cpu_id(void *ctx)
{
	return (uint32_t)answer(SVM_CAPTURE_CPU_ID, memory.own.cpu_id(ctx));
}

static uint64_t irq_save(void *ctx)
{
	const uint64_t flags = memory.own.irq_save(ctx);

	svm_capture_entering();
	return flags;
}

static bool should_exit(void *ctx)
{
	return answer(SVM_CAPTURE_SHOULD_EXIT, memory.own.should_exit(ctx));
}

static bool machine_check(void *ctx)
{
	return answer(SVM_CAPTURE_MACHINE_CHECK, memory.own.machine_check(ctx));
}

static uint64_t clock_ns(void *ctx)
{
	return answer(SVM_CAPTURE_CLOCK, memory.own.clock_ns(ctx));
}

static bool may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	return answer(SVM_CAPTURE_MAY_MAP, memory.own.may_map(ctx, vm, hpa, count));
}

static void safe_msr(enum svm_capture_event event, uint32_t msr, uint64_t value, bool done)
{
	if (!svm_capture_inside())
		return;
	svm_capture_asyncs();
	svm_capture_event(event);
	svm_capture_number(msr);
	svm_capture_number(value);
	svm_capture_number(done);
}

static bool rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	const bool done = memory.own.rdmsr_safe(ctx, msr, value);

	safe_msr(SVM_CAPTURE_RDMSR_SAFE, msr, done ? *value : 0, done);
	return done;
}

static bool wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	const bool done = memory.own.wrmsr_safe(ctx, msr, value);

	safe_msr(SVM_CAPTURE_WRMSR_SAFE, msr, value, done);
	return done;
}

#define WRAP(entry)                                                                                \
	do {                                                                                       \
		if (memory.wrapped.entry)                                                          \
			memory.wrapped.entry = entry;                                              \
	} while (0)

/* An entry that is absent stays absent: the library acts upon that. */
const struct svm_hal *svm_capture_hal(const struct svm_hal *hal)
{
	memory.own = memory.wrapped = *hal;
	WRAP(frames_alloc);
	WRAP(frames_free);
	WRAP(phys_to_virt);
	WRAP(cpu_id);
	WRAP(irq_save);
	WRAP(should_exit);
	WRAP(machine_check);
	WRAP(clock_ns);
	WRAP(rdmsr_safe);
	WRAP(wrmsr_safe);
	WRAP(may_map);
	return &memory.wrapped;
}
