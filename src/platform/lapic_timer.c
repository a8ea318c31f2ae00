/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The timer of a local APIC.  APM vol. 2, 16.4.1; the deadline mode as in the Intel SDM, vol. 3.
 *
 * Nothing counts here: a running timer is the time at which its count is 0, and the registers are
 * computed from that.  Whoever touches one of them first lets happen what is due (the caller of
 * every function below but the predicates has called svm_lapic_advance()), so that it does not
 * matter when the owner's own timer comes.
 *
 * A guest may choose a period of 1 ns.  Missed periods are made up for by one division, and the
 * deadline that the host sees keeps a distance to the last interrupt.
 */
#include "lapic.h"

enum lapic_timer_mode svm_lapic_timer_mode(const struct svm_lapic *lapic)
{
	return (enum lapic_timer_mode)svm_bits_get(svm_lapic_lvt(lapic, SVM_LAPIC_LVT_TIMER),
	                                           APIC_LVT_TIMER);
}

/* Bits 3, 1 and 0 of the divide register: by 2, 4, ... 128, and 111b by 1. */
unsigned svm_lapic_timer_shift(uint32_t divide)
{
	const unsigned code = (divide & 3) | (divide & 8) >> 1;

	return (code + 1) & 7;
}

static uint64_t counts_to_ns(const struct svm_lapic *lapic, uint32_t counts)
{
	return ((uint64_t)counts * SVM_LAPIC_NS_PER_COUNT) << svm_lapic_timer_shift(lapic->divide);
}

void svm_lapic_timer_stop(struct svm_lapic *lapic)
{
	lapic->is_counting = false;
	lapic->expiry_ns = 0;
	lapic->not_before = 0;
	lapic->tsc_deadline = 0;
}

/* --- what is due -------------------------------------------------------------------------- */

static bool deadline_is_due(struct svm_lapic *lapic, uint64_t tsc)
{
	if (!lapic->tsc_deadline || tsc < lapic->tsc_deadline)
		return false;
	lapic->tsc_deadline = 0;
	return true;
}

/* Of a period that is over. */
static void begin_period(struct svm_lapic *lapic, uint64_t ns)
{
	const uint64_t period = counts_to_ns(lapic, lapic->initial_count);

	lapic->is_counting = period != 0;
	if (!period)
		return;
	lapic->expiry_ns += ((ns - lapic->expiry_ns) / period + 1) * period;
	lapic->not_before = ns + SVM_LAPIC_PERIOD_MIN_NS;
}

static bool count_is_due(struct svm_lapic *lapic, enum lapic_timer_mode mode, uint64_t ns)
{
	if (!lapic->is_counting || ns < lapic->expiry_ns)
		return false;
	if (mode == LAPIC_PERIODIC)
		begin_period(lapic, ns);
	else
		lapic->is_counting = false;
	return true;
}

/* Happened, if it had to by now, but for the interrupt. */
static bool timer_is_due(struct svm_lapic *lapic, struct svm_lapic_time now)
{
	const enum lapic_timer_mode mode = svm_lapic_timer_mode(lapic);

	return mode >= LAPIC_TSC_DEADLINE ? deadline_is_due(lapic, now.tsc)
	                                  : count_is_due(lapic, mode, now.ns);
}

void svm_lapic_advance(struct svm_lapic *lapic, struct svm_lapic_time now)
{
	if (timer_is_due(lapic, now))
		svm_lapic_trigger(lapic, SVM_LAPIC_LVT_TIMER, false);
}

void svm_lapic_advance_quietly(struct svm_lapic *lapic, struct svm_lapic_time now)
{
	if (timer_is_due(lapic, now))
		svm_lapic_trigger_quietly(lapic, SVM_LAPIC_LVT_TIMER);
}

/* A masked timer runs on, but nobody needs to be woken for it. */
uint64_t svm_lapic_deadline(const struct svm_lapic *lapic)
{
	const bool is_masked = svm_lapic_lvt(lapic, SVM_LAPIC_LVT_TIMER) & APIC_LVT_MASKED;

	if (is_masked || !lapic->is_counting)
		return SVM_NEVER;
	if (svm_lapic_timer_mode(lapic) == LAPIC_PERIODIC && lapic->expiry_ns < lapic->not_before)
		return lapic->not_before;
	return lapic->expiry_ns;
}

uint64_t svm_lapic_tsc_deadline(const struct svm_lapic *lapic)
{
	const bool is_masked = svm_lapic_lvt(lapic, SVM_LAPIC_LVT_TIMER) & APIC_LVT_MASKED;

	return is_masked || !lapic->tsc_deadline ? SVM_NEVER : lapic->tsc_deadline;
}

/* --- registers ---------------------------------------------------------------------------- */

/* Between one-shot and periodic the count goes on; the deadline mode knows no count. */
void svm_lapic_timer_write_lvt(struct svm_lapic *lapic, uint32_t value)
{
	const enum lapic_timer_mode old = svm_lapic_timer_mode(lapic);
	enum lapic_timer_mode mode;

	svm_atomic_store_relaxed(&lapic->lvt[SVM_LAPIC_LVT_TIMER], value);
	mode = svm_lapic_timer_mode(lapic);
	if (old != mode && (old >= LAPIC_TSC_DEADLINE || mode >= LAPIC_TSC_DEADLINE))
		svm_lapic_timer_stop(lapic);
}

void svm_lapic_timer_write_initial(struct svm_lapic *lapic, uint32_t value,
                                   struct svm_lapic_time now)
{
	if (svm_lapic_timer_mode(lapic) >= LAPIC_TSC_DEADLINE)
		return;
	lapic->initial_count = value;
	lapic->is_counting = value != 0;
	lapic->expiry_ns = now.ns + counts_to_ns(lapic, value);
	lapic->not_before = 0;
}

uint32_t svm_lapic_timer_current(const struct svm_lapic *lapic, struct svm_lapic_time now)
{
	const unsigned shift = svm_lapic_timer_shift(lapic->divide);
	const uint64_t part = (UINT64_C(1) << shift) * SVM_LAPIC_NS_PER_COUNT - 1;

	if (!lapic->is_counting || now.ns >= lapic->expiry_ns)
		return 0;
	return (uint32_t)(((lapic->expiry_ns - now.ns + part) / SVM_LAPIC_NS_PER_COUNT) >> shift);
}

/* The count stays what it is and goes on at the new pace. */
void svm_lapic_timer_write_divide(struct svm_lapic *lapic, uint32_t value,
                                  struct svm_lapic_time now)
{
	const uint32_t count = svm_lapic_timer_current(lapic, now);

	lapic->divide = value;
	if (lapic->is_counting)
		lapic->expiry_ns = now.ns + counts_to_ns(lapic, count);
}

void svm_lapic_set_tsc_deadline(struct svm_lapic *lapic, uint64_t tsc, struct svm_lapic_time now)
{
	svm_lapic_advance(lapic, now);
	if (svm_lapic_timer_mode(lapic) == LAPIC_TSC_DEADLINE)
		lapic->tsc_deadline = tsc;
}

uint64_t svm_lapic_get_tsc_deadline(struct svm_lapic *lapic, struct svm_lapic_time now)
{
	svm_lapic_advance(lapic, now);
	return lapic->tsc_deadline;
}
