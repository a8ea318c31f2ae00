/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * 16550A.  PC16550D data sheet, 8.
 *
 * Two things are easily done wrong.  The interrupt "holding register empty" is not a level of the
 * register but an event: reading IIR ends it although the register stays empty, and switching it on
 * in IER starts it (8.6, table III); Linux tests for that and turns to polling where it fails.  And
 * interrupt controllers look for edges, so a byte that ends the event and starts the next one must
 * take the wire down in between.
 */
#include <libsvm/platform/uart.h>

#include "core/core.h"

/* Offsets; 0 and 1 are the divisor while DLAB is set. */
#define UART_DATA 0u
#define UART_IER  1u
#define UART_IIR  2u /* Read; FCR when written. */
#define UART_LCR  3u
#define UART_MCR  4u
#define UART_LSR  5u
#define UART_MSR  6u
#define UART_SCR  7u

#define UART_IER_DATA        0x01u
#define UART_IER_THR_EMPTY   0x02u
#define UART_IER_LINE_STATUS 0x04u
#define UART_IER_MODEM       0x08u
#define UART_IER_ALL         0x0fu

#define UART_IIR_MODEM       0x00u
#define UART_IIR_NONE        0x01u
#define UART_IIR_THR_EMPTY   0x02u
#define UART_IIR_DATA        0x04u
#define UART_IIR_LINE_STATUS 0x06u
#define UART_IIR_TIMEOUT     0x0cu
#define UART_IIR_FIFO        0xc0u

#define UART_FCR_ENABLE   0x01u
#define UART_FCR_CLEAR_RX 0x02u
#define UART_FCR_TRIGGER  0xc0u

#define UART_LCR_DLAB 0x80u

#define UART_MCR_DTR  0x01u
#define UART_MCR_RTS  0x02u
#define UART_MCR_OUT1 0x04u
#define UART_MCR_OUT2 0x08u
#define UART_MCR_LOOP 0x10u
#define UART_MCR_ALL  0x1fu

#define UART_LSR_DATA       0x01u
#define UART_LSR_OVERRUN    0x02u
#define UART_LSR_BREAK      0x10u
#define UART_LSR_EMPTY      0x60u /* Holding register, and shift register too. */
#define UART_LSR_FIFO_ERROR 0x80u

#define UART_MSR_CHANGES 0x0fu
#define UART_MSR_RI_OFF  0x04u /* Only the trailing edge of RI counts. */
#define UART_MSR_CTS     0x10u
#define UART_MSR_DSR     0x20u
#define UART_MSR_RI      0x40u
#define UART_MSR_DCD     0x80u

#define UART_DIVISOR_9600 12u

static const uint8_t trigger_levels[4] = { 1, 4, 8, 14 }; /* 8.5 */

static uint8_t uart_capacity(const struct svm_uart_state *s)
{
	return s->fcr & UART_FCR_ENABLE ? SVM_UART_FIFO : 1;
}

static bool break_is_next(const struct svm_uart_state *s)
{
	return s->rx_count && (s->rx_breaks >> s->rx_first & 1u);
}

static uint8_t data_interrupt(const struct svm_uart_state *s)
{
	if (!(s->fcr & UART_FCR_ENABLE))
		return UART_IIR_DATA;
	return s->rx_count >= trigger_levels[s->fcr >> 6] ? UART_IIR_DATA : UART_IIR_TIMEOUT;
}

/* The pending interrupt of highest priority.  8.6, table IV. */
static uint8_t pending_interrupt(const struct svm_uart_state *s)
{
	if ((s->ier & UART_IER_LINE_STATUS) && (s->overrun || break_is_next(s)))
		return UART_IIR_LINE_STATUS;
	if ((s->ier & UART_IER_DATA) && s->rx_count)
		return data_interrupt(s);
	if ((s->ier & UART_IER_THR_EMPTY) && s->thr_empty)
		return UART_IIR_THR_EMPTY;
	if ((s->ier & UART_IER_MODEM) && (s->msr & UART_MSR_CHANGES))
		return UART_IIR_MODEM;
	return UART_IIR_NONE;
}

/* In loopback the pin OUT2 is off, whatever the register says (8.8). */
static bool uart_irq(const struct svm_uart_state *s)
{
	if ((s->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) != UART_MCR_OUT2)
		return false;
	return pending_interrupt(s) != UART_IIR_NONE;
}

static void update_uart_irq(struct svm_uart *uart)
{
	const bool level = uart_irq(&uart->state);

	if (level == uart->irq_level)
		return;
	uart->irq_level = level;
	svm_wire_set(&uart->irq, level);
}

static void uart_clear_rx(struct svm_uart_state *s)
{
	s->rx_first = 0;
	s->rx_count = 0;
	s->rx_breaks = 0;
}

/* A full FIFO keeps what it has; the one register is overwritten (8.4, bit 1). */
static void push_rx(struct svm_uart_state *s, uint8_t byte, bool is_break)
{
	if (s->rx_count == uart_capacity(s)) {
		s->overrun = 1;
		if (s->fcr & UART_FCR_ENABLE)
			return;
		uart_clear_rx(s);
	}

	const unsigned slot = (s->rx_first + s->rx_count) % SVM_UART_FIFO;

	s->rx[slot] = byte;
	s->rx_breaks = (uint16_t)((s->rx_breaks & ~(1u << slot)) | (unsigned)is_break << slot);
	s->rx_count++;
}

static uint8_t pop_rx(struct svm_uart_state *s)
{
	const uint8_t byte = s->rx[s->rx_first];

	if (!s->rx_count)
		return byte;
	s->rx_breaks = (uint16_t)(s->rx_breaks & ~(1u << s->rx_first));
	s->rx_count--;
	if (s->fcr & UART_FCR_ENABLE)
		s->rx_first = (s->rx_first + 1) % SVM_UART_FIFO;
	return byte;
}

/* Modem inputs: in loopback the outputs of MCR, else a ready partner.  8.8, 8.9. */
static uint8_t modem_inputs(uint8_t mcr)
{
	if (!(mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (uint8_t)((mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	                 (mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	                 (mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	                 (mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0));
}

static void write_mcr(struct svm_uart_state *s, uint8_t value)
{
	const uint8_t before = s->msr & 0xf0;
	const uint8_t after = modem_inputs(value & UART_MCR_ALL);
	uint8_t changes = (uint8_t)((before ^ after) >> 4);

	if (after & UART_MSR_RI)
		changes = (uint8_t)(changes & ~UART_MSR_RI_OFF);
	s->mcr = value & UART_MCR_ALL;
	s->msr = (uint8_t)(after | (s->msr & UART_MSR_CHANGES) | changes);
}

/* Without its bit 0 the other bits are not programmed; a change of it empties the FIFOs (8.5). */
static void write_fcr(struct svm_uart_state *s, uint8_t value)
{
	if (((s->fcr ^ value) & UART_FCR_ENABLE) ||
	    ((value & UART_FCR_ENABLE) && (value & UART_FCR_CLEAR_RX)))
		uart_clear_rx(s);
	s->fcr = value & UART_FCR_ENABLE ? value & (UART_FCR_ENABLE | UART_FCR_TRIGGER) : 0;
}

static void write_uart_ier(struct svm_uart_state *s, uint8_t value)
{
	if (value & ~s->ier & UART_IER_THR_EMPTY)
		s->thr_empty = 1;
	s->ier = value & UART_IER_ALL;
}

static void uart_transmit(struct svm_uart *uart, uint8_t byte)
{
	struct svm_uart_state *s = &uart->state;

	s->thr_empty = 0;
	update_uart_irq(uart);
	if (s->mcr & UART_MCR_LOOP)
		push_rx(s, byte, false);
	else if (uart->put)
		uart->put(uart->put_arg, byte);
	s->thr_empty = 1;
}

static uint8_t read_iir(struct svm_uart_state *s)
{
	const uint8_t interrupt = pending_interrupt(s);

	if (interrupt == UART_IIR_THR_EMPTY)
		s->thr_empty = 0;
	return (uint8_t)(interrupt | (s->fcr & UART_FCR_ENABLE ? UART_IIR_FIFO : 0));
}

static uint8_t read_lsr(struct svm_uart_state *s)
{
	uint8_t lsr = UART_LSR_EMPTY;

	if (s->rx_count)
		lsr |= UART_LSR_DATA;
	if (s->overrun)
		lsr |= UART_LSR_OVERRUN;
	if (break_is_next(s))
		lsr |= UART_LSR_BREAK;
	if ((s->fcr & UART_FCR_ENABLE) && s->rx_breaks)
		lsr |= UART_LSR_FIFO_ERROR;
	s->overrun = 0;
	s->rx_breaks = (uint16_t)(s->rx_breaks & ~(1u << s->rx_first));
	return lsr;
}

static uint8_t read_uart_msr(struct svm_uart_state *s)
{
	const uint8_t msr = s->msr;

	s->msr = msr & (uint8_t)~UART_MSR_CHANGES;
	return msr;
}

static uint8_t read_uart_byte(struct svm_uart_state *s, uint32_t offset)
{
	const bool divisor = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_DATA:
		return divisor ? s->divisor_low : pop_rx(s);
	case UART_IER:
		return divisor ? s->divisor_high : s->ier;
	case UART_IIR:
		return read_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_LSR:
		return read_lsr(s);
	case UART_MSR:
		return read_uart_msr(s);
	case UART_SCR:
		return s->scr;
	default:
		return 0xff;
	}
}

static void write_uart_byte(struct svm_uart *uart, uint32_t offset, uint8_t value)
{
	struct svm_uart_state *s = &uart->state;
	const bool divisor = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_DATA:
		if (divisor)
			s->divisor_low = value;
		else
			uart_transmit(uart, value);
		break;
	case UART_IER:
		if (divisor)
			s->divisor_high = value;
		else
			write_uart_ier(s, value);
		break;
	case UART_IIR:
		write_fcr(s, value);
		break;
	case UART_LCR:
		s->lcr = value;
		break;
	case UART_MCR:
		write_mcr(s, value);
		break;
	case UART_SCR:
		s->scr = value;
		break;
	default: /* LSR and MSR are read only */
		break;
	}
}

uint32_t svm_uart_read(struct svm_uart *uart, uint32_t offset, uint32_t size)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < size && i < 4; i++) {
		value |= (uint32_t)read_uart_byte(&uart->state, offset + i) << 8 * i;
		update_uart_irq(uart);
	}
	return value;
}

void svm_uart_write(struct svm_uart *uart, uint32_t offset, uint32_t size, uint32_t value)
{
	for (uint32_t i = 0; i < size && i < 4; i++) {
		write_uart_byte(uart, offset + i, (uint8_t)(value >> 8 * i));
		update_uart_irq(uart);
	}
}

static bool uart_receive(struct svm_uart *uart, uint8_t byte, bool is_break)
{
	struct svm_uart_state *s = &uart->state;

	if ((s->mcr & UART_MCR_LOOP) || s->rx_count == uart_capacity(s))
		return false;
	push_rx(s, byte, is_break);
	update_uart_irq(uart);
	return true;
}

bool svm_uart_receive(struct svm_uart *uart, uint8_t byte)
{
	return uart_receive(uart, byte, false);
}

bool svm_uart_receive_break(struct svm_uart *uart)
{
	return uart_receive(uart, 0, true);
}

/* Table I.  Divisor and scratch register survive a reset. */
void svm_uart_reset(struct svm_uart *uart)
{
	const struct svm_uart_state before = uart->state;

	uart->state = (struct svm_uart_state){
		.divisor_low = before.divisor_low,
		.divisor_high = before.divisor_high,
		.msr = modem_inputs(0),
		.scr = before.scr,
		.thr_empty = 1,
	};
	update_uart_irq(uart);
}

void svm_uart_init(struct svm_uart *uart, const struct svm_wire *irq,
                   void (*sink)(void *arg, uint8_t byte), void *sink_arg)
{
	memset(uart, 0, sizeof(*uart));
	if (irq)
		uart->irq = *irq;
	uart->put = sink;
	uart->put_arg = sink_arg;
	uart->state.divisor_low = UART_DIVISOR_9600;
	svm_uart_reset(uart);
}

void svm_uart_save(const struct svm_uart *uart, struct svm_uart_state *state)
{
	*state = uart->state;
}

/* Bits of rx_breaks outside of what was received would show as errors that no read ends. */
static bool breaks_are_received(const struct svm_uart_state *s)
{
	const uint32_t slots = ((1u << s->rx_count) - 1) << s->rx_first;

	return !(s->rx_breaks & ~(slots | slots >> SVM_UART_FIFO));
}

static bool uart_state_is_valid(const struct svm_uart_state *s)
{
	if (s->rx_first >= SVM_UART_FIFO || s->rx_count > uart_capacity(s))
		return false;
	if (s->overrun > 1 || s->thr_empty > 1 || s->reserved[0] || s->reserved[1])
		return false;
	if (s->ier & ~UART_IER_ALL || s->mcr & ~UART_MCR_ALL ||
	    s->fcr & ~(UART_FCR_ENABLE | UART_FCR_TRIGGER))
		return false;
	if (!(s->fcr & UART_FCR_ENABLE) && s->fcr)
		return false;
	return (s->msr & 0xf0) == modem_inputs(s->mcr) && breaks_are_received(s);
}

int svm_uart_restore(struct svm_uart *uart, const struct svm_uart_state *state)
{
	const struct svm_uart_state copy = *state;

	if (!uart_state_is_valid(&copy))
		return SVM_ERR_INVAL;
	uart->state = copy;
	update_uart_irq(uart);
	return 0;
}
