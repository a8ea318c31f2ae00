/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_SELFTEST_GUEST_H
#define SVM_CORE_DIAGNOSE_SELFTEST_GUEST_H
/*
 * The guest of the self-test: a few frames with page tables, an IDT, handlers, and room for a
 * program; see selftest_guest.c for the layout.
 */
#include "core/vcpu/exits.h"

#define SVM_SELFTEST_HOLE  UINT64_C(0x100000) /* Paged by the guest, absent for the host. */
#define SVM_SELFTEST_MAGIC UINT64_C(0x6d61676963)

struct svm_selftest_guest {
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	uint8_t *memory;
	svm_hpa_t hpa;
	int error; /* The first since the last start; a guest with one does not run. */
};

SVM_MUST_CHECK int svm_selftest_guest_make(struct svm_selftest_guest *g, struct svm_host *host);
void svm_selftest_guest_free(struct svm_selftest_guest *g);

/* Long mode, ring 0, interrupts off, RIP at the program. */
void svm_selftest_guest_start(struct svm_selftest_guest *g, const uint8_t *program, size_t size);
/* The architecture's reset state; VMMCALL waits at the reset vector. */
void svm_selftest_guest_reset(struct svm_selftest_guest *g);
void svm_selftest_guest_interrupts(struct svm_selftest_guest *g, bool on);
/* TR, FS and GS that would harm a host that kept them. */
void svm_selftest_guest_hostile_segments(struct svm_selftest_guest *g);
void svm_selftest_guest_no_idt(struct svm_selftest_guest *g);
SVM_MUST_CHECK int svm_selftest_guest_fill_hole(struct svm_selftest_guest *g);

/* Run; NONE if svm_vcpu_run() failed. */
enum svm_exit_kind svm_selftest_guest_continue_once(struct svm_selftest_guest *g,
                                                    struct svm_exit *exit);
/* Run on over the host's ticks, which may fall into any rung. */
enum svm_exit_kind svm_selftest_guest_continue(struct svm_selftest_guest *g, struct svm_exit *exit);

#endif
