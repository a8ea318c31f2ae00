/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The guests of the configuration, each a PC. */
#ifndef BAREMETAL_CONFIGURED_H
#define BAREMETAL_CONFIGURED_H

#include "guest_pc.h"

#define CONFIGURED_MAX 64

/** True: there is a module whose text has the word `config`. */
bool configured_is_there(void);

/** Read that module, say what is wrong with it, and let its guests be known; how many. T; once. */
unsigned int configured_read(void);

/**
 * @brief Let a guest be known, or be another than it was; it has no machine now.
 * @param text      A section of a configuration; @p size bytes.
 * @param complain  Told what is wrong with it.
 * @return NULL: something was.
 */
struct guest *configured_define(const char *text, size_t size,
                                void (*complain)(void *arg, struct guest_config_place place,
                                                 const char *message),
                                void *arg);

#endif
