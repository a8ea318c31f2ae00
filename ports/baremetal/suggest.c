/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The distance of two words is the least number of slips of the finger that turn one into the
 * other. It is filled in row by row of the usual table, of which three rows are all that is ever
 * looked at: the third for two letters in the wrong order, the commonest slip of all.
 */
#include "suggest.h"

#include <stdbool.h>
#include <stdint.h>

#define ROW_SIZE (SUGGEST_WORD_MAX + 1)

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	uint8_t rows[3][ROW_SIZE];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_length; i++) {
		const uint8_t *before = rows[(i - 1) % 3], *earlier = rows[(i + 1) % 3];
		uint8_t *row = rows[i % 3];

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_length; j++) {
			const bool same = a[i - 1] == b[j - 1];
			unsigned int slips = least(before[j] + 1u, row[j - 1] + 1u);

			slips = least(slips, before[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				slips = least(slips, earlier[j - 2] + 1u);
			row[j] = (uint8_t)slips;
		}
	}
	return rows[a_length % 3][b_length];
}

void suggestion_try(struct suggestion *suggestion, const char *typed, size_t length,
                    const char *candidate)
{
	size_t other = 0;
	unsigned int slips;

	while (candidate[other])
		other++;
	if (length > SUGGEST_WORD_MAX || other > SUGGEST_WORD_MAX)
		return;
	slips = distance(typed, length, candidate, other);
	if (slips > (other + 2) / 3 || slips >= other)
		return;
	if (!suggestion->word || slips < suggestion->distance) {
		suggestion->word = candidate;
		suggestion->distance = slips;
	}
}
