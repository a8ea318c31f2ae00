/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The monitor's prompt.  What is typed is kept in the terminal's last line, below all that is
 * printed meanwhile; a command's answer is printed as any other line.
 */
#include "monitor.h"

#include "console.h"
#include "console_terminal.h"
#include "kprintf.h"
#include "power.h"
#include "string.h"
#include "suggest.h"

#define PROMPT     "libsvm> "
#define TYPED_MAX  64
#define ANSWER_MAX 2048
#define KEY_CANCEL 0x03 /* Ctrl-C */
#define KEY_BACK   0x08
#define KEY_KILL   0x15 /* Ctrl-U */
#define KEY_DELETE 0x7f

static struct {
	char typed[TYPED_MAX];
	size_t used;
	struct terminal_filter keys; /* arrows and the like come as sequences, and are left out */
	bool was_return;             /* the line feed behind a carriage return is no second line */
	bool wants_end;
	char answer[ANSWER_MAX];
} monitor;

bool console_wants_end(void)
{
	return __atomic_load_n(&monitor.wants_end, __ATOMIC_RELAXED);
}

static void show_prompt(void)
{
	char line[sizeof(PROMPT) + TYPED_MAX];

	format_text(line, sizeof(line), PROMPT "%.*s", (int)monitor.used, monitor.typed);
	console_set_bottom(line);
}

void monitor_open(void)
{
	monitor.used = 0;
	monitor.was_return = false;
	memset(&monitor.keys, 0, sizeof(monitor.keys));
	console_open_prompt();
	show_prompt();
}

/* --- commands ------------------------------------------------------------------------------ */

/* Print what the guest said of itself, line by line. */
static void print_answer(void)
{
	const char *at = monitor.answer;

	monitor.answer[ANSWER_MAX - 1] = '\0';
	while (*at) {
		size_t size = 0;

		while (at[size] && at[size] != '\n')
			size++;
		kprintf("  %.*s\n", (int)size, at);
		at += size + (at[size] == '\n');
	}
}

/* The guest, pinned; NULL: none has the name, and it was said. */
static struct console_guest *find(const char *name)
{
	struct console_guest *guest = name[0] ? console_pin(name) : NULL;

	if (!name[0])
		kprintf("which guest?  list tells what there are\n");
	else if (!guest)
		kprintf("no guest '%s'; list tells what there are\n", name);
	return guest;
}

static void do_list(const char *name)
{
	unsigned int count = 0;

	(void)name;
	for (struct console_guest *guest = NULL; (guest = console_pin_next(guest)) != NULL;) {
		monitor.answer[0] = '\0';
		if (guest->describe)
			guest->describe(guest->arg, monitor.answer, ANSWER_MAX);
		kprintf("  %-16s %s\n", guest->name, monitor.answer);
		count++;
	}
	if (!count)
		kprintf("no guest is running\n");
}

static void do_attach(const char *name)
{
	struct console_guest *guest = find(name);

	if (guest)
		console_attach(guest);
	console_unpin(guest);
}

static void do_stats(const char *name)
{
	struct console_guest *guest = find(name);

	if (!guest)
		return;
	monitor.answer[0] = '\0';
	if (guest->stats)
		guest->stats(guest->arg, monitor.answer, ANSWER_MAX);
	console_unpin(guest);
	print_answer();
}

static void stop_guest(struct console_guest *guest)
{
	if (guest->stop)
		guest->stop(guest->arg);
}

static void do_stop(const char *name)
{
	struct console_guest *guest = find(name);

	if (guest)
		stop_guest(guest);
	console_unpin(guest);
}

static void do_quit(const char *name)
{
	(void)name;
	__atomic_store_n(&monitor.wants_end, true, __ATOMIC_RELAXED);
	for (struct console_guest *guest = NULL; (guest = console_pin_next(guest)) != NULL;)
		stop_guest(guest);
}

static void do_power_off(const char *name)
{
	(void)name;
	kprintf("libsvm bare metal: power off at the console\n");
	power_off(POWER_SUCCESS);
}

static void do_help(const char *name);

static const struct {
	const char *name, *argument, *text;
	void (*run)(const char *name);
} commands[] = {
	{ "help", "", "this list", do_help },
	{ "list", "", "the guests and what they do", do_list },
	{ "attach", " NAME", "give the terminal to a guest, until Ctrl-]", do_attach },
	{ "stats", " NAME", "what a guest has done so far", do_stats },
	{ "stop", " NAME", "end a guest", do_stop },
	{ "quit", "", "end all guests, then the machine", do_quit },
	{ "power-off", "", "end the machine at once", do_power_off },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void do_help(const char *name)
{
	char word[32];

	(void)name;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		format_text(word, sizeof(word), "%s%s", commands[i].name, commands[i].argument);
		kprintf("  %-14s %s\n", word, commands[i].text);
	}
	kprintf("  an empty line  back to where you were; Ctrl-] there goes to the guest\n");
}

static bool is_command(const char *word, size_t length, const char *name)
{
	size_t at = 0;

	while (at < length && name[at] == word[at])
		at++;
	return at == length && !name[at];
}

static void run_command(char *line)
{
	struct suggestion close = { 0 };
	size_t length = 0, end = TYPED_MAX - 1;
	char *name;

	while (line[length] && line[length] != ' ')
		length++;
	for (name = line + length; *name == ' ';)
		name++;
	while (end && (!line[end - 1] || line[end - 1] == ' '))
		line[--end] = '\0';
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (is_command(line, length, commands[i].name)) {
			commands[i].run(name);
			return;
		}
		suggestion_try(&close, line, length, commands[i].name);
	}
	if (close.word)
		kprintf("no command '%.*s'; did you mean '%s'?\n", (int)length, line, close.word);
	else
		kprintf("no command '%.*s'; help tells what there are\n", (int)length, line);
}

/* --- keys ---------------------------------------------------------------------------------- */

static void enter(void)
{
	char line[TYPED_MAX] = { 0 };
	size_t blank = 0;

	while (blank < monitor.used && monitor.typed[blank] == ' ')
		blank++;
	memcpy(line, monitor.typed + blank, monitor.used - blank);
	monitor.used = 0;
	if (!line[0]) {
		console_close_prompt();
		return;
	}
	console_set_bottom("");
	kprintf(PROMPT "%s\n", line);
	run_command(line);
	if (console_is_prompting())
		show_prompt();
}

/* Ctrl-] once more: the guest that was attached gets it. */
static void send_key(void)
{
	struct console_guest *guest;

	console_close_prompt();
	guest = console_pin_attached();
	if (guest)
		console_type(guest, CONSOLE_KEY);
	console_unpin(guest);
}

static void edit(uint8_t key)
{
	char piece[TERMINAL_SEQUENCE_MAX];

	if (key == KEY_BACK || key == KEY_DELETE)
		monitor.used -= monitor.used != 0;
	else if (key == KEY_KILL || key == KEY_CANCEL)
		monitor.used = 0;
	else if (terminal_filter_put(&monitor.keys, key, piece) == 1 && key >= ' ' &&
	         monitor.used + 1 < TYPED_MAX)
		monitor.typed[monitor.used++] = (char)key;
	show_prompt();
}

void monitor_key(uint8_t key)
{
	const bool is_second_half = key == '\n' && monitor.was_return;

	monitor.was_return = key == '\r';
	if (is_second_half)
		return;
	if (key == CONSOLE_KEY)
		send_key();
	else if (key == '\r' || key == '\n')
		enter();
	else
		edit(key);
}
