/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PIT_H
#define LIBSVM_PLATFORM_PIT_H
/**
 * @file
 * @brief An 8254 with what a PC has around it: IRQ 0, and port 61h with counter 2 and the speaker.
 *
 * Chapters are those of Intel's 8254 data sheet (231164).
 *
 * Nothing ticks.  A counter knows its state at one tick of the clock and computes that of a later
 * one, however far it is away.  Ticks follow from the VM's time by exact division, so hours of them
 * do not drift.
 *
 * **The interrupt.**  The wire goes up with each rising edge of OUT 0 and, in mode 0, down when
 * OUT 0 does; in the other modes it goes down just before it rises again, which saves a wake-up per
 * period and lets no interrupt controller lose a request that it is slow to serve.  Edges of modes
 * 2 and 3 for which svm_pit_advance() comes too late are owed, and follow one by one 200 us apart.
 * Nor are edges ever closer than that, so no guest can keep its host busy with a timer that is too
 * fast; of the edges of such a timer none are owed.
 *
 * What the data sheet forbids has a meaning here too: a count of 1 in mode 2 or 3 counts as 2, and
 * a BCD digit above 9 as its value.  A counter to which no count was written stands at 0.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Ports that the 8254 takes: 40h to 43h. */
#define SVM_PIT_PORTS 4u

/** The clock of its counters. */
#define SVM_PIT_HZ 1193182u

/** Least time between two interrupts. */
#define SVM_PIT_INTERRUPT_NS 200000u

/** Most interrupts that a late owner still gets. */
#define SVM_PIT_OWED_MAX 10000u

/** One counter. */
struct svm_pit_counter {
	uint64_t tick;          /**< Tick of the clock for which the members are right. */
	uint32_t reload;        /**< The count register, 1 to 65536; 0: nothing was written. */
	uint32_t loaded;        /**< What the counting element was loaded with; 0: never. */
	uint32_t element;       /**< The counting element, in binary even if it counts in BCD. */
	uint16_t latch;         /**< Latched count as the guest will read it. */
	uint8_t mode;           /**< 0 to 5. */
	uint8_t access;         /**< 1 low byte, 2 high byte, 3 low then high. */
	uint8_t bcd;            /**< 1: four decades. */
	uint8_t gate;           /**< Level of GATE. */
	uint8_t out;            /**< Level of OUT. */
	uint8_t load;           /**< 1: the next tick loads the element. */
	uint8_t halted;         /**< 1: mode 0, between the two bytes of a count. */
	uint8_t armed;          /**< 1: OUT will act when the element comes to zero. */
	uint8_t null_count;     /**< 1: the count register is not loaded yet. */
	uint8_t latched;        /**< 1: latch holds a count to be read. */
	uint8_t status_latched; /**< 1: status holds a status to be read. */
	uint8_t status;         /**< Latched status byte. */
	uint8_t read_high;      /**< 1: the next byte read is the high one. */
	uint8_t write_high;     /**< 1: the next byte written is the high one. */
	uint8_t write_low;      /**< Low byte of a count half written. */
	uint8_t reserved[11];   /**< 0. */
};

/** Everything that a PIT remembers. */
struct svm_pit_state {
	struct svm_pit_counter counters[3];
	uint64_t next_interrupt_ns; /**< No interrupt before. */
	uint32_t owed;              /**< Rising edges of OUT 0 not delivered yet. */
	uint8_t port61;             /**< Bits 3:0 as written. */
	uint8_t irq;                /**< Level of the wire. */
	uint8_t reserved[2];        /**< 0. */
};

/** A PIT.  Its members are its own; state may be looked at. */
struct svm_pit {
	struct svm_pit_state state;
	struct svm_wire irq;
	bool drops_late;
};

/**
 * @brief Make a PIT none of whose counters counts.
 *
 * @param pit  Any memory of that size.
 * @param irq  Where OUT 0 goes; NULL: nowhere.
 * @par Context
 * Any.
 */
void svm_pit_init(struct svm_pit *pit, const struct svm_wire *irq);

/**
 * @brief Whether edges that nobody delivered in time are dropped, but for the last; off at first.
 *
 * For guests that have another clock, and would only be disturbed by ticks that are late.
 */
void svm_pit_drop_late(struct svm_pit *pit, bool on);

/** @brief As after svm_pit_init(); @p now is the VM's time. */
void svm_pit_reset(struct svm_pit *pit, uint64_t now);

/**
 * @brief What the guest reads from ports 40h to 43h.
 *
 * @param pit     The PIT.
 * @param offset  0 to 3; the control word (3) and what is above read as all ones.
 * @param size    1, 2 or 4 bytes; more than one is as many byte reads, upwards.
 * @param now     The VM's time in nanoseconds.
 * @par Source
 * Read operations; Counter latch command; Read-back command.
 */
uint32_t svm_pit_read(struct svm_pit *pit, uint32_t offset, uint32_t size, uint64_t now);

/** @brief What the guest writes to them; arguments as svm_pit_read()'s. */
void svm_pit_write(struct svm_pit *pit, uint32_t offset, uint32_t size, uint32_t value,
                   uint64_t now);

/**
 * @brief What the guest reads from port 61h.
 *
 * Bits 0 (GATE 2), 1 (speaker), 2 and 3 (checks) as written; bit 4 changes every 15 us, as the
 * refresh of memory did; bit 5 is OUT 2; bits 6 and 7, errors of memory and cards, are 0.
 */
uint8_t svm_pit_read_port61(struct svm_pit *pit, uint64_t now);

/** @brief What the guest writes to it: bits 3:0 count. */
void svm_pit_write_port61(struct svm_pit *pit, uint8_t value, uint64_t now);

/** @brief When svm_pit_advance() is wanted next, in nanoseconds; ::SVM_NEVER if OUT 0 rests. */
uint64_t svm_pit_deadline(const struct svm_pit *pit);

/** @brief It is @p now: deliver the interrupt that is due. */
void svm_pit_advance(struct svm_pit *pit, uint64_t now);

/** @brief Copy the state out. */
void svm_pit_save(const struct svm_pit *pit, struct svm_pit_state *state);

/**
 * @brief Become what was saved.
 *
 * @param pit    The PIT.
 * @param state  What svm_pit_save() gave.
 * @param now    The VM's time; not before that of the saving.
 *
 * @retval 0              Done; the wire has the level that it had.
 * @retval SVM_ERR_INVAL  No PIT can be in that state now; this one is as it was.
 */
SVM_MUST_CHECK int svm_pit_restore(struct svm_pit *pit, const struct svm_pit_state *state,
                                   uint64_t now);

/** @} */

#endif
