/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_RTC_H
#define LIBSVM_PLATFORM_RTC_H
/**
 * @file
 * @brief The clock and CMOS RAM of a PC: an MC146818 with 128 bytes, at ports 70h and 71h.
 *
 * Chapters are those of Motorola's MC146818A data sheet.
 *
 * The date is kept in the bytes that the guest reads and writes, as in the chip: in BCD or binary,
 * by 12 or 24 hours, as register B says.  When time has passed they are brought up to date by
 * arithmetic, however long it was.  Bytes that are no date are left alone, and the clock stands
 * until the guest has written one.  Byte 32h is the century and counts along, if it holds one.
 *
 * Register A says "update in progress" for the 244 us before each second.  The update itself takes
 * no time.  Daylight saving (bit 0 of B) and square waves have no effect.  The divider runs with
 * the value 010 (32,768 Hz), the only one with which the crystal of a PC keeps time, and stands
 * with others.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Ports that the clock takes: 70h and 71h. */
#define SVM_RTC_PORTS 2u

/** Bytes behind the index. */
#define SVM_RTC_BYTES 128u

/** Everything that a clock remembers. */
struct svm_rtc_state {
	uint8_t bytes[SVM_RTC_BYTES]; /**< Date, registers A to D without bits 7 of A and C, RAM. */
	uint64_t phase_ns;            /**< A second is full when VM time plus this is full. */
	uint64_t seconds;             /**< Full seconds that the date has seen, from VM time 0. */
	uint64_t cycles;              /**< The divider's input, in cycles of 32,768 Hz. */
	uint8_t index;                /**< Byte that port 71h means: 0 to 127. */
	uint8_t nmi_off;              /**< 1: bit 7 of port 70h is set, the guest wants no NMI. */
	uint8_t reserved[6];          /**< 0. */
};

/** A clock.  Its members are its own; state may be looked at. */
struct svm_rtc {
	struct svm_rtc_state state;
	struct svm_wire irq;
	uint64_t deadline;
	bool irq_level; /**< What the wire was told last. */
};

/**
 * @brief Make a clock that shows a date, in BCD and by 24 hours.
 *
 * @param rtc   Any memory of that size.
 * @param irq   Where the interrupt goes (IRQ 8 of a PC); NULL: nowhere.
 * @param wall  Seconds since 1970-01-01 00:00, without leap seconds, at the VM's time 0.
 * @par Context
 * Any.
 */
void svm_rtc_init(struct svm_rtc *rtc, const struct svm_wire *irq, uint64_t wall);

/** @brief The RESET pin: interrupts are off, flags are 0; date and RAM stay. */
void svm_rtc_reset(struct svm_rtc *rtc, uint64_t now);

/**
 * @brief Tell firmware and systems by the usual bytes how much memory there is.
 *
 * 15h-16h memory below 640 KiB, 17h-18h and 30h-31h above 1 MiB, both in KiB; 34h-35h above 16 MiB
 * and 5Bh-5Dh above 4 GiB, both in 64 KiB; 2Eh-2Fh the sum of 10h to 2Dh.
 *
 * @param rtc    The clock.
 * @param below  Bytes of memory below 4 GiB.
 * @param above  Bytes of memory above 4 GiB.
 */
void svm_rtc_set_memory(struct svm_rtc *rtc, uint64_t below, uint64_t above);

/**
 * @brief What the guest reads from port 70h or 71h.
 *
 * @param rtc     The clock.
 * @param offset  1 reads the byte; 0, the index, cannot be read and is all ones, as what is above.
 * @param size    1, 2 or 4 bytes; more than one is as many byte reads, upwards.
 * @param now     The VM's time in nanoseconds.
 */
uint32_t svm_rtc_read(struct svm_rtc *rtc, uint32_t offset, uint32_t size, uint64_t now);

/** @brief What the guest writes; arguments as svm_rtc_read()'s. */
void svm_rtc_write(struct svm_rtc *rtc, uint32_t offset, uint32_t size, uint32_t value,
                   uint64_t now);

/** @brief When svm_rtc_advance() is wanted next; ::SVM_NEVER if no interrupt is to come. */
uint64_t svm_rtc_deadline(const struct svm_rtc *rtc);

/** @brief It is @p now: raise the interrupt that is due. */
void svm_rtc_advance(struct svm_rtc *rtc, uint64_t now);

/** @brief Copy the state out. */
void svm_rtc_save(const struct svm_rtc *rtc, struct svm_rtc_state *state);

/**
 * @brief Become what was saved, and drive the wire accordingly.
 *
 * @param rtc    The clock.
 * @param state  What svm_rtc_save() gave.
 * @param now    The VM's time; not before that of the saving.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  No clock can be in that state now; this one is as it was.
 */
SVM_MUST_CHECK int svm_rtc_restore(struct svm_rtc *rtc, const struct svm_rtc_state *state,
                                   uint64_t now);

/** @} */

#endif
