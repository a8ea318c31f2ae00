/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ports and memory of the PC: one table of ranges, one callback for all of them.
 *
 * The callback takes the lock, brings the devices up to the present, lets one of them answer, and
 * gives the lock back; a device sees no other time than that.
 */
#include "platform/pc.h"

#include <libsvm/msrs.h>

#include "core/vcpu/exits.h"
#include "platform/lapic.h"

#define LAPIC_EOI 0x0b0u /* Of the local APIC's registers. */

/* --- devices, by their ports ----------------------------------------------------------------- */

struct access {
	struct svm_pc *pc;
	uint16_t port;
	uint16_t offset; /* Within the row's ports. */
	uint8_t size;
	uint64_t now;
};

static uint32_t read_pit(const struct access *a)
{
	return svm_pit_read(&a->pc->pit, a->offset, a->size, a->now);
}

static void write_pit(const struct access *a, uint32_t value)
{
	svm_pit_write(&a->pc->pit, a->offset, a->size, value, a->now);
}

static uint32_t read_port61(const struct access *a)
{
	return svm_pit_read_port61(&a->pc->pit, a->now);
}

static void write_port61(const struct access *a, uint32_t value)
{
	svm_pit_write_port61(&a->pc->pit, (uint8_t)value, a->now);
}

static uint32_t read_rtc(const struct access *a)
{
	return svm_rtc_read(&a->pc->rtc, a->offset, a->size, a->now);
}

static void write_rtc(const struct access *a, uint32_t value)
{
	svm_rtc_write(&a->pc->rtc, a->offset, a->size, value, a->now);
}

static uint32_t read_com1(const struct access *a)
{
	return svm_uart_read(&a->pc->uart[0], a->offset, a->size);
}

static void write_com1(const struct access *a, uint32_t value)
{
	svm_uart_write(&a->pc->uart[0], a->offset, a->size, value);
}

static uint32_t read_com2(const struct access *a)
{
	return svm_uart_read(&a->pc->uart[1], a->offset, a->size);
}

static void write_com2(const struct access *a, uint32_t value)
{
	svm_uart_write(&a->pc->uart[1], a->offset, a->size, value);
}

static uint32_t read_pm(const struct access *a)
{
	return svm_acpi_pm_read(&a->pc->pm, a->offset, a->size, a->now);
}

static void write_pm(const struct access *a, uint32_t value)
{
	svm_acpi_pm_write(&a->pc->pm, a->offset, a->size, value, a->now);
}

static uint32_t read_pic(const struct access *a)
{
	return svm_pic_read(&a->pc->pic, a->port, a->size);
}

static void write_pic(const struct access *a, uint32_t value)
{
	svm_pic_write(&a->pc->pic, a->port, a->size, value);
}

static enum svm_device_result pic_access(void *arg, struct svm_vcpu *vcpu,
                                         struct svm_io_access *io);

static uint32_t read_i8042(const struct access *a)
{
	return svm_i8042_read(&a->pc->i8042, a->offset, a->size);
}

static void write_i8042(const struct access *a, uint32_t value)
{
	svm_i8042_write(&a->pc->i8042, a->offset, a->size, value);
}

static uint32_t read_debug(const struct access *a)
{
	return svm_debug_ports_read(&a->pc->ports, a->port, a->size);
}

static void write_debug(const struct access *a, uint32_t value)
{
	svm_debug_ports_write(&a->pc->ports, a->port, a->size, value);
}

static uint32_t read_pci(const struct access *a)
{
	return svm_pci_read(&a->pc->pci, a->offset, a->size);
}

static void write_pci(const struct access *a, uint32_t value)
{
	svm_pci_write(&a->pc->pci, a->offset, a->size, value);
}

static uint32_t read_fw_cfg(const struct access *a)
{
	return svm_fw_cfg_read(&a->pc->fw_cfg, a->offset, a->size);
}

static void write_fw_cfg(const struct access *a, uint32_t value)
{
	svm_fw_cfg_write(&a->pc->fw_cfg, a->offset, a->size, value);
}

/* --- the table of ports ---------------------------------------------------------------------- */

static const struct port_row {
	uint16_t first, count;
	uint64_t needs; /* SVM_PC_*; 0: every PC has it. */
	uint32_t (*read)(const struct access *a);
	void (*write)(const struct access *a, uint32_t value);
	svm_io_fn timeless; /* Of a device that knows no time and moves no deadline. */
} port_rows[] = {
	{ 0x020, 2, 0, read_pic, write_pic, pic_access },
	{ 0x040, 4, 0, read_pit, write_pit, NULL },
	{ 0x060, 1, 0, read_i8042, write_i8042, NULL },
	{ 0x061, 1, 0, read_port61, write_port61, NULL },
	{ 0x064, 1, 0, read_i8042, write_i8042, NULL },
	{ 0x070, 2, 0, read_rtc, write_rtc, NULL },
	{ 0x080, 1, 0, read_debug, write_debug, NULL },
	{ 0x092, 1, 0, read_debug, write_debug, NULL },
	{ 0x0a0, 2, 0, read_pic, write_pic, pic_access },
	{ 0x0e9, 1, 0, read_debug, write_debug, NULL },
	{ 0x0f4, 1, 0, read_debug, write_debug, NULL },
	{ 0x2f8, 8, 0, read_com2, write_com2, NULL },
	{ 0x3f8, 8, 0, read_com1, write_com1, NULL },
	{ 0x4d0, 2, 0, read_pic, write_pic, pic_access },
	{ SVM_FW_CFG_PORT, SVM_FW_CFG_PORTS, SVM_PC_FW_CFG, read_fw_cfg, write_fw_cfg, NULL },
	{ SVM_ACPI_PM_PORT, SVM_ACPI_PM_PORTS, SVM_PC_ACPI, read_pm, write_pm, NULL },
	{ SVM_PCI_PORT, SVM_PCI_PORTS, 0, read_pci, write_pci, NULL },
};

_Static_assert(SVM_ARRAY_SIZE(port_rows) <= PC_PORT_ROWS, "a binding for each row");

static enum svm_device_result port_access(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_io_access *io)
{
	const struct pc_binding *binding = arg;
	const struct port_row *row = binding->row;
	struct svm_pc *pc = binding->pc;
	struct access a = { .pc = pc, .port = io->port, .size = io->size };

	(void)vcpu;
	a.offset = (uint16_t)(io->port - row->first);
	/* The keyboard controller's two ports are 60h and 64h. */
	if (row->first == 0x064)
		a.offset = 4;
	a.now = svm_pc_enter(pc);
	if (io->is_in)
		io->value = row->read(&a);
	else
		row->write(&a, io->value);
	if (row->timeless)
		svm_pc_leave_early(pc);
	else
		svm_pc_leave(pc);
	return svm_atomic_load_relaxed(&pc->event) ? SVM_DEVICE_RETURN : SVM_DEVICE_DONE;
}

/*
 * As long as no device has a deadline, none is to be brought up to the present: this access comes
 * before the one that makes a first deadline.
 */
static enum svm_device_result pic_access(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *io)
{
	struct svm_pc *pc = ((const struct pc_binding *)arg)->pc;

	if (!SVM_MOSTLY(svm_atomic_load_relaxed(&pc->deadline) == SVM_NEVER))
		return port_access(arg, vcpu, io);
	svm_pc_lock(pc);
	if (io->is_in)
		io->value = svm_pic_read(&pc->pic, io->port, io->size);
	else
		svm_pic_write(&pc->pic, io->port, io->size, io->value);
	svm_pc_unlock(pc);
	return SVM_DEVICE_DONE;
}

/* --- memory ---------------------------------------------------------------------------------- */

static uint64_t value_of(const struct svm_mmio_access *access)
{
	uint64_t value = 0;

	if (access->size == sizeof(uint32_t)) { /* Nearly always, and without a call. */
		uint32_t half;

		__builtin_memcpy(&half, access->data, sizeof(half));
		return half;
	}
	memcpy(&value, access->data, access->size < sizeof(value) ? access->size : sizeof(value));
	return value;
}

static void give_answer(struct svm_mmio_access *access, uint64_t value)
{
	if (access->size == sizeof(uint32_t)) {
		const uint32_t half = (uint32_t)value;

		__builtin_memcpy(access->data, &half, sizeof(half));
		return;
	}
	memset(access->data, 0xff, access->size);
	memcpy(access->data, &value, access->size < sizeof(value) ? access->size : sizeof(value));
}

/* The task priority is CR8 too, which the processor serves without an exit. */
void svm_pc_follow_task_priority(struct pc_cpu *cpu)
{
	svm_vcpu_set_cr8(cpu->vcpu, svm_lapic_get_tpr(&cpu->lapic));
}

/* Of a register that has to do with the timer; it may be the one that says when to look next. */
static SVM_LONG_WAY void write_in_time(struct pc_cpu *cpu, uint32_t offset, uint32_t value)
{
	const struct svm_lapic_time now = svm_pc_lapic_time(cpu);

	svm_lapic_advance(&cpu->lapic, now);
	svm_lapic_put(&cpu->lapic, offset / 16, value, now);
	if (svm_lapic_ways(offset) & LAPIC_OF_TIMER)
		svm_events_rearm(cpu->vcpu);
}

/* Dropped, or an error. */
static SVM_LONG_WAY enum svm_device_result write_in_vain(struct pc_cpu *cpu, uint32_t offset,
                                                         const struct svm_mmio_access *access)
{
	svm_lapic_write(&cpu->lapic, offset, access->size, value_of(access),
	                svm_pc_lapic_time(cpu));
	return SVM_DEVICE_DONE;
}

/* Behind the interrupt that has ended something may have waited. */
static SVM_LONG_WAY void look_again(struct pc_cpu *cpu, uint32_t offset)
{
	if (offset == LAPIC_EOI && !svm_atomic_load(&cpu->lapic.irr_words))
		return;
	svm_pc_follow_task_priority(cpu);
	svm_atomic_or(&cpu->vcpu->s.requests, SVM_REQUEST_EVENTS); /* This thread serves them. */
}

/*
 * Most registers have nothing to do with the timer: for those nobody reads the clock.  The port is
 * asked again before the guest goes on, if it might say something else than before.  What a write
 * sends has woken whom it reached, the sender included.
 */
static SVM_LONG_WAY enum svm_device_result write_and_act(struct pc_cpu *cpu, uint32_t offset,
                                                         const struct svm_mmio_access *access)
{
	const unsigned ways = svm_lapic_ways(offset);
	const struct svm_lapic_time none = { 0, 0 };
	uint32_t value;

	if (offset % 16 || access->size != sizeof(value) || !(ways & LAPIC_MMIO_WRITE))
		return write_in_vain(cpu, offset, access);
	__builtin_memcpy(&value, access->data, sizeof(value));
	if ((ways & LAPIC_OF_TIMER) || ((ways & LAPIC_OF_TIME) && svm_lapic_is_timing(&cpu->lapic)))
		write_in_time(cpu, offset, value);
	else
		svm_lapic_put(&cpu->lapic, offset / 16, value, none);
	if (ways & LAPIC_OF_OWNER)
		look_again(cpu, offset);
	return SVM_DEVICE_DONE;
}

static SVM_LONG_WAY enum svm_device_result write_lapic(struct pc_cpu *cpu, uint32_t offset,
                                                       const struct svm_mmio_access *access)
{
	uint32_t value;

	if (access->size != sizeof(value) || !svm_lapic_is_kept(&cpu->lapic, offset))
		return write_and_act(cpu, offset, access);
	__builtin_memcpy(&value, access->data, sizeof(value));
	svm_lapic_keep(&cpu->lapic, offset / 16, value);
	return SVM_DEVICE_DONE;
}

static SVM_LONG_WAY enum svm_device_result read_lapic(struct pc_cpu *cpu, uint32_t offset,
                                                      struct svm_mmio_access *access)
{
	give_answer(access,
	            svm_lapic_read(&cpu->lapic, offset, access->size, svm_pc_lapic_time(cpu)));
	return SVM_DEVICE_DONE;
}

/* A guest may have ended its interrupt in memory, which no register shows yet. */
static SVM_LONG_WAY enum svm_device_result access_late(struct pc_cpu *cpu, uint32_t offset,
                                                       struct svm_mmio_access *access)
{
	svm_pc_take_eoi(cpu);
	return access->is_write ? write_lapic(cpu, offset, access)
	                        : read_lapic(cpu, offset, access);
}

/*
 * The page at the usual place is every vCPU's, and where an APIC is elsewhere, off or in x2APIC
 * mode, nothing is at it.
 */
static SVM_LONG_WAY enum svm_device_result access_nothing(struct svm_mmio_access *access)
{
	if (!access->is_write)
		give_answer(access, UINT64_MAX);
	return SVM_DEVICE_DONE;
}

static enum svm_device_result lapic_access(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_mmio_access *access)
{
	struct svm_pc *pc = arg;
	const uint32_t offset = (uint32_t)(access->gpa & (SVM_LAPIC_SIZE - 1));
	struct pc_cpu *cpu;
	uint32_t value;

	if (vcpu->id >= pc->config.cpus || pc->cpu[vcpu->id].vcpu != vcpu)
		return SVM_DEVICE_EXIT;
	cpu = &pc->cpu[vcpu->id];
	if (!SVM_MOSTLY(svm_lapic_is_at(&cpu->lapic, access->gpa - offset)))
		return access_nothing(access);
	if (!SVM_MOSTLY(!cpu->paravirt.eoi_offered))
		return access_late(cpu, offset, access);
	if (access->is_write)
		return write_lapic(cpu, offset, access);
	if (access->size != 4 || !svm_lapic_is_ready(&cpu->lapic, offset))
		return read_lapic(cpu, offset, access);
	value = svm_lapic_load(&cpu->lapic, offset / 16);
	__builtin_memcpy(access->data, &value, sizeof(value));
	return SVM_DEVICE_DONE;
}

static enum svm_device_result ioapic_access(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_mmio_access *access)
{
	const uint32_t offset = (uint32_t)(access->gpa & (SVM_IOAPIC_SIZE - 1));
	struct svm_pc *pc = arg;

	(void)vcpu;
	(void)svm_pc_enter(pc);
	if (access->is_write)
		svm_ioapic_write(&pc->ioapic, offset, access->size, value_of(access));
	else
		give_answer(access, svm_ioapic_read(&pc->ioapic, offset, access->size));
	svm_pc_leave(pc);
	return SVM_DEVICE_DONE;
}

/* No display adapter: what is written there is not kept. */
static enum svm_device_result vga_access(void *arg, struct svm_vcpu *vcpu,
                                         struct svm_mmio_access *access)
{
	(void)arg;
	(void)vcpu;
	if (!access->is_write)
		give_answer(access, UINT64_MAX);
	return SVM_DEVICE_DONE;
}

static const struct memory_row {
	svm_gpa_t gpa;
	uint64_t size;
	uint64_t needs;
	svm_mmio_fn fn;
} memory_rows[] = {
	{ PC_VGA_BASE, PC_VGA_SIZE, 0, vga_access },
	{ SVM_IOAPIC_DEFAULT_BASE, SVM_IOAPIC_SIZE, SVM_PC_APIC, ioapic_access },
	{ SVM_LAPIC_DEFAULT_BASE, SVM_LAPIC_SIZE, SVM_PC_APIC, lapic_access },
};

void svm_pc_place_apic(struct pc_cpu *cpu)
{
	const uint64_t base = svm_lapic_mmio_base(&cpu->lapic);
	const bool is_moved = base != SVM_NEVER && base != SVM_LAPIC_DEFAULT_BASE;

	svm_vcpu_mmio_handler(cpu->vcpu, base, SVM_LAPIC_SIZE, is_moved ? lapic_access : NULL,
	                      cpu->pc);
}

/* --- model-specific registers ---------------------------------------------------------------- */

static bool apic_msr(struct pc_cpu *cpu, struct svm_msr_access *access)
{
	const struct svm_lapic_time now = svm_pc_lapic_time(cpu);

	switch (access->msr) {
	case SVM_MSR_APIC_BASE:
		if (access->is_write)
			return svm_lapic_set_base(&cpu->lapic, access->value);
		access->value = svm_lapic_get_base(&cpu->lapic);
		return true;
	case SVM_MSR_TSC_DEADLINE:
		if (access->is_write)
			svm_lapic_set_tsc_deadline(&cpu->lapic, access->value, now);
		else
			access->value = svm_lapic_get_tsc_deadline(&cpu->lapic, now);
		return true;
	default:
		if (access->is_write)
			return svm_lapic_write_msr(&cpu->lapic, access->msr, access->value, now);
		return svm_lapic_read_msr(&cpu->lapic, access->msr, &access->value, now);
	}
}

static bool lapic_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	struct svm_pc *pc = arg;
	const uint32_t id = svm_vcpu_id(vcpu);

	if (id >= pc->config.cpus || pc->cpu[id].vcpu != vcpu)
		return false;
	svm_pc_take_eoi(&pc->cpu[id]);
	if (!apic_msr(&pc->cpu[id], access))
		return false;
	if (access->is_write) {
		svm_pc_place_apic(&pc->cpu[id]);
		svm_pc_follow_task_priority(&pc->cpu[id]);
		svm_vcpu_notify(vcpu);
	}
	return true;
}

static bool write_paravirt_msr(struct pc_cpu *cpu, const struct svm_msr_access *access)
{
	bool was_offered;

	svm_pc_take_eoi(cpu);
	was_offered = cpu->paravirt.eoi_offered;
	if (!svm_paravirt_write_msr(&cpu->pc->paravirt, &cpu->paravirt, access->msr, access->value))
		return false;
	/* An offer whose memory could not be reached is void now, and its answer lost. */
	if (was_offered && !cpu->paravirt.eoi_offered)
		svm_lapic_eoi(&cpu->lapic);
	svm_vcpu_notify(cpu->vcpu);
	return true;
}

static bool paravirt_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	struct svm_pc *pc = arg;
	const uint32_t id = svm_vcpu_id(vcpu);

	if (id >= pc->config.cpus || pc->cpu[id].vcpu != vcpu)
		return false;
	if (access->msr == SVM_STEAL_TIME_MSR)
		return svm_pc_steal_time_msr(&pc->cpu[id], access);
	if (access->is_write)
		return write_paravirt_msr(&pc->cpu[id], access);
	return svm_paravirt_read_msr(&pc->paravirt, &pc->cpu[id].paravirt, access->msr,
	                             &access->value);
}

static const struct pc_msr_row {
	uint32_t first, count;
	uint64_t needs;
	svm_msr_fn fn;
} pc_msr_rows[] = {
	{ SVM_MSR_APIC_BASE, 1, SVM_PC_APIC, lapic_msr },
	{ SVM_MSR_TSC_DEADLINE, 1, SVM_PC_TSC_DEADLINE, lapic_msr },
	{ 0x800, 0x40, SVM_PC_APIC | SVM_PC_X2APIC, lapic_msr },
	{ SVM_PARAVIRT_MSR_FIRST, SVM_PARAVIRT_MSR_COUNT, SVM_PC_PARAVIRT, paravirt_msr },
};

/* --- binding --------------------------------------------------------------------------------- */

static bool pc_has(const struct svm_pc *pc, uint64_t needs)
{
	return (pc->config.devices & needs) == needs;
}

static int bind_ports(struct svm_pc *pc)
{
	int error = 0;

	for (uint32_t i = 0; i < SVM_ARRAY_SIZE(port_rows) && !error; i++) {
		pc->binding[i] = (struct pc_binding){ pc, &port_rows[i] };
		if (pc_has(pc, port_rows[i].needs))
			error = svm_vm_io_handler(pc->vm, port_rows[i].first, port_rows[i].count,
			                          port_rows[i].timeless ? port_rows[i].timeless
			                                                : port_access,
			                          &pc->binding[i]);
		if (!error)
			pc->bound_ports = i + 1;
	}
	return error;
}

static int bind_memory(struct svm_pc *pc)
{
	int error = 0;

	for (uint32_t i = 0; i < SVM_ARRAY_SIZE(memory_rows) && !error; i++) {
		if (pc_has(pc, memory_rows[i].needs))
			error = svm_vm_mmio_handler(pc->vm, memory_rows[i].gpa, memory_rows[i].size,
			                            memory_rows[i].fn, pc);
		if (!error)
			pc->bound_memory = i + 1;
	}
	return error;
}

static int bind_msrs(struct svm_pc *pc)
{
	int error = 0;

	for (uint32_t i = 0; i < SVM_ARRAY_SIZE(pc_msr_rows) && !error; i++) {
		if (pc_has(pc, pc_msr_rows[i].needs))
			error = svm_vm_msr_handler(pc->vm, pc_msr_rows[i].first,
			                           pc_msr_rows[i].count, pc_msr_rows[i].fn, pc);
		if (!error)
			pc->bound_msrs = i + 1;
	}
	return error;
}

/* Only a guest that was offered one of them makes any. */
static int bind_hypercalls(struct svm_pc *pc)
{
	int error;

	if (!(pc->paravirt.config.features & (SVM_PARAVIRT_UNHALT | SVM_PARAVIRT_SEND_IPI)))
		return 0;
	error = svm_vm_hypercall_handler(pc->vm, PC_HYPERCALL_FIRST, PC_HYPERCALL_COUNT,
	                                 svm_pc_hypercall, pc);
	pc->bound_hypercalls = !error;
	return error;
}

int svm_pc_bind(struct svm_pc *pc)
{
	int error = bind_ports(pc);

	if (!error)
		error = bind_memory(pc);
	if (!error)
		error = bind_msrs(pc);
	if (!error)
		error = bind_hypercalls(pc);
	/* Nothing runs yet, so what was bound can be taken back. */
	if (error)
		(void)!svm_pc_unbind(pc);
	return error;
}

int svm_pc_unbind(struct svm_pc *pc)
{
	int error = 0;

	for (uint32_t i = 0; i < pc->bound_ports; i++) {
		const struct port_row *row = &port_rows[i];

		if (pc_has(pc, row->needs))
			error = pc_first_error(error, svm_vm_io_handler(pc->vm, row->first,
			                                                row->count, NULL, NULL));
	}
	for (uint32_t i = 0; i < pc->bound_memory; i++) {
		const struct memory_row *row = &memory_rows[i];

		if (pc_has(pc, row->needs))
			error = pc_first_error(error, svm_vm_mmio_handler(pc->vm, row->gpa,
			                                                  row->size, NULL, NULL));
	}
	for (uint32_t i = 0; i < pc->bound_msrs; i++) {
		const struct pc_msr_row *row = &pc_msr_rows[i];

		if (pc_has(pc, row->needs))
			error = pc_first_error(error, svm_vm_msr_handler(pc->vm, row->first,
			                                                 row->count, NULL, NULL));
	}
	if (pc->bound_hypercalls)
		error = pc_first_error(error,
		                       svm_vm_hypercall_handler(pc->vm, PC_HYPERCALL_FIRST,
		                                                PC_HYPERCALL_COUNT, NULL, NULL));
	return error;
}
