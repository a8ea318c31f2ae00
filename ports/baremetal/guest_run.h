/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * One guest from image to end, on the CPU that makes the call.
 *
 * The guest is a small PC without interrupts: memory from 0, a serial port at 3F8h whose output
 * appears on our console, and port F4h, where a byte ends it with that status.  VMMCALL with EAX =
 * 0 ends it as well, with EBX as status.  Everything else reads all ones and ignores writes.
 *
 * Options, in the module's text: name=WORD mem=SIZE addr=ADDRESS mode=real cpu=N limit=MS
 * storm=1 (NMIs and interrupts from another CPU throughout), lazy=1 (memory is translated by 4 KiB
 * pages on the first touch, not ahead), forgive=1 (what would end the guest as `unmapped` or
 * `unhandled` is a #GP or #UD instead), device=mmio (the device memory of test_device.h).
 */
#ifndef BAREMETAL_GUEST_RUN_H
#define BAREMETAL_GUEST_RUN_H

#include <libsvm/libsvm.h>

#include "console.h"
#include "test_device.h"

#define GUEST_NAME_MAX 32

struct guest_job {
	/* What to run. */
	struct svm_host *host;
	const uint8_t *bytes;
	size_t size;
	char name[GUEST_NAME_MAX];
	const char *cmdline;
	uint64_t memory_size, load_address;
	uint64_t limit_ms; /**< longest run */
	uint32_t cpu;      /**< where to run */
	bool real_mode, is_builtin, wants_storm;
	bool is_lazy, forgives, has_device;
	bool in_parallel; /**< others allocate meanwhile, so frames cannot be counted */

	/* While it runs. */
	uint8_t *memory;
	uint64_t memory_pa;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	struct test_device device;
	struct console_guest console;
	uint64_t exits[SVM_EXIT_KIND_COUNT];
	bool is_stopped; /**< atomic: by the monitor */
	bool exited;
	uint32_t status;

	/* The outcome. */
	unsigned int svm_lines; /**< printed of SVM instructions that it tried */
	bool host_failed; /**< libsvm or this port failed, not the guest */
};

/** Run a guest to its end and print how it ended; arg is a struct guest_job. T. */
void guest_run(void *arg);

#endif
