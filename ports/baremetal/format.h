/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Text from a format.  Conversions: %d %i %u %x %c %s %p %%, with `-`, `0`, a width (also `*`), a
 * precision for %s, and the lengths l, ll and z.
 */
#ifndef BAREMETAL_FORMAT_H
#define BAREMETAL_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/** Like snprintf(), but returns the number of characters stored. */
size_t format_text(char *to, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t format_text_va(char *to, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
