/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ACPI fixed hardware against the ACPI specification 6.5, 4.8.3. */
#include <libsvm/platform/acpi_pm.h>

#include "../hosted/suite.h"

#define SECOND  UINT64_C(1000000000)

static struct svm_acpi_pm pm;
static unsigned sci_changes, offs;
static bool sci;

static void set_wire(void *arg, unsigned line, bool level)
{
	ck_assert_ptr_eq(arg, &pm);
	if (line == 9) {
		ck_assert(level != sci);
		sci = level;
		sci_changes++;
	} else {
		offs += level;
	}
}

static void setup(void)
{
	const struct svm_wire to_sci = { set_wire, &pm, 9 }, to_off = { set_wire, &pm, 1 };

	sci_changes = offs = 0;
	sci = false;
	svm_acpi_pm_init(&pm, &to_sci, &to_off);
}

/* --- the timer ------------------------------------------------------------------------------- */

/* 3,579,545 ticks a second; exact, so literals were computed with integers of any size. */
static const struct {
	uint64_t ns;
	uint32_t ticks;
} timer_rows[] = {
	{ 0, 0 },
	{ 279, 0 }, /* 279.365 ns a tick */
	{ 280, 1 },
	{ 558, 1 },
	{ 559, 2 },
	{ SECOND - 1, 3579544 },
	{ SECOND, 3579545 },
	{ 10 * SECOND, 35795450 },
	{ UINT64_C(599932015940), 2147483647 },
	{ UINT64_C(599932015941), 2147483648 },
	{ UINT64_C(1199864031602), 4294967295 },
	{ UINT64_C(1199864031881), 4294967295 },
	{ UINT64_C(1199864031882), 0 },
	{ UINT64_C(31536000000000000), 4200646528 }, /* a year */
	{ UINT64_MAX, 3047538368 },
};

START_TEST(timer_counts_exactly)
{
	ck_assert_msg(svm_acpi_pm_read(&pm, 8, 4, timer_rows[_i].ns) == timer_rows[_i].ticks,
	              "%lu ns: %u", timer_rows[_i].ns,
	              svm_acpi_pm_read(&pm, 8, 4, timer_rows[_i].ns));
}
END_TEST

START_TEST(timer_cannot_be_written)
{
	svm_acpi_pm_write(&pm, 8, 4, 0x12345678, SECOND);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 8, 4, SECOND), 3579545);
}
END_TEST

START_TEST(timer_reads_in_any_width)
{
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 8, 1, SECOND), 0x99);  /* 369e99h */
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 9, 2, SECOND), 0x369e);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 10, 4, SECOND), 0x36);
}
END_TEST

/* The first nanosecond with bit 31 set. */
#define HALF UINT64_C(599932015941)

START_TEST(timer_status_follows_bit_31)
{
	const uint64_t half = HALF;

	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 8, 4, half - 1), 0x7fffffff);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, half - 1), 0);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 8, 4, half), 0x80000000);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, half), 1);
	svm_acpi_pm_write(&pm, 0, 2, 1, half);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, half), 0);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, 2 * half - 1), 0);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, 2 * half), 1);
}
END_TEST

START_TEST(timer_interrupt_has_a_deadline)
{
	uint64_t when;

	ck_assert_uint_eq(svm_acpi_pm_deadline(&pm), SVM_NEVER);
	svm_acpi_pm_write(&pm, 2, 2, 1, 0);
	when = svm_acpi_pm_deadline(&pm);
	ck_assert_uint_eq(when, HALF);
	svm_acpi_pm_advance(&pm, when - 1);
	ck_assert(!sci);
	svm_acpi_pm_advance(&pm, when);
	ck_assert(sci);
	ck_assert_uint_eq(svm_acpi_pm_deadline(&pm), SVM_NEVER);
	svm_acpi_pm_write(&pm, 0, 2, 1, when);
	ck_assert(!sci);
	ck_assert_uint_eq(svm_acpi_pm_deadline(&pm), UINT64_C(1199864031882));
}
END_TEST

START_TEST(a_century_late_is_one_interrupt)
{
	svm_acpi_pm_write(&pm, 2, 2, 1, 0);
	svm_acpi_pm_advance(&pm, UINT64_C(3155760000000000000));
	ck_assert(sci);
	ck_assert_uint_eq(sci_changes, 1);
	svm_acpi_pm_write(&pm, 0, 2, 1, UINT64_C(3155760000000000000));
	ck_assert(!sci);
	ck_assert_uint_gt(svm_acpi_pm_deadline(&pm), UINT64_C(3155760000000000000));
}
END_TEST

/* --- registers ------------------------------------------------------------------------------- */

/* Write, then read the same. */
static const struct {
	const char *what;
	uint32_t offset, size, value, read;
} register_rows[] = {
	{ "status cannot be set", 0, 2, 0xffff, 0 },
	{ "enable has timer, global, power, sleep, RTC", 2, 2, 0xffff, 0x0721 },
	{ "SCI_EN stays 1", 4, 2, 0, 1 },
	{ "control keeps BM_RLD and SLP_TYP", 4, 2, 0xdfff, 0x1c03 },
	{ "control by its low byte", 4, 1, 0xff, 3 },
	{ "status and enable at once", 0, 4, 0xffffffff, 0x07210000 },
	{ "nothing between control and timer", 6, 2, 0xffff, 0 },
	{ "nothing behind the timer", 12, 4, 0xffffffff, 0 },
	{ "nothing at the end of all offsets", 0xffffffff, 4, 0xffffffff, 0 },
};

START_TEST(registers_hold_their_bits)
{
	svm_acpi_pm_write(&pm, register_rows[_i].offset, register_rows[_i].size,
	                  register_rows[_i].value, 0);
	ck_assert_msg(svm_acpi_pm_read(&pm, register_rows[_i].offset, register_rows[_i].size, 0) ==
	                      register_rows[_i].read,
	              "%s: %x", register_rows[_i].what,
	              svm_acpi_pm_read(&pm, register_rows[_i].offset, register_rows[_i].size, 0));
	ck_assert_uint_eq(offs, 0);
}
END_TEST

/* 4.8.3.2.1: SLP_TYP in bits 12:10, SLP_EN bit 13. */
static const struct {
	const char *what;
	uint32_t offset, size, value;
	unsigned offs;
} sleep_rows[] = {
	{ "S5", 4, 2, 5 << 10 | 1 << 13, 1 },
	{ "S5 by the high byte", 5, 1, (5 << 10 | 1 << 13) >> 8, 1 },
	{ "S5 without SLP_EN", 4, 2, 5 << 10, 0 },
	{ "type 0", 4, 2, 0 << 10 | 1 << 13, 0 },
	{ "type 4", 4, 2, 4 << 10 | 1 << 13, 0 },
	{ "type 7", 4, 2, 7 << 10 | 1 << 13, 0 },
	{ "at enable", 2, 2, 5 << 10 | 1 << 13, 0 },
};

START_TEST(only_s5_switches_off)
{
	svm_acpi_pm_write(&pm, sleep_rows[_i].offset, sleep_rows[_i].size, sleep_rows[_i].value, 0);
	ck_assert_msg(offs == sleep_rows[_i].offs, "%s", sleep_rows[_i].what);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 4, 2, 0) & 0x2000, 0);
}
END_TEST

START_TEST(button_interrupts_when_it_may)
{
	svm_acpi_pm_press_button(&pm, 0);
	ck_assert(!sci);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, 0), 0x100);
	svm_acpi_pm_write(&pm, 2, 2, 0x100, 0);
	ck_assert(sci);
	svm_acpi_pm_write(&pm, 0, 2, 0xfeff, 0); /* the others */
	ck_assert(sci);
	svm_acpi_pm_write(&pm, 1, 1, 1, 0);
	ck_assert(!sci);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 2, 0), 0);
}
END_TEST

START_TEST(reset_forgets_all_but_the_time)
{
	svm_acpi_pm_write(&pm, 2, 2, 0x101, 0);
	svm_acpi_pm_press_button(&pm, 0);
	ck_assert(sci);
	svm_acpi_pm_reset(&pm, 700 * SECOND);
	ck_assert(!sci);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 0, 4, 700 * SECOND), 0);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 4, 2, 700 * SECOND), 1);
	ck_assert_uint_eq(svm_acpi_pm_read(&pm, 8, 4, 700 * SECOND), 2505681500);
}
END_TEST

START_TEST(device_without_wires_works)
{
	svm_acpi_pm_init(&pm, NULL, NULL);
	svm_acpi_pm_write(&pm, 2, 2, 0x100, 0);
	svm_acpi_pm_press_button(&pm, 0);
	svm_acpi_pm_write(&pm, 4, 2, 5 << 10 | 1 << 13, 0);
	ck_assert_uint_eq(offs + sci_changes, 0);
}
END_TEST

/* --- saved state ----------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct svm_acpi_pm_state state;
	int result;
} restore_rows[] = {
	{ "as after reset", { 0, 0, 1, 0, 0 }, 0 },
	{ "everything on", { 0x8731, 0x0721, 0x1c03, 0, 30748057 }, 0 },
	{ "status bit 1", { 2, 0, 1, 0, 0 }, SVM_ERR_INVAL },
	{ "enable bit 4", { 0, 0x10, 1, 0, 0 }, SVM_ERR_INVAL },
	{ "SCI_EN clear", { 0, 0, 0, 0, 0 }, SVM_ERR_INVAL },
	{ "SLP_EN set", { 0, 0, 0x2001, 0, 0 }, SVM_ERR_INVAL },
	{ "reserved member", { 0, 0, 1, 1, 0 }, SVM_ERR_INVAL },
	{ "a time that no clock reaches", { 0, 0, 1, 0, 30748058 }, SVM_ERR_INVAL },
};

START_TEST(restore_takes_only_what_can_be)
{
	struct svm_acpi_pm_state before, after;

	svm_acpi_pm_save(&pm, &before);
	ck_assert_msg(svm_acpi_pm_restore(&pm, &restore_rows[_i].state) == restore_rows[_i].result,
	              "%s", restore_rows[_i].what);
	svm_acpi_pm_save(&pm, &after);
	ck_assert_mem_eq(&after, restore_rows[_i].result ? &before : &restore_rows[_i].state,
	                 sizeof(after));
	ck_assert(sci == ((after.status & after.enable) != 0));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, timer_counts_exactly, 0, ROWS(timer_rows));
	tcase_add_test(tc, timer_cannot_be_written);
	tcase_add_test(tc, timer_reads_in_any_width);
	tcase_add_test(tc, timer_status_follows_bit_31);
	tcase_add_test(tc, timer_interrupt_has_a_deadline);
	tcase_add_test(tc, a_century_late_is_one_interrupt);
	tcase_add_loop_test(tc, registers_hold_their_bits, 0, ROWS(register_rows));
	tcase_add_loop_test(tc, only_s5_switches_off, 0, ROWS(sleep_rows));
	tcase_add_test(tc, button_interrupts_when_it_may);
	tcase_add_test(tc, reset_forgets_all_but_the_time);
	tcase_add_test(tc, device_without_wires_works);
	tcase_add_loop_test(tc, restore_takes_only_what_can_be, 0, ROWS(restore_rows));
}

int main(void)
{
	return suite_run("acpi_pm", add_tests);
}
