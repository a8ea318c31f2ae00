/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * COM1, the console of this port.  Polled: it must work in an exception handler and before any
 * interrupt controller is set up.  Both waits have an end, since a machine without a UART reads
 * all ones or never empties, and since the CPU that holds the lock may be the one that crashed.
 */
#include "serial.h"

#include "spinlock.h"

#define COM1           0x3f8
#define UART_DATA      (COM1 + 0)
#define UART_IER       (COM1 + 1)
#define UART_FCR       (COM1 + 2)
#define UART_LCR       (COM1 + 3)
#define UART_MCR       (COM1 + 4)
#define UART_LSR       (COM1 + 5)
#define LCR_8N1        0x03
#define LCR_DLAB       0x80
#define FCR_ENABLE     0x07
#define MCR_DTR_RTS    0x03
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY  0x20
#define NO_UART        0xff

#define UART_WAIT_MAX 100000
#define LOCK_WAIT_MAX 10000000

static struct spinlock serial_lock;

void serial_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1); /* divisor 1: 115200 */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, FCR_ENABLE);
	outb(UART_MCR, MCR_DTR_RTS);
}

static void serial_put(char c)
{
	for (int i = 0; i < UART_WAIT_MAX && !(inb(UART_LSR) & LSR_THR_EMPTY); i++)
		cpu_pause();
	outb(UART_DATA, (uint8_t)c);
}

static void write(const char *text, size_t size, bool as_lines)
{
	const uint64_t flags = interrupts_save();
	bool locked = false;

	for (int i = 0; i < LOCK_WAIT_MAX && !locked; i++) {
		locked = spin_try(&serial_lock);
		if (!locked)
			cpu_pause();
	}
	for (size_t i = 0; i < size; i++) {
		if (as_lines && text[i] == '\n')
			serial_put('\r');
		serial_put(text[i]);
	}
	if (locked)
		__atomic_store_n(&serial_lock.held, 0u, __ATOMIC_RELEASE);
	interrupts_restore(flags);
}

void serial_write(const char *text, size_t size)
{
	write(text, size, true);
}

void serial_write_raw(const char *text, size_t size)
{
	write(text, size, false);
}

/* A port where nothing is reads all ones, and would have a byte for ever. */
bool serial_read(uint8_t *byte)
{
	const uint8_t status = inb(UART_LSR);

	if (status == NO_UART || !(status & LSR_DATA_READY))
		return false;
	*byte = inb(UART_DATA);
	return true;
}
