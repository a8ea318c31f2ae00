/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random sequences on the library's 8254, MC146818 and 16550A and on plain models of them.  After
 * each event: the same values read, the same wires, and as many rising edges.
 *
 * usage: legacy_random [EVENTS [SEED]]
 *
 * The library's devices are driven as an owner would: svm_X_advance() at each deadline and no
 * oftener; the models take each tick.  So a deadline that is wrong or forgotten shows.
 */
#include <string.h>

#include <libsvm/platform/pit.h>
#include <libsvm/platform/rtc.h>
#include <libsvm/platform/uart.h>

#include "chance.h"
#include "legacy_model.h"

#define EVENTS 2000000u

static struct {
	struct svm_pit pit;
	struct model_pit pit_model;
	struct end pit_end;
	struct svm_rtc rtc;
	struct model_rtc rtc_model;
	struct end rtc_end;
	struct svm_uart uart;
	struct model_uart uart_model;
	struct end uart_end;
	unsigned sent;
	uint8_t sent_last;
} t;

static void put(void *arg, uint8_t byte)
{
	(void)arg;
	t.sent++;
	t.sent_last = byte;
}

/* --- 8254 --- */

static void pit_until(uint64_t now)
{
	while (svm_pit_deadline(&t.pit) <= now) {
		const uint64_t deadline = svm_pit_deadline(&t.pit);

		svm_pit_advance(&t.pit, deadline);
		same("8254's deadline goes on", svm_pit_deadline(&t.pit) > deadline, true);
	}
	model_pit_run(&t.pit_model, now);
}

/* Small counts wrap often, and a digit above 9 in BCD has no meaning that two could agree on. */
static uint8_t count_byte(void)
{
	static const uint8_t bytes[] = { 0, 0, 0, 1, 2, 3, 4, 5, 9, 0x10, 0x12, 0x55, 0x99 };

	return bytes[draw(sizeof(bytes))];
}

static uint8_t control_byte(void)
{
	const uint8_t value = (uint8_t)draw(256);

	/* Fewer words that program, or no counter would come far. */
	return one_in(4) || value >= 0xc0 ? value : value & 0xcf;
}

static void pit_write(void)
{
	const unsigned offset = (unsigned)draw(4);
	const unsigned size = one_in(8) ? 2 : 1;
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)(offset + i == 3 ? control_byte() : count_byte()) << 8 * i;
	svm_pit_write(&t.pit, offset, size, value, chance.now);
	for (unsigned i = 0; i < size; i++)
		model_pit_write(&t.pit_model, offset + i, (uint8_t)(value >> 8 * i), chance.now);
}

static void pit_read(void)
{
	const unsigned offset = (unsigned)draw(5);
	const unsigned size = one_in(8) ? 2 : 1;
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)model_pit_read(&t.pit_model, offset + i) << 8 * i;
	same("8254 reads", svm_pit_read(&t.pit, offset, size, chance.now), value);
}

static void pit_event(void)
{
	const uint8_t port61 = (uint8_t)draw(256);

	pit_until(chance.now);
	switch (draw(6)) {
	case 0:
	case 1:
		pit_write();
		break;
	case 2:
		if (one_in(2)) {
			svm_pit_write_port61(&t.pit, port61, chance.now);
			model_pit_write61(&t.pit_model, port61);
		}
		break;
	case 3:
		same("port 61h reads", svm_pit_read_port61(&t.pit, chance.now),
		     model_pit_read61(&t.pit_model, chance.now));
		break;
	default:
		pit_read();
	}
	same("IRQ 0 is", t.pit_end.level, t.pit_model.irq);
	same("IRQ 0 rose", t.pit_end.rises, t.pit_model.rises);
}

/* --- MC146818 --- */

static void rtc_until(uint64_t now)
{
	while (svm_rtc_deadline(&t.rtc) <= now) {
		const uint64_t deadline = svm_rtc_deadline(&t.rtc);

		svm_rtc_advance(&t.rtc, deadline);
		same("MC146818's deadline goes on", svm_rtc_deadline(&t.rtc) > deadline, true);
	}
	model_rtc_run(&t.rtc_model, now);
}

static uint8_t rtc_value(unsigned index)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x02, 0x07, 0x09, 0x11, 0x12, 0x19,
		                          0x20, 0x23, 0x28, 0x29, 0x30, 0x31, 0x58, 0x59,
		                          0x81, 0x91, 0x92, 0x99, 0xc0, 0xff };

	if (index == 0x0a)
		return (uint8_t)(one_in(8) ? draw(256) : 0x20 | draw(16));
	if (index == 0x0b)
		return (uint8_t)(one_in(8) ? draw(256) : draw(128));
	return one_in(8) ? (uint8_t)draw(256) : values[draw(sizeof(values))];
}

static unsigned rtc_index(void)
{
	return (unsigned)(one_in(16) ? draw(256) : one_in(8) ? 0x32 : draw(14));
}

static void rtc_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_rtc_write(&t.rtc, offset, size, value, chance.now);
	for (unsigned i = 0; i < size; i++)
		model_rtc_write(&t.rtc_model, offset + i, (uint8_t)(value >> 8 * i), chance.now);
}

static void rtc_event(void)
{
	const unsigned index = rtc_index();

	rtc_until(chance.now);
	if (one_in(8)) {
		rtc_write(0, 2, index | (uint32_t)rtc_value(index & 0x7f) << 8);
	} else {
		const uint32_t offset = one_in(16) ? (uint32_t)draw(4) : 1;

		rtc_write(0, 1, one_in(3) ? 0x0c : index);
		same("MC146818 reads", svm_rtc_read(&t.rtc, offset, 1, chance.now),
		     model_rtc_read(&t.rtc_model, offset, chance.now));
	}
	same("IRQ 8 is", t.rtc_end.level, t.rtc_model.irq);
	same("IRQ 8 rose", t.rtc_end.rises, t.rtc_model.rises);
}

/* --- 16550A --- */

static uint8_t uart_value(unsigned offset)
{
	static const uint8_t modem[] = { 0x08, 0x08, 0x0b, 0x18, 0x10 };

	if (offset == 3)
		return one_in(4) ? 0x83 : 0x03;
	if (offset == 4 && !one_in(4))
		return modem[draw(sizeof(modem))];
	return (uint8_t)draw(256);
}

static void uart_event(void)
{
	static const uint8_t often[] = { 0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8 };
	const unsigned offset = often[draw(sizeof(often))];
	const uint8_t value = uart_value(offset);
	const uint64_t action = draw(8);
	int read;

	if (action < 3) {
		svm_uart_write(&t.uart, offset, 1, value);
		model_uart_write(&t.uart_model, offset, value);
	} else if (action < 6) {
		read = model_uart_read(&t.uart_model, offset);
		const uint32_t got = svm_uart_read(&t.uart, offset, 1);

		same("16550A reads", got, read < 0 ? got : (uint32_t)read);
	} else if (one_in(8)) {
		same("16550A has room for a break", svm_uart_receive_break(&t.uart),
		     model_uart_receive(&t.uart_model, 0, true));
	} else {
		same("16550A has room", svm_uart_receive(&t.uart, value),
		     model_uart_receive(&t.uart_model, value, false));
	}
	same("IRQ 4 is", t.uart_end.level, t.uart_model.irq);
	same("IRQ 4 rose", t.uart_end.rises, t.uart_model.rises);
	same("16550A sent", t.sent, t.uart_model.sent);
	same("16550A sent last", t.sent_last, t.uart_model.sent_last);
}

/* Save and restore must not be noticed. */
static void restore_all(void)
{
	struct svm_pit_state pit;
	struct svm_rtc_state rtc;
	struct svm_uart_state uart;

	svm_pit_save(&t.pit, &pit);
	svm_rtc_save(&t.rtc, &rtc);
	svm_uart_save(&t.uart, &uart);
	same("8254 is restored", (uint64_t)svm_pit_restore(&t.pit, &pit, chance.now), 0);
	same("MC146818 is restored", (uint64_t)svm_rtc_restore(&t.rtc, &rtc, chance.now), 0);
	same("16550A is restored", (uint64_t)svm_uart_restore(&t.uart, &uart), 0);
}

static void pass_time(void)
{
	if (one_in(2))
		chance.now += draw(50000);
	else if (one_in(1000))
		chance.now += draw(60000000);
	else if (one_in(4000))
		chance.now += draw(3000000000);
}

static void init(uint64_t seed)
{
	const struct svm_wire pit = { end_set, &t.pit_end, 0 };
	const struct svm_wire rtc = { end_set, &t.rtc_end, 0 };
	const struct svm_wire uart = { end_set, &t.uart_end, 0 };

	memset(&t, 0, sizeof(t));
	chance_init(seed);
	svm_pit_init(&t.pit, &pit);
	svm_rtc_init(&t.rtc, &rtc, 0);
	svm_uart_init(&t.uart, &uart, put, NULL);
	model_pit_init(&t.pit_model);
	model_rtc_init(&t.rtc_model);
	model_uart_init(&t.uart_model);
}

int main(int argc, char **argv)
{
	const unsigned long events = argc > 1 ? strtoul(argv[1], NULL, 0) : EVENTS;

	init(argc > 2 ? strtoull(argv[2], NULL, 0) : 1);
	for (chance.event = 0; chance.event < events; chance.event++) {
		pass_time();
		switch (draw(3)) {
		case 0:
			pit_event();
			break;
		case 1:
			rtc_event();
			break;
		default:
			uart_event();
		}
		if (one_in(200))
			restore_all();
	}
	printf("%lu events, %llu s: IRQ 0 %llu times, IRQ 8 %llu, IRQ 4 %llu, %u bytes sent: the "
	       "same\n",
	       events, (unsigned long long)(chance.now / 1000000000),
	       (unsigned long long)t.pit_end.rises, (unsigned long long)t.rtc_end.rises,
	       (unsigned long long)t.uart_end.rises, t.sent);
	return 0;
}
