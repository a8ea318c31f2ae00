/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A device in memory: a text screen of 16 characters.
 *
 * Look at how little the device knows.  The guest stores with whatever instruction it likes, MOV,
 * INC, REP MOVS; the address has no memory behind it, the nested walk faults,
 * and the library decodes and executes the instruction with the device in place of memory.  What
 * arrives here is an address, a size and the bytes.
 */
#include <common/machine.h>

#define SCREEN      UINT64_C(0xd0000000)
#define SCREEN_SIZE 16u

/* An access lies within one page, not within one device: the range given below is 16 bytes long. */
static enum svm_device_result screen(void *arg, struct svm_vcpu *vcpu,
                                     struct svm_mmio_access *access)
{
	const uint64_t at = access->gpa - SCREEN;
	char *text = arg;

	(void)vcpu;
	if (at >= SCREEN_SIZE || access->size > SCREEN_SIZE - at) {
		memset(access->data, 0xff, sizeof(access->data));
		return SVM_DEVICE_DONE;
	}
	if (access->is_write)
		memcpy(text + at, access->data, access->size);
	else
		memcpy(access->data, text + at, access->size);
	printf("%s of %u at %u\n", access->is_write ? "write" : "read", access->size, (unsigned)at);
	return SVM_DEVICE_DONE;
}

GUEST_CODE(guest, 32,
           "mov $0xd0000000, %ebx\n"
           "movl $0x6c6c6568, (%ebx)\n" /* "hell" */
           "mov $0x6f, %eax\n"
           "mov %al, 4(%ebx)\n" /* "o" */
           "incl (%ebx)\n"      /* Read and write: "iell" */
           "mov 1(%ebx), %eax\n"
           "hlt");

int main(void)
{
	char text[SCREEN_SIZE + 1] = "................";
	struct machine m;
	struct svm_exit exit;
	struct svm_regs regs;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	machine_start_32(m.vcpu);
	MUST(svm_vm_mmio_handler(m.vm, SCREEN, SCREEN_SIZE, screen, text));
	printf("ended by %s\n", svm_exit_kind_name(machine_run(m.vcpu, &exit)));
	svm_vcpu_get_regs(m.vcpu, &regs);
	printf("screen: \"%s\", EAX = %x\n", text, (unsigned)regs.rax);
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
