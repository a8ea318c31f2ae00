/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Commands about the processors of guests.  Whatever reads more than counters parks the guest for
 * that moment, so that it is one state that is read.
 */
#include "console_terminal.h"
#include "cpu.h"
#include "guest.h"
#include "guests.h"
#include "kprintf.h"
#include "monitor_command.h"
#include "number_set.h"
#include "processors.h"

#define NS_PER_MS       UINT64_C(1000000)
#define EXPLANATION_MAX 16384

/* The guest and its processor that two words name; NULL: there is none, and it was said. */
static struct guest_cpu *find_cpu(const struct monitor_call *call)
{
	struct guest *const guest = monitor_guest(call, 0);
	uint64_t number;

	if (!guest || !monitor_number(call, 1, UINT32_MAX, &number))
		return NULL;
	if (guest_state(guest) == GUEST_ABSENT)
		monitor_refuse(call, "guest %s has no machine", guest->name);
	else if (number >= guest->cpu_count)
		monitor_refuse(call, "guest %s has processors 0 to %u", guest->name,
		               guest->cpu_count - 1);
	else
		return &guest->cpus[number];
	return NULL;
}

/* True: it has to be let go again. */
static bool hold(struct guest *guest)
{
	if (guest_state(guest) != GUEST_RUNNING)
		return false;
	guest_park(guest);
	return true;
}

/* --- list ---------------------------------------------------------------------------------- */

static void list_guest(struct report *report, const struct guest *guest)
{
	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		const struct guest_cpu *const cpu = &guest->cpus[i];
		char allowed[NUMBER_SET_TEXT_MAX];
		struct svm_vcpu_stats stats;

		svm_vcpu_get_stats(cpu->vcpu, &stats);
		number_set_write(guest->affinity[i], allowed);
		report_text(report, "vm", guest->name);
		report_number(report, "vcpu", i);
		report_text(report, "state", svm_vcpu_state_name(svm_vcpu_state(cpu->vcpu)));
		report_number(report, "cpu", __atomic_load_n(&cpu->task.cpu, __ATOMIC_RELAXED));
		report_text(report, "allowed", allowed);
		report_number(report, "ms", cpu->task.used_ns / NS_PER_MS);
		report_number(report, "slices", cpu->task.slices);
		report_number(report, "entries", stats.entries);
		report_number(report, "returns", stats.host_exits);
		report_number(report, "interrupts", stats.interrupts);
		report_number(report, "fills", stats.npt_fills);
		report_number(report, "injected", stats.injected);
		report_number(report, "asids", stats.asid_changes);
		report_number(report, "flushes", stats.flushes);
		report_row(report);
	}
}

void monitor_vcpu_list(struct monitor_call *call)
{
	const struct guest *const only = call->words.count ? monitor_guest(call, 0) : NULL;
	const struct guest *guest;
	struct report *report;

	if (call->words.count && !only)
		return;
	report = monitor_report(call, REPORT_ROWS);
	for (unsigned int i = 0; (guest = guests_at(i)) != NULL; i++) {
		if (guest_state(guest) != GUEST_ABSENT && (!only || guest == only))
			list_guest(report, guest);
	}
	monitor_answer(report);
}

/* --- where they run ------------------------------------------------------------------------ */

/* A set of numbers below `count`; false: it is none, and the usage was said. */
static bool take_set(const struct monitor_call *call, unsigned int word, uint32_t count,
                     uint64_t *set)
{
	const char *const text = call->words.word[word];
	size_t length = 0;

	while (text[length])
		length++;
	if (!number_set_read(text, length, count, set))
		return true;
	monitor_usage(call);
	return false;
}

static void pin(const struct monitor_call *call, struct guest *guest, uint64_t vcpus,
                uint64_t processors)
{
	struct report *report;

	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		if (vcpus >> i & 1)
			guest_pin(guest, i, processors);
	}
	if (!call->is_json) {
		kprintf("guest %s: vCPUs %s on %s\n", guest->name, call->words.word[1],
		        call->words.word[2]);
		return;
	}
	report = monitor_report(call, REPORT_FIELDS);
	report_text(report, "name", guest->name);
	report_text(report, "vcpus", call->words.word[1]);
	report_text(report, "allowed", call->words.word[2]);
	monitor_answer(report);
}

void monitor_vcpu_pin(struct monitor_call *call)
{
	struct guest *const guest = monitor_guest(call, 0);
	uint64_t vcpus, processors;

	if (!guest || !take_set(call, 1, GUEST_CPUS_MAX, &vcpus) ||
	    !take_set(call, 2, cpu_count(), &processors))
		return;
	if (vcpus != NUMBER_SET_ALL && vcpus >> guest->cpu_count)
		monitor_refuse(call, "guest %s has processors 0 to %u", guest->name,
		               guest->cpu_count - 1);
	else if (!(processors & processors_online_set()))
		monitor_refuse(call, "none of these processors is online");
	else
		pin(call, guest, vcpus, processors);
}

/* --- registers ----------------------------------------------------------------------------- */

static void report_regs(struct report *report, const struct svm_regs *regs)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "rip", regs->rip }, { "rflags", regs->rflags },
		{ "rax", regs->rax }, { "rbx", regs->rbx }, { "rcx", regs->rcx },
		{ "rdx", regs->rdx }, { "rsi", regs->rsi }, { "rdi", regs->rdi },
		{ "rbp", regs->rbp }, { "rsp", regs->rsp }, { "r8", regs->r8 },
		{ "r9", regs->r9 },   { "r10", regs->r10 }, { "r11", regs->r11 },
		{ "r12", regs->r12 }, { "r13", regs->r13 }, { "r14", regs->r14 },
		{ "r15", regs->r15 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_hex(report, rows[i].name, rows[i].value, 16);
}

static void report_segment(struct report *report, const char *name,
                           const struct svm_vmcb_segment *segment)
{
	char text[64];

	format_text(text, sizeof(text), "%04x base %016lx limit %08x attributes %03x",
	            segment->selector, segment->base, segment->limit, segment->attributes);
	report_text(report, name, text);
}

static void report_system(struct report *report, const struct svm_system_regs *system)
{
	report_hex(report, "cr0", system->cr0, 16);
	report_hex(report, "cr2", system->cr2, 16);
	report_hex(report, "cr3", system->cr3, 16);
	report_hex(report, "cr4", system->cr4, 16);
	report_hex(report, "cr8", system->cr8, 16);
	report_hex(report, "efer", system->efer, 16);
	report_number(report, "cpl", system->cpl);
	report_segment(report, "cs", &system->cs);
	report_segment(report, "ss", &system->ss);
	report_segment(report, "ds", &system->ds);
	report_segment(report, "es", &system->es);
	report_segment(report, "fs", &system->fs);
	report_segment(report, "gs", &system->gs);
	report_segment(report, "tr", &system->tr);
	report_segment(report, "ldtr", &system->ldtr);
	report_segment(report, "gdtr", &system->gdtr);
	report_segment(report, "idtr", &system->idtr);
}

void monitor_vcpu_regs(struct monitor_call *call)
{
	struct guest_cpu *const cpu = find_cpu(call);
	struct svm_system_regs system;
	struct report *report;
	struct svm_regs regs;
	const char *state;
	bool is_held;

	if (!cpu)
		return;
	is_held = hold(cpu->guest);
	svm_vcpu_get_regs(cpu->vcpu, &regs);
	svm_vcpu_get_system(cpu->vcpu, &system);
	state = svm_vcpu_state_name(svm_vcpu_state(cpu->vcpu));
	if (is_held)
		guest_unpark(cpu->guest);
	report = monitor_report(call, REPORT_FIELDS);
	report_text(report, "state", state);
	report_regs(report, &regs);
	report_system(report, &system);
	monitor_answer(report);
}

/* --- exits --------------------------------------------------------------------------------- */

static void explain(const struct guest_cpu *cpu, bool is_full, char *text, size_t size)
{
	const struct svm_exit *const exit = &cpu->exit[cpu->next_exit ^ 1];

	if (is_full)
		svm_explain_full(cpu->vcpu, exit, text, size);
	else
		svm_explain(cpu->vcpu, exit, text, size);
}

void monitor_vcpu_explain(struct monitor_call *call)
{
	static char text[EXPLANATION_MAX]; /* the keeper's alone */
	const bool is_full = words_take(&call->words, "-f");
	struct report *report;
	struct guest_cpu *cpu;
	bool is_held;

	if (call->words.count != 2) {
		monitor_usage(call);
		return;
	}
	cpu = find_cpu(call);
	if (!cpu)
		return;
	is_held = hold(cpu->guest);
	if (cpu->has_exit)
		explain(cpu, is_full, text, sizeof(text));
	if (is_held)
		guest_unpark(cpu->guest);
	if (!cpu->has_exit) {
		monitor_refuse(call, "no exit of its own has ended a run yet; "
		                     "trace has those that did not");
	} else if (call->is_json) {
		report = monitor_report(call, REPORT_FIELDS);
		report_text(report, "text", text);
		monitor_answer(report);
	} else {
		console_begin_answer();
		kprintf_lines("  ", text);
		console_end_answer();
	}
}

/* --- the flight recorder -------------------------------------------------------------------- */

/* All that a recorder of the usual size gives. */
#define RECORDS_MAX 64

static void report_record(struct report *report, const struct svm_record *record)
{
	char buffer[24];
	const char *const code = svm_exit_name(record->exit_code, buffer);

	report_number(report, "number", record->number);
	report_hex(report, "tsc", record->tsc, 1);
	report_text(report, "code", code ? code : "?");
	report_hex(report, "rip", record->rip, 1);
	report_hex(report, "info1", record->exit_info_1, 1);
	report_hex(report, "info2", record->exit_info_2, 1);
	report_text(report, "kind",
	            record->kind ? svm_exit_kind_name((enum svm_exit_kind)record->kind) : "-");
	report_hex(report, "event", record->event, 1);
	report_row(report);
}

/* As svm-trace reads it. */
static void dump_records(const struct svm_vcpu *vcpu, const struct svm_record *records,
                         size_t count)
{
	struct svm_recorder_header header;
	char line[SVM_RECORD_LINE];

	svm_recorder_describe(vcpu, &header);
	header.count = (uint32_t)count;
	svm_recorder_text(&header, line, sizeof(line));
	console_begin_answer();
	kprintf("%s\n", line);
	for (size_t i = 0; i < count; i++) {
		svm_record_text(&records[i], line, sizeof(line));
		kprintf("%s\n", line);
	}
	console_end_answer();
}

/* The guest runs on meanwhile. */
void monitor_trace(struct monitor_call *call)
{
	static struct svm_record records[RECORDS_MAX]; /* the keeper's alone */
	const bool is_dump = words_take(&call->words, "-d");
	const struct guest_cpu *cpu;
	struct report *report;
	size_t count;

	if (call->words.count != 2 || (is_dump && call->is_json)) {
		monitor_usage(call);
		return;
	}
	cpu = find_cpu(call);
	if (!cpu)
		return;
	count = svm_recorder_read(cpu->vcpu, 0, records, RECORDS_MAX);
	if (is_dump) {
		dump_records(cpu->vcpu, records, count);
		return;
	}
	report = monitor_report(call, REPORT_ROWS);
	for (size_t i = 0; i < count; i++)
		report_record(report, &records[i]);
	monitor_answer(report);
}
