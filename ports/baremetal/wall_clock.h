/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_WALL_CLOCK_H
#define BAREMETAL_WALL_CLOCK_H

#include <stdint.h>

/** Seconds since 1970 by the machine's clock, which is taken for UTC; 0 if it makes no sense. */
uint64_t wall_clock_read(void);

#endif
