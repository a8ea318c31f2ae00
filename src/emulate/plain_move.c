/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MOV and MOVZX with an operand in memory, in 64-bit and in 32-bit code.  APM vol. 3, 3; effective
 * addresses 1.4 to 1.7.
 *
 * The rules of the operand stand in operand.c too, for all modes and at the price of looking at
 * each bit each time.  A test holds both against each other.
 */
#include "emulate/plain_move.h"

#include "emulate/internal.h"

static void set_primary(struct svm_plain_form *form, const struct svm_insn *insn)
{
	form->size = insn->opcode & 1 ? insn->operand_width / 8 : 1;
	form->reg_size = form->size;
	switch (insn->opcode) {
	case 0x88:
	case 0x89:
		form->kind = SVM_PLAIN_STORE;
		break;
	case 0x8a:
	case 0x8b:
		form->kind = SVM_PLAIN_LOAD;
		break;
	case 0xc6:
	case 0xc7:
		if (svm_insn_reg(insn) == 0)
			form->kind = SVM_PLAIN_STORE_IMMEDIATE;
		break;
	default:
		break;
	}
}

/* MOVZX */
static void set_extending(struct svm_plain_form *form, const struct svm_insn *insn)
{
	if (insn->opcode != 0xb6 && insn->opcode != 0xb7)
		return;
	form->kind = SVM_PLAIN_LOAD;
	form->size = insn->opcode & 1 ? 2 : 1;
	form->reg_size = insn->operand_width / 8;
}

/* MOV between the accumulator and an address in the code. */
static void set_offset(struct svm_plain_form *form, const struct svm_insn *insn)
{
	form->kind = insn->opcode & 2 ? SVM_PLAIN_STORE : SVM_PLAIN_LOAD;
	form->size = insn->opcode & 1 ? insn->operand_width / 8 : 1;
	form->reg_size = form->size;
	form->reg = SVM_EMUL_RAX;
	form->base = SVM_PLAIN_NO_REGISTER;
	form->index = SVM_PLAIN_NO_REGISTER;
}

static void set_sib(struct svm_plain_form *form, const struct svm_insn *insn)
{
	const unsigned base = insn->sib & 7u, index = insn->sib >> 3 & 7u;

	form->base = (uint8_t)(base | (insn->rex & SVM_INSN_REX_B ? 8u : 0));
	if (base == 5 && svm_insn_mod(insn) == 0)
		form->base = SVM_PLAIN_NO_REGISTER;
	form->index = (uint8_t)(index | (insn->rex & SVM_INSN_REX_X ? 8u : 0));
	if (form->index == SVM_EMUL_RSP)
		form->index = SVM_PLAIN_NO_REGISTER;
	form->shift = insn->sib >> 6;
}

static void set_address(struct svm_plain_form *form, const struct svm_insn *insn)
{
	form->base = (uint8_t)(svm_insn_rm(insn) | (insn->rex & SVM_INSN_REX_B ? 8u : 0));
	form->index = SVM_PLAIN_NO_REGISTER;
	if (insn->has_sib)
		set_sib(form, insn);
	else if (svm_insn_rm(insn) == 5 && svm_insn_mod(insn) == 0)
		form->base = insn->address_width == 64 ? SVM_PLAIN_RIP : SVM_PLAIN_NO_REGISTER;
}

/* In 64-bit mode it does not matter.  With another base than these two the data segment's. */
static void set_segment(struct svm_plain_form *form, const struct svm_insn *insn)
{
	form->segment = insn->segment;
	if (insn->segment == SVM_INSN_SEG_DEFAULT)
		form->segment = form->base == SVM_EMUL_RSP || form->base == SVM_EMUL_RBP
		                        ? SVM_EMUL_SS
		                        : SVM_EMUL_DS;
}

static bool has_plain_address(enum svm_insn_mode mode, const struct svm_insn *insn)
{
	return insn->encoding == SVM_INSN_LEGACY &&
	       ((mode == SVM_INSN_MODE_64 && insn->address_width == 64) ||
	        (mode == SVM_INSN_MODE_32 && insn->address_width == 32)) &&
	       insn->segment != SVM_INSN_SEG_FS && insn->segment != SVM_INSN_SEG_GS;
}

static bool is_offset(const struct svm_insn *insn)
{
	return insn->map == SVM_INSN_MAP_PRIMARY && insn->opcode >= 0xa0 && insn->opcode <= 0xa3;
}

void svm_plain_form(enum svm_insn_mode mode, const struct svm_insn *insn,
                    struct svm_plain_form *form)
{
	form->kind = SVM_PLAIN_NONE;
	if (!has_plain_address(mode, insn))
		return;
	form->is_wide = mode == SVM_INSN_MODE_64;
	if (is_offset(insn)) {
		set_offset(form, insn);
		set_segment(form, insn);
		form->excess = (uint8_t)(64 - 8 * form->size);
		return;
	}
	if (!insn->has_modrm || svm_insn_mod(insn) == 3)
		return;
	if (insn->map == SVM_INSN_MAP_PRIMARY)
		set_primary(form, insn);
	else if (insn->map == SVM_INSN_MAP_0F)
		set_extending(form, insn);
	if (form->kind == SVM_PLAIN_NONE)
		return;
	form->reg = (uint8_t)(svm_insn_reg(insn) | (insn->rex & SVM_INSN_REX_R ? 8u : 0));
	if (form->reg_size == 1 && form->reg >= 4 && !(insn->prefixes & SVM_INSN_REX) &&
	    form->kind != SVM_PLAIN_STORE_IMMEDIATE)
		form->kind = SVM_PLAIN_NONE; /* AH, CH, DH, BH */
	set_address(form, insn);
	set_segment(form, insn);
	form->excess = (uint8_t)(64 - 8 * form->size);
}
