/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The library in a process, on processors that one cannot buy.
 *
 * Look at the numbers.  The hosted port is a HAL like any other; behind it stands a model of the
 * processor that keeps translations and cached fields for as long as the manual lets it.  The same
 * three vCPUs take turns on each machine, and what they do is the same; only the work behind it
 * differs.  Your own tests can run your own monitor so, on each lack of a processor, and the model
 * stops at the first use of something stale.
 */
#include <common/machine.h>

#define VCPUS 3u
#define TURNS 5u

static void everything(struct hosted_features *features)
{
	(void)features;
}

static void without_clean_bits(struct hosted_features *features)
{
	features->svm_edx &= ~(uint32_t)SVM_FEATURE_CLEAN;
}

static void nested_paging_alone(struct hosted_features *features)
{
	features->svm_edx = SVM_FEATURE_NPT;
}

static void three_asids(struct hosted_features *features)
{
	features->asid_count = 3; /* Number 0 is the host's: two are left. */
}

static void locked(struct hosted_features *features)
{
	features->vm_cr = SVM_BIT(3) | SVM_BIT(4); /* LOCK, SVMDIS: firmware says no. */
}

static const struct {
	const char *name;
	void (*change)(struct hosted_features *features);
} machines[] = {
	{ "everything", everything },
	{ "without clean bits", without_clean_bits },
	{ "nested paging alone", nested_paging_alone },
	{ "three ASIDs", three_asids },
	{ "locked", locked },
};

/* Touch a page and say so, for ever. */
GUEST_CODE(guest, 16,
           "1: incw 0x3000\n"
           "mov 0x3000, %ax\n"
           "out %ax, $0x80\n"
           "jmp 1b");

/* Each vCPU in turn runs until its next OUT; the sum of what they said. */
static unsigned take_turns(struct svm_vcpu *const *vcpus)
{
	struct svm_exit exit;
	unsigned sum = 0;

	for (unsigned i = 0; i < VCPUS * TURNS; i++) {
		machine_run(vcpus[i % VCPUS], &exit);
		sum += exit.io.value;
		MUST(svm_vcpu_complete_skip(vcpus[i % VCPUS]));
	}
	return sum;
}

static void run_on(const char *name, const struct hosted_config *config)
{
	struct svm_vcpu *vcpus[VCPUS];
	struct hosted_counts counts;
	struct machine m;
	unsigned sum;

	machine_create_on(&m, config, VCPUS);
	machine_load(&m, guest, guest_end);
	vcpus[0] = m.vcpu;
	for (uint32_t i = 0; i < VCPUS; i++) {
		if (i)
			MUST(svm_vcpu_create(m.vm, i, &vcpus[i]));
		machine_start_16(vcpus[i]);
	}
	sum = take_turns(vcpus);
	counts = hosted_cpu_counts(m.hosted, 0);
	printf("%s: sum %u, %u flushes, fields kept between runs: %s\n", name, sum,
	       (unsigned)counts.flushes, counts.clean_used ? "yes" : "no");
	for (uint32_t i = 1; i < VCPUS; i++)
		MUST(svm_vcpu_destroy(vcpus[i]));
	machine_destroy(&m);
}

/* What svm_cpu_online() would say, without enabling anything. */
static int probe(const struct hosted_config *config)
{
	struct hosted_machine *hosted = hosted_create(config);
	struct svm_features features;
	int error;

	hosted_become(hosted, 0);
	error = svm_features_probe(hosted_hal(hosted), &features);
	hosted_leave();
	hosted_destroy(hosted);
	return error;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct hosted_config config;
		int error;

		hosted_config_init(&config);
		machines[i].change(&config.features);
		error = probe(&config);
		if (error)
			printf("%s: %s\n", machines[i].name, svm_strerror(error));
		else
			run_on(machines[i].name, &config);
	}
	return EXIT_SUCCESS;
}
