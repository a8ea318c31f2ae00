/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DEVICES_LEGACY_MODEL_H
#define TESTS_DEVICES_LEGACY_MODEL_H
/*
 * The 8254, the MC146818 and the 16550A once more, from the data sheets and as plainly as can be:
 * each tick, each cycle and each second is a step, counters count in the digits that the guest
 * sees, a FIFO is an array that moves up.  Nothing here knows the library.
 */
#include <stdbool.h>
#include <stdint.h>

/* --- 8254 --- */

struct model_counter {
	unsigned mode, access;
	uint16_t count, element; /* In the digits of the guest; 0 is the largest count. */
	bool bcd, gate, out;
	bool has_count;  /* One was written since the control word. */
	bool loading;    /* The next tick loads the element. */
	bool counting;   /* It was loaded since the control word. */
	bool half;       /* Mode 0 waits for the second byte. */
	bool acts;       /* OUT will act at zero. */
	bool null_count; /* The status bit. */
	bool odd;        /* The element was loaded with an odd count. */
	uint16_t loaded;
	int latch, status; /* -1: none. */
	bool second_read, second_write;
	uint8_t first_byte;
};

struct model_pit {
	struct model_counter counters[3];
	uint64_t tick;
	uint8_t port61;
	bool irq;
	uint64_t rises; /* Of the wire. */
	uint64_t owed, next_ns;
};

void model_pit_init(struct model_pit *m);
void model_pit_run(struct model_pit *m, uint64_t now);
void model_pit_write(struct model_pit *m, unsigned offset, uint8_t value, uint64_t now);
uint8_t model_pit_read(struct model_pit *m, unsigned offset);
void model_pit_write61(struct model_pit *m, uint8_t value);
uint8_t model_pit_read61(const struct model_pit *m, uint64_t now);

/* --- MC146818 --- */

struct model_rtc {
	uint8_t bytes[128];
	unsigned index;
	int64_t begin;   /* When the divider was 0, were it running all the time. */
	uint64_t cycles; /* Seen since then. */
	bool irq;
	uint64_t rises;
};

void model_rtc_init(struct model_rtc *m);
void model_rtc_run(struct model_rtc *m, uint64_t now);
void model_rtc_write(struct model_rtc *m, unsigned offset, uint8_t value, uint64_t now);
uint8_t model_rtc_read(struct model_rtc *m, unsigned offset, uint64_t now);

/* --- 16550A --- */

struct model_uart {
	uint8_t queue[16];
	bool breaks[16];
	unsigned count;
	uint8_t last;    /* What an empty receiver reads as, */
	bool last_known; /* if that is known. */
	bool fifo, overrun, empty_event;
	unsigned trigger;
	uint8_t ier, lcr, mcr, changes, scratch, low, high;
	bool irq;
	uint64_t rises;
	unsigned sent; /* Bytes, */
	uint8_t sent_last;
};

void model_uart_init(struct model_uart *m);
void model_uart_write(struct model_uart *m, unsigned offset, uint8_t value);
int model_uart_read(struct model_uart *m, unsigned offset); /* -1: any value will do. */
bool model_uart_receive(struct model_uart *m, uint8_t byte, bool is_break);

#endif
