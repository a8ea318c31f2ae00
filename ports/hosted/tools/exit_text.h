/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_EXIT_TEXT_H
#define TOOLS_EXIT_TEXT_H
/*
 * One exit in a few words.
 */
#include <libsvm/recorder.h>

#define EXIT_NAME_SIZE 32
#define EXIT_TEXT_SIZE 200

/* "IOIO", "#PF", "code 123h". */
const char *exit_name(uint32_t code, char text[EXIT_NAME_SIZE]);

/* "OUT 8 bits to port 3F8h": what EXITINFO1 and 2 say; "" where they say nothing. */
const char *exit_details(const struct svm_record *record, char text[EXIT_TEXT_SIZE]);

/* "interrupt 30h", "#GP", "NMI": an event in the form of EVENTINJ. */
const char *exit_event(uint64_t event, char text[EXIT_NAME_SIZE]);

#endif
