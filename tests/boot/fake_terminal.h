/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A terminal made of two strings, what was typed and what is shown, and a clock, for tests of what
 * talks to the user in an ordinary process.  The console's lock is a flag, which also tells that
 * nothing is called with it held that must not be.
 */
#ifndef FAKE_TERMINAL_H
#define FAKE_TERMINAL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY    "\035"
#define ERASED "\r\033[K"
#define PROMPT "libsvm> "
#define SECOND UINT64_C(1000000000)

extern char shown[65536];
extern size_t shown_size;
extern const char *typed;
extern uint64_t now; /* ns */
extern bool is_locked;
extern jmp_buf off; /* where power_off() goes, with its status */

/* What another CPU does just before the lock is taken for the n-th time from now. */
extern void (*meanwhile)(void);
extern int meanwhile_after;

/* What is new on the terminal must be exactly this. */
void expect(const char *text);

/* What is new on the terminal does not matter. */
void forget(void);

void type(const char *text);

#endif
