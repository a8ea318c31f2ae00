/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One local APIC timer in one-shot mode serves the tick, the deadline of the vCPU that runs and
 * those of the tasks that sleep, whichever comes first.  A tick tells the library that the host
 * wants the CPU back; the vCPU's deadline only ends its run, so that its devices can look at the
 * time.
 */
#include "timer.h"

#include <libsvm/vcpu.h>

#include "apic.h"
#include "console.h"
#include "cpu.h"
#include "sched.h"
#include "time.h"
#include "x86.h"

#define NS_PER_S UINT64_C(1000000000)

/* Longer than the tick that is never further off; the hardware counts no longer at once. */
#define FAR_NS NS_PER_S

/*
 * Interrupts off.  A timer that comes sooner than it has to is left alone: its handler looks at the
 * time and programs it again.  So deadlines that move on cost nothing until it has come.
 *
 * now: the time if the caller has just read it, or 0.
 */
static void program(struct cpu *self, uint64_t now)
{
	const uint64_t tick = self->next_tick_ns, armed = self->armed_ns, sleep = self->sleep_ns;
	uint64_t next = tick < armed ? tick : armed;

	next = sleep < next ? sleep : next;
	if (next >= self->programmed_ns)
		return;
	if (!now)
		now = time_ns();
	if (next > now + FAR_NS)
		next = now + FAR_NS;
	self->programmed_ns = next;
	apic_timer_once(next > now ? next - now : 0);
}

void timer_start_ticks(uint32_t ticks_per_second)
{
	const uint64_t flags = interrupts_save();
	struct cpu *self = cpu_self();

	self->tick_ns = NS_PER_S / ticks_per_second;
	self->next_tick_ns = time_ns() + self->tick_ns;
	self->armed_ns = self->sleep_ns = self->programmed_ns = UINT64_MAX;
	apic_timer_start();
	program(self, 0);
	interrupts_restore(flags);
}

static __attribute__((noinline)) void arm(struct cpu *self, uint64_t deadline_ns)
{
	const uint64_t flags = interrupts_save();

	self->armed_ns = deadline_ns;
	program(self, 0);
	interrupts_restore(flags);
}

/* Beside this only the handler changes the deadline: it tells the vCPU, which arms it again. */
void timer_arm(uint64_t deadline_ns)
{
	struct cpu *self = cpu_self();

	if (__atomic_load_n(&self->armed_ns, __ATOMIC_RELAXED) != deadline_ns)
		arm(self, deadline_ns);
}

void timer_arm_sleep(uint64_t deadline_ns)
{
	const uint64_t flags = interrupts_save();
	struct cpu *self = cpu_self();

	if (deadline_ns < self->sleep_ns) {
		self->sleep_ns = deadline_ns;
		program(self, 0);
	}
	interrupts_restore(flags);
}

/*
 * The handler may come at any line of this: it stores only where there is 0, so the exchange takes
 * one tick or leaves one for the next time.
 */
uint64_t timer_answer(void)
{
	struct cpu *self = cpu_self();
	uint64_t due;

	if (!__atomic_load_n(&self->due_ns, __ATOMIC_RELAXED))
		return 0;
	due = __atomic_exchange_n(&self->due_ns, 0, __ATOMIC_RELAXED);
	return time_ns() - due;
}

/*
 * Who waits keeps nobody from the processor, and whoever comes to want it says so: most ticks pass
 * a sleeping guest by.  Not all, since a limit on its time is looked at between two runs.
 */
static void tell_of_tick(struct cpu *self, uint64_t due_ns)
{
	if (self->waits && self->ticks % TIMER_TICKS_SLEPT)
		return;
	if (!self->due_ns)
		__atomic_store_n(&self->due_ns, due_ns, __ATOMIC_RELAXED);
	self->waits = false;
	__atomic_store_n(&self->wanted, true, __ATOMIC_RELAXED);
	sched_disturb(self);
}

/* Ticks that were missed are not made up for: they say "now" and count no time. */
static void tick(struct cpu *self, uint64_t now)
{
	const uint64_t due_ns = self->next_tick_ns;

	if (now - due_ns > self->late_ns)
		self->late_ns = now - due_ns;
	self->next_tick_ns = now + self->tick_ns;
	__atomic_store_n(&self->ticks, self->ticks + 1, __ATOMIC_RELAXED);
	tell_of_tick(self, due_ns);
	if (self->index == 0)
		console_receive();
}

void timer_interrupt(struct cpu *self)
{
	const uint64_t now = time_ns();

	self->programmed_ns = UINT64_MAX;
	if (now >= self->armed_ns) {
		self->armed_ns = UINT64_MAX;
		/* It ends a guest's run; between two of them nobody would look at the time. */
		if (self->vcpu)
			svm_vcpu_notify(self->vcpu);
	}
	if (now >= self->sleep_ns)
		self->sleep_ns = sched_timer(self->index, now);
	if (now >= self->next_tick_ns)
		tick(self, now);
	program(self, now);
}
