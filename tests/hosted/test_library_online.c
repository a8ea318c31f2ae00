/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every way in which SVM can be unavailable has a name.  APM vol. 2, 15.4, 15.30, 15.31. */
#include "hal/ring0.h"
#include "rig.h"
#include "suite.h"

#define LOCK   SVM_BIT(3)
#define SVMDIS SVM_BIT(4)
#define SVME   SVM_BIT(12)

static const struct row {
	const char *what;
	bool no_svm;
	uint32_t without;
	uint64_t vm_cr, efer;
	int error;
} rows[] = {
	{ "SVM is there", false, 0, 0, 0, 0 },
	{ "locked but enabled", false, 0, LOCK, 0, 0 },
	{ "no SVM", true, 0, 0, 0, SVM_ERR_NO_SVM },
	{ "no nested paging", false, SVM_FEATURE_NPT, 0, 0, SVM_ERR_NO_NPT },
	{ "disabled", false, 0, SVMDIS, 0, SVM_ERR_SVM_DISABLED },
	{ "disabled and locked, with a key", false, 0, SVMDIS | LOCK, 0, SVM_ERR_SVM_LOCKED_KEY },
	{ "disabled and locked", false, SVM_FEATURE_LOCK, SVMDIS | LOCK, 0, SVM_ERR_SVM_LOCKED },
	{ "in use", false, 0, 0, SVME, SVM_ERR_SVM_IN_USE },
};

START_TEST(a_cpu_that_cannot_run_guests_says_why)
{
	const struct row *row = &rows[_i];
	struct hosted_config config;
	struct hosted_machine *m;
	struct svm_host *host;
	uint64_t efer;

	hosted_config_init(&config);
	config.features.svm = !row->no_svm;
	config.features.svm_edx &= ~row->without;
	config.features.vm_cr = row->vm_cr;
	config.features.efer |= row->efer;
	m = hosted_create(&config);
	hosted_become(m, 0);
	ck_assert_int_eq(svm_host_create(hosted_hal(m), &host), 0);
	efer = svm_ring0_rdmsr(SVM_MSR_EFER);
	ck_assert_msg(svm_cpu_online(host) == row->error, "%s", row->what);
	if (!row->error) {
		ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), efer | SVME);
		ck_assert_int_eq(svm_cpu_online(host), SVM_ERR_STATE);
		ck_assert_int_eq(svm_host_destroy(host), SVM_ERR_BUSY);
		ck_assert_int_eq(svm_cpu_offline(host), 0);
		ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_VM_HSAVE_PA), 0);
	}
	ck_assert_int_eq(svm_cpu_offline(host), SVM_ERR_STATE);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER), efer);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_destroy(m);
}
END_TEST

static void more_asids(struct hosted_features *f)
{
	f->asid_count *= 2;
}

static void no_nrips(struct hosted_features *f)
{
	f->svm_edx &= ~(uint32_t)SVM_FEATURE_NRIPS;
}

static void fewer_bits(struct hosted_features *f)
{
	f->physical_bits--;
}

static void no_huge(struct hosted_features *f)
{
	f->page_1g = false;
}

static void (*const differences[])(struct hosted_features *f) = {
	more_asids,
	no_nrips,
	fewer_bits,
	no_huge,
};

START_TEST(a_cpu_that_differs_is_refused)
{
	struct hosted_config config;
	struct hosted_machine *m;
	struct svm_host *host;

	hosted_config_init(&config);
	config.cpus = 3;
	m = hosted_create(&config);
	differences[_i](hosted_cpu_features(m, 1));
	hosted_become(m, 0);
	ck_assert_int_eq(svm_host_create(hosted_hal(m), &host), 0);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	hosted_become(m, 1);
	ck_assert_int_eq(svm_cpu_online(host), SVM_ERR_CPU_MISMATCH);
	ck_assert_uint_eq(svm_ring0_rdmsr(SVM_MSR_EFER) & SVME, 0);
	hosted_become(m, 2);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	hosted_become(m, 0);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_destroy(m);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_cpu_that_cannot_run_guests_says_why, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_cpu_that_differs_is_refused, 0, ROWS(differences));
}

int main(void)
{
	return suite_run("library online", add);
}
