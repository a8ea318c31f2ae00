/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A line is put together on the stack and written in one piece, so that lines of several CPUs never
 * mix and a half-printed line cannot hold the console.
 */
#include "kprintf.h"

#include "console.h"

static bool console_color;

void kprintf(const char *format, ...)
{
	char line[KPRINTF_MAX];
	va_list args;

	va_start(args, format);
	console_write(line, format_text_va(line, sizeof(line), format, args));
	va_end(args);
}

void kprintf_lines(const char *indent, const char *text)
{
	while (*text) {
		size_t length = 0;

		while (text[length] && text[length] != '\n')
			length++;
		kprintf("%s%.*s\n", indent, (int)length, text);
		text += length + (text[length] == '\n');
	}
}

void console_set_color(bool on)
{
	console_color = on;
}

static const char *color(const char *sequence)
{
	return console_color ? sequence : "";
}

const char *color_good(void)
{
	return color("\033[32m");
}

const char *color_bad(void)
{
	return color("\033[1;31m");
}

const char *color_warn(void)
{
	return color("\033[33m");
}

const char *color_title(void)
{
	return color("\033[1m");
}

const char *color_guest(void)
{
	return color("\033[36m");
}

const char *color_off(void)
{
	return color("\033[0m");
}
