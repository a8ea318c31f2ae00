/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DEVICES_IRQ_MODEL_H
#define TESTS_DEVICES_IRQ_MODEL_H
/*
 * A second view of the interrupt controllers of a PC, written from the manuals and not from
 * src/platform: one bool for each vector, input and mark, everything searched for one by one, time
 * counted down.  Slow, and as plain as the text it comes from.
 *
 * Local APICs: APM vol. 2, chapter 16.  I/O APIC: Intel 82093AA.  8259A: its data sheet.
 */
#include <stdbool.h>
#include <stdint.h>

#define APICS 4u
#define PINS  24u

enum model_mode { MODEL_OFF, MODEL_XAPIC, MODEL_X2APIC };

struct model_entry {
	unsigned vector, type, timer_mode;
	bool polarity, level, masked;
};

struct model_apic {
	unsigned id;
	enum model_mode mode;
	uint64_t page;
	bool irr[256], isr[256], tmr[256];
	bool enabled, focus;
	unsigned spurious, tpr;
	unsigned logical;       /* xAPIC mode: 8 bits. */
	unsigned logical_model; /* 15: flat; 0: cluster. */
	unsigned esr, errors;
	uint32_t icr_low, icr_destination;
	struct model_entry lvt[6];
	bool lint[2], lint_busy[2];
	uint32_t initial, count;
	unsigned divide; /* As written. */
	uint64_t part;   /* Nanoseconds into the present count. */
	uint64_t deadline;
	bool nmi, smi, init, startup, extint;
	unsigned startup_vector;
};

struct model_pin {
	unsigned vector, mode, destination;
	bool logical, low, busy, level, masked, high;
};

struct model_chip {
	bool line[8], edge[8], served[8], masked[8], is_level[8];
	int order[8]; /* Most urgent first. */
	unsigned base, step;
	bool wants_icw4, single, aeoi, rotates, nested, special_mask, reads_isr, polls;
};

struct model {
	struct model_apic apic[APICS];
	struct model_pin pin[PINS];
	unsigned ioapic_id, ioapic_select;
	struct model_chip chip[2];
	bool pic_output;
	unsigned last; /* APIC ID that got the last lowest-priority message. */
	uint64_t ns, tsc;
};

extern struct model model;

void model_make(const unsigned ids[APICS]);
/* Time passes; timers fire.  True for each APIC whose timer interrupted. */
void model_time(uint64_t ns, uint64_t tsc, bool fired[APICS]);

/* model_apic.c */
uint32_t model_mmio_read(struct model_apic *apic, unsigned offset);
void model_mmio_write(struct model_apic *apic, unsigned offset, uint32_t value);
bool model_rdmsr(struct model_apic *apic, uint32_t msr, uint64_t *value);
bool model_wrmsr(struct model_apic *apic, uint32_t msr, uint64_t value);
bool model_write_base(struct model_apic *apic, uint64_t value);
void model_write_deadline(struct model_apic *apic, uint64_t tsc);
void model_write_cr8(struct model_apic *apic, unsigned cr8);
unsigned model_ppr(const struct model_apic *apic);
int model_pending(const struct model_apic *apic, unsigned cr8);
void model_accept(struct model_apic *apic, unsigned vector);
void model_eoi(struct model_apic *apic);
void model_init(struct model_apic *apic);
void model_lint(struct model_apic *apic, unsigned pin, bool level);
bool model_wants_extint(const struct model_apic *apic);
void model_timer(struct model_apic *apic, uint64_t passed, bool *fired);
bool model_post(struct model_apic *apic, unsigned vector, bool level);

struct model_message {
	uint32_t destination;
	unsigned source, vector, mode, shorthand;
	bool logical, wide, level, is_assert;
};
bool model_send(const struct model_message *message);

/* model_irq.c */
uint32_t model_ioapic_read(unsigned reg);
void model_ioapic_write(unsigned reg, uint32_t value);
void model_ioapic_line(unsigned pin, bool level);
void model_ioapic_eoi(unsigned vector);
unsigned model_pic_in(unsigned port);
void model_pic_out(unsigned port, unsigned value);
void model_pic_line(unsigned irq, bool level);
unsigned model_pic_acknowledge(void);

#endif
