/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a nested fault fills: how large a leaf, and which of its neighbours.  APM vol. 2, 15.25. */
#include "memory_rig.h"

#include <check.h>
#include <stdlib.h>

#define KIB4   UINT64_C(0x1000)
#define MIB2   UINT64_C(0x200000)
#define GIB1   UINT64_C(0x40000000)
#define RX     (SVM_PROT_READ | SVM_PROT_EXECUTE)
#define RWX    SVM_PROT_ALL
#define WINDOW 8u

static svm_hpa_t frames[64];
static uint64_t resolved_size, resolve_calls;

static void setup(void)
{
	rig_setup();
	rig_vm();
	resolve_calls = 0;
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

static enum svm_resolve_result resolve_block(void *arg, svm_gpa_t gpa, uint32_t access,
                                             struct svm_resolved_page *page)
{
	(void)arg;
	(void)access;
	resolve_calls++;
	*page = (struct svm_resolved_page){ .hpa = GIB1 + (gpa & ~(resolved_size - 1)),
		                            .size = resolved_size,
		                            .prot = RWX };
	return SVM_RESOLVE_MAPPED;
}

static void add_slot(enum svm_slot_kind kind, svm_gpa_t gpa, svm_hpa_t hpa, uint64_t size,
                     uint32_t prot)
{
	const struct svm_slot slot = { .gpa = gpa,
		                       .size = size,
		                       .prot = prot,
		                       .kind = kind,
		                       .hpa = hpa,
		                       .frames = frames,
		                       .resolve = resolve_block };

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
}

static void touch(svm_gpa_t gpa, uint32_t access)
{
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, access, &reason), SVM_FAULT_FILLED);
}

/* Bytes of the leaf at gpa; 0: none. */
static uint64_t leaf_size(svm_gpa_t gpa)
{
	struct svm_mapping mapping;

	return svm_vm_query(rig.vm, gpa, &mapping) ? 0 : mapping.size;
}

/* Leaves of a size are at the entries from first to last, and at no other of three windows. */
static void check_leaves(svm_gpa_t window, uint64_t size, int first, int last)
{
	for (int i = -(int)WINDOW; i < 2 * (int)WINDOW; i++) {
		const svm_gpa_t gpa = window + (uint64_t)(int64_t)i * size;
		const uint64_t found = leaf_size(gpa);

		ck_assert_msg(found == (i >= first && i <= last ? size : 0), "entry %d: %lx", i,
		              found);
	}
}

/* --- how large -------------------------------------------------------------------------------- */

/* A leaf is as large as gpa and hpa are congruent, and as lies in the slot as a whole. */
static const struct {
	const char *what;
	svm_gpa_t gpa;
	svm_hpa_t hpa;
	uint64_t size;
	svm_gpa_t at;
	uint64_t leaf;
} leaf_rows[] = {
	{ "congruent modulo 1 GiB", GIB1, 3 * GIB1, GIB1, GIB1 + 0x12345, GIB1 },
	{ "modulo 2 MiB only", GIB1, 3 * GIB1 + MIB2, GIB1, GIB1 + 0x12345, MIB2 },
	{ "modulo 4 KiB only", GIB1, 3 * GIB1 + KIB4, GIB1, GIB1 + 0x12345, KIB4 },
	{ "1 GiB but for its first page", GIB1 + KIB4, 3 * GIB1 + KIB4, GIB1 - KIB4, 2 * GIB1 - 1,
	  MIB2 },
	{ "1 GiB but for its last page", GIB1, 3 * GIB1, GIB1 - KIB4, GIB1, MIB2 },
	{ "2 MiB exactly", MIB2, 5 * MIB2, MIB2, 2 * MIB2 - 1, MIB2 },
	{ "2 MiB but for its first page", MIB2 + KIB4, 5 * MIB2 + KIB4, MIB2 - KIB4, 2 * MIB2 - 1,
	  KIB4 },
	{ "2 MiB but for its last page", MIB2, 5 * MIB2, MIB2 - KIB4, MIB2, KIB4 },
};

START_TEST(leaf_is_as_large_as_slot_and_frames_agree)
{
	add_slot(SVM_SLOT_RANGE, leaf_rows[_i].gpa, leaf_rows[_i].hpa, leaf_rows[_i].size, RWX);
	touch(leaf_rows[_i].at, SVM_PROT_READ);
	ck_assert_msg(leaf_size(leaf_rows[_i].at) == leaf_rows[_i].leaf, "%s: %lx",
	              leaf_rows[_i].what, leaf_size(leaf_rows[_i].at));
}
END_TEST

/* --- the window ------------------------------------------------------------------------------- */

/* 8 entries of 8 bytes, aligned: one cache line of the table. */
static const uint64_t sizes[] = { KIB4, MIB2, GIB1 };

START_TEST(fault_fills_the_window_of_each_size)
{
	const uint64_t size = sizes[_i];
	const svm_gpa_t window = 2 * WINDOW * size;
	/* Congruent modulo the leaf and no more. */
	const svm_hpa_t hpa = 64 * GIB1 + size;

	add_slot(SVM_SLOT_RANGE, 0, hpa, 5 * WINDOW * size, RWX);
	touch(window + 5 * size + 0x123, SVM_PROT_WRITE);
	check_leaves(window, size, 0, 7);
	for (uint64_t i = 0; i < WINDOW; i++) {
		struct svm_mapping mapping;

		ck_assert_int_eq(svm_vm_query(rig.vm, window + i * size, &mapping), 0);
		ck_assert_uint_eq(mapping.hpa, hpa + window + i * size);
		ck_assert_uint_eq(mapping.prot, RWX);
		/* Only what was touched looks used. */
		ck_assert_int_eq(mapping.accessed, i == 5);
		ck_assert_int_eq(mapping.dirty, i == 5);
	}
	ck_assert_uint_eq(rig.flushes, 0);
}
END_TEST

START_TEST(window_ends_with_the_slot)
{
	const uint64_t size = sizes[_i];

	/* Behind a part of an entry, and before one. */
	add_slot(SVM_SLOT_RANGE, 2 * size - KIB4, 65 * GIB1 - KIB4, 4 * size + 2 * KIB4, RWX);
	touch(3 * size, SVM_PROT_READ);
	for (uint64_t i = 0; i < WINDOW; i++) {
		const bool is_inside = i >= 2 && i <= 5;

		/* Pages of the parts are entries of their own where entries are pages. */
		if (size == KIB4 && (i == 1 || i == 6))
			continue;
		ck_assert_uint_eq(leaf_size(i * size), is_inside ? size : 0);
	}
}
END_TEST

START_TEST(window_leaves_other_slots_alone)
{
	add_slot(SVM_SLOT_RANGE, 0, 5 * KIB4, 3 * KIB4, RWX);
	add_slot(SVM_SLOT_RANGE, 3 * KIB4, 64 * KIB4, 2 * KIB4, RWX);
	add_slot(SVM_SLOT_RANGE, 5 * KIB4, 128 * KIB4, 3 * KIB4, RWX);
	touch(4 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, -5, -4);
}
END_TEST

START_TEST(window_leaves_holes)
{
	add_slot(SVM_SLOT_RANGE, 0, 5 * KIB4, 3 * WINDOW * KIB4, RWX);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 10 * KIB4, KIB4), 0);
	touch(13 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 3, 7);
}
END_TEST

/* What may not be mapped by a touch is not mapped by its neighbour's either. */
START_TEST(window_leaves_frames_that_are_none)
{
	for (unsigned i = 0; i < 64; i++)
		frames[i] = RIG_GUEST + (63 - i) * KIB4;
	add_slot(SVM_SLOT_FRAMES, 0, 0, 3 * WINDOW * KIB4, RWX);
	frames[9] = frames[9] | 1;
	frames[10] = UINT64_C(1) << 60;
	rig.forbidden = frames[11];
	touch(14 * KIB4, SVM_PROT_READ);
	for (uint64_t page = 8; page < 16; page++)
		ck_assert_uint_eq(leaf_size(page * KIB4), page >= 9 && page <= 11 ? 0 : KIB4);
}
END_TEST

START_TEST(window_takes_frames_one_by_one)
{
	struct svm_mapping mapping;

	for (unsigned i = 0; i < 64; i++)
		frames[i] = RIG_GUEST + (63 - i) * KIB4;
	add_slot(SVM_SLOT_FRAMES, 0, 0, 3 * WINDOW * KIB4, RWX);
	touch(9 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 0, 7);
	ck_assert_int_eq(svm_vm_query(rig.vm, 15 * KIB4, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, RIG_GUEST + 48 * KIB4);
}
END_TEST

START_TEST(window_does_not_widen_rights)
{
	struct svm_mapping mapping;

	add_slot(SVM_SLOT_RANGE, 0, 5 * KIB4, 3 * WINDOW * KIB4, RWX);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 12 * KIB4, 4 * KIB4, RX), 0);
	touch(9 * KIB4, SVM_PROT_WRITE);
	check_leaves(WINDOW * KIB4, KIB4, 0, 3);
	touch(13 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 0, 7);
	for (uint64_t page = 8; page < 16; page++) {
		ck_assert_int_eq(svm_vm_query(rig.vm, page * KIB4, &mapping), 0);
		ck_assert_uint_eq(mapping.prot, page < 12 ? RWX : RX);
	}
}
END_TEST

/* A log says which pages were written, so each write has to be seen; and reads cost no less. */
static const enum svm_dirty_mode modes[] = { SVM_DIRTY_PROTECT, SVM_DIRTY_BITS };

START_TEST(logged_pages_are_filled_one_by_one)
{
	add_slot(SVM_SLOT_RANGE, 0, GIB1, MIB2, RWX);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, 0, modes[_i]), 0);
	touch(9 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 1, 1);
	touch(10 * KIB4, SVM_PROT_WRITE);
	check_leaves(WINDOW * KIB4, KIB4, 1, 2);
}
END_TEST

/* A callback is asked about what is touched; its page is there, and nothing is known beyond. */
START_TEST(window_stays_within_what_was_resolved)
{
	resolved_size = MIB2;
	rig.vm->config.no_huge_pages = true;
	add_slot(SVM_SLOT_RESOLVE, 0, 0, 4 * MIB2, RWX);
	touch(9 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 0, 7);
	resolved_size = KIB4;
	touch(MIB2 + 9 * KIB4, SVM_PROT_READ);
	check_leaves(MIB2 + WINDOW * KIB4, KIB4, 1, 1);
	ck_assert_uint_eq(resolve_calls, 2);
}
END_TEST

START_TEST(no_window_beside_an_invalidation)
{
	add_slot(SVM_SLOT_RANGE, 0, 5 * KIB4, 3 * WINDOW * KIB4, RWX);
	svm_vm_invalidate_begin(rig.vm, 15 * KIB4, KIB4);
	touch(8 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 0, 0);
	svm_vm_invalidate_end(rig.vm, 15 * KIB4, KIB4);
	touch(9 * KIB4, SVM_PROT_READ);
	check_leaves(WINDOW * KIB4, KIB4, 0, 7);
}
END_TEST

/* The window is for what is not there: a table or leaf of somebody's stays. */
START_TEST(window_keeps_what_is_there)
{
	struct svm_mapping mapping;

	add_slot(SVM_SLOT_RANGE, 0, GIB1 + MIB2, 2 * WINDOW * MIB2, RWX);
	rig.vm->config.no_huge_pages = true;
	touch(3 * MIB2, SVM_PROT_WRITE);
	rig.vm->config.no_huge_pages = false;
	touch(4 * MIB2, SVM_PROT_READ);
	ck_assert_uint_eq(leaf_size(3 * MIB2), KIB4);
	ck_assert_uint_eq(leaf_size(2 * MIB2), MIB2);
	ck_assert_int_eq(svm_vm_query(rig.vm, 3 * MIB2, &mapping), 0);
	ck_assert(mapping.dirty);
	touch(3 * MIB2 + 100 * KIB4, SVM_PROT_READ);
	ck_assert_uint_eq(leaf_size(3 * MIB2 + 100 * KIB4), KIB4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault");
	TCase *size = tcase_create("size");
	TCase *window = tcase_create("window");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(size, setup, teardown);
	tcase_add_loop_test(size, leaf_is_as_large_as_slot_and_frames_agree, 0,
	                    sizeof(leaf_rows) / sizeof(leaf_rows[0]));
	tcase_add_checked_fixture(window, setup, teardown);
	tcase_add_loop_test(window, fault_fills_the_window_of_each_size, 0, 3);
	tcase_add_loop_test(window, window_ends_with_the_slot, 0, 3);
	tcase_add_test(window, window_leaves_other_slots_alone);
	tcase_add_test(window, window_leaves_holes);
	tcase_add_test(window, window_leaves_frames_that_are_none);
	tcase_add_test(window, window_takes_frames_one_by_one);
	tcase_add_test(window, window_does_not_widen_rights);
	tcase_add_loop_test(window, logged_pages_are_filled_one_by_one, 0, 2);
	tcase_add_test(window, window_stays_within_what_was_resolved);
	tcase_add_test(window, no_window_beside_an_invalidation);
	tcase_add_test(window, window_keeps_what_is_there);
	suite_add_tcase(suite, size);
	suite_add_tcase(suite, window);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
