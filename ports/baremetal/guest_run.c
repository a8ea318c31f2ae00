/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest's life.  Whatever a guest does ends at worst that guest, with one line that says how
 *
 *	guest NAME: ended: KEY: sentence
 *
 * and an explanation where one is to be had.  KEY is one of a fixed set, so that tests can judge.
 *
 * Two limits keep a guest from holding its CPU for ever: one on the whole run, and a shorter one
 * on a guest that has interrupts off and causes no exit of its own: nothing could ever wake it.
 * Both rest on the host's tick, which ends a run whatever the guest's IF is (APM vol. 2, 15.21.1).
 */
#include "guest_run.h"

#include "cpu.h"
#include "frames.h"
#include "guest_image.h"
#include "guest_stats.h"
#include "kprintf.h"
#include "memory.h"
#include "time.h"
#include "x86.h"

#define COM1            0x3f8
#define COM1_PORTS      8
#define COM1_STATUS     5
#define COM1_READY      0x60 /* transmitter empty */
#define EXIT_PORT       0xf4
#define VECTOR_UD       6
#define VECTOR_GP       13
#define HYPERCALL_END   0
#define SPIN_LIMIT_NS   UINT64_C(300000000)
#define NS_PER_MS       UINT64_C(1000000)
#define LEAF_SIZE       0x200000ull
#define LOOP_LIMIT      1000000
#define EXPLANATION_MAX 1024
#define SVM_LINES_MAX   4u

/* Segments of 32-bit protected mode, flat. */
#define FLAT_CODE 0xc9b
#define FLAT_DATA 0xc93
#define CR0_PE_ET 0x11

static void end(struct guest_job *job, const char *key, const char *text)
{
	console_guest_flush(&job->console);
	kprintf("guest %s: ended: %s: %s\n", job->name, key, text);
}

static void end_host_failed(struct guest_job *job, const char *what, int error)
{
	console_guest_flush(&job->console);
	kprintf("%sguest %s: host failed: %s: %s (%s)%s\n", color_bad(), job->name, what,
	        svm_error_name(error), svm_strerror(error), color_off());
	job->host_failed = true;
}

/* --- devices ------------------------------------------------------------------------------ */

static enum svm_device_result serial_port(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_io_access *access)
{
	struct guest_job *job = arg;
	const unsigned int reg = access->port - COM1;

	(void)vcpu;
	if (access->is_in)
		access->value = reg == COM1_STATUS ? COM1_READY : 0;
	else if (reg == 0)
		console_guest_put(&job->console, (uint8_t)access->value);
	return SVM_DEVICE_DONE;
}

static enum svm_device_result exit_port(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_io_access *access)
{
	struct guest_job *job = arg;

	(void)vcpu;
	if (access->is_in) {
		access->value = UINT32_MAX;
		return SVM_DEVICE_DONE;
	}
	job->exited = true;
	job->status = access->value & 0xff;
	return SVM_DEVICE_RETURN;
}

/* --- exits -------------------------------------------------------------------------------- */

static void explain(const struct guest_job *job, const struct svm_exit *exit)
{
	static const char prefix[] = "    ";
	char text[EXPLANATION_MAX];
	size_t at = 0;

	svm_explain(job->vcpu, exit, text, sizeof(text));
	while (text[at]) {
		size_t length = 0;

		while (text[at + length] && text[at + length] != '\n')
			length++;
		kprintf("%s%.*s\n", prefix, (int)length, text + at);
		at += length + (text[at + length] == '\n');
	}
}

static bool end_explained(struct guest_job *job, const struct svm_exit *exit, const char *key,
                          const char *text)
{
	end(job, key, text);
	explain(job, exit);
	return false;
}

static bool end_with_status(struct guest_job *job)
{
	char text[32];

	format_text(text, sizeof(text), "status %u", job->status);
	end(job, "exit", text);
	return false;
}

static void print_findings(const struct svm_exit *exit)
{
	for (unsigned int i = 0; i < exit->entry.count && i < SVM_EXIT_FINDINGS; i++) {
		const struct svm_rule_info *info =
			svm_rule_info((enum svm_rule)exit->entry.rules[i]);

		if (info)
			kprintf("    %s (APM vol. 2, %s): %s\n", info->id, info->section,
			        info->text);
	}
}

/* True: completed, go on.  A completion that fails is the library's fault, not the guest's. */
static bool completed(struct guest_job *job, int error)
{
	if (error)
		end_host_failed(job, "completing an exit", error);
	return !error;
}

static bool on_hypercall(struct guest_job *job, const struct svm_exit *exit)
{
	struct svm_regs regs;

	/* VMMCALL has no privilege check of its own (15.14): ring 3 may not end the machine. */
	if (exit->hypercall.cpl != 0)
		return completed(job, svm_vcpu_complete_fault(job->vcpu, VECTOR_UD, 0));
	if ((uint32_t)exit->hypercall.number != HYPERCALL_END)
		return completed(job, svm_vcpu_complete_value(job->vcpu, UINT64_MAX));
	svm_vcpu_get_regs(job->vcpu, &regs);
	job->status = (uint32_t)regs.rbx;
	return end_with_status(job);
}

static bool on_npt_fault(struct guest_job *job, const struct svm_exit *exit)
{
	char text[96];

	if (job->forgives)
		return completed(job, svm_vcpu_inject_exception(job->vcpu, VECTOR_GP, 0, 0));
	format_text(text, sizeof(text), "touched guest-physical %lx, where nothing is mapped",
	            exit->npt.gpa);
	return end_explained(job, exit, "unmapped", text);
}

static bool on_need_memory(struct guest_job *job)
{
	const int error = svm_vm_reserve(job->vm, 0);

	if (error)
		end_host_failed(job, "refilling the reserve of table frames", error);
	return !error;
}

/* What the machine does not have: all ones, writes vanish, other instructions are undefined. */
static bool on_absent(struct guest_job *job, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_IO:
		if (exit->io.is_in)
			return completed(job, svm_vcpu_complete_value(job->vcpu, UINT32_MAX));
		return completed(job, svm_vcpu_complete_skip(job->vcpu));
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return completed(job, svm_vcpu_complete_fault(job->vcpu, VECTOR_GP, 0));
	case SVM_EXIT_KIND_CPUID:
		return completed(job, svm_vcpu_complete_cpuid(job->vcpu, 0, 0, 0, 0));
	case SVM_EXIT_KIND_MWAIT:
		return completed(job, svm_vcpu_complete_fault(job->vcpu, VECTOR_UD, 0));
	default:
		if (job->forgives && (exit->flags & SVM_EXIT_COMPLETE))
			return completed(job, svm_vcpu_complete_fault(job->vcpu, VECTOR_UD, 0));
		return end_explained(job, exit, "unhandled", "did something this machine lacks");
	}
}

/* True: run on. */
/*
 * A guest has no SVM, so it gets the #UD of a processor without it, and its handler may go on.  The
 * first few are worth a line; a guest must not be able to fill the console.
 */
static bool on_svm_instruction(struct guest_job *job, const struct svm_exit *exit)
{
	if (job->svm_lines < SVM_LINES_MAX) {
		job->svm_lines++;
		kprintf("guest %s: executed %s, which guests here do not have: #UD\n", job->name,
		        svm_exit_text(exit->raw.exit_code));
		explain(job, exit);
	}
	return completed(job, svm_vcpu_complete_fault(job->vcpu, VECTOR_UD, 0));
}

static bool is_svm_instruction(const struct svm_exit *exit)
{
	const uint64_t code = exit->raw.exit_code;

	return exit->kind == SVM_EXIT_KIND_RAW &&
	       ((code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT) || code == SVM_EXIT_INVLPGA);
}

static bool on_exit(struct guest_job *job, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_HOST_INTERRUPT: /* the tick, which is when something can have come in */
		console_poll();
		return true;
	case SVM_EXIT_KIND_PAUSE:
		return true;
	case SVM_EXIT_KIND_REQUEST:
		return job->exited ? end_with_status(job) : true;
	case SVM_EXIT_KIND_HYPERCALL:
		return on_hypercall(job, exit);
	case SVM_EXIT_KIND_NEED_MEMORY:
		return on_need_memory(job);
	case SVM_EXIT_KIND_HLT:
		return end_explained(job, exit, "halted", "HLT, and no device that could wake it");
	case SVM_EXIT_KIND_SHUTDOWN:
		return end_explained(job, exit, "triple-fault", "the processor shut down");
	case SVM_EXIT_KIND_NPT_FAULT:
		return on_npt_fault(job, exit);
	case SVM_EXIT_KIND_LOOP:
		return end_explained(job, exit, "loop",
		                     "the same exit at the same place, for ever");
	case SVM_EXIT_KIND_ENTRY_FAILED:
		end_explained(job, exit, "entry-failed", "VMRUN refused the guest's state");
		print_findings(exit);
		return false;
	default:
		return is_svm_instruction(exit) ? on_svm_instruction(job, exit)
		                                : on_absent(job, exit);
	}
}

/* --- time --------------------------------------------------------------------------------- */

struct watch {
	uint64_t start_ns, progress_ns, exits;
};

/* True: it may run on. */
static bool within_limits(struct guest_job *job, struct watch *watch)
{
	const uint64_t now = time_ns();
	struct svm_vcpu_stats stats;
	struct svm_regs regs;
	char text[96];

	svm_vcpu_get_stats(job->vcpu, &stats);
	if (stats.entries - stats.interrupts != watch->exits) {
		watch->exits = stats.entries - stats.interrupts;
		watch->progress_ns = now;
	}
	svm_vcpu_get_regs(job->vcpu, &regs);
	if (!(regs.rflags & RFLAGS_IF) && now - watch->progress_ns > SPIN_LIMIT_NS) {
		format_text(text, sizeof(text), "interrupts off and no exit for %lu ms, at rip %lx",
		            (now - watch->progress_ns) / NS_PER_MS, regs.rip);
		end(job, "spin", text);
		return false;
	}
	if (__atomic_load_n(&job->is_stopped, __ATOMIC_RELAXED)) {
		end(job, "stopped", "by the monitor");
		return false;
	}
	if (now - watch->start_ns > job->limit_ms * NS_PER_MS) {
		format_text(text, sizeof(text), "still running after %lu ms, at rip %lx",
		            job->limit_ms, regs.rip);
		end(job, "time", text);
		return false;
	}
	return true;
}

static void run_to_the_end(struct guest_job *job)
{
	struct watch watch = { .start_ns = time_ns(), .progress_ns = time_ns() };
	struct svm_exit exit;
	bool go_on = true;

	while (go_on) {
		const int error = svm_vcpu_run(job->vcpu, &exit);

		if (error) {
			end_host_failed(job, "svm_vcpu_run", error);
			return;
		}
		job->exits[exit.kind]++;
		go_on = on_exit(job, &exit) && within_limits(job, &watch);
	}
}

/* --- the monitor's questions -------------------------------------------------------------- */

static void stop_job(void *arg)
{
	struct guest_job *job = arg;

	__atomic_store_n(&job->is_stopped, true, __ATOMIC_RELAXED);
}

static void describe_job(void *arg, char *text, size_t size)
{
	const struct guest_job *job = arg;

	guest_stats_describe(job->vcpu, text, size);
}

static void tell_stats(void *arg, char *text, size_t size)
{
	const struct guest_job *job = arg;

	guest_stats_lines(job->vcpu, job->exits, text, size);
}

static void run_at_console(struct guest_job *job)
{
	job->console.name = job->name;
	job->console.stop = stop_job;
	job->console.describe = describe_job;
	job->console.stats = tell_stats;
	job->console.arg = job;
	console_register(&job->console);
	run_to_the_end(job);
	console_unregister(&job->console);
}

/* --- making and unmaking ------------------------------------------------------------------ */

static int set_start(struct guest_job *job, const struct guest_start *start)
{
	struct svm_vmcb_segment code = { .selector = 8,
		                         .attributes = FLAT_CODE,
		                         .limit = UINT32_MAX };
	struct svm_vmcb_segment data = { .selector = 16,
		                         .attributes = FLAT_DATA,
		                         .limit = UINT32_MAX };
	struct svm_regs regs = { .rax = start->eax, .rbx = start->ebx, .rip = start->entry };
	struct svm_system_regs system;
	int error;

	regs.rflags = 2;
	if (job->is_builtin)
		regs.rbx = start->entry;
	svm_vcpu_get_system(job->vcpu, &system);
	if (start->real_mode) {
		system.cs.selector = (uint16_t)(start->entry >> 4);
		system.cs.base = start->entry & ~UINT32_C(15);
		regs.rip = start->entry & 15;
	} else {
		system.cs = code;
		system.ds = system.es = system.ss = system.fs = system.gs = data;
		system.cr0 = CR0_PE_ET;
	}
	error = svm_vcpu_set_system(job->vcpu, &system);
	return error ? error : svm_vcpu_set_regs(job->vcpu, &regs);
}

static int make_devices(struct guest_job *job)
{
	int error = svm_vm_io_handler(job->vm, COM1, COM1_PORTS, serial_port, job);

	if (!error)
		error = svm_vm_set_exits(job->vm, SVM_WANT_SVM);
	if (!error)
		error = svm_vm_io_handler(job->vm, EXIT_PORT, 1, exit_port, job);
	if (!error && job->has_device)
		error = test_device_make(&job->device, job->vm);
	return error;
}

/* Undoing must not fail: nothing of the guest is running any more. */
static void unmake(struct guest_job *job)
{
	int error = job->vcpu ? svm_vcpu_destroy(job->vcpu) : 0;

	if (error)
		end_host_failed(job, "svm_vcpu_destroy", error);
	error = svm_vm_destroy(job->vm);
	if (error)
		end_host_failed(job, "svm_vm_destroy", error);
	test_device_unmake(&job->device);
}

static int map_memory(struct guest_job *job)
{
	const struct svm_slot slot = {
		.size = job->memory_size,
		.prot = SVM_PROT_ALL,
		.kind = SVM_SLOT_RANGE,
		.hpa = job->memory_pa,
	};

	if (job->is_lazy)
		return svm_vm_slot_add(job->vm, &slot);
	return svm_vm_map(job->vm, 0, job->memory_pa, job->memory_size, SVM_PROT_ALL);
}

/* The name of the step that failed, or NULL; *error is its result. */
static const char *make(struct guest_job *job, const struct guest_start *start, int *error)
{
	*error = map_memory(job);
	if (*error)
		return "mapping its memory";
	*error = make_devices(job);
	if (*error)
		return "making its devices";
	*error = svm_vcpu_create(job->vm, 0, &job->vcpu);
	if (*error)
		return "svm_vcpu_create";
	svm_vcpu_set_loop_limit(job->vcpu, LOOP_LIMIT);
	*error = set_start(job, start);
	return *error ? "setting the start state" : NULL;
}

static void run_loaded(struct guest_job *job, const struct guest_start *start)
{
	const struct svm_vm_config config = { .no_huge_pages = job->is_lazy };
	int error = svm_vm_create(job->host, &config, &job->vm);
	const char *failed;

	if (error) {
		end_host_failed(job, "svm_vm_create", error);
		return;
	}
	failed = make(job, start, &error);
	if (failed)
		end_host_failed(job, failed, error);
	else
		run_at_console(job);
	if (job->has_device)
		kprintf("guest %s: device memory: %lu reads, %lu writes\n", job->name,
		        job->device.reads, job->device.writes);
	unmake(job);
}

static void load_and_run(struct guest_job *job)
{
	const struct guest_image image = {
		.bytes = job->bytes,
		.size = job->size,
		.memory = job->memory,
		.memory_size = job->memory_size,
		.load_address = job->load_address,
		.real_mode = job->real_mode,
		.cmdline = job->cmdline,
	};
	struct guest_start start;
	const enum guest_image_error error = guest_image_load(&image, &start);

	if (error) {
		kprintf("guest %s: refused: %s: %s\n", job->name, guest_image_error_name(error),
		        guest_image_error_text(error));
		return;
	}
	kprintf("guest %s: starts on CPU %u: %s image, %lu KiB of memory, entry %x\n", job->name,
	        cpu_self()->index, start.format, job->memory_size >> 10, start.entry);
	run_loaded(job, &start);
}

void guest_run(void *arg)
{
	struct guest_job *job = arg;
	const size_t free_before = frames_free_count();
	const size_t count = (size_t)(job->memory_size / PAGE_SIZE);

	if (!count || (job->memory_size & PAGE_MASK)) {
		kprintf("guest %s: refused: MEMORY_SHAPE: its memory is no multiple of 4 KiB\n",
		        job->name);
		return;
	}
	job->memory = frames_alloc(count, LEAF_SIZE, &job->memory_pa);
	if (!job->memory) {
		kprintf("guest %s: refused: MEMORY: it wants %lu MiB in one piece, %lu MiB are "
		        "free\n",
		        job->name, job->memory_size >> 20, free_before / 256);
		return;
	}
	load_and_run(job);
	frames_free(job->memory_pa, count);
	if (!job->in_parallel && frames_free_count() != free_before) {
		kprintf("%sguest %s: host failed: %ld frames were not given back%s\n", color_bad(),
		        job->name, (long)(free_before - frames_free_count()), color_off());
		job->host_failed = true;
	}
}
