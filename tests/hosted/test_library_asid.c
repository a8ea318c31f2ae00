/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * More guests than ASIDs, on CPUs that keep every translation: VMs and vCPUs take turns, move
 * between CPUs, lose and gain memory.  A missing flush shows at the next touch.  APM 15.16.
 */
#include "hal/ring0.h"
#include "rig.h"
#include "suite.h"

#define VMS    3u
#define VCPUS  2u /* Of each VM. */
#define CPUS   2u
#define WINDOW UINT64_C(0x40000) /* Pages that come and go, by guest-physical address. */
#define PAGES  4u

struct crowd {
	struct rig r;
	struct svm_vm *vm[VMS];
	struct svm_vcpu *vcpu[VMS][VCPUS];
	svm_hpa_t hpa[VMS][PAGES]; /* 0: not mapped. */
	uint64_t noise;
};

static uint32_t pick(struct crowd *c, uint32_t below)
{
	c->noise = c->noise * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((c->noise >> 33) % below);
}

/* Write RCX to the page that RBX names, read it back to RDX, say so. */
static void load_code(struct crowd *c)
{
	struct hosted_script *s = &c->r.code;

	hosted_script_store(s, HOSTED_RBX, HOSTED_RCX, false);
	hosted_script_load(s, HOSTED_RDX, HOSTED_RBX, false);
	hosted_script_vmmcall(s);
	rig_load(&c->r);
}

static void touch(struct crowd *c, uint32_t vm, uint32_t id)
{
	const uint32_t page = pick(c, PAGES), value = (uint32_t)c->noise;
	const struct svm_regs regs = {
		.rip = GUEST_CODE,
		.rsp = GUEST_STACK,
		.rflags = 2,
		.rbx = WINDOW + page * 4096 + 0x10,
		.rcx = value,
	};
	const svm_hpa_t hpa = c->hpa[vm][page];
	uint32_t found;

	c->r.vcpu = c->vcpu[vm][id];
	ck_assert_int_eq(svm_vcpu_set_regs(c->r.vcpu, &regs), 0);
	if (!hpa) {
		ck_assert_int_eq(rig_run(&c->r), SVM_EXIT_KIND_NPT_FAULT);
		return;
	}
	ck_assert_int_eq(rig_run(&c->r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(c->r.vcpu), 0);
	ck_assert_uint_eq(rig_regs(&c->r).rdx & 0xffffffff, value);
	memcpy(&found, (uint8_t *)hosted_memory(c->r.m, hpa) + 0x10, 4);
	ck_assert_uint_eq(found, value);
}

static void remap(struct crowd *c, uint32_t vm)
{
	const uint32_t page = pick(c, PAGES);
	const svm_gpa_t gpa = WINDOW + page * 4096;
	svm_hpa_t *hpa = &c->hpa[vm][page];

	if (*hpa) {
		ck_assert_int_eq(svm_vm_unmap(c->vm[vm], gpa, 4096), 0);
		hosted_guest_free(c->r.m, *hpa, 1);
		*hpa = 0;
	} else {
		hosted_guest_alloc(c->r.m, 1, 4096, hpa);
		ck_assert_int_eq(svm_vm_map(c->vm[vm], gpa, *hpa, 4096, SVM_PROT_ALL), 0);
	}
}

/* A vCPU or its whole VM is made anew, in the frames of the old one. */
static void renew(struct crowd *c, uint32_t vm, uint32_t id)
{
	ck_assert_int_eq(svm_vcpu_destroy(c->vcpu[vm][id]), 0);
	ck_assert_int_eq(rig_vcpu(&c->r, c->vm[vm], id, &c->vcpu[vm][id]), 0);
}

static void start(struct crowd *c, const struct hosted_config *config)
{
	const struct svm_vm_config vm_config = { .vcpu_max = VCPUS };

	memset(c, 0, sizeof(*c));
	rig_init(&c->r, config, GUEST_32);
	load_code(c);
	ck_assert_int_eq(svm_vcpu_destroy(c->r.vcpu), 0);
	for (uint32_t vm = 0; vm < VMS; vm++) {
		ck_assert_int_eq(rig_vm(&c->r, &c->vm[vm], &vm_config), 0);
		for (uint32_t id = 0; id < VCPUS; id++)
			ck_assert_int_eq(rig_vcpu(&c->r, c->vm[vm], id, &c->vcpu[vm][id]), 0);
	}
	for (uint32_t cpu = 1; cpu < config->cpus; cpu++) {
		hosted_become(c->r.m, cpu);
		ck_assert_int_eq(svm_cpu_online(c->r.host), 0);
	}
	hosted_become(c->r.m, 0);
}

static void finish(struct crowd *c, const struct hosted_config *config)
{
	for (uint32_t vm = 0; vm < VMS; vm++) {
		for (uint32_t id = 0; id < VCPUS; id++)
			ck_assert_int_eq(svm_vcpu_destroy(c->vcpu[vm][id]), 0);
		ck_assert_int_eq(svm_vm_destroy(c->vm[vm]), 0);
	}
	for (uint32_t cpu = 1; cpu < config->cpus; cpu++) {
		hosted_become(c->r.m, cpu);
		ck_assert_int_eq(svm_cpu_offline(c->r.host), 0);
	}
	hosted_become(c->r.m, 0);
	c->r.vcpu = NULL;
	rig_fini(&c->r);
}

START_TEST(guests_share_few_asids)
{
	struct hosted_config config = rig_lacking(_i % rig_lack_count);
	static struct crowd c;

	config.cpus = CPUS;
	if (config.features.asid_count > 4)
		config.features.asid_count = 3 + (uint32_t)(_i / rig_lack_count);
	start(&c, &config);
	c.noise = (uint64_t)_i;
	for (unsigned step = 0; step < 3000; step++) {
		const uint32_t vm = pick(&c, VMS), id = pick(&c, VCPUS);

		switch (pick(&c, 16)) {
		case 0:
		case 1:
			remap(&c, vm);
			break;
		case 2:
			hosted_become(c.r.m, pick(&c, CPUS));
			break;
		case 3:
			renew(&c, vm, id);
			break;
		default:
			touch(&c, vm, id);
			break;
		}
	}
	finish(&c, &config);
}
END_TEST

/*
 * A generation ends with one flush of everything, owed to the next entry on that CPU.  If VMRUN
 * refuses that entry nothing was flushed, and the debt must stay.
 */
START_TEST(a_refused_entry_does_not_pay_for_a_flush)
{
	struct hosted_config config;
	static struct crowd c;
	struct svm_vcpu *victim;

	hosted_config_init(&config);
	config.features.asid_count = 3;
	start(&c, &config);
	for (uint32_t vm = 0; vm < VMS; vm++) {
		hosted_guest_alloc(c.r.m, 1, 4096, &c.hpa[vm][0]);
		for (uint32_t page = 1; page < PAGES; page++)
			c.hpa[vm][page] = c.hpa[vm][0];
		for (uint32_t page = 0; page < PAGES; page++)
			ck_assert_int_eq(svm_vm_map(c.vm[vm], WINDOW + page * 4096, c.hpa[vm][0],
			                            4096, SVM_PROT_ALL),
			                 0);
	}
	touch(&c, 2, 0); /* ASID 1. */
	touch(&c, 0, 0); /* ASID 2. */
	touch(&c, 1, 0); /* Next generation: ASID 1, with its flush. */
	touch(&c, 0, 0); /* ASID 2. */
	/* The next generation's flush is owed to an entry that VMRUN refuses. */
	victim = c.vcpu[2][0];
	((struct svm_vmcb *)(uintptr_t)svm_vcpu_vmcb(victim))->control._intercept[4] &= ~1u;
	((struct svm_vmcb *)(uintptr_t)svm_vcpu_vmcb(victim))->control.clean = 0;
	ck_assert_int_eq(svm_vcpu_run(victim, &c.r.exit), 0);
	ck_assert_int_eq(c.r.exit.kind, SVM_EXIT_KIND_ENTRY_FAILED);
	ck_assert_uint_eq(hosted_cpu_counts(c.r.m, 0).invalid, 1);
	touch(&c, 1, 0); /* ASID 2: VM 0's translations under it must be gone. */
	ck_assert_uint_eq(hosted_breaches_all(c.r.m), 0);
	finish(&c, &config);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, guests_share_few_asids, 0, 2 * rig_lack_count);
	tcase_add_test(tc, a_refused_entry_does_not_pay_for_a_flush);
}

int main(void)
{
	return suite_run("library asid", add);
}
