/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One time for all vCPUs.
 *
 * The TSC counts for all of them alike.  QEMU's log has none: then the exits themselves are the
 * clock, and pictures show their order.
 */
#include "trace_print.h"

#define LEAST 0.05 /* Microseconds: shorter than any exit, and still a bar. */

struct trace_clock trace_clock(const struct trace *trace)
{
	struct trace_clock clock = { UINT64_MAX, true };

	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];

		if (dump->count == 0)
			continue;
		if (dump->header.tsc_hz == 0)
			clock.is_known = false;
		for (size_t j = dump->first; j < dump->first + dump->count; j++)
			if (trace->exits[j].record.tsc < clock.first)
				clock.first = trace->exits[j].record.tsc;
	}
	return clock;
}

double trace_time(const struct trace_clock *clock, const struct trace_dump *dump, size_t index,
                  const struct trace_exit *exit)
{
	if (!clock->is_known)
		return (double)(index - dump->first);
	return (double)(exit->record.tsc - clock->first) * 1e6 / (double)dump->header.tsc_hz;
}

double trace_length(const struct trace_clock *clock, const struct trace_dump *dump,
                    const struct trace_exit *exit)
{
	double length = 1;

	if (clock->is_known)
		length = (double)exit->ticks * 1e6 / (double)dump->header.tsc_hz;
	return length > LEAST ? length : LEAST;
}
