/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Exits in words: whole lines, since what they leave out or add in the wrong place is the mistake.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>

#include "../audit/cases.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static const struct audit_place place = {
	.iopm = 0x100000,
	.msrpm = 0x104000,
	.ncr3 = 0x200000,
	.code = 0x10000,
	.cr3_long = 0x12000,
	.cr3_pae = 0x13000,
	.cr3_legacy = 0x14000,
};

static const struct {
	struct svm_exit exit;
	enum audit_mode mode;
	uint64_t rflags; /* 0: the mode's. */
	const char *text;
} rows[] = {
	{ { .kind = SVM_EXIT_KIND_IO,
	    .rip = 0x10000,
	    .raw = { 0x7b, 0x3f80010, 0x10001, 0 },
	    .io = { 0x3f8, 1, false, 0x41 } },
	  AUDIT_LONG64,
	  0,
	  "IO (IOIO 7Bh): OUT of 41h, 1 byte to port 3F8h; 64-bit mode, CPL 0, at "
	  "0008:0001_0000h" },
	{ { .kind = SVM_EXIT_KIND_IO,
	    .rip = 0x10000,
	    .raw = { 0x7b, 0x600041, 0x10001, 0 },
	    .io = { 0x60, 4, true, 0 } },
	  AUDIT_V8086,
	  0,
	  "IO (IOIO 7Bh): IN of 4 bytes from port 60h; virtual-8086 mode, CPL 3, at "
	  "1000:0001_0000h" },
	{ { .kind = SVM_EXIT_KIND_MMIO,
	    .raw = { 0x400, 0x100000006, 0xfed00010, 0 },
	    .mmio = { 0xfed00010, 4, true, { 1, 2, 3, 4 } } },
	  AUDIT_LONG64,
	  0,
	  "MMIO (NPF 400h): write of 4 bytes to guest-physical FED0_0010h, where no memory is and "
	  "no device of the VM answers; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RDMSR, .raw = { 0x7c, 0, 0, 0 }, .msr = { 0x277, 0 } },
	  AUDIT_COMPAT32,
	  0,
	  "RDMSR (MSR 7Ch): RDMSR of 277h PAT; compatibility mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_WRMSR,
	    .raw = { 0x7c, 1, 0, 0 },
	    .msr = { 0xc0010999, 0xfedcba9876543210 } },
	  AUDIT_PAE32,
	  0,
	  "WRMSR (MSR 7Ch): WRMSR of FEDC_BA98_7654_3210h to C001_0999h, a register that the "
	  "library "
	  "does not know; 32-bit protected mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_CPUID,
	    .insn_count = 2,
	    .insn = { 0x0f, 0xa2 },
	    .raw = { 0x72, 0, 0, 0 },
	    .cpuid = { 0x40000000, 1 } },
	  AUDIT_REAL,
	  0,
	  "CPUID (CPUID 72h): CPUID leaf 4000_0000h subleaf 1h; real mode, CPL 0, at 1000:0h [0F "
	  "A2]" },
	{ { .kind = SVM_EXIT_KIND_HLT, .raw = { 0x78, 0, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "HLT (HLT 78h): HLT, waits for an interrupt; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_HLT, .raw = { 0x78, 0, 0, 0 } },
	  AUDIT_LONG64,
	  2,
	  "HLT (HLT 78h): HLT with IF clear: only an NMI or a reset wakes it; 64-bit mode, CPL 0, "
	  "at "
	  "0008:0h" },
	{ { .kind = SVM_EXIT_KIND_HYPERCALL, .raw = { 0x81, 0, 0, 0 }, .hypercall = { 7, 3 } },
	  AUDIT_LONG64,
	  0,
	  "HYPERCALL (VMMCALL 81h): VMMCALL number 7h, from user code: VMMCALL checks no "
	  "privilege; "
	  "64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_EXCEPTION,
	    .raw = { 0x4e, 6, 0x1234, 0 },
	    .exception = { 14, true, 6, 0x1234 } },
	  AUDIT_LONG64,
	  0,
	  "EXCEPTION (EXCEPTION_PF 4Eh): #PF, write at CPL 3, page not present, address 1234h; "
	  "64-bit "
	  "mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_EXCEPTION,
	    .raw = { 0x4d, 0x18, 0, 0x80000b0e },
	    .exception = { 13, true, 0x18, 0 } },
	  AUDIT_LONG64,
	  0,
	  "EXCEPTION (EXCEPTION_GP 4Dh): #GP, error code 18h; while delivering #PF; 64-bit mode, "
	  "CPL "
	  "0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_DEBUG,
	    .raw = { 0x41, 0, 0, 0 },
	    .exception = { 1, false, 0, 0xffff4ff0 } },
	  AUDIT_LONG64,
	  0,
	  "DEBUG (EXCEPTION_DB 41h): #DB, DR6 FFFF_4FF0h; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_SHUTDOWN, .raw = { 0x7f, 0, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "SHUTDOWN (SHUTDOWN 7Fh): triple fault; the IDT has limit 0: the guest's first exception "
	  "or "
	  "interrupt ended it, look for that one; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_SHUTDOWN,
	    .raw = { 0x4e, 2, 0, 0x80000b08 },
	    .shutdown = { true, 8, 14 } },
	  AUDIT_RESET,
	  0,
	  "SHUTDOWN (EXCEPTION_PF 4Eh): triple fault: #PF while delivering #DF; an exception, and "
	  "another in the IDT, the stack or the #DF handler that should have caught it; while "
	  "delivering #DF; real mode, CPL 0, at 1000:0h" },
	{ { .kind = SVM_EXIT_KIND_CR, .raw = { 0x14, 0, 0, 0 }, .reg = { 4, true, 0x20 } },
	  AUDIT_LONG64,
	  0,
	  "CR (CR4_WRITE 14h): write of 20h to CR4; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_DR, .raw = { 0x27, 0, 0, 0 }, .reg = { 7, false, 0 } },
	  AUDIT_LONG64,
	  0,
	  "DR (DR7_READ 27h): read of DR7; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_TASK_SWITCH, .raw = { 0x7d, 0x28, 0x1000000000, 0 } },
	  AUDIT_LEGACY32,
	  0,
	  "TASK_SWITCH (TASK_SWITCH 7Dh): task switch to TSS 28h by IRET; 32-bit protected mode, "
	  "CPL "
	  "0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_NPT_FAULT,
	    .raw = { 0x400, 0x100000006, 0xfee00000, 0 },
	    .npt = { 0xfee00000, SVM_PROT_WRITE, SVM_NPT_FAULT_ABSENT } },
	  AUDIT_LONG64,
	  0,
	  "NPT_FAULT (NPF 400h): write to guest-physical FEE0_0000h: no slot is there; add memory "
	  "with "
	  "svm_vm_map() or serve it as a device; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_NPT_FAULT,
	    .raw = { 0x400, 0x200000006, 0, 0 },
	    .npt = { 0x8000, SVM_PROT_READ, SVM_NPT_FAULT_TABLE } },
	  AUDIT_LONG64,
	  0,
	  "NPT_FAULT (NPF 400h): read of guest-physical 8000h: no slot is there and the guest "
	  "keeps "
	  "page tables in it; check CR3 and the size of memory; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_REQUEST,
	    .raw = { 0x60, 0, 0, 0 },
	    .insn_count = 2,
	    .insn = { 0xeb, 0xfe } },
	  AUDIT_LONG64,
	  2,
	  "REQUEST (INTR 60h): svm_vcpu_kick() or a callback asked for the return; the instruction "
	  "jumps to itself with IF clear: only an NMI or a reset ends that; 64-bit mode, CPL 0, at "
	  "0008:0h [EB FE]" },
	{ { .kind = SVM_EXIT_KIND_HOST_INTERRUPT, .raw = { 0x60, 0, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "HOST_INTERRUPT (INTR 60h): the host wants the CPU; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_ENTRY_FAILED,
	    .raw = { ~UINT64_C(0), 0, 0, 0 },
	    .entry = { 2, { SVM_RULE_C02, SVM_RULE_W18 } } },
	  AUDIT_LONG64,
	  0,
	  "ENTRY_FAILED (INVALID FFFF_FFFF_FFFF_FFFFh): VMRUN refused the VMCB, rules broken: C02 "
	  "W18; "
	  "the ASID is 0, which belongs to the host: use 1 up to CPUID Fn8000_000A EBX minus 1; "
	  "64-bit "
	  "mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_ENTRY_FAILED, .raw = { 0xffffffff, 0, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "ENTRY_FAILED (INVALID FFFF_FFFFh): VMRUN refused the VMCB; the audit finds no rule "
	  "broken: "
	  "report the dump of the VMCB; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_LOOP, .raw = { 0x7b, 0, 0, 0 }, .loop = { 1000000 } },
	  AUDIT_LONG64,
	  0,
	  "LOOP (IOIO 7Bh): 1000000 times the same exit at the same RIP; the handler of IN or OUT "
	  "of a protected port neither steps over the instruction nor removes the cause; 64-bit "
	  "mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_LOOP, .raw = { 0x60, 0, 0, 0 }, .loop = { 64 } },
	  AUDIT_LONG64,
	  0,
	  "LOOP (INTR 60h): 64 times the same exit at the same RIP; the host's interrupt is not "
	  "taken, or gets no EOI, or the guest spins there; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_SILENT,
	    .raw = { 0x60, 0, 0, 0 },
	    .insn_count = 2,
	    .insn = { 0xeb, 0xfe },
	    .silent = { 1000, 10, 10 } },
	  AUDIT_LONG64,
	  2,
	  "SILENT (INTR 60h): 1000 ms in the guest without an exit of its own; RIP was the same at "
	  "10 of 10 host interrupts; the instruction jumps to itself; IF is clear, it takes no "
	  "interrupt; V_INTR_MASKING is set, GIF is 1; 64-bit mode, CPL 0, at 0008:0h [EB FE]" },
	{ { .kind = SVM_EXIT_KIND_SILENT, .raw = { 0x60, 0, 0, 0 }, .silent = { 20, 5, 5 } },
	  AUDIT_LONG64,
	  2,
	  "SILENT (INTR 60h): 20 ms in the guest without an exit of its own; RIP was the same at 5 "
	  "of 5 host interrupts; it spins on that instruction, or its exceptions go to an IDT that "
	  "sends it back; IF is clear, it takes no interrupt; V_INTR_MASKING is set, GIF is 1; "
	  "64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_SILENT, .raw = { 0x60, 0, 0, 0 }, .silent = { 20, 5, 1 } },
	  AUDIT_LONG64,
	  0x202,
	  "SILENT (INTR 60h): 20 ms in the guest without an exit of its own; RIP was the same at 1 "
	  "of 5 host interrupts; it computes, or polls memory that nobody writes, or each of its "
	  "exceptions leads to the next; IF is set: if it waits for an interrupt, none was raised; "
	  "V_INTR_MASKING is set, GIF is 1; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RAW, .raw = { 0x400, 0x200000003, 0x9000, 0 } },
	  AUDIT_LONG64,
	  0,
	  "RAW (NPF 400h): nested page fault: write by a walk of the guest's page tables, nested "
	  "page "
	  "protected, guest-physical 9000h; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RAW, .raw = { 0x7b, 0x1f0002d, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "RAW (IOIO 7Bh): IN or OUT of a protected port: REP INS, 2 bytes, port 1F0h; 64-bit "
	  "mode, "
	  "CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RAW, .raw = { 0x76, 0x1111, 0x2222, 0x80000020 } },
	  AUDIT_LONG64,
	  0,
	  "RAW (INVD 76h): INVD; while delivering interrupt 20h; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RAW, .raw = { 0x401, 0, 0x100000002, 0 } },
	  AUDIT_LONG64,
	  0,
	  "RAW (AVIC_INCOMPLETE_IPI 401h): AVIC could not deliver an IPI: a target is not running; "
	  "64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = SVM_EXIT_KIND_RAW, .raw = { 0x999, 0x12, 0x34, 0 } },
	  AUDIT_LONG64,
	  0,
	  "RAW (exit code 999h): an exit code that the library does not know, EXITINFO1 12h, "
	  "EXITINFO2 "
	  "34h; 64-bit mode, CPL 0, at 0008:0h" },
	{ { .kind = (enum svm_exit_kind)77, .raw = { 0x60, 0, 0, 0 } },
	  AUDIT_LONG64,
	  0,
	  "? (INTR 60h): no exit; 64-bit mode, CPL 0, at 0008:0h" },
};

static void fill(struct svm_vmcb *vmcb, int i)
{
	memset(vmcb, 0, sizeof(*vmcb));
	audit_baseline(vmcb, rows[i].mode, &place);
	if (rows[i].rflags)
		vmcb->save.rflags = rows[i].rflags;
}

/* Of another monitor's guest: what else than IF keeps an interrupt away. */
START_TEST(silence_names_what_masks_interrupts)
{
	static const struct {
		uint64_t int_control;
		const char *text;
	} masks[] = {
		{ 0, "; V_INTR_MASKING is clear, the guest's IF is the host's, GIF is 1; " },
		{ 0x1000000, "; V_INTR_MASKING is set, GIF is 1; " },
		{ 0x3000200, "; V_INTR_MASKING is set, GIF is 1; " },
		{ 0x3000000, "; V_INTR_MASKING is set, GIF is 0: the guest has executed CLGI; " },
	};
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_SILENT, .raw = { .exit_code = 0x60 } };
	static struct svm_vmcb vmcb;
	char text[600];

	svm_vmcb_set_int_control(&vmcb, masks[_i].int_control);
	svm_explain_vmcb(&vmcb, &exit, text, sizeof(text));
	ck_assert_msg(strstr(text, masks[_i].text), "%s is not in %s", masks[_i].text, text);
}
END_TEST

START_TEST(an_exit_reads_as_one_line)
{
	static struct svm_vmcb vmcb;
	char text[600];

	fill(&vmcb, _i);
	ck_assert_uint_eq(svm_explain_vmcb(&vmcb, &rows[_i].exit, text, sizeof(text)),
	                  strlen(rows[_i].text));
	ck_assert_str_eq(text, rows[_i].text);
	ck_assert_ptr_null(strchr(text, '\n'));
}
END_TEST

START_TEST(a_short_buffer_holds_the_beginning)
{
	static struct svm_vmcb vmcb;
	const size_t whole = strlen(rows[_i].text);
	char text[600];

	fill(&vmcb, _i);
	for (size_t size = 0; size < whole + 2; size++) {
		memset(text, 'x', sizeof(text));
		ck_assert_uint_eq(svm_explain_vmcb(&vmcb, &rows[_i].exit, text, size), whole);
		ck_assert_int_eq(text[size], 'x');
		if (size == 0)
			continue;
		ck_assert_uint_eq(strlen(text), size - 1 < whole ? size - 1 : whole);
		ck_assert_int_eq(strncmp(text, rows[_i].text, strlen(text)), 0);
	}
	ck_assert_uint_eq(svm_explain_vmcb(&vmcb, &rows[_i].exit, NULL, 0), whole);
}
END_TEST

/* A kind that nobody forgot says more than its name. */
START_TEST(every_kind_has_words)
{
	static struct svm_vmcb vmcb;
	struct svm_exit exit;
	char text[600];

	memset(&vmcb, 0, sizeof(vmcb));
	memset(&exit, 0, sizeof(exit));
	exit.kind = (enum svm_exit_kind)_i;
	ck_assert_uint_lt(svm_explain_vmcb(&vmcb, &exit, text, sizeof(text)), sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, svm_exit_kind_name(exit.kind)));
	if (_i != SVM_EXIT_KIND_NONE)
		ck_assert_ptr_null(strstr(text, "no exit"));
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void fill_random(void *to, size_t size, uint64_t *state)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = (uint8_t)next_random(state);
}

START_TEST(noise_is_explained_without_harm)
{
	static struct svm_vmcb vmcb;
	uint64_t state = 0x243f6a8885a308d3;
	char text[1200];

	for (int round = 0; round < 20000; round++) {
		/* Booleans hold 0 or 1 even in noise: whatever else is not C. */
		unsigned char bytes[sizeof(struct svm_exit)];
		struct svm_exit exit;

		if (round % 64 == 0)
			fill_random(&vmcb, sizeof(vmcb), &state);
		fill_random(bytes, sizeof(bytes), &state);
		memset(&exit, 0, sizeof(exit));
		exit.kind = (enum svm_exit_kind)(round % (SVM_EXIT_KIND_COUNT + 3));
		exit.rip = next_random(&state);
		exit.insn_count = bytes[0];
		memcpy(exit.insn, bytes + 1, sizeof(exit.insn));
		exit.raw.exit_code = round % 2 ? next_random(&state) : next_random(&state) % 0x410;
		exit.raw.exit_info_1 = next_random(&state);
		exit.raw.exit_info_2 = next_random(&state);
		exit.raw.exit_int_info = next_random(&state);
		if (exit.kind == SVM_EXIT_KIND_ENTRY_FAILED) {
			memcpy(&exit.entry, bytes, sizeof(exit.entry));
		} else if (exit.kind == SVM_EXIT_KIND_NPT_FAULT) {
			exit.npt.gpa = next_random(&state);
			exit.npt.access = (uint32_t)next_random(&state);
			exit.npt.reason = (enum svm_npt_fault_reason)(bytes[2] % 8);
		} else if (exit.kind == SVM_EXIT_KIND_EXCEPTION) {
			exit.exception.vector = bytes[3];
			exit.exception.has_error = bytes[4] & 1;
			exit.exception.error = (uint32_t)next_random(&state);
		} else if (exit.kind == SVM_EXIT_KIND_SHUTDOWN) {
			exit.shutdown.merged = bytes[5] & 1;
			exit.shutdown.first = bytes[6];
			exit.shutdown.second = bytes[7];
		}
		const size_t length = svm_explain_vmcb(&vmcb, &exit, text, sizeof(text));

		ck_assert_uint_lt(length, sizeof(text));
		ck_assert_uint_eq(strlen(text), length);
		for (size_t i = 0; i < length; i++)
			if (text[i] < ' ' || text[i] > '~')
				ck_abort_msg("round %d, character %zu: %02x", round, i,
				             (unsigned)text[i] & 0xff);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tcase = tcase_create("explain");

	tcase_add_loop_test(tcase, silence_names_what_masks_interrupts, 0, 4);
	tcase_add_loop_test(tcase, an_exit_reads_as_one_line, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, a_short_buffer_holds_the_beginning, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, every_kind_has_words, 0, SVM_EXIT_KIND_COUNT);
	tcase_add_test(tcase, noise_is_explained_without_harm);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
