/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pair of 8259A.  Intel 8259A data sheet; ELCR: Intel 82371AB data sheet. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/pic.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct svm_pic pic;
static bool output;
static unsigned changes;

static void set_output(void *arg, unsigned line, bool level)
{
	ck_assert_ptr_eq(arg, &output);
	ck_assert_uint_eq(line, 3);
	ck_assert(level != output);
	output = level;
	changes++;
}

static void out(uint16_t port, uint8_t value)
{
	svm_pic_write(&pic, port, 1, value);
}

static uint8_t in(uint16_t port)
{
	return (uint8_t)svm_pic_read(&pic, port, 1);
}

static void raise(unsigned irq)
{
	svm_pic_set_line(&pic, irq, true);
}

static void lower(unsigned irq)
{
	svm_pic_set_line(&pic, irq, false);
}

static void make_pic(void)
{
	const struct svm_wire wire = { .set = set_output, .arg = &output, .line = 3 };

	output = false;
	changes = 0;
	svm_pic_init(&pic, &wire);
}

/* As a PC's kernel does it: vectors 30h and 38h, nothing masked. */
static void initialise(uint8_t icw4_master, uint8_t icw4_slave)
{
	out(0x20, 0x11);
	out(0x21, 0x30);
	out(0x21, 0x04);
	out(0x21, icw4_master);
	out(0xa0, 0x11);
	out(0xa1, 0x38);
	out(0xa1, 0x02);
	out(0xa1, icw4_slave);
}

static void make_ready(void)
{
	make_pic();
	initialise(0x01, 0x01);
}

/* --- initialisation ----------------------------------------------------------------------- */

START_TEST(after_power_up_all_is_masked_and_a_probe_finds_the_mask_register)
{
	make_pic();
	for (unsigned irq = 0; irq < 16; irq++)
		raise(irq);
	ck_assert(!svm_pic_pending(&pic) && !output);
	ck_assert_uint_eq(in(0x21), 0xff);
	ck_assert_uint_eq(in(0xa1), 0xff);
	out(0x21, 0xfb);
	ck_assert_uint_eq(in(0x21), 0xfb);
}
END_TEST

START_TEST(icw1_clears_masks_service_edges_and_modes)
{
	make_ready();
	out(0x20, 0xc3);
	out(0x20, 0x0b);
	out(0x20, 0x68);
	raise(1);
	raise(3);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
	ck_assert_uint_eq(in(0x20), 0x02);
	out(0x21, 0x55);
	initialise(0x01, 0x01);
	ck_assert_uint_eq(in(0x21), 0x00);
	ck_assert_uint_eq(in(0x20), 0x00);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x00);
	ck_assert(!svm_pic_pending(&pic));
	raise(3);
	ck_assert(!svm_pic_pending(&pic));
	lower(3);
	raise(3);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x33);
}
END_TEST

/* ICW1, the writes to the odd port after it that are ICWs and not the mask. */
static const struct {
	const char *what;
	uint8_t icw1;
	unsigned count;
} sequence_rows[] = {
	{ "cascaded, with ICW4", 0x11, 3 },
	{ "cascaded, without", 0x10, 2 },
	{ "single, with ICW4", 0x13, 2 },
	{ "single, without", 0x12, 1 },
	{ "level trigger and interval do not matter", 0x1d, 3 },
};

START_TEST(the_sequence_has_as_many_words_as_icw1_says)
{
	make_pic();
	out(0x20, sequence_rows[_i].icw1);
	for (unsigned i = 0; i < sequence_rows[_i].count; i++) {
		raise(0);
		ck_assert_msg(!svm_pic_pending(&pic), "%s", sequence_rows[_i].what);
		lower(0);
		out(0x21, 0x41);
	}
	ck_assert_uint_eq(in(0x21), 0x00);
	ck_assert_msg(svm_pic_pending(&pic), "%s", sequence_rows[_i].what);
	out(0x21, 0x41);
	ck_assert_msg(in(0x21) == 0x41, "%s", sequence_rows[_i].what);
	out(0x21, 0);
	raise(0);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x40);
}
END_TEST

START_TEST(without_icw4_its_functions_are_off)
{
	make_pic();
	initialise(0x13, 0x01);
	out(0x20, 0x10);
	out(0x21, 0x30);
	out(0x21, 0x04);
	raise(0);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x30);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x01);
}
END_TEST

START_TEST(a_single_master_has_no_slave_to_ask)
{
	make_ready();
	out(0x20, 0x13);
	out(0x21, 0x50);
	out(0x21, 0x01);
	raise(9);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x52);
}
END_TEST

/* --- one interrupt at a time -------------------------------------------------------------- */

START_TEST(each_input_has_its_vector)
{
	make_ready();
	if (_i == 2)
		return;
	raise((unsigned)_i);
	ck_assert(output && svm_pic_pending(&pic));
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x30u + (unsigned)_i);
	ck_assert(!output);
	out(0x20, 0x0b);
	out(0xa0, 0x0b);
	ck_assert_uint_eq(in(0x20), _i < 8 ? 1u << _i : 0x04);
	ck_assert_uint_eq(in(0xa0), _i < 8 ? 0 : 1u << (_i - 8));
}
END_TEST

START_TEST(inputs_that_do_not_exist_do_nothing)
{
	make_ready();
	raise(2);
	raise(16);
	raise(0xffffffff);
	ck_assert(!output);
	ck_assert_uint_eq(changes, 0);
}
END_TEST

START_TEST(an_edge_is_one_interrupt_and_is_kept_when_the_input_falls)
{
	make_ready();
	raise(4);
	raise(4);
	lower(4);
	ck_assert_uint_eq(in(0x20), 0x10);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x34);
	ck_assert_uint_eq(in(0x20), 0x00);
	out(0x20, 0x20);
	ck_assert(!svm_pic_pending(&pic));
	raise(4);
	ck_assert(svm_pic_pending(&pic));
}
END_TEST

START_TEST(a_level_interrupts_while_it_lasts)
{
	make_ready();
	out(0x4d0, 0x20);
	raise(5);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x35);
	ck_assert_uint_eq(in(0x20), 0x20);
	out(0x20, 0x20);
	ck_assert(svm_pic_pending(&pic));
	lower(5);
	ck_assert(!svm_pic_pending(&pic));
	ck_assert_uint_eq(in(0x20), 0x00);
}
END_TEST

START_TEST(a_request_that_vanished_is_spurious_and_not_in_service)
{
	make_ready();
	out(0x4d0, 0x20);
	raise(5);
	lower(5);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x37);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x00);
}
END_TEST

START_TEST(a_polled_slave_leaves_the_master_with_a_spurious_interrupt)
{
	make_ready();
	out(0x4d1, 0x02);
	out(0xa0, 0x0c);
	raise(9);
	ck_assert_uint_eq(in(0xa0), 0x81);
	ck_assert(!svm_pic_pending(&pic));
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x37);
}
END_TEST

/* --- priorities --------------------------------------------------------------------------- */

/* In service, then a request: does INT rise? */
static const struct {
	const char *what;
	unsigned served, wanted;
	bool interrupts;
} nesting_rows[] = {
	{ "a more urgent input", 4, 3, true },
	{ "a less urgent one", 3, 4, false },
	{ "the same one again", 3, 3, false },
	{ "the slave is input 2: more urgent than 3", 3, 15, true },
	{ "and less than 1", 1, 8, false },
	{ "slave within slave: input 2 is busy", 12, 8, false },
	{ "a master's input over the slave's", 8, 1, true },
	{ "a master's input below the slave's", 8, 3, false },
};

START_TEST(in_fully_nested_mode_only_the_more_urgent_interrupts)
{
	make_ready();
	raise(nesting_rows[_i].served);
	(void)svm_pic_acknowledge(&pic);
	lower(nesting_rows[_i].served);
	raise(nesting_rows[_i].wanted);
	ck_assert_msg(output == nesting_rows[_i].interrupts, "%s", nesting_rows[_i].what);
}
END_TEST

START_TEST(in_special_fully_nested_mode_the_slave_interrupts_itself)
{
	make_pic();
	initialise(0x11, 0x01);
	raise(12);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x3c);
	raise(14);
	ck_assert(!output);
	raise(9);
	ck_assert(output);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x39);
	raise(3);
	ck_assert(!output);
	raise(1);
	ck_assert(output);
}
END_TEST

START_TEST(in_special_mask_mode_a_masked_service_holds_nobody_back)
{
	make_ready();
	raise(3);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x33);
	raise(6);
	out(0x21, 0x08);
	ck_assert(!output);
	out(0x20, 0x68);
	ck_assert(output);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x36);
	out(0x20, 0x20);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x20);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x48);
	out(0x20, 0x20);
	ck_assert_uint_eq(in(0x20), 0x00);
}
END_TEST

/* OCW2 with inputs 2 … 5 in service and 6 the lowest: what is in service, and what is lowest? */
static const struct {
	const char *what;
	uint8_t ocw2, isr;
	unsigned first;
} eoi_rows[] = {
	{ "EOI ends the most urgent", 0x20, 0x38, 7 },
	{ "specific EOI", 0x64, 0x2c, 7 },
	{ "specific EOI of what is not in service", 0x60, 0x3c, 7 },
	{ "rotate on EOI", 0xa0, 0x38, 3 },
	{ "rotate on specific EOI", 0xe4, 0x2c, 5 },
	{ "set priority", 0xc1, 0x3c, 2 },
	{ "no operation", 0x45, 0x3c, 7 },
	{ "rotate in automatic mode, set: no change now", 0x80, 0x3c, 7 },
	{ "rotate in automatic mode, clear", 0x00, 0x3c, 7 },
};

START_TEST(ocw2_ends_and_rotates_as_the_table_says)
{
	struct svm_pic_state state;

	make_ready();
	svm_pic_save(&pic, &state);
	state.chip[0].isr = 0x3c;
	state.chip[0].lowest = 6;
	ck_assert_int_eq(svm_pic_restore(&pic, &state), 0);
	out(0x20, eoi_rows[_i].ocw2);
	out(0x20, 0x0b);
	ck_assert_msg(in(0x20) == eoi_rows[_i].isr, "%s", eoi_rows[_i].what);
	svm_pic_save(&pic, &state);
	state.chip[0].isr = 0;
	state.chip[0].latch = 0xfb;
	state.chip[1].latch = 0x01;
	ck_assert_int_eq(svm_pic_restore(&pic, &state), 0);
	out(0x20, 0x0c);
	ck_assert_msg(in(0x20) == (0x80 | eoi_rows[_i].first), "%s: first is not %u",
	              eoi_rows[_i].what, eoi_rows[_i].first);
}
END_TEST

START_TEST(automatic_eoi_leaves_nothing_in_service_and_may_rotate)
{
	make_pic();
	initialise(0x03, 0x01);
	raise(0);
	raise(1);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x30);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x00);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
	out(0x20, 0x80);
	lower(0);
	raise(0);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x30);
	lower(0);
	raise(0);
	lower(1);
	raise(1);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x30);
	out(0x20, 0x00);
	for (unsigned i = 0; i < 2; i++) {
		lower(1);
		raise(1);
		ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
	}
}
END_TEST

START_TEST(a_mask_hides_a_request_and_does_not_lose_it)
{
	make_ready();
	out(0x21, 0x10);
	raise(4);
	ck_assert(!output);
	ck_assert_uint_eq(in(0x20), 0x10);
	out(0x21, 0x00);
	ck_assert(output);
	out(0x21, 0x04);
	out(0x21, 0x14);
	raise(8);
	ck_assert(!output);
	ck_assert_uint_eq(in(0x20), 0x14);
}
END_TEST

/* --- reading ------------------------------------------------------------------------------ */

START_TEST(ocw3_chooses_what_is_read)
{
	make_ready();
	raise(3);
	raise(9);
	ck_assert_uint_eq(in(0x20), 0x0c);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x39);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x04);
	out(0x20, 0x08);
	ck_assert_uint_eq(in(0x20), 0x04);
	out(0x20, 0x09);
	ck_assert_uint_eq(in(0x20), 0x04);
	out(0x20, 0x0a);
	ck_assert_uint_eq(in(0x20), 0x08);
}
END_TEST

START_TEST(a_poll_acknowledges_by_the_next_read_of_either_port)
{
	make_ready();
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x00);
	raise(3);
	raise(5);
	out(0x20, 0x0e);
	ck_assert_uint_eq(in(0x21), 0x83);
	ck_assert_uint_eq(in(0x21), 0x00);
	ck_assert_uint_eq(in(0x20), 0x20);
	raise(10);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x82);
	out(0xa0, 0x0c);
	ck_assert_uint_eq(in(0xa0), 0x82);
	ck_assert(!output);
}
END_TEST

START_TEST(the_edge_level_registers_keep_the_bits_that_isa_allows)
{
	make_ready();
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	ck_assert_uint_eq(in(0x4d0), 0xf8);
	ck_assert_uint_eq(in(0x4d1), 0xde);
	ck_assert_uint_eq(svm_pic_read(&pic, 0x4d0, 2), 0xdef8);
	raise(3);
	out(0x4d0, 0x00);
	ck_assert(!output);
	out(0x4d0, 0x08);
	ck_assert(output);
	out(0x4d0, 0x00);
	lower(3);
	raise(3);
	out(0x4d0, 0x08);
	lower(3);
	out(0x4d0, 0x00);
	ck_assert(!output);
	initialise(0x01, 0x01);
	out(0x4d0, 0x18);
	initialise(0x01, 0x01);
	ck_assert_uint_eq(in(0x4d0), 0x18);
}
END_TEST

START_TEST(wide_accesses_are_bytes_and_other_ports_are_not_ours)
{
	make_ready();
	svm_pic_write(&pic, 0x21, 1, 0xfffff5aa);
	ck_assert_uint_eq(in(0x21), 0xaa);
	ck_assert_uint_eq(svm_pic_read(&pic, 0x20, 2), 0xaa00);
	ck_assert_uint_eq(svm_pic_read(&pic, 0x20, 4), 0xffffaa00);
	ck_assert_uint_eq(svm_pic_read(&pic, 0x22, 1), 0xff);
	ck_assert_uint_eq(svm_pic_read(&pic, 0xffff, 4), 0xffffffff);
	svm_pic_write(&pic, 0xffff, 4, 0);
	svm_pic_write(&pic, 0x20, 2, 0x550b);
	ck_assert_uint_eq(in(0x21), 0x55);
}
END_TEST

START_TEST(without_an_output_all_works)
{
	svm_pic_init(&pic, NULL);
	initialise(0x01, 0x01);
	raise(1);
	ck_assert(svm_pic_pending(&pic));
	svm_pic_reset(&pic);
	ck_assert(!svm_pic_pending(&pic));
}
END_TEST

/* --- who is told of ends ------------------------------------------------------------------ */

static uint32_t told;
static bool lowers;

static void note_end(void *arg, unsigned irq)
{
	ck_assert_ptr_eq(arg, &told);
	ck_assert_uint_eq(told >> irq & 1, 0);
	told |= UINT32_C(1) << irq;
	if (lowers)
		lower(irq);
}

static void make_telling_pic(uint8_t icw4)
{
	const struct svm_end_notice notice = { note_end, &told };

	make_pic();
	initialise(icw4, icw4);
	told = 0;
	lowers = false;
	svm_pic_set_end_notice(&pic, &notice);
}

static void forget_notice(void)
{
	svm_pic_set_end_notice(&pic, NULL);
	out(0x20, 0x61);
}

static void reset(void)
{
	svm_pic_reset(&pic);
}

static void restore(void)
{
	struct svm_pic_state state;

	svm_pic_save(&pic, &state);
	state.chip[0].isr = 0;
	ck_assert_int_eq(svm_pic_restore(&pic, &state), 0);
}

static const struct {
	const char *what;
	void (*act)(void); /* Or a write: */
	uint16_t port;
	uint8_t value;
	uint32_t told;
} end_rows[] = {
	{ "EOI of the most urgent", NULL, 0x20, 0x20, 1u << 1 },
	{ "the same with rotation", NULL, 0x20, 0xa0, 1u << 1 },
	{ "EOI by number", NULL, 0x20, 0x61, 1u << 1 },
	{ "by number with rotation", NULL, 0x20, 0xe1, 1u << 1 },
	{ "by number, not in service", NULL, 0x20, 0x65, 0 },
	{ "the slave's input of the master", NULL, 0x20, 0x62, 0 },
	{ "EOI of the slave", NULL, 0xa0, 0x20, 1u << 12 },
	{ "rotation alone", NULL, 0x20, 0xc1, 0 },
	{ "a mask", NULL, 0x21, 0xff, 0 },
	{ "ICW1: in service, and the edge that waits", NULL, 0x20, 0x11, 1u << 1 | 1u << 3 },
	{ "ICW1 of the slave", NULL, 0xa0, 0x11, 1u << 12 },
	{ "a reset by the owner", reset, 0, 0, 0 },
	{ "another state", restore, 0, 0, 0 },
	{ "nobody any more", forget_notice, 0, 0, 0 },
};

/* Inputs 12 and then 1 are in service; 3 waits. */
START_TEST(the_end_of_an_interrupt_is_told_by_input)
{
	make_telling_pic(0x01);
	raise(12);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x3c);
	raise(1);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
	raise(3);
	ck_assert_uint_eq(told, 0);
	if (end_rows[_i].act)
		end_rows[_i].act();
	else
		out(end_rows[_i].port, end_rows[_i].value);
	ck_assert_msg(told == end_rows[_i].told, "%s: told %#x", end_rows[_i].what, told);
}
END_TEST

/* As many as were acknowledged, also by a poll; and of the slave's its own input alone. */
START_TEST(automatic_eoi_ends_with_the_acknowledge)
{
	make_telling_pic(0x03);
	raise(12);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x3c);
	ck_assert_uint_eq(told, 1u << 12);
	raise(1);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x81);
	ck_assert_uint_eq(told, 1u << 12 | 1u << 1);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x37); /* Spurious. */
	ck_assert_uint_eq(told, 1u << 12 | 1u << 1);
}
END_TEST

START_TEST(a_level_taken_back_when_it_is_told_does_not_interrupt_again)
{
	make_telling_pic(0x01);
	lowers = true;
	out(0x4d1, 0x08);
	raise(11);
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x3b);
	ck_assert_uint_eq(changes, 2);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	ck_assert_uint_eq(told, 1u << 11);
	ck_assert(!output);
	ck_assert_uint_eq(changes, 2);
}
END_TEST

/* --- state -------------------------------------------------------------------------------- */

START_TEST(a_restored_pair_is_the_saved_one)
{
	struct svm_pic_state first, second;

	make_ready();
	raise(3);
	(void)svm_pic_acknowledge(&pic);
	raise(1);
	out(0xa0, 0x11);
	out(0x20, 0x0f);
	svm_pic_save(&pic, &first);
	make_pic();
	ck_assert_int_eq(svm_pic_restore(&pic, &first), 0);
	ck_assert(output);
	svm_pic_save(&pic, &second);
	ck_assert_mem_eq(&first, &second, sizeof(first));
	ck_assert_uint_eq(svm_pic_acknowledge(&pic), 0x31);
}
END_TEST

#define FIELD(member) offsetof(struct svm_pic_state, member)
static const struct {
	const char *what;
	size_t offset;
	uint8_t value;
} hostile_rows[] = {
	{ "a driven cascade input", FIELD(chip[0].lines), 0x04 },
	{ "an edge on the cascade input", FIELD(chip[0].latch), 0x04 },
	{ "a level timer", FIELD(chip[0].elcr), 0x01 },
	{ "a level clock", FIELD(chip[1].elcr), 0x01 },
	{ "a base that is no multiple of 8", FIELD(chip[0].base), 0x31 },
	{ "a ninth input", FIELD(chip[1].lowest), 8 },
	{ "ICW1 awaited", FIELD(chip[0].awaits), 1 },
	{ "ICW5 awaited", FIELD(chip[0].awaits), 5 },
	{ "has_icw4", FIELD(chip[0].has_icw4), 2 },
	{ "is_single", FIELD(chip[0].is_single), 2 },
	{ "auto_eoi", FIELD(chip[0].auto_eoi), 2 },
	{ "auto_rotate", FIELD(chip[0].auto_rotate), 0xff },
	{ "fully_nested", FIELD(chip[0].fully_nested), 2 },
	{ "special_mask", FIELD(chip[0].special_mask), 2 },
	{ "reads_isr", FIELD(chip[0].reads_isr), 2 },
	{ "polls", FIELD(chip[1].polls), 2 },
};

START_TEST(a_state_that_cannot_be_is_refused_whole)
{
	struct svm_pic_state state;

	make_ready();
	svm_pic_save(&pic, &state);
	state.chip[0].imr = 0x77;
	((uint8_t *)&state)[hostile_rows[_i].offset] = hostile_rows[_i].value;
	ck_assert_msg(svm_pic_restore(&pic, &state) == SVM_ERR_INVAL, "%s", hostile_rows[_i].what);
	ck_assert_uint_eq(in(0x21), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pic");
	TCase *tcase = tcase_create("pic");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, after_power_up_all_is_masked_and_a_probe_finds_the_mask_register);
	tcase_add_test(tcase, icw1_clears_masks_service_edges_and_modes);
	tcase_add_loop_test(tcase, the_sequence_has_as_many_words_as_icw1_says, 0,
	                    ARRAY_SIZE(sequence_rows));
	tcase_add_test(tcase, without_icw4_its_functions_are_off);
	tcase_add_test(tcase, a_single_master_has_no_slave_to_ask);
	tcase_add_loop_test(tcase, each_input_has_its_vector, 0, 16);
	tcase_add_test(tcase, inputs_that_do_not_exist_do_nothing);
	tcase_add_test(tcase, an_edge_is_one_interrupt_and_is_kept_when_the_input_falls);
	tcase_add_test(tcase, a_level_interrupts_while_it_lasts);
	tcase_add_test(tcase, a_request_that_vanished_is_spurious_and_not_in_service);
	tcase_add_test(tcase, a_polled_slave_leaves_the_master_with_a_spurious_interrupt);
	tcase_add_loop_test(tcase, in_fully_nested_mode_only_the_more_urgent_interrupts, 0,
	                    ARRAY_SIZE(nesting_rows));
	tcase_add_test(tcase, in_special_fully_nested_mode_the_slave_interrupts_itself);
	tcase_add_test(tcase, in_special_mask_mode_a_masked_service_holds_nobody_back);
	tcase_add_loop_test(tcase, ocw2_ends_and_rotates_as_the_table_says, 0,
	                    ARRAY_SIZE(eoi_rows));
	tcase_add_test(tcase, automatic_eoi_leaves_nothing_in_service_and_may_rotate);
	tcase_add_test(tcase, a_mask_hides_a_request_and_does_not_lose_it);
	tcase_add_test(tcase, ocw3_chooses_what_is_read);
	tcase_add_test(tcase, a_poll_acknowledges_by_the_next_read_of_either_port);
	tcase_add_test(tcase, the_edge_level_registers_keep_the_bits_that_isa_allows);
	tcase_add_test(tcase, wide_accesses_are_bytes_and_other_ports_are_not_ours);
	tcase_add_test(tcase, without_an_output_all_works);
	tcase_add_loop_test(tcase, the_end_of_an_interrupt_is_told_by_input, 0,
	                    ARRAY_SIZE(end_rows));
	tcase_add_test(tcase, automatic_eoi_ends_with_the_acknowledge);
	tcase_add_test(tcase, a_level_taken_back_when_it_is_told_does_not_interrupt_again);
	tcase_add_test(tcase, a_restored_pair_is_the_saved_one);
	tcase_add_loop_test(tcase, a_state_that_cannot_be_is_refused_whole, 0,
	                    ARRAY_SIZE(hostile_rows));
	suite_add_tcase(suite, tcase);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
