/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What each key takes.  A value is taken whole or not at all, and one that is not says what was
 * expected: whoever reads the message sits in front of a machine that has just started and has
 * nothing else to look it up in.
 */
#include "guest_config_keys.h"

#include <libsvm/platform/pc.h>

#include "string.h"
#include "suggest.h"

#define LEAF_SIZE UINT64_C(0x200000)
#define LIMIT_MAX (UINT64_C(365) * 24 * 3600 * 1000)

static void set_memory(struct guest_section *section, const struct config_value *value)
{
	const uint64_t most = section->text.reader->memory_max;
	uint64_t bytes;

	if (!config_read_size(value->text, &bytes)) {
		config_complain(&section->text, value->place, "expected a size such as 256M or 1G");
	} else if (!bytes || bytes % LEAF_SIZE) {
		config_complain(&section->text, value->place,
		                "expected a multiple of 2M that is not 0");
	} else if (bytes > most) {
		config_complain(&section->text, value->place,
		                "expected at most %luM, which is what this machine has left",
		                most >> 20);
	} else {
		section->config->memory = bytes;
		section->config->memory_place = value->place;
	}
}

static void set_cpus(struct guest_section *section, const struct config_value *value)
{
	const uint32_t most = section->text.reader->cpus_max;
	const char *behind;
	uint64_t number;

	if (!config_read_number(value->text, &number, &behind) || *behind || !number ||
	    number > most)
		config_complain(&section->text, value->place,
		                "expected a number of processors from 1 to %u", most);
	else
		section->config->cpus = (uint32_t)number;
}

static void set_module(struct guest_section *section, const struct config_value *value, char *to)
{
	const struct guest_config_reader *reader = section->text.reader;
	struct suggestion close = { 0 };
	const char *name;

	for (unsigned int i = 0; (name = reader->module(reader->arg, i)) != NULL; i++) {
		if (value->length < GUEST_CONFIG_MODULE_MAX &&
		    config_equals(value->text, value->length, name)) {
			memcpy(to, value->text, value->length + 1);
			return;
		}
		suggestion_try(&close, value->text, value->length, name);
	}
	config_complain(
		&section->text, value->place, "expected the name of a module, not '%.*s'%s%s%s",
		CONFIG_QUOTE(value->text, value->length), close.word ? "; did you mean '" : "",
		close.word ? close.word : "", close.word ? "'?" : "");
}

static void set_kernel(struct guest_section *section, const struct config_value *value)
{
	set_module(section, value, section->config->kernel);
}

static void set_initrd(struct guest_section *section, const struct config_value *value)
{
	set_module(section, value, section->config->initrd);
}

static void set_cmdline(struct guest_section *section, const struct config_value *value)
{
	memcpy(section->config->cmdline, value->text, value->length + 1);
}

static const struct {
	const char *word;
	uint64_t device;
} device_words[] = {
	{ "apic", SVM_PC_APIC },         { "x2apic", SVM_PC_X2APIC }, { "acpi", SVM_PC_ACPI },
	{ "paravirt", SVM_PC_PARAVIRT }, { "fw_cfg", SVM_PC_FW_CFG },
	{ "tsc_deadline", SVM_PC_TSC_DEADLINE }, { "none", 0 },
};

static void add_device(struct guest_section *section, const char *word, size_t length,
                       struct guest_config_place place)
{
	struct suggestion close = { 0 };

	for (size_t i = 0; i < sizeof(device_words) / sizeof(device_words[0]); i++) {
		if (config_equals(word, length, device_words[i].word)) {
			section->config->devices |= device_words[i].device;
			return;
		}
		suggestion_try(&close, word, length, device_words[i].word);
	}
	if (close.word)
		config_complain(&section->text, place, "no device '%.*s'; did you mean '%s'?",
		                CONFIG_QUOTE(word, length), close.word);
	else
		config_complain(&section->text, place,
		                "no device '%.*s'; there are apic, x2apic, acpi, paravirt, fw_cfg, "
		                "tsc_deadline and none",
		                CONFIG_QUOTE(word, length));
}

static void set_devices(struct guest_section *section, const struct config_value *value)
{
	size_t at = 0;

	section->devices_place = value->place;
	section->config->devices = 0;
	if (!value->length)
		config_complain(&section->text, value->place, "expected devices, or none");
	while (at < value->length) {
		struct guest_config_place place = value->place;
		size_t length = 0;

		while (at + length < value->length && value->text[at + length] != ' ')
			length++;
		place.column += (uint32_t)at;
		if (length)
			add_device(section, value->text + at, length, place);
		at += length + 1;
	}
}

static void set_console(struct guest_section *section, const struct config_value *value)
{
	static const struct {
		const char *word;
		enum guest_console_mode mode;
	} modes[] = {
		{ "attach", GUEST_CONSOLE_ATTACH },
		{ "prefix", GUEST_CONSOLE_PREFIX },
		{ "off", GUEST_CONSOLE_OFF },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (config_equals(value->text, value->length, modes[i].word)) {
			section->config->console = modes[i].mode;
			return;
		}
	}
	config_complain(&section->text, value->place, "expected attach, prefix or off");
}

static void set_limit(struct guest_section *section, const struct config_value *value)
{
	uint64_t ms;

	if (config_equals(value->text, value->length, "none"))
		section->config->limit_ms = 0;
	else if (config_read_duration(value->text, &ms) && ms && ms <= LIMIT_MAX)
		section->config->limit_ms = ms;
	else
		config_complain(&section->text, value->place,
		                "expected a time such as 60s, 500ms or 5m, or none");
}

static void set_dirty_log(struct guest_section *section, const struct config_value *value)
{
	struct guest_config *config = section->config;
	struct config_word words[2];
	bool is_protect;
	uint64_t ms;

	if (config_split(value, words, 2) == 2) {
		is_protect = config_equals(words[0].text, words[0].length, "protect");
		config->has_dirty_bits = config_equals(words[0].text, words[0].length, "bits");
		/* The last word ends where the value does. */
		if ((is_protect || config->has_dirty_bits) &&
		    config_read_duration(words[1].text, &ms) && ms && ms <= LIMIT_MAX) {
			config->dirty_ms = ms;
			return;
		}
	}
	config_complain(&section->text, value->place,
	                "expected protect or bits, and a time such as 10ms");
}

/* --- actions ---------------------------------------------------------------------------------- */

static void set_action(struct guest_section *section, const struct config_value *value,
                       enum guest_occasion occasion)
{
	static const char *const words[] = {
		[GUEST_ACTION_DESTROY] = "destroy",
		[GUEST_ACTION_RESTART] = "restart",
		[GUEST_ACTION_KEEP] = "keep",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (config_equals(value->text, value->length, words[i])) {
			section->config->actions[occasion] = (enum guest_action)i;
			return;
		}
	}
	config_complain(&section->text, value->place, "expected destroy, restart or keep");
}

static void set_on_power_off(struct guest_section *section, const struct config_value *value)
{
	set_action(section, value, GUEST_ON_POWER_OFF);
}

static void set_on_reset(struct guest_section *section, const struct config_value *value)
{
	set_action(section, value, GUEST_ON_RESET);
}

static void set_on_crash(struct guest_section *section, const struct config_value *value)
{
	set_action(section, value, GUEST_ON_CRASH);
}

/* --- all keys -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*set)(struct guest_section *section, const struct config_value *value);
	bool repeats; /* as often as needed */
} keys[] = {
	{ "memory", set_memory, false },
	{ "cpus", set_cpus, false },
	{ "kernel", set_kernel, false },
	{ "initrd", set_initrd, false },
	{ "cmdline", set_cmdline, false },
	{ "devices", set_devices, false },
	{ "console", set_console, false },
	{ "limit", set_limit, false },
	{ "dirty_log", set_dirty_log, false },
	{ "processors", guest_config_set_processors, false },
	{ "pin", guest_config_add_pin, true },
	{ "channel", guest_config_add_channel, true },
	{ "on_power_off", set_on_power_off, false },
	{ "on_reset", set_on_reset, false },
	{ "on_crash", set_on_crash, false },
};

#define KEY_COUNT  (sizeof(keys) / sizeof(keys[0]))
#define KEY_MEMORY 0u
#define KEY_KERNEL 2u

static void complain_of_key(struct guest_section *section, const char *word, size_t length)
{
	const struct guest_config_place place = config_place(&section->text, word);
	struct suggestion close = { 0 };

	for (size_t i = 0; i < KEY_COUNT; i++)
		suggestion_try(&close, word, length, keys[i].name);
	suggestion_try(&close, word, length, "guest");
	if (close.word)
		config_complain(&section->text, place, "no key '%.*s'; did you mean '%s'?",
		                CONFIG_QUOTE(word, length), close.word);
	else
		config_complain(&section->text, place,
		                "no key '%.*s'; there are memory, cpus, kernel, initrd, cmdline, "
		                "devices, console, limit, dirty_log, processors, pin, "
		                "on_power_off, on_reset, on_crash and channel",
		                CONFIG_QUOTE(word, length));
}

void guest_config_take_key(struct guest_section *section, const char *word, size_t length)
{
	struct config_text *text = &section->text;
	struct config_value value;
	size_t row = 0;

	while (row < KEY_COUNT && !config_equals(word, length, keys[row].name))
		row++;
	if (row == KEY_COUNT) {
		complain_of_key(section, word, length);
		return;
	}
	if (text->at == text->end || *text->at != '=') {
		config_complain(text, config_place(text, text->at), "expected = behind %s",
		                keys[row].name);
		return;
	}
	text->at++;
	config_skip_blanks(text);
	if (!keys[row].repeats && (section->seen & 1u << row))
		config_complain(text, config_place(text, word), "%s is there twice",
		                keys[row].name);
	section->seen |= 1u << row;
	if (config_take_value(text, &value))
		keys[row].set(section, &value);
}

void guest_config_check_keys(struct guest_section *section)
{
	const struct guest_config *config = section->config;

	if (!(section->seen & 1u << KEY_KERNEL))
		config_complain(&section->text, config->place, "guest %s has no kernel",
		                config->name);
	if ((config->devices & SVM_PC_X2APIC) && !(config->devices & SVM_PC_APIC))
		config_complain(&section->text, section->devices_place,
		                "x2apic needs apic as well");
	guest_config_check_pins(section);
	if (!section->text.is_wrong && !(section->seen & 1u << KEY_MEMORY) &&
	    config->memory > section->text.reader->memory_max)
		config_complain(&section->text, config->memory_place,
		                "guest %s has no memory line, and this machine has less left than "
		                "the usual %luM",
		                config->name, GUEST_CONFIG_MEMORY >> 20);
}
