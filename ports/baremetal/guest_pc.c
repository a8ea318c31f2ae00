/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One vCPU's thread is the CPU that makes the call: it runs the guest, and while the guest is
 * halted it halts too, until a device's deadline, an interrupt from another CPU, or the tick.
 */
#include "guest_pc.h"

#include "cpu.h"
#include "frames.h"
#include "guest_stats.h"
#include "kprintf.h"
#include "memory.h"
#include "string.h"
#include "time.h"
#include "timer.h"
#include "wall_clock.h"
#include "x86.h"

#define NS_PER_MS       UINT64_C(1000000)
#define GIB             0x40000000ull
#define LOW_END         (3 * GIB) /* as svm_boot_pc_map() has it */
#define HIGH_START      (4 * GIB)
#define VGA_START       0xa0000ull
#define VGA_END         0xc0000ull
#define VECTOR_UD       6
#define VECTOR_GP       13
#define EXPLANATION_MAX 1024

/* --- how it ends ----------------------------------------------------------------------------- */

static void end(struct guest_pc *g, const char *key, const char *text)
{
	console_guest_flush(&g->console);
	kprintf("guest %s: ended: %s: %s\n", g->name, key, text);
}

static void fail(struct guest_pc *g, const char *what, int error)
{
	kprintf("%sguest %s: host failed: %s: %s (%s)%s\n", color_bad(), g->name, what,
	        svm_error_name(error), svm_strerror(error), color_off());
	g->host_failed = true;
}

static bool end_explained(struct guest_pc *g, const struct svm_exit *exit, const char *key,
                          const char *text)
{
	char explanation[EXPLANATION_MAX];

	end(g, key, text);
	svm_explain(g->vcpu, exit, explanation, sizeof(explanation));
	kprintf("%s\n", explanation);
	return false;
}

static bool end_by_event(struct guest_pc *g, enum svm_pc_event event, uint8_t status)
{
	char text[32];

	switch (event) {
	case SVM_PC_POWER_OFF:
		end(g, "power-off", "by ACPI");
		break;
	case SVM_PC_RESET:
		end(g, "reset", "the guest asked for it");
		break;
	default:
		format_text(text, sizeof(text), "status %u", status);
		end(g, "exit", text);
		break;
	}
	return false;
}

/* --- exits ----------------------------------------------------------------------------------- */

static bool completed(struct guest_pc *g, int error)
{
	if (error)
		fail(g, "completing an exit", error);
	return !error;
}

/* Nothing answers there: all ones, and writes vanish. */
static bool on_absent(struct guest_pc *g, const struct svm_exit *exit)
{
	uint8_t ones[SVM_MMIO_DATA_MAX];

	memset(ones, 0xff, sizeof(ones));
	if (exit->kind == SVM_EXIT_KIND_IO && exit->io.is_in)
		return completed(g, svm_vcpu_complete_value(g->vcpu, UINT32_MAX));
	if (exit->kind == SVM_EXIT_KIND_MMIO && !exit->mmio.is_write)
		return completed(g, svm_vcpu_complete_data(g->vcpu, ones, exit->mmio.size));
	return completed(g, svm_vcpu_complete_skip(g->vcpu));
}

static bool on_need_memory(struct guest_pc *g)
{
	const int error = svm_vm_reserve(g->vm, 0);

	if (error)
		fail(g, "refilling the reserve of table frames", error);
	return !error;
}

/*
 * A halted guest costs no time.  Between the last look and HLT no interrupt can slip in: STI lets
 * one in only after HLT has begun.
 */
static void sleep_until_event(struct guest_pc *g)
{
	interrupts_off();
	if (!svm_vcpu_has_event(g->vcpu) && !svm_pc_has_request(g->pc, g->vcpu)) {
		timer_arm(svm_vcpu_deadline(g->vcpu));
		__asm__ volatile("sti\n\thlt" : : : "memory");
	}
	interrupts_on();
}

static bool on_exit(struct guest_pc *g, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_HOST_INTERRUPT:
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_PAUSE:
		return true;
	case SVM_EXIT_KIND_HLT:
		sleep_until_event(g);
		return true;
	case SVM_EXIT_KIND_IO:
	case SVM_EXIT_KIND_MMIO:
		return on_absent(g, exit);
	case SVM_EXIT_KIND_HYPERCALL: /* KVM's "no such call". */
		return completed(g, svm_vcpu_complete_value(g->vcpu, (uint64_t)-1000));
	case SVM_EXIT_KIND_NEED_MEMORY:
		return on_need_memory(g);
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return completed(g, svm_vcpu_complete_fault(g->vcpu, VECTOR_GP, 0));
	case SVM_EXIT_KIND_MWAIT:
		return completed(g, svm_vcpu_complete_fault(g->vcpu, VECTOR_UD, 0));
	case SVM_EXIT_KIND_SHUTDOWN:
		return end_explained(g, exit, "triple-fault", "the processor shut down");
	case SVM_EXIT_KIND_NPT_FAULT:
		return end_explained(g, exit, "unmapped", "nothing is mapped there");
	case SVM_EXIT_KIND_LOOP:
		return end_explained(g, exit, "loop", "the same exit at the same place, for ever");
	case SVM_EXIT_KIND_ENTRY_FAILED:
		return end_explained(g, exit, "entry-failed", "VMRUN refused the guest's state");
	default:
		return end_explained(g, exit, "unhandled", "did something this machine lacks");
	}
}

/* --- running --------------------------------------------------------------------------------- */

/* False: it has ended. */
static bool look_around(struct guest_pc *g)
{
	uint8_t status = 0;
	const enum svm_pc_event event = svm_pc_event(g->pc, &status);
	char text[64];

	if (event != SVM_PC_NOTHING)
		return end_by_event(g, event, status);
	if (__atomic_load_n(&g->stopped, __ATOMIC_RELAXED)) {
		end(g, "stopped", "by the monitor");
		return false;
	}
	if (g->limit_ms && time_ns() - g->start_ns > g->limit_ms * NS_PER_MS) {
		format_text(text, sizeof(text), "still running after %lu ms", g->limit_ms);
		end(g, "time", text);
		return false;
	}
	return true;
}

static void run_to_the_end(struct guest_pc *g)
{
	struct svm_exit exit;
	bool go_on = true;

	g->start_ns = time_ns();
	while (go_on) {
		int error = svm_pc_serve(g->pc, g->vcpu);

		if (!error)
			error = svm_vcpu_run(g->vcpu, &exit);
		if (error) {
			fail(g, "svm_vcpu_run", error);
			return;
		}
		g->exits[exit.kind]++;
		console_poll();
		go_on = on_exit(g, &exit) && look_around(g);
	}
}

/* --- at the console -------------------------------------------------------------------------- */

static bool take_input(void *arg, uint8_t byte)
{
	struct guest_pc *g = arg;

	return svm_pc_receive(g->pc, 0, byte);
}

static void stop_pc(void *arg)
{
	struct guest_pc *g = arg;

	__atomic_store_n(&g->stopped, true, __ATOMIC_RELAXED);
}

static void describe_pc(void *arg, char *text, size_t size)
{
	const struct guest_pc *g = arg;

	guest_stats_describe(g->vcpu, text, size);
}

static void tell_pc_stats(void *arg, char *text, size_t size)
{
	const struct guest_pc *g = arg;

	guest_stats_lines(g->vcpu, g->exits, text, size);
}

static void run_at_console(struct guest_pc *g)
{
	g->console.name = g->name;
	g->console.input = take_input;
	g->console.stop = stop_pc;
	g->console.describe = describe_pc;
	g->console.stats = tell_pc_stats;
	g->console.arg = g;
	console_register(&g->console);
	__atomic_store_n(&cpu_self()->vcpu, g->vcpu, __ATOMIC_RELEASE);
	run_to_the_end(g);
	__atomic_store_n(&cpu_self()->vcpu, NULL, __ATOMIC_RELEASE);
	console_unregister(&g->console);
}

/* --- making and unmaking --------------------------------------------------------------------- */

static void put_byte(void *arg, unsigned uart, uint8_t byte)
{
	struct guest_pc *g = arg;

	if (uart == 0)
		console_guest_put(&g->console, byte);
}

/* RAM below the VGA window, from its end to 3 GiB, and the rest from 4 GiB on. */
static int map_memory(struct guest_pc *g)
{
	const uint64_t low = g->memory_size < LOW_END ? g->memory_size : LOW_END;
	int error = guest_memory_map(&g->memory, g->vm, 0, 0, VGA_START);

	if (!error)
		error = guest_memory_map(&g->memory, g->vm, VGA_END, VGA_END, low - VGA_END);
	if (!error && g->memory_size > low)
		error = guest_memory_map(&g->memory, g->vm, HIGH_START, low, g->memory_size - low);
	return error;
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
	return svm_boot_load(g->vm, &config, state, why);
}

/* The name of the step that failed, or NULL; *error is its result. */
static const char *make(struct guest_pc *g, int *error)
{
	const struct svm_pc_config config = {
		.devices = g->devices,
		.cpus = 1,
		.memory = g->memory_size,
		.wall_clock = wall_clock_read(),
		.put = put_byte,
		.arg = g,
	};
	struct svm_boot_state state;
	const char *why = "loading its image";
	svm_gpa_t rsdp = 0;

	*error = map_memory(g);
	if (*error)
		return "mapping its memory";
	*error = svm_pc_create(g->vm, &config, &g->pc);
	if (*error)
		return "making its devices";
	if (g->devices & SVM_PC_ACPI)
		*error = svm_pc_write_tables(g->pc, &rsdp);
	if (*error)
		return "writing its ACPI tables";
	*error = load_image(g, rsdp, &state, &why);
	if (*error)
		return why;
	*error = svm_vm_set_exits(g->vm, SVM_WANT_MMIO);
	if (!*error)
		*error = svm_vcpu_create(g->vm, 0, &g->vcpu);
	if (!*error)
		*error = svm_pc_attach(g->pc, g->vcpu);
	if (!*error)
		*error = svm_boot_apply(g->vcpu, &state);
	return *error ? "making its processor" : NULL;
}

static void unmake(struct guest_pc *g)
{
	int error = g->vcpu ? svm_vcpu_destroy(g->vcpu) : 0;

	if (error)
		fail(g, "svm_vcpu_destroy", error);
	error = svm_pc_destroy(g->pc);
	if (error)
		fail(g, "svm_pc_destroy", error);
	error = svm_vm_destroy(g->vm);
	if (error)
		fail(g, "svm_vm_destroy", error);
}

static void make_and_run(struct guest_pc *g)
{
	int error = svm_vm_create(g->host, NULL, &g->vm);
	const char *failed;

	if (error) {
		fail(g, "svm_vm_create", error);
		return;
	}
	failed = make(g, &error);
	if (failed) {
		kprintf("guest %s: refused: %s: %s\n", g->name, svm_error_name(error), failed);
	} else {
		kprintf("guest %s: starts on CPU %u: %lu MiB of memory\n", g->name,
		        cpu_self()->index, g->memory_size >> 20);
		run_at_console(g);
	}
	unmake(g);
}

void guest_pc_run(void *arg)
{
	struct guest_pc *g = arg;

	if (!guest_memory_take(&g->memory, g->memory_size)) {
		kprintf("guest %s: refused: MEMORY: it wants %lu MiB in at most %u pieces, %lu MiB "
		        "are free\n",
		        g->name, g->memory_size >> 20, GUEST_MEMORY_PIECES,
		        frames_free_count() / 256);
		return;
	}
	make_and_run(g);
	guest_memory_give_back(&g->memory);
}
