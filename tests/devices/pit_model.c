/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Intel 231164, Mode definitions: what one CLK pulse does. */
#include "legacy_model.h"

#define FAST_TICKS 238 /* 200 us */
#define OWED_MAX   10000

static uint64_t tick_of(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * 1193182 / 1000000000);
}

static uint64_t ns_of(uint64_t tick)
{
	return (uint64_t)(((unsigned __int128)tick * 1000000000 + 1193181) / 1193182);
}

static uint16_t minus_1(const struct model_counter *c, uint16_t digits)
{
	if (!c->bcd)
		return (uint16_t)(digits - 1);
	for (unsigned shift = 0; shift < 16; shift += 4) {
		if (digits >> shift & 15)
			return (uint16_t)(digits - (1 << shift));
		digits = (uint16_t)(digits | 9 << shift);
	}
	return digits;
}

static void load(struct model_counter *c)
{
	c->loaded = c->count;
	if ((c->mode == 2 || c->mode == 3) && c->loaded == 1)
		c->loaded = 2;
	c->odd = c->loaded & 1;
	c->element = c->mode == 3 && c->odd ? minus_1(c, c->loaded) : c->loaded;
	c->null_count = false;
	c->counting = true;
}

static void clock_rate(struct model_counter *c)
{
	if (c->element == 1) {
		load(c);
		c->out = true;
		return;
	}
	c->element = minus_1(c, c->element);
	c->out = c->element != 1;
}

static void clock_square(struct model_counter *c)
{
	const uint16_t last = c->odd && c->out ? 0 : 2;

	if (c->element == last) {
		c->out = !c->out;
		load(c);
		return;
	}
	c->element = minus_1(c, minus_1(c, c->element));
}

static void clock_down(struct model_counter *c)
{
	c->element = minus_1(c, c->element);
	if (c->mode == 4 || c->mode == 5)
		c->out = true;
	if (c->element != 0 || !c->acts)
		return;
	c->out = c->mode < 2;
	c->acts = false;
}

static void clock(struct model_counter *c)
{
	if (c->loading) {
		c->loading = false;
		c->acts = true;
		load(c);
		c->out = c->mode != 0 && c->mode != 1;
		return;
	}
	if (!c->counting || c->half)
		return;
	if (!c->gate && c->mode != 1 && c->mode != 5) {
		if (c->mode == 4)
			c->out = true;
		return;
	}
	if (c->mode == 2)
		clock_rate(c);
	else if (c->mode == 3)
		clock_square(c);
	else
		clock_down(c);
}

/* The wire goes up, and down before if it was up. */
static void interrupt(struct model_pit *m, uint64_t ns)
{
	m->irq = true;
	m->rises++;
	m->owed--;
	m->next_ns = ns + 200000;
}

static void interrupts_until(struct model_pit *m, uint64_t ns)
{
	while (m->owed && m->next_ns <= ns)
		interrupt(m, m->next_ns);
}

/* OUT 0 rose at ns. */
static void rose(struct model_pit *m, uint64_t ns)
{
	const struct model_counter *c = &m->counters[0];
	const bool periodic = c->mode == 2 || c->mode == 3;
	unsigned period = c->loaded;

	if (c->bcd)
		period = (period >> 12) * 1000 + (period >> 8 & 15) * 100 +
		         (period >> 4 & 15) * 10 + (period & 15);
	m->owed++;
	if (m->owed > OWED_MAX)
		m->owed = OWED_MAX;
	if (!periodic || (period && period < FAST_TICKS))
		m->owed = 1;
	if (m->next_ns <= ns)
		interrupt(m, ns);
}

void model_pit_run(struct model_pit *m, uint64_t now)
{
	const uint64_t last = tick_of(now);

	while (m->tick < last) {
		const bool before = m->counters[0].out;

		m->tick++;
		for (unsigned i = 0; i < 3; i++)
			clock(&m->counters[i]);
		if (m->owed)
			interrupts_until(m, ns_of(m->tick) - 1);
		if (m->counters[0].out && !before)
			rose(m, ns_of(m->tick));
	}
	interrupts_until(m, now);
}

void model_pit_init(struct model_pit *m)
{
	*m = (struct model_pit){ 0 };
	for (unsigned i = 0; i < 3; i++)
		m->counters[i] = (struct model_counter){
			.mode = 3,
			.access = 3,
			.gate = i != 2,
			.out = true,
			.null_count = true,
			.latch = -1,
			.status = -1,
		};
}

static void latch_of(struct model_counter *c)
{
	if (c->latch < 0)
		c->latch = c->element;
}

static void status_of(struct model_counter *c)
{
	if (c->status < 0)
		c->status = c->out << 7 | c->null_count << 6 | (int)c->access << 4 |
		            (int)c->mode << 1 | c->bcd;
}

static void program(struct model_pit *m, unsigned index, uint8_t value, uint64_t now)
{
	struct model_counter *c = &m->counters[index];
	const bool before = c->out;
	const bool gate = c->gate;

	*c = (struct model_counter){ .gate = gate, .latch = -1, .status = -1 };
	c->access = value >> 4 & 3;
	c->mode = value >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;
	c->bcd = value & 1;
	c->out = c->mode != 0;
	c->null_count = true;
	if (index != 0)
		return;
	m->owed = 0;
	if (!c->out)
		m->irq = false;
	if (c->out && !before)
		rose(m, now);
}

static void control(struct model_pit *m, uint8_t value, uint64_t now)
{
	if (value >> 6 == 3) {
		for (unsigned i = 0; i < 3; i++) {
			if (!(value >> (i + 1) & 1))
				continue;
			if (!(value & 0x20))
				latch_of(&m->counters[i]);
			if (!(value & 0x10))
				status_of(&m->counters[i]);
		}
	} else if ((value >> 4 & 3) == 0) {
		latch_of(&m->counters[value >> 6]);
	} else {
		program(m, value >> 6, value, now);
	}
}

static void count_written(struct model_counter *c, unsigned count)
{
	c->count = (uint16_t)count;
	c->has_count = true;
	c->null_count = true;
	c->half = false;
	if (c->mode == 0)
		c->out = false;
	if (c->mode == 0 || c->mode == 4)
		c->loading = true;
	if ((c->mode == 2 || c->mode == 3) && !c->counting)
		c->loading = true;
}

void model_pit_write(struct model_pit *m, unsigned offset, uint8_t value, uint64_t now)
{
	struct model_counter *c;

	if (offset == 3)
		control(m, value, now);
	if (offset > 2)
		return;
	c = &m->counters[offset];
	if (c->access == 1) {
		count_written(c, value);
	} else if (c->access == 2) {
		count_written(c, value * 256u);
	} else if (!c->second_write) {
		c->second_write = true;
		c->first_byte = value;
		if (c->mode == 0) {
			c->half = true;
			c->loading = false;
			c->out = false;
		}
	} else {
		c->second_write = false;
		count_written(c, value * 256u + c->first_byte);
	}
	if (offset == 0 && c->mode == 0 && !c->out)
		m->irq = false;
}

uint8_t model_pit_read(struct model_pit *m, unsigned offset)
{
	struct model_counter *c;
	unsigned value;
	bool high;

	if (offset > 2)
		return 0xff;
	c = &m->counters[offset];
	if (c->status >= 0) {
		value = (unsigned)c->status;
		c->status = -1;
		return (uint8_t)value;
	}
	value = c->latch >= 0 ? (unsigned)c->latch : c->element;
	high = c->access == 2 || (c->access == 3 && c->second_read);
	if (c->access == 3)
		c->second_read = !c->second_read;
	if (c->access != 3 || high)
		c->latch = -1;
	return (uint8_t)(high ? value / 256 : value);
}

void model_pit_write61(struct model_pit *m, uint8_t value)
{
	struct model_counter *c = &m->counters[2];
	const bool before = c->gate;

	m->port61 = value & 15;
	c->gate = value & 1;
	if (!c->gate && (c->mode == 2 || c->mode == 3))
		c->out = true;
	if (c->gate && !before && c->has_count && c->mode != 0 && c->mode != 4)
		c->loading = true;
}

uint8_t model_pit_read61(const struct model_pit *m, uint64_t now)
{
	return (uint8_t)(m->port61 + now / 15085 % 2 * 16 + (m->counters[2].out ? 32 : 0));
}
