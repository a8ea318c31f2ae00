/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A channel's size is said by the guest that publishes it, and its name is that guest's alone: so
 * each channel has one section that makes it, and nobody else can take its place.
 */
#include "channels.h"

#include "format.h"
#include "frames.h"
#include "memory.h"
#include "string.h"

static struct made_channel {
	struct svm_channel *channel;
	struct svm_channel_config config;
} made[CHANNELS_MAX];
static unsigned int made_count;

static struct made_channel *find_channel(const char *name)
{
	for (unsigned int i = 0; i < made_count; i++) {
		if (!memcmp(made[i].config.name, name, SVM_CHANNEL_NAME_MAX))
			return &made[i];
	}
	return NULL;
}

static void complain_of(channels_complain_fn complain, void *arg,
                        const struct guest_config_channel *wanted, const char *what)
{
	char text[80];

	format_text(text, sizeof(text), "channel %s: %s", wanted->name, what);
	complain(arg, wanted->place, text);
}

/* NULL: made; else what went wrong. */
static const char *make_channel(struct svm_host *host, const struct guest_config_channel *wanted)
{
	struct made_channel *entry = &made[made_count];
	uint64_t pa;

	if (find_channel(wanted->name))
		return "another guest publishes it";
	if (made_count == CHANNELS_MAX)
		return "there are too many";
	if (!frames_alloc(wanted->size / PAGE_SIZE, PAGE_SIZE, &pa))
		return "there is no memory for it";
	frames_give(pa, wanted->size / PAGE_SIZE, FRAMES_SHARED);
	entry->config = (struct svm_channel_config){
		.hpa = pa,
		.pages = wanted->size / PAGE_SIZE,
	};
	memcpy(entry->config.name, wanted->name, SVM_CHANNEL_NAME_MAX);
	if (svm_channel_create(host, &entry->config, &entry->channel)) {
		frames_free(pa, entry->config.pages);
		return "the library refused it";
	}
	made_count++;
	return NULL;
}

bool channels_publish(struct svm_host *host, const struct guest_config *config,
                      channels_complain_fn complain)
{
	for (unsigned int i = 0; i < config->channel_count; i++) {
		const struct guest_config_channel *wanted = &config->channels[i];
		const char *wrong = wanted->publishes ? make_channel(host, wanted) : NULL;

		if (!wrong)
			continue;
		complain_of(complain, NULL, wanted, wrong);
		return false;
	}
	return true;
}

bool channels_check(const struct guest_config *config, channels_complain_fn complain, void *arg)
{
	for (unsigned int i = 0; i < config->channel_count; i++) {
		if (find_channel(config->channels[i].name))
			continue;
		complain_of(complain, arg, &config->channels[i], "nobody publishes it");
		return false;
	}
	return true;
}

static uint32_t rights_of(const struct guest_config_channel *wanted)
{
	if (wanted->publishes)
		return SVM_CHANNEL_MAY_PUBLISH;
	return wanted->may_write ? SVM_CHANNEL_MAY_SUBSCRIBE | SVM_CHANNEL_MAY_WRITE
	                         : SVM_CHANNEL_MAY_SUBSCRIBE;
}

int channels_give(struct svm_vm *vm, const struct guest_config *config, svm_doorbell_fn ring,
                  void *arg, struct svm_channels **channels)
{
	int error;

	*channels = NULL;
	if (!config->channel_count)
		return 0;
	error = svm_channels_create(vm, ring, arg, channels);
	for (unsigned int i = 0; i < config->channel_count && !error; i++) {
		const struct guest_config_channel *wanted = &config->channels[i];

		error = svm_channels_allow(*channels, find_channel(wanted->name)->channel,
		                           rights_of(wanted));
	}
	return error;
}

unsigned int channels_close(void)
{
	unsigned int left = 0;

	for (unsigned int i = 0; i < made_count; i++) {
		if (svm_channel_destroy(made[i].channel))
			left++;
		else
			frames_free(made[i].config.hpa, made[i].config.pages);
	}
	made_count = 0;
	return left;
}
