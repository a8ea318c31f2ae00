/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The only place that writes into a buffer of text: every other function adds through
 * svm_text_add_char(), so that one comparison decides whether anything can run over.
 */
#include "core/diagnose/text.h"

void svm_text_init(struct svm_text *text, char *buffer, size_t size)
{
	text->buffer = buffer;
	text->size = buffer ? size : 0;
	text->length = 0;
	if (text->size > 0)
		buffer[0] = '\0';
}

void svm_text_add_char(struct svm_text *text, char c)
{
	if (text->size > 1 && text->length < text->size - 1) {
		text->buffer[text->length] = c;
		text->buffer[text->length + 1] = '\0';
	}
	text->length++;
}

void svm_text_add(struct svm_text *text, const char *string)
{
	if (!string)
		return;
	for (const char *c = string; *c != '\0'; c++)
		svm_text_add_char(text, *c);
}

void svm_text_add_decimal(struct svm_text *text, uint64_t value)
{
	char digits[20]; /* 2^64 - 1 has 20. */
	unsigned count = 0;

	do {
		digits[count] = (char)('0' + (int)(value % 10));
		count++;
		value /= 10;
	} while (value != 0 && count < sizeof(digits));
	while (count > 0) {
		count--;
		svm_text_add_char(text, digits[count]);
	}
}

static char hex_digit(uint64_t value, unsigned place)
{
	return "0123456789ABCDEF"[(value >> (4 * place)) & 0xf];
}

static unsigned hex_length(uint64_t value)
{
	unsigned digits = 1;

	while (digits < 16 && (value >> (4 * digits)) != 0)
		digits++;
	return digits;
}

void svm_text_add_digits(struct svm_text *text, uint64_t value, unsigned digits)
{
	const unsigned needed = hex_length(value);
	unsigned place = digits > needed ? digits : needed;

	if (place > 16)
		place = 16;
	while (place > 0) {
		place--;
		svm_text_add_char(text, hex_digit(value, place));
	}
}

void svm_text_add_hex(struct svm_text *text, uint64_t value)
{
	unsigned place = hex_length(value);

	if (place > 4)
		place = (place + 3) / 4 * 4;
	while (place > 0) {
		place--;
		svm_text_add_char(text, hex_digit(value, place));
		if (place > 0 && place % 4 == 0)
			svm_text_add_char(text, '_');
	}
	svm_text_add_char(text, 'h');
}
