/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A serial line needs no setting up in an emulator: wait until it takes a byte, and give it one. */
#include <stdarg.h>

#include "console.h"
#include "ports.h"

#define COM1 0x3f8

static void put(char c)
{
	while (!(in8(COM1 + 5) & 0x20))
		;
	out8(COM1, (unsigned char)c);
}

static void put_number(unsigned long value, unsigned base)
{
	if (value >= base)
		put_number(value / base, base);
	put("0123456789abcdef"[value % base]);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
		} else if (*++format == 's') {
			for (const char *s = va_arg(arguments, const char *); *s; s++)
				put(*s);
		} else { /* %lu and %lx */
			put_number(va_arg(arguments, unsigned long), *++format == 'x' ? 16 : 10);
		}
	}
	va_end(arguments);
}

void end(void)
{
	out8(0xf4, 0x10);
	for (;;)
		__asm__ volatile("cli; hlt");
}
