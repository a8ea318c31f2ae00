/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Nested tables in a dump.  APM vol. 2, 15.25: they have the format of the host's own, here of a
 * host in long mode.
 *
 * Tables are a stranger's: the walk has as many steps as there are levels, and an entry that the
 * dump does not hold ends it with nothing known.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define PRESENT   SVM_BIT(0)
#define RIGHTS    SVM_BITS(2, 0) /* P, W, U. */
#define LARGE     SVM_BIT(7)
#define ADDRESS   SVM_BITS(51, 12)
#define ENTRIES   512u
#define NAME_MOST 4096

bool memory_open(struct memory *memory, const char *text)
{
	char name[NAME_MOST], *at, *end = NULL;
	long size;

	if (strlen(text) >= sizeof(name))
		return false;
	strcpy(name, text);
	*memory = (struct memory){ .levels = 4 };
	at = strrchr(name, '@');
	if (at) {
		*at = '\0';
		memory->base = strtoull(at + 1, &end, 0);
		if (end == at + 1 || *end)
			return false;
	}
	memory->file = fopen(name, "rb");
	if (!memory->file)
		return false;
	if (fseek(memory->file, 0, SEEK_END) != 0 || (size = ftell(memory->file)) < 0) {
		memory_close(memory);
		return false;
	}
	memory->size = (uint64_t)size;
	return true;
}

void memory_close(struct memory *memory)
{
	if (memory->file)
		fclose(memory->file);
	memory->file = NULL;
}

bool memory_read(const struct memory *memory, uint64_t address, void *to, size_t size)
{
	const uint64_t offset = address - memory->base;

	return address >= memory->base && offset <= memory->size && size <= memory->size - offset &&
	       fseek(memory->file, (long)offset, SEEK_SET) == 0 &&
	       fread(to, 1, size, memory->file) == size;
}

void memory_nested(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping)
{
	const struct memory *memory = arg;
	uint64_t table = memory->root & ADDRESS, rights = RIGHTS;

	*mapping = (struct svm_audit_mapping){ .memory = true };
	for (unsigned int level = memory->levels; level > 0; level--) {
		const uint64_t index = gpa >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
		uint64_t entry;

		if (!memory_read(memory, table + index * sizeof(entry), &entry, sizeof(entry)))
			return;
		if (!(entry & PRESENT)) {
			mapping->memory = false;
			return;
		}
		rights &= entry;
		if (level == 1 || (level <= 3 && (entry & LARGE))) {
			*mapping = (struct svm_audit_mapping){ true, true, rights, entry };
			return;
		}
		table = entry & ADDRESS;
	}
}
