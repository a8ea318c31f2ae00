/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DEVICES_PORT_MODEL_H
#define TESTS_DEVICES_PORT_MODEL_H
/*
 * The keyboard controller, ACPI's fixed hardware, PCI's configuration ports, the ports of one byte,
 * firmware's configuration and KVM's paravirtual pages once more, from their specifications: what
 * is a bit there is a bool here, an item is the bytes that it has, and time is divided in 128 bits.
 * Nothing here knows the library.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- keyboard controller: IBM's PS/2 technical reference --- */

struct model_kbc {
	uint8_t memory[32], output;
	bool full, late, last_was_command, a20;
	int wants; /* A command whose byte has not come yet; -1: none. */
	bool irq;
	uint64_t irqs, resets;
};

void model_kbc_init(struct model_kbc *m);
void model_kbc_write(struct model_kbc *m, unsigned port, uint8_t value);
uint8_t model_kbc_read(struct model_kbc *m, unsigned port);
/* After each access of the guest, however many bytes it had. */
void model_kbc_settle(struct model_kbc *m);

/* --- ACPI 6.5, 4.8.3 --- */

struct model_pm {
	bool status[16], enable[16], control[16];
	uint64_t halves; /* Times that bit 31 of the timer has changed. */
	bool sci;
	uint64_t scis, offs;
};

void model_pm_init(struct model_pm *m);
void model_pm_run(struct model_pm *m, uint64_t now);
void model_pm_write(struct model_pm *m, unsigned offset, uint8_t value);
uint8_t model_pm_read(const struct model_pm *m, unsigned offset, uint64_t now);
void model_pm_button(struct model_pm *m);
void model_pm_settle(struct model_pm *m);

/* --- PCI Local Bus 3.0, 3.2.2.3.2 --- */

#define MODEL_PCI_DEVICES 2u

struct model_pci {
	bool enabled;
	unsigned bus, device, function, reg; /* Register in units of four bytes. */
	uint8_t reset;
	uint64_t resets;
	unsigned place[MODEL_PCI_DEVICES];
	uint8_t space[MODEL_PCI_DEVICES][256];
};

void model_pci_init(struct model_pci *m);
void model_pci_write(struct model_pci *m, unsigned offset, unsigned size, uint32_t value);
uint32_t model_pci_read(const struct model_pci *m, unsigned offset, unsigned size);

/* --- ports of one byte --- */

struct model_bytes {
	uint8_t post, port92, cf9, put;
	uint64_t puts, exits, resets, a20s;
	uint32_t exit;
	bool a20;
};

void model_bytes_init(struct model_bytes *m);
void model_bytes_write(struct model_bytes *m, unsigned port, unsigned size, uint32_t value);
uint32_t model_bytes_read(const struct model_bytes *m, unsigned port, unsigned size);

/* --- QEMU's docs/specs/fw_cfg --- */

#define MODEL_FW_FILES 3u

struct model_fw {
	unsigned item, at;
	struct {
		size_t size;
		uint8_t bytes[512];
	} items[0x20 + MODEL_FW_FILES];
};

void model_fw_init(struct model_fw *m, uint64_t memory, unsigned cpus, unsigned cpu_max);
void model_fw_file(struct model_fw *m, unsigned n, const char *name, const void *bytes,
                   size_t size);
void model_fw_select(struct model_fw *m, unsigned item);
uint8_t model_fw_next(struct model_fw *m);

/* --- Linux's Documentation/virt/kvm/x86/msr.rst --- */

#define MODEL_PV_MEMORY 8192u
#define MODEL_PV_CPUS   2u

/* Memory of the guest is there up to its size, but for a hole. */
#define MODEL_PV_HOLE     3000u
#define MODEL_PV_HOLE_END 3500u

struct model_pv {
	uint8_t memory[MODEL_PV_MEMORY];
	uint64_t wall, wall_ns, hz, base_tsc, base_ns;
	uint32_t wall_version;
	struct {
		uint64_t clock, eoi;
		uint32_t version;
		bool offered;
	} cpu[MODEL_PV_CPUS];
};

void model_pv_init(struct model_pv *m, uint64_t hz, uint64_t wall_ns);
bool model_pv_is_there(uint64_t gpa, size_t size);
bool model_pv_write(struct model_pv *m, unsigned cpu, uint32_t msr, uint64_t value);
bool model_pv_read(const struct model_pv *m, unsigned cpu, uint32_t msr, uint64_t *value);
void model_pv_line(struct model_pv *m, uint64_t hz, uint64_t tsc, uint64_t ns);
void model_pv_update(struct model_pv *m, unsigned cpu);
bool model_pv_offer(struct model_pv *m, unsigned cpu);
/* The memory is out of reach for reading, or for writing. */
bool model_pv_look(struct model_pv *m, unsigned cpu, bool no_read);
bool model_pv_take(struct model_pv *m, unsigned cpu, bool no_read, bool no_write);
void model_pv_reset(struct model_pv *m, unsigned cpu);

#endif
