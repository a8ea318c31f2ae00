/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Formatted output to the console, by the conversions of format.h.  One call is one piece of
 * output, of at most KPRINTF_MAX - 1 characters; what is longer is cut.
 */
#ifndef BAREMETAL_KPRINTF_H
#define BAREMETAL_KPRINTF_H

#include <stdbool.h>

#include "format.h"

#define KPRINTF_MAX 1024

void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Print a text line by line, each behind @p indent. */
void kprintf_lines(const char *indent, const char *text);

/** Colours, or empty strings unless console_set_color(true). */
void console_set_color(bool on);
const char *color_good(void);
const char *color_bad(void);
const char *color_warn(void);
const char *color_title(void);
const char *color_guest(void);
const char *color_off(void);

#endif
