/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * As much of a 16550 as a guest needs that only writes: a register for bytes, and a status that
 * always says "ready".  Other ports answer as an empty bus does.
 */
#include "console.h"
#include "uart.h"

#define COM1   0x3f8
#define STATUS 5
#define READY  0x60 /* Nothing left to send. */

static char line[80];
static unsigned length;

static void flush(void)
{
	line[length] = 0;
	say("guest: %s\n", line);
	length = 0;
}

void uart_out(uint16_t port, uint8_t value)
{
	if (port != COM1)
		return;
	if (value == '\n' || length == sizeof(line) - 1)
		flush();
	if (value != '\n')
		line[length++] = (char)value;
}

uint8_t uart_in(uint16_t port)
{
	return port == COM1 + STATUS ? READY : 0xff;
}
