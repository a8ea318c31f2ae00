/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm-trace on any bytes, in every form that it prints.
 *
 * Held: dumps are consecutive runs of the exits; what is printed has no byte that is not printable;
 * and what --raw prints is read back as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "../../ports/hosted/tools/trace_print.h"

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shape(const struct trace *trace)
{
	size_t next = 0;

	for (size_t i = 0; i < trace->dump_count; i++) {
		HOLDS(trace->dumps[i].first == next);
		next += trace->dumps[i].count;
	}
	HOLDS(next == trace->exit_count);
}

static void check_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		HOLDS((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n');
}

/* The text form of what the text form was read from. */
static void print_and_read_back(const struct trace *trace)
{
	char *text[2] = { NULL, NULL };
	size_t size[2];
	struct trace again = { 0 };
	char why[DUMP_WHY];

	for (int i = 0; i < 2; i++) {
		FILE *out = open_memstream(&text[i], &size[i]);

		HOLDS(out);
		trace_print_raw(out, i ? &again : trace);
		fclose(out);
		if (i == 0) {
			const struct dump raw = { .bytes = (uint8_t *)text[0], .size = size[0] };

			HOLDS(trace_read(&again, &raw, why));
			check_shape(&again);
		}
	}
	HOLDS(size[0] == size[1] && memcmp(text[0], text[1], size[0]) == 0);
	free(text[0]);
	free(text[1]);
	trace_free(&again);
}

static void print_all(const struct trace *trace)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	HOLDS(out);
	trace_print_list(out, trace, false);
	trace_print_summary(out, trace);
	trace_print_perfetto(out, trace);
	trace_print_svg(out, trace);
	fclose(out);
	check_text(text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dump raw = { .bytes = (uint8_t *)(uintptr_t)data, .size = size };
	struct trace trace = { 0 };
	char why[DUMP_WHY] = "";

	if (trace_read(&trace, &raw, why)) {
		check_shape(&trace);
		trace_measure(&trace);
		print_all(&trace);
		if (trace.dump_count)
			print_and_read_back(&trace);
	} else {
		HOLDS(*why);
	}
	trace_free(&trace);
	return 0;
}
