/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reader of the guests' configuration, section by section.  A mistake is told where it stands and
 * the section goes on being read, for its other mistakes are worth knowing too; at the section's
 * end one mistake is enough to drop it.
 */
#include "guest_config.h"

#include <libsvm/platform/pc.h>

#include "config_text.h"
#include "guest_config_keys.h"
#include "number_set.h"
#include "string.h"

struct config_state {
	struct guest_section section; /* section.config is NULL in none, and in one without name */
	struct guest_config *configs;
	unsigned int count, max;
	bool in_section;
};

static void end_section(struct config_state *state)
{
	struct guest_section *section = &state->section;

	if (!section->config)
		return;
	guest_config_check_keys(section);
	if (!section->text.is_wrong)
		state->count++;
	section->config = NULL;
}

static bool is_name(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '_' || (word[i] >= 'A' && word[i] <= 'Z'))
			return false;
	}
	return length && length < GUEST_CONFIG_NAME_MAX;
}

/* The rest of a line that begins with `guest`: a name.  False: complained. */
static bool take_name(struct config_text *text, const char **word, size_t *length)
{
	const char *before;

	config_skip_blanks(text);
	before = text->at;
	*word = config_take_word(text, length);
	if (!is_name(*word, *length)) {
		config_complain(text, config_place(text, before),
		                "expected a name: 1 to %u of a-z, 0-9 and -",
		                GUEST_CONFIG_NAME_MAX - 1);
		return false;
	}
	config_skip_blanks(text);
	if (config_is_over(text))
		return true;
	config_complain(text, config_place(text, text->at),
	                "expected the end of the line behind the name");
	return false;
}

static bool has_room(struct config_state *state, const char *word, size_t length)
{
	struct config_text *text = &state->section.text;

	for (unsigned int i = 0; i < state->count; i++) {
		if (config_equals(word, length, state->configs[i].name)) {
			config_complain(text, config_place(text, word), "guest %s is there twice",
			                state->configs[i].name);
			return false;
		}
	}
	if (state->count < state->max)
		return true;
	config_complain(text, config_place(text, word), "expected at most %u guests", state->max);
	return false;
}

static void begin_section(struct config_state *state)
{
	struct guest_section *section = &state->section;
	struct guest_config *config;
	const char *word;
	size_t length;

	end_section(state);
	state->in_section = true;
	section->text.is_wrong = false;
	section->seen = 0;
	section->processors = NUMBER_SET_ALL;
	section->pinned = 0;
	if (!take_name(&section->text, &word, &length) || !has_room(state, word, length))
		return;
	config = &state->configs[state->count];
	memset(config, 0, sizeof(*config));
	memcpy(config->name, word, length);
	config->memory = GUEST_CONFIG_MEMORY;
	config->cpus = 1;
	config->devices = SVM_PC_DEFAULT;
	config->place = config_place(&section->text, word);
	config->memory_place = section->devices_place = config->place;
	section->config = config;
}

static void read_line(struct config_state *state)
{
	struct guest_section *section = &state->section;
	struct config_text *text = &section->text;
	const char *word;
	size_t length;

	config_skip_blanks(text);
	if (config_is_over(text))
		return;
	word = config_take_word(text, &length);
	config_skip_blanks(text);
	if (!length)
		config_complain(text, config_place(text, text->at),
		                "expected a key, or guest and a name");
	else if (config_equals(word, length, "guest"))
		begin_section(state);
	else if (section->config)
		guest_config_take_key(section, word, length);
	else if (!state->in_section)
		config_complain(text, config_place(text, word),
		                "expected guest and a name before any key");
}

unsigned int guest_config_parse(const struct guest_config_reader *reader, const char *text,
                                size_t size, struct guest_config *configs, unsigned int max)
{
	struct config_state state = {
		.section.text = { .reader = reader, .next = text, .text_end = text + size },
		.configs = configs,
		.max = max,
	};

	while (config_next_line(&state.section.text))
		read_line(&state);
	end_section(&state);
	return state.count;
}

void guest_config_module_name(const char *text, char *name, size_t size)
{
	size_t length = 0;

	while (config_is_blank(*text))
		text++;
	for (; *text && !config_is_blank(*text); text++) {
		if (*text == '/')
			length = 0;
		else if (length + 1 < size)
			name[length++] = *text > ' ' && *text <= '~' ? *text : '?';
	}
	name[length] = '\0';
}
