/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A device with two I/O ports, as a callback.
 *
 * Look at adder(): the library has decoded the instruction, found the device by its port and steps
 * over the instruction afterwards; the loop in main() sees only what no device owns.
 *
 * The guest chooses when, how wide and in what order it calls.  So a device keeps its state in
 * numbers that no value can break, and has an answer for every access.
 */
#include <common/machine.h>

#define ADDER       0x300u /* Written: add to the sum.  Read: the sum. */
#define ADDER_CLEAR 0x304u /* Written: forget the sum.  Read: how often it was read. */

struct adder {
	uint32_t sum, reads;
};

static enum svm_device_result adder(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	struct adder *device = arg;

	(void)vcpu;
	if (access->port != ADDER && access->port != ADDER_CLEAR) {
		access->value = UINT32_MAX; /* Nothing drives the lines in between. */
		return SVM_DEVICE_DONE;
	}
	if (access->port == ADDER_CLEAR) {
		if (access->is_in)
			access->value = device->reads;
		else
			device->sum = 0;
		return SVM_DEVICE_DONE;
	}
	if (access->is_in) {
		device->reads++;
		access->value = device->sum;
	} else {
		device->sum += access->value;
	}
	return SVM_DEVICE_DONE;
}

GUEST_CODE(guest, 16,
           "mov $0x300, %dx\n"
           "mov $40, %eax\n"
           "out %eax, %dx\n"
           "mov $2, %eax\n"
           "out %eax, %dx\n"
           "in %dx, %eax\n"    /* 42 */
           "out %eax, $0x80\n" /* No device's: the embedder prints it. */
           "mov $0x302, %dx\n"
           "in %dx, %ax\n" /* Between the two ports. */
           "out %eax, $0x80\n"
           "hlt");

int main(void)
{
	struct adder device = { 0, 0 };
	struct machine m;
	struct svm_exit exit;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	machine_start_16(m.vcpu);
	MUST(svm_vm_io_handler(m.vm, ADDER, 8, adder, &device));
	while (machine_run(m.vcpu, &exit) == SVM_EXIT_KIND_IO) {
		printf("port %x, %u bytes: %u\n", exit.io.port, exit.io.size, exit.io.value);
		MUST(svm_vcpu_complete_skip(m.vcpu));
	}
	printf("%s; the device was read %u time\n", svm_exit_kind_name(exit.kind), device.reads);
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
