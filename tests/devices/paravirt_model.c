/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Linux's Documentation/virt/kvm/x86/msr.rst: what the guest finds in its memory.  Multiplier and
 * shift come from their meaning, nanoseconds = (ticks << shift) × multiplier / 2^32 with the
 * multiplier's top bit set, by dividing in 128 bits.
 */
#include "port_model.h"

#include <string.h>

#define WALL  0x4b564d00u
#define CLOCK 0x4b564d01u
#define EOI   0x4b564d04u

void model_pv_init(struct model_pv *m, uint64_t hz, uint64_t wall_ns)
{
	memset(m, 0, sizeof(*m));
	m->hz = hz;
	m->wall_ns = wall_ns;
}

bool model_pv_is_there(uint64_t gpa, size_t size)
{
	if (gpa > MODEL_PV_MEMORY || size > MODEL_PV_MEMORY - gpa)
		return false;
	return gpa + size <= MODEL_PV_HOLE || gpa >= MODEL_PV_HOLE_END;
}

static void number(uint8_t *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

/*
 * The version is odd, the rest is written, the version is even again.  Where the rest is not there
 * the first of these is all that happens.
 */
static void publish(struct model_pv *m, uint64_t gpa, uint8_t *bytes, size_t size,
                    uint32_t *version)
{
	if (!model_pv_is_there(gpa, 4))
		return;
	number(m->memory + gpa, *version + 1, 4);
	if (!model_pv_is_there(gpa + 4, size - 4))
		return;
	*version += 2;
	number(bytes, *version, 4);
	memcpy(m->memory + gpa, bytes, size);
}

static void wall_page(struct model_pv *m)
{
	uint8_t bytes[12];

	number(bytes + 4, m->wall_ns / 1000000000, 4);
	number(bytes + 8, m->wall_ns % 1000000000, 4);
	publish(m, m->wall, bytes, sizeof(bytes), &m->wall_version);
}

static void scale(uint64_t hz, uint32_t *multiplier, int *shift)
{
	unsigned __int128 quotient = 0;

	for (*shift = 31; quotient < UINT64_C(1) << 31;) {
		--*shift;
		quotient = ((unsigned __int128)1000000000 << (32 - *shift)) / hz;
	}
	*multiplier = (uint32_t)quotient;
}

void model_pv_update(struct model_pv *m, unsigned cpu)
{
	uint8_t bytes[32] = { 0 };
	uint32_t multiplier;
	int shift;

	if (!(m->cpu[cpu].clock & 1))
		return;
	scale(m->hz, &multiplier, &shift);
	number(bytes + 8, m->base_tsc, 8);
	number(bytes + 16, m->base_ns, 8);
	number(bytes + 24, multiplier, 4);
	bytes[28] = (uint8_t)shift;
	bytes[29] = 1; /* The same on all processors. */
	publish(m, m->cpu[cpu].clock & ~UINT64_C(1), bytes, sizeof(bytes), &m->cpu[cpu].version);
}

void model_pv_line(struct model_pv *m, uint64_t hz, uint64_t tsc, uint64_t ns)
{
	m->hz = hz;
	m->base_tsc = tsc;
	m->base_ns = ns;
}

bool model_pv_write(struct model_pv *m, unsigned cpu, uint32_t msr, uint64_t value)
{
	if (msr == WALL) {
		m->wall = value;
		wall_page(m);
	} else if (msr == CLOCK) {
		m->cpu[cpu].clock = value;
		model_pv_update(m, cpu);
	} else if (msr == EOI) {
		if ((value & 3) == 3)
			return false;
		m->cpu[cpu].eoi = value;
		m->cpu[cpu].offered = false;
	} else {
		return false;
	}
	return true;
}

bool model_pv_read(const struct model_pv *m, unsigned cpu, uint32_t msr, uint64_t *value)
{
	if (msr == WALL)
		*value = m->wall;
	else if (msr == CLOCK)
		*value = m->cpu[cpu].clock;
	else if (msr == EOI)
		*value = m->cpu[cpu].eoi;
	else
		return false;
	return true;
}

bool model_pv_offer(struct model_pv *m, unsigned cpu)
{
	const uint64_t gpa = m->cpu[cpu].eoi - 1;

	m->cpu[cpu].offered = (m->cpu[cpu].eoi & 1) && model_pv_is_there(gpa, 1);
	if (m->cpu[cpu].offered)
		m->memory[gpa] = 1;
	return m->cpu[cpu].offered;
}

bool model_pv_look(struct model_pv *m, unsigned cpu, bool no_read)
{
	const bool ended = m->cpu[cpu].offered && !no_read &&
	                   !(m->memory[m->cpu[cpu].eoi - 1] & 1);

	if (ended)
		m->cpu[cpu].offered = false;
	return ended;
}

bool model_pv_take(struct model_pv *m, unsigned cpu, bool no_read, bool no_write)
{
	if (model_pv_look(m, cpu, no_read))
		return true;
	if (!m->cpu[cpu].offered || no_read || no_write)
		return false;
	m->memory[m->cpu[cpu].eoi - 1] &= 0xfe;
	m->cpu[cpu].offered = false;
	return false;
}

void model_pv_reset(struct model_pv *m, unsigned cpu)
{
	(void)model_pv_take(m, cpu, false, false);
	m->cpu[cpu].clock = 0;
	m->cpu[cpu].eoi = 0;
}
