/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * APIC IDs of 32 bits, and FFh that is not everybody: KVM_CAP_X2APIC_API.
 *
 * Nothing runs here: what a message has reached is in the page of the local APIC.
 */
#include <string.h>
#include <unistd.h>

#include "vmm_irq.h"

#define BOTH (KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
#define FAR  20u /* The second vCPU: of cluster 1. */

#define APIC_ID  0x20u
#define APIC_SVR 0xf0u
#define APIC_IRR 0x200u

static int enable(const struct machine *m, uint64_t flags)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X2APIC_API, .args = { flags } };

	return ioctl(m->vm, KVM_ENABLE_CAP, &cap);
}

static uint32_t apic_word(int vcpu, unsigned offset)
{
	struct kvm_lapic_state page;
	uint32_t value;

	EXPECT(ioctl(vcpu, KVM_GET_LAPIC, &page) == 0, 0);
	memcpy(&value, page.regs + offset, sizeof(value));
	return value;
}

static int set_apic_word(int vcpu, unsigned offset, uint32_t value)
{
	struct kvm_lapic_state page;

	EXPECT(ioctl(vcpu, KVM_GET_LAPIC, &page) == 0, 0);
	memcpy(page.regs + offset, &value, sizeof(value));
	return ioctl(vcpu, KVM_SET_LAPIC, &page);
}

static void set_mode(int vcpu, uint64_t mode)
{
	struct kvm_sregs sregs;

	EXPECT(ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	sregs.apic_base = (sregs.apic_base & ~0xc00ull) | mode;
	EXPECT(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0, mode);
}

/* vCPU 0 and FAR, in x2APIC mode and enabled. */
static int open_two(struct machine *m)
{
	int vcpu, far;

	open_with_irqchip(m);
	far = ioctl(m->vm, KVM_CREATE_VCPU, FAR);
	EXPECT(far >= 0, far);
	for (unsigned i = 0; i < 2; i++) {
		vcpu = i ? far : m->vcpu;
		set_mode(vcpu, 0xc00);
		EXPECT(set_apic_word(vcpu, APIC_SVR, 0x1ff) == 0, i);
	}
	return far;
}

static int send(const struct machine *m, uint32_t high, uint32_t low)
{
	struct kvm_msi msi = {
		.address_lo = 0xfee00000 | low, .address_hi = high, .data = MSI_VECTOR
	};

	return ioctl(m->vm, KVM_SIGNAL_MSI, &msi);
}

/* Bit 0: vCPU 0 has the vector, bit 1: the other.  It is taken away again. */
static unsigned receivers(const int vcpus[2])
{
	const unsigned irr = APIC_IRR + MSI_VECTOR / 32 * 16;
	unsigned result = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (apic_word(vcpus[i], irr) & 1u << MSI_VECTOR % 32)
			result |= 1u << i;
		EXPECT(set_apic_word(vcpus[i], irr, 0) == 0, i);
	}
	return result;
}

static void wide_ids(void)
{
	struct routing route = { { 1, 0 }, { msi_route(40, MSI_VECTOR) } };
	struct machine m;
	const int far = open_two(&m);

	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_X2APIC_API) == BOTH, 0);
	REFUSED(enable(&m, 4), EINVAL);
	EXPECT(apic_word(far, APIC_ID) == FAR << 24, apic_word(far, APIC_ID));
	EXPECT(send(&m, 0x101, FAR << 12) == 1, 0); /* Ignored. */
	route.entry[0].u.msi.address_hi = 1;
	EXPECT(set_routing(&m, &route) == 0, 0);

	EXPECT(enable(&m, KVM_X2APIC_API_USE_32BIT_IDS) == 0, 0);
	EXPECT(enable(&m, 0) == 0, 0); /* Takes nothing back. */
	REFUSED(send(&m, 1, FAR << 12), EINVAL);
	REFUSED(set_routing(&m, &route), EINVAL);
	EXPECT(send(&m, 0x100, FAR << 12) == 0, 0); /* 114h, which is not there. */
	EXPECT(send(&m, 0, FAR << 12) == 1, 0);
	route.entry[0].u.msi.address_hi = 0x100;
	EXPECT(set_routing(&m, &route) == 0, 0);
	EXPECT(line(&m, 40, 1) < 0, 0);
	EXPECT(apic_word(far, APIC_ID) == FAR, apic_word(far, APIC_ID));
	EXPECT(set_apic_word(far, APIC_ID, FAR) == 0, 0);
	REFUSED(set_apic_word(far, APIC_ID, FAR << 24), EINVAL);
	set_mode(far, 0x800);
	EXPECT(apic_word(far, APIC_ID) == FAR << 24, apic_word(far, APIC_ID));
	EXPECT(set_apic_word(far, APIC_ID, FAR << 24) == 0, 0);
	close(far);
	machine_close(&m);
}

/* The upper half of a destination, the rest of the address, who hears of it with and without. */
static const struct {
	uint32_t high, low;
	unsigned with_quirk, without;
} rows[] = {
	{ 0, 0xff000, 3, 0 },          /* Physical. */
	{ 0, 0xff004, 3, 1 },          /* Logical: cluster 0. */
	{ 0, 0x01004, 1, 1 },
	{ 0xffffff00, 0xff000, 3, 3 }, /* Everybody. */
	{ 0xffffff00, 0xff004, 3, 3 },
	{ 0x00010000, 0x10004, 2, 2 }, /* Cluster 1. */
	{ 0x00010000, 0x0f004, 0, 0 },
	{ 0, FAR << 12, 2, 2 },
};

static void broadcasts(void)
{
	struct machine m;
	const int far = open_two(&m), vcpus[] = { m.vcpu, far };

	EXPECT(enable(&m, KVM_X2APIC_API_USE_32BIT_IDS) == 0, 0);
	for (unsigned off = 0; off < 2; off++) {
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			const unsigned expected = off ? rows[i].without : rows[i].with_quirk;

			EXPECT(send(&m, rows[i].high, rows[i].low) == (expected != 0), i);
			EXPECT(receivers(vcpus) == expected, i + 100 * off);
		}
		EXPECT(enable(&m, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK) == 0, 0);
	}
	/* The I/O APIC's messages too; and to an xAPIC FFh is everybody as ever. */
	set_ioapic_entry(&m, 20, 0xff00000000000000 | MSI_VECTOR);
	EXPECT(line(&m, 20, 1) == 0 && line(&m, 20, 0) >= 0, 0);
	EXPECT(receivers(vcpus) == 0, 0);
	set_mode(m.vcpu, 0x800);
	EXPECT(line(&m, 20, 1) == 1, 0);
	EXPECT(receivers(vcpus) == 1, 0);
	close(far);
	machine_close(&m);
}

const struct test x2apic_tests[] = {
	{ "wide-ids", wide_ids },
	{ "broadcasts", broadcasts },
	{ NULL, NULL },
};
