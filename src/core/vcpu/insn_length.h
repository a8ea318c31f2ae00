/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_INSN_LENGTH_H
#define SVM_CORE_VCPU_INSN_LENGTH_H
/*
 * The length of an intercepted instruction, by a short scan of prefixes and opcode against the
 * exit code.
 */
#include <libsvm/types.h>

struct svm_insn_scan {
	unsigned length; /* 1 to 15. */
	unsigned gpr;    /* MOV CR and DR: the general register. */
};

/* False: the bytes are not the instruction that causes this exit. */
bool svm_insn_scan(const uint8_t *bytes, unsigned count, unsigned code_bits, uint64_t exit_code,
                   struct svm_insn_scan *scan);

#endif
