/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_CPUID_DEFAULT_H
#define SVM_CORE_CPUID_DEFAULT_H
/*
 * The table that a guest gets by default, made from what a processor says of itself.
 */
#include <libsvm/vm.h>

#include "hal/ring0.h"

/* The processor asked: svm_ring0_cpuid(), or a recording of another one in tests. */
typedef struct svm_cpuid_regs (*svm_cpuid_query_fn)(uint32_t leaf, uint32_t subleaf);

/*
 * Rows for a guest on a processor with these features.  Counts all rows, stores the first room.
 * One CPU; see svm_cpuid_set_topology() in vm.h.
 */
size_t svm_cpuid_make(svm_cpuid_query_fn query, const struct svm_features *features,
                      struct svm_cpuid_entry *entries, size_t room);

#endif
