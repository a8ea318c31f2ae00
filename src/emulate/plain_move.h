/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_PLAIN_MOVE_H
#define SVM_EMULATE_PLAIN_MOVE_H
/*
 * What a driver does to its device: one MOV or MOVZX between a register, or an immediate, and
 * memory, in 64-bit mode, or in 32-bit code with 32-bit addresses.  One access and no flag, so an
 * owner that knows where the operand lies can do it without svm_emulate().
 *
 * The form is what can be said of such an instruction once and for all.
 */
#include "emulate/insn.h"

enum svm_plain_kind {
	SVM_PLAIN_NONE, /* Any other instruction. */
	SVM_PLAIN_LOAD,
	SVM_PLAIN_STORE,
	SVM_PLAIN_STORE_IMMEDIATE,
};

/* Of base and index, beside the 16 registers. */
#define SVM_PLAIN_NO_REGISTER 16u
#define SVM_PLAIN_RIP         17u

struct svm_plain_form {
	uint8_t kind; /* enum svm_plain_kind */
	uint8_t size; /* Bytes in memory: 1, 2, 4, 8. */
	uint8_t excess; /* Bits of 64 that are not there. */
	uint8_t reg;
	uint8_t reg_size;
	uint8_t base;
	uint8_t index;
	uint8_t shift; /* Of the index. */
	uint8_t segment; /* Whose rules hold outside 64-bit mode: ES, CS, SS, DS by number. */
	bool is_wide;    /* 64-bit mode: addresses do not wrap at 32 bits. */
};

/* SVM_PLAIN_NONE for what is no plain move, or needs the base of FS or GS, or AH to BH. */
void svm_plain_form(enum svm_insn_mode mode, const struct svm_insn *insn,
                    struct svm_plain_form *form);

/* What is known of an address without registers.  disp: of the instruction; next_rip: behind it. */
static inline uint64_t svm_plain_offset(const struct svm_plain_form *form, int64_t disp,
                                        uint64_t next_rip)
{
	return (uint64_t)disp + (form->base == SVM_PLAIN_RIP ? next_rip : 0);
}

/* Address of the operand in its segment.  offset: of svm_plain_offset(). */
static inline uint64_t svm_plain_address(const struct svm_plain_form *form, uint64_t offset,
                                         const uint64_t *gpr)
{
	uint64_t address = offset;

	if (form->base < SVM_PLAIN_NO_REGISTER)
		address += gpr[form->base];
	if (form->index != SVM_PLAIN_NO_REGISTER)
		address += gpr[form->index & 15] << form->shift;
	return form->is_wide ? address : (uint32_t)address;
}

/* As many bytes of a value as are in memory. */
static inline uint64_t svm_plain_cut(const struct svm_plain_form *form, uint64_t value)
{
	return value << form->excess >> form->excess;
}

/* What a store writes.  imm: of the instruction. */
static inline uint64_t svm_plain_source(const struct svm_plain_form *form, uint64_t imm,
                                        const uint64_t *gpr)
{
	return svm_plain_cut(form, form->kind == SVM_PLAIN_STORE ? gpr[form->reg & 15] : imm);
}

/* The value that was loaded, bytes behind form->size are anything, into its register. */
static inline void svm_plain_finish_load(const struct svm_plain_form *form, uint64_t value,
                                         uint64_t *gpr)
{
	uint64_t *const reg = &gpr[form->reg & 15];

	value = svm_plain_cut(form, value);
	if (form->reg_size <= 2)
		value |= *reg & (UINT64_MAX << (8 * form->reg_size));
	*reg = value;
}

#endif
