/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The plain local APICs; see irq_model.h. */
#include "irq_model.h"

#include <string.h>

struct model model;

/* --- reset -------------------------------------------------------------------------------- */

static void clear_registers(struct model_apic *apic)
{
	memset(apic->irr, 0, sizeof(apic->irr));
	memset(apic->isr, 0, sizeof(apic->isr));
	memset(apic->tmr, 0, sizeof(apic->tmr));
	memset(apic->lvt, 0, sizeof(apic->lvt));
	for (unsigned i = 0; i < 6; i++)
		apic->lvt[i].masked = true;
	apic->enabled = apic->focus = false;
	apic->spurious = 0xff;
	apic->tpr = 0;
	apic->logical = 0;
	apic->logical_model = 15;
	apic->esr = apic->errors = 0;
	apic->icr_low = apic->icr_destination = 0;
	apic->lint_busy[0] = apic->lint_busy[1] = false;
	apic->initial = apic->count = 0;
	apic->divide = 0;
	apic->part = apic->deadline = 0;
}

void model_init(struct model_apic *apic)
{
	clear_registers(apic);
}

void model_make(const unsigned ids[APICS])
{
	memset(&model, 0, sizeof(model));
	for (unsigned i = 0; i < APICS; i++) {
		model.apic[i].id = ids[i];
		model.apic[i].mode = MODEL_XAPIC;
		model.apic[i].page = 0xfee00;
		clear_registers(&model.apic[i]);
	}
	for (unsigned i = 0; i < PINS; i++)
		model.pin[i].masked = true;
	for (unsigned i = 0; i < 16; i++) {
		model.chip[i / 8].masked[i % 8] = true;
		model.chip[i / 8].order[i % 8] = (int)(i % 8);
	}
}

bool model_write_base(struct model_apic *apic, uint64_t value)
{
	const bool enable = value >> 11 & 1, wide = value >> 10 & 1;
	const enum model_mode mode = wide ? MODEL_X2APIC : enable ? MODEL_XAPIC : MODEL_OFF;
	const enum model_mode old = apic->mode;

	if ((value & 0x2ff) || value >> 40 || (wide && !enable))
		return false;
	if (old == MODEL_OFF && mode == MODEL_X2APIC)
		return false;
	if (old == MODEL_X2APIC && mode == MODEL_XAPIC)
		return false;
	apic->mode = mode;
	apic->page = value >> 12;
	if (mode == MODEL_OFF)
		clear_registers(apic);
	if (old == MODEL_XAPIC && mode == MODEL_X2APIC)
		apic->icr_destination = 0;
	return true;
}

/* --- priorities --------------------------------------------------------------------------- */

static int highest(const bool marks[256])
{
	for (int vector = 255; vector >= 0; vector--)
		if (marks[vector])
			return vector;
	return -1;
}

unsigned model_ppr(const struct model_apic *apic)
{
	const int served = highest(apic->isr);

	if (served < 0 || apic->tpr / 16 >= (unsigned)served / 16)
		return apic->tpr;
	return (unsigned)served / 16 * 16;
}

int model_pending(const struct model_apic *apic, unsigned cr8)
{
	const int wanted = highest(apic->irr), served = highest(apic->isr);

	if (wanted < 0 || (unsigned)wanted / 16 <= cr8)
		return -1;
	if (served >= 0 && wanted / 16 <= served / 16)
		return -1;
	return wanted;
}

void model_accept(struct model_apic *apic, unsigned vector)
{
	apic->irr[vector] = false;
	apic->isr[vector] = true;
}

void model_write_cr8(struct model_apic *apic, unsigned cr8)
{
	apic->tpr = cr8 * 16;
}

/* --- arrival ------------------------------------------------------------------------------ */

static void request(struct model_apic *apic, unsigned vector, bool level)
{
	apic->irr[vector] = true;
	apic->tmr[vector] = level;
}

/* False: there is no such vector. */
static bool local_interrupt(struct model_apic *apic, unsigned n, bool level)
{
	const struct model_entry *entry = &apic->lvt[n];

	if (entry->masked)
		return true;
	if (entry->type == 0 && entry->vector < 16)
		return false;
	if (entry->type == 0)
		request(apic, entry->vector, level);
	if (entry->type == 2)
		apic->smi = true;
	if (entry->type == 4)
		apic->nmi = true;
	if (entry->type == 5) {
		apic->init = true;
		apic->startup = false;
	}
	if (entry->type == 7)
		apic->extint = true;
	return true;
}

static void error(struct model_apic *apic, unsigned bit)
{
	const bool is_first = apic->errors == 0;

	apic->errors |= bit;
	if (is_first && !local_interrupt(apic, 5, false))
		apic->errors |= 0x40;
}

bool model_post(struct model_apic *apic, unsigned vector, bool level)
{
	if (apic->mode == MODEL_OFF || !apic->enabled)
		return false;
	if (vector < 16)
		error(apic, 0x40);
	else
		request(apic, vector, level);
	return true;
}

static bool receive(struct model_apic *apic, const struct model_message *message)
{
	if (apic->mode == MODEL_OFF)
		return false;
	switch (message->mode) {
	case 0:
	case 1:
		return model_post(apic, message->vector, message->level);
	case 2:
		apic->smi = true;
		return true;
	case 4:
		apic->nmi = true;
		return true;
	case 5:
		if (message->is_assert) {
			apic->init = true;
			apic->startup = false;
		}
		return true;
	case 6:
		apic->startup = true;
		apic->startup_vector = message->vector;
		return true;
	case 7:
		apic->extint = true;
		return true;
	default:
		return false;
	}
}

static bool logically_meant(const struct model_apic *apic, const struct model_message *message)
{
	const uint32_t destination = message->destination;

	if (apic->mode == MODEL_X2APIC)
		return destination >> 16 == apic->id / 16 && (destination >> apic->id % 16 & 1);
	if (destination >= 0x100)
		return false;
	if (apic->logical_model == 15)
		return apic->logical & destination;
	return apic->logical_model == 0 && apic->logical / 16 == destination / 16 &&
	       (apic->logical & destination & 15);
}

static bool is_meant(const struct model_apic *apic, const struct model_message *message)
{
	if (message->shorthand == 1)
		return apic->id == message->source;
	if (message->shorthand == 2)
		return true;
	if (message->shorthand == 3)
		return apic->id != message->source;
	if (message->destination == 0xff && !message->wide)
		return true;
	if (message->destination == 0xffffffff)
		return true;
	if (message->logical)
		return logically_meant(apic, message);
	return apic->id == message->destination;
}

/* A physical message to one APIC is lowest priority among one, disabled or not. */
static bool names_one(const struct model_message *message)
{
	return message->shorthand == 0 && !message->logical && message->destination != 0xffffffff &&
	       (message->wide || message->destination != 0xff);
}

bool model_send(const struct model_message *message)
{
	struct model_apic *best = NULL;
	bool taken = false;

	for (unsigned i = 0; i < APICS; i++) {
		struct model_apic *apic = &model.apic[i];

		if (!is_meant(apic, message))
			continue;
		if (message->mode != 1 || names_one(message)) {
			taken = receive(apic, message) || taken;
			continue;
		}
		if (apic->mode == MODEL_OFF || !apic->enabled)
			continue;
		if (!best || model_ppr(apic) < model_ppr(best) ||
		    (model_ppr(apic) == model_ppr(best) &&
		     (apic->id - model.last - 1) % 256 < (best->id - model.last - 1) % 256))
			best = apic;
	}
	if (!best)
		return taken;
	model.last = best->id;
	return receive(best, message);
}

/* --- pins --------------------------------------------------------------------------------- */

static void look_at_pin(struct model_apic *apic, unsigned pin)
{
	const struct model_entry *entry = &apic->lvt[3 + pin];

	if (!entry->level || entry->type || entry->masked)
		return;
	if (!apic->lint[pin] || apic->lint_busy[pin])
		return;
	apic->lint_busy[pin] = true;
	if (!local_interrupt(apic, 3 + pin, true))
		error(apic, 0x40);
}

void model_lint(struct model_apic *apic, unsigned pin, bool level)
{
	const struct model_entry *entry = &apic->lvt[3 + pin];
	const bool rises = level && !apic->lint[pin];

	apic->lint[pin] = level;
	if (!rises)
		return;
	if (apic->mode == MODEL_OFF) {
		apic->nmi = apic->nmi || pin == 1;
		return;
	}
	look_at_pin(apic, pin);
	if (entry->level && entry->type == 0)
		return;
	if (entry->type != 7 && !local_interrupt(apic, 3 + pin, false))
		error(apic, 0x40);
}

bool model_wants_extint(const struct model_apic *apic)
{
	if (apic->mode == MODEL_OFF)
		return apic->lint[0];
	return apic->lint[0] && apic->lvt[3].type == 7 && !apic->lvt[3].masked;
}

void model_eoi(struct model_apic *apic)
{
	const int vector = highest(apic->isr);

	if (vector < 0)
		return;
	apic->isr[vector] = false;
	if (!apic->tmr[vector])
		return;
	for (unsigned pin = 0; pin < 2; pin++) {
		if (!apic->lint_busy[pin] || apic->lvt[3 + pin].vector != (unsigned)vector)
			continue;
		apic->lint_busy[pin] = false;
		look_at_pin(apic, pin);
	}
	model_ioapic_eoi((unsigned)vector);
}

/* --- timer -------------------------------------------------------------------------------- */

static uint64_t divisor(unsigned divide)
{
	switch (divide) {
	case 0x0:
		return 2;
	case 0x1:
		return 4;
	case 0x2:
		return 8;
	case 0x3:
		return 16;
	case 0x8:
		return 32;
	case 0x9:
		return 64;
	case 0xa:
		return 128;
	default:
		return 1;
	}
}

/* Count down; each time at 0, begin again or stop. */
static bool count_down(struct model_apic *apic, uint64_t passed)
{
	const uint64_t step = divisor(apic->divide);
	uint64_t counts = (apic->part + passed) / step;
	bool fired = false;

	apic->part = (apic->part + passed) % step;
	while (apic->count && counts >= apic->count) {
		counts -= apic->count;
		fired = true;
		apic->count = apic->lvt[0].timer_mode == 1 ? apic->initial : 0;
	}
	if (apic->count)
		apic->count -= (uint32_t)counts;
	return fired;
}

void model_timer(struct model_apic *apic, uint64_t passed, bool *fired)
{
	*fired = false;
	if (apic->lvt[0].timer_mode < 2) {
		*fired = count_down(apic, passed);
	} else if (apic->deadline && model.tsc >= apic->deadline) {
		apic->deadline = 0;
		*fired = true;
	}
	if (*fired && !local_interrupt(apic, 0, false))
		error(apic, 0x40);
}

void model_time(uint64_t ns, uint64_t tsc, bool fired[APICS])
{
	model.ns += ns;
	model.tsc += tsc;
	for (unsigned i = 0; i < APICS; i++)
		model_timer(&model.apic[i], ns, &fired[i]);
}

void model_write_deadline(struct model_apic *apic, uint64_t tsc)
{
	if (apic->lvt[0].timer_mode == 2)
		apic->deadline = tsc;
}

/* --- registers ---------------------------------------------------------------------------- */

static uint32_t pack(const bool marks[256], unsigned first)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 32; i++)
		value |= marks[first + i] ? UINT32_C(1) << i : 0;
	return value;
}

static uint32_t apr(const struct model_apic *apic)
{
	const int wanted = highest(apic->irr);
	const unsigned ppr = model_ppr(apic);

	return wanted >= 0 && (unsigned)wanted / 16 > ppr / 16 ? (unsigned)wanted / 16 * 16 : ppr;
}

static uint32_t read_entry(const struct model_apic *apic, unsigned n)
{
	const struct model_entry *entry = &apic->lvt[n];
	const bool busy = (n == 3 && apic->lint_busy[0]) || (n == 4 && apic->lint_busy[1]);

	return entry->vector | entry->type << 8 | (entry->polarity ? 1u << 13 : 0) |
	       (busy ? 1u << 14 : 0) | (entry->level ? 1u << 15 : 0) |
	       (entry->masked ? 1u << 16 : 0) | entry->timer_mode << 17;
}

/* ISR, TMR and IRR, and the local vector table: registers by number. */
static bool read_row(const struct model_apic *apic, unsigned offset, uint32_t *value)
{
	if (offset >= 0x100 && offset < 0x280) {
		const bool *marks = offset < 0x180   ? apic->isr
		                    : offset < 0x200 ? apic->tmr
		                                     : apic->irr;

		*value = pack(marks, (offset & 0x70) / 0x10 * 32);
		return true;
	}
	if (offset < 0x320 || offset > 0x370)
		return false;
	*value = read_entry(apic, (offset - 0x320) / 16);
	return true;
}

/* Who the APIC is, and how urgent. */
static bool read_identity(const struct model_apic *apic, unsigned offset, uint32_t *value)
{
	const bool wide = apic->mode == MODEL_X2APIC;

	switch (offset) {
	case 0x20:
		*value = wide ? apic->id : apic->id << 24;
		return true;
	case 0x30:
		*value = 0x00050010;
		return true;
	case 0x80:
		*value = apic->tpr;
		return true;
	case 0x90:
		*value = apr(apic);
		return true;
	case 0xa0:
		*value = model_ppr(apic);
		return true;
	case 0xd0:
		*value = wide ? apic->id / 16 << 16 | UINT32_C(1) << apic->id % 16
		              : apic->logical << 24;
		return true;
	case 0xe0:
		*value = apic->logical_model << 28 | 0x0fffffff;
		return true;
	default:
		return false;
	}
}

/* By the offset that the register has in memory.  False: there is none. */
static bool read_at(const struct model_apic *apic, unsigned offset, uint32_t *value)
{
	*value = 0;
	if (read_row(apic, offset, value) || read_identity(apic, offset, value))
		return true;
	switch (offset) {
	case 0xb0:
	case 0xc0:
		return true;
	case 0xf0:
		*value = apic->spurious | (apic->enabled ? 0x100u : 0) | (apic->focus ? 0x200u : 0);
		return true;
	case 0x280:
		*value = apic->esr;
		return true;
	case 0x300:
		*value = apic->icr_low;
		return true;
	case 0x310:
		*value = apic->icr_destination << 24;
		return true;
	case 0x380:
		*value = apic->initial;
		return true;
	case 0x390:
		*value = apic->count;
		return true;
	case 0x3e0:
		*value = apic->divide;
		return true;
	default:
		return false;
	}
}

static void send_from(struct model_apic *apic, uint32_t low)
{
	const struct model_message message = {
		.destination = apic->icr_destination,
		.source = apic->id,
		.vector = low & 0xff,
		.mode = low >> 8 & 7,
		.shorthand = low >> 18 & 3,
		.logical = low >> 11 & 1,
		.wide = apic->mode == MODEL_X2APIC,
		.is_assert = !((low >> 15 & 1) && !(low >> 14 & 1)),
	};
	const bool self_or_all = message.shorthand == 1 || message.shorthand == 2;

	if (message.mode == 3 || message.mode == 7 || (self_or_all && message.mode != 0))
		return;
	if (message.mode < 2 && message.vector < 16)
		error(apic, 0x20);
	else
		model_send(&message);
}

static void write_icr(struct model_apic *apic, uint32_t value)
{
	apic->icr_low = value & ~UINT32_C(0xfff33000);
	send_from(apic, value);
}

static void write_entry(struct model_apic *apic, unsigned n, uint32_t value)
{
	struct model_entry *entry = &apic->lvt[n];
	const unsigned old = entry->timer_mode;

	entry->vector = value & 0xff;
	entry->masked = (value >> 16 & 1) || !apic->enabled;
	if (n == 0)
		entry->timer_mode = value >> 17 & 3;
	else
		entry->type = value >> 8 & 7;
	if (old != entry->timer_mode && (old >= 2 || entry->timer_mode >= 2)) {
		apic->count = 0;
		apic->deadline = 0;
	}
	if (n != 3 && n != 4)
		return;
	entry->polarity = value >> 13 & 1;
	entry->level = value >> 15 & 1;
	look_at_pin(apic, n - 3);
}

static void write_spurious(struct model_apic *apic, uint32_t value)
{
	apic->spurious = value & 0xff;
	apic->enabled = value >> 8 & 1;
	apic->focus = value >> 9 & 1;
	for (unsigned i = 0; i < 6; i++)
		if (!apic->enabled)
			apic->lvt[i].masked = true;
}

static void write_count(struct model_apic *apic, uint32_t value)
{
	if (apic->lvt[0].timer_mode >= 2)
		return;
	apic->initial = apic->count = value;
	apic->part = 0;
}

static void write_at(struct model_apic *apic, unsigned offset, uint32_t value)
{
	if (offset >= 0x320 && offset <= 0x370) {
		write_entry(apic, (offset - 0x320) / 16, value);
		return;
	}
	switch (offset) {
	case 0x80:
		apic->tpr = value & 0xff;
		break;
	case 0xb0:
		model_eoi(apic);
		break;
	case 0xd0:
		apic->logical = value >> 24;
		break;
	case 0xe0:
		apic->logical_model = value >> 28;
		break;
	case 0xf0:
		write_spurious(apic, value);
		break;
	case 0x280:
		apic->esr = apic->errors;
		apic->errors = 0;
		break;
	case 0x300:
		write_icr(apic, value);
		break;
	case 0x310:
		apic->icr_destination = value >> 24;
		break;
	case 0x380:
		write_count(apic, value);
		break;
	case 0x3e0:
		apic->divide = value & 0xb;
		apic->part = 0;
		break;
	default:
		break;
	}
}

uint32_t model_mmio_read(struct model_apic *apic, unsigned offset)
{
	uint32_t value;

	if (apic->mode != MODEL_XAPIC)
		return 0xffffffff;
	if (!read_at(apic, offset, &value))
		error(apic, 0x80);
	return value;
}

void model_mmio_write(struct model_apic *apic, unsigned offset, uint32_t value)
{
	uint32_t old;

	if (apic->mode != MODEL_XAPIC)
		return;
	if (read_at(apic, offset, &old))
		write_at(apic, offset, value);
	else
		error(apic, 0x80);
}

bool model_rdmsr(struct model_apic *apic, uint32_t msr, uint64_t *value)
{
	const unsigned offset = (msr - 0x800) * 16;
	uint32_t low;

	if (apic->mode != MODEL_X2APIC || msr < 0x800 || msr > 0x8ff)
		return false;
	if (offset == 0xb0 || offset == 0xc0 || offset == 0xe0 || offset == 0x310)
		return false;
	if (!read_at(apic, offset, &low))
		return false;
	*value = low;
	if (offset == 0x300)
		*value |= (uint64_t)apic->icr_destination << 32;
	return true;
}

/* Bits that may be 1 in a write; -1: no write at all. */
static int64_t msr_bits(unsigned offset)
{
	switch (offset) {
	case 0x80:
		return 0xff;
	case 0xb0:
	case 0x280:
		return 0;
	case 0xf0:
		return 0x3ff;
	case 0x320:
		return 0x710ff;
	case 0x330:
	case 0x340:
	case 0x370:
		return 0x117ff;
	case 0x350:
	case 0x360:
		return 0x1f7ff;
	case 0x380:
		return 0xffffffff;
	case 0x3e0:
		return 0xb;
	case 0x3f0:
		return 0xff;
	default:
		return -1;
	}
}

bool model_wrmsr(struct model_apic *apic, uint32_t msr, uint64_t value)
{
	const unsigned offset = (msr - 0x800) * 16;

	if (apic->mode != MODEL_X2APIC || msr < 0x800 || msr > 0x8ff)
		return false;
	if (offset == 0x300) {
		if (value & 0xfff32000)
			return false;
		apic->icr_destination = (uint32_t)(value >> 32);
		write_icr(apic, (uint32_t)value);
		return true;
	}
	if (msr_bits(offset) < 0 || (value & ~(uint64_t)msr_bits(offset)))
		return false;
	if (offset == 0x3f0)
		send_from(apic, 1u << 18 | (uint32_t)value);
	else
		write_at(apic, offset, (uint32_t)value);
	return true;
}
