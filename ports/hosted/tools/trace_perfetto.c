/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The trace event format of Chrome, which Perfetto reads too: JSON, times in microseconds.
 *
 * An exit is a slice until the next exit, so its length is the handler and the guest's run behind
 * it: the recorder has one time for each exit.
 *
 * Slices of one thread must not overlap.  A dump does not say of which guest its vCPU is, and two
 * guests have a vCPU 0 each: another dump of a number that was there is of another process.
 */
#include <libsvm/diagnose.h>

#include "exit_text.h"
#include "json.h"
#include "trace_print.h"

#define NUMBERS 256u /* Of vCPUs that are told apart: as many as a guest may have. */

struct processes {
	uint32_t seen[NUMBERS]; /* Dumps of this number so far. */
	uint32_t count;
};

/* From 1 on; each is named when it is first needed. */
static uint32_t process_of(FILE *out, struct processes *processes, const struct trace_dump *dump)
{
	const uint32_t pid = ++processes->seen[dump->header.vcpu % NUMBERS];

	if (pid > processes->count) {
		fprintf(out,
		        "%s\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%" PRIu32
		        ",\"args\":{\"name\":\"guest%s",
		        pid == 1 ? "" : ",", pid, pid == 1 ? "" : " ");
		if (pid > 1)
			fprintf(out, "%" PRIu32, pid);
		fputs("\"}}", out);
		processes->count = pid;
	}
	return pid;
}

static void print_thread(FILE *out, uint32_t pid, const struct trace_dump *dump)
{
	fprintf(out,
	        "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	        ",\"args\":{\"name\":\"vcpu %" PRIu32 "\"}}",
	        pid, dump->header.vcpu, dump->header.vcpu);
}

static void print_arguments(FILE *out, const struct svm_record *record)
{
	char text[EXIT_TEXT_SIZE], event[EXIT_NAME_SIZE];

	fprintf(out, "\"args\":{\"number\":%" PRIu64 ",", record->number);
	json_hex(out, "rip", record->rip);
	fputc(',', out);
	json_hex(out, "info1", record->exit_info_1);
	fputc(',', out);
	json_hex(out, "info2", record->exit_info_2);
	if (*exit_details(record, text)) {
		fputc(',', out);
		json_text(out, "what", text);
	}
	if (record->exit_int_info & SVM_EVENT_VALID) {
		fputc(',', out);
		json_text(out, "cut_short", exit_event(record->exit_int_info, event));
	}
	if (record->event & SVM_EVENT_VALID) {
		fputc(',', out);
		json_text(out, "injected", exit_event(record->event, event));
	}
	if (record->kind != SVM_EXIT_KIND_NONE && record->kind < SVM_EXIT_KIND_COUNT) {
		fputc(',', out);
		json_text(out, "came_back_as",
		          svm_exit_kind_name((enum svm_exit_kind)record->kind));
	}
	fputc('}', out);
}

static void print_slice(FILE *out, const struct trace_clock *clock, uint32_t pid,
                        const struct trace_dump *dump, size_t index, const struct trace_exit *exit)
{
	char name[EXIT_NAME_SIZE];

	fputc('{', out);
	json_text(out, "name", exit_name(exit->record.exit_code, name));
	fprintf(out,
	        ",\"cat\":\"exit\",\"ph\":\"X\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
	        ",\"ts\":%.3f,\"dur\":%.3f,",
	        pid, dump->header.vcpu, trace_time(clock, dump, index, exit),
	        trace_length(clock, dump, exit));
	print_arguments(out, &exit->record);
	fputc('}', out);
}

void trace_print_perfetto(FILE *out, const struct trace *trace)
{
	const struct trace_clock clock = trace_clock(trace);
	struct processes processes = { .count = 0 };

	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];
		const uint32_t pid = process_of(out, &processes, dump);

		fputs(",\n", out);
		print_thread(out, pid, dump);
		for (size_t j = dump->first; j < dump->first + dump->count; j++) {
			fputs(",\n", out);
			print_slice(out, &clock, pid, dump, j, &trace->exits[j]);
		}
	}
	fputs("\n]}\n", out);
}
