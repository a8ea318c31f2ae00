/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The control block of the lessons, which is written down a second time and shorter, against the
 * library's own, and what the lessons put into it against the audit.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>
#include <libsvm/exit_codes.h>

#include "vcpu.h"

#define SAME(theirs, ours)                                                                         \
	_Static_assert(offsetof(struct vmcb, theirs) == offsetof(struct svm_vmcb, ours), #theirs)

SAME(intercepts, control._intercept);
SAME(iopm, control._iopm_base);
SAME(msrpm, control._msrpm_base);
SAME(tsc_offset, control._tsc_offset);
SAME(asid, control._asid);
SAME(tlb_control, control.tlb_control);
SAME(int_control, control._int_control);
SAME(int_state, control.int_state);
SAME(exit_code, control.exit_code);
SAME(exit_info_1, control.exit_info_1);
SAME(exit_info_2, control.exit_info_2);
SAME(exit_int_info, control.exit_int_info);
SAME(nested_paging, control._np_control);
SAME(event, control.event_inj);
SAME(nested_root, control._ncr3);
SAME(es, save._es);
SAME(cs, save._cs);
SAME(ss, save._ss);
SAME(ds, save._ds);
SAME(fs, save.fs);
SAME(gs, save.gs);
SAME(gdtr, save._gdtr);
SAME(ldtr, save.ldtr);
SAME(idtr, save._idtr);
SAME(tr, save.tr);
SAME(efer, save._efer);
SAME(cr4, save._cr4);
SAME(cr3, save._cr3);
SAME(cr0, save._cr0);
SAME(dr7, save._dr7);
SAME(dr6, save._dr6);
SAME(rflags, save.rflags);
SAME(rip, save.rip);
SAME(rsp, save.rsp);
SAME(rax, save.rax);
SAME(pat, save._g_pat);

static const struct {
	const char *what;
	uint64_t lesson, library;
} codes[] = {
	{ "INTR", EXIT_INTR, SVM_EXIT_INTR },
	{ "CPUID", EXIT_CPUID, SVM_EXIT_CPUID },
	{ "HLT", EXIT_HLT, SVM_EXIT_HLT },
	{ "IOIO", EXIT_IOIO, SVM_EXIT_IOIO },
	{ "SHUTDOWN", EXIT_SHUTDOWN, SVM_EXIT_SHUTDOWN },
	{ "VMRUN", EXIT_VMRUN, SVM_EXIT_VMRUN },
	{ "VMMCALL", EXIT_VMMCALL, SVM_EXIT_VMMCALL },
	{ "NPF", EXIT_NPF, SVM_EXIT_NPF },
};

START_TEST(exit_codes_are_the_librarys)
{
	ck_assert_msg(codes[_i].lesson == codes[_i].library, "%s", codes[_i].what);
}
END_TEST

/* The errors that the audit finds in the block of the lessons, after `spoil` changed it. */
static size_t errors(void (*spoil)(struct vmcb *vmcb))
{
	static union {
		struct vmcb lesson;
		struct svm_vmcb library;
	} block;
	const struct svm_audit_context context = { .host_paging = true,
		                                   .host_long_mode = true,
		                                   .errors_only = true };
	struct svm_finding findings[16];

	memset(&block, 0, sizeof(block));
	vmcb_init(&block.lesson, 0x8000);
	spoil(&block.lesson);
	return svm_audit(&block.library, &context, findings, 16);
}

static void nothing(struct vmcb *vmcb)
{
	(void)vmcb;
}

static void nested_paging(struct vmcb *vmcb)
{
	vmcb->nested_paging = 1;
	vmcb->nested_root = 0x100000;
}

static void no_vmrun(struct vmcb *vmcb)
{
	vmcb->intercepts[EXIT_VMRUN / 32] = 0;
}

static void no_asid(struct vmcb *vmcb)
{
	vmcb->asid = 0;
}

static void no_svme(struct vmcb *vmcb)
{
	vmcb->efer = 0;
}

START_TEST(the_audit_has_no_complaint)
{
	ck_assert_uint_eq(errors(nothing), 0);
	ck_assert_uint_eq(errors(nested_paging), 0);
}
END_TEST

/* Lesson 5: one thing is wrong each time. */
START_TEST(the_audit_names_what_lesson_5_spoils)
{
	ck_assert_uint_eq(errors(no_vmrun), 1);
	ck_assert_uint_eq(errors(no_asid), 1);
	ck_assert_uint_eq(errors(no_svme), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("the VMCB of the lessons");
	TCase *tc = tcase_create("vmcb");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, exit_codes_are_the_librarys, 0,
	                    (int)(sizeof(codes) / sizeof(codes[0])));
	tcase_add_test(tc, the_audit_has_no_complaint);
	tcase_add_test(tc, the_audit_names_what_lesson_5_spoils);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
