/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ACPI 6.5, 4.8.3: one bool for each bit of PM1, and a timer of 3.579545 MHz. */
#include "port_model.h"

#include <string.h>

static uint64_t ticks(uint64_t now)
{
	return (uint64_t)((unsigned __int128)now * 3579545 / 1000000000);
}

void model_pm_init(struct model_pm *m)
{
	memset(m, 0, sizeof(*m));
	m->control[0] = true;
}

/* TMR_STS: "set whenever the most significant bit of the timer changes". */
void model_pm_run(struct model_pm *m, uint64_t now)
{
	const uint64_t halves = ticks(now) / 0x80000000;

	if (halves > m->halves)
		m->status[0] = true;
	m->halves = halves;
	model_pm_settle(m);
}

void model_pm_settle(struct model_pm *m)
{
	bool sci = false;

	for (unsigned i = 0; i < 16; i++)
		sci = sci || (m->status[i] && m->enable[i]);
	m->scis += sci && !m->sci;
	m->sci = sci;
}

static uint8_t byte_of(const bool bits[16], unsigned which)
{
	uint8_t byte = 0;

	for (unsigned i = 0; i < 8; i++)
		byte |= (uint8_t)(bits[8 * which + i] << i);
	return byte;
}

uint8_t model_pm_read(const struct model_pm *m, unsigned offset, uint64_t now)
{
	if (offset < 2)
		return byte_of(m->status, offset);
	if (offset < 4)
		return byte_of(m->enable, offset - 2);
	if (offset < 6)
		return byte_of(m->control, offset - 4);
	if (offset >= 8 && offset < 12)
		return (uint8_t)(ticks(now) >> 8 * (offset - 8));
	return 0;
}

static void write_enable(struct model_pm *m, unsigned bit, bool on)
{
	if (bit == 0 || bit == 5 || bit == 8 || bit == 9 || bit == 10)
		m->enable[bit] = on;
}

/* SCI_EN belongs to the platform; SLP_EN is write only. */
static void write_control(struct model_pm *m, unsigned bit, bool on)
{
	if (bit == 1 || (bit >= 10 && bit <= 12))
		m->control[bit] = on;
}

void model_pm_write(struct model_pm *m, unsigned offset, uint8_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		const unsigned bit = i + 8 * (offset % 2);
		const bool on = value >> i & 1;

		if (offset < 2 && on)
			m->status[bit] = false;
		else if (offset == 2 || offset == 3)
			write_enable(m, bit, on);
		else if (offset == 4 || offset == 5)
			write_control(m, bit, on);
	}
	if (offset == 5 && (value & 0x20) && m->control[10] && !m->control[11] && m->control[12])
		m->offs++;
}

void model_pm_button(struct model_pm *m)
{
	m->status[8] = true;
}
