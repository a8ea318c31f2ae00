/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the host alone can count: the world switch without the library around it, an interrupt of
 * the embedder's, making and unmaking a VM, and the frames that one takes.  A bare-metal image of
 * its own, with this file in place of the port's program.c.  Under QEMU's -icount shift=0 a TSC
 * difference is a number of instructions.
 *
 * Prints one line per figure, `cost NAME N`.
 */
#include <libsvm/libsvm.h>

#include "../../ports/baremetal/frames.h"
#include "../../ports/baremetal/hal.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/power.h"
#include "../../ports/baremetal/program.h"
#include "../../ports/baremetal/x86.h"
#include "core/vcpu/vcpu.h"
#include "interrupted.h"

#define ROUNDS      1000u
#define GUEST_BYTES UINT64_C(0x100000)
#define CODE_GPA    INTERRUPTED_GPA

static struct svm_host *host;

static void check(const char *what, int error)
{
	if (!error)
		return;
	kprintf("bench: %s: %s\n", what, svm_error_name(error));
	power_off(POWER_FAILURE);
}

/* In flat 32-bit mode at CODE_GPA. */
static void make_vcpu(struct svm_vm *vm, unsigned int id, struct svm_vcpu **vcpu)
{
	const struct svm_vmcb_segment code = { 8, 0xc9b, UINT32_MAX, 0 };
	const struct svm_vmcb_segment data = { 16, 0xc93, UINT32_MAX, 0 };
	struct svm_regs regs = { .rip = CODE_GPA, .rflags = 2 };
	struct svm_system_regs system;

	check("vcpu_create", svm_vcpu_create(vm, id, vcpu));
	svm_vcpu_get_system(*vcpu, &system);
	system.cs = code;
	system.ds = system.es = system.ss = system.fs = system.gs = data;
	system.cr0 = 0x11;
	check("set_system", svm_vcpu_set_system(*vcpu, &system));
	check("set_regs", svm_vcpu_set_regs(*vcpu, &regs));
}

/* vmmcall at CODE_GPA. */
static void make_guest(const struct svm_vm_config *config, struct svm_vm **vm,
                       struct svm_vcpu **vcpu, uint8_t *memory, uint64_t hpa)
{
	static const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9 };

	memcpy(memory + CODE_GPA, vmmcall, sizeof(vmmcall));
	check("vm_create", svm_vm_create(host, config, vm));
	check("vm_map", svm_vm_map(*vm, 0, hpa, GUEST_BYTES, SVM_PROT_ALL));
	make_vcpu(*vm, 0, vcpu);
}

static void run_once(struct svm_vcpu *vcpu)
{
	struct svm_exit exit = { .kind = SVM_EXIT_KIND_NONE };

	do
		check("run", svm_vcpu_run(vcpu, &exit));
	while (exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	if (exit.kind != SVM_EXIT_KIND_HYPERCALL) {
		kprintf("bench: exit %lx at rip %lx\n", exit.raw.exit_code, exit.rip);
		power_off(POWER_FAILURE);
	}
	check("complete", svm_vcpu_complete_retry(vcpu));
}

/* The guest executes one instruction, which is in the figure. */
static void bench_switch(struct svm_vcpu *vcpu)
{
	uint64_t start, empty, spent;

	check("load", svm_vcpu_load(vcpu));
	vcpu->s.requests = 0;
	for (unsigned warm = 0; warm < 2; warm++) {
		start = svm_ring0_rdtsc();
		for (unsigned i = 0; i < ROUNDS; i++)
			__asm__ volatile("" ::: "memory");
		empty = svm_ring0_rdtsc() - start;
		start = svm_ring0_rdtsc();
		for (unsigned i = 0; i < ROUNDS; i++)
			svm_world_switch(&vcpu->s);
		spent = svm_ring0_rdtsc() - start;
	}
	svm_vcpu_put(vcpu);
	kprintf("cost world-switch %lu\n", (spent - empty) / ROUNDS);
}

static void bench_further_vcpu(uint8_t *memory, uint64_t hpa)
{
	const struct svm_vm_config config = { .vcpu_max = 2 };
	struct svm_vcpu *first, *second;
	struct svm_vm *vm;
	size_t frames;

	make_guest(&config, &vm, &first, memory, hpa);
	run_once(first);
	frames = frames_free_count();
	make_vcpu(vm, 1, &second);
	run_once(second);
	kprintf("cost vcpu-memory-kib %lu\n", (frames - frames_free_count()) * 4);
	check("vcpu_destroy", svm_vcpu_destroy(second));
	check("vcpu_destroy", svm_vcpu_destroy(first));
	check("vm_destroy", svm_vm_destroy(vm));
}

/* Until the guest writes to its port. */
static void run_to_port(struct svm_vcpu *vcpu)
{
	struct svm_exit exit = { .kind = SVM_EXIT_KIND_NONE };

	do
		check("run", svm_vcpu_run(vcpu, &exit));
	while (exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	if (exit.kind != SVM_EXIT_KIND_IO || exit.io.port != INTERRUPTED_PORT) {
		kprintf("bench: exit %lx at rip %lx\n", exit.raw.exit_code, exit.rip);
		power_off(POWER_FAILURE);
	}
	check("complete", svm_vcpu_complete_skip(vcpu));
}

/* Without the exit behind each interrupt that only QEMU needs: hardware has none. */
static void bench_inject(uint8_t *memory, uint64_t hpa)
{
	const struct svm_vm_config config = { .exit_after_interrupt = SVM_EXIT_AFTER_NEVER };
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;
	uint64_t start;

	make_guest(&config, &vm, &vcpu, memory, hpa);
	memcpy(memory + INTERRUPTED_GPA, interrupted, (size_t)(interrupted_end - interrupted));
	check("load", svm_vcpu_load(vcpu)); /* As between the turns of a scheduler's slice. */
	run_to_port(vcpu);
	start = svm_ring0_rdtsc();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		check("inject", svm_vcpu_inject_interrupt(vcpu, INTERRUPTED_VECTOR));
		run_to_port(vcpu);
	}
	kprintf("cost inject %lu\n", (svm_ring0_rdtsc() - start) / ROUNDS);
	svm_vcpu_put(vcpu);
	check("vcpu_destroy", svm_vcpu_destroy(vcpu));
	check("vm_destroy", svm_vm_destroy(vm));
}

static void bench_life(uint8_t *memory, uint64_t hpa)
{
	const size_t frames = frames_free_count();
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;
	uint64_t start, created, destroyed;
	size_t taken;

	for (unsigned warm = 0; warm < 2; warm++) {
		start = svm_ring0_rdtsc();
		make_guest(NULL, &vm, &vcpu, memory, hpa);
		run_once(vcpu);
		created = svm_ring0_rdtsc() - start;
		taken = frames - frames_free_count();
		start = svm_ring0_rdtsc();
		check("vcpu_destroy", svm_vcpu_destroy(vcpu));
		check("vm_destroy", svm_vm_destroy(vm));
		destroyed = svm_ring0_rdtsc() - start;
	}
	kprintf("cost vm-create %lu\n", created);
	kprintf("cost vm-destroy %lu\n", destroyed);
	kprintf("cost vm-memory-kib %lu\n", taken * 4);
}

_Noreturn void program_main(void)
{
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;
	uint64_t hpa = 0;
	uint8_t *memory = frames_alloc(GUEST_BYTES / SVM_PAGE_SIZE, 0x200000, &hpa);

	frames_give(hpa, GUEST_BYTES / SVM_PAGE_SIZE, FRAMES_SHARED);
	check("host_create", hal_create_host(hal_table(), &host));
	check("cpu_online", svm_cpu_online(host));
	make_guest(NULL, &vm, &vcpu, memory, hpa);
	run_once(vcpu);
	bench_switch(vcpu);
	check("vcpu_destroy", svm_vcpu_destroy(vcpu));
	check("vm_destroy", svm_vm_destroy(vm));
	bench_life(memory, hpa);
	bench_further_vcpu(memory, hpa);
	bench_inject(memory, hpa);
	power_off(POWER_SUCCESS);
}
