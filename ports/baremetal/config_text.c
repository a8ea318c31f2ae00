/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A configuration's lines, words and values, read where they lie.  Bytes that could steer a
 * terminal end in no value and no word, so whatever is quoted in a message is safe to print.
 */
#include "config_text.h"

#include "format.h"

#define MESSAGE_MAX 256

/* --- saying what is wrong ------------------------------------------------------------------ */

struct guest_config_place config_place(const struct config_text *text, const char *at)
{
	return (struct guest_config_place){
		.line = text->number,
		.column = (uint32_t)(at - text->start) + 1,
	};
}

void config_complain(struct config_text *text, struct guest_config_place place, const char *format,
                     ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	format_text_va(message, sizeof(message), format, args);
	va_end(args);
	text->reader->complain(text->reader->arg, place, message);
	text->is_wrong = true;
}

/* --- lines and words ----------------------------------------------------------------------- */

bool config_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_word_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool config_next_line(struct config_text *text)
{
	const char *end = text->next;

	if (text->next == text->text_end)
		return false;
	while (end < text->text_end && *end != '\n')
		end++;
	text->start = text->at = text->next;
	text->next = end < text->text_end ? end + 1 : end;
	text->end = end > text->start && end[-1] == '\r' ? end - 1 : end;
	text->number++;
	return true;
}

void config_skip_blanks(struct config_text *text)
{
	while (text->at < text->end && config_is_blank(*text->at))
		text->at++;
}

bool config_is_over(const struct config_text *text)
{
	return text->at == text->end || *text->at == '#';
}

const char *config_take_word(struct config_text *text, size_t *length)
{
	const char *start = text->at;

	while (text->at < text->end && is_word_letter(*text->at))
		text->at++;
	*length = (size_t)(text->at - start);
	return start;
}

bool config_equals(const char *text, size_t length, const char *word)
{
	size_t i = 0;

	while (i < length && word[i] && text[i] == word[i])
		i++;
	return i == length && !word[i];
}

/* --- values -------------------------------------------------------------------------------- */

static bool take_letter(struct config_text *text, struct config_value *value)
{
	const char c = *text->at == '\t' ? ' ' : *text->at;

	if (c < ' ' || c > '~') {
		config_complain(text, config_place(text, text->at),
		                "expected printable ASCII, not a byte of %02xh",
		                (unsigned int)(uint8_t)c);
		return false;
	}
	if (value->length + 1 == sizeof(value->text)) {
		config_complain(text, value->place, "this is too long; %u characters fit",
		                (unsigned int)sizeof(value->text) - 1);
		return false;
	}
	value->text[value->length++] = c;
	text->at++;
	return true;
}

/* From behind the opening quote to the end of the line. */
static bool take_quoted(struct config_text *text, struct config_value *value)
{
	while (text->at < text->end && *text->at != '"') {
		if (*text->at == '\\' && text->at + 1 < text->end)
			text->at++;
		if (!take_letter(text, value))
			return false;
	}
	if (text->at == text->end) {
		config_complain(text, config_place(text, text->at), "expected a closing quote");
		return false;
	}
	text->at++;
	config_skip_blanks(text);
	if (config_is_over(text))
		return true;
	config_complain(text, config_place(text, text->at),
	                "expected the end of the line behind the closing quote");
	return false;
}

/* To the end of the line or to a comment: a # at the start or behind a blank. */
static bool take_bare(struct config_text *text, struct config_value *value)
{
	while (text->at < text->end) {
		if (*text->at == '#' && (!value->length || config_is_blank(text->at[-1])))
			break;
		if (!take_letter(text, value))
			return false;
	}
	while (value->length && value->text[value->length - 1] == ' ')
		value->length--;
	return true;
}

bool config_take_value(struct config_text *text, struct config_value *value)
{
	const bool is_quoted = text->at < text->end && *text->at == '"';
	bool is_taken;

	text->at += is_quoted;
	value->length = 0;
	value->place = config_place(text, text->at);
	is_taken = is_quoted ? take_quoted(text, value) : take_bare(text, value);
	value->text[value->length] = '\0';
	return is_taken;
}

unsigned int config_split(const struct config_value *value, struct config_word *words,
                          unsigned int max)
{
	unsigned int count = 0;
	size_t at = 0;

	while (at < value->length) {
		size_t length = 0;

		while (at + length < value->length && value->text[at + length] != ' ')
			length++;
		if (length && count < max)
			words[count] = (struct config_word){ value->text + at, length };
		count += length != 0;
		at += length + 1;
	}
	return count;
}

/* --- numbers ------------------------------------------------------------------------------- */

bool config_read_number(const char *text, uint64_t *number, const char **behind)
{
	const char *at = text;

	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(*number, UINT64_C(10), number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number))
			return false;
	}
	*behind = at;
	return at != text;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static bool read_quantity(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
	const char *name;
	size_t length = 0;

	if (!config_read_number(text, value, &name))
		return false;
	while (name[length])
		length++;
	for (size_t i = 0; i < count; i++) {
		if (config_equals(name, length, units[i].name))
			return !__builtin_mul_overflow(*value, units[i].factor, value);
	}
	return false;
}

bool config_read_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
	};

	return read_quantity(text, units, sizeof(units) / sizeof(units[0]), bytes);
}

bool config_read_duration(const char *text, uint64_t *ms)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 } };

	return read_quantity(text, units, sizeof(units) / sizeof(units[0]), ms);
}
