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
	unsigned gpr;    /* MOV CR and DR: the general register, 0 to 15.  Else 0. */
};

/*
 * bytes, count  The code at RIP, as many as could be fetched; more than 15 are not looked at.
 * code_bits     16, 32 or 64: svm_vcpu_code_bits().
 *
 * False, and *scan is left alone: the bytes are not the instruction that causes this exit (someone
 * rewrote the code since), or they end too soon, or the exit comes from no instruction.  Of the
 * instructions behind a control register's exit only MOV is known here: CLTS, LMSW and SMSW have
 * no general register of this kind and are an emulator's.
 */
bool svm_insn_scan(const uint8_t *bytes, unsigned count, unsigned code_bits, uint64_t exit_code,
                   struct svm_insn_scan *scan);

#endif
