/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Each allocation of a whole life fails in turn.  The call that needed it says NOMEM, everything
 * made before can be taken apart, and no frame is left.
 */
#include "rig.h"
#include "suite.h"

struct life {
	struct rig r;
	bool online;
	svm_hpa_t far_hpa;
};

/* Beyond what one table page maps, so that mapping allocates. */
#define FAR_GPA (UINT64_C(7) << 39)

static int open_up(struct life *l)
{
	struct rig *r = &l->r;
	int error = svm_host_create(hosted_hal(r->m), &r->host);

	if (!error)
		error = svm_cpu_online(r->host);
	l->online = !error;
	if (!error)
		error = rig_vm(r, &r->vm, NULL);
	if (!error)
		error = svm_vm_io_allow(r->vm, 0x80, 1, true);
	if (!error)
		error = svm_vm_set_msr_policy(r->vm, SVM_MSR_FS_BASE, 1, SVM_MSR_EXIT);
	if (!error)
		error = rig_vcpu(r, r->vm, 0, &r->vcpu);
	if (!error)
		error = svm_vm_map(r->vm, 1 << 20, l->far_hpa, 4096, SVM_PROT_ALL);
	if (!error)
		error = svm_vm_dirty_log(r->vm, 0, SVM_DIRTY_PROTECT);
	if (!error)
		error = svm_vm_populate(r->vm, 0, GUEST_PAGES * 4096);
	if (!error)
		error = svm_vm_unmap(r->vm, 0x10000, 0x2000);
	if (!error)
		error = svm_vcpu_time_exits(r->vcpu, true);
	return error;
}

static int run(struct life *l)
{
	struct rig *r = &l->r;
	int error;

	hosted_script_mov(&r->code, HOSTED_RAX, 1);
	hosted_script_vmmcall(&r->code);
	rig_load(r);
	for (int tries = 0; tries < 100; tries++) {
		error = svm_vcpu_run(r->vcpu, &r->exit);
		if (error || r->exit.kind == SVM_EXIT_KIND_HYPERCALL)
			return error;
		ck_assert_int_eq(r->exit.kind, SVM_EXIT_KIND_NEED_MEMORY);
		error = svm_vm_reserve(r->vm, 0);
		if (error)
			return error;
	}
	ck_abort_msg("the guest does not get on");
	return 0;
}

static void take_apart(struct life *l)
{
	struct rig *r = &l->r;

	if (r->vcpu)
		ck_assert_int_eq(svm_vcpu_destroy(r->vcpu), 0);
	if (r->vm)
		ck_assert_int_eq(svm_vm_destroy(r->vm), 0);
	if (l->online)
		ck_assert_int_eq(svm_cpu_offline(r->host), 0);
	if (r->host)
		ck_assert_int_eq(svm_host_destroy(r->host), 0);
}

static int live(const struct hosted_config *config, uint64_t fail, bool all_later,
                uint64_t *allocations)
{
	static struct life l;
	int error;

	memset(&l, 0, sizeof(l));
	l.r.mode = GUEST_64;
	hosted_script_init(&l.r.code, 64);
	l.r.m = hosted_create(config);
	hosted_become(l.r.m, 0);
	l.r.memory = hosted_guest_alloc(l.r.m, GUEST_PAGES, 4096, &l.r.memory_hpa);
	hosted_guest_alloc(l.r.m, 1, 4096, &l.far_hpa);
	guest_tables(l.r.memory, 64);
	if (all_later)
		hosted_fail_allocations_from(l.r.m, fail);
	else
		hosted_fail_allocation(l.r.m, fail);
	error = open_up(&l);
	if (!error)
		error = run(&l);
	take_apart(&l);
	*allocations = hosted_allocations(l.r.m);
	ck_assert_uint_eq(hosted_frames_used(l.r.m), 0);
	hosted_destroy(l.r.m);
	return error;
}

START_TEST(each_allocation_may_fail)
{
	const struct hosted_config config = rig_lacking(_i / 2 ? rig_lack_count - 1 : 0);
	const bool all_later = _i % 2;
	uint64_t total, count;

	ck_assert_int_eq(live(&config, 0, false, &total), 0);
	ck_assert_uint_gt(total, 10);
	for (uint64_t k = 1; k <= total; k++) {
		const int error = live(&config, k, all_later, &count);

		/* A reserve that is not full may do; then the life goes on. */
		ck_assert_msg(error == SVM_ERR_NOMEM || (error == 0 && !all_later),
		              "allocation %d: %s", (int)k, svm_error_name(error));
		ck_assert_uint_ge(count, k);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, each_allocation_may_fail, 0, 4);
}

int main(void)
{
	return suite_run("library nomem", add);
}
