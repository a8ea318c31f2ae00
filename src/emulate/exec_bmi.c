/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ADX, BMI1 and BMI2: ADCX, ADOX, and the bit instructions with VEX.  APM vol. 3, 3.
 *
 * Though encoded as vector instructions these need neither XCR0 nor CR0.TS.  VEX.L must be 0, and
 * W says 32 or 64 bits, outside 64-bit mode always 32.  AF and PF, which the manual leaves
 * undefined, are as after AND: so AMD processors have them, but for BEXTR.
 */
#include "emulate/operand.h"

static unsigned bmi_size(const struct svm_emul *e)
{
	return svm_emul_is_long(e) && (e->insn.rex & SVM_INSN_REX_W) ? 8 : 4;
}

/* Outside 64-bit mode there are eight registers, and the highest bit of vvvv is ignored. */
static unsigned bmi_vvvv(const struct svm_emul *e)
{
	return e->insn.vvvv & (svm_emul_is_long(e) ? 15u : 7u);
}

static enum svm_emul_result bmi_result(struct svm_emul *e, unsigned reg, uint64_t value)
{
	svm_emul_set_reg(e, reg, bmi_size(e), value);
	return svm_emul_finish(e);
}

static void bmi_flags(struct svm_emul *e, uint64_t value, bool carry)
{
	svm_alu(ALU_AND, value, value, bmi_size(e), &e->rflags);
	e->rflags |= carry ? FLAG_CF : 0;
}

/* --- BMI1 ------------------------------------------------------------------------------------- */

static enum svm_emul_result and_not(struct svm_emul *e, uint64_t source)
{
	const uint64_t value = ~svm_emul_get_reg(e, bmi_vvvv(e), bmi_size(e)) & source;

	bmi_flags(e, value, false);
	return bmi_result(e, svm_emul_reg(e), value);
}

/* BLSR, BLSMSK, BLSI; the destination is vvvv. */
static enum svm_emul_result lowest_bit(struct svm_emul *e, uint64_t source)
{
	const uint64_t mask = svm_emul_mask(bmi_size(e));
	uint64_t value;

	switch (svm_insn_reg(&e->insn)) {
	case 1: /* reset */
		value = source & (source - 1);
		bmi_flags(e, value, source == 0);
		break;
	case 2: /* a mask up to it */
		value = (source ^ (source - 1)) & mask;
		bmi_flags(e, value, source == 0);
		break;
	case 3: /* isolated */
		value = source & -source & mask;
		bmi_flags(e, value, source != 0);
		break;
	default:
		return SVM_EMUL_UNKNOWN;
	}
	return bmi_result(e, bmi_vvvv(e), value);
}

/* BEXTR: vvvv has the first bit in its lowest byte and the count in the next. */
static enum svm_emul_result extract_bits(struct svm_emul *e, uint64_t source)
{
	const uint64_t control = svm_emul_get_reg(e, bmi_vvvv(e), bmi_size(e));
	const unsigned start = control & 0xff, count = control >> 8 & 0xff;
	uint64_t value = start < 64 ? source >> start : 0;

	if (count < 64)
		value &= (UINT64_C(1) << count) - 1;
	bmi_flags(e, value, false);
	return bmi_result(e, svm_emul_reg(e), value);
}

/* --- BMI2 ------------------------------------------------------------------------------------- */

/* BZHI: CF says that the index is none of the operand's. */
static enum svm_emul_result zero_high_bits(struct svm_emul *e, uint64_t source)
{
	const unsigned from = svm_emul_get_reg(e, bmi_vvvv(e), bmi_size(e)) & 0xff;
	const bool beyond = from >= 8 * bmi_size(e);
	const uint64_t value = beyond ? source : source & ((UINT64_C(1) << from) - 1);

	bmi_flags(e, value, beyond);
	return bmi_result(e, svm_emul_reg(e), value);
}

/* SHLX, SARX, SHRX, RORX: no flags. */
static enum svm_emul_result shift_flagless(struct svm_emul *e, enum svm_shift_op op,
                                           uint64_t source, uint64_t count)
{
	uint64_t flags = e->rflags;

	return bmi_result(e, svm_emul_reg(e),
	                  svm_alu_shift(op, source, (uint8_t)count, bmi_size(e), &flags));
}

/* The lowest bits of vvvv go where the mask has ones. */
static enum svm_emul_result deposit_bits(struct svm_emul *e, uint64_t mask)
{
	uint64_t from = svm_emul_get_reg(e, bmi_vvvv(e), bmi_size(e)), value = 0;

	for (; mask; mask &= mask - 1) {
		if (from & 1)
			value |= mask & -mask;
		from >>= 1;
	}
	return bmi_result(e, svm_emul_reg(e), value);
}

static enum svm_emul_result gather_bits(struct svm_emul *e, uint64_t mask)
{
	const uint64_t from = svm_emul_get_reg(e, bmi_vvvv(e), bmi_size(e));
	uint64_t value = 0, bit = 1;

	for (; mask; mask &= mask - 1) {
		if (from & mask & -mask)
			value |= bit;
		bit <<= 1;
	}
	return bmi_result(e, svm_emul_reg(e), value);
}

/* MULX: rDX times r/m; where both halves go to one register, the upper one stays. */
static enum svm_emul_result multiply_flagless(struct svm_emul *e, uint64_t source)
{
	const unsigned size = bmi_size(e);
	const unsigned __int128 product =
		(unsigned __int128)svm_emul_get_reg(e, SVM_EMUL_RDX, size) * source;

	svm_emul_set_reg(e, bmi_vvvv(e), size, (uint64_t)product);
	return bmi_result(e, svm_emul_reg(e), (uint64_t)(product >> (8 * size)));
}

/* --- ADX -------------------------------------------------------------------------------------- */

/* ADCX and ADOX add with one flag as the carry and leave the others alone. */
static enum svm_emul_result add_with(struct svm_emul *e, uint64_t flag)
{
	const unsigned size = bmi_size(e), reg = svm_emul_reg(e);
	uint64_t source = 0, flags = e->rflags & flag ? FLAG_CF : 0, value;
	const enum svm_emul_result result = svm_operand_load(e, size, &source);

	if (result != SVM_EMUL_OK)
		return result;
	value = svm_alu(ALU_ADC, svm_emul_get_reg(e, reg, size), source, size, &flags);
	e->rflags = (e->rflags & ~flag) | (flags & FLAG_CF ? flag : 0);
	return bmi_result(e, reg, value);
}

/* --- dispatch --------------------------------------------------------------------------------- */

/* F5 and F7 of map 0F38: what the mandatory prefix makes of them. */
static enum svm_emul_result by_prefix_f5(struct svm_emul *e, uint64_t source)
{
	if (e->insn.prefixes & SVM_INSN_REP)
		return gather_bits(e, source);
	if (e->insn.prefixes & SVM_INSN_REPNE)
		return deposit_bits(e, source);
	return zero_high_bits(e, source);
}

static enum svm_emul_result by_prefix_f7(struct svm_emul *e, uint64_t source)
{
	const uint64_t count = svm_emul_get_reg(e, bmi_vvvv(e), 4);

	if (e->insn.prefixes & SVM_INSN_OPSIZE)
		return shift_flagless(e, SHIFT_SHL, source, count);
	if (e->insn.prefixes & SVM_INSN_REP)
		return shift_flagless(e, SHIFT_SAR, source, count);
	if (e->insn.prefixes & SVM_INSN_REPNE)
		return shift_flagless(e, SHIFT_SHR, source, count);
	return extract_bits(e, source);
}

static enum svm_emul_result bmi_with_source(struct svm_emul *e, uint64_t source)
{
	if (e->insn.map == SVM_INSN_MAP_0F3A)
		return shift_flagless(e, SHIFT_ROR, source, e->insn.imm[0]);
	switch (e->insn.opcode) {
	case 0xf2:
		return and_not(e, source);
	case 0xf3:
		return lowest_bit(e, source);
	case 0xf5:
		return by_prefix_f5(e, source);
	case 0xf6:
		return multiply_flagless(e, source);
	default:
		return by_prefix_f7(e, source);
	}
}

static bool is_bmi(const struct svm_emul *e)
{
	const uint8_t opcode = e->insn.opcode;

	if (e->insn.map == SVM_INSN_MAP_0F3A)
		return opcode == 0xf0;
	return e->insn.map == SVM_INSN_MAP_0F38 &&
	       (opcode == 0xf2 || opcode == 0xf3 || (opcode >= 0xf5 && opcode <= 0xf7));
}

static enum svm_emul_result execute_bmi(struct svm_emul *e)
{
	uint64_t source = 0;
	enum svm_emul_result result;

	if (e->insn.vex_l || (e->insn.map == SVM_INSN_MAP_0F3A && e->insn.vvvv))
		return svm_emul_raise(e, VECTOR_UD);
	result = svm_operand_load(e, bmi_size(e), &source);
	return result == SVM_EMUL_OK ? bmi_with_source(e, source) : result;
}

enum svm_emul_result svm_exec_bmi(struct svm_emul *e)
{
	if (e->insn.encoding == SVM_INSN_VEX)
		return is_bmi(e) ? execute_bmi(e) : SVM_EMUL_UNKNOWN;
	if (e->insn.encoding != SVM_INSN_LEGACY || e->insn.map != SVM_INSN_MAP_0F38 ||
	    e->insn.opcode != 0xf6)
		return SVM_EMUL_UNKNOWN;
	if (e->insn.prefixes & SVM_INSN_REP)
		return add_with(e, FLAG_OF);
	return e->insn.prefixes & SVM_INSN_OPSIZE ? add_with(e, FLAG_CF) : SVM_EMUL_UNKNOWN;
}
