/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Exits as lines.
 *
 * A guest that is stuck fills a recorder with one exit, so equal exits in a row are one line and a
 * number: what led to them would be out of sight otherwise.
 */
#include <inttypes.h>

#include <libsvm/diagnose.h>

#include "exit_text.h"
#include "trace_print.h"

#define BOLD   "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

static void print_head(FILE *out, const struct trace_dump *dump, bool color)
{
	const struct svm_recorder_header *header = &dump->header;

	fprintf(out, "%svcpu %" PRIu32 ": %zu exits", color ? BOLD : "", header->vcpu, dump->count);
	if (header->recorded)
		fprintf(out, " of %" PRIu64, header->recorded);
	if (header->tsc_hz)
		fprintf(out, ", a clock of %.3f MHz", (double)header->tsc_hz / 1e6);
	if (dump->missing)
		fprintf(out, "; %" PRIu64 " more were announced and are missing", dump->missing);
	fprintf(out, "%s\n%10s %12s  %-16s %-18s %s\n", color ? PLAIN : "", "number", "us", "exit",
	        "RIP", "what");
}

/* One of the phrases at the end of a line. */
static void print_phrase(FILE *out, bool *is_first, const char *before, const char *phrase)
{
	fprintf(out, "%s%s%s", *is_first ? "  " : "; ", before, phrase);
	*is_first = false;
}

static void print_exit(FILE *out, const struct svm_record *record, double time, bool color)
{
	char name[EXIT_NAME_SIZE], details[EXIT_TEXT_SIZE], event[EXIT_NAME_SIZE];
	bool is_first = true;

	fprintf(out, "%10" PRIu64 " %12.2f  %-16s %016" PRIX64 "h", record->number, time,
	        exit_name(record->exit_code, name), record->rip);
	if (*exit_details(record, details))
		print_phrase(out, &is_first, "", details);
	if (record->exit_int_info & SVM_EVENT_VALID)
		print_phrase(out, &is_first, "cut short: ",
		             exit_event(record->exit_int_info, event));
	if (record->event & SVM_EVENT_VALID)
		print_phrase(out, &is_first, "injected: ", exit_event(record->event, event));
	if (record->kind != SVM_EXIT_KIND_NONE && record->kind < SVM_EXIT_KIND_COUNT) {
		print_phrase(out, &is_first, color ? YELLOW : "", "came back as ");
		fprintf(out, "%s%s", svm_exit_kind_name((enum svm_exit_kind)record->kind),
		        color ? PLAIN : "");
	}
	fputc('\n', out);
}

static bool is_same(const struct svm_record *a, const struct svm_record *b)
{
	return a->exit_code == b->exit_code && a->rip == b->rip && a->kind == b->kind &&
	       a->exit_info_1 == b->exit_info_1 && a->exit_info_2 == b->exit_info_2 &&
	       a->exit_int_info == b->exit_int_info && a->event == b->event &&
	       a->advanced == b->advanced;
}

void trace_print_list(FILE *out, const struct trace *trace, bool color)
{
	const struct trace_clock clock = trace_clock(trace);

	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];
		const size_t end = dump->first + dump->count;

		print_head(out, dump, color);
		for (size_t j = dump->first, next; j < end; j = next) {
			const struct trace_exit *exit = &trace->exits[j];

			print_exit(out, &exit->record, trace_time(&clock, dump, j, exit), color);
			for (next = j + 1; next < end; next++)
				if (!is_same(&exit->record, &trace->exits[next].record))
					break;
			if (next - j > 1)
				fprintf(out, "%10s %12s  and %zu more of the same\n", "", "",
				        next - j - 1);
		}
	}
}

void trace_print_raw(FILE *out, const struct trace *trace)
{
	char line[SVM_RECORD_LINE];

	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];
		struct svm_recorder_header header = dump->header;

		header.count = (uint32_t)dump->count;
		svm_recorder_text(&header, line, sizeof(line));
		fprintf(out, "%s\n", line);
		for (size_t j = dump->first; j < dump->first + dump->count; j++) {
			svm_record_text(&trace->exits[j].record, line, sizeof(line));
			fprintf(out, "%s\n", line);
		}
	}
}
