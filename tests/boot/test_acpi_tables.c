/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The insides of ACPI tables: what good ones say, and that no bytes lead outside the table. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/acpi_tables.h"

#define RECORDS 44u

static uint8_t table[256];

/* The table in a block of exactly its size, so that a sanitizer sees a read behind it. */
static bool read_madt(uint32_t size, struct acpi_processors *p)
{
	uint8_t *const copy = malloc(size ? size : 1);
	bool good;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, table, size);
	good = acpi_madt_read(copy, size, p);
	free(copy);
	return good;
}

static uint32_t put_apic(uint32_t at, uint8_t id, uint8_t flags)
{
	const uint8_t record[8] = { 0, 8, 0, id, flags };

	memcpy(table + at, record, sizeof(record));
	return at + (uint32_t)sizeof(record);
}

static uint32_t put_x2apic(uint32_t at, uint16_t id, uint8_t flags)
{
	const uint8_t record[16] = { 9, 16, 0, 0, (uint8_t)id, (uint8_t)(id >> 8), 0, 0, flags };

	memcpy(table + at, record, sizeof(record));
	return at + (uint32_t)sizeof(record);
}

START_TEST(madt_lists_enabled_processors_once)
{
	uint32_t ids[8];
	struct acpi_processors p = { .ids = ids, .room = 8 };
	uint32_t end = put_apic(RECORDS, 4, 1);

	end = put_apic(end, 5, 0); /* not enabled */
	end = put_apic(end, 6, 3);
	end = put_x2apic(end, 4, 1); /* the first once more */
	end = put_x2apic(end, 0x123, 1);
	ck_assert(read_madt(end, &p));
	ck_assert_uint_eq(p.count, 3);
	ck_assert_uint_eq(ids[0], 4);
	ck_assert_uint_eq(ids[1], 6);
	ck_assert_uint_eq(ids[2], 0x123);
	ck_assert_uint_eq(p.ignored, 0);
}
END_TEST

START_TEST(madt_beyond_the_room_is_counted)
{
	uint32_t ids[3] = { 0, 0, 0xdead };
	struct acpi_processors p = { .ids = ids, .room = 2 };
	uint32_t end = RECORDS;

	for (uint8_t id = 0; id < 5; id++)
		end = put_apic(end, id, 1);
	ck_assert(read_madt(end, &p));
	ck_assert_uint_eq(p.count, 2);
	ck_assert_uint_eq(p.ignored, 3);
	ck_assert_uint_eq(ids[2], 0xdead);
}
END_TEST

START_TEST(madt_with_a_bad_record_length_is_refused)
{
	uint32_t ids[8];
	struct acpi_processors p = { .ids = ids, .room = 8 };
	const uint32_t end = put_apic(RECORDS, 1, 1);

	table[RECORDS + 1] = 0; /* would never move on */
	ck_assert(!read_madt(end, &p));
	table[RECORDS + 1] = 9; /* one byte past the table */
	ck_assert(!read_madt(end, &p));
	table[RECORDS + 1] = 7; /* too short for its kind: skipped, and one byte is left */
	ck_assert(read_madt(end, &p));
	ck_assert_uint_eq(p.count, 0);
}
END_TEST

/* Every length of table and every record length: nothing outside is read. */
START_TEST(madt_of_any_shape_is_survived)
{
	for (unsigned int length = 0; length < 256; length++) {
		for (uint32_t size = 0; size < sizeof(table); size++) {
			uint32_t ids[2];
			struct acpi_processors p = { .ids = ids, .room = 2 };

			memset(table, (int)(length & 1 ? 9 : 0), sizeof(table));
			for (uint32_t at = RECORDS; at + 1 < sizeof(table); at += 2)
				table[at + 1] = (uint8_t)length;
			(void)read_madt(size, &p);
			ck_assert_uint_le(p.count, 2);
		}
	}
}
END_TEST

static bool find_s5(uint32_t size, uint8_t *a, uint8_t *b)
{
	uint8_t *const copy = malloc(size ? size : 1);
	bool found;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, table, size);
	found = acpi_s5_find(copy, size, a, b);
	free(copy);
	return found;
}

static const struct {
	const char *what;
	uint8_t bytes[16];
	uint32_t size;
	bool found;
	uint8_t a, b;
} packages[] = {
	{ "bytes", "_S5_\x12\x06\x04\x0a\x05\x0a\x06", 11, true, 5, 6 },
	{ "constants", "_S5_\x12\x06\x04\x00\x01", 9, true, 0, 1 },
	{ "a package length of two bytes", "_S5_\x12\x46\x00\x04\x0a\x07\x00", 11, true, 7, 0 },
	{ "a sleep type beyond 7", "_S5_\x12\x06\x04\x0a\x08\x0a\x06", 11, false, 0, 0 },
	{ "another opcode", "_S5_\x12\x06\x04\x0b\x05\x00\x00", 11, false, 0, 0 },
	{ "another name", "_S4_\x12\x06\x04\x0a\x05\x0a\x06", 11, false, 0, 0 },
};

START_TEST(s5_is_read_in_its_usual_forms)
{
	uint8_t a = 0xff, b = 0xff;

	memset(table, 0, sizeof(table));
	memcpy(table + 60, packages[_i].bytes, packages[_i].size);
	ck_assert_msg(find_s5(60 + packages[_i].size, &a, &b) == packages[_i].found, "%s",
	              packages[_i].what);
	if (packages[_i].found) {
		ck_assert_uint_eq(a, packages[_i].a);
		ck_assert_uint_eq(b, packages[_i].b);
	}
	for (uint32_t cut = 0; cut < 60 + packages[_i].size; cut++)
		ck_assert(!find_s5(cut, &a, &b));
}
END_TEST

START_TEST(sum_and_number)
{
	static const uint8_t bytes[] = { 0x12, 0x34, 0xba };

	ck_assert(acpi_sums_to_zero(bytes, 3));
	ck_assert(!acpi_sums_to_zero(bytes, 2));
	ck_assert(acpi_sums_to_zero(bytes, 0));
	ck_assert_uint_eq(acpi_get(bytes, 3), 0xba3412);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, madt_lists_enabled_processors_once);
	tcase_add_test(tcase, madt_beyond_the_room_is_counted);
	tcase_add_test(tcase, madt_with_a_bad_record_length_is_refused);
	tcase_add_test(tcase, madt_of_any_shape_is_survived);
	tcase_add_loop_test(tcase, s5_is_read_in_its_usual_forms, 0, ROWS(packages));
	tcase_add_test(tcase, sum_and_number);
}

int main(void)
{
	return suite_run("acpi tables", add_tests);
}
