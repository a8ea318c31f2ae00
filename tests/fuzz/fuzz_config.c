/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guests' configuration from any bytes.
 *
 * Held: every place lies in the text; every message is printable; every guest is of the shape that
 * the header promises, and stays what it is when lines of nonsense follow it in a section of its
 * own.
 */
#include <libsvm/platform/pc.h>
#include <stdlib.h>
#include <string.h>

#include "../../ports/baremetal/guest_config.h"

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)
#define COUNT    3
#define MOST     (UINT64_C(1) << 33)
#define TEXT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
	const char *bytes;
	size_t size;
};

static const char *module(void *arg, unsigned int number)
{
	static const char *const modules[] = { "vmlinuz", "initrd", "a" };

	(void)arg;
	return number < 3 ? modules[number] : NULL;
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

/* One column behind the end is where something is missing. */
static void judge(void *arg, struct guest_config_place place, const char *message)
{
	const struct text *text = arg;
	const char *at = text->bytes, *end = text->bytes + text->size, *line_end;

	for (uint32_t line = 1; line < place.line; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		HOLDS(at);
		at++;
	}
	line_end = memchr(at, '\n', (size_t)(end - at));
	line_end = line_end ? line_end : end;
	HOLDS(place.column >= 1 && place.column <= (uint32_t)(line_end - at) + 1);
	HOLDS(message[0] && is_printable(message));
}

static void check(const struct guest_config *c)
{
	HOLDS(memchr(c->name, 0, sizeof(c->name)) && is_printable(c->name) && c->name[0]);
	HOLDS(!strcmp(c->kernel, "vmlinuz") || !strcmp(c->kernel, "initrd") ||
	      !strcmp(c->kernel, "a"));
	HOLDS(memchr(c->initrd, 0, sizeof(c->initrd)));
	HOLDS(memchr(c->cmdline, 0, sizeof(c->cmdline)) && is_printable(c->cmdline));
	HOLDS(c->memory && c->memory <= MOST && c->memory % 0x200000 == 0);
	HOLDS(c->cpus >= 1 && c->cpus <= 8);
	HOLDS(!(c->devices & SVM_PC_X2APIC) || (c->devices & SVM_PC_APIC));
	HOLDS(c->console <= GUEST_CONSOLE_OFF);
	for (uint32_t i = 0; i < c->cpus; i++)
		HOLDS(c->affinity[i] == UINT64_MAX || (c->affinity[i] && c->affinity[i] < 32));
}

static unsigned int parse(const char *bytes, size_t size, struct guest_config *configs)
{
	struct text text = { .bytes = bytes, .size = size };
	const struct guest_config_reader reader = {
		.memory_max = MOST, .cpus_max = 8, .host_cpus = 5,
		.module = module, .complain = judge, .arg = &text
	};
	const unsigned int count = guest_config_parse(&reader, bytes, size, configs, COUNT);

	HOLDS(count <= COUNT);
	for (unsigned int i = 0; i < count; i++)
		check(&configs[i]);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char nonsense[] = "\nguest \x01\nkernel=\n=";
	static struct guest_config first[COUNT], second[COUNT];
	static char longer[TEXT_MAX + sizeof(nonsense)];
	const unsigned int count = parse((const char *)data, size, first);

	if (size > TEXT_MAX)
		return 0;
	memcpy(longer, data, size);
	memcpy(longer + size, nonsense, sizeof(nonsense) - 1);
	HOLDS(parse(longer, size + sizeof(nonsense) - 1, second) == count);
	for (unsigned int i = 0; i < count; i++)
		HOLDS(!memcmp(&first[i], &second[i], sizeof(first[i])));
	return 0;
}
