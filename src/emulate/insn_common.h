/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_INSN_COMMON_H
#define SVM_EMULATE_INSN_COMMON_H
/*
 * The instructions that touch devices most, decoded without tables.
 */
#include "emulate/insn.h"

/*
 * As svm_insn_decode() for MOV and MOVZX with an operand in memory, at most 66 and REX before the
 * opcode, in 64-bit mode.  False, and *insn is spoilt: something else, or more bytes than these.
 */
bool svm_insn_decode_common(enum svm_insn_mode mode, const uint8_t *bytes, size_t count,
                            struct svm_insn *insn);

#endif
