/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What a guest may say to the terminal that it is attached to.
 *
 * A shell needs printable characters, a few controls, and control sequences (ESC [ ... letter, in
 * the standard ECMA-48) for colours, the cursor and erasing.  Other sequences make a terminal
 * print, answer with what its user did not type, change its title or its window, or lock its
 * keyboard: those a guest does not get.
 */
#ifndef BAREMETAL_TERMINAL_FILTER_H
#define BAREMETAL_TERMINAL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_SEQUENCE_MAX 32

/** Written after a guest that used sequences: what they may have changed is as usual again. */
#define TERMINAL_RESET "\033[!p\033[?1l\033[?7h\033[?1049l\033[?2004l\033[0m"

/** One guest's output on its way; starts as all zero. */
struct terminal_filter {
	char sequence[TERMINAL_SEQUENCE_MAX]; /**< as far as it has come */
	uint8_t used;
	bool is_too_long;   /**< the rest of this sequence is dropped */
	bool has_sequences; /**< one was let through since this was last cleared */
};

/**
 * @brief Pass on one byte.
 * @param filter  Changed.
 * @param byte    Any.
 * @param out     Room for TERMINAL_SEQUENCE_MAX bytes; a sequence comes out whole or not at all.
 * @return How many bytes are in @p out.
 */
size_t terminal_filter_put(struct terminal_filter *filter, uint8_t byte, char *out);

#endif
