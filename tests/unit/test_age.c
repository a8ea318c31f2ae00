/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the guest has used lately: accessed bits of the nested tables.  APM vol. 2, 5.4.2. */
#include "memory_rig.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#define BASE UINT64_C(0x40000000)
#define MIB2 UINT64_C(0x200000)
#define PAGE UINT64_C(4096)

static void setup(void)
{
	rig_setup();
	rig_vm();
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

static void add_slot(uint64_t size)
{
	const struct svm_slot slot = { .gpa = BASE, .size = size, .prot = 7, .hpa = RIG_GUEST };

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
}

static void touch(svm_gpa_t gpa, uint32_t access)
{
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, access, &reason), SVM_FAULT_FILLED);
}

static struct svm_mapping look(svm_gpa_t gpa)
{
	struct svm_mapping mapping = { .size = 0 };

	ck_assert_int_eq(svm_vm_query(rig.vm, gpa, &mapping), 0);
	return mapping;
}

/* What a processor does with its first access through a translation. */
static void use(svm_gpa_t gpa)
{
	uint64_t *table = rig.vm->memory.root;
	unsigned level = rig.vm->memory.levels;

	while (svm_npt_is_table(table[svm_npt_index(gpa, level)], level)) {
		table = svm_npt_table(rig.vm, table[svm_npt_index(gpa, level)]);
		level--;
	}
	svm_atomic_or(&table[svm_npt_index(gpa, level)], SVM_NPT_ACCESSED);
}

/* Three pages next to each other, of which the middle one was touched. */
START_TEST(only_what_was_used_is_young)
{
	rig.vm->config.no_huge_pages = true;
	add_slot(3 * PAGE);
	ck_assert(!svm_vm_test_young(rig.vm, BASE, 3 * PAGE)); /* Not mapped. */
	touch(BASE + PAGE, SVM_PROT_WRITE);
	ck_assert_uint_eq(look(BASE).size, PAGE); /* The neighbours are mapped, and unused. */
	ck_assert(!svm_vm_test_young(rig.vm, BASE, PAGE));
	ck_assert(svm_vm_test_young(rig.vm, BASE + PAGE, PAGE));
	ck_assert(!svm_vm_test_young(rig.vm, BASE + 2 * PAGE, PAGE));
	ck_assert(svm_vm_test_young(rig.vm, BASE, 3 * PAGE));
	ck_assert(svm_vm_test_young(rig.vm, BASE + 2 * PAGE - 1, 1));
	ck_assert(!svm_vm_test_young(rig.vm, BASE + PAGE - 1, 1));
	ck_assert(svm_vm_test_young(rig.vm, BASE + PAGE - 1, 2));
	ck_assert(look(BASE + PAGE).accessed); /* A look is none. */
}
END_TEST

START_TEST(what_is_made_old_stays_mapped_and_dirty)
{
	rig.vm->config.no_huge_pages = true;
	add_slot(3 * PAGE);
	touch(BASE + PAGE, SVM_PROT_WRITE);
	use(BASE + 2 * PAGE);
	ck_assert(svm_vm_clear_young(rig.vm, BASE + PAGE, PAGE, false));
	ck_assert(!look(BASE + PAGE).accessed);
	ck_assert(look(BASE + PAGE).dirty);
	ck_assert_uint_eq(look(BASE + PAGE).prot, 7);
	ck_assert_uint_eq(look(BASE + PAGE).hpa, RIG_GUEST + PAGE);
	ck_assert(look(BASE + 2 * PAGE).accessed); /* It was not asked for. */
	ck_assert(!svm_vm_clear_young(rig.vm, BASE + PAGE, PAGE, false));
	use(BASE + PAGE);
	ck_assert(svm_vm_clear_young(rig.vm, BASE, 3 * PAGE, false));
	ck_assert(!svm_vm_test_young(rig.vm, BASE, 3 * PAGE));
}
END_TEST

/* Of a large leaf any part stands for the whole. */
START_TEST(a_large_leaf_ages_as_a_whole)
{
	add_slot(2 * MIB2);
	touch(BASE + 5 * PAGE, SVM_PROT_READ);
	ck_assert_uint_eq(look(BASE).size, MIB2);
	ck_assert(svm_vm_test_young(rig.vm, BASE + MIB2 - 1, 1));
	ck_assert(!svm_vm_test_young(rig.vm, BASE + MIB2, MIB2));
	ck_assert(svm_vm_clear_young(rig.vm, BASE + 7 * PAGE, PAGE, false));
	ck_assert(!svm_vm_test_young(rig.vm, BASE, 2 * MIB2));
	ck_assert_uint_eq(look(BASE).size, MIB2);
}
END_TEST

/* Only where something was young, by the vCPUs' next entries, and waiting for nobody. */
START_TEST(a_flush_is_asked_for_and_not_waited_for)
{
	const uint64_t epoch = rig.vm->flush_epoch;

	add_slot(PAGE);
	touch(BASE, SVM_PROT_READ);
	ck_assert(svm_vm_clear_young(rig.vm, BASE, PAGE, false));
	ck_assert_uint_eq(rig.vm->flush_epoch, epoch);
	ck_assert(!svm_vm_clear_young(rig.vm, BASE, PAGE, true));
	ck_assert_uint_eq(rig.vm->flush_epoch, epoch);
	use(BASE);
	ck_assert(svm_vm_clear_young(rig.vm, BASE, PAGE, true));
	ck_assert_uint_eq(rig.vm->flush_epoch, epoch + 1);
	ck_assert_uint_eq(rig.flushes, 0);
}
END_TEST

START_TEST(odd_ranges)
{
	add_slot(4 * PAGE);
	touch(BASE, SVM_PROT_READ);
	ck_assert(!svm_vm_test_young(rig.vm, BASE, 0));
	ck_assert(!svm_vm_test_young(rig.vm, UINT64_MAX, 1));
	ck_assert(!svm_vm_test_young(rig.vm, UINT64_C(1) << 48, UINT64_MAX));
	ck_assert(svm_vm_test_young(rig.vm, BASE + 1, UINT64_MAX));
	ck_assert(svm_vm_clear_young(rig.vm, 0, UINT64_MAX, false));
	ck_assert(!svm_vm_test_young(rig.vm, 0, UINT64_MAX));
}
END_TEST

/* More than one section's worth: the last page counts like the first. */
START_TEST(a_range_of_many_tables)
{
	const uint64_t size = 4 * MIB2;

	rig.vm->config.no_huge_pages = true;
	add_slot(size);
	ck_assert_int_eq(svm_vm_populate(rig.vm, BASE, size), 0);
	ck_assert(!svm_vm_test_young(rig.vm, BASE, size));
	use(BASE + size - PAGE);
	ck_assert(svm_vm_test_young(rig.vm, BASE, size));
	use(BASE + MIB2 - PAGE);
	use(BASE + MIB2);
	ck_assert(svm_vm_clear_young(rig.vm, BASE, size, false));
	ck_assert(!svm_vm_test_young(rig.vm, BASE, size));
	ck_assert_uint_eq(rig.vm->memory.section_count[0] | rig.vm->memory.section_count[1], 0);
}
END_TEST

/*
 * Ageing beside faults that split and fill, and beside invalidations that free the tables: the rig
 * poisons what is freed, and a lost right or address would show in what is mapped at the end.
 */
#ifdef __SANITIZE_THREAD__
#define ROUNDS 200u
#else
#define ROUNDS 2000u
#endif

static bool stop;

static void *ager(void *arg)
{
	(void)arg;
	while (!svm_atomic_load(&stop)) {
		svm_vm_clear_young(rig.vm, BASE, 4 * MIB2, true);
		svm_vm_test_young(rig.vm, BASE + MIB2, MIB2);
	}
	return NULL;
}

static void *toucher(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg;
	enum svm_npt_fault_reason reason;

	while (!svm_atomic_load(&stop)) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		if (svm_memory_fault(rig.vm, BASE + (seed >> 40) % (4 * MIB2), 3, &reason) ==
		    SVM_FAULT_NEED_FRAMES)
			ck_assert_int_eq(svm_vm_reserve(rig.vm, 0), 0);
	}
	return NULL;
}

START_TEST(beside_faults_and_invalidations)
{
	pthread_t thread[2];

	add_slot(4 * MIB2);
	stop = false;
	ck_assert(!pthread_create(&thread[0], NULL, ager, NULL));
	ck_assert(!pthread_create(&thread[1], NULL, toucher, (void *)(uintptr_t)1));
	for (unsigned round = 0; round < ROUNDS; round++) {
		const svm_gpa_t gpa = BASE + round % 1024 * 2 * PAGE;

		svm_vm_invalidate_begin(rig.vm, gpa, PAGE);
		svm_vm_invalidate_end(rig.vm, gpa, PAGE);
		if (round % 8 == 0) {
			svm_vm_invalidate_begin(rig.vm, BASE, 4 * MIB2);
			svm_vm_invalidate_end(rig.vm, BASE, 4 * MIB2);
		}
	}
	svm_atomic_store(&stop, true);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	for (svm_gpa_t gpa = BASE; gpa < BASE + 4 * MIB2; gpa += PAGE) {
		touch(gpa, SVM_PROT_WRITE);
		ck_assert_uint_eq(look(gpa).hpa, RIG_GUEST + (gpa - BASE));
		ck_assert_uint_eq(look(gpa).prot, 7);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("age");
	TCase *tcase = tcase_create("age");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, only_what_was_used_is_young);
	tcase_add_test(tcase, what_is_made_old_stays_mapped_and_dirty);
	tcase_add_test(tcase, a_large_leaf_ages_as_a_whole);
	tcase_add_test(tcase, a_flush_is_asked_for_and_not_waited_for);
	tcase_add_test(tcase, odd_ranges);
	tcase_add_test(tcase, a_range_of_many_tables);
	tcase_add_test(tcase, beside_faults_and_invalidations);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
