/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Moves between memory and the vector and MMX registers.  APM vol. 4 and 5, each instruction.
 *
 * Compilers and graphics code use them on frame buffers.  One row per instruction; the forms
 * between two registers touch no memory and are not here.
 */
#include "emulate/internal.h"

#define VECTOR_CR0_EM      (UINT64_C(1) << 2)
#define VECTOR_CR0_TS      (UINT64_C(1) << 3)
#define VECTOR_CR4_OSFXSR  (UINT64_C(1) << 9)
#define VECTOR_CR4_OSXSAVE (UINT64_C(1) << 18)
#define VECTOR_XCR0_AVX    UINT64_C(6) /* SSE and AVX state, both. */

enum vector_prefix {
	NO_PREFIX,
	WITH_66,
	WITH_F3,
	WITH_F2,
};

/* Bytes of the operand; FULL is 16, or 32 with VEX.L. */
enum vector_width {
	LOW_1 = 1,
	LOW_2 = 2,
	LOW_4 = 4,
	LOW_8 = 8,
	WORD, /* 4, or 8 with W. */
	FULL,
	HIGH_8, /* The upper half of the lower 16 bytes. */
};

enum vector_flags {
	STORE = 1,
	ALIGNED = 2,
	VEX = 4, /* Exists with VEX too. */
	MMX = 8,
	INSERT = 16,  /* A load of one element; the others are those of vvvv, or stay. */
	INDEXED = 32, /* The immediate says which. */
};

struct vector_row {
	uint8_t map, prefix, opcode, width;
	uint8_t flags; /* enum vector_flags */
};

static const struct vector_row vector_rows[] = {
	/* MOVUPS, MOVUPD, MOVSS, MOVSD */
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x10, FULL, VEX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x11, FULL, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x10, FULL, VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x11, FULL, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_F3, 0x10, LOW_4, VEX },
	{ SVM_INSN_MAP_0F, WITH_F3, 0x11, LOW_4, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_F2, 0x10, LOW_8, VEX },
	{ SVM_INSN_MAP_0F, WITH_F2, 0x11, LOW_8, STORE | VEX },
	/* MOVLPS, MOVLPD, MOVHPS, MOVHPD: a load keeps the other half. */
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x12, LOW_8, VEX | INSERT },
	{ SVM_INSN_MAP_0F, WITH_66, 0x12, LOW_8, VEX | INSERT },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x16, HIGH_8, VEX | INSERT },
	{ SVM_INSN_MAP_0F, WITH_66, 0x16, HIGH_8, VEX | INSERT },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x13, LOW_8, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x13, LOW_8, STORE | VEX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x17, HIGH_8, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x17, HIGH_8, STORE | VEX },
	/* MOVAPS, MOVAPD, MOVNTPS, MOVNTPD */
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x28, FULL, ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x29, FULL, STORE | ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x28, FULL, ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x29, FULL, STORE | ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x2b, FULL, STORE | ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x2b, FULL, STORE | ALIGNED | VEX },
	/* MOVNTSS, MOVNTSD */
	{ SVM_INSN_MAP_0F, WITH_F3, 0x2b, LOW_4, STORE },
	{ SVM_INSN_MAP_0F, WITH_F2, 0x2b, LOW_8, STORE },
	/* MOVD, MOVQ of a general register's width; MOVQ */
	{ SVM_INSN_MAP_0F, WITH_66, 0x6e, WORD, VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x7e, WORD, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_F3, 0x7e, LOW_8, VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0xd6, LOW_8, STORE | VEX },
	/* MOVDQA, MOVDQU, LDDQU, MOVNTDQ, MOVNTDQA */
	{ SVM_INSN_MAP_0F, WITH_66, 0x6f, FULL, ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0x7f, FULL, STORE | ALIGNED | VEX },
	{ SVM_INSN_MAP_0F, WITH_F3, 0x6f, FULL, VEX },
	{ SVM_INSN_MAP_0F, WITH_F3, 0x7f, FULL, STORE | VEX },
	{ SVM_INSN_MAP_0F, WITH_F2, 0xf0, FULL, VEX },
	{ SVM_INSN_MAP_0F, WITH_66, 0xe7, FULL, STORE | ALIGNED | VEX },
	{ SVM_INSN_MAP_0F38, WITH_66, 0x2a, FULL, ALIGNED | VEX },
	/* PINSRB, PINSRW, PINSRD, PINSRQ, PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS */
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x20, LOW_1, VEX | INSERT | INDEXED },
	{ SVM_INSN_MAP_0F, WITH_66, 0xc4, LOW_2, VEX | INSERT | INDEXED },
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x22, WORD, VEX | INSERT | INDEXED },
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x14, LOW_1, VEX | STORE | INDEXED },
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x15, LOW_2, VEX | STORE | INDEXED },
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x16, WORD, VEX | STORE | INDEXED },
	{ SVM_INSN_MAP_0F3A, WITH_66, 0x17, LOW_4, VEX | STORE | INDEXED },
	/* MMX: MOVD, MOVQ, MOVNTQ */
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x6e, WORD, MMX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x7e, WORD, STORE | MMX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x6f, LOW_8, MMX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0x7f, LOW_8, STORE | MMX },
	{ SVM_INSN_MAP_0F, NO_PREFIX, 0xe7, LOW_8, STORE | MMX },
};

/* F3 and F2 win over 66, as mandatory prefixes. */
static enum vector_prefix mandatory_prefix(const struct svm_emul *e)
{
	if (e->insn.prefixes & SVM_INSN_REP)
		return WITH_F3;
	if (e->insn.prefixes & SVM_INSN_REPNE)
		return WITH_F2;
	return e->insn.prefixes & SVM_INSN_OPSIZE ? WITH_66 : NO_PREFIX;
}

static const struct vector_row *find_vector_row(const struct svm_emul *e)
{
	const enum vector_prefix prefix = mandatory_prefix(e);

	for (size_t i = 0; i < sizeof(vector_rows) / sizeof(vector_rows[0]); i++) {
		const struct vector_row *row = &vector_rows[i];

		if (row->map == e->insn.map && row->prefix == prefix &&
		    row->opcode == e->insn.opcode &&
		    ((row->flags & VEX) || e->insn.encoding == SVM_INSN_LEGACY))
			return row;
	}
	return NULL;
}

/* vvvv is a register or all ones, which here is 0; single elements have no form of 256 bits. */
static bool vex_fields_fit(const struct svm_emul *e, const struct vector_row *row)
{
	if (e->insn.vvvv != 0 && !(row->flags & INSERT))
		return false;
	return !e->insn.vex_l || !(row->flags & (INSERT | INDEXED));
}

/* In the order of APM vol. 2, 8: #UD before #NM, both before any access. */
static enum svm_emul_result check_vector_state(struct svm_emul *e, const struct vector_row *row)
{
	if (e->insn.encoding == SVM_INSN_VEX) {
		if (!(e->cr4 & VECTOR_CR4_OSXSAVE) ||
		    (e->xcr0 & VECTOR_XCR0_AVX) != VECTOR_XCR0_AVX || !vex_fields_fit(e, row))
			return svm_emul_raise(e, VECTOR_UD);
	} else if ((e->cr0 & VECTOR_CR0_EM) ||
	           (!(row->flags & MMX) && !(e->cr4 & VECTOR_CR4_OSFXSR))) {
		return svm_emul_raise(e, VECTOR_UD);
	}
	return e->cr0 & VECTOR_CR0_TS ? svm_emul_raise(e, VECTOR_NM) : SVM_EMUL_OK;
}

static unsigned vector_size(const struct svm_emul *e, const struct vector_row *row)
{
	switch (row->width) {
	case LOW_1:
	case LOW_2:
	case LOW_4:
		return row->width;
	case WORD: /* Outside 64-bit mode VEX.W is ignored. */
		return svm_emul_is_long(e) && (e->insn.rex & SVM_INSN_REX_W) ? 8 : 4;
	case FULL:
		return e->insn.encoding == SVM_INSN_VEX && e->insn.vex_l ? 32 : 16;
	default:
		return 8;
	}
}

/* Where in the lower 16 bytes of the register the operand lies. */
static unsigned vector_place(const struct svm_emul *e, const struct vector_row *row, unsigned size)
{
	if (row->flags & INDEXED)
		return ((unsigned)e->insn.imm[0] & (16 / size - 1)) * size;
	return row->width == HIGH_8 ? 8 : 0;
}

/* The register that keeps what an insertion does not write. */
static unsigned vector_other(const struct svm_emul *e)
{
	if (e->insn.encoding == SVM_INSN_LEGACY)
		return svm_emul_reg(e);
	return e->insn.vvvv & (svm_emul_is_long(e) ? 15u : 7u);
}

static enum svm_emul_result vector_insert(struct svm_emul *e, const struct vector_row *row,
                                          unsigned size, const struct svm_emul_span *span)
{
	uint8_t data[16], element[8];
	const enum svm_emul_result result = svm_emul_load(e, span, element);

	if (result != SVM_EMUL_OK)
		return result;
	e->ops->read_vector(e->arg, vector_other(e), data, sizeof(data));
	memcpy(data + vector_place(e, row, size), element, size);
	e->ops->write_vector(e->arg, svm_emul_reg(e), data, sizeof(data),
	                     e->insn.encoding == SVM_INSN_VEX);
	return SVM_EMUL_OK;
}

static enum svm_emul_result vector_load(struct svm_emul *e, const struct vector_row *row,
                                        unsigned size, const struct svm_emul_span *span)
{
	uint8_t data[SVM_EMUL_DATA_MAX] = { 0 };
	const unsigned n = svm_emul_reg(e);
	enum svm_emul_result result;
	uint64_t low;

	if (row->flags & INSERT)
		return vector_insert(e, row, size, span);
	result = svm_emul_load(e, span, data);
	if (result != SVM_EMUL_OK)
		return result;
	if (row->flags & MMX) {
		memcpy(&low, data, sizeof(low));
		e->ops->write_mmx(e->arg, n & 7, low);
	} else {
		/* A narrow load clears the rest of the lower 16 bytes. */
		e->ops->write_vector(e->arg, n, data, size == 32 ? 32 : 16,
		                     e->insn.encoding == SVM_INSN_VEX);
	}
	return SVM_EMUL_OK;
}

static enum svm_emul_result vector_store(struct svm_emul *e, const struct vector_row *row,
                                         unsigned size, const struct svm_emul_span *span)
{
	uint8_t data[SVM_EMUL_DATA_MAX] = { 0 };
	const unsigned n = svm_emul_reg(e);
	uint64_t low;

	if (row->flags & MMX) {
		e->ops->read_mmx(e->arg, n & 7, &low);
		memcpy(data, &low, sizeof(low));
	} else {
		e->ops->read_vector(e->arg, n, data, size == 32 ? 32 : 16);
	}
	return svm_emul_store(e, span, data + vector_place(e, row, size));
}

enum svm_emul_result svm_exec_vector(struct svm_emul *e)
{
	const struct vector_row *row;
	struct svm_emul_span span;
	enum svm_emul_result result;
	unsigned segment, size;
	uint64_t offset, linear;

	if (!svm_emul_rm_is_memory(e) || e->insn.encoding == SVM_INSN_XOP)
		return SVM_EMUL_UNKNOWN;
	row = find_vector_row(e);
	if (!row)
		return SVM_EMUL_UNKNOWN;
	result = check_vector_state(e, row);
	if (result != SVM_EMUL_OK)
		return result;

	size = vector_size(e, row);
	offset = svm_emul_effective_address(e, &segment);
	result = svm_emul_linear(e, segment, offset, size,
	                         row->flags & STORE ? SVM_EMUL_WRITE : SVM_EMUL_READ, &linear);
	if (result != SVM_EMUL_OK)
		return result;
	if ((row->flags & ALIGNED) && (linear & (size - 1)))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_emul_prepare(e, segment, offset, size,
	                          row->flags & STORE ? SVM_EMUL_WRITE : SVM_EMUL_READ, &span);
	if (result == SVM_EMUL_OK)
		result = row->flags & STORE ? vector_store(e, row, size, &span)
		                       : vector_load(e, row, size, &span);
	if (result == SVM_EMUL_OK)
		e->rip = svm_emul_rip_after(e);
	return result;
}
