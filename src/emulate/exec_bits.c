/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Bit tests, bit scans, multiplication and division with an operand in memory, and the cache
 * hints that touch none.  APM vol. 3.
 */
#include "emulate/operand.h"

/* --- BT, BTS, BTR, BTC ------------------------------------------------------------------------ */

enum bit_op {
	BIT_TEST,
	BIT_SET,
	BIT_RESET,
	BIT_COMPLEMENT,
};

static uint64_t change_bit(enum bit_op op, uint64_t value, uint64_t bit)
{
	switch (op) {
	case BIT_SET:
		return value | bit;
	case BIT_RESET:
		return value & ~bit;
	case BIT_COMPLEMENT:
		return value ^ bit;
	case BIT_TEST:
		break;
	}
	return value;
}

static void set_carry(struct svm_emul *e, bool carry)
{
	e->rflags = (e->rflags & ~FLAG_CF) | (carry ? FLAG_CF : 0);
}

static enum svm_emul_result bit_in_register(struct svm_emul *e, enum bit_op op, uint64_t index)
{
	const unsigned size = svm_emul_width(e), rm = svm_emul_rm(e);
	const uint64_t bit = UINT64_C(1) << (index & (8 * size - 1));
	const uint64_t old = svm_emul_get_reg(e, rm, size);

	if (op != BIT_TEST)
		svm_emul_set_reg(e, rm, size, change_bit(op, old, bit));
	set_carry(e, old & bit);
	return svm_emul_finish(e);
}

/*
 * A register as bit offset reaches beyond the operand, in both directions: it is signed, and moves
 * the address by whole operands.
 */
static uint64_t bit_address(const struct svm_emul *e, uint64_t address, uint64_t index)
{
	const unsigned size = svm_emul_width(e), shift = 64 - 8 * size;
	const int64_t offset = (int64_t)(index << shift) >> shift;
	const int64_t operands = offset >> (size == 8 ? 6 : size == 4 ? 5 : 4);

	return (address + (uint64_t)operands * size) & svm_emul_address_mask(e);
}

static enum svm_emul_result bit_in_memory(struct svm_emul *e, enum bit_op op, uint64_t index,
                                          bool by_register)
{
	const unsigned size = svm_emul_width(e);
	const uint64_t bit = UINT64_C(1) << (index & (8 * size - 1));
	const bool locked = e->insn.prefixes & SVM_INSN_LOCK;
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t offset, old, new;
	bool stored = true;
	unsigned segment;

	offset = svm_emul_effective_address(e, &segment);
	if (by_register)
		offset = bit_address(e, offset, index);
	result = svm_emul_prepare(e, segment, offset, size,
	                          op == BIT_TEST ? SVM_EMUL_READ : SVM_EMUL_READ | SVM_EMUL_WRITE,
	                          &span);
	for (unsigned i = 0; result == SVM_EMUL_OK && i < SVM_LOCK_TRIES; i++) {
		result = svm_emul_load_u64(e, &span, &old);
		if (result != SVM_EMUL_OK)
			return result;
		new = change_bit(op, old, bit);
		if (op != BIT_TEST)
			result = locked ? svm_emul_replace(e, &span, &old, &new, &stored)
			                : svm_emul_store_u64(e, &span, new);
		if (result == SVM_EMUL_OK && stored) {
			set_carry(e, old & bit);
			return svm_emul_finish(e);
		}
	}
	return result == SVM_EMUL_OK ? SVM_EMUL_RETRY : result;
}

static enum svm_emul_result bit_test(struct svm_emul *e, enum bit_op op, uint64_t index,
                                     bool by_register)
{
	if (!svm_emul_rm_is_memory(e))
		return bit_in_register(e, op, index);
	return bit_in_memory(e, op, index, by_register);
}

/* --- scans and counts ------------------------------------------------------------------------- */

static unsigned trailing_zeros(uint64_t value, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && !(value >> n & 1))
		n++;
	return n;
}

static unsigned leading_zeros(uint64_t value, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && !(value >> (bits - 1 - n) & 1))
		n++;
	return n;
}

static unsigned population(uint64_t value)
{
	unsigned n = 0;

	for (; value; value &= value - 1)
		n++;
	return n;
}

/* BSF, BSR: a source of 0 sets ZF and leaves the destination alone, as all processors do. */
static enum svm_emul_result scan(struct svm_emul *e, bool forward)
{
	const unsigned size = svm_emul_width(e), bits = 8 * size;
	uint64_t value = 0;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	e->rflags = (e->rflags & ~FLAG_ZF) | (value ? 0 : FLAG_ZF);
	if (value)
		svm_emul_set_reg(e, svm_emul_reg(e), size,
		                 forward ? trailing_zeros(value, bits)
		                         : bits - 1 - leading_zeros(value, bits));
	return svm_emul_finish(e);
}

/* TZCNT, LZCNT, POPCNT. */
static enum svm_emul_result count(struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e), bits = 8 * size;
	uint64_t value = 0, flags = e->rflags;
	unsigned n;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	if (e->insn.opcode == 0xb8) {
		n = population(value);
		flags = (flags & ~FLAGS_ARITHMETIC) | (value ? 0 : FLAG_ZF);
	} else {
		n = e->insn.opcode == 0xbc ? trailing_zeros(value, bits)
		                           : leading_zeros(value, bits);
		flags = (flags & ~(FLAG_CF | FLAG_ZF)) | (value ? 0 : FLAG_CF) |
		        (n ? 0 : FLAG_ZF);
	}
	svm_emul_set_reg(e, svm_emul_reg(e), size, n);
	e->rflags = flags;
	return svm_emul_finish(e);
}

/* --- multiplication and division -------------------------------------------------------------- */

static int64_t as_signed(uint64_t value, unsigned size)
{
	const unsigned shift = 64 - 8 * size;

	return (int64_t)(value << shift) >> shift;
}

/* CF and OF say that the upper half matters; the other flags are undefined and stay. */
static void set_overflow(struct svm_emul *e, bool overflow)
{
	e->rflags = (e->rflags & ~(FLAG_CF | FLAG_OF)) | (overflow ? FLAG_CF | FLAG_OF : 0);
}

/* The low and high halves of a product of two operands. */
static void multiply(uint64_t a, uint64_t b, unsigned size, bool is_signed, uint64_t *low,
                     uint64_t *high)
{
	unsigned __int128 product;

	if (is_signed)
		product = (unsigned __int128)((__int128)as_signed(a, size) * as_signed(b, size));
	else
		product = (unsigned __int128)a * b;
	*low = (uint64_t)product & svm_emul_mask(size);
	*high = (uint64_t)(product >> (8 * size)) & svm_emul_mask(size);
}

static bool product_overflows(uint64_t low, uint64_t high, unsigned size, bool is_signed)
{
	const uint64_t fill = is_signed && as_signed(low, size) < 0 ? svm_emul_mask(size) : 0;

	return high != fill;
}

static enum svm_emul_result multiply_accumulator(struct svm_emul *e, unsigned size, bool is_signed)
{
	uint64_t value = 0, low, high;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	multiply(svm_emul_get_reg(e, SVM_EMUL_RAX, size), value, size, is_signed, &low, &high);
	if (size == 1) {
		svm_emul_set_reg(e, SVM_EMUL_RAX, 2, high << 8 | low);
	} else {
		svm_emul_set_reg(e, SVM_EMUL_RAX, size, low);
		svm_emul_set_reg(e, SVM_EMUL_RDX, size, high);
	}
	set_overflow(e, product_overflows(low, high, size, is_signed));
	return svm_emul_finish(e);
}

static enum svm_emul_result multiply_register(struct svm_emul *e, bool immediate)
{
	const unsigned size = svm_emul_width(e), reg = svm_emul_reg(e);
	uint64_t value = 0, low, high;
	const enum svm_emul_result result = svm_operand_load(e, size, &value);

	if (result != SVM_EMUL_OK)
		return result;
	multiply(immediate ? e->insn.imm[0] & svm_emul_mask(size) : svm_emul_get_reg(e, reg, size),
	         value, size, true, &low, &high);
	svm_emul_set_reg(e, reg, size, low);
	set_overflow(e, product_overflows(low, high, size, true));
	return svm_emul_finish(e);
}

/*
 * Bit by bit: a 128-bit division would need a helper of the compiler's that no kernel has.
 * False: the quotient does not fit.
 */
static bool divide_unsigned(uint64_t high, uint64_t low, uint64_t divisor, unsigned size,
                            uint64_t *quotient, uint64_t *remainder)
{
	uint64_t rest = high, q = 0;

	if (divisor == 0 || high >= divisor)
		return false;
	for (unsigned i = 8 * size; i > 0; i--) {
		const bool carry = rest >> 63 & 1;

		rest = rest << 1 | (low >> (i - 1) & 1);
		q <<= 1;
		if (carry || rest >= divisor) {
			rest -= divisor;
			q |= 1;
		}
	}
	*quotient = q;
	*remainder = rest;
	return true;
}

/* Two's complement of a double-width value of which each half has `size` bytes. */
static void negate_pair(uint64_t *high, uint64_t *low, unsigned size)
{
	*low = -*low & svm_emul_mask(size);
	*high = (~*high + (*low == 0)) & svm_emul_mask(size);
}

static bool divide_signed(uint64_t high, uint64_t low, uint64_t divisor, unsigned size,
                          uint64_t *quotient, uint64_t *remainder)
{
	const bool negative = as_signed(high, size) < 0;
	const bool divisor_negative = as_signed(divisor, size) < 0;
	const uint64_t limit = UINT64_C(1) << (8 * size - 1);

	if (negative)
		negate_pair(&high, &low, size);
	if (divisor_negative)
		divisor = -divisor & svm_emul_mask(size);
	if (!divide_unsigned(high, low, divisor, size, quotient, remainder))
		return false;
	if (negative != divisor_negative ? *quotient > limit : *quotient >= limit)
		return false;
	if (negative != divisor_negative)
		*quotient = -*quotient;
	if (negative)
		*remainder = -*remainder;
	return true;
}

static enum svm_emul_result divide(struct svm_emul *e, unsigned size, bool is_signed)
{
	uint64_t divisor = 0, high, low, quotient, remainder;
	const enum svm_emul_result result = svm_operand_load(e, size, &divisor);
	bool fits;

	if (result != SVM_EMUL_OK)
		return result;
	low = svm_emul_get_reg(e, SVM_EMUL_RAX, size);
	high = size == 1 ? e->gpr[SVM_EMUL_RAX] >> 8 & 0xff
	                 : svm_emul_get_reg(e, SVM_EMUL_RDX, size);
	fits = is_signed ? divide_signed(high, low, divisor, size, &quotient, &remainder)
	                 : divide_unsigned(high, low, divisor, size, &quotient, &remainder);
	if (!fits)
		return svm_emul_raise(e, VECTOR_DE);
	if (size == 1) {
		svm_emul_set_reg(e, SVM_EMUL_RAX, 2,
		                 (remainder & 0xff) << 8 | (quotient & 0xff));
	} else {
		svm_emul_set_reg(e, SVM_EMUL_RAX, size, quotient);
		svm_emul_set_reg(e, SVM_EMUL_RDX, size, remainder);
	}
	return svm_emul_finish(e);
}

static enum svm_emul_result multiply_group(struct svm_emul *e)
{
	const unsigned size = e->insn.opcode & 1 ? svm_emul_width(e) : 1;

	switch (svm_insn_reg(&e->insn)) {
	case 4:
		return multiply_accumulator(e, size, false);
	case 5:
		return multiply_accumulator(e, size, true);
	case 6:
		return divide(e, size, false);
	case 7:
		return divide(e, size, true);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* --- opcode maps ------------------------------------------------------------------------------ */

static enum svm_emul_result bits_primary(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x69:
	case 0x6b:
		return multiply_register(e, true);
	case 0xf6:
	case 0xf7:
		return multiply_group(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* CLFLUSH, CLFLUSHOPT, CLWB and fences share 0F AE; the first three touch no byte. */
static enum svm_emul_result cache_group(struct svm_emul *e)
{
	const unsigned sub = svm_insn_reg(&e->insn);

	if (svm_emul_rm_is_memory(e) &&
	    (sub == 7 || (sub == 6 && (e->insn.prefixes & SVM_INSN_OPSIZE))) &&
	    !svm_string_repeats(e))
		return svm_emul_finish(e);
	return SVM_EMUL_UNKNOWN;
}

static enum svm_emul_result bits_extended(struct svm_emul *e)
{
	const uint64_t source = e->gpr[svm_emul_reg(e)];
	const bool counts = e->insn.prefixes & SVM_INSN_REP;

	switch (e->insn.opcode) {
	case 0xa3:
		return bit_test(e, BIT_TEST, source, true);
	case 0xab:
		return bit_test(e, BIT_SET, source, true);
	case 0xb3:
		return bit_test(e, BIT_RESET, source, true);
	case 0xbb:
		return bit_test(e, BIT_COMPLEMENT, source, true);
	case 0xba:
		if (svm_insn_reg(&e->insn) < 4)
			return SVM_EMUL_UNKNOWN;
		return bit_test(e, (enum bit_op)(svm_insn_reg(&e->insn) - 4), e->insn.imm[0],
		                false);
	case 0xae:
		return cache_group(e);
	case 0xaf:
		return multiply_register(e, false);
	case 0xb8:
		return counts ? count(e) : SVM_EMUL_UNKNOWN;
	case 0xbc:
	case 0xbd:
		return counts ? count(e) : scan(e, e->insn.opcode == 0xbc);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

enum svm_emul_result svm_exec_bits(struct svm_emul *e)
{
	if (e->insn.encoding != SVM_INSN_LEGACY)
		return svm_exec_bmi(e);
	switch (e->insn.map) {
	case SVM_INSN_MAP_PRIMARY:
		return bits_primary(e);
	case SVM_INSN_MAP_0F:
		return bits_extended(e);
	default:
		return svm_exec_bmi(e);
	}
}
