/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Interrupts that a guest sends: the interrupt command register.  APM vol. 2, 16.5.
 *
 * The manual's table of valid combinations is obeyed: only fixed interrupts may use the shorthands
 * that include the sender.  What is not in it is not sent.  The trigger mode matters to INIT only.
 */
#include "lapic.h"

#define ICR_VECTOR    0x000000ffu
#define ICR_MODE      0x00000700u
#define ICR_LOGICAL   0x00000800u
#define ICR_ASSERT    0x00004000u
#define ICR_LEVEL     0x00008000u
#define ICR_SHORTHAND 0x000c0000u

static bool combination_is_valid(const struct svm_apic_message *message)
{
	switch (message->mode) {
	case SVM_APIC_FIXED:
		return true;
	case SVM_APIC_LOWEST:
	case SVM_APIC_SMI:
	case SVM_APIC_NMI:
	case SVM_APIC_INIT:
	case SVM_APIC_STARTUP:
		return message->shorthand == SVM_APIC_NO_SHORTHAND ||
		       message->shorthand == SVM_APIC_ALL_BUT_SELF;
	default:
		return false;
	}
}

static void send_to_self(struct svm_lapic *lapic, uint8_t vector)
{
	if (vector < 16)
		svm_lapic_record_error(lapic, APIC_ESR_SENT_VECTOR);
	else
		(void)svm_lapic_post(lapic, vector, false);
}

static void send_ipi(struct svm_lapic *lapic, const struct svm_apic_message *message)
{
	if (!combination_is_valid(message))
		return;
	if (message->mode <= SVM_APIC_LOWEST && message->vector < 16)
		svm_lapic_record_error(lapic, APIC_ESR_SENT_VECTOR);
	else
		(void)lapic->config.host.send(lapic->config.host.arg, message);
}

void svm_lapic_write_icr(struct svm_lapic *lapic, uint32_t low, uint32_t destination)
{
	const struct svm_apic_message message = {
		.destination = destination,
		.source = lapic->config.id,
		.vector = (uint8_t)(low & ICR_VECTOR),
		.mode = (uint8_t)svm_bits_get(low, ICR_MODE),
		.shorthand = (uint8_t)svm_bits_get(low, ICR_SHORTHAND),
		.is_logical = low & ICR_LOGICAL,
		.is_wide = svm_lapic_has_base(lapic, APIC_BASE_X2APIC),
		.is_assert = (low & ICR_ASSERT) || !(low & ICR_LEVEL),
	};

	lapic->icr_low = low & APIC_ICR_BITS;
	if (message.mode == SVM_APIC_FIXED && message.shorthand == SVM_APIC_SELF)
		send_to_self(lapic, message.vector);
	else
		send_ipi(lapic, &message);
}

void svm_lapic_write_self_ipi(struct svm_lapic *lapic, uint8_t vector)
{
	send_to_self(lapic, vector);
}
