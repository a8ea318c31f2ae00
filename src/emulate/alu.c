/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Integer results and flags.  APM vol. 3 (each instruction), vol. 1, 3.1.4.
 *
 * In C and without branches on the operands, so that sanitizers and provers see it.  Flags that
 * the manual leaves undefined are as current AMD processors leave them where that is known, and
 * are masked in the comparisons with a real processor: AF after logic and shifts, OF after shifts
 * and rotates by more than one.
 */
#include "emulate/internal.h"

static uint64_t sign_bit(unsigned size)
{
	return UINT64_C(1) << (8 * size - 1);
}

/* PF covers the low byte only. */
static uint64_t parity(uint64_t value)
{
	value ^= value >> 4;
	value ^= value >> 2;
	value ^= value >> 1;
	return value & 1 ? 0 : FLAG_PF;
}

static uint64_t sign_zero_parity(uint64_t value, unsigned size)
{
	return (value & sign_bit(size) ? FLAG_SF : 0) | (value ? 0 : FLAG_ZF) | parity(value);
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint64_t *flags)
{
	const uint64_t mask = svm_emul_mask(size);
	const uint64_t sum = (a + b + carry) & mask;
	/* Carry out of each bit: the majority of both operands and the inverted sum. */
	const uint64_t carries = (a & b) | ((a | b) & ~sum);

	*flags = (*flags & ~FLAGS_ARITHMETIC) | sign_zero_parity(sum, size) |
	         (carries & sign_bit(size) ? FLAG_CF : 0) | (carries & 8 ? FLAG_AF : 0) |
	         ((a ^ sum) & (b ^ sum) & sign_bit(size) ? FLAG_OF : 0);
	return sum;
}

static uint64_t subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint64_t *flags)
{
	const uint64_t mask = svm_emul_mask(size);
	const uint64_t difference = (a - b - borrow) & mask;
	const uint64_t borrows = (~a & b) | ((~a | b) & difference);

	*flags = (*flags & ~FLAGS_ARITHMETIC) | sign_zero_parity(difference, size) |
	         (borrows & sign_bit(size) ? FLAG_CF : 0) | (borrows & 8 ? FLAG_AF : 0) |
	         ((a ^ b) & (a ^ difference) & sign_bit(size) ? FLAG_OF : 0);
	return difference;
}

static uint64_t logic(uint64_t value, unsigned size, uint64_t *flags)
{
	*flags = (*flags & ~FLAGS_ARITHMETIC) | sign_zero_parity(value, size);
	return value;
}

uint64_t svm_alu(enum svm_alu_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags)
{
	const uint64_t carry = *flags & FLAG_CF ? 1 : 0;

	a &= svm_emul_mask(size);
	b &= svm_emul_mask(size);
	switch (op) {
	case ALU_ADD:
		return add(a, b, 0, size, flags);
	case ALU_OR:
		return logic(a | b, size, flags);
	case ALU_ADC:
		return add(a, b, carry, size, flags);
	case ALU_SBB:
		return subtract(a, b, carry, size, flags);
	case ALU_AND:
		return logic(a & b, size, flags);
	case ALU_XOR:
		return logic(a ^ b, size, flags);
	case ALU_SUB:
	case ALU_CMP:
		break;
	}
	return subtract(a, b, 0, size, flags);
}

/* INC and DEC leave CF alone. */
uint64_t svm_alu_inc(uint64_t a, unsigned size, uint64_t *flags)
{
	const uint64_t carry = *flags & FLAG_CF;
	const uint64_t result = add(a & svm_emul_mask(size), 1, 0, size, flags);

	*flags = (*flags & ~FLAG_CF) | carry;
	return result;
}

uint64_t svm_alu_dec(uint64_t a, unsigned size, uint64_t *flags)
{
	const uint64_t carry = *flags & FLAG_CF;
	const uint64_t result = subtract(a & svm_emul_mask(size), 1, 0, size, flags);

	*flags = (*flags & ~FLAG_CF) | carry;
	return result;
}

uint64_t svm_alu_neg(uint64_t a, unsigned size, uint64_t *flags)
{
	return subtract(0, a & svm_emul_mask(size), 0, size, flags);
}

/* --- rotates: CF and OF only ---------------------------------------------------------------- */

static uint64_t rotate_flags(uint64_t flags, bool carry, bool overflow)
{
	return (flags & ~(FLAG_CF | FLAG_OF)) | (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0);
}

static uint64_t rotate(bool left, uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size, by = count % bits;
	uint64_t result = a;

	if (by && left)
		result = (a << by | a >> (bits - by)) & svm_emul_mask(size);
	else if (by)
		result = (a >> by | a << (bits - by)) & svm_emul_mask(size);
	if (left)
		*flags = rotate_flags(*flags, result & 1,
		                      ((result & sign_bit(size)) != 0) != ((result & 1) != 0));
	else
		*flags = rotate_flags(*flags, result & sign_bit(size),
		                      ((result & sign_bit(size)) != 0) !=
		                              ((result & (sign_bit(size) >> 1)) != 0));
	return result;
}

/* Through CF: one bit at a time, at most 64 of them. */
static uint64_t rotate_carry(bool left, uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	const uint64_t top = sign_bit(size);
	bool carry = *flags & FLAG_CF, overflow;

	for (unsigned i = count % (8 * size + 1); i > 0; i--) {
		if (left) {
			const bool out = a & top;

			a = (a << 1 | (carry ? 1 : 0)) & svm_emul_mask(size);
			carry = out;
		} else {
			const bool out = a & 1;

			a = a >> 1 | (carry ? top : 0);
			carry = out;
		}
	}
	overflow = left ? ((a & top) != 0) != carry : ((a & top) != 0) != ((a & top >> 1) != 0);
	*flags = rotate_flags(*flags, carry, overflow);
	return a;
}

/* --- shifts ----------------------------------------------------------------------------------- */

static uint64_t shift_flags(uint64_t flags, uint64_t result, unsigned size, bool carry,
                            bool overflow)
{
	return (flags & ~FLAGS_ARITHMETIC) | sign_zero_parity(result, size) |
	       (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0);
}

static uint64_t shift_left(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size;
	const uint64_t result = count < bits ? (a << count) & svm_emul_mask(size) : 0;
	const bool carry = count <= bits && (a >> (bits - count) & 1);

	*flags = shift_flags(*flags, result, size, carry,
	                     ((result & sign_bit(size)) != 0) != carry);
	return result;
}

static uint64_t shift_right(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size;
	const uint64_t result = count < bits ? a >> count : 0;
	const bool carry = count <= bits && (a >> (count - 1) & 1);

	*flags = shift_flags(*flags, result, size, carry, a & sign_bit(size));
	return result;
}

static uint64_t shift_arithmetic(uint64_t a, unsigned count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size, by = count < bits ? count : bits - 1;
	const uint64_t fill = a & sign_bit(size) ? ~svm_emul_mask(size) : 0;
	/* With the sign above the operand a plain shift brings the right bits down. */
	const uint64_t wide = a | fill;
	const uint64_t sign = fill || (size == 8 && (a & sign_bit(8)));
	const uint64_t result =
		(wide >> by | (sign && by ? ~UINT64_C(0) << (64 - by) : 0)) & svm_emul_mask(size);
	const bool carry = count < bits ? wide >> (count - 1) & 1 : sign != 0;

	*flags = shift_flags(*flags, result, size, carry, false);
	return result;
}

static unsigned masked_count(uint8_t count, unsigned size)
{
	return count & (size == 8 ? 0x3fu : 0x1fu);
}

uint64_t svm_alu_shift(enum svm_shift_op op, uint64_t a, uint8_t count, unsigned size,
                       uint64_t *flags)
{
	const unsigned by = masked_count(count, size);

	a &= svm_emul_mask(size);
	if (by == 0)
		return a; /* No flag changes either. */
	switch (op) {
	case SHIFT_ROL:
		return rotate(true, a, by, size, flags);
	case SHIFT_ROR:
		return rotate(false, a, by, size, flags);
	case SHIFT_RCL:
		return rotate_carry(true, a, by, size, flags);
	case SHIFT_RCR:
		return rotate_carry(false, a, by, size, flags);
	case SHIFT_SHR:
		return shift_right(a, by, size, flags);
	case SHIFT_SAR:
		return shift_arithmetic(a, by, size, flags);
	case SHIFT_SHL:
	case SHIFT_SAL: /* The undocumented alias. */
		break;
	}
	return shift_left(a, by, size, flags);
}

/*
 * SHLD, SHRD.  For 16-bit operands a count above 16 is undefined; here the second operand's bits
 * come round again, as on AMD processors.
 */
uint64_t svm_alu_shld(uint64_t a, uint64_t b, uint8_t count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size, by = masked_count(count, size);
	uint64_t result;
	bool carry;

	a &= svm_emul_mask(size);
	b &= svm_emul_mask(size);
	if (by == 0)
		return a;
	if (by > bits) {
		result = (b << (by - bits) | b >> (2 * bits - by)) & svm_emul_mask(size);
		carry = b >> (2 * bits - by) & 1;
	} else {
		result = (by < bits ? a << by | b >> (bits - by) : b) & svm_emul_mask(size);
		carry = a >> (bits - by) & 1;
	}
	*flags = shift_flags(*flags, result, size, carry, (a ^ result) & sign_bit(size));
	return result;
}

uint64_t svm_alu_shrd(uint64_t a, uint64_t b, uint8_t count, unsigned size, uint64_t *flags)
{
	const unsigned bits = 8 * size, by = masked_count(count, size);
	uint64_t result;
	bool carry;

	a &= svm_emul_mask(size);
	b &= svm_emul_mask(size);
	if (by == 0)
		return a;
	if (by > bits) {
		result = (b >> (by - bits) | b << (2 * bits - by)) & svm_emul_mask(size);
		carry = b >> (by - bits - 1) & 1;
	} else {
		result = (by < bits ? a >> by | b << (bits - by) : b) & svm_emul_mask(size);
		carry = a >> (by - 1) & 1;
	}
	*flags = shift_flags(*flags, result, size, carry, (a ^ result) & sign_bit(size));
	return result;
}

bool svm_alu_condition(unsigned cc, uint64_t flags)
{
	const bool sign = flags & FLAG_SF, overflow = flags & FLAG_OF;
	bool holds;

	switch (cc >> 1 & 7) {
	case 0:
		holds = overflow;
		break;
	case 1:
		holds = flags & FLAG_CF;
		break;
	case 2:
		holds = flags & FLAG_ZF;
		break;
	case 3:
		holds = flags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		holds = sign;
		break;
	case 5:
		holds = flags & FLAG_PF;
		break;
	case 6:
		holds = sign != overflow;
		break;
	default:
		holds = (flags & FLAG_ZF) || sign != overflow;
		break;
	}
	return holds != ((cc & 1) != 0);
}
