/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Command lines: words separated by blanks, each `key` or `key=value`.  Loaders put the file's
 * name first or leave it out; a name is a word nobody asks for.
 */
#ifndef BAREMETAL_CMDLINE_H
#define BAREMETAL_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Copy the value of @p key, cut to @p size; false and "" when absent. The last one wins. */
bool cmdline_get(const char *line, const char *key, char *to, size_t size);

/** True when @p word stands there by itself. */
bool cmdline_has(const char *line, const char *word);

/**
 * @brief A number: decimal or 0x..., with an optional K, M or G.
 * @return @p fallback when the key is absent; *bad is set when its value is not a number.
 */
uint64_t cmdline_number(const char *line, const char *key, uint64_t fallback, bool *bad);

#endif
