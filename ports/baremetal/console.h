/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * One terminal for the host and all its guests.
 *
 * Nobody is attached: each guest's output appears in whole lines with its name before them.
 * Attached to a guest, the terminal is that guest's, both ways, as far as terminal_filter.h lets
 * it; the other guests' lines are kept and shown afterwards.  The host's own lines always appear,
 * never inside another line.  Ctrl-] opens the monitor's prompt (monitor.h).
 *
 * No call may be made from an interrupt handler but console_receive(), and console_write() of one
 * that ends the machine.
 */
#ifndef BAREMETAL_CONSOLE_H
#define BAREMETAL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_config.h"
#include "held_lines.h"
#include "terminal_filter.h"

#define CONSOLE_LINE_MAX  HELD_LINE_MAX /**< longer lines of a guest are broken */
#define CONSOLE_INPUT_MAX 256           /**< bytes typed that the guest has no room for yet */

/**
 * A guest at the console.  Who makes one fills the first part and leaves the second zero.  The
 * function is called on any CPU, with no lock held.
 */
struct console_guest {
	const char *name; /**< printable */
	enum guest_console_mode mode;
	/** A byte was typed for it; false: no room now, try again. NULL: it takes none. */
	bool (*input)(void *arg, uint8_t byte);
	void *arg;

	struct console_guest *next;
	struct terminal_filter filter;
	char line[CONSOLE_LINE_MAX];
	size_t line_used;
	struct held_lines held;
	uint8_t typed[CONSOLE_INPUT_MAX]; /**< a ring */
	size_t typed_first, typed_used;
	uint64_t taken_ns; /**< when input() last took a byte */
	unsigned int pins; /**< calls of its functions that are going on */
	bool is_leaving;
	bool had_terminal; /**< when it left; it gets it back when it comes again */
};

/** Let a guest in. T. */
void console_register(struct console_guest *guest);

/** Show what is left of a guest and forget it; waits for calls of its functions. T. */
void console_unregister(struct console_guest *guest);

/** A guest sends a byte. Any CPU, T or A. */
void console_guest_put(struct console_guest *guest, uint8_t byte);

/** Show all that the guest has said, before the host says how it ended. */
void console_guest_flush(struct console_guest *guest);

/** Lines of guests begin with @ and the host's seconds when they began. Before the first guest. */
void console_set_stamps(bool on);

/** What kprintf() prints with. */
void console_write(const char *text, size_t size);

/* --- input: console_input.c ---------------------------------------------------------------- */

/** From now on the terminal is listened to; @p wake, if not NULL, when console_poll() is due. I. */
void console_start_input(void (*wake)(void));

/** Fetch what the serial port has received. The boot CPU's tick, an interrupt handler. */
void console_receive(void);

/**
 * Deal with what was received: keys of the prompt, bytes for a guest.  Cheap when there is nothing,
 * so that every turn of a run loop can call it. Any CPU, T; not from a struct console_guest
 * function.
 * @return Something could not be delivered: call again in a while.
 */
bool console_poll(void);

/** The user wants all guests to end and none to start. */
bool console_wants_end(void);

#endif
