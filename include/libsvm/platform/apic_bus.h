/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_APIC_BUS_H
#define LIBSVM_PLATFORM_APIC_BUS_H
/**
 * @file
 * @brief Who receives an APIC message.
 *
 * A table of the local APICs of one VM, by APIC ID.  It is filled before the first vCPU runs;
 * after that only svm_apic_bus_send() is called, by any number of threads at once.
 *
 * @par Source
 * APM vol. 2, 16.6.1, 16.6.2, 16.14.
 */
#include <libsvm/platform/lapic.h>

/** @addtogroup svm_platform
 *  @{ */

/** The local APICs of one VM.  Owned by its user; members are the library's. */
struct svm_apic_bus {
	struct svm_lapic *lapic[SVM_APIC_MAX]; /**< NULL: no such APIC. */
	uint32_t count;                        /**< The highest ID, and 1. */
	uint32_t last;                         /**< Who got the last lowest-priority one. */
};

/** @brief A bus with nobody on it. */
void svm_apic_bus_init(struct svm_apic_bus *bus);

/**
 * @brief Put an APIC on the bus.
 * @retval 0              Done.
 * @retval SVM_ERR_EXIST  Its ID is taken.
 */
SVM_MUST_CHECK int svm_apic_bus_add(struct svm_apic_bus *bus, struct svm_lapic *lapic);

/**
 * @brief Send a message to all that it is for; a ::svm_apic_send.
 *
 * A lowest-priority message goes to that one of its destinations which takes vectors and whose
 * processor priority is lowest; among equals to the next after who got the last one.
 *
 * @param arg      The bus.
 * @param message  Any values; is not kept.
 * @return True if at least one APIC took it.
 * @par Context
 * Any thread, A; see lapic.h.
 */
bool svm_apic_bus_send(void *arg, const struct svm_apic_message *message);

/** @} */

#endif
