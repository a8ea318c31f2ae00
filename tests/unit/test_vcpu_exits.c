/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How an exit comes to the embedder and is completed; hypercalls, codes that no guest of the model
 * makes, and the intercepts that nobody may take away.  APM vol. 2, 15.7 to 15.14.
 */
#include "vcpu_rig.h"

/* --- completing --------------------------------------------------------------------------- */

START_TEST(an_exit_must_be_completed_once_and_in_kind)
{
	struct svm_exit exit;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 0, 0, 0, 0), SVM_ERR_STATE);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.flags, SVM_EXIT_COMPLETE);
	ck_assert_uint_eq(r.exit.insn_len, 3);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 0, 0, 0, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x123456789abc), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_STATE);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x123456789abc);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 3);
	rig_fini(&r);
}
END_TEST

/* IN writes AL, AX or EAX; the last clears the upper half. */
static const struct {
	int size;
	uint64_t rax;
} in_rows[] = { { 1, 0x11111111111111ab }, { 2, 0x11111111111189ab }, { 4, 0x456789ab } };

START_TEST(in_writes_its_operand_alone)
{
	for (int help = 0; help < RIG_HELPS; help++) {
		struct svm_regs regs;
		struct rig r;

		rig_init_help(&r, help, RIG_64);
		regs = rig_regs(&r);
		regs.rax = 0x1111111111111111;
		regs.rdx = 0x3f8;
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		hosted_script_in_dx(&r.code, in_rows[_i].size);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
		ck_assert_uint_eq(r.exit.io.port, 0x3f8);
		ck_assert_uint_eq(r.exit.io.size, (unsigned)in_rows[_i].size);
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x3456789ab), 0);
		ck_assert_uint_eq(rig_regs(&r).rax, in_rows[_i].rax);
		rig_fini(&r);
	}
}
END_TEST

/* A device callback may do what an embedder may from any thread. */
static enum svm_device_result device(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	unsigned *calls = arg;

	++*calls;
	switch (access->port) {
	case 0x80:
		svm_vcpu_kick(vcpu);
		return SVM_DEVICE_DONE;
	case 0x81:
		return SVM_DEVICE_RETURN;
	case 0x82:
		svm_vcpu_inject_nmi(vcpu);
		svm_vcpu_notify(vcpu);
		access->value = 0x77;
		return SVM_DEVICE_DONE;
	default:
		return SVM_DEVICE_EXIT;
	}
}

START_TEST(a_device_may_kick_return_and_inject)
{
	unsigned calls = 0;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 4, device, &calls), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_out_imm(&r.code, 0x81, 1);
	hosted_script_in_imm(&r.code, 0x83, 1);
	hosted_script_in_imm(&r.code, 0x82, 1);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	ck_assert(r.exit.flags & SVM_EXIT_CONSISTENT);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 4);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 1), 0);
	ck_assert_int_eq(rig_outcome(&r), 2);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE + 8);
	ck_assert_uint_eq(calls, 4);
	rig_fini(&r);
}
END_TEST

START_TEST(cpuid_can_be_the_embedders)
{
	static const struct svm_cpuid_entry only[] = { { 0, 0, false, 5, 0, 0, 0 } };
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, only, 1), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_CPUID), 0);
	regs = rig_regs(&r);
	regs.rax = 4;
	regs.rcx = 2;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_cpuid(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_CPUID);
	ck_assert_uint_eq(r.exit.cpuid.leaf, 4);
	ck_assert_uint_eq(r.exit.cpuid.subleaf, 2);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_cpuid(r.vcpu, 1, 2, 3, 4), 0);
	regs = rig_regs(&r);
	ck_assert(regs.rax == 1 && regs.rbx == 2 && regs.rcx == 3 && regs.rdx == 4);
	ck_assert_uint_eq(regs.rip, RIG_CODE + 2);
	rig_fini(&r);
}
END_TEST

/* Bits that follow the vCPU: APIC ID, OSXSAVE, the XSAVE size of leaf 0Dh. */
START_TEST(cpuid_follows_the_vcpu)
{
	struct svm_system_regs system;
	struct svm_regs regs;
	struct svm_vcpu *vcpu;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 3, &vcpu), 0);
	rig_prepare(&r, vcpu);
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	svm_vcpu_get_system(vcpu, &system);
	if (_i)
		system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(vcpu, &system), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	regs.rax = 1;
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &r.exit), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	ck_assert_uint_eq(regs.rbx >> 24, 3);
	ck_assert_uint_eq(regs.rcx >> 27 & 1, (unsigned)_i);
	ck_assert_int_eq(svm_vcpu_complete_skip(vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_xcr0(vcpu, _i ? 7 : 3), 0);
	regs.rip = RIG_CODE;
	regs.rax = 0xd;
	regs.rcx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &r.exit), 0);
	svm_vcpu_get_regs(vcpu, &regs);
	ck_assert_uint_eq(regs.rbx, _i ? 832 : 576);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
	rig_fini(&r);
}
END_TEST

/* --- hypercalls behind a callback ------------------------------------------------------------- */

struct called {
	struct svm_hypercall call;
	enum svm_device_result result;
	unsigned count;
};

static enum svm_device_result note_call(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_hypercall *call)
{
	struct called *called = arg;

	(void)vcpu;
	called->call = *call;
	called->count++;
	call->result = UINT64_C(0x1122334455667788);
	return called->result;
}

#define WHOLE UINT64_C(0x8877665544332211)
#define GIVEN UINT64_C(0x1122334455667788)

static const struct {
	const char *what;
	enum rig_mode mode;
	enum svm_device_result result;
	uint64_t number; /* In RAX. */
	unsigned count;  /* Calls of the callback. */
	enum svm_exit_kind kind;
	uint64_t seen_number, seen_argument, rax;
} hypercall_rows[] = {
	{ "64-bit code has whole registers", RIG_64, SVM_DEVICE_DONE, 0x53, 1,
	  SVM_EXIT_KIND_HLT, 0x53, WHOLE, GIVEN },
	{ "32-bit code has lower halves", RIG_32, SVM_DEVICE_DONE, UINT64_C(0xf00000053), 1,
	  SVM_EXIT_KIND_HLT, 0x53, 0x44332211, 0x55667788 },
	{ "a number of 64 bits", RIG_64, SVM_DEVICE_DONE, UINT64_C(0xf00000053), 0,
	  SVM_EXIT_KIND_HYPERCALL, 0, 0, UINT64_C(0xf00000053) },
	{ "another's number", RIG_64, SVM_DEVICE_DONE, 0x54, 0, SVM_EXIT_KIND_HYPERCALL, 0, 0,
	  0x54 },
	{ "not mine after all", RIG_64, SVM_DEVICE_EXIT, 0x53, 1, SVM_EXIT_KIND_HYPERCALL, 0x53,
	  WHOLE, 0x53 },
	{ "done, and back to the embedder", RIG_64, SVM_DEVICE_RETURN, 0x53, 1,
	  SVM_EXIT_KIND_REQUEST, 0x53, WHOLE, GIVEN },
};

START_TEST(a_callback_is_asked_for_its_hypercalls)
{
	struct called called = { .result = hypercall_rows[_i].result };
	struct svm_hypercall call;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, hypercall_rows[_i].mode);
	ck_assert_int_eq(svm_vm_hypercall_handler(r.vm, 0x50, 4, note_call, &called), 0);
	hosted_script_vmmcall(&r.code);
	hosted_script_hlt(&r.code);
	regs = rig_regs(&r);
	regs.rax = hypercall_rows[_i].number;
	regs.rsi = WHOLE;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_msg(rig_run(&r) == hypercall_rows[_i].kind, "%s", hypercall_rows[_i].what);
	ck_assert_uint_eq(called.count, hypercall_rows[_i].count);
	ck_assert_uint_eq(called.call.number, hypercall_rows[_i].seen_number);
	ck_assert_uint_eq(called.call.argument[3], hypercall_rows[_i].seen_argument);
	ck_assert_uint_eq(called.call.cpl, 0);
	ck_assert_uint_eq(rig_regs(&r).rax, hypercall_rows[_i].rax);
	if (hypercall_rows[_i].kind == SVM_EXIT_KIND_HYPERCALL) {
		svm_vcpu_get_hypercall(r.vcpu, &call);
		ck_assert_uint_eq(call.number, hypercall_rows[_i].number);
		ck_assert_uint_eq(call.argument[3], WHOLE);
		ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 7), 0);
	}
	rig_fini(&r);
}
END_TEST

/* Nobody has the number, but 50h to 53h. */
static const struct {
	const char *what;
	enum rig_mode mode;
	uint8_t cpl;
	bool on;
	uint64_t number;
	bool is_answered;
	uint64_t rax;
} default_rows[] = {
	{ "64-bit code", RIG_64, 0, true, 0x54, true, GIVEN },
	{ "64-bit code, a number of 64 bits", RIG_64, 0, true, UINT64_C(0xf00000053), true, GIVEN },
	{ "32-bit code", RIG_32, 0, true, UINT64_C(0xf00000054), true, 0x55667788 },
	{ "another privilege level", RIG_64, 3, true, 0x54, false, 0x54 },
	{ "a number that has a callback", RIG_64, 0, true, 0x53, false, 0x53 },
	{ "no default", RIG_64, 0, false, 0x54, false, 0x54 },
};

START_TEST(a_call_that_nobody_knows_has_an_answer)
{
	struct called called = { .result = SVM_DEVICE_EXIT };
	const bool is_answered = default_rows[_i].is_answered;
	struct rig r;

	rig_init(&r, NULL, default_rows[_i].mode);
	ck_assert_int_eq(svm_vm_hypercall_handler(r.vm, 0x50, 4, note_call, &called), 0);
	ck_assert_int_eq(svm_vm_hypercall_default(r.vm, default_rows[_i].on, GIVEN), 0);
	hosted_script_vmmcall(&r.code);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	svm_vmcb_set_cpl(r.vcpu->vmcb, default_rows[_i].cpl);
	r.vcpu->vmcb->save.rax = default_rows[_i].number;
	r.vcpu->vmcb->control.exit_code = SVM_EXIT_VMMCALL;
	r.vcpu->vmcb->control.next_rip = RIG_CODE + 3;
	ck_assert_msg(svm_exit_dispatch(r.vcpu, &r.exit) ==
	                      (is_answered ? SVM_ACTION_RESUME : SVM_ACTION_RETURN),
	              "%s", default_rows[_i].what);
	ck_assert_uint_eq(r.vcpu->vmcb->save.rax, default_rows[_i].rax);
	ck_assert_uint_eq(r.vcpu->vmcb->save.rip, RIG_CODE + (is_answered ? 3 : 0));
	ck_assert_uint_eq(called.count, default_rows[_i].number == 0x53);
	if (!is_answered)
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	rig_fini(&r);
}
END_TEST

/* --- codes that no guest of the model makes ----------------------------------------------- */

/* The dispatch alone, on a VMCB as a processor would leave it. */
static const struct {
	uint64_t code, info_1, info_2;
	enum svm_exit_kind kind; /* NONE: the guest goes on. */
	int vector;              /* Pending then; -1: none. */
} dispatch_rows[] = {
	{ 0x8e, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* RDPRU */
	{ 0xa0, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* INVLPGB */
	{ 0xa1, 0, 0, SVM_EXIT_KIND_NONE, 6 },
	{ 0xa3, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* MCOMMIT */
	{ 0xa4, 0, 0, SVM_EXIT_KIND_NONE, 6 },  /* TLBSYNC */
	{ 0x51, 0x1c, 0, SVM_EXIT_KIND_NONE, 17 }, /* #AC */
	{ 0x7e, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* FERR_FREEZE */
	{ 0xa5, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* bus lock */
	{ 0x7b, 0, 0, SVM_EXIT_KIND_RAW, -1 },  /* IOIO without a size */
	/* OUTSB by the exit, something else in memory: the guest runs again. */
	{ 0x7b, 0x03f80014, RIG_CODE + 1, SVM_EXIT_KIND_NONE, -1 },
	{ 0x63, 0, 0, SVM_EXIT_KIND_INIT, -1 },
	{ 0x407, 0, 0, SVM_EXIT_KIND_RAW, -1 },
	{ 0x12345, 0, 0, SVM_EXIT_KIND_RAW, -1 },
	{ UINT64_C(0xfffffffe), 0, 0, SVM_EXIT_KIND_RAW, -1 },
};

START_TEST(an_unknown_exit_comes_as_it_is)
{
	struct svm_events events;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	r.vcpu->vmcb->control.exit_code = dispatch_rows[_i].code;
	r.vcpu->vmcb->control.exit_info_1 = dispatch_rows[_i].info_1;
	r.vcpu->vmcb->control.exit_info_2 = dispatch_rows[_i].info_2;
	r.exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	ck_assert_int_eq(svm_exit_dispatch(r.vcpu, &r.exit),
	                 dispatch_rows[_i].kind == SVM_EXIT_KIND_NONE ? SVM_ACTION_RESUME
	                                                              : SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, dispatch_rows[_i].kind);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_int_eq(events.exception_pending, dispatch_rows[_i].vector >= 0);
	if (dispatch_rows[_i].vector >= 0)
		ck_assert_int_eq(events.exception_vector, dispatch_rows[_i].vector);
	if (dispatch_rows[_i].vector == 17)
		ck_assert_uint_eq(events.exception_error, 0x1c);
	rig_fini(&r);
}
END_TEST

static unsigned checks;

static bool survives(void *ctx)
{
	(void)ctx;
	checks++;
	return true;
}

static bool does_not(void *ctx)
{
	(void)ctx;
	checks++;
	return false;
}

static void no_bug(void *ctx, const char *what)
{
	(void)ctx;
	ck_assert_str_eq(what, "machine check while a guest ran");
}

START_TEST(a_machine_check_is_the_hosts_to_judge)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.machine_check = _i == 0 ? survives : _i == 1 ? does_not : NULL;
	r.hal.bug = no_bug;
	checks = 0;
	rig_start(&r, RIG_64);
	r.vcpu->vmcb->control.exit_code = 0x52;
	ck_assert_int_eq(svm_exit_dispatch(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(checks, _i < 2);
	ck_assert_int_eq(svm_vm_state(r.vm), _i == 0 ? SVM_VM_CREATED : SVM_VM_DEAD);
	if (_i)
		ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_DEAD);
	rig_fini(&r);
}
END_TEST

/* --- MONITOR of the intercepts ------------------------------------------------------------ */

static const struct {
	unsigned code;
	int result;
} intercept_rows[] = {
	{ 0x00, 0 },  { 0x18, 0 },  { 0x20, 0 },  { 0x4d, 0 },  { 0x6e, 0 },
	{ 0x75, 0 },  { 0x79, 0 },  { 0x87, 0 },  { 0x4e, 0 },
	{ 0x41, SVM_ERR_INVAL }, /* #DB: floor */
	{ 0x51, SVM_ERR_INVAL }, /* #AC */
	{ 0x52, SVM_ERR_INVAL }, /* #MC */
	{ 0x42, SVM_ERR_INVAL }, /* vectors without an exception */
	{ 0x49, SVM_ERR_INVAL },
	{ 0x14, SVM_ERR_INVAL }, /* CR4 */
	{ 0x60, SVM_ERR_INVAL }, { 0x61, SVM_ERR_INVAL }, { 0x7b, SVM_ERR_INVAL },
	{ 0x7c, SVM_ERR_INVAL }, { 0x80, SVM_ERR_INVAL }, { 0x8d, SVM_ERR_INVAL },
	{ 0x64, SVM_ERR_INVAL }, /* VINTR and IRET are the library's */
	{ 0x74, SVM_ERR_INVAL },
	{ 0x8f, SVM_ERR_INVAL }, /* traps of SEV-ES */
	{ 0x90, SVM_ERR_INVAL }, { 0x9f, SVM_ERR_INVAL },
	{ 0xa5, SVM_ERR_INVAL }, /* not of this processor */
	{ 0xa6, SVM_ERR_INVAL },
	{ 0xa7, SVM_ERR_INVAL }, { 0xbf, SVM_ERR_INVAL }, { 0xc0, SVM_ERR_INVAL },
	{ 0x400, SVM_ERR_INVAL },
};

START_TEST(a_debugger_may_take_what_is_above_the_floor)
{
	struct svm_vmcb before;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	before = *svm_vcpu_vmcb(r.vcpu);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, intercept_rows[_i].code, true),
	                 intercept_rows[_i].result);
	if (!intercept_rows[_i].result) {
		ck_assert(svm_vmcb_get_intercept(svm_vcpu_vmcb(r.vcpu), intercept_rows[_i].code));
		ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, intercept_rows[_i].code, false), 0);
	}
	ck_assert_mem_eq(before.control._intercept, svm_vcpu_vmcb(r.vcpu)->control._intercept,
	                 sizeof(before.control._intercept));
	rig_fini(&r);
}
END_TEST

/* Word by word: what every guest is caught at (15.7 to 15.14 and the floor of the design). */
START_TEST(the_floor_is_what_the_manual_calls_for)
{
	static const uint32_t expected[6] = {
		0x00100000,                 /* CR4 writes */
		0xffffffff,                 /* debug registers */
		0x00060002,                 /* #DB #AC #MC */
		0xfd4c800f & ~0u,           /* see exit_codes.h; no SWINT, no PAUSE, no VINTR */
		0x00007f7f,                 /* VMRUN … RDPRU, not RDTSCP */
		0x00000000,                 /* nothing that this processor lacks */
	};
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_mem_eq(svm_vcpu_vmcb(r.vcpu)->control._intercept, expected, sizeof(expected));
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_callback_is_asked_for_its_hypercalls, 0,
	                    ROWS(hypercall_rows));
	tcase_add_loop_test(tc, a_call_that_nobody_knows_has_an_answer, 0,
	                    ROWS(default_rows));
	tcase_add_test(tc, an_exit_must_be_completed_once_and_in_kind);
	tcase_add_loop_test(tc, in_writes_its_operand_alone, 0, ROWS(in_rows));
	tcase_add_test(tc, a_device_may_kick_return_and_inject);
	tcase_add_loop_test(tc, cpuid_can_be_the_embedders, 0, RIG_HELPS);
	tcase_add_loop_test(tc, cpuid_follows_the_vcpu, 0, 2);
	tcase_add_loop_test(tc, an_unknown_exit_comes_as_it_is, 0, ROWS(dispatch_rows));
	tcase_add_loop_test(tc, a_machine_check_is_the_hosts_to_judge, 0, 3);
	tcase_add_loop_test(tc, a_debugger_may_take_what_is_above_the_floor, 0,
	                    ROWS(intercept_rows));
	tcase_add_test(tc, the_floor_is_what_the_manual_calls_for);
}

int main(void)
{
	return rig_main("vCPU exits", add_tests);
}
