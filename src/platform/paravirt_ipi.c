/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM_HC_SEND_IPI: one exit for an interrupt to many, where an xAPIC or a mask of x2APIC clusters
 * takes one for each.
 *
 * An APIC ID is an index that the guest chooses: compared with the bus's size before anything is
 * added to it, so that no sum can wrap.  At most 128 are looked at.
 */
#include <libsvm/platform/paravirt_calls.h>

#include "core/core.h"

#define IPI_VECTOR  SVM_BITS(7, 0)
#define IPI_MODE    SVM_BITS(10, 8)
#define IPI_REFUSED (SVM_BIT(11) | SVM_BITS(19, 18)) /* Logical; a shorthand. */

#define IPI_VECTOR_LEAST 16u

static bool read_icr(uint64_t icr, struct svm_apic_message *message)
{
	*message = (struct svm_apic_message){
		.vector = (uint8_t)svm_bits_get(icr, IPI_VECTOR),
		.mode = (uint8_t)svm_bits_get(icr, IPI_MODE),
		.shorthand = SVM_APIC_NO_SHORTHAND,
		.is_wide = true,
		.is_assert = true,
	};
	if (icr & IPI_REFUSED)
		return false;
	if (message->mode == SVM_APIC_NMI)
		return true;
	return message->mode == SVM_APIC_FIXED && message->vector >= IPI_VECTOR_LEAST;
}

/* Those of one word of the bitmap, whose bit 0 is APIC `first`. */
static uint64_t send_to_word(struct svm_apic_bus *bus, struct svm_apic_message *message,
                             uint64_t word, uint64_t first)
{
	uint64_t taken = 0;

	for (unsigned bit = 0; bit < 64 && first < bus->count; bit++, first++) {
		if (!(word & SVM_BIT(bit)))
			continue;
		message->destination = (uint32_t)first;
		taken += svm_apic_bus_send(bus, message);
	}
	return taken;
}

uint64_t svm_paravirt_send_ipi(struct svm_apic_bus *bus, const struct svm_hypercall *call)
{
	const uint64_t first = call->argument[2];
	struct svm_apic_message message;
	uint64_t taken;

	if (!read_icr(call->argument[3], &message))
		return SVM_PARAVIRT_EINVAL;
	if (first >= bus->count)
		return 0;
	taken = send_to_word(bus, &message, call->argument[0], first);
	return taken + send_to_word(bus, &message, call->argument[1],
	                            first + (call->is_wide ? 64 : 32));
}
