/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Dirty logs in both modes; the guest's writes are made by hand, as a processor would. */
#include "memory_rig.h"

#include "core/memory/npt.h"

#include <check.h>
#include <stdlib.h>

#define PAGES 1024u
#define BASE  UINT64_C(0x40000000)

static const enum svm_dirty_mode modes[] = { SVM_DIRTY_PROTECT, SVM_DIRTY_BITS };
static uint8_t bitmap[PAGES / 8];

static void setup(void)
{
	rig_setup();
	rig_vm();
	ck_assert_int_eq(svm_vm_map(rig.vm, BASE, RIG_GUEST, PAGES * 4096, 7), 0);
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

static uint64_t *leaf(svm_gpa_t gpa)
{
	struct svm_npt_walk walk;

	svm_npt_begin(&walk, rig.vm, gpa, gpa);
	while (svm_npt_is_table(*svm_npt_at(&walk), walk.level))
		svm_npt_down(&walk, *svm_npt_at(&walk));
	return svm_npt_at(&walk);
}

/* A guest's write: true if it faulted on the way. */
static bool guest_writes(unsigned page)
{
	const svm_gpa_t gpa = BASE + page * UINT64_C(4096);
	enum svm_npt_fault_reason reason;
	bool has_faulted = false;

	if ((*leaf(gpa) & 3) != 3) {
		has_faulted = true;
		ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, 3, &reason), SVM_FAULT_FILLED);
	}
	ck_assert_uint_eq(*leaf(gpa) & 3, 3);
	*leaf(gpa) |= SVM_NPT_ACCESSED | SVM_NPT_DIRTY;
	return has_faulted;
}

static void fetch(void)
{
	memset(bitmap, 0xa5, sizeof(bitmap));
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES, bitmap), 0);
}

static bool reported(unsigned page)
{
	return bitmap[page / 8] >> (page % 8) & 1;
}

static unsigned count_reported(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PAGES; i++)
		count += reported(i);
	return count;
}

START_TEST(start_splits_and_counts_all_as_clean)
{
	guest_writes(5);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	ck_assert_uint_ge(rig.flushes, 1);
	for (unsigned i = 0; i < PAGES; i += 511) {
		struct svm_mapping mapping;

		ck_assert_int_eq(svm_vm_query(rig.vm, BASE + i * 4096, &mapping), 0);
		ck_assert_uint_eq(mapping.size, 4096);
		ck_assert_uint_eq(mapping.prot, modes[_i] == SVM_DIRTY_PROTECT ? 5 : 7);
		ck_assert(!mapping.dirty);
	}
	fetch();
	ck_assert_uint_eq(count_reported(), 0);
}
END_TEST

START_TEST(each_write_is_reported_once)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	ck_assert(guest_writes(0) == (modes[_i] == SVM_DIRTY_PROTECT));
	ck_assert(!guest_writes(0));
	guest_writes(63);
	guest_writes(64);
	guest_writes(PAGES - 1);
	fetch();
	ck_assert_uint_eq(count_reported(), 4);
	ck_assert(reported(0) && reported(63) && reported(64) && reported(PAGES - 1));
	fetch();
	ck_assert_uint_eq(count_reported(), 0);
	ck_assert(guest_writes(63) == (modes[_i] == SVM_DIRTY_PROTECT));
	fetch();
	ck_assert_uint_eq(count_reported(), 1);
	ck_assert(reported(63));
}
END_TEST

/* A fetch that takes something away flushes; one that finds nothing need not. */
START_TEST(fetch_flushes_before_it_returns)
{
	uint64_t flushes;

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	guest_writes(7);
	flushes = rig.flushes;
	fetch();
	ck_assert_uint_eq(rig.flushes, flushes + 1);
	fetch();
	ck_assert_uint_eq(rig.flushes, flushes + 1);
}
END_TEST

START_TEST(the_librarys_writes_are_reported)
{
	const uint64_t data = 1;
	uint64_t expected = 1;
	bool stored = false;

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	ck_assert_int_eq(svm_vm_write(rig.vm, BASE + 4096 * 9 - 4, &data, 8, NULL), 0);
	ck_assert_int_eq(svm_vm_write(rig.vm, BASE + 4096 * 20, &data, 8, NULL), 0);
	fetch();
	ck_assert_uint_eq(count_reported(), 3);
	ck_assert(reported(8) && reported(9) && reported(20));
	expected = 2;
	ck_assert_int_eq(svm_memory_cas_u64(rig.vm, BASE + 4096 * 20, &expected, 5, &stored), 0);
	ck_assert(!stored && expected == 1);
	fetch();
	ck_assert_uint_eq(count_reported(), 0);
	ck_assert_int_eq(svm_memory_cas_u64(rig.vm, BASE + 4096 * 20, &expected, 5, &stored), 0);
	ck_assert(stored);
	fetch();
	ck_assert_uint_eq(count_reported(), 1);
}
END_TEST

START_TEST(marks_come_back)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	ck_assert_int_eq(svm_vm_dirty_mark(rig.vm, BASE + 4096 * 60, 10), 0);
	ck_assert_int_eq(svm_vm_dirty_mark(rig.vm, BASE + 4096 * (PAGES - 1), 2), SVM_ERR_NOENT);
	fetch();
	ck_assert_uint_eq(count_reported(), 10);
	ck_assert(reported(60) && reported(69));
}
END_TEST

/* A part that begins and ends inside a byte and a word of the log. */
START_TEST(fetch_of_a_part_leaves_the_rest)
{
	uint8_t part[3] = { 0xff, 0xff, 0xff };

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	for (unsigned i = 50; i < 80; i++)
		guest_writes(i);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE + 4096 * 57, 17, part), 0);
	ck_assert_uint_eq(part[0], 0xff);
	ck_assert_uint_eq(part[1], 0xff);
	ck_assert_uint_eq(part[2], 0x01);
	fetch();
	ck_assert_uint_eq(count_reported(), 13);
	ck_assert(reported(56) && !reported(57) && !reported(73) && reported(74));
}
END_TEST

START_TEST(switching_modes_loses_nothing)
{
	const enum svm_dirty_mode other = modes[1 - _i];

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	guest_writes(3);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, other), 0);
	guest_writes(4);
	guest_writes(3);
	fetch();
	ck_assert_uint_eq(count_reported(), 2);
	guest_writes(3);
	guest_writes(4);
	fetch();
	ck_assert_uint_eq(count_reported(), 2);
}
END_TEST

START_TEST(stop_gives_rights_and_leaves_back)
{
	const uint64_t frames = rig.frames;
	const uint64_t before = *leaf(BASE);

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	guest_writes(3);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, SVM_DIRTY_OFF), 0);
	ck_assert_uint_eq(*leaf(BASE) & ~(SVM_NPT_ACCESSED | SVM_NPT_DIRTY), before);
	ck_assert_uint_eq(rig.frames, frames);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES, bitmap), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_dirty_mark(rig.vm, BASE, 1), SVM_ERR_NOENT);
}
END_TEST

/* What the guest touched under the log has pages of its own; they come together with the rest. */
START_TEST(stop_joins_what_was_touched_under_the_log)
{
	const svm_gpa_t gpa = UINT64_C(0x80000000);
	const struct svm_slot slot = {
		.gpa = gpa, .size = UINT64_C(0x80000000), .prot = 7, .hpa = UINT64_C(0x100000000)
	};
	const uint64_t frames = rig.frames;
	enum svm_npt_fault_reason reason;
	struct svm_mapping mapping;

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, gpa, modes[_i]), 0);
	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa + 0x5000, 1, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa + 0x205000, 2, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 0x5000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x1000);
	/* Not while somebody takes part of it away. */
	svm_vm_invalidate_begin(rig.vm, gpa + 0x7000, 0x1000);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, gpa, SVM_DIRTY_OFF), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 0x5000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x1000);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 0x7000, &mapping), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 0x205000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x200000);
	ck_assert(mapping.dirty && (mapping.prot & SVM_PROT_WRITE));
	svm_vm_invalidate_end(rig.vm, gpa + 0x7000, 0x1000);
	/* Now all of it, to the largest leaf. */
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, gpa, modes[_i]), 0);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, gpa, SVM_DIRTY_OFF), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 0x7123, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x40000000);
	ck_assert_uint_eq(mapping.hpa, UINT64_C(0x100007123));
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, gpa), 0);
	ck_assert_uint_eq(rig.frames - rig.vm->memory.reserve_count, frames - 8);
}
END_TEST

/* Leaves that are taken away take nothing of the log with them. */
START_TEST(invalidation_keeps_what_was_written)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	guest_writes(1);
	guest_writes(600);
	svm_vm_invalidate_begin(rig.vm, BASE + 4096, 1);
	svm_vm_invalidate_end(rig.vm, BASE + 4096, 1);
	svm_vm_invalidate_begin(rig.vm, BASE + 512 * 4096, 512 * 4096);
	svm_vm_invalidate_end(rig.vm, BASE + 512 * 4096, 512 * 4096);
	ck_assert_uint_eq(*leaf(BASE + 4096), 0);
	ck_assert_uint_eq(*leaf(BASE + 600 * 4096), 0);
	fetch();
	ck_assert_uint_eq(count_reported(), 2);
	ck_assert(reported(1) && reported(600));
}
END_TEST

/* New leaves of a logged slot follow its mode. */
START_TEST(new_leaves_follow_the_mode)
{
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	svm_vm_invalidate_begin(rig.vm, BASE, PAGES * 4096);
	svm_vm_invalidate_end(rig.vm, BASE, PAGES * 4096);
	ck_assert_int_eq(svm_memory_fault(rig.vm, BASE, 1, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_populate(rig.vm, BASE, PAGES * 4096), 0);
	for (unsigned i = 0; i < PAGES; i++)
		ck_assert_uint_eq(*leaf(BASE + i * 4096) & ~SVM_NPT_ACCESSED,
		                  (RIG_GUEST + i * 4096) |
		                          (modes[_i] == SVM_DIRTY_PROTECT ? 5 : 7));
	ck_assert_int_eq(svm_memory_fault(rig.vm, BASE, 4, &reason), SVM_FAULT_FILLED);
	fetch();
	ck_assert_uint_eq(count_reported(), 0);
}
END_TEST

/* A hole makes two slots; both go on logging, each by itself. */
START_TEST(log_survives_a_cut)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	guest_writes(3);
	guest_writes(900);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, BASE + 500 * 4096, 4096), 0);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES, bitmap), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE + 501 * 4096, 523, bitmap), 0);
	ck_assert(reported(900 - 501));
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, BASE + 501 * 4096), 0);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, 500, bitmap), 0);
	ck_assert(reported(3));
}
END_TEST

START_TEST(refused_shapes)
{
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE + 4096, modes[_i]), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, (enum svm_dirty_mode)3), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES, bitmap), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, BASE, modes[_i]), 0);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE + 1, 1, bitmap), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, 0, bitmap), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, UINT64_MAX >> 11, bitmap), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES + 1, bitmap), SVM_ERR_NOENT);
}
END_TEST

/* Allocation _i fails: the old mode is in force, and no frame is lost (teardown). */
START_TEST(start_fails_whole)
{
	const uint64_t frames = rig.frames;
	int result;

	rig.fail_at = rig.allocations + (uint64_t)_i + 1;
	result = svm_vm_dirty_log(rig.vm, BASE, SVM_DIRTY_PROTECT);
	if (rig.allocations < rig.fail_at) {
		ck_assert_int_eq(result, 0);
		ck_assert_int_ge(_i, 4);
		return;
	}
	rig.fail_at = 0;
	if (!result) /* It went on with the frames it had. */
		return;
	ck_assert_int_eq(result, SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_vm_dirty_fetch(rig.vm, BASE, PAGES, bitmap), SVM_ERR_NOENT);
	ck_assert_uint_eq(*leaf(BASE) & 3, 3);
	ck_assert_uint_eq(rig.frames, frames);
}
END_TEST

/* So many splits that the frames run out half-way: what was write-protected is writable again. */
START_TEST(start_fails_half_way)
{
	const svm_gpa_t gpa = 4 * BASE;
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_vm_map(rig.vm, gpa, 4 * BASE, 64u << 20, 7), 0);
	ck_assert_uint_eq(*leaf(gpa) & 0x83, 0x83);
	/* Log, two slot tables, 16 frames; the next one is refused. */
	rig.fail_at = rig.allocations + 20;
	ck_assert_int_eq(svm_vm_dirty_log(rig.vm, gpa, SVM_DIRTY_PROTECT), SVM_ERR_NOMEM);
	ck_assert_uint_eq(rig.allocations, rig.fail_at);
	for (unsigned i = 0; i < 32; i++)
		ck_assert_uint_eq(*leaf(gpa + i * UINT64_C(0x200000)) & 0x83, 0x83);
	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, 3, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_dirty_mark(rig.vm, gpa, 1), SVM_ERR_NOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dirty");
	TCase *tcase = tcase_create("dirty");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, start_splits_and_counts_all_as_clean, 0, 2);
	tcase_add_loop_test(tcase, each_write_is_reported_once, 0, 2);
	tcase_add_loop_test(tcase, fetch_flushes_before_it_returns, 0, 2);
	tcase_add_loop_test(tcase, the_librarys_writes_are_reported, 0, 2);
	tcase_add_loop_test(tcase, marks_come_back, 0, 2);
	tcase_add_loop_test(tcase, fetch_of_a_part_leaves_the_rest, 0, 2);
	tcase_add_loop_test(tcase, switching_modes_loses_nothing, 0, 2);
	tcase_add_loop_test(tcase, stop_gives_rights_and_leaves_back, 0, 2);
	tcase_add_loop_test(tcase, stop_joins_what_was_touched_under_the_log, 0, 2);
	tcase_add_loop_test(tcase, invalidation_keeps_what_was_written, 0, 2);
	tcase_add_loop_test(tcase, new_leaves_follow_the_mode, 0, 2);
	tcase_add_loop_test(tcase, log_survives_a_cut, 0, 2);
	tcase_add_loop_test(tcase, refused_shapes, 0, 2);
	tcase_add_loop_test(tcase, start_fails_whole, 0, 25);
	tcase_add_test(tcase, start_fails_half_way);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
