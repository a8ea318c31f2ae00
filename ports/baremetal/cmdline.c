/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See the header: words, keys and values of a boot loader's command line. */
#include "cmdline.h"

#include "string.h"

static size_t text_length(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* The next word at or after @p at; its length in *length, 0 at the end of the line. */
static const char *next_word(const char *at, size_t *length)
{
	while (*at == ' ' || *at == '\t')
		at++;
	for (*length = 0; at[*length] && at[*length] != ' ' && at[*length] != '\t';)
		++*length;
	return at;
}

bool cmdline_has(const char *line, const char *word)
{
	const size_t want = text_length(word);
	size_t length;

	for (line = next_word(line, &length); length; line = next_word(line + length, &length)) {
		if (length == want && !memcmp(line, word, want))
			return true;
	}
	return false;
}

bool cmdline_get(const char *line, const char *key, char *to, size_t size)
{
	const size_t want = text_length(key);
	bool found = false;
	size_t length;

	to[0] = '\0';
	for (line = next_word(line, &length); length; line = next_word(line + length, &length)) {
		size_t used = length - want - 1;

		if (length <= want || memcmp(line, key, want) || line[want] != '=')
			continue;
		used = used < size - 1 ? used : size - 1;
		memcpy(to, line + want + 1, used);
		to[used] = '\0';
		found = true;
	}
	return found;
}

static bool digit_value(char c, unsigned int base, unsigned int *value)
{
	if (c >= '0' && c <= '9')
		*value = (unsigned int)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*value = (unsigned int)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		*value = (unsigned int)(c - 'A') + 10;
	else
		return false;
	return *value < base;
}

static unsigned int suffix_shift(char c)
{
	return c == 'K' || c == 'k'   ? 10
	       : c == 'M' || c == 'm' ? 20
	       : c == 'G' || c == 'g' ? 30
	                              : 0;
}

static bool read_number(const char *text, uint64_t *number)
{
	const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const unsigned int base = hex ? 16 : 10;
	const char *at = hex ? text + 2 : text;
	unsigned int digit;
	uint64_t value = 0;

	if (!digit_value(*at, base, &digit))
		return false;
	for (; digit_value(*at, base, &digit); at++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}

	const unsigned int shift = suffix_shift(*at);

	if (shift) {
		if (value > UINT64_MAX >> shift)
			return false;
		value <<= shift;
		at++;
	}
	*number = value;
	return *at == '\0';
}

uint64_t cmdline_number(const char *line, const char *key, uint64_t fallback, bool *bad)
{
	char text[32];
	uint64_t number;

	if (!cmdline_get(line, key, text, sizeof(text)))
		return fallback;
	if (read_number(text, &number))
		return number;
	*bad = true;
	return fallback;
}
