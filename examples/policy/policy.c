/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a guest is told of its processor: CPUID and model-specific registers.
 *
 * Look at the three ways to answer.  CPUID is a table: the guest never causes a call of yours, and
 * a leaf that is not there reads as zeros.  An MSR has a policy: #GP (the default for what the
 * library does not know), zero, or an exit.  Or a range of MSRs belongs to a device, as a local
 * APIC's does.
 */
#include <common/machine.h>

#define MSR_ZERO   0xc0010015u /* HWCR: some guests read it and mean nothing by it. */
#define MSR_EXIT   0xc0010062u /* P-state control. */
#define MSR_DEVICE 0x4b564d00u

/* Take the default, hide a feature, give the machine a name. */
static void choose_cpuid(struct machine *m)
{
	static struct svm_cpuid_entry table[SVM_CPUID_MAX];
	struct svm_cpuid_entry *row;
	size_t count;

	MUST(svm_cpuid_default(m->host, table, SVM_CPUID_MAX - 1, &count));
	for (row = table; row < table + count; row++)
		if (row->leaf == 1)
			row->edx &= ~(1u << 4); /* No TSC. */
	*row = (struct svm_cpuid_entry){ .leaf = 0x40000000, .ebx = 0x6d76734d };
	MUST(svm_vm_set_cpuid(m->vm, table, count + 1));
}

static bool device_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	uint64_t *value = arg;

	(void)vcpu;
	if (access->is_write && access->value >> 32)
		return false; /* #GP: its upper half is reserved. */
	if (access->is_write)
		*value = access->value;
	else
		access->value = *value;
	return true;
}

/* Results go to a port; a #GP ends in the handler at 1100h, which has no way back. */
GUEST_CODE(guest, 16,
           "movw $0x1100, 13 * 4\n"
           "movw $0, 13 * 4 + 2\n"
           "mov $0x40000000, %eax\n"
           "cpuid\n"
           "mov %ebx, %eax\n"
           "out %eax, $0x80\n"
           "mov $0xc0010015, %ecx\n"
           "rdmsr\n"
           "out %eax, $0x80\n"
           "mov $0xc0010062, %ecx\n"
           "rdmsr\n"
           "out %eax, $0x80\n"
           "mov $0x4b564d00, %ecx\n"
           "mov $7, %eax\n"
           "xor %edx, %edx\n"
           "wrmsr\n"
           "rdmsr\n"
           "out %eax, $0x80\n"
           "mov $1, %edx\n"
           "wrmsr\n" /* Refused by the device. */
           "hlt");
GUEST_CODE(handler, 16,
           "mov $13, %eax\n"
           "out %eax, $0x80\n"
           "hlt");

int main(void)
{
	uint64_t value = 0;
	struct machine m;
	struct svm_exit exit;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	memcpy(m.memory + 0x1100, handler, (size_t)(handler_end - handler));
	machine_start_16(m.vcpu);
	choose_cpuid(&m);
	MUST(svm_vm_set_msr_policy(m.vm, MSR_ZERO, 1, SVM_MSR_ZERO));
	MUST(svm_vm_set_msr_policy(m.vm, MSR_EXIT, 1, SVM_MSR_EXIT));
	MUST(svm_vm_msr_handler(m.vm, MSR_DEVICE, 1, device_msr, &value));

	while (machine_run(m.vcpu, &exit) != SVM_EXIT_KIND_HLT) {
		if (exit.kind == SVM_EXIT_KIND_RDMSR) {
			printf("RDMSR %x is answered by the embedder\n", exit.msr.msr);
			MUST(svm_vcpu_complete_value(m.vcpu, 3));
			continue;
		}
		printf("guest: %x\n", exit.io.value);
		MUST(svm_vcpu_complete_skip(m.vcpu));
	}
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
