/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * 8254: the registers, port 61h and the interrupt.  Data sheet, Programming the 8254.
 *
 * A byte goes to the low or high half by one flip-flop per counter and direction; a latched status
 * comes before a latched count, and that before the counter itself.  A latch that is not read yet
 * ignores further commands, or a guest that latches twice would read halves of two counts.
 */
#include "core/core.h"
#include "platform/pit_counter.h"

#define PIT_CONTROL 3u

#define PIT_CONTROL_BCD    0x01u
#define PIT_CONTROL_MODE   0x0eu
#define PIT_CONTROL_ACCESS 0x30u
#define PIT_CONTROL_SELECT 0xc0u

#define PIT_READ_BACK           3u    /* In PIT_CONTROL_SELECT. */
#define PIT_READ_BACK_NO_COUNT  0x20u /* Both commands are low active. */
#define PIT_READ_BACK_NO_STATUS 0x10u
#define PIT_READ_BACK_COUNTER_0 0x02u

#define PIT_STATUS_OUT        0x80u
#define PIT_STATUS_NULL_COUNT 0x40u

#define PIT_ACCESS_LATCH 0u
#define PIT_ACCESS_LOW   1u
#define PIT_ACCESS_HIGH  2u
#define PIT_ACCESS_BOTH  3u

#define PORT61_GATE2   0x01u
#define PORT61_WRITTEN 0x0fu
#define PORT61_REFRESH 0x10u
#define PORT61_OUT2    0x20u

#define PORT61_REFRESH_NS 15085u /* 18 ticks. */

/* BCD digits of up to 15 each. */
#define PIT_MAX_BCD 16665u

/* Exact, and without a product of more than 64 bits: seconds and the rest apart. */
static uint64_t pit_ticks(uint64_t ns)
{
	return ns / SVM_NS_PER_S * SVM_PIT_HZ + ns % SVM_NS_PER_S * SVM_PIT_HZ / SVM_NS_PER_S;
}

/* The first nanosecond of a tick. */
static uint64_t pit_tick_ns(uint64_t tick)
{
	const uint64_t rest = tick % SVM_PIT_HZ * SVM_NS_PER_S;

	return tick / SVM_PIT_HZ * SVM_NS_PER_S + (rest + SVM_PIT_HZ - 1) / SVM_PIT_HZ;
}

static void set_pit_irq(struct svm_pit *pit, bool level)
{
	if (pit->state.irq == level)
		return;
	pit->state.irq = level;
	svm_wire_set(&pit->irq, level);
}

/*
 * OUT 0 rose that often.  Only a guest that counts periods misses an edge, and only if it could
 * have had each: of other edges the last one stands for all.
 */
static void owe_pit_irqs(struct svm_pit *pit, uint64_t rises)
{
	const struct svm_pit_counter *c = &pit->state.counters[0];
	const bool is_periodic = c->mode == 2 || c->mode == 3;
	const bool is_fast = c->loaded < pit_ticks(SVM_PIT_INTERRUPT_NS);
	const bool catches_up = is_periodic && !is_fast && !pit->drops_late;
	const uint64_t most = catches_up ? SVM_PIT_OWED_MAX : 1;

	pit->state.owed = (uint32_t)svm_min(pit->state.owed + svm_min(rises, most), most);
}

static void deliver_pit_irq(struct svm_pit *pit, uint64_t now)
{
	if (!pit->state.owed || now < pit->state.next_interrupt_ns)
		return;
	pit->state.owed--;
	pit->state.next_interrupt_ns = now + SVM_PIT_INTERRUPT_NS;
	set_pit_irq(pit, false);
	set_pit_irq(pit, true);
}

/* A counter brought up to now. */
static struct svm_pit_counter *counter_at(struct svm_pit *pit, unsigned index, uint64_t now)
{
	struct svm_pit_counter *c = &pit->state.counters[index];
	const uint64_t rises = svm_pit_counter_run(c, pit_ticks(now));

	if (index == 0 && rises)
		owe_pit_irqs(pit, rises);
	return c;
}

static void latch_count(struct svm_pit_counter *c)
{
	if (c->latched)
		return;
	c->latched = 1;
	c->latch = svm_pit_counter_value(c);
}

static void latch_status(struct svm_pit_counter *c)
{
	if (c->status_latched)
		return;
	c->status_latched = 1;
	c->status = (uint8_t)((c->out ? PIT_STATUS_OUT : 0) |
	                      (c->null_count ? PIT_STATUS_NULL_COUNT : 0) |
	                      svm_bits_put(c->access, PIT_CONTROL_ACCESS) |
	                      svm_bits_put(c->mode, PIT_CONTROL_MODE) | c->bcd);
}

static void read_pit_back(struct svm_pit *pit, uint8_t command, uint64_t now)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(command & PIT_READ_BACK_COUNTER_0 << i))
			continue;

		struct svm_pit_counter *c = counter_at(pit, i, now);

		if (!(command & PIT_READ_BACK_NO_COUNT))
			latch_count(c);
		if (!(command & PIT_READ_BACK_NO_STATUS))
			latch_status(c);
	}
}

/* Modes 6 and 7 are 2 and 3: their highest bit is not looked at. */
static uint8_t pit_mode(uint8_t control)
{
	const uint8_t mode = (uint8_t)svm_bits_get(control, PIT_CONTROL_MODE);

	return mode >= 6 ? mode & 3 : mode;
}

static void program_counter(struct svm_pit *pit, unsigned index, uint8_t control, uint64_t now)
{
	struct svm_pit_counter *c = counter_at(pit, index, now);

	c->access = (uint8_t)svm_bits_get(control, PIT_CONTROL_ACCESS);
	c->latched = 0;
	c->status_latched = 0;
	c->read_high = 0;
	c->write_high = 0;

	const bool rises =
		svm_pit_counter_set_mode(c, pit_mode(control), control & PIT_CONTROL_BCD);

	if (index != 0)
		return;
	pit->state.owed = rises;
	if (!c->out)
		set_pit_irq(pit, false);
}

static void write_pit_control(struct svm_pit *pit, uint8_t control, uint64_t now)
{
	const unsigned index = (unsigned)svm_bits_get(control, PIT_CONTROL_SELECT);

	if (index == PIT_READ_BACK)
		read_pit_back(pit, control, now);
	else if (svm_bits_get(control, PIT_CONTROL_ACCESS) == PIT_ACCESS_LATCH)
		latch_count(counter_at(pit, index, now));
	else
		program_counter(pit, index, control, now);
}

static void write_count_byte(struct svm_pit_counter *c, uint8_t byte)
{
	switch (c->access) {
	case PIT_ACCESS_LOW:
		svm_pit_counter_write(c, byte);
		return;
	case PIT_ACCESS_HIGH:
		svm_pit_counter_write(c, (uint16_t)(byte << 8));
		return;
	default:
		break;
	}
	if (c->write_high) {
		svm_pit_counter_write(c, (uint16_t)(byte << 8 | c->write_low));
	} else {
		c->write_low = byte;
		svm_pit_counter_halt(c);
	}
	c->write_high ^= 1;
}

static void write_pit_byte(struct svm_pit *pit, uint32_t offset, uint8_t value, uint64_t now)
{
	struct svm_pit_counter *c;

	if (offset == PIT_CONTROL)
		write_pit_control(pit, value, now);
	if (offset >= PIT_CONTROL)
		return;
	c = counter_at(pit, offset, now);
	write_count_byte(c, value);
	if (offset == 0 && c->mode == 0 && !c->out)
		set_pit_irq(pit, false);
}

static uint8_t read_count_byte(struct svm_pit_counter *c)
{
	const uint16_t value = c->latched ? c->latch : svm_pit_counter_value(c);
	const bool high =
		c->access == PIT_ACCESS_HIGH || (c->access == PIT_ACCESS_BOTH && c->read_high);

	if (c->access == PIT_ACCESS_BOTH)
		c->read_high ^= 1;
	if (high || c->access == PIT_ACCESS_LOW)
		c->latched = 0;
	return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t read_pit_byte(struct svm_pit *pit, uint32_t offset, uint64_t now)
{
	struct svm_pit_counter *c;

	if (offset >= PIT_CONTROL)
		return 0xff;
	c = counter_at(pit, offset, now);
	if (!c->status_latched)
		return read_count_byte(c);
	c->status_latched = 0;
	return c->status;
}

uint32_t svm_pit_read(struct svm_pit *pit, uint32_t offset, uint32_t size, uint64_t now)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read_pit_byte(pit, offset + i, now) << 8 * i;
	deliver_pit_irq(pit, now);
	return value;
}

void svm_pit_write(struct svm_pit *pit, uint32_t offset, uint32_t size, uint32_t value,
                   uint64_t now)
{
	for (uint32_t i = 0; i < size && i < 4; i++)
		write_pit_byte(pit, offset + i, (uint8_t)(value >> 8 * i), now);
	deliver_pit_irq(pit, now);
}

uint8_t svm_pit_read_port61(struct svm_pit *pit, uint64_t now)
{
	const struct svm_pit_counter *c = counter_at(pit, 2, now);

	return (uint8_t)(pit->state.port61 | (now / PORT61_REFRESH_NS & 1 ? PORT61_REFRESH : 0) |
	                 (c->out ? PORT61_OUT2 : 0));
}

void svm_pit_write_port61(struct svm_pit *pit, uint8_t value, uint64_t now)
{
	svm_pit_counter_set_gate(counter_at(pit, 2, now), value & PORT61_GATE2);
	pit->state.port61 = value & PORT61_WRITTEN;
}

uint64_t svm_pit_deadline(const struct svm_pit *pit)
{
	const struct svm_pit_counter *c = &pit->state.counters[0];
	const uint64_t ticks = svm_pit_counter_next_rise(c);
	uint64_t edge;

	if (pit->state.owed)
		return pit->state.next_interrupt_ns;
	if (!ticks)
		return SVM_NEVER;
	edge = pit_tick_ns(c->tick + ticks);
	return edge > pit->state.next_interrupt_ns ? edge : pit->state.next_interrupt_ns;
}

void svm_pit_advance(struct svm_pit *pit, uint64_t now)
{
	counter_at(pit, 0, now);
	deliver_pit_irq(pit, now);
}

void svm_pit_reset(struct svm_pit *pit, uint64_t now)
{
	set_pit_irq(pit, false);
	memset(&pit->state, 0, sizeof(pit->state));
	for (unsigned i = 0; i < 3; i++)
		pit->state.counters[i] = (struct svm_pit_counter){
			.tick = pit_ticks(now),
			.mode = 3,
			.access = PIT_ACCESS_BOTH,
			.gate = i != 2,
			.out = 1,
			.null_count = 1,
		};
}

void svm_pit_init(struct svm_pit *pit, const struct svm_wire *irq)
{
	memset(pit, 0, sizeof(*pit));
	if (irq)
		pit->irq = *irq;
	svm_pit_reset(pit, 0);
}

void svm_pit_drop_late(struct svm_pit *pit, bool on)
{
	pit->drops_late = on;
	if (on && pit->state.owed > 1)
		pit->state.owed = 1;
}

void svm_pit_save(const struct svm_pit *pit, struct svm_pit_state *state)
{
	*state = pit->state;
}

static bool pit_flags_are_valid(const struct svm_pit_counter *c)
{
	const uint8_t flags = c->bcd | c->gate | c->out | c->load | c->halted | c->armed |
	                      c->null_count | c->latched | c->status_latched | c->read_high |
	                      c->write_high;

	for (unsigned i = 0; i < sizeof(c->reserved); i++)
		if (c->reserved[i])
			return false;
	return flags <= 1;
}

/* Modes 2 and 3 divide by what is loaded, and count down from there. */
static bool pit_element_is_valid(const struct svm_pit_counter *c)
{
	const uint32_t most = c->bcd ? PIT_MAX_BCD : PIT_MAX_COUNT;

	if (c->reload > most || c->loaded > most || c->element > most)
		return false;
	if ((c->load || c->loaded) && !c->reload)
		return false;
	if (!c->loaded || (c->mode != 2 && c->mode != 3))
		return true;
	if (c->loaded < 2 || c->element > c->loaded)
		return false;
	if (c->mode == 2)
		return c->element >= 1;
	return !(c->element & 1) && (c->element || (c->out && (c->loaded & 1)));
}

static bool pit_counter_is_valid(const struct svm_pit_counter *c, uint64_t now)
{
	if (c->tick > pit_ticks(now) || c->mode > 5 || c->access < PIT_ACCESS_LOW ||
	    c->access > PIT_ACCESS_BOTH)
		return false;
	if (c->halted && (c->mode != 0 || c->load))
		return false;
	if (c->access != PIT_ACCESS_BOTH && (c->read_high || c->write_high))
		return false;
	return pit_flags_are_valid(c) && pit_element_is_valid(c);
}

/* A time that never comes would keep the owner calling svm_pit_advance(). */
static bool pit_state_is_valid(const struct svm_pit_state *s, uint64_t now)
{
	for (unsigned i = 0; i < 3; i++)
		if (!pit_counter_is_valid(&s->counters[i], now))
			return false;
	if (!s->counters[0].gate || s->counters[2].gate != (s->port61 & PORT61_GATE2))
		return false;
	if (s->next_interrupt_ns > now + SVM_PIT_INTERRUPT_NS)
		return false;
	if (s->owed > SVM_PIT_OWED_MAX || s->port61 & ~PORT61_WRITTEN || s->irq > 1)
		return false;
	return !s->reserved[0] && !s->reserved[1];
}

int svm_pit_restore(struct svm_pit *pit, const struct svm_pit_state *state, uint64_t now)
{
	const struct svm_pit_state copy = *state;

	if (!pit_state_is_valid(&copy, now))
		return SVM_ERR_INVAL;
	set_pit_irq(pit, copy.irq);
	pit->state = copy;
	return 0;
}
