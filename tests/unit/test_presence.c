/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who is told when a vCPU comes to a CPU and leaves it; and HLT that ends without an interrupt.
 */
#include "vcpu_rig.h"

static struct rig r;
static struct watch {
	enum svm_arrival answer;
	unsigned arrivals, departures;
	bool is_here, has_work;
} watch;

static enum svm_arrival on_arrive(void *arg, struct svm_vcpu *vcpu, svm_gpa_t *gpa)
{
	struct watch *w = arg;

	ck_assert_ptr_eq(vcpu, r.vcpu);
	w->arrivals++;
	if (w->answer == SVM_ARRIVAL_AGAIN)
		*gpa = 0x1234;
	else
		w->is_here = true;
	return w->answer;
}

static void on_leave(void *arg, struct svm_vcpu *vcpu, bool has_work)
{
	struct watch *w = arg;

	ck_assert_ptr_eq(vcpu, r.vcpu);
	ck_assert(w->is_here);
	w->has_work = has_work;
	w->departures++;
	w->is_here = false;
}

static void setup(void)
{
	const struct svm_presence presence = { on_arrive, on_leave, &watch };

	rig_init(&r, NULL, RIG_64);
	watch = (struct watch){ .answer = SVM_ARRIVAL_DONE };
	svm_vcpu_set_presence(r.vcpu, &presence);
}

static void teardown(void)
{
	rig_fini(&r);
}

static void halt_and_wake(void)
{
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vcpu_unhalt(r.vcpu);
}

/* --- presence -------------------------------------------------------------------------------- */

START_TEST(a_run_comes_and_leaves)
{
	for (unsigned i = 0; i < 3; i++)
		hosted_script_hlt(&r.code);
	for (unsigned i = 1; i <= 3; i++) {
		halt_and_wake();
		ck_assert_uint_eq(watch.arrivals, i);
		ck_assert_uint_eq(watch.departures, i);
	}
}
END_TEST

START_TEST(a_loaded_vcpu_stays)
{
	for (unsigned i = 0; i < 3; i++)
		hosted_script_hlt(&r.code);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_uint_eq(watch.arrivals, 0);
	for (unsigned i = 0; i < 3; i++) {
		halt_and_wake();
		ck_assert_uint_eq(watch.arrivals, 1);
		ck_assert_uint_eq(watch.departures, 0);
	}
	svm_vcpu_put(r.vcpu);
	ck_assert_uint_eq(watch.departures, 1);
	ck_assert(!watch.has_work); /* Halted. */
}
END_TEST

START_TEST(who_is_not_halted_has_work)
{
	hosted_script_hlt(&r.code);
	hosted_script_jmp(&r.code, r.code.size);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert(!watch.has_work);
	svm_vcpu_unhalt(r.vcpu);
	r.hal.cpu_kick(r.hal.ctx, 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert(watch.has_work);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	r.hal.cpu_kick(r.hal.ctx, 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HOST_INTERRUPT);
	svm_vcpu_put(r.vcpu);
	ck_assert_uint_eq(watch.departures, 3);
	ck_assert(watch.has_work);
}
END_TEST

/* One that comes and goes without an entry was never told to be here. */
START_TEST(a_vcpu_that_did_not_enter_does_not_leave)
{
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	svm_vcpu_put(r.vcpu);
	ck_assert_uint_eq(watch.arrivals + watch.departures, 0);
}
END_TEST

START_TEST(nobody_leaves_inside_an_instruction)
{
	hosted_script_vmmcall(&r.code);
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(watch.arrivals, 1);
	ck_assert(watch.is_here);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(watch.departures, 1);
}
END_TEST

/* The answer is used by the next run, with what the instruction had translated. */
START_TEST(nobody_leaves_inside_an_emulation)
{
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MMIO), 0);
	hosted_script_mov(&r.code, HOSTED_RBX, RIG_HOLE);
	hosted_script_load(&r.code, HOSTED_RAX, HOSTED_RBX, true);
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	ck_assert(watch.is_here);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 5), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(watch.departures, 1);
}
END_TEST

START_TEST(an_arrival_waits_for_memory)
{
	hosted_script_mov(&r.code, HOSTED_RAX, 5);
	hosted_script_hlt(&r.code);
	watch.answer = SVM_ARRIVAL_AGAIN;
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
		ck_assert_int_eq(r.exit.npt.reason, SVM_NPT_FAULT_AGAIN);
		ck_assert_uint_eq(r.exit.npt.gpa, 0x1234);
		ck_assert_uint_eq(r.exit.npt.access, SVM_PROT_READ | SVM_PROT_WRITE);
		ck_assert_uint_eq(watch.arrivals, i);
	}
	ck_assert_uint_eq(watch.departures, 0);
	ck_assert_uint_eq(rig_regs(&r).rax, 0);
	watch.answer = SVM_ARRIVAL_DONE;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rax, 5);
}
END_TEST

START_TEST(nobody_is_told_any_longer)
{
	hosted_script_hlt(&r.code);
	svm_vcpu_set_presence(r.vcpu, NULL);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(watch.arrivals + watch.departures, 0);
}
END_TEST

/* Another vCPU makes the page that RBX points to another one, between two looks at it. */
static const enum svm_arrival flush_rows[] = { SVM_ARRIVAL_DONE, SVM_ARRIVAL_FLUSH };

START_TEST(a_flush_on_arrival_forgets_translations)
{
	const svm_gpa_t pte = RIG_PT + 3 * 4096 + 8 * (RIG_DATA / 4096);
	const uint64_t there = RIG_STACK | 7;

	hosted_script_mov(&r.code, HOSTED_RBX, RIG_DATA);
	for (unsigned i = 0; i < 2; i++) {
		hosted_script_load(&r.code, HOSTED_RAX, HOSTED_RBX, true);
		hosted_script_hlt(&r.code);
	}
	memcpy(r.memory + RIG_DATA, "\1", 1);
	memcpy(r.memory + RIG_STACK, "\2", 1);
	halt_and_wake();
	ck_assert_uint_eq(rig_regs(&r).rax, 1);
	memcpy(r.memory + pte, &there, sizeof(there));
	watch.answer = flush_rows[_i];
	halt_and_wake();
	ck_assert_uint_eq(rig_regs(&r).rax, watch.answer == SVM_ARRIVAL_FLUSH ? 2 : 1);
}
END_TEST

/* --- the end of a halt ----------------------------------------------------------------------- */

/* RFLAGS.IF is 0 all the time. */
START_TEST(a_halt_ends_for_a_kick)
{
	hosted_script_hlt(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 5);
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rax, 0);
	svm_vcpu_unhalt(r.vcpu);
	ck_assert(svm_vcpu_has_event(r.vcpu));
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rax, 5);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
}
END_TEST

/* One that comes before the halt counts for it, and for no other. */
START_TEST(a_kick_waits_for_one_halt)
{
	hosted_script_hlt(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 5);
	hosted_script_hlt(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 6);
	hosted_script_hlt(&r.code);
	svm_vcpu_unhalt(r.vcpu);
	svm_vcpu_unhalt(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rax, 5);
}
END_TEST

static void count_wakes(void *arg, struct svm_vcpu *vcpu)
{
	unsigned *wakes = arg;

	(void)vcpu;
	(*wakes)++;
}

START_TEST(a_kick_wakes_who_sleeps_for_the_vcpu)
{
	unsigned wakes = 0;

	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vcpu_set_wake(r.vcpu, count_wakes, &wakes);
	svm_vcpu_unhalt(r.vcpu);
	ck_assert_uint_eq(wakes, 1);
}
END_TEST

START_TEST(a_reset_forgets_a_kick)
{
	svm_vcpu_unhalt(r.vcpu);
	rig_rewind(&r);
	hosted_script_hlt(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 5);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&r).rax, 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_run_comes_and_leaves);
	tcase_add_test(tc, a_loaded_vcpu_stays);
	tcase_add_test(tc, who_is_not_halted_has_work);
	tcase_add_test(tc, a_vcpu_that_did_not_enter_does_not_leave);
	tcase_add_test(tc, nobody_leaves_inside_an_instruction);
	tcase_add_test(tc, nobody_leaves_inside_an_emulation);
	tcase_add_test(tc, an_arrival_waits_for_memory);
	tcase_add_test(tc, nobody_is_told_any_longer);
	tcase_add_loop_test(tc, a_flush_on_arrival_forgets_translations, 0, ROWS(flush_rows));
	tcase_add_test(tc, a_halt_ends_for_a_kick);
	tcase_add_test(tc, a_kick_waits_for_one_halt);
	tcase_add_test(tc, a_kick_wakes_who_sleeps_for_the_vcpu);
	tcase_add_test(tc, a_reset_forgets_a_kick);
}

int main(void)
{
	return rig_main("presence", add);
}
