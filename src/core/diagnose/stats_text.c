/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A vCPU's counters as text and as JSON, from one walk over them: the two differ in what stands
 * between the values, so that is all that the two forms are.
 *
 * Exits are read row by row, since a kernel's stack has no room for all of them at once.
 */
#include <libsvm/diagnose.h>

#include "core/diagnose/text.h"
#include "core/vcpu/vcpu.h"

/* How one form says it; each string goes before or behind a value. */
struct form {
	const char *begin, *end;
	const char *counter, *value, *counter_end;   /* entries 12 */
	const char *exits, *exits_end;
	const char *exit, *more_exits, *exit_end;    /* exit CPUID ... */
	const char *count, *timed, *cycles;          /* count 12 timed 3 cycles 400 */
	const char *histogram, *histogram_end;       /* log2 7:2 8:1 */
	const char *bucket, *more_buckets, *in_bucket;
};

static const struct form text_form = {
	.begin = "", .end = "",
	.counter = "", .value = " ", .counter_end = "\n",
	.exits = "", .exits_end = "",
	.exit = "exit ", .more_exits = "", .exit_end = "\n",
	.count = " count ", .timed = " timed ", .cycles = " cycles ",
	.histogram = " log2", .histogram_end = "",
	.bucket = " ", .more_buckets = "", .in_bucket = ":",
};

static const struct form json_form = {
	.begin = "{", .end = "}",
	.counter = "\"", .value = "\":", .counter_end = ",",
	.exits = "\"exits\":[", .exits_end = "]",
	.exit = "{\"name\":\"", .more_exits = ",", .exit_end = "}",
	.count = "\",\"count\":", .timed = ",\"timed\":", .cycles = ",\"cycles\":",
	.histogram = ",\"log2\":{", .histogram_end = "}",
	.bucket = "\"", .more_buckets = ",", .in_bucket = "\":",
};

static void add_histogram(struct svm_text *text, const struct form *form,
                          const struct svm_vcpu *vcpu, uint64_t code)
{
	uint32_t buckets[SVM_EXIT_BUCKETS];
	bool is_first = true;

	svm_vcpu_get_exit_histogram(vcpu, code, buckets);
	svm_text_add(text, form->histogram);
	for (unsigned i = 0; i < SVM_EXIT_BUCKETS; i++) {
		if (!buckets[i])
			continue;
		svm_text_add(text, is_first ? "" : form->more_buckets);
		is_first = false;
		svm_text_add(text, form->bucket);
		svm_text_add_decimal(text, i);
		svm_text_add(text, form->in_bucket);
		svm_text_add_decimal(text, buckets[i]);
	}
	svm_text_add(text, form->histogram_end);
}

static void add_exit(struct svm_text *text, const struct form *form, const struct svm_vcpu *vcpu,
                     const struct svm_exit_count *row)
{
	char buffer[24];
	const char *const name = svm_exit_name(row->code, buffer);

	svm_text_add(text, form->exit);
	svm_text_add(text, row->code != UINT64_MAX && name ? name : "other");
	svm_text_add(text, form->count);
	svm_text_add_decimal(text, row->count);
	if (row->timed != 0) {
		svm_text_add(text, form->timed);
		svm_text_add_decimal(text, row->timed);
		svm_text_add(text, form->cycles);
		svm_text_add_decimal(text, row->cycles);
		add_histogram(text, form, vcpu, row->code);
	}
	svm_text_add(text, form->exit_end);
}

static void add_exits(struct svm_text *text, const struct form *form, const struct svm_vcpu *vcpu)
{
	bool is_first = true;

	svm_text_add(text, form->exits);
	for (unsigned slot = 0; slot < SVM_EXIT_COUNT_MAX; slot++) {
		const struct svm_exit_count row = svm_exit_counts_row(&vcpu->counts, slot);

		if (!row.count)
			continue;
		svm_text_add(text, is_first ? "" : form->more_exits);
		is_first = false;
		add_exit(text, form, vcpu, &row);
	}
	svm_text_add(text, form->exits_end);
}

static void add_counter(struct svm_text *text, const struct form *form, const char *name,
                        uint64_t value)
{
	svm_text_add(text, form->counter);
	svm_text_add(text, name);
	svm_text_add(text, form->value);
	svm_text_add_decimal(text, value);
	svm_text_add(text, form->counter_end);
}

static size_t write_stats(const struct svm_vcpu *vcpu, const struct form *form, char *buffer,
                          size_t size)
{
	struct svm_vcpu_stats stats;
	struct svm_text text;

	svm_vcpu_get_stats(vcpu, &stats);
	svm_text_init(&text, buffer, size);
	svm_text_add(&text, form->begin);
	add_counter(&text, form, "vcpu", vcpu->id);
#define ADD(name, what) add_counter(&text, form, #name, stats.name);
	SVM_VCPU_STATS(ADD)
#undef ADD
	add_exits(&text, form, vcpu);
	svm_text_add(&text, form->end);
	return text.length;
}

size_t svm_stats_text(const struct svm_vcpu *vcpu, char *buffer, size_t size)
{
	return write_stats(vcpu, &text_form, buffer, size);
}

size_t svm_stats_json(const struct svm_vcpu *vcpu, char *buffer, size_t size)
{
	return write_stats(vcpu, &json_form, buffer, size);
}
