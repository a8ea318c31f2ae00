/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Motorola MC146818A: a divider of 15 bits, and digits that carry into each other. */
#include "legacy_model.h"

enum {
	SEC,
	SEC_A,
	MIN,
	MIN_A,
	HOUR,
	HOUR_A,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	A,
	B,
	C,
	D,
	CENTURY = 0x32
};

static bool binary(const struct model_rtc *m)
{
	return m->bytes[B] & 4;
}

/* -1: not a number of two digits. */
static int number(const struct model_rtc *m, uint8_t raw)
{
	if (binary(m))
		return raw;
	if ((raw & 0x0f) > 0x09 || (raw & 0xf0) > 0x90)
		return -1;
	return (raw >> 4) * 10 + (raw & 0x0f);
}

static bool within(const struct model_rtc *m, uint8_t raw, int first, int last)
{
	return number(m, raw) >= first && number(m, raw) <= last;
}

static bool hour_is_valid(const struct model_rtc *m)
{
	if (m->bytes[B] & 2)
		return within(m, m->bytes[HOUR], 0, 23);
	return within(m, m->bytes[HOUR] & 0x7f, 1, 12);
}

static int last_day(const struct model_rtc *m)
{
	const int month = number(m, m->bytes[MONTH]);
	const bool has_century = within(m, m->bytes[CENTURY], 0, 99);
	const int year =
		(has_century ? number(m, m->bytes[CENTURY]) : 20) * 100 + number(m, m->bytes[YEAR]);

	if (month == 4 || month == 6 || month == 9 || month == 11)
		return 30;
	if (month != 2)
		return 31;
	if (year % 400 == 0)
		return 29;
	if (year % 100 == 0)
		return 28;
	return year % 4 == 0 ? 29 : 28;
}

static bool date_is_valid(const struct model_rtc *m)
{
	return within(m, m->bytes[SEC], 0, 59) && within(m, m->bytes[MIN], 0, 59) &&
	       hour_is_valid(m) && within(m, m->bytes[MONTH], 1, 12) &&
	       within(m, m->bytes[YEAR], 0, 99) && within(m, m->bytes[DAY], 1, last_day(m));
}

static uint8_t plus_1(const struct model_rtc *m, uint8_t raw)
{
	if (!binary(m) && (raw & 15) == 9)
		return (uint8_t)(raw + 7);
	return (uint8_t)(raw + 1);
}

/* True: it was the last, and is the first again. */
static bool carry(struct model_rtc *m, unsigned index, int first, int last)
{
	if (number(m, m->bytes[index]) < last) {
		m->bytes[index] = plus_1(m, m->bytes[index]);
		return false;
	}
	m->bytes[index] = (uint8_t)first;
	return true;
}

static bool carry_hour(struct model_rtc *m)
{
	uint8_t half = m->bytes[HOUR] & 0x80;
	uint8_t hour = m->bytes[HOUR] & 0x7f;
	bool is_new_day = false;

	if (m->bytes[B] & 2)
		return carry(m, HOUR, 0, 23);
	if (number(m, hour) == 12) {
		hour = 1;
	} else {
		hour = plus_1(m, hour);
		if (number(m, hour) == 12) {
			is_new_day = half;
			half ^= 0x80;
		}
	}
	m->bytes[HOUR] = half | hour;
	return is_new_day;
}

static void second(struct model_rtc *m)
{
	if (!carry(m, SEC, 0, 59) || !carry(m, MIN, 0, 59) || !carry_hour(m))
		return;
	if (within(m, m->bytes[WEEKDAY], 1, 7))
		carry(m, WEEKDAY, 1, 7);
	if (!carry(m, DAY, 1, last_day(m)) || !carry(m, MONTH, 1, 12) || !carry(m, YEAR, 0, 99))
		return;
	if (within(m, m->bytes[CENTURY], 0, 99))
		carry(m, CENTURY, 0, 99);
}

static bool fits(const struct model_rtc *m, unsigned alarm, unsigned time)
{
	return m->bytes[alarm] >= 0xc0 || m->bytes[alarm] == m->bytes[time];
}

static void update(struct model_rtc *m)
{
	m->bytes[C] |= 0x10;
	if (!date_is_valid(m))
		return;
	second(m);
	if (fits(m, SEC_A, SEC) && fits(m, MIN_A, MIN) && fits(m, HOUR_A, HOUR))
		m->bytes[C] |= 0x20;
}

static bool runs(const struct model_rtc *m)
{
	return (m->bytes[A] & 0x70) == 0x20;
}

static unsigned period(const struct model_rtc *m)
{
	static const unsigned periods[16] = { 0,   128, 256, 4,    8,    16,   32,   64,
		                              128, 256, 512, 1024, 2048, 4096, 8192, 16384 };

	return periods[m->bytes[A] & 15];
}

static void line(struct model_rtc *m)
{
	const bool irq = m->bytes[B] & m->bytes[C] & 0x70;

	m->rises += irq && !m->irq;
	m->irq = irq;
}

void model_rtc_run(struct model_rtc *m, uint64_t now)
{
	const __int128 ns = (__int128)now - m->begin;
	const uint64_t cycles = (uint64_t)(ns * 32768 / 1000000000);

	if (!runs(m))
		return;
	while (m->cycles < cycles) {
		m->cycles++;
		if (period(m) && m->cycles % period(m) == 0)
			m->bytes[C] |= 0x40;
		if (m->cycles % 32768 == 0 && !(m->bytes[B] & 0x80))
			update(m);
		line(m);
	}
}

void model_rtc_write(struct model_rtc *m, unsigned offset, uint8_t value, uint64_t now)
{
	const bool ran = runs(m);

	if (offset == 0)
		m->index = value & 0x7f;
	if (offset != 1 || m->index == C || m->index == D)
		return;
	if (m->index == A)
		value &= 0x7f;
	if (m->index == B && (value & 0x80))
		value &= 0xef;
	m->bytes[m->index] = value;
	if (runs(m) && !ran) {
		m->begin = (int64_t)now - 500000000;
		m->cycles = 16384;
	}
	line(m);
}

uint8_t model_rtc_read(struct model_rtc *m, unsigned offset, uint64_t now)
{
	uint8_t value;

	if (offset != 1)
		return 0xff;
	value = m->bytes[m->index];
	if (m->index == A && runs(m) && !(m->bytes[B] & 0x80)) {
		const int64_t ns = (int64_t)now - m->begin;

		if (ns % 1000000000 >= 1000000000 - 244000)
			value |= 0x80;
	}
	if (m->index == C) {
		value |= m->irq << 7;
		m->bytes[C] = 0;
		line(m);
	}
	return value;
}

/* 1970-01-01 00:00:00, Thursday. */
void model_rtc_init(struct model_rtc *m)
{
	*m = (struct model_rtc){ .bytes = { [WEEKDAY] = 5,
		                            [DAY] = 1,
		                            [MONTH] = 1,
		                            [YEAR] = 0x70,
		                            [A] = 0x26,
		                            [B] = 0x02,
		                            [D] = 0x80,
		                            [CENTURY] = 0x19 } };
}
