/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where a guest's processors may run.  The keys come in any order, so what they say together is
 * known at the section's end: `pin` has the last word about the vCPUs that it names, `processors`
 * about the others.
 */
#include "guest_config_keys.h"

#include "number_set.h"

/* At a letter of the value. */
static void complain_at(struct guest_section *section, const struct config_value *value,
                        const char *at, const char *what, uint32_t count, const char *more)
{
	struct guest_config_place place = value->place;

	place.column += (uint32_t)(at - value->text);
	config_complain(&section->text, place, "expected %s such as 0-1,3, from 0 to %u%s", what,
	                count - 1, more);
}

/* False: complained. */
static bool read_processors(struct guest_section *section, const struct config_value *value,
                            const struct config_word *word, uint64_t *set)
{
	const uint32_t count = section->text.reader->host_cpus;
	const char *const wrong = number_set_read(word->text, word->length, count, set);

	if (wrong)
		complain_at(section, value, wrong, "processors", count, ", or all");
	return !wrong;
}

/* For all of them there is the other key. */
static bool read_vcpus(struct guest_section *section, const struct config_value *value,
                       const struct config_word *word, uint64_t *set)
{
	const uint32_t count = section->text.reader->cpus_max;
	const char *wrong = number_set_read(word->text, word->length, count, set);

	if (!wrong && *set == NUMBER_SET_ALL)
		wrong = word->text;
	if (wrong)
		complain_at(section, value, wrong, "vCPUs", count, "");
	return !wrong;
}

void guest_config_set_processors(struct guest_section *section, const struct config_value *value)
{
	const struct config_word whole = { value->text, value->length };

	(void)read_processors(section, value, &whole, &section->processors);
}

static void pin(struct guest_section *section, uint64_t vcpus, uint64_t processors)
{
	for (uint32_t i = 0; i < GUEST_CONFIG_CPUS_MAX; i++) {
		if (vcpus >> i & 1)
			section->config->affinity[i] = processors;
	}
}

void guest_config_add_pin(struct guest_section *section, const struct config_value *value)
{
	uint64_t vcpus, processors;
	struct config_word words[3];

	if (config_split(value, words, 3) != 3 ||
	    !config_equals(words[1].text, words[1].length, "on")) {
		config_complain(&section->text, value->place,
		                "expected vCPUs, then on and processors, such as 0-1 on 2");
		return;
	}
	if (!read_vcpus(section, value, &words[0], &vcpus) ||
	    !read_processors(section, value, &words[2], &processors))
		return;
	if (vcpus & section->pinned) {
		config_complain(&section->text, value->place, "vCPU %u is pinned twice",
		                (unsigned int)__builtin_ctzll(vcpus & section->pinned));
		return;
	}
	if (vcpus > section->pinned)
		section->pin_place = value->place;
	section->pinned |= vcpus;
	pin(section, vcpus, processors);
}

void guest_config_check_pins(struct guest_section *section)
{
	const uint32_t cpus = section->config->cpus;

	if (section->pinned >> cpus)
		config_complain(&section->text, section->pin_place,
		                "guest %s has %u vCPU%s, counted from 0", section->config->name,
		                cpus, cpus == 1 ? "" : "s");
	pin(section, ~section->pinned, section->processors);
}
