/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller". */
#include "port_model.h"

#include <string.h>

void model_kbc_init(struct model_kbc *m)
{
	memset(m, 0, sizeof(*m));
	m->memory[0] = 0x65;
	m->a20 = true;
	m->wants = -1;
}

static void give(struct model_kbc *m, uint8_t byte)
{
	m->output = byte;
	m->full = true;
	m->late = false;
}

/* Nobody is at the other end. */
static void no_answer(struct model_kbc *m)
{
	give(m, 0xfe);
	m->late = true;
}

static void to_data_port(struct model_kbc *m, uint8_t value)
{
	const int command = m->wants;

	m->wants = -1;
	m->last_was_command = false;
	if (command < 0) {
		m->memory[0] &= 0xef;
		no_answer(m);
	} else if (command == 0xd4) {
		no_answer(m);
	} else if (command == 0xd2 || command == 0xd3) {
		give(m, value);
	} else if (command == 0xd1) {
		m->a20 = value & 2;
		m->resets += !(value & 1);
	} else {
		m->memory[command - 0x60] = value;
	}
}

static void switch_port(struct model_kbc *m, uint8_t bit, bool off)
{
	m->memory[0] = (uint8_t)(off ? m->memory[0] | bit : m->memory[0] & ~bit);
}

static void to_command_port(struct model_kbc *m, uint8_t value)
{
	m->last_was_command = true;
	m->wants = -1;
	if ((value >= 0x60 && value <= 0x7f) || (value >= 0xd1 && value <= 0xd4))
		m->wants = value;
	if (value >= 0x20 && value <= 0x3f)
		give(m, m->memory[value - 0x20]);
	if (value == 0xa7 || value == 0xa8)
		switch_port(m, 0x20, value == 0xa7);
	if (value == 0xad || value == 0xae)
		switch_port(m, 0x10, value == 0xad);
	if (value == 0xaa) {
		m->memory[0] |= 4;
		give(m, 0x55);
	}
	if (value == 0xa9)
		give(m, 1);
	if (value == 0xab || value == 0xe0)
		give(m, 0);
	if (value == 0xc0)
		give(m, 0x80);
	if (value == 0xd0)
		give(m, (uint8_t)(0xc1 | (m->a20 ? 2 : 0) | (m->full ? 0x10 : 0)));
	if (value == 0xdd || value == 0xdf)
		m->a20 = value == 0xdf;
	if (value >= 0xf0)
		m->resets += !(value & 1);
}

void model_kbc_write(struct model_kbc *m, unsigned port, uint8_t value)
{
	if (port == 0x60)
		to_data_port(m, value);
	if (port == 0x64)
		to_command_port(m, value);
}

uint8_t model_kbc_read(struct model_kbc *m, unsigned port)
{
	if (port == 0x60) {
		m->full = false;
		m->late = false;
		return m->output;
	}
	if (port != 0x64)
		return 0xff;
	return (uint8_t)((m->full ? 1 : 0) | (m->memory[0] & 4) | (m->last_was_command ? 8 : 0) |
	                 0x10 | (m->late ? 0x40 : 0));
}

void model_kbc_settle(struct model_kbc *m)
{
	const bool irq = m->full && (m->memory[0] & 1);

	m->irqs += irq && !m->irq;
	m->irq = irq;
}
