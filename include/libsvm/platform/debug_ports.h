/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_DEBUG_PORTS_H
#define LIBSVM_PLATFORM_DEBUG_PORTS_H
/**
 * @file
 * @brief Ports of one byte and one purpose: messages, end and reset of a guest.
 *
 * | port | write | read |
 * | --- | --- | --- |
 * | 80h | a code that firmware shows as it goes on | the last one |
 * | 92h | bit 1: A20; bit 0 from 0 to 1: reset (PS/2 system control port A) | what was written |
 * | E9h | a byte of a message, as Bochs has it | E9h, so that a guest can see that it is there |
 * | F4h | the guest is done; the value is its verdict, as QEMU's isa-debug-exit | all ones |
 * | CF9h | bit 2 from 0 to 1: reset (PIIX3 data sheet, Reset control register) | bits 3:1 |
 *
 * Other ports read as all ones.  CF9h lies inside of the address register of PCI's configuration
 * mechanism, to which accesses of four bytes at CF8h belong; only accesses of one byte come here.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Everything that the ports remember. */
struct svm_debug_ports_state {
	uint8_t post;     /**< Last code written to port 80h. */
	uint8_t port92;   /**< As written last. */
	uint8_t cf9;      /**< Bits 3:1 as written last. */
	uint8_t reserved; /**< 0. */
};

/** Who is told.  Any of the functions may be NULL and any of the wires lead nowhere. */
struct svm_debug_ports_sinks {
	void (*put)(void *arg, uint8_t byte);    /**< A byte came to port E9h. */
	void (*exit)(void *arg, uint32_t value); /**< A value came to port F4h. */
	void *arg;                               /**< First argument of both. */
	struct svm_wire reset;                   /**< Pulsed when the guest wants a reset. */
	/** Down: bit 20 of addresses is 0.  Up at first.  Leads nowhere: A20 reads as on. */
	struct svm_wire a20;
};

/** The ports.  Members are their own; state may be looked at. */
struct svm_debug_ports {
	struct svm_debug_ports_state state;
	struct svm_debug_ports_sinks sinks;
};

/**
 * @brief Make the ports, with A20 on.
 *
 * @param ports  Any memory of that size.
 * @param sinks  Who is told; NULL: nobody.
 * @par Context
 * Any.
 */
void svm_debug_ports_init(struct svm_debug_ports *ports, const struct svm_debug_ports_sinks *sinks);

/** @brief As after svm_debug_ports_init(). */
void svm_debug_ports_reset(struct svm_debug_ports *ports);

/**
 * @brief What the guest reads.
 *
 * @param ports  The ports.
 * @param port   Number of the port, such as 0xe9.
 * @param size   1, 2 or 4 bytes; more than one is as many byte reads, upwards.
 */
uint32_t svm_debug_ports_read(const struct svm_debug_ports *ports, uint32_t port, uint32_t size);

/** @brief What the guest writes; arguments as svm_debug_ports_read()'s.  F4h takes all of value. */
void svm_debug_ports_write(struct svm_debug_ports *ports, uint32_t port, uint32_t size,
                           uint32_t value);

/** @brief Copy the state out. */
void svm_debug_ports_save(const struct svm_debug_ports *ports, struct svm_debug_ports_state *state);

/**
 * @brief Become what was saved, and drive the wires accordingly.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  The ports cannot be in that state; these are as they were.
 */
SVM_MUST_CHECK int svm_debug_ports_restore(struct svm_debug_ports *ports,
                                           const struct svm_debug_ports_state *state);

/** @} */

#endif
