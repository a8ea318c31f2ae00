/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes to devices that can wait.
 *
 * In a zone that user space has named, a write becomes an entry of a ring, which it empties at the
 * next return for any other reason; only a full ring is a reason.  The ring is a page of the
 * VM that user space shares and may fill with anything: both indices are read once and compared
 * with its size.
 */
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "guest.h"

#define ZONES_MAX 100u

#define RING_ENTRIES                                                                               \
	((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

struct guest_zone {
	struct list_head link;
	u64 address;
	u32 size;
	bool is_port;
};

static bool is_inside(const struct guest_zone *zone, const struct guest_write *write)
{
	return zone->is_port == write->is_port && write->address >= zone->address &&
	       write->size <= zone->size &&
	       write->address - zone->address <= zone->size - write->size;
}

static bool is_in_zone(const struct guest *guest, const struct guest_write *write)
{
	const struct guest_zone *zone;

	list_for_each_entry(zone, &guest->zones, link)
		if (is_inside(zone, write))
			return true;
	return false;
}

static bool append(struct kvm_coalesced_mmio_ring *ring, const struct guest_write *write)
{
	const u32 first = READ_ONCE(ring->first), last = READ_ONCE(ring->last);
	struct kvm_coalesced_mmio entry = {
		.phys_addr = write->address,
		.len = write->size,
		.pio = write->is_port,
	};

	if (first >= RING_ENTRIES || last >= RING_ENTRIES || (last + 1) % RING_ENTRIES == first)
		return false;
	memcpy(entry.data, &write->value, sizeof(entry.data));
	ring->coalesced_mmio[last] = entry;
	/* Whoever sees the new index sees the entry. */
	smp_store_release(&ring->last, (last + 1) % RING_ENTRIES);
	return true;
}

bool guest_coalesced_write(struct guest *guest, const struct guest_write *write)
{
	bool done;

	spin_lock(&guest->zones_lock);
	done = is_in_zone(guest, write) && append(guest->ring, write);
	spin_unlock(&guest->zones_lock);
	return done;
}

/* --- zones ------------------------------------------------------------------------------------ */

static int add_zone(struct guest *guest, const struct kvm_coalesced_mmio_zone *in)
{
	struct guest_zone *zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	int error = 0;

	if (!zone)
		return -ENOMEM;
	zone->address = in->addr;
	zone->size = in->size;
	zone->is_port = in->pio;
	spin_lock(&guest->zones_lock);
	if (guest->zone_count < ZONES_MAX) {
		list_add_tail(&zone->link, &guest->zones);
		guest->zone_count++;
		zone = NULL;
	} else {
		error = -ENOSPC;
	}
	spin_unlock(&guest->zones_lock);
	kfree(zone);
	return error;
}

/* All zones that this range is in; that there is none is no error. */
static void remove_zones(struct guest *guest, const struct kvm_coalesced_mmio_zone *in)
{
	const struct guest_write range = {
		.is_port = in->pio,
		.address = in->addr,
		.size = in->size,
	};
	struct guest_zone *zone, *next;
	LIST_HEAD(gone);

	spin_lock(&guest->zones_lock);
	list_for_each_entry_safe(zone, next, &guest->zones, link) {
		if (!is_inside(zone, &range))
			continue;
		list_move(&zone->link, &gone);
		guest->zone_count--;
	}
	spin_unlock(&guest->zones_lock);
	list_for_each_entry_safe(zone, next, &gone, link)
		kfree(zone);
}

long guest_coalesced_zone(struct guest *guest, void __user *user, bool on)
{
	struct kvm_coalesced_mmio_zone in;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.pio > 1)
		return -EINVAL;
	if (on)
		return add_zone(guest, &in);
	remove_zones(guest, &in);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

int guest_coalesced_start(struct guest *guest)
{
	guest->ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return guest->ring ? 0 : -ENOMEM;
}

void guest_coalesced_stop(struct guest *guest)
{
	struct guest_zone *zone, *next;

	list_for_each_entry_safe(zone, next, &guest->zones, link)
		kfree(zone);
	free_page((unsigned long)guest->ring);
}
