/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The console's lock. A process that tests the console brings another. */
#ifndef BAREMETAL_CONSOLE_LOCK_H
#define BAREMETAL_CONSOLE_LOCK_H

#include <stdint.h>

/** Returns what console_unlock() wants. */
uint64_t console_lock(void);
void console_unlock(uint64_t key);

#endif
