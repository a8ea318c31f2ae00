/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Descriptors and the VMCB's form of them; IOIO's exit information.  APM vol.
 * 2, 4.7, 15.5.1, 15.10.2. */
#include <check.h>
#include <stdlib.h>

#include "core/vcpu/ioio.h"
#include "core/vcpu/segment.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct {
	const char *what;
	uint64_t descriptor;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
} rows[] = {
	{ "flat 32-bit code", 0x00cf9b000000ffff, 0xc9b, 0xffffffff, 0 },
	{ "flat 32-bit data", 0x00cf93000000ffff, 0xc93, 0xffffffff, 0 },
	{ "64-bit code", 0x00af9b000000ffff, 0xa9b, 0xffffffff, 0 },
	{ "real mode's code at reset", 0xff009bff0000ffff, 0x09b, 0xffff, 0xffff0000 },
	{ "TSS of 68h bytes", 0x12008b3456780067, 0x08b, 0x67, 0x12345678 },
	{ "user data, available bit", 0x00dff3000000ffff, 0xdf3, 0xffffffff, 0 },
	{ "the largest limit in bytes", 0x004f93000000ffff, 0x493, 0xfffff, 0 },
	{ "one page", 0x00c0930000000000, 0xc93, 0xfff, 0 },
	{ "base bits in three places", 0xab0093cdef120000, 0x093, 0, 0xabcdef12 },
};

START_TEST(descriptors_go_to_the_vmcb_and_back)
{
	const struct svm_vmcb_segment segment = svm_segment_unpack(0x10, rows[_i].descriptor, 0);
	uint64_t descriptor = 0;

	ck_assert_uint_eq(segment.selector, 0x10);
	ck_assert_msg(segment.attributes == rows[_i].attributes, "%s: %#x", rows[_i].what,
	              segment.attributes);
	ck_assert_msg(segment.limit == rows[_i].limit, "%s: %#x", rows[_i].what, segment.limit);
	ck_assert_msg(segment.base == rows[_i].base, "%s: %#llx", rows[_i].what,
	              (unsigned long long)segment.base);
	ck_assert(svm_segment_pack(&segment, &descriptor));
	ck_assert_msg(descriptor == rows[_i].descriptor, "%s: %#llx", rows[_i].what,
	              (unsigned long long)descriptor);
}
END_TEST

START_TEST(a_null_selector_has_no_attributes)
{
	const struct svm_vmcb_segment segment = svm_segment_unpack(3, 0x00cf93000000ffff, 0);

	ck_assert_uint_eq(segment.selector, 3);
	ck_assert_uint_eq(segment.attributes, 0);
	ck_assert_uint_eq(segment.limit, 0);
	ck_assert_uint_eq(svm_segment_unpack(4, 0x00cf93000000ffff, 0).attributes, 0xc93);
}
END_TEST

START_TEST(a_system_descriptor_has_64_bits_of_base)
{
	const struct svm_vmcb_segment segment =
		svm_segment_unpack(0x40, 0x80008b0000000067, 0xffff8000);

	ck_assert_uint_eq(segment.base, 0xffff800080000000);
}
END_TEST

START_TEST(what_has_no_descriptor_is_refused)
{
	struct svm_vmcb_segment segment = { 0x10, 0xc93, 0xffffffff, 0 };
	uint64_t descriptor = 0x1122;

	segment.limit = 0xffffffe;
	ck_assert(!svm_segment_pack(&segment, &descriptor)); /* Not the end of a page. */
	segment.attributes = 0x493;
	segment.limit = 0x100000;
	ck_assert(!svm_segment_pack(&segment, &descriptor)); /* 21 bits, in bytes. */
	segment.limit = 0xfffff;
	segment.attributes = 0x1493;
	ck_assert(!svm_segment_pack(&segment, &descriptor)); /* 13 bits of attributes. */
	ck_assert_uint_eq(descriptor, 0x1122);
}
END_TEST

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

int main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tcase = tcase_create("segment");

	tcase_add_loop_test(tcase, descriptors_go_to_the_vmcb_and_back, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, a_null_selector_has_no_attributes);
	tcase_add_test(tcase, a_system_descriptor_has_64_bits_of_base);
	tcase_add_test(tcase, what_has_no_descriptor_is_refused);
	tcase_add_loop_test(tcase, ioio_information_is_decoded_or_refused, 0, ARRAY_SIZE(io_rows));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
