/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A word's letters only ever move towards the line's start, so it is written over what was read. */
#include "words.h"

#include <stddef.h>

/* From *from, which is no blank, to *to; false: a quote is open at the end. */
static bool take_word(const char **from, char **to)
{
	const char *at = *from;
	bool is_quoted = false;

	for (; *at && (is_quoted || *at != ' '); at++) {
		if (*at == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		*(*to)++ = *at;
	}
	*from = at;
	return !is_quoted;
}

const char *words_split(char *line, struct words *words)
{
	const char *from = line;
	char *to = line;

	words->count = 0;
	for (;;) {
		bool is_last;

		while (*from == ' ')
			from++;
		if (!*from)
			break;
		if (words->count == WORDS_MAX)
			return "too many words";
		words->word[words->count++] = to;
		if (!take_word(&from, &to))
			return "a quote is not closed";
		is_last = !*from;
		*to++ = '\0'; /* onto the blank, or further back */
		if (is_last)
			break;
		from++;
	}
	words->word[words->count] = NULL;
	return NULL;
}

bool words_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void words_drop(struct words *words, unsigned int count)
{
	words->count -= count;
	for (unsigned int i = 0; i <= words->count; i++)
		words->word[i] = words->word[i + count];
}

bool words_take(struct words *words, const char *option)
{
	const unsigned int before = words->count;
	unsigned int left = 0;

	for (unsigned int i = 0; i < before; i++) {
		if (!words_equal(words->word[i], option))
			words->word[left++] = words->word[i];
	}
	words->word[left] = NULL;
	words->count = left;
	return left != before;
}
