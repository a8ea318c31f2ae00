/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Which of the words that there are was meant by one that there is not. Pure. */
#ifndef BAREMETAL_SUGGEST_H
#define BAREMETAL_SUGGEST_H

#include <stddef.h>

/** Words up to this length are compared; a longer one is close to none. */
#define SUGGEST_WORD_MAX 24

/** The closest word so far; starts as all zero. */
struct suggestion {
	const char *word; /**< NULL: none is close */
	unsigned int distance;
};

/**
 * @brief Take @p candidate if it is closer to what was typed than all before.
 *
 * Close means: at most a third of the letters were added, left out, exchanged for another or, with
 * their neighbour, for each other.
 *
 * @param suggestion  Changed for the better or left alone.
 * @param typed       Any bytes.
 * @param length      Of @p typed.
 * @param candidate   Ends with NUL and must outlive @p suggestion.
 */
void suggestion_try(struct suggestion *suggestion, const char *typed, size_t length,
                    const char *candidate);

#endif
