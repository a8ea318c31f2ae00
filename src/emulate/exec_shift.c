/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shifts and rotates.  APM vol. 3, 3.
 */
#include "emulate/operand.h"

static enum svm_emul_result shift_group(struct svm_emul *e)
{
	uint8_t count = 1;

	if (e->insn.opcode < 0xd0)
		count = (uint8_t)e->insn.imm[0];
	else if (e->insn.opcode & 2)
		count = (uint8_t)e->gpr[SVM_EMUL_RCX];
	return svm_rmw_plain(e, RMW_SHIFT, svm_insn_reg(&e->insn), svm_emul_pair_width(e), 0,
	                     count);
}

static enum svm_emul_result double_shift(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);
	const bool left = e->insn.opcode < 0xa8, by_cl = e->insn.opcode & 1;
	const uint8_t count = (uint8_t)(by_cl ? e->gpr[SVM_EMUL_RCX] : e->insn.imm[0]);

	return svm_rmw_plain(e, left ? RMW_SHLD : RMW_SHRD, 0, size,
	                     svm_emul_get_reg(e, svm_emul_reg(e), size), count);
}

enum svm_emul_result svm_exec_shift(struct svm_emul *e)
{
	return e->insn.map == SVM_INSN_MAP_PRIMARY ? shift_group(e) : double_shift(e);
}
