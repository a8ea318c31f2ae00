/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* 16550A against the PC16550D's data sheet; the sequences by which Linux 6.1 identifies one. */
#include <libsvm/platform/uart.h>

#include "device_rig.h"

#define STEPS_MAX 24

/* One thing that happens, or that must be so. */
enum what {
	END,
	W,     /* write value to offset */
	R,     /* offset reads as value */
	IN,    /* value comes in: there is room */
	FULL,  /* value comes in: there is none */
	BREAK, /* a break comes in */
	IRQ,   /* the wire is value */
	EDGES, /* the wire rose that often since the last such step */
	SENT,  /* value was sent last */
};

struct step {
	enum what what;
	uint8_t offset;
	uint8_t value;
};

struct row {
	const char *name;
	struct step steps[STEPS_MAX];
};

static struct svm_uart uart;
static struct probe probe;
static uint8_t sent[300];
static unsigned sent_count;

static void take(void *arg, uint8_t byte)
{
	ck_assert_ptr_eq(arg, sent);
	ck_assert_uint_lt(sent_count, sizeof(sent));
	sent[sent_count++] = byte;
}

static void setup(void)
{
	const struct svm_wire wire = probe_wire(&probe, 0);

	memset(&probe, 0, sizeof(probe));
	sent_count = 0;
	svm_uart_init(&uart, &wire, take, sent);
}

static void run_step(const char *name, unsigned index, const struct step *step)
{
	uint32_t got = step->value;

	switch (step->what) {
	case W:
		svm_uart_write(&uart, step->offset, 1, step->value);
		break;
	case R:
		got = svm_uart_read(&uart, step->offset, 1);
		break;
	case IN:
		ck_assert_msg(svm_uart_receive(&uart, step->value), "%s: step %u", name, index);
		break;
	case FULL:
		ck_assert_msg(!svm_uart_receive(&uart, step->value), "%s: step %u", name, index);
		break;
	case BREAK:
		ck_assert_msg(svm_uart_receive_break(&uart), "%s: step %u", name, index);
		break;
	case IRQ:
		got = probe.level;
		break;
	case EDGES:
		got = probe.rises;
		probe.rises = 0;
		break;
	case SENT:
		ck_assert_msg(sent_count, "%s: step %u: nothing was sent", name, index);
		got = sent[sent_count - 1];
		break;
	case END:
		break;
	}
	ck_assert_msg(got == step->value, "%s: step %u: %#x, not %#x", name, index, got,
	              step->value);
}

static void run_row(const struct row *row)
{
	setup();
	for (unsigned i = 0; i < STEPS_MAX && row->steps[i].what != END; i++)
		run_step(row->name, i, &row->steps[i]);
}

static const struct row rows[] = {
	/* Table I: reset. */
	{ "after reset IER is 0, IIR 01, LCR 0, MCR 0, LSR 60",
	  { { R, 1, 0 }, { R, 2, 0x01 }, { R, 3, 0 }, { R, 4, 0 }, { R, 5, 0x60 },
	    { IRQ, 0, 0 } } },
	{ "MSR shows a partner that is ready: DCD, DSR, CTS", { { R, 6, 0xb0 } } },
	{ "ports past the eighth read as ones", { { R, 8, 0xff }, { R, 255, 0xff } } },
	/* Table II: which bits exist. */
	{ "IER holds bits 3:0", { { W, 1, 0xff }, { R, 1, 0x0f } } },
	{ "LCR holds all bits", { { W, 3, 0xff }, { R, 3, 0xff }, { W, 3, 0x03 },
	    { R, 3, 0x03 } } },
	{ "MCR holds bits 4:0", { { W, 4, 0xff }, { R, 4, 0x1f } } },
	{ "LSR cannot be written", { { W, 5, 0xff }, { R, 5, 0x60 } } },
	{ "MSR cannot be written", { { W, 6, 0xff }, { R, 6, 0xb0 } } },
	{ "the scratch register holds what it is given", { { W, 7, 0xa5 }, { R, 7, 0xa5 } } },
	{ "at first the divisor is that of 9600 baud", { { W, 3, 0x80 }, { R, 0, 12 },
	    { R, 1, 0 } } },
	{ "DLAB turns registers 0 and 1 into the divisor",
	  { { W, 3, 0x83 }, { W, 0, 0x34 }, { W, 1, 0x12 }, { R, 0, 0x34 }, { R, 1, 0x12 },
	    { W, 3, 0x03 }, { R, 1, 0x00 }, { W, 3, 0x83 }, { R, 1, 0x12 } } },
	{ "with DLAB nothing is sent and IER stays",
	  { { W, 0, 'a' }, { W, 1, 0x05 }, { W, 3, 0x80 }, { W, 0, 'b' }, { W, 1, 0x0f },
	    { SENT, 0, 'a' }, { W, 3, 0x00 }, { R, 1, 0x05 } } },
	/* 8.5: FIFO control. */
	{ "IIR shows C0 while the FIFO is on", { { W, 2, 0x01 }, { R, 2, 0xc1 }, { W, 2, 0 },
	    { R, 2, 1 } } },
	{ "without bit 0 of FCR the other bits do nothing", { { W, 2, 0xc6 }, { R, 2, 0x01 } } },
	{ "turning the FIFO on empties it", { { IN, 0, 'a' }, { W, 2, 0x01 }, { R, 5, 0x60 } } },
	{ "turning the FIFO off empties it",
	  { { W, 2, 0x01 }, { IN, 0, 'a' }, { IN, 0, 'b' }, { W, 2, 0x00 }, { R, 5, 0x60 } } },
	{ "bit 1 of FCR empties the receiver",
	  { { W, 2, 0x01 }, { IN, 0, 'a' }, { W, 2, 0x03 }, { R, 5, 0x60 } } },
	{ "another trigger level leaves what is there",
	  { { W, 2, 0x01 }, { IN, 0, 'a' }, { W, 2, 0xc1 }, { R, 5, 0x61 }, { R, 0, 'a' } } },
	/* 8.4: line status. */
	{ "bit 0 of LSR is set until the last byte is read",
	  { { W, 2, 0x01 }, { IN, 0, 'a' }, { IN, 0, 'b' }, { R, 5, 0x61 }, { R, 0, 'a' },
	    { R, 5, 0x61 }, { R, 0, 'b' }, { R, 5, 0x60 } } },
	{ "without the FIFO there is room for one byte",
	  { { IN, 0, 'a' }, { FULL, 0, 'b' }, { R, 0, 'a' }, { IN, 0, 'b' }, { R, 0, 'b' } } },
	{ "the one byte can be read again", { { IN, 0, 'a' }, { R, 0, 'a' }, { R, 0, 'a' },
	    { R, 5, 0x60 } } },
	{ "without the FIFO an overrun keeps the new byte",
	  { { W, 4, 0x10 }, { W, 0, 'a' }, { W, 0, 'b' }, { R, 5, 0x63 }, { R, 5, 0x61 },
	    { R, 0, 'b' } } },
	{ "a break is a 0 that LSR shows once, with the error bit of the FIFO",
	  { { W, 2, 0x01 }, { BREAK, 0, 0 }, { R, 5, 0xf1 }, { R, 5, 0x61 }, { R, 0, 0 },
	    { R, 5, 0x60 } } },
	{ "a break behind a byte shows in bit 7 alone",
	  { { W, 2, 0x01 }, { IN, 0, 'a' }, { BREAK, 0, 0 }, { R, 5, 0xe1 }, { R, 0, 'a' },
	    { R, 5, 0xf1 }, { R, 0, 0 }, { R, 5, 0x60 } } },
	{ "without the FIFO bit 7 stays 0", { { BREAK, 0, 0 }, { R, 5, 0x71 }, { R, 5, 0x61 } } },
	/* 8.6, table IV: sources, priorities, what ends each. */
	{ "data: one byte without the FIFO is 04 until it is read",
	  { { W, 4, 8 }, { W, 1, 1 }, { IN, 0, 'a' }, { IRQ, 0, 1 }, { R, 2, 0x04 }, { R, 2, 0x04 },
	    { R, 0, 'a' }, { IRQ, 0, 0 }, { R, 2, 0x01 } } },
	{ "data: at the trigger level CC becomes C4, and CC again below it",
	  { { W, 4, 8 }, { W, 1, 1 }, { W, 2, 0x41 }, { IN, 0, 1 }, { R, 2, 0xcc }, { IN, 0, 2 },
	    { IN, 0, 3 }, { R, 2, 0xcc }, { IN, 0, 4 }, { R, 2, 0xc4 }, { R, 0, 1 }, { R, 2, 0xcc },
	    { IRQ, 0, 1 }, { R, 0, 2 }, { R, 0, 3 }, { R, 0, 4 }, { IRQ, 0, 0 }, { R, 2, 0xc1 },
	    { EDGES, 0, 1 } } },
	{ "data: a level of 8", { { W, 1, 1 }, { W, 2, 0x81 }, { IN, 0, 1 }, { IN, 0, 2 },
	    { IN, 0, 3 }, { IN, 0, 4 }, { IN, 0, 5 }, { IN, 0, 6 }, { IN, 0, 7 }, { R, 2, 0xcc },
	    { IN, 0, 8 }, { R, 2, 0xc4 } } },
	{ "data: a level of 14", { { W, 1, 1 }, { W, 2, 0xc1 }, { IN, 0, 1 }, { IN, 0, 2 },
	    { IN, 0, 3 }, { IN, 0, 4 }, { IN, 0, 5 }, { IN, 0, 6 }, { IN, 0, 7 }, { IN, 0, 8 },
	    { IN, 0, 9 }, { IN, 0, 10 }, { IN, 0, 11 }, { IN, 0, 12 }, { IN, 0, 13 },
	    { R, 2, 0xcc }, { IN, 0, 14 }, { R, 2, 0xc4 } } },
	{ "THR empty: switching it on raises it at once",
	  { { W, 4, 8 }, { W, 1, 2 }, { IRQ, 0, 1 }, { R, 2, 0x02 }, { IRQ, 0, 0 },
	    { R, 2, 0x01 } } },
	{ "THR empty: writing IER again does not, off and on does",
	  { { W, 1, 2 }, { R, 2, 0x02 }, { W, 1, 2 }, { R, 2, 0x01 }, { W, 1, 0 }, { W, 1, 2 },
	    { R, 2, 0x02 } } },
	{ "THR empty: each byte sent ends it and starts it, which is an edge",
	  { { W, 4, 8 }, { W, 1, 2 }, { EDGES, 0, 1 }, { W, 0, 'a' }, { EDGES, 0, 1 },
	    { IRQ, 0, 1 }, { SENT, 0, 'a' }, { R, 2, 0x02 }, { IRQ, 0, 0 }, { W, 0, 'b' },
	    { EDGES, 0, 1 }, { R, 2, 0x02 } } },
	{ "THR empty: reading another identification leaves it pending",
	  { { W, 1, 3 }, { IN, 0, 'a' }, { R, 2, 0x04 }, { R, 0, 'a' }, { R, 2, 0x02 },
	    { R, 2, 0x01 } } },
	{ "line status is before data, data before THR empty, that before modem status",
	  { { W, 4, 0x10 }, { W, 1, 0x0f }, { W, 0, 'a' }, { W, 0, 'b' }, { W, 4, 0x12 },
	    { R, 2, 0x06 }, { R, 5, 0x63 }, { R, 2, 0x04 }, { R, 0, 'b' }, { R, 2, 0x02 },
	    { R, 2, 0x00 }, { R, 6, 0x1b }, { R, 2, 0x01 } } },
	{ "what IER does not enable is not identified",
	  { { W, 4, 0x10 }, { W, 0, 'a' }, { W, 0, 'b' }, { W, 4, 0x12 }, { R, 2, 0x01 } } },
	{ "a break is a line status", { { W, 4, 8 }, { W, 1, 4 }, { BREAK, 0, 0 }, { R, 2, 0x06 },
	    { IRQ, 0, 1 }, { R, 5, 0x71 }, { R, 2, 0x01 }, { IRQ, 0, 0 } } },
	/* 8.8: modem control; 8.9: modem status. */
	{ "without OUT2 no interrupt leaves the chip",
	  { { W, 1, 2 }, { IRQ, 0, 0 }, { W, 4, 8 }, { IRQ, 0, 1 }, { W, 4, 0 }, { IRQ, 0, 0 } } },
	{ "in loopback neither", { { W, 1, 2 }, { W, 4, 0x18 }, { IRQ, 0, 0 }, { R, 2, 0x02 } } },
	{ "loopback: RTS is CTS", { { W, 4, 0x12 }, { R, 6, 0x1a } } },
	{ "loopback: DTR is DSR", { { W, 4, 0x11 }, { R, 6, 0x29 } } },
	{ "loopback: OUT1 is RI", { { W, 4, 0x14 }, { R, 6, 0x4b } } },
	{ "loopback: OUT2 is DCD", { { W, 4, 0x18 }, { R, 6, 0x83 } } },
	{ "only the trailing edge of RI is a change",
	  { { W, 4, 0x10 }, { R, 6, 0x0b }, { W, 4, 0x14 }, { R, 6, 0x40 }, { W, 4, 0x10 },
	    { R, 6, 0x04 } } },
	{ "reading MSR ends the changes", { { W, 4, 0x10 }, { R, 6, 0x0b }, { R, 6, 0x00 } } },
	{ "loopback: what is sent is received and stays inside",
	  { { W, 0, 'x' }, { W, 4, 0x10 }, { W, 0, 'y' }, { SENT, 0, 'x' }, { R, 5, 0x61 },
	    { R, 0, 'y' } } },
	{ "loopback: the line is cut", { { W, 4, 0x10 }, { FULL, 0, 'a' }, { W, 4, 0 },
	    { IN, 0, 'a' } } },
	/* How Linux's 8250 driver looks at a port it does not know. */
	{ "Linux: IER is there", { { W, 1, 0 }, { R, 1, 0 }, { W, 1, 0x0f }, { R, 1, 0x0f },
	    { W, 1, 0 } } },
	{ "Linux: loopback answers 90", { { W, 4, 0x1a }, { R, 6, 0x92 }, { W, 4, 0 } } },
	{ "Linux: a FIFO that works, and no enhanced registers",
	  { { W, 3, 0xbf }, { W, 2, 0x00 }, { W, 3, 0x00 }, { W, 2, 0x01 }, { R, 2, 0xc1 },
	    { W, 3, 0x80 }, { R, 2, 0xc1 }, { W, 3, 0xbf }, { R, 2, 0xc1 }, { W, 3, 0x00 } } },
	{ "Linux: no bank of National's: bit 4 of register 2 ignores MCR",
	  { { W, 2, 1 }, { W, 3, 0xe0 }, { R, 2, 0xc1 }, { W, 3, 0 }, { W, 4, 0x10 },
	    { W, 3, 0xe0 }, { R, 2, 0xc1 } } },
	{ "Linux: no FIFO of 64 bytes: bit 5 of IIR stays 0",
	  { { W, 2, 0x21 }, { R, 2, 0xc1 }, { W, 2, 1 }, { W, 3, 0x80 }, { W, 2, 0x21 },
	    { R, 2, 0xc1 } } },
	{ "Linux: no XScale: bit 6 of IER stays 0", { { W, 1, 0x40 }, { R, 1, 0x00 } } },
	{ "Linux: THR empty comes back, so no polling",
	  { { W, 1, 2 }, { R, 2, 0x02 }, { W, 1, 0 }, { W, 1, 2 }, { R, 2, 0x02 }, { W, 1, 0 } } },
};

START_TEST(the_uart_follows_its_data_sheet)
{
	run_row(&rows[_i]);
}
END_TEST

/* size_fifo() of Linux: 256 bytes in loopback, and then as many as were kept. */
START_TEST(sixteen_bytes_are_kept_of_a_flood)
{
	unsigned count = 0;

	setup();
	svm_uart_write(&uart, 2, 1, 0x07);
	svm_uart_write(&uart, 4, 1, 0x10);
	for (unsigned i = 0; i < 256; i++)
		svm_uart_write(&uart, 0, 1, i);
	ck_assert_uint_eq(svm_uart_read(&uart, 5, 1), 0x63);
	for (; (svm_uart_read(&uart, 5, 1) & 1) && count < 256; count++)
		ck_assert_uint_eq(svm_uart_read(&uart, 0, 1), count);
	ck_assert_uint_eq(count, 16);
}
END_TEST

START_TEST(the_ring_wraps)
{
	setup();
	svm_uart_write(&uart, 2, 1, 0x01);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert(svm_uart_receive(&uart, (uint8_t)i));
		ck_assert(svm_uart_receive(&uart, (uint8_t)(i + 100)));
		ck_assert(i % 16 != 15 || uart.state.rx_count == 2);
		ck_assert_uint_eq(svm_uart_read(&uart, 0, 1), i);
		ck_assert_uint_eq(svm_uart_read(&uart, 0, 1), i + 100);
	}
	for (unsigned i = 0; i < 16; i++)
		ck_assert(svm_uart_receive(&uart, 0));
	ck_assert(!svm_uart_receive(&uart, 0));
}
END_TEST

START_TEST(wide_accesses_are_byte_accesses_upwards)
{
	setup();
	svm_uart_write(&uart, 3, 2, 0x0b03);
	ck_assert_uint_eq(svm_uart_read(&uart, 3, 1), 0x03);
	ck_assert_uint_eq(svm_uart_read(&uart, 4, 1), 0x0b);
	ck_assert_uint_eq(svm_uart_read(&uart, 3, 4), 0xb0600b03);
	ck_assert_uint_eq(svm_uart_read(&uart, 7, 2), 0xff00);
}
END_TEST

START_TEST(a_uart_without_wire_and_sink_works)
{
	svm_uart_init(&uart, NULL, NULL, NULL);
	svm_uart_write(&uart, 4, 1, 8);
	svm_uart_write(&uart, 1, 1, 2);
	svm_uart_write(&uart, 0, 1, 'a');
	ck_assert_uint_eq(svm_uart_read(&uart, 2, 1), 2);
}
END_TEST

START_TEST(reset_keeps_divisor_and_scratch)
{
	setup();
	svm_uart_write(&uart, 3, 1, 0x80);
	svm_uart_write(&uart, 0, 2, 0x0103);
	svm_uart_write(&uart, 7, 1, 0x55);
	svm_uart_write(&uart, 3, 1, 0);
	svm_uart_write(&uart, 4, 1, 8);
	svm_uart_write(&uart, 1, 1, 0x0f);
	ck_assert(probe.level);
	svm_uart_reset(&uart);
	ck_assert(!probe.level);
	ck_assert_uint_eq(svm_uart_read(&uart, 1, 1), 0);
	ck_assert_uint_eq(svm_uart_read(&uart, 7, 1), 0x55);
	svm_uart_write(&uart, 3, 1, 0x80);
	ck_assert_uint_eq(svm_uart_read(&uart, 0, 2), 0x0103);
}
END_TEST

START_TEST(what_was_saved_is_restored)
{
	const struct svm_wire wire = probe_wire(&probe, 0);
	struct svm_uart_state state;
	struct svm_uart copy;

	setup();
	svm_uart_write(&uart, 2, 1, 0x41);
	svm_uart_write(&uart, 4, 1, 0x0b);
	svm_uart_write(&uart, 1, 1, 1);
	ck_assert(svm_uart_receive(&uart, 'a'));
	ck_assert(svm_uart_receive_break(&uart));
	svm_uart_save(&uart, &state);

	memset(&probe, 0, sizeof(probe));
	svm_uart_init(&copy, &wire, take, sent);
	ck_assert_int_eq(svm_uart_restore(&copy, &state), 0);
	ck_assert(probe.level);
	ck_assert_int_eq(memcmp(&copy.state, &uart.state, sizeof(state)), 0);
	ck_assert_uint_eq(svm_uart_read(&copy, 0, 1), 'a');
	ck_assert_uint_eq(svm_uart_read(&copy, 5, 1), 0xf1);
}
END_TEST

/* One byte of the state of a fresh UART replaced; nothing may change. */
static const struct {
	const char *name;
	size_t offset;
	uint8_t value;
} bad_rows[] = {
	{ "the oldest byte past the ring", offsetof(struct svm_uart_state, rx_first), 16 },
	{ "two bytes without the FIFO", offsetof(struct svm_uart_state, rx_count), 2 },
	{ "a break that was not received", offsetof(struct svm_uart_state, rx_breaks), 1 },
	{ "bit 4 of IER", offsetof(struct svm_uart_state, ier), 0x10 },
	{ "a trigger level without the FIFO", offsetof(struct svm_uart_state, fcr), 0x40 },
	{ "bit 1 of FCR", offsetof(struct svm_uart_state, fcr), 0x03 },
	{ "bit 5 of MCR", offsetof(struct svm_uart_state, mcr), 0x20 },
	{ "inputs that MCR does not give", offsetof(struct svm_uart_state, msr), 0xf0 },
	{ "an overrun of 2", offsetof(struct svm_uart_state, overrun), 2 },
	{ "a THR empty of 2", offsetof(struct svm_uart_state, thr_empty), 2 },
	{ "something behind the last member", offsetof(struct svm_uart_state, reserved), 1 },
};

START_TEST(a_state_that_cannot_be_is_refused)
{
	struct svm_uart_state state;
	struct svm_uart before;

	setup();
	svm_uart_save(&uart, &state);
	before = uart;
	((uint8_t *)&state)[bad_rows[_i].offset] = bad_rows[_i].value;
	ck_assert_msg(svm_uart_restore(&uart, &state) == SVM_ERR_INVAL, "%s", bad_rows[_i].name);
	ck_assert_int_eq(memcmp(&before, &uart, sizeof(uart)), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_uart_follows_its_data_sheet, 0, ROWS(rows));
	tcase_add_test(tc, sixteen_bytes_are_kept_of_a_flood);
	tcase_add_test(tc, the_ring_wraps);
	tcase_add_test(tc, wide_accesses_are_byte_accesses_upwards);
	tcase_add_test(tc, a_uart_without_wire_and_sink_works);
	tcase_add_test(tc, reset_keeps_divisor_and_scratch);
	tcase_add_test(tc, what_was_saved_is_restored);
	tcase_add_loop_test(tc, a_state_that_cannot_be_is_refused, 0, ROWS(bad_rows));
}

int main(void)
{
	return suite_run("uart", add_tests);
}
