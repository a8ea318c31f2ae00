/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two limits keep a guest from holding its CPU for ever: one on the whole run, and a shorter one
 * on a guest that has interrupts off and causes no exit of its own: nothing could ever wake it.
 * Both rest on the host's tick, which ends a run whatever the guest's IF is (APM vol. 2, 15.21.1).
 */
#include "guest_run.h"

#include "cpu.h"
#include "frames.h"
#include "guest_image.h"
#include "kprintf.h"
#include "memory.h"
#include "x86.h"

#define COM1            0x3f8
#define COM1_PORTS      8
#define COM1_STATUS     5
#define COM1_READY      0x60 /* transmitter empty */
#define EXIT_PORT       0xf4
#define VECTOR_UD       6
#define VECTOR_GP       13
#define HYPERCALL_END   0
#define SILENCE_MS      300
#define LEAF_SIZE       0x200000ull
#define LOOP_LIMIT      1000000
#define SVM_LINES_MAX   4u

/* Segments of 32-bit protected mode, flat. */
#define FLAT_CODE 0xc9b
#define FLAT_DATA 0xc93
#define CR0_PE_ET 0x11

static struct guest_job *job_of(const struct guest_cpu *cpu)
{
	return (struct guest_job *)cpu->guest;
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
		console_guest_put(&job->guest.console, (uint8_t)access->value);
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

/* There is this one; who may not make it is not told of others, and who may gets an answer. */
static enum svm_device_result end_hypercall(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_hypercall *call)
{
	(void)arg;
	(void)vcpu;
	(void)call;
	return SVM_DEVICE_EXIT;
}

/* --- exits -------------------------------------------------------------------------------- */

static enum sched_next end_with_status(struct guest_cpu *cpu)
{
	char text[32];

	format_text(text, sizeof(text), "status %u", job_of(cpu)->status);
	return guest_end(cpu, GUEST_END_EXIT, text);
}

static enum sched_next on_hypercall(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	struct svm_regs regs;

	/* VMMCALL has no privilege check of its own (15.14): ring 3 may not end the machine. */
	if (exit->hypercall.cpl != 0)
		return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_UD, 0));
	if ((uint32_t)exit->hypercall.number != HYPERCALL_END)
		return guest_completed(cpu, svm_vcpu_complete_value(cpu->vcpu, UINT64_MAX));
	svm_vcpu_get_regs(cpu->vcpu, &regs);
	job_of(cpu)->status = (uint32_t)regs.rbx;
	return end_with_status(cpu);
}

static enum sched_next on_npt_fault(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	char text[96];

	if (job_of(cpu)->forgives)
		return guest_completed(cpu,
		                       svm_vcpu_inject_exception(cpu->vcpu, VECTOR_GP, 0, 0));
	format_text(text, sizeof(text), "touched guest-physical %lx, where nothing is mapped",
	            exit->npt.gpa);
	return guest_end_explained(cpu, exit, GUEST_END_UNMAPPED, text);
}

/* What the machine does not have: all ones, writes vanish, other instructions are undefined. */
static int absent_port(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	return exit->io.is_in ? svm_vcpu_complete_value(vcpu, UINT32_MAX)
	                      : svm_vcpu_complete_skip(vcpu);
}

static int answer(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	if (exit->kind != SVM_EXIT_KIND_IO || !guest_answers(arg, exit))
		return SVM_ERR_NOENT;
	return absent_port(vcpu, exit);
}

static enum sched_next on_absent(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_GP, 0));
	case SVM_EXIT_KIND_CPUID:
		return guest_completed(cpu, svm_vcpu_complete_cpuid(cpu->vcpu, 0, 0, 0, 0));
	case SVM_EXIT_KIND_MWAIT:
		return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_UD, 0));
	default:
		if (job_of(cpu)->forgives && (exit->flags & SVM_EXIT_COMPLETE))
			return guest_completed(cpu,
			                       svm_vcpu_complete_fault(cpu->vcpu, VECTOR_UD, 0));
		return guest_end_explained(cpu, exit, GUEST_END_UNHANDLED,
		                           "did something this machine lacks");
	}
}

/*
 * A guest has no SVM, so it gets the #UD of a processor without it, and its handler may go on.  The
 * first few are worth a line; a guest must not be able to fill the console.
 */
static enum sched_next on_svm_instruction(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	struct guest_job *job = job_of(cpu);

	if (job->svm_lines < SVM_LINES_MAX) {
		job->svm_lines++;
		kprintf("guest %s: executed %s, which guests here do not have: #UD\n",
		        job->guest.name, svm_exit_text(exit->raw.exit_code));
		guest_explain(cpu, exit);
	}
	return guest_completed(cpu, svm_vcpu_complete_fault(cpu->vcpu, VECTOR_UD, 0));
}

static bool is_svm_instruction(const struct svm_exit *exit)
{
	const uint64_t code = exit->raw.exit_code;

	return exit->kind == SVM_EXIT_KIND_RAW &&
	       ((code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT) || code == SVM_EXIT_INVLPGA);
}

/* It may compute for ever, but not with interrupts off. */
static enum sched_next on_silence(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	struct svm_regs regs;
	char text[96];

	svm_vcpu_get_regs(cpu->vcpu, &regs);
	if (regs.rflags & RFLAGS_IF)
		return SCHED_AGAIN;
	format_text(text, sizeof(text), "interrupts off and no exit for %lu ms, at rip %lx",
	            exit->silent.ms, regs.rip);
	return guest_end(cpu, GUEST_END_SPIN, text);
}

/* Texts are made here: out of the way, so that on_exit() needs no stack for them. */
static __attribute__((noinline)) enum sched_next on_other_exit(struct guest_cpu *cpu,
                                                               const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_SILENT:
		return on_silence(cpu, exit);
	case SVM_EXIT_KIND_HOST_INTERRUPT:
	case SVM_EXIT_KIND_PAUSE:
		return SCHED_AGAIN;
	case SVM_EXIT_KIND_REQUEST:
		return job_of(cpu)->exited ? end_with_status(cpu) : SCHED_AGAIN;
	case SVM_EXIT_KIND_HYPERCALL:
		return on_hypercall(cpu, exit);
	case SVM_EXIT_KIND_NEED_MEMORY:
		return guest_refill(cpu);
	case SVM_EXIT_KIND_HLT:
		return guest_end_explained(cpu, exit, GUEST_END_HALTED,
		                           "HLT, and no device that could wake it");
	case SVM_EXIT_KIND_SHUTDOWN:
		return guest_end_explained(cpu, exit, GUEST_END_TRIPLE_FAULT,
		                           "the processor shut down");
	case SVM_EXIT_KIND_NPT_FAULT:
		return on_npt_fault(cpu, exit);
	case SVM_EXIT_KIND_LOOP:
		return guest_end_explained(cpu, exit, GUEST_END_LOOP,
		                           "the same exit at the same place, for ever");
	case SVM_EXIT_KIND_ENTRY_FAILED:
		return guest_end_explained(cpu, exit, GUEST_END_ENTRY_FAILED,
		                           "VMRUN refused the guest's state");
	default:
		return is_svm_instruction(exit) ? on_svm_instruction(cpu, exit)
		                                : on_absent(cpu, exit);
	}
}

/* Ports are more than all others together. */
static enum sched_next on_exit(struct guest_cpu *cpu, const struct svm_exit *exit)
{
	return exit->kind == SVM_EXIT_KIND_IO ? guest_completed(cpu, absent_port(cpu->vcpu, exit))
	                                      : on_other_exit(cpu, exit);
}

/* --- making and unmaking ------------------------------------------------------------------ */

static int set_start(struct svm_vcpu *vcpu, const struct guest_start *start, bool is_builtin)
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
	if (is_builtin)
		regs.rbx = start->entry;
	svm_vcpu_get_system(vcpu, &system);
	if (start->real_mode) {
		system.cs.selector = (uint16_t)(start->entry >> 4);
		system.cs.base = start->entry & ~UINT32_C(15);
		regs.rip = start->entry & 15;
	} else {
		system.cs = code;
		system.ds = system.es = system.ss = system.fs = system.gs = data;
		system.cr0 = CR0_PE_ET;
	}
	error = svm_vcpu_set_system(vcpu, &system);
	return error ? error : svm_vcpu_set_regs(vcpu, &regs);
}

static int make_devices(struct guest_job *job)
{
	struct svm_vm *vm = job->guest.vm;
	int error = svm_vm_io_handler(vm, COM1, COM1_PORTS, serial_port, job);

	if (!error)
		error = svm_vm_hypercall_handler(vm, HYPERCALL_END, 1, end_hypercall, NULL);
	if (!error)
		error = svm_vm_hypercall_default(vm, true, UINT64_MAX);
	if (!error)
		error = svm_vm_set_exits(vm, SVM_WANT_SVM);
	if (!error)
		error = svm_vm_io_handler(vm, EXIT_PORT, 1, exit_port, job);
	if (!error && job->has_device)
		error = test_device_make(&job->device, vm);
	return error;
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
		return svm_vm_slot_add(job->guest.vm, &slot);
	return svm_vm_map(job->guest.vm, 0, job->memory_pa, job->memory_size, SVM_PROT_ALL);
}

/* The name of the step that failed, or NULL; *error is its result. */
static const char *make_machine(struct guest_job *job, const struct guest_start *start, int *error)
{
	const struct svm_vm_config config = {
		.no_huge_pages = job->has_small_pages,
		.loop_limit = LOOP_LIMIT,
		.silence_ms = SILENCE_MS,
		.exit_after_interrupt = guest_exit_after_interrupt(),
	};
	struct guest *guest = &job->guest;

	*error = svm_vm_create(guest->host, &config, &guest->vm);
	if (*error)
		return "svm_vm_create";
	*error = map_memory(job);
	if (*error)
		return "mapping its memory";
	*error = make_devices(job);
	if (*error)
		return "making its devices";
	*error = guest_add_cpu(guest, 0);
	if (*error)
		return "svm_vcpu_create";
	*error = set_start(guest->cpus[0].vcpu, start, job->is_builtin);
	return *error ? "setting the start state" : NULL;
}

/* False: it was said why. */
static bool load(const struct guest_job *job, struct guest_start *start)
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
	const char *const name = job->guest.name;
	const enum guest_image_error error = guest_image_load(&image, start);

	if (error) {
		kprintf("guest %s: refused: %s: %s\n", name, guest_image_error_name(error),
		        guest_image_error_text(error));
		return false;
	}
	kprintf("guest %s: starts: %s image, %lu KiB of memory, entry %x\n", name, start->format,
	        job->memory_size >> 10, start->entry);
	return true;
}

/* False: it was said why. */
static bool take_memory(struct guest_job *job)
{
	const size_t count = (size_t)(job->memory_size / PAGE_SIZE);

	if (!count || (job->memory_size & PAGE_MASK)) {
		kprintf("guest %s: refused: MEMORY_SHAPE: its memory is no multiple of 4 KiB\n",
		        job->guest.name);
		return false;
	}
	job->memory = frames_alloc(count, LEAF_SIZE, &job->memory_pa);
	if (job->memory)
		return frames_give(job->memory_pa, count, job->guest.owner);
	kprintf("guest %s: refused: MEMORY: it wants %lu MiB in one piece, %lu MiB are free\n",
	        job->guest.name, job->memory_size >> 20, frames_free_count() / 256);
	return false;
}

static bool make(struct guest *guest)
{
	struct guest_job *job = (struct guest_job *)guest;
	struct guest_start start;
	const char *failed;
	int error = 0;

	job->memory = NULL;
	job->exited = false;
	job->svm_lines = 0;
	if (!take_memory(job) || !load(job, &start))
		return false;
	failed = make_machine(job, &start, &error);
	if (failed)
		(void)guest_fail(guest, failed, error);
	return !failed;
}

static void unmake(struct guest *guest)
{
	struct guest_job *job = (struct guest_job *)guest;

	if (guest->vm && job->has_device)
		kprintf("guest %s: device memory: %lu reads, %lu writes\n", guest->name,
		        job->device.reads, job->device.writes);
	guest_destroy_vm(guest);
	test_device_unmake(&job->device);
	if (job->memory)
		frames_free(job->memory_pa, (size_t)(job->memory_size / PAGE_SIZE));
	job->memory = NULL;
}

static uint64_t memory(const struct guest *guest)
{
	return ((const struct guest_job *)guest)->memory_size;
}

const struct guest_kind guest_job_kind = {
	.make = make,
	.unmake = unmake,
	.memory = memory,
	.on_exit = on_exit,
	.answer = answer,
};
