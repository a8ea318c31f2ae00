/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_TIME_H
#define BAREMETAL_TIME_H

#include <stdbool.h>
#include <stdint.h>

/** Measure TSC and local APIC timer against the PIT; false: the PIT does not count. */
bool time_init(void);
uint64_t time_tsc_hz(void);
/** Nanoseconds since time_init(); never goes backwards on one CPU. */
uint64_t time_ns(void);
/** Busy wait. */
void time_delay_us(uint64_t us);

#endif
