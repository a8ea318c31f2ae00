/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Host, CPUs, VMs and vCPUs: what can go wrong while they are made and unmade.
 * APM vol. 2, 15.4, 15.16, 15.25.3, 15.30.
 */
#include "vcpu_rig.h"

/* --- svm_host_create() -------------------------------------------------------------------- */

static char logged[80];

static void keep_log(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	strncpy(logged, line, sizeof(logged) - 1);
}

static void no_size(struct svm_hal *h)
{
	h->size--;
}
static void no_abi(struct svm_hal *h)
{
	h->abi++;
}
static void no_cpus(struct svm_hal *h)
{
	h->cpu_max = 0;
}
static void many_cpus(struct svm_hal *h)
{
	h->cpu_max = 1025;
}
static void no_tsc(struct svm_hal *h)
{
	h->tsc_hz = 0;
}
static void no_alloc(struct svm_hal *h)
{
	h->frames_alloc = NULL;
}
static void no_free(struct svm_hal *h)
{
	h->frames_free = NULL;
}
static void no_virt(struct svm_hal *h)
{
	h->phys_to_virt = NULL;
}
static void no_id(struct svm_hal *h)
{
	h->cpu_id = NULL;
}
static void no_kick(struct svm_hal *h)
{
	h->cpu_kick = NULL;
}

static const struct {
	void (*spoil)(struct svm_hal *hal);
	int result;
	const char *missing; /* What the log names; NULL: nothing is logged. */
} table_rows[] = {
	{ no_size, SVM_ERR_ABI, NULL },
	{ no_abi, SVM_ERR_ABI, NULL },
	{ no_cpus, SVM_ERR_INVAL, NULL },
	{ many_cpus, SVM_ERR_INVAL, NULL },
	{ no_tsc, SVM_ERR_INVAL, NULL },
	{ no_alloc, SVM_ERR_HAL_MISSING, "frames_alloc" },
	{ no_free, SVM_ERR_HAL_MISSING, "frames_free" },
	{ no_virt, SVM_ERR_HAL_MISSING, "phys_to_virt" },
	{ no_id, SVM_ERR_HAL_MISSING, "cpu_id" },
	{ no_kick, SVM_ERR_HAL_MISSING, "cpu_kick" },
};

START_TEST(a_table_that_lacks_something_is_refused_by_name)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.log = keep_log;
	logged[0] = '\0';
	table_rows[_i].spoil(&r.hal);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), table_rows[_i].result);
	ck_assert_str_eq(logged, table_rows[_i].missing ? table_rows[_i].missing : "");
	if (table_rows[_i].missing)
		ck_assert_str_eq(svm_hal_missing_entry(&r.hal), table_rows[_i].missing);
	r.host = NULL;
	rig_fini(&r);
}
END_TEST

START_TEST(null_is_no_table_and_no_result)
{
	struct rig r;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(NULL, &r.host), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_host_create(&r.hal, NULL), SVM_ERR_INVAL);
	ck_assert_ptr_null(svm_hal_missing_entry(&r.hal));
	rig_fini(&r);
}
END_TEST

static const struct svm_hal *honest;
static svm_hpa_t lie;

static void *lying_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *hva = honest->frames_alloc(ctx, count, hpa);

	*hpa ^= lie;
	return hva;
}

static void lying_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	honest->frames_free(ctx, hva, hpa ^ lie, count);
}

static void *other_virt(void *ctx, svm_hpa_t hpa)
{
	return (uint8_t *)honest->phys_to_virt(ctx, hpa & ~lie) + (lie ? 0 : 4096);
}

/* Not aligned; above MAXPHYADDR (48 here); phys_to_virt() leads elsewhere. */
static const svm_hpa_t lies[] = { 8, UINT64_C(1) << 48, 0 };

START_TEST(frames_that_break_the_contract_are_refused)
{
	struct rig r;

	rig_machine(&r, NULL);
	honest = hosted_hal(r.m);
	lie = lies[_i];
	r.hal.frames_alloc = lying_alloc;
	r.hal.frames_free = lying_free;
	r.hal.phys_to_virt = other_virt;
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), SVM_ERR_HAL_CONTRACT);
	r.host = NULL;
	rig_fini(&r);
}
END_TEST

/* --- svm_cpu_online() --------------------------------------------------------------------- */

#define ALL_SVM HOSTED_SVM_EDX

static const struct {
	const char *what;
	int result;
	bool svm;
	uint32_t svm_edx, asid_count;
	uint64_t vm_cr, efer;
} online_rows[] = {
	{ "no SVM", SVM_ERR_NO_SVM, false, ALL_SVM, 16, 0, 0xd01 },
	{ "one ASID, the host's", SVM_ERR_NO_SVM, true, ALL_SVM, 1, 0, 0xd01 },
	{ "the first ASID of a guest", 0, true, ALL_SVM, 2, 0, 0xd01 },
	{ "no nested paging", SVM_ERR_NO_NPT, true, ALL_SVM & ~1u, 16, 0, 0xd01 },
	{ "SVMDIS", SVM_ERR_SVM_DISABLED, true, ALL_SVM, 16, 0x10, 0xd01 },
	{ "SVMDIS and LOCK, SVML", SVM_ERR_SVM_LOCKED_KEY, true, ALL_SVM, 16, 0x18, 0xd01 },
	{ "SVMDIS and LOCK", SVM_ERR_SVM_LOCKED, true, ALL_SVM & ~4u, 16, 0x18, 0xd01 },
	{ "LOCK alone", 0, true, ALL_SVM, 16, 0x08, 0xd01 },
	{ "SVME", SVM_ERR_SVM_IN_USE, true, ALL_SVM, 16, 0, 0x1d01 },
	{ "SVME without nested paging", SVM_ERR_SVM_IN_USE, true, ALL_SVM & ~1u, 16, 0, 0x1d01 },
	{ "nested paging alone", 0, true, 1, 16, 0, 0xd01 },
};

START_TEST(online_names_why_svm_cannot_be_used)
{
	struct hosted_config config;
	struct svm_features features;
	struct rig r;

	hosted_config_init(&config);
	config.features.svm = online_rows[_i].svm;
	config.features.svm_edx = online_rows[_i].svm_edx;
	config.features.asid_count = online_rows[_i].asid_count;
	config.features.vm_cr = online_rows[_i].vm_cr;
	config.features.efer = online_rows[_i].efer;
	rig_machine(&r, &config);
	ck_assert_int_eq(svm_features_probe(&r.hal, &features), online_rows[_i].result);
	ck_assert_int_eq(svm_features_probe(NULL, &features), online_rows[_i].result);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_msg(svm_cpu_online(r.host) == online_rows[_i].result, "%s", online_rows[_i].what);
	/* A refusal changes nothing. */
	if (online_rows[_i].result) {
		ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), online_rows[_i].efer);
		ck_assert_int_eq(svm_cpu_offline(r.host), SVM_ERR_STATE);
		ck_assert_int_eq(svm_host_destroy(r.host), 0);
		r.host = NULL;
	}
	rig_fini(&r);
}
END_TEST

static bool no_such_msr(void *ctx, uint32_t msr, uint64_t *value)
{
	(void)ctx;
	(void)msr;
	*value = ~UINT64_C(0);
	return false;
}

START_TEST(a_vm_cr_that_is_not_there_disables_nothing)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.rdmsr_safe = no_such_msr;
	rig_start(&r, RIG_64);
	rig_fini(&r);
}
END_TEST

START_TEST(the_feature_mask_hides_features)
{
	static const struct svm_feature_mask mask = { 0x9, 0, true };
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.features = &mask;
	rig_start(&r, RIG_64);
	ck_assert_uint_eq(svm_host_features(r.host)->svm, 0x9); /* NPT, NRIPS. */
	ck_assert(!svm_host_features(r.host)->page_1g);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

START_TEST(offline_puts_everything_back)
{
	struct rig r;

	rig_machine(&r, NULL);
	svm_ring0_wrmsr(SVM_MSR_VM_HSAVE_PA, 0x7000);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_offline(r.host), SVM_ERR_STATE);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), SVM_ERR_STATE);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), 0x1d01);
	ck_assert_uint_ne(svm_ring0_rdmsr(SVM_MSR_VM_HSAVE_PA), 0x7000);
	ck_assert_int_eq(svm_host_destroy(r.host), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_cpu_offline(r.host), 0);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), 0xd01);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_VM_HSAVE_PA), 0x7000);
	ck_assert(hosted_cpu_gif(r.m, 0));
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(cpus_must_agree_on_features)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.cpus = 2;
	rig_machine(&r, &config);
	hosted_cpu_features(r.m, 1)->svm_edx ^= (uint32_t)SVM_FEATURE_NRIPS;
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_cpu_online(r.host), SVM_ERR_CPU_MISMATCH);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), 0xd01);
	hosted_become(r.m, 0);
	rig_fini(&r);
}
END_TEST

static uint32_t wrong_id(void *ctx)
{
	(void)ctx;
	return 1;
}

START_TEST(a_cpu_number_out_of_range_is_named)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.cpu_id = wrong_id;
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), SVM_ERR_HAL_CONTRACT);
	ck_assert_int_eq(svm_cpu_offline(r.host), SVM_ERR_STATE);
	ck_assert_int_eq(svm_host_destroy(r.host), 0);
	r.host = NULL;
	rig_fini(&r);
}
END_TEST

/* --- each allocation fails in turn -------------------------------------------------------- */

/* The i-th allocation fails: the call says NOMEM, and what was there before is all that is left. */
static bool fails(struct rig *r, int i)
{
	hosted_fail_allocation(r->m, (uint64_t)i + 1);
	return true;
}

START_TEST(host_create_leaves_nothing_behind)
{
	struct rig r;

	rig_machine(&r, NULL);
	fails(&r, _i);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), SVM_ERR_NOMEM);
	ck_assert_uint_eq(hosted_frames_used(r.m), 0);
	r.host = NULL;
	rig_fini(&r);
}
END_TEST

START_TEST(cpu_online_leaves_nothing_behind)
{
	struct rig r;
	size_t before;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	before = hosted_frames_used(r.m);
	fails(&r, _i);
	ck_assert_int_eq(svm_cpu_online(r.host), SVM_ERR_NOMEM);
	ck_assert_uint_eq(hosted_frames_used(r.m), before);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), 0xd01);
	ck_assert_int_eq(svm_vm_create(r.host, NULL, &r.vm), SVM_ERR_CPU_OFFLINE);
	r.vm = NULL;
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(vm_create_leaves_nothing_behind)
{
	struct rig r;
	size_t before;
	uint64_t allocations;
	int i = 0;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	allocations = hosted_allocations(r.m);
	ck_assert_int_eq(svm_vm_create(r.host, NULL, &r.vm), 0);
	allocations = hosted_allocations(r.m) - allocations;
	ck_assert_uint_ge(allocations, 3);
	ck_assert_int_eq(svm_vm_destroy(r.vm), 0);
	before = hosted_frames_used(r.m);
	for (i = 0; i < (int)allocations; i++) {
		fails(&r, i);
		ck_assert_int_eq(svm_vm_create(r.host, NULL, &r.vm), SVM_ERR_NOMEM);
		ck_assert_uint_eq(hosted_frames_used(r.m), before);
	}
	r.vm = NULL;
	rig_fini(&r);
}
END_TEST

START_TEST(vcpu_create_leaves_nothing_behind)
{
	struct svm_vcpu *second;
	struct rig r;
	size_t before;

	rig_init(&r, NULL, RIG_64);
	before = hosted_frames_used(r.m);
	fails(&r, 0);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 0, &second), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 4, &second), SVM_ERR_INVAL);
	ck_assert_uint_eq(hosted_frames_used(r.m), before);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 3, &second), 0);
	ck_assert_uint_eq(svm_vcpu_id(second), 3);
	ck_assert_ptr_eq(svm_vcpu_vm(second), r.vm);
	ck_assert_int_eq(svm_vcpu_state(second), SVM_VCPU_CREATED);
	ck_assert_int_eq(svm_vm_destroy(r.vm), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

/* --- VMs ---------------------------------------------------------------------------------- */

static const struct {
	bool la57; /* The host runs with CR4.LA57. */
	uint32_t vcpu_max, levels;
	int result;
} config_rows[] = {
	{ false, 256, 0, 0 },
	{ false, 257, 0, SVM_ERR_INVAL },
	{ false, 1, 3, SVM_ERR_INVAL },
	{ false, 1, 6, SVM_ERR_INVAL },
	{ false, 1, 4, 0 },
	{ false, 1, 5, SVM_ERR_NOSUPPORT },
	{ true, 1, 0, 0 },
	{ true, 1, 4, SVM_ERR_NOSUPPORT }, /* The processor would walk 5. */
	{ true, 1, 5, 0 },
};

START_TEST(a_vm_has_the_levels_that_the_host_walks)
{
	struct svm_vm_config wanted = { .vcpu_max = config_rows[_i].vcpu_max,
		                        .npt_levels = config_rows[_i].levels };
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.features.la57 = config_rows[_i].la57;
	rig_machine(&r, &config);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	ck_assert_int_eq(svm_vm_create(r.host, &wanted, &r.vm), config_rows[_i].result);
	if (config_rows[_i].result)
		r.vm = NULL;
	rig_fini(&r);
}
END_TEST

START_TEST(a_guest_runs_on_a_host_with_five_levels)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.features.la57 = true;
	rig_init(&r, &config, RIG_64);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* Without the host's EFER.NXE bit 63 of a nested entry is reserved. */
START_TEST(without_nxe_no_nested_entry_has_nx)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.features.efer &= ~UINT64_C(0x800);
	rig_init(&r, &config, RIG_64);
	ck_assert(!svm_host_features(r.host)->host_nx);
	ck_assert_int_eq(svm_vm_protect(r.vm, RIG_DATA, 4096, SVM_PROT_READ | SVM_PROT_WRITE), 0);
	hosted_script_load_abs(&r.code, RIG_DATA);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

START_TEST(wishes_and_mitigations_are_checked)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.features.spec_ctrl = false;
	rig_init(&r, &config, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_BIT(10)), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, 0x3ff), 0);
	ck_assert_int_eq(svm_vm_set_mitigations(r.vm, SVM_BIT(4)), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_set_mitigations(r.vm, SVM_MITIGATE_IBPB), SVM_ERR_NOSUPPORT);
	ck_assert_int_eq(svm_vm_set_mitigations(r.vm, SVM_MITIGATE_RSB | SVM_MITIGATE_VERW |
	                                                      SVM_MITIGATE_DIV), 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* The library's own inconsistency ends the VM and not the host. */
static unsigned bugs;

static void count_bug(void *ctx, const char *what)
{
	(void)ctx;
	(void)what;
	bugs++;
}

START_TEST(a_dead_vm_refuses_to_run)
{
	struct svm_vcpu *second;
	struct svm_exit exit;
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.log = keep_log;
	r.hal.bug = _i ? count_bug : NULL;
	bugs = 0;
	logged[0] = '\0';
	rig_start(&r, RIG_64);
	svm_vm_bug(r.vm, "a test says so");
	ck_assert_uint_eq(bugs, (unsigned)_i);
	ck_assert_str_eq(logged, _i ? "" : "a test says so");
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &exit), SVM_ERR_DEAD);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), SVM_ERR_DEAD);
	rig_fini(&r);
}
END_TEST

/* A permission map that changes behind an unchanged address. */
START_TEST(a_changed_map_is_told_to_the_processor)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vm_io_allow(r.vm, 0x80, 1, true), 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert(svm_vcpu_vmcb(r.vcpu)->control.clean & SVM_CLEAN_MAPS);
	ck_assert_int_eq(svm_vm_io_allow(r.vm, 0x80, 1, false), 0);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert(!(svm_vcpu_vmcb(r.vcpu)->control.clean & SVM_CLEAN_MAPS));
	svm_vcpu_put(r.vcpu);
	rig_fini(&r);
}
END_TEST

/* --- a direct map ------------------------------------------------------------------------- */

static unsigned asked;
static void *(*answer)(void *ctx, svm_hpa_t hpa);

static void *count_questions(void *ctx, svm_hpa_t hpa)
{
	asked++;
	return answer(ctx, hpa);
}

/* A fault fills an entry, a VMMCALL is looked at, the embedder reads: all of it without a question.
 */
static void use_memory(struct rig *r)
{
	uint8_t byte;

	ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_retry(r->vcpu), 0);
	ck_assert_int_eq(svm_vm_read(r->vm, RIG_DATA, &byte, 1, NULL), 0);
}

START_TEST(a_host_with_a_direct_map_is_not_asked)
{
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	hosted_script_vmmcall(&r.code);
	answer = r.host->hal.phys_to_virt;
	r.host->hal.phys_to_virt = count_questions;
	asked = 0;
	use_memory(&r);
	ck_assert_uint_gt(asked, 0);
	ck_assert_int_eq(svm_host_set_direct_map(r.host, r.memory - r.memory_hpa, UINT64_MAX), 0);
	asked = 0;
	use_memory(&r);
	ck_assert_uint_eq(asked, 0);
	ck_assert_int_eq(svm_host_set_direct_map(r.host, r.memory, UINT64_MAX),
	                 SVM_ERR_HAL_CONTRACT);
	use_memory(&r);
	ck_assert_uint_eq(asked, 0);
	ck_assert_int_eq(svm_host_set_direct_map(r.host, NULL, 0), 0);
	use_memory(&r);
	ck_assert_uint_gt(asked, 0);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, null_is_no_table_and_no_result);
	tcase_add_loop_test(tc, a_table_that_lacks_something_is_refused_by_name, 0,
	                    ROWS(table_rows));
	tcase_add_loop_test(tc, frames_that_break_the_contract_are_refused, 0, ROWS(lies));
	tcase_add_loop_test(tc, online_names_why_svm_cannot_be_used, 0, ROWS(online_rows));
	tcase_add_test(tc, a_vm_cr_that_is_not_there_disables_nothing);
	tcase_add_test(tc, the_feature_mask_hides_features);
	tcase_add_test(tc, offline_puts_everything_back);
	tcase_add_test(tc, cpus_must_agree_on_features);
	tcase_add_test(tc, a_cpu_number_out_of_range_is_named);
	tcase_add_loop_test(tc, host_create_leaves_nothing_behind, 0, 3);
	tcase_add_loop_test(tc, cpu_online_leaves_nothing_behind, 0, 2);
	tcase_add_test(tc, vm_create_leaves_nothing_behind);
	tcase_add_test(tc, vcpu_create_leaves_nothing_behind);
	tcase_add_loop_test(tc, a_vm_has_the_levels_that_the_host_walks, 0, ROWS(config_rows));
	tcase_add_test(tc, a_guest_runs_on_a_host_with_five_levels);
	tcase_add_test(tc, without_nxe_no_nested_entry_has_nx);
	tcase_add_test(tc, wishes_and_mitigations_are_checked);
	tcase_add_test(tc, a_changed_map_is_told_to_the_processor);
	tcase_add_test(tc, a_host_with_a_direct_map_is_not_asked);
	tcase_add_loop_test(tc, a_dead_vm_refuses_to_run, 0, 2);
}

int main(void)
{
	return rig_main("host, CPUs, VMs", add_tests);
}
