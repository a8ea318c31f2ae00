/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The MC146818 that every PC has.  Read twice, outside of an update, until both readings agree: the
 * chip changes its registers one by one.
 */
#include "wall_clock.h"

#include <stdbool.h>

#include "string.h"
#include "x86.h"

#define CMOS_INDEX   0x70
#define CMOS_DATA    0x71
#define STATUS_A     0x0a
#define STATUS_B     0x0b
#define UPDATING     0x80u
#define IS_24_HOURS  0x02u
#define IS_BINARY    0x04u
#define PM           0x80u
#define TRIES        100000
#define SECONDS_A_DAY UINT64_C(86400)

/* Seconds, minutes, hours, day, month, year of the century. */
enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELDS };

static uint8_t cmos(uint8_t index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static bool wait_for_rest(void)
{
	for (int i = 0; i < TRIES; i++)
		if (!(cmos(STATUS_A) & UPDATING))
			return true;
	return false;
}

static void read_fields(uint8_t field[FIELDS])
{
	static const uint8_t index[FIELDS] = { 0, 2, 4, 7, 8, 9 };

	for (unsigned int i = 0; i < FIELDS; i++)
		field[i] = cmos(index[i]);
}

static uint8_t from_bcd(uint8_t value)
{
	return (uint8_t)((value >> 4) * 10 + (value & 15));
}

static void decode(uint8_t field[FIELDS], uint8_t status)
{
	const bool is_pm = !(status & IS_24_HOURS) && (field[HOUR] & PM);

	if (!(status & IS_24_HOURS))
		field[HOUR] &= (uint8_t)~PM;
	for (unsigned int i = 0; i < FIELDS && !(status & IS_BINARY); i++)
		field[i] = from_bcd(field[i]);
	if (!(status & IS_24_HOURS))
		field[HOUR] = (uint8_t)(field[HOUR] % 12 + (is_pm ? 12 : 0));
}

/* Days from 1970 to the first of March of a year and on: the leap day comes last that way. */
static uint64_t days_since_1970(unsigned int year, unsigned int month, unsigned int day)
{
	const unsigned int y = month > 2 ? year : year - 1;
	const unsigned int m = month > 2 ? month - 3 : month + 9;

	return 365ull * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

uint64_t wall_clock_read(void)
{
	uint8_t field[FIELDS], again[FIELDS];
	int tries = 0;

	do {
		if (!wait_for_rest())
			return 0;
		read_fields(field);
		if (!wait_for_rest())
			return 0;
		read_fields(again);
	} while (memcmp(field, again, sizeof(field)) && tries++ < 10);
	decode(field, cmos(STATUS_B));
	if (field[MONTH] < 1 || field[MONTH] > 12 || field[DAY] < 1 || field[DAY] > 31 ||
	    field[HOUR] > 23 || field[MINUTE] > 59 || field[SECOND] > 59)
		return 0;
	return days_since_1970(2000u + field[YEAR], field[MONTH], field[DAY]) * SECONDS_A_DAY +
	       field[HOUR] * 3600u + field[MINUTE] * 60u + field[SECOND];
}
