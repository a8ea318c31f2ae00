/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Formatted output to the console.  Conversions: %d %i %u %x %c %s %p %%, with `-`, `0`, a width
 * (also `*`), a precision for %s, and the lengths l, ll and z.  One call is one piece of output, of
 * at most KPRINTF_MAX - 1 characters; what is longer is cut.
 */
#ifndef BAREMETAL_KPRINTF_H
#define BAREMETAL_KPRINTF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define KPRINTF_MAX 1024

void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Like snprintf(), but returns the number of characters stored. */
size_t format_text(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t format_text_va(char *to, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/** Colours, or empty strings unless console_set_color(true). */
void console_set_color(bool on);
const char *color_good(void);
const char *color_bad(void);
const char *color_warn(void);
const char *color_title(void);
const char *color_guest(void);
const char *color_off(void);

#endif
