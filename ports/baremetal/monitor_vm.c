/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Commands about whole guests. */
#include "config_text.h"
#include "configured.h"
#include "frames.h"
#include "guest.h"
#include "guests.h"
#include "kprintf.h"
#include "monitor_command.h"
#include "number_set.h"
#include "time.h"

#define NS_PER_S        UINT64_C(1000000000)
#define CYCLES_MAX      UINT64_C(1000000)
#define CYCLE_MS        UINT64_C(1000)
#define CYCLE_MS_MAX    UINT64_C(3600000)
#define SECTION_MAX     (2 * GUEST_CONFIG_CMDLINE_MAX)
#define FRAMES_PER_MIB  256

/* --- looking at them ----------------------------------------------------------------------- */

static uint64_t memory_of(const struct guest *guest)
{
	return guest->kind->memory(guest);
}

/* What is not in the state's name. */
static void describe(const struct guest *guest, char *text, size_t size)
{
	const struct guest_life *const life = &guest->life;
	const uint64_t now = time_ns();

	text[0] = '\0';
	if (life->cycles_left)
		format_text(text, size, "cycle %lu of %lu", life->cycles - life->cycles_left + 1,
		            life->cycles);
	else if (life->is_waiting)
		format_text(text, size, "restarts in %lu s",
		            life->restart_ns > now ? (life->restart_ns - now) / NS_PER_S : 0);
	else if (guest_state(guest) == GUEST_STOPPED && guest->ending[0])
		format_text(text, size, "ended: %s", guest->ending);
}

static uint64_t entries_of(const struct guest *guest)
{
	uint64_t entries = 0;

	for (uint32_t i = 0; guest_state(guest) != GUEST_ABSENT && i < guest->cpu_count; i++) {
		struct svm_vcpu_stats stats;

		svm_vcpu_get_stats(guest->cpus[i].vcpu, &stats);
		entries += stats.entries;
	}
	return entries;
}

static void report_guest(struct report *report, const struct guest *guest)
{
	char text[GUEST_ENDING_MAX + 16];

	describe(guest, text, sizeof(text));
	report_text(report, "name", guest->name);
	report_text(report, "state", guest_state_name(guest_state(guest)));
	report_number(report, "cpus", guest->cpu_count);
	report_number(report, "memory_mib", memory_of(guest) >> 20);
	report_number(report, "exits", entries_of(guest));
	report_text(report, "note", text);
}

void monitor_vm_list(struct monitor_call *call)
{
	struct report *const report = monitor_report(call, REPORT_ROWS);
	const struct guest *guest;

	for (unsigned int i = 0; (guest = guests_at(i)) != NULL; i++) {
		report_guest(report, guest);
		report_row(report);
	}
	monitor_answer(report);
}

static const char *action_name(enum guest_action action)
{
	return action == GUEST_ACTION_RESTART ? "restart"
	       : action == GUEST_ACTION_KEEP  ? "keep"
	                                      : "destroy";
}

/* Of vCPU 0, and of each that may run elsewhere. */
static void describe_processors(const struct guest *guest, char *text, size_t size)
{
	char allowed[NUMBER_SET_TEXT_MAX];
	size_t used;

	number_set_write(guest->affinity[0], allowed);
	used = format_text(text, size, "%s", allowed);
	for (uint32_t i = 1; i < guest->cpu_count; i++) {
		if (guest->affinity[i] == guest->affinity[0])
			continue;
		number_set_write(guest->affinity[i], allowed);
		used += format_text(text + used, size - used, "; vCPU %u: %s", i, allowed);
	}
}

void monitor_vm_show(struct monitor_call *call)
{
	const struct guest *const guest = monitor_guest(call, 0);
	struct report *report;
	char allowed[256];

	if (!guest)
		return;
	report = monitor_report(call, REPORT_FIELDS);
	report_guest(report, guest);
	report_text(report, "library_state",
	            guest_state(guest) == GUEST_ABSENT
	                    ? "none"
	                    : svm_vm_state_name(svm_vm_state(guest->vm)));
	describe_processors(guest, allowed, sizeof(allowed));
	report_text(report, "processors", allowed);
	report_number(report, "limit_ms", guest->limit_ms);
	report_text(report, "on_power_off", action_name(guest->life.actions[GUEST_ON_POWER_OFF]));
	report_text(report, "on_reset", action_name(guest->life.actions[GUEST_ON_RESET]));
	report_text(report, "on_crash", action_name(guest->life.actions[GUEST_ON_CRASH]));
	monitor_answer(report);
}

/* --- what is done with them ---------------------------------------------------------------- */

static void say_state(const struct monitor_call *call, const struct guest *guest)
{
	struct report *report;

	if (!call->is_json) {
		kprintf("guest %s: %s\n", guest->name, guest_state_name(guest_state(guest)));
		return;
	}
	report = monitor_report(call, REPORT_FIELDS);
	report_text(report, "name", guest->name);
	report_text(report, "state", guest_state_name(guest_state(guest)));
	monitor_answer(report);
}

/* With what can be done instead. */
static void say_refused(const struct monitor_call *call, const struct guest *guest,
                        enum guest_verb verb)
{
	const enum guest_state state = guest_state(guest);
	char others[96];
	size_t used = 0;

	others[0] = '\0';
	for (int other = 0; other < GUEST_VERB_COUNT; other++) {
		if (guest_verb_from((enum guest_verb)other) >> state & 1)
			used += format_text(others + used, sizeof(others) - used, "%s%s",
			                    used ? ", " : "",
			                    guest_verb_word((enum guest_verb)other));
	}
	monitor_refuse(call, "guest %s is %s: no %s; there are %s", guest->name,
	               guest_state_name(state), guest_verb_word(verb), others);
}

static void do_verb(const struct monitor_call *call, struct guest *guest, enum guest_verb verb)
{
	switch (guest_do(guest, verb)) {
	case GUEST_DONE:
		say_state(call, guest);
		break;
	case GUEST_REFUSED:
		say_refused(call, guest, verb);
		break;
	case GUEST_FAILED:
		monitor_refuse(call, "guest %s: %s failed", guest->name, guest_verb_word(verb));
		break;
	}
}

/* The command's second word is the verb. */
void monitor_vm_verb(struct monitor_call *call)
{
	struct guest *const guest = monitor_guest(call, 0);

	for (int verb = 0; guest && verb < GUEST_VERB_COUNT; verb++) {
		if (words_equal(guest_verb_word((enum guest_verb)verb), call->command->name + 3)) {
			do_verb(call, guest, (enum guest_verb)verb);
			return;
		}
	}
}

void monitor_vm_cycle(struct monitor_call *call)
{
	struct guest *const guest = monitor_guest(call, 0);
	uint64_t count, ms = CYCLE_MS;

	if (!guest || !monitor_number(call, 1, CYCLES_MAX, &count) ||
	    (call->words.count > 2 && !monitor_number(call, 2, CYCLE_MS_MAX, &ms)))
		return;
	if (!count)
		monitor_usage(call);
	else if (guest_cycle(guest, count, ms) == GUEST_DONE)
		say_state(call, guest);
	else
		monitor_refuse(call, "guest %s is %s: cycle is for one that is ABSENT", guest->name,
		               guest_state_name(guest_state(guest)));
}

/* --- a new one ----------------------------------------------------------------------------- */

struct definition {
	const struct monitor_call *call;
	char text[SECTION_MAX];
	size_t used;
	bool is_wrong;
};

static void put(struct definition *definition, char c)
{
	if (definition->used < SECTION_MAX)
		definition->text[definition->used++] = c;
}

/* What would be a comment, or another section, is no key. */
static const char *take_key(struct definition *definition, const char *word)
{
	const char *at = word;

	while ((*at >= 'a' && *at <= 'z') || *at == '_')
		put(definition, *at++);
	if (at != word && *at == '=' && !config_equals(word, (size_t)(at - word), "guest"))
		return at + 1;
	monitor_refuse(definition->call, "expected KEY=VALUE of one guest, not '%s'", word);
	definition->is_wrong = true;
	return NULL;
}

/* A line of the configuration for a word of the command, so that line n is word n - 1. */
static void put_line(struct definition *definition, const char *word)
{
	const char *value = take_key(definition, word);

	if (!value)
		return;
	put(definition, '=');
	put(definition, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			put(definition, '\\');
		put(definition, *value);
	}
	put(definition, '"');
	put(definition, '\n');
}

static void complain(void *arg, struct guest_config_place place, const char *message)
{
	struct definition *definition = arg;
	const struct words *const words = &definition->call->words;

	/* One answer to one command: the first complaint. */
	if (!definition->is_wrong)
		monitor_refuse(definition->call, "%s: %s",
		               words->word[place.line - 1 < words->count ? place.line - 1 : 0],
		               message);
	definition->is_wrong = true;
}

static struct guest *define(const struct monitor_call *call)
{
	static struct definition definition;
	struct guest *guest;

	definition = (struct definition){ .call = call };
	definition.used = format_text(definition.text, SECTION_MAX, "guest %s\n",
	                              call->words.word[0]);
	for (unsigned int i = 1; i < call->words.count && !definition.is_wrong; i++)
		put_line(&definition, call->words.word[i]);
	if (definition.is_wrong)
		return NULL;
	guest = configured_define(definition.text, definition.used, complain, &definition);
	return definition.is_wrong ? NULL : guest;
}

void monitor_vm_create(struct monitor_call *call)
{
	struct guest *guest = guests_find(call->words.word[0]);

	if (call->words.count == 1) {
		guest = monitor_guest(call, 0);
	} else if (guest && (guest_state(guest) != GUEST_ABSENT || guest_is_busy(guest))) {
		say_refused(call, guest, GUEST_VERB_CREATE);
		return;
	} else {
		guest = define(call);
	}
	if (guest)
		do_verb(call, guest, GUEST_VERB_CREATE);
}

/* --- memory -------------------------------------------------------------------------------- */

static void report_memory(struct report *report, const char *what, const char *name,
                          uint64_t frames)
{
	report_text(report, "use", what);
	report_text(report, "name", name);
	report_number(report, "frames", frames);
	report_number(report, "mib", frames / FRAMES_PER_MIB);
	report_row(report);
}

void monitor_mem(struct monitor_call *call)
{
	struct report *const report = monitor_report(call, REPORT_ROWS);
	const uint64_t free_frames = frames_free_count(), total = frames_total_count();
	uint64_t used = total - free_frames;
	const struct guest *guest;

	for (unsigned int i = 0; (guest = guests_at(i)) != NULL; i++) {
		const uint64_t frames = memory_of(guest) / 4096;

		if (guest_state(guest) == GUEST_ABSENT)
			continue;
		report_memory(report, "guest", guest->name, frames);
		used -= frames;
	}
	report_memory(report, "host", "", used);
	report_memory(report, "free", "", free_frames);
	report_memory(report, "total", "", total);
	monitor_answer(report);
}
