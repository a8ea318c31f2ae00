/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef EXAMPLES_COMMON_MACHINE_H
#define EXAMPLES_COMMON_MACHINE_H
/*
 * What the examples have in common, so that each shows its one idea: the steps of
 * examples/first-guest, taken apart into calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/libsvm.h>

#include <hosted.h>

#define MACHINE_MEMORY 0x40000u /* Bytes of guest memory, from guest-physical 0 on. */
#define MACHINE_START  0x1000u  /* Where machine_start() puts a guest's code. */

struct machine {
	struct hosted_machine *hosted; /* Your kernel, in real life. */
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu; /* Number 0. */
	uint8_t *memory;       /* The guest's, as this process sees it. */
	svm_hpa_t memory_hpa;
};

/* End the program where a call fails. */
#define MUST(call) must(call, #call)
void must(int error, const char *call);

/*
 * The code of a guest.  It is data here: copied into guest memory and not executed by this process.
 * Addresses in it are relative, or absolute ones that it agrees on with its host.
 */
#define GUEST_CODE(name, bits, text)                                                               \
	__asm__(".pushsection .rodata\n.code" #bits "\n" #name ":\n" text "\n" #name               \
	        "_end:\n.code64\n.popsection\n");                                                  \
	extern const uint8_t name[], name##_end[]

/* A host with `cpus` CPUs, of which this thread is CPU 0; a VM with memory; vCPU 0. */
void machine_create(struct machine *m, uint32_t cpus);
/* The same on a machine and with a VM of your choice. */
void machine_create_vm(struct machine *m, const struct hosted_config *hosted,
                       const struct svm_vm_config *config);
/* The same with room for so many vCPUs. */
void machine_create_on(struct machine *m, const struct hosted_config *hosted, uint32_t vcpus);
void machine_destroy(struct machine *m);

/* Copy code to MACHINE_START and point the vCPU at it: real mode, or flat 32-bit protected mode. */
void machine_load(struct machine *m, const uint8_t *code, const uint8_t *end);
void machine_start_16(struct svm_vcpu *vcpu);
void machine_start_32(struct svm_vcpu *vcpu);

/* Run until there is something for the embedder; an interrupt of the host's is not. */
enum svm_exit_kind machine_run(struct svm_vcpu *vcpu, struct svm_exit *exit);

#endif
