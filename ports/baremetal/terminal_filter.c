/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A sequence is collected until its last letter says what it is.  A list of what passes rather than
 * of what does not: terminals have more sequences than anybody knows.
 */
#include "terminal_filter.h"

#include "string.h"

#define ESCAPE 0x1b

/* ECMA-48 5.4: parameters, then intermediates, then one final byte. */
static bool is_parameter(uint8_t byte)
{
	return byte >= 0x30 && byte <= 0x3f;
}

static bool is_final(uint8_t byte)
{
	return byte >= 0x40 && byte <= 0x7e;
}

static bool is_plain(uint8_t byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\r' || byte == '\n' || byte == '\t' ||
	       byte == '\b';
}

/* Modes of the terminal that a guest may switch: cursor keys, wrapping, cursor, screen, paste. */
static bool is_harmless_mode(const char *parameters, size_t length)
{
	static const char *const modes[] = { "?1", "?7", "?25", "?1049", "?2004" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		size_t at = 0;

		while (at < length && modes[i][at] == parameters[at])
			at++;
		if (at == length && !modes[i][at])
			return true;
	}
	return false;
}

/* Cursor, erase, insert and delete, scroll, colours, saved cursor. */
static bool is_harmless_final(char final)
{
	static const char finals[] = "@ABCDEFGHJKLMPSTXdfmrsu`";

	for (const char *c = finals; *c; c++) {
		if (*c == final)
			return true;
	}
	return false;
}

static bool is_harmless(const struct terminal_filter *filter, char final)
{
	const char *const parameters = filter->sequence + 2;
	const size_t length = filter->used - 2u;

	if (filter->is_too_long)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_parameter((uint8_t)parameters[i]))
			return false;
	}
	if (final == 'h' || final == 'l')
		return is_harmless_mode(parameters, length);
	/* Where is the cursor?  Line editors ask; the answer holds no more than two numbers. */
	if (final == 'n')
		return length == 1 && parameters[0] == '6';
	if (length && parameters[0] >= '<')
		return false;
	return is_harmless_final(final);
}

static size_t end_sequence(struct terminal_filter *filter, char final, char *out)
{
	size_t size = 0;

	if (is_harmless(filter, final)) {
		size = filter->used;
		memcpy(out, filter->sequence, size);
		out[size++] = final;
		filter->has_sequences = true;
	}
	filter->used = 0;
	filter->is_too_long = false;
	return size;
}

static void begin_sequence(struct terminal_filter *filter)
{
	filter->sequence[0] = ESCAPE;
	filter->used = 1;
	filter->is_too_long = false;
}

/* Inside a sequence.  A control ends it, so that no guest can swallow its own output for ever. */
static size_t continue_sequence(struct terminal_filter *filter, uint8_t byte, char *out)
{
	if (filter->used == 1) {
		filter->used = byte == '[' ? 2 : 0;
		filter->sequence[1] = '[';
		return 0;
	}
	if (is_final(byte))
		return end_sequence(filter, (char)byte, out);
	if (byte < ' ' || byte > '~') {
		filter->used = 0;
		filter->is_too_long = false;
	} else if (filter->used + 1u < TERMINAL_SEQUENCE_MAX) {
		filter->sequence[filter->used++] = (char)byte;
	} else {
		filter->is_too_long = true;
	}
	return 0;
}

size_t terminal_filter_put(struct terminal_filter *filter, uint8_t byte, char *out)
{
	if (byte == ESCAPE) {
		begin_sequence(filter);
		return 0;
	}
	if (filter->used)
		return continue_sequence(filter, byte, out);
	if (!is_plain(byte))
		return 0;
	out[0] = (char)byte;
	return 1;
}
