/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_BENCH_COUNTED_H
#define TESTS_BENCH_COUNTED_H
/*
 * A host in a process whose calls callgrind counts.
 *
 * The process links the archive that kernels link, and tells callgrind where each operation begins
 * and ends.  For each there is a profile then, named `NAME COUNT`, and operations_table divides.
 * What the host does to find a frame is left out, what it does to find its address is not: the
 * former is the host's affair, the latter an addition in every kernel with a direct map.
 */
#include <libsvm/libsvm.h>

#include "core/vcpu/vcpu.h"
#include "hosted.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

extern struct hosted_machine *counted_machine;
extern struct svm_host *counted_host;

/* An error ends the process. */
void counted_check(const char *what, int error);

/* One CPU and so much memory for the library; kick is the HAL's, NULL for the model's own. */
void counted_init(uint64_t memory, void (*kick)(void *ctx, uint32_t cpu));
void counted_fini(void);

/* Registers of flat 32-bit protected mode. */
void counted_start(struct svm_vcpu *vcpu);

/* Between the two everything counts, but what counted_pause() brackets. */
void counted_begin(void);
void counted_end(const char *name, uint64_t count);
/* Called again it goes on. */
void counted_pause(void);

#endif
