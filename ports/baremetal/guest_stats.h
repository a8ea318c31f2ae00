/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file What a guest does and has done, in words for the monitor. */
#ifndef BAREMETAL_GUEST_STATS_H
#define BAREMETAL_GUEST_STATS_H

#include <libsvm/libsvm.h>

/** A few words: entries and exits of one vCPU so far. */
void guest_stats_describe(const struct svm_vcpu *vcpu, char *text, size_t size);

/**
 * @brief A line for each counter.
 * @param vcpu   Any state; a snapshot is taken.
 * @param exits  Returns of svm_vcpu_run(), for each kind; those that are 0 have no line.
 */
void guest_stats_lines(const struct svm_vcpu *vcpu, const uint64_t exits[SVM_EXIT_KIND_COUNT],
                       char *text, size_t size);

#endif
