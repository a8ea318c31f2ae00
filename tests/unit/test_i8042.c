/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The keyboard controller's commands, and the sequences of Linux 6.1's driver that probes it. */
#include <libsvm/platform/i8042.h>

#include "device_rig.h"

#define STEPS_MAX 16

enum what {
	END,
	C,     /* command value to port 64h */
	D,     /* value to port 60h */
	RD,    /* port 60h reads as value */
	RS,    /* port 64h reads as value */
	IRQ,   /* the interrupt is value */
	A20,   /* the A20 line is value */
	RESET, /* that many resets since the last such step */
};

struct step {
	enum what what;
	uint8_t value;
};

struct row {
	const char *name;
	struct step steps[STEPS_MAX];
};

static struct svm_i8042 kbc;
static struct probe probes[3];

static void setup(void)
{
	const struct svm_i8042_wires wires = {
		.irq = probe_wire(probes, 0),
		.reset = probe_wire(probes, 1),
		.a20 = probe_wire(probes, 2),
	};

	memset(probes, 0, sizeof(probes));
	probes[2].level = true;
	svm_i8042_init(&kbc, &wires);
}

static void run_step(const char *name, unsigned index, const struct step *step)
{
	uint32_t got = step->value;

	switch (step->what) {
	case C:
		svm_i8042_write(&kbc, 4, 1, step->value);
		break;
	case D:
		svm_i8042_write(&kbc, 0, 1, step->value);
		break;
	case RD:
		got = svm_i8042_read(&kbc, 0, 1);
		break;
	case RS:
		got = svm_i8042_read(&kbc, 4, 1);
		break;
	case IRQ:
		got = probes[0].level;
		break;
	case A20:
		got = probes[2].level;
		break;
	case RESET:
		got = probes[1].rises;
		probes[1].rises = 0;
		break;
	case END:
		break;
	}
	ck_assert_msg(got == step->value, "%s: step %u: %#x, not %#x", name, index, got,
	              step->value);
}

static const struct row rows[] = {
	{ "at first: tested, unlocked, nothing to read", { { RS, 0x14 }, { IRQ, 0 }, { A20, 1 },
	    { RD, 0 } } },
	{ "bit 3 of the status says what was written last", { { C, 0xae }, { RS, 0x1c },
	    { D, 0xf4 }, { RS, 0x55 } } },
	{ "20h reads the command byte", { { C, 0x20 }, { RS, 0x1d }, { RD, 0x65 }, { RS, 0x1c } } },
	{ "60h writes it", { { C, 0x60 }, { D, 0x47 }, { C, 0x20 }, { RD, 0x47 } } },
	{ "21h to 3Fh and 61h to 7Fh are memory", { { C, 0x61 }, { D, 0x12 }, { C, 0x7f },
	    { D, 0x34 }, { C, 0x21 }, { RD, 0x12 }, { C, 0x3f }, { RD, 0x34 }, { C, 0x20 },
	    { RD, 0x65 } } },
	{ "a command in between ends the wait for a byte", { { C, 0x60 }, { C, 0x20 }, { RD, 0x65 },
	    { D, 0x47 }, { RD, 0xfe }, { C, 0x20 }, { RD, 0x65 } } },
	{ "status bit 2 is that of the command byte", { { C, 0x60 }, { D, 0x00 }, { RS, 0x10 },
	    { C, 0xaa }, { RD, 0x55 }, { RS, 0x1c } } },
	{ "A7h and A8h switch the mouse port", { { C, 0xa8 }, { C, 0x20 }, { RD, 0x45 },
	    { C, 0xa7 }, { C, 0x20 }, { RD, 0x65 } } },
	{ "A9h: the clock of the mouse port is stuck", { { C, 0xa9 }, { RD, 0x01 } } },
	{ "AAh: the self test passes", { { C, 0xaa }, { RS, 0x1d }, { RD, 0x55 } } },
	{ "ABh: the keyboard port's test passes", { { C, 0xab }, { RS, 0x1d }, { RD, 0x00 } } },
	{ "ADh and AEh switch the keyboard port", { { C, 0xad }, { C, 0x20 }, { RD, 0x75 },
	    { C, 0xae }, { C, 0x20 }, { RD, 0x65 } } },
	{ "C0h reads the input port: not locked", { { C, 0xc0 }, { RD, 0x80 } } },
	{ "D0h reads the output port", { { C, 0xd0 }, { RD, 0xc3 }, { C, 0xaa }, { C, 0xd0 },
	    { RD, 0xd3 } } },
	{ "D1h drives A20", { { C, 0xd1 }, { D, 0xdd }, { A20, 0 }, { C, 0xd0 }, { RD, 0xc1 },
	    { C, 0xd1 }, { D, 0xdf }, { A20, 1 }, { RESET, 0 } } },
	{ "D1h resets", { { C, 0xd1 }, { D, 0xfe }, { RESET, 1 }, { A20, 1 } } },
	{ "D2h is a byte as if from the keyboard", { { C, 0xd2 }, { D, 0x1e }, { IRQ, 1 },
	    { RS, 0x15 }, { RD, 0x1e }, { IRQ, 0 } } },
	{ "D4h: no mouse takes the byte", { { C, 0xd4 }, { D, 0xff }, { RS, 0x55 },
	    { RD, 0xfe } } },
	{ "DDh and DFh drive A20", { { C, 0xdd }, { A20, 0 }, { C, 0xdf }, { A20, 1 } } },
	{ "E0h reads the test inputs", { { C, 0xe0 }, { RS, 0x1d }, { RD, 0x00 } } },
	{ "FEh resets", { { C, 0xfe }, { RESET, 1 } } },
	{ "FFh pulses nothing, F0h everything", { { C, 0xff }, { RESET, 0 }, { C, 0xf0 },
	    { RESET, 1 } } },
	{ "FDh pulses another line", { { C, 0xfd }, { RESET, 0 }, { A20, 1 } } },
	{ "other commands do nothing", { { C, 0x00 }, { C, 0xc8 }, { C, 0x9f }, { RS, 0x1c },
	    { D, 0x00 }, { RD, 0xfe } } },
	{ "a byte to the keyboard times out, and the bit goes with it", { { D, 0xff }, { RS, 0x55 },
	    { RD, 0xfe }, { RS, 0x14 } } },
	{ "a byte to the keyboard switches its port on", { { C, 0xad }, { D, 0xed }, { RD, 0xfe },
	    { C, 0x20 }, { RD, 0x65 } } },
	{ "without bit 0 of the command byte there is no interrupt", { { C, 0x60 }, { D, 0x44 },
	    { D, 0xf2 }, { IRQ, 0 }, { C, 0x60 }, { D, 0x45 }, { IRQ, 1 } } },
	/* Linux. */
	{ "Linux: nothing to flush, so a controller is there", { { RS, 0x14 } } },
	{ "Linux: no mouse port: D3h comes back unmarked, A9h fails", { { C, 0xd3 }, { D, 0x5a },
	    { RS, 0x15 }, { RD, 0x5a }, { C, 0xa9 }, { RS, 0x1d }, { RD, 0x01 } } },
	{ "Linux: no keyboard: its identification times out", { { C, 0x60 }, { D, 0x45 },
	    { D, 0xf2 }, { IRQ, 1 }, { RS, 0x55 }, { RD, 0xfe }, { IRQ, 0 } } },
	{ "Linux: reboot waits for bit 1 to be clear and writes FEh", { { RS, 0x14 }, { C, 0xfe },
	    { RESET, 1 } } },
};

START_TEST(the_controller_answers)
{
	setup();
	for (unsigned i = 0; i < STEPS_MAX && rows[_i].steps[i].what != END; i++)
		run_step(rows[_i].name, i, &rows[_i].steps[i]);
}
END_TEST

START_TEST(other_ports_are_not_its_own)
{
	setup();
	svm_i8042_write(&kbc, 1, 1, 0xff);
	svm_i8042_write(&kbc, 3, 1, 0xaaff);
	ck_assert_uint_eq(svm_i8042_read(&kbc, 1, 1), 0xff);
	ck_assert_uint_eq(svm_i8042_read(&kbc, 4, 4), 0xffffff14);
	ck_assert_uint_eq(svm_i8042_read(&kbc, 0, 2), 0xff00);
}
END_TEST

START_TEST(without_wires_it_works)
{
	svm_i8042_init(&kbc, NULL);
	svm_i8042_write(&kbc, 4, 1, 0xaa);
	svm_i8042_write(&kbc, 4, 1, 0xfe);
	ck_assert_uint_eq(svm_i8042_read(&kbc, 0, 1), 0x55);
	svm_i8042_write(&kbc, 4, 1, 0xdd);
	svm_i8042_write(&kbc, 4, 1, 0xd0);
	ck_assert_uint_eq(svm_i8042_read(&kbc, 0, 1), 0xc3); /* A20 is on nevertheless. */
}
END_TEST

START_TEST(what_was_saved_is_restored)
{
	struct svm_i8042_state state;

	setup();
	svm_i8042_write(&kbc, 4, 1, 0xdd);
	svm_i8042_write(&kbc, 0, 1, 0xff);
	svm_i8042_write(&kbc, 4, 1, 0x60);
	svm_i8042_save(&kbc, &state);
	svm_i8042_reset(&kbc);
	ck_assert(!probes[0].level && probes[2].level);
	ck_assert_int_eq(svm_i8042_restore(&kbc, &state), 0);
	ck_assert(probes[0].level && !probes[2].level);
	svm_i8042_write(&kbc, 0, 1, 0x11);
	ck_assert_uint_eq(kbc.state.ram[0], 0x11);
}
END_TEST

static const struct {
	const char *name;
	size_t offset;
	uint8_t value;
} bad_rows[] = {
	{ "status bit 1", offsetof(struct svm_i8042_state, status), 0x02 },
	{ "a timeout without data", offsetof(struct svm_i8042_state, status), 0x40 },
	{ "a command without a byte", offsetof(struct svm_i8042_state, command), 0xaa },
	{ "reset is held", offsetof(struct svm_i8042_state, output_port), 0x02 },
	{ "other lines", offsetof(struct svm_i8042_state, output_port), 0x05 },
	{ "something behind the last member", offsetof(struct svm_i8042_state, reserved), 1 },
};

START_TEST(a_state_that_cannot_be_is_refused)
{
	struct svm_i8042_state state;
	struct svm_i8042 before;

	setup();
	svm_i8042_save(&kbc, &state);
	before = kbc;
	((uint8_t *)&state)[bad_rows[_i].offset] = bad_rows[_i].value;
	ck_assert_msg(svm_i8042_restore(&kbc, &state) == SVM_ERR_INVAL, "%s", bad_rows[_i].name);
	ck_assert_int_eq(memcmp(&before, &kbc, sizeof(kbc)), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, the_controller_answers, 0, ROWS(rows));
	tcase_add_test(tc, other_ports_are_not_its_own);
	tcase_add_test(tc, without_wires_it_works);
	tcase_add_test(tc, what_was_saved_is_restored);
	tcase_add_loop_test(tc, a_state_that_cannot_be_is_refused, 0, ROWS(bad_rows));
}

int main(void)
{
	return suite_run("i8042", add_tests);
}
