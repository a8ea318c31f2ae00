/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One hypercall for interrupts to many: Documentation/virt/kvm/x86/hypercalls.rst. */
#include <check.h>

#include <libsvm/platform/paravirt_calls.h>

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Far apart, so that each edge of both words has somebody. */
static const uint32_t ids[] = { 0, 1, 31, 32, 63, 64, 127, 128 };
#define APICS 8

static struct svm_lapic lapics[APICS];
static struct svm_apic_bus bus;

static void wake(void *arg)
{
	(void)arg;
}

static void eoi(void *arg, uint8_t vector)
{
	(void)arg;
	(void)vector;
}

static void make_bus(void)
{
	const struct svm_lapic_time start = { 0, 0 };

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
		svm_lapic_write(&lapics[i], 0xf0, 4, 0x1ff, start);
	}
}

#define ALL    UINT64_MAX
#define REFUSED UINT64_C(0xffffffffffffffea)
#define NMI    0x400u

static const struct {
	const char *what;
	bool is_wide;
	uint64_t low, high, first, icr;
	uint64_t result;
	unsigned receivers; /* Bit i: APIC ids[i]. */
} ipi_rows[] = {
	{ "nobody", true, 0, 0, 0, 0x50, 0, 0 },
	{ "one", true, 2, 0, 0, 0x50, 1, 0x02 },
	{ "all of the lower word", true, ALL, 0, 0, 0x50, 5, 0x1f },
	{ "all of the upper word", true, 0, ALL, 0, 0x50, 2, 0x60 },
	{ "the last of each word", true, UINT64_C(1) << 63, UINT64_C(1) << 63, 0, 0x50, 2, 0x50 },
	{ "from 1 on", true, ALL, ALL, 1, 0x50, 7, 0xfe },
	{ "from the last on", true, ALL, ALL, 128, 0x50, 1, 0x80 },
	{ "from behind the last on", true, ALL, ALL, 129, 0x50, 0, 0 },
	{ "a first that would wrap", true, ALL, ALL, UINT64_MAX, 0x50, 0, 0 },
	{ "a first whose upper word would wrap", true, ALL, ALL, UINT64_MAX - 63, 0x50, 0, 0 },
	{ "a first of 2^32", true, ALL, ALL, UINT64_C(1) << 32, 0x50, 0, 0 },
	{ "words of 32 bits, lower", false, 0xffffffff, 0, 0, 0x50, 3, 0x07 },
	{ "words of 32 bits, upper", false, 0, 0xffffffff, 0, 0x50, 2, 0x18 },
	{ "an NMI", true, 3, 0, 0, NMI, 2, 0x03 },
	{ "an NMI, whose vector counts for nothing", true, 3, 0, 0, NMI | 0x50, 2, 0x03 },
	{ "the lowest vector", true, 1, 0, 0, 0x10, 1, 0x01 },
	{ "the highest vector", true, 1, 0, 0, 0xff, 1, 0x01 },
	{ "a vector below 16", true, 1, 0, 0, 0x0f, REFUSED, 0 },
	{ "assert", true, 1, 0, 0, 0x4050, 1, 0x01 },
	{ "lowest priority", true, 3, 0, 0, 0x150, REFUSED, 0 },
	{ "SMI", true, 3, 0, 0, 0x200, REFUSED, 0 },
	{ "INIT", true, 3, 0, 0, 0x500, REFUSED, 0 },
	{ "start-up", true, 3, 0, 0, 0x650, REFUSED, 0 },
	{ "ExtINT", true, 3, 0, 0, 0x750, REFUSED, 0 },
	{ "logical", true, 3, 0, 0, 0x850, REFUSED, 0 },
	{ "to itself", true, 3, 0, 0, 0x40050, REFUSED, 0 },
	{ "to all", true, 3, 0, 0, 0x80050, REFUSED, 0 },
};

static bool has_received(const struct svm_lapic *lapic, uint64_t icr)
{
	const unsigned vector = icr & 0xff;

	if (icr & NMI)
		return lapic->requests & SVM_LAPIC_REQUEST_NMI;
	return lapic->irr[vector / 32] >> vector % 32 & 1;
}

START_TEST(an_interrupt_goes_to_each_of_the_bitmap)
{
	const struct svm_hypercall call = {
		.number = 10,
		.argument = { ipi_rows[_i].low, ipi_rows[_i].high, ipi_rows[_i].first,
		              ipi_rows[_i].icr },
		.is_wide = ipi_rows[_i].is_wide,
	};
	const uint64_t result = svm_paravirt_send_ipi(&bus, &call);

	ck_assert_msg(result == ipi_rows[_i].result, "%s: %lx", ipi_rows[_i].what, result);
	for (unsigned i = 0; i < APICS; i++)
		ck_assert_msg(has_received(&lapics[i], ipi_rows[_i].icr) ==
		                      (ipi_rows[_i].receivers >> i & 1),
		              "%s: APIC %u", ipi_rows[_i].what, ids[i]);
}
END_TEST

/* Who takes no vectors is not counted. */
START_TEST(an_apic_that_is_off_does_not_count)
{
	const struct svm_hypercall call = { .argument = { 3, 0, 0, 0x50 }, .is_wide = true };
	const struct svm_lapic_time start = { 0, 0 };

	svm_lapic_write(&lapics[1], 0xf0, 4, 0x0ff, start);
	ck_assert_uint_eq(svm_paravirt_send_ipi(&bus, &call), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("paravirt_ipi");
	TCase *tc = tcase_create("paravirt_ipi");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, make_bus, NULL);
	tcase_add_loop_test(tc, an_interrupt_goes_to_each_of_the_bitmap, 0, ROWS(ipi_rows));
	tcase_add_test(tc, an_apic_that_is_off_does_not_count);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
