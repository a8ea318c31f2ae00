/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file What the console's parts know of each other: who has the terminal, and the prompt. */
#ifndef BAREMETAL_CONSOLE_TERMINAL_H
#define BAREMETAL_CONSOLE_TERMINAL_H

#include "console.h"

#define CONSOLE_KEY 0x1d /**< Ctrl-] */

/** Keep a guest from leaving while its functions are called. NULL: there is no such guest. */
struct console_guest *console_pin(const char *name);
/** The guest that is attached, or NULL. */
struct console_guest *console_pin_attached(void);
/** The guest behind @p guest, which is let go; the first one behind NULL. */
struct console_guest *console_pin_next(struct console_guest *guest);
/** NULL: nothing. */
void console_unpin(struct console_guest *guest);

/** Nobody is attached any more; what was kept is shown, and the prompt has the terminal. */
void console_open_prompt(void);
/** Attach to the guest that was attached before the prompt, if it is still there, or to nobody. */
void console_close_prompt(void);
/** Attach to a guest that is pinned; ends the prompt. */
void console_attach(struct console_guest *guest);
bool console_is_prompting(void);

/** What guests say from here on is kept: it does not come between two lines of an answer. */
void console_begin_answer(void);
/** Show it, and what they say from here on when they say it. */
void console_end_answer(void);

/** Keep a text in the last line, below all that is printed; "" for none. */
void console_set_bottom(const char *text);

/** A byte was typed for a guest that is pinned; false: try again later. The poller only. */
bool console_type(struct console_guest *guest, uint8_t byte);

#endif
