/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* PCI configuration mechanism 1: PCI Local Bus Specification 3.0, 3.2.2.3.2 and 6.1. */
#include <libsvm/platform/pci.h>

#include "../hosted/suite.h"

static struct svm_pci pci;
static unsigned resets;
static uint32_t device_offset, device_size, device_value;

static void count_reset(void *arg, unsigned line, bool level)
{
	ck_assert_ptr_eq(arg, &pci);
	ck_assert_uint_eq(line, 3);
	resets += level;
}

static uint32_t device_read(void *arg, uint32_t offset, uint32_t size)
{
	ck_assert_ptr_eq(arg, &device_value);
	device_offset = offset;
	device_size = size;
	return 0xdeadbeef;
}

static void device_write(void *arg, uint32_t offset, uint32_t size, uint32_t value)
{
	ck_assert_ptr_eq(arg, &device_value);
	device_offset = offset;
	device_size = size;
	device_value = value;
}

static const struct svm_pci_device device = { device_read, device_write, &device_value };

static void setup(void)
{
	const struct svm_wire reset = { count_reset, &pci, 3 };

	resets = 0;
	device_offset = device_size = device_value = 0;
	svm_pci_init(&pci, SVM_PCI_BRIDGE_ID, &reset);
}

/* Configuration space of a bus, device, function. */
static uint32_t config_read(unsigned bus, unsigned dev, unsigned function, unsigned offset,
                            uint32_t size)
{
	svm_pci_write(&pci, 0, 4,
	              0x80000000 | bus << 16 | dev << 11 | function << 8 | (offset & 0xfc));
	return svm_pci_read(&pci, 4 + (offset & 3), size);
}

/* --- the ports ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t written, read;
} address_rows[] = {
	{ "reserved bits read as 0", 0xffffffff, 0x80fffffc },
	{ "enable", 0x80000000, 0x80000000 },
	{ "a register without enable", 0x00ffff00, 0x00ffff00 },
};

START_TEST(address_register_has_its_bits)
{
	svm_pci_write(&pci, 0, 4, address_rows[_i].written);
	ck_assert_msg(svm_pci_read(&pci, 0, 4) == address_rows[_i].read, "%s",
	              address_rows[_i].what);
}
END_TEST

/* What an operating system does to find mechanism 1: a byte to CFBh, then the enable bit. */
START_TEST(mechanism_1_is_found)
{
	svm_pci_write(&pci, 0, 4, 0x12345678);
	svm_pci_write(&pci, 3, 1, 0x01);
	ck_assert_uint_eq(svm_pci_read(&pci, 0, 4), 0x00345678);
	svm_pci_write(&pci, 0, 4, 0x80000000);
	ck_assert_uint_eq(svm_pci_read(&pci, 0, 4), 0x80000000);
}
END_TEST

/* And mechanism 2: zeros to CFBh, CF8h, CFAh, which would read back as zeros. */
START_TEST(mechanism_2_is_not_found)
{
	svm_pci_write(&pci, 3, 1, 0);
	svm_pci_write(&pci, 0, 1, 0);
	svm_pci_write(&pci, 2, 1, 0);
	ck_assert_uint_eq(svm_pci_read(&pci, 0, 1), 0xff);
	ck_assert_uint_eq(svm_pci_read(&pci, 2, 1), 0xff);
}
END_TEST

/* offset, size, value of a read with the address register at 0x80000000. */
static const struct {
	const char *what;
	uint32_t offset, size, value;
} access_rows[] = {
	{ "byte of the address", 0, 1, 0xff },
	{ "word of the address", 0, 2, 0xffff },
	{ "4 bytes across address and data", 2, 4, 0xffffffff },
	{ "data", 4, 4, 0x00081b36 },
	{ "data, low word", 4, 2, 0x1b36 },
	{ "data, high word", 6, 2, 0x0008 },
	{ "data, middle word", 5, 2, 0x081b },
	{ "data, byte 0", 4, 1, 0x36 },
	{ "data, byte 1", 5, 1, 0x1b },
	{ "data, byte 3", 7, 1, 0x00 },
	{ "a word past the end", 7, 2, 0xffff },
	{ "4 bytes past the end", 5, 4, 0xffffffff },
	{ "past the end", 8, 4, 0xffffffff },
	{ "far away", 0xfffffffc, 4, 0xffffffff },
};

START_TEST(accesses_have_their_width)
{
	svm_pci_write(&pci, 0, 4, 0x80000000);
	ck_assert_msg(svm_pci_read(&pci, access_rows[_i].offset, access_rows[_i].size) ==
	                      access_rows[_i].value,
	              "%s: %x", access_rows[_i].what,
	              svm_pci_read(&pci, access_rows[_i].offset, access_rows[_i].size));
}
END_TEST

START_TEST(nothing_answers_without_enable)
{
	svm_pci_write(&pci, 0, 4, 0);
	ck_assert_uint_eq(svm_pci_read(&pci, 4, 4), 0xffffffff);
}
END_TEST

/* --- the bus --------------------------------------------------------------------------------- */

START_TEST(only_the_bridge_is_there)
{
	for (unsigned bus = 0; bus < 256; bus++)
		for (unsigned devfn = 0; devfn < 256; devfn++)
			ck_assert_uint_eq(config_read(bus, devfn >> 3, devfn & 7, 0, 4),
			                  bus || devfn ? 0xffffffff : 0x00081b36);
}
END_TEST

/* 6.1: class 06h, subclass 00h; header type 0; no base addresses, no interrupt pin. */
START_TEST(bridge_has_its_class_and_nothing_more)
{
	for (unsigned offset = 0; offset < 256; offset += 4) {
		const uint32_t is = offset == 0 ? 0x00081b36 : offset == 8 ? 0x06000000 : 0;

		ck_assert_uint_eq(config_read(0, 0, 0, offset, 4), is);
		svm_pci_write(&pci, 4, 4, 0xffffffff);
		ck_assert_uint_eq(config_read(0, 0, 0, offset, 4), is);
	}
	ck_assert_uint_eq(config_read(0, 0, 0, 0x0a, 2), 0x0600);
	ck_assert_uint_eq(config_read(0, 0, 0, 0x0e, 1), 0);
}
END_TEST

START_TEST(attached_device_answers)
{
	ck_assert_int_eq(svm_pci_attach(&pci, 31, &device), 0);
	ck_assert_int_eq(svm_pci_attach(&pci, 31, &device), SVM_ERR_EXIST);
	ck_assert_uint_eq(config_read(0, 31, 0, 0xfe, 2), 0xbeef);
	ck_assert_uint_eq(device_offset, 0xfe);
	ck_assert_uint_eq(device_size, 2);
	svm_pci_write(&pci, 7, 1, 0x12345678);
	ck_assert_uint_eq(device_offset, 0xff);
	ck_assert_uint_eq(device_value, 0x78);
	/* Functions and other buses are not its own. */
	device_size = 0;
	ck_assert_uint_eq(config_read(0, 31, 1, 0, 4), 0xffffffff);
	ck_assert_uint_eq(config_read(1, 31, 0, 0, 4), 0xffffffff);
	svm_pci_write(&pci, 4, 4, 0);
	ck_assert_uint_eq(device_size, 0);
}
END_TEST

START_TEST(devices_have_places)
{
	const struct svm_pci_device half = { device_read, NULL, NULL };

	ck_assert_int_eq(svm_pci_attach(&pci, 0, &device), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_pci_attach(&pci, 32, &device), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_pci_attach(&pci, 1, &half), SVM_ERR_INVAL);
}
END_TEST

/* --- reset ----------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t size, first, second;
	unsigned resets;
} reset_rows[] = {
	{ "hard reset in two steps", 1, 0x02, 0x06, 1 },
	{ "hard reset at once", 1, 0x06, 0x00, 1 },
	{ "full reset", 1, 0x0e, 0x00, 1 },
	{ "soft reset", 1, 0x00, 0x04, 1 },
	{ "only a rise counts", 1, 0x04, 0x04, 1 },
	{ "kind alone", 1, 0x02, 0x0a, 0 },
	{ "a word is no access to CF9h", 2, 0x06, 0x06, 0 },
};

START_TEST(reset_control_resets)
{
	svm_pci_write(&pci, 1, reset_rows[_i].size, reset_rows[_i].first);
	svm_pci_write(&pci, 1, reset_rows[_i].size, reset_rows[_i].second);
	ck_assert_msg(resets == reset_rows[_i].resets, "%s", reset_rows[_i].what);
}
END_TEST

START_TEST(address_is_no_reset)
{
	svm_pci_write(&pci, 0, 4, 0x00000600);
	svm_pci_write(&pci, 0, 4, 0xffffffff);
	ck_assert_uint_eq(resets, 0);
	ck_assert_uint_eq(svm_pci_read(&pci, 1, 1), 0);
}
END_TEST

/* --- saved state ----------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct svm_pci_state state;
	int result;
} restore_rows[] = {
	{ "all bits", { 0x80fffffc, 0x0e, { 0 } }, 0 },
	{ "reserved bit of the address", { 0x40000000, 0, { 0 } }, SVM_ERR_INVAL },
	{ "low bit of the address", { 1, 0, { 0 } }, SVM_ERR_INVAL },
	{ "reset control", { 0, 1, { 0 } }, SVM_ERR_INVAL },
	{ "reserved member", { 0, 0, { 0, 0, 1 } }, SVM_ERR_INVAL },
};

START_TEST(restore_takes_only_what_can_be)
{
	struct svm_pci_state after;

	svm_pci_write(&pci, 0, 4, 0x80001234);
	ck_assert_msg(svm_pci_restore(&pci, &restore_rows[_i].state) == restore_rows[_i].result,
	              "%s", restore_rows[_i].what);
	svm_pci_save(&pci, &after);
	ck_assert_uint_eq(after.address, restore_rows[_i].result ? 0x80001234
	                                                         : restore_rows[_i].state.address);
	svm_pci_reset(&pci);
	ck_assert_uint_eq(svm_pci_read(&pci, 0, 4), 0);
	ck_assert_uint_eq(resets, 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, address_register_has_its_bits, 0, ROWS(address_rows));
	tcase_add_test(tc, mechanism_1_is_found);
	tcase_add_test(tc, mechanism_2_is_not_found);
	tcase_add_loop_test(tc, accesses_have_their_width, 0, ROWS(access_rows));
	tcase_add_test(tc, nothing_answers_without_enable);
	tcase_add_test(tc, only_the_bridge_is_there);
	tcase_add_test(tc, bridge_has_its_class_and_nothing_more);
	tcase_add_test(tc, attached_device_answers);
	tcase_add_test(tc, devices_have_places);
	tcase_add_loop_test(tc, reset_control_resets, 0, ROWS(reset_rows));
	tcase_add_test(tc, address_is_no_reset);
	tcase_add_loop_test(tc, restore_takes_only_what_can_be, 0, ROWS(restore_rows));
}

int main(void)
{
	return suite_run("pci", add_tests);
}
