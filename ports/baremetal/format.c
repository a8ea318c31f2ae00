/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A small formatter.  Whatever does not fit is cut; nothing is allocated, and no locale or floating
 * point is known.
 */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

struct output {
	char *to;
	size_t size, used;
};

struct conversion {
	bool left, zero;
	int width, precision;
	int longs;
};

static void put_char(struct output *out, char c)
{
	if (out->used + 1 < out->size)
		out->to[out->used++] = c;
}

static void put_field(struct output *out, const struct conversion *c, const char *text, int length)
{
	const int pad = c->width > length ? c->width - length : 0;

	for (int i = 0; !c->left && i < pad; i++)
		put_char(out, c->zero ? '0' : ' ');
	for (int i = 0; i < length; i++)
		put_char(out, text[i]);
	for (int i = 0; c->left && i < pad; i++)
		put_char(out, ' ');
}

static void put_string(struct output *out, const struct conversion *c, const char *text)
{
	int length = 0;

	if (!text)
		text = "(null)";
	while ((c->precision < 0 || length < c->precision) && text[length])
		length++;
	put_field(out, c, text, length);
}

static void put_number(struct output *out, const struct conversion *c, uint64_t value,
                       unsigned int base, bool negative)
{
	char digits[24];
	int at = (int)sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_field(out, c, digits + at, (int)sizeof(digits) - at);
}

static const char *parse_number(const char *format, int *value)
{
	int number = 0;

	while (*format >= '0' && *format <= '9' && number < 1000)
		number = number * 10 + (*format++ - '0');
	*value = number;
	return format;
}

static void put_argument(struct output *out, struct conversion *c, char kind, va_list *args)
{
	switch (kind) {
	case 'd':
	case 'i': {
		const int64_t value = c->longs ? va_arg(*args, int64_t) : va_arg(*args, int);

		put_number(out, c, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10,
		           value < 0);
		break;
	}
	case 'u':
	case 'x': {
		const uint64_t value =
			c->longs ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int);

		put_number(out, c, value, kind == 'x' ? 16 : 10, false);
		break;
	}
	case 'p':
		c->zero = true;
		c->width = 16;
		put_number(out, c, (uint64_t)(uintptr_t)va_arg(*args, void *), 16, false);
		break;
	case 'c': {
		const char character = (char)va_arg(*args, int);

		put_field(out, c, &character, 1);
		break;
	}
	case 's':
		put_string(out, c, va_arg(*args, const char *));
		break;
	default:
		put_char(out, '%');
		put_char(out, kind);
		break;
	}
}

size_t format_text_va(char *to, size_t size, const char *format, va_list args)
{
	struct output out = { .to = to, .size = size };
	va_list copy;

	va_copy(copy, args);
	while (*format) {
		struct conversion c = { .precision = -1 };

		if (*format != '%') {
			put_char(&out, *format++);
			continue;
		}
		format++;
		for (; *format == '-' || *format == '0'; format++) {
			c.left |= *format == '-';
			c.zero |= *format == '0';
		}
		if (*format == '*') {
			c.width = va_arg(copy, int);
			format++;
		} else {
			format = parse_number(format, &c.width);
		}
		if (*format == '.' && format[1] == '*') {
			c.precision = va_arg(copy, int);
			format += 2;
		} else if (*format == '.') {
			format = parse_number(format + 1, &c.precision);
		}
		for (; *format == 'l' || *format == 'z'; format++)
			c.longs++;
		if (!*format)
			break;
		c.zero &= !c.left;
		put_argument(&out, &c, *format++, &copy);
	}
	va_end(copy);
	if (size)
		to[out.used] = '\0';
	return out.used;
}

size_t format_text(char *to, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	const size_t used = format_text_va(to, size, format, args);

	va_end(args);
	return used;
}
