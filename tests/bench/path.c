/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way from #VMEXIT to the next VMRUN, for callgrind to write down instruction by instruction.
 *
 * usage: bench_path cpuid|port|return|halt COUNT
 *
 * A process links the archive that kernels link.  In place of the processor's world switch there
 * is one that leaves an exit behind, on a processor that saves the next RIP: of CPUID, of OUT to a
 * port with a device, of OUT to one without, with which the run comes back, or of HLT, with which
 * it comes back and goes on with an interrupt.  What is executed between two exits is the way, and
 * path_check looks at it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>

#include "counted.h"

#define PORT      0x3f8u
#define VECTOR    0x30u
#define RFLAGS_IF 0x200u

enum way { WAY_CPUID, WAY_PORT, WAY_RETURN, WAY_HALT, WAY_COUNT };

static const struct way_exit {
	const char *name;
	uint64_t code, info_1, info_2, next_rip;
} ways[WAY_COUNT] = {
	[WAY_CPUID] = { "cpuid", SVM_EXIT_CPUID, 0, 0, 0x1002 },
	[WAY_PORT] = { "port", SVM_EXIT_IOIO, PORT << 16 | SVM_IOIO_SIZE_8, 0x1001, 0x1001 },
	[WAY_RETURN] = { "return", SVM_EXIT_IOIO, PORT << 16 | SVM_IOIO_SIZE_8, 0x1001, 0x1001 },
	[WAY_HALT] = { "halt", SVM_EXIT_HLT, 0, 0, 0x1001 },
};

static enum way way;
static unsigned int left; /* Exits that are still to come. */
static bool is_counting;

static enum svm_device_result path_device(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_io_access *access)
{
	(void)arg;
	(void)vcpu;
	return access->port == PORT && !access->is_in ? SVM_DEVICE_DONE : SVM_DEVICE_EXIT;
}

uint64_t __wrap_svm_world_switch(struct svm_switch *s);

/* The last exit is the host's interrupt, which ends the run. */
uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	struct svm_vcpu *vcpu = (struct svm_vcpu *)s; /* Its first member. */
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (is_counting)
		counted_pause();
	is_counting = false;
	vmcb->control.exit_int_info = 0;
	if (left-- == 0) {
		vmcb->control.exit_code = SVM_EXIT_INTR;
		return 1;
	}
	vmcb->save.rip = 0x1000;
	vmcb->save.rax = 0;
	vmcb->save.rflags |= RFLAGS_IF;
	vmcb->control.exit_code = ways[way].code;
	vmcb->control.exit_info_1 = ways[way].info_1;
	vmcb->control.exit_info_2 = ways[way].info_2;
	vmcb->control.next_rip = ways[way].next_rip;
	is_counting = true;
	counted_pause();
	return 1;
}

/* What the embedder does about an exit. */
static void answer(struct svm_vcpu *vcpu, enum svm_exit_kind kind)
{
	if (kind == SVM_EXIT_KIND_IO && way == WAY_RETURN)
		counted_check("skip", svm_vcpu_complete_skip(vcpu));
	else if (kind == SVM_EXIT_KIND_HLT && way == WAY_HALT)
		counted_check("inject", svm_vcpu_inject_interrupt(vcpu, VECTOR));
	else
		exit(1);
}

/* Until the host's interrupt. */
static void run_vcpu(struct svm_vcpu *vcpu)
{
	struct svm_exit exit_info;

	vcpu->recorder.last->advanced = 1; /* As ever after, with a recorder and without. */
	for (;;) {
		counted_check("run", svm_vcpu_run(vcpu, &exit_info));
		if (exit_info.kind == SVM_EXIT_KIND_HOST_INTERRUPT)
			return;
		answer(vcpu, exit_info.kind);
	}
}

static void run(unsigned int count)
{
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;

	counted_init(64 * MIB, NULL);
	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vm));
	if (way == WAY_PORT)
		counted_check("io_handler", svm_vm_io_handler(vm, PORT, 1, path_device, NULL));
	counted_check("vcpu_create", svm_vcpu_create(vm, 0, &vcpu));
	counted_start(vcpu);
	left = count;
	run_vcpu(vcpu);
	counted_check("vcpu_destroy", svm_vcpu_destroy(vcpu));
	counted_check("vm_destroy", svm_vm_destroy(vm));
	counted_fini();
}

int main(int argc, char **argv)
{
	for (way = 0; argc == 3 && way < WAY_COUNT; way++) {
		if (strcmp(argv[1], ways[way].name) != 0)
			continue;
		run((unsigned int)strtoul(argv[2], NULL, 0));
		return 0;
	}
	fputs("usage: bench_path cpuid|port|return|halt COUNT\n", stderr);
	return 2;
}
