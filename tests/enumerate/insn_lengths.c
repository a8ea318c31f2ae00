/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scan for the length of an intercepted instruction against the full decoder: all strings of
 * up to two prefixes, every opcode that an exit can come from, every byte behind it, in 16-, 32-
 * and 64-bit code, for every exit code.  Both must say yes, with one length, or both no.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>

#include "core/vcpu/insn_length.h"
#include "emulate/insn.h"

#define COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))

/* Exit code, and the kinds of instructions behind it: more than one where processors differ. */
static const struct {
	uint64_t code;
	enum svm_insn_kind kind, other, third;
} exits[] = {
	{ SVM_EXIT_CPUID, SVM_INSN_CPUID, 0, 0 },
	{ SVM_EXIT_MSR, SVM_INSN_RDMSR, SVM_INSN_WRMSR, 0 },
	{ SVM_EXIT_HLT, SVM_INSN_HLT, 0, 0 },
	{ SVM_EXIT_IDLE_HLT, SVM_INSN_HLT, 0, 0 },
	{ SVM_EXIT_VMMCALL, SVM_INSN_VMMCALL, 0, 0 },
	{ SVM_EXIT_PAUSE, SVM_INSN_PAUSE, 0, 0 },
	{ SVM_EXIT_RDTSC, SVM_INSN_RDTSC, SVM_INSN_RDTSCP, 0 },
	{ SVM_EXIT_RDTSCP, SVM_INSN_RDTSCP, 0, 0 },
	{ SVM_EXIT_RDPMC, SVM_INSN_RDPMC, 0, 0 },
	{ SVM_EXIT_RDPRU, SVM_INSN_RDPRU, 0, 0 },
	{ SVM_EXIT_INVD, SVM_INSN_INVD, 0, 0 },
	{ SVM_EXIT_WBINVD, SVM_INSN_WBINVD, SVM_INSN_INVD, 0 },
	{ SVM_EXIT_XSETBV, SVM_INSN_XSETBV, 0, 0 },
	{ SVM_EXIT_MONITOR, SVM_INSN_MONITOR, SVM_INSN_MONITORX, 0 },
	{ SVM_EXIT_MWAIT, SVM_INSN_MWAIT, SVM_INSN_MWAITX, 0 },
	{ SVM_EXIT_MWAIT_COND, SVM_INSN_MWAIT, SVM_INSN_MWAITX, 0 },
	{ SVM_EXIT_INVLPG, SVM_INSN_INVLPG, 0, 0 },
	{ SVM_EXIT_INVPCID, SVM_INSN_INVPCID, 0, 0 },
	{ SVM_EXIT_PUSHF, SVM_INSN_PUSHF, 0, 0 },
	{ SVM_EXIT_POPF, SVM_INSN_POPF, 0, 0 },
	{ SVM_EXIT_IRET, SVM_INSN_IRET, 0, 0 },
	{ SVM_EXIT_INTN, SVM_INSN_INT, SVM_INSN_INT3, SVM_INSN_INTO },
	{ SVM_EXIT_EXCEPTION + 3, SVM_INSN_INT3, 0, 0 },
	{ SVM_EXIT_EXCEPTION + 4, SVM_INSN_INTO, 0, 0 },
	{ SVM_EXIT_ICEBP, SVM_INSN_INT1, 0, 0 },
	{ SVM_EXIT_RSM, SVM_INSN_RSM, 0, 0 },
	{ SVM_EXIT_LDTR_READ, SVM_INSN_SLDT, 0, 0 },
	{ SVM_EXIT_TR_READ, SVM_INSN_STR, 0, 0 },
	{ SVM_EXIT_LDTR_WRITE, SVM_INSN_LLDT, 0, 0 },
	{ SVM_EXIT_TR_WRITE, SVM_INSN_LTR, 0, 0 },
	{ SVM_EXIT_GDTR_READ, SVM_INSN_SGDT, 0, 0 },
	{ SVM_EXIT_IDTR_READ, SVM_INSN_SIDT, 0, 0 },
	{ SVM_EXIT_GDTR_WRITE, SVM_INSN_LGDT, 0, 0 },
	{ SVM_EXIT_IDTR_WRITE, SVM_INSN_LIDT, 0, 0 },
	{ SVM_EXIT_VMRUN, SVM_INSN_VMRUN, 0, 0 },
	{ SVM_EXIT_VMLOAD, SVM_INSN_VMLOAD, 0, 0 },
	{ SVM_EXIT_VMSAVE, SVM_INSN_VMSAVE, 0, 0 },
	{ SVM_EXIT_STGI, SVM_INSN_STGI, 0, 0 },
	{ SVM_EXIT_CLGI, SVM_INSN_CLGI, 0, 0 },
	{ SVM_EXIT_SKINIT, SVM_INSN_SKINIT, 0, 0 },
	{ SVM_EXIT_INVLPGA, SVM_INSN_INVLPGA, 0, 0 },
	{ SVM_EXIT_INVLPGB, SVM_INSN_INVLPGB, 0, 0 },
	{ SVM_EXIT_TLBSYNC, SVM_INSN_TLBSYNC, 0, 0 },
	{ SVM_EXIT_MCOMMIT, SVM_INSN_MCOMMIT, 0, 0 },
	{ SVM_EXIT_INTR, SVM_INSN_KIND_COUNT, 0, 0 },
	{ SVM_EXIT_NPF, SVM_INSN_KIND_COUNT, 0, 0 },
};

static bool is_kind(const struct svm_insn *insn, unsigned i)
{
	return insn->kind == exits[i].kind || (exits[i].other && insn->kind == exits[i].other) ||
	       (exits[i].third && insn->kind == exits[i].third);
}

static bool is_io(const struct svm_insn *insn)
{
	return insn->kind == SVM_INSN_IN || insn->kind == SVM_INSN_OUT ||
	       insn->kind == SVM_INSN_INS || insn->kind == SVM_INSN_OUTS;
}

/* Exit code of a MOV of a control or debug register; UINT64_MAX for another instruction. */
static uint64_t register_exit(const struct svm_insn *insn)
{
	uint64_t number = svm_insn_reg(insn) | (insn->rex & SVM_INSN_REX_R ? 8u : 0);

	if ((insn->prefixes & SVM_INSN_LOCK) && number == 0)
		number = 8; /* APM vol. 2, 15.21.3. */
	switch (insn->kind) {
	case SVM_INSN_MOV_FROM_CR:
		return SVM_EXIT_CR_READ + number;
	case SVM_INSN_MOV_TO_CR:
		return SVM_EXIT_CR_WRITE + number;
	case SVM_INSN_MOV_FROM_DR:
		return SVM_EXIT_DR_READ + number;
	case SVM_INSN_MOV_TO_DR:
		return SVM_EXIT_DR_WRITE + number;
	default:
		return UINT64_MAX;
	}
}

static const uint8_t prefixes[] = { 0x26, 0x2e, 0x64, 0x66, 0x67, 0xf0, 0xf2,
	                            0xf3, 0x40, 0x41, 0x42, 0x44, 0x48, 0x4f };
static uint64_t strings, agreed, differences, tolerated;

static void differ(const uint8_t *bytes, unsigned bits, uint64_t code, unsigned scan,
                   unsigned decoder)
{
	if (differences++ >= 20)
		return;
	printf("exit %#llx, %u-bit:", (unsigned long long)code, bits);
	for (unsigned i = 0; i < 8; i++)
		printf(" %02x", bytes[i]);
	printf(": scan %u, decoder %u\n", scan, decoder);
}

static void compare(const uint8_t *bytes, unsigned bits, uint64_t code, bool expected,
                    const struct svm_insn *insn)
{
	struct svm_insn_scan scan = { 0, 0 };
	const bool found = svm_insn_scan(bytes, 15, bits, code, &scan);

	if (found != expected || (found && scan.length != insn->length))
		differ(bytes, bits, code, scan.length, expected ? insn->length : 0);
	agreed += found && expected;
}

/*
 * The decoder knows no LOCK MOV of CR0.  The processor does, as CR8 (APM vol. 2, 15.21.3), so
 * these strings are judged by hand: F0 anywhere before 0F 20 or 0F 22, reg = 0, no REX.R.
 */
static bool is_locked_cr8(const uint8_t *bytes, unsigned at, unsigned bits)
{
	const bool is_mov =
		bytes[at] == 0x0f && (bytes[at + 1] | 2) == 0x22 && !(bytes[at + 2] & 0x38);
	const uint8_t last = at ? bytes[at - 1] : 0;
	bool lock = false;

	for (unsigned i = 0; i < at; i++) {
		lock = lock || bytes[i] == 0xf0;
		if (bits != 64 && (bytes[i] & 0xf0) == 0x40)
			return false;
	}
	return is_mov && lock && !((last & 0xf0) == 0x40 && (last & 4));
}

static void check_locked_cr8(const uint8_t *bytes, unsigned at, unsigned bits)
{
	const struct svm_insn insn = { .length = (uint8_t)(at + 3) };
	const uint64_t code = bytes[at + 1] == 0x20 ? SVM_EXIT_CR_READ : SVM_EXIT_CR_WRITE;

	compare(bytes, bits, code + 8, true, &insn);
	compare(bytes, bits, code + 0, false, &insn);
	compare(bytes, bits, (code ^ 16) + 8, false, &insn);
}

/*
 * The decoder refuses 66 before some instructions of 0F 01.  AMD's manual gives that prefix no
 * meaning there; if a processor refuses it too there is no exit, and if it does not, to refuse
 * would make the guest exit for ever.  So the scan may say yes.
 */
static bool is_tolerated(const uint8_t *bytes, unsigned at)
{
	static const uint8_t thirds[] = { 0xc8, 0xc9, 0xd1, 0xfa, 0xfb, 0xfd, 0xfe, 0xff };

	return memchr(bytes, 0x66, at) && bytes[at] == 0x0f && bytes[at + 1] == 0x01 &&
	       memchr(thirds, bytes[at + 2], sizeof(thirds));
}

static void check_string(const uint8_t *bytes, unsigned at, unsigned bits)
{
	const enum svm_insn_mode mode = bits == 64   ? SVM_INSN_MODE_64
	                                : bits == 32 ? SVM_INSN_MODE_32
	                                             : SVM_INSN_MODE_16;
	struct svm_insn insn = { 0 };
	const bool ok = svm_insn_decode(mode, bytes, 15, &insn) == SVM_INSN_OK;
	const uint64_t register_code = ok ? register_exit(&insn) : UINT64_MAX;

	strings++;
	if (!ok && is_locked_cr8(bytes, at, bits)) {
		check_locked_cr8(bytes, at, bits);
		return;
	}
	if (!ok && is_tolerated(bytes, at)) {
		tolerated++;
		return;
	}
	for (unsigned i = 0; i < COUNT(exits); i++)
		compare(bytes, bits, exits[i].code, ok && is_kind(&insn, i), &insn);
	compare(bytes, bits, SVM_EXIT_IOIO, ok && is_io(&insn), &insn);
	/* Of the 64 register codes: the one it is, if any, and one that it is not. */
	if (register_code != UINT64_MAX) {
		struct svm_insn_scan scan = { 0, 0 };

		compare(bytes, bits, register_code, true, &insn);
		compare(bytes, bits, register_code ^ 1, false, &insn);
		compare(bytes, bits, register_code ^ 16, false, &insn);
		if (svm_insn_scan(bytes, 15, bits, register_code, &scan) &&
		    scan.gpr != (svm_insn_rm(&insn) | (insn.rex & SVM_INSN_REX_B ? 8u : 0)))
			differ(bytes, bits, register_code, scan.gpr, svm_insn_rm(&insn));
	} else {
		compare(bytes, bits, strings % 64, false, &insn);
	}
}

/* Whether a second byte behind 0F opens another choice. */
static bool has_third(unsigned second)
{
	return second <= 0x01 || (second >= 0x20 && second <= 0x23) || second == 0x38;
}

/* All opcodes behind the prefixes that stand in bytes already. */
static void check_opcodes(uint8_t *bytes, unsigned at, unsigned bits)
{
	for (unsigned first = 0; first < 256; first++) {
		bytes[at] = (uint8_t)first;
		bytes[at + 1] = 0x3c;
		bytes[at + 2] = 0x25;
		if (first != 0x0f) {
			check_string(bytes, at, bits);
			continue;
		}
		for (unsigned second = 0; second < 256; second++) {
			bytes[at + 1] = (uint8_t)second;
			bytes[at + 2] = 0x3c;
			if (!has_third(second)) {
				check_string(bytes, at, bits);
				continue;
			}
			for (unsigned third = 0; third < 256; third++) {
				bytes[at + 2] = (uint8_t)third;
				check_string(bytes, at, bits);
			}
		}
	}
}

/* INVPCID's operand: every ModRM behind 0F 38 82, and every SIB that matters to a length. */
static void check_operands(uint8_t *bytes, unsigned at, unsigned bits)
{
	bytes[at] = 0x0f;
	bytes[at + 1] = 0x38;
	bytes[at + 2] = 0x82;
	for (unsigned modrm = 0; modrm < 256; modrm++)
		for (unsigned sib = 0; sib < 8; sib++) {
			bytes[at + 3] = (uint8_t)modrm;
			bytes[at + 4] = (uint8_t)(0x20 | sib);
			check_string(bytes, at, bits);
		}
}

START_TEST(scan_and_decoder_agree)
{
	static const unsigned modes[] = { 16, 32, 64 };
	const unsigned bits = modes[_i];
	const unsigned choices = COUNT(prefixes) + 1; /* The last: none. */

	strings = agreed = differences = tolerated = 0;
	for (unsigned i = 0; i < choices; i++) {
		for (unsigned k = 0; k < choices; k++) {
			uint8_t bytes[15] = { 0 };
			unsigned at = 0;

			memset(bytes, 0x24, sizeof(bytes));
			if (i < COUNT(prefixes))
				bytes[at++] = prefixes[i];
			else if (k < COUNT(prefixes))
				continue; /* None and one is one and none. */
			if (k < COUNT(prefixes))
				bytes[at++] = prefixes[k];
			check_opcodes(bytes, at, bits);
			check_operands(bytes, at, bits);
		}
	}
	printf("%u-bit: %llu strings, %llu lengths agreed, %llu tolerated, %llu differences\n",
	       bits, (unsigned long long)strings, (unsigned long long)agreed,
	       (unsigned long long)tolerated, (unsigned long long)differences);
	ck_assert_uint_eq(differences, 0);
	ck_assert_uint_gt(agreed, strings / 100);
	ck_assert_uint_lt(tolerated, strings / 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("insn_lengths");
	TCase *tcase = tcase_create("insn_lengths");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, scan_and_decoder_agree, 0, 3);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
