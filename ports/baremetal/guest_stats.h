/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file What a guest does and has done, in words for the monitor. */
#ifndef BAREMETAL_GUEST_STATS_H
#define BAREMETAL_GUEST_STATS_H

#include "guest.h"

/** A few words: entries and exits of its processors so far. */
void guest_stats_describe(const struct guest *guest, char *text, size_t size);

/** A line for each counter that is not 0, summed over its processors. */
void guest_stats_lines(const struct guest *guest, char *text, size_t size);

#endif
