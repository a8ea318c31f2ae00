/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A local APIC's timer, as one of the kernel's.
 *
 * It belongs to the vCPU and not to the CPU that the vCPU is on, and tells the vCPU when it
 * fires.  So it does not matter where the vCPU is by then, inside the guest, on its way there, in
 * user space or asleep: it looks at its APIC again.  The library's own way, a timer of each CPU
 * whose interrupt ends a run, would have to be armed anew by each run, would be missed by a run
 * that is about to enter, and a thread that sleeps would need another one.
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <asm/tsc.h>

#include "compat.h"
#include "guest_irq.h"

/* A deadline in ticks of the TSC by the VM's clock; one that is days away counts as never. */
static u64 tsc_to_ns(const struct svm_lapic_time *now, u64 deadline)
{
	const u64 ticks = deadline > now->tsc ? deadline - now->tsc : 0;

	if (ticks >> 51)
		return SVM_NEVER;
	return now->ns + mul_u64_u32_div(ticks, NSEC_PER_MSEC, tsc_khz) + 1;
}

static void arm(struct guest_vcpu *vcpu, u64 ns)
{
	struct hrtimer *const timer = &vcpu->timer;

	if (ns == vcpu->timer_ns && (ns == SVM_NEVER || hrtimer_is_queued(timer)))
		return;
	vcpu->timer_ns = ns;
	if (ns == SVM_NEVER)
		hrtimer_try_to_cancel(timer);
	else
		hrtimer_start(timer, ns_to_ktime(ns), HRTIMER_MODE_ABS_PINNED_HARD);
}

void guest_timer_follow(struct guest_apic *apic)
{
	const u64 tsc = svm_lapic_tsc_deadline(&apic->lapic);
	u64 ns = svm_lapic_deadline(&apic->lapic);

	if (tsc != SVM_NEVER || ns != SVM_NEVER) {
		const struct svm_lapic_time now = guest_irq_apic_time(apic);

		svm_lapic_advance(&apic->lapic, now);
		ns = svm_lapic_deadline(&apic->lapic);
		if (svm_lapic_tsc_deadline(&apic->lapic) != SVM_NEVER)
			ns = tsc_to_ns(&now, svm_lapic_tsc_deadline(&apic->lapic));
	}
	arm(apic->vcpu, ns == SVM_NEVER ? ns : min_t(u64, ns + apic->irq->start_ns, KTIME_MAX));
}

/* In an interrupt. */
static enum hrtimer_restart fired(struct hrtimer *timer)
{
	svm_vcpu_notify(container_of(timer, struct guest_vcpu, timer)->vcpu);
	return HRTIMER_NORESTART;
}

void guest_timer_init(struct guest_vcpu *vcpu)
{
	vcpu->timer_ns = SVM_NEVER;
	compat_hrtimer_init(&vcpu->timer, fired, HRTIMER_MODE_ABS_PINNED_HARD);
}

void guest_timer_stop(struct guest_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->timer);
}
