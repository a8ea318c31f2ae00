/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MOVS, CMPS, STOS, LODS, SCAS.  APM vol. 3, 1.2.6 and each instruction.
 *
 * With a repeat prefix each iteration is whole: it commits its registers before the next begins,
 * so a fault, a device that answers later, or the bound on work per call leaves the instruction
 * restartable, with RIP still on it.  A count of 0 does nothing at all: no access, no fault.
 */
#include "emulate/internal.h"

enum string_op {
	MOVS,
	CMPS,
	STOS,
	LODS,
	SCAS,
};

static bool find_op(const struct svm_emul *e, enum string_op *op)
{
	switch (e->insn.opcode) {
	case 0xa4:
	case 0xa5:
		*op = MOVS;
		return true;
	case 0xa6:
	case 0xa7:
		*op = CMPS;
		return true;
	case 0xaa:
	case 0xab:
		*op = STOS;
		return true;
	case 0xac:
	case 0xad:
		*op = LODS;
		return true;
	case 0xae:
	case 0xaf:
		*op = SCAS;
		return true;
	default:
		return false;
	}
}

/* RSI, RDI and RCX are as wide as an address; a 32-bit one clears the upper half. */
static void set_address_register(struct svm_emul *e, unsigned n, uint64_t value)
{
	svm_emul_set_reg(e, n, e->insn.address_width / 8u, value);
}

static uint64_t address_register(const struct svm_emul *e, unsigned n)
{
	return e->gpr[n] & svm_emul_address_mask(e);
}

void svm_string_step(struct svm_emul *e, unsigned n, unsigned size)
{
	const uint64_t delta = e->rflags & FLAG_DF ? -(uint64_t)size : size;

	set_address_register(e, n, address_register(e, n) + delta);
}

/* The source can be overridden, the destination is always ES. */
enum svm_emul_result svm_string_source(struct svm_emul *e, unsigned size,
                                       struct svm_emul_span *span)
{
	return svm_emul_prepare(e, svm_emul_data_segment(e, SVM_EMUL_DS),
	                        address_register(e, SVM_EMUL_RSI), size, SVM_EMUL_READ, span);
}

enum svm_emul_result svm_string_destination(struct svm_emul *e, unsigned size, uint32_t access,
                                            struct svm_emul_span *span)
{
	return svm_emul_prepare(e, SVM_EMUL_ES, address_register(e, SVM_EMUL_RDI), size, access,
	                        span);
}

static enum svm_emul_result movs(struct svm_emul *e, unsigned size)
{
	struct svm_emul_span from, to;
	uint64_t value;
	enum svm_emul_result result = svm_string_source(e, size, &from);

	if (result == SVM_EMUL_OK)
		result = svm_string_destination(e, size, SVM_EMUL_WRITE, &to);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &from, &value);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &to, value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_string_step(e, SVM_EMUL_RSI, size);
	svm_string_step(e, SVM_EMUL_RDI, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result cmps(struct svm_emul *e, unsigned size)
{
	struct svm_emul_span first, second;
	uint64_t a, b;
	/* AMD processors look at the second operand first: that decides which fault is seen. */
	enum svm_emul_result result = svm_string_destination(e, size, SVM_EMUL_READ, &second);

	if (result == SVM_EMUL_OK)
		result = svm_string_source(e, size, &first);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &first, &a);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &second, &b);
	if (result != SVM_EMUL_OK)
		return result;
	svm_alu(ALU_CMP, a, b, size, &e->rflags);
	svm_string_step(e, SVM_EMUL_RSI, size);
	svm_string_step(e, SVM_EMUL_RDI, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result stos(struct svm_emul *e, unsigned size)
{
	struct svm_emul_span to;
	enum svm_emul_result result = svm_string_destination(e, size, SVM_EMUL_WRITE, &to);

	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &to, svm_emul_get_reg(e, SVM_EMUL_RAX, size));
	if (result == SVM_EMUL_OK)
		svm_string_step(e, SVM_EMUL_RDI, size);
	return result;
}

static enum svm_emul_result lods(struct svm_emul *e, unsigned size)
{
	struct svm_emul_span from;
	uint64_t value;
	enum svm_emul_result result = svm_string_source(e, size, &from);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &from, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, SVM_EMUL_RAX, size, value);
	svm_string_step(e, SVM_EMUL_RSI, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result scas(struct svm_emul *e, unsigned size)
{
	struct svm_emul_span at;
	uint64_t value;
	enum svm_emul_result result = svm_string_destination(e, size, SVM_EMUL_READ, &at);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &at, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_alu(ALU_CMP, svm_emul_get_reg(e, SVM_EMUL_RAX, size), value, size, &e->rflags);
	svm_string_step(e, SVM_EMUL_RDI, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result iterate(struct svm_emul *e, enum string_op op, unsigned size)
{
	switch (op) {
	case MOVS:
		return movs(e, size);
	case CMPS:
		return cmps(e, size);
	case STOS:
		return stos(e, size);
	case LODS:
		return lods(e, size);
	case SCAS:
		break;
	}
	return scas(e, size);
}

/* REPE and REPNE of the two comparisons end by ZF, after the registers have moved. */
static bool ends_by_zero_flag(const struct svm_emul *e, enum string_op op)
{
	if (op != CMPS && op != SCAS)
		return false;
	return ((e->rflags & FLAG_ZF) != 0) != ((e->insn.prefixes & SVM_INSN_REP) != 0);
}

bool svm_string_repeats(const struct svm_emul *e)
{
	return e->insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE);
}

/* After a whole iteration.  False: the repeat is over and RIP moves on. */
bool svm_string_next(struct svm_emul *e)
{
	svm_emul_log_commit(e);
	set_address_register(e, SVM_EMUL_RCX, address_register(e, SVM_EMUL_RCX) - 1);
	return address_register(e, SVM_EMUL_RCX) != 0;
}

/*
 * A repeat that was broken off after at least one iteration: what is done stays done, and the
 * guest comes back to the rest.  The exception or exit is found again then, by itself.
 */
enum svm_emul_result svm_string_broken_off(struct svm_emul *e, uint32_t done,
                                           enum svm_emul_result result)
{
	if (!done || result == SVM_EMUL_EXIT || result == SVM_EMUL_ABSENT ||
	    result == SVM_EMUL_FAULT)
		return result;
	e->rep_goes_on = true;
	return SVM_EMUL_OK;
}

static enum svm_emul_result repeat(struct svm_emul *e, enum string_op op, unsigned size)
{
	for (uint32_t done = 0; done < e->rep_max; done++) {
		enum svm_emul_result result;

		if (!address_register(e, SVM_EMUL_RCX)) {
			e->rip = svm_emul_rip_after(e);
			return SVM_EMUL_OK;
		}
		result = iterate(e, op, size);
		if (result != SVM_EMUL_OK)
			return svm_string_broken_off(e, done, result);
		if (!svm_string_next(e) || ends_by_zero_flag(e, op)) {
			e->rip = svm_emul_rip_after(e);
			return SVM_EMUL_OK;
		}
		/* A trap is taken between iterations. */
		if (e->rflags & FLAG_TF)
			break;
	}
	e->rep_goes_on = true;
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_exec_string(struct svm_emul *e)
{
	enum svm_emul_result result;
	enum string_op op;
	unsigned size;

	if (e->insn.encoding != SVM_INSN_LEGACY || e->insn.map != SVM_INSN_MAP_PRIMARY ||
	    !find_op(e, &op))
		return SVM_EMUL_UNKNOWN;
	size = e->insn.opcode & 1 ? svm_emul_width(e) : 1;
	if (svm_string_repeats(e))
		return repeat(e, op, size);
	result = iterate(e, op, size);
	if (result == SVM_EMUL_OK)
		e->rip = svm_emul_rip_after(e);
	return result;
}
