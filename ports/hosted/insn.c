/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A decoder for what scripts emit: enough prefixes and addressing forms for the library's own
 * decoder to meet real code.  Anything else is #UD.
 *
 * Bytes past the end of a page are fetched only when the instruction reaches that far, as the
 * fault of such a fetch must not come early.
 */
#include <string.h>

#include "model.h"

struct cursor {
	struct cpu *cpu;
	struct guest_insn *insn;
	bool failed;
};

/* Get the rest of the 15 bytes from the next page. */
static bool fetch_more(struct cursor *c)
{
	struct svm_vmcb_save *save = &c->cpu->guest.v->save;
	const uint64_t rip = save->rip;
	size_t got;

	if (c->insn->count >= 15)
		return false;
	save->rip = rip + c->insn->count;
	got = guest_fetch(c->cpu, c->insn->bytes + c->insn->count, 15u - c->insn->count);
	if (!c->cpu->guest.diverted)
		save->rip = rip;
	c->insn->count = (uint8_t)(c->insn->count + got);
	return got != 0;
}

static uint8_t next_byte(struct cursor *c)
{
	if (c->failed)
		return 0;
	if (c->insn->length >= c->insn->count && !fetch_more(c)) {
		c->failed = true;
		return 0;
	}
	return c->insn->bytes[c->insn->length++];
}

static uint64_t next_value(struct cursor *c, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)next_byte(c) << (8 * i);
	return value;
}

static uint64_t next_signed(struct cursor *c, unsigned size)
{
	const uint64_t value = next_value(c, size);
	const unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint8_t prefixes(struct cursor *c, int bits)
{
	struct guest_insn *insn = c->insn;

	for (;;) {
		const uint8_t byte = next_byte(c);

		switch (byte) {
		case 0x66:
			insn->opsize = true;
			break;
		case 0x67:
			insn->addrsize = true;
			break;
		case 0xf0:
			insn->lock = true;
			break;
		case 0xf2:
			insn->repne = true;
			break;
		case 0xf3:
			insn->rep = true;
			break;
		case 0x26:
			insn->segment = GUEST_ES;
			break;
		case 0x2e:
			insn->segment = GUEST_CS;
			break;
		case 0x64:
			insn->segment = GUEST_FS;
			break;
		case 0x65:
			insn->segment = GUEST_GS;
			break;
		default:
			if (bits == 64 && (byte & 0xf0) == 0x40) {
				insn->rex = byte;
				return next_byte(c);
			}
			return byte;
		}
		if (c->failed)
			return 0;
	}
}

static uint64_t gpr(const struct cursor *c, unsigned n)
{
	return c->cpu->guest.gpr[n];
}

static void address_16(struct cursor *c, unsigned mod, unsigned rm)
{
	static const uint8_t bases[8][2] = {
		{ HOSTED_RBX, HOSTED_RSI }, { HOSTED_RBX, HOSTED_RDI }, { HOSTED_RBP, HOSTED_RSI },
		{ HOSTED_RBP, HOSTED_RDI }, { HOSTED_RSI, 0xff },       { HOSTED_RDI, 0xff },
		{ HOSTED_RBP, 0xff },       { HOSTED_RBX, 0xff },
	};
	uint64_t address = 0;

	if (mod == 0 && rm == 6) {
		address = next_value(c, 2);
	} else {
		address = gpr(c, bases[rm][0]);
		if (bases[rm][1] != 0xff)
			address += gpr(c, bases[rm][1]);
		if (mod)
			address += next_signed(c, mod);
	}
	c->insn->address = address & 0xffff;
}

static void address_wide(struct cursor *c, unsigned mod, unsigned rm, int bits)
{
	struct guest_insn *insn = c->insn;
	const unsigned b = insn->rex & 1 ? 8 : 0;
	uint64_t address = 0;
	bool relative = false;

	if (rm == 4) {
		const uint8_t sib = next_byte(c);
		const unsigned index = (sib >> 3 & 7u) | (insn->rex & 2 ? 8 : 0);
		const unsigned base = sib & 7u;

		if (index != 4)
			address = gpr(c, index) << (sib >> 6);
		if (base == 5 && mod == 0)
			address += next_signed(c, 4);
		else
			address += gpr(c, base | b);
	} else if (rm == 5 && mod == 0) {
		address = next_signed(c, 4);
		relative = bits == 64;
	} else {
		address = gpr(c, rm | b);
	}
	if (mod)
		address += next_signed(c, mod == 1 ? 1 : 4);
	if (relative) /* No script has an immediate behind such an operand. */
		address += c->cpu->guest.v->save.rip + insn->length;
	insn->address = insn->address_size == 8 ? address : address & 0xffffffff;
}

static void modrm(struct cursor *c, int bits)
{
	struct guest_insn *insn = c->insn;
	unsigned mod;

	insn->modrm = next_byte(c);
	mod = insn->modrm >> 6;
	insn->reg = (insn->modrm >> 3 & 7u) | (insn->rex & 4 ? 8 : 0);
	insn->rm = (insn->modrm & 7u) | (insn->rex & 1 ? 8 : 0);
	insn->memory = mod != 3 && !(insn->opcode >= 0x0f20 && insn->opcode <= 0x0f23);
	if (!insn->memory)
		return;
	if (insn->address_size == 2)
		address_16(c, mod, insn->modrm & 7u);
	else
		address_wide(c, mod, insn->modrm & 7u, bits);
}

/* Operand forms: what follows the opcode. */
enum form {
	FORM_UNKNOWN,
	FORM_NONE,
	FORM_MODRM,
	FORM_IMM8,
	FORM_REL8,
	FORM_REL,
	FORM_IMM,
	FORM_MOFFS,
	FORM_MODRM_IMM8,
	FORM_MODRM_IMM
};

static enum form form_of(uint16_t opcode)
{
	if ((opcode >= 0x40 && opcode <= 0x5f) || (opcode >= 0x6c && opcode <= 0x6f))
		return FORM_NONE;
	if (opcode >= 0xb8 && opcode <= 0xbf)
		return FORM_IMM;
	switch (opcode) {
	case 0x01:
	case 0x03:
	case 0x31:
	case 0x39:
	case 0x85:
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
	case 0x8e:
	case 0xf7:
	case 0xff:
	case 0x0f00:
	case 0x0f01:
	case 0x0f20:
	case 0x0f21:
	case 0x0f22:
	case 0x0f23:
		return FORM_MODRM;
	case 0x83:
		return FORM_MODRM_IMM8;
	case 0xc7:
		return FORM_MODRM_IMM;
	case 0xa1:
	case 0xa3:
		return FORM_MOFFS;
	case 0xcd:
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7:
		return FORM_IMM8;
	case 0x74:
	case 0x75:
	case 0xeb:
		return FORM_REL8;
	case 0xe9:
		return FORM_REL;
	case 0x90:
	case 0x9c:
	case 0x9d:
	case 0xcc:
	case 0xcf:
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
	case 0xf1:
	case 0xf4:
	case 0xfa:
	case 0xfb:
	case 0x0f06:
	case 0x0f08:
	case 0x0f09:
	case 0x0f30:
	case 0x0f31:
	case 0x0f32:
	case 0x0f33:
	case 0x0fa2:
	case 0x0faa:
		return FORM_NONE;
	default:
		return FORM_UNKNOWN;
	}
}

static void operands(struct cursor *c, enum form form, int bits)
{
	struct guest_insn *insn = c->insn;
	const unsigned imm_size = insn->operand == 8 ? 4 : insn->operand;

	if (form == FORM_MODRM || form == FORM_MODRM_IMM8 || form == FORM_MODRM_IMM)
		modrm(c, bits);
	switch (form) {
	case FORM_IMM8:
		insn->imm = next_byte(c);
		break;
	case FORM_REL8:
	case FORM_MODRM_IMM8:
		insn->imm = next_signed(c, 1);
		break;
	case FORM_REL:
	case FORM_MODRM_IMM:
		insn->imm = next_signed(c, imm_size);
		break;
	case FORM_IMM: /* The one instruction with 64 bits of it. */
		insn->imm = next_value(c, insn->operand);
		break;
	case FORM_MOFFS:
		insn->memory = true;
		insn->address = next_value(c, insn->address_size);
		break;
	default:
		break;
	}
}

static void sizes(struct guest_insn *insn, int bits)
{
	const bool is_16 = (bits == 16) != insn->opsize;

	insn->operand = insn->rex & 8 ? 8 : (bits == 64 ? insn->opsize : is_16) ? 2 : 4;
	if (bits == 64)
		insn->address_size = insn->addrsize ? 4 : 8;
	else
		insn->address_size = (bits == 16) != insn->addrsize ? 2 : 4;
}

bool guest_decode(struct cpu *cpu, struct guest_insn *insn)
{
	struct guest *g = &cpu->guest;
	struct cursor c = { .cpu = cpu, .insn = insn };
	const int bits = guest_code_bits(cpu);
	enum form form;

	*insn = (struct guest_insn){ .segment = GUEST_DS };
	g->diverted = false;
	if (!fetch_more(&c))
		return false;
	insn->opcode = prefixes(&c, bits);
	if (insn->opcode == 0x0f)
		insn->opcode = (uint16_t)(0x0f00 | next_byte(&c));
	sizes(insn, bits);
	form = form_of(insn->opcode);
	if (form != FORM_UNKNOWN)
		operands(&c, form, bits);
	if (c.failed && insn->count < 15)
		insn->count = 0; /* The fetch faulted; that is all. */
	g->insn_count = insn->count;
	memcpy(g->insn_bytes, insn->bytes, sizeof(g->insn_bytes));
	return !c.failed && form != FORM_UNKNOWN;
}
