/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The channels that a guest may use.  What one says of a channel is compared with what the others
 * say when all of them are read (channels.c).
 */
#include "guest_config_keys.h"

#include "string.h"

static bool is_channel_name(const struct config_word *word)
{
	for (size_t i = 0; i < word->length; i++) {
		const char c = word->text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return word->length < GUEST_CONFIG_CHANNEL_NAME_MAX;
}

/* What a guest may do with it; false: not understood. */
static bool read_role(const struct config_word words[3], struct guest_config_channel *channel)
{
	const struct config_word *role = &words[1], *how = &words[2];

	channel->publishes = config_equals(role->text, role->length, "publish");
	if (channel->publishes) /* The last word, so it ends where the value does. */
		return config_read_size(how->text, &channel->size) && channel->size &&
		       channel->size % 4096 == 0 &&
		       channel->size <= GUEST_CONFIG_CHANNEL_SIZE_MAX;
	channel->may_write = config_equals(how->text, how->length, "rw");
	return config_equals(role->text, role->length, "subscribe") &&
	       (channel->may_write || config_equals(how->text, how->length, "ro"));
}

static bool has_channel(const struct guest_config *config, const char *name)
{
	for (uint32_t i = 0; i < config->channel_count; i++)
		if (!memcmp(config->channels[i].name, name, GUEST_CONFIG_CHANNEL_NAME_MAX))
			return true;
	return false;
}

void guest_config_add_channel(struct guest_section *section, const struct config_value *value)
{
	struct guest_config_channel channel = { .place = value->place };
	struct guest_config *config = section->config;
	struct config_word words[3];

	if (config_split(value, words, 3) != 3 || !is_channel_name(&words[0]) ||
	    !read_role(words, &channel)) {
		config_complain(&section->text, value->place,
		                "expected a name of at most 15 of a-z, 0-9 and -, then publish and "
		                "a size up to 1M in steps of 4K, or subscribe and ro or rw");
		return;
	}
	memcpy(channel.name, words[0].text, words[0].length);
	if (has_channel(config, channel.name))
		config_complain(&section->text, value->place, "channel %s is there twice",
		                channel.name);
	else if (config->channel_count == GUEST_CONFIG_CHANNELS_MAX)
		config_complain(&section->text, value->place, "expected at most %u channels",
		                GUEST_CONFIG_CHANNELS_MAX);
	else
		config->channels[config->channel_count++] = channel;
}
