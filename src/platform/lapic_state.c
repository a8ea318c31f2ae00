/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Saving a local APIC, and taking a state over from whoever says that he saved one.
 *
 * A state is refused unless a guest could have brought about every member by itself: then nothing
 * behind restore needs to be asked again, and saving what was restored gives the same bytes.
 *
 * One state is taken that no guest can reach: LINT0 open for the 8259 in an APIC that is disabled
 * by software.  VMMs that stand in for firmware leave it, for guests that look for no APIC.
 */
#include "lapic.h"

void svm_lapic_save(struct svm_lapic *lapic, struct svm_lapic_state *state,
                    struct svm_lapic_time now)
{
	svm_lapic_advance(lapic, now);
	memset(state, 0, sizeof(*state));
	state->base = lapic->base;
	state->id = lapic->config.id;
	state->tpr = lapic->tpr;
	state->ldr = lapic->ldr;
	state->dfr = lapic->dfr;
	state->svr = lapic->svr;
	state->esr = lapic->esr;
	state->errors = svm_atomic_load(&lapic->errors);
	state->icr_low = lapic->icr_low;
	state->icr_high = lapic->icr_high;
	state->initial_count = lapic->initial_count;
	state->divide = lapic->divide;
	for (unsigned i = 0; i < 8; i++) {
		state->isr[i] = lapic->isr[i];
		state->tmr[i] = svm_atomic_load(&lapic->tmr[i]);
		state->irr[i] = svm_atomic_load(&lapic->irr[i]);
	}
	for (unsigned i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		state->lvt[i] = svm_atomic_load(&lapic->lvt[i]);
	state->requests = svm_atomic_load(&lapic->requests);
	state->startup_vector = svm_atomic_load(&lapic->startup_vector);
	state->lines = svm_atomic_load(&lapic->lines);
	state->lint_busy = svm_atomic_load(&lapic->lint_busy);
	state->tsc_deadline = lapic->tsc_deadline;
	state->is_counting = lapic->is_counting;
	state->remaining_ns = lapic->is_counting ? lapic->expiry_ns - now.ns : 0;
}

static bool lapic_mode_is_possible(const struct svm_lapic *lapic,
                                   const struct svm_lapic_state *state)
{
	const bool is_x2apic = state->base & APIC_BASE_X2APIC;

	if (!svm_lapic_base_is_legal(lapic, state->base) || state->id != lapic->config.id)
		return false;
	if (is_x2apic)
		return (state->base & APIC_BASE_ENABLE) &&
		       state->ldr == svm_lapic_x2apic_ldr(state->id);
	return !((state->ldr | state->icr_high) & ~APIC_TOP_BYTE);
}

static bool lapic_registers_are_possible(const struct svm_lapic_state *state)
{
	const uint32_t low_vectors = (state->isr[0] | state->tmr[0] | state->irr[0]) & 0xffff;

	return state->tpr <= 0xff && (state->dfr & APIC_DFR_FIXED) == APIC_DFR_FIXED &&
	       !(state->svr & ~APIC_SVR_BITS) && !((state->esr | state->errors) & ~APIC_ESR_ALL) &&
	       !(state->icr_low & ~APIC_ICR_BITS) && !(state->divide & ~APIC_DIVIDE_BITS) &&
	       !low_vectors && !(state->requests & ~(uint32_t)SVM_LAPIC_REQUEST_ALL) &&
	       state->startup_vector <= 0xff && state->lines < 1u << LAPIC_PINS &&
	       state->lint_busy < 1u << LAPIC_PINS && state->is_counting <= 1;
}

static bool passes_8259(const struct svm_lapic_state *state, unsigned entry)
{
	return entry == SVM_LAPIC_LVT_LINT0 &&
	       svm_bits_get(state->lvt[entry], APIC_LVT_MODE) == SVM_APIC_EXTINT;
}

static bool lapic_lvt_is_possible(const struct svm_lapic *lapic,
                                  const struct svm_lapic_state *state)
{
	const uint32_t must = state->svr & APIC_SVR_ENABLE ? 0 : APIC_LVT_MASKED;

	for (unsigned i = 0; i < SVM_LAPIC_LVT_COUNT; i++) {
		if (state->lvt[i] & ~svm_lapic_lvt_mask(lapic, (enum svm_lapic_lvt)i))
			return false;
		if ((state->lvt[i] & must) != must && !passes_8259(state, i))
			return false;
	}
	return true;
}

static bool lapic_timer_is_possible(const struct svm_lapic_state *state)
{
	const uint64_t mode = svm_bits_get(state->lvt[SVM_LAPIC_LVT_TIMER], APIC_LVT_TIMER);
	const uint64_t whole = ((uint64_t)state->initial_count * SVM_LAPIC_NS_PER_COUNT)
	                       << svm_lapic_timer_shift(state->divide);

	if (state->tsc_deadline && mode != LAPIC_TSC_DEADLINE)
		return false;
	if (!state->is_counting)
		return !state->remaining_ns;
	return mode < LAPIC_TSC_DEADLINE && state->remaining_ns && state->remaining_ns <= whole;
}

int svm_lapic_restore(struct svm_lapic *lapic, const struct svm_lapic_state *state,
                      struct svm_lapic_time now)
{
	if (!lapic_mode_is_possible(lapic, state) || !lapic_registers_are_possible(state) ||
	    !lapic_lvt_is_possible(lapic, state) || !lapic_timer_is_possible(state))
		return SVM_ERR_INVAL;
	svm_lapic_put_base(lapic, state->base);
	lapic->tpr = state->tpr;
	lapic->ldr = state->ldr;
	lapic->dfr = state->dfr;
	lapic->svr = state->svr;
	lapic->esr = state->esr;
	lapic->errors = state->errors;
	lapic->icr_low = state->icr_low;
	lapic->icr_high = state->icr_high;
	lapic->initial_count = state->initial_count;
	lapic->divide = state->divide;
	lapic->isr_words = lapic->irr_words = 0;
	for (unsigned i = 0; i < 8; i++) {
		lapic->isr[i] = state->isr[i];
		lapic->tmr[i] = state->tmr[i];
		lapic->irr[i] = state->irr[i];
		lapic->isr_words |= (uint32_t)!!state->isr[i] << i;
		lapic->irr_words |= (uint32_t)!!state->irr[i] << i;
	}
	for (unsigned i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		lapic->lvt[i] = state->lvt[i];
	lapic->requests = state->requests;
	lapic->startup_vector = state->startup_vector;
	lapic->lines = state->lines;
	lapic->lint_busy = state->lint_busy;
	lapic->tsc_deadline = state->tsc_deadline;
	lapic->is_counting = state->is_counting;
	lapic->expiry_ns = state->is_counting ? now.ns + state->remaining_ns : 0;
	lapic->not_before = 0;
	svm_lapic_update_ppr(lapic);
	return 0;
}
