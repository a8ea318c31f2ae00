/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whatever a guest does ends at worst that guest, with one line that says how
 *
 *	guest NAME: ended: KEY: sentence
 *
 * and an explanation where one is to be had.  KEY is one of a fixed set, so that tests can judge.
 * The first of its processors that finds a reason says it; the others only leave.
 */
#include "guest.h"

#include "cmdline.h"
#include "frames.h"
#include "kprintf.h"
#include "memory.h"
#include "multiboot.h"
#include "processors.h"
#include "string.h"
#include "time.h"

#define NS_PER_MS            UINT64_C(1000000)
#define NS_PER_US            UINT64_C(1000)
#define EXPLANATION_MAX      1024
#define FULL_EXPLANATION_MAX 16384u
#define LAST_RECORDS         8u

/* --- how it ends ----------------------------------------------------------------------------- */

/* True: the caller is the first, and says why.  All processors leave at their next turn. */
static bool begin_to_end(struct guest *guest)
{
	if (__atomic_exchange_n(&guest->is_ending, true, __ATOMIC_ACQ_REL))
		return false;
	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		if (guest->cpus[i].vcpu)
			svm_vcpu_kick(guest->cpus[i].vcpu);
	}
	return true;
}

static const struct {
	const char *key;
	enum guest_occasion occasion;
} ends[] = {
#define ROW(name, key, occasion) { key, GUEST_##occasion },
	GUEST_ENDS(ROW)
#undef ROW
};

enum guest_occasion guest_end_occasion(enum guest_end end)
{
	return ends[end].occasion;
}

static void say_end(struct guest *guest, const char *key, const char *text)
{
	console_guest_flush(&guest->console);
	format_text(guest->ending, sizeof(guest->ending), "%s: %s", key, text);
	kprintf("guest %s: ended: %s: %s\n", guest->name, key, text);
}

enum svm_exit_after_interrupt guest_exit_after_interrupt(void)
{
	if (cmdline_has(boot_info.cmdline, "careful=1"))
		return SVM_EXIT_AFTER_ALWAYS;
	if (cmdline_has(boot_info.cmdline, "careful=0"))
		return SVM_EXIT_AFTER_NEVER;
	return SVM_EXIT_AFTER_IF_NEEDED;
}

enum sched_next guest_end(struct guest_cpu *cpu, enum guest_end end, const char *text)
{
	struct guest *guest = cpu->guest;

	if (begin_to_end(guest)) {
		guest->end = end;
		say_end(guest, ends[end].key, text);
	}
	return SCHED_END;
}

void guest_say_stopped(struct guest *guest)
{
	if (guest->was_started && begin_to_end(guest))
		say_end(guest, "stopped", "by the monitor");
}

void guest_explain(const struct guest_cpu *cpu, const struct svm_exit *exit)
{
	char text[EXPLANATION_MAX];

	svm_explain(cpu->vcpu, exit, text, sizeof(text));
	kprintf_lines("    ", text);
}

/* The last ones, as svm-trace reads them. */
static void print_records(const struct svm_vcpu *vcpu)
{
	struct svm_record records[LAST_RECORDS];
	struct svm_recorder_header header;
	char line[SVM_RECORD_LINE];
	uint64_t first;
	size_t count;

	svm_recorder_describe(vcpu, &header);
	first = header.recorded > LAST_RECORDS ? header.recorded - LAST_RECORDS : 0;
	count = svm_recorder_read(vcpu, first, records, LAST_RECORDS);
	for (size_t i = 0; i < count; i++) {
		svm_record_text(&records[i], line, sizeof(line));
		kprintf("    %s\n", line);
	}
}

/* All that is known: too much for a stack.  Without frames for it the short form has to do. */
static void explain_fully(const struct guest_cpu *cpu, const struct svm_exit *exit)
{
	const size_t frames = FULL_EXPLANATION_MAX / PAGE_SIZE;
	uint64_t pa;
	char *text = frames_alloc(frames, PAGE_SIZE, &pa);

	if (!text) {
		guest_explain(cpu, exit);
		return;
	}
	svm_explain_full(cpu->vcpu, exit, text, FULL_EXPLANATION_MAX);
	kprintf_lines("    ", text);
	frames_free(pa, frames);
	print_records(cpu->vcpu);
}

static void print_findings(const struct svm_exit *exit)
{
	for (unsigned int i = 0; i < exit->entry.count && i < SVM_EXIT_FINDINGS; i++) {
		const struct svm_rule_info *info =
			svm_rule_info((enum svm_rule)exit->entry.rules[i]);

		if (info)
			kprintf("    %s (APM vol. 2, %s): %s\n", info->id, info->section,
			        info->text);
	}
}

enum sched_next guest_end_explained(struct guest_cpu *cpu, const struct svm_exit *exit,
                                    enum guest_end end, const char *text)
{
	struct guest *guest = cpu->guest;

	if (!begin_to_end(guest))
		return SCHED_END;
	guest->end = end;
	say_end(guest, ends[end].key, text);
	if (cmdline_has(boot_info.cmdline, "explain=full"))
		explain_fully(cpu, exit);
	else
		guest_explain(cpu, exit);
	if (exit->kind == SVM_EXIT_KIND_ENTRY_FAILED)
		print_findings(exit);
	return SCHED_END;
}

enum sched_next guest_fail(struct guest *guest, const char *what, int error)
{
	(void)begin_to_end(guest);
	console_guest_flush(&guest->console);
	kprintf("%sguest %s: host failed: %s: %s (%s)%s\n", color_bad(), guest->name, what,
	        svm_error_name(error), svm_strerror(error), color_off());
	guest->host_failed = true;
	return SCHED_END;
}

enum sched_next guest_refill(struct guest_cpu *cpu)
{
	const int error = svm_vm_reserve(cpu->guest->vm, 0);

	return error ? guest_fail(cpu->guest, "refilling the reserve of table frames", error)
	             : SCHED_AGAIN;
}

/* --- its life -------------------------------------------------------------------------------- */

/* It would wait for a processor to come back, and nobody would know why. */
static bool can_run(const struct guest *guest)
{
	const uint32_t vcpu = guest_stranded(guest, processors_online_set());

	if (vcpu == guest->cpu_count)
		return true;
	kprintf("guest %s: refused: PROCESSORS: none on which vCPU %u may run is online\n",
	        guest->name, vcpu);
	return false;
}

bool guest_make(struct guest *guest)
{
	memset(guest->cpus, 0, sizeof(guest->cpus));
	guest->vm = NULL;
	guest->is_ending = guest->is_parked = guest->was_started = false;
	guest->running = 0;
	guest->ending[0] = '\0';
	if (!can_run(guest))
		return false;
	if (!guest->kind->make(guest)) {
		guest->kind->unmake(guest);
		return false;
	}
	guest->console.name = guest->name;
	guest->console.arg = guest;
	guest->console.is_leaving = false;
	console_register(&guest->console);
	return true;
}

void guest_start(struct guest *guest)
{
	guest->start_ns = time_ns();
	guest->was_started = true;
	__atomic_store_n(&guest->running, guest->cpu_count, __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < guest->cpu_count; i++)
		sched_add(&guest->cpus[i].task);
}

bool guest_has_ended(const struct guest *guest)
{
	return guest_is_ending(guest) && !__atomic_load_n(&guest->running, __ATOMIC_ACQUIRE);
}

/* What it did to its host, and how well the host bore it. */
static void give_account(const struct guest *guest)
{
	uint64_t used = 0, slices = 0, exits = 0, injected = 0, held_ns = 0;

	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		const struct sched_task *task = &guest->cpus[i].task;
		struct svm_vcpu_stats stats;

		svm_vcpu_get_stats(guest->cpus[i].vcpu, &stats);
		exits += stats.entries - stats.interrupts;
		injected += stats.injected;
		used += task->used_ns;
		slices += task->slices;
		held_ns = task->held_ns > held_ns ? task->held_ns : held_ns;
	}
	kprintf("guest %s: used %lu ms of processor time in %lu slices\n", guest->name,
	        used / NS_PER_MS, slices);
	kprintf("guest %s: %lu exits, %lu events injected; a tick waited for it at most %lu us\n",
	        guest->name, exits, injected, held_ns / NS_PER_US);
}

void guest_unmake(struct guest *guest)
{
	console_unregister(&guest->console);
	if (guest->was_started)
		give_account(guest);
	guest->kind->unmake(guest);
}

/* Undoing must not fail: nothing of the guest is running any more. */
void guest_destroy_cpus(struct guest *guest)
{
	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		struct guest_cpu *cpu = &guest->cpus[i];
		const int error = cpu->vcpu ? svm_vcpu_destroy(cpu->vcpu) : 0;

		cpu->vcpu = NULL;
		if (error)
			(void)guest_fail(guest, "svm_vcpu_destroy", error);
	}
}

void guest_destroy_vm(struct guest *guest)
{
	int error = 0;

	guest_destroy_cpus(guest);
	if (guest->vm)
		error = svm_vm_destroy(guest->vm);
	guest->vm = NULL;
	if (error)
		(void)guest_fail(guest, "svm_vm_destroy", error);
}
