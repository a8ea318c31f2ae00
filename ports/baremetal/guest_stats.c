/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Asked for on one CPU about a guest that runs on another.  The counters are what they were when
 * they were read; two of them need not belong to the same moment.
 */
#include "guest_stats.h"

#include "format.h"

static struct svm_vcpu_stats sum_of(const struct guest *guest)
{
	struct svm_vcpu_stats sum = { 0 };

	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		struct svm_vcpu_stats one;

		svm_vcpu_get_stats(guest->cpus[i].vcpu, &one);
		sum.entries += one.entries;
		sum.host_exits += one.host_exits;
		sum.interrupts += one.interrupts;
		sum.npt_fills += one.npt_fills;
		sum.injected += one.injected;
		sum.reinjected += one.reinjected;
		sum.asid_changes += one.asid_changes;
		sum.flushes += one.flushes;
	}
	return sum;
}

static uint64_t exits_of(const struct guest *guest, enum svm_exit_kind kind)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < guest->cpu_count; i++)
		count += __atomic_load_n(&guest->cpus[i].exits[kind], __ATOMIC_RELAXED);
	return count;
}

void guest_stats_describe(const struct guest *guest, char *text, size_t size)
{
	const struct svm_vcpu_stats stats = sum_of(guest);

	format_text(text, size, "running, %lu exits, %lu of them to the host", stats.entries,
	            stats.host_exits);
}

static size_t add_line(char *text, size_t size, size_t used, const char *name, uint64_t value)
{
	return used + format_text(text + used, size - used, "%-16s %lu\n", name, value);
}

void guest_stats_lines(const struct guest *guest, char *text, size_t size)
{
	const struct svm_vcpu_stats stats = sum_of(guest);
	size_t used = 0;

	used = add_line(text, size, used, "entries", stats.entries);
	used = add_line(text, size, used, "host interrupts", stats.interrupts);
	used = add_line(text, size, used, "nested fills", stats.npt_fills);
	used = add_line(text, size, used, "injected", stats.injected);
	used = add_line(text, size, used, "reinjected", stats.reinjected);
	used = add_line(text, size, used, "new ASIDs", stats.asid_changes);
	used = add_line(text, size, used, "TLB flushes", stats.flushes);
	used = add_line(text, size, used, "returns", stats.host_exits);
	for (int kind = 0; kind < SVM_EXIT_KIND_COUNT; kind++) {
		const uint64_t count = exits_of(guest, (enum svm_exit_kind)kind);

		if (count)
			used = add_line(text, size, used,
			                svm_exit_kind_name((enum svm_exit_kind)kind), count);
	}
}
