/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* National PC16550D, 8; the line takes no time, and OUT2 lets the interrupt out. */
#include <string.h>

#include "legacy_model.h"

static bool loops(const struct model_uart *m)
{
	return m->mcr & 0x10;
}

static uint8_t inputs(const struct model_uart *m)
{
	const bool rts = m->mcr & 2, dtr = m->mcr & 1, out1 = m->mcr & 4, out2 = m->mcr & 8;

	if (!loops(m))
		return 0xb0;
	return (uint8_t)(rts << 4 | dtr << 5 | out1 << 6 | out2 << 7);
}

static uint8_t identify(const struct model_uart *m)
{
	const bool broken = m->count && m->breaks[0];

	if ((m->ier & 4) && (m->overrun || broken))
		return 6;
	if ((m->ier & 1) && m->count && (!m->fifo || m->count >= m->trigger))
		return 4;
	if ((m->ier & 1) && m->count)
		return 12;
	if ((m->ier & 2) && m->empty_event)
		return 2;
	if ((m->ier & 8) && m->changes)
		return 0;
	return 1;
}

static void line(struct model_uart *m)
{
	const bool irq = identify(m) != 1 && (m->mcr & 8) && !loops(m);

	m->rises += irq && !m->irq;
	m->irq = irq;
}

static void empty(struct model_uart *m)
{
	m->count = 0;
	m->last_known = false;
	memset(m->breaks, 0, sizeof(m->breaks));
}

static void arrive(struct model_uart *m, uint8_t byte, bool is_break)
{
	if (m->fifo && m->count == 16) {
		m->overrun = true;
		return;
	}
	if (!m->fifo && m->count == 1) {
		m->overrun = true;
		m->count = 0;
	}
	m->queue[m->count] = byte;
	m->breaks[m->count] = is_break;
	m->count++;
}

static int take(struct model_uart *m)
{
	if (!m->count)
		return m->last_known ? m->last : -1;
	m->last = m->queue[0];
	m->last_known = !m->fifo;
	m->count--;
	memmove(m->queue, m->queue + 1, 15);
	memmove(m->breaks, m->breaks + 1, 15 * sizeof(m->breaks[0]));
	m->breaks[15] = false;
	return m->last;
}

static void send(struct model_uart *m, uint8_t byte)
{
	m->empty_event = false;
	line(m);
	if (loops(m)) {
		arrive(m, byte, false);
	} else {
		m->sent++;
		m->sent_last = byte;
	}
	m->empty_event = true;
}

static void control_fifo(struct model_uart *m, uint8_t value)
{
	static const unsigned triggers[4] = { 1, 4, 8, 14 };
	const bool on = value & 1;

	if (on != m->fifo || (on && (value & 2)))
		empty(m);
	m->fifo = on;
	if (on)
		m->trigger = triggers[value >> 6];
}

static void control_modem(struct model_uart *m, uint8_t value)
{
	const uint8_t before = inputs(m);
	uint8_t after;

	m->mcr = value & 0x1f;
	after = inputs(m);
	if ((before ^ after) & 0x10)
		m->changes |= 1;
	if ((before ^ after) & 0x20)
		m->changes |= 2;
	if ((before & 0x40) && !(after & 0x40))
		m->changes |= 4;
	if ((before ^ after) & 0x80)
		m->changes |= 8;
}

void model_uart_write(struct model_uart *m, unsigned offset, uint8_t value)
{
	const bool divisor = m->lcr & 0x80;

	if (offset == 0 && divisor)
		m->low = value;
	else if (offset == 0)
		send(m, value);
	else if (offset == 1 && divisor)
		m->high = value;
	else if (offset == 1) {
		if ((value & 2) && !(m->ier & 2))
			m->empty_event = true;
		m->ier = value & 15;
	} else if (offset == 2)
		control_fifo(m, value);
	else if (offset == 3)
		m->lcr = value;
	else if (offset == 4)
		control_modem(m, value);
	else if (offset == 7)
		m->scratch = value;
	line(m);
}

static uint8_t line_status(struct model_uart *m)
{
	bool any = false;
	uint8_t value = 0x60;

	for (unsigned i = 0; i < m->count; i++)
		any = any || m->breaks[i];
	if (m->count)
		value |= 1;
	if (m->overrun)
		value |= 2;
	if (m->count && m->breaks[0])
		value |= 0x10;
	if (m->fifo && any)
		value |= 0x80;
	m->overrun = false;
	m->breaks[0] = false;
	return value;
}

static int read_register(struct model_uart *m, unsigned offset)
{
	const bool divisor = m->lcr & 0x80;
	int value;

	switch (offset) {
	case 0:
		return divisor ? m->low : take(m);
	case 1:
		return divisor ? m->high : m->ier;
	case 2:
		value = identify(m);
		if (value == 2)
			m->empty_event = false;
		return value | (m->fifo ? 0xc0 : 0);
	case 3:
		return m->lcr;
	case 4:
		return m->mcr;
	case 5:
		return line_status(m);
	case 6:
		value = inputs(m) | m->changes;
		m->changes = 0;
		return value;
	case 7:
		return m->scratch;
	default:
		return 0xff;
	}
}

int model_uart_read(struct model_uart *m, unsigned offset)
{
	const int value = read_register(m, offset);

	line(m);
	return value;
}

bool model_uart_receive(struct model_uart *m, uint8_t byte, bool is_break)
{
	if (loops(m) || m->count == (m->fifo ? 16 : 1))
		return false;
	arrive(m, is_break ? 0 : byte, is_break);
	line(m);
	return true;
}

void model_uart_init(struct model_uart *m)
{
	*m = (struct model_uart){ .low = 12, .empty_event = true, .trigger = 1 };
}
