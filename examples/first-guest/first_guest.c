/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest that says "Hi" on a port and halts, in a process: the hosted port is the machine. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include <libsvm/libsvm.h>

#include <hosted.h>

#define MUST(call) ((error = (call)) ? errx(1, "%s: %s", #call, svm_strerror(error)) : (void)0)

int main(void)
{
	/* mov $'H', %ax; out %al, $0xe9; mov $'i', %ax; out %al, $0xe9; hlt */
	static const uint8_t code[] = "\xb8H\0\xe6\xe9\xb8i\0\xe6\xe9\xf4";
	struct hosted_machine *machine = hosted_create(NULL); /* your kernel, in real life */
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	struct svm_exit exit;
	svm_hpa_t hpa;
	int error;

	hosted_become(machine, 0); /* this thread is CPU 0 */
	memcpy((uint8_t *)hosted_guest_alloc(machine, 1, 4096, &hpa) + 0xff0, code, sizeof(code));
	MUST(svm_host_create(hosted_hal(machine), &host)); /* once */
	MUST(svm_cpu_online(host));                        /* on each CPU */
	MUST(svm_vm_create(host, NULL, &vm));
	MUST(svm_vm_map(vm, 0xfffff000, hpa, 4096, SVM_PROT_ALL)); /* a vCPU starts at FFFFFFF0h */
	MUST(svm_vcpu_create(vm, 0, &vcpu));
	do {
		MUST(svm_vcpu_run(vcpu, &exit));
		if (exit.kind == SVM_EXIT_KIND_IO) {
			putchar((int)exit.io.value);
			MUST(svm_vcpu_complete_skip(vcpu));
		}
	} while (exit.kind == SVM_EXIT_KIND_IO || exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	printf("\nended by %s\n", svm_exit_kind_name(exit.kind));
	return 0; /* a kernel destroys what it made, in the opposite order */
}
