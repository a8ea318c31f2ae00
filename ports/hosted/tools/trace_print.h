/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_TRACE_PRINT_H
#define TOOLS_TRACE_PRINT_H
/*
 * A trace for eyes, for programs and for pictures.
 */
#include <stdbool.h>
#include <stdio.h>

#include "trace.h"

/* A line for each exit; equal ones in a row are counted. */
void trace_print_list(FILE *out, const struct trace *trace, bool color);

/* How often each exit came, from where, and what looks wrong. */
void trace_print_summary(FILE *out, const struct trace *trace);

/* The text form of <libsvm/recorder.h>. */
void trace_print_raw(FILE *out, const struct trace *trace);

/* For ui.perfetto.dev and chrome://tracing: a slice for each exit. */
void trace_print_perfetto(FILE *out, const struct trace *trace);

/* A picture: a lane for each vCPU, a bar for each exit. */
void trace_print_svg(FILE *out, const struct trace *trace);

/* Microseconds since the first exit of all dumps; the exit's place in its dump where no clock is
 * known. */
struct trace_clock {
	uint64_t first;
	bool is_known;
};
struct trace_clock trace_clock(const struct trace *trace);
double trace_time(const struct trace_clock *clock, const struct trace_dump *dump, size_t index,
                  const struct trace_exit *exit);
/* How long an exit and what follows it take, in the same unit; at least a little. */
double trace_length(const struct trace_clock *clock, const struct trace_dump *dump,
                    const struct trace_exit *exit);

#endif
