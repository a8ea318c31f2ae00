/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The monitor: a prompt with commands about the guests. The keeper of guests.c only. */
#ifndef BAREMETAL_MONITOR_H
#define BAREMETAL_MONITOR_H

#include <stdint.h>

/** Take the terminal from whoever has it and show the prompt. */
void monitor_open(void);

/** A key was pressed at the prompt. */
void monitor_key(uint8_t key);

/** Do what is due. When to call again, by time_ns(); UINT64_MAX: not before a key. */
uint64_t monitor_look(uint64_t now);

#endif
