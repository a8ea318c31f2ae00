/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Lines of a guest that are kept until they can be shown; the newest ones. Pure. */
#ifndef BAREMETAL_HELD_LINES_H
#define BAREMETAL_HELD_LINES_H

#include <stddef.h>

#define HELD_LINE_MAX  160  /**< more than the size of any line */
#define HELD_LINES_MAX 2048 /**< bytes of all lines, each with a line feed */

/** Starts as all zero. */
struct held_lines {
	char ring[HELD_LINES_MAX];
	size_t first, used;
	unsigned int lost; /**< lines that newer ones pushed out; whoever tells it clears it */
};

/** Add a line of @p size bytes, less than HELD_LINE_MAX, and no line feed among them. */
void held_lines_add(struct held_lines *held, const char *line, size_t size);

/** Take the oldest line into HELD_LINE_MAX bytes; its size. Only while held->used is not 0. */
size_t held_lines_take(struct held_lines *held, char *line);

#endif
