/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Configuration mechanism 1 (PCI Local Bus 3.0, 3.2.2.3.2), the ports of one byte (PS/2 port 92h,
 * PIIX3's CF9h, Bochs's E9h, QEMU's isa-debug-exit), and QEMU's fw_cfg as strings.
 */
#include "port_model.h"

#include <string.h>

static uint32_t cut(uint32_t value, unsigned size)
{
	return size == 1 ? value & 0xff : size == 2 ? value & 0xffff : value;
}

/* --- PCI --- */

void model_pci_init(struct model_pci *m)
{
	memset(m, 0, sizeof(*m));
	m->place[0] = 3;
	m->place[1] = 31;
}

/* Device, vendor, class: all that a bridge without registers has. */
static uint8_t bridge_byte(unsigned at)
{
	static const uint8_t bytes[12] = { 0x36, 0x1b, 0x08, 0x00, [11] = 0x06 };

	return at < sizeof(bytes) ? bytes[at] : 0;
}

/* -2: nobody; -1: the bridge. */
static int who(const struct model_pci *m)
{
	if (!m->enabled || m->bus || m->function)
		return -2;
	for (unsigned i = 0; i < MODEL_PCI_DEVICES; i++)
		if (m->device == m->place[i])
			return (int)i;
	return m->device ? -2 : -1;
}

uint32_t model_pci_read(const struct model_pci *m, unsigned offset, unsigned size)
{
	const int device = who(m);
	uint32_t value = 0;

	if (offset == 0 && size == 4)
		return (m->enabled ? 0x80000000 : 0) | m->bus << 16 | m->device << 11 |
		       m->function << 8 | m->reg << 2;
	if (offset == 1 && size == 1)
		return m->reset;
	if (offset < 4 || offset + size > 8 || device == -2)
		return cut(UINT32_MAX, size);
	for (unsigned i = 0; i < size; i++) {
		const unsigned at = m->reg * 4 + offset - 4 + i;

		value |= (uint32_t)(device < 0 ? bridge_byte(at) : m->space[device][at]) << 8 * i;
	}
	return value;
}

void model_pci_write(struct model_pci *m, unsigned offset, unsigned size, uint32_t value)
{
	const int device = who(m);

	if (offset == 0 && size == 4) {
		m->enabled = value >> 31;
		m->bus = value >> 16 & 255;
		m->device = value >> 11 & 31;
		m->function = value >> 8 & 7;
		m->reg = value >> 2 & 63;
	} else if (offset == 1 && size == 1) {
		m->resets += (value & 4) && !(m->reset & 4);
		m->reset = value & 0x0e;
	} else if (offset >= 4 && offset + size <= 8 && device >= 0) {
		for (unsigned i = 0; i < size; i++)
			m->space[device][m->reg * 4 + offset - 4 + i] = (uint8_t)(value >> 8 * i);
	}
}

/* --- ports of one byte --- */

void model_bytes_init(struct model_bytes *m)
{
	memset(m, 0, sizeof(*m));
	m->port92 = 2;
	m->a20 = true;
}

static void write_one(struct model_bytes *m, unsigned port, uint8_t value)
{
	if (port == 0x80)
		m->post = value;
	if (port == 0xe9) {
		m->put = value;
		m->puts++;
	}
	if (port == 0x92) {
		m->resets += (value & 1) && !(m->port92 & 1);
		m->a20s += (value & 2) && !(m->port92 & 2);
		m->a20 = value & 2;
		m->port92 = value;
	}
}

void model_bytes_write(struct model_bytes *m, unsigned port, unsigned size, uint32_t value)
{
	if (port == 0xf4) {
		m->exit = value;
		m->exits++;
	} else if (port == 0xcf9 && size == 1) {
		m->resets += (value & 4) && !(m->cf9 & 4);
		m->cf9 = value & 0x0e;
	} else {
		for (unsigned i = 0; i < size; i++)
			write_one(m, port + i, (uint8_t)(value >> 8 * i));
	}
}

uint32_t model_bytes_read(const struct model_bytes *m, unsigned port, unsigned size)
{
	uint32_t value = cut(UINT32_MAX, size);

	if (port == 0xcf9 && size == 1)
		return m->cf9;
	for (unsigned i = 0; i < size; i++) {
		const uint32_t clear = ~(UINT32_C(0xff) << 8 * i);

		if (port + i == 0x80)
			value = (value & clear) | (uint32_t)m->post << 8 * i;
		if (port + i == 0x92)
			value = (value & clear) | (uint32_t)m->port92 << 8 * i;
		if (port + i == 0xe9)
			value = (value & clear) | UINT32_C(0xe9) << 8 * i;
	}
	return value;
}

/* --- fw_cfg --- */

static void put_number(uint8_t *bytes, uint64_t value, unsigned size, bool big)
{
	for (unsigned i = 0; i < size; i++)
		bytes[big ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static void number_item(struct model_fw *m, unsigned item, uint64_t value, unsigned size)
{
	m->items[item].size = size;
	put_number(m->items[item].bytes, value, size, false);
}

void model_fw_init(struct model_fw *m, uint64_t memory, unsigned cpus, unsigned cpu_max)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->items[0].bytes, "QEMU", 4);
	m->items[0].size = 4;
	number_item(m, 1, 1, 4);
	number_item(m, 3, memory, 8);
	number_item(m, 5, cpus, 2);
	number_item(m, 15, cpu_max, 2);
	m->items[0x19].size = 4;
}

void model_fw_file(struct model_fw *m, unsigned n, const char *name, const void *bytes,
                   size_t size)
{
	uint8_t *directory = m->items[0x19].bytes, *row = directory + 4 + n * 64;

	put_number(directory, n + 1, 4, true);
	put_number(row, size, 4, true);
	put_number(row + 4, 0x20 + n, 2, true);
	memcpy(row + 8, name, strlen(name) + 1);
	m->items[0x19].size = 4 + (n + 1) * 64;
	m->items[0x20 + n].size = size;
	memcpy(m->items[0x20 + n].bytes, bytes, size);
}

void model_fw_select(struct model_fw *m, unsigned item)
{
	m->item = item;
	m->at = 0;
}

uint8_t model_fw_next(struct model_fw *m)
{
	const unsigned at = m->at++;

	if (m->item >= sizeof(m->items) / sizeof(m->items[0]))
		return 0;
	return at < m->items[m->item].size ? m->items[m->item].bytes[at] : 0;
}
