/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What objects cost, counted in frames that the library holds: the budgets of docs/architecture.md.
 */
#include "vcpu_rig.h"

#include <stdio.h>

#include "core/host.h"

#define TABLE_RESERVE 8u

/* Frames that a call took. */
static size_t taken(struct rig *r, size_t *before)
{
	const size_t now = hosted_frames_used(r->m), more = now - *before;

	*before = now;
	return more;
}

START_TEST(a_vm_costs_32_kib_and_its_tables)
{
	const struct svm_vm_config config = { .vcpu_max = 4, .table_reserve = TABLE_RESERVE };
	struct rig r;
	size_t used, frames;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	used = hosted_frames_used(r.m);
	ck_assert_int_eq(svm_vm_create(r.host, &config, &r.vm), 0);
	frames = taken(&r, &used) - TABLE_RESERVE - 1; /* The reserve and the root. */
	printf("VM: %zu KiB, and %u for nested tables\n", frames * 4, (TABLE_RESERVE + 1) * 4);
	ck_assert_uint_gt(frames, 0);
	ck_assert_uint_le(frames * 4096, 32 * 1024);
	rig_fini(&r);
}
END_TEST

START_TEST(a_vcpu_costs_24_kib_and_its_xsave_area)
{
	const struct svm_vm_config config = { .vcpu_max = 4, .table_reserve = TABLE_RESERVE };
	struct rig r;
	size_t used, frames, fpu;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	ck_assert_int_eq(svm_vm_create(r.host, &config, &r.vm), 0);
	used = hosted_frames_used(r.m);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 0, &r.vcpu), 0);
	fpu = svm_fpu_pages(&r.host->features); /* It shares pages with the rest. */
	frames = taken(&r, &used) - fpu;
	printf("vCPU: %zu KiB, and %zu for its XSAVE area\n", frames * 4, fpu * 4);
	ck_assert_uint_gt(fpu, 0);
	ck_assert_uint_gt(frames, 0);
	ck_assert_uint_le(frames * 4096, 24 * 1024);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_vm_costs_32_kib_and_its_tables);
	tcase_add_test(tc, a_vcpu_costs_24_kib_and_its_xsave_area);
}

int main(void)
{
	return rig_main("footprint", add);
}
