/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The guests of the configuration, each a PC. */
#ifndef BAREMETAL_CONFIGURED_H
#define BAREMETAL_CONFIGURED_H

#include "guest_pc.h"

#define CONFIGURED_MAX 64

/** True: there is a module whose text has the word `config`. */
bool configured_is_there(void);

/**
 * @brief Read that module and say what is wrong with it. T; once.
 * @param host    Where the guests shall run.
 * @param guests  Receives the array of the guests.
 * @return How many they are.
 */
unsigned int configured_read(struct svm_host *host, struct guest_pc **guests);

#endif
