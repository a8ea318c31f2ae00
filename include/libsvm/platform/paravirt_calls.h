/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PARAVIRT_CALLS_H
#define LIBSVM_PLATFORM_PARAVIRT_CALLS_H
/**
 * @file
 * @brief The hypercalls of KVM that a Linux guest with several vCPUs makes.
 *
 * Linux's Documentation/virt/kvm/x86/hypercalls.rst.  SCHED_YIELD (11) is not among them: where to
 * spend time is the embedder's to say, and a guest that is not offered it does without.
 */
#include <libsvm/platform/apic_bus.h>
#include <libsvm/vm.h>

/** @addtogroup svm_platform
 *  @{ */

/* Numbers. */
#define SVM_PARAVIRT_CALL_KICK_CPU 5u  /* ::SVM_PARAVIRT_UNHALT */
#define SVM_PARAVIRT_CALL_SEND_IPI 10u /* ::SVM_PARAVIRT_SEND_IPI */

/* Answers, in RAX. */
#define SVM_PARAVIRT_EPERM  ((uint64_t)-1)    /* Not from CPL 0. */
#define SVM_PARAVIRT_EINVAL ((uint64_t)-22)   /* An argument that no guest needs. */
#define SVM_PARAVIRT_ENOSYS ((uint64_t)-1000) /* No such call. */

/**
 * @brief SEND_IPI: a fixed interrupt or an NMI to the local APICs of a bitmap.
 *
 * Arguments: the bitmap's lower and upper word, of 64 bits from 64-bit code and else of 32; the
 * APIC ID of bit 0; an ICR, physical and without shorthand.
 *
 * @param bus   The VM's APICs.
 * @param call  Any values.
 * @return New RAX: how many APICs took it, or SVM_PARAVIRT_EINVAL.
 * @par Context
 * A.
 */
uint64_t svm_paravirt_send_ipi(struct svm_apic_bus *bus, const struct svm_hypercall *call);

/** @} */

#endif
