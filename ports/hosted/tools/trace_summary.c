/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A trace in numbers, and the few patterns that are nearly always the mistake.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <libsvm/exit_codes.h>
#include <libsvm/vmcb.h>

#include "exit_text.h"
#include "trace_print.h"

#define RIPS_SHOWN  5
#define STUCK_AFTER 8 /* Equal exits at the end before it counts as a loop. */

/* An interrupt that nobody takes is back sooner; a host's timer is not. */
#define OWN_TIME_HZ 20000u

/* Exits with one code, or at one RIP. */
struct group {
	uint64_t key;
	size_t count, returned, finished;
	uint64_t ticks, most_ticks;
};

struct groups {
	struct group *list;
	size_t count;
};

static int by_key(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_key(a, b);
}

static uint64_t code_of(const struct svm_record *record)
{
	return record->exit_code;
}

static uint64_t rip_of(const struct svm_record *record)
{
	return record->rip;
}

static struct group single(const struct trace_exit *exit, uint64_t key)
{
	return (struct group){
		.key = key,
		.count = 1,
		.returned = exit->record.kind != SVM_EXIT_KIND_NONE,
		.finished = exit->record.advanced != 0,
		.ticks = exit->ticks,
		.most_ticks = exit->ticks,
	};
}

static void merge(struct group *into, const struct group *more)
{
	into->count += more->count;
	into->returned += more->returned;
	into->finished += more->finished;
	into->ticks += more->ticks;
	if (more->most_ticks > into->most_ticks)
		into->most_ticks = more->most_ticks;
}

/* The largest group first; an empty list if no memory is left. */
static struct groups make_groups(const struct trace *trace,
                                 uint64_t (*key_of)(const struct svm_record *record))
{
	struct groups groups = { malloc((trace->exit_count + 1) * sizeof(struct group)), 0 };
	size_t count = 0;

	if (!groups.list)
		return groups;
	for (size_t i = 0; i < trace->dump_count; i++) {
		const struct trace_dump *dump = &trace->dumps[i];

		for (size_t j = dump->first; j < dump->first + dump->count; j++)
			groups.list[count++] =
				single(&trace->exits[j], key_of(&trace->exits[j].record));
	}
	qsort(groups.list, count, sizeof(struct group), by_key);
	for (size_t i = 0; i < count; i++) {
		struct group *last = groups.count ? &groups.list[groups.count - 1] : NULL;

		if (last && last->key == groups.list[i].key)
			merge(last, &groups.list[i]);
		else
			groups.list[groups.count++] = groups.list[i];
	}
	qsort(groups.list, groups.count, sizeof(struct group), by_count);
	return groups;
}

static size_t total_of(const struct groups *groups)
{
	size_t total = 0;

	for (size_t i = 0; i < groups->count; i++)
		total += groups->list[i].count;
	return total;
}

static void print_codes(FILE *out, const struct trace *trace)
{
	const struct groups groups = make_groups(trace, code_of);
	const size_t total = total_of(&groups);

	fprintf(out, "%zu exits\n%-18s %9s %6s %9s %9s %12s %12s\n", total, "exit", "count", "%",
	        "returned", "finished", "mean ticks", "most ticks");
	for (size_t i = 0; i < groups.count; i++) {
		const struct group *group = &groups.list[i];
		char name[EXIT_NAME_SIZE];

		fprintf(out, "%-18s %9zu %6.1f %9zu %9zu %12" PRIu64 " %12" PRIu64 "\n",
		        exit_name((uint32_t)group->key, name), group->count,
		        100.0 * (double)group->count / (double)total, group->returned,
		        group->finished, group->ticks / group->count, group->most_ticks);
	}
	free(groups.list);
}

static void print_rips(FILE *out, const struct trace *trace)
{
	const struct groups groups = make_groups(trace, rip_of);

	fprintf(out, "most of them at\n");
	for (size_t i = 0; i < groups.count && i < RIPS_SHOWN; i++)
		fprintf(out, "  %016" PRIX64 "h %9zu\n", groups.list[i].key, groups.list[i].count);
	free(groups.list);
}

/* --- what looks wrong ------------------------------------------------------------------------ */

/* Exits at the end with one code and one RIP. */
static size_t stuck_for(const struct trace *trace, const struct trace_dump *dump)
{
	const struct trace_exit *last = &trace->exits[dump->first + dump->count - 1];
	size_t count = 0;

	while (count < dump->count && last[-(ptrdiff_t)count].record.rip == last->record.rip &&
	       last[-(ptrdiff_t)count].record.exit_code == last->record.exit_code)
		count++;
	return count;
}

/* The guest had time of its own between these exits, of which there are several. */
static bool runs_between(const struct trace_dump *dump, const struct trace_exit *last, size_t count)
{
	const uint64_t ticks = last->record.tsc - last[1 - (ptrdiff_t)count].record.tsc;

	return dump->header.tsc_hz != 0 &&
	       ticks / (count - 1) > dump->header.tsc_hz / OWN_TIME_HZ;
}

/* Why the same exit comes again and again, by the exit. */
static const char *advice(const struct svm_record *record, bool runs)
{
	switch (record->exit_code) {
	case SVM_EXIT_INTR:
	case SVM_EXIT_NMI:
		if (runs)
			return "the guest loops there, and only the host's interrupts end its runs";
		return "the host does not take the interrupt: STGI and IF = 1 behind the exit";
	case SVM_EXIT_NPF:
		return "the nested tables still do not allow the access: U bit, rights, flush";
	case SVM_EXIT_VINTR:
		return "the window is open and nothing is injected, or its intercept stays on";
	case SVM_EXIT_HLT:
		return "HLT returned at once: nothing is pending; sleep until something is";
	default:
		return "its handler does not move RIP past the instruction";
	}
}

static void print_end(FILE *out, const struct trace *trace, const struct trace_dump *dump)
{
	const struct trace_exit *end = &trace->exits[dump->first + dump->count - 1];
	const struct svm_record *last = &end->record;
	const size_t stuck = stuck_for(trace, dump);
	char name[EXIT_NAME_SIZE];

	exit_name(last->exit_code, name);
	if (svm_exit_is_invalid(last->exit_code))
		fprintf(out, "vcpu %" PRIu32 ": VMRUN refused the VMCB: svm-lint says why\n",
		        dump->header.vcpu);
	else if (last->exit_code == SVM_EXIT_SHUTDOWN)
		fprintf(out,
		        "vcpu %" PRIu32 ": the guest ended in a triple fault at %" PRIX64 "h\n",
		        dump->header.vcpu, last->rip);
	else if (stuck >= STUCK_AFTER)
		fprintf(out, "vcpu %" PRIu32 ": the last %zu exits are %s at %" PRIX64 "h: %s\n",
		        dump->header.vcpu, stuck, name, last->rip,
		        advice(last, runs_between(dump, end, stuck)));
}

/* An interrupt or NMI whose delivery was cut short, and that was not injected again. */
static void print_lost(FILE *out, const struct trace *trace, const struct trace_dump *dump)
{
	/* Of the last exit the entry behind it is not known yet. */
	for (size_t i = dump->first; i + 1 < dump->first + dump->count; i++) {
		const struct svm_record *record = &trace->exits[i].record;
		const uint64_t type = svm_bits_get(record->exit_int_info, SVM_EVENT_TYPE);
		char event[EXIT_NAME_SIZE];

		if (!(record->exit_int_info & SVM_EVENT_VALID) || record->event != 0 ||
		    (type != SVM_EVENT_TYPE_INTR && type != SVM_EVENT_TYPE_NMI))
			continue;
		fprintf(out,
		        "vcpu %" PRIu32 ": exit %" PRIu64 " cut short %s, and nothing was "
		        "injected again\n",
		        dump->header.vcpu, record->number,
		        exit_event(record->exit_int_info, event));
	}
}

void trace_print_summary(FILE *out, const struct trace *trace)
{
	print_codes(out, trace);
	print_rips(out, trace);
	for (size_t i = 0; i < trace->dump_count; i++) {
		if (trace->dumps[i].count == 0)
			continue;
		print_end(out, trace, &trace->dumps[i]);
		print_lost(out, trace, &trace->dumps[i]);
	}
}
