/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_LAPIC_H
#define LIBSVM_PLATFORM_LAPIC_H
/**
 * @file
 * @brief The local APIC of one vCPU: xAPIC in memory and x2APIC in MSRs.
 *
 * Two kinds of call.  Those of the **owner**, the thread that runs the vCPU (or any thread while it
 * does not run), need no lock and must not overlap.  Those marked **any thread** may come at any
 * time from anywhere, also from interrupt handlers: what they touch is atomic, they take no lock,
 * wait for nobody, and end in at most one call of svm_lapic_host::wake.
 *
 * What is offered: version 10h, which is AMD's, with 6 entries in the local vector table; the timer
 * in one-shot and periodic mode and, by option, with a deadline in TSC; logical destinations, flat
 * and by cluster; x2APIC by option.  Not offered, and so read as 0: the extended register space of
 * AMD (400h), suppression of EOI broadcasts, remote read.  The APIC ID cannot be changed.
 *
 * @par Source
 * APM vol. 2, chapter 16.  What it leaves open (deadline timer, self IPI) is as in the Intel SDM,
 * vol. 3, chapter "APIC".
 */
#include <libsvm/platform/apic_message.h>
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Where the registers are after reset, and how many bytes they take. */
#define SVM_LAPIC_DEFAULT_BASE UINT64_C(0xfee00000)
#define SVM_LAPIC_SIZE         4096u

/** APIC IDs are below this. */
#define SVM_APIC_MAX 256u

/** Nanoseconds in one count of the timer with a divisor of 1: the "bus" runs at 1 GHz. */
#define SVM_LAPIC_NS_PER_COUNT 1u

/** A periodic timer's next deadline is at least this far from its last interrupt. */
#define SVM_LAPIC_PERIOD_MIN_NS UINT64_C(100000)

/** The two clocks that the timer counts by.  Neither runs backwards. */
struct svm_lapic_time {
	uint64_t ns;  /**< The VM's clock. */
	uint64_t tsc; /**< The vCPU's time stamp counter, as the guest would read it. */
};

/** What an APIC needs of its machine.  Every function set; none may call the APIC's owner calls. */
struct svm_lapic_host {
	/** Something arrived: the vCPU must look before its guest goes on.  Any thread; A. */
	void (*wake)(void *arg);
	/** The guest sends an interrupt to other APICs, or to this one too.  Owner's thread. */
	svm_apic_send *send;
	/** A level-triggered interrupt has ended: I/O APICs look at their pins.  Owner's thread. */
	void (*eoi)(void *arg, uint8_t vector);
	void *arg;
};

/** What never changes about one APIC. */
struct svm_lapic_config {
	uint32_t id; /**< APIC ID, below ::SVM_APIC_MAX; ID and x2APIC ID alike. */
	bool is_bsp; /**< The vCPU that starts the machine: bit 8 of the base MSR. */
	bool has_x2apic;
	bool has_tsc_deadline;
	uint8_t physical_bits; /**< 36 … 52: where the registers may be moved to. */
	struct svm_lapic_host host;
};

/** Entries of the local vector table, in the order of their registers from 320h. */
enum svm_lapic_lvt {
	SVM_LAPIC_LVT_TIMER,
	SVM_LAPIC_LVT_THERMAL,
	SVM_LAPIC_LVT_PERF,
	SVM_LAPIC_LVT_LINT0,
	SVM_LAPIC_LVT_LINT1,
	SVM_LAPIC_LVT_ERROR,
	SVM_LAPIC_LVT_COUNT,
};

/** Requests beside vectors; see svm_lapic_take_requests(). */
enum svm_lapic_request {
	SVM_LAPIC_REQUEST_NMI = 1 << 0,
	SVM_LAPIC_REQUEST_SMI = 1 << 1,
	SVM_LAPIC_REQUEST_INIT = 1 << 2,
	SVM_LAPIC_REQUEST_STARTUP = 1 << 3, /**< After INIT, if both are there. */
	SVM_LAPIC_REQUEST_EXTINT = 1 << 4,  /**< Take one vector from the 8259. */
	SVM_LAPIC_REQUEST_ALL = (1 << 5) - 1,
};

/** A local APIC.  Owned by its user; members are the library's. */
struct svm_lapic {
	struct svm_lapic_config config;

	/* Any thread: atomic. */
	uint32_t irr[8], tmr[8];
	uint32_t irr_words; /**< Bit n is set while irr[n] may have a bit. */
	uint32_t requests;       /**< enum svm_lapic_request. */
	uint32_t startup_vector; /**< Of the last STARTUP. */
	uint32_t errors;         /**< Found since the last write of ESR. */
	uint32_t lines;          /**< Level of LINT0 and LINT1: bits 0 and 1. */
	uint32_t lint_busy;      /**< Remote IRR of LINT0 and LINT1. */

	/* Written by the owner, read by any thread: atomic. */
	uint64_t base; /**< APIC base MSR. */
	uint32_t id;   /**< As the register reads in the mode that base has. */
	uint32_t svr, ldr, dfr, ppr;
	uint32_t lvt[SVM_LAPIC_LVT_COUNT];

	/* The owner's alone. */
	uint32_t isr[8];
	uint32_t isr_words; /**< Bit n is set while isr[n] is not 0. */
	uint32_t tpr, esr, icr_low, icr_high;
	uint32_t initial_count, divide;
	bool is_counting;      /**< Towards expiry_ns. */
	uint64_t expiry_ns;    /**< When the count is 0. */
	uint64_t not_before;   /**< No deadline is earlier. */
	uint64_t tsc_deadline; /**< 0: none. */
};

/** All that a guest can tell of an APIC.  Times are relative to the moment of saving. */
struct svm_lapic_state {
	uint64_t base, remaining_ns, tsc_deadline;
	uint32_t id, tpr, ldr, dfr, svr, esr, errors, icr_low, icr_high;
	uint32_t initial_count, divide;
	uint32_t isr[8], tmr[8], irr[8];
	uint32_t lvt[SVM_LAPIC_LVT_COUNT];
	uint32_t requests, startup_vector, lines, lint_busy;
	uint32_t is_counting; /**< 0 or 1. */
};

/**
 * @brief Make an APIC, in the state after power-up.
 *
 * @param lapic   Memory of the caller.
 * @param config  Is copied.
 * @retval 0              Ready: in xAPIC mode, disabled by software, all vectors masked.
 * @retval SVM_ERR_INVAL  ID or physical_bits out of range, or a function is NULL.
 * @par Context
 * Before any other thread knows the APIC.
 */
SVM_MUST_CHECK int svm_lapic_init(struct svm_lapic *lapic, const struct svm_lapic_config *config);

/** @brief Power-up reset.  Owner; lines stay as they are driven. */
void svm_lapic_reset(struct svm_lapic *lapic);

/** @brief What INIT does: reset all but the APIC base, and so the mode.  Owner.  APM 16.3.2. */
void svm_lapic_reset_by_init(struct svm_lapic *lapic);

/* --- registers: owner --------------------------------------------------------------------- */

/** @brief Where the registers are in memory now, or ::SVM_NEVER: disabled, or x2APIC. */
uint64_t svm_lapic_mmio_base(const struct svm_lapic *lapic);

/**
 * @brief The guest reads memory in the register page.
 *
 * Registers are 32 bits wide, 16 bytes apart.  Reads within one return its bytes, what lies between
 * reads as 0; all ones outside xAPIC mode.
 *
 * @param lapic   An APIC.
 * @param offset  From svm_lapic_mmio_base(); bits above 11 are ignored.
 * @param size    1, 2, 4 or 8 bytes.
 * @param now     The time.
 */
uint64_t svm_lapic_read(struct svm_lapic *lapic, uint32_t offset, unsigned size,
                        struct svm_lapic_time now);

/**
 * @brief The guest writes memory in the register page.
 *
 * Only a write of 4 bytes to a multiple of 16 does anything (APM 16.3.2).  Parameters as above.
 */
void svm_lapic_write(struct svm_lapic *lapic, uint32_t offset, unsigned size, uint64_t value,
                     struct svm_lapic_time now);

/**
 * @brief The guest reads an x2APIC register.
 *
 * @param lapic  An APIC.
 * @param msr    800h … 8FFh.
 * @param value  Written on success only.
 * @param now    The time.
 * @return False: \#GP(0).
 */
SVM_MUST_CHECK bool svm_lapic_read_msr(struct svm_lapic *lapic, uint32_t msr, uint64_t *value,
                                       struct svm_lapic_time now);

/** @brief The guest writes an x2APIC register.  Parameters and result as above. */
SVM_MUST_CHECK bool svm_lapic_write_msr(struct svm_lapic *lapic, uint32_t msr, uint64_t value,
                                        struct svm_lapic_time now);

/** @brief The APIC base MSR (1Bh). */
uint64_t svm_lapic_get_base(const struct svm_lapic *lapic);

/**
 * @brief The guest writes the APIC base MSR (1Bh).
 *
 * Disabling resets the APIC; xAPIC to x2APIC keeps the registers; any other way between the modes
 * than off, xAPIC, x2APIC, off is refused.  The BSP bit is read-only.
 *
 * @return False: \#GP(0), nothing changed.
 */
SVM_MUST_CHECK bool svm_lapic_set_base(struct svm_lapic *lapic, uint64_t value);

/** @brief MSR 6E0h: 0 unless the timer is in deadline mode and waits. */
uint64_t svm_lapic_get_tsc_deadline(struct svm_lapic *lapic, struct svm_lapic_time now);
/** @brief MSR 6E0h; ignored unless the timer is in deadline mode.  0 disarms it. */
void svm_lapic_set_tsc_deadline(struct svm_lapic *lapic, uint64_t tsc, struct svm_lapic_time now);

/** @brief CR8: bits 7:4 of the task priority. */
uint8_t svm_lapic_get_tpr(const struct svm_lapic *lapic);
/** @brief CR8 becomes @p cr8 (0 … 15; more is cut off); bits 3:0 of the task priority become 0. */
void svm_lapic_set_tpr(struct svm_lapic *lapic, uint8_t cr8);

/* --- interrupts: owner -------------------------------------------------------------------- */

/**
 * @brief The vector to deliver next.
 *
 * @param lapic  An APIC.
 * @param cr8    Task priority to judge by, 0 … 15; may differ from the APIC's own.
 * @return The highest requested vector if its class is above task and in-service priority, or -1.
 */
int svm_lapic_pending(const struct svm_lapic *lapic, uint8_t cr8);

/** @brief The vCPU takes a vector that svm_lapic_pending() gave: from IRR to ISR. */
void svm_lapic_accept(struct svm_lapic *lapic, uint8_t vector);

/** @brief End of interrupt, as by a write of the EOI register. */
void svm_lapic_eoi(struct svm_lapic *lapic);

/**
 * @brief Whether nobody has to know at once when the interrupt in service ends.
 *
 * It is edge-triggered, so no I/O APIC waits for its end, and no other vector is requested that the
 * end could release.
 *
 * @return False too if no interrupt is in service.
 */
bool svm_lapic_may_end_late(const struct svm_lapic *lapic);

/**
 * @brief Take what waits beside vectors; it is gone afterwards.
 *
 * @param lapic           An APIC.
 * @param startup_vector  Out, with ::SVM_LAPIC_REQUEST_STARTUP: the page to start at.
 * @return OR of enum svm_lapic_request.
 */
uint32_t svm_lapic_take_requests(struct svm_lapic *lapic, uint8_t *startup_vector);

/**
 * @brief Whether the 8259's output, LINT0, asks the vCPU for an interrupt acknowledge.
 *
 * True while LINT0 is high and its entry says ExtINT and is not masked, or while the APIC is
 * disabled in its base MSR and the pin is the processor's own INTR.
 */
bool svm_lapic_wants_extint(const struct svm_lapic *lapic);

/* --- time: owner -------------------------------------------------------------------------- */

/** @brief When svm_lapic_advance() has something to do by the VM's clock, or ::SVM_NEVER. */
uint64_t svm_lapic_deadline(const struct svm_lapic *lapic);
/** @brief The same in units of the TSC; at most one of the two is not ::SVM_NEVER. */
uint64_t svm_lapic_tsc_deadline(const struct svm_lapic *lapic);
/** @brief It is @p now: let the timer fire, once for all periods that were missed. */
void svm_lapic_advance(struct svm_lapic *lapic, struct svm_lapic_time now);

/* --- what arrives: any thread ------------------------------------------------------------- */

/**
 * @brief Request a vector.
 *
 * @param lapic     An APIC.
 * @param vector    Below 16: an error (ESR bit 6), not an interrupt.
 * @param is_level  Its EOI is to be broadcast.
 * @return False: the APIC is disabled, by software or in its base MSR, and takes no vectors.
 */
bool svm_lapic_post(struct svm_lapic *lapic, uint8_t vector, bool is_level);

/**
 * @brief Receive a message that has been found to be for this APIC.
 * @return False: not taken.
 */
bool svm_lapic_receive(struct svm_lapic *lapic, const struct svm_apic_message *message);

/**
 * @brief Drive a pin; can stand in svm_wire::set.
 * @param arg    The APIC.
 * @param pin    0: LINT0, from the 8259.  1: LINT1, NMI.  Others do not exist.
 * @param level  True is asserted.
 */
void svm_lapic_set_lint(void *arg, unsigned pin, bool level);

/**
 * @brief Whether a logical destination names this APIC.
 * @param lapic        The APIC.
 * @param destination  As in the message.
 * @param is_wide      As in the message.
 */
bool svm_lapic_matches_logical(const struct svm_lapic *lapic, uint32_t destination, bool is_wide);

/** @brief Takes vectors: enabled in its base MSR and by software. */
bool svm_lapic_is_enabled(const struct svm_lapic *lapic);

/** @brief Processor priority, for arbitration among destinations. */
uint8_t svm_lapic_ppr(const struct svm_lapic *lapic);

/* --- state: owner, and nobody else at that time ------------------------------------------- */

/** @brief Write the whole state. */
void svm_lapic_save(struct svm_lapic *lapic, struct svm_lapic_state *state,
                    struct svm_lapic_time now);

/**
 * @brief Take over a state.
 *
 * LINT0 may be open for the 8259 (ExtINT) although the APIC is disabled by software.
 *
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  A member no APIC of this configuration can have; nothing changed.
 */
SVM_MUST_CHECK int svm_lapic_restore(struct svm_lapic *lapic, const struct svm_lapic_state *state,
                                     struct svm_lapic_time now);

/** @} */

#endif
