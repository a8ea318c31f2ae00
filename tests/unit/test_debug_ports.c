/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ports 80h, 92h, E9h, F4h and CF9h. */
#include <libsvm/platform/debug_ports.h>

#include "device_rig.h"

static struct svm_debug_ports ports;
static struct probe probes[2];
static struct told {
	unsigned puts, exits;
	uint8_t byte;
	uint32_t value;
} told;

static void put(void *arg, uint8_t byte)
{
	struct told *t = arg;

	t->puts++;
	t->byte = byte;
}

static void leave(void *arg, uint32_t value)
{
	struct told *t = arg;

	t->exits++;
	t->value = value;
}

static void setup(void)
{
	const struct svm_debug_ports_sinks sinks = {
		.put = put,
		.exit = leave,
		.arg = &told,
		.reset = probe_wire(probes, 0),
		.a20 = probe_wire(probes, 1),
	};

	memset(&told, 0, sizeof(told));
	memset(probes, 0, sizeof(probes));
	probes[1].level = true;
	svm_debug_ports_init(&ports, &sinks);
}

/* A write, and what follows. */
static const struct {
	const char *name;
	uint32_t port, size, value;
	unsigned puts, exits, resets;
	bool a20;
	uint32_t reads; /* by one byte */
} rows[] = {
	{ "80h keeps a code", 0x80, 1, 0x42, 0, 0, 0, true, 0x42 },
	{ "E9h passes a byte on and reads as E9", 0xe9, 1, 'a', 1, 0, 0, true, 0xe9 },
	{ "F4h ends the guest", 0xf4, 1, 0x10, 0, 1, 0, true, 0xff },
	{ "F4h takes four bytes", 0xf4, 4, 0x12345678, 0, 1, 0, true, 0xff },
	{ "92h: A20 off", 0x92, 1, 0x00, 0, 0, 0, false, 0x00 },
	{ "92h: A20 on", 0x92, 1, 0x02, 0, 0, 0, true, 0x02 },
	{ "92h: bit 0 resets", 0x92, 1, 0x03, 0, 0, 1, true, 0x03 },
	{ "92h: other bits are kept", 0x92, 1, 0xc2, 0, 0, 0, true, 0xc2 },
	{ "CF9h: the kind of reset alone", 0xcf9, 1, 0x0a, 0, 0, 0, true, 0x0a },
	{ "CF9h: bit 2 resets", 0xcf9, 1, 0x06, 0, 0, 1, true, 0x06 },
	{ "CF9h: other bits are not there", 0xcf9, 1, 0xf1, 0, 0, 0, true, 0x00 },
	{ "CF9h by two bytes is another register", 0xcf9, 2, 0x06, 0, 0, 0, true, 0x00 },
	{ "two bytes at E8h: the second is for E9h", 0xe8, 2, 0x6100, 1, 0, 0, true, 0xff },
	{ "one byte at E8h is not for E9h", 0xe8, 1, 0x61, 0, 0, 0, true, 0xff },
	{ "another port", 0x81, 1, 0x55, 0, 0, 0, true, 0xff },
};

START_TEST(each_port_does_its_own)
{
	setup();
	svm_debug_ports_write(&ports, rows[_i].port, rows[_i].size, rows[_i].value);
	ck_assert_msg(told.puts == rows[_i].puts, "%s", rows[_i].name);
	ck_assert_msg(told.exits == rows[_i].exits, "%s", rows[_i].name);
	ck_assert_msg(!told.exits || told.value == rows[_i].value, "%s", rows[_i].name);
	ck_assert_msg(probes[0].rises == rows[_i].resets, "%s", rows[_i].name);
	ck_assert_msg(!probes[0].level, "%s", rows[_i].name);
	ck_assert_msg(probes[1].level == rows[_i].a20, "%s", rows[_i].name);
	ck_assert_msg(svm_debug_ports_read(&ports, rows[_i].port, 1) == rows[_i].reads, "%s",
	              rows[_i].name);
}
END_TEST

START_TEST(a_reset_bit_acts_when_it_rises)
{
	setup();
	svm_debug_ports_write(&ports, 0x92, 1, 0x03);
	svm_debug_ports_write(&ports, 0x92, 1, 0x01);
	ck_assert_uint_eq(probes[0].rises, 1);
	svm_debug_ports_write(&ports, 0x92, 1, 0x02);
	svm_debug_ports_write(&ports, 0x92, 1, 0x03);
	ck_assert_uint_eq(probes[0].rises, 2);
	/* Linux: native_machine_emergency_restart(). */
	svm_debug_ports_write(&ports, 0xcf9, 1, 0x02);
	ck_assert_uint_eq(probes[0].rises, 2);
	svm_debug_ports_write(&ports, 0xcf9, 1, 0x0e);
	svm_debug_ports_write(&ports, 0xcf9, 1, 0x0e);
	ck_assert_uint_eq(probes[0].rises, 3);
}
END_TEST

START_TEST(without_sinks_they_work)
{
	svm_debug_ports_init(&ports, NULL);
	svm_debug_ports_write(&ports, 0xe9, 1, 'a');
	svm_debug_ports_write(&ports, 0xf4, 1, 1);
	svm_debug_ports_write(&ports, 0x92, 1, 1);
	ck_assert_uint_eq(svm_debug_ports_read(&ports, 0x92, 1), 3); /* A20 is on nevertheless. */
	svm_debug_ports_write(&ports, 0xcf9, 1, 6);
	ck_assert_uint_eq(svm_debug_ports_read(&ports, 0xe8, 4), 0xffffe9ff);
}
END_TEST

START_TEST(what_was_saved_is_restored)
{
	struct svm_debug_ports_state state;

	setup();
	svm_debug_ports_write(&ports, 0x80, 1, 0x12);
	svm_debug_ports_write(&ports, 0x92, 1, 0x00);
	svm_debug_ports_write(&ports, 0xcf9, 1, 0x0a);
	svm_debug_ports_save(&ports, &state);
	svm_debug_ports_reset(&ports);
	ck_assert(probes[1].level);
	ck_assert_int_eq(svm_debug_ports_restore(&ports, &state), 0);
	ck_assert(!probes[1].level);
	ck_assert_uint_eq(svm_debug_ports_read(&ports, 0x80, 1), 0x12);
	ck_assert_uint_eq(svm_debug_ports_read(&ports, 0xcf9, 1), 0x0a);
	state.cf9 = 1;
	ck_assert_int_eq(svm_debug_ports_restore(&ports, &state), SVM_ERR_INVAL);
	state.cf9 = 0;
	state.reserved = 1;
	ck_assert_int_eq(svm_debug_ports_restore(&ports, &state), SVM_ERR_INVAL);
	ck_assert_uint_eq(svm_debug_ports_read(&ports, 0xcf9, 1), 0x0a);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_port_does_its_own, 0, ROWS(rows));
	tcase_add_test(tc, a_reset_bit_acts_when_it_rises);
	tcase_add_test(tc, without_sinks_they_work);
	tcase_add_test(tc, what_was_saved_is_restored);
}

int main(void)
{
	return suite_run("debug ports", add_tests);
}
