/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Asked for on one CPU about a guest that runs on another.  The counters are what they were when
 * they were read; two of them need not belong to the same moment.
 */
#include "guest_stats.h"

#include "format.h"

void guest_stats_describe(const struct svm_vcpu *vcpu, char *text, size_t size)
{
	struct svm_vcpu_stats stats;

	svm_vcpu_get_stats(vcpu, &stats);
	format_text(text, size, "running, %lu exits, %lu of them to the host", stats.entries,
	            stats.host_exits);
}

static size_t add_line(char *text, size_t size, size_t used, const char *name, uint64_t value)
{
	return used + format_text(text + used, size - used, "%-16s %lu\n", name, value);
}

void guest_stats_lines(const struct svm_vcpu *vcpu, const uint64_t exits[SVM_EXIT_KIND_COUNT],
                       char *text, size_t size)
{
	struct svm_vcpu_stats stats;
	size_t used = 0;

	svm_vcpu_get_stats(vcpu, &stats);
	used = add_line(text, size, used, "entries", stats.entries);
	used = add_line(text, size, used, "host interrupts", stats.interrupts);
	used = add_line(text, size, used, "nested fills", stats.npt_fills);
	used = add_line(text, size, used, "injected", stats.injected);
	used = add_line(text, size, used, "reinjected", stats.reinjected);
	used = add_line(text, size, used, "new ASIDs", stats.asid_changes);
	used = add_line(text, size, used, "TLB flushes", stats.flushes);
	used = add_line(text, size, used, "returns", stats.host_exits);
	for (int kind = 0; kind < SVM_EXIT_KIND_COUNT; kind++) {
		const uint64_t count = __atomic_load_n(&exits[kind], __ATOMIC_RELAXED);

		if (count)
			used = add_line(text, size, used,
			                svm_exit_kind_name((enum svm_exit_kind)kind), count);
	}
}
