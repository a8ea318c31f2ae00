/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Entries of nested tables, and walks over them.  APM vol. 2, 5.3 and 15.25. */
#include "memory_rig.h"

#include "core/memory/npt.h"

#include <check.h>
#include <stdlib.h>

static void setup(void)
{
	rig_setup();
	rig_vm();
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

/* Bits of 5.3.3: P 0, R/W 1, U/S 2, PWT 3, PCD 4, A 5, D 6, PS 7, address 51:12, NX 63. */
static const struct {
	const char *what;
	svm_hpa_t hpa;
	unsigned level;
	uint32_t prot;
	enum svm_memory_type type;
	uint64_t value;
} leaf_rows[] = {
	{ "page, all rights", 0x1000, 1, 7, SVM_MEMORY_WB, UINT64_C(0x0000000000001007) },
	{ "page, read", 0x1000, 1, 1, SVM_MEMORY_WB, UINT64_C(0x8000000000001005) },
	{ "page, read and write", 0x1000, 1, 3, SVM_MEMORY_WB, UINT64_C(0x8000000000001007) },
	{ "page, read and execute", 0x1000, 1, 5, SVM_MEMORY_WB, UINT64_C(0x0000000000001005) },
	{ "2 MiB", 0x200000, 2, 7, SVM_MEMORY_WB, UINT64_C(0x0000000000200087) },
	{ "1 GiB", 0x40000000, 3, 7, SVM_MEMORY_WB, UINT64_C(0x0000000040000087) },
	{ "highest page of 52 bits", UINT64_C(0xffffffffff000), 1, 7, SVM_MEMORY_WB,
	  UINT64_C(0x000ffffffffff007) },
	{ "write-through", 0x1000, 1, 7, SVM_MEMORY_WT, UINT64_C(0x000000000000100f) },
	{ "uncached minus", 0x1000, 1, 7, SVM_MEMORY_UC_MINUS, UINT64_C(0x0000000000001017) },
	{ "uncached", 0x1000, 1, 7, SVM_MEMORY_UC, UINT64_C(0x000000000000101f) },
};

START_TEST(leaf_has_the_manuals_bits)
{
	const uint64_t value = svm_npt_leaf(rig.vm, leaf_rows[_i].hpa, leaf_rows[_i].level,
	                                    leaf_rows[_i].prot, leaf_rows[_i].type);

	ck_assert_msg(value == leaf_rows[_i].value, "%s: %016lx", leaf_rows[_i].what, value);
	ck_assert_uint_eq(svm_npt_prot(value), leaf_rows[_i].prot);
}
END_TEST

START_TEST(geometry)
{
	ck_assert_uint_eq(svm_npt_span(1), 0x1000);
	ck_assert_uint_eq(svm_npt_span(2), 0x200000);
	ck_assert_uint_eq(svm_npt_span(3), 0x40000000);
	ck_assert_uint_eq(svm_npt_span(4), UINT64_C(0x8000000000));
	ck_assert_uint_eq(svm_npt_span(5), UINT64_C(0x1000000000000));
	ck_assert_uint_eq(svm_npt_index(UINT64_C(0x0000123456789abc), 1), 0x189);
	ck_assert_uint_eq(svm_npt_index(UINT64_C(0x0000123456789abc), 2), 0x0b3);
	ck_assert_uint_eq(svm_npt_index(UINT64_C(0x0000123456789abc), 3), 0x0d1);
	ck_assert_uint_eq(svm_npt_index(UINT64_C(0x0000123456789abc), 4), 0x024);
	ck_assert_uint_eq(svm_npt_index(UINT64_C(0x0003123456789abc), 5), 0x003);
	ck_assert_uint_eq(svm_npt_base(UINT64_C(0x123456789abc), 3), UINT64_C(0x123440000000));
}
END_TEST

START_TEST(divide_keeps_address_rights_type_and_use)
{
	static uint64_t table[512];

	/* 2 MiB, W, U, PCD, A, D, NX: PS goes, for in a page's entry bit 7 is PAT. */
	svm_npt_divide(table, UINT64_C(0x80000000006000f7), 2);
	ck_assert_uint_eq(table[0], UINT64_C(0x8000000000600077));
	ck_assert_uint_eq(table[1], UINT64_C(0x8000000000601077));
	ck_assert_uint_eq(table[511], UINT64_C(0x80000000007ff077));
	/* 1 GiB, read only, not used yet: PS stays. */
	svm_npt_divide(table, UINT64_C(0x00000000c0000085), 3);
	ck_assert_uint_eq(table[0], UINT64_C(0x00000000c0000085));
	ck_assert_uint_eq(table[511], UINT64_C(0x00000000ffe00085));
}
END_TEST

START_TEST(walk_steps_over_what_the_entry_maps)
{
	struct svm_npt_walk walk;

	/* An empty tree: entries of the root, 512 GiB each. */
	svm_npt_begin(&walk, rig.vm, 0x1000, UINT64_C(0x180000000000) - 1);
	ck_assert_uint_eq(walk.level, 4);
	ck_assert(svm_npt_at(&walk) == rig.vm->memory.root);
	for (unsigned i = 1; i < 48; i++) {
		ck_assert(svm_npt_next(&walk));
		ck_assert(svm_npt_at(&walk) == rig.vm->memory.root + i);
	}
	ck_assert(!svm_npt_next(&walk));
}
END_TEST

START_TEST(walk_climbs_at_the_end_of_a_table)
{
	struct svm_npt_walk walk;
	const svm_gpa_t first = UINT64_C(0x3fffe000);
	unsigned pages = 0;

	ck_assert_int_eq(svm_vm_map(rig.vm, first, 0x7000, 0x4000, 7), 0);
	svm_npt_begin(&walk, rig.vm, first, first + 0x3fff);
	do {
		uint64_t value = *svm_npt_at(&walk);

		while (svm_npt_is_table(value, walk.level)) {
			svm_npt_down(&walk, value);
			value = *svm_npt_at(&walk);
		}
		ck_assert_uint_eq(walk.level, 1);
		ck_assert_uint_eq(walk.gpa, first + pages * 0x1000);
		ck_assert_uint_eq(value, (0x7000 + pages * 0x1000) | 7);
		pages++;
	} while (svm_npt_next(&walk));
	ck_assert_uint_eq(pages, 4);
}
END_TEST

START_TEST(query_tells_all_of_a_leaf)
{
	struct svm_mapping mapping;
	enum svm_npt_fault_reason reason;
	const struct svm_slot slot = { .gpa = 0x40000000,
		                       .size = 0x40000000,
		                       .prot = 3,
		                       .memory_type = SVM_MEMORY_UC,
		                       .hpa = 0x80200000 };

	ck_assert_int_eq(svm_vm_query(rig.vm, 0x40000000, &mapping), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_query(rig.vm, UINT64_C(1) << 48, &mapping), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, 0x40000000, &mapping), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 0x40000000, 0x1000), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, 0x40012345, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, 0x80212345);
	ck_assert_uint_eq(mapping.size, 0x200000);
	ck_assert_uint_eq(mapping.prot, 3);
	ck_assert_int_eq(mapping.memory_type, SVM_MEMORY_UC);
	ck_assert(!mapping.accessed && !mapping.dirty);
	ck_assert_int_eq(svm_memory_fault(rig.vm, 0x40200000, 1, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, 0x40200000, &mapping), 0);
	ck_assert(mapping.accessed && !mapping.dirty);
	ck_assert_int_eq(svm_memory_fault(rig.vm, 0x41400000, 2, &reason), SVM_FAULT_FILLED);
	ck_assert_int_eq(svm_vm_query(rig.vm, 0x41400000, &mapping), 0);
	ck_assert(mapping.accessed && mapping.dirty);
}
END_TEST

/* 5-level paging: one level more, everything else alike (5.3.2). */
START_TEST(five_levels)
{
	const svm_gpa_t gpa = UINT64_C(0x0005123456789000);
	struct svm_mapping mapping;
	enum svm_npt_fault_reason reason;

	rig_setup();
	rig.vm->config.npt_levels = 5;
	rig.host->features.physical_bits = 52;
	rig_vm();
	ck_assert_int_eq(svm_vm_map(rig.vm, gpa, 0x9000, 0x1000, 7), 0);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa + 5, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, 0x9005);
	ck_assert(rig.vm->memory.root[5]);
	ck_assert_int_eq(svm_vm_query(rig.vm, gpa ^ UINT64_C(1) << 48, &mapping), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_map(rig.vm, UINT64_C(1) << 52, 0, 0x1000, 7), SVM_ERR_RANGE);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, UINT64_C(1) << 52), 0);
	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, 1, &reason), SVM_FAULT_REFUSED);
	for (unsigned i = 0; i < 512; i++)
		ck_assert_uint_eq(rig.vm->memory.root[i], 0);
	ck_assert(rig_teardown());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("npt");
	TCase *tcase = tcase_create("npt");
	TCase *own = tcase_create("five levels");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, leaf_has_the_manuals_bits, 0, SVM_ARRAY_SIZE(leaf_rows));
	tcase_add_test(tcase, geometry);
	tcase_add_test(tcase, divide_keeps_address_rights_type_and_use);
	tcase_add_test(tcase, walk_steps_over_what_the_entry_maps);
	tcase_add_test(tcase, walk_climbs_at_the_end_of_a_table);
	tcase_add_test(tcase, query_tells_all_of_a_leaf);
	tcase_add_test(own, five_levels);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, own);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
