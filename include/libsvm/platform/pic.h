/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PIC_H
#define LIBSVM_PLATFORM_PIC_H
/**
 * @file
 * @brief The two 8259A interrupt controllers of a PC, and their edge/level registers.
 *
 * Ports 20h, 21h (master), A0h, A1h (slave, on the master's input 2), 4D0h and 4D1h (ELCR).
 *
 * Where a PC's pair differs from the chip of the data sheet, so does this one: ELCR decides about
 * edge and level, not ICW1; the slave is on input 2 whatever ICW3 says; vectors are always those of
 * the 8086 mode.  One difference is the library's: an edge is remembered until it is acknowledged,
 * even if the input falls before, since devices of the library may pulse.
 *
 * @par Source
 * Intel 8259A data sheet (order number 231468); ELCR: Intel 82371AB (PIIX4) data sheet.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** One of the two.  Every member but those said otherwise: bit n is input n. */
struct svm_pic_chip {
	uint8_t lines; /**< Levels of the inputs. */
	uint8_t latch; /**< Edges that wait. */
	uint8_t isr, imr, elcr;
	uint8_t base;         /**< Vector of input 0; multiple of 8. */
	uint8_t lowest;       /**< Number of the input of lowest priority, 0 … 7. */
	uint8_t awaits;       /**< 2, 3 or 4: the next ICW; 0: initialised. */
	uint8_t has_icw4;     /**< From here on: 0 or 1. */
	uint8_t is_single;    /**< ICW1: no other chip. */
	uint8_t auto_eoi;     /**< ICW4. */
	uint8_t auto_rotate;  /**< Each automatic EOI makes its input the lowest. */
	uint8_t fully_nested; /**< ICW4: special fully nested mode. */
	uint8_t special_mask; /**< OCW3. */
	uint8_t reads_isr;    /**< The even port reads ISR and not IRR. */
	uint8_t polls;        /**< The next read acknowledges. */
};

/** All that a guest can tell of the pair. */
struct svm_pic_state {
	struct svm_pic_chip chip[2]; /**< Master, slave. */
};

/** The pair.  Owned by its user; members are the library's. */
struct svm_pic {
	struct svm_pic_chip chip[2];
	struct svm_wire output; /**< INT of the master. */
	bool level;             /**< Of the output. */
	struct svm_end_notice notice;
};

/**
 * @brief Make a pair, in the state after power-up: every input masked.
 * @param pic     Memory of the caller.
 * @param output  Where INT leads; is copied.  NULL: nowhere.
 */
void svm_pic_init(struct svm_pic *pic, const struct svm_wire *output);

/**
 * @brief From now on tell somebody when an interrupt of an input ends.
 *
 * That is when the guest takes the input out of service: by an EOI, by acknowledging in automatic
 * EOI mode, or by initialising its chip, which also forgets the edges that wait.
 *
 * @param pic     A pair.
 * @param notice  Is copied; its pin is 0 … 15 without 2, the slave's.  NULL: nobody any more.
 * @par Context
 * As every call for a device.  svm_pic_reset() and svm_pic_restore() keep it and tell nobody.
 */
void svm_pic_set_end_notice(struct svm_pic *pic, const struct svm_end_notice *notice);

/** @brief Power-up reset; the inputs stay as they are driven. */
void svm_pic_reset(struct svm_pic *pic);

/**
 * @brief The guest reads a port.
 * @param pic   A pair.
 * @param port  One that is named above; others read as all ones.
 * @param size  1, 2 or 4: that many ports, one after the other.
 */
uint32_t svm_pic_read(struct svm_pic *pic, uint16_t port, unsigned size);
/** @brief The guest writes a port.  Parameters as above; other ports are ignored. */
void svm_pic_write(struct svm_pic *pic, uint16_t port, unsigned size, uint32_t value);

/**
 * @brief Drive an input; can stand in svm_wire::set.
 * @param arg    The pair.
 * @param irq    0 … 15; 2 is the slave's and ignored, as is what does not exist.
 * @param level  True is high.
 */
void svm_pic_set_line(void *arg, unsigned irq, bool level);

/** @brief Whether INT is high: the processor may acknowledge. */
bool svm_pic_pending(const struct svm_pic *pic);

/**
 * @brief The processor acknowledges.
 * @return The vector.  With nothing pending it is that of input 7, and nothing is in service: a
 *         spurious interrupt.
 */
uint8_t svm_pic_acknowledge(struct svm_pic *pic);

/** @brief Write the whole state. */
void svm_pic_save(const struct svm_pic *pic, struct svm_pic_state *state);
/**
 * @brief Take over a state, and drive the output as it says.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  A member no pair can have; nothing changed.
 */
SVM_MUST_CHECK int svm_pic_restore(struct svm_pic *pic, const struct svm_pic_state *state);

/** @} */

#endif
