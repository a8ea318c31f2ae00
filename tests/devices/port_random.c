/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random sequences on the keyboard controller, ACPI's fixed hardware, PCI's configuration ports,
 * the ports of one byte, fw_cfg and KVM's paravirtual pages, and on plain models of them.  After
 * each event: the same values read, the same wires and as many edges, the same guest memory.
 *
 * usage: port_random [EVENTS [SEED]]
 *
 * As in legacy_random.c, a device is advanced at its deadline and no oftener.
 */
#include <string.h>

#include <libsvm/platform/acpi_pm.h>
#include <libsvm/platform/debug_ports.h>
#include <libsvm/platform/fw_cfg.h>
#include <libsvm/platform/i8042.h>
#include <libsvm/platform/paravirt.h>
#include <libsvm/platform/pci.h>

#include "chance.h"
#include "port_model.h"

#define EVENTS 1000000u

static struct {
	struct svm_i8042 kbc;
	struct model_kbc kbc_model;
	struct end kbc_irq, kbc_reset, kbc_a20;

	struct svm_acpi_pm pm;
	struct model_pm pm_model;
	struct end sci, power_off;

	struct svm_pci pci;
	struct model_pci pci_model;
	struct end pci_reset;
	uint8_t space[MODEL_PCI_DEVICES][256];

	struct svm_debug_ports bytes;
	struct model_bytes bytes_model;
	struct end bytes_reset, bytes_a20;
	uint64_t puts, exits;
	uint8_t put;
	uint32_t exit;

	struct svm_fw_cfg fw;
	struct model_fw fw_model;

	struct svm_paravirt pv;
	struct svm_paravirt_vcpu vcpu[MODEL_PV_CPUS];
	struct model_pv pv_model;
	uint8_t memory[MODEL_PV_MEMORY];
	uint64_t ends; /* Of interrupts, by clearing the bit. */
	bool no_read, no_write; /* The memory is out of reach. */
} t;

static unsigned draw_size(void)
{
	return one_in(4) ? 1u << draw(3) : 1;
}

static uint32_t draw_value(unsigned size)
{
	return (uint32_t)draw(UINT64_C(1) << 8 * size);
}

/* --- keyboard controller --- */

static uint8_t kbc_byte(bool is_command)
{
	static const uint8_t commands[] = { 0x20, 0x60, 0x20, 0x60, 0xa7, 0xa8, 0xa9, 0xaa,
		                            0xab, 0xad, 0xae, 0xc0, 0xd0, 0xd1, 0xd2, 0xd3,
		                            0xd4, 0xdd, 0xdf, 0xe0, 0xf0, 0xfe, 0xff };

	if (is_command && !one_in(4))
		return commands[draw(sizeof(commands))];
	return (uint8_t)draw(256);
}

static void kbc_event(void)
{
	static const uint8_t offsets[] = { 0, 0, 0, 4, 4, 4, 1, 2, 3, 5 };
	const unsigned offset = offsets[draw(sizeof(offsets))], size = draw_size();
	uint32_t value = 0;

	if (one_in(2)) {
		for (unsigned i = 0; i < size; i++)
			value |= (uint32_t)kbc_byte(offset + i == 4) << 8 * i;
		svm_i8042_write(&t.kbc, offset, size, value);
		for (unsigned i = 0; i < size; i++)
			model_kbc_write(&t.kbc_model, 0x60 + offset + i, (uint8_t)(value >> 8 * i));
	} else {
		for (unsigned i = 0; i < size; i++)
			value |= (uint32_t)model_kbc_read(&t.kbc_model, 0x60 + offset + i)
			         << 8 * i;
		same("8042 reads", svm_i8042_read(&t.kbc, offset, size), value);
	}
	model_kbc_settle(&t.kbc_model);
	same("IRQ 1 is", t.kbc_irq.level, t.kbc_model.irq);
	same("IRQ 1 rose", t.kbc_irq.rises, t.kbc_model.irqs);
	same("8042 reset", t.kbc_reset.rises, t.kbc_model.resets);
	same("8042's A20", t.kbc_a20.level, t.kbc_model.a20);
}

/* --- ACPI --- */

static void pm_until(uint64_t now)
{
	while (svm_acpi_pm_deadline(&t.pm) <= now) {
		const uint64_t deadline = svm_acpi_pm_deadline(&t.pm);

		svm_acpi_pm_advance(&t.pm, deadline);
		model_pm_run(&t.pm_model, deadline);
		same("SCI at the deadline is", t.sci.level, t.pm_model.sci);
		same("PM's deadline goes on", svm_acpi_pm_deadline(&t.pm) > deadline, true);
	}
	/* Nothing may happen before the deadline that was named. */
	if (now) {
		struct model_pm before = t.pm_model;

		model_pm_run(&before, now - 1);
		same("SCI before its deadline", t.sci.level, before.sci);
	}
	model_pm_run(&t.pm_model, now);
}

static void pm_event(void)
{
	const unsigned offset = (unsigned)draw(14), size = draw_size();
	uint32_t value = 0;

	pm_until(chance.now);
	if (one_in(16)) {
		svm_acpi_pm_press_button(&t.pm, chance.now);
		model_pm_button(&t.pm_model);
	} else if (one_in(2)) {
		value = draw_value(size);
		svm_acpi_pm_write(&t.pm, offset, size, value, chance.now);
		for (unsigned i = 0; i < size; i++)
			model_pm_write(&t.pm_model, offset + i, (uint8_t)(value >> 8 * i));
	} else {
		for (unsigned i = 0; i < size; i++)
			value |= (uint32_t)model_pm_read(&t.pm_model, offset + i, chance.now)
			         << 8 * i;
		same("PM reads", svm_acpi_pm_read(&t.pm, offset, size, chance.now), value);
	}
	model_pm_settle(&t.pm_model);
	same("SCI is", t.sci.level, t.pm_model.sci);
	same("SCI rose", t.sci.rises, t.pm_model.scis);
	same("power went off", t.power_off.rises, t.pm_model.offs);
}

/* --- PCI --- */

static uint32_t read_space(void *arg, uint32_t offset, uint32_t size)
{
	const uint8_t *space = arg;
	uint32_t value = 0;

	memcpy(&value, space + offset, size);
	return value;
}

static void write_space(void *arg, uint32_t offset, uint32_t size, uint32_t value)
{
	uint8_t *space = arg;

	memcpy(space + offset, &value, size);
}

static uint32_t pci_address(void)
{
	static const uint32_t devices[] = { 0, 3, 31, 5 };

	if (one_in(4))
		return draw_value(4);
	return 0x80000000 | (one_in(8) ? 0x10000 : 0) | devices[draw(4)] << 11 |
	       (one_in(8) ? 0x100 : 0) | (uint32_t)draw(256);
}

static void pci_event(void)
{
	const bool is_address = one_in(3);
	const unsigned offset = is_address ? 0 : (unsigned)draw(8);
	const unsigned size = is_address ? 4 : 1u << draw(3);
	const uint32_t value = is_address ? pci_address() : draw_value(size);

	if (one_in(2)) {
		svm_pci_write(&t.pci, offset, size, value);
		model_pci_write(&t.pci_model, offset, size, value);
	} else {
		same("PCI reads", svm_pci_read(&t.pci, offset, size),
		     model_pci_read(&t.pci_model, offset, size));
	}
	same("CF9h reset", t.pci_reset.rises, t.pci_model.resets);
	same("PCI devices' registers",
	     (uint64_t)memcmp(t.space, t.pci_model.space, sizeof(t.space)), 0);
}

/* --- ports of one byte --- */

static void bytes_put(void *arg, uint8_t byte)
{
	(void)arg;
	t.puts++;
	t.put = byte;
}

static void bytes_exit(void *arg, uint32_t value)
{
	(void)arg;
	t.exits++;
	t.exit = value;
}

static void bytes_event(void)
{
	static const uint16_t near[] = { 0x80, 0x92, 0x92, 0xe9, 0xf4, 0xcf9, 0xcf9 };
	const unsigned port = near[draw(sizeof(near) / sizeof(near[0]))] - (one_in(8) ? 1u : 0);
	const unsigned size = draw_size();
	const uint32_t value = draw_value(size);

	if (one_in(2)) {
		svm_debug_ports_write(&t.bytes, port, size, value);
		model_bytes_write(&t.bytes_model, port, size, value);
	} else {
		same("a port of one byte reads", svm_debug_ports_read(&t.bytes, port, size),
		     model_bytes_read(&t.bytes_model, port, size));
	}
	same("port 92h, CF9h reset", t.bytes_reset.rises, t.bytes_model.resets);
	same("port 92h's A20", t.bytes_a20.level, t.bytes_model.a20);
	same("port 92h's A20 rose", t.bytes_a20.rises, t.bytes_model.a20s);
	same("port E9h", t.puts << 8 | t.put, t.bytes_model.puts << 8 | t.bytes_model.put);
	same("port F4h", t.exits << 32 | t.exit, t.bytes_model.exits << 32 | t.bytes_model.exit);
}

/* --- fw_cfg --- */

static void fw_event(void)
{
	static const uint8_t items[] = { 0, 1, 3, 5, 15, 0x19, 0x19, 0x20, 0x21, 0x22, 0x23, 2 };
	const unsigned item =
		one_in(16) ? (unsigned)draw(65536) : items[draw(sizeof(items))];

	if (one_in(8)) {
		svm_fw_cfg_write(&t.fw, 0, 2, item);
		model_fw_select(&t.fw_model, item);
	} else if (one_in(8)) {
		/* None of these is an access that the device knows. */
		svm_fw_cfg_write(&t.fw, (uint32_t)draw(2), 1, item);
		same("fw_cfg's selector reads", svm_fw_cfg_read(&t.fw, 0, draw_size()), 0);
	} else {
		for (uint64_t i = 0; i < 1 + draw(30); i++)
			same("fw_cfg reads", svm_fw_cfg_read(&t.fw, 1, 1),
			     model_fw_next(&t.fw_model));
	}
}

/* --- paravirtual pages: these two stand in for the VM's memory --- */

int svm_vm_read(struct svm_vm *vm, svm_gpa_t gpa, void *data, size_t size, size_t *done)
{
	(void)vm;
	(void)done;
	if (t.no_read)
		return SVM_ERR_AGAIN;
	if (!model_pv_is_there(gpa, size))
		return SVM_ERR_FAULT;
	memcpy(data, t.memory + gpa, size);
	return 0;
}

int svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size, size_t *done)
{
	(void)vm;
	(void)done;
	if (t.no_write)
		return SVM_ERR_AGAIN;
	if (!model_pv_is_there(gpa, size))
		return SVM_ERR_FAULT;
	memcpy(t.memory + gpa, data, size);
	return 0;
}

static uint64_t pv_address(void)
{
	static const uint64_t edges[] = { MODEL_PV_HOLE, MODEL_PV_HOLE_END, MODEL_PV_MEMORY,
		                          UINT64_C(0xfffffffffffffff0) };

	if (one_in(8))
		return draw(UINT64_C(1) << 40) << 2;
	if (one_in(4))
		return (edges[draw(4)] & ~UINT64_C(3)) - 4 * draw(12);
	return draw(MODEL_PV_MEMORY) & ~UINT64_C(3);
}

static void pv_msr(unsigned cpu)
{
	const uint32_t msr = 0x4b564d00 + (uint32_t)(one_in(8) ? draw(6) : draw(2) * 4 + draw(2));
	uint64_t value = pv_address() | (one_in(4) ? draw(4) : 1), mine = 0, other = 0;

	if (msr == 0x4b564d00)
		value &= ~UINT64_C(3);
	if (one_in(2)) {
		same("a paravirtual MSR is written",
		     svm_paravirt_write_msr(&t.pv, &t.vcpu[cpu], msr, value),
		     model_pv_write(&t.pv_model, cpu, msr, value));
	} else {
		same("a paravirtual MSR is there",
		     svm_paravirt_read_msr(&t.pv, &t.vcpu[cpu], msr, &mine),
		     model_pv_read(&t.pv_model, cpu, msr, &other));
		same("a paravirtual MSR reads", mine, other);
	}
}

static void pv_line(void)
{
	const uint64_t hz = one_in(2) ? 1000 + draw(UINT64_C(1000000000000) - 999)
	                              : 1000 + draw(UINT64_C(5000000000));
	const uint64_t tsc = draw(UINT64_C(1) << 50);

	same("a line is drawn", (uint64_t)svm_paravirt_set_line(&t.pv, hz, tsc, chance.now), 0);
	model_pv_line(&t.pv_model, hz, tsc, chance.now);
	for (unsigned i = 0; i < MODEL_PV_CPUS; i++) {
		svm_paravirt_update(&t.pv, &t.vcpu[i]);
		model_pv_update(&t.pv_model, i);
	}
}

/* The guest clears the bit, or writes whatever it likes. */
static void pv_guest(unsigned cpu)
{
	const uint64_t gpa = t.pv_model.cpu[cpu].eoi & ~UINT64_C(1);
	const uint8_t byte = (uint8_t)(one_in(4) ? draw(256) : 0);

	if (!model_pv_is_there(gpa, 1))
		return;
	t.memory[gpa] = byte;
	t.pv_model.memory[gpa] = byte;
}

static void pv_eoi(unsigned cpu)
{
	bool ended;

	t.no_read = one_in(8);
	t.no_write = one_in(8);
	if (one_in(2)) {
		ended = svm_paravirt_look_for_eoi(&t.pv, &t.vcpu[cpu]);
		same("an end is seen", ended, model_pv_look(&t.pv_model, cpu, t.no_read));
	} else {
		ended = svm_paravirt_take_eoi(&t.pv, &t.vcpu[cpu]);
		same("an end is taken", ended,
		     model_pv_take(&t.pv_model, cpu, t.no_read, t.no_write));
	}
	t.ends += ended;
	t.no_read = false;
	t.no_write = false;
}

static void pv_event(void)
{
	const unsigned cpu = (unsigned)draw(MODEL_PV_CPUS);

	switch (draw(6)) {
	case 0:
	case 1:
		pv_msr(cpu);
		break;
	case 2:
		if (one_in(8)) {
			pv_line();
		} else if (one_in(16)) {
			svm_paravirt_reset_vcpu(&t.pv, &t.vcpu[cpu]);
			model_pv_reset(&t.pv_model, cpu);
		}
		break;
	case 3:
		same("an end is offered", svm_paravirt_offer_eoi(&t.pv, &t.vcpu[cpu]),
		     model_pv_offer(&t.pv_model, cpu));
		break;
	case 4:
		pv_guest(cpu);
		break;
	default:
		pv_eoi(cpu);
	}
	same("memory", (uint64_t)memcmp(t.memory, t.pv_model.memory, sizeof(t.memory)), 0);
}

/* --- all together --- */

/* Save and restore must not be noticed. */
static void restore_all(void)
{
	struct svm_i8042_state kbc;
	struct svm_acpi_pm_state pm;
	struct svm_pci_state pci;
	struct svm_debug_ports_state bytes;
	struct svm_fw_cfg_state fw;
	struct svm_paravirt_state pv;
	struct svm_paravirt_vcpu_state vcpu;

	svm_i8042_save(&t.kbc, &kbc);
	svm_acpi_pm_save(&t.pm, &pm);
	svm_pci_save(&t.pci, &pci);
	svm_debug_ports_save(&t.bytes, &bytes);
	svm_fw_cfg_save(&t.fw, &fw);
	svm_paravirt_save(&t.pv, &pv);
	memset(&t.fw.s, 0, sizeof(t.fw.s));
	memset(&t.pci.s, 0, sizeof(t.pci.s));
	memset(&t.kbc.state, 0, sizeof(t.kbc.state));
	memset(&t.pm.s, 0, sizeof(t.pm.s));
	same("8042 is restored", (uint64_t)svm_i8042_restore(&t.kbc, &kbc), 0);
	same("PM is restored", (uint64_t)svm_acpi_pm_restore(&t.pm, &pm), 0);
	same("PCI is restored", (uint64_t)svm_pci_restore(&t.pci, &pci), 0);
	same("ports are restored", (uint64_t)svm_debug_ports_restore(&t.bytes, &bytes), 0);
	same("fw_cfg is restored", (uint64_t)svm_fw_cfg_restore(&t.fw, &fw), 0);
	same("pages are restored", (uint64_t)svm_paravirt_restore(&t.pv, &pv), 0);
	for (unsigned i = 0; i < MODEL_PV_CPUS; i++) {
		svm_paravirt_save_vcpu(&t.vcpu[i], &vcpu);
		memset(&t.vcpu[i], 0, sizeof(t.vcpu[i]));
		same("a vCPU's pages are restored",
		     (uint64_t)svm_paravirt_restore_vcpu(&t.pv, &t.vcpu[i], &vcpu), 0);
	}
}

/* Bit 31 of the timer changes each 600 s. */
static void pass_time(void)
{
	if (one_in(2))
		chance.now += draw(50000);
	else if (one_in(200))
		chance.now += draw(UINT64_C(100000000000));
}

static void init_devices(void)
{
	const struct svm_i8042_wires kbc = { { end_set, &t.kbc_irq, 0 },
		                             { end_set, &t.kbc_reset, 0 },
		                             { end_set, &t.kbc_a20, 0 } };
	const struct svm_wire sci = { end_set, &t.sci, 0 }, off = { end_set, &t.power_off, 0 };
	const struct svm_wire pci = { end_set, &t.pci_reset, 0 };
	const struct svm_debug_ports_sinks bytes = { bytes_put, bytes_exit, NULL,
		                                     { end_set, &t.bytes_reset, 0 },
		                                     { end_set, &t.bytes_a20, 0 } };

	t.kbc_a20.level = true;
	t.bytes_a20.level = true;
	svm_i8042_init(&t.kbc, &kbc);
	svm_acpi_pm_init(&t.pm, &sci, &off);
	svm_pci_init(&t.pci, SVM_PCI_BRIDGE_ID, &pci);
	svm_debug_ports_init(&t.bytes, &bytes);
	model_kbc_init(&t.kbc_model);
	model_pm_init(&t.pm_model);
	model_pci_init(&t.pci_model);
	model_bytes_init(&t.bytes_model);
	for (unsigned i = 0; i < MODEL_PCI_DEVICES; i++) {
		const struct svm_pci_device device = { read_space, write_space, t.space[i] };

		same("a device is attached",
		     (uint64_t)svm_pci_attach(&t.pci, t.pci_model.place[i], &device), 0);
	}
}

static void init_files(void)
{
	static const struct svm_fw_cfg_file files[MODEL_FW_FILES] = {
		{ "etc/e820", "0123456789", 10 },
		{ "a", "", 0 },
		{ "a-name-of-fifty-five-characters-is-the-longest-there-is", "abc", 4 },
	};

	svm_fw_cfg_init(&t.fw, UINT64_C(0x123456789a), 3, 0x1234);
	model_fw_init(&t.fw_model, UINT64_C(0x123456789a), 3, 0x1234);
	for (unsigned i = 0; i < MODEL_FW_FILES; i++) {
		same("a file is added", (uint64_t)svm_fw_cfg_add(&t.fw, &files[i]), 0);
		model_fw_file(&t.fw_model, i, files[i].name, files[i].bytes, files[i].size);
	}
}

static void init_pages(void)
{
	const struct svm_paravirt_config config = {
		.features = SVM_PARAVIRT_ALL,
		.tsc_hz = 2500000000,
		.wall_ns = UINT64_C(1700000000123456789),
	};

	same("pages are made", (uint64_t)svm_paravirt_init(&t.pv, &config), 0);
	model_pv_init(&t.pv_model, config.tsc_hz, config.wall_ns);
}

int main(int argc, char **argv)
{
	static void (*const kinds[])(void) = {
		kbc_event, pm_event, pci_event, bytes_event, fw_event, pv_event,
	};
	const unsigned long events = argc > 1 ? strtoul(argv[1], NULL, 0) : EVENTS;

	chance_init(argc > 2 ? strtoull(argv[2], NULL, 0) : 1);
	init_devices();
	init_files();
	init_pages();
	for (chance.event = 0; chance.event < events; chance.event++) {
		pass_time();
		kinds[draw(sizeof(kinds) / sizeof(kinds[0]))]();
		if (one_in(200))
			restore_all();
	}
	printf("%lu events alike, %llu s: IRQ 1 %llu times, SCI %llu, timer %llu, off %llu, resets "
	       "%llu, ends of interrupts %llu\n",
	       events, (unsigned long long)(chance.now / 1000000000),
	       (unsigned long long)t.kbc_irq.rises, (unsigned long long)t.sci.rises,
	       (unsigned long long)t.pm_model.halves, (unsigned long long)t.power_off.rises,
	       (unsigned long long)(t.kbc_reset.rises + t.pci_reset.rises + t.bytes_reset.rises),
	       (unsigned long long)t.ends);
	return 0;
}
