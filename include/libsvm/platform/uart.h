/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_UART_H
#define LIBSVM_PLATFORM_UART_H
/**
 * @file
 * @brief A 16550A: the serial port of a PC.
 *
 * Section numbers are those of the data sheet of National's PC16550D.
 *
 * The line is infinitely fast.  What the guest transmits is handed on at once, so the transmitter
 * is always empty; still each byte ends the interrupt "holding register empty" and starts it anew,
 * as drivers expect.  For the same reason four character times pass at once: bytes below the
 * trigger level are announced as a timeout (IIR 0Ch) without delay.  So the device needs no clock
 * and plans nothing.  Baud rate, word length and parity are kept for the guest to read and have no
 * effect: each byte has 8 bits.
 *
 * The interrupt leaves the chip through OUT2, as on every PC: without it, and in loopback, the wire
 * stays down.  The other side of the line is there and ready: DCD, DSR and CTS are on, RI is off.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Ports that a UART takes. */
#define SVM_UART_PORTS 8u

/** Bytes of its receive FIFO (8.11). */
#define SVM_UART_FIFO 16u

/** Everything that a UART remembers. */
struct svm_uart_state {
	uint8_t rx[SVM_UART_FIFO]; /**< Received bytes, a ring. */
	uint16_t rx_breaks;        /**< Bit n: rx[n] is a break that LSR has not shown. */
	uint8_t rx_first;          /**< Where the oldest byte is: 0 to 15. */
	uint8_t rx_count;          /**< Bytes in it: at most 16, or 1 while the FIFO is off. */
	uint8_t divisor_low;       /**< DLL. */
	uint8_t divisor_high;      /**< DLM. */
	uint8_t ier;               /**< Interrupt enable, bits 3:0. */
	uint8_t fcr;               /**< FIFO control: bit 0 on, bits 7:6 trigger level. */
	uint8_t lcr;               /**< Line control; bit 7 is DLAB. */
	uint8_t mcr;               /**< Modem control, bits 4:0. */
	uint8_t msr;               /**< Modem status as read: inputs 7:4, changes 3:0. */
	uint8_t scr;               /**< Scratch. */
	uint8_t overrun;           /**< 1: a byte was lost and LSR has not said so. */
	uint8_t thr_empty;         /**< 1: the interrupt "holding register empty" is pending. */
	uint8_t reserved[2];       /**< 0. */
};

/** A UART.  Its members are its own; state may be looked at. */
struct svm_uart {
	struct svm_uart_state state;
	struct svm_wire irq;
	void (*put)(void *arg, uint8_t byte); /**< Takes what is sent; may be NULL. */
	void *put_arg;
	bool irq_level; /**< What the wire was told last. */
};

/**
 * @brief Make a UART as it is after power on.
 *
 * @param uart      Any memory of that size.
 * @param irq       Where the interrupt goes; NULL: nowhere.
 * @param sink      Takes a byte that the guest sends, in context A; NULL: bytes are dropped.
 * @param sink_arg  Its first argument.
 * @par Context
 * Any.
 */
void svm_uart_init(struct svm_uart *uart, const struct svm_wire *irq,
                   void (*sink)(void *arg, uint8_t byte), void *sink_arg);

/** @brief Master reset: table I of the data sheet.  Received bytes are lost. */
void svm_uart_reset(struct svm_uart *uart);

/**
 * @brief What the guest reads.
 *
 * @param uart    The UART.
 * @param offset  Port minus the base, 0 to 7; ports past the last read as all ones.
 * @param size    1, 2 or 4 bytes; more than one is as many byte reads, upwards.
 * @return The value; bytes above size are 0.
 * @par Source
 * PC16550D, 8.
 */
uint32_t svm_uart_read(struct svm_uart *uart, uint32_t offset, uint32_t size);

/** @brief What the guest writes; arguments as svm_uart_read()'s. */
void svm_uart_write(struct svm_uart *uart, uint32_t offset, uint32_t size, uint32_t value);

/**
 * @brief A byte comes in from the line.
 *
 * @return False if there is no room now, or the guest has the line cut (loopback): keep the byte
 *         and try again after the guest has read something.
 */
bool svm_uart_receive(struct svm_uart *uart, uint8_t byte);

/** @brief A break comes in: to Linux's console the prefix of a SysRq key.  False as above. */
bool svm_uart_receive_break(struct svm_uart *uart);

/** @brief Copy the state out. */
void svm_uart_save(const struct svm_uart *uart, struct svm_uart_state *state);

/**
 * @brief Become what was saved, and drive the wire accordingly.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  No UART can be in that state; this one is as it was.
 */
SVM_MUST_CHECK int svm_uart_restore(struct svm_uart *uart, const struct svm_uart_state *state);

/** @} */

#endif
