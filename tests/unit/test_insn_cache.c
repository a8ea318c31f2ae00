/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cache of decoded instructions, and the two short ways that meet in it: MOV decoded without
 * tables, and the plain form of a move.
 *
 * The decoder is the judge: whatever the cache says must be what it says of the same bytes.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/insn_cache.h"
#include "emulate/insn_common.h"
#include "emulate/internal.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define PLACE   UINT64_C(0x1000)

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

/* All fields; behind the last one there is padding. */
static bool is_same(const struct svm_insn *a, const struct svm_insn *b)
{
	return memcmp(a, b, offsetof(struct svm_insn, sib) + 1) == 0;
}

static void check_against_decoder(struct svm_insn_cache *cache, enum svm_insn_mode mode,
                                  const uint8_t bytes[16], size_t count)
{
	struct svm_insn cached, fresh;
	const enum svm_insn_status status = svm_insn_decode(mode, bytes, count, &fresh);

	if (svm_insn_cache_decode(cache, PLACE, mode, bytes, count, &cached) != status)
		ck_abort_msg("not status %d", (int)status);
	if (status == SVM_INSN_OK && !is_same(&cached, &fresh))
		ck_abort_msg("mode %d, %02x %02x %02x %02x %02x %02x: another instruction", mode,
		             bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
}

/* --- what could make an entry stale ----------------------------------------------------------- */

#define REAL SVM_INSN_MODE_REAL
#define M16  SVM_INSN_MODE_16
#define M32  SVM_INSN_MODE_32
#define M64  SVM_INSN_MODE_64

static const struct {
	const char *what;
	enum svm_insn_mode first_mode;
	const char *first;
	unsigned first_count;
	enum svm_insn_mode mode;
	const char *bytes;
	unsigned count;
	enum svm_insn_status status;
	unsigned length, operand_width; /* Of the second. */
} pair_rows[] = {
	{ "the same again", M64, "\x89\x03", 15, M64, "\x89\x03", 15, SVM_INSN_OK, 2, 32 },
	{ "other bytes behind it", M64, "\x89\x03\x90", 15, M64, "\x89\x03\xcc", 15, SVM_INSN_OK, 2,
	  32 },
	{ "code was changed", M64, "\x89\x03", 15, M64, "\x88\x03", 15, SVM_INSN_OK, 2, 8 },
	{ "its last byte was changed", M64, "\x8b\x43\x08", 15, M64, "\x8b\x43\x0c", 15,
	  SVM_INSN_OK, 3, 32 },
	{ "the last byte of 13 was changed", M64,
	  "\x66\x66\x66\x66\x2e\x2e\x48\xc7\x03\x01\x02\x03\x04", 15, M64,
	  "\x66\x66\x66\x66\x2e\x2e\x48\xc7\x03\x01\x02\x03\x05", 15, SVM_INSN_OK, 13, 64 },
	{ "the last byte of 15 was changed", M64,
	  "\x2e\x2e\x2e\x2e\x2e\x2e\x67\xc7\x44\x23\x01\x01\x02\x03\x04", 15, M64,
	  "\x2e\x2e\x2e\x2e\x2e\x2e\x67\xc7\x44\x23\x01\x01\x02\x03\x05", 15, SVM_INSN_OK, 15, 32 },
	{ "a prefix came before it", M64, "\x89\x03", 15, M64, "\x66\x89\x03", 15, SVM_INSN_OK, 3,
	  16 },
	{ "32-bit mode instead", M64, "\x89\x03", 15, M32, "\x89\x03", 15, SVM_INSN_OK, 2, 32 },
	{ "16-bit mode instead", M32, "\x89\x03", 15, M16, "\x89\x03", 15, SVM_INSN_OK, 2, 16 },
	{ "real mode instead", M16, "\xc5\xf8\x77", 15, REAL, "\xc5\xf8\x77", 15, SVM_INSN_UNKNOWN,
	  0, 0 },
	{ "cut off now", M64, "\x8b\x83\x01\x02\x03\x04", 15, M64, "\x8b\x83\x01\x02\x03\x04", 5,
	  SVM_INSN_TRUNCATED, 0, 0 },
	{ "cut off first", M64, "\x8b\x83\x01\x02\x03\x04", 5, M64, "\x8b\x83\x01\x02\x03\x04", 6,
	  SVM_INSN_OK, 6, 32 },
	{ "none first", M64, "\x06", 15, M64, "\x8b\x03", 15, SVM_INSN_OK, 2, 32 },
	{ "none now", M64, "\x8b\x03", 15, M64, "\xf0\x8b\x03", 15, SVM_INSN_ILLEGAL, 0, 0 },
};

static void pad(uint8_t bytes[16], const char *from, size_t count)
{
	memset(bytes, 0, 16);
	memcpy(bytes, from, count > 15 ? 15 : count);
}

START_TEST(an_entry_serves_only_its_own_bytes)
{
	static struct svm_insn_cache cache;
	uint8_t first[16] = { 0 }, bytes[16] = { 0 };
	struct svm_insn insn;

	memset(&cache, 0, sizeof(cache));
	pad(first, pair_rows[_i].first, strlen(pair_rows[_i].first));
	pad(bytes, pair_rows[_i].bytes, strlen(pair_rows[_i].bytes));
	(void)svm_insn_cache_decode(&cache, PLACE, pair_rows[_i].first_mode, first,
	                            pair_rows[_i].first_count, &insn);
	for (unsigned i = 0; i < 2; i++) {
		memset(&insn, 0xa5, sizeof(insn));
		ck_assert_msg(svm_insn_cache_decode(&cache, PLACE, pair_rows[_i].mode, bytes,
		                                    pair_rows[_i].count,
		                                    &insn) == pair_rows[_i].status,
		              "%s", pair_rows[_i].what);
		if (pair_rows[_i].status != SVM_INSN_OK)
			continue;
		ck_assert_msg(insn.length == pair_rows[_i].length, "%s: %u bytes",
		              pair_rows[_i].what, insn.length);
		ck_assert_msg(insn.operand_width == pair_rows[_i].operand_width, "%s: %u bits",
		              pair_rows[_i].what, insn.operand_width);
	}
}
END_TEST

START_TEST(an_empty_cache_knows_nothing)
{
	static struct svm_insn_cache cache;
	const uint64_t word[2] = { 0, 0 };

	memset(&cache, 0, sizeof(cache));
	for (unsigned mode = 0; mode < 4; mode++)
		ck_assert(!svm_insn_cache_is(&cache.entry[0], (enum svm_insn_mode)mode, word, 15));
}
END_TEST

/* Mostly nearly what was there before, so that an entry has something to be mistaken in. */
START_TEST(random_bytes_are_what_the_decoder_says)
{
	static const uint8_t likely[] = { 0x48, 0x66, 0x0f, 0x88, 0x89, 0x8b, 0xc7, 0xb6,
		                          0x03, 0x43, 0x84, 0x25, 0xf3, 0x2e, 0x67, 0xc5 };
	static struct svm_insn_cache cache;
	uint8_t bytes[16] = { 0 };

	memset(&cache, 0, sizeof(cache));
	for (unsigned i = 0; i < 1000000; i++) {
		const unsigned changed = draw(4) ? 1 + draw(2) : 15;

		for (unsigned n = 0; n < changed; n++)
			bytes[draw(16)] = draw(2) ? likely[draw(16)] : (uint8_t)draw(256);
		check_against_decoder(&cache, (enum svm_insn_mode)(draw(3) ? 3 : draw(4)), bytes,
		                      draw(4) ? 15 : draw(16));
	}
}
END_TEST

/* --- MOV without tables ----------------------------------------------------------------------- */

static void put_opcode(uint8_t *bytes, unsigned *at, unsigned which)
{
	static const uint8_t opcodes[] = { 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7, 0xb6, 0xb7 };

	if (opcodes[which] >= 0xb0 && opcodes[which] < 0xc0)
		bytes[(*at)++] = 0x0f;
	bytes[(*at)++] = opcodes[which];
}

static void check_common(const uint8_t bytes[16], size_t count)
{
	struct svm_insn common, fresh;
	const enum svm_insn_status status = svm_insn_decode(SVM_INSN_MODE_64, bytes, count, &fresh);
	const bool is_common = svm_insn_decode_common(SVM_INSN_MODE_64, bytes, count, &common);

	if (is_common && (status != SVM_INSN_OK || !is_same(&common, &fresh)))
		ck_abort_msg("%02x %02x %02x %02x %02x, %zu of them", bytes[0], bytes[1], bytes[2],
		             bytes[3], bytes[4], count);
	/* All that it is for, too: an operand in memory, and no other prefix. */
	if (!is_common && status == SVM_INSN_OK)
		ck_assert(svm_insn_mod(&fresh) == 3 || svm_insn_reg(&fresh) != 0);
}

/* Each prefix and REX, each opcode, each ModRM, each SIB where there is one; any bytes behind. */
START_TEST(every_common_move_is_what_the_decoder_says)
{
	for (unsigned prefix = 0; prefix < 34; prefix++)
		for (unsigned modrm = 0; modrm < 256; modrm++)
			for (unsigned sib = 0; sib < ((modrm & 7) == 4 && modrm < 0xc0 ? 256 : 1);
			     sib++) {
				uint8_t bytes[16];
				unsigned at = 0;

				for (unsigned i = 0; i < 16; i++)
					bytes[i] = (uint8_t)draw(256);
				if (prefix >= 17)
					bytes[at++] = 0x66;
				if (prefix % 17 < 16)
					bytes[at++] = (uint8_t)(0x40 + prefix % 17);
				put_opcode(bytes, &at, (unsigned)_i);
				bytes[at++] = (uint8_t)modrm;
				if ((modrm & 7) == 4 && modrm < 0xc0)
					bytes[at] = (uint8_t)sib;
				check_common(bytes, sib % 8 ? 15 : draw(16));
			}
}
END_TEST

/* --- the plain form --------------------------------------------------------------------------- */

static uint64_t any_word(void)
{
	return (uint64_t)draw(0xffffffff) << 32 | draw(0xffffffff);
}

static bool is_place_right(struct svm_emul *e, const struct svm_plain_form *form)
{
	const bool is_offset = !e->insn.has_modrm;
	const uint64_t offset = svm_plain_offset(form, e->insn.disp, e->rip + e->insn.length);
	unsigned segment = SVM_EMUL_DS;
	const uint64_t address = is_offset ? (uint64_t)e->insn.disp & svm_emul_address_mask(e)
	                                   : svm_emul_effective_address(e, &segment);

	return (is_offset || svm_emul_rm_is_memory(e)) &&
	       svm_plain_address(form, offset, e->gpr) == address &&
	       form->is_wide == svm_emul_is_long(e) &&
	       form->segment == svm_emul_data_segment(e, segment);
}

static bool is_value_right(struct svm_emul *e, const struct svm_plain_form *form)
{
	const unsigned reg = e->insn.has_modrm ? svm_emul_reg(e) : (unsigned)SVM_EMUL_RAX;
	uint64_t gpr[16], value = any_word();

	if (form->kind == SVM_PLAIN_STORE)
		return svm_plain_source(form, 0, e->gpr) == svm_emul_get_reg(e, reg, form->size);
	if (form->kind == SVM_PLAIN_STORE_IMMEDIATE)
		return svm_plain_source(form, e->insn.imm[0], e->gpr) ==
		       (e->insn.imm[0] & svm_emul_mask(form->size));
	memcpy(gpr, e->gpr, sizeof(gpr));
	svm_plain_finish_load(form, value, gpr);
	svm_emul_set_reg(e, reg, form->reg_size, value & svm_emul_mask(form->size));
	return memcmp(gpr, e->gpr, sizeof(gpr)) == 0;
}

/* An assertion that holds writes a line to libcheck's file: none for each instruction. */
static void check_form(struct svm_emul *e, const struct svm_plain_form *form)
{
	if (!is_place_right(e, form))
		ck_abort_msg("opcode %02x: another place", e->insn.opcode);
	if (!is_value_right(e, form))
		ck_abort_msg("opcode %02x: another value", e->insn.opcode);
}

/* Against the functions that all other instructions use. */
START_TEST(a_plain_form_is_the_instruction)
{
	const enum svm_insn_mode mode = _i ? SVM_INSN_MODE_32 : SVM_INSN_MODE_64;
	uint64_t gpr[16];
	struct svm_emul e = { .gpr = gpr, .mode = mode };
	struct svm_plain_form form;
	unsigned seen[4] = { 0 };

	for (unsigned i = 0; i < 300000; i++) {
		uint8_t bytes[16];
		unsigned at = 0;

		for (unsigned n = 0; n < 16; n++) {
			bytes[n] = (uint8_t)draw(256);
			gpr[n] = any_word();
		}
		if (mode == SVM_INSN_MODE_32 && draw(4) == 0)
			bytes[at++] = (uint8_t)(0x26 + draw(4) * 8); /* ES, CS, SS, DS */
		if (draw(2))
			bytes[at++] = (uint8_t)(!_i && draw(4) ? 0x40 + draw(16) : 0x66);
		if (draw(8))
			put_opcode(bytes, &at, draw(8));
		else
			bytes[at++] = (uint8_t)(0xa0 + draw(4));
		if (draw(2))
			bytes[at] &= 0xc7; /* For C6 and C7, which want 0 there. */
		if (svm_insn_decode(mode, bytes, 15, &e.insn) != SVM_INSN_OK)
			continue;
		svm_plain_form(mode, &e.insn, &form);
		seen[form.kind]++;
		e.rip = any_word();
		if (form.kind != SVM_PLAIN_NONE)
			check_form(&e, &form);
	}
	for (unsigned kind = 0; kind < 4; kind++)
		ck_assert_uint_gt(seen[kind], 1000);
}
END_TEST

static const struct {
	const char *what;
	enum svm_insn_mode mode;
	const char *bytes;
} not_plain_rows[] = {
	{ "a register", M64, "\x89\xc3" },
	{ "AH", M64, "\x88\x23" },
	{ "FS", M64, "\x64\x89\x03" },
	{ "GS", M64, "\x65\x89\x03" },
	{ "32-bit addresses", M64, "\x67\x89\x03" },
	{ "FS in 32-bit code", M32, "\x64\xa1\x10\x00\x00\x00" },
	{ "16-bit addresses", M32, "\x67\x89\x03" },
	{ "16-bit code", M16, "\x89\x03" },
	{ "16-bit code, 32-bit addresses", M16, "\x67\x89\x03" },
	{ "OR", M64, "\x09\x03" },
	{ "MOVSX", M64, "\x0f\xbe\x03" },
	{ "a segment register", M64, "\x8c\x03" },
	{ "MOVBE", M64, "\x0f\x38\xf1\x03" },
	{ "MOVAPS", M64, "\x0f\x28\x03" },
	{ "VMOVAPS", M64, "\xc5\xf8\x29\x03" },
};

START_TEST(nothing_else_is_a_plain_move)
{
	uint8_t bytes[16];
	struct svm_insn insn;
	struct svm_plain_form form;

	pad(bytes, not_plain_rows[_i].bytes, strlen(not_plain_rows[_i].bytes));
	ck_assert_int_eq(svm_insn_decode(not_plain_rows[_i].mode, bytes, 15, &insn), SVM_INSN_OK);
	svm_plain_form(not_plain_rows[_i].mode, &insn, &form);
	ck_assert_msg(form.kind == SVM_PLAIN_NONE, "%s", not_plain_rows[_i].what);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("insn_cache");
	TCase *tc = tcase_create("insn_cache");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 100);
	tcase_add_loop_test(tc, an_entry_serves_only_its_own_bytes, 0, ROWS(pair_rows));
	tcase_add_test(tc, an_empty_cache_knows_nothing);
	tcase_add_test(tc, random_bytes_are_what_the_decoder_says);
	tcase_add_loop_test(tc, every_common_move_is_what_the_decoder_says, 0, 8);
	tcase_add_loop_test(tc, a_plain_form_is_the_instruction, 0, 2);
	tcase_add_loop_test(tc, nothing_else_is_a_plain_move, 0, ROWS(not_plain_rows));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
