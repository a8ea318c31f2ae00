/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_DUMP_H
#define TOOLS_DUMP_H
/*
 * Bytes of memory, from whatever printed them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The most that is read: a file of 64 MiB holds 16384 VMCBs. */
#define DUMP_MOST ((size_t)64 << 20)

#define DUMP_WHY 160

struct dump {
	uint8_t *bytes; /* From malloc(). */
	uint8_t *known; /* The same: for each byte 1 if it is known, else 0.  NULL: all are. */
	size_t size;
};

/* All of a stream; false, with a reason, if it cannot be read or is longer than DUMP_MOST. */
bool dump_read(FILE *stream, struct dump *raw, char why[DUMP_WHY]);

/*
 * The memory that a file shows: itself if it has a byte that no text has, else its hex digits, or
 * the fields that KVM prints, the others of which are 0 and not known.
 * False, with a reason that names the line, for a text in none of the forms or of more than `most`
 * bytes.
 */
bool dump_decode(const struct dump *raw, struct dump *memory, size_t most, char why[DUMP_WHY]);

/* The memory that a file shows; "-" is standard input. */
bool dump_open(const char *name, struct dump *memory, char why[DUMP_WHY]);

void dump_free(struct dump *dump);

#endif
