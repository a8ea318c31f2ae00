/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_RTC_DATE_H
#define SVM_PLATFORM_RTC_DATE_H
/*
 * The date in the first bytes of an MC146818, and how it goes on.  Data sheet, Time, calendar and
 * alarm locations.
 */
#include <stdbool.h>
#include <stdint.h>

#define RTC_SECONDS       0x00u
#define RTC_SECONDS_ALARM 0x01u
#define RTC_MINUTES       0x02u
#define RTC_MINUTES_ALARM 0x03u
#define RTC_HOURS         0x04u
#define RTC_HOURS_ALARM   0x05u
#define RTC_WEEKDAY       0x06u /* 1 is Sunday. */
#define RTC_DAY           0x07u
#define RTC_MONTH         0x08u
#define RTC_YEAR          0x09u
#define RTC_B             0x0bu
#define RTC_CENTURY       0x32u

#define RTC_B_BINARY 0x04u
#define RTC_B_24H    0x02u

/* Write a date, in the form that register B asks for. */
void svm_rtc_date_set(uint8_t *bytes, uint64_t since_1970);

/* Let seconds pass.  Bytes that are no date stay. */
void svm_rtc_date_add(uint8_t *bytes, uint64_t seconds);

/* Seconds until the alarm's bytes fit the clock's, 1 to 86400; 0: they never will. */
uint32_t svm_rtc_date_alarm(const uint8_t *bytes);

#endif
