/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Bytes of a capture as numbers, with the end of it in view.
 */
#include "player.h"

#include <string.h>

static struct {
	const uint8_t *data;
	size_t size, at;
} in;

void reader_open(const uint8_t *data, size_t size)
{
	in.data = data;
	in.size = size;
	in.at = 0;
}

size_t reader_at(void)
{
	return in.at;
}

unsigned reader_peek(void)
{
	if (in.at == in.size)
		player_finish("it ends there, without having been ended");
	if (in.data[in.at] >= SVM_CAPTURE_EVENT_COUNT)
		player_refuse("no event has the tag %u", in.data[in.at]);
	return in.data[in.at];
}

void reader_rewind(size_t at)
{
	in.at = at;
}

void reader_skip_tag(void)
{
	in.at++;
}

uint64_t reader_number(void)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (in.at == in.size)
			player_finish("it ends there, inside an event");
		value |= (uint64_t)(in.data[in.at] & 0x7f) << shift;
		if (!(in.data[in.at++] & 0x80))
			return value;
	}
	player_refuse("a number has more than 64 bits");
}

uint64_t reader_peek_number(void)
{
	const size_t at = in.at++;
	const uint64_t value = reader_number();

	in.at = at;
	return value;
}

uint64_t reader_below(uint64_t limit, const char *what)
{
	const uint64_t value = reader_number();

	if (value >= limit)
		player_refuse("%s is %llu", what, (unsigned long long)value);
	return value;
}

static const uint8_t *take(size_t size)
{
	const uint8_t *data = in.data + in.at;

	if (size > in.size - in.at)
		player_finish("it ends there, inside an event");
	in.at += size;
	return data;
}

const void *reader_some_bytes(size_t limit, size_t *size, const char *what)
{
	*size = (size_t)reader_below((uint64_t)limit + 1, what);
	return take(*size);
}

const void *reader_bytes(size_t size, const char *what)
{
	const uint64_t has = reader_number();

	if (has != size)
		player_refuse("%s has %llu bytes, and %zu in this library", what,
		              (unsigned long long)has, size);
	return take(size);
}

void reader_differences(uint64_t *image, unsigned words, bool (*allowed)(unsigned word))
{
	unsigned at = 0;

	for (;;) {
		const unsigned skip = (unsigned)reader_below(words + 1u, "words to skip");
		const unsigned count = (unsigned)reader_below(words + 1u, "words that differ");

		if (count == 0)
			return;
		if (skip > words - at || count > words - at - skip)
			player_refuse("differences go beyond %u words", words);
		at += skip;
		for (unsigned end = at + count; at < end; at++) {
			if (allowed && !allowed(at))
				player_refuse("no exit changes word %u", at);
			memcpy(&image[at], take(sizeof(*image)), sizeof(*image));
		}
	}
}
