/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who receives an APIC message.  APM vol. 2, 16.6.1, 16.6.2, 16.14. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/apic_bus.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Six APICs, so that table and IDs differ: the last two in x2APIC mode. */
static const uint32_t ids[] = { 0, 1, 2, 7, 0x25, 255 };
#define APICS 6

static struct svm_lapic lapics[APICS];
static struct svm_apic_bus bus;
static const struct svm_lapic_time zero;

static void wake(void *arg)
{
	(void)arg;
}

static void eoi(void *arg, uint8_t vector)
{
	(void)arg;
	(void)vector;
}

static void put(unsigned i, uint32_t offset, uint32_t value)
{
	svm_lapic_write(&lapics[i], offset, 4, value, zero);
}

/* Flat logical IDs: 1, 2, 4, 8 for the first four. */
static void make_bus(void)
{
	svm_apic_bus_init(&bus);
	for (unsigned i = 0; i < APICS; i++) {
		const struct svm_lapic_config config = {
			.id = ids[i],
			.is_bsp = i == 0,
			.has_x2apic = true,
			.physical_bits = 40,
			.host = { wake, svm_apic_bus_send, eoi, &bus },
		};

		ck_assert_int_eq(svm_lapic_init(&lapics[i], &config), 0);
		ck_assert_int_eq(svm_apic_bus_add(&bus, &lapics[i]), 0);
		put(i, 0xf0, 0x1ff);
		put(i, 0xd0, i < 4 ? 0x01000000u << i : 0);
	}
	for (unsigned i = 4; i < APICS; i++)
		ck_assert(svm_lapic_set_base(&lapics[i], 0xfee00c00));
}

/* Bit i: APIC i has the vector. */
static unsigned receivers(uint8_t vector)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < APICS; i++)
		if (svm_lapic_pending(&lapics[i], 0) == vector)
			mask |= 1u << i;
	return mask;
}

static const struct {
	const char *what;
	struct svm_apic_message message;
	unsigned receivers;
} destination_rows[] = {
	{ "physical: one", { .destination = 7 }, 0x08 },
	{ "physical: nobody", { .destination = 3 }, 0 },
	{ "physical: everybody", { .destination = 0xff }, 0x3f },
	{ "physical, wide: the one with ID 255", { .destination = 0xff, .is_wide = true }, 0x20 },
	{ "physical, wide: everybody", { .destination = 0xffffffff, .is_wide = true }, 0x3f },
	{ "physical, wide: past the table", { .destination = 0x100, .is_wide = true }, 0 },
	{ "physical, wide: an index far out", { .destination = 0xfffffffe, .is_wide = true }, 0 },
	{ "physical, by mode: an x2APIC's ID is no broadcast, an xAPIC's is",
	  { .destination = 0xff, .is_by_mode = true }, 0x2f },
	{ "physical, by mode: everybody of an x2APIC",
	  { .destination = 0xffffffff, .is_by_mode = true }, 0x30 },
	{ "physical, by mode: one", { .destination = 0x25, .is_by_mode = true }, 0x10 },
	{ "physical, by mode: past the table", { .destination = 0x125, .is_by_mode = true }, 0 },
	{ "logical, by mode: cluster 0 is not everybody",
	  { .destination = 0xff, .is_logical = true, .is_by_mode = true }, 0x0f },
	{ "logical, by mode: a cluster, in whatever width",
	  { .destination = 0x000200ff, .is_logical = true, .is_wide = true, .is_by_mode = true },
	  0x10 },
	{ "physical: an ID below an x2APIC's", { .destination = 0x25 }, 0x10 },
	{ "logical, flat: two", { .destination = 0x05, .is_logical = true }, 0x05 },
	{ "logical, flat: nobody", { .destination = 0x00, .is_logical = true }, 0 },
	{ "logical: everybody", { .destination = 0xff, .is_logical = true }, 0x3f },
	{ "logical, wide: a cluster",
	  { .destination = 0x0002ffff, .is_logical = true, .is_wide = true }, 0x10 },
	{ "logical, wide: another",
	  { .destination = 0x000f8000, .is_logical = true, .is_wide = true }, 0x20 },
	{ "self", { .shorthand = SVM_APIC_SELF, .source = 7 }, 0x08 },
	{ "all", { .shorthand = SVM_APIC_ALL, .source = 7 }, 0x3f },
	{ "all but self", { .shorthand = SVM_APIC_ALL_BUT_SELF, .source = 7 }, 0x37 },
	{ "all but one that is not there",
	  { .shorthand = SVM_APIC_ALL_BUT_SELF, .source = 99 }, 0x3f },
	{ "a shorthand makes the destination void",
	  { .shorthand = SVM_APIC_ALL, .destination = 1, .is_logical = true }, 0x3f },
};

START_TEST(a_message_reaches_its_destinations)
{
	struct svm_apic_message message = destination_rows[_i].message;

	message.vector = 0x44;
	make_bus();
	ck_assert_msg(svm_apic_bus_send(&bus, &message) == (destination_rows[_i].receivers != 0),
	              "%s", destination_rows[_i].what);
	ck_assert_msg(receivers(0x44) == destination_rows[_i].receivers, "%s: %#x",
	              destination_rows[_i].what, receivers(0x44));
}
END_TEST

START_TEST(the_cluster_model_reaches_clusters)
{
	struct svm_apic_message message = {
		.is_logical = true, .vector = 0x44, .destination = 0x13
	};

	make_bus();
	for (unsigned i = 0; i < 4; i++) {
		put(i, 0xe0, 0x0fffffff);
		put(i, 0xd0, i < 2 ? 0x11000000u << i : 0x21000000);
	}
	put(1, 0xd0, 0x12000000);
	ck_assert(svm_apic_bus_send(&bus, &message));
	ck_assert_uint_eq(receivers(0x44), 0x03);
	message.vector = 0x55;
	message.destination = 0x21;
	ck_assert(svm_apic_bus_send(&bus, &message));
	ck_assert_uint_eq(receivers(0x55), 0x0c);
}
END_TEST

START_TEST(lowest_priority_goes_to_who_is_least_busy)
{
	const struct svm_apic_message message = {
		.mode = SVM_APIC_LOWEST, .is_logical = true, .destination = 0x0f, .vector = 0x44
	};

	make_bus();
	put(0, 0x80, 0x30);
	put(1, 0x80, 0x20);
	put(2, 0x80, 0x31);
	put(3, 0xf0, 0xff);
	ck_assert(svm_apic_bus_send(&bus, &message));
	ck_assert_uint_eq(receivers(0x44), 0x02);
	put(1, 0x80, 0x40);
	ck_assert(svm_apic_bus_send(&bus, &message));
	ck_assert_uint_eq(receivers(0x44), 0x03);
}
END_TEST

START_TEST(among_equals_lowest_priority_goes_round)
{
	struct svm_apic_message message = {
		.mode = SVM_APIC_LOWEST, .is_logical = true, .destination = 0x0b
	};
	static const unsigned turns[] = { 0x02, 0x08, 0x01, 0x02, 0x08, 0x01 };

	make_bus();
	for (unsigned i = 0; i < ARRAY_SIZE(turns); i++) {
		message.vector = (uint8_t)(0x40 + 16 * i);
		ck_assert(svm_apic_bus_send(&bus, &message));
		ck_assert_uint_eq(receivers(message.vector), turns[i]);
	}
}
END_TEST

START_TEST(lowest_priority_finds_nobody_if_all_are_disabled)
{
	const struct svm_apic_message message = {
		.mode = SVM_APIC_LOWEST, .is_logical = true, .destination = 0x0f, .vector = 0x44
	};

	make_bus();
	for (unsigned i = 0; i < 4; i++)
		put(i, 0xf0, 0xff);
	ck_assert(!svm_apic_bus_send(&bus, &message));
	svm_apic_bus_init(&bus);
	ck_assert(!svm_apic_bus_send(&bus, &message));
}
END_TEST

/* How a kernel starts its other processors. */
START_TEST(init_and_startup_reach_the_others)
{
	uint8_t vector = 0;

	make_bus();
	put(0, 0x310, 0x07000000);
	put(0, 0x300, 0x0000c500);
	put(0, 0x300, 0x00008500);
	put(0, 0x300, 0x0000069a);
	for (unsigned i = 0; i < APICS; i++)
		ck_assert_uint_eq(svm_lapic_take_requests(&lapics[i], &vector),
		                  i == 3 ? SVM_LAPIC_REQUEST_INIT | SVM_LAPIC_REQUEST_STARTUP : 0);
	ck_assert_uint_eq(vector, 0x9a);
	put(0, 0x300, 0x000c4400);
	for (unsigned i = 0; i < APICS; i++)
		ck_assert_uint_eq(svm_lapic_take_requests(&lapics[i], &vector),
		                  i ? SVM_LAPIC_REQUEST_NMI : 0);
}
END_TEST

START_TEST(an_id_is_given_once)
{
	static struct svm_lapic twin;

	make_bus();
	twin = lapics[3];
	ck_assert_int_eq(svm_apic_bus_add(&bus, &twin), SVM_ERR_EXIST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("apic_bus");
	TCase *tcase = tcase_create("apic_bus");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, a_message_reaches_its_destinations, 0,
	                    ARRAY_SIZE(destination_rows));
	tcase_add_test(tcase, the_cluster_model_reaches_clusters);
	tcase_add_test(tcase, lowest_priority_goes_to_who_is_least_busy);
	tcase_add_test(tcase, among_equals_lowest_priority_goes_round);
	tcase_add_test(tcase, lowest_priority_finds_nobody_if_all_are_disabled);
	tcase_add_test(tcase, init_and_startup_reach_the_others);
	tcase_add_test(tcase, an_id_is_given_once);
	suite_add_tcase(suite, tcase);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
