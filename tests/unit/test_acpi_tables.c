/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ACPI tables: what iasl does not look at.  Sections are those of the ACPI specification 6.5. */
#define _GNU_SOURCE /* memmem() */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/error.h>
#include <libsvm/platform/acpi_tables.h>

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct svm_acpi_config config;
static uint8_t bytes[SVM_ACPI_TABLES_SIZE + 64];
static size_t length;

static uint64_t get(size_t at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, bytes + at, size);
	return value;
}

static uint8_t sum(size_t at, size_t size)
{
	uint8_t s = 0;

	for (size_t i = 0; i < size; i++)
		s = (uint8_t)(s + bytes[at + i]);
	return s;
}

static void setup(void)
{
	memset(bytes, 0xa5, sizeof(bytes));
	svm_acpi_default_config(&config, 2);
}

static void build(void)
{
	ck_assert_int_eq(svm_acpi_build(&config, bytes, SVM_ACPI_TABLES_SIZE, &length), 0);
}

/* Offset of the table that the XSDT's entry i points to. */
static size_t table(unsigned i)
{
	const size_t xsdt = get(24, 8) - config.gpa;

	return get(xsdt + 36 + 8 * i, 8) - config.gpa;
}

/* 5.2.5.3. */
START_TEST(root_pointer_is_whole)
{
	build();
	ck_assert_mem_eq(bytes, "RSD PTR ", 8);
	ck_assert_uint_eq(sum(0, 20), 0);
	ck_assert_uint_eq(sum(0, 36), 0);
	ck_assert_uint_eq(get(15, 1), 2);
	ck_assert_uint_eq(get(20, 4), 36);
	ck_assert_mem_eq(bytes + (get(16, 4) - config.gpa), "RSDT", 4);
	ck_assert_mem_eq(bytes + (get(24, 8) - config.gpa), "XSDT", 4);
}
END_TEST

START_TEST(tables_have_lengths_and_checksums)
{
	build();
	for (unsigned i = 0; i < 2; i++) {
		const size_t at = get(i ? 24 : 16, i ? 8 : 4) - config.gpa;

		ck_assert_uint_eq(get(at + 4, 4), 36 + 2 * (i ? 8 : 4));
		ck_assert_uint_eq(sum(at, get(at + 4, 4)), 0);
	}
	ck_assert_mem_eq(bytes + table(0), "FACP", 4);
	ck_assert_uint_eq(get(table(0) + 4, 4), 244);
	ck_assert_uint_eq(sum(table(0), 244), 0);
	ck_assert_mem_eq(bytes + table(1), "APIC", 4);
	ck_assert_uint_eq(sum(table(1), get(table(1) + 4, 4)), 0);
	ck_assert_uint_eq(length % 64, 0);
	ck_assert_uint_eq(bytes[length], 0xa5);
}
END_TEST

/* 5.2.9: offset, size, value with the default configuration. */
static const struct {
	const char *what;
	unsigned offset, size;
	uint64_t value;
} fadt_rows[] = {
	{ "revision 3", 8, 1, 3 },
	{ "SCI 9", 46, 2, 9 },
	{ "no SMI command port", 48, 4, 0 },
	{ "PM1a events at 600h", 56, 4, 0x600 },
	{ "no PM1b events", 60, 4, 0 },
	{ "PM1a control at 604h", 64, 4, 0x604 },
	{ "PM timer at 608h", 76, 4, 0x608 },
	{ "no general events", 80, 8, 0 },
	{ "PM1 events are 4 ports", 88, 1, 4 },
	{ "PM1 control are 2 ports", 89, 1, 2 },
	{ "PM2 control is none", 90, 1, 0 },
	{ "PM timer is 4 ports", 91, 1, 4 },
	{ "no C2: latency above 100", 96, 2, 101 },
	{ "no C3: latency above 1000", 98, 2, 1001 },
	{ "century in CMOS 32h", 108, 1, 0x32 },
	{ "ISA devices, no 8042, no VGA, an RTC", 109, 2, 0x5 },
	{ "WBINVD, C1, no sleep button, no RTC wake, 32-bit timer, reset", 112, 4, 0x565 },
	{ "reset register: port, 8 bits", 116, 4, 0x0801 },
	{ "reset register: CF9h", 120, 8, 0xcf9 },
	{ "reset value", 128, 1, 6 },
	{ "extended PM1a events: 32 bits of ports", 148, 4, 0x2001 },
	{ "extended PM1a events", 152, 8, 0x600 },
	{ "extended PM1a control: 16 bits", 172, 4, 0x1001 },
	{ "extended PM1a control", 176, 8, 0x604 },
	{ "extended PM timer: 32 bits", 208, 4, 0x2001 },
	{ "extended PM timer", 212, 8, 0x608 },
	{ "extended general events 0: none", 220, 8, 0 },
};

START_TEST(fixed_description_says)
{
	build();
	ck_assert_msg(get(table(0) + fadt_rows[_i].offset, fadt_rows[_i].size) ==
	                      fadt_rows[_i].value,
	              "%s: %lx", fadt_rows[_i].what,
	              get(table(0) + fadt_rows[_i].offset, fadt_rows[_i].size));
}
END_TEST

START_TEST(what_is_not_there_is_not_described)
{
	config.pm_port = config.reset_port = config.com1_port = 0;
	config.has_rtc = false;
	config.pci_memory_size = 0;
	build();
	ck_assert_uint_eq(get(table(0) + 56, 4) | get(table(0) + 64, 4) | get(table(0) + 76, 4), 0);
	ck_assert_uint_eq(get(table(0) + 88, 4), 0);
	ck_assert_uint_eq(get(table(0) + 109, 2), 0x25);
	ck_assert_uint_eq(get(table(0) + 112, 4), 0x165);
	ck_assert_uint_eq(get(table(0) + 116, 4) | get(table(0) + 148, 4), 0);
	ck_assert_ptr_null(memmem(bytes, length, "_S5_", 4));
	ck_assert_ptr_null(memmem(bytes, length, "COM1", 4));
	ck_assert_ptr_null(memmem(bytes, length, "RTC_", 4));
	ck_assert_ptr_null(memmem(bytes, length, "KBD_", 4));
	ck_assert_ptr_nonnull(memmem(bytes, length, "PCI0", 4));
}
END_TEST

/* 5.2.12: processors by an 8-byte entry of type 0, from ID 255 on by a 16-byte one of type 9. */
static const struct {
	uint32_t cpus;
	unsigned small, large, nmis;
} madt_rows[] = {
	{ 1, 1, 0, 1 },
	{ 2, 2, 0, 1 },
	{ 255, 255, 0, 1 },
	{ 256, 255, 1, 2 },
};

START_TEST(processors_are_listed)
{
	unsigned small = 0, large = 0, nmis = 0, others = 0;
	size_t end, at;

	config.cpu_count = madt_rows[_i].cpus;
	build();
	end = table(1) + get(table(1) + 4, 4);
	for (at = table(1) + 44; at < end; at += get(at + 1, 1)) {
		ck_assert_uint_gt(get(at + 1, 1), 1);
		switch (get(at, 1)) {
		case 0:
			ck_assert_uint_eq(get(at + 3, 1), small);
			ck_assert_uint_eq(get(at + 4, 4), 1);
			small++;
			break;
		case 9:
			ck_assert_uint_eq(get(at + 4, 4), 255);
			ck_assert_uint_eq(get(at + 8, 4), 1);
			large++;
			break;
		case 4:
			ck_assert_uint_eq(get(at + 5, 1), 1);
			nmis++;
			break;
		case 10:
			ck_assert_uint_eq(get(at + 4, 4), 0xffffffff);
			ck_assert_uint_eq(get(at + 8, 1), 1);
			nmis++;
			break;
		default:
			others++;
		}
	}
	ck_assert_uint_eq(at, end);
	ck_assert_uint_eq(small, madt_rows[_i].small);
	ck_assert_uint_eq(large, madt_rows[_i].large);
	ck_assert_uint_eq(nmis, madt_rows[_i].nmis);
	ck_assert_uint_eq(others, 3); /* I/O APIC, two overrides. */
}
END_TEST

static void break_gpa_align(void)
{
	config.gpa = 0xe0020;
}

static void break_gpa_high(void)
{
	config.gpa = 0xffffe000;
}

static void break_no_cpu(void)
{
	config.cpu_count = 0;
}

static void break_cpus(void)
{
	config.cpu_count = 257;
}

static void break_no_sci(void)
{
	config.sci = 0;
}

static void break_sci(void)
{
	config.sci = 16;
}

static void break_irq(void)
{
	config.com1_irq = 16;
}

static void break_pm(void)
{
	config.pm_port = 0xfff5;
}

static void break_window(void)
{
	config.pci_memory_size = 0x40000000;
}

static void break_window_page(void)
{
	config.pci_memory = 0xc0000001;
}

static const struct {
	const char *what;
	void (*breaks)(void);
} refused_rows[] = {
	{ "block that is not aligned to 64", break_gpa_align },
	{ "block that ends above 4 GiB", break_gpa_high },
	{ "no processor", break_no_cpu },
	{ "257 processors", break_cpus },
	{ "SCI 0", break_no_sci },
	{ "SCI 16", break_sci },
	{ "ISA interrupt 16", break_irq },
	{ "PM block past the last port", break_pm },
	{ "window up to 4 GiB", break_window },
	{ "window not of pages", break_window_page },
};

START_TEST(wrong_configurations_are_refused)
{
	refused_rows[_i].breaks();
	ck_assert_msg(svm_acpi_build(&config, bytes, SVM_ACPI_TABLES_SIZE, &length) ==
	                      SVM_ERR_INVAL,
	              "%s", refused_rows[_i].what);
	ck_assert_uint_eq(bytes[0], 0xa5);
}
END_TEST

/* With any room less than needed: an error, and not a byte behind it. */
START_TEST(room_is_respected)
{
	size_t needed, ignored;

	config.cpu_count = 256;
	build();
	needed = length;
	ck_assert_uint_le(needed, SVM_ACPI_TABLES_SIZE);
	for (size_t room = 0; room <= needed; room++) {
		uint8_t *exact = malloc(room ? room : 1); /* A sanitizer sees what is behind. */

		ck_assert_int_eq(svm_acpi_build(&config, exact, room, &ignored),
		                 room < needed ? SVM_ERR_RANGE : 0);
		free(exact);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acpi_tables");
	TCase *tc = tcase_create("tables");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, root_pointer_is_whole);
	tcase_add_test(tc, tables_have_lengths_and_checksums);
	tcase_add_loop_test(tc, fixed_description_says, 0, ROWS(fadt_rows));
	tcase_add_test(tc, what_is_not_there_is_not_described);
	tcase_add_loop_test(tc, processors_are_listed, 0, ROWS(madt_rows));
	tcase_add_loop_test(tc, wrong_configurations_are_refused, 0, ROWS(refused_rows));
	tcase_add_test(tc, room_is_respected);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
