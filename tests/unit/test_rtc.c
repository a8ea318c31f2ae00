/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MC146818 against the data sheet of Motorola's MC146818A, the calendar, and what Linux 6.1 does
 * with it.
 */
#include <libsvm/platform/rtc.h>

#include "device_rig.h"

#define STEPS_MAX 20
#define S         UINT64_C(1000000000)

/* 2024-02-28 23:59:58, a Wednesday. */
#define WALL UINT64_C(1709164798)

enum what {
	END,
	W,     /* write value to byte index */
	R,     /* byte index reads as value */
	AFTER, /* index * 1 s + value * 1 us pass */
	IRQ,   /* the wire is value */
	DUE,   /* the next deadline is index * 1 s + value * 1 us away */
	NEVER, /* there is none */
};

struct step {
	enum what what;
	uint32_t index;
	uint32_t value;
};

struct row {
	const char *name;
	struct step steps[STEPS_MAX];
};

static struct svm_rtc rtc;
static struct probe probe;
static uint64_t now;

static void setup(void)
{
	const struct svm_wire wire = probe_wire(&probe, 0);

	memset(&probe, 0, sizeof(probe));
	now = 0;
	svm_rtc_init(&rtc, &wire, WALL);
}

static uint32_t get(uint32_t index)
{
	svm_rtc_write(&rtc, 0, 1, index, now);
	return svm_rtc_read(&rtc, 1, 1, now);
}

static void put(uint32_t index, uint32_t value)
{
	svm_rtc_write(&rtc, 0, 2, value << 8 | index, now);
}

/* As an owner does: to each deadline, then to the time that is meant. */
static void pass(uint64_t ns)
{
	const uint64_t end = now + ns;

	for (unsigned calls = 0; svm_rtc_deadline(&rtc) <= end; calls++) {
		ck_assert_uint_lt(calls, 3);
		svm_rtc_advance(&rtc, svm_rtc_deadline(&rtc));
	}
	now = end;
}

static void run_step(const char *name, unsigned index, const struct step *step)
{
	uint64_t got = step->value;

	switch (step->what) {
	case W:
		put(step->index, step->value);
		break;
	case R:
		got = get(step->index);
		break;
	case AFTER:
		pass(step->index * S + step->value * UINT64_C(1000));
		break;
	case IRQ:
		got = probe.level;
		break;
	case DUE:
		got = (svm_rtc_deadline(&rtc) - now - step->index * S) / 1000;
		break;
	case NEVER:
		ck_assert_msg(svm_rtc_deadline(&rtc) == SVM_NEVER, "%s: step %u", name, index);
		break;
	case END:
		break;
	}
	ck_assert_msg(got == step->value, "%s: step %u: %#llx, not %#x", name, index,
	              (unsigned long long)got, step->value);
}

static const struct row rows[] = {
	/* Registers. */
	{ "at first A is 26, B is 02, C is 00, D is 80", { { R, 0x0a, 0x26 }, { R, 0x0b, 0x02 },
	    { R, 0x0c, 0 }, { R, 0x0d, 0x80 } } },
	{ "the date is that of the host", { { R, 0, 0x58 }, { R, 2, 0x59 }, { R, 4, 0x23 },
	    { R, 6, 4 }, { R, 7, 0x28 }, { R, 8, 2 }, { R, 9, 0x24 }, { R, 0x32, 0x20 } } },
	{ "C and D cannot be written", { { W, 0x0c, 0xff }, { R, 0x0c, 0 }, { W, 0x0d, 0 },
	    { R, 0x0d, 0x80 } } },
	{ "bit 7 of A cannot be written", { { W, 0x0a, 0xa6 }, { R, 0x0a, 0x26 } } },
	{ "RAM holds what it is given", { { W, 0x0e, 0x12 }, { W, 0x7f, 0x34 }, { R, 0x0e, 0x12 },
	    { R, 0x7f, 0x34 } } },
	{ "bit 7 of the index does not belong to it", { { W, 0x8f, 0x55 }, { R, 0x0f, 0x55 } } },
	/* Update cycle. */
	{ "a second passes", { { AFTER, 0, 999999 }, { R, 0, 0x58 }, { AFTER, 0, 1 },
	    { R, 0, 0x59 } } },
	{ "UIP is set in the last 244 us of a second", { { AFTER, 0, 999755 }, { R, 0x0a, 0x26 },
	    { AFTER, 0, 1 }, { R, 0x0a, 0xa6 }, { R, 0, 0x58 }, { AFTER, 0, 244 },
	    { R, 0x0a, 0x26 }, { R, 0, 0x59 } } },
	{ "SET holds the clock, and UIP with it", { { W, 0x0b, 0x82 }, { AFTER, 0, 999900 },
	    { R, 0x0a, 0x26 }, { AFTER, 5, 0 }, { R, 0, 0x58 }, { W, 0x0b, 0x02 },
	    { AFTER, 0, 100 }, { R, 0, 0x59 } } },
	{ "a date that was set goes on", { { W, 0x0b, 0x82 }, { W, 0, 0x30 }, { W, 2, 0x15 },
	    { W, 4, 0x07 }, { W, 7, 0x31 }, { W, 8, 0x12 }, { W, 9, 0x99 }, { W, 0x32, 0x19 },
	    { W, 0x0b, 0x02 }, { AFTER, 1, 0 }, { R, 0, 0x31 }, { AFTER, 60600, 0 }, { R, 9, 0x00 },
	    { R, 0x32, 0x20 }, { R, 8, 0x01 }, { R, 7, 0x01 }, { R, 4, 0x00 }, { R, 2, 0x05 } } },
	{ "a date that is none stands", { { W, 7, 0x32 }, { AFTER, 100, 0 }, { R, 0, 0x58 },
	    { R, 7, 0x32 }, { W, 7, 0x01 }, { AFTER, 1, 0 }, { R, 0, 0x59 } } },
	{ "a day of the week that is none is left alone", { { W, 6, 0 }, { AFTER, 2, 0 },
	    { R, 7, 0x29 }, { R, 6, 0 } } },
	{ "a century that is none is left alone", { { W, 0x32, 0xff }, { AFTER, 86400, 0 },
	    { R, 7, 0x29 }, { R, 0x32, 0xff } } },
	{ "a century of 100 is none", { { W, 0x0b, 0x06 }, { W, 0, 0 }, { W, 2, 0 }, { W, 4, 0 },
	    { W, 7, 1 }, { W, 8, 1 }, { W, 9, 1 }, { W, 0x32, 100 }, { AFTER, 1, 0 },
	    { R, 0x32, 100 }, { R, 0, 1 } } },
	{ "the divider's reset holds the clock", { { W, 0x0a, 0x76 }, { AFTER, 9, 0 },
	    { R, 0, 0x58 }, { R, 0x0c, 0 } } },
	{ "the first second after it takes half of one", { { W, 0x0a, 0x76 }, { AFTER, 0, 123456 },
	    { W, 0x0a, 0x26 }, { AFTER, 0, 499999 }, { R, 0, 0x58 }, { AFTER, 0, 1 },
	    { R, 0, 0x59 }, { AFTER, 0, 999999 }, { R, 0, 0x59 }, { AFTER, 0, 1 },
	    { R, 0, 0x00 } } },
	/* Data modes. */
	{ "binary", { { W, 0x0b, 0x06 }, { W, 0, 59 }, { W, 2, 59 }, { W, 4, 22 }, { W, 7, 30 },
	    { W, 8, 11 }, { W, 9, 24 }, { W, 0x32, 20 }, { AFTER, 1, 0 }, { R, 0, 0 }, { R, 2, 0 },
	    { R, 4, 23 }, { R, 7, 30 } } },
	{ "12 hours: 11 pm is followed by 12 am", { { W, 0x0b, 0x00 }, { W, 4, 0x91 },
	    { AFTER, 2, 0 }, { R, 4, 0x12 }, { R, 7, 0x29 } } },
	{ "12 hours: 12 am is followed by 1 am", { { W, 0x0b, 0x00 }, { W, 4, 0x12 },
	    { AFTER, 2, 0 }, { R, 4, 0x01 } } },
	{ "12 hours: 1 am is followed by 2 am", { { W, 0x0b, 0x00 }, { W, 4, 0x01 },
	    { AFTER, 2, 0 }, { R, 4, 0x02 } } },
	{ "a second of 60 is none", { { W, 0x0b, 0x06 }, { W, 0, 60 }, { W, 2, 0 }, { W, 4, 0 },
	    { W, 7, 1 }, { W, 8, 1 }, { W, 9, 24 }, { AFTER, 1, 0 }, { R, 0, 60 } } },
	{ "a year of 100 is none", { { W, 0x0b, 0x06 }, { W, 0, 0 }, { W, 2, 0 }, { W, 4, 0 },
	    { W, 7, 1 }, { W, 8, 1 }, { W, 9, 100 }, { AFTER, 1, 0 }, { R, 0, 0 } } },
	{ "12 hours: 11 am is followed by 12 pm", { { W, 0x0b, 0x00 }, { W, 4, 0x11 },
	    { AFTER, 2, 0 }, { R, 4, 0x92 } } },
	{ "12 hours: 12 pm is followed by 1 pm", { { W, 0x0b, 0x00 }, { W, 4, 0x92 },
	    { AFTER, 2, 0 }, { R, 4, 0x81 } } },
	{ "12 hours in binary: 12 pm is 140", { { W, 0x0b, 0x04 }, { W, 0, 59 }, { W, 2, 59 },
	    { W, 4, 11 }, { W, 7, 1 }, { W, 8, 1 }, { W, 9, 1 }, { AFTER, 1, 0 }, { R, 4, 140 } } },
	/* Interrupts. */
	{ "the update flag comes without its interrupt", { { AFTER, 1, 0 }, { IRQ, 0, 0 },
	    { R, 0x0c, 0x50 }, { R, 0x0c, 0 } } },
	{ "update: once a second, until C is read", { { W, 0x0b, 0x12 }, { DUE, 1, 0 },
	    { AFTER, 1, 0 }, { IRQ, 0, 1 }, { NEVER, 0, 0 }, { AFTER, 0, 500000 },
	    { R, 0x0c, 0xd0 }, { IRQ, 0, 0 }, { DUE, 0, 500000 } } },
	{ "update: SET takes its enabling away", { { W, 0x0b, 0x92 }, { R, 0x0b, 0x82 },
	    { NEVER, 0, 0 } } },
	{ "enabling raises what the flag says already", { { AFTER, 1, 0 }, { W, 0x0b, 0x12 },
	    { IRQ, 0, 1 }, { W, 0x0b, 0x02 }, { IRQ, 0, 0 } } },
	{ "periodic: 1024 Hz", { { W, 0x0b, 0x42 }, { DUE, 0, 976 }, { AFTER, 0, 977 },
	    { IRQ, 0, 1 }, { R, 0x0c, 0xc0 }, { IRQ, 0, 0 }, { DUE, 0, 976 } } },
	{ "periodic: rate 3 is 8192 Hz", { { W, 0x0a, 0x23 }, { W, 0x0b, 0x42 },
	    { DUE, 0, 122 } } },
	{ "periodic: rate 1 is 256 Hz", { { W, 0x0a, 0x21 }, { W, 0x0b, 0x42 },
	    { DUE, 0, 3906 } } },
	{ "periodic: rate 2 is 128 Hz", { { W, 0x0a, 0x22 }, { W, 0x0b, 0x42 },
	    { DUE, 0, 7812 } } },
	{ "periodic: rate 15 is 2 Hz", { { W, 0x0a, 0x2f }, { W, 0x0b, 0x42 },
	    { DUE, 0, 500000 } } },
	{ "periodic: rate 0 is none", { { W, 0x0a, 0x20 }, { W, 0x0b, 0x42 }, { NEVER, 0, 0 },
	    { AFTER, 0, 999999 }, { R, 0x0c, 0 } } },
	{ "periodic: SET does not stop it", { { W, 0x0b, 0xc2 }, { DUE, 0, 976 } } },
	{ "alarm at a time", { { W, 1, 0x01 }, { W, 3, 0x00 }, { W, 5, 0x00 }, { W, 0x0b, 0x22 },
	    { DUE, 3, 0 }, { AFTER, 2, 999999 }, { IRQ, 0, 0 }, { AFTER, 0, 1 }, { IRQ, 0, 1 },
	    { R, 0x0c, 0xf0 }, { DUE, 86400, 0 } } },
	{ "alarm each second", { { W, 1, 0xff }, { W, 3, 0xc0 }, { W, 5, 0xff }, { W, 0x0b, 0x22 },
	    { DUE, 1, 0 } } },
	{ "alarm each minute", { { W, 1, 0x10 }, { W, 3, 0xff }, { W, 5, 0xff }, { W, 0x0b, 0x22 },
	    { DUE, 12, 0 } } },
	{ "alarm in the next minute", { { W, 2, 0x30 }, { W, 1, 0x10 }, { W, 3, 0xff },
	    { W, 5, 0xff }, { W, 0x0b, 0x22 }, { DUE, 12, 0 } } },
	{ "alarm each hour", { { W, 1, 0x10 }, { W, 3, 0x30 }, { W, 5, 0xff }, { W, 0x0b, 0x22 },
	    { DUE, 1812, 0 } } },
	{ "alarm each hour, and the next one is of today", { { W, 4, 0x21 }, { W, 1, 0x10 },
	    { W, 3, 0x30 }, { W, 5, 0xff }, { W, 0x0b, 0x22 }, { DUE, 1812, 0 } } },
	{ "alarm in the present second is one of tomorrow", { { W, 1, 0x58 }, { W, 3, 0x59 },
	    { W, 5, 0x23 }, { W, 0x0b, 0x22 }, { DUE, 86400, 0 } } },
	{ "alarm in any second of an hour gone by", { { W, 1, 0xff }, { W, 3, 0xff },
	    { W, 5, 0x22 }, { W, 0x0b, 0x22 }, { DUE, 79202, 0 } } },
	{ "alarm at a minute gone by in any hour", { { W, 1, 0xff }, { W, 3, 0x58 }, { W, 5, 0xff },
	    { W, 0x0b, 0x22 }, { DUE, 3482, 0 } } },
	{ "alarm at a time that is none", { { W, 1, 0x60 }, { W, 3, 0xff }, { W, 5, 0xff },
	    { W, 0x0b, 0x22 }, { NEVER, 0, 0 } } },
	{ "alarm at an hour that is none", { { W, 1, 0x00 }, { W, 3, 0xff }, { W, 5, 0x24 },
	    { W, 0x0b, 0x22 }, { NEVER, 0, 0 } } },
	{ "alarm by 12 hours", { { W, 0x0b, 0x00 }, { W, 4, 0x91 }, { W, 1, 0x00 }, { W, 3, 0x00 },
	    { W, 5, 0x12 }, { W, 0x0b, 0x20 }, { DUE, 2, 0 } } },
	{ "an alarm long ago is seen late", { { W, 1, 0x00 }, { W, 3, 0x00 }, { W, 5, 0x05 },
	    { AFTER, 864000, 0 }, { R, 0x0c, 0x70 } } },
	{ "no alarm while SET holds the clock", { { W, 1, 0xff }, { W, 3, 0xff }, { W, 5, 0xff },
	    { W, 0x0b, 0xa2 }, { NEVER, 0, 0 }, { AFTER, 5, 0 }, { R, 0x0c, 0x40 } } },
	/* Linux 6.1. */
	{ "Linux: D has bit 6 clear, so the clock is there", { { R, 0x0d, 0x80 } } },
	{ "Linux: setting the clock", { { R, 0x0b, 0x02 }, { W, 0x0b, 0x82 }, { R, 0x0a, 0x26 },
	    { W, 0x0a, 0x76 }, { W, 9, 0x30 }, { W, 8, 0x01 }, { W, 7, 0x02 }, { W, 4, 0x03 },
	    { W, 2, 0x04 }, { W, 0, 0x05 }, { W, 0x32, 0x20 }, { W, 0x0b, 0x02 }, { W, 0x0a, 0x26 },
	    { AFTER, 0, 500000 }, { R, 0, 0x06 }, { R, 9, 0x30 } } },
};

START_TEST(the_clock_follows_its_data_sheet)
{
	setup();
	for (unsigned i = 0; i < STEPS_MAX && rows[_i].steps[i].what != END; i++)
		run_step(rows[_i].name, i, &rows[_i].steps[i]);
}
END_TEST

/* The calendar, by date -u -d @SECONDS.  Year with century, month, day, weekday (1 Sunday). */
static const struct {
	uint64_t since_1970;
	uint16_t year;
	uint8_t month, day, hour, minute, second, weekday;
} date_rows[] = {
	{ 0, 0x1970, 0x01, 0x01, 0x00, 0x00, 0x00, 5 },
	{ 68255999, 0x1972, 0x02, 0x29, 0x23, 0x59, 0x59, 3 },
	{ 946684799, 0x1999, 0x12, 0x31, 0x23, 0x59, 0x59, 6 },
	{ 951782400, 0x2000, 0x02, 0x29, 0x00, 0x00, 0x00, 3 },
	{ 951868800, 0x2000, 0x03, 0x01, 0x00, 0x00, 0x00, 4 },
	{ 1077926399, 0x2004, 0x02, 0x27, 0x23, 0x59, 0x59, 6 },
	{ 1709164800, 0x2024, 0x02, 0x29, 0x00, 0x00, 0x00, 5 },
	{ 1709251200, 0x2024, 0x03, 0x01, 0x00, 0x00, 0x00, 6 },
	{ 1735689599, 0x2024, 0x12, 0x31, 0x23, 0x59, 0x59, 3 },
	{ 2147483648, 0x2038, 0x01, 0x19, 0x03, 0x14, 0x08, 3 },
	{ 4107542399, 0x2100, 0x02, 0x28, 0x23, 0x59, 0x59, 1 },
	{ 4107542400, 0x2100, 0x03, 0x01, 0x00, 0x00, 0x00, 2 },
	{ 13574563200, 0x2400, 0x02, 0x29, 0x00, 0x00, 0x00, 3 },
	{ 253402300799, 0x9999, 0x12, 0x31, 0x23, 0x59, 0x59, 6 },
};

static void check_date(unsigned i)
{
	ck_assert_uint_eq(get(0), date_rows[i].second);
	ck_assert_uint_eq(get(2), date_rows[i].minute);
	ck_assert_uint_eq(get(4), date_rows[i].hour);
	ck_assert_uint_eq(get(6), date_rows[i].weekday);
	ck_assert_uint_eq(get(7), date_rows[i].day);
	ck_assert_uint_eq(get(8), date_rows[i].month);
	ck_assert_uint_eq(get(9), date_rows[i].year & 0xff);
	ck_assert_uint_eq(get(0x32), date_rows[i].year >> 8);
}

START_TEST(a_date_is_that_of_the_calendar)
{
	svm_rtc_init(&rtc, NULL, date_rows[_i].since_1970);
	now = 0;
	check_date((unsigned)_i);
}
END_TEST

/* In one step from the epoch, as far as the VM's time goes. */
START_TEST(years_pass_in_one_step)
{
	if (date_rows[_i].since_1970 > UINT64_MAX / S)
		return;
	svm_rtc_init(&rtc, NULL, 0);
	now = date_rows[_i].since_1970 * S;
	check_date((unsigned)_i);
}
END_TEST

/* Each day of the 400 years after which the calendar repeats. */
START_TEST(no_day_is_left_out)
{
	static const uint8_t days[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = 1970, month = 1, day = 1;

	now = 0;
	for (uint64_t i = 0; i < 146097; i++) {
		const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

		svm_rtc_init(&rtc, NULL, i * 86400);
		if (get(7) != day / 10 * 16 + day % 10 || get(8) != month / 10 * 16 + month % 10 ||
		    get(9) != year % 100 / 10 * 16 + year % 10)
			ck_abort_msg("%u-%02u-%02u is %02x-%02x-%02x", year, month, day,
			             (unsigned)get(9), (unsigned)get(8), (unsigned)get(7));
		if (++day <= days[month] + (month == 2 && leap ? 1u : 0u))
			continue;
		day = 1;
		month = month % 12 + 1;
		year += month == 1;
	}
	ck_assert_uint_eq(year, 2370);
}
END_TEST

START_TEST(the_year_after_9999_is_0)
{
	svm_rtc_init(&rtc, NULL, 253402300799);
	now = S;
	ck_assert_uint_eq(get(9), 0);
	ck_assert_uint_eq(get(0x32), 0);
	now = 2 * S;
	ck_assert_uint_eq(get(0), 1);
}
END_TEST

/* Megabytes below and above 4 GiB, and the words that tell of them. */
static const struct {
	const char *name;
	uint64_t below, above;
	uint32_t base, extended, above_16m, above_4g;
} memory_rows[] = {
	{ "no memory", 0, 0, 0, 0, 0, 0 },
	{ "1 MiB", UINT64_C(1) << 20, 0, 640, 0, 0, 0 },
	{ "16 MiB", UINT64_C(16) << 20, 0, 640, 15360, 0, 0 },
	{ "64 MiB", UINT64_C(64) << 20, 0, 640, 64512, 768, 0 },
	{ "128 MiB", UINT64_C(128) << 20, 0, 640, 65535, 1792, 0 },
	{ "3 GiB and 1 GiB above", UINT64_C(3) << 30, UINT64_C(1) << 30, 640, 65535, 48896, 16384 },
	{ "as much as can be told", UINT64_C(4) << 30, UINT64_C(1) << 60, 640, 65535, 65280,
	  0xffffff },
};

START_TEST(memory_sizes_are_told)
{
	uint32_t sum = 0;

	setup();
	svm_rtc_set_memory(&rtc, memory_rows[_i].below, memory_rows[_i].above);
	ck_assert_uint_eq(get(0x15) | get(0x16) << 8, memory_rows[_i].base);
	ck_assert_uint_eq(get(0x17) | get(0x18) << 8, memory_rows[_i].extended);
	ck_assert_uint_eq(get(0x30) | get(0x31) << 8, memory_rows[_i].extended);
	ck_assert_uint_eq(get(0x34) | get(0x35) << 8, memory_rows[_i].above_16m);
	ck_assert_uint_eq(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, memory_rows[_i].above_4g);
	for (unsigned i = 0x10; i < 0x2e; i++)
		sum += get(i);
	ck_assert_uint_eq(get(0x2e) << 8 | get(0x2f), sum);
}
END_TEST

START_TEST(the_index_and_other_ports_read_as_ones)
{
	setup();
	svm_rtc_write(&rtc, 0, 1, 0x8d, now);
	ck_assert_uint_eq(rtc.state.nmi_off, 1);
	ck_assert_uint_eq(svm_rtc_read(&rtc, 0, 1, now), 0xff);
	ck_assert_uint_eq(svm_rtc_read(&rtc, 0, 2, now), 0x80ff);
	ck_assert_uint_eq(svm_rtc_read(&rtc, 2, 1, now), 0xff);
	ck_assert_uint_eq(svm_rtc_read(&rtc, 1, 4, now), 0xffffff80);
	svm_rtc_write(&rtc, 0, 1, 0x0d, now);
	ck_assert_uint_eq(rtc.state.nmi_off, 0);
}
END_TEST

START_TEST(reset_ends_interrupts_and_keeps_the_date)
{
	setup();
	put(0x0b, 0x7a);
	put(0x20, 0x99);
	now = 2 * S;
	svm_rtc_advance(&rtc, now);
	ck_assert(probe.level);
	svm_rtc_reset(&rtc, now);
	ck_assert(!probe.level);
	ck_assert_uint_eq(get(0x0b), 0x02);
	ck_assert_uint_eq(get(0x0c), 0);
	ck_assert_uint_eq(get(0x20), 0x99);
	ck_assert_uint_eq(get(0), 0x00);
	ck_assert_uint_eq(get(7), 0x29);
}
END_TEST

/* A guest that reads C at each interrupt: as many in ten seconds as the rate says. */
START_TEST(the_periodic_interrupt_does_not_drift)
{
	unsigned count = 0;

	setup();
	put(0x0b, 0x42);
	for (; svm_rtc_deadline(&rtc) <= 10 * S; count++) {
		now = svm_rtc_deadline(&rtc);
		svm_rtc_advance(&rtc, now);
		ck_assert(probe.level);
		ck_assert_uint_eq(get(0x0c) & 0xc0, 0xc0);
		ck_assert_uint_gt(svm_rtc_deadline(&rtc), now);
	}
	ck_assert_uint_eq(count, 10240);
}
END_TEST

START_TEST(what_was_saved_is_restored)
{
	const struct svm_wire wire = probe_wire(&probe, 0);
	struct svm_rtc_state state;
	struct svm_rtc copy;

	setup();
	put(0x0b, 0x12);
	pass(3 * S / 2);
	ck_assert(probe.level);
	svm_rtc_save(&rtc, &state);

	memset(&probe, 0, sizeof(probe));
	svm_rtc_init(&copy, &wire, 0);
	ck_assert_int_eq(svm_rtc_restore(&copy, &state, now), 0);
	ck_assert(probe.level);
	ck_assert_uint_eq(svm_rtc_deadline(&copy), svm_rtc_deadline(&rtc));
	rtc = copy;
	ck_assert_uint_eq(get(0), 0x59);
	ck_assert_int_eq(svm_rtc_restore(&copy, &state, 0), SVM_ERR_INVAL);
}
END_TEST

/* One byte of the state of a fresh clock replaced. */
#define STATE(member) offsetof(struct svm_rtc_state, member)
static const struct {
	const char *name;
	size_t offset;
	uint8_t value;
} bad_rows[] = {
	{ "bit 7 of A", STATE(bytes) + 0x0a, 0xa6 },
	{ "SET with the update interrupt", STATE(bytes) + 0x0b, 0x92 },
	{ "bit 7 of C", STATE(bytes) + 0x0c, 0x80 },
	{ "bit 0 of C", STATE(bytes) + 0x0c, 0x01 },
	{ "a D that is not 80", STATE(bytes) + 0x0d, 0x00 },
	{ "an index of 128", STATE(index), 128 },
	{ "an NMI mask of 2", STATE(nmi_off), 2 },
	{ "a phase of more than a second", STATE(phase_ns) + 7, 1 },
	{ "a time to come", STATE(cycles) + 7, 1 },
	{ "seconds that are not the cycles'", STATE(seconds), 1 },
	{ "something behind the last member", STATE(reserved) + 5, 1 },
};

START_TEST(a_state_that_cannot_be_is_refused)
{
	struct svm_rtc_state state;
	struct svm_rtc before;

	setup();
	svm_rtc_save(&rtc, &state);
	before = rtc;
	((uint8_t *)&state)[bad_rows[_i].offset] = bad_rows[_i].value;
	ck_assert_msg(svm_rtc_restore(&rtc, &state, now) == SVM_ERR_INVAL, "%s", bad_rows[_i].name);
	ck_assert_int_eq(memcmp(&before, &rtc, sizeof(rtc)), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_clock_follows_its_data_sheet, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_date_is_that_of_the_calendar, 0, ROWS(date_rows));
	tcase_add_loop_test(tc, years_pass_in_one_step, 0, ROWS(date_rows));
	tcase_add_test(tc, no_day_is_left_out);
	tcase_add_test(tc, the_year_after_9999_is_0);
	tcase_add_loop_test(tc, memory_sizes_are_told, 0, ROWS(memory_rows));
	tcase_add_test(tc, the_index_and_other_ports_read_as_ones);
	tcase_add_test(tc, reset_ends_interrupts_and_keeps_the_date);
	tcase_add_test(tc, the_periodic_interrupt_does_not_drift);
	tcase_add_test(tc, what_was_saved_is_restored);
	tcase_add_loop_test(tc, a_state_that_cannot_be_is_refused, 0, ROWS(bad_rows));
}

int main(void)
{
	return suite_run("rtc", add_tests);
}
