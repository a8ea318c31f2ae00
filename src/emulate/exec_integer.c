/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which file has an integer instruction.  APM vol. 3, appendix A.
 */
#include "emulate/operand.h"

static enum svm_emul_result integer_primary(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x50 ... 0x5f:
	case 0x68:
	case 0x6a:
	case 0x8f:
		return svm_exec_stack(e);
	case 0x63:
	case 0x88 ... 0x8b:
	case 0xa0 ... 0xa3:
	case 0xc6 ... 0xc7:
		return svm_exec_move(e);
	case 0x86 ... 0x87:
		return svm_exec_exchange(e);
	case 0xc0 ... 0xc1:
	case 0xd0 ... 0xd3:
		return svm_exec_shift(e);
	case 0xff:
		return svm_insn_reg(&e->insn) == 6 ? svm_exec_stack(e) : svm_exec_arith(e);
	default:
		return svm_exec_arith(e);
	}
}

static enum svm_emul_result integer_0f(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0xa4 ... 0xa5:
	case 0xac ... 0xad:
		return svm_exec_shift(e);
	case 0xb0 ... 0xb1:
	case 0xc0 ... 0xc1:
	case 0xc7:
		return svm_exec_exchange(e);
	default:
		return svm_exec_move(e);
	}
}

enum svm_emul_result svm_exec_integer(struct svm_emul *e)
{
	if (e->insn.encoding != SVM_INSN_LEGACY)
		return SVM_EMUL_UNKNOWN;
	switch (e->insn.map) {
	case SVM_INSN_MAP_PRIMARY:
		return integer_primary(e);
	case SVM_INSN_MAP_0F:
		return integer_0f(e);
	case SVM_INSN_MAP_0F38:
		/* With F2 these are CRC32. */
		if ((e->insn.opcode == 0xf0 || e->insn.opcode == 0xf1) &&
		    svm_emul_rm_is_memory(e) && !(e->insn.prefixes & SVM_INSN_REPNE))
			return svm_exec_move(e);
		return SVM_EMUL_UNKNOWN;
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
