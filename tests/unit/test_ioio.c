/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * EXITINFO1 of IN and OUT.  APM vol. 2, 15.10.2.
 */
#include <check.h>
#include <stdlib.h>

#include "core/vcpu/ioio.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Exit information by hand: port, then the low half. */
static const struct {
	const char *what;
	uint64_t info;
	bool possible;
	struct svm_ioio ioio; /* port, size, is_in, string, rep, address_size, segment */
} io_rows[] = {
	{ "OUT 3F8h, AL on QEMU", 0x03f80010, true, { 0x3f8, 1, false, false, false, 0, 0 } },
	{ "IN AX, DX", 0x01f000a1, true, { 0x1f0, 2, true, false, false, 16, 0 } },
	{ "IN EAX, DX", 0x0cfc0141, true, { 0xcfc, 4, true, false, false, 32, 0 } },
	{ "REP INSW, ES", 0x01f0022d, true, { 0x1f0, 2, true, true, true, 64, 0 } },
	{ "OUTSB, DS", 0x03f80e14, true, { 0x3f8, 1, false, true, false, 64, 3 } },
	{ "OUTSB, GS", 0x03f81514, true, { 0x3f8, 1, false, true, false, 32, 5 } },
	{ "no segment 6", 0x03f81914, false, { 0 } },
	{ "a segment without a string is noise",
	  0x03f81910,
	  true,
	  { 0x3f8, 1, false, false, false, 32, 0 } },
	{ "REP without a string is ignored",
	  0x03f80018,
	  true,
	  { 0x3f8, 1, false, false, false, 0, 0 } },
	{ "no size", 0x03f80001, false, { 0 } },
	{ "two sizes", 0x03f80030, false, { 0 } },
	{ "three sizes", 0x03f80070, false, { 0 } },
	{ "two address sizes", 0x03f80190, false, { 0 } },
	{ "reserved bits are not looked at",
	  0xffffffff03f8e012,
	  true,
	  { 0x3f8, 1, false, false, false, 0, 0 } },
};

START_TEST(ioio_information_is_decoded_or_refused)
{
	const struct svm_ioio *want = &io_rows[_i].ioio;
	struct svm_ioio got;

	ck_assert_msg(svm_ioio_decode(io_rows[_i].info, &got) == io_rows[_i].possible, "%s",
	              io_rows[_i].what);
	if (!io_rows[_i].possible)
		return;
	ck_assert_msg(got.port == want->port && got.size == want->size &&
	                      got.is_in == want->is_in && got.string == want->string &&
	                      got.rep == want->rep && got.address_size == want->address_size &&
	                      got.segment == want->segment,
	              "%s", io_rows[_i].what);
}
END_TEST

/* The short way takes what the long one takes, strings apart: all of the bits that either reads. */
START_TEST(the_plain_accesses_are_those_of_one_register)
{
	for (uint64_t info = 0; info < 0x10000; info++) {
		struct svm_ioio got;
		const bool possible = svm_ioio_decode(info, &got);

		ck_assert_msg(svm_ioio_is_plain(info) == (possible && !got.string), "%llx",
		              (unsigned long long)info);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ioio");
	TCase *tcase = tcase_create("ioio");

	tcase_add_loop_test(tcase, ioio_information_is_decoded_or_refused, 0, ARRAY_SIZE(io_rows));
	tcase_add_test(tcase, the_plain_accesses_are_those_of_one_register);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
