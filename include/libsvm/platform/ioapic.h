/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_IOAPIC_H
#define LIBSVM_PLATFORM_IOAPIC_H
/**
 * @file
 * @brief The I/O APIC: 24 pins, each of which becomes a message to local APICs.
 *
 * A pin is a level as the device drives it, and the redirection entry says which level asserts:
 * with polarity "low", a pin that nobody drives is asserted.  So the interrupt sources of a machine
 * that are told to a guest as active low must be wired that way.
 *
 * Version 20h: as 11h (82093AA), with an EOI register besides.
 *
 * @par Source
 * Intel 82093AA data sheet (order number 290566); EOI register: Intel ICH2 data sheet and later.
 */
#include <libsvm/platform/apic_message.h>
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Where the first one of a PC is, and how many bytes it takes. */
#define SVM_IOAPIC_DEFAULT_BASE UINT64_C(0xfec00000)
#define SVM_IOAPIC_SIZE         4096u

/** Pins, and so entries. */
#define SVM_IOAPIC_PINS 24u

/** An I/O APIC.  Owned by its user; members are the library's. */
struct svm_ioapic {
	svm_apic_send *send;
	void *arg;
	uint64_t entry[SVM_IOAPIC_PINS]; /**< Without delivery status. */
	uint32_t lines;                  /**< Bit n: level of pin n. */
	uint8_t id, select;
	bool no_polarity; /**< A line that is high asserts, whatever its entry says. */
	struct svm_end_notice notice;
};

/** All that a guest can tell of an I/O APIC. */
struct svm_ioapic_state {
	uint64_t entry[SVM_IOAPIC_PINS];
	uint32_t lines, id, select;
	uint32_t reserved; /**< 0. */
};

/**
 * @brief Make an I/O APIC, in the state after power-up: every pin masked.
 *
 * @param ioapic  Memory of the caller.
 * @param send    Sends a message to local APICs; false if none took it.
 * @param arg     Its first argument.
 * @retval 0              Ready.
 * @retval SVM_ERR_INVAL  @p send is NULL.
 */
SVM_MUST_CHECK int svm_ioapic_init(struct svm_ioapic *ioapic, svm_apic_send *send, void *arg);

/**
 * @brief From now on a line that is high asserts, whatever polarity its entry says.
 *
 * For owners whose sources say whether they ask for an interrupt and not which level they drive;
 * guests that were told "active low" and such that were told "active high" then work alike.
 */
void svm_ioapic_ignore_polarity(struct svm_ioapic *ioapic);

/**
 * @brief From now on tell somebody when an interrupt of a pin ends.
 *
 * That is when the guest clears the entry's remote IRR: by the end of its vector at a local APIC
 * (svm_ioapic_eoi()), by the EOI register, or by making the entry edge-triggered.  Edges have none:
 * local APICs tell of the end of levels only.
 *
 * @param ioapic  An I/O APIC.
 * @param notice  Is copied; its pin is below ::SVM_IOAPIC_PINS.  NULL: nobody any more.
 * @par Context
 * As every call for a device.  svm_ioapic_reset() and svm_ioapic_restore() keep it and tell nobody.
 */
void svm_ioapic_set_end_notice(struct svm_ioapic *ioapic, const struct svm_end_notice *notice);

/** @brief Power-up reset; the pins stay as they are driven. */
void svm_ioapic_reset(struct svm_ioapic *ioapic);

/**
 * @brief The guest reads memory in the register page.
 *
 * @param ioapic  An I/O APIC.
 * @param offset  From its base; bits above 11 are ignored.
 * @param size    1, 2, 4 or 8 bytes.
 * @return The bytes of the register; 0 where there is none.
 */
uint64_t svm_ioapic_read(const struct svm_ioapic *ioapic, uint32_t offset, unsigned size);

/**
 * @brief The guest writes memory in the register page.
 *
 * The selector and the EOI register have 8 bits and take a write of any size; the window takes
 * one of 4 bytes only.  Parameters as above.
 */
void svm_ioapic_write(struct svm_ioapic *ioapic, uint32_t offset, unsigned size, uint64_t value);

/**
 * @brief Drive a pin; can stand in svm_wire::set.
 * @param arg    The I/O APIC.
 * @param pin    Below ::SVM_IOAPIC_PINS; others do not exist.
 * @param level  True is high.
 */
void svm_ioapic_set_line(void *arg, unsigned pin, bool level);

/** @brief A local APIC says that it is done with a vector: see svm_lapic_host::eoi. */
void svm_ioapic_eoi(struct svm_ioapic *ioapic, uint8_t vector);

/** @brief Write the whole state. */
void svm_ioapic_save(const struct svm_ioapic *ioapic, struct svm_ioapic_state *state);
/**
 * @brief Take over a state; sends nothing.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  A member no I/O APIC can have; nothing changed.
 */
SVM_MUST_CHECK int svm_ioapic_restore(struct svm_ioapic *ioapic,
                                      const struct svm_ioapic_state *state);

/** @} */

#endif
