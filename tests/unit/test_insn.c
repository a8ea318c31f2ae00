/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Decoding, by tables.  Lengths and widths are those of APM vol. 3; each byte string was written
 * down from the opcode maps there.  The program is built twice, with the hosted library and with
 * the freestanding archive itself, which is linkable into a process since decoding needs no ring 0.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/insn.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define M16      SVM_INSN_MODE_16
#define M32      SVM_INSN_MODE_32
#define M64      SVM_INSN_MODE_64
#define REAL     SVM_INSN_MODE_REAL

/* A byte string with its length, without the terminating zero. */
#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static struct svm_insn decode(enum svm_insn_mode mode, const uint8_t *bytes, size_t count,
                              const char *what)
{
	struct svm_insn insn;
	const enum svm_insn_status status = svm_insn_decode(mode, bytes, count, &insn);

	ck_assert_msg(status == SVM_INSN_OK, "%s: status %d", what, (int)status);
	return insn;
}

/* Every instruction that an intercept names: its length is what RIP advances by. */
static const struct {
	const char *what;
	enum svm_insn_mode mode;
	const uint8_t *bytes;
	size_t length;
	enum svm_insn_kind kind;
} kind_rows[] = {
	{ "cpuid", M64, BYTES("\x0f\xa2"), SVM_INSN_CPUID },
	{ "cpuid in real mode", REAL, BYTES("\x0f\xa2"), SVM_INSN_CPUID },
	{ "cpuid with useless prefixes", M64, BYTES("\x66\x2e\x48\x0f\xa2"), SVM_INSN_CPUID },
	{ "rdtsc", M64, BYTES("\x0f\x31"), SVM_INSN_RDTSC },
	{ "rdtscp", M64, BYTES("\x0f\x01\xf9"), SVM_INSN_RDTSCP },
	{ "rdpmc", M64, BYTES("\x0f\x33"), SVM_INSN_RDPMC },
	{ "rdpru", M64, BYTES("\x0f\x01\xfd"), SVM_INSN_RDPRU },
	{ "rdmsr", M64, BYTES("\x0f\x32"), SVM_INSN_RDMSR },
	{ "wrmsr", M64, BYTES("\x0f\x30"), SVM_INSN_WRMSR },
	{ "hlt", M64, BYTES("\xf4"), SVM_INSN_HLT },
	{ "pause", M64, BYTES("\xf3\x90"), SVM_INSN_PAUSE },
	{ "pause with a late operand size", M64, BYTES("\xf3\x66\x90"), SVM_INSN_PAUSE },
	{ "nop is no pause", M64, BYTES("\x90"), SVM_INSN_OTHER },
	{ "xchg r8, rax is no pause", M64, BYTES("\xf3\x49\x90"), SVM_INSN_OTHER },
	{ "invd", M64, BYTES("\x0f\x08"), SVM_INSN_INVD },
	{ "wbinvd", M64, BYTES("\x0f\x09"), SVM_INSN_WBINVD },
	{ "wbnoinvd", M64, BYTES("\xf3\x0f\x09"), SVM_INSN_WBINVD },
	{ "invlpg [rax]", M64, BYTES("\x0f\x01\x38"), SVM_INSN_INVLPG },
	{ "invlpg [rip + disp32]", M64, BYTES("\x0f\x01\x3d\x44\x33\x22\x11"), SVM_INSN_INVLPG },
	{ "invlpg gs:[r13]", M64, BYTES("\x65\x41\x0f\x01\x7d\x00"), SVM_INSN_INVLPG },
	{ "invlpga", M64, BYTES("\x0f\x01\xdf"), SVM_INSN_INVLPGA },
	{ "invlpgb", M64, BYTES("\x0f\x01\xfe"), SVM_INSN_INVLPGB },
	{ "tlbsync", M64, BYTES("\x0f\x01\xff"), SVM_INSN_TLBSYNC },
	{ "invpcid rax, [rcx]", M64, BYTES("\x66\x0f\x38\x82\x01"), SVM_INSN_INVPCID },
	{ "mov rax, cr0", M64, BYTES("\x0f\x20\xc0"), SVM_INSN_MOV_FROM_CR },
	{ "mov cr3, rax", M64, BYTES("\x0f\x22\xd8"), SVM_INSN_MOV_TO_CR },
	{ "mov cr8, rax", M64, BYTES("\x44\x0f\x22\xc0"), SVM_INSN_MOV_TO_CR },
	{ "mov cr0, eax, memory form of ModRM", M32, BYTES("\x0f\x22\x00"), SVM_INSN_MOV_TO_CR },
	{ "mov rdx, dr7", M64, BYTES("\x0f\x21\xfa"), SVM_INSN_MOV_FROM_DR },
	{ "mov dr0, rax", M64, BYTES("\x0f\x23\xc0"), SVM_INSN_MOV_TO_DR },
	{ "mov eax, ecx is no mov cr", M64, BYTES("\x89\xc8"), SVM_INSN_OTHER },
	{ "clts", M64, BYTES("\x0f\x06"), SVM_INSN_CLTS },
	{ "lmsw ax", M64, BYTES("\x0f\x01\xf0"), SVM_INSN_LMSW },
	{ "lmsw [rax + disp8]", M64, BYTES("\x0f\x01\x70\x10"), SVM_INSN_LMSW },
	{ "smsw eax", M32, BYTES("\x0f\x01\xe0"), SVM_INSN_SMSW },
	{ "xsetbv", M64, BYTES("\x0f\x01\xd1"), SVM_INSN_XSETBV },
	{ "monitor", M64, BYTES("\x0f\x01\xc8"), SVM_INSN_MONITOR },
	{ "mwait", M64, BYTES("\x0f\x01\xc9"), SVM_INSN_MWAIT },
	{ "monitorx", M64, BYTES("\x0f\x01\xfa"), SVM_INSN_MONITORX },
	{ "mwaitx", M64, BYTES("\x0f\x01\xfb"), SVM_INSN_MWAITX },
	{ "mcommit", M64, BYTES("\xf3\x0f\x01\xfa"), SVM_INSN_MCOMMIT },
	{ "vmrun", M64, BYTES("\x0f\x01\xd8"), SVM_INSN_VMRUN },
	{ "vmmcall", M64, BYTES("\x0f\x01\xd9"), SVM_INSN_VMMCALL },
	{ "vmload", M64, BYTES("\x0f\x01\xda"), SVM_INSN_VMLOAD },
	{ "vmsave", M64, BYTES("\x0f\x01\xdb"), SVM_INSN_VMSAVE },
	{ "stgi", M64, BYTES("\x0f\x01\xdc"), SVM_INSN_STGI },
	{ "clgi", M64, BYTES("\x0f\x01\xdd"), SVM_INSN_CLGI },
	{ "skinit", M64, BYTES("\x0f\x01\xde"), SVM_INSN_SKINIT },
	{ "vmcall", M64, BYTES("\x0f\x01\xc1"), SVM_INSN_VMCALL },
	{ "swapgs", M64, BYTES("\x0f\x01\xf8"), SVM_INSN_SWAPGS },
	{ "rsm", M64, BYTES("\x0f\xaa"), SVM_INSN_RSM },
	{ "int 80h", M64, BYTES("\xcd\x80"), SVM_INSN_INT },
	{ "int3", M64, BYTES("\xcc"), SVM_INSN_INT3 },
	{ "int1", M64, BYTES("\xf1"), SVM_INSN_INT1 },
	{ "into", M32, BYTES("\xce"), SVM_INSN_INTO },
	{ "bound eax, [eax]", M32, BYTES("\x62\x00"), SVM_INSN_BOUND },
	{ "pushf", M16, BYTES("\x9c"), SVM_INSN_PUSHF },
	{ "pushfq", M64, BYTES("\x9c"), SVM_INSN_PUSHF },
	{ "popf", M32, BYTES("\x66\x9d"), SVM_INSN_POPF },
	{ "popfq", M64, BYTES("\x9d"), SVM_INSN_POPF },
	{ "iret", REAL, BYTES("\xcf"), SVM_INSN_IRET },
	{ "iretq", M64, BYTES("\x48\xcf"), SVM_INSN_IRET },
	{ "sgdt [rax]", M64, BYTES("\x0f\x01\x00"), SVM_INSN_SGDT },
	{ "sidt [rax]", M64, BYTES("\x0f\x01\x08"), SVM_INSN_SIDT },
	{ "lgdt [bx]", REAL, BYTES("\x0f\x01\x17"), SVM_INSN_LGDT },
	{ "lidt [disp16]", REAL, BYTES("\x0f\x01\x1e\x34\x12"), SVM_INSN_LIDT },
	{ "sldt ax", M64, BYTES("\x0f\x00\xc0"), SVM_INSN_SLDT },
	{ "str ax", M64, BYTES("\x0f\x00\xc8"), SVM_INSN_STR },
	{ "lldt ax", M64, BYTES("\x0f\x00\xd0"), SVM_INSN_LLDT },
	{ "ltr ax", M64, BYTES("\x0f\x00\xd8"), SVM_INSN_LTR },
	{ "cli", M64, BYTES("\xfa"), SVM_INSN_CLI },
	{ "sti", M64, BYTES("\xfb"), SVM_INSN_STI },
	{ "in al, 60h", M64, BYTES("\xe4\x60"), SVM_INSN_IN },
	{ "in eax, dx", M64, BYTES("\xed"), SVM_INSN_IN },
	{ "out 80h, al", M64, BYTES("\xe6\x80"), SVM_INSN_OUT },
	{ "out dx, ax", M64, BYTES("\x66\xef"), SVM_INSN_OUT },
	{ "rep insb", M64, BYTES("\xf3\x6c"), SVM_INSN_INS },
	{ "rep insw, 32-bit address", M64, BYTES("\x67\xf3\x66\x6d"), SVM_INSN_INS },
	{ "insd", M64, BYTES("\x6d"), SVM_INSN_INS },
	{ "fs outsb", M64, BYTES("\x64\x6e"), SVM_INSN_OUTS },
	{ "outsw", M16, BYTES("\x6f"), SVM_INSN_OUTS },
	{ "outsd", M32, BYTES("\x6f"), SVM_INSN_OUTS },
};

START_TEST(intercepted_instructions_have_their_kind_and_length)
{
	const struct svm_insn insn = decode(kind_rows[_i].mode, kind_rows[_i].bytes,
	                                    kind_rows[_i].length, kind_rows[_i].what);

	ck_assert_msg(insn.kind == kind_rows[_i].kind, "%s: decoded as %s", kind_rows[_i].what,
	              svm_insn_kind_name(insn.kind));
	ck_assert_uint_eq(insn.length, kind_rows[_i].length);
}
END_TEST

/* The bytes behind an instruction are not its own: followed by anything it decodes the same. */
START_TEST(bytes_behind_an_instruction_do_not_matter)
{
	const uint8_t junk[] = { 0x00, 0x0f, 0x66, 0xf0, 0xff };
	struct svm_insn alone = decode(kind_rows[_i].mode, kind_rows[_i].bytes,
	                               kind_rows[_i].length, kind_rows[_i].what);

	for (unsigned int i = 0; i < COUNT(junk); i++) {
		uint8_t bytes[SVM_INSN_MAX_LENGTH];

		memset(bytes, junk[i], sizeof(bytes));
		memcpy(bytes, kind_rows[_i].bytes, kind_rows[_i].length);
		struct svm_insn followed =
			decode(kind_rows[_i].mode, bytes, sizeof(bytes), kind_rows[_i].what);
		ck_assert_mem_eq(&followed, &alone, sizeof(alone));
	}
}
END_TEST

/* Cut anywhere before its end, each is TRUNCATED, never another instruction and never illegal. */
START_TEST(a_cut_instruction_is_truncated)
{
	struct svm_insn insn;

	for (size_t count = 0; count < kind_rows[_i].length; count++) {
		/* Without its last byte some rows are whole instructions; none of these is. */
		const enum svm_insn_status status =
			svm_insn_decode(kind_rows[_i].mode, kind_rows[_i].bytes, count, &insn);
		ck_assert_msg(status == SVM_INSN_TRUNCATED, "%s, %zu bytes: status %d",
		              kind_rows[_i].what, count, (int)status);
	}
}
END_TEST

/* Lengths that depend on the mode, the prefixes and the vendor. */
static const struct {
	const char *what;
	enum svm_insn_mode mode;
	const uint8_t *bytes;
	size_t length;
	uint8_t operand_width, address_width;
} length_rows[] = {
	/* AMD: 66 makes the displacement of a near branch 16 bits wide, in 64-bit mode too. */
	{ "call rel32", M64, BYTES("\xe8\x44\x33\x22\x11"), 64, 64 },
	{ "call rel16 in 64-bit mode", M64, BYTES("\x66\xe8\x22\x11"), 16, 64 },
	{ "jmp rel16 in 64-bit mode", M64, BYTES("\x66\xe9\x22\x11"), 16, 64 },
	{ "jz rel16 in 64-bit mode", M64, BYTES("\x66\x0f\x84\x22\x11"), 16, 64 },
	{ "jz rel32", M64, BYTES("\x0f\x84\x44\x33\x22\x11"), 64, 64 },
	{ "jmp rel16", M16, BYTES("\xe9\x22\x11"), 16, 16 },
	{ "jmp rel32 in 16-bit mode", M16, BYTES("\x66\xe9\x44\x33\x22\x11"), 32, 16 },

	{ "mov [rdi], eax", M64, BYTES("\x89\x07"), 32, 64 },
	{ "mov [rdi], rax", M64, BYTES("\x48\x89\x07"), 64, 64 },
	{ "mov [rdi], ax", M64, BYTES("\x66\x89\x07"), 16, 64 },
	{ "REX.W wins over 66", M64, BYTES("\x66\x48\x89\x07"), 64, 64 },
	{ "REX that is not last is ignored", M64, BYTES("\x48\x66\x89\x07"), 16, 64 },
	{ "mov [edi], al", M64, BYTES("\x67\x88\x07"), 8, 32 },
	{ "mov al, moffs64", M64, BYTES("\xa0\x88\x77\x66\x55\x44\x33\x22\x11"), 8, 64 },
	{ "mov eax, moffs32", M64, BYTES("\x67\xa1\x44\x33\x22\x11"), 32, 32 },
	{ "mov rax, imm64", M64, BYTES("\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11"), 64, 64 },
	{ "mov dword [rip + d], imm32", M64, BYTES("\xc7\x05\x44\x33\x22\x11\x88\x77\x66\x55"), 32,
	  64 },
	{ "mov es:[edx], al in 16-bit mode", M16, BYTES("\x67\x26\x88\x02"), 8, 32 },
	{ "mov [bx + si], al", REAL, BYTES("\x88\x00"), 8, 16 },
	{ "mov [bp + disp8], ax", REAL, BYTES("\x89\x46\x00"), 16, 16 },
	{ "mov [disp16], ax", REAL, BYTES("\x89\x06\x34\x12"), 16, 16 },
	{ "mov [esp + disp32], eax", M32, BYTES("\x89\x84\x24\x44\x33\x22\x11"), 32, 32 },
	{ "movzx eax, byte [rdi]", M64, BYTES("\x0f\xb6\x07"), 32, 64 },
	{ "rep movsq", M64, BYTES("\xf3\x48\xa5"), 64, 64 },
	{ "lock cmpxchg [rdi], ecx", M64, BYTES("\xf0\x0f\xb1\x0f"), 32, 64 },
	{ "enter", M64, BYTES("\xc8\x10\x00\x01"), 64, 64 },
	{ "jmp far ptr16:32", M32, BYTES("\xea\x44\x33\x22\x11\x08\x00"), 32, 32 },
	{ "test byte [rax], imm8 (F6 /0)", M64, BYTES("\xf6\x00\x01"), 8, 64 },
	{ "not byte [rax] (F6 /2) has none", M64, BYTES("\xf6\x10"), 8, 64 },
	{ "vmovdqu [rdi], ymm0", M64, BYTES("\xc5\xfe\x7f\x07"), 32, 64 },
	{ "pshufb mm0, mm1 (0F 38)", M64, BYTES("\x0f\x38\x00\xc1"), 32, 64 },
	{ "pfadd mm0, mm1 (3DNow!)", M64, BYTES("\x0f\x0f\xc1\x9e"), 32, 64 },
	{ "15 bytes", M64, BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2"),
	  16, 64 },
	{ "15 bytes that matter", M64,
	  BYTES("\x2e\x65\xf0\x48\x81\x84\x98\x44\x33\x22\x11\x88\x77\x66\x55"), 64, 64 },
};

START_TEST(lengths_and_widths_follow_mode_and_prefixes)
{
	const struct svm_insn insn = decode(length_rows[_i].mode, length_rows[_i].bytes,
	                                    length_rows[_i].length, length_rows[_i].what);

	ck_assert_msg(insn.length == length_rows[_i].length, "%s: length %u", length_rows[_i].what,
	              insn.length);
	ck_assert_msg(insn.operand_width == length_rows[_i].operand_width, "%s: operand %u",
	              length_rows[_i].what, insn.operand_width);
	ck_assert_msg(insn.address_width == length_rows[_i].address_width, "%s: address %u",
	              length_rows[_i].what, insn.address_width);
}
END_TEST

/* What must not be decoded, and with which verdict. */
static const struct {
	const char *what;
	enum svm_insn_mode mode;
	const uint8_t *bytes;
	size_t count;
	enum svm_insn_status status;
} refused_rows[] = {
	{ "no byte", M64, BYTES(""), SVM_INSN_TRUNCATED },
	{ "prefixes alone", M64, BYTES("\x66\xf3"), SVM_INSN_TRUNCATED },
	{ "16 bytes by prefixes", M64,
	  BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2"),
	  SVM_INSN_TOO_LONG },
	{ "16 bytes by an immediate", M64,
	  BYTES("\x2e\x2e\x65\xf0\x48\x81\x84\x98\x44\x33\x22\x11\x88\x77\x66\x55"),
	  SVM_INSN_TOO_LONG },
	{ "15 prefixes and no end", M64,
	  BYTES("\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e"),
	  SVM_INSN_TOO_LONG },
	{ "lock mov [rdi], eax", M64, BYTES("\xf0\x89\x07"), SVM_INSN_ILLEGAL },
	{ "lock add eax, ecx: no memory", M64, BYTES("\xf0\x01\xc8"), SVM_INSN_ILLEGAL },
	{ "lock cpuid", M64, BYTES("\xf0\x0f\xa2"), SVM_INSN_ILLEGAL },
	{ "lock cmp [rdi], eax: not written", M64, BYTES("\xf0\x39\x07"), SVM_INSN_ILLEGAL },
	{ "lock vmmcall", M64, BYTES("\xf0\x0f\x01\xd9"), SVM_INSN_ILLEGAL },
	{ "mov rax, cr1", M64, BYTES("\x0f\x20\xc8"), SVM_INSN_ILLEGAL },
	{ "mov cr9, rax", M64, BYTES("\x44\x0f\x22\xc8"), SVM_INSN_ILLEGAL },
	{ "mov dr8, rax", M64, BYTES("\x44\x0f\x23\xc0"), SVM_INSN_ILLEGAL },
	{ "mov cs, ax", M64, BYTES("\x8e\xc8"), SVM_INSN_ILLEGAL },
	{ "ud2 is an instruction without a verdict", M64, BYTES("\x0f\x0b"), SVM_INSN_OK },
	{ "push es in 64-bit mode", M64, BYTES("\x06"), SVM_INSN_UNKNOWN },
	{ "into in 64-bit mode", M64, BYTES("\xce"), SVM_INSN_UNKNOWN },
	{ "lea with a register operand", M64, BYTES("\x8d\xc0"), SVM_INSN_UNKNOWN },
	{ "VEX in real mode is LES or LDS", REAL, BYTES("\xc5\x07"), SVM_INSN_OK },
	{ "VEX after 66", M64, BYTES("\x66\xc5\xfe\x7f\x07"), SVM_INSN_ILLEGAL },
	{ "VEX after REX", M64, BYTES("\x48\xc5\xfe\x7f\x07"), SVM_INSN_ILLEGAL },
	{ "EVEX is left out of the decoder", M64, BYTES("\x62\xf1\x7c\x48\x11\x07"),
	  SVM_INSN_UNKNOWN },
};

START_TEST(refusals_say_why)
{
	struct svm_insn insn, before;

	memset(&insn, 0xa5, sizeof(insn));
	before = insn;
	const enum svm_insn_status status = svm_insn_decode(
		refused_rows[_i].mode, refused_rows[_i].bytes, refused_rows[_i].count, &insn);
	ck_assert_msg(status == refused_rows[_i].status, "%s: status %d", refused_rows[_i].what,
	              (int)status);
	if (status != SVM_INSN_OK)
		ck_assert_mem_eq(&insn, &before, sizeof(insn));
}
END_TEST

START_TEST(raw_fields_are_the_bytes)
{
	/* lock add qword gs:[rax + rbx*4 + 11223344h], 55667788h, by r8-r15 forms: REX = WXB */
	const uint8_t bytes[] = { 0x65, 0xf0, 0x4b, 0x81, 0x84, 0x98, 0x44,
		                  0x33, 0x22, 0x91, 0x88, 0x77, 0x66, 0xd5 };
	const struct svm_insn insn = decode(M64, bytes, sizeof(bytes), "lock add");

	ck_assert_uint_eq(insn.length, 14);
	ck_assert_uint_eq(insn.map, SVM_INSN_MAP_PRIMARY);
	ck_assert_uint_eq(insn.opcode, 0x81);
	ck_assert_uint_eq(insn.encoding, SVM_INSN_LEGACY);
	ck_assert_uint_eq(insn.prefixes, SVM_INSN_LOCK | SVM_INSN_REX);
	ck_assert_uint_eq(insn.segment, SVM_INSN_SEG_GS);
	ck_assert_uint_eq(insn.rex, SVM_INSN_REX_W | SVM_INSN_REX_X | SVM_INSN_REX_B);
	ck_assert(insn.has_modrm);
	ck_assert_uint_eq(insn.modrm, 0x84);
	ck_assert_uint_eq(svm_insn_mod(&insn), 2);
	ck_assert_uint_eq(svm_insn_reg(&insn), 0);
	ck_assert_uint_eq(svm_insn_rm(&insn), 4);
	ck_assert(insn.has_sib);
	ck_assert_uint_eq(insn.sib, 0x98);
	ck_assert_uint_eq(insn.disp_size, 4);
	ck_assert_int_eq(insn.disp, -0x6eddccbc);
	ck_assert_uint_eq(insn.imm_size[0], 4);
	ck_assert_uint_eq(insn.imm[0], 0xffffffffd5667788);
	ck_assert_uint_eq(insn.imm_size[1], 0);
}
END_TEST

/* 67 41 8B 04 25 disp32: the one form whose memory operand Zydis 4.0.0 gets wrong.  Raw is right.
 */
START_TEST(the_form_zydis_gets_wrong_is_whole_in_raw)
{
	const struct svm_insn insn =
		decode(M64, BYTES("\x67\x41\x8b\x04\x25\x44\x33\x22\x11"), "mov eax, [disp32]");

	ck_assert_uint_eq(insn.length, 9);
	ck_assert_uint_eq(insn.address_width, 32);
	ck_assert_uint_eq(insn.rex, SVM_INSN_REX_B);
	ck_assert_uint_eq(insn.modrm, 0x04);
	ck_assert_uint_eq(insn.sib, 0x25);
	ck_assert_uint_eq(insn.disp_size, 4);
	ck_assert_int_eq(insn.disp, 0x11223344);
}
END_TEST

START_TEST(two_immediates_are_kept_apart)
{
	const struct svm_insn enter = decode(M32, BYTES("\xc8\x34\x12\x05"), "enter");
	const struct svm_insn jump = decode(M32, BYTES("\xea\x44\x33\x22\x11\x08\xf0"), "jmp far");

	ck_assert_uint_eq(enter.imm_size[0], 2);
	ck_assert_uint_eq(enter.imm[0], 0x1234);
	ck_assert_uint_eq(enter.imm_size[1], 1);
	ck_assert_uint_eq(enter.imm[1], 5);
	ck_assert_uint_eq(jump.imm_size[0], 4);
	ck_assert_uint_eq(jump.imm[0], 0x11223344);
	ck_assert_uint_eq(jump.imm_size[1], 2);
	ck_assert_uint_eq(jump.imm[1] & 0xffff, 0xf008);
}
END_TEST

START_TEST(vex_and_xop_bits_come_uninverted)
{
	/* vmovdqu [r8 + r9], ymm10: C4 RXB=000 (inverted), W0 vvvv=1111 L1 pp=10 */
	const struct svm_insn vex = decode(M64, BYTES("\xc4\x01\x7e\x7f\x14\x08"), "vmovdqu");
	/* andn ecx, ebx, [rax]: vvvv = ~3 */
	const struct svm_insn andn = decode(M64, BYTES("\xc4\xe2\x60\xf2\x08"), "andn");
	/* blcfill ecx, [rax] (XOP 9, 01 /1): vvvv = ~1 */
	const struct svm_insn xop = decode(M64, BYTES("\x8f\xe9\x70\x01\x08"), "blcfill");

	ck_assert_uint_eq(vex.encoding, SVM_INSN_VEX);
	ck_assert_uint_eq(vex.map, SVM_INSN_MAP_0F);
	ck_assert_uint_eq(vex.opcode, 0x7f);
	ck_assert_uint_eq(vex.rex, SVM_INSN_REX_R | SVM_INSN_REX_X | SVM_INSN_REX_B);
	ck_assert_uint_eq(vex.vvvv, 0);
	ck_assert_uint_eq(vex.vex_l, 1);
	ck_assert_uint_eq(andn.map, SVM_INSN_MAP_0F38);
	ck_assert_uint_eq(andn.vvvv, 3);
	ck_assert_uint_eq(andn.vex_l, 0);
	ck_assert_uint_eq(andn.rex, 0);
	ck_assert_uint_eq(xop.encoding, SVM_INSN_XOP);
	ck_assert_uint_eq(xop.map, SVM_INSN_MAP_XOP9);
	ck_assert_uint_eq(xop.vvvv, 1);
}
END_TEST

/* Prefixes of one group, in every order. */
static const struct {
	const char *what;
	enum svm_insn_mode mode;
	const uint8_t *bytes;
	size_t count;
	uint8_t prefixes, segment;
} prefix_rows[] = {
	{ "none", M64, BYTES("\xa4"), 0, SVM_INSN_SEG_DEFAULT },
	{ "es", M32, BYTES("\x26\xa4"), 0, SVM_INSN_SEG_ES },
	{ "cs", M32, BYTES("\x2e\xa4"), 0, SVM_INSN_SEG_CS },
	{ "ss", M32, BYTES("\x36\xa4"), 0, SVM_INSN_SEG_SS },
	{ "ds", M32, BYTES("\x3e\xa4"), 0, SVM_INSN_SEG_DS },
	{ "fs", M32, BYTES("\x64\xa4"), 0, SVM_INSN_SEG_FS },
	{ "gs", M32, BYTES("\x65\xa4"), 0, SVM_INSN_SEG_GS },
	{ "the last segment counts", M32, BYTES("\x64\x26\xa4"), 0, SVM_INSN_SEG_ES },
	{ "64-bit mode ignores es", M64, BYTES("\x26\xa4"), 0, SVM_INSN_SEG_DEFAULT },
	{ "an ignored es leaves fs", M64, BYTES("\x64\x26\xa4"), 0, SVM_INSN_SEG_FS },
	{ "gs after fs", M64, BYTES("\x64\x65\xa4"), 0, SVM_INSN_SEG_GS },
	{ "rep", M64, BYTES("\xf3\xa4"), SVM_INSN_REP, SVM_INSN_SEG_DEFAULT },
	{ "repne", M64, BYTES("\xf2\xa6"), SVM_INSN_REPNE, SVM_INSN_SEG_DEFAULT },
	{ "repne then rep", M64, BYTES("\xf2\xf3\xa6"), SVM_INSN_REP, SVM_INSN_SEG_DEFAULT },
	{ "rep then repne", M64, BYTES("\xf3\xf2\xa6"), SVM_INSN_REPNE, SVM_INSN_SEG_DEFAULT },
	{ "sizes", M32, BYTES("\x67\x66\xa5"), SVM_INSN_OPSIZE | SVM_INSN_ADDRSIZE,
	  SVM_INSN_SEG_DEFAULT },
	{ "empty REX", M64, BYTES("\x40\x88\xf0"), SVM_INSN_REX, SVM_INSN_SEG_DEFAULT },
	{ "REX before a prefix is none", M64, BYTES("\x41\x66\x89\xc0"), SVM_INSN_OPSIZE,
	  SVM_INSN_SEG_DEFAULT },
	{ "40h is INC outside 64-bit mode", M32, BYTES("\x40"), 0, SVM_INSN_SEG_DEFAULT },
};

START_TEST(of_each_prefix_group_the_last_counts)
{
	const struct svm_insn insn = decode(prefix_rows[_i].mode, prefix_rows[_i].bytes,
	                                    prefix_rows[_i].count, prefix_rows[_i].what);

	ck_assert_msg(insn.prefixes == prefix_rows[_i].prefixes, "%s: prefixes %#x",
	              prefix_rows[_i].what, insn.prefixes);
	ck_assert_msg(insn.segment == prefix_rows[_i].segment, "%s: segment %u",
	              prefix_rows[_i].what, insn.segment);
}
END_TEST

/* Random bytes in every mode: a verdict each time, a length in range, and nothing read past count.
 */
START_TEST(random_bytes_end_in_a_verdict)
{
	uint64_t random = 0x9e3779b97f4a7c15;

	for (unsigned int round = 0; round < 200000; round++) {
		uint8_t *bytes = malloc(SVM_INSN_MAX_LENGTH);
		struct svm_insn insn;

		if (!bytes)
			ck_abort_msg("no memory");
		for (unsigned int i = 0; i < SVM_INSN_MAX_LENGTH; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (uint8_t)(random >> 24);
		}
		const enum svm_insn_mode mode = (enum svm_insn_mode)(round & 3);
		if (svm_insn_decode(mode, bytes, SVM_INSN_MAX_LENGTH, &insn) == SVM_INSN_OK) {
			struct svm_insn again;

			if (insn.length < 1 || insn.length > SVM_INSN_MAX_LENGTH)
				ck_abort_msg("round %u: length %u", round, insn.length);
			if (svm_insn_decode(mode, bytes, insn.length, &again) != SVM_INSN_OK ||
			    memcmp(&insn, &again, sizeof(insn)) != 0)
				ck_abort_msg("round %u: exact length", round);
			if (svm_insn_decode(mode, bytes, insn.length - 1u, &again) !=
			    SVM_INSN_TRUNCATED)
				ck_abort_msg("round %u: a byte less is enough", round);
		}
		free(bytes);
	}
}
END_TEST

START_TEST(every_kind_has_a_name)
{
	for (unsigned int kind = 0; kind < SVM_INSN_KIND_COUNT; kind++)
		ck_assert_uint_gt(strlen(svm_insn_kind_name(kind)), 1);
	ck_assert_str_eq(svm_insn_kind_name(SVM_INSN_CPUID), "CPUID");
	ck_assert_str_eq(svm_insn_kind_name(SVM_INSN_KIND_COUNT), "?");
}
END_TEST

#ifdef FREESTANDING
/*
 * Stack of a decode in the kernel's build.  A thread runs it on a stack painted beforehand; what is
 * overwritten, less what an empty thread overwrites, was needed.
 */
#define STACK_SIZE (256 * 1024)
#define PAINT      0x5a

static void *decode_rows(void *unused)
{
	struct svm_insn insn;

	for (unsigned int i = 0; i < COUNT(length_rows); i++)
		(void)svm_insn_decode(length_rows[i].mode, length_rows[i].bytes,
		                      length_rows[i].length, &insn);
	return unused;
}

static void *do_nothing(void *unused)
{
	return unused;
}

static size_t stack_used(void *(*work)(void *))
{
	uint8_t *stack = aligned_alloc(4096, STACK_SIZE);
	pthread_attr_t attributes;
	pthread_t thread;
	size_t untouched = 0;

	ck_assert_ptr_nonnull(stack);
	memset(stack, PAINT, STACK_SIZE);
	ck_assert_int_eq(pthread_attr_init(&attributes), 0);
	ck_assert_int_eq(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
	ck_assert_int_eq(pthread_create(&thread, &attributes, work, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	while (untouched < STACK_SIZE && stack[untouched] == PAINT)
		untouched++;
	free(stack);
	return STACK_SIZE - untouched;
}

START_TEST(a_decode_needs_little_stack)
{
	const size_t empty = stack_used(do_nothing);
	const size_t with = stack_used(decode_rows);

	ck_assert_uint_gt(with, empty);
	ck_assert_msg(with - empty <= 1200, "%zu bytes", with - empty);
	printf("stack of a decode: %zu bytes\n", with - empty);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("insn");
	TCase *tables = tcase_create("tables");
	TCase *fields = tcase_create("fields");

	tcase_add_loop_test(tables, intercepted_instructions_have_their_kind_and_length, 0,
	                    COUNT(kind_rows));
	tcase_add_loop_test(tables, bytes_behind_an_instruction_do_not_matter, 0, COUNT(kind_rows));
	tcase_add_loop_test(tables, a_cut_instruction_is_truncated, 0, COUNT(kind_rows));
	tcase_add_loop_test(tables, lengths_and_widths_follow_mode_and_prefixes, 0,
	                    COUNT(length_rows));
	tcase_add_loop_test(tables, refusals_say_why, 0, COUNT(refused_rows));
	tcase_add_loop_test(tables, of_each_prefix_group_the_last_counts, 0, COUNT(prefix_rows));
	suite_add_tcase(suite, tables);

	tcase_set_timeout(fields, 60);
	tcase_add_test(fields, raw_fields_are_the_bytes);
	tcase_add_test(fields, the_form_zydis_gets_wrong_is_whole_in_raw);
	tcase_add_test(fields, two_immediates_are_kept_apart);
	tcase_add_test(fields, vex_and_xop_bits_come_uninverted);
	tcase_add_test(fields, random_bytes_end_in_a_verdict);
	tcase_add_test(fields, every_kind_has_a_name);
#ifdef FREESTANDING
	tcase_add_test(fields, a_decode_needs_little_stack);
#endif
	suite_add_tcase(suite, fields);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
