/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * 8254 data sheet, Mode definitions.
 *
 * A count written in tick T is loaded by the tick after it, which does not count down; so OUT acts
 * N + 1 ticks after the write.  A rising gate is kept for the next tick in the same way.  Between
 * such events everything is a matter of division: a guest that sleeps for an hour costs no more
 * than one that reads again at once.
 */
#include "platform/pit_counter.h"

/* What wraps to zero: four digits. */
static uint32_t counter_modulus(const struct svm_pit_counter *c)
{
	return c->bcd ? 10000 : PIT_MAX_COUNT;
}

static bool is_periodic(const struct svm_pit_counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* In these modes the gate does not stop but trigger. */
static bool is_triggered(const struct svm_pit_counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

static bool gate_stops(const struct svm_pit_counter *c)
{
	return !c->gate && !is_triggered(c);
}

/* A new period in modes 2 and 3, whose least count is 2; its ticks. */
static uint32_t reload_period(struct svm_pit_counter *c)
{
	uint32_t period = c->reload;

	if (period < 2)
		period = 2;
	c->loaded = period;
	c->element = c->mode == 3 ? period & ~1u : period;
	c->null_count = 0;
	return period;
}

static void reload_element(struct svm_pit_counter *c)
{
	if (is_periodic(c)) {
		(void)reload_period(c);
		return;
	}
	c->loaded = c->reload;
	c->element = c->reload;
	c->null_count = 0;
}

static uint64_t drive_out(struct svm_pit_counter *c, bool out)
{
	const bool rises = out && !c->out;

	c->out = out;
	return rises;
}

static uint64_t load_element(struct svm_pit_counter *c)
{
	reload_element(c);
	c->load = 0;
	c->armed = 1;
	return drive_out(c, c->mode > 1);
}

/* Modes 0, 1, 4 and 5: down, past zero and on; OUT acts at the first zero only. */
static uint64_t run_down(struct svm_pit_counter *c, uint64_t ticks)
{
	const uint32_t modulus = counter_modulus(c);
	const uint32_t to_zero = c->element ? c->element : modulus;
	uint64_t rises = c->mode >= 4 ? drive_out(c, true) : 0; /* a strobe is one tick long */

	if (ticks < to_zero) {
		c->element = to_zero - (uint32_t)ticks;
		return rises;
	}

	const uint32_t rest = (uint32_t)((ticks - to_zero) % modulus);

	c->element = rest ? modulus - rest : 0;
	if (!c->armed)
		return rises;
	c->armed = 0;
	if (c->mode >= 4)
		c->out = 0;
	if (c->mode < 4 || ticks > to_zero)
		rises += drive_out(c, true);
	return rises;
}

/* Mode 2: OUT is low while the element is 1; the tick after that loads it anew. */
static uint64_t run_rate(struct svm_pit_counter *c, uint64_t ticks)
{
	uint64_t rises = 0;
	uint32_t period;

	if (ticks < c->element) {
		c->element -= (uint32_t)ticks;
	} else {
		ticks -= c->element;
		period = reload_period(c);
		rises = 1 + ticks / period;
		c->element -= (uint32_t)(ticks % period);
	}
	c->out = c->element != 1;
	return rises;
}

/* Mode 3: ticks until OUT changes.  An odd count makes the high half one tick longer. */
static uint32_t half_left(const struct svm_pit_counter *c)
{
	return c->element / 2 + (c->out && (c->loaded & 1));
}

static uint64_t run_square(struct svm_pit_counter *c, uint64_t ticks)
{
	uint64_t rises;
	uint32_t period;

	if (ticks < half_left(c)) {
		c->element -= 2 * (uint32_t)ticks;
		return 0;
	}
	ticks -= half_left(c);
	rises = drive_out(c, !c->out);
	period = reload_period(c);
	rises += ticks / period;
	ticks %= period;
	if (ticks >= half_left(c)) {
		ticks -= half_left(c);
		rises += drive_out(c, !c->out);
	}
	c->element -= 2 * (uint32_t)ticks;
	return rises;
}

uint64_t svm_pit_counter_run(struct svm_pit_counter *c, uint64_t tick)
{
	uint64_t ticks = tick - c->tick;
	uint64_t rises = 0;

	if (tick <= c->tick)
		return 0;
	c->tick = tick;
	if (c->load) {
		rises = load_element(c);
		ticks--;
	}
	if (!ticks || !c->loaded || c->halted)
		return rises;
	if (gate_stops(c))
		return rises + (c->mode == 4 ? drive_out(c, true) : 0);
	if (c->mode == 2)
		return rises + run_rate(c, ticks);
	if (c->mode == 3)
		return rises + run_square(c, ticks);
	return rises + run_down(c, ticks);
}

/* As below, of a counter whose element is loaded. */
static uint64_t loaded_next_rise(const struct svm_pit_counter *c)
{
	const bool in_strobe = c->mode >= 4 && !c->out;

	if (in_strobe && c->loaded && !c->halted)
		return 1;
	if (!c->loaded || c->halted || gate_stops(c))
		return 0;
	if (c->mode == 2)
		return c->element;
	if (c->mode == 3)
		return half_left(c) + (c->out ? (c->reload < 2 ? 2 : c->reload) / 2 : 0);
	if (!c->armed)
		return 0;
	return (uint64_t)c->element + (c->mode >= 4);
}

uint64_t svm_pit_counter_next_rise(const struct svm_pit_counter *c)
{
	struct svm_pit_counter copy = *c;
	uint64_t ticks;

	if (!c->load)
		return loaded_next_rise(c);
	if (svm_pit_counter_run(&copy, copy.tick + 1))
		return 1;
	ticks = loaded_next_rise(&copy);
	return ticks ? ticks + 1 : 0;
}

bool svm_pit_counter_set_mode(struct svm_pit_counter *c, uint8_t mode, bool bcd)
{
	c->mode = mode;
	c->bcd = bcd;
	c->reload = 0;
	c->loaded = 0;
	c->element = 0;
	c->load = 0;
	c->halted = 0;
	c->armed = 0;
	c->null_count = 1;
	return drive_out(c, mode != 0);
}

static uint32_t from_bcd(uint16_t count)
{
	return (count >> 12) * 1000u + (count >> 8 & 15) * 100u + (count >> 4 & 15) * 10u +
	       (count & 15);
}

void svm_pit_counter_write(struct svm_pit_counter *c, uint16_t count)
{
	c->reload = c->bcd ? from_bcd(count) : count;
	if (!c->reload)
		c->reload = counter_modulus(c);
	c->null_count = 1;
	c->halted = 0;
	if (c->mode == 0)
		c->out = 0;
	if (!is_triggered(c) && !(is_periodic(c) && c->loaded))
		c->load = 1;
}

void svm_pit_counter_halt(struct svm_pit_counter *c)
{
	if (c->mode != 0)
		return;
	c->halted = 1;
	c->load = 0;
	c->out = 0;
}

void svm_pit_counter_set_gate(struct svm_pit_counter *c, bool gate)
{
	const bool rises = gate && !c->gate;

	c->gate = gate;
	if (is_periodic(c) && !gate)
		c->out = 1;
	if (rises && c->reload && (is_periodic(c) || is_triggered(c)))
		c->load = 1;
}

uint16_t svm_pit_counter_value(const struct svm_pit_counter *c)
{
	const uint32_t value = c->element % counter_modulus(c);

	if (!c->bcd)
		return (uint16_t)value;
	return (uint16_t)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
	                  value % 10);
}
