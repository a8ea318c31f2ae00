/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file A set of numbers below 64 as people write it: `0-1,3`, or `all`. Pure. */
#ifndef BAREMETAL_NUMBER_SET_H
#define BAREMETAL_NUMBER_SET_H

#include <stddef.h>
#include <stdint.h>

/** What `all` is, whatever numbers there are. */
#define NUMBER_SET_ALL      UINT64_MAX
/** Enough for any set and its NUL. */
#define NUMBER_SET_TEXT_MAX 128

/**
 * @brief Read a set.
 * @param text    @p length bytes, not ended in any way.
 * @param length  Of it.
 * @param count   Numbers are below this; 1 to 64.
 * @param set     Filled if it was understood, bit n for number n; never empty.
 * @return NULL: understood.  Else the byte of @p text, or its end, at which it was not.
 */
const char *number_set_read(const char *text, size_t length, unsigned int count, uint64_t *set);

/** Write a set; how many letters, without the NUL. */
size_t number_set_write(uint64_t set, char text[NUMBER_SET_TEXT_MAX]);

#endif
