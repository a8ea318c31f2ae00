/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest with two processors, each driven by a thread on a CPU of its own.
 *
 * Look at what the library does not do: it makes no thread, and it does not start the second
 * processor.  As on a board, processor 0 runs and the other waits for a start-up IPI.  The guest
 * asks for it, here by writing the page of the code to a port, where a PC has a local APIC.
 */
#include <pthread.h>

#include <common/machine.h>

#define CPUS 2

/* Processor 0 lets the other one begin at 2000h and waits for what it leaves at 5000h. */
GUEST_CODE(code_0, 16,
           "mov $2, %ax\n"
           "out %ax, $0x80\n"
           "1: mov 0x5000, %ax\n"
           "test %ax, %ax\n"
           "jz 1b\n"
           "hlt");
/* A start-up IPI for page 2 begins at 0200h:0000h. */
GUEST_CODE(code_1, 16,
           "movw $1234, 0x5000\n"
           "hlt");

struct runner {
	struct machine *machine;
	struct svm_vcpu *vcpu;
	uint32_t cpu;
};

/*
 * The thread of the second processor.  In a kernel it would sleep until the start-up IPI; until
 * then svm_vcpu_run() refuses, since there is nothing to run.
 */
static void *run_second(void *arg)
{
	const struct runner *r = arg;
	struct svm_exit exit;

	hosted_become(r->machine->hosted, r->cpu); /* Pinned to its CPU. */
	MUST(svm_cpu_online(r->machine->host));
	machine_run(r->vcpu, &exit);
	MUST(svm_cpu_offline(r->machine->host));
	hosted_leave();
	return NULL;
}

/* What a start-up IPI does: the thread that waits for it goes on. */
static void start_second(struct runner *second, uint8_t page, pthread_t *thread)
{
	printf("processor %u starts at page %u\n", second->cpu, page);
	MUST(svm_vcpu_startup_ipi(second->vcpu, page));
	if (pthread_create(thread, NULL, run_second, second))
		exit(EXIT_FAILURE);
}

int main(void)
{
	struct machine m;
	struct runner second = { .machine = &m, .cpu = 1 };
	struct svm_exit exit;
	struct svm_regs regs;
	pthread_t thread;

	machine_create(&m, CPUS);
	machine_load(&m, code_0, code_0_end);
	memcpy(m.memory + 0x2000, code_1, (size_t)(code_1_end - code_1));
	machine_start_16(m.vcpu);
	MUST(svm_vcpu_create(m.vm, 1, &second.vcpu));
	MUST(svm_vcpu_init_ipi(second.vcpu));
	printf("processor 1: %s\n", svm_vcpu_state_name(svm_vcpu_state(second.vcpu)));

	if (machine_run(m.vcpu, &exit) != SVM_EXIT_KIND_IO)
		return EXIT_FAILURE;
	MUST(svm_vcpu_complete_skip(m.vcpu));
	start_second(&second, (uint8_t)exit.io.value, &thread);
	machine_run(m.vcpu, &exit);
	pthread_join(thread, NULL);

	svm_vcpu_get_regs(m.vcpu, &regs);
	printf("processor 0: %s, it found %u\n", svm_exit_kind_name(exit.kind), (unsigned)regs.rax);
	printf("processor 1: %s\n", svm_vcpu_state_name(svm_vcpu_state(second.vcpu)));
	MUST(svm_vcpu_destroy(second.vcpu));
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
