/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers and effective addresses from the raw fields.  APM vol. 3, 1.4 to 1.7.
 *
 * The decoder's own memory operand is not used: it is wrong for one encoding (see insn.h).
 */
#include "emulate/operand.h"

unsigned svm_emul_width(const struct svm_emul *e)
{
	return e->insn.operand_width / 8u;
}

static bool is_high_byte(const struct svm_emul *e, unsigned n, unsigned size)
{
	return size == 1 && n >= 4 && n < 8 && !(e->insn.prefixes & SVM_INSN_REX) &&
	       e->insn.encoding == SVM_INSN_LEGACY;
}

uint64_t svm_emul_get_reg(const struct svm_emul *e, unsigned n, unsigned size)
{
	if (is_high_byte(e, n, size))
		return (e->gpr[n - 4] >> 8) & 0xff;
	return e->gpr[n & 15] & svm_emul_mask(size);
}

void svm_emul_set_reg(struct svm_emul *e, unsigned n, unsigned size, uint64_t value)
{
	uint64_t *reg = &e->gpr[n & 15];

	if (is_high_byte(e, n, size)) {
		reg = &e->gpr[n - 4];
		*reg = (*reg & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
	} else if (size <= 2) {
		*reg = (*reg & ~svm_emul_mask(size)) | (value & svm_emul_mask(size));
	} else {
		*reg = value & svm_emul_mask(size);
	}
}

unsigned svm_emul_reg(const struct svm_emul *e)
{
	return svm_insn_reg(&e->insn) | (e->insn.rex & SVM_INSN_REX_R ? 8u : 0u);
}

/* VEX outside 64-bit mode has the bit too, and there it is ignored. */
static unsigned extension_b(const struct svm_emul *e)
{
	return svm_emul_is_long(e) && (e->insn.rex & SVM_INSN_REX_B) ? 8u : 0u;
}

unsigned svm_emul_rm(const struct svm_emul *e)
{
	return svm_insn_rm(&e->insn) | extension_b(e);
}

bool svm_emul_rm_is_memory(const struct svm_emul *e)
{
	return e->insn.has_modrm && svm_insn_mod(&e->insn) != 3;
}

uint64_t svm_emul_address_mask(const struct svm_emul *e)
{
	return svm_emul_mask(e->insn.address_width / 8u);
}

unsigned svm_emul_data_segment(const struct svm_emul *e, unsigned otherwise)
{
	return e->insn.segment == SVM_INSN_SEG_DEFAULT ? otherwise : e->insn.segment;
}

/* 16-bit forms: BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP or disp16, BX. */
static uint64_t address_16(const struct svm_emul *e, unsigned *segment)
{
	static const struct {
		int8_t base, index;
		uint8_t segment;
	} forms[8] = {
		{ SVM_EMUL_RBX, SVM_EMUL_RSI, SVM_EMUL_DS },
		{ SVM_EMUL_RBX, SVM_EMUL_RDI, SVM_EMUL_DS },
		{ SVM_EMUL_RBP, SVM_EMUL_RSI, SVM_EMUL_SS },
		{ SVM_EMUL_RBP, SVM_EMUL_RDI, SVM_EMUL_SS },
		{ SVM_EMUL_RSI, -1, SVM_EMUL_DS },
		{ SVM_EMUL_RDI, -1, SVM_EMUL_DS },
		{ SVM_EMUL_RBP, -1, SVM_EMUL_SS },
		{ SVM_EMUL_RBX, -1, SVM_EMUL_DS },
	};
	const unsigned rm = svm_insn_rm(&e->insn);
	uint64_t address = (uint64_t)e->insn.disp;

	if (rm == 6 && svm_insn_mod(&e->insn) == 0) {
		*segment = SVM_EMUL_DS;
		return address & 0xffff;
	}
	*segment = forms[rm].segment;
	address += e->gpr[forms[rm].base];
	if (forms[rm].index >= 0)
		address += e->gpr[forms[rm].index];
	return address & 0xffff;
}

static uint64_t address_sib(const struct svm_emul *e, unsigned *segment)
{
	const unsigned base = (e->insn.sib & 7u) | extension_b(e);
	const unsigned index = (e->insn.sib >> 3 & 7u) | (e->insn.rex & SVM_INSN_REX_X ? 8u : 0u);
	uint64_t address = (uint64_t)e->insn.disp;

	/* Base 5 with mod 0 means no base, whatever REX.B says. */
	if ((base & 7u) != 5 || svm_insn_mod(&e->insn) != 0) {
		address += e->gpr[base];
		if (base == SVM_EMUL_RSP || base == SVM_EMUL_RBP)
			*segment = SVM_EMUL_SS;
	}
	if (index != SVM_EMUL_RSP)
		address += e->gpr[index] << (e->insn.sib >> 6);
	return address;
}

static uint64_t address_32_64(const struct svm_emul *e, unsigned *segment)
{
	const unsigned rm = svm_emul_rm(e);

	*segment = SVM_EMUL_DS;
	if (e->insn.has_sib)
		return address_sib(e, segment);
	if (svm_insn_rm(&e->insn) == 5 && svm_insn_mod(&e->insn) == 0) {
		const uint64_t base = e->mode == SVM_INSN_MODE_64 ? e->rip + e->insn.length : 0;

		return base + (uint64_t)e->insn.disp;
	}
	if (rm == SVM_EMUL_RBP)
		*segment = SVM_EMUL_SS;
	return e->gpr[rm] + (uint64_t)e->insn.disp;
}

uint64_t svm_emul_effective_address(const struct svm_emul *e, unsigned *segment)
{
	const uint64_t address = e->insn.address_width == 16 ? address_16(e, segment)
	                                                     : address_32_64(e, segment);

	*segment = svm_emul_data_segment(e, *segment);
	return address & svm_emul_address_mask(e);
}

/* --- the r/m operand -------------------------------------------------------------------------- */

enum svm_emul_result svm_operand_prepare(struct svm_emul *e, unsigned size, uint32_t access,
                                         struct svm_operand *op)
{
	unsigned segment;
	uint64_t offset;

	op->size = size;
	op->is_memory = svm_emul_rm_is_memory(e);
	op->reg = svm_emul_rm(e);
	if (!op->is_memory)
		return SVM_EMUL_OK;
	offset = svm_emul_effective_address(e, &segment);
	return svm_emul_prepare(e, segment, offset, size, access, &op->span);
}

enum svm_emul_result svm_operand_read(struct svm_emul *e, const struct svm_operand *op,
                                      uint64_t *value)
{
	if (op->is_memory)
		return svm_emul_load_u64(e, &op->span, value);
	*value = svm_emul_get_reg(e, op->reg, op->size);
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_operand_write(struct svm_emul *e, const struct svm_operand *op,
                                       uint64_t value)
{
	if (op->is_memory)
		return svm_emul_store_u64(e, &op->span, value);
	svm_emul_set_reg(e, op->reg, op->size, value);
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_operand_load(struct svm_emul *e, unsigned size, uint64_t *value)
{
	struct svm_operand op;
	const enum svm_emul_result result = svm_operand_prepare(e, size, SVM_EMUL_READ, &op);

	return result == SVM_EMUL_OK ? svm_operand_read(e, &op, value) : result;
}

enum svm_emul_result svm_emul_finish(struct svm_emul *e)
{
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}

unsigned svm_emul_pair_width(const struct svm_emul *e)
{
	return e->insn.opcode & 1 ? svm_emul_width(e) : 1;
}

unsigned svm_emul_opcode_reg(const struct svm_emul *e)
{
	return (e->insn.opcode & 7u) | extension_b(e);
}

/* --- words of system state -------------------------------------------------------------------- */

#define CR4_UMIP_BIT UINT64_C(0x800)

bool svm_emul_umip_forbids(const struct svm_emul *e)
{
	return e->cpl != 0 && (e->cr4 & CR4_UMIP_BIT);
}

enum svm_emul_result svm_emul_load_word(struct svm_emul *e, uint64_t *word)
{
	return svm_operand_load(e, 2, word);
}

/* The decoder's width is not asked: of some of these it says 16 where a register gets more. */
unsigned svm_emul_prefix_width(const struct svm_emul *e)
{
	const bool is_wide = e->mode == SVM_INSN_MODE_32 || e->mode == SVM_INSN_MODE_64;

	if (e->insn.rex & SVM_INSN_REX_W)
		return 8;
	return is_wide == !(e->insn.prefixes & SVM_INSN_OPSIZE) ? 4 : 2;
}

enum svm_emul_result svm_emul_store_word(struct svm_emul *e, uint64_t value)
{
	struct svm_emul_span span;
	enum svm_emul_result result;
	unsigned segment;
	uint64_t offset;

	if (svm_emul_rm_is_memory(e)) {
		offset = svm_emul_effective_address(e, &segment);
		result = svm_emul_prepare(e, segment, offset, 2, SVM_EMUL_WRITE, &span);
		if (result == SVM_EMUL_OK)
			result = svm_emul_store_u64(e, &span, value);
		if (result != SVM_EMUL_OK)
			return result;
	} else {
		svm_emul_set_reg(e, svm_emul_rm(e), svm_emul_prefix_width(e), value);
	}
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}
