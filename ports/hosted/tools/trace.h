/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_TRACE_H
#define TOOLS_TRACE_H
/*
 * Exits of one or more vCPUs, out of recorders' dumps.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libsvm/recorder.h>

#include "dump.h"

/* One recorder's dump: a run of the trace's exits. */
struct trace_dump {
	struct svm_recorder_header header;
	size_t first, count;
	uint64_t missing; /* Records that the header announced and that are not there. */
};

struct trace_exit {
	struct svm_record record;
	uint64_t ticks; /* Until the vCPU's next exit; 0: not known. */
};

struct trace {
	struct trace_exit *exits;
	struct trace_dump *dumps;
	size_t exit_count, exit_room, dump_count, dump_room;
};

/*
 * Add what a file holds: dumps in binary, lines of text or of hexadecimal digits among whatever
 * else was printed, or a log of QEMU's -d in_asm.  False, with a reason, for a file that has none
 * of them or is damaged; what was added before stays.
 */
bool trace_read(struct trace *trace, const struct dump *raw, char why[DUMP_WHY]);

/* Fill in the ticks and what is missing; before any exit is taken out. */
void trace_measure(struct trace *trace);

/* Keep those exits that the function says. */
void trace_keep(struct trace *trace,
                bool (*wanted)(const void *arg, const struct trace_dump *dump,
                               const struct svm_record *record),
                const void *arg);

/* Keep the last so many of each dump. */
void trace_keep_last(struct trace *trace, size_t count);

void trace_free(struct trace *trace);

#endif
