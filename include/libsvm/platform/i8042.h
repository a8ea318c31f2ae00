/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_I8042_H
#define LIBSVM_PLATFORM_I8042_H
/**
 * @file
 * @brief A PC's keyboard controller, without keyboard and mouse: ports 60h and 64h.
 *
 * The source is the chapter on the keyboard controller in IBM's Personal System/2 Hardware
 * Interface Technical Reference.
 *
 * It is there for what hangs on it: reset, the A20 line, and drivers that probe.  Each probe gets
 * an answer at once, since a driver that waits for one waits for half a second: a byte to the
 * keyboard is answered by FEh with the timeout bit set, as the controller does when no keyboard
 * takes it, and the mouse port's test says that its clock is stuck.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Everything that a keyboard controller remembers. */
struct svm_i8042_state {
	uint8_t ram[32];     /**< Its memory; byte 0 is the command byte. */
	uint8_t data;        /**< What port 60h reads as. */
	uint8_t status;      /**< Bits 0 (data is there), 3 (command), 6 (timeout) of port 64h. */
	uint8_t command;     /**< Command that the next byte to port 60h belongs to; 0: none. */
	uint8_t output_port; /**< Bits 0 (not reset) and 1 (A20). */
	uint8_t reserved[4]; /**< 0. */
};

/** Where its pins lead. */
struct svm_i8042_wires {
	struct svm_wire irq;   /**< IRQ 1: up while data is there and the command byte allows it. */
	struct svm_wire reset; /**< Pulsed when the guest wants the processor reset. */
	/** Down: bit 20 of addresses is 0.  Up at first.  Leads nowhere: A20 reads as on. */
	struct svm_wire a20;
};

/** A keyboard controller.  Its members are its own; state may be looked at. */
struct svm_i8042 {
	struct svm_i8042_state state;
	struct svm_i8042_wires wires;
	bool irq_level; /**< What the wires were told last. */
	bool a20_level;
};

/**
 * @brief Make a controller in the state in which firmware leaves one.
 *
 * @param kbc    Any memory of that size.
 * @param wires  Where its pins lead; NULL: nowhere.
 * @par Context
 * Any.
 */
void svm_i8042_init(struct svm_i8042 *kbc, const struct svm_i8042_wires *wires);

/** @brief As after svm_i8042_init(). */
void svm_i8042_reset(struct svm_i8042 *kbc);

/**
 * @brief What the guest reads.
 *
 * @param kbc     The controller.
 * @param offset  0 for port 60h, 4 for port 64h; others, which are not its own, are all ones.
 * @param size    1, 2 or 4 bytes; more than one is as many byte reads, upwards.
 */
uint32_t svm_i8042_read(struct svm_i8042 *kbc, uint32_t offset, uint32_t size);

/** @brief What the guest writes; arguments as svm_i8042_read()'s. */
void svm_i8042_write(struct svm_i8042 *kbc, uint32_t offset, uint32_t size, uint32_t value);

/** @brief Copy the state out. */
void svm_i8042_save(const struct svm_i8042 *kbc, struct svm_i8042_state *state);

/**
 * @brief Become what was saved, and drive the wires accordingly.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  No controller can be in that state; this one is as it was.
 */
SVM_MUST_CHECK int svm_i8042_restore(struct svm_i8042 *kbc, const struct svm_i8042_state *state);

/** @} */

#endif
