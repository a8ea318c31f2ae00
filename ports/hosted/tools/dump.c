/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory from a text.
 *
 * Nobody types 4096 bytes: they come from a monitor, a debugger or a hex dump, and each prints
 * words in its own way.  Two facts decide all of them.  A word with 0x in front is a number, so
 * its bytes stand in memory from right to left; digits without it are bytes in order.  And an
 * address at the front of a line ends with a colon, or is followed by single bytes (hexdump -C).
 * Words of two bytes without either, as hexdump and od print them by default, could be both and
 * are refused: guessing wrong would give verdicts about a VMCB that does not exist.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "kvm_text.h"

#define DIGITS_MOST 16 /* Of one number. */
#define ROW_MOST    256

struct reader {
	struct dump *memory;
	size_t room, most;
	char *why;
	uint64_t address; /* Of the next byte, as the lines count them. */
	bool has_address; /* The line before had one. */
	bool repeats;     /* A line "*" stands for copies of the row before. */
	uint8_t row[ROW_MOST];
	size_t row_size;
	unsigned int line;
};

struct token {
	const char *start;
	size_t length; /* Of the digits, without 0x. */
	bool is_number;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool complain(struct reader *r, const char *what)
{
	snprintf(r->why, DUMP_WHY, "line %u: %s", r->line, what);
	return false;
}

static bool append(struct reader *r, const uint8_t *bytes, size_t count)
{
	struct dump *memory = r->memory;

	if (count > r->most - memory->size)
		return complain(r, "that is too much");
	if (memory->size + count > r->room) {
		const size_t room = (memory->size + count) * 2;
		uint8_t *more = realloc(memory->bytes, room);

		if (!more)
			return complain(r, "no memory is left");
		memory->bytes = more;
		r->room = room;
	}
	memcpy(memory->bytes + memory->size, bytes, count);
	memory->size += count;
	r->address += count;
	return true;
}

/* A run of hex digits, perhaps with 0x; length 0 if there is none. */
static struct token take(const char *at)
{
	struct token token = { at, 0, false };

	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && digit(at[2]) >= 0) {
		token.is_number = true;
		token.start = at + 2;
	}
	while (digit(token.start[token.length]) >= 0)
		token.length++;
	return token;
}

static const char *behind(const struct token *token)
{
	return token->start + token->length;
}

static uint64_t value_of(const struct token *token)
{
	uint64_t value = 0;

	for (size_t i = 0; i < token->length; i++)
		value = value << 4 | (unsigned int)digit(token->start[i]);
	return value;
}

/* Where a line goes on at an address: the same place, copies of a row, or another block. */
static bool go_to(struct reader *r, uint64_t address)
{
	const bool repeats = r->repeats;

	r->repeats = false;
	if (r->has_address && address != r->address) {
		if (repeats) {
			const uint64_t gap = address - r->address;

			if (address < r->address || r->row_size == 0 || gap % r->row_size ||
			    gap > r->most)
				return complain(r, "the lines that * stands for do not fit");
			while (r->address != address)
				if (!append(r, r->row, r->row_size))
					return false;
		} else if (r->memory->size % 4096 != 0) {
			return complain(r, "the address does not follow that of the line before");
		}
	}
	r->address = address;
	r->has_address = true;
	return true;
}

static bool append_token(struct reader *r, const struct token *token)
{
	uint8_t bytes[DIGITS_MOST / 2];
	const uint64_t value = token->is_number ? value_of(token) : 0;

	if (token->length % 2)
		return complain(r, "an odd number of digits; print bytes (hexdump -C, xxd)");
	if (token->is_number) {
		if (token->length > DIGITS_MOST || (token->length & (token->length - 1)))
			return complain(r, "a number has 2, 4, 8 or 16 digits");
		for (size_t i = 0; i < token->length / 2; i++)
			bytes[i] = (uint8_t)(value >> (8 * i));
		return append(r, bytes, token->length / 2);
	}
	for (size_t i = 0; i < token->length; i += 2) {
		const uint8_t byte =
			(uint8_t)(digit(token->start[i]) << 4 | digit(token->start[i + 1]));

		if (!append(r, &byte, 1))
			return false;
	}
	return true;
}

/* "1000:", "0x1000 <vmcb+16>:": the digits in front of a colon; where the line goes on, or NULL. */
static const char *colon_address(const char *line, uint64_t *address)
{
	const struct token token = take(line);
	const char *at = behind(&token);

	if (token.length == 0 || token.length > DIGITS_MOST)
		return NULL;
	if (at[0] == ' ' && at[1] == '<') {
		at = strchr(at, '>');
		if (!at)
			return NULL;
		at++;
	}
	if (*at != ':')
		return NULL;
	*address = value_of(&token);
	return at + 1;
}

/* "00001000  7f 45 ...": more digits than a byte has, then bytes, or nothing at all. */
static const char *plain_address(const struct reader *r, const char *line, uint64_t *address)
{
	const struct token token = take(line);
	const struct token next = take(behind(&token) + strspn(behind(&token), " "));
	const bool ends = r->has_address && *behind(&token) == '\0' && token.length >= 6;

	if (token.is_number || token.length < 6 || token.length > DIGITS_MOST)
		return NULL;
	if (!ends && (next.is_number || next.length != 2 || *behind(&token) != ' '))
		return NULL;
	*address = value_of(&token);
	return behind(&token);
}

/* Words up to the end of the line, or to the column in which a dump shows them as characters. */
static bool read_words(struct reader *r, const char *at, bool has_colon)
{
	const size_t before = r->memory->size;
	bool numbers = false;

	for (;;) {
		const size_t blanks = strspn(at, " \t,");

		at += blanks;
		if (*at == '\0' || *at == '|' ||
		    (has_colon && !numbers && blanks > 1 && r->memory->size != before))
			break;

		const struct token token = take(at);

		if (token.length == 0 || (*behind(&token) != '\0' && *behind(&token) != ',' &&
		                          !is_blank(*behind(&token))))
			return complain(r, "not a hex dump");
		if (!has_colon && !r->has_address && !token.is_number && token.length == 4)
			return complain(r,
			                "words of two bytes can be read in two ways; print bytes "
			                "(hexdump -C, xxd)");
		if (!append_token(r, &token))
			return false;
		numbers = token.is_number;
		at = behind(&token);
	}
	r->row_size = r->memory->size - before;
	if (r->row_size > ROW_MOST)
		r->row_size = 0;
	if (r->row_size)
		memcpy(r->row, r->memory->bytes + before, r->row_size);
	return true;
}

/* What a monitor or a debugger says around the numbers. */
static bool is_chatter(const char *line)
{
	static const char *const starts[] = { "(qemu)", "(gdb)", "QEMU ", "#" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(line, starts[i], strlen(starts[i])) == 0)
			return true;
	return *line == '\0';
}

static bool read_line(struct reader *r, const char *line)
{
	const char *at;
	uint64_t address;

	if (is_chatter(line))
		return true;
	if (strcmp(line, "*") == 0) {
		r->repeats = true;
		return r->row_size ? true : complain(r, "* repeats nothing");
	}
	at = colon_address(line, &address);
	if (at)
		return go_to(r, address) && read_words(r, at, true);
	at = plain_address(r, line, &address);
	if (!at)
		return read_words(r, line, false);
	if (!go_to(r, address))
		return false;
	return *at == '\0' ? true : read_words(r, at, false);
}

/* Without carriage returns, blanks around it, and what a terminal takes for a command. */
static void clean_line(char *line)
{
	char *to = line;

	for (const char *from = line + strspn(line, " \t"); *from; from++) {
		if (from[0] == '\x1b' && from[1] == '[') {
			from++;
			while (from[1] && !((from[1] | 0x20) >= 'a' && (from[1] | 0x20) <= 'z'))
				from++;
			if (!from[1])
				break;
			from++;
		} else if (*from != '\r') {
			*to++ = *from;
		}
	}
	while (to != line && is_blank(to[-1]))
		to--;
	*to = '\0';
}

static bool decode_text(const struct dump *raw, struct dump *memory, size_t most,
                        char why[DUMP_WHY])
{
	struct reader r = { .memory = memory, .most = most, .why = why };
	char *text = malloc(raw->size + 1);
	bool good = true;

	if (!text) {
		snprintf(why, DUMP_WHY, "no memory is left");
		return false;
	}
	if (raw->size)
		memcpy(text, raw->bytes, raw->size);
	text[raw->size] = '\0';
	if (kvm_text_is(text)) {
		good = kvm_text_decode(text, memory, most, why);
		free(text);
		return good;
	}
	for (char *line = text, *next; good && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r.line++;
		clean_line(line);
		good = read_line(&r, line);
	}
	if (good && r.repeats)
		good = complain(&r, "* without an address behind it");
	free(text);
	return good;
}

/* A VMCB has reserved bytes, which are 0; a text has no such byte. */
static bool is_text(const struct dump *raw)
{
	for (size_t i = 0; i < raw->size; i++) {
		const uint8_t c = raw->bytes[i];

		if (c >= 0x80 || (c < 0x20 && !strchr("\t\n\r\x1b\b", c)) || c == 0)
			return false;
	}
	return true;
}

bool dump_decode(const struct dump *raw, struct dump *memory, size_t most, char why[DUMP_WHY])
{
	*memory = (struct dump){ .bytes = NULL };
	if (is_text(raw)) {
		if (decode_text(raw, memory, most, why))
			return true;
		dump_free(memory);
		return false;
	}
	memory->bytes = raw->size <= most ? malloc(raw->size) : NULL;
	if (!memory->bytes) {
		snprintf(why, DUMP_WHY, "that is too much");
		return false;
	}
	memcpy(memory->bytes, raw->bytes, raw->size);
	memory->size = raw->size;
	return true;
}

bool dump_read(FILE *stream, struct dump *raw, char why[DUMP_WHY])
{
	size_t room = 0;

	*raw = (struct dump){ .bytes = NULL };
	for (;;) {
		if (raw->size == room) {
			const size_t more = room ? room * 2 : 65536;
			uint8_t *bytes = more <= 2 * DUMP_MOST ? realloc(raw->bytes, more) : NULL;

			if (!bytes) {
				snprintf(why, DUMP_WHY, "more than 64 MiB, or no memory is left");
				break;
			}
			raw->bytes = bytes;
			room = more;
		}
		raw->size += fread(raw->bytes + raw->size, 1, room - raw->size, stream);
		if (ferror(stream)) {
			snprintf(why, DUMP_WHY, "it cannot be read");
			break;
		}
		if (raw->size > DUMP_MOST) {
			snprintf(why, DUMP_WHY, "more than 64 MiB");
			break;
		}
		if (feof(stream))
			return true;
	}
	dump_free(raw);
	return false;
}

bool dump_open(const char *name, struct dump *memory, char why[DUMP_WHY])
{
	const bool is_input = strcmp(name, "-") == 0;
	FILE *file = is_input ? stdin : fopen(name, "rb");
	struct dump raw;
	bool good;

	if (!file) {
		snprintf(why, DUMP_WHY, "%s", strerror(errno));
		return false;
	}
	good = dump_read(file, &raw, why);
	if (!is_input)
		fclose(file);
	if (!good)
		return false;
	good = dump_decode(&raw, memory, DUMP_MOST, why);
	dump_free(&raw);
	return good;
}

void dump_free(struct dump *dump)
{
	free(dump->bytes);
	free(dump->known);
	*dump = (struct dump){ .bytes = NULL };
}
