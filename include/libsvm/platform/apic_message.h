/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_APIC_MESSAGE_H
#define LIBSVM_PLATFORM_APIC_MESSAGE_H
/**
 * @file
 * @brief What local APICs, I/O APICs and message-signalled interrupts tell each other.
 *
 * A message is a value: whoever sends it forgets it, and nobody answers.  Section numbers are those
 * of the APM, volume 2.
 */
#include <libsvm/types.h>

/** @addtogroup svm_platform
 *  @{ */

/** Message type of ICR, LVT and redirection entries; others are reserved.  APM 16.5. */
enum svm_apic_mode {
	SVM_APIC_FIXED = 0,
	SVM_APIC_LOWEST = 1, /**< Fixed, to one of the destinations. */
	SVM_APIC_SMI = 2,
	SVM_APIC_REMOTE_READ = 3, /**< Not on an I/O APIC; no APIC of the library answers it. */
	SVM_APIC_NMI = 4,
	SVM_APIC_INIT = 5,
	SVM_APIC_STARTUP = 6, /**< Not on an I/O APIC. */
	SVM_APIC_EXTINT = 7,  /**< The vector comes from the 8259. */
};

/** Who receives besides, or instead of, the destination.  APM 16.5. */
enum svm_apic_shorthand {
	SVM_APIC_NO_SHORTHAND = 0,
	SVM_APIC_SELF = 1,
	SVM_APIC_ALL = 2,
	SVM_APIC_ALL_BUT_SELF = 3,
};

/** One message. */
struct svm_apic_message {
	uint32_t destination; /**< An APIC ID, or a logical destination. */
	uint32_t source;      /**< APIC ID of the sender; matters with a shorthand only. */
	uint8_t vector;
	uint8_t mode;      /**< enum svm_apic_mode; reserved values are received by nobody. */
	uint8_t shorthand; /**< enum svm_apic_shorthand. */
	bool is_logical;
	/** 32 bits of destination, from an x2APIC; else 8, of which FFh is everybody. */
	bool is_wide;
	bool is_level;  /**< Level-triggered: its EOI is broadcast. */
	bool is_assert; /**< False: INIT level de-assert, which no APIC of the library heeds. */
	/**
	 * Each receiver reads the destination by its own mode, whatever is_wide says: FFh is
	 * everybody to an xAPIC, FFFFFFFFh to an x2APIC.  For senders that have no mode themselves.
	 */
	bool is_by_mode;
};

/** Sends a message; true if at least one APIC took it.  Context A; does not call the sender. */
typedef bool svm_apic_send(void *arg, const struct svm_apic_message *message);

/** @} */

#endif
