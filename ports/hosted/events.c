/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Physical events that the host itself takes: all of them wait for GIF = 1, an INTR also for
 * IF = 1 (APM vol. 2, 15.17).
 *
 * At that moment a host NMI would take its stack from TR and its per-CPU data from GS, so these
 * must be the host's own again: a guest's values here are the classic way to lose a machine.
 */
#include <string.h>

#include "model.h"

static void take(struct cpu *cpu, uint32_t event)
{
	if (memcmp(&cpu->vm, &cpu->home, sizeof(cpu->vm)) != 0)
		breach(cpu->m, HOSTED_BREACH_HOST_STATE,
		       "CPU %u takes a host event with another's FS, GS, TR, LDTR or syscall MSRs "
		       "(TR base 0x%llx, GS base 0x%llx)",
		       cpu->id, (unsigned long long)cpu->vm.tr.base,
		       (unsigned long long)cpu->vm.gs.base);
	__atomic_and_fetch(&cpu->pending, ~event, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&cpu->taken[__builtin_ctz(event)], 1, __ATOMIC_SEQ_CST);
	if (cpu->m->handler && !cpu->in_handler) {
		cpu->in_handler = true;
		cpu->m->handler(cpu->m->handler_arg, cpu->id, event);
		cpu->in_handler = false;
	}
}

void host_take_events(struct cpu *cpu)
{
	const uint32_t pending = atomic_get(&cpu->pending);

	if (!cpu->gif || !pending)
		return;
	for (uint32_t event = HOSTED_SMI; event >= HOSTED_INTR; event >>= 1)
		if ((pending & event) && (event != HOSTED_INTR || cpu->intr_flag))
			take(cpu, event);
}

void hosted_pend(struct hosted_machine *m, uint32_t cpu, uint32_t events)
{
	__atomic_or_fetch(&m->cpus[cpu].pending, events, __ATOMIC_SEQ_CST);
}

uint32_t hosted_pending(struct hosted_machine *m, uint32_t cpu)
{
	return atomic_get(&m->cpus[cpu].pending);
}

uint64_t hosted_taken(struct hosted_machine *m, uint32_t cpu, uint32_t event)
{
	return atomic_get(&m->cpus[cpu].taken[__builtin_ctz(event)]);
}
