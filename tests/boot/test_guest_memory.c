/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest's memory in pieces, out of a machine whose free memory is some runs of 2 MiB units. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/frames.h"
#include "../../ports/baremetal/guest_memory.h"

#define UNIT  GUEST_MEMORY_UNIT
#define UNITS 256u
#define OWNER (FRAMES_GUEST + 5)
#define CALLS 8u

static bool is_free[UNITS];
static struct {
	uint64_t gpa, hpa, size;
} calls[CALLS];
static unsigned int call_count, failing_call;
static char somewhere;

/* --- what the port and the library would do --- */

void *frames_alloc(size_t count, uint64_t align, uint64_t *pa)
{
	const size_t units = count * 4096 / UNIT;

	ck_assert_uint_eq(align, UNIT);
	ck_assert_uint_eq(count * 4096 % UNIT, 0);
	for (size_t first = 0, run = 0; first + run < UNITS;) {
		if (!is_free[first + run]) {
			first += run + 1;
			run = 0;
		} else if (++run == units) {
			memset(is_free + first, 0, units);
			*pa = first * UNIT;
			return &somewhere;
		}
	}
	return NULL;
}

bool frames_give(uint64_t pa, size_t count, uint8_t owner)
{
	ck_assert_uint_eq(owner, OWNER);
	for (size_t i = 0; i < count * 4096 / UNIT; i++)
		ck_assert(!is_free[pa / UNIT + i]);
	return true;
}

bool frames_free(uint64_t pa, size_t count)
{
	for (size_t i = 0; i < count * 4096 / UNIT; i++) {
		ck_assert(!is_free[pa / UNIT + i]);
		is_free[pa / UNIT + i] = true;
	}
	return true;
}

int svm_vm_map(struct svm_vm *vm, svm_gpa_t gpa, svm_hpa_t hpa, uint64_t size, uint32_t prot)
{
	(void)vm;
	ck_assert_uint_eq(prot, SVM_PROT_ALL);
	ck_assert_uint_lt(call_count, CALLS);
	calls[call_count].gpa = gpa;
	calls[call_count].hpa = hpa;
	calls[call_count].size = size;
	return ++call_count == failing_call ? SVM_ERR_NOMEM : 0;
}

/* --- the tests --- */

/* Runs of free units: "F" is one, "." is none. */
static void set_free(const char *map)
{
	memset(is_free, 0, sizeof(is_free));
	for (size_t i = 0; map[i]; i++)
		is_free[i] = map[i] == 'F';
	call_count = failing_call = 0;
}

static unsigned int free_units(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < UNITS; i++)
		count += is_free[i];
	return count;
}

static const struct {
	const char *what, *map;
	unsigned int units, pieces; /* pieces 0: refused */
} takes[] = {
	{ "one unit of one", "F", 1, 1 },
	{ "all in one piece where there is a run", "..FFFF", 4, 1 },
	{ "the run that is long enough and not the first", "FF.FFFF", 4, 1 },
	{ "two halves around a hole", "FF.FF", 4, 2 },
	{ "the last free unit", "FFF.FF.F", 6, 4 },
	{ "an odd number", "FFF.FF", 5, 3 },
	{ "more than is free", "FF.FF", 5, 0 },
	{ "anything of nothing", "", 1, 0 },
	{ "32 pieces", "F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F", 32,
	  32 },
	{ "33 pieces", "F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F.F", 33,
	  0 },
};

START_TEST(memory_is_taken_whole_or_not_at_all)
{
	struct guest_memory memory;
	unsigned int before;
	bool taken;

	set_free(takes[_i].map);
	before = free_units();
	taken = guest_memory_take(&memory, OWNER, takes[_i].units * UNIT);
	ck_assert_msg(taken == (takes[_i].pieces != 0), "%s", takes[_i].what);
	ck_assert_msg(memory.count == takes[_i].pieces, "%s: %u pieces", takes[_i].what,
	              memory.count);
	ck_assert_uint_eq(free_units(), before - (taken ? takes[_i].units : 0));
	guest_memory_give_back(&memory);
	ck_assert_uint_eq(free_units(), before);
}
END_TEST

static const struct guest_memory two = {
	.count = 2,
	.piece = { { 16 * UNIT, 2 * UNIT }, { 64 * UNIT, UNIT } },
};

START_TEST(a_part_across_two_pieces_is_mapped_in_two_calls)
{
	set_free("");
	ck_assert_int_eq(guest_memory_map(&two, NULL, 0xc0000, 0xc0000, 3 * UNIT - 0xc0000), 0);
	ck_assert_uint_eq(call_count, 2);
	ck_assert_uint_eq(calls[0].gpa, 0xc0000);
	ck_assert_uint_eq(calls[0].hpa, 0x20c0000);
	ck_assert_uint_eq(calls[0].size, 0x340000);
	ck_assert_uint_eq(calls[1].gpa, 0x400000);
	ck_assert_uint_eq(calls[1].hpa, 0x8000000);
	ck_assert_uint_eq(calls[1].size, 0x200000);
}
END_TEST

START_TEST(a_part_within_a_piece_is_mapped_in_one_call)
{
	set_free("");
	ck_assert_int_eq(guest_memory_map(&two, NULL, 0x100000000, 0x401000, 0x1000), 0);
	ck_assert_uint_eq(call_count, 1);
	ck_assert_uint_eq(calls[0].gpa, 0x100000000);
	ck_assert_uint_eq(calls[0].hpa, 0x8001000);
	ck_assert_uint_eq(calls[0].size, 0x1000);
}
END_TEST

START_TEST(a_failed_call_is_the_last)
{
	set_free("");
	failing_call = 1;
	ck_assert_int_eq(guest_memory_map(&two, NULL, 0, 0, 3 * UNIT), SVM_ERR_NOMEM);
	ck_assert_uint_eq(call_count, 1);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, memory_is_taken_whole_or_not_at_all, 0, ROWS(takes));
	tcase_add_test(tcase, a_part_across_two_pieces_is_mapped_in_two_calls);
	tcase_add_test(tcase, a_part_within_a_piece_is_mapped_in_one_call);
	tcase_add_test(tcase, a_failed_call_is_the_last);
}

int main(void)
{
	return suite_run("guest memory", add_tests);
}
