/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bytes of scripts.  APM vol. 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

void hosted_script_init(struct hosted_script *s, int bits)
{
	memset(s, 0, sizeof(*s));
	s->bits = bits;
}

void hosted_script_raw(struct hosted_script *s, const void *bytes, size_t size)
{
	if (s->size + size > sizeof(s->bytes)) {
		fputs("hosted: the script is too long\n", stderr);
		abort();
	}
	memcpy(s->bytes + s->size, bytes, size);
	s->size += size;
}

#define SCRIPT_DEFINE(name, length, ...)                                                           \
	void hosted_script_##name(struct hosted_script *s)                                         \
	{                                                                                          \
		static const uint8_t bytes[length] = { __VA_ARGS__ };                              \
		hosted_script_raw(s, bytes, sizeof(bytes));                                        \
	}
HOSTED_SCRIPT_PLAIN(SCRIPT_DEFINE)
#undef SCRIPT_DEFINE

static void emit(struct hosted_script *s, unsigned byte)
{
	const uint8_t b = (uint8_t)byte;

	hosted_script_raw(s, &b, 1);
}

static void emit_value(struct hosted_script *s, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		emit(s, value >> (8 * i) & 0xff);
}

/* 66 or REX, for an operand of 4 or 8 bytes. */
static void emit_size(struct hosted_script *s, bool wide, unsigned reg, unsigned rm)
{
	const unsigned rex = (wide ? 8u : 0) | (reg > 7 ? 4u : 0) | (rm > 7 ? 1u : 0);

	if (s->bits == 16)
		emit(s, 0x66);
	if (rex)
		emit(s, 0x40 | rex);
}

static void emit_register(struct hosted_script *s, unsigned reg, unsigned rm)
{
	emit(s, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static void emit_memory(struct hosted_script *s, unsigned reg, unsigned base)
{
	if ((base & 7) == 5) { /* RBP and R13 need a displacement. */
		emit(s, 0x40 | (reg & 7) << 3 | 5);
		emit(s, 0);
		return;
	}
	emit(s, (reg & 7) << 3 | (base & 7));
	if ((base & 7) == 4)
		emit(s, 0x24);
}

void hosted_script_int(struct hosted_script *s, uint8_t vector)
{
	emit(s, 0xcd);
	emit(s, vector);
}

void hosted_script_iret(struct hosted_script *s)
{
	if (s->bits == 64)
		emit(s, 0x48);
	emit(s, 0xcf);
}

static void port(struct hosted_script *s, unsigned opcode, int size)
{
	if (size > 1 && (size == 4) == (s->bits == 16))
		emit(s, 0x66);
	emit(s, opcode + (size > 1));
}

void hosted_script_in_imm(struct hosted_script *s, uint8_t number, int size)
{
	port(s, 0xe4, size);
	emit(s, number);
}

void hosted_script_out_imm(struct hosted_script *s, uint8_t number, int size)
{
	port(s, 0xe6, size);
	emit(s, number);
}

void hosted_script_in_dx(struct hosted_script *s, int size)
{
	port(s, 0xec, size);
}

void hosted_script_out_dx(struct hosted_script *s, int size)
{
	port(s, 0xee, size);
}

void hosted_script_rep_outsb(struct hosted_script *s)
{
	emit(s, 0xf3);
	emit(s, 0x6e);
}

void hosted_script_mov(struct hosted_script *s, unsigned reg, uint64_t value)
{
	const bool wide = s->bits == 64;

	emit_size(s, wide, 0, reg);
	emit(s, 0xb8 | (reg & 7));
	emit_value(s, value, wide ? 8 : 4);
}

static void address_override(struct hosted_script *s)
{
	if (s->bits == 16)
		emit(s, 0x67);
}

void hosted_script_load(struct hosted_script *s, unsigned reg, unsigned base, bool wide)
{
	address_override(s);
	emit_size(s, wide, reg, base);
	emit(s, 0x8b);
	emit_memory(s, reg, base);
}

void hosted_script_store(struct hosted_script *s, unsigned base, unsigned reg, bool wide)
{
	address_override(s);
	emit_size(s, wide, reg, base);
	emit(s, 0x89);
	emit_memory(s, reg, base);
}

static void moffs(struct hosted_script *s, unsigned opcode, uint64_t address)
{
	address_override(s);
	emit_size(s, s->bits == 64, 0, 0);
	emit(s, opcode);
	emit_value(s, address, s->bits == 64 ? 8 : 4);
}

void hosted_script_load_abs(struct hosted_script *s, uint64_t address)
{
	moffs(s, 0xa1, address);
}

void hosted_script_store_abs(struct hosted_script *s, uint64_t address)
{
	moffs(s, 0xa3, address);
}

/* No operand size: these moves are as wide as the code. */
static void special(struct hosted_script *s, unsigned opcode, unsigned special_reg, unsigned reg)
{
	const unsigned rex = (special_reg > 7 ? 4u : 0) | (reg > 7 ? 1u : 0);

	if (rex)
		emit(s, 0x40 | rex);
	emit(s, 0x0f);
	emit(s, opcode);
	emit_register(s, special_reg, reg);
}

void hosted_script_read_cr(struct hosted_script *s, unsigned reg, unsigned cr)
{
	special(s, 0x20, cr, reg);
}

void hosted_script_write_cr(struct hosted_script *s, unsigned cr, unsigned reg)
{
	special(s, 0x22, cr, reg);
}

void hosted_script_read_dr(struct hosted_script *s, unsigned reg, unsigned dr)
{
	special(s, 0x21, dr, reg);
}

void hosted_script_write_dr(struct hosted_script *s, unsigned dr, unsigned reg)
{
	special(s, 0x23, dr, reg);
}

void hosted_script_invlpg(struct hosted_script *s, unsigned base)
{
	address_override(s);
	emit(s, 0x0f);
	emit(s, 0x01);
	emit_memory(s, 7, base);
}

void hosted_script_mov_ss(struct hosted_script *s, unsigned reg)
{
	emit(s, 0x8e);
	emit_register(s, 2, reg);
}

void hosted_script_push(struct hosted_script *s, unsigned reg)
{
	if (reg > 7)
		emit(s, 0x41);
	emit(s, 0x50 | (reg & 7));
}

void hosted_script_pop(struct hosted_script *s, unsigned reg)
{
	if (reg > 7)
		emit(s, 0x41);
	emit(s, 0x58 | (reg & 7));
}

void hosted_script_inc(struct hosted_script *s, unsigned reg)
{
	emit_size(s, s->bits == 64, 0, reg);
	emit(s, 0xff);
	emit_register(s, 0, reg);
}

void hosted_script_dec(struct hosted_script *s, unsigned reg)
{
	emit_size(s, s->bits == 64, 1, reg);
	emit(s, 0xff);
	emit_register(s, 1, reg);
}

void hosted_script_add(struct hosted_script *s, unsigned dst, unsigned src)
{
	emit_size(s, s->bits == 64, src, dst);
	emit(s, 0x01);
	emit_register(s, src, dst);
}

static void jump(struct hosted_script *s, unsigned opcode, size_t target)
{
	const int64_t distance = (int64_t)target - (int64_t)(s->size + 2);

	if (distance < -128 || distance > 127) {
		fputs("hosted: the jump is too long\n", stderr);
		abort();
	}
	emit(s, opcode);
	emit(s, (unsigned)distance & 0xff);
}

void hosted_script_jmp(struct hosted_script *s, size_t target)
{
	jump(s, 0xeb, target);
}

void hosted_script_jnz(struct hosted_script *s, size_t target)
{
	jump(s, 0x75, target);
}
