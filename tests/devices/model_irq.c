/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The plain I/O APIC and 8259 pair; see irq_model.h. */
#include "irq_model.h"

/* --- I/O APIC ----------------------------------------------------------------------------- */

static bool pin_is_by_level(const struct model_pin *pin)
{
	return pin->level && (pin->mode == 0 || pin->mode == 1);
}

static bool pin_asks(const struct model_pin *pin)
{
	return pin->low ? !pin->high : pin->high;
}

static bool tell_apics(const struct model_pin *pin)
{
	struct model_message message = {
		.destination = pin->destination,
		.vector = pin->vector,
		.mode = pin->mode,
		.logical = pin->logical,
		.level = pin_is_by_level(pin),
		.is_assert = true,
	};

	if (pin->mode == 3 || pin->mode == 6)
		return false;
	return model_send(&message);
}

static void look_at_level(struct model_pin *pin)
{
	if (pin_is_by_level(pin) && pin_asks(pin) && !pin->masked && !pin->busy)
		pin->busy = tell_apics(pin);
}

void model_ioapic_line(unsigned number, bool level)
{
	struct model_pin *pin = &model.pin[number];
	const bool changes = pin->high != level;

	pin->high = level;
	if (!changes)
		return;
	if (pin_is_by_level(pin))
		look_at_level(pin);
	else if (pin_asks(pin) && !pin->masked)
		tell_apics(pin);
}

void model_ioapic_eoi(unsigned vector)
{
	for (unsigned i = 0; i < PINS; i++) {
		struct model_pin *pin = &model.pin[i];

		if (pin->busy && pin->vector == vector) {
			pin->busy = false;
			look_at_level(pin);
		}
	}
}

uint32_t model_ioapic_read(unsigned reg)
{
	const struct model_pin *pin;
	bool waits;

	if (reg == 0 || reg == 2)
		return model.ioapic_id << 24;
	if (reg == 1)
		return 23u << 16 | 0x20;
	if (reg < 0x10 || reg >= 0x10 + 2 * PINS)
		return 0;
	pin = &model.pin[(reg - 0x10) / 2];
	if (reg % 2)
		return pin->destination << 24;
	waits = pin_is_by_level(pin) && pin_asks(pin) && !pin->masked && !pin->busy;
	return pin->vector | pin->mode << 8 | (pin->logical ? 1u << 11 : 0) |
	       (waits ? 1u << 12 : 0) | (pin->low ? 1u << 13 : 0) | (pin->busy ? 1u << 14 : 0) |
	       (pin->level ? 1u << 15 : 0) | (pin->masked ? 1u << 16 : 0);
}

void model_ioapic_write(unsigned reg, uint32_t value)
{
	struct model_pin *pin;

	if (reg == 0)
		model.ioapic_id = value >> 24 & 15;
	if (reg < 0x10 || reg >= 0x10 + 2 * PINS)
		return;
	pin = &model.pin[(reg - 0x10) / 2];
	if (reg % 2) {
		pin->destination = value >> 24;
	} else {
		pin->vector = value & 0xff;
		pin->mode = value >> 8 & 7;
		pin->logical = value >> 11 & 1;
		pin->low = value >> 13 & 1;
		pin->level = value >> 15 & 1;
		pin->masked = value >> 16 & 1;
		if (!pin_is_by_level(pin))
			pin->busy = false;
	}
	look_at_level(pin);
}

/* --- 8259A -------------------------------------------------------------------------------- */

static int chip_wants(unsigned which);

static bool is_requested(unsigned which, unsigned input)
{
	const struct model_chip *chip = &model.chip[which];

	if (which == 0 && input == 2)
		return chip_wants(1) >= 0;
	return chip->is_level[input] ? chip->line[input] : chip->edge[input];
}

static bool holds_back(const struct model_chip *chip, unsigned input)
{
	return chip->served[input] && !(chip->special_mask && chip->masked[input]);
}

/* For each input from the most urgent: is anything as urgent or more in service? */
static int chip_wants(unsigned which)
{
	const struct model_chip *chip = &model.chip[which];

	if (chip->step)
		return -1;
	for (unsigned k = 0; k < 8; k++) {
		const unsigned input = (unsigned)chip->order[k];
		bool blocked = false;

		if (chip->masked[input] || !is_requested(which, input))
			continue;
		for (unsigned j = 0; j < k; j++)
			blocked = blocked || holds_back(chip, (unsigned)chip->order[j]);
		if (holds_back(chip, input) && !(which == 0 && input == 2 && chip->nested))
			blocked = true;
		if (!blocked)
			return (int)input;
	}
	return -1;
}

static void make_lowest(struct model_chip *chip, int input)
{
	while (chip->order[7] != input) {
		const int first = chip->order[0];

		for (unsigned k = 0; k < 7; k++)
			chip->order[k] = chip->order[k + 1];
		chip->order[7] = first;
	}
}

static void take_input(struct model_chip *chip, int input)
{
	chip->edge[input] = false;
	if (!chip->aeoi)
		chip->served[input] = true;
	else if (chip->rotates)
		make_lowest(chip, input);
}

static void update_output(void)
{
	const bool level = chip_wants(0) >= 0;

	if (level == model.pic_output)
		return;
	model.pic_output = level;
	model_lint(&model.apic[0], 0, level);
	model_ioapic_line(0, level);
}

unsigned model_pic_acknowledge(void)
{
	const int input = chip_wants(0);
	unsigned vector = model.chip[0].base + 7;

	if (input >= 0) {
		const int inner = chip_wants(1);

		take_input(&model.chip[0], input);
		vector = model.chip[0].base + (unsigned)input;
		if (input == 2 && !model.chip[0].single) {
			take_input(&model.chip[1], inner);
			vector = model.chip[1].base + (unsigned)inner;
		}
	}
	update_output();
	return vector;
}

static void begin_again(struct model_chip *chip, unsigned value)
{
	for (int i = 0; i < 8; i++) {
		chip->edge[i] = chip->served[i] = chip->masked[i] = false;
		chip->order[i] = i;
	}
	chip->aeoi = chip->rotates = chip->nested = false;
	chip->special_mask = chip->reads_isr = chip->polls = false;
	chip->wants_icw4 = value & 1;
	chip->single = value & 2;
	chip->step = 2;
}

static void end_service(struct model_chip *chip, bool specific, unsigned input, bool rotates)
{
	if (!specific) {
		unsigned k = 0;

		while (k < 8 && !holds_back(chip, (unsigned)chip->order[k]))
			k++;
		if (k == 8)
			return;
		input = (unsigned)chip->order[k];
	}
	chip->served[input] = false;
	if (rotates)
		make_lowest(chip, (int)input);
}

static void command(struct model_chip *chip, unsigned value)
{
	const unsigned input = value & 7;

	switch (value >> 5) {
	case 0:
	case 4:
		chip->rotates = value >> 7;
		break;
	case 1:
	case 5:
		end_service(chip, false, 0, value >> 7);
		break;
	case 3:
	case 7:
		end_service(chip, true, input, value >> 7);
		break;
	case 6:
		make_lowest(chip, (int)input);
		break;
	default:
		break;
	}
}

static void even_port(struct model_chip *chip, unsigned value)
{
	if (value & 0x10) {
		begin_again(chip, value);
	} else if (value & 0x08) {
		if ((value & 0x60) == 0x60)
			chip->special_mask = true;
		if ((value & 0x60) == 0x40)
			chip->special_mask = false;
		if (value & 4)
			chip->polls = true;
		else if (value & 2)
			chip->reads_isr = value & 1;
	} else {
		command(chip, value);
	}
}

static void odd_port(struct model_chip *chip, unsigned value)
{
	const unsigned step = chip->step;

	if (step == 0) {
		for (unsigned i = 0; i < 8; i++)
			chip->masked[i] = value >> i & 1;
		return;
	}
	if (step == 2)
		chip->base = value & 0xf8;
	if (step == 4) {
		chip->aeoi = value & 2;
		chip->nested = value & 0x10;
	}
	if (step == 2 && !chip->single)
		chip->step = 3;
	else if (step < 4 && chip->wants_icw4)
		chip->step = 4;
	else
		chip->step = 0;
}

static void trigger_port(unsigned which, unsigned value)
{
	for (unsigned i = 0; i < 8; i++) {
		const unsigned irq = 8 * which + i;
		const bool fixed = irq == 0 || irq == 1 || irq == 2 || irq == 8 || irq == 13;

		model.chip[which].is_level[i] = !fixed && (value >> i & 1);
		if (model.chip[which].is_level[i])
			model.chip[which].edge[i] = false;
	}
}

void model_pic_out(unsigned port, unsigned value)
{
	if (port == 0x4d0 || port == 0x4d1)
		trigger_port(port - 0x4d0, value);
	else if (port % 2)
		odd_port(&model.chip[port >= 0xa0], value);
	else
		even_port(&model.chip[port >= 0xa0], value);
	update_output();
}

static unsigned look(unsigned which, bool odd)
{
	struct model_chip *chip = &model.chip[which];
	unsigned value = 0;

	if (chip->polls) {
		const int input = chip_wants(which);

		chip->polls = false;
		if (input < 0)
			return 0;
		take_input(chip, input);
		return 0x80 + (unsigned)input;
	}
	for (unsigned i = 0; i < 8; i++) {
		bool bit = odd ? chip->masked[i] : chip->served[i];

		if (!odd && !chip->reads_isr)
			bit = is_requested(which, i);
		value += bit ? 1u << i : 0;
	}
	return value;
}

unsigned model_pic_in(unsigned port)
{
	unsigned value = 0;

	if (port == 0x4d0 || port == 0x4d1) {
		for (unsigned i = 0; i < 8; i++)
			value += model.chip[port - 0x4d0].is_level[i] ? 1u << i : 0;
		return value;
	}
	value = look(port >= 0xa0, port % 2);
	update_output();
	return value;
}

void model_pic_line(unsigned irq, bool level)
{
	struct model_chip *chip = &model.chip[irq / 8];
	const unsigned input = irq % 8;

	if (irq == 2)
		return;
	if (level && !chip->line[input] && !chip->is_level[input])
		chip->edge[input] = true;
	chip->line[input] = level;
	update_output();
}
