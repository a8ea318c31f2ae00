/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The calls that concern interrupt controllers: what user space gives is copied once and then
 * looked at.  Without controllers each says what KVM says.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest_irq.h"

/* --- on a VM ---------------------------------------------------------------------------------- */

static long irq_line(struct guest_irq *irq, void __user *user, bool wants_status)
{
	struct kvm_irq_level line;
	unsigned long flags;

	if (copy_from_user(&line, user, sizeof(line)))
		return -EFAULT;
	flags = guest_irq_enter(irq);
	line.status = guest_irq_set_gsi(irq, line.irq, GUEST_SOURCE_USER, line.level);
	guest_irq_leave(irq, flags);
	if (wants_status && copy_to_user(user, &line, sizeof(line)))
		return -EFAULT;
	return 0;
}

static long signal_msi(struct guest_irq *irq, void __user *user)
{
	struct guest_msi msi;
	struct kvm_msi in;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	msi = (struct guest_msi){ in.address_lo, in.address_hi, in.data };
	if (in.flags || !guest_msi_is_legal(irq, &msi))
		return -EINVAL;
	/* Nobody took it: "blocked by the guest". */
	return max(guest_irq_send_msi(irq, &msi), 0);
}

static long get_irqchip(struct guest_irq *irq, void __user *user)
{
	struct kvm_irqchip *const chip = memdup_user(user, sizeof(*chip));
	long error;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	error = guest_irqchip_get(irq, chip);
	if (!error && copy_to_user(user, chip, sizeof(*chip)))
		error = -EFAULT;
	kfree(chip);
	return error;
}

static long set_irqchip(struct guest_irq *irq, void __user *user)
{
	struct kvm_irqchip *const chip = memdup_user(user, sizeof(*chip));
	long error;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	error = guest_irqchip_set(irq, chip);
	kfree(chip);
	return error;
}

long guest_irq_vm_ioctl(struct guest *guest, unsigned int number, unsigned long arg)
{
	struct guest_irq *const irq = guest_irq_of(guest);
	void __user *const user = (void __user *)arg;

	switch (number) {
	case KVM_CREATE_IRQCHIP:
		return guest_irq_create(guest, false);
	case KVM_REGISTER_COALESCED_MMIO:
		return guest_coalesced_zone(guest, user, true);
	case KVM_UNREGISTER_COALESCED_MMIO:
		return guest_coalesced_zone(guest, user, false);
	case KVM_IOEVENTFD:
		return guest_ioeventfd(guest, user);
	case KVM_IRQFD:
		return irq ? guest_irqfd(irq, user) : -EINVAL;
	case KVM_IRQ_LINE:
		return irq ? irq_line(irq, user, false) : -ENXIO;
	case KVM_IRQ_LINE_STATUS:
		return irq ? irq_line(irq, user, true) : -ENXIO;
	case KVM_SIGNAL_MSI:
		return irq ? signal_msi(irq, user) : -EINVAL;
	case KVM_SET_GSI_ROUTING:
		return irq ? guest_routes_set(irq, user) : -EINVAL;
	case KVM_GET_IRQCHIP:
		return guest_has_pic(guest) ? get_irqchip(irq, user) : -ENXIO;
	case KVM_SET_IRQCHIP:
		return guest_has_pic(guest) ? set_irqchip(irq, user) : -ENXIO;
	case KVM_CREATE_PIT:
	case KVM_CREATE_PIT2:
	case KVM_GET_PIT:
	case KVM_SET_PIT:
	case KVM_GET_PIT2:
	case KVM_SET_PIT2:
	case KVM_REINJECT_CONTROL:
		return guest_has_pic(guest) ? guest_pit_ioctl(irq, number, user) : -ENXIO;
	default:
		return -ENOTTY;
	}
}

long guest_irq_split(struct guest *guest, u64 pins)
{
	return pins > GUEST_ROUTES ? -EINVAL : guest_irq_create(guest, true);
}

long guest_irq_capability(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_TSC_DEADLINE_TIMER:
		return 1;
	case KVM_CAP_X2APIC_API:
		return GUEST_X2APIC_API;
	case KVM_CAP_COALESCED_MMIO: /* The ring's page in the mapping. */
		return 2;
	case KVM_CAP_COALESCED_PIO:
		return 1;
	case KVM_CAP_IRQ_ROUTING: /* Entries of a table, and GSIs. */
		return GUEST_ROUTES;
	default:
		return 0;
	}
}

/* --- on a vCPU -------------------------------------------------------------------------------- */

static long get_lapic(struct guest_apic *apic, void __user *user)
{
	struct kvm_lapic_state page;

	guest_lapic_get(apic, &page);
	return copy_to_user(user, &page, sizeof(page)) ? -EFAULT : 0;
}

static long set_lapic(struct guest_apic *apic, void __user *user)
{
	struct kvm_lapic_state page;

	if (copy_from_user(&page, user, sizeof(page)))
		return -EFAULT;
	return guest_lapic_set(apic, &page);
}

/*
 * The page at that address speeds up guests whose code a VMM has patched, for which it needs
 * reports of accesses to the task priority.  There are none, so no guest is ever patched.
 */
static long set_vapic_address(void __user *user)
{
	struct kvm_vapic_addr address;

	return copy_from_user(&address, user, sizeof(address)) ? -EFAULT : 0;
}

long guest_irq_vcpu_ioctl(struct guest_vcpu *vcpu, unsigned int number, unsigned long arg)
{
	struct guest_apic *const apic = vcpu->apic;
	void __user *const user = (void __user *)arg;

	if (!apic) /* What KVM says, of others too. */
		return -EINVAL;
	switch (number) {
	case KVM_GET_LAPIC:
		return get_lapic(apic, user);
	case KVM_SET_LAPIC:
		return set_lapic(apic, user);
	case KVM_SET_VAPIC_ADDR:
		return set_vapic_address(user);
	default:
		return -EINVAL;
	}
}
