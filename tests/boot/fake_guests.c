/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What guest_life.c and the monitor call, as far as it needs a machine or the library. */
#include "fake_guests.h"

#include <check.h>
#include <string.h>

#include "../../ports/baremetal/configured.h"
#include "../../ports/baremetal/cpu.h"
#include "../../ports/baremetal/frames.h"
#include "../../ports/baremetal/guests.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/processors.h"
#include "../../ports/baremetal/words.h"

#define MIB UINT64_C(0x100000)

struct guest guest[GUESTS];
unsigned int guest_count;
char steps[256], defined[2048];
bool make_fails, pause_fails;
uint64_t free_frames = 1000;
struct cpu cpus[CPU_MAX];

static enum svm_vm_state vm_state[GUESTS];
static bool is_offline[2];

static void step(char letter)
{
	const size_t used = strlen(steps);

	ck_assert_uint_lt(used + 1, sizeof(steps));
	steps[used] = letter;
	steps[used + 1] = '\0';
}

void expect_steps(const char *wanted)
{
	ck_assert_str_eq(steps, wanted);
	steps[0] = '\0';
}

/* --- guest.c and guest_cpu.c ----------------------------------------------------------------- */

bool guest_make(struct guest *which)
{
	step(make_fails ? 'm' : 'M');
	if (make_fails)
		return false;
	which->is_ending = which->is_parked = which->was_started = false;
	which->running = 0;
	which->ending[0] = '\0';
	which->vm = (struct svm_vm *)&vm_state[which - guest];
	vm_state[which - guest] = SVM_VM_CREATED;
	which->console.name = which->name;
	which->console.is_leaving = false;
	console_register(&which->console);
	return true;
}

void guest_start(struct guest *which)
{
	step('S');
	which->was_started = true;
	which->running = which->cpu_count;
	which->start_ns = which->life.started_ns;
	vm_state[which - guest] = SVM_VM_RUNNING;
}

bool guest_has_ended(const struct guest *which)
{
	return which->is_ending && !which->running;
}

void guest_park(struct guest *which)
{
	step('P');
	ck_assert(!which->is_parked || guest_state(which) == GUEST_PAUSED);
	which->is_parked = true;
}

void guest_unpark(struct guest *which)
{
	step('U');
	ck_assert(which->is_parked);
	which->is_parked = false;
}

void guest_pin(struct guest *which, uint32_t vcpu, uint64_t affinity)
{
	step('i');
	which->affinity[vcpu] = affinity;
}

void guest_halt(struct guest *which)
{
	step('H');
	ck_assert(which->is_parked);
	which->running = 0;
}

void guest_say_stopped(struct guest *which)
{
	if (which->was_started && !which->is_ending)
		end_guest(which, GUEST_END_EXIT, "stopped");
}

void guest_unmake(struct guest *which)
{
	step('D');
	ck_assert_uint_eq(which->running, 0);
	console_unregister(&which->console);
	which->vm = NULL;
}

enum guest_occasion guest_end_occasion(enum guest_end end)
{
	return end == GUEST_END_RESET          ? GUEST_ON_RESET
	       : end == GUEST_END_TRIPLE_FAULT ? GUEST_ON_CRASH
	       : end == GUEST_END_TIME         ? GUEST_OCCASION_COUNT
	                                       : GUEST_ON_POWER_OFF;
}

void end_guest(struct guest *which, enum guest_end end, const char *text)
{
	which->is_ending = true;
	which->running = 0;
	which->end = end;
	format_text(which->ending, sizeof(which->ending), "%s", text);
}

/* --- guests.c -------------------------------------------------------------------------------- */

static uint64_t memory(const struct guest *which)
{
	return 4 * MIB * (uint64_t)(1 + (which - guest));
}

void make_guests(void)
{
	static const struct guest_kind kind = { .memory = memory };

	for (unsigned int i = 0; i < GUESTS; i++) {
		if (guest[i].vm)
			console_unregister(&guest[i].console);
	}
	memset(guest, 0, sizeof(guest));
	for (unsigned int i = 0; i < GUESTS; i++) {
		guest[i].kind = &kind;
		guest[i].name[0] = (char)('a' + i);
		guest[i].cpu_count = 1 + i;
		for (uint32_t cpu = 0; cpu < guest[i].cpu_count; cpu++)
			guest[i].cpus[cpu].guest = &guest[i];
		for (uint32_t cpu = 0; cpu < GUEST_CPUS_MAX; cpu++)
			guest[i].affinity[cpu] = SCHED_ANYWHERE;
	}
	guest_count = 2;
	is_offline[0] = is_offline[1] = false;
}

struct guest *guests_at(unsigned int number)
{
	return number < guest_count ? &guest[number] : NULL;
}

struct guest *guests_find(const char *name)
{
	for (unsigned int i = 0; i < guest_count; i++) {
		if (words_equal(guest[i].name, name))
			return &guest[i];
	}
	return NULL;
}

void guests_look(void)
{
}

void guests_gone(struct guest *which)
{
	step('g');
	ck_assert_int_eq(guest_state(which), GUEST_ABSENT);
}

/* A definition is good if it names a kernel. */
struct guest *configured_define(const char *text, size_t size,
                                void (*complain)(void *arg, struct guest_config_place place,
                                                 const char *message),
                                void *arg)
{
	ck_assert_uint_lt(size, sizeof(defined));
	memcpy(defined, text, size);
	defined[size] = '\0';
	if (strstr(defined, "kernel="))
		return &guest[guest_count++];
	complain(arg, (struct guest_config_place){ .line = 2, .column = 3 }, "expected a kernel");
	complain(arg, (struct guest_config_place){ .line = 9, .column = 1 }, "a second complaint");
	return NULL;
}

/* --- the machine ----------------------------------------------------------------------------- */

size_t frames_free_count(void)
{
	return free_frames;
}

size_t frames_total_count(void)
{
	return 10000;
}

uint32_t cpu_count(void)
{
	return 2;
}

uint64_t sched_busy_ns(uint32_t cpu)
{
	return (cpu + 1) * UINT64_C(1000000000);
}

static const char *change_cpu(uint32_t cpu, bool to)
{
	if (cpu >= 2)
		return "there is no such processor";
	is_offline[cpu] = to;
	return NULL;
}

const char *processors_offline(uint32_t cpu)
{
	return change_cpu(cpu, true);
}

const char *processors_online(uint32_t cpu)
{
	return change_cpu(cpu, false);
}

uint64_t processors_online_set(void)
{
	return (is_offline[0] ? 0 : 1u) | (is_offline[1] ? 0 : 2u);
}

bool processors_is_online(uint32_t cpu)
{
	return !is_offline[cpu];
}

/* --- the library ----------------------------------------------------------------------------- */

enum svm_vm_state svm_vm_state(const struct svm_vm *vm)
{
	return *(const enum svm_vm_state *)vm;
}

const char *svm_vm_state_name(enum svm_vm_state state)
{
	return state == SVM_VM_PAUSED ? "PAUSED" : "another";
}

static int set_vm_state(struct svm_vm *vm, enum svm_vm_state state, char letter)
{
	step(letter);
	*(enum svm_vm_state *)vm = state;
	return 0;
}

int svm_vm_pause(struct svm_vm *vm)
{
	return pause_fails ? SVM_ERR_STATE : set_vm_state(vm, SVM_VM_PAUSED, 'p');
}

int svm_vm_resume(struct svm_vm *vm)
{
	return set_vm_state(vm, SVM_VM_RUNNING, 'r');
}

int svm_vm_stop(struct svm_vm *vm)
{
	return set_vm_state(vm, SVM_VM_STOPPED, 's');
}

void svm_vcpu_get_stats(const struct svm_vcpu *vcpu, struct svm_vcpu_stats *stats)
{
	(void)vcpu;
	*stats = (struct svm_vcpu_stats){ .entries = 100, .host_exits = 30 };
}

size_t svm_vcpu_get_exit_counts(const struct svm_vcpu *vcpu, struct svm_exit_count *rows,
                                size_t room)
{
	(void)vcpu;
	(void)room;
	rows[0] = (struct svm_exit_count){ SVM_EXIT_HLT, 4, 4, 3000 };
	rows[1] = (struct svm_exit_count){ .code = UINT64_MAX, .count = 1 };
	return 2;
}

size_t svm_recorder_read(const struct svm_vcpu *vcpu, uint64_t first, struct svm_record *records,
                         size_t room)
{
	(void)vcpu;
	(void)first;
	ck_assert_uint_ge(room, 64);
	records[0] = (struct svm_record){ 7, 0xabc, SVM_EXIT_HLT, 1, SVM_EXIT_KIND_HLT, 0, 0,
	                                  0x1000, 1, 2, 0, 0 };
	records[1] = (struct svm_record){ 8, 0xabd, 0x999, 0, 0, 1, 0,
	                                  0x1001, 0, 0, 0, 0x80000b0d };
	return 2;
}

void svm_recorder_describe(const struct svm_vcpu *vcpu, struct svm_recorder_header *header)
{
	(void)vcpu;
	*header = (struct svm_recorder_header){ .count = 63 };
}

size_t svm_recorder_text(const struct svm_recorder_header *header, char *buffer, size_t size)
{
	return format_text(buffer, size, "header of %u", header->count);
}

size_t svm_record_text(const struct svm_record *record, char *buffer, size_t size)
{
	return format_text(buffer, size, "record %lu", record->number);
}

int svm_vcpu_time_exits(struct svm_vcpu *vcpu, bool on)
{
	(void)vcpu;
	(void)on;
	return 0;
}

enum svm_vcpu_state svm_vcpu_state(const struct svm_vcpu *vcpu)
{
	(void)vcpu;
	return SVM_VCPU_HALTED;
}

const char *svm_vcpu_state_name(enum svm_vcpu_state state)
{
	return state == SVM_VCPU_HALTED ? "HALTED" : "another";
}

void svm_vcpu_get_regs(const struct svm_vcpu *vcpu, struct svm_regs *regs)
{
	(void)vcpu;
	*regs = (struct svm_regs){ .rip = 0xfff0, .r15 = UINT64_MAX };
}

void svm_vcpu_get_system(const struct svm_vcpu *vcpu, struct svm_system_regs *regs)
{
	(void)vcpu;
	*regs = (struct svm_system_regs){ .cr0 = 0x11, .cs = { .selector = 8, .limit = 0xffff } };
}

size_t svm_explain(const struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                   size_t size)
{
	(void)vcpu;
	return format_text(buffer, size, "exit at %lx\nsecond line", exit->rip);
}

size_t svm_explain_full(struct svm_vcpu *vcpu, const struct svm_exit *exit, char *buffer,
                        size_t size)
{
	(void)vcpu;
	return format_text(buffer, size, "all about %lx\n", exit->rip);
}

const char *svm_exit_name(uint64_t exit_code, char buffer[24])
{
	(void)buffer;
	return exit_code == SVM_EXIT_HLT ? "HLT" : NULL;
}

const char *svm_exit_kind_name(enum svm_exit_kind kind)
{
	return kind == SVM_EXIT_KIND_HLT ? "HLT" : kind == SVM_EXIT_KIND_IO ? "IO" : "another";
}
