/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Numbers are read digit by digit against the bound, so that none is too long, and a number that is
 * too large is told at its first digit: that is what has to be changed.
 */
#include "number_set.h"

#include <stdbool.h>

#include "format.h"

struct reader {
	const char *at, *end;
	unsigned int count;
};

static bool is_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

/* False: none, or too large; the reader stays before it. */
static bool take_number(struct reader *reader, unsigned int *number)
{
	const char *const start = reader->at;

	*number = 0;
	while (is_digit(reader) && *number < reader->count)
		*number = *number * 10 + (unsigned int)(*reader->at++ - '0');
	if (reader->at != start && !is_digit(reader) && *number < reader->count)
		return true;
	reader->at = start;
	return false;
}

static bool take_letter(struct reader *reader, char letter)
{
	if (reader->at == reader->end || *reader->at != letter)
		return false;
	reader->at++;
	return true;
}

/* A number, or two with a dash between, the larger one behind. */
static bool take_range(struct reader *reader, uint64_t *set)
{
	unsigned int first, last;
	const char *behind;

	if (!take_number(reader, &first))
		return false;
	last = first;
	behind = reader->at;
	if (take_letter(reader, '-')) {
		behind = reader->at;
		if (!take_number(reader, &last))
			return false;
	}
	if (last < first) {
		reader->at = behind;
		return false;
	}
	for (unsigned int number = first; number <= last; number++)
		*set |= UINT64_C(1) << number;
	return true;
}

static bool is_all(const char *text, size_t length)
{
	return length == 3 && text[0] == 'a' && text[1] == 'l' && text[2] == 'l';
}

const char *number_set_read(const char *text, size_t length, unsigned int count, uint64_t *set)
{
	struct reader reader = { .at = text, .end = text + length, .count = count };
	uint64_t numbers = 0;

	if (is_all(text, length)) {
		*set = NUMBER_SET_ALL;
		return NULL;
	}
	do {
		if (!take_range(&reader, &numbers))
			return reader.at;
	} while (take_letter(&reader, ','));
	if (reader.at != reader.end)
		return reader.at;
	*set = numbers;
	return NULL;
}

static unsigned int last_of_row(uint64_t set, unsigned int first)
{
	unsigned int last = first;

	while (last < 63 && set >> (last + 1) & 1)
		last++;
	return last;
}

size_t number_set_write(uint64_t set, char text[NUMBER_SET_TEXT_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	if (set == NUMBER_SET_ALL)
		return format_text(text, NUMBER_SET_TEXT_MAX, "all");
	for (unsigned int first = 0; first < 64; first++) {
		const unsigned int last = last_of_row(set, first);

		if (!(set >> first & 1))
			continue;
		used += format_text(text + used, NUMBER_SET_TEXT_MAX - used, "%s%u",
		                    used ? "," : "", first);
		if (last > first)
			used += format_text(text + used, NUMBER_SET_TEXT_MAX - used, "-%u", last);
		first = last;
	}
	return used;
}
