/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A port that resets the machine acts on a bit that goes from 0 to 1.  A guest reads such a port,
 * changes another bit and writes it back; were the level what counts, that would be a reset too.
 */
#include <libsvm/platform/debug_ports.h>

#include "core/core.h"

#define PORT_POST    0x80u
#define PORT_92      0x92u
#define PORT_MESSAGE 0xe9u
#define PORT_EXIT    0xf4u
#define PORT_RESET   0xcf9u

#define PORT92_RESET 0x01u
#define PORT92_A20   0x02u

#define CF9_RESET 0x04u
#define CF9_ALL   0x0eu

static void write_port92(struct svm_debug_ports *ports, uint8_t value)
{
	const uint8_t before = ports->state.port92;

	ports->state.port92 = value;
	if ((before ^ value) & PORT92_A20)
		svm_wire_set(&ports->sinks.a20, value & PORT92_A20);
	if (value & ~before & PORT92_RESET)
		svm_wire_pulse(&ports->sinks.reset);
}

static void write_cf9(struct svm_debug_ports *ports, uint8_t value)
{
	const uint8_t before = ports->state.cf9;

	ports->state.cf9 = value & CF9_ALL;
	if (value & ~before & CF9_RESET)
		svm_wire_pulse(&ports->sinks.reset);
}

static void write_debug_byte(struct svm_debug_ports *ports, uint32_t port, uint8_t value)
{
	switch (port) {
	case PORT_POST:
		ports->state.post = value;
		break;
	case PORT_92:
		write_port92(ports, value);
		break;
	case PORT_MESSAGE:
		if (ports->sinks.put)
			ports->sinks.put(ports->sinks.arg, value);
		break;
	default:
		break;
	}
}

void svm_debug_ports_write(struct svm_debug_ports *ports, uint32_t port, uint32_t size,
                           uint32_t value)
{
	if (port == PORT_EXIT) {
		if (ports->sinks.exit)
			ports->sinks.exit(ports->sinks.arg, value);
		return;
	}
	if (port == PORT_RESET && size == 1) {
		write_cf9(ports, (uint8_t)value);
		return;
	}
	for (uint32_t i = 0; i < size && i < 4; i++)
		write_debug_byte(ports, port + i, (uint8_t)(value >> 8 * i));
}

/* A machine without the line has A20 on, and its guest can see that. */
static uint8_t read_port92(const struct svm_debug_ports *ports)
{
	return ports->state.port92 | (ports->sinks.a20.set ? 0 : PORT92_A20);
}

static uint8_t read_debug_byte(const struct svm_debug_ports *ports, uint32_t port)
{
	switch (port) {
	case PORT_POST:
		return ports->state.post;
	case PORT_92:
		return read_port92(ports);
	case PORT_MESSAGE:
		return PORT_MESSAGE;
	default:
		return 0xff;
	}
}

uint32_t svm_debug_ports_read(const struct svm_debug_ports *ports, uint32_t port, uint32_t size)
{
	uint32_t value = 0;

	if (port == PORT_RESET && size == 1)
		return ports->state.cf9;
	for (uint32_t i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read_debug_byte(ports, port + i) << 8 * i;
	return value;
}

static void set_debug_ports(struct svm_debug_ports *ports,
                            const struct svm_debug_ports_state *state)
{
	const bool a20_changes = (ports->state.port92 ^ state->port92) & PORT92_A20;

	ports->state = *state;
	if (a20_changes)
		svm_wire_set(&ports->sinks.a20, state->port92 & PORT92_A20);
}

void svm_debug_ports_reset(struct svm_debug_ports *ports)
{
	const struct svm_debug_ports_state state = { .port92 = PORT92_A20 };

	set_debug_ports(ports, &state);
}

void svm_debug_ports_init(struct svm_debug_ports *ports, const struct svm_debug_ports_sinks *sinks)
{
	memset(ports, 0, sizeof(*ports));
	if (sinks)
		ports->sinks = *sinks;
	ports->state.port92 = PORT92_A20;
}

void svm_debug_ports_save(const struct svm_debug_ports *ports, struct svm_debug_ports_state *state)
{
	*state = ports->state;
}

int svm_debug_ports_restore(struct svm_debug_ports *ports,
                            const struct svm_debug_ports_state *state)
{
	const struct svm_debug_ports_state copy = *state;

	if (copy.cf9 & ~CF9_ALL || copy.reserved)
		return SVM_ERR_INVAL;
	set_debug_ports(ports, &copy);
	return 0;
}
