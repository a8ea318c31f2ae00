/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the serial port to whom it is meant for.  The boot CPU's tick fetches bytes into a ring, so
 * that the UART is looked at a hundred times in a second and not at each exit of each guest.  One
 * CPU at a time empties the ring; which one does not matter.
 *
 * A guest that does not read its input must not keep the user from Ctrl-], which may be behind
 * bytes that the guest has no room for.  They wait in a ring of the guest's own; when that is full
 * as well everything waits, so that nothing of a long text is lost, but not for longer than
 * PATIENCE_NS.
 */
#include "console.h"

#include "console_terminal.h"
#include "kprintf.h"
#include "monitor.h"
#include "serial.h"
#include "time.h"

#define RING_SIZE   256u /* a power of two */
#define FETCH_MAX   64
#define HANDLE_MAX  1024
#define PATIENCE_NS UINT64_C(1000000000)

static struct {
	void (*wake)(void);
	uint8_t ring[RING_SIZE];
	uint32_t head, tail; /* head: the fetcher's, tail: the poller's; they count on and wrap */
	bool is_on;
	bool is_polling; /* somebody is the poller */
	bool has_typed;  /* some guest has bytes to take */
} input;

void console_start_input(void (*wake)(void))
{
	input.wake = wake;
	__atomic_store_n(&input.is_on, true, __ATOMIC_RELAXED);
}

void console_receive(void)
{
	const uint32_t before = input.head;
	uint32_t head = before;
	uint8_t byte;

	if (!__atomic_load_n(&input.is_on, __ATOMIC_RELAXED))
		return;
	for (int i = 0; i < FETCH_MAX; i++) {
		if (head - __atomic_load_n(&input.tail, __ATOMIC_ACQUIRE) == RING_SIZE ||
		    !serial_read(&byte))
			break;
		input.ring[head++ % RING_SIZE] = byte;
		__atomic_store_n(&input.head, head, __ATOMIC_RELEASE);
	}
	if (head != before && input.wake)
		input.wake();
}

static bool is_idle(void)
{
	return __atomic_load_n(&input.head, __ATOMIC_ACQUIRE) ==
	               __atomic_load_n(&input.tail, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&input.has_typed, __ATOMIC_RELAXED);
}

static void deliver(struct console_guest *guest)
{
	while (guest->typed_used && guest->input(guest->arg, guest->typed[guest->typed_first])) {
		guest->typed_first = (guest->typed_first + 1) % CONSOLE_INPUT_MAX;
		guest->typed_used--;
		guest->taken_ns = time_ns();
	}
}

/* True: something is left. */
static bool deliver_all(void)
{
	bool is_left = false;

	for (struct console_guest *guest = NULL; (guest = console_pin_next(guest)) != NULL;) {
		deliver(guest);
		is_left |= guest->typed_used != 0;
	}
	return is_left;
}

bool console_type(struct console_guest *guest, uint8_t byte)
{
	if (!guest->input)
		return true;
	if (guest->typed_used == CONSOLE_INPUT_MAX)
		deliver(guest);
	if (guest->typed_used == CONSOLE_INPUT_MAX) {
		if (time_ns() - guest->taken_ns < PATIENCE_NS)
			return false;
		serial_write_raw("\a", 1);
		return true;
	}
	if (!guest->typed_used)
		guest->taken_ns = time_ns();
	guest->typed[(guest->typed_first + guest->typed_used) % CONSOLE_INPUT_MAX] = byte;
	guest->typed_used++;
	__atomic_store_n(&input.has_typed, true, __ATOMIC_RELAXED);
	return true;
}

/* False: nobody can take it yet. */
static bool handle(uint8_t byte)
{
	struct console_guest *guest;
	bool is_handled = true;

	if (console_is_prompting()) {
		monitor_key(byte);
		return true;
	}
	guest = console_pin_attached();
	if (byte == CONSOLE_KEY) {
		console_unpin(guest);
		monitor_open();
		return true;
	}
	if (guest)
		is_handled = console_type(guest, byte);
	else if (byte == '\r' || byte == '\n')
		kprintf("Ctrl-] opens the monitor\n");
	console_unpin(guest);
	return is_handled;
}

bool console_poll(void)
{
	uint32_t tail;

	if (is_idle())
		return false;
	if (__atomic_exchange_n(&input.is_polling, true, __ATOMIC_ACQUIRE))
		return true;
	tail = input.tail;
	for (int i = 0; i < HANDLE_MAX; i++) {
		if (tail == __atomic_load_n(&input.head, __ATOMIC_ACQUIRE) ||
		    !handle(input.ring[tail % RING_SIZE]))
			break;
		__atomic_store_n(&input.tail, ++tail, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&input.has_typed, deliver_all(), __ATOMIC_RELAXED);
	__atomic_store_n(&input.is_polling, false, __ATOMIC_RELEASE);
	return !is_idle();
}
