/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The smallest port of libsvm, and a guest that counts down on a port and halts. */
#include <libsvm/libsvm.h>

#include "kernel.h"

static void *port_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	const uint64_t first = frames_take(count);

	if (!first)
		return NULL;
	*hpa = first;
	return __builtin_memset(address_of(first), 0, count * 4096);
}

static void port_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	frames_give(hpa, count);
}

static void *port_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	return address_of(hpa);
}

static uint32_t port_cpu_id(void *ctx)
{
	return 0;
}

static void port_cpu_kick(void *ctx, uint32_t cpu)
{
	interrupt_this_cpu();
}

#define MUST(call) do { if (complain(call, #call)) return 1; } while (0)

static int complain(int error, const char *call)
{
	if (error) {
		print(call);
		print(": ");
		print(svm_strerror(error));
	}
	return error;
}

int program(void)
{
	/* mov $'3', %ax; 1: out %al, $0xe9; dec %ax; cmp $'0', %al; jne 1b; hlt */
	static const uint8_t code[] = "\xb8\x33\0\xe6\xe9\x48\x3c\x30\x75\xf9\xf4";
	static const uint64_t reset = 0xfffffff0; /* where a processor starts */
	const struct svm_hal hal = {
		.size = sizeof(hal),
		.abi = SVM_HAL_ABI,
		.cpu_max = 1,
		.tsc_hz = tsc_hz,
		.frames_alloc = port_frames_alloc,
		.frames_free = port_frames_free,
		.phys_to_virt = port_phys_to_virt,
		.cpu_id = port_cpu_id,
		.cpu_kick = port_cpu_kick,
	};
	const uint64_t memory = frames_take(1);
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	struct svm_exit exit;

	MUST(svm_host_create(&hal, &host));
	MUST(svm_cpu_online(host));
	MUST(svm_vm_create(host, NULL, &vm));
	MUST(svm_vm_map(vm, reset & ~4095ull, memory, 4096, SVM_PROT_ALL));
	MUST(svm_vm_write(vm, reset, code, sizeof(code), NULL));
	MUST(svm_vcpu_create(vm, 0, &vcpu));
	do {
		MUST(svm_vcpu_run(vcpu, &exit));
		if (exit.kind != SVM_EXIT_KIND_IO)
			continue;
		print((const char[]){ (char)exit.io.value, ' ', 0 });
		MUST(svm_vcpu_complete_skip(vcpu));
	} while (exit.kind == SVM_EXIT_KIND_IO || exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	print(svm_exit_kind_name(exit.kind));
	print("\n");
	MUST(svm_vcpu_destroy(vcpu));
	MUST(svm_vm_destroy(vm));
	MUST(svm_cpu_offline(host));
	MUST(svm_host_destroy(host));
	return exit.kind != SVM_EXIT_KIND_HLT;
}
