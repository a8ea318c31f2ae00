/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The PC: made in one piece, devices wired to each other and registered with the VM.
 */
#include "platform/pc.h"

#include <libsvm/boot.h>
#include <libsvm/platform/acpi_tables.h>

#include "core/vcpu/vcpu.h"

#define PC_TABLES_GPA   UINT64_C(0xe0000) /* Where a guest looks for the RSDP. */
#define PC_TABLES_PAGES (SVM_ACPI_TABLES_SIZE / SVM_PAGE_SIZE)
/* Registers of a local APIC, and a bit. */
#define LAPIC_SPURIOUS        0x0f0u
#define LAPIC_LINT0           0x350u
#define LAPIC_LINT1           0x360u
#define LAPIC_SOFTWARE_ENABLE 0x100u

/* --- what devices do to the machine ---------------------------------------------------------- */

/* The first one counts; each vCPU's run ends. */
static void raise_event(struct svm_pc *pc, enum svm_pc_event event, uint8_t status)
{
	uint32_t none = SVM_PC_NOTHING;

	if (!svm_atomic_cas(&pc->event, &none, (uint32_t)event | (uint32_t)status << 8))
		return;
	for (uint32_t i = 0; i < pc->config.cpus; i++)
		if (pc->cpu[i].vcpu)
			svm_vcpu_kick(pc->cpu[i].vcpu);
}

static void on_reset(void *arg, unsigned line, bool level)
{
	(void)line;
	if (level)
		raise_event(arg, SVM_PC_RESET, 0);
}

static void on_power_off(void *arg, unsigned line, bool level)
{
	(void)line;
	if (level)
		raise_event(arg, SVM_PC_POWER_OFF, 0);
}

static void on_exit_port(void *arg, uint32_t value)
{
	raise_event(arg, SVM_PC_EXIT, (uint8_t)value);
}

enum svm_pc_event svm_pc_event(struct svm_pc *pc, uint8_t *status)
{
	uint32_t event = svm_atomic_load(&pc->event);

	if (event != SVM_PC_NOTHING) /* Each time that a vCPU is run this is asked. */
		event = svm_atomic_exchange(&pc->event, (uint32_t)SVM_PC_NOTHING);
	*status = (uint8_t)(event >> 8);
	return (enum svm_pc_event)(event & 0xff);
}

/* --- serial ports ---------------------------------------------------------------------------- */

static void uart_put(void *arg, uint8_t byte)
{
	const struct pc_uart_sink *sink = arg;
	const struct svm_pc_config *config = &sink->pc->config;

	if (config->put)
		config->put(config->arg, sink->uart, byte);
}

static void debug_put(void *arg, uint8_t byte)
{
	struct svm_pc *pc = arg;

	uart_put(&pc->sink[0], byte);
}

bool svm_pc_receive(struct svm_pc *pc, unsigned uart, uint8_t byte)
{
	bool taken;

	if (uart >= SVM_PC_UARTS)
		return false;
	(void)svm_pc_enter(pc);
	taken = svm_uart_receive(&pc->uart[uart], byte);
	svm_pc_leave(pc);
	return taken;
}

/* --- making ---------------------------------------------------------------------------------- */

static struct svm_wire isa_irq(struct svm_pc *pc, unsigned irq)
{
	return (struct svm_wire){ svm_pc_set_irq, pc, irq };
}

/*
 * What firmware leaves behind: "virtual wire", the 8259's interrupts by way of the boot processor's
 * LINT0 and NMIs by LINT1.  A guest that looks for no APIC depends on it.
 */
static void wire_through(struct svm_lapic *lapic)
{
	const struct svm_lapic_time start = { 0, 0 };

	svm_lapic_write(lapic, LAPIC_SPURIOUS, 4, LAPIC_SOFTWARE_ENABLE | 0xff, start);
	svm_lapic_write(lapic, LAPIC_LINT0, 4, (uint32_t)SVM_APIC_EXTINT << 8, start);
	svm_lapic_write(lapic, LAPIC_LINT1, 4, (uint32_t)SVM_APIC_NMI << 8, start);
}

static int init_apics(struct svm_pc *pc)
{
	int error = svm_ioapic_init(&pc->ioapic, svm_pc_send, pc);

	svm_apic_bus_init(&pc->bus);
	for (uint32_t i = 0; i < pc->config.cpus && !error; i++) {
		struct pc_cpu *cpu = &pc->cpu[i];
		const struct svm_lapic_config config = {
			.id = i,
			.is_bsp = i == 0,
			.has_x2apic = pc->config.devices & SVM_PC_X2APIC,
			.has_tsc_deadline = pc->config.devices & SVM_PC_TSC_DEADLINE,
			.physical_bits = pc->vm->host->features.physical_bits,
			.host = { svm_pc_lapic_wake, svm_pc_cpu_send, svm_pc_cpu_eoi, cpu },
		};

		cpu->pc = pc;
		error = svm_lapic_init(&cpu->lapic, &config);
		if (!error)
			error = svm_apic_bus_add(&pc->bus, &cpu->lapic);
	}
	if (!error)
		wire_through(&pc->cpu[0].lapic);
	return error;
}

static void init_legacy(struct svm_pc *pc)
{
	const struct svm_wire output = { svm_pc_pic_output, pc, 0 };
	const struct svm_wire reset = { on_reset, pc, 0 };
	const struct svm_wire power_off = { on_power_off, pc, 0 };
	const struct svm_wire timer = isa_irq(pc, PC_IRQ_TIMER), clock = isa_irq(pc, PC_IRQ_CLOCK),
	                      acpi = isa_irq(pc, PC_IRQ_ACPI);
	const struct svm_i8042_wires i8042 = { .irq = isa_irq(pc, PC_IRQ_KEYBOARD),
		                               .reset = reset };
	const struct svm_debug_ports_sinks sinks = {
		.put = debug_put,
		.exit = on_exit_port,
		.arg = pc,
		.reset = reset,
	};

	svm_pic_init(&pc->pic, &output);
	svm_pit_init(&pc->pit, &timer);
	svm_rtc_init(&pc->rtc, &clock, pc->config.wall_clock);
	svm_i8042_init(&pc->i8042, &i8042);
	svm_debug_ports_init(&pc->ports, &sinks);
	svm_pci_init(&pc->pci, SVM_PCI_BRIDGE_ID, &reset);
	svm_acpi_pm_init(&pc->pm, &acpi, &power_off);
	svm_fw_cfg_init(&pc->fw_cfg, pc->config.memory, (uint16_t)pc->config.cpus,
	                (uint16_t)pc->config.cpus);
}

static void init_serial(struct svm_pc *pc)
{
	static const uint8_t irqs[SVM_PC_UARTS] = { PC_IRQ_COM1, PC_IRQ_COM2 };

	for (unsigned i = 0; i < SVM_PC_UARTS; i++) {
		const struct svm_wire irq = isa_irq(pc, irqs[i]);

		pc->sink[i] = (struct pc_uart_sink){ pc, i };
		svm_uart_init(&pc->uart[i], &irq, uart_put, &pc->sink[i]);
	}
}

/* A vCPU that is alone has nobody to send to, and nobody who would ask where it is. */
static uint32_t paravirt_features(const struct svm_pc *pc)
{
	uint32_t features =
		SVM_PARAVIRT_NO_IO_DELAY | SVM_PARAVIRT_CLOCK | SVM_PARAVIRT_CLOCK_STABLE;

	if (pc->config.devices & SVM_PC_APIC)
		features |= SVM_PARAVIRT_EOI;
	if (pc->config.cpus > 1)
		features |= SVM_PARAVIRT_SMP;
	return features;
}

static int init_paravirt(struct svm_pc *pc)
{
	const struct svm_paravirt_config config = {
		.vm = pc->vm,
		.features = paravirt_features(pc),
		.tsc_hz = pc->vm->host->hal.tsc_hz,
		.wall_ns = pc->config.wall_clock * SVM_NS_PER_S,
		.base_tsc = svm_ring0_rdtsc(),
		.base_ns = svm_pc_now(pc),
	};

	return svm_paravirt_init(&pc->paravirt, &config);
}

static int init_devices(struct svm_pc *pc)
{
	const uint64_t low = svm_min(pc->config.memory, SVM_BOOT_PC_HOLE);
	int error;

	pc->start_ns = svm_host_clock_ns(pc->vm->host);
	pc->deadline = 0; /* Found when the lock is first given back. */
	error = init_apics(pc); /* First, since a wire may move when its device is made. */
	if (error)
		return error;
	init_legacy(pc);
	init_serial(pc);
	svm_rtc_set_memory(&pc->rtc, low, pc->config.memory - low);
	if (pc->config.devices & SVM_PC_PARAVIRT)
		error = init_paravirt(pc);
	return error;
}

static bool is_legal(const struct svm_vm *vm, const struct svm_pc_config *config)
{
	const uint64_t all = SVM_PC_DEFAULT | SVM_PC_FW_CFG | SVM_PC_TSC_DEADLINE;
	const uint64_t devices = config->devices;

	if (devices & ~all || config->cpus < 1 || config->cpus > vm->config.vcpu_max)
		return false;
	if ((devices & (SVM_PC_X2APIC | SVM_PC_TSC_DEADLINE)) && !(devices & SVM_PC_APIC))
		return false;
	if (config->cpus > 1 && !(devices & SVM_PC_APIC))
		return false;
	return config->memory >= 0x200000 && config->wall_clock < UINT64_MAX / SVM_NS_PER_S;
}

/* The table of CPUID comes last: nobody could put it back. */
static int enter_vm(struct svm_pc *pc)
{
	int error = svm_pc_bind(pc);

	if (error)
		return error;
	error = svm_pc_set_cpuid(pc);
	/* Nothing runs yet, so what was bound can be taken back. */
	if (error)
		(void)!svm_pc_unbind(pc);
	return error;
}

void svm_pc_unmake(struct svm_pc *pc)
{
	svm_host_frames_free(pc->vm->host, pc, pc->hpa, pc->pages);
}

struct svm_pc *svm_pc_make(struct svm_vm *vm, const struct svm_pc_config *config, int *error)
{
	const size_t size = sizeof(struct svm_pc) + config->cpus * sizeof(struct pc_cpu);
	const size_t pages = (size + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE;
	svm_hpa_t hpa = 0;
	struct svm_pc *pc = svm_host_frames(vm->host, pages, &hpa);

	*error = SVM_ERR_NOMEM;
	if (!pc)
		return NULL;
	pc->vm = vm;
	pc->config = *config;
	pc->pages = pages;
	pc->hpa = hpa;
	*error = init_devices(pc);
	if (!*error)
		return pc;
	svm_pc_unmake(pc);
	return NULL;
}

int svm_pc_create(struct svm_vm *vm, const struct svm_pc_config *wanted, struct svm_pc **result)
{
	const struct svm_pc_config config = *wanted;
	struct svm_pc *pc;
	int error;

	if (!is_legal(vm, &config))
		return SVM_ERR_INVAL;
	pc = svm_pc_make(vm, &config, &error);
	if (!pc)
		return error;
	error = enter_vm(pc);
	if (error)
		svm_pc_unmake(pc);
	else
		*result = pc;
	return error;
}

int svm_pc_destroy(struct svm_pc *pc)
{
	int error;

	if (!pc)
		return 0;
	error = svm_pc_unbind(pc);
	if (!error)
		svm_pc_unmake(pc);
	return error;
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

int svm_pc_attach(struct svm_pc *pc, struct svm_vcpu *vcpu)
{
	const uint32_t id = svm_vcpu_id(vcpu);
	struct svm_irq_port port = svm_pc_irq_port;

	if (id >= pc->config.cpus)
		return SVM_ERR_INVAL;
	pc->cpu[id].vcpu = vcpu;
	if (pc->config.devices & SVM_PC_APIC)
		svm_pc_place_apic(&pc->cpu[id]);
	svm_pc_follow_steal_time(&pc->cpu[id]); /* It may have been restored before. */
	port.arg = &pc->cpu[id];
	return svm_vcpu_set_irq_port(vcpu, &port);
}

static int serve_startup(struct pc_cpu *cpu, uint32_t requests)
{
	int error = 0;

	if (requests & SVM_LAPIC_REQUEST_INIT) {
		svm_lapic_reset_by_init(&cpu->lapic);
		svm_paravirt_reset_vcpu(&cpu->pc->paravirt, &cpu->paravirt);
		svm_pc_reset_steal_time(cpu);
		error = svm_vcpu_init_ipi(cpu->vcpu);
	}
	/* A start-up that no INIT came before is dropped, as by a processor that runs. */
	if (!error && (requests & SVM_LAPIC_REQUEST_STARTUP) &&
	    svm_vcpu_state(cpu->vcpu) == SVM_VCPU_WAIT_SIPI)
		error = svm_vcpu_startup_ipi(cpu->vcpu, cpu->startup_vector);
	return error;
}

static bool has_request(const struct pc_cpu *cpu)
{
	return cpu->startup || svm_atomic_load(&cpu->lapic.requests);
}

static SVM_LONG_WAY int serve_cpu(struct pc_cpu *cpu)
{
	uint32_t requests;

	/* One that waits, or has halted with IF = 0, does not ask its port. */
	svm_pc_take_requests(cpu);
	requests = cpu->startup;
	cpu->startup = 0;
	/* The boot processor would begin at the reset vector (APM vol. 2, 14.1.3): no firmware. */
	if (cpu == &cpu->pc->cpu[0] && (requests & SVM_LAPIC_REQUEST_INIT)) {
		raise_event(cpu->pc, SVM_PC_RESET, 0);
		return 0;
	}
	return serve_startup(cpu, requests);
}

int svm_pc_serve(struct svm_pc *pc, struct svm_vcpu *vcpu)
{
	const uint32_t id = vcpu->id;

	if (id >= pc->config.cpus || pc->cpu[id].vcpu != vcpu)
		return SVM_ERR_INVAL;
	return SVM_MOSTLY(!has_request(&pc->cpu[id])) ? 0 : serve_cpu(&pc->cpu[id]);
}

bool svm_pc_has_request(const struct svm_pc *pc, const struct svm_vcpu *vcpu)
{
	const uint32_t id = svm_vcpu_id(vcpu);

	return id < pc->config.cpus && has_request(&pc->cpu[id]);
}

/* --- ACPI ------------------------------------------------------------------------------------ */

int svm_pc_write_tables(struct svm_pc *pc, svm_gpa_t *rsdp)
{
	struct svm_acpi_config config;
	svm_hpa_t hpa = 0;
	size_t length = 0;
	uint8_t *bytes;
	int error;

	if (!(pc->config.devices & SVM_PC_ACPI))
		return SVM_ERR_NOSUPPORT;
	bytes = svm_host_frames(pc->vm->host, PC_TABLES_PAGES, &hpa);
	if (!bytes)
		return SVM_ERR_NOMEM;
	svm_acpi_default_config(&config, pc->config.cpus);
	config.gpa = PC_TABLES_GPA;
	error = svm_acpi_build(&config, bytes, SVM_ACPI_TABLES_SIZE, &length);
	if (!error)
		error = svm_vm_write(pc->vm, PC_TABLES_GPA, bytes, length, NULL);
	svm_host_frames_free(pc->vm->host, bytes, hpa, PC_TABLES_PAGES);
	*rsdp = PC_TABLES_GPA;
	return error;
}
