/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: npt_random [OPERATIONS [SEED]]
 *
 * Bits of the seed choose the processor: 1 without 1 GiB leaves, 2 with 5 levels, 4 without large
 * leaves.
 *
 * Random operations on a VM's memory, each compared with the flat model of flat.h, and touches by
 * two strict processors that keep every translation until they are told to flush.
 *
 * A processor flushes exactly when a vCPU would: before an entry that finds a newer flush epoch.
 * So a translation that the library revoked without a flush is used here, and named.
 */
#include "random.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t operation;

static uint64_t seen_epoch[CPUS];
static uint64_t touches, hits, fills, refused[FLAT_AGAIN + 1], no_memory, fetched;

static struct {
	uint32_t first, last;
} pending[4]; /* Invalidations going on. */
static unsigned pending_count;

_Noreturn void fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: operation %llu: not so: %s\n", file, line,
	        (unsigned long long)operation, what);
	abort();
}

static bool is_revoked(uint32_t page)
{
	for (unsigned i = 0; i < pending_count; i++)
		if (page >= pending[i].first && page <= pending[i].last)
			return true;
	return false;
}

/* --- calls that may fail for want of frames --- */

static bool is_starved;

static void maybe_starve(void)
{
	is_starved = one_in(16);
	if (is_starved)
		hosted_fail_allocation(machine, 1 + draw(6));
}

/* False: the call found no memory, and changed nothing that the model knows of. */
static bool settled(int result, int expected)
{
	/* A change may need two pieces of a slot more. */
	const bool is_full = vm->memory.slots->count + 2 > SVM_SLOT_MAX;

	hosted_fail_allocation(machine, 0);
	if (result == SVM_ERR_NOMEM && (is_starved || is_full)) {
		no_memory++;
		return false;
	}
	CHECK(result == expected);
	return true;
}

static void top_up(void)
{
	CHECK(!svm_vm_reserve(vm, 0));
}

static void record(uint32_t page, uint32_t count, const struct svm_slot *slot)
{
	const uint32_t number = flat_new_slot();

	for (uint32_t i = 0; i < count; i++)
		flat[page + i] = (struct flat_page){
			.hpa = slot->kind == SVM_SLOT_FRAMES ? slot->frames[i]
			                                     : slot->hpa + ((uint64_t)i << 12),
			.slot = number,
			.prot = (uint8_t)slot->prot,
			.kind = (uint8_t)slot->kind,
		};
	heat(page);
	heat(page + count - 1);
}

static void do_map(void)
{
	const uint32_t page = draw_page(), count = draw_count(page);
	const struct svm_slot slot = { .gpa = flat_gpa(page),
		                       .prot = draw_prot(),
		                       .hpa = draw_hpa(page, count) };
	const bool is_free = flat_is_free(page, count);
	struct svm_mapping mapping;

	maybe_starve();
	if (!settled(svm_vm_map(vm, slot.gpa, slot.hpa, (uint64_t)count << 12, slot.prot),
	             is_free ? 0 : SVM_ERR_EXIST) ||
	    !is_free)
		return;
	record(page, count, &slot);
	for (uint32_t i = 0; i < count && !pending_count; i += 1 + count / 4)
		CHECK(!svm_vm_query(vm, flat_gpa(page + i), &mapping));
}

static void do_slot_add(void)
{
	const uint32_t page = draw_page(), count = draw_count(page);
	struct svm_slot slot = { .gpa = flat_gpa(page),
		                 .size = (uint64_t)count << 12,
		                 .prot = draw_prot(),
		                 .kind = (enum svm_slot_kind)draw(3),
		                 .hpa = draw_hpa(page, count) };
	const bool is_free = flat_is_free(page, count);

	slot.frames = &frames[page + (one_in(3) ? draw(FLAT_PAGES) : 0)];
	slot.resolve = resolve;
	slot.resolve_arg = backing;
	maybe_starve();
	if (settled(svm_vm_slot_add(vm, &slot), is_free ? 0 : SVM_ERR_EXIST) && is_free)
		record(page, count, &slot);
}

static void do_unmap(void)
{
	const uint32_t page = draw_used_page(false), count = draw_count(page);

	maybe_starve();
	if (settled(svm_vm_unmap(vm, flat_gpa(page), (uint64_t)count << 12), 0))
		flat_unmap(page, count);
}

static void do_slot_remove(void)
{
	const uint32_t page = one_in(3) ? draw_page() : flat_slot_first(draw_used_page(false));
	const bool begins = flat[page].slot && flat_slot_first(page) == page;

	maybe_starve();
	if (settled(svm_vm_slot_remove(vm, flat_gpa(page)), begins ? 0 : SVM_ERR_NOENT) && begins)
		flat_unmap(page, flat_slot_end(page) - page);
}

static void do_protect(void)
{
	const uint32_t page = draw_used_page(one_in(3)), count = draw_count(page),
		       prot = draw_prot();
	const bool is_covered = flat_is_covered(page, count);

	maybe_starve();
	if (!settled(svm_vm_protect(vm, flat_gpa(page), (uint64_t)count << 12, prot),
	             is_covered ? 0 : SVM_ERR_NOENT) ||
	    !is_covered)
		return;
	for (uint32_t i = page; i < page + count; i++)
		flat[i].prot = (uint8_t)prot;
	heat(page);
}

static void do_populate(void)
{
	const uint32_t page = draw_used_page(one_in(3)), count = draw_count(page);
	const bool is_covered = flat_is_covered(page, count);
	struct svm_mapping mapping;

	maybe_starve();
	if (!settled(svm_vm_populate(vm, flat_gpa(page), (uint64_t)count << 12),
	             is_covered ? 0 : SVM_ERR_NOENT) ||
	    !is_covered || pending_count)
		return;
	for (uint32_t i = (uint32_t)draw(16); i < count; i += 1 + (uint32_t)draw(count / 4 + 1))
		if (flat[page + i].kind != SVM_SLOT_RESOLVE)
			CHECK(!svm_vm_query(vm, flat_gpa(page + i), &mapping));
}

static void do_query(void)
{
	const uint32_t page = draw_used_page(false);
	const svm_gpa_t gpa = flat_gpa(page) + draw(4096);
	struct svm_mapping mapping;

	if (svm_vm_query(vm, gpa, &mapping))
		return;
	CHECK(flat[page].slot && !is_revoked(page));
	CHECK(mapping.hpa == flat_hpa(page) + (gpa & 4095));
	CHECK(!(mapping.prot & ~flat_prot(page)));
	CHECK(flat[page].mode == SVM_DIRTY_OFF || mapping.size == SVM_PAGE_SIZE);
}

static uint32_t draw_touched_page(void)
{
	static uint32_t recent[256];
	uint32_t *place = &recent[draw(SVM_ARRAY_SIZE(recent))];

	/* A translation that was kept shows only to those who come back. */
	if (one_in(3))
		*place = one_in(8) ? draw_page() : draw_used_page(one_in(3));
	return *place;
}

static void do_touch(void)
{
	const uint32_t page = draw_touched_page(), cpu = (uint32_t)draw(CPUS);
	const svm_gpa_t gpa = flat_gpa(page) + draw(4096);
	const uint32_t access = SVM_PROT_READ << draw(3);
	const enum flat_verdict verdict = flat_verdict(page, access | SVM_PROT_READ);

	touches++;
	for (unsigned turn = 0; turn < 4; turn++) {
		enum svm_npt_fault_reason reason;
		struct hosted_touch touch;

		if (seen_epoch[cpu] != vm->flush_epoch) {
			hosted_cpu_flush(machine, cpu, 1);
			seen_epoch[cpu] = vm->flush_epoch;
		}
		touch = hosted_cpu_touch(machine, cpu, 1, vm->memory.root_hpa, gpa, access);
		if (touch.mapped) {
			/* Between two invalidations old translations stay and new ones wait. */
			CHECK(verdict == FLAT_MAPPED ||
			      (verdict == FLAT_AGAIN && !is_revoked(page)));
			CHECK(!(access & ~flat_prot(page)));
			CHECK(touch.hpa == flat_hpa(page) + (gpa & 4095));
			hits += touch.hit;
			if (access & SVM_PROT_WRITE)
				flat[page].dirty = flat[page].mode != SVM_DIRTY_OFF;
			return;
		}
		switch (svm_memory_fault(vm, gpa, access | SVM_PROT_READ, &reason)) {
		case SVM_FAULT_FILLED:
			CHECK(verdict == FLAT_MAPPED);
			fills++;
			break;
		case SVM_FAULT_NEED_FRAMES:
			top_up();
			break;
		case SVM_FAULT_REFUSED:
			CHECK((verdict == FLAT_ABSENT && reason == SVM_NPT_FAULT_ABSENT) ||
			      (verdict == FLAT_RIGHTS && reason == SVM_NPT_FAULT_RIGHTS) ||
			      (verdict == FLAT_AGAIN && reason == SVM_NPT_FAULT_AGAIN));
			refused[verdict]++;
			return;
		}
	}
	fail(__FILE__, __LINE__, "a fault that is filled again and again");
}

/* Result and number of bytes that a transfer shall have. */
static int expected_transfer(uint32_t page, uint32_t offset, size_t size, uint32_t access,
                             size_t *done)
{
	for (*done = 0; *done < size;) {
		const enum flat_verdict verdict = flat_verdict(page, access);

		if (verdict == FLAT_AGAIN)
			return SVM_ERR_AGAIN;
		if (verdict != FLAT_MAPPED || !hosted_memory(machine, flat_hpa(page)))
			return SVM_ERR_FAULT;
		*done += svm_min(size - *done, SVM_PAGE_SIZE - offset);
		offset = 0;
		if (++page == FLAT_PAGES)
			page = 0; /* In no slot: the window ends before the next page. */
	}
	return 0;
}

static void compare(uint32_t page, uint32_t offset, const uint8_t *data, size_t size)
{
	while (size) {
		const size_t bytes = svm_min(size, SVM_PAGE_SIZE - offset);
		const uint8_t *there = hosted_memory(machine, flat_hpa(page) + offset);

		CHECK(!memcmp(there, data, bytes));
		data += bytes;
		size -= bytes;
		offset = 0;
		page++;
	}
}

static void do_transfer(void)
{
	static uint8_t data[3 * SVM_PAGE_SIZE];
	const uint32_t page = one_in(4) ? draw_page() : draw_used_page(one_in(3));
	const uint32_t offset = (uint32_t)draw(SVM_PAGE_SIZE);
	const bool is_write = one_in(2);
	size_t size = one_in(4) ? draw(sizeof(data)) : draw(16), expected, done;
	int result;

	if (page + 4 >= FLAT_PAGES)
		return;
	result = expected_transfer(page, offset, size, is_write ? 3 : 1, &expected);
	if (is_write) {
		memset(data, (int)draw(256), size);
		CHECK(svm_vm_write(vm, flat_gpa(page) + offset, data, size, &done) == result);
	} else {
		CHECK(svm_vm_read(vm, flat_gpa(page) + offset, data, size, &done) == result);
	}
	CHECK(done == expected);
	/* A frame may be behind two pages of the transfer: the later write wins. */
	if (!is_write || done <= SVM_PAGE_SIZE - offset)
		compare(page, offset, data, done);
	for (size_t i = 0; is_write && i < done; i += SVM_PAGE_SIZE - (i ? 0 : offset)) {
		struct flat_page *p = &flat[page + (offset + i) / SVM_PAGE_SIZE];

		p->dirty = p->mode != SVM_DIRTY_OFF;
	}
}

static void do_dirty_log(void)
{
	const uint32_t page = draw_used_page(false);
	const enum svm_dirty_mode mode = (enum svm_dirty_mode)svm_min(draw(5), 1 + draw(2));
	uint32_t first, end;

	if (!flat[page].slot)
		return;
	first = flat_slot_first(page);
	end = flat_slot_end(page);
	if (end - first > 8 * MIB2)
		return;
	if (first != page)
		CHECK(svm_vm_dirty_log(vm, flat_gpa(page), mode) == SVM_ERR_NOENT);
	maybe_starve();
	if (!settled(svm_vm_dirty_log(vm, flat_gpa(first), mode), 0))
		return;
	for (uint32_t i = first; i < end; i++) {
		if (flat[i].mode == SVM_DIRTY_OFF || mode == SVM_DIRTY_OFF)
			flat[i].dirty = false;
		flat[i].mode = (uint8_t)mode;
	}
	heat(first);
}

static void do_dirty_fetch(void)
{
	static uint8_t bitmap[128];
	const uint32_t page = one_in(8) ? draw_page() : draw_used_page(true);
	uint32_t count = 1 + (uint32_t)draw(sizeof(bitmap) * 8 - 1);

	if (!flat[page].slot || flat[page].mode == SVM_DIRTY_OFF) {
		CHECK(svm_vm_dirty_fetch(vm, flat_gpa(page), 1, bitmap) == SVM_ERR_NOENT);
		return;
	}
	if (page + count > FLAT_PAGES)
		count = FLAT_PAGES - page;
	if (one_in(8)) {
		CHECK(!svm_vm_dirty_mark(vm, flat_gpa(page), 1));
		flat[page].dirty = true;
	}
	if (!one_in(8))
		count = (uint32_t)svm_min(count, flat_slot_end(page) - page);
	if (flat[page + count - 1].slot != flat[page].slot) {
		CHECK(svm_vm_dirty_fetch(vm, flat_gpa(page), count, bitmap) == SVM_ERR_NOENT);
		return;
	}
	CHECK(!svm_vm_dirty_fetch(vm, flat_gpa(page), count, bitmap));
	for (uint32_t i = 0; i < count; i++) {
		CHECK((bitmap[i / 8] >> (i % 8) & 1) == flat[page + i].dirty);
		fetched += flat[page + i].dirty;
		flat[page + i].dirty = false;
	}
}

static void do_invalidate_begin(void)
{
	const uint32_t page = draw_page(), count = draw_count(page);
	const uint32_t last = page + count - 1;

	if (pending_count == SVM_ARRAY_SIZE(pending))
		return;
	svm_vm_invalidate_begin(vm, flat_gpa(page) + draw(4096), ((uint64_t)(count - 1) << 12) + 1);
	flat_invalidate(page, last);
	pending[pending_count].first = page;
	pending[pending_count].last = last;
	pending_count++;
	change_backing(page, last);
}

static void do_invalidate_end(void)
{
	if (!pending_count)
		return;
	pending_count--;
	svm_vm_invalidate_end(
		vm, flat_gpa(pending[pending_count].first),
		((uint64_t)(pending[pending_count].last - pending[pending_count].first) << 12) + 1);
	flat_invalidate_end();
}

static const struct {
	unsigned weight;
	void (*run)(void);
} operations[] = {
	{ 1500, do_touch },        { 100, do_transfer },
	{ 60, do_query },          { 50, do_map },
	{ 60, do_slot_add },       { 50, do_unmap },
	{ 40, do_slot_remove },    { 70, do_protect },
	{ 30, do_populate },       { 12, do_dirty_log },
	{ 30, do_dirty_fetch },    { 6, do_invalidate_begin },
	{ 60, do_invalidate_end },
};

int main(int argc, char **argv)
{
	const uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
	const uint64_t first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	uint64_t rest, total = 0;

	draw_from(first_seed);
	make_machine(first_seed);
	for (unsigned i = 0; i < SVM_ARRAY_SIZE(operations); i++)
		total += operations[i].weight;
	rest = count_rest();
	for (operation = 1; operation <= wanted; operation++) {
		uint64_t ticket = draw(total);
		unsigned i = 0;

		while (ticket >= operations[i].weight)
			ticket -= operations[i++].weight;
		operations[i].run();
		if (operation % 65536 == 0)
			CHECK(count_rest() == rest);
	}
	while (pending_count)
		do_invalidate_end();
	CHECK(!svm_vm_unmap(vm, 0, SVM_BIT(48)));
	CHECK(count_tables() == 1 && count_rest() == rest);
	CHECK(!hosted_breaches_all(machine));
	printf("%llu operations of seed %llu: 0 stale uses, no frame lost\n"
	       "%llu touches: %llu by kept translations, %llu filled, %llu absent, %llu without "
	       "rights, %llu told again\n%llu pages fetched dirty, %llu calls without memory\n",
	       (unsigned long long)wanted, (unsigned long long)first_seed,
	       (unsigned long long)touches, (unsigned long long)hits, (unsigned long long)fills,
	       (unsigned long long)refused[FLAT_ABSENT], (unsigned long long)refused[FLAT_RIGHTS],
	       (unsigned long long)refused[FLAT_AGAIN], (unsigned long long)fetched,
	       (unsigned long long)no_memory);
	end_machine();
	return 0;
}
