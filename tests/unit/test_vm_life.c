/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The states of a VM, from one thread: what each call does from each state, and what a run says
 * there.  With threads: tests/hosted/test_library_life.c, tests/model/life.pml.
 */
#include <stdio.h>

#include "core/vm.h"
#include "vcpu_rig.h"

static unsigned wakes;
static char said[2][64]; /* The last lines of the log, newest first. */

static void count_wake(void *arg, struct svm_vcpu *vcpu)
{
	(void)arg;
	(void)vcpu;
	wakes++;
}

static void keep_line(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	if (level != SVM_LOG_DEBUG)
		return;
	memcpy(said[1], said[0], sizeof(said[0]));
	snprintf(said[0], sizeof(said[0]), "%s", line);
}

static void no_bug(void *ctx, const char *what)
{
	(void)ctx;
	(void)what;
}

/* A VM in the state, whose vCPU 0 stands before a VMMCALL. */
static void rig_in(struct rig *r, enum svm_vm_state state)
{
	rig_machine(r, NULL);
	r->hal.log = keep_line;
	r->hal.bug = no_bug;
	rig_start(r, RIG_64);
	hosted_script_vmmcall(&r->code);
	hosted_script_jmp(&r->code, 0);
	svm_vcpu_set_wake(r->vcpu, count_wake, NULL);
	if (state == SVM_VM_RUNNING || state == SVM_VM_PAUSED) {
		ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_int_eq(svm_vcpu_complete_skip(r->vcpu), 0);
	}
	if (state == SVM_VM_PAUSED)
		ck_assert_int_eq(svm_vm_pause(r->vm), 0);
	if (state == SVM_VM_STOPPED)
		ck_assert_int_eq(svm_vm_stop(r->vm), 0);
	if (state == SVM_VM_DEAD)
		svm_vm_bug(r->vm, "test");
	ck_assert_int_eq(svm_vm_state(r->vm), state);
	wakes = 0;
	said[0][0] = 0;
}

static int (*const calls[])(struct svm_vm *vm) = {
	svm_vm_pause,
	svm_vm_resume,
	svm_vm_stop,
	svm_vm_reset,
};
static const enum svm_vm_state aims[] = {
	SVM_VM_PAUSED,
	SVM_VM_RUNNING,
	SVM_VM_STOPPED,
	SVM_VM_CREATED,
};

/* By state: pause, resume, stop, reset; x is done, and its state follows. */
static const char *const done[] = { "x.xx", "x.x.", ".xxx", "...x", "...." };

START_TEST(each_call_from_each_state)
{
	const enum svm_vm_state from = (enum svm_vm_state)(_i / 4);
	const bool is_done = done[from][_i % 4] == 'x';
	char line[64];
	struct rig r;

	rig_in(&r, from);
	ck_assert_int_eq(calls[_i % 4](r.vm), is_done ? 0 : SVM_ERR_STATE);
	ck_assert_int_eq(svm_vm_state(r.vm), is_done ? aims[_i % 4] : from);
	snprintf(line, sizeof(line), "VM: no move from %s to %s", svm_vm_state_name(from),
	         svm_vm_state_name(aims[_i % 4]));
	ck_assert_str_eq(said[0], is_done ? "" : line);
	ck_assert_int_eq(wakes > 0, is_done);
	rig_fini(&r);
}
END_TEST

static const int run_says[] = { 0, 0, SVM_ERR_STATE, SVM_ERR_STATE, SVM_ERR_DEAD };

START_TEST(a_run_in_each_state)
{
	const enum svm_vm_state from = (enum svm_vm_state)_i;
	enum svm_vcpu_state before;
	struct rig r;

	rig_in(&r, from);
	before = svm_vcpu_state(r.vcpu);
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), run_says[_i]);
	ck_assert_int_eq(svm_vm_state(r.vm), run_says[_i] ? from : SVM_VM_RUNNING);
	if (run_says[_i])
		ck_assert_int_eq(svm_vcpu_state(r.vcpu), before);
	rig_fini(&r);
}
END_TEST

/* It was not running when the VM was paused: no kick is left behind. */
START_TEST(a_run_goes_on_where_it_was)
{
	struct svm_regs regs;
	struct rig r;

	rig_in(&r, SVM_VM_PAUSED);
	regs = rig_regs(&r);
	ck_assert_int_eq(svm_vm_resume(r.vm), 0);
	ck_assert_int_eq(wakes, 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
	ck_assert_uint_eq(regs.rip, RIG_CODE + 3);
	rig_fini(&r);
}
END_TEST

START_TEST(a_reset_reaches_every_vcpu)
{
	struct svm_vcpu *second;
	struct svm_regs regs;
	struct rig r;

	rig_in(&r, SVM_VM_RUNNING);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 3, &second), 0);
	ck_assert_int_eq(svm_vcpu_init_ipi(second), 0);
	ck_assert_int_eq(svm_vm_stop(r.vm), 0);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, NULL, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vm_reset(r.vm), 0);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_CREATED);
	ck_assert_int_eq(svm_vcpu_state(second), SVM_VCPU_CREATED);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rip, 0xfff0);
	ck_assert_int_eq(svm_vm_set_cpuid(r.vm, NULL, 0), 0); /* Open again. */
	rig_rewind(&r);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

/* All or nothing: what cannot be reset stays, and so do the others and the VM. */
START_TEST(a_reset_is_refused_as_a_whole)
{
	struct svm_vcpu *second;
	struct hosted_config config;
	struct svm_regs regs;
	struct rig r;

	hosted_config_init(&config);
	config.cpus = 2;
	rig_machine(&r, &config);
	r.hal.log = keep_line;
	rig_start(&r, RIG_64);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	regs = rig_regs(&r);
	if (_i == 0) { /* Its FPU is on another CPU. */
		hosted_become(r.m, 1);
		ck_assert_int_eq(svm_cpu_online(r.host), 0);
		ck_assert_int_eq(svm_vcpu_load(second), 0);
		hosted_become(r.m, 0);
	} else {
		svm_vmcb_set_g_pat(second->vmcb, 2);
		ck_assert_int_eq(svm_vcpu_run(second, &r.exit), 0);
		ck_assert_int_eq(svm_vcpu_state(second), SVM_VCPU_DEAD);
		ck_assert_int_eq(svm_vm_stop(r.vm), 0);
	}
	ck_assert_int_eq(svm_vm_reset(r.vm), SVM_ERR_STATE);
	ck_assert_str_eq(said[0], "VM: no reset with a vCPU dead or elsewhere");
	ck_assert_int_eq(svm_vm_state(r.vm), _i == 0 ? SVM_VM_CREATED : SVM_VM_STOPPED);
	ck_assert_uint_eq(rig_regs(&r).rip, regs.rip);
	if (_i == 0) {
		hosted_become(r.m, 1);
		svm_vcpu_put(second);
		ck_assert_int_eq(svm_cpu_offline(r.host), 0);
		hosted_become(r.m, 0);
	}
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

/* A run that cannot begin leaves the vCPU in the state in which it found it. */
START_TEST(a_refused_run_changes_nothing)
{
	struct rig r;

	rig_in(&r, SVM_VM_CREATED);
	ck_assert_int_eq(svm_cpu_offline(r.host), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_CPU_OFFLINE);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_CREATED);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_RUNNABLE);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_call_from_each_state, 0, 4 * SVM_VM_STATE_COUNT);
	tcase_add_loop_test(tc, a_run_in_each_state, 0, SVM_VM_STATE_COUNT);
	tcase_add_test(tc, a_run_goes_on_where_it_was);
	tcase_add_test(tc, a_reset_reaches_every_vcpu);
	tcase_add_loop_test(tc, a_reset_is_refused_as_a_whole, 0, 2);
	tcase_add_test(tc, a_refused_run_changes_nothing);
}

int main(void)
{
	return rig_main("vm life", add_tests);
}
