/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A ring of bytes rather than of lines: most lines are short, and as many as possible shall stay.
 */
#include "held_lines.h"

static void add(struct held_lines *held, char c)
{
	held->ring[(held->first + held->used) % HELD_LINES_MAX] = c;
	held->used++;
}

void held_lines_add(struct held_lines *held, const char *line, size_t size)
{
	char oldest[HELD_LINE_MAX];

	while (held->used + size + 1 > HELD_LINES_MAX) {
		held_lines_take(held, oldest);
		held->lost++;
	}
	for (size_t i = 0; i < size; i++)
		add(held, line[i]);
	add(held, '\n');
}

size_t held_lines_take(struct held_lines *held, char *line)
{
	size_t size = 0;

	while (held->used) {
		const char c = held->ring[held->first];

		held->first = (held->first + 1) % HELD_LINES_MAX;
		held->used--;
		if (c == '\n')
			break;
		line[size++] = c;
	}
	return size;
}
