/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_SERIAL_H
#define BAREMETAL_SERIAL_H

#include <stddef.h>

/** COM1: 115200 baud, 8N1, polled.  Call once, first of all. */
void serial_init(void);

/** Write @p size bytes as one piece: no other CPU's output falls in between. Any context. */
void serial_write(const char *text, size_t size);

#endif
