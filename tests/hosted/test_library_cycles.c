/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A VM is made, runs and dies a thousand times: no frame is left, and none is another one's. */
#include "rig.h"
#include "suite.h"

#define CYCLES 1000u
#define VALUE  0x600du

START_TEST(a_thousand_lives_leave_no_frame)
{
	struct rig r;
	size_t frames;

	rig_init(&r, NULL, GUEST_32);
	hosted_script_mov(&r.code, HOSTED_RBX, GUEST_DATA);
	hosted_script_mov(&r.code, HOSTED_RAX, VALUE);
	hosted_script_store(&r.code, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(r.vm), 0);
	frames = hosted_frames_used(r.m);
	for (unsigned i = 0; i < CYCLES; i++) {
		memset(r.memory + GUEST_DATA, 0, 4);
		ck_assert_int_eq(rig_vm(&r, &r.vm, NULL), 0);
		ck_assert_int_eq(rig_vcpu(&r, r.vm, 0, &r.vcpu), 0);
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(r.memory[GUEST_DATA] | r.memory[GUEST_DATA + 1] << 8, VALUE);
		if (i % 3 == 0)
			ck_assert_int_eq(svm_vm_stop(r.vm), 0);
		ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
		ck_assert_int_eq(svm_vm_destroy(r.vm), 0);
		ck_assert_uint_eq(hosted_frames_used(r.m), frames);
	}
	/* Every life begins with a fault for the code, which brings the data's page too. */
	ck_assert_uint_eq(hosted_cpu_counts(r.m, 0).vmruns, 2 * CYCLES);
	r.vcpu = NULL;
	r.vm = NULL;
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_thousand_lives_leave_no_frame);
}

int main(void)
{
	return suite_run("library cycles", add);
}
