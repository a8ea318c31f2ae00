/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads and writes of guest memory by the library and the embedder. */
#include <pthread.h>

#include "memory_rig.h"

#include <check.h>
#include <stdlib.h>

/* Four pages of guest memory, in another order than the guest sees them. */
static const svm_hpa_t frames[4] = { RIG_GUEST + 0x3000, RIG_GUEST, RIG_GUEST + 0x7000,
	                             RIG_GUEST + 0x1000 };

static void setup(void)
{
	const struct svm_slot slot = {
		.gpa = 0x10000, .size = 0x4000, .prot = 3, .kind = SVM_SLOT_FRAMES, .frames = frames
	};

	rig_setup();
	rig_vm();
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

START_TEST(write_then_read_over_pages_that_are_not_neighbours)
{
	uint8_t data[0x4000], back[0x4000];
	size_t done = 77;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	ck_assert_int_eq(svm_vm_write(rig.vm, 0x10000, data, sizeof(data), &done), 0);
	ck_assert_uint_eq(done, sizeof(data));
	for (size_t i = 0; i < 4; i++)
		ck_assert(!memcmp(rig_hva(frames[i]), data + i * 4096, 4096));
	ck_assert_int_eq(svm_vm_read(rig.vm, 0x10ffd, back, 0x1006, &done), 0);
	ck_assert_uint_eq(done, 0x1006);
	ck_assert(!memcmp(back, data + 0xffd, 0x1006));
	ck_assert_int_eq(svm_vm_read(rig.vm, 0, NULL, 0, NULL), 0);
}
END_TEST

START_TEST(transfer_stops_at_the_first_byte_that_is_not_there)
{
	uint8_t data[0x2000] = { 0 };
	size_t done = 0;

	ck_assert_int_eq(svm_vm_read(rig.vm, 0x13ff0, data, 0x20, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 0x10);
	ck_assert_int_eq(svm_vm_write(rig.vm, 0xffff, data, 2, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(svm_vm_write(rig.vm, 0x12fff, data, 0x1002, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 0x1001);
}
END_TEST

/* The byte after the last address is not the byte at 0. */
START_TEST(transfer_does_not_wrap)
{
	uint8_t data[16];
	size_t done;
	const struct svm_slot low = { .gpa = 0, .size = 0x1000, .prot = 3, .hpa = RIG_GUEST };

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &low), 0);
	ck_assert_int_eq(svm_vm_read(rig.vm, UINT64_MAX - 7, data, 16, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(rights_of_the_slot_hold_for_the_library)
{
	uint32_t value = 0;
	bool stored;

	ck_assert_int_eq(svm_vm_protect(rig.vm, 0x11000, 0x1000, SVM_PROT_READ), 0);
	ck_assert_int_eq(svm_vm_write(rig.vm, 0x11000, &value, 4, NULL), SVM_ERR_FAULT);
	ck_assert_int_eq(svm_memory_cas_u32(rig.vm, 0x11000, &value, 1, &stored), SVM_ERR_FAULT);
	ck_assert_int_eq(svm_vm_read(rig.vm, 0x11000, &value, 4, NULL), 0);
	ck_assert_int_eq(svm_memory_read_u32(rig.vm, 0x11000, &value), 0);
}
END_TEST

START_TEST(memory_that_the_host_does_not_map_is_a_fault)
{
	const struct svm_slot slot = { .gpa = 0, .size = 0x1000, .prot = 3, .hpa = 0x1000 };
	uint32_t value = 0;

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	ck_assert_int_eq(svm_vm_read(rig.vm, 0, &value, 4, NULL), SVM_ERR_FAULT);
	ck_assert_int_eq(svm_memory_read_u32(rig.vm, 0, &value), SVM_ERR_FAULT);
}
END_TEST

START_TEST(entries_are_read_and_exchanged_whole)
{
	uint64_t *entry = rig_hva(frames[1] + 0x18);
	uint32_t *half = rig_hva(frames[1] + 0x24);
	uint64_t value = 0;
	uint32_t value32 = 0;
	bool stored = false;

	*entry = UINT64_C(0x1122334455667788);
	*half = 0xdeadbeef;
	ck_assert_int_eq(svm_memory_read_u64(rig.vm, 0x11018, &value), 0);
	ck_assert_uint_eq(value, UINT64_C(0x1122334455667788));
	ck_assert_int_eq(svm_memory_cas_u64(rig.vm, 0x11018, &value, 42, &stored), 0);
	ck_assert(stored && *entry == 42);
	value = 41;
	ck_assert_int_eq(svm_memory_cas_u64(rig.vm, 0x11018, &value, 43, &stored), 0);
	ck_assert(!stored && *entry == 42 && value == 42);
	ck_assert_int_eq(svm_memory_read_u32(rig.vm, 0x11024, &value32), 0);
	ck_assert_uint_eq(value32, 0xdeadbeef);
	ck_assert_int_eq(svm_memory_cas_u32(rig.vm, 0x11024, &value32, 7, &stored), 0);
	ck_assert(stored && *half == 7);
	ck_assert_int_eq(svm_memory_read_u64(rig.vm, 0x1101c, &value), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_memory_read_u32(rig.vm, 0x1101a, &value32), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_memory_cas_u64(rig.vm, 0x1101c, &value, 1, &stored), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_memory_cas_u32(rig.vm, 0x1101a, &value32, 1, &stored), SVM_ERR_INVAL);
}
END_TEST

/* Whatever the alignment: over two words, over two lines of the cache, at the end of the page. */
static const struct {
	svm_gpa_t gpa;
	unsigned size;
	int result;
} exchange_rows[] = {
	{ 0x11000, 1, 0 },     { 0x11fff, 1, 0 },     { 0x11007, 2, 0 },
	{ 0x1103f, 2, 0 },     { 0x11ffe, 2, 0 },     { 0x11fff, 2, SVM_ERR_INVAL },
	{ 0x1103e, 4, 0 },     { 0x11ffc, 4, 0 },     { 0x11ffd, 4, SVM_ERR_INVAL },
	{ 0x11039, 8, 0 },     { 0x11ff8, 8, 0 },     { 0x11ff9, 8, SVM_ERR_INVAL },
	{ 0x11010, 16, 0 },    { 0x11ff0, 16, 0 },    { 0x11008, 16, SVM_ERR_INVAL },
	{ 0x11000, 3, SVM_ERR_INVAL }, { 0x20000, 4, SVM_ERR_FAULT },
};

START_TEST(operands_are_exchanged_at_any_place_in_a_page)
{
	const unsigned size = exchange_rows[_i].size;
	const svm_gpa_t gpa = exchange_rows[_i].gpa;
	uint8_t before[0x1000], wanted[16], found[16];
	uint8_t *page = rig_hva(frames[1]);
	bool stored = false;

	for (unsigned i = 0; i < sizeof(before); i++)
		page[i] = before[i] = (uint8_t)(i * 11 + 3);
	memset(wanted, 0x5a, sizeof(wanted));
	memset(found, 0xee, sizeof(found));
	ck_assert_int_eq(svm_memory_exchange(rig.vm, gpa, found, wanted, size, &stored),
	                 exchange_rows[_i].result);
	ck_assert(!memcmp(page, before, sizeof(before)));
	if (exchange_rows[_i].result)
		return;
	/* What was found is what is there; with that it is stored, and nothing around it. */
	ck_assert(!stored && !memcmp(found, page + (gpa & 0xfff), size));
	ck_assert_int_eq(svm_memory_exchange(rig.vm, gpa, found, wanted, size, &stored), 0);
	ck_assert(stored);
	memcpy(before + (gpa & 0xfff), wanted, size);
	ck_assert(!memcmp(page, before, sizeof(before)));
}
END_TEST

#define ADDITIONS 100000u
#define COUNTER   0x1103eu /* 4 bytes over two lines of the cache. */

static void *add_ones(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < ADDITIONS; i++) {
		uint32_t old = 0, new;
		bool stored;

		do {
			new = old + 1;
			if (svm_memory_exchange(rig.vm, COUNTER, &old, &new, 4, &stored))
				return arg;
		} while (!stored);
	}
	return NULL;
}

START_TEST(no_addition_is_lost_between_two_threads)
{
	uint32_t sum = 0;
	pthread_t other;
	void *failed = &sum;

	ck_assert_int_eq(svm_vm_write(rig.vm, COUNTER, &sum, 4, NULL), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, add_ones, &sum), 0);
	ck_assert_ptr_null(add_ones(&sum));
	ck_assert_int_eq(pthread_join(other, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_int_eq(svm_vm_read(rig.vm, COUNTER, &sum, 4, NULL), 0);
	ck_assert_uint_eq(sum, 2 * ADDITIONS);
}
END_TEST

/* --- resolve callbacks --- */

static struct svm_resolved_page answer;
static enum svm_resolve_result answer_result;
static svm_gpa_t asked_gpa;
static uint32_t asked_access;

static enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                       struct svm_resolved_page *page)
{
	ck_assert(arg == &answer);
	asked_gpa = gpa;
	asked_access = access;
	*page = answer;
	return answer_result;
}

static void add_resolve_slot(svm_gpa_t gpa, uint64_t size)
{
	const struct svm_slot slot = { .gpa = gpa,
		                       .size = size,
		                       .prot = 7,
		                       .kind = SVM_SLOT_RESOLVE,
		                       .resolve = resolve,
		                       .resolve_arg = &answer };

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
}

#define G1 UINT64_C(0x40000000)

static const struct {
	const char *what;
	enum svm_resolve_result result;
	struct svm_resolved_page page;
	uint32_t access;
	int read; /* Result of svm_vm_read() at G1 + 0x201008. */
	enum svm_fault_outcome outcome;
	enum svm_npt_fault_reason reason;
	uint64_t size; /* Of the leaf then there. */
} rows[] = {
	{ "a page",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST + 0x5000, 0x1000, 7 },
	  3,
	  0,
	  SVM_FAULT_FILLED,
	  0,
	  0x1000 },
	{ "2 MiB",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST + 0x200000, 0x200000, 7 },
	  3,
	  0,
	  SVM_FAULT_FILLED,
	  0,
	  0x200000 },
	{ "1 GiB", SVM_RESOLVE_MAPPED, { RIG_BASE, G1, 7 }, 1, 0, SVM_FAULT_FILLED, 0, G1 },
	{ "a page without WRITE",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST, 0x1000, 5 },
	  3,
	  0,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_RIGHTS,
	  0 },
	{ "a page without any right",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST, 0x1000, 0 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_RIGHTS,
	  0 },
	{ "not now",
	  SVM_RESOLVE_AGAIN,
	  { RIG_GUEST, 0x1000, 7 },
	  1,
	  SVM_ERR_AGAIN,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_AGAIN,
	  0 },
	{ "not there",
	  SVM_RESOLVE_ABSENT,
	  { RIG_GUEST, 0x1000, 7 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_ABSENT,
	  0 },
	{ "an unaligned frame",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST + 0x200, 0x1000, 7 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_ABSENT,
	  0 },
	{ "an unaligned 2 MiB",
	  SVM_RESOLVE_MAPPED,
	  { RIG_GUEST + 0x1000, 0x200000, 7 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_ABSENT,
	  0 },
	{ "beyond MAXPHYADDR",
	  SVM_RESOLVE_MAPPED,
	  { UINT64_C(1) << 48, 0x1000, 7 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_ABSENT,
	  0 },
	{ "an answer that is none",
	  (enum svm_resolve_result)7,
	  { RIG_GUEST, 0x1000, 7 },
	  1,
	  SVM_ERR_FAULT,
	  SVM_FAULT_REFUSED,
	  SVM_NPT_FAULT_ABSENT,
	  0 },
};

START_TEST(answers_of_a_resolve_callback)
{
	const svm_gpa_t gpa = G1 + 0x201008;
	enum svm_npt_fault_reason reason = 0;
	struct svm_mapping mapping = { .size = 0 };
	uint64_t value = 0;

	answer = rows[_i].page;
	answer_result = rows[_i].result;
	add_resolve_slot(G1, G1);
	ck_assert_msg(svm_vm_read(rig.vm, gpa, &value, 8, NULL) == rows[_i].read, "%s",
	              rows[_i].what);
	ck_assert_uint_eq(asked_gpa, gpa);
	ck_assert_uint_eq(asked_access, SVM_PROT_READ);
	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, rows[_i].access, &reason), rows[_i].outcome);
	ck_assert_int_eq(reason, rows[_i].reason);
	ck_assert_uint_eq(asked_access, rows[_i].access);
	ck_assert(!!svm_vm_query(rig.vm, gpa, &mapping) == !rows[_i].size);
	ck_assert_uint_eq(mapping.size, rows[_i].size);
	if (rows[_i].size)
		ck_assert_uint_eq(mapping.hpa,
		                  rows[_i].page.hpa + (gpa & (rows[_i].page.size - 1)));
}
END_TEST

/* The host says 2 MiB, the slot begins in the middle of it. */
START_TEST(a_leaf_does_not_leave_its_slot)
{
	enum svm_npt_fault_reason reason;
	struct svm_mapping mapping;

	answer = (struct svm_resolved_page){ RIG_GUEST + 0x200000, 0x200000, 7 };
	answer_result = SVM_RESOLVE_MAPPED;
	add_resolve_slot(G1 + 0x1000, 0x400000);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x5123, 3, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x5123, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x1000);
	ck_assert_uint_eq(mapping.hpa, RIG_GUEST + 0x205123);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x200000, 3, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x200000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x200000);
}
END_TEST

/* Rights come later in place; another target needs an invalidation first. */
START_TEST(a_second_answer)
{
	enum svm_npt_fault_reason reason = 0;
	struct svm_mapping mapping;

	answer = (struct svm_resolved_page){ RIG_GUEST, 0x1000, 1 };
	answer_result = SVM_RESOLVE_MAPPED;
	add_resolve_slot(G1, 0x200000);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1, 1, &reason), SVM_FAULT_FILLED);
	answer.prot = 3;
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1, 3, &reason), SVM_FAULT_FILLED);
	/* A callback that answers no more than was asked for takes nothing back by that. */
	answer.prot = 5;
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1, 5, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1, &mapping), 0);
	ck_assert_uint_eq(mapping.prot, 7);
	ck_assert(mapping.dirty); /* By the write before. */

	answer = (struct svm_resolved_page){ RIG_GUEST + 0x3000, 0x1000, 1 };
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x1000, 1, &reason), SVM_FAULT_FILLED);
	answer = (struct svm_resolved_page){ RIG_GUEST + 0x4000, 0x1000, 3 };
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x1000, 3, &reason), SVM_FAULT_REFUSED);
	ck_assert_int_eq(reason, SVM_NPT_FAULT_AGAIN);
	svm_vm_invalidate_begin(rig.vm, G1 + 0x1000, 0x1000);
	svm_vm_invalidate_end(rig.vm, G1 + 0x1000, 0x1000);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x1000, 3, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x1000, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, RIG_GUEST + 0x4000);
}
END_TEST

/* A large leaf is too large to change as a whole: it is split in place. */
START_TEST(a_smaller_second_answer_splits)
{
	enum svm_npt_fault_reason reason;
	struct svm_mapping mapping;

	answer = (struct svm_resolved_page){ RIG_GUEST + 0x200000, 0x200000, 1 };
	answer_result = SVM_RESOLVE_MAPPED;
	add_resolve_slot(G1, 0x200000);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1, 1, &reason), SVM_FAULT_FILLED);
	answer = (struct svm_resolved_page){ RIG_GUEST + 0x203000, 0x1000, 3 };
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x3000, 3, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x3000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x1000);
	ck_assert_uint_eq(mapping.prot, 3);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x4567, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, RIG_GUEST + 0x204567);
	ck_assert_uint_eq(mapping.prot, 1);
}
END_TEST

/* Frames that happen to be one block give 2 MiB, and 1 GiB is put together by populate. */
START_TEST(frames_in_a_block_make_large_leaves)
{
	static svm_hpa_t block[1024];
	const struct svm_slot slot = {
		.gpa = G1, .size = 0x400000, .prot = 7, .kind = SVM_SLOT_FRAMES, .frames = block
	};
	enum svm_npt_fault_reason reason;
	struct svm_mapping mapping;

	for (unsigned i = 0; i < 1024; i++)
		block[i] = 0x10000000 + i * UINT64_C(0x1000);
	block[1023] = 0x7000;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x1ff000, 7, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x1ff000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x200000);
	ck_assert_uint_eq(mapping.hpa, 0x101ff000);
	ck_assert_int_eq(svm_vm_populate(rig.vm, G1, 0x400000), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x200000, &mapping), 0);
	ck_assert_uint_eq(mapping.size, 0x1000);
	ck_assert_int_eq(svm_vm_query(rig.vm, G1 + 0x3ff000, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, 0x7000);
}
END_TEST

START_TEST(bad_frames_are_refused)
{
	static svm_hpa_t bad[2] = { 0x1000, 0x2001 };
	struct svm_slot slot = {
		.gpa = G1, .size = 0x2000, .prot = 7, .kind = SVM_SLOT_FRAMES, .frames = bad
	};
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_RANGE);
	bad[1] = UINT64_C(1) << 48;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_RANGE);
	bad[1] = 0x2000;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	bad[1] = UINT64_C(1) << 63; /* The array is the embedder's: it is checked at each use. */
	ck_assert_int_eq(svm_memory_fault(rig.vm, G1 + 0x1000, 1, &reason), SVM_FAULT_REFUSED);
	ck_assert_int_eq(reason, SVM_NPT_FAULT_ABSENT);
	slot = (struct svm_slot){ .gpa = 0, .size = 0x1000, .prot = 7, .kind = SVM_SLOT_FRAMES };
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_INVAL);
	slot.kind = SVM_SLOT_RESOLVE;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_INVAL);
	slot.kind = (enum svm_slot_kind)3;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_INVAL);
	slot.kind = SVM_SLOT_RANGE;
	slot.memory_type = (enum svm_memory_type)4;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), SVM_ERR_INVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest_memory");
	TCase *tcase = tcase_create("guest_memory");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, write_then_read_over_pages_that_are_not_neighbours);
	tcase_add_test(tcase, transfer_stops_at_the_first_byte_that_is_not_there);
	tcase_add_test(tcase, transfer_does_not_wrap);
	tcase_add_test(tcase, rights_of_the_slot_hold_for_the_library);
	tcase_add_test(tcase, memory_that_the_host_does_not_map_is_a_fault);
	tcase_add_test(tcase, entries_are_read_and_exchanged_whole);
	tcase_add_loop_test(tcase, operands_are_exchanged_at_any_place_in_a_page, 0,
	                    SVM_ARRAY_SIZE(exchange_rows));
	tcase_add_test(tcase, no_addition_is_lost_between_two_threads);
	tcase_add_loop_test(tcase, answers_of_a_resolve_callback, 0, SVM_ARRAY_SIZE(rows));
	tcase_add_test(tcase, a_leaf_does_not_leave_its_slot);
	tcase_add_test(tcase, a_second_answer);
	tcase_add_test(tcase, a_smaller_second_answer_splits);
	tcase_add_test(tcase, frames_in_a_block_make_large_leaves);
	tcase_add_test(tcase, bad_frames_are_refused);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
