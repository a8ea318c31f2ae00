/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Length of an intercepted instruction by its exit code.  Opcodes: APM vol. 3, appendix A. */
#include <check.h>
#include <stdlib.h>

#include <libsvm/exit_codes.h>

#include "core/vcpu/insn_length.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define BYTES(text)   (const uint8_t *)(text), sizeof(text) - 1

/* length 0: not that instruction. */
static const struct {
	const char *what;
	uint64_t exit_code;
	unsigned code_bits;
	const uint8_t *bytes;
	unsigned count, length, gpr;
} rows[] = {
	{ "CPUID", SVM_EXIT_CPUID, 64, BYTES("\x0f\xa2"), 2, 0 },
	{ "CPUID in real mode", SVM_EXIT_CPUID, 16, BYTES("\x0f\xa2"), 2, 0 },
	{ "CPUID, prefixes", SVM_EXIT_CPUID, 64, BYTES("\x66\x2e\xf3\x48\x0f\xa2"), 6, 0 },
	{ "CPUID, 15 bytes", SVM_EXIT_CPUID, 64,
	  BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2"), 15, 0 },
	{ "CPUID, 16 bytes are none", SVM_EXIT_CPUID, 64,
	  BYTES("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xa2"), 0, 0 },
	{ "LOCK CPUID", SVM_EXIT_CPUID, 64, BYTES("\xf0\x0f\xa2"), 0, 0 },
	{ "CPUID cut off", SVM_EXIT_CPUID, 64, BYTES("\x0f"), 0, 0 },
	{ "no byte", SVM_EXIT_CPUID, 64, BYTES(""), 0, 0 },
	{ "prefixes alone", SVM_EXIT_CPUID, 64, BYTES("\x66\x66"), 0, 0 },
	{ "something else", SVM_EXIT_CPUID, 64, BYTES("\x0f\x31"), 0, 0 },
	{ "REX outside 64-bit mode is INC", SVM_EXIT_CPUID, 32, BYTES("\x48\x0f\xa2"), 0, 0 },
	{ "RDMSR", SVM_EXIT_MSR, 64, BYTES("\x0f\x32"), 2, 0 },
	{ "WRMSR", SVM_EXIT_MSR, 64, BYTES("\x0f\x30"), 2, 0 },
	{ "RDTSC is no RDMSR", SVM_EXIT_MSR, 64, BYTES("\x0f\x31"), 0, 0 },
	{ "HLT", SVM_EXIT_HLT, 64, BYTES("\xf4"), 1, 0 },
	{ "HLT, idle", SVM_EXIT_IDLE_HLT, 64, BYTES("\xf4"), 1, 0 },
	{ "VMMCALL", SVM_EXIT_VMMCALL, 64, BYTES("\x0f\x01\xd9"), 3, 0 },
	{ "VMCALL is another's", SVM_EXIT_VMMCALL, 64, BYTES("\x0f\x01\xc1"), 0, 0 },
	{ "PAUSE", SVM_EXIT_PAUSE, 64, BYTES("\xf3\x90"), 2, 0 },
	{ "NOP is no PAUSE", SVM_EXIT_PAUSE, 64, BYTES("\x90"), 0, 0 },
	{ "the later of F3 and F2", SVM_EXIT_PAUSE, 64, BYTES("\xf2\xf3\x90"), 3, 0 },
	{ "the later of F2 and F3", SVM_EXIT_PAUSE, 64, BYTES("\xf3\xf2\x90"), 0, 0 },
	{ "XCHG R8 is no PAUSE", SVM_EXIT_PAUSE, 64, BYTES("\xf3\x41\x90"), 0, 0 },
	{ "RDTSC", SVM_EXIT_RDTSC, 64, BYTES("\x0f\x31"), 2, 0 },
	{ "RDTSCP under RDTSC's code", SVM_EXIT_RDTSC, 64, BYTES("\x0f\x01\xf9"), 3, 0 },
	{ "RDTSCP", SVM_EXIT_RDTSCP, 64, BYTES("\x0f\x01\xf9"), 3, 0 },
	{ "RDTSC is no RDTSCP", SVM_EXIT_RDTSCP, 64, BYTES("\x0f\x31"), 0, 0 },
	{ "RDPMC", SVM_EXIT_RDPMC, 64, BYTES("\x0f\x33"), 2, 0 },
	{ "RDPRU", SVM_EXIT_RDPRU, 64, BYTES("\x0f\x01\xfd"), 3, 0 },
	{ "INVD", SVM_EXIT_INVD, 64, BYTES("\x0f\x08"), 2, 0 },
	{ "WBINVD", SVM_EXIT_WBINVD, 64, BYTES("\x0f\x09"), 2, 0 },
	{ "WBNOINVD", SVM_EXIT_WBINVD, 64, BYTES("\xf3\x0f\x09"), 3, 0 },
	{ "INVD under WBINVD's code", SVM_EXIT_WBINVD, 64, BYTES("\x0f\x08"), 2, 0 },
	{ "WBINVD is no INVD", SVM_EXIT_INVD, 64, BYTES("\x0f\x09"), 0, 0 },
	{ "XSETBV", SVM_EXIT_XSETBV, 64, BYTES("\x0f\x01\xd1"), 3, 0 },
	{ "MONITOR", SVM_EXIT_MONITOR, 64, BYTES("\x0f\x01\xc8"), 3, 0 },
	{ "MONITORX", SVM_EXIT_MONITOR, 64, BYTES("\x0f\x01\xfa"), 3, 0 },
	{ "MCOMMIT is no MONITORX", SVM_EXIT_MONITOR, 64, BYTES("\xf3\x0f\x01\xfa"), 0, 0 },
	{ "MCOMMIT", SVM_EXIT_MCOMMIT, 64, BYTES("\xf3\x0f\x01\xfa"), 4, 0 },
	{ "MWAIT", SVM_EXIT_MWAIT, 64, BYTES("\x0f\x01\xc9"), 3, 0 },
	{ "MWAITX, armed", SVM_EXIT_MWAIT_COND, 64, BYTES("\x0f\x01\xfb"), 3, 0 },
	{ "VMRUN", SVM_EXIT_VMRUN, 64, BYTES("\x0f\x01\xd8"), 3, 0 },
	{ "VMRUN, 67", SVM_EXIT_VMRUN, 64, BYTES("\x67\x0f\x01\xd8"), 4, 0 },
	{ "VMLOAD", SVM_EXIT_VMLOAD, 64, BYTES("\x0f\x01\xda"), 3, 0 },
	{ "VMSAVE", SVM_EXIT_VMSAVE, 64, BYTES("\x0f\x01\xdb"), 3, 0 },
	{ "STGI", SVM_EXIT_STGI, 64, BYTES("\x0f\x01\xdc"), 3, 0 },
	{ "CLGI", SVM_EXIT_CLGI, 64, BYTES("\x0f\x01\xdd"), 3, 0 },
	{ "SKINIT", SVM_EXIT_SKINIT, 64, BYTES("\x0f\x01\xde"), 3, 0 },
	{ "INVLPGA", SVM_EXIT_INVLPGA, 64, BYTES("\x0f\x01\xdf"), 3, 0 },
	{ "INVLPGB", SVM_EXIT_INVLPGB, 64, BYTES("\x0f\x01\xfe"), 3, 0 },
	{ "INVLPGB with bad operands", SVM_EXIT_INVLPGB_ILLEGAL, 64, BYTES("\x0f\x01\xfe"), 3, 0 },
	{ "RMPADJUST is no INVLPGB", SVM_EXIT_INVLPGB, 64, BYTES("\xf3\x0f\x01\xfe"), 0, 0 },
	{ "TLBSYNC", SVM_EXIT_TLBSYNC, 64, BYTES("\x0f\x01\xff"), 3, 0 },
	{ "PSMASH is no TLBSYNC", SVM_EXIT_TLBSYNC, 64, BYTES("\xf3\x0f\x01\xff"), 0, 0 },
	{ "RSM", SVM_EXIT_RSM, 32, BYTES("\x0f\xaa"), 2, 0 },
	{ "IRET", SVM_EXIT_IRET, 64, BYTES("\x48\xcf"), 2, 0 },
	{ "ICEBP", SVM_EXIT_ICEBP, 64, BYTES("\xf1"), 1, 0 },
	{ "INT n", SVM_EXIT_INTN, 32, BYTES("\xcd\x80"), 2, 0 },
	{ "INT n cut off", SVM_EXIT_INTN, 32, BYTES("\xcd"), 0, 0 },
	{ "INT3 under INT n's code", SVM_EXIT_INTN, 32, BYTES("\xcc"), 1, 0 },
	{ "#BP", SVM_EXIT_EXCEPTION + 3, 32, BYTES("\xcc"), 1, 0 },
	{ "#OF", SVM_EXIT_EXCEPTION + 4, 32, BYTES("\xce"), 1, 0 },
	{ "#GP comes from anywhere", SVM_EXIT_EXCEPTION + 13, 32, BYTES("\xf4"), 0, 0 },
	{ "PUSHF", SVM_EXIT_PUSHF, 16, BYTES("\x66\x9c"), 2, 0 },
	{ "POPF", SVM_EXIT_POPF, 16, BYTES("\x9d"), 1, 0 },
	{ "IN AL, imm8", SVM_EXIT_IOIO, 16, BYTES("\xe4\x60"), 2, 0 },
	{ "OUT DX, EAX", SVM_EXIT_IOIO, 16, BYTES("\x66\xef"), 2, 0 },
	{ "REP INSB", SVM_EXIT_IOIO, 32, BYTES("\xf3\x6c"), 2, 0 },
	{ "MOVSB is no I/O", SVM_EXIT_IOIO, 32, BYTES("\xf3\xa4"), 0, 0 },
	{ "LDTR read", SVM_EXIT_LDTR_READ, 64, BYTES("\x0f\x00\xc0"), 3, 0 },
	{ "TR write from memory", SVM_EXIT_TR_WRITE, 64, BYTES("\x0f\x00\x1c\x25\x01\x02\x03\x04"),
	  8, 0 },

	/* Operands in memory. */
	{ "INVLPG [RAX]", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x38"), 3, 0 },
	{ "INVLPG [RIP + disp32]", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x3d\x01\x02\x03\x04"), 7,
	  0 },
	{ "INVLPG, displacement cut off", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x3d\x01\x02\x03"), 0,
	  0 },
	{ "INVLPG [RSP]", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x3c\x24"), 4, 0 },
	{ "INVLPG, SIB cut off", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x3c"), 0, 0 },
	{ "INVLPG [RBP + 1]", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x7d\x01"), 4, 0 },
	{ "INVLPG [RSP + disp32]", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\xbc\x24\x01\x02\x03\x04"),
	  8, 0 },
	{ "INVLPG [BP + disp16]", SVM_EXIT_INVLPG, 16, BYTES("\x0f\x01\xbe\x01\x02"), 5, 0 },
	{ "INVLPG [disp16]", SVM_EXIT_INVLPG, 16, BYTES("\x0f\x01\x3e\x01\x02"), 5, 0 },
	{ "INVLPG [SI]", SVM_EXIT_INVLPG, 16, BYTES("\x0f\x01\x3c"), 3, 0 },
	{ "INVLPG [disp32] in 16-bit code", SVM_EXIT_INVLPG, 16,
	  BYTES("\x67\x0f\x01\x3d\x01\x02\x03\x04"), 8, 0 },
	{ "INVLPG [disp16] in 32-bit code", SVM_EXIT_INVLPG, 32, BYTES("\x67\x0f\x01\x3e\x01\x02"),
	  6, 0 },
	{ "67 in 64-bit code keeps the form", SVM_EXIT_INVLPG, 64,
	  BYTES("\x67\x0f\x01\x3d\x01\x02\x03\x04"), 8, 0 },
	{ "SWAPGS is no INVLPG", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\xf8"), 0, 0 },
	{ "LGDT is no INVLPG", SVM_EXIT_INVLPG, 64, BYTES("\x0f\x01\x10"), 0, 0 },
	{ "LGDT", SVM_EXIT_GDTR_WRITE, 64, BYTES("\x0f\x01\x10"), 3, 0 },
	{ "XGETBV is no LGDT", SVM_EXIT_GDTR_WRITE, 64, BYTES("\x0f\x01\xd0"), 0, 0 },
	{ "INVPCID", SVM_EXIT_INVPCID, 64, BYTES("\x66\x0f\x38\x82\x08"), 5, 0 },
	{ "INVPCID without 66", SVM_EXIT_INVPCID, 64, BYTES("\x0f\x38\x82\x08"), 0, 0 },
	{ "INVPCID of a register", SVM_EXIT_INVPCID, 64, BYTES("\x66\x0f\x38\x82\xc8"), 0, 0 },

	/* Registers. */
	{ "MOV CR0, RAX", SVM_EXIT_CR_WRITE + 0, 64, BYTES("\x0f\x22\xc0"), 3, 0 },
	{ "MOV RBX, CR3", SVM_EXIT_CR_READ + 3, 64, BYTES("\x0f\x20\xdb"), 3, 3 },
	{ "MOV CR4, R15", SVM_EXIT_CR_WRITE + 4, 64, BYTES("\x41\x0f\x22\xe7"), 4, 15 },
	{ "mod does not count", SVM_EXIT_CR_WRITE + 4, 64, BYTES("\x0f\x22\x25"), 3, 5 },
	{ "MOV CR8, RAX", SVM_EXIT_CR_WRITE + 8, 64, BYTES("\x44\x0f\x22\xc0"), 4, 0 },
	{ "MOV CR8 by LOCK", SVM_EXIT_CR_WRITE + 8, 32, BYTES("\xf0\x0f\x22\xc1"), 4, 1 },
	{ "LOCK MOV CR0 is not CR0", SVM_EXIT_CR_WRITE + 0, 32, BYTES("\xf0\x0f\x22\xc0"), 0, 0 },
	{ "LOCK MOV CR3", SVM_EXIT_CR_WRITE + 3, 32, BYTES("\xf0\x0f\x22\xd8"), 0, 0 },
	{ "LOCK MOV DR0", SVM_EXIT_DR_WRITE + 0, 32, BYTES("\xf0\x0f\x23\xc0"), 0, 0 },
	{ "another register", SVM_EXIT_CR_WRITE + 4, 64, BYTES("\x0f\x22\xc0"), 0, 0 },
	{ "the other direction", SVM_EXIT_CR_READ + 0, 64, BYTES("\x0f\x22\xc0"), 0, 0 },
	{ "a REX before another prefix is none", SVM_EXIT_CR_WRITE + 0, 64,
	  BYTES("\x45\x66\x0f\x22\xc0"), 5, 0 },
	{ "the last REX counts", SVM_EXIT_CR_WRITE + 0, 64, BYTES("\x44\x41\x0f\x22\xc0"), 5, 8 },
	{ "CR0, selective", SVM_EXIT_CR0_SEL_WRITE, 64, BYTES("\x0f\x22\xc2"), 3, 2 },
	{ "LMSW has no general register", SVM_EXIT_CR_WRITE + 0, 64, BYTES("\x0f\x01\xf0"), 0, 0 },
	{ "CLTS has no general register", SVM_EXIT_CR_WRITE + 0, 64, BYTES("\x0f\x06"), 0, 0 },
	{ "MOV DR7, RAX", SVM_EXIT_DR_WRITE + 7, 64, BYTES("\x0f\x23\xf8"), 3, 0 },
	{ "MOV RCX, DR6", SVM_EXIT_DR_READ + 6, 64, BYTES("\x0f\x21\xf1"), 3, 1 },
	{ "MOV CR, ModRM cut off", SVM_EXIT_CR_WRITE + 0, 64, BYTES("\x0f\x22"), 0, 0 },

	/* Exits without an instruction. */
	{ "INTR", SVM_EXIT_INTR, 64, BYTES("\xf4"), 0, 0 },
	{ "NPF", SVM_EXIT_NPF, 64, BYTES("\xf4"), 0, 0 },
	{ "SHUTDOWN", SVM_EXIT_SHUTDOWN, 64, BYTES("\xf4"), 0, 0 },
	{ "INVALID", UINT64_MAX, 64, BYTES("\xf4"), 0, 0 },
};

START_TEST(the_scan_knows_the_instruction_or_refuses)
{
	struct svm_insn_scan scan = { 77, 77 };
	const bool found = svm_insn_scan(rows[_i].bytes, rows[_i].count, rows[_i].code_bits,
	                                 rows[_i].exit_code, &scan);

	ck_assert_msg(found == (rows[_i].length != 0), "%s: %s", rows[_i].what,
	              found ? "found" : "refused");
	ck_assert_msg(scan.length == (found ? rows[_i].length : 77), "%s: length %u", rows[_i].what,
	              scan.length);
	ck_assert_msg(scan.gpr == (found ? rows[_i].gpr : 77), "%s: register %u", rows[_i].what,
	              scan.gpr);
}
END_TEST

/* Bytes behind the end are never read: an exact copy on the heap, under the sanitizer's eyes. */
START_TEST(a_cut_instruction_is_refused)
{
	for (unsigned count = 0; count < rows[_i].length; count++) {
		uint8_t *bytes = malloc(count + !count);
		struct svm_insn_scan scan;

		ck_assert_ptr_nonnull(bytes);
		for (unsigned i = 0; i < count; i++)
			bytes[i] = rows[_i].bytes[i];
		ck_assert(!svm_insn_scan(bytes, count, rows[_i].code_bits, rows[_i].exit_code,
		                         &scan));
		free(bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("insn_length");
	TCase *tcase = tcase_create("insn_length");

	tcase_add_loop_test(tcase, the_scan_knows_the_instruction_or_refuses, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, a_cut_instruction_is_refused, 0, ARRAY_SIZE(rows));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
