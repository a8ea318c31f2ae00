/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* I/O APIC.  Intel 82093AA data sheet, 3.1, 3.2; EOI register: Intel ICH2 data sheet. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/ioapic.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

#define LEVEL    0x8000u
#define BUSY     0x4000u
#define LOW      0x2000u
#define PENDING  0x1000u
#define MASKED   0x10000u

static struct svm_ioapic ioapic;
static struct svm_apic_message sent;
static unsigned sent_count;
static bool is_taken;

static bool send(void *arg, const struct svm_apic_message *message)
{
	ck_assert_ptr_eq(arg, &sent);
	sent = *message;
	sent_count++;
	return is_taken;
}

static void put(uint8_t reg, uint32_t value)
{
	svm_ioapic_write(&ioapic, 0x00, 4, reg);
	svm_ioapic_write(&ioapic, 0x10, 4, value);
}

static uint32_t get(uint8_t reg)
{
	svm_ioapic_write(&ioapic, 0x00, 4, reg);
	return (uint32_t)svm_ioapic_read(&ioapic, 0x10, 4);
}

static void make_ioapic(void)
{
	sent_count = 0;
	is_taken = true;
	memset(&sent, 0, sizeof(sent));
	ck_assert_int_eq(svm_ioapic_init(&ioapic, send, &sent), 0);
}

static void raise(unsigned pin)
{
	svm_ioapic_set_line(&ioapic, pin, true);
}

static void lower(unsigned pin)
{
	svm_ioapic_set_line(&ioapic, pin, false);
}

/* --- registers: 3.2 ----------------------------------------------------------------------- */

/* After reset, and after all ones were written. */
static const struct {
	const char *what;
	uint8_t reg;
	uint32_t reset, ones;
} register_rows[] = {
	{ "ID has 4 bits", 0x00, 0, 0x0f000000 },
	{ "version 20h with 24 entries", 0x01, 0x00170020, 0x00170020 },
	{ "arbitration ID cannot be written", 0x02, 0, 0 },
	{ "no boot register", 0x03, 0, 0 },
	{ "below the entries", 0x0f, 0, 0 },
	{ "an entry's lower half: status bits are read-only", 0x10, 0x10000, 0x1afff },
	{ "its upper half: the destination", 0x11, 0, 0xff000000 },
	{ "the last entry's lower half", 0x3e, 0x10000, 0x1afff },
	{ "its upper half", 0x3f, 0, 0xff000000 },
	{ "past the last entry", 0x40, 0, 0 },
	{ "the last register there could be", 0xff, 0, 0 },
};

START_TEST(a_register_resets_and_takes_bits_as_the_data_sheet_says)
{
	make_ioapic();
	ck_assert_msg(get(register_rows[_i].reg) == register_rows[_i].reset, "%s: reset to %#x",
	              register_rows[_i].what, get(register_rows[_i].reg));
	put(register_rows[_i].reg, 0xffffffff);
	ck_assert_msg(get(register_rows[_i].reg) == register_rows[_i].ones, "%s: takes %#x",
	              register_rows[_i].what, get(register_rows[_i].reg));
	svm_ioapic_reset(&ioapic);
	ck_assert_msg(get(register_rows[_i].reg) == register_rows[_i].reset, "%s: again",
	              register_rows[_i].what);
	ck_assert_uint_eq(sent_count, 0);
}
END_TEST

START_TEST(the_arbitration_id_follows_the_id)
{
	make_ioapic();
	put(0x00, 0x05000000);
	ck_assert_uint_eq(get(0x02), 0x05000000);
}
END_TEST

static const struct {
	const char *what;
	uint32_t offset;
	unsigned size;
	uint64_t value;
} size_rows[] = {
	{ "the selector", 0x00, 4, 0x01 },
	{ "the selector by a byte", 0x00, 1, 0x01 },
	{ "its other bytes", 0x01, 1, 0 },
	{ "the window", 0x10, 4, 0x00170020 },
	{ "the window by 8 bytes", 0x10, 8, 0x00170020 },
	{ "a byte of the window", 0x12, 1, 0x17 },
	{ "a word of the window", 0x12, 2, 0x17 },
	{ "the gap", 0x14, 4, 0 },
	{ "the EOI register is write-only", 0x40, 4, 0 },
	{ "elsewhere", 0x20, 4, 0 },
	{ "a page further", 0xfec00010, 4, 0x00170020 },
};

START_TEST(a_read_of_any_size_gives_the_bytes_of_the_register)
{
	make_ioapic();
	svm_ioapic_write(&ioapic, 0x00, 4, 0xffffff01);
	ck_assert_msg(svm_ioapic_read(&ioapic, size_rows[_i].offset, size_rows[_i].size) ==
	                      size_rows[_i].value,
	              "%s", size_rows[_i].what);
}
END_TEST

START_TEST(the_window_is_written_by_double_words_and_the_selector_by_anything)
{
	make_ioapic();
	put(0x10, 0x10030);
	svm_ioapic_write(&ioapic, 0x10, 1, 0x77);
	svm_ioapic_write(&ioapic, 0x10, 2, 0x77);
	svm_ioapic_write(&ioapic, 0x10, 8, 0x77);
	svm_ioapic_write(&ioapic, 0x11, 4, 0x77);
	svm_ioapic_write(&ioapic, 0x50, 4, 0x77);
	ck_assert_uint_eq(get(0x10), 0x10030);
	svm_ioapic_write(&ioapic, 0x00, 1, 0x01);
	ck_assert_uint_eq(svm_ioapic_read(&ioapic, 0x10, 4), 0x00170020);
	svm_ioapic_write(&ioapic, 0x00, 2, 0x110);
	ck_assert_uint_eq(svm_ioapic_read(&ioapic, 0x10, 4), 0x10030);
}
END_TEST

/* --- what an entry sends: 3.2.4 ----------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t low, high;
	struct svm_apic_message message;
	bool is_sent;
} entry_rows[] = {
	{ "fixed, physical", 0x0031, 0x05000000,
	  { .destination = 5, .vector = 0x31, .mode = 0, .is_assert = true }, true },
	{ "fixed, logical", 0x0831, 0xff000000,
	  { .destination = 0xff, .vector = 0x31, .is_logical = true, .is_assert = true }, true },
	{ "lowest priority, level", 0x8931, 0x03000000,
	  { .destination = 3, .vector = 0x31, .mode = 1, .is_logical = true, .is_level = true,
	    .is_assert = true }, true },
	{ "SMI", 0x0200, 0, { .mode = 2, .is_assert = true }, true },
	{ "3 is reserved", 0x0331, 0, { .mode = 0 }, false },
	{ "NMI is an edge whatever it says", 0x8400, 0, { .mode = 4, .is_assert = true }, true },
	{ "INIT", 0x0500, 0, { .mode = 5, .is_assert = true }, true },
	{ "6 is reserved", 0x0631, 0, { .mode = 0 }, false },
	{ "ExtINT", 0x0700, 0, { .mode = 7, .is_assert = true }, true },
	{ "an illegal vector is for the receiver to judge", 0x0005, 0,
	  { .vector = 5, .is_assert = true }, true },
	{ "masked", 0x10031, 0, { .mode = 0 }, false },
	{ "active low: rising is the end", 0x2031, 0, { .mode = 0 }, false },
};

START_TEST(a_rising_pin_sends_what_its_entry_says)
{
	make_ioapic();
	put(0x1f, entry_rows[_i].high);
	put(0x1e, entry_rows[_i].low);
	ck_assert_uint_eq(sent_count, 0);
	raise(7);
	raise(7);
	ck_assert_msg(sent_count == entry_rows[_i].is_sent, "%s", entry_rows[_i].what);
	ck_assert_uint_eq(sent.destination, entry_rows[_i].message.destination);
	ck_assert_uint_eq(sent.vector, entry_rows[_i].message.vector);
	ck_assert_uint_eq(sent.mode, entry_rows[_i].message.mode);
	ck_assert_uint_eq(sent.shorthand, SVM_APIC_NO_SHORTHAND);
	ck_assert_msg(sent.is_logical == entry_rows[_i].message.is_logical &&
	                      sent.is_level == entry_rows[_i].message.is_level &&
	                      sent.is_assert == entry_rows[_i].message.is_assert && !sent.is_wide,
	              "%s", entry_rows[_i].what);
}
END_TEST

START_TEST(pins_that_do_not_exist_do_nothing)
{
	make_ioapic();
	put(0x3e, 0x41);
	raise(24);
	raise(31);
	raise(32);
	raise(0xffffffff);
	ck_assert_uint_eq(sent_count, 0);
	raise(23);
	ck_assert_uint_eq(sent_count, 1);
}
END_TEST

START_TEST(an_edge_is_sent_each_time_and_never_kept)
{
	make_ioapic();
	put(0x12, 0x31);
	raise(1);
	lower(1);
	raise(1);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(get(0x12), 0x31);
	lower(1);
	put(0x12, MASKED | 0x31);
	raise(1);
	put(0x12, 0x31);
	ck_assert_uint_eq(sent_count, 2);
	put(0x12, LOW | 0x31);
	ck_assert_uint_eq(sent_count, 2);
	lower(1);
	ck_assert_uint_eq(sent_count, 3);
}
END_TEST

/* --- levels and their end ----------------------------------------------------------------- */

START_TEST(a_level_is_sent_once_until_its_end)
{
	make_ioapic();
	put(0x1a, LEVEL | 0x41);
	raise(5);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(get(0x1a), LEVEL | BUSY | 0x41);
	lower(5);
	raise(5);
	ck_assert_uint_eq(sent_count, 1);
	svm_ioapic_eoi(&ioapic, 0x40);
	ck_assert_uint_eq(sent_count, 1);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(get(0x1a), LEVEL | BUSY | 0x41);
	lower(5);
	svm_ioapic_write(&ioapic, 0x40, 4, 0x41);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(get(0x1a), LEVEL | 0x41);
}
END_TEST

START_TEST(all_pins_with_the_vector_end)
{
	make_ioapic();
	put(0x1a, LEVEL | 0x41);
	put(0x1c, LEVEL | 0x41);
	put(0x1e, LEVEL | 0x42);
	raise(5);
	raise(6);
	raise(7);
	lower(5);
	ck_assert_uint_eq(sent_count, 3);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(sent_count, 4);
	ck_assert_uint_eq(get(0x1a), LEVEL | 0x41);
	ck_assert_uint_eq(get(0x1c), LEVEL | BUSY | 0x41);
	ck_assert_uint_eq(get(0x1e), LEVEL | BUSY | 0x42);
}
END_TEST

START_TEST(a_masked_level_waits_for_its_mask)
{
	make_ioapic();
	put(0x1a, MASKED | LEVEL | 0x41);
	raise(5);
	ck_assert_uint_eq(sent_count, 0);
	put(0x1a, LEVEL | 0x41);
	ck_assert_uint_eq(sent_count, 1);
	put(0x1a, MASKED | LEVEL | 0x41);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(get(0x1a), MASKED | LEVEL | 0x41);
}
END_TEST

START_TEST(an_active_low_level_is_asserted_while_nobody_drives_it)
{
	make_ioapic();
	put(0x1a, LOW | LEVEL | 0x41);
	ck_assert_uint_eq(sent_count, 1);
	raise(5);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(sent_count, 1);
	lower(5);
	ck_assert_uint_eq(sent_count, 2);
}
END_TEST

START_TEST(a_line_asserts_by_itself_where_polarity_is_ignored)
{
	make_ioapic();
	svm_ioapic_ignore_polarity(&ioapic);
	put(0x10, LEVEL | LOW | 0x40);
	ck_assert_uint_eq(sent_count, 0);
	raise(0);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(get(0x10), LEVEL | LOW | BUSY | 0x40);
	lower(0);
	svm_ioapic_eoi(&ioapic, 0x40);
	ck_assert_uint_eq(sent_count, 1);
	/* The same of an edge. */
	put(0x12, LOW | 0x41);
	raise(1);
	ck_assert_uint_eq(sent_count, 2);
	lower(1);
	ck_assert_uint_eq(sent_count, 2);
}
END_TEST

START_TEST(a_level_that_nobody_takes_is_pending_and_tried_again)
{
	make_ioapic();
	is_taken = false;
	put(0x1a, LEVEL | 0x41);
	raise(5);
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(get(0x1a), LEVEL | PENDING | 0x41);
	is_taken = true;
	put(0x1b, 0x01000000);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(get(0x1a), LEVEL | BUSY | 0x41);
}
END_TEST

/* What software of version 11h does to end an interrupt: edge and back. */
START_TEST(making_an_entry_edge_triggered_ends_its_interrupt)
{
	make_ioapic();
	put(0x1a, LEVEL | 0x41);
	raise(5);
	lower(5);
	put(0x1a, MASKED | 0x41);
	ck_assert_uint_eq(get(0x1a), MASKED | 0x41);
	put(0x1a, LEVEL | 0x41);
	ck_assert_uint_eq(get(0x1a), LEVEL | 0x41);
	raise(5);
	ck_assert_uint_eq(sent_count, 2);
}
END_TEST

START_TEST(a_new_vector_does_not_end_the_old_interrupt)
{
	make_ioapic();
	put(0x1a, LEVEL | 0x41);
	raise(5);
	put(0x1a, LEVEL | 0x51);
	ck_assert_uint_eq(sent_count, 1);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(get(0x1a), LEVEL | BUSY | 0x51);
	svm_ioapic_eoi(&ioapic, 0x51);
	ck_assert_uint_eq(sent_count, 2);
}
END_TEST

/* --- who is told of ends ------------------------------------------------------------------ */

static uint32_t told;
static unsigned told_count;
static unsigned raised_by_end, lowered_by_end; /* Pins; SVM_IOAPIC_PINS: none. */

static void note_end(void *arg, unsigned pin)
{
	ck_assert_ptr_eq(arg, &told);
	told |= UINT32_C(1) << pin;
	told_count++;
	svm_ioapic_set_line(&ioapic, lowered_by_end, false);
	svm_ioapic_set_line(&ioapic, raised_by_end, true);
}

static void make_telling_ioapic(void)
{
	const struct svm_end_notice notice = { note_end, &told };

	make_ioapic();
	told = 0;
	told_count = 0;
	raised_by_end = lowered_by_end = SVM_IOAPIC_PINS;
	svm_ioapic_set_end_notice(&ioapic, &notice);
}

static void eoi(void)
{
	svm_ioapic_eoi(&ioapic, 0x41);
}

static void eoi_by_register(void)
{
	svm_ioapic_write(&ioapic, 0x40, 4, 0x41);
}

static void eoi_of_another(void)
{
	svm_ioapic_eoi(&ioapic, 0x42);
}

static void make_edge(void)
{
	put(0x1a, 0x41);
}

static void mask(void)
{
	put(0x1a, MASKED | LEVEL | 0x41);
}

static void reset(void)
{
	svm_ioapic_reset(&ioapic);
}

static void restore(void)
{
	struct svm_ioapic_state state;

	svm_ioapic_save(&ioapic, &state);
	state.entry[5] = MASKED;
	ck_assert_int_eq(svm_ioapic_restore(&ioapic, &state), 0);
}

static void forget_notice(void)
{
	svm_ioapic_set_end_notice(&ioapic, NULL);
	eoi();
}

static const struct {
	const char *what;
	void (*act)(void);
	uint32_t told;
} end_rows[] = {
	{ "the end of its vector", eoi, 1u << 5 | 1u << 23 },
	{ "the same by the register", eoi_by_register, 1u << 5 | 1u << 23 },
	{ "the end of another", eoi_of_another, 0 },
	{ "edge-triggered from now on", make_edge, 1u << 5 },
	{ "a mask ends nothing", mask, 0 },
	{ "nor does a reset by the owner", reset, 0 },
	{ "nor another state", restore, 0 },
	{ "nobody any more", forget_notice, 0 },
};

/* Pins 5 and 23 are busy with vector 41h, pin 6 waits masked with it, pin 7 sent it as an edge. */
START_TEST(the_end_of_a_level_is_told_by_pin)
{
	make_telling_ioapic();
	put(0x1a, LEVEL | 0x41);
	put(0x3e, LEVEL | 0x41);
	put(0x1c, MASKED | LEVEL | 0x41);
	put(0x1e, 0x41);
	raise(5);
	raise(23);
	raise(6);
	raise(7);
	end_rows[_i].act();
	ck_assert_msg(told == end_rows[_i].told, "%s: told %#x", end_rows[_i].what, told);
	ck_assert_uint_eq(told_count, (told & 1) + (told >> 5 & 1) + (told >> 23));
}
END_TEST

START_TEST(a_level_taken_back_when_it_is_told_is_not_sent_again)
{
	make_telling_ioapic();
	put(0x1a, LEVEL | 0x41);
	raise(5);
	lowered_by_end = 5;
	eoi();
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(get(0x1a), LEVEL | 0x41);
	eoi();
	ck_assert_uint_eq(told_count, 1);
	raise(5);
	make_edge();
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(told_count, 2);
}
END_TEST

START_TEST(what_is_sent_while_an_end_is_told_has_not_ended)
{
	make_telling_ioapic();
	put(0x1a, LEVEL | 0x41);
	put(0x1e, LEVEL | 0x41);
	raise(5);
	lowered_by_end = 5;
	raised_by_end = 7;
	eoi();
	ck_assert_uint_eq(told, 1u << 5);
	ck_assert_uint_eq(sent_count, 2);
	ck_assert_uint_eq(get(0x1e), LEVEL | BUSY | 0x41);
}
END_TEST

/* --- state -------------------------------------------------------------------------------- */

START_TEST(a_restored_one_is_the_saved_one_and_sends_nothing)
{
	struct svm_ioapic_state first, second;

	make_ioapic();
	put(0x00, 0x05000000);
	put(0x1a, LEVEL | 0x41);
	put(0x1c, MASKED | LEVEL | 0x42);
	raise(5);
	raise(6);
	(void)get(0x13);
	svm_ioapic_save(&ioapic, &first);
	make_ioapic();
	ck_assert_int_eq(svm_ioapic_restore(&ioapic, &first), 0);
	svm_ioapic_save(&ioapic, &second);
	ck_assert_mem_eq(&first, &second, sizeof(first));
	ck_assert_uint_eq(sent_count, 0);
	svm_ioapic_eoi(&ioapic, 0x41);
	ck_assert_uint_eq(sent_count, 1);
}
END_TEST

#define FIELD(member)                              \
	offsetof(struct svm_ioapic_state, member), \
		sizeof(((struct svm_ioapic_state *)0)->member)
static const struct {
	const char *what;
	size_t offset, size;
	uint64_t value;
} hostile_rows[] = {
	{ "a 25th pin", FIELD(lines), 1u << 24 },
	{ "an ID of 5 bits", FIELD(id), 16 },
	{ "a selector of 9 bits", FIELD(select), 0x100 },
	{ "delivery status", FIELD(entry[0]), 0x1000 },
	{ "remote IRR of an edge", FIELD(entry[23]), 0x4041 },
	{ "remote IRR of an NMI", FIELD(entry[23]), 0xc441 },
	{ "reserved bits below", FIELD(entry[3]), 0x20000 },
	{ "reserved bits above", FIELD(entry[3]), UINT64_C(1) << 55 },
};

START_TEST(a_state_that_cannot_be_is_refused_whole)
{
	struct svm_ioapic_state state;

	make_ioapic();
	svm_ioapic_save(&ioapic, &state);
	state.entry[9] = 0x10033;
	memcpy((char *)&state + hostile_rows[_i].offset, &hostile_rows[_i].value,
	       hostile_rows[_i].size);
	ck_assert_msg(svm_ioapic_restore(&ioapic, &state) == SVM_ERR_INVAL, "%s",
	              hostile_rows[_i].what);
	ck_assert_uint_eq(get(0x22), 0x10000);
}
END_TEST

START_TEST(it_needs_somebody_to_send_to)
{
	ck_assert_int_eq(svm_ioapic_init(&ioapic, NULL, NULL), SVM_ERR_INVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ioapic");
	TCase *tcase = tcase_create("ioapic");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, a_register_resets_and_takes_bits_as_the_data_sheet_says, 0,
	                    ARRAY_SIZE(register_rows));
	tcase_add_test(tcase, the_arbitration_id_follows_the_id);
	tcase_add_loop_test(tcase, a_read_of_any_size_gives_the_bytes_of_the_register, 0,
	                    ARRAY_SIZE(size_rows));
	tcase_add_test(tcase, the_window_is_written_by_double_words_and_the_selector_by_anything);
	tcase_add_loop_test(tcase, a_rising_pin_sends_what_its_entry_says, 0,
	                    ARRAY_SIZE(entry_rows));
	tcase_add_test(tcase, pins_that_do_not_exist_do_nothing);
	tcase_add_test(tcase, an_edge_is_sent_each_time_and_never_kept);
	tcase_add_test(tcase, a_level_is_sent_once_until_its_end);
	tcase_add_test(tcase, all_pins_with_the_vector_end);
	tcase_add_test(tcase, a_masked_level_waits_for_its_mask);
	tcase_add_test(tcase, an_active_low_level_is_asserted_while_nobody_drives_it);
	tcase_add_test(tcase, a_line_asserts_by_itself_where_polarity_is_ignored);
	tcase_add_test(tcase, a_level_that_nobody_takes_is_pending_and_tried_again);
	tcase_add_test(tcase, making_an_entry_edge_triggered_ends_its_interrupt);
	tcase_add_test(tcase, a_new_vector_does_not_end_the_old_interrupt);
	tcase_add_loop_test(tcase, the_end_of_a_level_is_told_by_pin, 0, ARRAY_SIZE(end_rows));
	tcase_add_test(tcase, a_level_taken_back_when_it_is_told_is_not_sent_again);
	tcase_add_test(tcase, what_is_sent_while_an_end_is_told_has_not_ended);
	tcase_add_test(tcase, a_restored_one_is_the_saved_one_and_sends_nothing);
	tcase_add_loop_test(tcase, a_state_that_cannot_be_is_refused_whole, 0,
	                    ARRAY_SIZE(hostile_rows));
	tcase_add_test(tcase, it_needs_somebody_to_send_to);
	suite_add_tcase(suite, tcase);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
