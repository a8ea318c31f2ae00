/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the exits of a guest's processors cost.  Counters are read as they are while they are
 * counted on: nobody is held up for it.
 */
#include "guest.h"
#include "guests.h"
#include "kprintf.h"
#include "monitor_command.h"
#include "time.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* --- since the start ----------------------------------------------------------------------- */

static uint64_t read_counter(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t mean_of(uint64_t cycles, uint64_t timed)
{
	return timed ? cycles / timed : 0;
}

static void report_kind(struct report *report, const struct guest_cpu *cpu, uint32_t number,
                        int kind)
{
	const uint64_t count = read_counter(&cpu->exits[kind]);
	const uint64_t timed = read_counter(&cpu->timed[kind]);
	const uint64_t cycles = read_counter(&cpu->cycles[kind]);

	if (!count)
		return;
	report_number(report, "vcpu", number);
	report_text(report, "exit", svm_exit_kind_name((enum svm_exit_kind)kind));
	report_text(report, "where", "port");
	report_number(report, "count", count);
	report_number(report, "cycles", cycles);
	report_number(report, "each", mean_of(cycles, timed));
	report_row(report);
}

/* All exits, by code; what came back of them to the port follows, by kind. */
static void report_codes(struct report *report, const struct guest_cpu *cpu, uint32_t number)
{
	static struct svm_exit_count rows[SVM_EXIT_COUNT_MAX]; /* the keeper's alone */
	const size_t count = svm_vcpu_get_exit_counts(cpu->vcpu, rows, SVM_EXIT_COUNT_MAX);

	for (size_t i = 0; i < count; i++) {
		char buffer[24];
		const char *const name = svm_exit_name(rows[i].code, buffer);

		report_number(report, "vcpu", number);
		report_text(report, "exit", name ? name : "other");
		report_text(report, "where", "library");
		report_number(report, "count", rows[i].count);
		report_number(report, "cycles", rows[i].cycles);
		report_number(report, "each", mean_of(rows[i].cycles, rows[i].timed));
		report_row(report);
	}
}

static void time_port(struct guest_cpu *cpu)
{
	__atomic_store_n(&cpu->is_timed, true, __ATOMIC_RELAXED);
}

/* From the first question on; without memory for the library's times these stay 0. */
static void time_exits(struct guest_cpu *cpu)
{
	(void)!svm_vcpu_time_exits(cpu->vcpu, true);
	time_port(cpu);
}

static void show_all(const struct monitor_call *call, struct guest *guest)
{
	struct report *const report = monitor_report(call, REPORT_ROWS);

	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		report_codes(report, &guest->cpus[i], i);
		for (int kind = 0; kind < SVM_EXIT_KIND_COUNT; kind++)
			report_kind(report, &guest->cpus[i], i, kind);
		time_exits(&guest->cpus[i]);
	}
	monitor_answer(report);
}

/* --- live ---------------------------------------------------------------------------------- */

static struct {
	struct guest *guest; /* or NULL */
	struct monitor_call call;
	uint64_t next_ns, last_ns;
	uint64_t exits[SVM_EXIT_KIND_COUNT], cycles[SVM_EXIT_KIND_COUNT];
} follow;

static void take_sums(const struct guest *guest, uint64_t *exits, uint64_t *cycles)
{
	for (int kind = 0; kind < SVM_EXIT_KIND_COUNT; kind++) {
		exits[kind] = cycles[kind] = 0;
		for (uint32_t i = 0; i < guest->cpu_count; i++) {
			exits[kind] += read_counter(&guest->cpus[i].exits[kind]);
			cycles[kind] += read_counter(&guest->cpus[i].cycles[kind]);
		}
	}
}

static void show_since(uint64_t ns)
{
	struct report *const report = monitor_report(&follow.call, REPORT_ROWS);
	uint64_t exits[SVM_EXIT_KIND_COUNT], cycles[SVM_EXIT_KIND_COUNT];

	take_sums(follow.guest, exits, cycles);
	for (int kind = 0; kind < SVM_EXIT_KIND_COUNT; kind++) {
		const uint64_t count = exits[kind] - follow.exits[kind];

		if (!count)
			continue;
		report_text(report, "exit", svm_exit_kind_name((enum svm_exit_kind)kind));
		report_number(report, "per_second", count * 1000 / (ns / NS_PER_MS));
		report_number(report, "each", (cycles[kind] - follow.cycles[kind]) / count);
		report_row(report);
		follow.exits[kind] = exits[kind];
		follow.cycles[kind] = cycles[kind];
	}
	monitor_answer(report);
}

uint64_t monitor_stats_look(uint64_t now)
{
	if (!follow.guest)
		return UINT64_MAX;
	if (guest_state(follow.guest) == GUEST_ABSENT) {
		kprintf("guest %s is gone\n", follow.guest->name);
		follow.guest = NULL;
		return UINT64_MAX;
	}
	if (now >= follow.next_ns) {
		show_since(now - follow.last_ns);
		follow.last_ns = now;
		follow.next_ns = now + NS_PER_S;
	}
	return follow.next_ns;
}

bool monitor_stats_is_live(void)
{
	return follow.guest;
}

void monitor_stats_end(void)
{
	follow.guest = NULL;
}

static void begin_to_follow(const struct monitor_call *call, struct guest *guest)
{
	for (uint32_t i = 0; i < guest->cpu_count; i++)
		time_port(&guest->cpus[i]);
	take_sums(guest, follow.exits, follow.cycles);
	follow.guest = guest;
	follow.call = *call;
	follow.last_ns = time_ns();
	follow.next_ns = follow.last_ns + NS_PER_S;
	if (!call->is_json)
		kprintf("each second, until a key\n");
}

void monitor_stats(struct monitor_call *call)
{
	const bool is_live = words_take(&call->words, "-f");
	struct guest *guest;

	if (call->words.count != 1) {
		monitor_usage(call);
		return;
	}
	guest = monitor_guest(call, 0);
	if (!guest)
		return;
	if (guest_state(guest) == GUEST_ABSENT)
		monitor_refuse(call, "guest %s has no machine", guest->name);
	else if (is_live)
		begin_to_follow(call, guest);
	else
		show_all(call, guest);
}
