/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ten thousand VMs on one CPU with sixteen ASIDs, and a VM of 256 vCPUs.  Each guest counts in a
 * page of its own under the same guest-physical address as all the others, so that one flush too
 * few gives a guest another one's counter, and the model says so before that.
 */
#include <stdio.h>

#include "rig.h"
#include "suite.h"

#define VMS        10000u
#define TURNS      2u
#define MEMORY_MAX (UINT64_C(600) << 20)

#define VCPUS 256u

static struct svm_vm *vms[VMS];
static struct svm_vcpu *vcpus[VMS];

/* Count at GUEST_DATA, say so, for ever. */
static void load_counter(struct rig *r)
{
	struct hosted_script *s = &r->code;

	hosted_script_load(s, HOSTED_RAX, HOSTED_RBX, false);
	hosted_script_inc(s, HOSTED_RAX);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_vmmcall(s);
	hosted_script_jmp(s, 0);
	rig_load(r);
}

static void start_counter(struct rig *r, struct svm_vcpu *vcpu)
{
	const struct svm_regs regs = { .rip = GUEST_CODE, .rbx = GUEST_DATA, .rflags = 2 };

	rig_start(r, vcpu, GUEST_CODE);
	ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
}

/* The code is everybody's; the page of the counter is from `counters` on. */
static void make_vm(struct rig *r, uint32_t i, svm_hpa_t counters)
{
	const struct svm_slot slots[] = {
		{ .size = GUEST_DATA,
		  .prot = SVM_PROT_READ | SVM_PROT_EXECUTE,
		  .kind = SVM_SLOT_RANGE,
		  .hpa = r->memory_hpa },
		{ .gpa = GUEST_DATA,
		  .size = 4096,
		  .prot = SVM_PROT_ALL,
		  .kind = SVM_SLOT_RANGE,
		  .hpa = counters + i * UINT64_C(4096) },
	};

	ck_assert_int_eq(svm_vm_create(r->host, NULL, &vms[i]), 0);
	ck_assert_int_eq(svm_vm_slot_add(vms[i], &slots[0]), 0);
	ck_assert_int_eq(svm_vm_slot_add(vms[i], &slots[1]), 0);
	ck_assert_int_eq(svm_vcpu_create(vms[i], 0, &vcpus[i]), 0);
	start_counter(r, vcpus[i]);
}

static void take_turn(struct rig *r, struct svm_vcpu *vcpu)
{
	r->vcpu = vcpu;
	ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(vcpu), 0);
}

START_TEST(ten_thousand_vms_take_turns)
{
	struct hosted_config config;
	const uint32_t *counter;
	struct rig r;
	svm_hpa_t hpa;
	size_t before;

	hosted_config_init(&config);
	config.memory = UINT64_C(1) << 30;
	rig_init(&r, &config, GUEST_32);
	load_counter(&r);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
	before = hosted_frames_used(r.m);
	counter = hosted_guest_alloc(r.m, VMS, 4096, &hpa);
	for (uint32_t i = 0; i < VMS; i++)
		make_vm(&r, i, hpa);
	for (uint32_t turn = 0; turn < TURNS; turn++)
		for (uint32_t i = 0; i < VMS; i++)
			take_turn(&r, vcpus[i]);
	printf("%u VMs: %zu KiB each\n", VMS, (hosted_frames_used(r.m) - before) * 4 / VMS);
	ck_assert_uint_le((hosted_frames_used(r.m) - before) * 4096, MEMORY_MAX);
	for (uint32_t i = 0; i < VMS; i++) {
		ck_assert_uint_eq(counter[i * 1024], TURNS);
		ck_assert_int_eq(svm_vcpu_destroy(vcpus[i]), 0);
		ck_assert_int_eq(svm_vm_destroy(vms[i]), 0);
	}
	ck_assert_uint_eq(hosted_frames_used(r.m), before);
	ck_assert_uint_eq(hosted_breaches_all(r.m), 0);
	hosted_guest_free(r.m, hpa, VMS);
	r.vcpu = NULL;
	rig_fini(&r);
}
END_TEST

START_TEST(a_vm_of_256_vcpus_takes_turns)
{
	const struct svm_vm_config config = { .vcpu_max = VCPUS };
	struct svm_vm *vm;
	struct rig r;

	rig_init(&r, NULL, GUEST_32);
	load_counter(&r);
	ck_assert_int_eq(rig_vm(&r, &vm, &config), 0);
	for (uint32_t i = 0; i < VCPUS; i++) {
		ck_assert_int_eq(rig_vcpu(&r, vm, i, &vcpus[i]), 0);
		start_counter(&r, vcpus[i]);
	}
	struct svm_vcpu *const first = r.vcpu;

	for (uint32_t turn = 0; turn < TURNS; turn++)
		for (uint32_t i = 0; i < VCPUS; i++)
			take_turn(&r, vcpus[i]);
	ck_assert_uint_eq(*(const uint32_t *)(const void *)(r.memory + GUEST_DATA), TURNS * VCPUS);
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_assert_int_eq(svm_vcpu_destroy(vcpus[i]), 0);
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
	ck_assert_uint_eq(hosted_breaches_all(r.m), 0);
	r.vcpu = first;
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, ten_thousand_vms_take_turns);
	tcase_add_test(tc, a_vm_of_256_vcpus_takes_turns);
}

int main(void)
{
	return suite_run("library scale", add);
}
