/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An exit as a page: whole pages, since what stands beside the wrong name is the mistake.
 */
#include "vcpu_rig.h"

#include <stdio.h>

#include <libsvm/diagnose.h>

#include "../audit/cases.h"

static struct rig r;
static char text[16384];

static void setup(void)
{
	rig_init(&r, NULL, RIG_64);
}

static void teardown(void)
{
	rig_fini(&r);
}

static void explain(void)
{
	const size_t length = svm_explain_full(r.vcpu, &r.exit, text, sizeof(text));

	ck_assert_uint_lt(length, sizeof(text));
	ck_assert_uint_eq(length, strlen(text));
}

static void expect(const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s\nis not in\n%s", part, text);
}

/* A load from where no slot is. */
START_TEST(a_page_says_all_of_an_exit)
{
	hosted_script_mov(&r.code, HOSTED_RBX, RIG_HOLE + 8);
	hosted_script_load(&r.code, HOSTED_RAX, HOSTED_RBX, true);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	explain();
	ck_assert_str_eq(
		text,
		"NPT_FAULT (NPF 400h): read of guest-physical 0010_0008h: no slot is there; add "
		"memory with svm_vm_map() or serve it as a device; 64-bit mode, CPL 0, at "
		"0008:100Ah\n"
		"exit code   400h: nested page fault\n"
		"exit info   0001_0000_0004h 0010_0008h: read, nested page not present, "
		"guest-physical 0010_0008h\n"
		"interrupted none\n"
		"injected    none\n"
		"guest       64-bit mode, CPL 0, at 0008:100Ah, 4 levels of tables\n"
		"interrupts  IF clear, V_INTR_MASKING, task priority 0h\n"
		"rax         0h\n"
		"rsp         3000h\n"
		"rflags      2h\n"
		"cr0         8001_0011h: PE ET WP PG\n"
		"cr2         0h\n"
		"cr3         8000h\n"
		"cr4         20h: PAE\n"
		"efer        1D00h: LME LMA NXE SVME\n"
		"dr6         FFFF_0FF0h\n"
		"dr7         400h\n"
		"cs          0008 base 0h limit FFFF_FFFFh attributes A9Bh: code, readable, "
		"accessed, DPL 0, 64-bit, limit in pages\n"
		"ss          0010 base 0h limit FFFF_FFFFh attributes C93h: data, writable, "
		"accessed, DPL 0, 32-bit, limit in pages\n"
		"ds          0010 base 0h limit FFFF_FFFFh attributes C93h: data, writable, "
		"accessed, DPL 0, 32-bit, limit in pages\n"
		"es          0010 base 0h limit FFFF_FFFFh attributes C93h: data, writable, "
		"accessed, DPL 0, 32-bit, limit in pages\n"
		"fs          0010 base 0h limit FFFF_FFFFh attributes C93h: data, writable, "
		"accessed, DPL 0, 32-bit, limit in pages\n"
		"gs          0010 base 0h limit FFFF_FFFFh attributes C93h: data, writable, "
		"accessed, DPL 0, 32-bit, limit in pages\n"
		"tr          0018 base 7000h limit 67h attributes 8Bh: TSS, busy, DPL 0\n"
		"ldtr        0000 base 0h limit 0h attributes 0h: null\n"
		"gdtr        base 6000h limit 1Fh\n"
		"idtr        base 5000h limit FFFh\n"
		"rbx         0010_0008h\n"
		"rcx         0h\n"
		"rdx         0h\n"
		"rsi         0h\n"
		"rdi         0h\n"
		"rbp         0h\n"
		"r8          0h\n"
		"r9          0h\n"
		"r10         0h\n"
		"r11         0h\n"
		"r12         0h\n"
		"r13         0h\n"
		"r14         0h\n"
		"r15         0h\n"
		"vcpu        0, RUNNABLE\n"
		"waits       nothing\n"
		"bytes       48 8B 03 00 00 00 00 00 00 00 00 00 00 00 00\n"
		"walk of linear 100Ah\n"
		"  level 4   8000h holds 9027h: P RW US A\n"
		"  level 3   9000h holds A027h: P RW US A\n"
		"  level 2   A000h holds B027h: P RW US A\n"
		"  level 1   B008h holds 1027h: P RW US A\n"
		"  gives     guest-physical 100Ah\n"
		"nested walk of guest-physical 0010_0008h\n"
		"  slot      none: no memory is there\n"
		"  level 4   0001_0003_1027h: P RW US A\n"
		"  level 3   0001_0003_0027h: P RW US A\n"
		"  level 2   0001_0002_F027h: P RW US A\n"
		"  level 1   0h\n"
		"  ends at level 1: not present\n"
		"audit       0 findings\n");
}
END_TEST

/* The walk of the address that faulted, with the access that faulted. */
START_TEST(a_page_fault_is_followed_to_the_level_that_failed)
{
	uint64_t entry = 0x4005; /* Not writable. */

	memcpy(r.memory + RIG_PT + 3 * 4096 + 8 * 4, &entry, sizeof(entry));
	r.exit = (struct svm_exit){
		.kind = SVM_EXIT_KIND_EXCEPTION,
		.rip = RIG_CODE,
		.raw = { SVM_EXIT_EXCEPTION + 14, 3, RIG_DATA + 5, 0 },
		.exception = { 14, true, 3, RIG_DATA + 5 },
	};
	explain();
	expect("walk of linear 4005h\n"
	       "  level 4   8000h holds 9007h: P RW US\n"
	       "  level 3   9000h holds A007h: P RW US\n"
	       "  level 2   A000h holds B007h: P RW US\n"
	       "  level 1   B020h holds 4005h: P US\n"
	       "  fails at level 1: the entry does not allow writes; #PF error code 3h\n"
	       "audit ");

	entry = 0;
	memcpy(r.memory + RIG_PT + 4096, &entry, sizeof(entry));
	explain();
	expect("  level 4   8000h holds 9007h: P RW US\n"
	       "  level 3   9000h holds 0h\n"
	       "  fails at level 3: the entry is not present; #PF error code 2h\n");
}
END_TEST

/* A table of the guest where no memory is: the nested walk is that of the table. */
START_TEST(a_table_without_memory_is_named)
{
	const uint64_t entry = RIG_HOLE | 7;

	memcpy(r.memory + RIG_PT + 4096, &entry, sizeof(entry));
	ck_assert_int_ne(rig_run(&r), SVM_EXIT_KIND_NONE);
	explain();
	expect("walk of linear 1000h\n"
	       "  level 4   8000h holds 9007h: P RW US\n"
	       "  level 3   9000h holds 0010_0007h: P RW US\n"
	       "  fails at level 2: no memory where the table should be, 0010_0000h\n"
	       "nested walk of guest-physical 0010_0000h\n"
	       "  slot      none: no memory is there\n");
}
END_TEST

START_TEST(an_address_that_is_not_canonical)
{
	struct svm_regs regs = rig_regs(&r);

	regs.rip = UINT64_C(0x800000000000);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	r.exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_REQUEST, .rip = regs.rip };
	explain();
	expect("bytes       cannot be read\n"
	       "walk of linear 8000_0000_0000h\n"
	       "  fails: the address is not canonical\n"
	       "audit ");
}
END_TEST

/* The page of the code was run, so it is mapped; the other slot was not touched. */
START_TEST(a_nested_walk_ends_in_memory_or_before)
{
	const struct svm_slot slot = {
		.gpa = 0x40000000,
		.size = 4096,
		.prot = SVM_PROT_READ,
		.kind = SVM_SLOT_RANGE,
		.hpa = r.memory_hpa,
	};

	ck_assert_int_eq(svm_vm_slot_add(r.vm, &slot), 0);
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	explain();
	expect("nested walk of guest-physical 1001h\n"
	       "  slot      a range, 0h to 0003_FFFFh, rwx\n");
	expect("  gives     host-physical ");
	r.exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NPT_FAULT, .npt = { .gpa = 0x40000123 } };
	explain();
	expect("nested walk of guest-physical 4000_0123h\n"
	       "  slot      a range, 4000_0000h to 4000_0FFFh, r--\n");
	expect(": not present yet, a touch fills it\n");
	r.exit.npt.gpa = UINT64_C(1) << 60;
	explain();
	expect("  beyond what the tables can hold\n");
}
END_TEST

START_TEST(what_waits_is_told)
{
	r.exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_HLT };
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0x18, 0), 0);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x30), 0);
	explain();
	expect("\nwaits       #GP with error code 18h, an NMI, interrupt 30h\n");
}
END_TEST

/* The save area of a triple fault says nothing; the recorder and what the guest began with do. */
START_TEST(the_way_to_a_triple_fault_is_told)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(r.vcpu, &system);
	system.idtr.limit = 0x8e;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	hosted_script_cpuid(&r.code);
	hosted_script_mov(&r.code, HOSTED_RCX, 0xc0019999);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_SHUTDOWN);
	explain();
	expect("\nway there   it was started with an IDT of limit 8Eh: unless it has loaded "
	       "another, its first exception ended it; the exit before was MSR at 100Ch, answered "
	       "with #GP");
	svm_explain(r.vcpu, &r.exit, text, sizeof(text));
	expect("; it was started with an IDT of limit 8Eh: ");
	expect("; the exit before was MSR at 100Ch, answered with #GP");
}
END_TEST

START_TEST(a_triple_fault_in_its_first_instruction)
{
	struct svm_system_regs system;
	struct svm_regs regs;

	svm_vcpu_get_system(r.vcpu, &system);
	system.cs.attributes = 0x9b;
	system.cs.limit = 0xfff;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	svm_vcpu_get_regs(r.vcpu, &regs);
	regs.rip = 0x1000;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_SHUTDOWN);
	explain();
	expect("\nway there   it was started at RIP 1000h, beyond the limit of CS, FFFh");
	ck_assert_ptr_null(strstr(text, "IDT of limit"));
	ck_assert_ptr_null(strstr(text, "the exit before"));
}
END_TEST

/* RAX alone may be a guest's by chance. */
START_TEST(a_state_that_is_the_host_s_is_told)
{
	static const char words[] = "RIP and RAX are the host's behind VMRUN";
	struct svm_vmcb_save *const save = &r.vcpu->vmcb->save;

	hosted_script_mov(&r.code, HOSTED_RBX, RIG_HOLE + 8);
	hosted_script_load(&r.code, HOSTED_RAX, HOSTED_RBX, true);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	save->rax = r.vcpu->s.vmcb;
	explain();
	ck_assert_ptr_null(strstr(text, words));
	save->rip = (uintptr_t)svm_world_switch + 3;
	explain();
	expect("\nnot guest's RIP and RAX are the host's behind VMRUN: ");
	svm_explain(r.vcpu, &r.exit, text, sizeof(text));
	expect("; RIP and RAX are the host's behind VMRUN: ");
	save->rax++;
	svm_explain(r.vcpu, &r.exit, text, sizeof(text));
	ck_assert_ptr_null(strstr(text, words));
}
END_TEST

START_TEST(a_completion_that_is_owed_is_told)
{
	hosted_script_out_imm(&r.code, 0x80, 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	explain();
	expect("\nvcpu        0, RUNNABLE, owed a completion\n");
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	explain();
	expect("\nvcpu        0, RUNNABLE, completed\n");
}
END_TEST

/* What the audit says of a setting that is legal and deadly. */
START_TEST(findings_are_listed)
{
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vmcb_set_int_control(r.vcpu->vmcb, 0);
	explain();
	expect("no V_INTR_MASKING: the guest's IF holds the host's back");
	expect("\naudit       1 finding\n  W18 ");
	svm_vmcb_set_int_control(r.vcpu->vmcb, SVM_INT_V_MASKING);
}
END_TEST

/* --- a VMCB alone ----------------------------------------------------------------------------- */

static const struct audit_place place = {
	.iopm = 0x100000,
	.msrpm = 0x104000,
	.ncr3 = 0x200000,
	.code = 0x10000,
	.cr3_long = 0x12000,
	.cr3_pae = 0x13000,
	.cr3_legacy = 0x14000,
};

static struct svm_vmcb vmcb;

static void explain_vmcb(const struct svm_exit *exit)
{
	const size_t length = svm_explain_vmcb_full(&vmcb, exit, text, sizeof(text));

	ck_assert_uint_lt(length, sizeof(text));
}

static void baseline(enum audit_mode mode)
{
	memset(&vmcb, 0, sizeof(vmcb));
	audit_baseline(&vmcb, mode, &place);
}

START_TEST(events_have_their_error_codes)
{
	const struct svm_exit exit = {
		.kind = SVM_EXIT_KIND_RAW,
		.raw = { 0x41, 0, 0, 0x280000b0e },
	};

	baseline(AUDIT_LONG64);
	vmcb.control.event_inj = 0x80000030;
	explain_vmcb(&exit);
	expect("\ninterrupted 0002_8000_0B0Eh: #PF, error code 2h\n"
	       "injected    8000_0030h: interrupt 30h\n");
	vmcb.control.event_inj = 0x80000202;
	explain_vmcb(&exit);
	expect("\ninjected    8000_0202h: an NMI\n");
	vmcb.control.event_inj = 0x80000480;
	explain_vmcb(&exit);
	expect("\ninjected    8000_0480h: INT 80h\n");
	vmcb.control.event_inj = 0x80000100;
	explain_vmcb(&exit);
	expect("\ninjected    8000_0100h: an event of a reserved type\n");
}
END_TEST

START_TEST(bits_without_a_name_are_numbers)
{
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_RAW };

	baseline(AUDIT_LONG64);
	svm_vmcb_set_cr0(&vmcb, 0x100000011);
	svm_vmcb_set_cr4(&vmcb, 0x80000020);
	vmcb.save.rflags = 0x247;
	svm_vmcb_set_dr7(&vmcb, 0x401);
	svm_vmcb_set_dr6(&vmcb, 0xffff4ff1);
	explain_vmcb(&exit);
	expect("\ncr0         0001_0000_0011h: PE ET 0001_0000_0000h\n");
	expect("\ncr4         8000_0020h: PAE 8000_0000h\n");
	expect("\nrflags      247h: CF PF ZF IF\n");
	expect("\ndr6         FFFF_4FF1h: B0 BS\ndr7         401h: L0\n");
}
END_TEST

static const struct {
	uint16_t attributes;
	const char *words;
} segment_rows[] = {
	{ 0x000, "null" },
	{ 0x29b, "code, readable, accessed, DPL 0, 64-bit" },
	{ 0x09e, "code, readable, conforming, DPL 0" },
	{ 0xcf8, "code, execute only, DPL 3, 32-bit, limit in pages" },
	{ 0x093, "data, writable, accessed, DPL 0" },
	{ 0x0f5, "data, read only, expands down, accessed, DPL 3" },
	{ 0x013, "data, writable, accessed, DPL 0, not present" },
	{ 0x08b, "TSS, busy, DPL 0" },
	{ 0x089, "TSS, available, DPL 0" },
	{ 0x083, "16-bit TSS, busy, DPL 0" },
	{ 0x081, "16-bit TSS, available, DPL 0" },
	{ 0x082, "LDT, DPL 0" },
	{ 0x08f, "system, of no segment's type, DPL 0" },
	{ 0xc09b, "code, readable, accessed, DPL 0, bits that do not exist: VMX's format?" },
};

START_TEST(attributes_of_segments_have_words)
{
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_RAW };
	char line[160];

	baseline(AUDIT_LONG64);
	vmcb.save.fs = audit_segment(0x28, segment_rows[_i].attributes, 0xffff, 0x1000);
	explain_vmcb(&exit);
	snprintf(line, sizeof(line), ": %s\ngs ", segment_rows[_i].words);
	expect("\nfs          0028 base 1000h limit FFFFh attributes ");
	expect(line);
}
END_TEST

static const struct {
	enum audit_mode mode;
	const char *words;
} mode_rows[] = {
	{ AUDIT_LONG64, "64-bit mode, CPL 0, at 0008:0h, 4 levels of tables" },
	{ AUDIT_COMPAT32, "compatibility mode, CPL 0, at 0008:0h, 4 levels of tables" },
	{ AUDIT_PAE32, "32-bit protected mode, CPL 0, at 0008:0h, 3 levels of tables (PAE)" },
	{ AUDIT_LEGACY32, "32-bit protected mode, CPL 0, at 0008:0h, 2 levels of tables" },
	{ AUDIT_REAL, "real mode, CPL 0, at 1000:0h, no paging" },
};

START_TEST(a_mode_tells_its_tables)
{
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_RAW };
	char line[160];

	baseline(mode_rows[_i].mode);
	explain_vmcb(&exit);
	snprintf(line, sizeof(line), "\nguest       %s\n", mode_rows[_i].words);
	expect(line);
}
END_TEST

START_TEST(a_decoded_instruction_is_told)
{
	const struct svm_exit exit = {
		.kind = SVM_EXIT_KIND_EMULATION,
		.decoded = { .valid = true, .map = SVM_OPCODE_0F, .opcode = 0xc7, .has_modrm = 1,
		             .modrm = 0x0e, .operand_width = 64, .address_width = 32 },
	};

	baseline(AUDIT_LONG64);
	explain_vmcb(&exit);
	expect("\ninstruction opcode 0F C7, ModRM 0E, operands of 64 bits, addresses of 32 bits\n");
}
END_TEST

START_TEST(a_virtual_interrupt_is_told)
{
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_RAW };

	baseline(AUDIT_LONG64);
	vmcb.save.rflags = 0x202;
	vmcb.control.int_state = 1;
	svm_vmcb_set_int_control(&vmcb, SVM_INT_V_MASKING | SVM_INT_V_IRQ | 0xf0005 |
	                                        svm_bits_put(0x41, SVM_INT_V_INTR_VECTOR));
	explain_vmcb(&exit);
	expect("\ninterrupts  IF set, in a shadow, V_INTR_MASKING, task priority 5h, virtual "
	       "interrupt 41h of priority Fh\n");
}
END_TEST

START_TEST(a_short_buffer_holds_the_beginning)
{
	const struct svm_exit exit = { .kind = SVM_EXIT_KIND_HLT, .raw = { 0x78, 0, 0, 0 } };
	static char whole[16384];
	size_t length;

	baseline(AUDIT_LONG64);
	length = svm_explain_vmcb_full(&vmcb, &exit, whole, sizeof(whole));
	for (size_t size = 0; size < length + 2; size++) {
		memset(text, 'x', length + 3);
		ck_assert_uint_eq(svm_explain_vmcb_full(&vmcb, &exit, text, size), length);
		ck_assert_int_eq(text[size], 'x');
		if (size != 0)
			ck_assert_int_eq(strncmp(text, whole, svm_min(size - 1, length)), 0);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_page_says_all_of_an_exit);
	tcase_add_test(tc, a_page_fault_is_followed_to_the_level_that_failed);
	tcase_add_test(tc, a_table_without_memory_is_named);
	tcase_add_test(tc, an_address_that_is_not_canonical);
	tcase_add_test(tc, a_nested_walk_ends_in_memory_or_before);
	tcase_add_test(tc, what_waits_is_told);
	tcase_add_test(tc, the_way_to_a_triple_fault_is_told);
	tcase_add_test(tc, a_triple_fault_in_its_first_instruction);
	tcase_add_test(tc, a_state_that_is_the_host_s_is_told);
	tcase_add_test(tc, a_completion_that_is_owed_is_told);
	tcase_add_test(tc, findings_are_listed);
	tcase_add_test(tc, events_have_their_error_codes);
	tcase_add_test(tc, bits_without_a_name_are_numbers);
	tcase_add_loop_test(tc, attributes_of_segments_have_words, 0, ROWS(segment_rows));
	tcase_add_loop_test(tc, a_mode_tells_its_tables, 0, ROWS(mode_rows));
	tcase_add_test(tc, a_decoded_instruction_is_told);
	tcase_add_test(tc, a_virtual_interrupt_is_told);
	tcase_add_test(tc, a_short_buffer_holds_the_beginning);
}

int main(void)
{
	return rig_main("explain, full", add);
}
