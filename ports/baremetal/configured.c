/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the text of a configuration to guests that can run.  Modules are known by their names: the
 * first words of their texts, which for most loaders are the names of the files.
 */
#include "configured.h"

#include "channels.h"
#include "cmdline.h"
#include "cpu.h"
#include "frames.h"
#include "guest_config.h"
#include "guests.h"
#include "kprintf.h"
#include "memory.h"
#include "multiboot.h"
#include "string.h"

#define LEAF_SIZE UINT64_C(0x200000)
#define NS_PER_MS UINT64_C(1000000)

_Static_assert(GUEST_NAME_MAX >= GUEST_CONFIG_NAME_MAX, "a guest's name fits");
_Static_assert(GUEST_CPUS_MAX == GUEST_CONFIG_CPUS_MAX, "so does where each vCPU may run");

static struct guest_config configs[CONFIGURED_MAX];
static struct guest_pc pcs[CONFIGURED_MAX];
static unsigned int used;
static char names[BOOT_MODULES_MAX][GUEST_CONFIG_MODULE_MAX];

static const struct boot_module *find_config(void)
{
	for (size_t i = 0; i < boot_info.module_count; i++) {
		if (cmdline_has(boot_info.modules[i].text, "config"))
			return &boot_info.modules[i];
	}
	return NULL;
}

bool configured_is_there(void)
{
	return find_config() != NULL;
}

static const char *module_name(void *arg, unsigned int number)
{
	(void)arg;
	return number < boot_info.module_count ? names[number] : NULL;
}

static void complain(void *arg, struct guest_config_place place, const char *message)
{
	(void)arg;
	kprintf("%sconfiguration: line %u, column %u: %s%s\n", color_bad(), place.line,
	        place.column, message, color_off());
}

static bool is_same(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return a[i] == b[i];
}

/* The reader gave only names that are there. */
static struct svm_boot_module module_by_name(const char *name)
{
	for (size_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *module = &boot_info.modules[i];
		const size_t size = (size_t)(module->end - module->start);

		if (!is_same(names[i], name))
			continue;
		/* Only RAM is mapped: a loader's lie must not become a fault of the host's. */
		if (!memory_map_has_ram(module->start, module->end))
			break;
		return (struct svm_boot_module){ .bytes = phys_to_direct(module->start),
			                         .size = size };
	}
	return (struct svm_boot_module){ 0 };
}

static bool fill(struct guest_pc *pc, const struct guest_config *config,
                 const struct guest_config_reader *reader)
{
	memset(pc, 0, sizeof(*pc));
	memcpy(pc->guest.name, config->name, sizeof(config->name));
	pc->kernel = module_by_name(config->kernel);
	if (config->initrd[0])
		pc->initrd = module_by_name(config->initrd);
	if (!pc->kernel.size || (config->initrd[0] && !pc->initrd.size)) {
		reader->complain(reader->arg, config->place,
		                 "a module of this guest is empty, or not in memory");
		return false;
	}
	pc->cmdline = config->cmdline;
	pc->memory_size = config->memory;
	pc->devices = config->devices;
	pc->config = config;
	pc->dirty.mode = config->has_dirty_bits ? SVM_DIRTY_BITS : SVM_DIRTY_PROTECT;
	pc->dirty.period_ns = config->dirty_ms * NS_PER_MS;
	pc->guest.kind = &guest_pc_kind;
	pc->guest.limit_ms = config->limit_ms;
	pc->guest.cpu_count = config->cpus;
	memcpy(pc->guest.affinity, config->affinity, sizeof(config->affinity));
	pc->guest.console.mode = config->console;
	memcpy(pc->guest.life.actions, config->actions, sizeof(config->actions));
	return true;
}

static struct guest_config_reader new_reader(void)
{
	return (struct guest_config_reader){
		.memory_max = frames_free_count() * PAGE_SIZE & ~(LEAF_SIZE - 1),
		.cpus_max = GUEST_CPUS_MAX,
		.host_cpus = cpu_count(),
		.module = module_name,
		.complain = complain,
	};
}

unsigned int configured_read(void)
{
	const struct boot_module *module = find_config();
	const struct guest_config_reader reader = new_reader();
	bool is_wrong[CONFIGURED_MAX];
	unsigned int count;

	for (size_t i = 0; i < boot_info.module_count; i++)
		guest_config_module_name(boot_info.modules[i].text, names[i], sizeof(names[i]));
	if (!module || !memory_map_has_ram(module->start, module->end))
		return 0;
	count = guest_config_parse(&reader, phys_to_direct(module->start),
	                           (size_t)(module->end - module->start), configs, CONFIGURED_MAX);
	/* All that are published before anybody subscribes, in whatever order they are written. */
	for (unsigned int i = 0; i < count; i++)
		is_wrong[i] = !channels_publish(guests_host(), &configs[i], complain);
	for (unsigned int i = 0; i < count; i++) {
		if (is_wrong[i] || !channels_check(&configs[i], complain, NULL))
			continue;
		/* What a guest is made from stays where it is. */
		configs[used] = configs[i];
		if (fill(&pcs[used], &configs[used], &reader) && guests_add(&pcs[used].guest))
			used++;
	}
	kprintf("configuration: guests that can start: %u\n", used);
	return used;
}

/* Where a guest of this name is, or a new one goes; CONFIGURED_MAX: nowhere. */
static unsigned int place_for(const char *name)
{
	unsigned int i = 0;

	while (i < used && !is_same(pcs[i].guest.name, name))
		i++;
	return i;
}

/* A channel is there from the start on, whoever comes and goes. */
static bool may_have_channels(const struct guest_config *config,
                              const struct guest_config_reader *reader)
{
	for (uint32_t i = 0; i < config->channel_count; i++) {
		if (!config->channels[i].publishes)
			continue;
		reader->complain(reader->arg, config->channels[i].place,
		                 "only guests of the configuration publish channels");
		return false;
	}
	return channels_check(config, reader->complain, reader->arg);
}

struct guest *configured_define(const char *text, size_t size,
                                void (*complain_there)(void *arg, struct guest_config_place place,
                                                       const char *message),
                                void *arg)
{
	static struct guest_config config;
	static struct guest_pc pc;
	struct guest_config_reader reader = new_reader();
	unsigned int place;

	reader.complain = complain_there;
	reader.arg = arg;
	if (guest_config_parse(&reader, text, size, &config, 1) != 1)
		return NULL;
	place = place_for(config.name);
	if (place == CONFIGURED_MAX || (place == used && guests_find(config.name))) {
		complain_there(arg, config.place,
		               "there is no room for it, or a module's guest has its name");
		return NULL;
	}
	if (!may_have_channels(&config, &reader) || !fill(&pc, &config, &reader))
		return NULL;
	configs[place] = config;
	pc.config = &configs[place];
	pc.cmdline = configs[place].cmdline;
	pc.guest.host = guests_host();
	pcs[place] = pc;
	if (place == used) {
		if (!guests_add(&pcs[place].guest))
			return NULL;
		used++;
	}
	return &pcs[place].guest;
}
