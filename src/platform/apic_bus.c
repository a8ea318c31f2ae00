/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who receives an APIC message.  APM vol. 2, 16.6.1, 16.6.2.
 *
 * A destination of 8 bits is FFh for everybody in both modes of APICs, since an I/O APIC knows no
 * wider one; where interrupts are remapped, senders say otherwise (is_by_mode).  An index is always
 * compared with the size of the table first: a guest chooses it.
 */
#include <libsvm/platform/apic_bus.h>

#include "lapic.h"

void svm_apic_bus_init(struct svm_apic_bus *bus)
{
	*bus = (struct svm_apic_bus){ .count = 0 };
}

int svm_apic_bus_add(struct svm_apic_bus *bus, struct svm_lapic *lapic)
{
	const uint32_t id = lapic->config.id & (SVM_APIC_MAX - 1);

	if (bus->lapic[id])
		return SVM_ERR_EXIST;
	bus->lapic[id] = lapic;
	if (id >= bus->count)
		bus->count = id + 1;
	return 0;
}

static bool is_named(const struct svm_lapic *lapic, const struct svm_apic_message *message)
{
	const bool is_wide = message->is_by_mode ? svm_lapic_has_base(lapic, APIC_BASE_X2APIC)
	                                         : message->is_wide;
	const uint32_t everybody = is_wide ? UINT32_MAX : 0xff;

	if (message->is_logical)
		return svm_lapic_matches_logical(lapic, message->destination, is_wide);
	return message->destination == everybody || message->destination == lapic->config.id;
}

static bool is_destination(const struct svm_lapic *lapic, const struct svm_apic_message *message)
{
	switch (message->shorthand) {
	case SVM_APIC_NO_SHORTHAND:
		return is_named(lapic, message);
	case SVM_APIC_SELF:
		return lapic->config.id == message->source;
	case SVM_APIC_ALL:
		return true;
	default:
		return lapic->config.id != message->source;
	}
}

/* The one with the lowest priority, beginning with the one after the last. */
static struct svm_lapic *choose_lowest(struct svm_apic_bus *bus,
                                       const struct svm_apic_message *message)
{
	struct svm_lapic *best = NULL;
	uint32_t id = svm_atomic_load_relaxed(&bus->last);
	unsigned priority = 0x100;

	for (uint32_t i = 0; i < bus->count; i++) {
		struct svm_lapic *lapic;
		unsigned ppr;

		id = id + 1 < bus->count ? id + 1 : 0;
		lapic = bus->lapic[id];
		if (!lapic || !is_destination(lapic, message) || !svm_lapic_is_enabled(lapic))
			continue;
		ppr = svm_lapic_ppr(lapic);
		if (ppr < priority) {
			best = lapic;
			priority = ppr;
		}
	}
	return best;
}

static bool send_lowest(struct svm_apic_bus *bus, const struct svm_apic_message *message)
{
	struct svm_lapic *lapic = choose_lowest(bus, message);

	if (!lapic)
		return false;
	svm_atomic_store_relaxed(&bus->last, lapic->config.id);
	return svm_lapic_receive(lapic, message);
}

static bool may_be_everybody(const struct svm_apic_message *message)
{
	if (message->is_by_mode)
		return message->destination == 0xff || message->destination == UINT32_MAX;
	return message->destination == (message->is_wide ? UINT32_MAX : 0xff);
}

/* The usual case, without asking everybody. */
static bool is_unicast(const struct svm_apic_message *message)
{
	return message->shorthand == SVM_APIC_NO_SHORTHAND && !message->is_logical &&
	       !may_be_everybody(message);
}

static bool send_unicast(struct svm_apic_bus *bus, const struct svm_apic_message *message)
{
	if (message->destination >= bus->count || !bus->lapic[message->destination])
		return false;
	return svm_lapic_receive(bus->lapic[message->destination], message);
}

bool svm_apic_bus_send(void *arg, const struct svm_apic_message *message)
{
	struct svm_apic_bus *bus = arg;
	bool is_taken = false;

	if (is_unicast(message))
		return send_unicast(bus, message);
	if (message->mode == SVM_APIC_LOWEST)
		return send_lowest(bus, message);
	for (uint32_t id = 0; id < bus->count; id++) {
		struct svm_lapic *lapic = bus->lapic[id];

		if (lapic && is_destination(lapic, message) && svm_lapic_receive(lapic, message))
			is_taken = true;
	}
	return is_taken;
}
