/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_TESTS_VMM_IRQ_H
#define LIBSVM_TESTS_VMM_IRQ_H
/*
 * Guests for interrupt controllers in the kernel.
 *
 * They are in real mode, from where an APIC can be reached as x2APIC only, by MSRs.  Each says by a
 * port where it is: the process then does its part and runs it on.
 */
#include <stddef.h>

#include "vmm.h"

#define PIN_VECTOR 0x40u /* Handled at HANDLER: counts at DATA, port 81h, EOI. */
#define MSI_VECTOR 0x41u /* At HANDLER + 100h: port 82h, EOI. */
#define NMI_VECTOR 2u    /* At HANDLER + 200h: port 83h. */
#define HANDLER    0x3000u

/* --- code ------------------------------------------------------------------------------------- */

extern uint8_t *emit_at; /* Where the next byte of code goes. */

void emit(const void *bytes, size_t size);

#define EMIT(...)                                                                                  \
	do {                                                                                       \
		const uint8_t bytes[] = { __VA_ARGS__ };                                           \
		emit(bytes, sizeof(bytes));                                                        \
	} while (0)

#define CLI 0xfa
#define STI 0xfb
#define HLT 0xf4
#define IRET 0xcf
#define COUNT 0xff, 0x06, 0x00, 0x20 /* inc word [2000h] */
#define OUT(port, value) 0xb0, (value), 0xe6, (port)
#define BACK(bytes) 0xeb, (uint8_t)(-(bytes) - 2)

void emit_wrmsr(uint32_t msr, uint64_t value);
void emit_eoi(void);
void emit_x2apic(void); /* Into that mode, and enabled by software. */
/* The master: vectors from 20h, and all inputs masked but those of this byte of zeros. */
void emit_pic(uint8_t mask);
void set_vector(struct machine *m, unsigned vector, uint32_t handler);

/* --- machines --------------------------------------------------------------------------------- */

/* Each ready for code at CODE, with the handlers above. */
void open_with_irqchip(struct machine *m);
void open_split(struct machine *m);

void set_cpuid(const struct machine *m);
int split(const struct machine *m, uint64_t pins);
void begin(struct machine *m);

int line(const struct machine *m, uint32_t gsi, uint32_t level);
int signal_msi(const struct machine *m, uint32_t destination, uint32_t vector);

/* --- routes and controllers ------------------------------------------------------------------- */

struct routing {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry entry[2];
};

int set_routing(const struct machine *m, const struct routing *routing);
struct kvm_irq_routing_entry msi_route(uint32_t gsi, uint32_t vector);
struct kvm_irq_routing_entry pin_route(uint32_t gsi, uint32_t chip, uint32_t pin);

void set_ioapic_entry(const struct machine *m, unsigned pin, uint64_t entry);
uint64_t ioapic_entry(const struct machine *m, unsigned pin);

#endif
