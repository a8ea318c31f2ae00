/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way from #VMEXIT to the next VMRUN, for callgrind to write down instruction by instruction.
 *
 * usage: bench_path cpuid|port|return COUNT
 *
 * A process links the archive that kernels link.  In place of the processor's world switch there is
 * one that leaves an exit behind: of CPUID, or of OUT to a port, on a processor that saves the next
 * RIP.  The port has a device, or for `return` none, and the run comes back with each OUT.  What is
 * executed between two exits is the way, and path_check looks at it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>

#include "counted.h"

#define PORT 0x3f8u

static unsigned int left; /* Exits that are still to come. */
static bool is_port, is_returning, is_counting;

static enum svm_device_result path_device(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_io_access *access)
{
	(void)arg;
	(void)vcpu;
	return access->port == PORT && !access->is_in ? SVM_DEVICE_DONE : SVM_DEVICE_EXIT;
}

void __wrap_svm_world_switch(struct svm_switch *s);

/* The last exit is the host's interrupt, which ends the run. */
void __wrap_svm_world_switch(struct svm_switch *s)
{
	struct svm_vcpu *vcpu = (struct svm_vcpu *)s; /* Its first member. */
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (is_counting)
		counted_pause();
	is_counting = false;
	vmcb->control.exit_int_info = 0;
	if (left-- == 0) {
		vmcb->control.exit_code = SVM_EXIT_INTR;
		return;
	}
	vmcb->save.rip = 0x1000;
	vmcb->save.rax = is_port ? 0x55 : 0;
	vmcb->control.exit_code = is_port ? SVM_EXIT_IOIO : SVM_EXIT_CPUID;
	vmcb->control.exit_info_1 = (uint64_t)PORT << 16 | SVM_IOIO_SIZE_8;
	vmcb->control.exit_info_2 = 0x1001;
	vmcb->control.next_rip = is_port ? 0x1001 : 0x1002;
	is_counting = true;
	counted_pause();
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
		if (!is_returning || exit_info.kind != SVM_EXIT_KIND_IO)
			exit(1);
		counted_check("skip", svm_vcpu_complete_skip(vcpu));
	}
}

static void run(unsigned int count)
{
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;

	counted_init(64 * MIB, NULL);
	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vm));
	if (!is_returning)
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
	if (argc == 3) {
		is_returning = !strcmp(argv[1], "return");
		is_port = is_returning || !strcmp(argv[1], "port");
		if (is_port || !strcmp(argv[1], "cpuid")) {
			run((unsigned int)strtoul(argv[2], NULL, 0));
			return 0;
		}
	}
	fputs("usage: bench_path cpuid|port|return COUNT\n", stderr);
	return 2;
}
