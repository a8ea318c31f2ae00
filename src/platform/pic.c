/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pair of 8259A.  Intel 8259A data sheet; ELCR: Intel 82371AB data sheet.
 *
 * Nothing is kept that can be computed: IRR is the waiting edges of some inputs and the levels of
 * the others, INT follows from IRR, IMR and ISR, and the master's input 2 is the slave's INT.  So
 * no order of commands can leave an output that does not belong to the registers.
 */
#include <libsvm/platform/pic.h>

#include "core/core.h"

#define PIC_MASTER  0u
#define PIC_SLAVE   1u
#define PIC_CASCADE 2u

#define PIC_ICW1      0x10u
#define PIC_ICW1_IC4  0x01u
#define PIC_ICW1_SNGL 0x02u
#define PIC_ICW2_BASE 0xf8u
#define PIC_ICW4_AEOI 0x02u
#define PIC_ICW4_SFNM 0x10u

#define PIC_OCW2_INPUT 0x07u
#define PIC_OCW2_EOI   0x20u
#define PIC_OCW2_SL    0x40u
#define PIC_OCW2_R     0x80u

#define PIC_OCW3      0x08u
#define PIC_OCW3_RIS  0x01u
#define PIC_OCW3_RR   0x02u
#define PIC_OCW3_P    0x04u
#define PIC_OCW3_SMM  0x20u
#define PIC_OCW3_ESMM 0x40u

#define PIC_POLL_REQUEST 0x80u

/* Inputs that ISA fixes to edges: timer, keyboard, cascade; clock, coprocessor. */
static const uint8_t elcr_writable[2] = { 0xf8, 0xde };

static uint8_t input_bit(unsigned input)
{
	return (uint8_t)(1u << (input & 7));
}

/* --- priorities --------------------------------------------------------------------------- */

/* What keeps others back: in special mask mode not what is masked. */
static uint8_t blocking_inputs(const struct svm_pic_chip *chip)
{
	return chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;
}

/*
 * The input to serve next, or -1: nothing, or less urgent than what is in service.  A slave in
 * special fully nested mode may interrupt itself: nested is the master's bit of that input.
 */
static int next_input(const struct svm_pic_chip *chip, uint8_t irr, uint8_t nested)
{
	const uint8_t wanted = irr & (uint8_t)~chip->imr;
	const uint8_t busy = blocking_inputs(chip);

	if (chip->awaits || !wanted)
		return -1;
	for (unsigned i = 1; i <= 8; i++) {
		const unsigned input = (chip->lowest + i) & 7;
		const uint8_t bit = input_bit(input);

		if (busy & bit & (uint8_t)~nested)
			return -1;
		if (wanted & bit)
			return (int)input;
		if (busy & bit)
			return -1;
	}
	return -1;
}

/* Edges that wait, and levels; not the master's input from the slave. */
static uint8_t own_irr(const struct svm_pic_chip *chip)
{
	return (chip->latch & (uint8_t)~chip->elcr) | (chip->lines & chip->elcr);
}

static uint8_t slave_irr(const struct svm_pic *pic)
{
	return own_irr(&pic->chip[PIC_SLAVE]);
}

static int slave_next(const struct svm_pic *pic)
{
	return next_input(&pic->chip[PIC_SLAVE], slave_irr(pic), 0);
}

static uint8_t master_irr(const struct svm_pic *pic)
{
	const uint8_t own = own_irr(&pic->chip[PIC_MASTER]);

	return slave_next(pic) >= 0 ? own | input_bit(PIC_CASCADE) : own;
}

static int master_next(const struct svm_pic *pic)
{
	const struct svm_pic_chip *chip = &pic->chip[PIC_MASTER];

	return next_input(chip, master_irr(pic), chip->fully_nested ? input_bit(PIC_CASCADE) : 0);
}

static uint8_t unmasked(const struct svm_pic_chip *chip)
{
	return own_irr(chip) & (uint8_t)~chip->imr;
}

/* Mostly nothing waits at all, and who would be next is no question. */
static void drive_pic_output(struct svm_pic *pic)
{
	const bool level = (unmasked(&pic->chip[PIC_MASTER]) | unmasked(&pic->chip[PIC_SLAVE])) &&
	                   master_next(pic) >= 0;

	if (level == pic->level)
		return;
	pic->level = level;
	svm_wire_set(&pic->output, level);
}

/* --- acknowledge and end ------------------------------------------------------------------ */

/* The registers say so already.  Whoever is told may drive inputs. */
static void tell_ends(const struct svm_pic *pic, unsigned which, uint8_t inputs)
{
	if (which == PIC_MASTER)
		inputs &= (uint8_t)~input_bit(PIC_CASCADE);
	for (unsigned input = 0; pic->notice.ended && input < 8; input++)
		if (inputs & input_bit(input))
			pic->notice.ended(pic->notice.arg, 8 * which + input);
}

static void serve_input(struct svm_pic *pic, unsigned which, unsigned input)
{
	struct svm_pic_chip *chip = &pic->chip[which];

	chip->latch &= (uint8_t)~input_bit(input);
	if (!chip->auto_eoi) {
		chip->isr |= input_bit(input);
		return;
	}
	if (chip->auto_rotate)
		chip->lowest = input & 7;
	tell_ends(pic, which, input_bit(input));
}

/* The master asks only while the slave has something: the cascade input is the slave's INT. */
static uint8_t acknowledge_slave(struct svm_pic *pic)
{
	const unsigned input = (unsigned)slave_next(pic) & 7;

	serve_input(pic, PIC_SLAVE, input);
	return (uint8_t)(pic->chip[PIC_SLAVE].base + input);
}

uint8_t svm_pic_acknowledge(struct svm_pic *pic)
{
	const struct svm_pic_chip *chip = &pic->chip[PIC_MASTER];
	const int input = master_next(pic);
	uint8_t vector = chip->base + 7;

	if (input >= 0) {
		serve_input(pic, PIC_MASTER, (unsigned)input);
		vector = (uint8_t)(chip->base + input);
		if (input == PIC_CASCADE && !chip->is_single)
			vector = acknowledge_slave(pic);
	}
	drive_pic_output(pic);
	return vector;
}

/* The most urgent input in service, which an EOI without a number ends; or -1. */
static int most_urgent(const struct svm_pic_chip *chip)
{
	const uint8_t busy = blocking_inputs(chip);

	for (unsigned i = 1; busy && i <= 8; i++) {
		const unsigned input = (chip->lowest + i) & 7;

		if (busy & input_bit(input))
			return (int)input;
	}
	return -1;
}

static void end_input(struct svm_pic *pic, unsigned which, int input, bool rotates)
{
	struct svm_pic_chip *chip = &pic->chip[which];
	uint8_t ended;

	if (input < 0)
		return;
	ended = chip->isr & input_bit((unsigned)input);
	chip->isr &= (uint8_t)~ended;
	if (rotates)
		chip->lowest = (uint8_t)input & 7;
	tell_ends(pic, which, ended);
}

/* --- commands ----------------------------------------------------------------------------- */

/* The edge sense circuit is reset too: an input that is high must fall and rise again. */
static void write_icw1(struct svm_pic *pic, unsigned which, uint8_t value)
{
	struct svm_pic_chip *chip = &pic->chip[which];
	const uint8_t lines = chip->lines, elcr = chip->elcr, base = chip->base;
	const uint8_t forgotten = chip->isr | chip->latch;

	*chip = (struct svm_pic_chip){
		.lines = lines,
		.elcr = elcr,
		.base = base,
		.lowest = 7,
		.awaits = 2,
		.has_icw4 = (value & PIC_ICW1_IC4) != 0,
		.is_single = (value & PIC_ICW1_SNGL) != 0,
	};
	tell_ends(pic, which, forgotten);
}

static void write_later_icw(struct svm_pic_chip *chip, uint8_t value)
{
	const uint8_t last = chip->has_icw4 ? 4 : 0;

	switch (chip->awaits) {
	case 2:
		chip->base = value & PIC_ICW2_BASE;
		chip->awaits = chip->is_single ? last : 3;
		break;
	case 3:
		chip->awaits = last;
		break;
	default:
		chip->auto_eoi = (value & PIC_ICW4_AEOI) != 0;
		chip->fully_nested = (value & PIC_ICW4_SFNM) != 0;
		chip->awaits = 0;
		break;
	}
}

static void write_ocw2(struct svm_pic *pic, unsigned which, uint8_t value)
{
	struct svm_pic_chip *chip = &pic->chip[which];
	const uint8_t input = value & PIC_OCW2_INPUT;

	if (value & PIC_OCW2_EOI)
		end_input(pic, which, value & PIC_OCW2_SL ? input : most_urgent(chip),
		          value & PIC_OCW2_R);
	else if (!(value & PIC_OCW2_SL))
		chip->auto_rotate = (value & PIC_OCW2_R) != 0;
	else if (value & PIC_OCW2_R)
		chip->lowest = input;
	/* SL alone: no operation. */
}

static void write_ocw3(struct svm_pic_chip *chip, uint8_t value)
{
	if (value & PIC_OCW3_ESMM)
		chip->special_mask = (value & PIC_OCW3_SMM) != 0;
	if (value & PIC_OCW3_P)
		chip->polls = 1;
	else if (value & PIC_OCW3_RR)
		chip->reads_isr = (value & PIC_OCW3_RIS) != 0;
}

static void write_even_port(struct svm_pic *pic, unsigned which, uint8_t value)
{
	if (value & PIC_ICW1)
		write_icw1(pic, which, value);
	else if (value & PIC_OCW3)
		write_ocw3(&pic->chip[which], value);
	else
		write_ocw2(pic, which, value);
}

static void write_odd_port(struct svm_pic_chip *chip, uint8_t value)
{
	if (chip->awaits)
		write_later_icw(chip, value);
	else
		chip->imr = value;
}

static void write_elcr(struct svm_pic *pic, unsigned which, uint8_t value)
{
	struct svm_pic_chip *chip = &pic->chip[which];

	chip->elcr = value & elcr_writable[which];
	chip->latch &= (uint8_t)~chip->elcr;
}

/* --- ports -------------------------------------------------------------------------------- */

static void write_pic_port(struct svm_pic *pic, uint32_t port, uint8_t value)
{
	switch (port) {
	case 0x20:
		write_even_port(pic, PIC_MASTER, value);
		break;
	case 0x21:
		write_odd_port(&pic->chip[PIC_MASTER], value);
		break;
	case 0xa0:
		write_even_port(pic, PIC_SLAVE, value);
		break;
	case 0xa1:
		write_odd_port(&pic->chip[PIC_SLAVE], value);
		break;
	case 0x4d0:
		write_elcr(pic, PIC_MASTER, value);
		break;
	case 0x4d1:
		write_elcr(pic, PIC_SLAVE, value);
		break;
	default:
		break;
	}
}

/* A poll is an acknowledge by software.  The master's does not ask the slave. */
static uint8_t poll_pic(struct svm_pic *pic, unsigned which)
{
	const int input = which == PIC_MASTER ? master_next(pic) : slave_next(pic);

	pic->chip[which].polls = 0;
	if (input < 0)
		return 0;
	serve_input(pic, which, (unsigned)input);
	return (uint8_t)(PIC_POLL_REQUEST | (unsigned)input);
}

static uint8_t read_pic_chip(struct svm_pic *pic, unsigned which, bool is_odd)
{
	const struct svm_pic_chip *chip = &pic->chip[which];

	if (chip->polls)
		return poll_pic(pic, which);
	if (is_odd)
		return chip->imr;
	if (chip->reads_isr)
		return chip->isr;
	return which == PIC_MASTER ? master_irr(pic) : slave_irr(pic);
}

static uint8_t read_pic_port(struct svm_pic *pic, uint32_t port)
{
	switch (port) {
	case 0x20:
	case 0x21:
		return read_pic_chip(pic, PIC_MASTER, port & 1);
	case 0xa0:
	case 0xa1:
		return read_pic_chip(pic, PIC_SLAVE, port & 1);
	case 0x4d0:
		return pic->chip[PIC_MASTER].elcr;
	case 0x4d1:
		return pic->chip[PIC_SLAVE].elcr;
	default:
		return 0xff;
	}
}

uint32_t svm_pic_read(struct svm_pic *pic, uint16_t port, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read_pic_port(pic, (uint32_t)port + i) << (8 * i);
	drive_pic_output(pic);
	return value;
}

static SVM_LONG_WAY void write_pic_ports(struct svm_pic *pic, uint16_t port, unsigned size,
                                         uint32_t value)
{
	for (unsigned i = 0; i < size && i < 4; i++)
		write_pic_port(pic, (uint32_t)port + i, (uint8_t)(value >> (8 * i)));
}

void svm_pic_write(struct svm_pic *pic, uint16_t port, unsigned size, uint32_t value)
{
	if (size == 1)
		write_pic_port(pic, port, (uint8_t)value);
	else
		write_pic_ports(pic, port, size, value);
	drive_pic_output(pic);
}

/* --- inputs ------------------------------------------------------------------------------- */

void svm_pic_set_line(void *arg, unsigned irq, bool level)
{
	struct svm_pic *pic = arg;
	const uint8_t bit = input_bit(irq);
	struct svm_pic_chip *chip;

	if (irq > 15 || irq == PIC_CASCADE)
		return;
	chip = &pic->chip[irq / 8];
	if (level && !(chip->lines & bit))
		chip->latch |= bit & (uint8_t)~chip->elcr;
	chip->lines = level ? chip->lines | bit : chip->lines & (uint8_t)~bit;
	drive_pic_output(pic);
}

void svm_pic_set_end_notice(struct svm_pic *pic, const struct svm_end_notice *notice)
{
	pic->notice = notice ? *notice : (struct svm_end_notice){ NULL, NULL };
}

bool svm_pic_pending(const struct svm_pic *pic)
{
	return pic->level;
}

/* --- life --------------------------------------------------------------------------------- */

/* Undefined after power-up in the data sheet; masked inputs suit a guest without firmware. */
static void power_up_pic(struct svm_pic_chip *chip)
{
	*chip = (struct svm_pic_chip){ .lines = chip->lines, .imr = 0xff, .lowest = 7 };
}

void svm_pic_reset(struct svm_pic *pic)
{
	power_up_pic(&pic->chip[PIC_MASTER]);
	power_up_pic(&pic->chip[PIC_SLAVE]);
	drive_pic_output(pic);
}

void svm_pic_init(struct svm_pic *pic, const struct svm_wire *output)
{
	*pic = (struct svm_pic){ .level = false };
	if (output)
		pic->output = *output;
	svm_pic_reset(pic);
}

void svm_pic_save(const struct svm_pic *pic, struct svm_pic_state *state)
{
	memcpy(state->chip, pic->chip, sizeof(state->chip));
}

static bool pic_is_possible(const struct svm_pic_chip *chip, unsigned which)
{
	const uint8_t flags = chip->has_icw4 | chip->is_single | chip->auto_eoi |
	                      chip->auto_rotate | chip->fully_nested | chip->special_mask |
	                      chip->reads_isr | chip->polls;

	if (which == PIC_MASTER && ((chip->lines | chip->latch) & input_bit(PIC_CASCADE)))
		return false;
	return flags <= 1 && !(chip->elcr & ~elcr_writable[which]) && !(chip->latch & chip->elcr) &&
	       !(chip->base & ~PIC_ICW2_BASE) && chip->lowest <= 7 &&
	       (!chip->awaits || (chip->awaits >= 2 && chip->awaits <= 4));
}

int svm_pic_restore(struct svm_pic *pic, const struct svm_pic_state *state)
{
	if (!pic_is_possible(&state->chip[PIC_MASTER], PIC_MASTER) ||
	    !pic_is_possible(&state->chip[PIC_SLAVE], PIC_SLAVE))
		return SVM_ERR_INVAL;
	memcpy(pic->chip, state->chip, sizeof(pic->chip));
	drive_pic_output(pic);
	return 0;
}
