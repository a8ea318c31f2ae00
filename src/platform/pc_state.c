/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The state of a whole PC in one piece.
 *
 * Whether a state is possible each device knows, and says so while it takes the state over.  So
 * that nothing has changed when the last one refuses, a twin takes everything over first: a PC of
 * the same configuration that no VM knows.  What the twin took, the PC takes.
 *
 * The order in which parts are restored matters because they are wired: devices drive their lines
 * while all that listens is masked, then come the controllers, and last the local APICs, which have
 * exactly what was saved then, whatever came over the wires.
 */
#include "core/vm_idle.h"
#include "platform/pc.h"

#define PC_STATE_MAGIC   0x74735043u /* "CPst" */
#define PC_STATE_VERSION 1u

/* A VM's age, at most: 146 years of nanoseconds. */
#define PC_AGE_MOST (UINT64_C(1) << 62)

struct pc_state_head {
	uint32_t magic, version;
	uint64_t size; /* Of all. */
	uint64_t devices, memory;
	uint32_t cpus;
	uint32_t event;   /* As in struct svm_pc. */
	uint64_t now;     /* Nanoseconds of the VM's clock. */
	uint64_t wall_ns; /* Of the paravirtual clock. */
	uint32_t bus_last;
	uint32_t reserved; /* 0. */
};

struct pc_state_devices {
	struct svm_pit_state pit;
	struct svm_rtc_state rtc;
	struct svm_ioapic_state ioapic;
	struct svm_acpi_pm_state pm;
	struct svm_paravirt_state paravirt;
	struct svm_pic_state pic;
	struct svm_uart_state uart[SVM_PC_UARTS];
	struct svm_i8042_state i8042;
	struct svm_pci_state pci;
	struct svm_fw_cfg_state fw_cfg;
	struct svm_debug_ports_state ports;
	uint8_t reserved[4]; /* 0. */
};

struct pc_state_cpu {
	struct svm_lapic_state lapic;
	struct svm_paravirt_vcpu_state paravirt;
	struct svm_steal_time_state steal;
	uint32_t startup; /* As in struct pc_cpu, and what follows. */
	uint8_t startup_vector;
	uint8_t extint_requested; /* 0 or 1. */
	uint8_t reserved[2];      /* 0. */
};

struct pc_state {
	struct pc_state_head head;
	struct pc_state_devices devices;
	struct pc_state_cpu cpu[]; /* head.cpus of them. */
};

/* What is saved under one version keeps its shape. */
_Static_assert(sizeof(struct pc_state_head) == 64, "version 1");
_Static_assert(sizeof(struct pc_state_devices) == 720, "version 1");
_Static_assert(sizeof(struct pc_state_cpu) == 264, "version 1");
_Static_assert(sizeof(struct pc_state) == 64 + 720, "nothing in between");

size_t svm_pc_state_size(const struct svm_pc *pc)
{
	return sizeof(struct pc_state) + pc->config.cpus * sizeof(struct pc_state_cpu);
}

static bool vm_of_pc_is_idle(const struct svm_pc *pc)
{
	bool idle;

	svm_vm_lock(pc->vm);
	idle = svm_vm_is_idle(pc->vm);
	svm_vm_unlock(pc->vm);
	return idle;
}

/* --- saving ---------------------------------------------------------------------------------- */

static void save_head(const struct svm_pc *pc, struct pc_state_head *head)
{
	*head = (struct pc_state_head){
		.magic = PC_STATE_MAGIC,
		.version = PC_STATE_VERSION,
		.size = svm_pc_state_size(pc),
		.devices = pc->config.devices,
		.memory = pc->config.memory,
		.cpus = pc->config.cpus,
		.event = svm_atomic_load(&pc->event),
		.now = pc->last_ns,
		.wall_ns = pc->paravirt.config.wall_ns,
		.bus_last = svm_atomic_load(&pc->bus.last),
	};
}

static void save_devices(const struct svm_pc *pc, struct pc_state_devices *devices)
{
	memset(devices, 0, sizeof(*devices));
	svm_pit_save(&pc->pit, &devices->pit);
	svm_rtc_save(&pc->rtc, &devices->rtc);
	svm_ioapic_save(&pc->ioapic, &devices->ioapic);
	svm_acpi_pm_save(&pc->pm, &devices->pm);
	svm_paravirt_save(&pc->paravirt, &devices->paravirt);
	svm_pic_save(&pc->pic, &devices->pic);
	for (unsigned i = 0; i < SVM_PC_UARTS; i++)
		svm_uart_save(&pc->uart[i], &devices->uart[i]);
	svm_i8042_save(&pc->i8042, &devices->i8042);
	svm_pci_save(&pc->pci, &devices->pci);
	svm_fw_cfg_save(&pc->fw_cfg, &devices->fw_cfg);
	svm_debug_ports_save(&pc->ports, &devices->ports);
}

static void save_cpu(struct pc_cpu *cpu, struct pc_state_cpu *state)
{
	struct svm_lapic_time now = svm_pc_lapic_time(cpu);

	memset(state, 0, sizeof(*state));
	now.ns = cpu->pc->last_ns;
	svm_lapic_save(&cpu->lapic, &state->lapic, now);
	svm_paravirt_save_vcpu(&cpu->paravirt, &state->paravirt);
	svm_steal_time_save(&cpu->steal, &state->steal);
	state->startup = cpu->startup;
	state->startup_vector = cpu->startup_vector;
	state->extint_requested = cpu->extint_requested;
}

/* Piece by piece: the caller's bytes may have any alignment. */
static void save_all(struct svm_pc *pc, uint8_t *to)
{
	struct pc_state_devices devices;
	struct pc_state_head head;
	struct pc_state_cpu cpu;

	save_head(pc, &head);
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	save_devices(pc, &devices);
	memcpy(to, &devices, sizeof(devices));
	to += sizeof(devices);
	for (uint32_t i = 0; i < pc->config.cpus; i++) {
		save_cpu(&pc->cpu[i], &cpu);
		memcpy(to + i * sizeof(cpu), &cpu, sizeof(cpu));
	}
}

int svm_pc_save(struct svm_pc *pc, void *state, size_t size)
{
	if (size < svm_pc_state_size(pc))
		return SVM_ERR_RANGE;
	if (!vm_of_pc_is_idle(pc))
		return SVM_ERR_BUSY;
	(void)svm_pc_enter(pc);
	save_all(pc, state);
	svm_pc_leave(pc);
	return 0;
}

/* --- restoring ------------------------------------------------------------------------------- */

static bool event_is_possible(uint32_t event)
{
	const uint32_t kind = event & 0xff, status = event >> 8;

	return kind <= SVM_PC_EXIT && status <= (kind == SVM_PC_EXIT ? 0xff : 0);
}

static bool head_is_possible(const struct svm_pc *pc, const struct pc_state_head *head)
{
	return head->size == svm_pc_state_size(pc) && head->devices == pc->config.devices &&
	       head->memory == pc->config.memory && head->cpus == pc->config.cpus &&
	       head->now <= PC_AGE_MOST && head->bus_last < SVM_APIC_MAX && !head->reserved &&
	       event_is_possible(head->event);
}

static bool cpu_is_possible(const struct svm_pc *pc, const struct pc_state_cpu *s)
{
	const uint32_t startup = SVM_LAPIC_REQUEST_INIT | SVM_LAPIC_REQUEST_STARTUP;
	const bool has_steal_time = pc->paravirt.config.features & SVM_PARAVIRT_STEAL_TIME;

	if (!has_steal_time && (s->steal.msr || s->steal.stolen_ns || s->steal.version))
		return false;
	return !(s->startup & ~startup) && s->extint_requested <= 1 && !s->reserved[0] &&
	       !s->reserved[1];
}

/* Nothing that a device does to a line goes further. */
static void mask_all(struct svm_pc *pc)
{
	svm_ioapic_reset(&pc->ioapic);
	for (uint32_t i = 0; i < pc->config.cpus; i++)
		svm_lapic_reset(&pc->cpu[i].lapic);
}

static int restore_sources(struct svm_pc *pc, const struct pc_state_devices *s, uint64_t now)
{
	int error = svm_pit_restore(&pc->pit, &s->pit, now);

	error = pc_first_error(error, svm_rtc_restore(&pc->rtc, &s->rtc, now));
	error = pc_first_error(error, svm_acpi_pm_restore(&pc->pm, &s->pm));
	for (unsigned i = 0; i < SVM_PC_UARTS; i++)
		error = pc_first_error(error, svm_uart_restore(&pc->uart[i], &s->uart[i]));
	error = pc_first_error(error, svm_i8042_restore(&pc->i8042, &s->i8042));
	error = pc_first_error(error, svm_pci_restore(&pc->pci, &s->pci));
	error = pc_first_error(error, svm_fw_cfg_restore(&pc->fw_cfg, &s->fw_cfg));
	error = pc_first_error(error, svm_debug_ports_restore(&pc->ports, &s->ports));
	return pc_first_error(error, svm_paravirt_restore(&pc->paravirt, &s->paravirt));
}

static int restore_cpu(struct pc_cpu *cpu, const struct pc_state_cpu *s, uint64_t now)
{
	int error = cpu_is_possible(cpu->pc, s) ? 0 : SVM_ERR_INVAL;

	cpu->last.ns = 0; /* The VM's clock may have been ahead of the one that comes. */
	cpu->last = svm_pc_lapic_time(cpu);
	cpu->last.ns = now;
	error = pc_first_error(error, svm_lapic_restore(&cpu->lapic, &s->lapic, cpu->last));
	error = pc_first_error(
		error, svm_paravirt_restore_vcpu(&cpu->pc->paravirt, &cpu->paravirt, &s->paravirt));
	error = pc_first_error(error, svm_steal_time_restore(&cpu->steal, &s->steal));
	cpu->startup = s->startup;
	cpu->startup_vector = s->startup_vector;
	cpu->extint_requested = s->extint_requested;
	return error;
}

/* The lock is held, or nobody else knows the PC. */
static int restore_all(struct svm_pc *pc, const struct pc_state *s)
{
	const uint64_t now = s->head.now;
	int error;

	pc->start_ns = svm_host_clock_ns(pc->vm->host) - now;
	pc->last_ns = now;
	mask_all(pc);
	error = restore_sources(pc, &s->devices, now);
	error = pc_first_error(error, svm_pic_restore(&pc->pic, &s->devices.pic));
	error = pc_first_error(error, svm_ioapic_restore(&pc->ioapic, &s->devices.ioapic));
	for (uint32_t i = 0; i < pc->config.cpus; i++)
		error = pc_first_error(error, restore_cpu(&pc->cpu[i], &s->cpu[i], now));
	svm_atomic_store(&pc->bus.last, s->head.bus_last);
	svm_atomic_store(&pc->event, s->head.event);
	pc->paravirt.config.wall_ns = s->head.wall_ns;
	return error;
}

/* The guest's time goes on by this host's TSC, and by what the vCPU adds to it. */
static int draw_time_line(struct svm_pc *pc)
{
	const struct svm_lapic_time now = svm_pc_lapic_time(&pc->cpu[0]);
	int error;

	if (!(pc->config.devices & SVM_PC_PARAVIRT))
		return 0;
	error = svm_paravirt_set_line(&pc->paravirt, pc->vm->host->hal.tsc_hz, now.tsc, now.ns);
	for (uint32_t i = 0; i < pc->config.cpus && !error; i++)
		svm_paravirt_update(&pc->paravirt, &pc->cpu[i].paravirt);
	return error;
}

static void rouse(struct pc_cpu *cpu)
{
	if (!cpu->vcpu)
		return;
	if (cpu->pc->config.devices & SVM_PC_APIC)
		svm_pc_place_apic(cpu);
	svm_pc_follow_task_priority(cpu);
	svm_pc_follow_steal_time(cpu);
	svm_vcpu_notify(cpu->vcpu);
}

static int try_twin(const struct svm_pc *pc, const struct pc_state *s)
{
	struct svm_pc *twin;
	int error;

	twin = svm_pc_make(pc->vm, &pc->config, &error);
	if (!twin)
		return error;
	error = restore_all(twin, s);
	svm_pc_unmake(twin);
	return error;
}

static int restore_checked(struct svm_pc *pc, const struct pc_state *s)
{
	int error;

	if (s->head.magic != PC_STATE_MAGIC)
		return SVM_ERR_INVAL;
	if (s->head.version != PC_STATE_VERSION)
		return SVM_ERR_ABI;
	if (!head_is_possible(pc, &s->head) || s->devices.reserved[0] || s->devices.reserved[1] ||
	    s->devices.reserved[2] || s->devices.reserved[3])
		return SVM_ERR_INVAL;
	error = try_twin(pc, s);
	if (error)
		return error;
	(void)svm_pc_enter(pc);
	error = restore_all(pc, s);
	error = pc_first_error(error, draw_time_line(pc));
	svm_pc_leave(pc);
	for (uint32_t i = 0; i < pc->config.cpus; i++)
		rouse(&pc->cpu[i]);
	(void)SVM_ASSERT(pc->vm, !error);
	return error;
}

int svm_pc_restore(struct svm_pc *pc, const void *state, size_t size)
{
	const size_t pages = (size + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE;
	struct pc_state *copy;
	svm_hpa_t hpa = 0;
	int error;

	if (size != svm_pc_state_size(pc))
		return SVM_ERR_INVAL;
	if (!vm_of_pc_is_idle(pc))
		return SVM_ERR_BUSY;
	copy = svm_host_frames(pc->vm->host, pages, &hpa);
	if (!copy)
		return SVM_ERR_NOMEM;
	memcpy(copy, state, size);
	error = restore_checked(pc, copy);
	svm_host_frames_free(pc->vm->host, copy, hpa, pages);
	return error;
}
