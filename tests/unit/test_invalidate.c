/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The host changes what is behind guest memory; and the same beside threads that touch it. */
#include "memory_rig.h"

#include "core/memory/section.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define BASE UINT64_C(0x40000000)
#define MIB2 UINT64_C(0x200000)

static void setup(void)
{
	const struct svm_slot slot = { .gpa = BASE, .size = 8 * MIB2, .prot = 7, .hpa = RIG_GUEST };

	rig_setup();
	rig_vm();
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	ck_assert_int_eq(svm_vm_populate(rig.vm, BASE, 8 * MIB2), 0);
}

static void teardown(void)
{
	rig.on_flush = NULL;
	ck_assert(rig_teardown());
}

static enum svm_fault_outcome touch(svm_gpa_t gpa, enum svm_npt_fault_reason *reason)
{
	return svm_memory_fault(rig.vm, gpa, SVM_PROT_READ, reason);
}

static uint64_t mapped_size(svm_gpa_t gpa)
{
	struct svm_mapping mapping;

	return svm_vm_query(rig.vm, gpa, &mapping) ? 0 : mapping.size;
}

static bool stop;
static bool is_gone_at_flush;

static void look_at_flush(void)
{
	is_gone_at_flush = !mapped_size(BASE + MIB2);
}

START_TEST(begin_removes_flushes_and_keeps_away)
{
	enum svm_npt_fault_reason reason = 0;
	const uint64_t allocations = rig.allocations;
	uint32_t value = 0;
	size_t done;

	rig.on_flush = look_at_flush;
	svm_vm_invalidate_begin(rig.vm, BASE + MIB2 + 0x1234, 1);
	ck_assert(is_gone_at_flush);
	ck_assert_uint_eq(rig.flushes, 1);
	ck_assert_uint_eq(rig.allocations, allocations);
	/* A large leaf goes whole; its neighbours stay. */
	ck_assert_uint_eq(mapped_size(BASE + MIB2), 0);
	ck_assert_uint_eq(mapped_size(BASE), MIB2);
	ck_assert_uint_eq(mapped_size(BASE + 2 * MIB2), MIB2);

	ck_assert_int_eq(touch(BASE + MIB2 + 0x1000, &reason), SVM_FAULT_REFUSED);
	ck_assert_int_eq(reason, SVM_NPT_FAULT_AGAIN);
	ck_assert_int_eq(svm_vm_read(rig.vm, BASE + MIB2 + 0xffe, &value, 4, &done), SVM_ERR_AGAIN);
	ck_assert_uint_eq(done, 2);
	ck_assert_int_eq(svm_vm_write(rig.vm, BASE + MIB2 + 0x1000, &value, 4, &done),
	                 SVM_ERR_AGAIN);
	/* Its surroundings are touched in leaves that leave it out. */
	ck_assert_int_eq(touch(BASE + MIB2, &reason), SVM_FAULT_FILLED);
	ck_assert_uint_eq(mapped_size(BASE + MIB2), 4096);
	ck_assert_int_eq(svm_vm_populate(rig.vm, BASE, 4 * MIB2), 0);
	ck_assert_uint_eq(mapped_size(BASE + MIB2 + 0x1000), 0);

	svm_vm_invalidate_end(rig.vm, BASE + MIB2 + 0x1234, 1);
	ck_assert_int_eq(touch(BASE + MIB2 + 0x1000, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_read(rig.vm, BASE + MIB2 + 0xffe, &value, 4, &done), 0);
}
END_TEST

START_TEST(pairs_nest_and_overlap)
{
	enum svm_npt_fault_reason reason;

	svm_vm_invalidate_begin(rig.vm, BASE, 0x2000);
	svm_vm_invalidate_begin(rig.vm, BASE + 0x1000, 0x2000);
	svm_vm_invalidate_begin(rig.vm, BASE, 0x2000);
	svm_vm_invalidate_end(rig.vm, BASE, 0x2000);
	svm_vm_invalidate_end(rig.vm, BASE, 0x2000);
	ck_assert_int_eq(touch(BASE + 0x2000, &reason), SVM_FAULT_REFUSED);
	svm_vm_invalidate_end(rig.vm, BASE + 0x1000, 0x2000);
	ck_assert_int_eq(touch(BASE + 0x2000, &reason), SVM_FAULT_FILLED);
	/* Nothing is left of the old limits. */
	svm_vm_invalidate_begin(rig.vm, BASE + 4 * MIB2, 1);
	ck_assert_int_eq(touch(BASE + 0x1000, &reason), SVM_FAULT_FILLED);
	svm_vm_invalidate_end(rig.vm, BASE + 4 * MIB2, 1);
}
END_TEST

/* An invalidation of a page next to the one that is touched is over when the callback answers. */
static enum svm_resolve_result resolve_late(void *arg, svm_gpa_t gpa, uint32_t access,
                                            struct svm_resolved_page *page)
{
	(void)gpa, (void)access;
	svm_vm_invalidate_end(rig.vm, *(svm_gpa_t *)arg, 4096);
	*page = (struct svm_resolved_page){ .hpa = RIG_GUEST, .size = MIB2, .prot = 7 };
	return SVM_RESOLVE_MAPPED;
}

START_TEST(a_large_page_is_split_by_an_invalidation_that_ends_meanwhile)
{
	svm_gpa_t other = 16 * BASE + 0x5000;
	const struct svm_slot slot = { .gpa = 16 * BASE,
		                       .size = 4 * MIB2,
		                       .prot = 7,
		                       .kind = SVM_SLOT_RESOLVE,
		                       .resolve = resolve_late,
		                       .resolve_arg = &other };
	enum svm_npt_fault_reason reason = 0;

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	svm_vm_invalidate_begin(rig.vm, other, 4096);
	ck_assert_int_eq(touch(16 * BASE, &reason), SVM_FAULT_FILLED);
	ck_assert_uint_eq(mapped_size(16 * BASE), 4096);
	ck_assert_uint_eq(mapped_size(other), 0);
	/* One that is elsewhere does not matter. */
	other = 16 * BASE + MIB2;
	svm_vm_invalidate_begin(rig.vm, other, 4096);
	svm_vm_invalidate_end(rig.vm, other, 4096);
	svm_vm_invalidate_begin(rig.vm, other, 4096);
	ck_assert_int_eq(touch(16 * BASE + 3 * MIB2, &reason), SVM_FAULT_FILLED);
	ck_assert_uint_eq(mapped_size(16 * BASE + 3 * MIB2), MIB2);
}
END_TEST

START_TEST(odd_ranges)
{
	enum svm_npt_fault_reason reason;

	svm_vm_invalidate_begin(rig.vm, BASE, 0);
	ck_assert_int_eq(touch(BASE, &reason), SVM_FAULT_FILLED);
	svm_vm_invalidate_end(rig.vm, BASE, 0);
	svm_vm_invalidate_begin(rig.vm, UINT64_MAX, 1);
	svm_vm_invalidate_end(rig.vm, UINT64_MAX, 1);
	svm_vm_invalidate_begin(rig.vm, BASE + 1, UINT64_MAX);
	ck_assert_uint_eq(mapped_size(BASE), 0);
	ck_assert_uint_eq(mapped_size(BASE + 8 * MIB2 - 1), 0);
	ck_assert_int_eq(touch(BASE, &reason), SVM_FAULT_REFUSED);
	svm_vm_invalidate_end(rig.vm, BASE + 1, UINT64_MAX);
	ck_assert_int_eq(touch(BASE, &reason), SVM_FAULT_FILLED);
	/* An end too many lets nobody in early. */
	svm_vm_invalidate_end(rig.vm, BASE, 1);
	svm_vm_invalidate_begin(rig.vm, BASE, 1);
	ck_assert_int_eq(touch(BASE, &reason), SVM_FAULT_REFUSED);
	svm_vm_invalidate_end(rig.vm, BASE, 1);
}
END_TEST

START_TEST(map_during_an_invalidation_leaves_it_out)
{
	const svm_gpa_t gpa = 2 * BASE;
	enum svm_npt_fault_reason reason;

	svm_vm_invalidate_begin(rig.vm, gpa + MIB2 + 0x5000, 0x1000);
	ck_assert_int_eq(svm_vm_map(rig.vm, gpa, 4 * BASE, BASE, 7), 0);
	ck_assert_uint_eq(mapped_size(gpa + MIB2 + 0x5000), 0);
	ck_assert_int_eq(touch(gpa + MIB2 + 0x5000, &reason), SVM_FAULT_REFUSED);
	ck_assert_int_eq(touch(gpa + MIB2 + 0x4000, &reason), SVM_FAULT_FILLED);
	svm_vm_invalidate_end(rig.vm, gpa + MIB2 + 0x5000, 0x1000);
	ck_assert_int_eq(touch(gpa + MIB2 + 0x5000, &reason), SVM_FAULT_FILLED);
}
END_TEST

/*
 * Whoever takes something away waits for the sections that may still use it.  A section is held
 * open here; the call may end only after it is left.
 */
static bool has_returned;

static void call_begin(void)
{
	svm_vm_invalidate_begin(rig.vm, BASE, 4096);
}

static void call_unmap(void)
{
	ck_assert_int_eq(svm_vm_unmap(rig.vm, BASE, MIB2), 0);
}

static void call_slot_remove(void)
{
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, BASE), 0);
}

static void call_protect(void)
{
	ck_assert_int_eq(svm_vm_protect(rig.vm, BASE, 4096, SVM_PROT_READ), 0);
}

static void call_dirty_log(void)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, SVM_DIRTY_BITS), 0);
}

static void call_reserve(void)
{
	ck_assert_int_eq(svm_vm_reserve(rig.vm, 0), 0);
}

static void (*const waiting_calls[])(void) = { call_begin,   call_unmap,     call_slot_remove,
	                                       call_protect, call_dirty_log, call_reserve };

static void *run_call(void *arg)
{
	waiting_calls[(uintptr_t)arg]();
	svm_atomic_store(&has_returned, true);
	return NULL;
}

START_TEST(calls_wait_for_open_sections)
{
	const unsigned section = svm_section_enter(&rig.vm->memory);
	struct svm_frame frame;
	pthread_t thread;

	ck_assert(svm_reserve_take(rig.vm, &frame));
	svm_reserve_return(rig.vm, &frame);
	has_returned = false;
	ck_assert(!pthread_create(&thread, NULL, run_call, (void *)(uintptr_t)_i));
	usleep(30000);
	ck_assert(!svm_atomic_load(&has_returned));
	svm_section_leave(&rig.vm->memory, section);
	pthread_join(thread, NULL);
	ck_assert(has_returned);
}
END_TEST

/* A table that a flush has cut off from the processors may still be looked at by software. */
static unsigned section_since_flush;

static void enter_at_flush(void)
{
	rig.on_flush = NULL;
	section_since_flush = svm_section_enter(&rig.vm->memory);
	svm_atomic_store(&stop, true);
}

START_TEST(tables_are_freed_after_the_sections_that_saw_them)
{
	pthread_t thread;
	uint64_t frames;

	stop = false;
	has_returned = false;
	ck_assert_int_eq(svm_vm_protect(rig.vm, BASE, 4096, SVM_PROT_READ), 0);
	frames = rig.frames;
	rig.on_flush = enter_at_flush;
	ck_assert(!pthread_create(&thread, NULL, run_call, (void *)(uintptr_t)2));
	while (!svm_atomic_load(&stop))
		usleep(1000);
	usleep(30000);
	ck_assert(!svm_atomic_load(&has_returned));
	ck_assert_uint_ge(svm_atomic_load(&rig.frames), frames);
	svm_section_leave(&rig.vm->memory, section_since_flush);
	pthread_join(thread, NULL);
	ck_assert_uint_lt(rig.frames, frames);
}
END_TEST

/*
 * Threads touch a slot while its backing changes: page i of a RESOLVE slot is at frame
 * `where[i]`, which the changer moves under an invalidation and poisons.  Whoever reads through
 * the library or finds a table entry after begin has returned must not see the old frame.
 */
#define PAGES 64u
#ifdef __SANITIZE_THREAD__
#define ROUNDS 80u
#else
#define ROUNDS 400u
#endif

static svm_hpa_t where[PAGES];
static uint64_t stale;

static enum svm_resolve_result resolve_page(void *arg, svm_gpa_t gpa, uint32_t access,
                                            struct svm_resolved_page *page)
{
	(void)arg, (void)access;
	page->hpa = svm_atomic_load(&where[(gpa - 2 * BASE) >> 12]);
	page->size = 4096;
	page->prot = 7;
	return SVM_RESOLVE_MAPPED;
}

static void *toucher(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;
	enum svm_npt_fault_reason reason;

	while (!svm_atomic_load(&stop)) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;

		const svm_gpa_t gpa = 2 * BASE + (seed >> 40) % PAGES * 4096;
		uint64_t value = 1;

		/* Poison is odd; what the guest may see is even. */
		if (!svm_memory_read_u64(rig.vm, gpa, &value) && (value & 1))
			svm_atomic_add(&stale, 1u);
		if (svm_memory_fault(rig.vm, gpa, 3, &reason) == SVM_FAULT_NEED_FRAMES)
			ck_assert_int_eq(svm_vm_reserve(rig.vm, 0), 0);
	}
	return NULL;
}

/* Move a page; between begin and end nothing may lead to its old frame. */
static void move_page(unsigned page, unsigned round)
{
	const svm_gpa_t gpa = 2 * BASE + page * UINT64_C(4096);
	const svm_hpa_t old = where[page];
	uint64_t *content = rig_hva(old);
	struct svm_mapping mapping;

	svm_vm_invalidate_begin(rig.vm, gpa, 4096);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa, &mapping), SVM_ERR_NOENT);
	svm_atomic_store(content, UINT64_C(0xdead0001));
	svm_atomic_store(&where[page],
	                 RIG_GUEST + (PAGES + page) * UINT64_C(4096) * (1 + round % 2));
	content = rig_hva(where[page]);
	svm_atomic_store(content, 2 * (uint64_t)round);
	svm_vm_invalidate_end(rig.vm, gpa, 4096);
	if (!svm_vm_query(rig.vm, gpa, &mapping))
		ck_assert_uint_eq(mapping.hpa, where[page]);
}

START_TEST(no_touch_sees_the_old_frame)
{
	const struct svm_slot slot = { .gpa = 2 * BASE,
		                       .size = PAGES * 4096,
		                       .prot = 7,
		                       .kind = SVM_SLOT_RESOLVE,
		                       .resolve = resolve_page };
	pthread_t thread[3];

	for (unsigned i = 0; i < PAGES; i++)
		where[i] = RIG_GUEST + (PAGES + i) * UINT64_C(4096);
	stop = false;
	stale = 0;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert(!pthread_create(&thread[i], NULL, toucher, (void *)(i + 1)));
	for (unsigned round = 1; round <= ROUNDS; round++) {
		move_page(round % PAGES, round);
		if (round % 16 == 0) {
			svm_vm_invalidate_begin(rig.vm, 2 * BASE, BASE);
			svm_vm_invalidate_end(rig.vm, 2 * BASE, BASE);
		}
	}
	svm_atomic_store(&stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	ck_assert_uint_eq(stale, 0);
}
END_TEST

/*
 * Threads fault in a range that is mapped and unmapped all the time.  After each unmap nothing
 * may be there, and at the end no frame is missing.
 */
static void *filler(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;
	enum svm_npt_fault_reason reason;

	while (!svm_atomic_load(&stop)) {
		struct svm_mapping mapping;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;

		const svm_gpa_t gpa = 4 * BASE + (seed >> 40) % (2 * BASE);

		if (svm_memory_fault(rig.vm, gpa, 1, &reason) == SVM_FAULT_NEED_FRAMES)
			ck_assert_int_eq(svm_vm_reserve(rig.vm, 0), 0);
		if (!svm_vm_query(rig.vm, gpa, &mapping))
			ck_assert_uint_eq(mapping.hpa & 0xfff, gpa & 0xfff);
	}
	return NULL;
}

START_TEST(fills_beside_unmaps)
{
	pthread_t thread[3];
	struct svm_mapping mapping;

	stop = false;
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert(!pthread_create(&thread[i], NULL, filler, (void *)(i + 1)));
	for (unsigned round = 0; round < ROUNDS; round++) {
		const svm_gpa_t gpa = 4 * BASE + round % 7 * MIB2;
		const svm_hpa_t hpa = round % 3 ? 8 * BASE : 8 * BASE + 4096;

		if (round % 2) {
			const struct svm_slot slot = {
				.gpa = gpa, .size = BASE, .prot = 7, .hpa = hpa
			};

			ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
		} else {
			ck_assert_int_eq(svm_vm_map(rig.vm, gpa, hpa, 4 * MIB2, 7), 0);
		}
		ck_assert_int_eq(svm_vm_protect(rig.vm, gpa + 4096, MIB2, 1), 0);
		ck_assert_int_eq(svm_vm_unmap(rig.vm, gpa + MIB2 + 8192, MIB2 - 8192), 0);
		ck_assert_int_eq(svm_vm_unmap(rig.vm, 4 * BASE, 2 * BASE), 0);
		for (unsigned i = 0; i < 64; i++)
			ck_assert_int_eq(svm_vm_query(rig.vm, gpa + i * 8191 * 4, &mapping),
			                 SVM_ERR_NOENT);
	}
	svm_atomic_store(&stop, true);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("invalidate");
	TCase *tcase = tcase_create("invalidate");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, begin_removes_flushes_and_keeps_away);
	tcase_add_test(tcase, pairs_nest_and_overlap);
	tcase_add_test(tcase, a_large_page_is_split_by_an_invalidation_that_ends_meanwhile);
	tcase_add_test(tcase, odd_ranges);
	tcase_add_test(tcase, map_during_an_invalidation_leaves_it_out);
	tcase_add_loop_test(tcase, calls_wait_for_open_sections, 0, SVM_ARRAY_SIZE(waiting_calls));
	tcase_add_test(tcase, tables_are_freed_after_the_sections_that_saw_them);
	tcase_add_test(tcase, no_touch_sees_the_old_frame);
	tcase_add_test(tcase, fills_beside_unmaps);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
