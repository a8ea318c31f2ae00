/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file A command line as words. Pure. */
#ifndef BAREMETAL_WORDS_H
#define BAREMETAL_WORDS_H

#include <stdbool.h>

#define WORDS_MAX 24

struct words {
	const char *word[WORDS_MAX + 1]; /**< NULL behind the last */
	unsigned int count;
};

/**
 * @brief Take a line apart at its blanks.  Quotes hold blanks together; \ stands before a quote or
 *        another \.
 * @param line   Changed; the words lie in it.
 * @param words  Filled, unless something is wrong.
 * @return What is wrong with it, a phrase; NULL: nothing.
 */
const char *words_split(char *line, struct words *words);

/** Are they the same? */
bool words_equal(const char *a, const char *b);

/** Take away the first @p count words. */
void words_drop(struct words *words, unsigned int count);

/** Take away each word that is @p option; false: there was none. */
bool words_take(struct words *words, const char *option);

#endif
