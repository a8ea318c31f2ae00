/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The slot table: finding, cutting, giving parts different rights. */
#include "memory_rig.h"

#include "core/memory/slots.h"

#include <check.h>
#include <stdlib.h>

static struct svm_slot_table table;
static uint32_t serial;

static void setup(void)
{
	table = (struct svm_slot_table){ .count = 0 };
	serial = 100;
}

static void add(svm_gpa_t first, svm_gpa_t last, svm_hpa_t hpa, uint32_t id)
{
	const struct svm_slot_piece piece = {
		.first = first, .last = last, .target.hpa = hpa, .id = id, .prot = 7
	};

	ck_assert_int_eq(svm_slots_insert(&table, &piece), 0);
}

/* first, last, hpa, id, prot of one piece. */
static void expect(uint32_t i, svm_gpa_t first, svm_gpa_t last, svm_hpa_t hpa, uint32_t id,
                   uint32_t prot)
{
	ck_assert_uint_lt(i, table.count);
	ck_assert_uint_eq(table.piece[i].first, first);
	ck_assert_uint_eq(table.piece[i].last, last);
	ck_assert_uint_eq(table.piece[i].target.hpa, hpa);
	ck_assert_uint_eq(table.piece[i].id, id);
	ck_assert_uint_eq(table.piece[i].prot, prot);
}

START_TEST(find_at_every_edge)
{
	add(0x5000, 0x5fff, 0, 3);
	add(0x1000, 0x2fff, 0, 1);
	add(0x3000, 0x3fff, 0, 2);
	add(UINT64_MAX - 0xfff, UINT64_MAX, 0, 4);
	ck_assert(!svm_slots_find(&table, 0));
	ck_assert(!svm_slots_find(&table, 0xfff));
	ck_assert(svm_slots_find(&table, 0x1000) == &table.piece[0]);
	ck_assert(svm_slots_find(&table, 0x2fff) == &table.piece[0]);
	ck_assert(svm_slots_find(&table, 0x3000) == &table.piece[1]);
	ck_assert(!svm_slots_find(&table, 0x4000));
	ck_assert(svm_slots_find(&table, 0x5000) == &table.piece[2]);
	ck_assert(!svm_slots_find(&table, 0x6000));
	ck_assert(svm_slots_find(&table, UINT64_MAX) == &table.piece[3]);
	/* A wrong guess changes nothing. */
	struct svm_memory memory = { .slots = &table };

	for (uint32_t guess = 0; guess < 6; guess++)
		for (svm_gpa_t gpa = 0; gpa < 0x7000; gpa += 0x7ff) {
			memory.recent_piece = guess;
			ck_assert_ptr_eq(svm_slots_find_again(&memory, gpa),
			                 svm_slots_find(&table, gpa));
		}
	ck_assert(svm_slots_cover(&table, 0x1000, 0x3fff));
	ck_assert(!svm_slots_cover(&table, 0xfff, 0x3fff));
	ck_assert(!svm_slots_cover(&table, 0x1000, 0x4000));
	ck_assert(!svm_slots_cover(&table, 0x1000, 0x5fff));
}
END_TEST

START_TEST(insert_refuses_every_overlap)
{
	static const svm_gpa_t rows[][2] = { { 0x1000, 0x3fff }, { 0x0000, 0x1fff },
		                             { 0x3000, 0x4fff }, { 0x2000, 0x2fff },
		                             { 0x0000, 0xffff }, { 0x3000, 0x3fff } };

	add(0x1000, 0x3fff, 0, 1);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(rows); i++) {
		const struct svm_slot_piece piece = { .first = rows[i][0], .last = rows[i][1] };

		ck_assert_int_eq(svm_slots_insert(&table, &piece), SVM_ERR_EXIST);
	}
	add(0x0000, 0x0fff, 0, 2);
	add(0x4000, 0x4fff, 0, 3);
	ck_assert_uint_eq(table.count, 3);
}
END_TEST

START_TEST(insert_stops_at_the_maximum)
{
	const struct svm_slot_piece piece = { .first = 0x100000, .last = 0x100fff };

	for (uint32_t i = 0; i < 64; i++)
		add(i * 0x1000, i * 0x1000 + 0xfff, 0, i);
	ck_assert_int_eq(svm_slots_insert(&table, &piece), SVM_ERR_NOMEM);
	/* A hole needs a piece more; cutting an end does not. */
	table.piece[63].last += 0x2000;
	ck_assert_int_eq(svm_slots_cut(&table, 0x41000, 0x41fff, &serial), 0);
	ck_assert_int_eq(svm_slots_cut(&table, 0x40000, 0x40fff, &serial), 0);
	table.piece[63].last += 0x2000;
	ck_assert_int_eq(svm_slots_cut(&table, 0x40000, 0x40fff, &serial), SVM_ERR_NOMEM);
}
END_TEST

START_TEST(cut_in_the_middle_makes_two_slots)
{
	add(0x10000, 0x1ffff, 0x70000, 1);
	ck_assert_int_eq(svm_slots_cut(&table, 0x14000, 0x17fff, &serial), 0);
	ck_assert_uint_eq(table.count, 2);
	expect(0, 0x10000, 0x13fff, 0x70000, 1, 7);
	expect(1, 0x18000, 0x1ffff, 0x78000, 101, 7);
}
END_TEST

START_TEST(cut_over_several)
{
	add(0x1000, 0x2fff, 0x101000, 1);
	add(0x3000, 0x3fff, 0x203000, 2);
	add(0x4000, 0x6fff, 0x304000, 3);
	ck_assert_int_eq(svm_slots_cut(&table, 0x2000, 0x4fff, &serial), 0);
	ck_assert_uint_eq(table.count, 2);
	expect(0, 0x1000, 0x1fff, 0x101000, 1, 7);
	expect(1, 0x5000, 0x6fff, 0x305000, 3, 7);
	ck_assert_int_eq(svm_slots_cut(&table, 0, UINT64_MAX, &serial), 0);
	ck_assert_uint_eq(table.count, 0);
	ck_assert_uint_eq(serial, 100);
}
END_TEST

START_TEST(frames_move_with_the_cut)
{
	static const svm_hpa_t frames[4] = { 0 };
	const struct svm_slot_piece piece = {
		.first = 0x1000, .last = 0x4fff, .target.frames = frames, .kind = SVM_SLOT_FRAMES
	};

	ck_assert_int_eq(svm_slots_insert(&table, &piece), 0);
	ck_assert_int_eq(svm_slots_cut(&table, 0, 0x2fff, &serial), 0);
	ck_assert(table.piece[0].target.frames == &frames[2]);
}
END_TEST

START_TEST(protect_splits_and_joins)
{
	svm_gpa_t last;

	add(0x1000, 0x8fff, 0x11000, 1);
	add(0x9000, 0x9fff, 0x19000, 2);
	ck_assert_int_eq(svm_slots_protect(&table, 0x3000, 0x4fff, 1), 0);
	ck_assert_uint_eq(table.count, 4);
	expect(0, 0x1000, 0x2fff, 0x11000, 1, 7);
	expect(1, 0x3000, 0x4fff, 0x13000, 1, 1);
	expect(2, 0x5000, 0x8fff, 0x15000, 1, 7);
	/* Still one slot to whoever added it. */
	ck_assert_uint_eq(svm_slots_begin(&table, 0x1000, &last), 0);
	ck_assert_uint_eq(last, 0x8fff);
	ck_assert_uint_eq(svm_slots_begin(&table, 0x3000, &last), table.count);
	ck_assert_uint_eq(svm_slots_begin(&table, 0x9000, &last), 3);
	ck_assert_int_eq(svm_slots_protect(&table, 0x3000, 0x4fff, 7), 0);
	ck_assert_uint_eq(table.count, 2);
	expect(0, 0x1000, 0x8fff, 0x11000, 1, 7);
	expect(1, 0x9000, 0x9fff, 0x19000, 2, 7);
}
END_TEST

START_TEST(hole_in_a_slot_of_parts)
{
	add(0x1000, 0x8fff, 0x11000, 1);
	ck_assert_int_eq(svm_slots_protect(&table, 0x5000, 0x6fff, 1), 0);
	ck_assert_int_eq(svm_slots_cut(&table, 0x3000, 0x3fff, &serial), 0);
	ck_assert_uint_eq(table.count, 4);
	expect(0, 0x1000, 0x2fff, 0x11000, 1, 7);
	expect(1, 0x4000, 0x4fff, 0x14000, 101, 7);
	expect(2, 0x5000, 0x6fff, 0x15000, 101, 1);
	expect(3, 0x7000, 0x8fff, 0x17000, 101, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = tcase_create("slots");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, find_at_every_edge);
	tcase_add_test(tcase, insert_refuses_every_overlap);
	tcase_add_test(tcase, insert_stops_at_the_maximum);
	tcase_add_test(tcase, cut_in_the_middle_makes_two_slots);
	tcase_add_test(tcase, cut_over_several);
	tcase_add_test(tcase, frames_move_with_the_cut);
	tcase_add_test(tcase, protect_splits_and_joins);
	tcase_add_test(tcase, hole_in_a_slot_of_parts);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
