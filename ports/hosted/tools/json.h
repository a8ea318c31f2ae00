/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H
/*
 * JSON, printed piece by piece.
 *
 * Numbers of 64 bits go out as strings, "0x1d00": most readers of JSON keep 53 bits of a number.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The string in quotes, whatever its bytes are; "null" without quotes for NULL. */
void json_string(FILE *out, const char *string);

/* "name":"0x…" */
static inline void json_hex(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, "\"%s\":\"0x%" PRIx64 "\"", name, value);
}

static inline void json_text(FILE *out, const char *name, const char *value)
{
	fprintf(out, "\"%s\":", name);
	json_string(out, value);
}

#endif
