/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Permission maps over their whole domain: every port by every width, every MSR number for reads
 * and writes, against definitions that share no line with the code.
 *
 * The definitions see a map as what the manual calls it, an array of bits.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/iopm.h"
#include "core/msr_policy.h"
#include "core/msrpm.h"

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static bool bit_of(const uint8_t *map, uint32_t n)
{
	return map[n >> 3] & 1u << (n & 7);
}

/* Bits are 1 once in 2, 4, 8 ... times, or nearly always. */
static void draw_map(uint8_t *map, uint32_t size, unsigned density)
{
	for (uint32_t i = 0; i < size; i++) {
		uint64_t bits = draw();

		for (unsigned k = 0; k < density % 5; k++)
			bits &= draw();
		map[i] = (uint8_t)(density >= 5 ? ~bits : bits);
	}
}

#define IOPM_MAPS 24

START_TEST(every_port_and_width_follows_the_bits)
{
	static uint8_t map[SVM_IOPM_SIZE];
	uint64_t denied = 0, allowed = 0;

	for (unsigned round = 0; round < IOPM_MAPS; round++) {
		draw_map(map, sizeof(map), round);
		for (uint32_t port = 0; port < 65536; port++) {
			for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2)) {
				bool expected = false;

				for (uint32_t byte = 0; byte < size; byte++)
					expected = expected || bit_of(map, port + byte);
				if (svm_iopm_denies(map, (uint16_t)port, size) != expected)
					ck_abort_msg("map %u, port %#x, size %u", round, port,
					             size);
				denied += expected;
				allowed += !expected;
			}
		}
	}
	printf("ports: %llu accesses denied, %llu allowed\n", (unsigned long long)denied,
	       (unsigned long long)allowed);
	ck_assert_uint_eq(denied + allowed, IOPM_MAPS * 65536ull * 3);
	ck_assert_uint_gt(denied, 100000);
	ck_assert_uint_gt(allowed, 100000);
}
END_TEST

START_TEST(any_sequence_of_ranges_gives_the_map_that_a_list_of_ports_gives)
{
	static uint8_t map[SVM_IOPM_SIZE];
	static bool open[65536];

	svm_iopm_deny_all(map);
	for (unsigned round = 0; round < 2000; round++) {
		const uint32_t first = (uint32_t)(draw() >> 48);
		const uint32_t room = 65536 - first;
		const uint32_t count =
			1 + (uint32_t)(draw() >> 32) % (round % 2 ? room : 1 + room / 512);
		const bool allow = draw() >> 63;

		svm_iopm_set(map, first, count, allow);
		for (uint32_t port = first; port < first + count; port++)
			open[port] = allow;
		if (round % 20 == 0)
			for (uint32_t port = 0; port < 65536; port++)
				if (bit_of(map, port) == open[port])
					ck_abort_msg("round %u, port %#x", round, port);
	}
	for (uint32_t n = 65536; n < SVM_IOPM_SIZE * 8; n++)
		ck_assert(bit_of(map, n));
}
END_TEST

/* --- MSRs --- */

/* The table of msrs.h by ascending number, and an end. */
static const struct {
	uint64_t number;
	enum svm_msr_policy policy;
} table[] = {
#define ROW(name, number, policy, reset, text) { (number), SVM_MSR_##policy },
	SVM_MSRS(ROW)
#undef ROW
		{ UINT64_C(1) << 32, SVM_MSR_REFUSE },
};

/* Ranges as an embedder sets them, in order; the last that holds a number wins. */
static const struct svm_msr_range ranges[] = {
	{ 0x00000800, 0x000008ff, SVM_MSR_EXIT },   { 0x00000808, 0x00000808, SVM_MSR_ZERO },
	{ 0xc0000081, 0xc0000082, SVM_MSR_EXIT },   { 0x40000000, 0x400000ff, SVM_MSR_EXIT },
	{ 0x4000007f, 0x40000180, SVM_MSR_REFUSE }, { 0xc0010000, 0xc0010007, SVM_MSR_SHADOW },
	{ 0xc0000082, 0xc0000082, SVM_MSR_PASS },   { 0xffffffff, 0xffffffff, SVM_MSR_ZERO },
	{ 0x00000000, 0x00000000, SVM_MSR_ZERO },
};

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

static enum svm_msr_policy chosen(uint32_t msr, enum svm_msr_policy otherwise)
{
	for (size_t i = 0; i < RANGES; i++)
		if (msr >= ranges[i].first && msr <= ranges[i].last)
			otherwise = ranges[i].policy;
	return otherwise;
}

/* Next number above msr where some range begins or is over. */
static uint64_t next_edge(uint64_t msr)
{
	uint64_t edge = UINT64_C(1) << 32;

	for (size_t i = 0; i < RANGES; i++) {
		const uint64_t edges[2] = { ranges[i].first, UINT64_C(1) + ranges[i].last };

		for (unsigned k = 0; k < 2; k++)
			if (edges[k] > msr && edges[k] < edge)
				edge = edges[k];
	}
	return edge;
}

/* Bits 2 * n and 2 * n + 1 of one of three quarters, or none. */
static bool denied_by_bits(const uint8_t *map, uint32_t msr, bool is_write)
{
	const uint32_t n = (msr & 0x1fff) * 2 + is_write;

	switch (msr & 0xffffe000) {
	case 0x00000000:
		return bit_of(map, n);
	case 0xc0000000:
		return bit_of(map + 0x800, n);
	case 0xc0010000:
		return bit_of(map + 0x1000, n);
	default:
		return true;
	}
}

START_TEST(every_msr_number_follows_bits_and_policies)
{
	static uint8_t map[SVM_MSRPM_SIZE];
	static struct svm_msr_policies none, some;
	uint64_t passed = 0, listed = 0, edge = 0;
	size_t row = 0;
	bool in_range = false;
	enum svm_msr_policy range_policy = SVM_MSR_REFUSE;

	draw_map(map, sizeof(map), 0);
	memcpy(some.range, ranges, sizeof(ranges));
	some.range_count = RANGES;
	for (uint64_t n = 0; n < UINT64_C(1) << 32; n++) {
		const uint32_t msr = (uint32_t)n;
		enum svm_msr_policy expected = SVM_MSR_REFUSE;

		if (svm_msrpm_denies(map, msr, false) != denied_by_bits(map, msr, false) ||
		    svm_msrpm_denies(map, msr, true) != denied_by_bits(map, msr, true))
			ck_abort_msg("map, MSR %#x", msr);
		if (n == table[row].number) {
			expected = table[row++].policy;
			listed++;
		}
		if (svm_msr_policy_of(&none, msr) != expected)
			ck_abort_msg("default policy, MSR %#x", msr);
		passed += expected == SVM_MSR_PASS;
		if (n == edge) {
			/* Two guesses that differ tell whether a range decides. */
			range_policy = chosen(msr, SVM_MSR_REFUSE);
			in_range = range_policy == chosen(msr, SVM_MSR_EXIT);
			edge = next_edge(n);
		}
		/* Far from every range the empty list has just been asked the same. */
		if ((in_range || edge - n < 0x10000 || n % 0x1000 == 0) &&
		    svm_msr_policy_of(&some, msr) != (in_range ? range_policy : expected))
			ck_abort_msg("chosen policy, MSR %#x", msr);
	}
	printf("MSRs: %llu listed, %llu open\n", (unsigned long long)listed,
	       (unsigned long long)passed);
	ck_assert_uint_eq(listed, SVM_MSR_INDEX_COUNT);
	ck_assert_uint_eq(passed, 10);
}
END_TEST

/* The default map: open exactly where the default policy says PASS, in both directions. */
START_TEST(the_default_map_is_the_default_policy)
{
	static uint8_t map[SVM_MSRPM_SIZE];
	static struct svm_msr_policies none;
	static const uint32_t windows[] = { 0x00000000, 0xc0000000, 0xc0010000 };

	svm_msrpm_default(map);
	for (unsigned w = 0; w < 3; w++)
		for (uint32_t i = 0; i < 0x2000; i++) {
			const uint32_t msr = windows[w] + i;
			const bool open = svm_msr_policy_of(&none, msr) == SVM_MSR_PASS;

			if (denied_by_bits(map, msr, false) == open ||
			    denied_by_bits(map, msr, true) == open)
				ck_abort_msg("MSR %#x", msr);
		}
	for (unsigned i = 0x1800; i < 0x2000; i++)
		ck_assert_uint_eq(map[i], 0xff);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("permission_maps");
	TCase *tcase = tcase_create("permission_maps");

	tcase_set_timeout(tcase, 500);
	tcase_add_test(tcase, every_port_and_width_follows_the_bits);
	tcase_add_test(tcase, any_sequence_of_ranges_gives_the_map_that_a_list_of_ports_gives);
	tcase_add_test(tcase, the_default_map_is_the_default_policy);
	tcase_add_test(tcase, every_msr_number_follows_bits_and_policies);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
