/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Lines, words and values of a configuration, and saying what is wrong with them.
 *
 * The text is hostile: nothing outside it is read, and a value or word that was taken holds
 * printable ASCII only, so that a message may quote it.
 */
#ifndef BAREMETAL_CONFIG_TEXT_H
#define BAREMETAL_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_config.h"

/** The part of a word that a message quotes, as the two arguments of a `%.*s`. */
#define CONFIG_QUOTE(word, length) ((length) < 32 ? (int)(length) : 32), (word)

/** A text whose lines are read one after another. */
struct config_text {
	const struct guest_config_reader *reader;
	const char *next, *text_end;  /**< the next line, the end of all */
	const char *start, *at, *end; /**< this line; at goes on until it meets end */
	uint32_t number;              /**< of this line, from 1 */
	bool is_wrong;                /**< there was a complaint since it was last cleared */
};

struct config_value {
	char text[GUEST_CONFIG_CMDLINE_MAX]; /**< printable, ends with NUL */
	size_t length;
	struct guest_config_place place; /**< of its first letter */
};

/** A word of a value; not ended in any way. */
struct config_word {
	const char *text;
	size_t length;
};

/** Go to the next line, or return false. */
bool config_next_line(struct config_text *text);
void config_skip_blanks(struct config_text *text);
/** Nothing but a comment is left of the line. */
bool config_is_over(const struct config_text *text);
/** Letters, digits, - and _ from here on; may be none. */
const char *config_take_word(struct config_text *text, size_t *length);
/** The rest of the line, bare or in quotes; false: complained. */
bool config_take_value(struct config_text *text, struct config_value *value);
/** The words of a value, separated by blanks; how many there are, or more than @p max. */
unsigned int config_split(const struct config_value *value, struct config_word *words,
                          unsigned int max);

struct guest_config_place config_place(const struct config_text *text, const char *at);
void config_complain(struct config_text *text, struct guest_config_place place, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

bool config_is_blank(char c);
/** Is it this very word? */
bool config_equals(const char *text, size_t length, const char *word);
/** Digits, and where they end; false: there are none or too many. */
bool config_read_number(const char *text, uint64_t *number, const char **behind);
/** 512K, 256M, 1G, or bytes. */
bool config_read_size(const char *text, uint64_t *bytes);
/** 500ms, 60s, 5m. */
bool config_read_duration(const char *text, uint64_t *ms);

#endif
