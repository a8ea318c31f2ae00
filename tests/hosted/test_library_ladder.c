/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The self-test ladder on the model, on every machine of rig_lacks: all rungs hold, and none rests
 * on an optional feature.  And a rung can fail: with a world switch that loses a register, the one
 * for registers.
 *
 * Not linked with watch.c: a guest of the ladder has segments on purpose that an audit warns of.
 */
#include "hal/ring0.h"
#include "rig.h"
#include "suite.h"

#define RUNGS 18
/* Frames of the ladder's guest; the model wants them to be a guest's and not the library's. */
#define GUEST_FRAMES 8u

static struct {
	struct hosted_machine *m;
	const struct svm_hal *port;
	unsigned rungs;
	const char *failed;
	bool loses_r15;
} t;

static void *frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	if (count == GUEST_FRAMES)
		return hosted_guest_alloc(t.m, count, SVM_PAGE_SIZE, hpa);
	return t.port->frames_alloc(ctx, count, hpa);
}

static void frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	if (count == GUEST_FRAMES)
		hosted_guest_free(t.m, hpa, count);
	else
		t.port->frames_free(ctx, hva, hpa, count);
}

uint64_t __real_svm_world_switch(struct svm_switch *s);
uint64_t __wrap_svm_world_switch(struct svm_switch *s);

uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	const uint64_t has_run = __real_svm_world_switch(s);

	if (t.loses_r15)
		s->r15 = 0;
	return has_run;
}

static void note(void *arg, const struct svm_selftest_result *result)
{
	(void)arg;
	t.rungs++;
	if (!result->passed && !t.failed)
		t.failed = result->rung;
}

static int climb(const struct hosted_config *config)
{
	struct svm_host *host;
	struct svm_hal hal;
	int failed;

	t.rungs = 0;
	t.failed = NULL;
	t.m = hosted_create(config);
	hosted_become(t.m, 0);
	t.port = hosted_hal(t.m);
	hal = *t.port;
	hal.frames_alloc = frames_alloc;
	hal.frames_free = frames_free;
	ck_assert_int_eq(svm_host_create(&hal, &host), 0);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	failed = svm_selftest(host, note, NULL);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_leave();
	hosted_destroy(t.m);
	return failed;
}

START_TEST(every_rung_holds_on_every_machine)
{
	const struct hosted_config config = rig_lacking(_i);

	ck_assert_int_eq(climb(&config), 0);
	ck_assert_msg(!t.failed, "%s fails without %s", t.failed, rig_lacks[_i].what);
	ck_assert_uint_eq(t.rungs, RUNGS);
}
END_TEST

START_TEST(a_switch_that_loses_a_register_is_found)
{
	t.loses_r15 = true;
	ck_assert_int_eq(climb(NULL), 1);
	ck_assert_str_eq(t.failed, "exit.registers");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, every_rung_holds_on_every_machine, 0, rig_lack_count);
	tcase_add_test(tc, a_switch_that_loses_a_register_is_found);
}

int main(void)
{
	return suite_run("library ladder", add);
}
