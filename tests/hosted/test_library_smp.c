/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Four processors of one guest on three CPUs: their IPIs arrive, CPUs go and come, and whatever the
 * host does to the VM meanwhile is done when the call returns.
 *
 * usage: test_library_smp [SECONDS]   the last test for so long
 */
#include <libsvm/platform/pc.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "smp.h"
#include "suite.h"

#define MOVES 200u

static struct smp smp;
static int seconds = 2;

/* Nobody but the guest wakes anybody. */
START_TEST(no_ipi_between_sleepers_is_lost)
{
	smp_init(&smp, 0);
	smp_start(&smp);
	smp_wait_for(&smp, 500);
	smp_stop(&smp);
	smp_fini(&smp);
}
END_TEST

START_TEST(cpus_go_and_come_under_a_guest)
{
	uint64_t frames;

	smp_init(&smp, _i ? 3 : 0);
	frames = hosted_frames_used(smp.r.m);
	smp.is_restless = true;
	smp_start(&smp);
	while (smp_get(&smp.moves) < MOVES) {
		smp_unmap_window(&smp);
		smp_map_window(&smp);
		smp_wait_for(&smp, 1);
	}
	smp_stop(&smp);
	printf("%llu CPUs went and came\n", (unsigned long long)smp.moves);
	/* What a CPU takes is gone with it; tables come from the reserve. */
	for (uint32_t id = 0; id < SMP_VCPUS; id++) {
		struct svm_vcpu_stats stats;

		svm_vcpu_get_stats(smp.vcpu[id], &stats);
		ck_assert_uint_gt(stats.asid_changes, 1);
	}
	ck_assert_int_eq(svm_vm_reserve(smp.r.vm, 0), 0);
	ck_assert_uint_eq(hosted_frames_used(smp.r.m), frames);
	smp_fini(&smp);
}
END_TEST

/* --- everything at once --------------------------------------------------------------------- */

/* What stands still behind a pause. */
struct picture {
	struct svm_regs regs[SMP_VCPUS];
	uint32_t count[SMP_VCPUS];
};

static struct picture look(void)
{
	struct picture p;

	memset(&p, 0, sizeof(p));
	for (uint32_t id = 0; id < SMP_VCPUS; id++) {
		ck_assert_int_ne(svm_vcpu_state(smp.vcpu[id]), SVM_VCPU_RUNNING);
		svm_vcpu_get_regs(smp.vcpu[id], &p.regs[id]);
		p.count[id] = smp_count(&smp, id);
	}
	return p;
}

static void pause_and_look(void)
{
	struct picture before, after;

	ck_assert_int_eq(svm_vm_pause(smp.r.vm), 0);
	before = look();
	for (int i = 0; i < 3; i++)
		sched_yield();
	after = look();
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert_int_eq(svm_vm_resume(smp.r.vm), 0);
}

static void log_dirty(void)
{
	uint8_t bitmap[GUEST_PAGES / 8];

	ck_assert_int_eq(svm_vm_dirty_log(smp.r.vm, 0, SVM_DIRTY_PROTECT), 0);
	sched_yield();
	ck_assert_int_eq(svm_vm_dirty_fetch(smp.r.vm, 0, GUEST_PAGES, bitmap), 0);
	ck_assert_int_eq(svm_vm_dirty_log(smp.r.vm, 0, SVM_DIRTY_OFF), 0);
}

static void do_something(uint64_t noise)
{
	struct svm_vcpu *vcpu = smp.vcpu[noise >> 40 & 3];

	switch (noise >> 60) {
	case 0:
	case 1:
		pause_and_look();
		break;
	case 2:
	case 3:
		smp_unmap_window(&smp);
		smp_map_window(&smp);
		break;
	case 4:
		log_dirty();
		break;
	case 5:
		smp_put(&smp.is_restless, noise >> 41 & 1);
		break;
	case 6:
	case 7:
		svm_vcpu_inject_nmi(vcpu);
		break;
	case 8:
	case 9:
		svm_vcpu_notify(vcpu);
		break;
	case 10:
		svm_vm_invalidate_begin(smp.r.vm, 0, 4096);
		svm_vm_invalidate_end(smp.r.vm, 0, 4096);
		break;
	default:
		svm_vcpu_kick(vcpu);
		break;
	}
}

START_TEST(everything_at_once)
{
	const time_t end = time(NULL) + seconds;
	uint64_t noise = 1, rounds = 0;

	smp_init(&smp, 3);
	smp_start(&smp);
	while (time(NULL) < end) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		do_something(noise);
		if (++rounds % 16 == 0)
			smp_wait_for(&smp, 1);
	}
	smp_wait_for(&smp, 1);
	smp_stop(&smp);
	printf("%llu rounds, %u tokens, %llu faults, %llu runs refused, %llu CPUs went and came\n",
	       (unsigned long long)rounds, smp_count(&smp, 0), (unsigned long long)smp.faults,
	       (unsigned long long)smp.refused, (unsigned long long)smp.moves);
	ck_assert_uint_gt(smp.refused, 0);
	smp_fini(&smp);
}
END_TEST

static void add(TCase *tc)
{
	tcase_set_timeout(tc, seconds + 240);
	tcase_add_test(tc, no_ipi_between_sleepers_is_lost);
	tcase_add_loop_test(tc, cpus_go_and_come_under_a_guest, 0, 2);
	tcase_add_test(tc, everything_at_once);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seconds = atoi(argv[1]);
	return suite_run("library smp", add);
}
