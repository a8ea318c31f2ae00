/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may write where on the one terminal.  Three kinds of output meet here: bytes of the guest
 * that is attached, which end wherever they end; lines of guests and of the host; and the line that
 * the user is typing at the prompt.  A line that comes while another one is unfinished goes below
 * it, except for the prompt's, which is taken away and put back below.
 *
 * One lock over all of it.  It is never held while a guest's functions are called: those take the
 * locks under which that guest's devices call console_guest_put().
 */
#include "console.h"

#include "console_lock.h"
#include "console_terminal.h"
#include "kprintf.h"
#include "serial.h"
#include "string.h"
#include "time.h"

#define BOTTOM_MAX  100
#define PRINTED_MAX (CONSOLE_LINE_MAX + GUEST_CONFIG_NAME_MAX + 32)
#define NS_PER_S    UINT64_C(1000000000)

static const char erase_line[] = "\r\033[K";

static struct {
	struct console_guest *guests;   /* in the order of their coming */
	struct console_guest *attached; /* or NULL */
	struct console_guest *back;     /* who was attached when the prompt came */
	char bottom[BOTTOM_MAX];
	bool is_prompting;
	bool has_bottom;  /* the bottom line is on the screen, the cursor behind it */
	bool is_mid_line; /* the cursor is in a line that is not the bottom line */
	bool is_host_mid; /* it is the host that has not ended this line */
	bool is_indented; /* a guest sent a line feed alone: the line is new, the column is not */
	bool is_answering; /* guests' lines wait, so that none comes between two of an answer */
	bool has_stamps;
	char last_raw;
} console;

/* --- the terminal; all under the lock ------------------------------------------------------ */

static size_t text_size(const char *text)
{
	size_t size = 0;

	while (text[size])
		size++;
	return size;
}

static void show_bottom(void)
{
	if (console.bottom[0]) {
		serial_write(console.bottom, text_size(console.bottom));
		console.has_bottom = true;
	}
}

static void hide_bottom(void)
{
	if (console.has_bottom)
		serial_write(erase_line, sizeof(erase_line) - 1);
	console.has_bottom = false;
}

static void end_line(void)
{
	if (console.is_mid_line)
		serial_write("\n", 1);
	else if (console.is_indented)
		serial_write("\r", 1);
	console.is_mid_line = console.is_host_mid = console.is_indented = false;
}

static void write_host(const char *text, size_t size)
{
	if (!size)
		return;
	hide_bottom();
	if (!console.is_host_mid)
		end_line();
	serial_write(text, size);
	console.is_host_mid = console.is_mid_line = text[size - 1] != '\n';
	if (!console.is_mid_line)
		show_bottom();
}

static void write_line(const char *name, const char *text, size_t size)
{
	char printed[PRINTED_MAX];

	hide_bottom();
	end_line();
	size = format_text(printed, sizeof(printed), "%s%s|%s %.*s\n", color_guest(), name,
	                   color_off(), (int)size, text);
	write_host(printed, size);
}

void console_write(const char *text, size_t size)
{
	const uint64_t key = console_lock();

	write_host(text, size);
	console_unlock(key);
}

void console_set_bottom(const char *text)
{
	const uint64_t key = console_lock();
	size_t size = text_size(text);

	size = size < BOTTOM_MAX ? size : BOTTOM_MAX - 1;
	hide_bottom();
	memcpy(console.bottom, text, size);
	console.bottom[size] = '\0';
	if (size)
		end_line();
	show_bottom();
	console_unlock(key);
}

/* --- a guest's output; under the lock ------------------------------------------------------- */

static void show_held(struct console_guest *guest)
{
	char line[CONSOLE_LINE_MAX];
	size_t size;

	if (guest->held.lost) {
		size = format_text(line, sizeof(line), "(%u lines before this are lost)",
		                   guest->held.lost);
		write_line(guest->name, line, size);
		guest->held.lost = 0;
	}
	if (guest->held.used) {
		size = held_lines_take(&guest->held, line);
		write_line(guest->name, line, size);
	}
}

static bool keeps_lines(void)
{
	return console.attached || console.is_answering;
}

/*
 * A line joins those that are kept for as long as there are any: they come first.  Two are shown
 * for each that is added, so they come to an end.
 */
static void end_guest_line(struct console_guest *guest)
{
	if (guest->mode == GUEST_CONSOLE_OFF) {
		guest->line_used = 0;
		return;
	}
	if (keeps_lines() || guest->held.used)
		held_lines_add(&guest->held, guest->line, guest->line_used);
	else
		write_line(guest->name, guest->line, guest->line_used);
	guest->line_used = 0;
	for (int i = 0; i < 2 && !keeps_lines() && guest->held.used; i++)
		show_held(guest);
}

/* Part of the line, so that it tells when the guest spoke even if the line is kept for long. */
static void stamp_line(struct console_guest *guest)
{
	const uint64_t ns = time_ns();

	guest->line_used = format_text(guest->line, CONSOLE_LINE_MAX, "@%lu.%09lu ", ns / NS_PER_S,
	                               ns % NS_PER_S);
}

/* Only what cannot steer a terminal. */
static void put_in_line(struct console_guest *guest, char c)
{
	if (c == '\n') {
		end_guest_line(guest);
	} else if (c != '\r') {
		if (console.has_stamps && !guest->line_used)
			stamp_line(guest);
		guest->line[guest->line_used++] = c >= ' ' && c <= '~' ? c : '?';
		if (guest->line_used + 1 == CONSOLE_LINE_MAX)
			end_guest_line(guest);
	}
}

static void put_raw(struct console_guest *guest, uint8_t byte)
{
	char piece[TERMINAL_SEQUENCE_MAX];
	const size_t size = terminal_filter_put(&guest->filter, byte, piece);

	if (!size)
		return;
	if (console.is_host_mid)
		end_line();
	serial_write_raw(piece, size);
	console.is_mid_line = piece[size - 1] != '\n';
	console.is_indented = !console.is_mid_line && console.last_raw != '\r';
	console.last_raw = piece[size - 1];
}

void console_guest_put(struct console_guest *guest, uint8_t byte)
{
	const uint64_t key = console_lock();

	if (console.attached == guest)
		put_raw(guest, byte);
	else
		put_in_line(guest, (char)byte);
	console_unlock(key);
}

/* Under the lock.  Even while another guest has the terminal: there is no later. */
static void show_last_words(struct console_guest *guest)
{
	if (guest->line_used)
		end_guest_line(guest);
	for (unsigned int i = 0; i < HELD_LINES_MAX && guest->held.used; i++)
		show_held(guest);
}

void console_guest_flush(struct console_guest *guest)
{
	const uint64_t key = console_lock();

	show_last_words(guest);
	console_unlock(key);
}

void console_set_stamps(bool on)
{
	console.has_stamps = on;
}

/* --- who has the terminal ------------------------------------------------------------------ */

/* Under the lock. */
static void give_terminal(struct console_guest *guest)
{
	char banner[PRINTED_MAX];

	if (guest->is_leaving)
		return;
	console.is_prompting = false;
	console.back = NULL;
	hide_bottom();
	console.bottom[0] = '\0';
	write_host(banner, format_text(banner, sizeof(banner),
	                               "%s[attached to %s; Ctrl-] opens the monitor]%s\n",
	                               color_title(), guest->name, color_off()));
	memset(&guest->filter, 0, sizeof(guest->filter));
	if (guest->line_used) {
		serial_write_raw(guest->line, guest->line_used);
		console.is_mid_line = true;
		guest->line_used = 0;
	}
	console.attached = guest;
}

/* Under the lock. */
static void take_terminal(void)
{
	static const char reset[] = TERMINAL_RESET;

	if (!console.attached)
		return;
	if (console.attached->filter.has_sequences)
		serial_write_raw(reset, sizeof(reset) - 1);
	end_line();
	console.attached = NULL;
}

/* A line at a time, since other CPUs wait for the lock with their interrupts off. */
static void show_all_held(struct console_guest *guest)
{
	for (unsigned int i = 0; i < HELD_LINES_MAX; i++) {
		const uint64_t key = console_lock();
		const bool is_more = guest->held.used && !keeps_lines();

		if (is_more)
			show_held(guest);
		console_unlock(key);
		if (!is_more)
			return;
	}
}

static void show_kept_lines(void)
{
	for (struct console_guest *guest = NULL; (guest = console_pin_next(guest)) != NULL;)
		show_all_held(guest);
}

void console_open_prompt(void)
{
	const uint64_t key = console_lock();

	console.back = console.attached;
	console.is_prompting = true;
	take_terminal();
	console_unlock(key);
	show_kept_lines();
}

void console_close_prompt(void)
{
	const uint64_t key = console_lock();

	console.is_prompting = false;
	hide_bottom();
	console.bottom[0] = '\0';
	if (console.back)
		give_terminal(console.back);
	console_unlock(key);
}

static void set_answering(bool is_answering)
{
	const uint64_t key = console_lock();

	console.is_answering = is_answering;
	console_unlock(key);
}

void console_begin_answer(void)
{
	set_answering(true);
}

void console_end_answer(void)
{
	set_answering(false);
	show_kept_lines();
}

void console_attach(struct console_guest *guest)
{
	const uint64_t key = console_lock();

	give_terminal(guest);
	console_unlock(key);
}

bool console_is_prompting(void)
{
	return __atomic_load_n(&console.is_prompting, __ATOMIC_RELAXED);
}

/* --- guests that come and go ---------------------------------------------------------------- */

/* Under the lock.  Whoever is at the prompt comes back to a guest that was away for a moment. */
static void offer_terminal(struct console_guest *guest)
{
	const bool wants = guest->had_terminal || guest->mode == GUEST_CONSOLE_ATTACH;

	if (wants && !console.attached && !console.is_prompting)
		give_terminal(guest);
	else if (guest->had_terminal && console.is_prompting && !console.back)
		console.back = guest;
	guest->had_terminal = false;
}

void console_register(struct console_guest *guest)
{
	const uint64_t key = console_lock();
	struct console_guest **end = &console.guests;

	while (*end)
		end = &(*end)->next;
	guest->next = NULL;
	*end = guest;
	offer_terminal(guest);
	console_unlock(key);
}

/* Under the lock. */
static void forget(struct console_guest *guest)
{
	struct console_guest **link = &console.guests;

	while (*link && *link != guest)
		link = &(*link)->next;
	if (*link)
		*link = guest->next;
}

void console_unregister(struct console_guest *guest)
{
	bool is_gone = false;
	uint64_t key = console_lock();

	guest->is_leaving = true;
	guest->had_terminal = console.attached == guest || console.back == guest;
	if (console.attached == guest)
		take_terminal();
	if (console.back == guest)
		console.back = NULL;
	show_last_words(guest);
	console_unlock(key);
	while (!is_gone) {
		key = console_lock();
		is_gone = !guest->pins;
		if (is_gone)
			forget(guest);
		console_unlock(key);
	}
}

/* Under the lock. */
static struct console_guest *pin(struct console_guest *guest)
{
	while (guest && guest->is_leaving)
		guest = guest->next;
	if (guest)
		guest->pins++;
	return guest;
}

struct console_guest *console_pin(const char *name)
{
	const size_t size = text_size(name) + 1;
	const uint64_t key = console_lock();
	struct console_guest *guest = console.guests;

	while (guest && (guest->is_leaving || text_size(guest->name) + 1 != size ||
	                 memcmp(guest->name, name, size)))
		guest = guest->next;
	guest = pin(guest);
	console_unlock(key);
	return guest;
}

struct console_guest *console_pin_attached(void)
{
	const uint64_t key = console_lock();
	struct console_guest *guest = console.attached ? pin(console.attached) : NULL;

	console_unlock(key);
	return guest;
}

struct console_guest *console_pin_next(struct console_guest *guest)
{
	const uint64_t key = console_lock();
	struct console_guest *next = pin(guest ? guest->next : console.guests);

	if (guest)
		guest->pins--;
	console_unlock(key);
	return next;
}

void console_unpin(struct console_guest *guest)
{
	const uint64_t key = console_lock();

	if (guest)
		guest->pins--;
	console_unlock(key);
}
