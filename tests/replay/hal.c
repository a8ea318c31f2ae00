/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The host of a replay: frames at the addresses that the recorded host gave, and the pages of guest
 * memory that the library read there.
 *
 * The same addresses, so that a VMCB is the same to the bit.  They are a name here and no place:
 * the capture says which frame is where, so none may be two things at once, or what a guest chose
 * would be written over the library's own objects.
 */
#include "player.h"

#include <stdlib.h>
#include <string.h>

#define RUNS          4096u
#define FRAMES        (64u << 8)  /* 64 MiB in all. */
#define PAGES         (64u << 8)  /* The same. */
#define RANGES        4096u
#define PHYSICAL_BITS 52

struct run {
	svm_hpa_t hpa;
	size_t count;
	uint8_t *hva;
	bool is_vcpu;
};

struct page {
	svm_hpa_t hpa;
	uint64_t sum; /* What it has to be when control leaves. */
	bool is_touched;
	bool is_unsure; /* The sum tells nothing: others wrote too. */
	uint8_t *bytes;
};

/* What a VM may reach. */
struct range {
	const struct svm_vm *vm;
	svm_hpa_t hpa;
	uint64_t count;
};

static struct {
	struct svm_hal hal;
	struct svm_feature_mask features;
	uint64_t entries;
	unsigned runs, ranges, pages;
	size_t frames;
	struct run run[RUNS];
	struct range range[RANGES];
	struct page page[2 * PAGES]; /* A hash table, never full; bytes == NULL: free. */
	unsigned touches;
	struct page *touched[PAGES];
} host;

static bool overlap(svm_hpa_t a, uint64_t a_count, svm_hpa_t b, uint64_t b_count)
{
	return a < b + b_count * PLAYER_PAGE && b < a + a_count * PLAYER_PAGE;
}

static void check_address(svm_hpa_t hpa, uint64_t count)
{
	if (hpa % PLAYER_PAGE || hpa >> PHYSICAL_BITS ||
	    count > ((UINT64_C(1) << PHYSICAL_BITS) - hpa) / PLAYER_PAGE)
		player_refuse("no frames are at 0x%llx", (unsigned long long)hpa);
}

/* --- frames of the library -------------------------------------------------------------------- */

static struct run *run_of(svm_hpa_t hpa)
{
	for (unsigned i = 0; i < host.runs; i++)
		if (hpa - host.run[i].hpa < host.run[i].count * PLAYER_PAGE)
			return &host.run[i];
	return NULL;
}

uint8_t *player_frame(svm_hpa_t hpa, size_t *left)
{
	const struct run *run = run_of(hpa);

	if (!run)
		return NULL;
	*left = run->count * PLAYER_PAGE - (hpa - run->hpa);
	return run->hva + (hpa - run->hpa);
}

size_t player_vcpu_left(const void *hva)
{
	const uintptr_t at = (uintptr_t)hva;

	for (unsigned i = 0; i < host.runs; i++) {
		const uintptr_t from = (uintptr_t)host.run[i].hva;

		if (at >= from && at - from < host.run[i].count * PLAYER_PAGE)
			return host.run[i].is_vcpu ? host.run[i].count * PLAYER_PAGE - (at - from)
			                           : 0;
	}
	return 0;
}

static void check_free(svm_hpa_t hpa, size_t count)
{
	for (unsigned i = 0; i < host.runs; i++)
		if (overlap(host.run[i].hpa, host.run[i].count, hpa, count))
			player_refuse("frames at 0x%llx are given twice", (unsigned long long)hpa);
	for (unsigned i = 0; i < host.ranges; i++)
		if (overlap(host.range[i].hpa, host.range[i].count, hpa, count))
			player_refuse("frames at 0x%llx are a guest's", (unsigned long long)hpa);
}

static void *frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	struct run run = { .count = count, .is_vcpu = player_makes_vcpu() };

	(void)ctx;
	player_expect_for(SVM_CAPTURE_FRAMES, "the count of frames_alloc()", count);
	run.hpa = reader_number();
	if (!run.hpa)
		return NULL;
	check_address(run.hpa, count);
	check_free(run.hpa, count);
	if (host.runs == RUNS || !count || count > FRAMES - host.frames)
		player_refuse("the library's frames are too many for a replay");
	run.hva = aligned_alloc(PLAYER_PAGE, count * PLAYER_PAGE);
	if (!run.hva)
		player_refuse("no memory");
	memset(run.hva, 0, count * PLAYER_PAGE);
	host.run[host.runs++] = run;
	host.frames += count;
	*hpa = run.hpa;
	player_take_async();
	return run.hva;
}

static void frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	struct run *run = run_of(hpa);

	(void)ctx;
	if (!run || run->hpa != hpa || run->hva != hva || run->count != count) {
		player_diverge();
		player_say("frames_free() of what frames_alloc() did not give");
		player_diverged();
	}
	free(run->hva);
	host.frames -= count;
	*run = host.run[--host.runs];
}

/* --- guest memory ----------------------------------------------------------------------------- */

static struct page *page_of(svm_hpa_t hpa)
{
	size_t at = (size_t)(hpa / PLAYER_PAGE * 0x9e3779b97f4a7c15 >> 32) % (2 * PAGES);

	while (host.page[at].bytes && host.page[at].hpa != hpa)
		at = (at + 1) % (2 * PAGES);
	return &host.page[at];
}

static void make_page(struct page *page, svm_hpa_t hpa)
{
	check_address(hpa, 1);
	if (host.pages == PAGES)
		player_refuse("the pages of guest memory are too many for a replay");
	page->bytes = aligned_alloc(PLAYER_PAGE, PLAYER_PAGE);
	if (!page->bytes)
		player_refuse("no memory");
	page->hpa = hpa;
	host.pages++;
}

/* The next event is about a page: this one, or one that the library comes to later. */
static void load_page(svm_hpa_t wanted)
{
	struct page *page = page_of(wanted);

	if (reader_peek_number() != wanted)
		return;
	reader_skip_tag();
	(void)reader_number();
	if (!page->bytes)
		make_page(page, wanted);
	memcpy(page->bytes, reader_bytes(PLAYER_PAGE, "a page"), PLAYER_PAGE);
	page->sum = svm_capture_sum(page->bytes);
}

/* They may come before the library has written: it asks for nothing in between. */
void player_take_writes(void)
{
	for (;;) {
		struct page *page;
		unsigned tag;

		player_take_late();
		tag = reader_peek();
		if (tag != SVM_CAPTURE_WROTE && tag != SVM_CAPTURE_UNSURE)
			return;
		reader_skip_tag();
		page = page_of(reader_number());
		if (!page->bytes)
			player_refuse("a page changed that was not read");
		page->is_unsure = tag == SVM_CAPTURE_UNSURE;
		if (!page->is_unsure)
			page->sum = reader_number();
	}
}

void player_check_writes(void)
{
	player_take_writes();
	for (unsigned i = 0; i < host.touches; i++) {
		struct page *page = host.touched[i];
		const uint64_t sum = svm_capture_sum(page->bytes);

		page->is_touched = false;
		if (page->is_unsure)
			page->sum = sum;
		page->is_unsure = false;
		if (page->sum == sum)
			continue;
		player_diverge();
		player_say("the library leaves other bytes in the guest's page at 0x%llx",
		           (unsigned long long)page->hpa);
		player_diverged();
	}
	host.touches = 0;
}

static void *phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	const svm_hpa_t frame = hpa - hpa % PLAYER_PAGE;
	struct page *page;
	size_t left;
	uint8_t *own = player_frame(hpa, &left);

	(void)ctx;
	if (own)
		return own;
	player_take_writes();
	if (reader_peek() == SVM_CAPTURE_NOWHERE) {
		player_expect_for(SVM_CAPTURE_NOWHERE, "the address of phys_to_virt()", hpa);
		return NULL;
	}
	if (reader_peek() == SVM_CAPTURE_PAGE)
		load_page(frame);
	player_take_async();
	page = page_of(frame);
	if (!page->bytes) {
		player_diverge();
		player_say("the library reads guest memory at host address 0x%llx, and did not",
		           (unsigned long long)frame);
		player_diverged();
	}
	if (!page->is_touched)
		host.touched[host.touches++] = page;
	page->is_touched = true;
	return page->bytes + hpa % PLAYER_PAGE;
}

static bool may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	bool answer = true;

	(void)ctx;
	if (host.entries & SVM_CAPTURE_HAS_MAY_MAP) {
		player_expect(SVM_CAPTURE_MAY_MAP);
		answer = reader_below(2, "may_map()");
	}
	if (!answer)
		return false;
	check_address(hpa - hpa % PLAYER_PAGE, count);
	for (unsigned i = 0; i < host.runs; i++)
		if (overlap(host.run[i].hpa, host.run[i].count, hpa, count))
			player_refuse("frames of the library at 0x%llx as guest memory",
			              (unsigned long long)hpa);
	if (host.ranges == RANGES)
		player_refuse("the ranges of guest memory are too many for a replay");
	host.range[host.ranges++] = (struct range){ vm, hpa, count };
	return true;
}

void player_forget_vm(const struct svm_vm *vm)
{
	for (unsigned i = 0; i < host.ranges;) {
		if (host.range[i].vm == vm)
			host.range[i] = host.range[--host.ranges];
		else
			i++;
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

static uint32_t cpu_id(void *ctx)
{
	(void)ctx;
	player_expect(SVM_CAPTURE_CPU_ID);
	return (uint32_t)player_read(reader_below(host.hal.cpu_max, "the CPU"));
}

static void cpu_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	(void)cpu;
}

static bool should_exit(void *ctx)
{
	(void)ctx;
	player_expect(SVM_CAPTURE_SHOULD_EXIT);
	return player_read(reader_below(2, "should_exit()"));
}

static bool machine_check(void *ctx)
{
	(void)ctx;
	player_expect(SVM_CAPTURE_MACHINE_CHECK);
	return player_read(reader_below(2, "machine_check()"));
}

static uint64_t clock_ns(void *ctx)
{
	(void)ctx;
	player_expect(SVM_CAPTURE_CLOCK);
	return player_read(reader_number());
}

static bool rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	uint64_t read;

	(void)ctx;
	player_expect_for(SVM_CAPTURE_RDMSR_SAFE, "the MSR of rdmsr_safe()", msr);
	read = reader_number();
	if (!player_read(reader_below(2, "rdmsr_safe()")))
		return false;
	*value = read;
	return true;
}

static bool wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	(void)ctx;
	player_expect_for(SVM_CAPTURE_WRMSR_SAFE, "the MSR of wrmsr_safe()", msr);
	player_same("the value for wrmsr_safe()", value, reader_number());
	return player_read(reader_below(2, "wrmsr_safe()"));
}

static void nothing(void *ctx)
{
	(void)ctx;
}

static uint64_t irq_save(void *ctx)
{
	(void)ctx;
	player_take_entering();
	return 0;
}

static void irq_restore(void *ctx, uint64_t flags)
{
	(void)ctx;
	(void)flags;
}

static void bug(void *ctx, const char *what)
{
	(void)ctx;
	player_say("the library calls bug(): %s", what);
}

static void set_entries(struct svm_hal *hal, uint64_t has)
{
	if (has & SVM_CAPTURE_HAS_IRQ) {
		hal->irq_save = irq_save;
		hal->irq_restore = irq_restore;
	}
	if (has & SVM_CAPTURE_HAS_FPU)
		hal->fpu_begin = hal->fpu_end = nothing;
	hal->should_exit = has & SVM_CAPTURE_HAS_SHOULD_EXIT ? should_exit : NULL;
	hal->machine_check = has & SVM_CAPTURE_HAS_MACHINE_CHECK ? machine_check : NULL;
	hal->clock_ns = has & SVM_CAPTURE_HAS_CLOCK ? clock_ns : NULL;
	hal->rdmsr_safe = has & SVM_CAPTURE_HAS_RDMSR ? rdmsr_safe : NULL;
	hal->wrmsr_safe = has & SVM_CAPTURE_HAS_WRMSR ? wrmsr_safe : NULL;
	hal->features = has & SVM_CAPTURE_HAS_FEATURES ? &host.features : NULL;
}

const struct svm_hal *player_hal(void)
{
	host.hal = (struct svm_hal){
		.size = sizeof(struct svm_hal),
		.abi = SVM_HAL_ABI,
		.frames_alloc = frames_alloc,
		.frames_free = frames_free,
		.phys_to_virt = phys_to_virt,
		.cpu_id = cpu_id,
		.cpu_kick = cpu_kick,
		.may_map = may_map,
		.bug = bug,
	};
	host.hal.cpu_max = (uint32_t)reader_below(SVM_CPU_MAX + 1u, "cpu_max");
	host.hal.tsc_hz = reader_number();
	host.entries = reader_number();
	host.features.svm_edx = (uint32_t)reader_number();
	host.features.svm_ecx = (uint32_t)reader_number();
	host.features.no_huge_1g = reader_below(2, "no_huge_1g");
	set_entries(&host.hal, host.entries);
	return &host.hal;
}
