/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The decoder knows three thousand instructions and takes 640 of ours for each; a driver uses five.
 * APM vol. 3, 1.2 to 1.6.
 *
 * What is decoded here is decoded to the same: a test compares all of these encodings.  Everything
 * that could make a byte mean something else (other prefixes, other modes) is left to the decoder.
 */
#include "emulate/insn_common.h"

struct reader {
	const uint8_t *bytes;
	size_t count, at; /* Past the end: at is beyond count, and zeros were read. */
};

static uint8_t next_byte(struct reader *r)
{
	const size_t at = r->at++;

	return at < r->count ? r->bytes[at] : 0;
}

/* size is 1, 2 or 4; sign-extended. */
static int64_t next_value(struct reader *r, unsigned size)
{
	const size_t at = r->at;
	uint16_t word;
	uint32_t dword;

	r->at += size;
	if (r->at > r->count)
		return 0;
	switch (size) {
	case 1:
		return (int8_t)r->bytes[at];
	case 2:
		__builtin_memcpy(&word, r->bytes + at, sizeof(word));
		return (int16_t)word;
	default:
		__builtin_memcpy(&dword, r->bytes + at, sizeof(dword));
		return (int32_t)dword;
	}
}

static void read_prefixes(struct reader *r, struct svm_insn *insn)
{
	uint8_t byte = r->bytes[0];

	if (byte == 0x66) {
		insn->prefixes = SVM_INSN_OPSIZE;
		r->at = 1;
		byte = r->count > 1 ? r->bytes[1] : 0;
	}
	if ((byte & 0xf0) == 0x40) {
		insn->prefixes |= SVM_INSN_REX;
		insn->rex = byte & 0xf;
		r->at++;
	}
	insn->operand_width = insn->rex & SVM_INSN_REX_W              ? 64
	                      : insn->prefixes & SVM_INSN_OPSIZE ? 16
	                                                              : 32;
}

/* Bytes of the immediate behind the operand, or -1. */
static int read_opcode(struct reader *r, struct svm_insn *insn)
{
	insn->opcode = next_byte(r);
	switch (insn->opcode) {
	case 0x88:
	case 0x8a:
		insn->operand_width = 8;
		return 0;
	case 0x89:
	case 0x8b:
		return 0;
	case 0xc6:
		insn->operand_width = 8;
		return 1;
	case 0xc7:
		return insn->operand_width == 16 ? 2 : 4;
	case 0x0f:
		insn->map = SVM_INSN_MAP_0F;
		insn->opcode = next_byte(r);
		return insn->opcode == 0xb6 || insn->opcode == 0xb7 ? 0 : -1;
	default:
		return -1;
	}
}

/* ModRM, SIB and displacement; false where the operand is a register. */
static bool read_operand_bytes(struct reader *r, struct svm_insn *insn)
{
	unsigned base, mod;

	insn->has_modrm = true;
	insn->modrm = next_byte(r);
	mod = svm_insn_mod(insn);
	base = svm_insn_rm(insn);
	if (mod == 3)
		return false;
	if (base == 4) {
		insn->has_sib = true;
		insn->sib = next_byte(r);
		base = insn->sib & 7u;
	}
	if (mod == 0 && base != 5)
		return true;
	insn->disp_size = mod == 1 ? 1 : 4;
	insn->disp = next_value(r, insn->disp_size);
	return true;
}

bool svm_insn_decode_common(enum svm_insn_mode mode, const uint8_t *bytes, size_t count,
                            struct svm_insn *insn)
{
	struct reader r = { bytes, count > SVM_INSN_MAX_LENGTH ? SVM_INSN_MAX_LENGTH : count, 0 };
	int immediate;

	if (mode != SVM_INSN_MODE_64 || !count)
		return false;
	*insn = (struct svm_insn){ .address_width = 64, .segment = SVM_INSN_SEG_DEFAULT };
	read_prefixes(&r, insn);
	immediate = read_opcode(&r, insn);
	if (immediate < 0 || !read_operand_bytes(&r, insn))
		return false;
	if (immediate) {
		if (svm_insn_reg(insn) != 0)
			return false;
		insn->imm_size[0] = (uint8_t)immediate;
		insn->imm[0] = (uint64_t)next_value(&r, (unsigned)immediate);
	}
	insn->length = (uint8_t)r.at;
	return r.at <= r.count;
}
