/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first processor starts as the loader says; the others wait for the first to send them a
 * start-up interrupt, as in a machine whose firmware is done.
 */
#include "guest_pc.h"

#include "channels.h"
#include "cmdline.h"
#include "frames.h"
#include "kprintf.h"
#include "memory.h"
#include "multiboot.h"
#include "string.h"
#include "wall_clock.h"

#define GIB             0x40000000ull
#define LOW_END         (3 * GIB) /* as svm_boot_pc_map() has it */
#define HIGH_START      (4 * GIB)
#define VGA_START       0xa0000ull
#define VGA_END         0xc0000ull
#define VECTOR_UD       6
#define VECTOR_GP       13
/* A loop of so many PAUSEs, each within so many cycles of the last, waits for another processor. */
#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

static struct guest_pc *pc_of(const struct guest_cpu *cpu)
{
	return (struct guest_pc *)cpu->guest;
}

/* --- exits ----------------------------------------------------------------------------------- */

/* Out of the way: a text needs a stack that those who look do not. */
static __attribute__((noinline)) enum sched_next
end_by_event(struct guest_cpu *cpu, enum svm_pc_event event, uint8_t status)
{
	char text[32];

	switch (event) {
	case SVM_PC_POWER_OFF:
		return guest_end(cpu, GUEST_END_POWER_OFF, "by ACPI");
	case SVM_PC_RESET:
		return guest_end(cpu, GUEST_END_RESET, "the guest asked for it");
	default:
		format_text(text, sizeof(text), "status %u", status);
		return guest_end(cpu, GUEST_END_EXIT, text);
	}
}

/* What the guest does to the machine, on whatever processor, ends the runs of all: REQUEST. */
static enum sched_next look_at_machine(struct guest_cpu *cpu)
{
	uint8_t status = 0;
	const enum svm_pc_event event = svm_pc_event(pc_of(cpu)->pc, &status);

	return event == SVM_PC_NOTHING ? SCHED_AGAIN : end_by_event(cpu, event, status);
}

/* Nothing answers there: all ones, and writes vanish. */
static int absent(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	static const uint8_t ones[SVM_MMIO_DATA_MAX] = { [0 ... SVM_MMIO_DATA_MAX - 1] = 0xff };

	if (exit->kind == SVM_EXIT_KIND_IO && exit->io.is_in)
		return svm_vcpu_complete_value(vcpu, UINT32_MAX);
	if (exit->kind == SVM_EXIT_KIND_MMIO && !exit->mmio.is_write)
		return svm_vcpu_complete_data(vcpu, ones, exit->mmio.size);
	return svm_vcpu_complete_skip(vcpu);
}

static bool is_access(const struct svm_exit *exit)
{
	return exit->kind == SVM_EXIT_KIND_IO || exit->kind == SVM_EXIT_KIND_MMIO;
}

static int answer(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	return is_access(exit) && guest_answers(arg, exit) ? absent(vcpu, exit) : SVM_ERR_NOENT;
}

/*
 * Whoever sends something and still takes this vCPU for one in its guest only kicks the processor.
 * From guest_may_sleep() on everybody knows better, and calls the wake callback; what was sent
 * before it is seen by the look behind it.
 */
static enum sched_next sleep_until_event(struct guest_cpu *cpu)
{
	if (!guest_may_sleep(cpu) || svm_vcpu_has_event(cpu->vcpu) ||
	    svm_pc_has_request(pc_of(cpu)->pc, cpu->vcpu))
		return SCHED_AGAIN;
	if (look_at_machine(cpu) == SCHED_END)
		return SCHED_END;
	return guest_sleep(cpu, svm_vcpu_deadline(cpu->vcpu));
}

/* KVM's calls are finished by the PC; the rest gets KVM's "no such call". */
static enum sched_next on_hypercall(struct guest_cpu *cpu)
{
	struct svm_channels *channels = pc_of(cpu)->channels;
	int error = SVM_ERR_NOENT;

	if (channels)
		error = svm_channels_serve(channels, cpu->vcpu);
	if (error == SVM_ERR_NOENT)
		error = svm_vcpu_complete_value(cpu->vcpu, (uint64_t)-1000);
	return guest_completed(cpu, error);
}

static __attribute__((noinline)) enum sched_next on_other_exit(struct guest_cpu *cpu,
                                                               const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_HOST_INTERRUPT:
		return SCHED_AGAIN;
	case SVM_EXIT_KIND_REQUEST:
		return look_at_machine(cpu);
	case SVM_EXIT_KIND_PAUSE:
		guest_favour_another(cpu);
		return SCHED_AGAIN;
	case SVM_EXIT_KIND_HLT:
		return sleep_until_event(cpu);
	case SVM_EXIT_KIND_HYPERCALL:
		return on_hypercall(cpu);
	case SVM_EXIT_KIND_NEED_MEMORY:
		return guest_refill(cpu);
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_GP, 0));
	case SVM_EXIT_KIND_MWAIT:
		return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_UD, 0));
	case SVM_EXIT_KIND_SHUTDOWN:
		return guest_end_explained(cpu, exit, GUEST_END_TRIPLE_FAULT,
		                           "the processor shut down");
	case SVM_EXIT_KIND_NPT_FAULT:
		return guest_end_explained(cpu, exit, GUEST_END_UNMAPPED,
		                           "nothing is mapped there");
	case SVM_EXIT_KIND_LOOP:
	case SVM_EXIT_KIND_SILENT:
		return guest_end_explained(cpu, exit, GUEST_END_LOOP,
		                           "the same exit at the same place, for ever");
	case SVM_EXIT_KIND_ENTRY_FAILED:
		return guest_end_explained(cpu, exit, GUEST_END_ENTRY_FAILED,
		                           "VMRUN refused the guest's state");
	default:
		return guest_end_explained(cpu, exit, GUEST_END_UNHANDLED,
		                           "did something this machine lacks");
	}
}

static enum sched_next on_exit(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	return is_access(exit) ? guest_completed(cpu, absent(cpu->vcpu, exit))
	                       : on_other_exit(cpu, exit);
}

static enum sched_next before_run(struct guest_cpu *cpu)
{
	struct svm_pc *pc = pc_of(cpu)->pc;
	const int error = svm_pc_serve(pc, cpu->vcpu);

	if (error)
		return guest_fail(cpu->guest, "svm_pc_serve", error);
	if (svm_vcpu_state(cpu->vcpu) != SVM_VCPU_WAIT_SIPI)
		return SCHED_AGAIN;
	return guest_sleep(cpu, UINT64_MAX);
}

/* --- at the console -------------------------------------------------------------------------- */

static bool take_input(void *arg, uint8_t byte)
{
	struct guest_pc *g = arg;

	return svm_pc_receive(g->pc, 0, byte);
}

/* --- making and unmaking --------------------------------------------------------------------- */

static void put_byte(void *arg, unsigned uart, uint8_t byte)
{
	struct guest_pc *g = arg;

	if (uart == 0)
		console_guest_put(&g->guest.console, byte);
}

/* RAM below the VGA window, from its end to 3 GiB, and the rest from 4 GiB on. */
int guest_pc_each_part(const struct guest_pc *g,
                       int (*visit)(void *arg, const struct guest_memory_part *part), void *arg)
{
	const uint64_t low = g->memory_size < LOW_END ? g->memory_size : LOW_END;
	const struct guest_memory *memory = &g->memory;
	int error = guest_memory_each(memory, 0, 0, VGA_START, visit, arg);

	if (!error)
		error = guest_memory_each(memory, VGA_END, VGA_END, low - VGA_END, visit, arg);
	if (!error && g->memory_size > low)
		error = guest_memory_each(memory, HIGH_START, low, g->memory_size - low, visit,
		                          arg);
	return error;
}

static int map_part(void *arg, const struct guest_memory_part *part)
{
	return svm_vm_map(arg, part->gpa, part->pa, part->size, SVM_PROT_ALL);
}

static int load_image(struct guest_pc *g, svm_gpa_t rsdp, struct svm_boot_state *state,
                      const char **why)
{
	struct svm_boot_range map[SVM_BOOT_PC_RANGES];
	struct svm_boot_config config = {
		.image = g->kernel.bytes,
		.size = g->kernel.size,
		.cmdline = g->cmdline,
		.map = map,
		.modules = &g->initrd,
		.module_count = g->initrd.size ? 1 : 0,
		.rsdp = rsdp,
	};

	config.map_count = svm_boot_pc_map(g->memory_size, map);
	return svm_boot_load(g->guest.vm, &config, state, why);
}

/* The first as the image wants it, the others as firmware leaves them. */
static int make_cpus(struct guest_pc *g, const struct svm_boot_state *state)
{
	struct guest *guest = &g->guest;
	int error = 0;

	for (uint32_t i = 0; i < guest->cpu_count && !error; i++) {
		struct svm_vcpu *vcpu;

		error = guest_add_cpu(guest, i);
		if (error)
			break;
		vcpu = guest->cpus[i].vcpu;
		error = svm_pc_attach(g->pc, vcpu);
		if (!error)
			error = i ? svm_vcpu_init_ipi(vcpu) : svm_boot_apply(vcpu, state);
		/* Where there is no filter each PAUSE is an exit, or there is no threshold. */
		if (!error && guest->cpu_count > 1 &&
		    svm_vcpu_set_pause_filter(vcpu, PAUSE_COUNT, PAUSE_THRESHOLD))
			(void)!svm_vcpu_set_pause_filter(vcpu, PAUSE_COUNT, 0);
	}
	return error;
}

/* The name of the step that failed, or NULL; *error is its result. */
static const char *make_machine(struct guest_pc *g, int *error)
{
	struct guest *guest = &g->guest;
	const struct svm_vm_config vm_config = {
		.vcpu_max = guest->cpu_count,
		.exit_after_interrupt = guest_exit_after_interrupt(),
	};
	const struct svm_pc_config config = {
		.devices = g->devices,
		.cpus = guest->cpu_count,
		.memory = g->memory_size,
		.wall_clock = wall_clock_read(),
		.put = put_byte,
		.arg = g,
	};
	const uint64_t want = SVM_WANT_MMIO | (guest->cpu_count > 1 ? SVM_WANT_PAUSE : 0);
	struct svm_boot_state state;
	const char *why = "loading its image";
	svm_gpa_t rsdp = 0;

	*error = svm_vm_create(guest->host, &vm_config, &guest->vm);
	if (*error)
		return "svm_vm_create";
	*error = guest_pc_each_part(g, map_part, guest->vm);
	if (*error)
		return "mapping its memory";
	*error = svm_pc_create(guest->vm, &config, &g->pc);
	if (*error)
		return "making its devices";
	*error = channels_give(guest->vm, g->config, svm_pc_interrupt, g->pc, &g->channels);
	if (*error)
		return "giving it its channels";
	if (g->devices & SVM_PC_ACPI)
		*error = svm_pc_write_tables(g->pc, &rsdp);
	if (*error)
		return "writing its ACPI tables";
	*error = load_image(g, rsdp, &state, &why);
	if (*error)
		return why;
	*error = guest_dirty_start(g);
	if (*error)
		return "logging what it writes";
	*error = svm_vm_set_exits(guest->vm, want);
	if (!*error)
		*error = make_cpus(g, &state);
	return *error ? "making its processors" : NULL;
}

static bool make(struct guest *guest)
{
	struct guest_pc *g = (struct guest_pc *)guest;
	const char *failed;
	int error = 0;

	g->pc = NULL;
	g->channels = NULL;
	guest->console.input = take_input;
	if (!guest_memory_take(&g->memory, guest->owner, g->memory_size)) {
		kprintf("guest %s: refused: MEMORY: it wants %lu MiB in at most %u pieces, %lu MiB "
		        "are free\n",
		        guest->name, g->memory_size >> 20, GUEST_MEMORY_PIECES,
		        frames_free_count() / 256);
		return false;
	}
	failed = make_machine(g, &error);
	if (failed)
		kprintf("guest %s: refused: %s: %s\n", guest->name, svm_error_name(error), failed);
	else
		kprintf("guest %s: starts: %lu MiB of memory, %u processors\n", guest->name,
		        g->memory_size >> 20, guest->cpu_count);
	return !failed;
}

static void unmake(struct guest *guest)
{
	struct guest_pc *g = (struct guest_pc *)guest;
	int error;

	guest_dirty_account(g);
	guest_destroy_cpus(guest);
	/* First, since others ring at the PC. */
	error = svm_channels_destroy(g->channels);
	g->channels = NULL;
	if (error)
		(void)guest_fail(guest, "svm_channels_destroy", error);
	error = 0;
	if (g->pc)
		error = svm_pc_destroy(g->pc);
	g->pc = NULL;
	if (error)
		(void)guest_fail(guest, "svm_pc_destroy", error);
	guest_destroy_vm(guest);
	guest_memory_give_back(&g->memory);
}

static uint64_t look(struct guest *guest, uint64_t now)
{
	return guest_dirty_look((struct guest_pc *)guest, now);
}

static uint64_t memory(const struct guest *guest)
{
	return ((const struct guest_pc *)guest)->memory_size;
}

const struct guest_kind guest_pc_kind = {
	.make = make,
	.unmake = unmake,
	.memory = memory,
	.look = look,
	.before_run = before_run,
	.on_exit = on_exit,
	.answer = answer,
};
