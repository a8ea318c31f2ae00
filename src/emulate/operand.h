/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_OPERAND_H
#define SVM_EMULATE_OPERAND_H
/*
 * The r/m operand of an integer instruction: prepared once, then read, written, or exchanged.
 */
#include "emulate/internal.h"

/* How often a locked instruction tries again before the guest runs on and comes back. */
#define SVM_LOCK_TRIES 16u

/* The r/m operand, prepared: a register, or a span of memory. */
struct svm_operand {
	bool is_memory;
	unsigned reg, size;
	struct svm_emul_span span;
};

/* --- operand.c --- */
enum svm_emul_result svm_operand_prepare(struct svm_emul *e, unsigned size, uint32_t access,
                                         struct svm_operand *op);
enum svm_emul_result svm_operand_read(struct svm_emul *e, const struct svm_operand *op,
                                      uint64_t *value);
enum svm_emul_result svm_operand_write(struct svm_emul *e, const struct svm_operand *op,
                                       uint64_t value);
/* r/m as a source of size bytes, zero-extended; *value is written only on OK. */
enum svm_emul_result svm_operand_load(struct svm_emul *e, unsigned size, uint64_t *value);
/* Width of the forms that come in pairs: even opcode bytes, odd operand size. */
unsigned svm_emul_pair_width(const struct svm_emul *e);
/* The register that the low bits of the opcode name. */
unsigned svm_emul_opcode_reg(const struct svm_emul *e);
/* RIP moves on: the last step of an instruction. */
enum svm_emul_result svm_emul_finish(struct svm_emul *e);

/* --- rmw.c --- */

enum svm_rmw_op {
	RMW_ALU,   /* sub: enum svm_alu_op */
	RMW_SHIFT, /* sub: enum svm_shift_op */
	RMW_SHLD,
	RMW_SHRD,
	RMW_INC,
	RMW_DEC,
	RMW_NEG,
	RMW_NOT,
	RMW_XADD,
	RMW_XCHG,
};

/* *old: what the destination held. */
enum svm_emul_result svm_rmw(struct svm_emul *e, enum svm_rmw_op op, unsigned sub, unsigned size,
                             uint64_t source, uint8_t count, uint64_t *old);
enum svm_emul_result svm_rmw_plain(struct svm_emul *e, enum svm_rmw_op op, unsigned sub,
                                   unsigned size, uint64_t source, uint8_t count);
/* OK and not *stored: locked, and another processor was faster. */
enum svm_emul_result svm_rmw_store(struct svm_emul *e, const struct svm_operand *op, bool locked,
                                   uint64_t old, uint64_t new, bool *stored);

/* --- what exec_integer.c, exec_bits.c and exec_system.c hand on; UNKNOWN as there --- */
enum svm_emul_result svm_exec_arith(struct svm_emul *e);
enum svm_emul_result svm_exec_base(struct svm_emul *e);
enum svm_emul_result svm_exec_bmi(struct svm_emul *e);
enum svm_emul_result svm_exec_decimal(struct svm_emul *e);
enum svm_emul_result svm_exec_exchange(struct svm_emul *e);
enum svm_emul_result svm_exec_move(struct svm_emul *e);
enum svm_emul_result svm_exec_rights(struct svm_emul *e);
enum svm_emul_result svm_exec_shift(struct svm_emul *e);
enum svm_emul_result svm_exec_stack(struct svm_emul *e);

#endif
