/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Dates are taken apart and put together in the form of the day: a guest may change between BCD and
 * binary, or 12 and 24 hours, at any time, and the chip then reads the same bytes differently.
 */
#include "platform/rtc_date.h"

#define HOUR_PM         0x80u
#define ALARM_ANY       0xc0u
#define NOT_A_NUMBER    0xffu
#define SECONDS_A_DAY   86400u
#define CENTURY_IF_NONE 20u

struct rtc_date {
	uint64_t day;    /* Since the first day of the year 0. */
	uint32_t second; /* Of the day. */
	uint8_t weekday; /* 0 is Sunday; above 6: the byte holds something else. */
	bool has_century;
};

static uint8_t get_number(const uint8_t *bytes, uint8_t raw)
{
	if (bytes[RTC_B] & RTC_B_BINARY)
		return raw;
	if ((raw & 15) > 9 || raw >> 4 > 9)
		return NOT_A_NUMBER;
	return (uint8_t)((raw >> 4) * 10 + (raw & 15));
}

static uint8_t put_number(const uint8_t *bytes, uint64_t number)
{
	if (bytes[RTC_B] & RTC_B_BINARY)
		return (uint8_t)number;
	return (uint8_t)(number / 10 << 4 | number % 10);
}

/* 12 o'clock comes first in both halves of a day of 12 hours. */
static uint8_t get_hour(const uint8_t *bytes, uint8_t raw)
{
	uint8_t hour;

	if (bytes[RTC_B] & RTC_B_24H)
		return get_number(bytes, raw);
	hour = get_number(bytes, raw & (uint8_t)~HOUR_PM);
	if (hour < 1 || hour > 12)
		return NOT_A_NUMBER;
	return (uint8_t)(hour % 12 + (raw & HOUR_PM ? 12 : 0));
}

static uint8_t put_hour(const uint8_t *bytes, uint32_t hour)
{
	uint8_t raw;

	if (bytes[RTC_B] & RTC_B_24H)
		return put_number(bytes, hour);
	raw = put_number(bytes, hour % 12 ? hour % 12 : 12);
	return hour >= 12 ? raw | HOUR_PM : raw;
}

static bool is_leap(uint64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint8_t days_in_month(uint64_t year, unsigned month)
{
	static const uint8_t days[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return (uint8_t)(days[month] + (month == 2 && is_leap(year)));
}

/* The Gregorian calendar, in which the year 0 is a leap year. */
static uint64_t days_before_year(uint64_t year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

/* The estimate by the mean length of a year is wrong by one at most. */
static uint64_t year_of(uint64_t day)
{
	const uint64_t year = day * 400 / 146097;

	if (days_before_year(year) > day)
		return year - 1;
	return days_before_year(year + 1) <= day ? year + 1 : year;
}

static bool get_time(const uint8_t *bytes, uint32_t *second)
{
	const uint8_t hour = get_hour(bytes, bytes[RTC_HOURS]);
	const uint8_t minute = get_number(bytes, bytes[RTC_MINUTES]);
	const uint8_t rest = get_number(bytes, bytes[RTC_SECONDS]);

	*second = hour * 3600u + minute * 60u + rest;
	return hour < 24 && minute < 60 && rest < 60;
}

static bool get_date(const uint8_t *bytes, struct rtc_date *date)
{
	const uint8_t century = get_number(bytes, bytes[RTC_CENTURY]);
	const uint8_t in_century = get_number(bytes, bytes[RTC_YEAR]);
	const uint8_t month = get_number(bytes, bytes[RTC_MONTH]);
	const uint8_t day = get_number(bytes, bytes[RTC_DAY]);
	uint64_t year;

	*date = (struct rtc_date){ .has_century = century < 100 };
	year = (date->has_century ? century : CENTURY_IF_NONE) * 100u + in_century;
	if (in_century > 99 || month < 1 || month > 12)
		return false;
	if (day < 1 || day > days_in_month(year, month))
		return false;
	date->weekday = (uint8_t)(get_number(bytes, bytes[RTC_WEEKDAY]) - 1);
	date->day = days_before_year(year) + day - 1;
	for (unsigned i = 1; i < month; i++)
		date->day += days_in_month(year, i);
	return get_time(bytes, &date->second);
}

static void put_date(uint8_t *bytes, const struct rtc_date *date)
{
	const uint64_t year = year_of(date->day);
	uint64_t day = date->day - days_before_year(year);
	unsigned month = 1;

	for (; month < 12 && day >= days_in_month(year, month); month++)
		day -= days_in_month(year, month);
	bytes[RTC_SECONDS] = put_number(bytes, date->second % 60);
	bytes[RTC_MINUTES] = put_number(bytes, date->second / 60 % 60);
	bytes[RTC_HOURS] = put_hour(bytes, date->second / 3600);
	if (date->weekday < 7)
		bytes[RTC_WEEKDAY] = put_number(bytes, date->weekday + 1u);
	bytes[RTC_DAY] = put_number(bytes, day + 1);
	bytes[RTC_MONTH] = put_number(bytes, month);
	bytes[RTC_YEAR] = put_number(bytes, year % 100);
	if (date->has_century)
		bytes[RTC_CENTURY] = put_number(bytes, year / 100 % 100);
}

void svm_rtc_date_set(uint8_t *bytes, uint64_t since_1970)
{
	const uint64_t days = since_1970 / SECONDS_A_DAY;
	const struct rtc_date date = {
		.day = days_before_year(1970) + days,
		.second = (uint32_t)(since_1970 % SECONDS_A_DAY),
		.weekday = (uint8_t)((days + 4) % 7), /* 1970 began with a Thursday */
		.has_century = true,
	};

	put_date(bytes, &date);
}

void svm_rtc_date_add(uint8_t *bytes, uint64_t seconds)
{
	struct rtc_date date;
	uint64_t days;

	if (!get_date(bytes, &date))
		return;
	days = (date.second + seconds) / SECONDS_A_DAY;
	date.second = (uint32_t)((date.second + seconds) % SECONDS_A_DAY);
	if (date.weekday < 7)
		date.weekday = (uint8_t)((date.weekday + days) % 7);
	date.day += days;
	put_date(bytes, &date);
}

/* What an alarm byte asks for. */
struct alarm_field {
	bool any;
	uint8_t value;
};

static struct alarm_field alarm_field(const uint8_t *bytes, unsigned index)
{
	const uint8_t raw = bytes[index];

	return (struct alarm_field){
		.any = (raw & ALARM_ANY) == ALARM_ANY,
		.value = index == RTC_HOURS_ALARM ? get_hour(bytes, raw) : get_number(bytes, raw),
	};
}

/* The first number that fits, not below from and below end; end if there is none. */
static uint32_t first_fit(struct alarm_field field, uint32_t from, uint32_t end)
{
	if (field.any)
		return from < end ? from : end;
	return field.value >= from && field.value < end ? field.value : end;
}

/* The first second of a day that fits, not below from; SECONDS_A_DAY if there is none. */
static uint32_t first_alarm(const uint8_t *bytes, uint32_t from)
{
	const struct alarm_field hours = alarm_field(bytes, RTC_HOURS_ALARM);
	const struct alarm_field minutes = alarm_field(bytes, RTC_MINUTES_ALARM);
	const struct alarm_field seconds = alarm_field(bytes, RTC_SECONDS_ALARM);
	uint32_t hour = first_fit(hours, from / 3600, 24);
	uint32_t minute, second;

	for (unsigned tries = 0; tries < 2 && hour < 24; tries++) {
		const bool is_now = hour == from / 3600;

		minute = first_fit(minutes, is_now ? from / 60 % 60 : 0, 60);
		second = first_fit(seconds, is_now && minute == from / 60 % 60 ? from % 60 : 0, 60);
		if (second == 60) {
			minute = first_fit(minutes, minute + 1, 60);
			second = first_fit(seconds, 0, 60);
		}
		if (minute < 60 && second < 60)
			return hour * 3600 + minute * 60 + second;
		hour = first_fit(hours, hour + 1, 24);
	}
	return SECONDS_A_DAY;
}

uint32_t svm_rtc_date_alarm(const uint8_t *bytes)
{
	struct rtc_date date;
	uint32_t at;

	if (!get_date(bytes, &date))
		return 0;
	at = first_alarm(bytes, date.second + 1);
	if (at < SECONDS_A_DAY)
		return at - date.second;
	at = first_alarm(bytes, 0);
	return at < SECONDS_A_DAY ? at + SECONDS_A_DAY - date.second : 0;
}
