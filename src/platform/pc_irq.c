/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a device's wire to a vCPU, and the interrupt port that the run loop pulls.
 *
 * An ISA interrupt goes to the 8259 pair and to the I/O APIC at once, as on every PC: the guest
 * masks the one that it does not use.  The 8259's output is the INTR line, which reaches each local
 * APIC as LINT0; only the boot processor's has it connected.
 */
#include "platform/pc.h"

#include "core/vcpu/exits.h"
#include "platform/lapic.h"

/* Under the lock. */
void svm_pc_set_irq(void *arg, unsigned irq, bool level)
{
	struct svm_pc *pc = arg;

	if (irq < PC_ISA_IRQS)
		svm_pic_set_line(&pc->pic, irq, level);
	if (pc->config.devices & SVM_PC_APIC)
		svm_ioapic_set_line(&pc->ioapic, irq == PC_IRQ_TIMER ? PC_TIMER_PIN : irq, level);
}

void svm_pc_pic_output(void *arg, unsigned line, bool level)
{
	struct svm_pc *pc = arg;

	(void)line;
	svm_lapic_set_lint(&pc->cpu[0].lapic, 0, level);
	if (pc->config.devices & SVM_PC_APIC)
		svm_ioapic_set_line(&pc->ioapic, PC_PIC_PIN, level);
}

bool svm_pc_send(void *arg, const struct svm_apic_message *message)
{
	struct svm_pc *pc = arg;

	return svm_apic_bus_send(&pc->bus, message);
}

void svm_pc_interrupt(void *arg, uint32_t vcpu, uint8_t vector)
{
	const struct svm_apic_message message = {
		.destination = vcpu,
		.vector = vector,
		.mode = SVM_APIC_FIXED,
		.is_wide = true,
		.is_assert = true,
	};

	(void)svm_pc_send(arg, &message);
}

/* The owner of an APIC calls these, without the lock. */
bool svm_pc_cpu_send(void *arg, const struct svm_apic_message *message)
{
	const struct pc_cpu *cpu = arg;

	return svm_pc_send(cpu->pc, message);
}

void svm_pc_cpu_eoi(void *arg, uint8_t vector)
{
	const struct pc_cpu *cpu = arg;

	(void)svm_pc_enter(cpu->pc);
	svm_ioapic_eoi(&cpu->pc->ioapic, vector);
	svm_pc_leave(cpu->pc);
}

/* An NMI goes on at once: a guest halted with IF = 0 has nobody ask the port for interrupts. */
void svm_pc_lapic_wake(void *arg)
{
	struct pc_cpu *cpu = arg;
	const uint32_t nmi = SVM_LAPIC_REQUEST_NMI;

	if (!cpu->vcpu)
		return;
	if ((svm_atomic_load(&cpu->lapic.requests) & nmi) &&
	    (svm_atomic_and(&cpu->lapic.requests, ~nmi) & nmi))
		svm_vcpu_inject_nmi(cpu->vcpu);
	svm_vcpu_notify(cpu->vcpu);
}

/* --- the port -------------------------------------------------------------------------------- */

/*
 * INIT and start-up change the vCPU's state, which its thread does between two runs.  An INIT makes
 * void what came before it.  There is no system management mode for an SMI to enter.
 */
void svm_pc_take_requests(struct pc_cpu *cpu)
{
	const uint32_t later = SVM_LAPIC_REQUEST_INIT | SVM_LAPIC_REQUEST_STARTUP;
	uint8_t vector = 0;
	const uint32_t requests = svm_lapic_take_requests(&cpu->lapic, &vector);

	if (requests & SVM_LAPIC_REQUEST_NMI)
		svm_vcpu_inject_nmi(cpu->vcpu);
	if (requests & SVM_LAPIC_REQUEST_EXTINT)
		cpu->extint_requested = true;
	if (requests & SVM_LAPIC_REQUEST_STARTUP)
		cpu->startup_vector = vector;
	cpu->startup = requests & SVM_LAPIC_REQUEST_INIT ? requests & later
	                                                 : cpu->startup | (requests & later);
}

static SVM_LONG_WAY void catch_up_lapic(struct pc_cpu *cpu)
{
	if (svm_lapic_deadline(&cpu->lapic) != SVM_NEVER ||
	    svm_lapic_tsc_deadline(&cpu->lapic) != SVM_NEVER)
		svm_lapic_advance_quietly(&cpu->lapic, svm_pc_lapic_time(cpu));
}

static SVM_LONG_WAY void catch_up_devices(struct svm_pc *pc, uint64_t deadline)
{
	if (deadline > svm_pc_now(pc))
		return;
	(void)svm_pc_enter(pc);
	svm_pc_leave(pc);
}

/* The boot processor's timer serves the machine's devices too.  Without a deadline no clock. */
static inline void catch_up(struct pc_cpu *cpu)
{
	struct svm_pc *pc = cpu->pc;
	const uint64_t deadline = svm_atomic_load_relaxed(&pc->deadline);

	if (svm_lapic_is_timing(&cpu->lapic))
		catch_up_lapic(cpu);
	if (deadline != SVM_NEVER && cpu == &pc->cpu[0])
		catch_up_devices(pc, deadline);
}

/*
 * A guest that ended its interrupt in memory (paravirt.h) has told nobody.  What waits behind that
 * interrupt was posted to an APIC that wakes its vCPU, so its thread comes here before the guest
 * goes on.
 */
void svm_pc_take_eoi(struct pc_cpu *cpu)
{
	if (cpu->paravirt.eoi_offered &&
	    svm_paravirt_take_eoi(&cpu->pc->paravirt, &cpu->paravirt))
		svm_lapic_eoi(&cpu->lapic);
}

/* With nothing waiting an offer may stay, or be made. */
static SVM_LONG_WAY void renew_eoi(struct pc_cpu *cpu)
{
	const struct svm_paravirt *pv = &cpu->pc->paravirt;

	if (!svm_lapic_may_end_late(&cpu->lapic))
		svm_pc_take_eoi(cpu);
	else if (!cpu->paravirt.eoi_offered)
		(void)svm_paravirt_offer_eoi(pv, &cpu->paravirt);
	else if (svm_paravirt_look_for_eoi(pv, &cpu->paravirt))
		svm_lapic_eoi(&cpu->lapic);
}

/* Nothing but the APIC itself has a say, and nothing is to be done before it is asked. */
static inline bool is_quiet_cpu(const struct pc_cpu *cpu)
{
	return !(svm_atomic_load_relaxed(&cpu->lapic.requests) | cpu->startup |
	         svm_atomic_load(&cpu->lapic.lines) | cpu->extint_requested) &&
	       !svm_lapic_is_timing(&cpu->lapic) && !cpu->paravirt.eoi &&
	       svm_atomic_load_relaxed(&cpu->pc->deadline) == SVM_NEVER;
}

static SVM_LONG_WAY int find_pending(struct pc_cpu *cpu, uint8_t tpr)
{
	if (svm_atomic_load_relaxed(&cpu->lapic.requests))
		svm_pc_take_requests(cpu);
	if (cpu->startup)
		svm_vcpu_kick(cpu->vcpu);
	catch_up(cpu);
	if (cpu->paravirt.eoi)
		renew_eoi(cpu);
	cpu->extint = cpu->extint_requested || (svm_atomic_load(&cpu->lapic.lines) &&
	                                        svm_lapic_wants_extint(&cpu->lapic));
	/* Of the 8259's the vector is known when it is acknowledged. */
	return cpu->extint ? 0 : svm_lapic_pending(&cpu->lapic, tpr);
}

static int pc_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct pc_cpu *cpu = arg;

	(void)vcpu;
	if (!is_quiet_cpu(cpu))
		return find_pending(cpu, tpr);
	cpu->extint = false;
	return svm_lapic_pending(&cpu->lapic, tpr);
}

static uint8_t pc_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	struct pc_cpu *cpu = arg;

	(void)vcpu;
	if (!cpu->extint) {
		svm_lapic_accept(&cpu->lapic, vector);
		return vector;
	}
	cpu->extint_requested = false;
	(void)svm_pc_enter(cpu->pc);
	vector = svm_pic_acknowledge(&cpu->pc->pic);
	svm_pc_leave(cpu->pc);
	return vector;
}

static void pc_tpr_changed(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct pc_cpu *cpu = arg;

	(void)vcpu;
	/* An equal one came from the register, whose low bits CR8 does not have. */
	if (svm_lapic_get_tpr(&cpu->lapic) != tpr)
		svm_lapic_set_tpr(&cpu->lapic, tpr);
}

static inline uint64_t on_host_clock(const struct svm_pc *pc, uint64_t deadline)
{
	return deadline == SVM_NEVER ? UINT64_MAX : deadline + pc->start_ns;
}

static uint64_t pc_deadline(void *arg, struct svm_vcpu *vcpu)
{
	struct pc_cpu *cpu = arg;
	const struct svm_pc *pc = cpu->pc;
	const uint64_t devices = cpu == &pc->cpu[0] ? svm_atomic_load_relaxed(&pc->deadline)
	                                            : SVM_NEVER;

	(void)vcpu;
	if (!svm_lapic_is_timing(&cpu->lapic))
		return on_host_clock(pc, devices);
	return on_host_clock(pc, svm_min(devices, svm_pc_lapic_deadline(cpu)));
}

const struct svm_irq_port svm_pc_irq_port = {
	.pending = pc_pending,
	.accept = pc_accept,
	.tpr_changed = pc_tpr_changed,
	.deadline = pc_deadline,
};
