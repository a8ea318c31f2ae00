/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The VM's clock, and who wakes whom for it.
 *
 * Each device says when it will do something by itself.  The boot processor's vCPU looks after
 * those under the lock: its interrupt port names their earliest deadline, so the host's timer ends
 * its run in time.  A register access on another vCPU that makes that deadline earlier notifies it.
 */
#include "platform/pc.h"

#include "core/vcpu/exits.h"

uint64_t svm_pc_now(const struct svm_pc *pc)
{
	const uint64_t now = svm_host_clock_ns(pc->vm->host);

	/* Clocks of two CPUs may differ a little. */
	return (int64_t)(now - pc->start_ns) > 0 ? now - pc->start_ns : 0;
}

struct svm_lapic_time svm_pc_lapic_time(struct pc_cpu *cpu)
{
	const uint64_t ns = svm_pc_now(cpu->pc);

	/* The guest may set its TSC back: then it is the guest's own affair. */
	if (cpu->lapic.config.has_tsc_deadline)
		cpu->last.tsc = svm_ring0_rdtsc() +
		                (cpu->vcpu ? svm_vcpu_get_tsc_offset(cpu->vcpu) : 0);
	if (ns > cpu->last.ns)
		cpu->last.ns = ns;
	return cpu->last;
}

/* A deadline in ticks of the TSC, by the VM's clock; a far one counts as never. */
static uint64_t tsc_to_ns(struct pc_cpu *cpu, uint64_t deadline)
{
	const struct svm_lapic_time now = svm_pc_lapic_time(cpu);
	const uint64_t hz = cpu->pc->vm->host->hal.tsc_hz;
	const uint64_t ticks = deadline > now.tsc ? deadline - now.tsc : 0;

	if (ticks / hz > UINT32_MAX)
		return SVM_NEVER;
	return now.ns + ticks / hz * SVM_NS_PER_S + ticks % hz * SVM_NS_PER_S / hz + 1;
}

uint64_t svm_pc_lapic_deadline(struct pc_cpu *cpu)
{
	const uint64_t tsc = cpu->lapic.tsc_deadline ? svm_lapic_tsc_deadline(&cpu->lapic)
	                                             : SVM_NEVER;

	return tsc == SVM_NEVER ? svm_lapic_deadline(&cpu->lapic) : tsc_to_ns(cpu, tsc);
}

/* --- the lock -------------------------------------------------------------------------------- */

static uint64_t earliest(const struct svm_pc *pc)
{
	uint64_t deadline = svm_pit_deadline(&pc->pit);

	deadline = svm_min(deadline, svm_rtc_deadline(&pc->rtc));
	if (pc->config.devices & SVM_PC_ACPI)
		deadline = svm_min(deadline, svm_acpi_pm_deadline(&pc->pm));
	return deadline;
}

static void advance(struct svm_pc *pc, uint64_t now)
{
	svm_pit_advance(&pc->pit, now);
	svm_rtc_advance(&pc->rtc, now);
	if (pc->config.devices & SVM_PC_ACPI)
		svm_acpi_pm_advance(&pc->pm, now);
}

uint64_t svm_pc_enter(struct svm_pc *pc)
{
	uint64_t now;

	svm_pc_lock(pc);
	/* After the lock: a device's time never runs backwards. */
	now = svm_pc_now(pc);
	if (now < pc->last_ns)
		now = pc->last_ns;
	pc->last_ns = now;
	if (now >= pc->deadline)
		advance(pc, now);
	return now;
}

void svm_pc_leave(struct svm_pc *pc)
{
	const uint64_t deadline = earliest(pc);
	const bool is_other = deadline != pc->deadline;

	svm_atomic_store_relaxed(&pc->deadline, deadline);
	svm_pc_unlock(pc);
	if (is_other && pc->cpu[0].vcpu)
		svm_vcpu_notify(pc->cpu[0].vcpu);
}

/* Time may have come to a device while the lock was taken: then there is another deadline. */
void svm_pc_leave_early(struct svm_pc *pc)
{
	if (pc->last_ns >= pc->deadline)
		svm_pc_leave(pc);
	else
		svm_pc_unlock(pc);
}
