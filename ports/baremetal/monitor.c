/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The monitor's prompt.  What is typed is kept in the terminal's last line, below all that is
 * printed meanwhile; a command's answer is printed as any other line.
 */
#include "monitor.h"

#include "config_text.h"
#include "console.h"
#include "console_terminal.h"
#include "guest.h"
#include "guests.h"
#include "kprintf.h"
#include "line_edit.h"
#include "monitor_command.h"
#include "string.h"
#include "suggest.h"

#define PROMPT       "libsvm> "
#define SCREEN_WIDTH 79 /* in the last column terminals differ */
#define VIEW_WIDTH   (SCREEN_WIDTH - (sizeof(PROMPT) - 1))
#define REFUSAL_MAX  256

static const char *offer(const char *before, size_t length, unsigned int number);

static struct line_edit edit = { .offer = offer };
static struct report report;
static bool wants_end; /* atomic */

bool console_wants_end(void)
{
	return __atomic_load_n(&wants_end, __ATOMIC_RELAXED);
}

/* --- the line ------------------------------------------------------------------------------ */

static void show_prompt(void)
{
	char line[SCREEN_WIDTH + 16], view[VIEW_WIDTH + 1];
	const size_t behind = line_edit_view(&edit, VIEW_WIDTH, view);
	const size_t used = format_text(line, sizeof(line), PROMPT "%s", view);

	if (behind)
		format_text(line + used, sizeof(line) - used, "\033[%zuD", behind);
	console_set_bottom(line);
}

void monitor_open(void)
{
	line_edit_clear(&edit);
	console_open_prompt();
	show_prompt();
}

/* --- answers ------------------------------------------------------------------------------- */

struct report *monitor_report(const struct monitor_call *call, enum report_form form)
{
	report_begin(&report, form, call->is_json);
	return &report;
}

void monitor_answer(struct report *answer)
{
	console_begin_answer();
	report_end(answer, console_write);
	console_end_answer();
}

void monitor_refuse(const struct monitor_call *call, const char *format, ...)
{
	char text[REFUSAL_MAX];
	va_list args;

	va_start(args, format);
	format_text_va(text, sizeof(text), format, args);
	va_end(args);
	if (!call->is_json) {
		kprintf("%s%s%s\n", color_bad(), text, color_off());
		return;
	}
	monitor_report(call, REPORT_FIELDS);
	report_text(&report, "error", text);
	monitor_answer(&report);
}

void monitor_usage(const struct monitor_call *call)
{
	const struct monitor_command *const command = call->command;

	monitor_refuse(call, "usage: %s%s%s", command->name, command->arguments[0] ? " " : "",
	               command->arguments);
}

struct guest *monitor_guest(const struct monitor_call *call, unsigned int word)
{
	struct guest *const guest = guests_find(call->words.word[word]);

	if (!guest)
		monitor_refuse(call, "no guest '%s'; vm list tells what there are",
		               call->words.word[word]);
	return guest;
}

bool monitor_number(const struct monitor_call *call, unsigned int word, uint64_t most,
                    uint64_t *number)
{
	const char *behind;

	if (config_read_number(call->words.word[word], number, &behind) && !*behind &&
	    *number <= most)
		return true;
	monitor_usage(call);
	return false;
}

/* --- which command was meant --------------------------------------------------------------- */

/* How many of the words are a command's name; 0: it is another. */
static unsigned int match(const char *name, const struct words *words)
{
	unsigned int word = 0;
	size_t at = 0;

	for (; *name; name++) {
		if (word == words->count)
			return 0;
		if (*name != ' ' && *name == words->word[word][at]) {
			at++;
		} else if (*name == ' ' && !words->word[word][at]) {
			word++;
			at = 0;
		} else {
			return 0;
		}
	}
	return word < words->count && !words->word[word][at] ? word + 1 : 0;
}

static const struct monitor_command *find(const struct words *words, unsigned int *length)
{
	const struct monitor_command *command;
	struct words longer = *words;

	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		*length = match(command->name, words);
		if (*length)
			return command;
	}
	if (words->count == WORDS_MAX)
		return NULL;
	for (unsigned int i = 0; i <= words->count; i++)
		longer.word[i + 1] = words->word[i];
	longer.word[0] = "vm";
	longer.count++;
	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		*length = match(command->name, &longer);
		if (*length) {
			*length -= 1; /* the word that was not typed */
			return command;
		}
	}
	return NULL;
}

/* The rest of a text that begins with `length` bytes of another; else NULL. */
static const char *behind(const char *text, const char *begin, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!text[i] || text[i] != begin[i])
			return NULL;
	}
	return text + length;
}

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* A command without its "vm ", which may be left out; NULL: it has none. */
static const char *short_name(const struct monitor_command *command)
{
	return behind(command->name, "vm ", 3);
}

static bool is_group(const char *word)
{
	const struct monitor_command *command;

	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		const char *const rest = behind(command->name, word, length_of(word));

		if (rest && *rest == ' ')
			return true;
	}
	return false;
}

/* Compared are as many words as the command would have. */
static void say_unknown(const struct monitor_call *call)
{
	const struct words *const words = &call->words;
	const struct monitor_command *command;
	struct suggestion close = { 0 };
	char typed[64];
	size_t length;

	if (words->count > 1 && is_group(words->word[0]))
		length = format_text(typed, sizeof(typed), "%s %s", words->word[0], words->word[1]);
	else
		length = format_text(typed, sizeof(typed), "%s", words->word[0]);
	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		suggestion_try(&close, typed, length, command->name);
		if (short_name(command))
			suggestion_try(&close, typed, length, short_name(command));
	}
	if (close.word)
		monitor_refuse(call, "no command '%s'; did you mean '%s'?", typed, close.word);
	else
		monitor_refuse(call, "no command '%s'; help tells what there are", typed);
}

static void run_command(char *line)
{
	struct monitor_call call = { 0 };
	const char *const wrong = words_split(line, &call.words);
	unsigned int length;

	if (wrong) {
		monitor_refuse(&call, "%s", wrong);
		return;
	}
	call.is_json = words_take(&call.words, "-j");
	if (!call.words.count)
		return;
	call.command = find(&call.words, &length);
	if (!call.command) {
		say_unknown(&call);
		return;
	}
	words_drop(&call.words, length);
	if (call.words.count < call.command->least || call.words.count > call.command->most)
		monitor_usage(&call);
	else
		call.command->run(&call);
}

/* --- completion ---------------------------------------------------------------------------- */

/* Its name and a blank are all that `before` holds, and the name of a guest comes next. */
static bool takes_guest(const struct monitor_command *command, const char *before, size_t length)
{
	const char *const names[] = { command->name, short_name(command) };
	const char *argument = command->arguments;

	while (*argument && !behind(argument, "NAME", 4))
		argument++;
	for (int i = 0; *argument && i < 2; i++) {
		if (names[i] && length_of(names[i]) + 1 == length &&
		    behind(names[i], before, length - 1))
			return true;
	}
	return false;
}

static const char *offer(const char *before, size_t length, unsigned int number)
{
	const struct monitor_command *command;
	const struct guest *guest;

	if (!length)
		return monitor_first_word(number);
	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		const char *const word = behind(command->name, before, length);

		if (word && !number--)
			return word;
	}
	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		if (!takes_guest(command, before, length))
			continue;
		guest = guests_at(number);
		return guest ? guest->name : NULL;
	}
	return NULL;
}

static void show_choice(void)
{
	const char *word;
	char line[SCREEN_WIDTH + 1];
	size_t used = 0;

	for (unsigned int i = 0; (word = line_edit_choice(&edit, i)) != NULL; i++)
		used += format_text(line + used, sizeof(line) - used, "  %s", word);
	kprintf("%s\n", line);
}

/* --- commands of the prompt itself --------------------------------------------------------- */

void monitor_attach(struct monitor_call *call)
{
	struct guest *const guest = monitor_guest(call, 0);
	struct console_guest *console;

	if (!guest)
		return;
	console = console_pin(guest->name);
	if (console)
		console_attach(console);
	else
		monitor_refuse(call, "guest %s has no machine; vm start makes one", guest->name);
	console_unpin(console);
}

void monitor_quit(struct monitor_call *call)
{
	struct guest *guest;

	(void)call;
	__atomic_store_n(&wants_end, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; (guest = guests_at(i)) != NULL; i++)
		(void)guest_do(guest, GUEST_VERB_DESTROY);
}

/* --- keys ---------------------------------------------------------------------------------- */

static void enter(void)
{
	char line[LINE_EDIT_MAX];

	line_edit_take(&edit, line);
	if (!line[0]) {
		console_close_prompt();
		return;
	}
	console_set_bottom("");
	kprintf(PROMPT "%s\n", line);
	run_command(line);
	if (console_is_prompting() && !monitor_stats_is_live())
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

void monitor_key(uint8_t key)
{
	if (monitor_stats_is_live()) {
		monitor_stats_end();
		show_prompt();
		return;
	}
	if (key == CONSOLE_KEY) {
		send_key();
		return;
	}
	switch (line_edit_key(&edit, key)) {
	case LINE_EDIT_DONE:
		enter();
		break;
	case LINE_EDIT_CHOICE:
		show_choice();
		break;
	case LINE_EDIT_CHANGED:
		show_prompt();
		break;
	case LINE_EDIT_NOTHING:
		break;
	}
}

uint64_t monitor_look(uint64_t now)
{
	const bool was_live = monitor_stats_is_live();
	const uint64_t due = monitor_stats_look(now);

	if (was_live && !monitor_stats_is_live())
		show_prompt();
	return due;
}
