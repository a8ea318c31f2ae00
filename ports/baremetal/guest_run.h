/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A kind of guest: a small PC without interrupts: memory from 0, a serial port at 3F8h whose output
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

#include "guest.h"
#include "test_device.h"

struct guest_job {
	struct guest guest; /**< first */

	/* What to run. */
	const uint8_t *bytes;
	size_t size;
	const char *cmdline;
	uint64_t memory_size, load_address;
	bool real_mode, is_builtin, wants_storm;
	bool is_lazy, has_small_pages, forgives, has_device;

	/* While it is made. */
	uint8_t *memory;
	uint64_t memory_pa;
	struct test_device device;
	bool exited;
	uint32_t status;
	unsigned int svm_lines; /**< printed of SVM instructions that it tried */
};

extern const struct guest_kind guest_job_kind;

#endif
