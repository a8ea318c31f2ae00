/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the guests of vmm_irq.h are made of. */
#include <string.h>

#include "vmm_irq.h"

/* --- code ------------------------------------------------------------------------------------- */

uint8_t *emit_at;

void emit(const void *bytes, size_t size)
{
	memcpy(emit_at, bytes, size);
	emit_at += size;
}

/* mov ecx, msr; mov eax, ...; mov edx, ...; wrmsr */
void emit_wrmsr(uint32_t msr, uint64_t value)
{
	const uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

	EMIT(0x66, 0xb9);
	emit(&msr, 4);
	EMIT(0x66, 0xb8);
	emit(&low, 4);
	EMIT(0x66, 0xba);
	emit(&high, 4);
	EMIT(0x0f, 0x30);
}

void emit_eoi(void)
{
	emit_wrmsr(0x80b, 0);
}

/* rdmsr 1Bh; or ah, 0ch; wrmsr; then the APIC is enabled by software. */
void emit_x2apic(void)
{
	EMIT(0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0x80, 0xcc, 0x0c, 0x0f, 0x30);
	emit_wrmsr(0x80f, 0x1ff);
}

void emit_pic(uint8_t mask)
{
	EMIT(OUT(0x20, 0x11), OUT(0x21, 0x20), OUT(0x21, 0x04), OUT(0x21, 0x01), OUT(0x21, mask));
}

void set_vector(struct machine *m, unsigned vector, uint32_t handler)
{
	memcpy(m->memory + 4 * vector, &handler, 4);
}

static void make_handlers(struct machine *m)
{
	emit_at = m->memory + HANDLER;
	set_vector(m, PIN_VECTOR, HANDLER);
	EMIT(COUNT, OUT(0x81, 0));
	emit_eoi();
	EMIT(IRET);
	emit_at = m->memory + HANDLER + 0x100;
	set_vector(m, MSI_VECTOR, HANDLER + 0x100);
	EMIT(OUT(0x82, 0));
	emit_eoi();
	EMIT(IRET);
	emit_at = m->memory + HANDLER + 0x200;
	set_vector(m, NMI_VECTOR, HANDLER + 0x200);
	EMIT(OUT(0x83, 0), IRET);
}

/* --- machines --------------------------------------------------------------------------------- */

void set_cpuid(const struct machine *m)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 room[100];
	} cpuid = { .head.nent = 100 };

	EXPECT(ioctl(m->device, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0, 0);
	for (uint32_t i = 0; i < cpuid.head.nent; i++)
		if (cpuid.room[i].function == 1)
			cpuid.room[i].ecx |= 1u << 24; /* The deadline timer is an extension. */
	EXPECT(ioctl(m->vcpu, KVM_SET_CPUID2, &cpuid) == 0, 0);
}

void open_with_irqchip(struct machine *m)
{
	machine_open_vm(m);
	EXPECT(ioctl(m->vm, KVM_CREATE_IRQCHIP, 0xc) == 0, 0); /* The argument means nothing. */
	machine_open_vcpu(m);
	set_cpuid(m);
	make_handlers(m);
	emit_at = m->memory + CODE;
}

int split(const struct machine *m, uint64_t pins)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { pins } };

	return ioctl(m->vm, KVM_ENABLE_CAP, &cap);
}

void open_split(struct machine *m)
{
	machine_open_vm(m);
	EXPECT(split(m, 24) == 0, 0);
	machine_open_vcpu(m);
	set_cpuid(m);
	make_handlers(m);
	emit_at = m->memory + CODE;
}

void begin(struct machine *m)
{
	start(m, m->memory + CODE, 1); /* The code is there already. */
}

int line(const struct machine *m, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level irq = { .irq = gsi, .level = level };

	EXPECT(ioctl(m->vm, KVM_IRQ_LINE_STATUS, &irq) == 0, 0);
	return irq.status;
}

int signal_msi(const struct machine *m, uint32_t destination, uint32_t vector)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000 | destination << 12, .data = vector };

	return ioctl(m->vm, KVM_SIGNAL_MSI, &msi);
}

/* --- routes and controllers ------------------------------------------------------------------- */

int set_routing(const struct machine *m, const struct routing *routing)
{
	return ioctl(m->vm, KVM_SET_GSI_ROUTING, routing);
}

struct kvm_irq_routing_entry msi_route(uint32_t gsi, uint32_t vector)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = vector },
	};
}

struct kvm_irq_routing_entry pin_route(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

void set_ioapic_entry(const struct machine *m, unsigned pin, uint64_t entry)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	EXPECT(ioctl(m->vm, KVM_GET_IRQCHIP, &chip) == 0, 0);
	chip.chip.ioapic.redirtbl[pin].bits = entry;
	EXPECT(ioctl(m->vm, KVM_SET_IRQCHIP, &chip) == 0, 0);
}

uint64_t ioapic_entry(const struct machine *m, unsigned pin)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	EXPECT(ioctl(m->vm, KVM_GET_IRQCHIP, &chip) == 0, 0);
	return chip.chip.ioapic.redirtbl[pin].bits;
}
