/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A guest that is a whole PC, from its configuration to its end, on the CPU that makes the call.
 *
 * What it does to the machine (power-off, reset, port F4h) ends
 * it, and so does whatever it cannot go on after, with one line that says how and why.
 */
#ifndef BAREMETAL_GUEST_PC_H
#define BAREMETAL_GUEST_PC_H

#include <libsvm/boot.h>
#include <libsvm/libsvm.h>
#include <libsvm/platform/pc.h>

#include "console.h"
#include "guest_memory.h"

#define GUEST_PC_NAME_MAX 32

struct guest_pc {
	/* What to run. */
	struct svm_host *host;
	char name[GUEST_PC_NAME_MAX];
	struct svm_boot_module kernel, initrd; /**< initrd.size 0: none */
	const char *cmdline;
	uint64_t memory_size;
	uint64_t devices; /**< SVM_PC_* */
	uint64_t limit_ms; /**< longest run; 0: none */
	uint32_t cpu;      /**< where to run */

	/* While it runs. */
	struct console_guest console; /**< its mode is set before */
	struct guest_memory memory;
	struct svm_vm *vm;
	struct svm_pc *pc;
	struct svm_vcpu *vcpu;
	uint64_t start_ns;
	bool stopped; /**< atomic: the monitor ended it */
	uint64_t exits[SVM_EXIT_KIND_COUNT];

	/* The outcome. */
	bool host_failed; /**< libsvm or this port failed, not the guest */
};

/** Run it to its end; arg is a struct guest_pc. T. */
void guest_pc_run(void *arg);

#endif
