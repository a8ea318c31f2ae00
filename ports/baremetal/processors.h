/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Taking processors from the guests and giving them back. The keeper of guests.c only. */
#ifndef BAREMETAL_PROCESSORS_H
#define BAREMETAL_PROCESSORS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Let its guests go to others, and leave it; it stays awake for its timer and its console.
 * @return NULL, or why not.
 */
const char *processors_offline(uint32_t cpu);

/** The reverse. NULL, or why not. */
const char *processors_online(uint32_t cpu);

/** Those on which guests may run now, a bit for each. */
uint64_t processors_online_set(void);

/** Whether guests may run on it. */
bool processors_is_online(uint32_t cpu);
bool processors_are_all_online(void);

/** Bring back all that are offline; how many could not be. Boot CPU, no guest is left. */
unsigned int processors_bring_back(void);

#endif
