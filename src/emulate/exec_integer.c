/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which file has an integer instruction.  APM vol. 3, appendix A.
 */
#include "emulate/operand.h"

static enum svm_emul_result integer_primary(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x27:
	case 0x2f:
	case 0x37:
	case 0x3f:
	case 0xd4 ... 0xd5:
		return svm_exec_decimal(e);
	case 0x50 ... 0x61:
	case 0x68:
	case 0x6a:
	case 0x8f:
	case 0xc8 ... 0xc9:
		return svm_exec_stack(e);
	case 0x63:
	case 0x88 ... 0x8b:
	case 0x8d:
	case 0x98 ... 0x99:
	case 0xa0 ... 0xa3:
	case 0xb0 ... 0xbf:
	case 0xc6 ... 0xc7:
	case 0xd7:
		return svm_exec_move(e);
	case 0x86 ... 0x87:
	case 0x90 ... 0x97:
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

static enum svm_emul_result integer_0f38(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0xf0 ... 0xf1:
		/* With F2 these are CRC32. */
		return svm_emul_rm_is_memory(e) && !(e->insn.prefixes & SVM_INSN_REPNE)
		               ? svm_exec_move(e)
		               : SVM_EMUL_UNKNOWN;
	case 0xf9:
		return svm_exec_move(e);
	default:
		return SVM_EMUL_UNKNOWN;
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
		return integer_0f38(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
