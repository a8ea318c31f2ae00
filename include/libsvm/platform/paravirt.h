/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PARAVIRT_H
#define LIBSVM_PLATFORM_PARAVIRT_H
/**
 * @file
 * @brief The paravirtual interface of KVM, as far as it spares a Linux guest detours.
 *
 * Linux's Documentation/virt/kvm/x86/cpuid.rst and msr.rst.  A Linux that finds the signature uses
 * x2APIC without interrupt remapping, reads the time from a page instead of calibrating a timer,
 * and may end interrupts without an exit.
 *
 * The guest's time is a straight line through (TSC, nanoseconds) of the moment that the owner gave,
 * the same line in the page of every vCPU: so it runs forward across vCPUs without any exchange,
 * and no page has to be updated while the guest runs.
 *
 * Reach the MSRs by svm_vm_set_msr_policy(::SVM_MSR_EXIT) for ::SVM_PARAVIRT_MSR_FIRST and
 * ::SVM_PARAVIRT_MSR_COUNT registers, and hand the exits to svm_paravirt_read_msr() and
 * svm_paravirt_write_msr().
 */
#include <libsvm/platform/device.h>
#include <libsvm/vm.h>

/** @addtogroup svm_platform
 *  @{ */

/** First MSR, and how many there are. */
#define SVM_PARAVIRT_MSR_FIRST 0x4b564d00u
#define SVM_PARAVIRT_MSR_COUNT 5u

/** CPUID leaves, and rows that svm_paravirt_cpuid() makes. */
#define SVM_PARAVIRT_LEAF 0x40000000u
#define SVM_PARAVIRT_ROWS 2u

/* Features, EAX of leaf 40000001h. */
#define SVM_PARAVIRT_NO_IO_DELAY  SVM_BIT(1)  /* Ports need no pause. */
#define SVM_PARAVIRT_CLOCK        SVM_BIT(3)  /* MSRs 4B564D00h and 01h. */
#define SVM_PARAVIRT_EOI          SVM_BIT(6)  /* MSR 4B564D04h; needs a local APIC. */
#define SVM_PARAVIRT_CLOCK_STABLE SVM_BIT(24) /* Equal on all vCPUs. */
/* For several vCPUs: MSR 4B564D03h (steal_time.h), hypercalls 5 and 10 (paravirt_calls.h). */
#define SVM_PARAVIRT_STEAL_TIME SVM_BIT(5)
#define SVM_PARAVIRT_UNHALT     SVM_BIT(7)
#define SVM_PARAVIRT_TLB_FLUSH  SVM_BIT(9) /* By way of the steal time's page. */
#define SVM_PARAVIRT_SEND_IPI   SVM_BIT(11)
#define SVM_PARAVIRT_SMP                                                                           \
	(SVM_PARAVIRT_STEAL_TIME | SVM_PARAVIRT_UNHALT | SVM_PARAVIRT_TLB_FLUSH |                  \
	 SVM_PARAVIRT_SEND_IPI)
/** All features there are. */
#define SVM_PARAVIRT_ALL                                                                           \
	(SVM_PARAVIRT_NO_IO_DELAY | SVM_PARAVIRT_CLOCK | SVM_PARAVIRT_EOI |                        \
	 SVM_PARAVIRT_CLOCK_STABLE | SVM_PARAVIRT_SMP)

/** How a VM offers it. */
struct svm_paravirt_config {
	struct svm_vm *vm;
	uint32_t features; /**< OR of SVM_PARAVIRT_*. */
	uint64_t tsc_hz;   /**< Of the guest's TSC: 1 kHz to 1 THz. */
	uint64_t wall_ns;  /**< Nanoseconds since 1970 (UTC) when the VM's clock was 0. */
	uint64_t base_tsc; /**< The guest's TSC ... */
	uint64_t base_ns;  /**< ... and the VM's clock at the same moment. */
};

/** The interface of one VM. */
struct svm_paravirt {
	struct svm_paravirt_config config;
	uint32_t multiplier; /**< Nanoseconds are (ticks shifted left) × multiplier / 2^32. */
	int8_t shift;        /**< Negative: to the right. */
	uint32_t wall_version;
	uint64_t wall_gpa; /**< As the guest wrote it. */
};

/** What a vCPU has of it; all 0 after reset. */
struct svm_paravirt_vcpu {
	uint64_t clock; /**< MSR 4B564D01h: address, bit 0 on. */
	uint64_t eoi;   /**< MSR 4B564D04h: address, bit 0 on. */
	uint32_t clock_version;
	bool eoi_offered;
};

/** The state of a VM's interface. */
struct svm_paravirt_state {
	uint64_t wall_gpa;     /**< MSR 4B564D00h. */
	uint32_t wall_version; /**< Even. */
	uint32_t reserved;     /**< 0. */
};

/** The state of a vCPU's part. */
struct svm_paravirt_vcpu_state {
	uint64_t clock, eoi;    /**< MSRs 4B564D01h and 04h. */
	uint32_t clock_version; /**< Even. */
	uint8_t eoi_offered;    /**< 0 or 1. */
	uint8_t reserved[3];    /**< 0. */
};

/** @brief Multiplier and shift for a frequency of 1 … 2^62 Hz, to 2^-32 of the exact value. */
void svm_paravirt_scale(uint64_t tsc_hz, uint32_t *multiplier, int8_t *shift);

/**
 * @brief Make the interface of a VM.
 * @retval 0              Made.
 * @retval SVM_ERR_INVAL  An unknown feature, STABLE without CLOCK, TLB_FLUSH without STEAL_TIME,
 *                        or a frequency out of range.
 */
SVM_MUST_CHECK int svm_paravirt_init(struct svm_paravirt *pv,
                                     const struct svm_paravirt_config *config);

/**
 * @brief Another line for the time, after the VM was stopped, or moved to another host.
 *
 * Follow with svm_paravirt_update() for every vCPU, before any of them runs.
 */
SVM_MUST_CHECK int svm_paravirt_set_line(struct svm_paravirt *pv, uint64_t tsc_hz,
                                         uint64_t base_tsc, uint64_t base_ns);

/** @brief The CPUID rows, for svm_vm_set_cpuid(). */
void svm_paravirt_cpuid(const struct svm_paravirt *pv,
                        struct svm_cpuid_entry rows[SVM_PARAVIRT_ROWS]);

/** @brief Read an MSR.  False: \#GP. */
SVM_MUST_CHECK bool svm_paravirt_read_msr(const struct svm_paravirt *pv,
                                          const struct svm_paravirt_vcpu *vcpu, uint32_t msr,
                                          uint64_t *value);

/**
 * @brief Write an MSR; what it makes of guest memory is done at once.  False: \#GP.
 *
 * A page that is not there stays unwritten: the guest sees no time, as with a real KVM.
 */
SVM_MUST_CHECK bool svm_paravirt_write_msr(struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu,
                                           uint32_t msr, uint64_t value);

/** @brief Write the time of a vCPU that does not run again. */
void svm_paravirt_update(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu);

/**
 * @brief Offer the guest to end the interrupt in service without an exit.
 *
 * While svm_lapic_may_end_late().  The guest, wherever it would write the EOI register, clears the
 * bit instead if it finds it set; which interrupt that ends is the same as with the register, the
 * highest in service.
 *
 * @return Whether the guest can see the offer; false: it will write the EOI register.
 */
bool svm_paravirt_offer_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu);

/**
 * @brief Find out whether the guest has taken the offer; if not, the offer stands.
 *
 * The vCPU's thread, while the vCPU does not run.  A bit whose memory is not in reach now
 * (::SVM_ERR_AGAIN) tells nothing: the offer stands.
 *
 * @return True, once: the EOI is due now.
 */
bool svm_paravirt_look_for_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu);

/**
 * @brief As svm_paravirt_look_for_eoi(), but the offer is taken back.
 *
 * Before the interrupt controller changes.  Where memory is not in reach now it stands even so,
 * which delays and loses nothing: one end is due for each bit that the guest clears, and each
 * ends the highest interrupt in service.
 */
bool svm_paravirt_take_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu);

/** @brief What INIT does to a vCPU's part: its registers are 0, nothing is offered. */
void svm_paravirt_reset_vcpu(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu);

/** @brief Copy the state of the VM's interface. */
void svm_paravirt_save(const struct svm_paravirt *pv, struct svm_paravirt_state *state);
/** @brief Copy the state of a vCPU's part. */
void svm_paravirt_save_vcpu(const struct svm_paravirt_vcpu *vcpu,
                            struct svm_paravirt_vcpu_state *state);

/**
 * @brief Set the state; guest memory is left alone: svm_paravirt_set_line() and _update() follow.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  The interface cannot be in this state; nothing changed.
 */
SVM_MUST_CHECK int svm_paravirt_restore(struct svm_paravirt *pv,
                                        const struct svm_paravirt_state *state);
/** @brief As svm_paravirt_restore(), of a vCPU. */
SVM_MUST_CHECK int svm_paravirt_restore_vcpu(const struct svm_paravirt *pv,
                                             struct svm_paravirt_vcpu *vcpu,
                                             const struct svm_paravirt_vcpu_state *state);

/** @} */

#endif
