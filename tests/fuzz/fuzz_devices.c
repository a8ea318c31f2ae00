/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PC devices under any sequence of accesses and steps of time.
 *
 * The input is a list of events: a byte that chooses device and action, then operands.  Held after
 * each: every device is in a state that it would restore, so each index and divisor is in range;
 * restoring it changes nothing; a deadline that was served moves on; a wire is told of changes
 * only; a state that is refused changes nothing.
 *
 * To add a device: its object in struct machine, its functions, and a row in devices[].
 */
#include <stdlib.h>
#include <string.h>

#include <libsvm/platform/acpi_pm.h>
#include <libsvm/platform/debug_ports.h>
#include <libsvm/platform/fw_cfg.h>
#include <libsvm/platform/i8042.h>
#include <libsvm/platform/ioapic.h>
#include <libsvm/platform/lapic.h>
#include <libsvm/platform/paravirt_calls.h>
#include <libsvm/platform/pci.h>
#include <libsvm/platform/pic.h>
#include <libsvm/platform/pit.h>
#include <libsvm/platform/rtc.h>
#include <libsvm/platform/uart.h>

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define WIRES     11u
#define STEP_MAX  (200u * 1000000) /* Nanoseconds of one step of time, */
#define CALLS_MAX 8192u            /* and calls of advance in it: one in 100 us for each of four. */

enum action { READ, WRITE, OTHER, STEP, LATE, DAMAGE, ACTIONS };

static struct machine {
	const uint8_t *at;
	size_t left;
	uint64_t now;
	bool levels[WIRES];
	struct svm_pit pit;
	struct svm_rtc rtc;
	struct svm_uart uart;
	struct svm_i8042 kbc;
	struct svm_debug_ports ports;
	struct svm_pic pic;
	struct svm_ioapic ioapic;
	struct svm_lapic lapic, far_lapic;
	struct svm_apic_bus bus;
	unsigned depth; /* Of messages and ends of interrupts inside each other. */
	struct svm_acpi_pm pm;
	struct svm_pci pci;
	struct svm_fw_cfg fw;
} m;

static uint8_t take(void)
{
	if (!m.left)
		return 0;
	m.left--;
	return *m.at++;
}

static uint32_t take32(void)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value = value << 8 | take();
	return value;
}

static void set_wire(void *arg, unsigned line, bool level)
{
	HOLDS(arg == &m && line < WIRES && m.levels[line] != level);
	m.levels[line] = level;
}

static struct svm_wire wire(unsigned line)
{
	return (struct svm_wire){ set_wire, &m, line };
}

static void put(void *arg, uint8_t byte)
{
	(void)byte;
	HOLDS(arg == &m);
}

static void leave(void *arg, uint32_t value)
{
	(void)value;
	HOLDS(arg == &m);
}

/* Up to three bytes of a saved state replaced. */
static void damage(void *state, size_t size)
{
	uint8_t *bytes = state;

	for (unsigned count = take() % 4; count; count--) {
		const size_t at = (size_t)take() << 8 | take();

		bytes[at % size] = take();
	}
}

/* Restoring what was just saved changes nothing. */
#define CHECK(save, restore)                                                                       \
	do {                                                                                       \
		save(&saved);                                                                      \
		HOLDS(restore(&saved) == 0);                                                       \
		save(&again);                                                                      \
		HOLDS(memcmp(&saved, &again, sizeof(saved)) == 0);                                 \
	} while (0)

/* What is refused changes nothing; what is accepted must stand the checks that follow. */
#define RESTORE_DAMAGED(object, save, restore)                                                     \
	do {                                                                                       \
		before = (object);                                                                 \
		save(&saved);                                                                      \
		damage(&saved, sizeof(saved));                                                     \
		if (restore(&saved) != 0)                                                          \
			HOLDS(memcmp(&before, &(object), sizeof(before)) == 0);                    \
	} while (0)

/* --- 8254 and port 61h --- */

#define PIT_PORT61     0x21u
#define PIT_SAVE(s)    svm_pit_save(&m.pit, (s))
#define PIT_RESTORE(s) svm_pit_restore(&m.pit, (s), m.now)

static void pit_init(void)
{
	const struct svm_wire irq = wire(0);

	svm_pit_init(&m.pit, &irq);
}

static void pit_read(uint32_t offset, uint32_t size)
{
	if (offset == PIT_PORT61)
		(void)svm_pit_read_port61(&m.pit, m.now);
	else
		(void)svm_pit_read(&m.pit, offset, size, m.now);
}

static void pit_write(uint32_t offset, uint32_t size, uint32_t value)
{
	if (offset == PIT_PORT61)
		svm_pit_write_port61(&m.pit, (uint8_t)value, m.now);
	else
		svm_pit_write(&m.pit, offset, size, value, m.now);
}

static void pit_other(uint8_t what)
{
	if (what == 0)
		svm_pit_reset(&m.pit, m.now);
}

static uint64_t pit_deadline(void)
{
	return svm_pit_deadline(&m.pit);
}

static void pit_advance(void)
{
	svm_pit_advance(&m.pit, m.now);
}

static void pit_check(bool damaged)
{
	struct svm_pit_state saved, again;
	struct svm_pit before;

	if (damaged)
		RESTORE_DAMAGED(m.pit, PIT_SAVE, PIT_RESTORE);
	CHECK(PIT_SAVE, PIT_RESTORE);
	HOLDS(m.levels[0] == m.pit.state.irq);
}

/* --- MC146818 --- */

#define RTC_SAVE(s)    svm_rtc_save(&m.rtc, (s))
#define RTC_RESTORE(s) svm_rtc_restore(&m.rtc, (s), m.now)

static void rtc_init(void)
{
	const struct svm_wire irq = wire(1);

	svm_rtc_init(&m.rtc, &irq, take32());
}

static void rtc_read(uint32_t offset, uint32_t size)
{
	(void)svm_rtc_read(&m.rtc, offset, size, m.now);
}

static void rtc_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_rtc_write(&m.rtc, offset, size, value, m.now);
}

static void rtc_other(uint8_t what)
{
	if (what == 0)
		svm_rtc_reset(&m.rtc, m.now);
	else if (what == 1)
		svm_rtc_set_memory(&m.rtc, take32(), (uint64_t)take32() << 12);
}

static uint64_t rtc_deadline(void)
{
	return svm_rtc_deadline(&m.rtc);
}

static void rtc_advance(void)
{
	svm_rtc_advance(&m.rtc, m.now);
}

/* Restoring brings the date up to now, so that is done before. */
static void rtc_check(bool damaged)
{
	struct svm_rtc_state saved, again;
	struct svm_rtc before;

	if (damaged)
		RESTORE_DAMAGED(m.rtc, RTC_SAVE, RTC_RESTORE);
	(void)svm_rtc_read(&m.rtc, 0, 1, m.now);
	CHECK(RTC_SAVE, RTC_RESTORE);
	HOLDS(m.levels[1] == !!(m.rtc.state.bytes[0x0b] & m.rtc.state.bytes[0x0c] & 0x70));
}

/* --- 16550A --- */

#define UART_SAVE(s)    svm_uart_save(&m.uart, (s))
#define UART_RESTORE(s) svm_uart_restore(&m.uart, (s))

static void uart_init(void)
{
	const struct svm_wire irq = wire(2);

	svm_uart_init(&m.uart, &irq, put, &m);
}

static void uart_read(uint32_t offset, uint32_t size)
{
	(void)svm_uart_read(&m.uart, offset, size);
}

static void uart_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_uart_write(&m.uart, offset, size, value);
}

static void uart_other(uint8_t what)
{
	if (what == 0)
		svm_uart_reset(&m.uart);
	else if (what == 1)
		(void)svm_uart_receive_break(&m.uart);
	else
		(void)svm_uart_receive(&m.uart, what);
}

/* The wire is up exactly if OUT2 lets an identified interrupt out. */
static void uart_check(bool damaged)
{
	struct svm_uart_state saved, again;
	struct svm_uart before;
	bool pending;

	if (damaged)
		RESTORE_DAMAGED(m.uart, UART_SAVE, UART_RESTORE);
	CHECK(UART_SAVE, UART_RESTORE);
	before = m.uart;
	before.irq = (struct svm_wire){ 0 };
	pending = !(svm_uart_read(&before, 2, 1) & 1);
	HOLDS(m.levels[2] == (pending && (m.uart.state.mcr & 0x18) == 0x08));
}

/* --- keyboard controller --- */

#define KBC_SAVE(s)    svm_i8042_save(&m.kbc, (s))
#define KBC_RESTORE(s) svm_i8042_restore(&m.kbc, (s))

static void kbc_init(void)
{
	const struct svm_i8042_wires wires = { wire(3), wire(4), wire(5) };

	m.levels[5] = true;
	svm_i8042_init(&m.kbc, &wires);
}

static void kbc_read(uint32_t offset, uint32_t size)
{
	(void)svm_i8042_read(&m.kbc, offset, size);
}

static void kbc_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_i8042_write(&m.kbc, offset, size, value);
}

static void kbc_other(uint8_t what)
{
	if (what == 0)
		svm_i8042_reset(&m.kbc);
}

static void kbc_check(bool damaged)
{
	struct svm_i8042_state saved, again;
	struct svm_i8042 before;

	if (damaged)
		RESTORE_DAMAGED(m.kbc, KBC_SAVE, KBC_RESTORE);
	CHECK(KBC_SAVE, KBC_RESTORE);
	HOLDS(m.levels[3] == (m.kbc.state.status & m.kbc.state.ram[0] & 1));
	HOLDS(!m.levels[4]);
	HOLDS(m.levels[5] == (m.kbc.state.output_port >> 1 & 1));
}

/* --- ports of one byte; wire 6 is A20, and they share the reset --- */

#define PORTS_SAVE(s)    svm_debug_ports_save(&m.ports, (s))
#define PORTS_RESTORE(s) svm_debug_ports_restore(&m.ports, (s))

static void ports_init(void)
{
	const struct svm_debug_ports_sinks sinks = {
		.put = put, .exit = leave, .arg = &m, .reset = wire(4), .a20 = wire(6)
	};

	m.levels[6] = true;
	svm_debug_ports_init(&m.ports, &sinks);
}

static uint32_t ports_port(uint32_t offset)
{
	static const uint16_t numbers[] = { 0x80, 0x92, 0xe9, 0xf4, 0xcf9 };

	return offset < COUNT(numbers) ? numbers[offset] : offset;
}

static void ports_read(uint32_t offset, uint32_t size)
{
	(void)svm_debug_ports_read(&m.ports, ports_port(offset), size);
}

static void ports_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_debug_ports_write(&m.ports, ports_port(offset), size, value);
}

static void ports_other(uint8_t what)
{
	if (what == 0)
		svm_debug_ports_reset(&m.ports);
}

static void ports_check(bool damaged)
{
	struct svm_debug_ports_state saved, again;
	struct svm_debug_ports before;

	if (damaged)
		RESTORE_DAMAGED(m.ports, PORTS_SAVE, PORTS_RESTORE);
	CHECK(PORTS_SAVE, PORTS_RESTORE);
	HOLDS(m.levels[6] == (m.ports.state.port92 >> 1 & 1));
}

/* --- 8259 pair; wire 10 is its output --- */

#define PIC_SAVE(s)    svm_pic_save(&m.pic, (s))
#define PIC_RESTORE(s) svm_pic_restore(&m.pic, (s))

/* Out of service already; inputs of even numbers fall, the next one of each rises. */
static void pic_ended(void *arg, unsigned irq)
{
	const struct svm_pic_chip *chip = &m.pic.chip[irq / 8 & 1];

	HOLDS(arg == &m && irq < 16 && irq != 2 && !(chip->isr >> (irq & 7) & 1));
	svm_pic_set_line(&m.pic, irq, irq & 1);
	svm_pic_set_line(&m.pic, (irq + 1) & 15, true);
}

static void pic_init(void)
{
	const struct svm_end_notice notice = { pic_ended, &m };
	const struct svm_wire output = wire(10);

	svm_pic_init(&m.pic, &output);
	svm_pic_set_end_notice(&m.pic, &notice);
}

static uint16_t pic_port(uint32_t offset)
{
	static const uint16_t numbers[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };

	return numbers[offset % COUNT(numbers)];
}

static void pic_read(uint32_t offset, uint32_t size)
{
	(void)svm_pic_read(&m.pic, pic_port(offset), size);
}

static void pic_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_pic_write(&m.pic, pic_port(offset), size, value);
}

static void pic_other(uint8_t what)
{
	if (what == 0)
		svm_pic_reset(&m.pic);
	else if (what < 0x20)
		(void)svm_pic_acknowledge(&m.pic);
	else
		svm_pic_set_line(&m.pic, what & 31, what & 0x80);
}

static void pic_check(bool damaged)
{
	struct svm_pic_state saved, again;
	struct svm_pic before;

	if (damaged)
		RESTORE_DAMAGED(m.pic, PIC_SAVE, PIC_RESTORE);
	CHECK(PIC_SAVE, PIC_RESTORE);
	HOLDS(m.levels[10] == svm_pic_pending(&m.pic));
}

/* --- I/O APIC and local APIC, connected; nothing nests deeper than the one in the other --- */

#define IOAPIC_SAVE(s)    svm_ioapic_save(&m.ioapic, (s))
#define IOAPIC_RESTORE(s) svm_ioapic_restore(&m.ioapic, (s))

static bool send_message(void *arg, const struct svm_apic_message *message)
{
	bool is_taken;

	HOLDS(arg == &m && m.depth < 2);
	m.depth++;
	is_taken = svm_lapic_receive(&m.lapic, message);
	m.depth--;
	return is_taken;
}

static void end_interrupt(void *arg, uint8_t vector)
{
	HOLDS(arg == &m && m.depth == 0);
	m.depth++;
	svm_ioapic_eoi(&m.ioapic, vector);
	m.depth--;
}

static void wake(void *arg)
{
	HOLDS(arg == &m);
}

/* As pic_ended(); but its neighbour may have sent for it already. */
static void ioapic_ended(void *arg, unsigned pin)
{
	HOLDS(arg == &m && pin < SVM_IOAPIC_PINS);
	svm_ioapic_set_line(&m.ioapic, pin, pin & 1);
	svm_ioapic_set_line(&m.ioapic, pin + 1, true);
}

static void ioapic_init(void)
{
	const struct svm_end_notice notice = { ioapic_ended, &m };

	HOLDS(svm_ioapic_init(&m.ioapic, send_message, &m) == 0);
	svm_ioapic_set_end_notice(&m.ioapic, &notice);
}

static void ioapic_read(uint32_t offset, uint32_t size)
{
	(void)svm_ioapic_read(&m.ioapic, offset, size);
}

/* Selecting and writing by one event reaches an entry far sooner than by two. */
static void ioapic_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_ioapic_write(&m.ioapic, offset, size, value);
	if (offset == 0)
		svm_ioapic_write(&m.ioapic, 0x10, 4, take32());
}

static void ioapic_other(uint8_t what)
{
	if (what == 0)
		svm_ioapic_reset(&m.ioapic);
	else
		svm_ioapic_set_line(&m.ioapic, what & 31, what & 0x80);
}

static void ioapic_check(bool damaged)
{
	struct svm_ioapic_state saved, again;
	struct svm_ioapic before;

	if (damaged)
		RESTORE_DAMAGED(m.ioapic, IOAPIC_SAVE, IOAPIC_RESTORE);
	CHECK(IOAPIC_SAVE, IOAPIC_RESTORE);
}

static struct svm_lapic_time lapic_now(void)
{
	return (struct svm_lapic_time){ m.now, m.now };
}

static void lapic_init(void)
{
	const struct svm_lapic_config config = {
		.is_bsp = true,
		.has_x2apic = true,
		.has_tsc_deadline = true,
		.physical_bits = 40,
		.host = { wake, send_message, end_interrupt, &m },
	};

	HOLDS(svm_lapic_init(&m.lapic, &config) == 0);
}

static void lapic_read(uint32_t offset, uint32_t size)
{
	uint64_t value;

	(void)svm_lapic_read(&m.lapic, offset * 16, size, lapic_now());
	(void)svm_lapic_read_msr(&m.lapic, 0x800 + offset, &value, lapic_now());
}

static void lapic_write(uint32_t offset, uint32_t size, uint32_t value)
{
	if (size == 4)
		svm_lapic_write(&m.lapic, offset * 16, size, value, lapic_now());
	else
		(void)svm_lapic_write_msr(&m.lapic, 0x800 + offset, value, lapic_now());
}

static void lapic_other(uint8_t what)
{
	uint8_t vector;
	int pending;

	switch (what & 7) {
	case 0:
		svm_lapic_reset_by_init(&m.lapic);
		break;
	case 1:
		svm_lapic_set_lint(&m.lapic, what >> 3 & 1, what & 0x80);
		break;
	case 2:
		(void)svm_lapic_set_base(&m.lapic, take32());
		break;
	case 3:
		svm_lapic_set_tsc_deadline(&m.lapic, take32(), lapic_now());
		break;
	case 4:
		(void)svm_lapic_take_requests(&m.lapic, &vector);
		break;
	case 5:
		svm_lapic_set_tpr(&m.lapic, what >> 4);
		break;
	default:
		pending = svm_lapic_pending(&m.lapic, svm_lapic_get_tpr(&m.lapic));
		HOLDS(pending < 0 ||
		      (pending >= 16 && pending >> 4 > svm_lapic_ppr(&m.lapic) >> 4));
		if (pending >= 0)
			svm_lapic_accept(&m.lapic, (uint8_t)pending);
		break;
	}
}

static uint64_t lapic_deadline(void)
{
	return svm_lapic_deadline(&m.lapic);
}

static void lapic_advance(void)
{
	svm_lapic_advance(&m.lapic, lapic_now());
}

/* Time left is all that is saved of a timer, so its comparison is not of interest here. */
static void lapic_check(bool damaged)
{
	(void)damaged;
	HOLDS(m.depth == 0);
}

/* --- a hypercall for many interrupts: to the local APIC, and to one that is far from it --- */

#define FAR_ID 130u

static void calls_init(void)
{
	const struct svm_lapic_config config = {
		.id = FAR_ID,
		.physical_bits = 40,
		.host = { wake, send_message, end_interrupt, &m },
	};

	HOLDS(svm_lapic_init(&m.far_lapic, &config) == 0);
	svm_apic_bus_init(&m.bus);
	HOLDS(svm_apic_bus_add(&m.bus, &m.lapic) == 0);
	HOLDS(svm_apic_bus_add(&m.bus, &m.far_lapic) == 0);
}

static void calls_read(uint32_t offset, uint32_t size)
{
	(void)offset;
	(void)size;
}

static void send_to_many(uint64_t first, uint64_t icr, bool is_wide)
{
	const struct svm_hypercall call = {
		.argument = { (uint64_t)take32() << 32 | take32(),
		              (uint64_t)take32() << 32 | take32(), first, icr },
		.is_wide = is_wide,
	};
	const uint64_t result = svm_paravirt_send_ipi(&m.bus, &call);

	HOLDS(result == SVM_PARAVIRT_EINVAL || result <= 2);
	HOLDS(first <= FAR_ID || result == SVM_PARAVIRT_EINVAL || result == 0);
}

/* Near the APICs there are, with an ICR that may be good. */
static void calls_write(uint32_t offset, uint32_t size, uint32_t value)
{
	send_to_many(offset * 4, value & 0x4fff, size == 4);
}

static void calls_other(uint8_t what)
{
	const uint64_t first = (uint64_t)take32() << 32 | take32();

	send_to_many(first, (uint64_t)take32() << 32 | take32(), what & 1);
}

static void calls_check(bool damaged)
{
	(void)damaged;
	HOLDS(m.bus.count == FAR_ID + 1);
}

/* --- ACPI; wires 7 and 8 are SCI and power-off --- */

#define PM_SAVE(s)    svm_acpi_pm_save(&m.pm, (s))
#define PM_RESTORE(s) svm_acpi_pm_restore(&m.pm, (s))

static void pm_init(void)
{
	const struct svm_wire sci = wire(7), off = wire(8);

	svm_acpi_pm_init(&m.pm, &sci, &off);
}

static void pm_read(uint32_t offset, uint32_t size)
{
	(void)svm_acpi_pm_read(&m.pm, offset, size, m.now);
}

static void pm_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_acpi_pm_write(&m.pm, offset, size, value, m.now);
}

static void pm_other(uint8_t what)
{
	if (what == 0)
		svm_acpi_pm_reset(&m.pm, m.now);
	else
		svm_acpi_pm_press_button(&m.pm, m.now);
}

static uint64_t pm_deadline(void)
{
	return svm_acpi_pm_deadline(&m.pm);
}

static void pm_advance(void)
{
	svm_acpi_pm_advance(&m.pm, m.now);
}

static void pm_check(bool damaged)
{
	struct svm_acpi_pm_state saved, again;
	struct svm_acpi_pm before;

	if (damaged)
		RESTORE_DAMAGED(m.pm, PM_SAVE, PM_RESTORE);
	CHECK(PM_SAVE, PM_RESTORE);
}

/* --- PCI; wire 9 is its reset --- */

#define PCI_SAVE(s)    svm_pci_save(&m.pci, (s))
#define PCI_RESTORE(s) svm_pci_restore(&m.pci, (s))

static void pci_init(void)
{
	const struct svm_wire reset = wire(9);

	svm_pci_init(&m.pci, SVM_PCI_BRIDGE_ID, &reset);
}

static void pci_read(uint32_t offset, uint32_t size)
{
	(void)svm_pci_read(&m.pci, offset, size);
}

static void pci_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_pci_write(&m.pci, offset, size, value);
}

static void pci_other(uint8_t what)
{
	if (what == 0)
		svm_pci_reset(&m.pci);
}

static void pci_check(bool damaged)
{
	struct svm_pci_state saved, again;
	struct svm_pci before;

	if (damaged)
		RESTORE_DAMAGED(m.pci, PCI_SAVE, PCI_RESTORE);
	CHECK(PCI_SAVE, PCI_RESTORE);
}

/* --- firmware configuration --- */

#define FW_SAVE(s)    svm_fw_cfg_save(&m.fw, (s))
#define FW_RESTORE(s) svm_fw_cfg_restore(&m.fw, (s))

static void fw_init(void)
{
	static const struct svm_fw_cfg_file file = { "etc/file", "bytes", 5 };

	svm_fw_cfg_init(&m.fw, 1 << 21, 2, 4);
	HOLDS(svm_fw_cfg_add(&m.fw, &file) == 0);
}

static void fw_read(uint32_t offset, uint32_t size)
{
	(void)svm_fw_cfg_read(&m.fw, offset, size);
}

static void fw_write(uint32_t offset, uint32_t size, uint32_t value)
{
	svm_fw_cfg_write(&m.fw, offset, size, value);
}

static void fw_other(uint8_t what)
{
	if (what == 0)
		svm_fw_cfg_reset(&m.fw);
}

static void fw_check(bool damaged)
{
	struct svm_fw_cfg_state saved, again;
	struct svm_fw_cfg before;

	if (damaged)
		RESTORE_DAMAGED(m.fw, FW_SAVE, FW_RESTORE);
	CHECK(FW_SAVE, FW_RESTORE);
}

/* --- all of them --- */

static const struct device {
	void (*init)(void);
	void (*read)(uint32_t offset, uint32_t size);
	void (*write)(uint32_t offset, uint32_t size, uint32_t value);
	void (*other)(uint8_t what); /* Reset, and what comes from outside. */
	void (*check)(bool damaged); /* True: after a restore of a damaged state. */
	uint64_t (*deadline)(void);  /* NULL: it plans nothing. */
	void (*advance)(void);
} devices[] = {
	{ pit_init, pit_read, pit_write, pit_other, pit_check, pit_deadline, pit_advance },
	{ rtc_init, rtc_read, rtc_write, rtc_other, rtc_check, rtc_deadline, rtc_advance },
	{ uart_init, uart_read, uart_write, uart_other, uart_check, NULL, NULL },
	{ kbc_init, kbc_read, kbc_write, kbc_other, kbc_check, NULL, NULL },
	{ ports_init, ports_read, ports_write, ports_other, ports_check, NULL, NULL },
	{ pic_init, pic_read, pic_write, pic_other, pic_check, NULL, NULL },
	{ lapic_init, lapic_read, lapic_write, lapic_other, lapic_check, lapic_deadline,
	  lapic_advance },
	{ calls_init, calls_read, calls_write, calls_other, calls_check, NULL, NULL },
	{ ioapic_init, ioapic_read, ioapic_write, ioapic_other, ioapic_check, NULL, NULL },
	{ pm_init, pm_read, pm_write, pm_other, pm_check, pm_deadline, pm_advance },
	{ pci_init, pci_read, pci_write, pci_other, pci_check, NULL, NULL },
	{ fw_init, fw_read, fw_write, fw_other, fw_check, NULL, NULL },
};

/* The device with the earliest deadline; NULL if that is after end. */
static const struct device *first_due(uint64_t end)
{
	const struct device *first = NULL;

	for (size_t i = 0; i < COUNT(devices); i++) {
		if (!devices[i].deadline || devices[i].deadline() > end)
			continue;
		if (!first || devices[i].deadline() < first->deadline())
			first = &devices[i];
	}
	return first;
}

/* As a good owner: to each deadline. */
static void step(uint64_t ns)
{
	const uint64_t end = m.now + ns;
	const struct device *due;

	for (unsigned calls = 0; (due = first_due(end)) != NULL; calls++) {
		HOLDS(calls < CALLS_MAX);
		if (due->deadline() > m.now)
			m.now = due->deadline();
		due->advance();
		HOLDS(due->deadline() > m.now);
	}
	m.now = end;
}

static void run_event(void)
{
	const uint8_t choice = take();
	const struct device *device = &devices[choice % COUNT(devices)];
	const uint8_t shape = take();
	const uint32_t offset = shape & 0x3f;
	const uint32_t size = 1u << (shape >> 6) % 3;

	switch (choice / COUNT(devices) % ACTIONS) {
	case READ:
		device->read(offset, size);
		break;
	case WRITE:
		device->write(offset, size, take32() >> (32 - 8 * size));
		break;
	case OTHER:
		device->other(shape);
		break;
	case STEP:
		step(take32() % STEP_MAX);
		break;
	case LATE: /* up to a day, and nobody was told of deadlines */
		m.now += (uint64_t)take32() << shape % 15;
		break;
	default:
		device->check(true);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&m, 0, sizeof(m));
	m.at = data;
	m.left = size;
	for (size_t i = 0; i < COUNT(devices); i++)
		devices[i].init();
	while (m.left) {
		run_event();
		for (size_t i = 0; i < COUNT(devices); i++)
			devices[i].check(false);
	}
	step(STEP_MAX);
	return 0;
}
