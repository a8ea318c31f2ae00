/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * 8254 against the figures of Intel's data sheet (231164), the commands of its text, and what Linux
 * 6.1 does with it at boot.
 */
#include <libsvm/platform/pit.h>

#include "device_rig.h"

#define STEPS_MAX 26
#define MS        1000000u

enum what {
	END,
	MODE,  /* control word for counter 2, both bytes: mode, plus 0x10 for BCD */
	COUNT, /* both bytes of a count are written */
	LOW,   /* only the first of them */
	GATE,  /* GATE 2 goes there */
	OUT,   /* OUT is that, no tick passes */
	T,     /* a tick passes, then the element and OUT are that */
	SKIP,  /* as T, after out ticks without a look; OUT is not looked at */
};

struct step {
	enum what what;
	uint32_t value;
	uint32_t out;
};

struct row {
	const char *name;
	struct step steps[STEPS_MAX];
};

static struct svm_pit pit;
static struct probe probe;
static uint64_t tick;

/* The first nanosecond of a tick. */
static uint64_t ns_of(uint64_t t)
{
	return (uint64_t)(((unsigned __int128)t * 1000000000u + 1193181u) / 1193182u);
}

static uint64_t now(void)
{
	return ns_of(tick);
}

static void setup(void)
{
	const struct svm_wire wire = probe_wire(&probe, 0);

	memset(&probe, 0, sizeof(probe));
	tick = 1000;
	svm_pit_init(&pit, &wire);
	svm_pit_reset(&pit, now());
	svm_pit_write_port61(&pit, 1, now());
}

static void out(uint32_t offset, uint32_t value)
{
	svm_pit_write(&pit, offset, 1, value, now());
}

static uint32_t in(uint32_t offset)
{
	return svm_pit_read(&pit, offset, 1, now());
}

static void write_count(uint32_t offset, uint32_t count)
{
	out(offset, count & 0xff);
	out(offset, count >> 8);
}

static uint32_t read_latched(uint32_t offset)
{
	const uint32_t low = in(offset);

	return in(offset) << 8 | low;
}

static bool out2(void)
{
	return svm_pit_read_port61(&pit, now()) & 0x20;
}

static void look(const char *name, unsigned index, const struct step *step)
{
	uint32_t value;

	out(3, 0x80);
	value = read_latched(2);
	ck_assert_msg(value == step->value, "%s: step %u: %#x, not %#x", name, index, value,
	              step->value);
}

static void look_out(const char *name, unsigned index, uint32_t level)
{
	ck_assert_msg(out2() == level, "%s: step %u: OUT is not %u", name, index, level);
}

static void run_step(const char *name, unsigned index, const struct step *step)
{
	switch (step->what) {
	case MODE:
		out(3, 0xb0 | (step->value & 7) << 1 | step->value >> 4);
		break;
	case COUNT:
		write_count(2, step->value);
		break;
	case LOW:
		out(2, step->value);
		break;
	case GATE:
		svm_pit_write_port61(&pit, (uint8_t)step->value, now());
		break;
	case OUT:
		look_out(name, index, step->value);
		break;
	case T:
		tick++;
		look(name, index, step);
		look_out(name, index, step->out);
		break;
	case SKIP:
		tick += step->out;
		look(name, index, step);
		break;
	case END:
		break;
	}
}

static const struct row rows[] = {
	/* Mode 0: interrupt on terminal count. */
	{ "mode 0: OUT is low at once and high at zero, where the count goes on",
	  { { MODE, 0, 0 }, { OUT, 0, 0 }, { COUNT, 4, 0 }, { OUT, 0, 0 }, { T, 4, 0 }, { T, 3, 0 },
	    { T, 2, 0 }, { T, 1, 0 }, { T, 0, 1 }, { T, 0xffff, 1 }, { T, 0xfffe, 1 } } },
	{ "mode 0: the gate stops the count",
	  { { MODE, 0, 0 }, { COUNT, 3, 0 }, { T, 3, 0 }, { T, 2, 0 }, { GATE, 0, 0 }, { T, 2, 0 },
	    { T, 2, 0 }, { GATE, 1, 0 }, { T, 1, 0 }, { T, 0, 1 }, { T, 0xffff, 1 } } },
	{ "mode 0: a new count is loaded by the next tick",
	  { { MODE, 0, 0 }, { COUNT, 3, 0 }, { T, 3, 0 }, { T, 2, 0 }, { T, 1, 0 }, { COUNT, 2, 0 },
	    { T, 2, 0 }, { T, 1, 0 }, { T, 0, 1 } } },
	{ "mode 0: a count is loaded while the gate is low",
	  { { MODE, 0, 0 }, { GATE, 0, 0 }, { COUNT, 2, 0 }, { T, 2, 0 }, { T, 2, 0 },
	    { GATE, 1, 0 }, { T, 1, 0 }, { T, 0, 1 } } },
	{ "mode 0: the first byte of two stops the count and takes OUT down",
	  { { MODE, 0, 0 }, { COUNT, 2, 0 }, { T, 2, 0 }, { T, 1, 0 }, { T, 0, 1 }, { LOW, 5, 0 },
	    { OUT, 0, 0 }, { T, 0, 0 }, { T, 0, 0 }, { LOW, 0, 0 }, { T, 5, 0 }, { T, 4, 0 } } },
	{ "mode 0: a new count takes OUT down",
	  { { MODE, 0, 0 }, { COUNT, 1, 0 }, { T, 1, 0 }, { T, 0, 1 }, { COUNT, 2, 0 },
	    { OUT, 0, 0 }, { T, 2, 0 } } },
	/* Mode 1: one-shot. */
	{ "mode 1: a trigger takes OUT down until zero",
	  { { GATE, 0, 0 }, { MODE, 1, 0 }, { OUT, 1, 0 }, { COUNT, 3, 0 }, { OUT, 1, 0 },
	    { GATE, 1, 0 }, { T, 3, 0 }, { T, 2, 0 }, { T, 1, 0 }, { T, 0, 1 }, { T, 0xffff, 1 },
	    { GATE, 0, 0 }, { GATE, 1, 0 }, { T, 3, 0 }, { T, 2, 0 } } },
	{ "mode 1: it can be triggered again, and a low gate does not stop it",
	  { { GATE, 0, 0 }, { MODE, 1, 0 }, { COUNT, 3, 0 }, { GATE, 1, 0 }, { T, 3, 0 },
	    { T, 2, 0 }, { GATE, 0, 0 }, { T, 1, 0 }, { GATE, 1, 0 }, { T, 3, 0 }, { T, 2, 0 },
	    { T, 1, 0 }, { T, 0, 1 } } },
	{ "mode 1: a new count waits for the next trigger",
	  { { GATE, 0, 0 }, { MODE, 1, 0 }, { COUNT, 2, 0 }, { GATE, 1, 0 }, { T, 2, 0 },
	    { T, 1, 0 }, { COUNT, 4, 0 }, { T, 0, 1 }, { T, 0xffff, 1 }, { T, 0xfffe, 1 },
	    { GATE, 0, 0 }, { GATE, 1, 0 }, { T, 4, 0 }, { T, 3, 0 } } },
	{ "mode 1: a gate that is high already is no trigger",
	  { { MODE, 1, 0 }, { COUNT, 3, 0 }, { T, 0, 1 }, { T, 0, 1 } } },
	/* Mode 2: rate generator. */
	{ "mode 2: OUT is low for the last tick of each period",
	  { { MODE, 2, 0 }, { OUT, 1, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 2, 1 }, { T, 1, 0 },
	    { T, 3, 1 }, { T, 2, 1 }, { T, 1, 0 }, { T, 3, 1 } } },
	{ "mode 2: a low gate stops the count, a rising one starts it anew",
	  { { MODE, 2, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 2, 1 }, { GATE, 0, 0 }, { T, 2, 1 },
	    { T, 2, 1 }, { GATE, 1, 0 }, { T, 3, 1 }, { T, 2, 1 }, { T, 1, 0 }, { T, 3, 1 } } },
	{ "mode 2: a low gate ends the pulse at once",
	  { { MODE, 2, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 2, 1 }, { T, 1, 0 }, { GATE, 0, 0 },
	    { OUT, 1, 0 }, { T, 1, 1 }, { GATE, 1, 0 }, { T, 3, 1 } } },
	{ "mode 2: a new count waits for the end of the period",
	  { { MODE, 2, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { T, 3, 1 }, { COUNT, 5, 0 }, { T, 2, 1 },
	    { T, 1, 0 }, { T, 5, 1 }, { T, 4, 1 }, { T, 3, 1 } } },
	{ "mode 2: a trigger takes a new count at once",
	  { { MODE, 2, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { T, 3, 1 }, { COUNT, 9, 0 },
	    { GATE, 0, 0 }, { GATE, 1, 0 }, { T, 9, 1 } } },
	{ "mode 2: a count of 1, which is not allowed, is 2",
	  { { MODE, 2, 0 }, { COUNT, 1, 0 }, { T, 2, 1 }, { T, 1, 0 }, { T, 2, 1 }, { T, 1, 0 } } },
	{ "mode 6 is mode 2", { { MODE, 6, 0 }, { COUNT, 2, 0 }, { T, 2, 1 }, { T, 1, 0 },
	    { T, 2, 1 } } },
	/* Mode 3: square wave. */
	{ "mode 3: an even count has two halves of the same length",
	  { { MODE, 3, 0 }, { OUT, 1, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { T, 2, 1 }, { T, 4, 0 },
	    { T, 2, 0 }, { T, 4, 1 }, { T, 2, 1 }, { T, 4, 0 } } },
	{ "mode 3: with an odd count the high half is one tick longer",
	  { { MODE, 3, 0 }, { COUNT, 5, 0 }, { T, 4, 1 }, { T, 2, 1 }, { T, 0, 1 }, { T, 4, 0 },
	    { T, 2, 0 }, { T, 4, 1 }, { T, 2, 1 }, { T, 0, 1 }, { T, 4, 0 }, { T, 2, 0 } } },
	{ "mode 3: a low gate takes OUT up, a rising one starts anew",
	  { { MODE, 3, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { T, 2, 1 }, { T, 4, 0 }, { GATE, 0, 0 },
	    { OUT, 1, 0 }, { T, 4, 1 }, { T, 4, 1 }, { GATE, 1, 0 }, { T, 4, 1 }, { T, 2, 1 },
	    { T, 4, 0 } } },
	{ "mode 3: a new count waits for the end of the half",
	  { { MODE, 3, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { COUNT, 6, 0 }, { T, 2, 1 }, { T, 6, 0 },
	    { T, 4, 0 }, { T, 2, 0 }, { T, 6, 1 } } },
	{ "mode 3: a count of 1, which is not allowed, is 2",
	  { { MODE, 3, 0 }, { COUNT, 1, 0 }, { T, 2, 1 }, { T, 2, 0 }, { T, 2, 1 } } },
	{ "mode 7 is mode 3", { { MODE, 7, 0 }, { COUNT, 4, 0 }, { T, 4, 1 }, { T, 2, 1 },
	    { T, 4, 0 } } },
	/* Mode 4: software triggered strobe. */
	{ "mode 4: OUT is low while the count is zero, once",
	  { { MODE, 4, 0 }, { OUT, 1, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 2, 1 }, { T, 1, 1 },
	    { T, 0, 0 }, { T, 0xffff, 1 }, { T, 0xfffe, 1 }, { SKIP, 0, 0xfffe }, { OUT, 1, 0 } } },
	{ "mode 4: the gate stops the count",
	  { { MODE, 4, 0 }, { GATE, 0, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 3, 1 },
	    { GATE, 1, 0 }, { T, 2, 1 }, { T, 1, 1 }, { T, 0, 0 }, { T, 0xffff, 1 } } },
	{ "mode 4: a new count is loaded by the next tick",
	  { { MODE, 4, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { T, 2, 1 }, { COUNT, 2, 0 }, { T, 2, 1 },
	    { T, 1, 1 }, { T, 0, 0 }, { T, 0xffff, 1 } } },
	{ "mode 4: the first byte of two changes nothing",
	  { { MODE, 4, 0 }, { COUNT, 3, 0 }, { T, 3, 1 }, { LOW, 9, 0 }, { T, 2, 1 }, { T, 1, 1 },
	    { T, 0, 0 } } },
	/* Mode 5: hardware triggered strobe. */
	{ "mode 5: a trigger starts the count, OUT is low at zero",
	  { { GATE, 0, 0 }, { MODE, 5, 0 }, { COUNT, 3, 0 }, { OUT, 1, 0 }, { GATE, 1, 0 },
	    { T, 3, 1 }, { T, 2, 1 }, { T, 1, 1 }, { T, 0, 0 }, { T, 0xffff, 1 }, { GATE, 0, 0 },
	    { GATE, 1, 0 }, { T, 3, 1 } } },
	{ "mode 5: it can be triggered again",
	  { { GATE, 0, 0 }, { MODE, 5, 0 }, { COUNT, 3, 0 }, { GATE, 1, 0 }, { T, 3, 1 },
	    { T, 2, 1 }, { GATE, 0, 0 }, { T, 1, 1 }, { GATE, 1, 0 }, { T, 3, 1 }, { T, 2, 1 },
	    { T, 1, 1 }, { T, 0, 0 } } },
	/* Counts. */
	{ "a count of 0 is 65536", { { MODE, 0, 0 }, { COUNT, 0, 0 }, { T, 0, 0 }, { T, 0xffff, 0 },
	    { SKIP, 1, 0xfffe }, { OUT, 0, 0 }, { T, 0, 1 } } },
	{ "BCD: the digits borrow, and 0 is 10000", { { MODE, 0x10, 0 }, { COUNT, 0, 0 },
	    { T, 0, 0 }, { T, 0x9999, 0 }, { SKIP, 0x1000, 8999 }, { T, 0x0999, 0 },
	    { SKIP, 0x0100, 899 }, { T, 0x99, 0 }, { SKIP, 0x10, 89 }, { T, 9, 0 }, { SKIP, 0, 9 },
	    { OUT, 1, 0 }, { T, 0x9999, 1 } } },
	{ "BCD: a period of ten", { { MODE, 0x12, 0 }, { COUNT, 0x10, 0 }, { T, 0x10, 1 },
	    { T, 9, 1 }, { SKIP, 0x10, 9 }, { OUT, 1, 0 } } },
	{ "a BCD digit above 9 counts as what it is", { { MODE, 0x10, 0 }, { COUNT, 0x0f, 0 },
	    { T, 0x15, 0 } } },
	{ "without a count nothing counts", { { MODE, 2, 0 }, { T, 0, 1 }, { GATE, 0, 0 },
	    { GATE, 1, 0 }, { T, 0, 1 } } },
};

static void run_row(const struct row *row)
{
	setup();
	for (unsigned i = 0; i < STEPS_MAX && row->steps[i].what != END; i++)
		run_step(row->name, i, &row->steps[i]);
}

START_TEST(the_counters_follow_the_figures)
{
	run_row(&rows[_i]);
}
END_TEST

/* One long step must be as good as many short ones. */
START_TEST(a_long_sleep_ends_where_short_ones_do)
{
	static const uint32_t counts[] = { 2, 3, 4, 5, 7, 10, 255, 256, 1000, 0 };
	struct svm_pit slow;

	for (unsigned i = 0; i < ROWS(counts); i++) {
		setup();
		out(3, 0xb0 | (unsigned)_i << 1);
		write_count(2, counts[i]);
		svm_pit_write_port61(&pit, 0, now());
		svm_pit_write_port61(&pit, 1, now());
		slow = pit;
		for (unsigned t = 1; t <= 3000; t++)
			(void)svm_pit_read_port61(&slow, ns_of(tick + t));
		(void)svm_pit_read_port61(&pit, ns_of(tick + 3000));
		ck_assert_int_eq(memcmp(&slow.state, &pit.state, sizeof(pit.state)), 0);
	}
}
END_TEST

/* Control word formats and what is then read. */
START_TEST(bytes_go_where_the_control_word_says)
{
	setup();
	out(3, 0x94); /* counter 2, low byte only, mode 2 */
	out(2, 0x80);
	tick += 2;
	ck_assert_uint_eq(in(2), 0x7f);
	ck_assert_uint_eq(in(2), 0x7f);
	out(3, 0xa4); /* high byte only */
	out(2, 0x80);
	tick += 2;
	ck_assert_uint_eq(in(2), 0x7f);
	ck_assert_uint_eq(in(2), 0x7f);
	out(3, 0xb4); /* both */
	out(2, 0x34);
	out(2, 0x12);
	tick += 1;
	ck_assert_uint_eq(in(2), 0x34);
	ck_assert_uint_eq(in(2), 0x12);
	ck_assert_uint_eq(in(2), 0x34);
	ck_assert_uint_eq(in(3), 0xff);
	ck_assert_uint_eq(svm_pit_read(&pit, 4, 1, now()), 0xff);
}
END_TEST

START_TEST(a_latched_count_stays_until_it_is_read)
{
	setup();
	out(3, 0xb4);
	write_count(2, 0x1234);
	tick += 1;
	out(3, 0x80);
	tick += 0x100;
	out(3, 0x80); /* ignored */
	ck_assert_uint_eq(in(2), 0x34);
	tick += 0x100;
	ck_assert_uint_eq(in(2), 0x12);
	ck_assert_uint_eq(in(2), 0x34);
	ck_assert_uint_eq(in(2), 0x10);
	out(3, 0x80);
	out(3, 0xb4); /* a control word ends a latch */
	write_count(2, 0x4321);
	tick += 1;
	ck_assert_uint_eq(read_latched(2), 0x4321);
}
END_TEST

/* Read-back command. */
START_TEST(the_status_is_what_the_data_sheet_says)
{
	setup();
	out(3, 0xb4);
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0xf4); /* OUT high, null count, both bytes, mode 2 */
	write_count(2, 3);
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0xf4); /* not loaded yet */
	tick += 1;
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0xb4);
	tick += 2;
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0x34); /* OUT low */
	write_count(2, 9);
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0x74); /* null count again */
	tick += 1;
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0xb4);
	out(3, 0x91); /* counter 2, low byte, mode 0, BCD */
	out(3, 0xe8);
	ck_assert_uint_eq(in(2), 0x51);
}
END_TEST

START_TEST(read_back_latches_status_and_count_of_many)
{
	setup();
	out(3, 0x34);
	write_count(0, 1000);
	out(3, 0xb4);
	write_count(2, 2000);
	tick += 1;
	out(3, 0xca); /* both of counters 0 and 2 */
	tick += 10;
	ck_assert_uint_eq(in(0), 0xb4);
	ck_assert_uint_eq(read_latched(0), 1000);
	ck_assert_uint_eq(in(2), 0xb4);
	ck_assert_uint_eq(read_latched(2), 2000);
	out(3, 0xda); /* count only */
	ck_assert_uint_eq(read_latched(0), 990);
	ck_assert_uint_eq(read_latched(2), 1990);
	out(3, 0xfa); /* neither */
	tick += 1;
	ck_assert_uint_eq(read_latched(0), 989);
	ck_assert_uint_eq(in(1), 0); /* counter 1 was never touched */
}
END_TEST

START_TEST(port_61_shows_gate_speaker_refresh_and_out_2)
{
	unsigned changes = 0;
	uint8_t before = 0;

	setup();
	svm_pit_write_port61(&pit, 0xff, now());
	ck_assert_uint_eq(svm_pit_read_port61(&pit, 0) & 0xcf, 0x0f);
	svm_pit_write_port61(&pit, 0x00, now());
	ck_assert_uint_eq(svm_pit_read_port61(&pit, 0) & 0xcf, 0x00);
	for (unsigned ns = 0; ns < MS; ns += 1000) {
		const uint8_t after = svm_pit_read_port61(&pit, ns) & 0x10;

		changes += after != before;
		before = after;
	}
	ck_assert_uint_eq(changes, 66); /* 1 ms / 15.085 us */
}
END_TEST

/* As an owner does: to each deadline, exactly, until the end. */
static unsigned run_until(uint64_t end)
{
	const unsigned before = probe.rises;
	unsigned calls = 0;

	for (; svm_pit_deadline(&pit) <= end; calls++) {
		const uint64_t deadline = svm_pit_deadline(&pit);

		svm_pit_advance(&pit, deadline);
		ck_assert_uint_gt(svm_pit_deadline(&pit), deadline);
	}
	ck_assert_uint_eq(probe.rises - before, calls);
	return calls;
}

/* Interrupts per second: frequency divided by the count. */
static const struct {
	const char *name;
	uint8_t control;
	uint16_t count;
	unsigned interrupts;
} rate_rows[] = {
	{ "Linux's 250 Hz in mode 2", 0x34, 4773, 249 },
	{ "Linux's 1000 Hz in mode 2", 0x34, 1193, 1000 },
	{ "the BIOS's 18.2 Hz in mode 3", 0x36, 0, 18 },
	{ "an odd count in mode 3", 0x36, 1193, 1000 },
	{ "one interrupt in mode 0", 0x30, 1000, 1 },
	{ "one interrupt in mode 4", 0x38, 1000, 1 },
	{ "none in mode 1, whose gate does not rise", 0x32, 1000, 0 },
	{ "none in mode 5", 0x3a, 1000, 0 },
	{ "what is too fast comes every 200 us", 0x34, 100, 5000 },
	{ "the fastest too", 0x34, 2, 5000 },
};

START_TEST(the_interrupt_comes_at_its_rate)
{
	unsigned count;

	setup();
	tick = 0;
	svm_pit_reset(&pit, 0);
	out(3, rate_rows[_i].control);
	write_count(0, rate_rows[_i].count);
	count = run_until(SVM_NS_PER_S - 1);
	ck_assert_msg(count == rate_rows[_i].interrupts, "%s: %u", rate_rows[_i].name, count);
}
END_TEST

/* The first edge: N + 1 ticks after the write in modes 2 and 0, one more in mode 4. */
static const struct {
	uint8_t control;
	uint32_t ticks;
} edge_rows[] = { { 0x30, 101 }, { 0x34, 101 }, { 0x36, 101 }, { 0x38, 102 } };

START_TEST(the_deadline_is_the_edge)
{
	setup();
	ck_assert_uint_eq(svm_pit_deadline(&pit), SVM_NEVER);
	out(3, edge_rows[_i].control);
	run_until(now());
	tick += 10000;
	out(3, edge_rows[_i].control);
	run_until(now() + MS);
	tick += 10000;
	write_count(0, 100);
	ck_assert_uint_eq(svm_pit_deadline(&pit), ns_of(tick + edge_rows[_i].ticks));
	svm_pit_advance(&pit, ns_of(tick + edge_rows[_i].ticks) - 1);
	ck_assert_uint_eq(svm_pit_deadline(&pit), ns_of(tick + edge_rows[_i].ticks));
}
END_TEST

START_TEST(half_a_count_has_no_deadline)
{
	setup();
	out(3, 0x30);
	write_count(0, 100);
	tick += 10;
	out(0, 0x01);
	ck_assert_uint_eq(svm_pit_deadline(&pit), SVM_NEVER);
	out(0, 0x00);
	ck_assert_uint_eq(svm_pit_deadline(&pit), ns_of(tick + 2));
}
END_TEST

START_TEST(hours_do_not_drift)
{
	const uint64_t hours = 1000 * 3600 * SVM_NS_PER_S;
	uint64_t edges;

	setup();
	tick = 0;
	svm_pit_reset(&pit, 0);
	out(3, 0x34);
	write_count(0, 1193);
	svm_pit_advance(&pit, hours);
	edges = (1193182ull * 1000 * 3600 - 1) / 1193;
	ck_assert_uint_eq(pit.state.counters[0].element,
	                  1193 - (1193182ull * 1000 * 3600 - 1 - edges * 1193));
}
END_TEST

START_TEST(missed_interrupts_follow_200_us_apart)
{
	uint64_t late;

	setup();
	tick = 0;
	svm_pit_reset(&pit, 0);
	out(3, 0x34);
	write_count(0, 1193);
	late = 50 * MS + 500000;
	svm_pit_advance(&pit, late);
	ck_assert_uint_eq(probe.rises, 1);
	ck_assert_uint_eq(svm_pit_deadline(&pit), late + 200000);
	run_until(100 * MS);
	ck_assert_uint_eq(probe.rises, 100);
	svm_pit_advance(&pit, 3600 * SVM_NS_PER_S);
	ck_assert_uint_eq(pit.state.owed, SVM_PIT_OWED_MAX - 1);
	out(3, 0x34);
	ck_assert_uint_eq(pit.state.owed, 0);
}
END_TEST

START_TEST(missed_interrupts_are_dropped_on_demand)
{
	setup();
	tick = 0;
	svm_pit_reset(&pit, 0);
	out(3, 0x34);
	write_count(0, 1193);
	svm_pit_advance(&pit, 50 * MS + 500000);
	ck_assert_uint_eq(probe.rises, 1);
	ck_assert_uint_eq(pit.state.owed, 49);
	svm_pit_drop_late(&pit, true); /* Those too that are owed already. */
	run_until(60 * MS);
	ck_assert_uint_eq(probe.rises, 1 + 1 + 10);
	svm_pit_advance(&pit, 3600 * SVM_NS_PER_S);
	ck_assert_uint_eq(pit.state.owed, 0);
	svm_pit_drop_late(&pit, false);
	svm_pit_advance(&pit, 3601 * SVM_NS_PER_S);
	ck_assert_uint_gt(pit.state.owed, 900);
}
END_TEST

/* One shot after the other, each too early for an interrupt of its own. */
START_TEST(single_shots_are_not_owed)
{
	setup();
	out(3, 0x38);
	for (unsigned i = 0; i < 20; i++) {
		write_count(0, 2);
		tick += 10;
		svm_pit_advance(&pit, now());
	}
	ck_assert_uint_eq(probe.rises, 1);
	run_until(now() + MS);
	ck_assert_uint_eq(probe.rises, 2);
}
END_TEST

/* quick_pit_calibrate() of Linux: the high byte of counter 2 goes down one by one. */
START_TEST(linux_calibrates_by_counter_2)
{
	uint64_t time = 5 * MS;
	unsigned high = 0xff;

	setup();
	svm_pit_write_port61(&pit, (svm_pit_read_port61(&pit, time) & 0xfd) | 0x01, time);
	svm_pit_write(&pit, 3, 1, 0xb0, time);
	svm_pit_write(&pit, 2, 1, 0xff, time);
	svm_pit_write(&pit, 2, 1, 0xff, time);
	for (; high > 0x80; time += 1000) {
		unsigned now_high;

		(void)svm_pit_read(&pit, 2, 1, time);
		now_high = svm_pit_read(&pit, 2, 1, time);
		ck_assert(now_high == high || now_high == high - 1 || now_high == 0);
		if (now_high)
			high = now_high;
	}
	ck_assert_uint_ge(time, 5 * MS + 0x7e00 * 838);
	ck_assert_uint_le(time, 5 * MS + 0x8000 * 839);
}
END_TEST

/* pit_calibrate_tsc(): counter 2 in mode 0 for 50 ms, seen by bit 5 of port 61h. */
START_TEST(linux_waits_for_out_2)
{
	const uint64_t begin = 7 * MS;

	setup();
	svm_pit_write_port61(&pit, 0x01, begin);
	svm_pit_write(&pit, 3, 1, 0xb0, begin);
	svm_pit_write(&pit, 2, 1, 59659 & 0xff, begin);
	svm_pit_write(&pit, 2, 1, 59659 >> 8, begin);
	ck_assert(!(svm_pit_read_port61(&pit, begin + 50 * MS - 2000) & 0x20));
	ck_assert(svm_pit_read_port61(&pit, begin + 50 * MS + 2000) & 0x20);
}
END_TEST

START_TEST(what_was_saved_is_restored)
{
	const struct svm_wire wire = probe_wire(&probe, 0);
	struct svm_pit_state state;
	struct svm_pit copy;

	setup();
	out(3, 0x34);
	write_count(0, 1193);
	tick += 3000;
	svm_pit_advance(&pit, now());
	ck_assert(probe.level);
	svm_pit_save(&pit, &state);

	memset(&probe, 0, sizeof(probe));
	svm_pit_init(&copy, &wire);
	ck_assert_int_eq(svm_pit_restore(&copy, &state, now()), 0);
	ck_assert(probe.level);
	ck_assert_uint_eq(svm_pit_deadline(&copy), svm_pit_deadline(&pit));
	ck_assert_int_eq(svm_pit_restore(&copy, &state, 0), SVM_ERR_INVAL);
}
END_TEST

/* One byte of the state of a running PIT replaced. */
#define COUNTER(member) offsetof(struct svm_pit_counter, member)
static const struct {
	const char *name;
	size_t offset;
	uint8_t value;
} bad_rows[] = {
	{ "mode 6", COUNTER(mode), 6 },
	{ "access 0", COUNTER(access), 0 },
	{ "access 4", COUNTER(access), 4 },
	{ "one byte, but the high one is next", COUNTER(access), 1 },
	{ "BCD of 2", COUNTER(bcd), 2 },
	{ "a gate that is not there", COUNTER(gate), 0 },
	{ "a period of 1", COUNTER(loaded), 1 },
	{ "an element of 0", COUNTER(element), 0 },
	{ "an element above the period", COUNTER(element), 200 },
	{ "a count of more than 17 bits", COUNTER(reload) + 2, 2 },
	{ "no count, but one is loaded", COUNTER(reload), 0 },
	{ "a half count in mode 2", COUNTER(halted), 1 },
	{ "something behind the last member", COUNTER(reserved), 1 },
	{ "a time to come", COUNTER(tick) + 7, 1 },
	{ "an interrupt in a year", offsetof(struct svm_pit_state, next_interrupt_ns) + 7, 1 },
	{ "too many owed", offsetof(struct svm_pit_state, owed) + 2, 1 },
	{ "bit 4 of port 61h", offsetof(struct svm_pit_state, port61), 0x11 },
	{ "another gate 2 than port 61h says", offsetof(struct svm_pit_state, port61), 0 },
	{ "a wire of 2", offsetof(struct svm_pit_state, irq), 2 },
	{ "something behind that", offsetof(struct svm_pit_state, reserved) + 1, 1 },
};

START_TEST(a_state_that_cannot_be_is_refused)
{
	struct svm_pit_state state;
	struct svm_pit before;

	setup();
	out(3, 0x34);
	write_count(0, 100);
	tick += 60;
	(void)in(0);
	svm_pit_save(&pit, &state);
	before = pit;
	((uint8_t *)&state)[bad_rows[_i].offset] = bad_rows[_i].value;
	ck_assert_msg(svm_pit_restore(&pit, &state, now()) == SVM_ERR_INVAL, "%s",
	              bad_rows[_i].name);
	ck_assert_int_eq(memcmp(&before, &pit, sizeof(pit)), 0);
}
END_TEST

/* What is yes or no must not be more, in a counter whose other answers are all no. */
static const size_t flag_rows[] = {
	COUNTER(bcd),        COUNTER(gate),    COUNTER(out),            COUNTER(load),
	COUNTER(halted),     COUNTER(armed),   COUNTER(null_count),     COUNTER(latched),
	COUNTER(read_high),  COUNTER(write_high), COUNTER(status_latched),
};

START_TEST(a_flag_is_0_or_1)
{
	struct svm_pit_state state;
	uint8_t *counter = (uint8_t *)&state.counters[1];

	setup();
	svm_pit_save(&pit, &state);
	for (int i = 0; i < ROWS(flag_rows); i++)
		counter[flag_rows[i]] = 0;
	ck_assert_int_eq(svm_pit_restore(&pit, &state, now()), 0);
	counter[flag_rows[_i]] = 2;
	ck_assert_int_eq(svm_pit_restore(&pit, &state, now()), SVM_ERR_INVAL);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_counters_follow_the_figures, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_long_sleep_ends_where_short_ones_do, 0, 6);
	tcase_add_test(tc, bytes_go_where_the_control_word_says);
	tcase_add_test(tc, a_latched_count_stays_until_it_is_read);
	tcase_add_test(tc, the_status_is_what_the_data_sheet_says);
	tcase_add_test(tc, read_back_latches_status_and_count_of_many);
	tcase_add_test(tc, port_61_shows_gate_speaker_refresh_and_out_2);
	tcase_add_loop_test(tc, the_interrupt_comes_at_its_rate, 0, ROWS(rate_rows));
	tcase_add_loop_test(tc, the_deadline_is_the_edge, 0, ROWS(edge_rows));
	tcase_add_test(tc, half_a_count_has_no_deadline);
	tcase_add_test(tc, hours_do_not_drift);
	tcase_add_test(tc, missed_interrupts_follow_200_us_apart);
	tcase_add_test(tc, missed_interrupts_are_dropped_on_demand);
	tcase_add_test(tc, single_shots_are_not_owed);
	tcase_add_test(tc, linux_calibrates_by_counter_2);
	tcase_add_test(tc, linux_waits_for_out_2);
	tcase_add_test(tc, what_was_saved_is_restored);
	tcase_add_loop_test(tc, a_state_that_cannot_be_is_refused, 0, ROWS(bad_rows));
	tcase_add_loop_test(tc, a_flag_is_0_or_1, 0, ROWS(flag_rows));
}

int main(void)
{
	return suite_run("pit", add_tests);
}
