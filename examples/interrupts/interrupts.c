/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Interrupts for a guest, from an embedder that has no interrupt controller.
 *
 * Look at when each one arrives.  The first is pending while the guest has interrupts off, and a
 * second is refused meanwhile: there is room for one.  The guest takes it behind the instruction
 * after STI.  The next ends a HLT.  No moment needs to be waited for: the library asks the
 * processor for the first one at which the guest can take it.
 *
 * Where there is a controller, svm_vcpu_set_irq_port() has the library ask it instead; the devices
 * of a PC, include/libsvm/platform, do so.
 */
#include <common/machine.h>

#define VECTOR 0x20u

/* Real mode: the table at 0 has four bytes for each vector, offset and segment. */
GUEST_CODE(guest, 16,
           "movw $0x1100, 0x20 * 4\n"
           "movw $0, 0x20 * 4 + 2\n"
           "mov $1, %ax\n"
           "out %ax, $0x80\n" /* Interrupts are off. */
           "sti\n"
           "nop\n" /* STI opens behind this one. */
           "mov $2, %ax\n"
           "out %ax, $0x80\n"
           "hlt\n"
           "mov $3, %ax\n"
           "out %ax, $0x80\n"
           "cli\n"
           "hlt");
GUEST_CODE(handler, 16,
           "push %ax\n"
           "mov $100, %ax\n"
           "out %ax, $0x80\n"
           "pop %ax\n"
           "iretw");

static void inject(struct svm_vcpu *vcpu)
{
	const int error = svm_vcpu_inject_interrupt(vcpu, VECTOR);

	printf("inject: %s\n", error ? svm_strerror(error) : "pending");
}

/* One line for each OUT, until the guest halts. */
static void run(struct svm_vcpu *vcpu, bool with_interrupts)
{
	struct svm_exit exit;

	while (machine_run(vcpu, &exit) == SVM_EXIT_KIND_IO) {
		printf("guest: %u\n", exit.io.value);
		if (with_interrupts && exit.io.value == 1) {
			inject(vcpu);
			inject(vcpu);
		}
		MUST(svm_vcpu_complete_skip(vcpu));
	}
	printf("%s\n", svm_exit_kind_name(exit.kind));
}

int main(void)
{
	struct machine m;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	memcpy(m.memory + 0x1100, handler, (size_t)(handler_end - handler));
	machine_start_16(m.vcpu);
	run(m.vcpu, true);
	inject(m.vcpu); /* Ends the HLT. */
	run(m.vcpu, false);
	inject(m.vcpu); /* CLI, HLT: nothing but an NMI or INIT helps now. */
	printf("something to wake for: %s\n", svm_vcpu_has_event(m.vcpu) ? "yes" : "no");
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
