/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_SERIAL_H
#define BAREMETAL_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** COM1: 115200 baud, 8N1, polled.  Call once, first of all. */
void serial_init(void);

/**
 * Write @p size bytes as one piece: no other CPU's output falls in between.  A line feed gets the
 * carriage return that it needs. Any context.
 */
void serial_write(const char *text, size_t size);

/** The same, each byte as it is. */
void serial_write_raw(const char *text, size_t size);

/** Take a byte that was received; false: there is none. One caller at a time. */
bool serial_read(uint8_t *byte);

#endif
