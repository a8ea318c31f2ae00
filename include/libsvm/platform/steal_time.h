/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_STEAL_TIME_H
#define LIBSVM_PLATFORM_STEAL_TIME_H
/**
 * @file
 * @brief KVM's steal time: a page in which a vCPU's absence is told, and asked for a flush.
 *
 * Linux's Documentation/virt/kvm/x86/msr.rst, MSR 4B564D03h.  The guest reads there for how long a
 * vCPU that had work did not run, and whether it runs now.  To a vCPU that does not run it sends no
 * interrupt to make it forget translations: it leaves the wish in the page
 * (::SVM_PARAVIRT_TLB_FLUSH), and the vCPU flushes when it comes back.
 *
 * So the page must never say "away" of a vCPU that runs.  svm_steal_time_arrive() belongs before
 * the first entry and svm_steal_time_leave() behind the last: see struct svm_presence.
 *
 * All calls: context A, by the vCPU's thread while it is not in its guest.
 */
#include <libsvm/platform/device.h>
#include <libsvm/vcpu.h>

/** @addtogroup svm_platform
 *  @{ */

/** The MSR, and the bytes that it points to. */
#define SVM_STEAL_TIME_MSR  0x4b564d03u
#define SVM_STEAL_TIME_SIZE 64u

/** The steal time of a vCPU; all 0 after reset. */
struct svm_steal_time {
	uint64_t msr;       /**< As the guest wrote it: address, bit 0 on. */
	uint64_t stolen_ns; /**< While it had work. */
	uint64_t left_ns;   /**< When it left; ::SVM_NEVER if it had no work. */
	uint32_t version;   /**< Even. */
	bool is_away;       /**< The page may say so. */
};

/** The saved state. */
struct svm_steal_time_state {
	uint64_t msr, stolen_ns;
	uint32_t version;  /**< Even. */
	uint32_t reserved; /**< 0. */
};

/**
 * @brief Write the MSR.  False: \#GP, for a reserved bit.
 *
 * What the new page says is not known: svm_steal_time_arrive() before the vCPU enters again.
 */
SVM_MUST_CHECK bool svm_steal_time_write_msr(struct svm_steal_time *steal, uint64_t value);

/**
 * @brief The vCPU is about to run: say so, and how long it could not.
 * @param steal     The vCPU's.
 * @param vm        Where the page is.
 * @param now_ns    Time, of any beginning.
 * @param[out] gpa  For ::SVM_ARRIVAL_AGAIN: what is not there now.
 */
SVM_MUST_CHECK enum svm_arrival svm_steal_time_arrive(struct svm_steal_time *steal,
                                                      struct svm_vm *vm, uint64_t now_ns,
                                                      svm_gpa_t *gpa);

/**
 * @brief The vCPU runs no longer.
 * @param steal     The vCPU's.
 * @param vm        Where the page is.
 * @param now_ns    As for svm_steal_time_arrive().
 * @param has_work  False if it is halted: then nothing is stolen.
 */
void svm_steal_time_leave(struct svm_steal_time *steal, struct svm_vm *vm, uint64_t now_ns,
                          bool has_work);

/** @brief Copy the state of a vCPU that has left. */
void svm_steal_time_save(const struct svm_steal_time *steal, struct svm_steal_time_state *state);

/**
 * @brief Set the state, of a vCPU that has not arrived.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  It cannot be in this state; nothing changed.
 */
SVM_MUST_CHECK int svm_steal_time_restore(struct svm_steal_time *steal,
                                          const struct svm_steal_time_state *state);

/** @} */

#endif
