/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a number that user space knows (GSI) to inputs of the controllers and to messages.
 *
 * A table is never changed but replaced, under the lock under which it is read.
 */
#include <linux/bsearch.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "guest_irq.h"

struct route {
	u32 gsi;
	u32 pin; /* One of GUEST_PINS, or GUEST_PINS: a message. */
	struct guest_msi msi;
};

struct guest_routes {
	u32 count;
	struct route route[]; /* Sorted by GSI. */
};

#define PIC_CHIP_PINS 8u

/* --- messages --------------------------------------------------------------------------------- */

#define MSI_HIGH_DESTINATION GENMASK(31, 8)

bool guest_msi_is_legal(const struct guest_irq *irq, const struct guest_msi *msi)
{
	return !guest_has_x2apic_api(irq, KVM_X2APIC_API_USE_32BIT_IDS) ||
	       !(msi->address_high & ~MSI_HIGH_DESTINATION);
}

/*
 * APM vol. 2, 16.11; of 32 bits of destination the upper ones are in KVM's place for them.  FFh is
 * everybody to x2APICs too (KVM's "broadcast quirk"), until user space switches that off.
 */
static struct svm_apic_message decode_msi(const struct guest_irq *irq, const struct guest_msi *msi)
{
	u32 destination = msi->address_low >> 12 & 0xff;

	if (guest_has_x2apic_api(irq, KVM_X2APIC_API_USE_32BIT_IDS))
		destination |= msi->address_high & MSI_HIGH_DESTINATION;
	return (struct svm_apic_message){
		.destination = destination,
		.vector = (u8)msi->data,
		.mode = msi->data >> 8 & 7,
		.is_logical = msi->address_low & BIT(2),
		.is_level = msi->data & BIT(15),
		.is_assert = true,
		.is_by_mode = destination > 0xff ||
		              guest_has_x2apic_api(irq, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK),
	};
}

/* As guest_irq_set_gsi(), but one that the guest has already counts as another. */
static int send(struct guest_irq *irq, const struct guest_msi *msi)
{
	const struct svm_apic_message message = decode_msi(irq, msi);

	/* Neither a device nor an I/O APIC can send these (APM vol. 2, 16.5). */
	if (message.mode == SVM_APIC_STARTUP || message.mode == SVM_APIC_REMOTE_READ)
		return -1;
	return svm_apic_bus_send(&irq->bus, &message) ? 1 : -1;
}

int guest_irq_send_msi(struct guest_irq *irq, const struct guest_msi *msi)
{
	const unsigned long flags = guest_irq_enter(irq);
	const int result = send(irq, msi);

	guest_irq_leave(irq, flags);
	return result;
}

/* --- inputs ----------------------------------------------------------------------------------- */

static int drive_pic(struct guest_irq *irq, unsigned int pin, bool level)
{
	const struct svm_pic_chip *const chip = &irq->pic.chip[pin / PIC_CHIP_PINS];
	const u8 bit = BIT(pin % PIC_CHIP_PINS);
	const bool had_it = (chip->elcr & bit ? chip->lines : chip->latch) & bit;
	const bool rises = level && !(chip->lines & bit);

	svm_pic_set_line(&irq->pic, pin, level);
	if (chip->imr & bit)
		return -1;
	return !rises || !had_it;
}

static int drive_ioapic(struct guest_irq *irq, unsigned int pin, bool level)
{
	const bool is_masked = irq->ioapic.entry[pin] & BIT(16);

	irq->delivered = 0;
	svm_ioapic_set_line(&irq->ioapic, pin, level);
	if (!level)
		return 1;
	return is_masked ? -1 : (int)irq->delivered;
}

static int drive(struct guest_irq *irq, u32 pin, enum guest_irq_source source, bool level)
{
	u8 *const sources = &irq->sources[pin];

	if (level)
		*sources |= BIT(source);
	else
		*sources &= ~BIT(source);
	if (pin < GUEST_PIC_PINS)
		return drive_pic(irq, pin, *sources);
	return drive_ioapic(irq, pin - GUEST_PIC_PINS, *sources);
}

/* --- looking up ------------------------------------------------------------------------------- */

static int by_gsi(const void *a, const void *b)
{
	const struct route *const x = a, *const y = b;

	return x->gsi < y->gsi ? -1 : x->gsi > y->gsi;
}

int guest_irq_set_gsi(struct guest_irq *irq, u32 gsi, enum guest_irq_source source, bool level)
{
	const struct guest_routes *const routes = irq->routes;
	const struct route key = { .gsi = gsi }, *const end = routes->route + routes->count;
	const struct route *route;
	int result = -1;

	route = bsearch(&key, routes->route, routes->count, sizeof(*route), by_gsi);
	if (!route)
		return -1;
	while (route > routes->route && route[-1].gsi == gsi)
		route--;
	for (; route < end && route->gsi == gsi; route++) {
		int one;

		if (route->pin < GUEST_PINS)
			one = drive(irq, route->pin, source, level);
		else
			one = level ? send(irq, &route->msi) : -1;
		if (one >= 0)
			result = max(result, 0) + one;
	}
	return result;
}

/*
 * What held it high for a device lets go, and the device is looked at again.  The input itself
 * first: its route may be another than when it was raised.
 */
void guest_irq_pin_ended(struct guest_irq *irq, u32 pin)
{
	const struct guest_routes *const routes = irq->routes;
	u32 i;

	if (list_empty(&irq->resamplers) && !(irq->sources[pin] & BIT(GUEST_SOURCE_RESAMPLE)))
		return;
	(void)drive(irq, pin, GUEST_SOURCE_RESAMPLE, false);
	for (i = 0; i < routes->count; i++) {
		const struct route *const route = &routes->route[i];

		if (route->pin != pin)
			continue;
		(void)guest_irq_set_gsi(irq, route->gsi, GUEST_SOURCE_RESAMPLE, false);
		guest_irqfd_ended(irq, route->gsi);
	}
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct guest_routes *make_routes(u32 count)
{
	struct guest_routes *routes;

	routes = kzalloc(struct_size(routes, route, count), GFP_KERNEL_ACCOUNT);
	if (routes)
		routes->count = count;
	return routes;
}

static void install(struct guest_irq *irq, struct guest_routes *routes)
{
	const unsigned long flags = guest_irq_enter(irq);

	swap(irq->routes, routes);
	guest_irq_leave(irq, flags);
	kfree(routes);
}

/* As a PC without overrides: each ISA interrupt at both controllers, if they are here. */
int guest_routes_default(struct guest_irq *irq)
{
	const u32 count = irq->is_split ? 0 : GUEST_PINS;
	struct guest_routes *const routes = make_routes(count);
	u32 i;

	if (!routes)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		routes->route[i].pin = i;
		routes->route[i].gsi = i < GUEST_PIC_PINS ? i : i - GUEST_PIC_PINS;
	}
	sort(routes->route, count, sizeof(routes->route[0]), by_gsi, NULL);
	install(irq, routes);
	return 0;
}

static bool pin_from_kvm(const struct kvm_irq_routing_irqchip *in, u32 *pin)
{
	switch (in->irqchip) {
	case KVM_IRQCHIP_PIC_MASTER:
		*pin = in->pin;
		return in->pin < PIC_CHIP_PINS;
	case KVM_IRQCHIP_PIC_SLAVE:
		*pin = PIC_CHIP_PINS + in->pin;
		return in->pin < PIC_CHIP_PINS;
	case KVM_IRQCHIP_IOAPIC:
		*pin = GUEST_PIC_PINS + in->pin;
		return in->pin < SVM_IOAPIC_PINS;
	default:
		return false;
	}
}

static bool from_kvm(const struct guest_irq *irq, const struct kvm_irq_routing_entry *in,
                     struct route *out)
{
	if (in->gsi >= GUEST_GSIS || in->flags)
		return false;
	out->gsi = in->gsi;
	switch (in->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return !irq->is_split && pin_from_kvm(&in->u.irqchip, &out->pin);
	case KVM_IRQ_ROUTING_MSI:
		out->pin = GUEST_PINS;
		out->msi = (struct guest_msi){ in->u.msi.address_lo, in->u.msi.address_hi,
			                       in->u.msi.data };
		return guest_msi_is_legal(irq, &out->msi);
	default:
		return false;
	}
}

static unsigned int chip_of(const struct route *route)
{
	return route->pin / PIC_CHIP_PINS < 2 ? route->pin / PIC_CHIP_PINS : 2;
}

/* Sorted already.  A message stands alone, and of each controller a GSI has one input. */
static bool are_distinct(const struct guest_routes *routes)
{
	u32 i, j;

	for (i = 0; i < routes->count; i++) {
		const struct route *const a = &routes->route[i];

		for (j = i + 1; j < routes->count && routes->route[j].gsi == a->gsi; j++) {
			const struct route *const b = &routes->route[j];

			if (a->pin == GUEST_PINS || b->pin == GUEST_PINS ||
			    chip_of(a) == chip_of(b))
				return false;
		}
	}
	return true;
}

long guest_routes_set(struct guest_irq *irq, void __user *user)
{
	struct kvm_irq_routing __user *const in = user;
	struct kvm_irq_routing_entry *entries;
	struct guest_routes *routes;
	struct kvm_irq_routing head;
	bool legal = true;
	u32 i;

	if (copy_from_user(&head, in, sizeof(head)))
		return -EFAULT;
	if (head.nr > GUEST_ROUTES || head.flags)
		return -EINVAL;
	entries = memdup_user(in->entries, array_size(sizeof(*entries), head.nr));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	routes = make_routes(head.nr);
	for (i = 0; routes && i < head.nr; i++)
		legal = legal && from_kvm(irq, &entries[i], &routes->route[i]);
	kfree(entries);
	if (!routes)
		return -ENOMEM;
	sort(routes->route, head.nr, sizeof(routes->route[0]), by_gsi, NULL);
	if (!legal || !are_distinct(routes)) {
		kfree(routes);
		return -EINVAL;
	}
	install(irq, routes);
	return 0;
}
