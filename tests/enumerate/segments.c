/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Segment attributes and IOIO exit information over their whole domain, against definitions that
 * take the numbers apart bit by bit.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/vcpu/ioio.h"
#include "emulate/descriptor.h"

static bool bit(uint64_t value, unsigned n)
{
	return value >> n & 1;
}

/* Attribute bit i is descriptor bit 40 + i below 8, and 52 + i - 8 from 8 on. */
static uint64_t attribute_bits(unsigned attributes)
{
	uint64_t descriptor = 0;

	for (unsigned i = 0; i < 12; i++)
		if (bit(attributes, i))
			descriptor |= UINT64_C(1) << (i < 8 ? 40 + i : 44 + i);
	return descriptor;
}

static const uint32_t limits[] = { 0, 1, 0x7fff, 0xffff, 0x10000, 0x50000, 0xffffe, 0xfffff };
static const uint32_t bases[] = { 0, 1, 0xffff, 0x10000, 0xffffff, 0x1000000, 0x80000000, ~0u };
static const uint32_t highs[] = { 0, 1, 0x7fff, 0xffff8000, ~0u };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void check_one(unsigned attributes, uint32_t limit, uint32_t base, uint32_t high)
{
	const uint64_t descriptor =
		attribute_bits(attributes) | (limit & 0xffff) | (uint64_t)(limit >> 16) << 48 |
		(uint64_t)(base & 0xffffff) << 16 | (uint64_t)(base >> 24) << 56;
	const bool in_pages = bit(attributes, 11);
	const struct svm_descriptor d = { .word = { descriptor, high }, .selector = 0x28 };
	struct svm_emul_segment s;

	svm_descriptor_unpack(&d, &s);

	if (s.selector != 0x28 || s.attributes != attributes ||
	    s.limit != (in_pages ? limit * 4096 + 4095 : limit) ||
	    s.base != ((uint64_t)high << 32 | base))
		ck_abort_msg("unpack %#llx", (unsigned long long)descriptor);
}

START_TEST(every_attribute_comes_out_of_its_descriptor)
{
	unsigned rounds = 0;

	for (unsigned attributes = 0; attributes < 4096; attributes++)
		for (size_t l = 0; l < COUNT(limits); l++)
			for (size_t b = 0; b < COUNT(bases); b++)
				for (size_t h = 0; h < COUNT(highs); h++, rounds++)
					check_one(attributes, limits[l], bases[b], highs[h]);
	ck_assert_uint_eq(rounds, 4096 * 8 * 8 * 5);
}
END_TEST

static unsigned ones(uint64_t value, unsigned low, unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = low; i < low + count; i++)
		sum += bit(value, i);
	return sum;
}

/* Low half whole, times ports that hit every bit of the upper half. */
START_TEST(every_ioio_information_is_decoded_or_impossible)
{
	unsigned possible = 0, impossible = 0;

	for (uint32_t p = 0; p < 256; p++) {
		const uint32_t port = (p << 8 | (p * 167 & 0xff)) & 0xffff;

		for (uint32_t low = 0; low < 65536; low++) {
			const uint64_t info = (uint64_t)port << 16 | low;
			const bool string = bit(info, 2);
			const unsigned segment =
				string ? bit(info, 10) + bit(info, 11) * 2u + bit(info, 12) * 4u
				       : 0;
			const bool expected = ones(info, 4, 3) == 1 && ones(info, 7, 3) <= 1 &&
			                      segment != 6 && segment != 7;
			struct svm_ioio ioio;

			if (svm_ioio_decode(info, &ioio) != expected)
				ck_abort_msg("%#llx", (unsigned long long)info);
			if (!expected) {
				impossible++;
				continue;
			}
			possible++;
			if (ioio.port != port || ioio.is_in != bit(info, 0) ||
			    ioio.string != string || ioio.rep != (string && bit(info, 3)) ||
			    ioio.segment != segment ||
			    ioio.size != (bit(info, 4)   ? 1
			                  : bit(info, 5) ? 2
			                                 : 4) ||
			    ioio.address_size != (bit(info, 7)   ? 16
			                          : bit(info, 8) ? 32
			                          : bit(info, 9) ? 64
			                                         : 0))
				ck_abort_msg("%#llx", (unsigned long long)info);
		}
	}
	printf("IOIO: %u possible, %u impossible\n", possible, impossible);
	ck_assert_uint_eq(possible + impossible, 256u * 65536u);
	ck_assert_uint_eq(possible, 256u * 3 * 4 * (8 * 8 * 2 * 2 + 6 * 8 * 2 * 2) * 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("segments");
	TCase *tcase = tcase_create("segments");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, every_attribute_comes_out_of_its_descriptor);
	tcase_add_test(tcase, every_ioio_information_is_decoded_or_impossible);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
