/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest between VMRUN and #VMEXIT: one instruction after the other, and between two of them
 * the events that wait, in the processor's order.  APM vol. 2, 8.5, 15.17, 15.20, 15.21.
 */
#include <sched.h>

#include "model.h"

static void inject(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;
	const uint64_t event = g->v->control.event_inj;
	const uint64_t type = svm_bits_get(event, SVM_EVENT_TYPE);
	const unsigned vector = (unsigned)svm_bits_get(event, SVM_EVENT_VECTOR);
	const bool is_soft = type == SVM_EVENT_TYPE_SOFT ||
	                     (type == SVM_EVENT_TYPE_EXCP &&
	                      (vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF));
	uint64_t rip = g->v->save.rip;

	/* An injected software event returns behind its instruction, which the monitor names. */
	if (is_soft && (cpu->f.svm_edx & SVM_FEATURE_NRIPS))
		rip = g->v->control.next_rip;
	if (type == SVM_EVENT_TYPE_NMI && (g->v->control._int_control & SVM_INT_V_NMI_ENABLE))
		g->v->control._int_control |= SVM_INT_V_NMI_MASK;
	guest_deliver(cpu, event & ~SVM_EVENT_RESERVED, rip);
}

static void end_machine(struct cpu *cpu, const char *what)
{
	breach(cpu->m, HOSTED_BREACH_MACHINE_LOST, "%s", what);
	guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
}

static bool interrupts_open(const struct cpu *cpu)
{
	const struct guest *g = &cpu->guest;

	return (g->v->save.rflags & RFLAGS_IF) && !(g->v->control.int_state & SVM_INT_STATE_SHADOW);
}

static bool take_physical(struct cpu *cpu)
{
	const uint32_t pending = atomic_get(&cpu->pending);
	const bool masking = cpu->guest.v->control._int_control & SVM_INT_V_MASKING;

	static const struct {
		uint32_t event;
		unsigned code;
		const char *lost;
	} rows[] = {
		{ HOSTED_INIT, SVM_EXIT_INIT, "an INIT reached the machine inside a guest" },
		{ HOSTED_SMI, SVM_EXIT_SMI, NULL },
		{ HOSTED_NMI, SVM_EXIT_NMI, "the guest took the host's NMI" },
		{ HOSTED_INTR, SVM_EXIT_INTR, "the guest took the host's interrupt" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(pending & rows[i].event))
			continue;
		if (rows[i].event == HOSTED_INTR &&
		    !(masking ? cpu->guest.host_if : interrupts_open(cpu)))
			continue;
		if (intercepted(cpu, rows[i].code)) {
			cpu->guest.next_rip = 0;
			guest_exit(cpu, rows[i].code,
			           rows[i].event == HOSTED_SMI ? UINT64_C(1) : POISON, POISON);
			return true;
		}
		if (rows[i].lost) {
			end_machine(cpu, rows[i].lost);
			return true;
		}
		/* SMM serves it and nobody sees. */
		__atomic_and_fetch(&cpu->pending, ~rows[i].event, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&cpu->taken[3], 1, __ATOMIC_SEQ_CST);
	}
	return false;
}

static bool take_virtual_nmi(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;
	uint64_t *control = &g->v->control._int_control;

	if (!(*control & SVM_INT_V_NMI_ENABLE) || !(*control & SVM_INT_V_NMI) ||
	    (*control & SVM_INT_V_NMI_MASK) || (g->v->control.int_state & SVM_INT_STATE_SHADOW))
		return false;
	*control = (*control & ~SVM_INT_V_NMI) | SVM_INT_V_NMI_MASK;
	guest_deliver(cpu,
	              SVM_EVENT_VALID | SVM_VECTOR_NMI |
	                      svm_bits_put(SVM_EVENT_TYPE_NMI, SVM_EVENT_TYPE),
	              g->v->save.rip);
	if (g->exiting && g->delivering)
		*control &= ~SVM_INT_V_NMI_MASK;
	return true;
}

static bool take_virtual_interrupt(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;
	uint64_t *control = &g->v->control._int_control;
	const uint64_t priority = svm_bits_get(*control, SVM_INT_V_PRIO);

	if (!(*control & SVM_INT_V_IRQ) || !interrupts_open(cpu))
		return false;
	if (!(*control & SVM_INT_V_IGN_TPR) && priority <= (*control & 15))
		return false;
	if (intercepted(cpu, SVM_EXIT_VINTR)) {
		g->next_rip = 0;
		guest_exit(cpu, SVM_EXIT_VINTR, POISON, POISON);
		return true;
	}
	*control &= ~SVM_INT_V_IRQ; /* Before the IDT is touched. */
	guest_deliver(cpu, SVM_EVENT_VALID | svm_bits_get(*control, SVM_INT_V_INTR_VECTOR),
	              g->v->save.rip);
	return true;
}

/* True: something happened, look again. */
static bool take_event(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;

	if (g->trap) {
		g->v->save._dr6 |= g->trap;
		g->trap = 0;
		guest_fault(cpu, SVM_VECTOR_DB, 0, 0);
		return true;
	}
	return take_physical(cpu) || take_virtual_nmi(cpu) || take_virtual_interrupt(cpu);
}

/* A breakpoint on execution faults, so RF is what gets past it.  13.1.3.1. */
static bool hit_breakpoint(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;
	const svm_gva_t base = guest_code_bits(cpu) == 64 ? 0 : g->v->save._cs.base;
	const uint64_t hits =
		g->v->save.rflags & RFLAGS_RF ? 0 : breakpoint_at(cpu, base + g->v->save.rip);

	if (!hits)
		return false;
	g->v->save._dr6 |= hits;
	guest_fault(cpu, SVM_VECTOR_DB, 0, 0);
	return true;
}

static void step(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;
	struct guest_insn insn;
	const bool traps = g->v->save.rflags & RFLAGS_TF;

	g->has_insn = false;
	g->insn_count = 0;
	g->next_rip = 0;
	if (hit_breakpoint(cpu))
		return;
	if (!guest_decode(cpu, &insn)) {
		if (!g->exiting && insn.count)
			guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return;
	}
	cpu->counts.instructions++;
	g->shadow_next = false;
	g->diverted = false;
	guest_execute(cpu, &insn);
	if (g->exiting || g->diverted) {
		g->trap = 0;
		return;
	}
	g->v->save.rflags &= ~RFLAGS_RF;
	if (g->shadow_next)
		g->v->control.int_state |= SVM_INT_STATE_SHADOW;
	else
		g->v->control.int_state &= ~SVM_INT_STATE_SHADOW;
	if (traps)
		g->trap |= DR6_BS;
}

void guest_run(struct cpu *cpu)
{
	struct guest *g = &cpu->guest;

	if (g->v->control.event_inj & SVM_EVENT_VALID)
		inject(cpu);
	while (!g->exiting) {
		if (take_event(cpu))
			continue;
		if (++g->steps > cpu->m->config.run_limit) {
			/* The host's timer: a guest that spins must be preemptible. */
			g->steps = 0;
			hosted_pend(cpu->m, cpu->id, HOSTED_INTR);
			if (!cpu->guest.host_if)
				end_machine(cpu, "the guest cannot be preempted: host IF = 0");
			continue;
		}
		if (g->halted)
			sched_yield();
		else
			step(cpu);
	}
}
