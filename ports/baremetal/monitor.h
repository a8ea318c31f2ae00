/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The monitor: a prompt with a few commands about the guests. The poller only. */
#ifndef BAREMETAL_MONITOR_H
#define BAREMETAL_MONITOR_H

#include <stdint.h>

/** Take the terminal from whoever has it and show the prompt. */
void monitor_open(void);

/** A key was pressed at the prompt. */
void monitor_key(uint8_t key);

#endif
