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
#include "x86.h"

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

static bool is_parked(const struct guest *guest)
{
	return __atomic_load_n(&guest->is_parked, __ATOMIC_SEQ_CST);
}

bool guest_may_sleep(struct guest_cpu *cpu)
{
	sched_forget_wakes(&cpu->task);
	return !guest_is_ending(cpu->guest) && !is_parked(cpu->guest);
}

static enum sched_next end_in_time(struct guest_cpu *cpu)
{
	struct svm_regs regs;
	char text[96];

	svm_vcpu_get_regs(cpu->vcpu, &regs);
	format_text(text, sizeof(text), "still running after %lu ms, at rip %lx",
	            cpu->guest->limit_ms, regs.rip);
	return guest_end(cpu, GUEST_END_TIME, text);
}

/*
 * Whoever wants it to stop kicks it too.  That ends its turn, and if no interrupt did, the exit
 * does that says REQUEST: note_exit().
 */
static enum sched_next look(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;
	struct guest *guest = cpu->guest;

	if (guest_is_ending(guest))
		return SCHED_END;
	if (is_parked(guest)) {
		cpu->task.deadline_ns = UINT64_MAX;
		return SCHED_SLEEP;
	}
	if (!guest->limit_ms || time_ns() < end_of_time(guest))
		return SCHED_AGAIN;
	return end_in_time(cpu);
}

static void count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

/* Those of its own doing are kept; REQUEST and the host's interrupts say nothing about a guest. */
static void note_exit(struct guest_cpu *cpu, enum svm_exit_kind came)
{
	count(&cpu->exits[came], 1);
	if (came == SVM_EXIT_KIND_HOST_INTERRUPT || came == SVM_EXIT_KIND_REQUEST) {
		sched_disturb(cpu_self());
		return;
	}
	cpu->next_exit ^= 1;
	cpu->has_exit = true;
}

static __attribute__((noinline)) enum sched_next time_exit(struct guest_cpu *cpu,
                                                           const struct svm_exit *exit)
{
	const enum svm_exit_kind came = exit->kind;
	const uint64_t start = rdtsc();
	const enum sched_next next = cpu->guest->kind->on_exit(cpu, exit);

	count(&cpu->timed[came], 1);
	count(&cpu->cycles[came], rdtsc() - start);
	return next;
}

static enum sched_next turn(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;
	const struct guest_kind *kind = cpu->guest->kind;
	struct svm_exit *const exit = &cpu->exit[cpu->next_exit];
	int error;

	if (kind->before_run) {
		const enum sched_next next = kind->before_run(cpu);

		if (next != SCHED_AGAIN)
			return next;
	}
	error = svm_vcpu_run(cpu->vcpu, exit);
	if (error)
		return guest_fail(cpu->guest, "svm_vcpu_run", error);
	note_exit(cpu, exit->kind);
	if (__atomic_load_n(&cpu->is_timed, __ATOMIC_RELAXED))
		return time_exit(cpu, exit);
	return kind->on_exit(cpu, exit);
}

/*
 * What is loaded stays so between the turns of a slice.  If it cannot be, the run says why.  The
 * slice is said first and then looked whether it may be used; guest_park() does the reverse.
 */
static void load(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;

	__atomic_store_n(&cpu->in_slice, true, __ATOMIC_SEQ_CST);
	if (is_parked(cpu->guest))
		return;
	(void)!svm_vcpu_load(cpu->vcpu);
	__atomic_store_n(&cpu_self()->vcpu, cpu->vcpu, __ATOMIC_RELEASE);
}

static void put(struct sched_task *task)
{
	struct guest_cpu *cpu = (struct guest_cpu *)task;

	if (cpu_self()->vcpu) {
		__atomic_store_n(&cpu_self()->vcpu, NULL, __ATOMIC_RELEASE);
		timer_arm(UINT64_MAX);
		svm_vcpu_put(cpu->vcpu);
	}
	__atomic_store_n(&cpu->in_slice, false, __ATOMIC_SEQ_CST);
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

/* A tick in TIMER_TICKS_SLEPT ends this, for a limit on the guest's time; others kick. */
static bool wait_in_run(void *arg, struct svm_vcpu *vcpu)
{
	(void)arg;
	(void)vcpu;
	return sched_wait();
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
		.look = look,
		.on_slice = load,
		.on_slice_end = put,
		.on_end = leave,
		.affinity = guest->affinity[id],
	};
	svm_vcpu_set_wake(cpu->vcpu, wake, &cpu->task);
	svm_vcpu_set_idle(cpu->vcpu, wait_in_run, NULL);
	svm_vcpu_set_exit_handler(cpu->vcpu, guest->kind->answer, cpu);
	return 0;
}

/* --- from outside ---------------------------------------------------------------------------- */

/* A slice that began before this comes to its end: the kick sticks, and behind it is a look. */
void guest_park(struct guest *guest)
{
	__atomic_store_n(&guest->is_parked, true, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < guest->cpu_count; i++)
		svm_vcpu_kick(guest->cpus[i].vcpu);
	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		while (__atomic_load_n(&guest->cpus[i].in_slice, __ATOMIC_SEQ_CST))
			cpu_pause();
	}
}

void guest_unpark(struct guest *guest)
{
	__atomic_store_n(&guest->is_parked, false, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < guest->cpu_count; i++)
		sched_wake(&guest->cpus[i].task);
}

uint32_t guest_stranded(const struct guest *guest, uint64_t processors)
{
	uint32_t vcpu = 0;

	while (vcpu < guest->cpu_count && guest->affinity[vcpu] & processors)
		vcpu++;
	return vcpu;
}

void guest_pin(struct guest *guest, uint32_t vcpu, uint64_t affinity)
{
	guest->affinity[vcpu] = affinity;
	if (guest->vm)
		sched_set_affinity(&guest->cpus[vcpu].task, affinity);
}

/* One that has just ended by itself is still about to say so. */
void guest_halt(struct guest *guest)
{
	for (uint32_t i = 0; i < guest->cpu_count; i++) {
		if (sched_remove(&guest->cpus[i].task))
			__atomic_sub_fetch(&guest->running, 1, __ATOMIC_ACQ_REL);
	}
	while (__atomic_load_n(&guest->running, __ATOMIC_ACQUIRE))
		cpu_pause();
}
