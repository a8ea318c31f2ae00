/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Commands about the host's processors. */
#include "cpu.h"
#include "kprintf.h"
#include "monitor_command.h"
#include "processors.h"
#include "sched.h"

#define NS_PER_MS UINT64_C(1000000)

void monitor_cpu_list(struct monitor_call *call)
{
	struct report *const report = monitor_report(call, REPORT_ROWS);

	for (uint32_t i = 0; i < cpu_count(); i++) {
		report_number(report, "cpu", i);
		report_text(report, "state", processors_is_online(i) ? "ONLINE" : "OFFLINE");
		report_number(report, "apic_id", cpus[i].apic_id);
		report_number(report, "busy_ms", sched_busy_ns(i) / NS_PER_MS);
		report_number(report, "ticks", __atomic_load_n(&cpus[i].ticks, __ATOMIC_RELAXED));
		report_number(report, "latest_us", cpus[i].late_ns / 1000);
		report_row(report);
	}
	monitor_answer(report);
}

static void change(struct monitor_call *call, const char *(*to)(uint32_t cpu))
{
	struct report *report;
	const char *failed;
	uint64_t number;

	if (!monitor_number(call, 0, UINT32_MAX, &number))
		return;
	failed = to((uint32_t)number);
	if (failed) {
		monitor_refuse(call, "cpu %lu: %s", number, failed);
		return;
	}
	if (!call->is_json) {
		kprintf("cpu %lu: %s\n", number,
		        processors_is_online((uint32_t)number) ? "ONLINE" : "OFFLINE");
		return;
	}
	report = monitor_report(call, REPORT_FIELDS);
	report_number(report, "cpu", number);
	report_bool(report, "online", processors_is_online((uint32_t)number));
	monitor_answer(report);
}

void monitor_cpu_offline(struct monitor_call *call)
{
	change(call, processors_offline);
}

void monitor_cpu_online(struct monitor_call *call)
{
	change(call, processors_online);
}
