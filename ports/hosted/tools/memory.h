/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_MEMORY_H
#define TOOLS_MEMORY_H
/*
 * A dump of physical memory, as far as nested tables are looked up in it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libsvm/diagnose.h>

struct memory {
	FILE *file;
	uint64_t base, size; /* Of what the file holds. */
	uint64_t root;       /* nCR3, for memory_nested(). */
	unsigned int levels; /* Of nested tables: 4 or 5. */
};

/* "FILE" or "FILE@BASE"; false if there is no such file or BASE is no number. */
bool memory_open(struct memory *memory, const char *text);
void memory_close(struct memory *memory);

/* So many bytes at a physical address; false if the file does not have them. */
bool memory_read(const struct memory *memory, uint64_t address, void *to, size_t size);

/* svm_audit_context.nested with a struct memory as its argument. */
void memory_nested(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping);

#endif
