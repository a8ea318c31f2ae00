/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guests that do not get on: which of them are reported, how, and which of the others are not.
 */
#include "vcpu_rig.h"

#include <time.h>

#include <libsvm/diagnose.h>

static struct rig r;
static struct {
	unsigned calls;
	bool go_on;
	struct svm_exit exit;
} told;

static bool on_stuck(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	ck_assert_ptr_eq(arg, &told);
	ck_assert_ptr_eq(vcpu, r.vcpu);
	told.calls++;
	told.exit = *exit;
	return told.go_on;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* A VM that watches; the rig's own has the defaults. */
static void start_on(const struct hosted_config *machine, const struct svm_vm_config *config,
                     bool is_patient)
{
	rig_machine(&r, machine);
	if (is_patient)
		r.hal.should_exit = never;
	rig_start(&r, RIG_64);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(r.vm), 0);
	ck_assert_int_eq(svm_vm_create(r.host, config, &r.vm), 0);
	ck_assert_int_eq(svm_vm_map(r.vm, 0, r.memory_hpa, RIG_PAGES * 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vm_populate(r.vm, 0, RIG_PAGES * 4096), 0);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 0, &r.vcpu), 0);
	rig_rewind(&r);
	memset(&told, 0, sizeof(told));
}

static void start(const struct svm_vm_config *config, bool is_patient)
{
	start_on(NULL, config, is_patient);
}

/* --- loops ------------------------------------------------------------------------------------ */

static void retry(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_EXCEPTION);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	}
}

/* Each retry of #UD leaves all as it was. */
START_TEST(a_handler_that_does_nothing_is_a_loop)
{
	const struct svm_vm_config config = { .loop_limit = 10 };

	start(&config, false);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	retry(9);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_LOOP);
	ck_assert_uint_eq(r.exit.loop.count, 10);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	ck_assert_uint_eq(r.exit.raw.exit_code, SVM_EXIT_EXCEPTION + 6);
	retry(9); /* It begins anew. */
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_LOOP);
	rig_fini(&r);
}
END_TEST

START_TEST(a_callback_may_let_it_go_on)
{
	const struct svm_vm_config config = { .loop_limit = 5, .on_stuck = on_stuck,
		                              .on_stuck_arg = &told };

	start(&config, false);
	told.go_on = true;
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	retry(14);
	ck_assert_uint_eq(told.calls, 2);
	ck_assert_int_eq(told.exit.kind, SVM_EXIT_KIND_LOOP);
	ck_assert_uint_eq(told.exit.loop.count, 5);
	told.go_on = false;
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_LOOP);
	ck_assert_uint_eq(told.calls, 3);
	rig_fini(&r);
}
END_TEST

/* CPUID at one place for ever: the guest's own loop, in which each exit does its work. */
START_TEST(an_instruction_that_is_done_is_no_loop)
{
	const struct svm_vm_config config = { .loop_limit = 5 };

	start(&config, false);
	hosted_script_wbinvd(&r.code);
	hosted_script_jmp(&r.code, 0);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
		ck_assert_uint_eq(told.calls, 0);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(an_idle_guest_is_no_loop)
{
	const struct svm_vm_config config = { .loop_limit = 3 };

	start(&config, false);
	hosted_script_hlt(&r.code);
	hosted_script_jmp(&r.code, 0);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HLT);
		svm_vcpu_unhalt(r.vcpu);
	}
	rig_fini(&r);
}
END_TEST

/* #GP whose handler returns to the instruction: the guest's own loop too. */
START_TEST(a_fault_that_the_guest_got_is_no_loop)
{
	const struct svm_vm_config config = { .loop_limit = 3 };
	struct hosted_script handler;
	struct svm_regs regs;

	start(&config, false);
	hosted_script_init(&handler, 64);
	hosted_script_pop(&handler, HOSTED_RAX); /* The error code. */
	hosted_script_iret(&handler);
	rig_handler(&r, 13, &handler);
	hosted_script_rdmsr(&r.code);
	regs = rig_regs(&r);
	regs.rcx = 0x12345;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	rig_fini(&r);
}
END_TEST

/* --- silence ---------------------------------------------------------------------------------- */

START_TEST(a_guest_that_spins_is_silent)
{
	const struct svm_vm_config config = { .silence_ms = 2 };
	char text[600];

	start(&config, _i); /* Patient: all of it in one run. */
	hosted_script_jmp(&r.code, 0);
	while (rig_run(&r) == SVM_EXIT_KIND_HOST_INTERRUPT)
		ck_assert(!_i);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_SILENT);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	ck_assert_uint_ge(r.exit.silent.ms, 2);
	ck_assert_uint_gt(r.exit.silent.looks, 1);
	ck_assert_uint_eq(r.exit.silent.same, r.exit.silent.looks);
	svm_explain(r.vcpu, &r.exit, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "the instruction jumps to itself; IF is clear"));
	while (rig_run(&r) == SVM_EXIT_KIND_HOST_INTERRUPT)
		; /* And again after as long. */
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_SILENT);
	rig_fini(&r);
}
END_TEST

START_TEST(a_callback_may_let_it_be_silent)
{
	const struct svm_vm_config config = { .silence_ms = 1, .on_stuck = on_stuck,
		                              .on_stuck_arg = &told };

	start(&config, false);
	told.go_on = true;
	hosted_script_jmp(&r.code, 0);
	while (told.calls < 3)
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert_int_eq(told.exit.kind, SVM_EXIT_KIND_SILENT);
	rig_fini(&r);
}
END_TEST

/* Time outside of the guest is not its silence.  A short stay, which a slow machine too can tell
 * from the long sleeps. */
START_TEST(a_guest_that_is_not_run_is_not_silent)
{
	const struct svm_vm_config config = { .silence_ms = 1000 };
	const struct timespec nap = { 0, 50 * 1000 * 1000 };
	struct hosted_config machine;

	hosted_config_init(&machine);
	machine.run_limit = 100;
	start_on(&machine, &config, false);
	hosted_script_jmp(&r.code, 0);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
		nanosleep(&nap, NULL);
	}
	rig_fini(&r);
}
END_TEST

static enum svm_device_result on_port(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	const uint64_t start_tsc = svm_ring0_rdtsc();

	(void)arg;
	(void)vcpu;
	(void)access;
	while (svm_ring0_rdtsc() - start_tsc < r.hal.tsc_hz / 1000)
		; /* As long as the limit, and not in the guest. */
	return SVM_DEVICE_DONE;
}

START_TEST(exits_of_its_own_end_the_silence)
{
	const struct svm_vm_config config = { .silence_ms = 1, .on_stuck = on_stuck,
		                              .on_stuck_arg = &told };

	start(&config, false);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, on_port, NULL), 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_jmp(&r.code, 0);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert_uint_eq(told.calls, 0);
	rig_fini(&r);
}
END_TEST

/* --- from another CPU ------------------------------------------------------------------------- */

START_TEST(a_watchdog_sees_when_it_left_last)
{
	const struct svm_vm_config config = { .vcpu_max = 1 };
	const struct timespec nap = { 0, 20 * 1000 * 1000 };
	struct svm_silence silence;
	char text[600];

	start(&config, false);
	svm_vcpu_get_silence(r.vcpu, &silence);
	ck_assert_uint_eq(silence.exits, 0);
	ck_assert(!silence.in_guest);
	ck_assert_uint_eq(svm_explain_silence(r.vcpu, text, sizeof(text)), strlen(text));
	ck_assert_str_eq(text, "vCPU 0: has never run; it is the host's turn to call "
	                       "svm_vcpu_run()");
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	nanosleep(&nap, NULL);
	svm_vcpu_get_silence(r.vcpu, &silence);
	ck_assert_uint_eq(silence.exits, 1);
	ck_assert_uint_eq(silence.rip, RIG_CODE);
	ck_assert_uint_eq(silence.exit_code, SVM_EXIT_HLT);
	ck_assert(!silence.in_guest);

	/* As another CPU would find it. */
	svm_atomic_store(&r.vcpu->in_guest, 1u);
	svm_explain_silence(r.vcpu, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "vCPU 0: in its guest for "));
	ck_assert_ptr_nonnull(strstr(text, " ms; the last exit was HLT at 1000h; V_INTR_MASKING is "
	                                   "set and the host enters with IF set: any interrupt"));
	svm_vmcb_set_int_control(r.vcpu->vmcb, 0);
	svm_explain_silence(r.vcpu, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "V_INTR_MASKING is clear"));
	svm_vmcb_set_intercept(r.vcpu->vmcb, SVM_EXIT_INTR, false);
	svm_explain_silence(r.vcpu, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "interrupts are not intercepted"));
	ck_assert_ptr_nonnull(strstr(text, "; GIF is 1: VMRUN sets it"));
	svm_atomic_store(&r.vcpu->in_guest, 0u);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_handler_that_does_nothing_is_a_loop);
	tcase_add_test(tc, a_callback_may_let_it_go_on);
	tcase_add_test(tc, an_instruction_that_is_done_is_no_loop);
	tcase_add_test(tc, an_idle_guest_is_no_loop);
	tcase_add_test(tc, a_fault_that_the_guest_got_is_no_loop);
	tcase_add_loop_test(tc, a_guest_that_spins_is_silent, 0, 2);
	tcase_add_test(tc, a_callback_may_let_it_be_silent);
	tcase_add_test(tc, a_guest_that_is_not_run_is_not_silent);
	tcase_add_test(tc, exits_of_its_own_end_the_silence);
	tcase_add_test(tc, a_watchdog_sees_when_it_left_last);
}

int main(void)
{
	return rig_main("stuck", add);
}
