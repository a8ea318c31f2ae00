/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * I/O APIC.  Intel 82093AA data sheet, section 3.2.
 *
 * An edge on a masked pin is gone (3.2.4, interrupt mask); a level is looked at whenever something
 * about it changes: the pin, the entry, the end of its interrupt.  Remote IRR is set only if some
 * local APIC took the message; if none did, the pin shows "send pending" and its next change tries
 * again.
 *
 * Only vectors are level-triggered.  SMI, NMI, INIT and ExtINT are edges whatever the entry says.
 * Making an entry edge-triggered clears its remote IRR, which software of version 11h relies on.
 */
#include <libsvm/platform/ioapic.h>

#include "core/core.h"

#define IOAPIC_OFFSET_SELECT 0x00u
#define IOAPIC_OFFSET_WINDOW 0x10u
#define IOAPIC_OFFSET_EOI    0x40u

#define IOAPIC_REG_ID      0x00u
#define IOAPIC_REG_VERSION 0x01u
#define IOAPIC_REG_ARB     0x02u
#define IOAPIC_REG_RTE     0x10u

#define IOAPIC_ID_BITS 0x0f000000u
#define IOAPIC_VERSION 0x00170020u /* 24 entries: 23 is the last. */

#define RTE_VECTOR      SVM_BITS(7, 0)
#define RTE_MODE        SVM_BITS(10, 8)
#define RTE_LOGICAL     SVM_BIT(11)
#define RTE_PENDING     SVM_BIT(12) /* Delivery status. */
#define RTE_LOW         SVM_BIT(13)
#define RTE_REMOTE_IRR  SVM_BIT(14)
#define RTE_LEVEL       SVM_BIT(15)
#define RTE_MASKED      SVM_BIT(16)
#define RTE_DESTINATION SVM_BITS(63, 56)
#define RTE_WRITABLE                                                                               \
	(RTE_VECTOR | RTE_MODE | RTE_LOGICAL | RTE_LOW | RTE_LEVEL | RTE_MASKED | RTE_DESTINATION)

/* --- pins --------------------------------------------------------------------------------- */

static bool redirection_is_level(uint64_t entry)
{
	return (entry & RTE_LEVEL) && svm_bits_get(entry, RTE_MODE) <= SVM_APIC_LOWEST;
}

static bool pin_is_asserted(const struct svm_ioapic *ioapic, unsigned pin)
{
	const bool level = ioapic->lines >> pin & 1;

	if (ioapic->no_polarity)
		return level;
	return level != !!(ioapic->entry[pin] & RTE_LOW);
}

/* A level that asks for its interrupt, and did not get it yet. */
static bool pin_waits(const struct svm_ioapic *ioapic, unsigned pin)
{
	const uint64_t entry = ioapic->entry[pin];

	return redirection_is_level(entry) && !(entry & (RTE_MASKED | RTE_REMOTE_IRR)) &&
	       pin_is_asserted(ioapic, pin);
}

static bool send_redirection(const struct svm_ioapic *ioapic, uint64_t entry)
{
	const struct svm_apic_message message = {
		.destination = (uint32_t)svm_bits_get(entry, RTE_DESTINATION),
		.vector = (uint8_t)svm_bits_get(entry, RTE_VECTOR),
		.mode = (uint8_t)svm_bits_get(entry, RTE_MODE),
		.is_logical = entry & RTE_LOGICAL,
		.is_level = redirection_is_level(entry),
		.is_assert = true,
	};

	if (message.mode == SVM_APIC_REMOTE_READ || message.mode == SVM_APIC_STARTUP)
		return false;
	return ioapic->send(ioapic->arg, &message);
}

static void send_level_pin(struct svm_ioapic *ioapic, unsigned pin)
{
	if (pin_waits(ioapic, pin) && send_redirection(ioapic, ioapic->entry[pin]))
		ioapic->entry[pin] |= RTE_REMOTE_IRR;
}

void svm_ioapic_set_line(void *arg, unsigned pin, bool level)
{
	struct svm_ioapic *ioapic = arg;
	const uint32_t bit = UINT32_C(1) << (pin & 31);

	if (pin >= SVM_IOAPIC_PINS || !!(ioapic->lines & bit) == level)
		return;
	ioapic->lines ^= bit;
	if (redirection_is_level(ioapic->entry[pin]))
		send_level_pin(ioapic, pin);
	else if (pin_is_asserted(ioapic, pin) && !(ioapic->entry[pin] & RTE_MASKED))
		(void)send_redirection(ioapic, ioapic->entry[pin]);
}

/* Remote IRR is clear already.  Whoever is told may take the level back, so that comes first. */
static void end_pin(struct svm_ioapic *ioapic, unsigned pin)
{
	if (ioapic->notice.ended)
		ioapic->notice.ended(ioapic->notice.arg, pin);
	send_level_pin(ioapic, pin);
}

/* All of the vector end before the first is told: what is sent meanwhile is another interrupt. */
void svm_ioapic_eoi(struct svm_ioapic *ioapic, uint8_t vector)
{
	uint32_t ended = 0;

	for (unsigned pin = 0; pin < SVM_IOAPIC_PINS; pin++) {
		const uint64_t entry = ioapic->entry[pin];

		if (!(entry & RTE_REMOTE_IRR) || svm_bits_get(entry, RTE_VECTOR) != vector)
			continue;
		ioapic->entry[pin] &= ~RTE_REMOTE_IRR;
		ended |= UINT32_C(1) << pin;
	}
	for (unsigned pin = 0; ended && pin < SVM_IOAPIC_PINS; pin++)
		if (ended >> pin & 1)
			end_pin(ioapic, pin);
}

/* --- registers ---------------------------------------------------------------------------- */

static uint32_t read_redirection(const struct svm_ioapic *ioapic, unsigned reg)
{
	const unsigned pin = (reg - IOAPIC_REG_RTE) / 2;
	uint64_t entry;

	if (reg < IOAPIC_REG_RTE || pin >= SVM_IOAPIC_PINS)
		return 0;
	entry = ioapic->entry[pin];
	if (pin_waits(ioapic, pin))
		entry |= RTE_PENDING;
	return (uint32_t)(reg & 1 ? entry >> 32 : entry);
}

static uint32_t read_ioapic_window(const struct svm_ioapic *ioapic)
{
	switch (ioapic->select) {
	case IOAPIC_REG_ID:
	case IOAPIC_REG_ARB:
		return (uint32_t)svm_bits_put(ioapic->id, IOAPIC_ID_BITS);
	case IOAPIC_REG_VERSION:
		return IOAPIC_VERSION;
	default:
		return read_redirection(ioapic, ioapic->select);
	}
}

static void write_redirection(struct svm_ioapic *ioapic, unsigned reg, uint32_t value)
{
	const unsigned pin = (reg - IOAPIC_REG_RTE) / 2;
	const uint64_t half = reg & 1 ? SVM_BITS(63, 32) : SVM_BITS(31, 0);
	bool ends;
	uint64_t entry;

	if (reg < IOAPIC_REG_RTE || pin >= SVM_IOAPIC_PINS)
		return;
	entry = ioapic->entry[pin] & ~(half & RTE_WRITABLE);
	entry |= svm_bits_put(value, half) & RTE_WRITABLE;
	ends = (entry & RTE_REMOTE_IRR) && !redirection_is_level(entry);
	ioapic->entry[pin] = ends ? entry & ~RTE_REMOTE_IRR : entry;
	if (ends)
		end_pin(ioapic, pin);
	else
		send_level_pin(ioapic, pin);
}

static void write_ioapic_window(struct svm_ioapic *ioapic, uint32_t value)
{
	if (ioapic->select == IOAPIC_REG_ID)
		ioapic->id = (uint8_t)svm_bits_get(value, IOAPIC_ID_BITS);
	else
		write_redirection(ioapic, ioapic->select, value);
}

uint64_t svm_ioapic_read(const struct svm_ioapic *ioapic, uint32_t offset, unsigned size)
{
	const unsigned byte = offset & 15;
	uint64_t value = 0;

	offset &= SVM_IOAPIC_SIZE - 1;
	if (byte >= 4)
		return 0;
	if (offset - byte == IOAPIC_OFFSET_SELECT)
		value = ioapic->select;
	else if (offset - byte == IOAPIC_OFFSET_WINDOW)
		value = read_ioapic_window(ioapic);
	value >>= 8 * byte;
	return size < 8 ? value & ((UINT64_C(1) << (8 * (size & 7))) - 1) : value;
}

void svm_ioapic_write(struct svm_ioapic *ioapic, uint32_t offset, unsigned size, uint64_t value)
{
	switch (offset & (SVM_IOAPIC_SIZE - 1)) {
	case IOAPIC_OFFSET_SELECT:
		ioapic->select = (uint8_t)value;
		break;
	case IOAPIC_OFFSET_WINDOW:
		if (size == 4)
			write_ioapic_window(ioapic, (uint32_t)value);
		break;
	case IOAPIC_OFFSET_EOI:
		svm_ioapic_eoi(ioapic, (uint8_t)value);
		break;
	default:
		break;
	}
}

/* --- life --------------------------------------------------------------------------------- */

void svm_ioapic_reset(struct svm_ioapic *ioapic)
{
	for (unsigned pin = 0; pin < SVM_IOAPIC_PINS; pin++)
		ioapic->entry[pin] = RTE_MASKED;
	ioapic->id = 0;
	ioapic->select = 0;
}

int svm_ioapic_init(struct svm_ioapic *ioapic, svm_apic_send *send, void *arg)
{
	if (!send)
		return SVM_ERR_INVAL;
	*ioapic = (struct svm_ioapic){ .send = send, .arg = arg };
	svm_ioapic_reset(ioapic);
	return 0;
}

void svm_ioapic_ignore_polarity(struct svm_ioapic *ioapic)
{
	ioapic->no_polarity = true;
}

void svm_ioapic_set_end_notice(struct svm_ioapic *ioapic, const struct svm_end_notice *notice)
{
	ioapic->notice = notice ? *notice : (struct svm_end_notice){ NULL, NULL };
}

void svm_ioapic_save(const struct svm_ioapic *ioapic, struct svm_ioapic_state *state)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->entry, ioapic->entry, sizeof(state->entry));
	state->lines = ioapic->lines;
	state->id = ioapic->id;
	state->select = ioapic->select;
}

int svm_ioapic_restore(struct svm_ioapic *ioapic, const struct svm_ioapic_state *state)
{
	if (state->lines >> SVM_IOAPIC_PINS || state->id > 15 || state->select > 0xff ||
	    state->reserved)
		return SVM_ERR_INVAL;
	for (unsigned pin = 0; pin < SVM_IOAPIC_PINS; pin++) {
		const uint64_t entry = state->entry[pin];
		const uint64_t allowed =
			RTE_WRITABLE | (redirection_is_level(entry) ? RTE_REMOTE_IRR : 0);

		if (entry & ~allowed)
			return SVM_ERR_INVAL;
	}
	memcpy(ioapic->entry, state->entry, sizeof(ioapic->entry));
	ioapic->lines = state->lines;
	ioapic->id = (uint8_t)state->id;
	ioapic->select = (uint8_t)state->select;
	return 0;
}
