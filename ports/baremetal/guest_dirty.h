/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What a guest writes, looked at again and again, as whoever moves it elsewhere would.  The keeper
 * of guests.c only.
 */
#ifndef BAREMETAL_GUEST_DIRTY_H
#define BAREMETAL_GUEST_DIRTY_H

#include <libsvm/libsvm.h>

struct guest_pc;

struct guest_dirty {
	/* Set before; period_ns 0: nobody looks. */
	enum svm_dirty_mode mode;
	uint64_t period_ns;

	/* Since the machine was made. */
	uint64_t next_ns; /**< when it is time again, by time_ns() */
	uint64_t looks, pages;
};

/** Begin, with no page written; the memory is mapped. Result of svm_vm_dirty_log(). T. */
int guest_dirty_start(struct guest_pc *g);

/** Look if it is time: when it is the next time; UINT64_MAX: never. T. */
uint64_t guest_dirty_look(struct guest_pc *g, uint64_t now);

/** Say how much it wrote, if anybody looked. T. */
void guest_dirty_account(const struct guest_pc *g);

#endif
