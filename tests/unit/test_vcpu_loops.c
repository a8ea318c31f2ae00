/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guests, devices and ports that never rest: each gives the processor back, and the host's own
 * interrupts are the host's.  APM vol. 2, 15.13.
 */
#include "vcpu_rig.h"

/* --- loops -------------------------------------------------------------------------------- */

/* A guest whose fault handler's fault is intercepted again and again: the detector names it. */
START_TEST(an_exit_that_repeats_is_a_loop)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	svm_vcpu_set_loop_limit(r.vcpu, 10);
	/* Its bytes become another instruction behind the processor's back: it runs for ever. */
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_UD), 0);
	hosted_script_ud2(&r.code);
	for (int i = 0; i < 9; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	}
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_LOOP);
	ck_assert_uint_eq(r.exit.loop.count, 10);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	/* It counts anew, and nothing is owed. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	svm_vcpu_set_loop_limit(r.vcpu, 0);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_EXCEPTION);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	}
	rig_fini(&r);
}
END_TEST

static unsigned asked;

static bool never(void *ctx)
{
	(void)ctx;
	asked++;
	return false;
}

static bool at_third(void *ctx)
{
	(void)ctx;
	return ++asked == 3;
}

static void start_asked(struct rig *r, uint64_t run_limit, bool (*should_exit)(void *ctx))
{
	struct hosted_config config;

	hosted_config_init(&config);
	config.run_limit = run_limit;
	rig_machine(r, &config);
	r->hal.should_exit = should_exit;
	asked = 0;
	rig_start(r, RIG_64);
}

/* All its exits end inside the library, and host interrupts arrive in the host: still preempted. */
START_TEST(a_guest_that_exits_for_ever_gives_the_cpu_back)
{
	struct svm_vcpu_stats stats;
	struct rig r;

	start_asked(&r, UINT64_MAX, at_third); /* No timer of the model. */
	hosted_script_cpuid(&r.code);
	hosted_script_jmp(&r.code, 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(asked, 3);
	ck_assert_uint_eq(stats.interrupts, 0);
	ck_assert_uint_ge(stats.entries, 3 * 128 - 8);
	ck_assert_uint_le(stats.entries, 3 * 128 + 8);
	rig_fini(&r);
}
END_TEST

/* The library finishes CPUID, VMMCALL ends a run; times are taken from when they are asked for. */
START_TEST(exits_are_counted_by_code)
{
	struct svm_exit_count rows[SVM_EXIT_COUNT_MAX];
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	for (int i = 0; i < 5; i++)
		hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, SVM_EXIT_COUNT_MAX), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, SVM_EXIT_COUNT_MAX), 2);
	ck_assert_uint_eq(rows[0].code, SVM_EXIT_CPUID);
	ck_assert_uint_eq(rows[0].count, 5);
	ck_assert_uint_eq(rows[0].cycles, 0);
	ck_assert_uint_eq(rows[1].code, SVM_EXIT_VMMCALL);
	ck_assert_uint_eq(rows[1].count, 1);
	ck_assert_uint_eq(rows[1].cycles, 0);

	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rows[1].count = 0;
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, 1), 2);
	ck_assert_uint_eq(rows[0].count, 6);
	ck_assert_uint_gt(rows[0].cycles, 0);
	ck_assert_uint_eq(rows[1].count, 0);
	ck_assert_uint_eq(svm_vcpu_get_exit_counts(r.vcpu, rows, 2), 2);
	ck_assert_uint_gt(rows[1].cycles, 0);
	rig_fini(&r);
}
END_TEST

static enum svm_device_result swallow(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	(void)vcpu;
	(void)access;
	++*(unsigned *)arg;
	return SVM_DEVICE_DONE;
}

/* What would keep the host busy for as long as the guest likes: many parts, or many wholes. */
static const uint64_t repeats[] = { UINT64_C(1) << 20, 1024 };

START_TEST(a_repeat_without_end_gives_the_cpu_back)
{
	struct svm_vcpu_stats stats;
	unsigned swallowed = 0;
	struct svm_regs regs;
	struct rig r;

	start_asked(&r, UINT64_MAX, at_third); /* No timer of the model. */
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, swallow, &swallowed), 0);
	hosted_script_mov(&r.code, HOSTED_RCX, repeats[_i]);
	hosted_script_mov(&r.code, HOSTED_RSI, RIG_DATA);
	hosted_script_rep_outsb(&r.code);
	hosted_script_jmp(&r.code, 0);
	regs = rig_regs(&r);
	regs.rdx = 0x80;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.entries, 3);
	ck_assert_uint_eq(swallowed, 3 * 1024);
	ck_assert_uint_eq(rig_regs(&r).rcx, (repeats[_i] - 3 * 1024) % repeats[_i]);
	rig_fini(&r);
}
END_TEST

static int restless(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)tpr;
	svm_vcpu_notify(vcpu);
	return -1;
}

static uint8_t accept_none(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	(void)arg;
	(void)vcpu;
	ck_abort_msg("vector %u", vector);
	return vector;
}

static void no_change(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
}

/* An interrupt port that asks to be asked again, always: no entry, and no hang. */
START_TEST(a_port_that_never_rests_gives_the_cpu_back)
{
	static const struct svm_irq_port port = {
		.pending = restless, .accept = accept_none, .tpr_changed = no_change, .arg = NULL,
	};
	struct svm_vcpu_stats stats;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_host_interrupt_asks_and_goes_on)
{
	struct rig r;

	start_asked(&r, 100, never);
	hosted_script_mov(&r.code, HOSTED_RBX, 1000);
	const size_t top = r.code.size;

	hosted_script_dec(&r.code, HOSTED_RBX);
	hosted_script_jnz(&r.code, top);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_ge(asked, 10);
	ck_assert_uint_eq(hosted_taken(r.m, 0, HOSTED_INTR), asked);
	rig_fini(&r);
}
END_TEST

START_TEST(a_physical_nmi_is_the_hosts)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	hosted_script_jmp(&r.code, 0);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	svm_ring0_irq_save();
	hosted_pend(r.m, 0, _i ? HOSTED_SMI : HOSTED_NMI);
	svm_ring0_irq_restore(0x202);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	rig_fini(&r);
}
END_TEST

/* --- PAUSE -------------------------------------------------------------------------------- */

START_TEST(pause_loops_are_counted_by_the_filter)
{
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 0), 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 3, 0), _i == 2 ? SVM_ERR_NOSUPPORT : 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 3), _i == 2 ? SVM_ERR_NOSUPPORT : 0);
	ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 0, 0), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_PAUSE), 0);
	for (int i = 0; i < 6; i++)
		hosted_script_pause(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_PAUSE);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2); /* It is done. */
	if (_i != 2) {
		ck_assert_int_eq(svm_vcpu_set_pause_filter(r.vcpu, 3, 0), 0);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_PAUSE);
		ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2 + 8); /* Count 3: the fourth exits. */
	}
	rig_fini(&r);
}
END_TEST

START_TEST(mwait_goes_to_the_embedder_if_cpuid_offers_it)
{
	static const struct svm_cpuid_entry rows[] = { { 1, 0, false, 0, 0, 1u << 3, 0 } };
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, rows, 1), 0);
	hosted_script_monitor(&r.code);
	hosted_script_mwait(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MWAIT);
	ck_assert(!r.exit.mwait.is_monitor);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_outcome(&r), -1);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, an_exit_that_repeats_is_a_loop);
	tcase_add_test(tc, exits_are_counted_by_code);
	tcase_add_test(tc, a_guest_that_exits_for_ever_gives_the_cpu_back);
	tcase_add_loop_test(tc, a_repeat_without_end_gives_the_cpu_back, 0, ROWS(repeats));
	tcase_add_test(tc, a_port_that_never_rests_gives_the_cpu_back);
	tcase_add_test(tc, a_host_interrupt_asks_and_goes_on);
	tcase_add_loop_test(tc, a_physical_nmi_is_the_hosts, 0, 2);
	tcase_add_loop_test(tc, pause_loops_are_counted_by_the_filter, 0, RIG_HELPS);
	tcase_add_loop_test(tc, mwait_goes_to_the_embedder_if_cpuid_offers_it, 0, RIG_HELPS);
}

int main(void)
{
	return rig_main("vCPU loops", add_tests);
}
