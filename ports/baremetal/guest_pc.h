/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A kind of guest: a whole PC.
 *
 * What it does to the machine (power-off, reset, port F4h) ends it, and so does whatever it cannot
 * go on after.
 */
#ifndef BAREMETAL_GUEST_PC_H
#define BAREMETAL_GUEST_PC_H

#include <libsvm/boot.h>
#include <libsvm/platform/pc.h>

#include "guest.h"
#include "guest_config.h"
#include "guest_dirty.h"
#include "guest_memory.h"

struct guest_pc {
	struct guest guest; /**< first */

	/* What to run. */
	struct svm_boot_module kernel, initrd; /**< initrd.size 0: none */
	const char *cmdline;
	uint64_t memory_size;
	uint64_t devices; /**< SVM_PC_* */
	const struct guest_config *config; /**< for its channels */
	struct guest_dirty dirty;

	/* While it is made. */
	struct guest_memory memory;
	struct svm_pc *pc;
	struct svm_channels *channels; /**< NULL: none */
};

extern const struct guest_kind guest_pc_kind;

/** Visit all its memory as the guest sees it; as guest_memory_each(). */
int guest_pc_each_part(const struct guest_pc *g,
                       int (*visit)(void *arg, const struct guest_memory_part *part), void *arg);

#endif
