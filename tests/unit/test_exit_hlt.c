/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * HLT where the embedder offers to wait inside the run.
 */
#include "vcpu_rig.h"

static struct rig r;
static struct wait {
	unsigned count;
	bool refuses, wants_cpu, is_kicked, is_unhalted, is_nmi;
	uint8_t vector; /* That comes meanwhile; 0: none. */
	uint64_t deadline_ns, armed_ns;
	int pending; /* Of the port. */
	uint64_t kicks;
} w;

static bool has_interrupts(void)
{
	const uint64_t flags = svm_ring0_irq_save();

	svm_ring0_irq_restore(flags);
	return flags & RFLAGS_IF;
}

/* What an interrupt of the host, or another thread, does while the vCPU waits. */
static bool on_idle(void *arg, struct svm_vcpu *vcpu)
{
	ck_assert_ptr_eq(arg, &w);
	ck_assert_ptr_eq(vcpu, r.vcpu);
	ck_assert(!has_interrupts());
	ck_assert_int_eq(svm_vcpu_state(vcpu), SVM_VCPU_RUNNING);
	ck_assert_uint_eq(vcpu->in_guest, 1); /* CPU 0: who sends something kicks it. */
	ck_assert_uint_eq(vcpu->s.requests, 0);
	w.count++;
	if (w.refuses)
		return false;
	if (w.vector)
		w.pending = w.vector;
	if (w.pending >= 0)
		svm_vcpu_notify(vcpu);
	if (w.is_kicked)
		svm_vcpu_kick(vcpu);
	if (w.is_nmi)
		svm_vcpu_inject_nmi(vcpu);
	if (w.is_unhalted)
		svm_vcpu_unhalt(vcpu);
	return true;
}

static bool on_should_exit(void *ctx)
{
	(void)ctx;
	return w.wants_cpu;
}

static void on_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	w.armed_ns = deadline_ns;
}

static void on_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	ck_assert_uint_eq(cpu, 0);
	w.kicks++;
}

static int port_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
	return w.pending;
}

static uint8_t port_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	(void)arg;
	(void)vcpu;
	w.pending = -1;
	return vector;
}

static void port_tpr_changed(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
}

static uint64_t port_deadline(void *arg, struct svm_vcpu *vcpu)
{
	(void)arg;
	(void)vcpu;
	return w.deadline_ns;
}

/* STI, HLT; then RAX = 1 and HLT again.  Handlers end in VMMCALL, with the vector in RAX. */
static void setup(void)
{
	const struct svm_irq_port port = { .pending = port_pending,
		                           .accept = port_accept,
		                           .tpr_changed = port_tpr_changed,
		                           .deadline = port_deadline };

	w = (struct wait){ .pending = -1, .deadline_ns = 5000 };
	rig_machine(&r, NULL);
	r.hal.should_exit = on_should_exit;
	r.hal.timer_arm = on_timer;
	r.hal.cpu_kick = on_kick;
	rig_start(&r, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	svm_vcpu_set_idle(r.vcpu, on_idle, &w);
	hosted_script_sti(&r.code);
	hosted_script_hlt(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 1);
	hosted_script_hlt(&r.code);
}

static void teardown(void)
{
	rig_fini(&r);
}

START_TEST(an_interrupt_goes_on_in_the_same_run)
{
	w.vector = 0x2c;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(w.count, 1);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2c);
	ck_assert_uint_eq(w.kicks, 1);
	ck_assert_uint_eq(r.vcpu->in_guest, 0);
}
END_TEST

START_TEST(one_that_came_before_needs_no_wait)
{
	w.pending = 0x2d; /* It is there from the start, and STI has a shadow until HLT. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(w.count, 0);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2d);
}
END_TEST

START_TEST(the_timer_is_armed_for_the_wait)
{
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(w.count, 1);
	ck_assert_uint_eq(w.armed_ns, 5000);
}
END_TEST

/* The tick of a host, or its kick: it has something else to do, whatever there is for the guest. */
static const struct {
	bool refuses, wants_cpu, is_kicked;
	uint8_t vector;
	enum svm_exit_kind again; /* What the next run ends with. */
} return_rows[] = {
	{ false, false, false, 0, SVM_EXIT_KIND_HLT },
	{ true, false, false, 0, SVM_EXIT_KIND_HLT },
	{ false, true, false, 0, SVM_EXIT_KIND_HLT },
	{ false, true, false, 0x2c, SVM_EXIT_KIND_HYPERCALL },
	{ false, false, true, 0, SVM_EXIT_KIND_REQUEST },
};

START_TEST(without_an_event_the_run_returns)
{
	w.refuses = return_rows[_i].refuses;
	w.wants_cpu = return_rows[_i].wants_cpu;
	w.is_kicked = return_rows[_i].is_kicked;
	w.vector = return_rows[_i].vector;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_HALTED);
	ck_assert_uint_eq(w.count, 1);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 2);
	ck_assert_int_eq(rig_run(&r), return_rows[_i].again);
	ck_assert_uint_eq(w.count, 1); /* A vCPU that is HALTED sleeps outside. */
}
END_TEST

/* It asks for the guest's return; the interrupt waits in EVENTINJ for the next run. */
START_TEST(a_kick_with_an_interrupt_loses_neither)
{
	w.is_kicked = true;
	w.vector = 0x2e;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2e);
}
END_TEST

START_TEST(an_unhalt_ends_one_wait)
{
	w.is_unhalted = true;
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	/* Each of the two HLTs is ended, and then there is no code. */
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(w.count, 2);
	ck_assert_uint_eq(rig_regs(&r).rax, 1);
}
END_TEST

/* With IF = 0 an interrupt wakes nobody: the window opens, and the run returns. */
START_TEST(an_interrupt_wakes_only_who_lets_it_in)
{
	struct svm_regs regs;

	r.code.size = 0;
	hosted_script_hlt(&r.code);
	w.vector = 0x2c;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(w.pending, 0x2c);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	regs = rig_regs(&r);
	regs.rflags |= RFLAGS_IF;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2c);
}
END_TEST

START_TEST(an_nmi_wakes_with_if_clear)
{
	r.code.size = 0;
	hosted_script_hlt(&r.code);
	w.is_nmi = true;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 2);
	ck_assert_uint_eq(w.count, 1);
}
END_TEST

START_TEST(nobody_offers_to_wait_any_longer)
{
	svm_vcpu_set_idle(r.vcpu, NULL, NULL);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(w.count, 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_interrupt_goes_on_in_the_same_run);
	tcase_add_test(tc, one_that_came_before_needs_no_wait);
	tcase_add_test(tc, the_timer_is_armed_for_the_wait);
	tcase_add_loop_test(tc, without_an_event_the_run_returns, 0, ROWS(return_rows));
	tcase_add_test(tc, a_kick_with_an_interrupt_loses_neither);
	tcase_add_test(tc, an_unhalt_ends_one_wait);
	tcase_add_test(tc, an_interrupt_wakes_only_who_lets_it_in);
	tcase_add_test(tc, an_nmi_wakes_with_if_clear);
	tcase_add_test(tc, nobody_offers_to_wait_any_longer);
}

int main(void)
{
	return rig_main("exit_hlt", add);
}
