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

#define RUNS 2048u

/* Frames of frames_alloc(). */
struct run {
	svm_hpa_t hpa;
	uint64_t count;
	uint8_t *hva;
	bool is_vcpu;
};

static struct {
	struct svm_hal own, wrapped;
	uint32_t lock; /* Atomic: for what follows, which branches share; held for moments. */
	unsigned runs;
	struct run run[RUNS]; /* By hpa. */
} memory;

static void lock(void)
{
	while (svm_atomic_exchange(&memory.lock, 1u))
		__builtin_ia32_pause();
}

static void unlock(void)
{
	svm_atomic_store_release(&memory.lock, 0u);
}

static void forget_page(struct svm_capture_page *page)
{
	page->hpa = UINT64_MAX;
}

void svm_capture_reset_memory(struct svm_capture_stream *stream)
{
	memory.runs = 0;
	stream->touches = 0;
	for (unsigned i = 0; i < SVM_CAPTURE_PAGES; i++)
		forget_page(&stream->page[i]);
}

uint32_t svm_capture_cpu(void)
{
	return memory.own.cpu_id(memory.own.ctx);
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

void *svm_capture_frame(svm_hpa_t hpa)
{
	const struct run *run;
	void *frame = NULL;
	unsigned below;

	lock();
	below = runs_below(hpa);
	run = &memory.run[below ? below - 1 : 0];
	if (below && hpa - run->hpa < run->count * SVM_PAGE_SIZE)
		frame = run->hva + (hpa - run->hpa);
	unlock();
	return frame;
}

bool svm_capture_is_guest_state(const void *hva)
{
	const uint8_t *at = hva;
	bool is_vcpu = false;

	lock();
	for (unsigned i = 0; i < memory.runs; i++)
		if (at >= memory.run[i].hva &&
		    (size_t)(at - memory.run[i].hva) < memory.run[i].count * SVM_PAGE_SIZE)
			is_vcpu = memory.run[i].is_vcpu;
	unlock();
	return is_vcpu;
}

static bool add_run(struct run run)
{
	bool has_room;
	unsigned at;

	lock();
	has_room = memory.runs < RUNS;
	if (has_room) {
		at = runs_below(run.hpa);
		memmove(&memory.run[at + 1], &memory.run[at], (memory.runs - at) * sizeof(run));
		memory.run[at] = run;
		memory.runs++;
	}
	unlock();
	return has_room;
}

static void remove_run(svm_hpa_t hpa)
{
	unsigned below;

	lock();
	below = runs_below(hpa);
	if (below && memory.run[below - 1].hpa == hpa) {
		memory.runs--;
		memmove(&memory.run[below - 1], &memory.run[below],
		        (memory.runs - (below - 1)) * sizeof(memory.run[0]));
	}
	unlock();
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
	if (hva && !add_run((struct run){ *hpa, count, hva, svm_capture_makes_vcpu() }))
		svm_capture_lose();
	return hva;
}

static void frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	remove_run(hpa);
	memory.own.frames_free(ctx, hva, hpa, count);
}

/* --- guest memory ----------------------------------------------------------------------------- */

static bool is_touched(const struct svm_capture_stream *stream, svm_hpa_t hpa)
{
	for (unsigned i = 0; i < stream->touches; i++)
		if (stream->touched[i]->hpa == hpa)
			return true;
	return false;
}

static void record_page(svm_hpa_t hpa, const void *bytes)
{
	svm_capture_event(SVM_CAPTURE_PAGE);
	svm_capture_number(hpa);
	svm_capture_bytes(bytes, SVM_PAGE_SIZE);
}

/* In company the library reads a copy: the same that is recorded, whoever writes meanwhile. */
static const uint8_t *copy_of(struct svm_capture_stream *stream, const void *hva)
{
	uint64_t *const copy = stream->copy[stream->copies++ % SVM_CAPTURE_COPIES];
	const uint64_t *const words = hva;

	for (unsigned i = 0; i < SVM_PAGE_SIZE / sizeof(*words); i++)
		copy[i] = svm_atomic_load_relaxed(&words[i]);
	return (const uint8_t *)copy;
}

/* Where the library reads the page. */
static const uint8_t *touch(struct svm_capture_stream *stream, svm_hpa_t hpa, const uint8_t *hva)
{
	struct svm_capture_page *page = &stream->page[hpa / SVM_PAGE_SIZE % SVM_CAPTURE_PAGES];
	const bool is_again = is_touched(stream, hpa);
	const uint8_t *bytes = hva;
	uint64_t sum;

	if (is_again && !stream->has_company)
		return hva;
	/* Another's place: what was written there is told first. */
	if (!is_again && (stream->touches == SVM_CAPTURE_TOUCHED ||
	                  (page->hpa != hpa && is_touched(stream, page->hpa))))
		svm_capture_writes();
	if (stream->has_company)
		bytes = copy_of(stream, hva);
	sum = svm_capture_sum(bytes);
	if (page->hpa != hpa || page->sum != sum)
		record_page(hpa, bytes);
	*page = (struct svm_capture_page){ hpa, sum, hva };
	if (!is_again)
		stream->touched[stream->touches++] = page;
	return bytes;
}

/* In company nobody knows who wrote: the page is recorded whole when it is asked for again. */
static void write_sum(struct svm_capture_stream *stream, struct svm_capture_page *page)
{
	const void *const bytes = stream->has_company ? copy_of(stream, page->hva) : page->hva;
	const uint64_t sum = svm_capture_sum(bytes);

	if (sum == page->sum)
		return;
	svm_capture_event(stream->has_company ? SVM_CAPTURE_UNSURE : SVM_CAPTURE_WROTE);
	svm_capture_number(page->hpa);
	if (stream->has_company) {
		forget_page(page);
		return;
	}
	page->sum = sum;
	svm_capture_number(sum);
}

void svm_capture_writes(void)
{
	struct svm_capture_stream *stream = svm_capture_stream();

	for (unsigned i = 0; i < stream->touches; i++)
		write_sum(stream, stream->touched[i]);
	stream->touches = 0;
}

static void *phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	struct svm_capture_stream *const stream = svm_capture_stream();
	uint8_t *const hva = memory.own.phys_to_virt(ctx, hpa);
	const uint64_t offset = hpa & ~SVM_PAGE_MASK;
	const uint8_t *bytes;

	if (!svm_capture_inside() || svm_capture_frame(hpa))
		return hva;
	svm_capture_asyncs();
	if (!hva) {
		svm_capture_event(SVM_CAPTURE_NOWHERE);
		svm_capture_number(hpa);
		return NULL;
	}
	bytes = touch(stream, hpa - offset, hva - offset);
	return stream->is_writing ? hva : (void *)(uintptr_t)(bytes + offset);
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
