/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ladder of tiny guests, on processors with and without helps, and on hosts that break one:
 * the rung that needs it must say so.
 */
#include <libsvm/diagnose.h>

#include "vcpu_rig.h"

#define MOST 64

struct climb {
	const char *rung[MOST];
	bool passed[MOST];
	unsigned count;
};

static void note(void *arg, const struct svm_selftest_result *result)
{
	struct climb *climb = arg;

	ck_assert_uint_lt(climb->count, MOST);
	ck_assert_ptr_nonnull(result->rung);
	ck_assert_ptr_nonnull(result->text);
	ck_assert_ptr_nonnull(result->explanation);
	climb->rung[climb->count] = result->rung;
	climb->passed[climb->count++] = result->passed || result->skipped;
}

static bool passed(const struct climb *climb, const char *rung)
{
	for (unsigned i = 0; i < climb->count; i++)
		if (!strcmp(climb->rung[i], rung))
			return climb->passed[i];
	ck_abort_msg("no rung %s", rung);
	return false;
}

/*
 * The ladder takes its guest's memory from the HAL, like every frame; the model takes a guest that
 * reaches such a frame for one that escaped.  So the first allocation of a climb is guest memory.
 */
static struct hosted_machine *machine;
static void *guest_memory;
static bool is_first;

static void *alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	const struct svm_hal *hal = hosted_hal(machine);

	if (!is_first)
		return hal->frames_alloc(ctx, count, hpa);
	is_first = false;
	guest_memory = hosted_guest_alloc(machine, count, 4096, hpa);
	return guest_memory;
}

static void release(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	if (hva == guest_memory)
		hosted_guest_free(machine, hpa, count);
	else
		hosted_hal(machine)->frames_free(ctx, hva, hpa, count);
}

static int climb_ladder(struct rig *r, struct climb *climb)
{
	int result;

	guest_memory = NULL;
	is_first = true;
	result = svm_selftest(r->host, climb ? note : NULL, climb);
	is_first = false;
	return result;
}

static void start_host(struct rig *r)
{
	machine = r->m;
	guest_memory = NULL;
	is_first = false;
	r->hal.frames_alloc = alloc;
	r->hal.frames_free = release;
	ck_assert_int_eq(svm_host_create(&r->hal, &r->host), 0);
	ck_assert_int_eq(svm_cpu_online(r->host), 0);
}

static const uint32_t helps[] = { HOSTED_SVM_EDX, HOSTED_SVM_EDX & ~8u, 1u };

START_TEST(every_rung_holds_on_every_processor)
{
	struct climb climb = { .count = 0 };
	struct hosted_config config;
	struct rig r;
	size_t before;

	hosted_config_init(&config);
	config.features.svm_edx = helps[_i];
	rig_machine(&r, &config);
	start_host(&r);
	before = hosted_frames_used(r.m);
	ck_assert_int_eq(climb_ladder(&r, &climb), 0);
	ck_assert_uint_ge(climb.count, 17);
	for (unsigned i = 0; i < climb.count; i++)
		ck_assert_msg(climb.passed[i], "%s", climb.rung[i]);
	for (unsigned i = 0; i < climb.count; i++) /* Names tell rungs apart. */
		for (unsigned j = 0; j < i; j++)
			ck_assert_str_ne(climb.rung[i], climb.rung[j]);
	ck_assert_int_eq(climb_ladder(&r, NULL), 0);
	ck_assert_uint_eq(hosted_frames_used(r.m), before);
	rig_fini(&r);
}
END_TEST

START_TEST(a_ladder_that_cannot_be_built_leaves_nothing)
{
	struct rig r;
	size_t before;
	uint64_t allocations;

	rig_machine(&r, NULL);
	start_host(&r);
	allocations = hosted_allocations(r.m);
	ck_assert_int_eq(climb_ladder(&r, NULL), 0);
	allocations = hosted_allocations(r.m) - allocations;
	before = hosted_frames_used(r.m);
	for (uint64_t k = 1; k <= allocations; k++) {
		hosted_fail_allocation(r.m, k);
		/* NOMEM while it is built; a rung, if one of them asked for memory. */
		ck_assert_int_ne(climb_ladder(&r, NULL), 0);
		ck_assert_uint_eq(hosted_frames_used(r.m), before);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(it_needs_a_cpu)
{
	struct rig r;

	rig_machine(&r, NULL);
	ck_assert_int_eq(svm_host_create(&r.hal, &r.host), 0);
	ck_assert_int_eq(svm_selftest(r.host, NULL, NULL), SVM_ERR_CPU_OFFLINE);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	rig_fini(&r);
}
END_TEST

static void lost(void *ctx, uint32_t cpu)
{
	(void)ctx;
	(void)cpu;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* A kick that raises nothing: with no timer either, nothing would end the guest's run. */
START_TEST(a_lost_kick_hangs_nobody)
{
	struct climb climb = { .count = 0 };
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.run_limit = 100000; /* The timer ends it at last: no rung may wait for ever. */
	rig_machine(&r, &config);
	r.hal.cpu_kick = lost;
	r.hal.should_exit = never;
	start_host(&r);
	(void)climb_ladder(&r, &climb);
	ck_assert(passed(&climb, "enter"));
	rig_fini(&r);
}
END_TEST

/* Somebody switches SVM off behind the library's back. */
START_TEST(a_cpu_without_svme_is_named)
{
	struct climb climb = { .count = 0 };
	struct rig r;

	rig_machine(&r, NULL);
	hosted_tolerate(r.m, HOSTED_BREACH_HOST_FAULT);
	hosted_tolerate(r.m, HOSTED_BREACH_HOST_STATE);
	start_host(&r);
	svm_ring0_wrmsr(SVM_MSR_EFER, 0xd01);
	ck_assert_int_gt(climb_ladder(&r, &climb), 0);
	ck_assert(!passed(&climb, "enable"));
	ck_assert(!passed(&climb, "enter"));
	svm_ring0_wrmsr(SVM_MSR_EFER, 0x1d01);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, every_rung_holds_on_every_processor, 0, ROWS(helps));
	tcase_add_test(tc, a_ladder_that_cannot_be_built_leaves_nothing);
	tcase_add_test(tc, it_needs_a_cpu);
	tcase_add_test(tc, a_lost_kick_hangs_nobody);
	tcase_add_test(tc, a_cpu_without_svme_is_named);
}

int main(void)
{
	return rig_main("self-test", add_tests);
}
