/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest's virtual processors as tasks of the scheduler: a turn is one run of a vCPU and what its
 * exit asks for.
 */
#include "cpu.h"
#include "format.h"
#include "guest.h"
#include "guests.h"
#include "time.h"
#include "timer.h"

#define NS_PER_MS UINT64_C(1000000)

static uint64_t end_of_time(const struct guest *guest)
{
	return guest->limit_ms ? guest->start_ns + guest->limit_ms * NS_PER_MS : UINT64_MAX;
}

enum sched_next guest_sleep(struct guest_cpu *cpu, uint64_t deadline_ns)
{
	const uint64_t end = end_of_time(cpu->guest);

	cpu->task.deadline_ns = deadline_ns < end ? deadline_ns : end;
	return SCHED_SLEEP;
}

void guest_favour_another(struct guest_cpu *cpu)
{
	struct guest *guest = cpu->guest;

	for (uint32_t i = 1; i < guest->cpu_count; i++) {
		cpu->favoured = (cpu->favoured + 1) % guest->cpu_count;
		if (&guest->cpus[cpu->favoured] != cpu &&
		    sched_yield_to(&cpu->task, &guest->cpus[cpu->favoured].task))
			return;
	}
	sched_give_way();
}

/* SCHED_END: it has come to its end. */
static enum sched_next look_around(struct guest_cpu *cpu)
{
	struct guest *guest = cpu->guest;
	struct svm_regs regs;
	char text[96];

	if (guest_is_ending(guest))
		return SCHED_END;
	if (__atomic_load_n(&guest->is_stopped, __ATOMIC_RELAXED))
		return guest_end(cpu, "stopped", "by the monitor");
	if (time_ns() < end_of_time(guest))
		return SCHED_AGAIN;
	svm_vcpu_get_regs(cpu->vcpu, &regs);
	format_text(text, sizeof(text), "still running after %lu ms, at rip %lx", guest->limit_ms,
	            regs.rip);
	return guest_end(cpu, "time", text);
}

static enum sched_next turn(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;
	const struct guest_kind *kind = cpu->guest->kind;
	enum sched_next next = look_around(cpu);
	struct svm_exit exit;
	int error;

	if (next == SCHED_AGAIN && kind->before_run)
		next = kind->before_run(cpu);
	if (next != SCHED_AGAIN)
		return next;
	error = svm_vcpu_run(cpu->vcpu, &exit);
	if (error)
		return guest_fail(cpu->guest, "svm_vcpu_run", error);
	__atomic_store_n(&cpu->exits[exit.kind], cpu->exits[exit.kind] + 1, __ATOMIC_RELAXED);
	return kind->on_exit(cpu, &exit);
}

/* What is loaded stays so between the turns of a slice.  If it cannot be, the run says why. */
static void load(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;

	(void)!svm_vcpu_load(cpu->vcpu);
	__atomic_store_n(&cpu_self()->vcpu, cpu->vcpu, __ATOMIC_RELEASE);
}

static void put(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;

	__atomic_store_n(&cpu_self()->vcpu, NULL, __ATOMIC_RELEASE);
	timer_arm(UINT64_MAX);
	svm_vcpu_put(cpu->vcpu);
}

static void leave(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;

	__atomic_sub_fetch(&cpu->guest->running, 1, __ATOMIC_ACQ_REL);
	guests_look();
}

static void wake(void *arg, struct svm_vcpu *vcpu)
{
	(void)vcpu;
	sched_wake(arg);
}

int guest_add_cpu(struct guest *guest, uint32_t id)
{
	struct guest_cpu *cpu = &guest->cpus[id];
	const int error = svm_vcpu_create(guest->vm, id, &cpu->vcpu);

	if (error)
		return error;
	cpu->guest = guest;
	cpu->task = (struct sched_task){
		.turn = turn,
		.on_slice = load,
		.on_slice_end = put,
		.on_end = leave,
		.affinity = guest->affinity,
	};
	svm_vcpu_set_wake(cpu->vcpu, wake, &cpu->task);
	return 0;
}
