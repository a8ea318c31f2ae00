/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guest memory is taken away while three vCPUs on three CPUs write to it.
 *
 * When a call that revokes returns, nobody may use the old translation: the frame is given to
 * somebody else at once, and the processor model compares its generation at each use.
 */
#include <pthread.h>
#include <sched.h>

#include "hal/ring0.h"
#include "rig.h"
#include "suite.h"

#define get(p)    __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#define VCPUS  3u
#define ROUNDS 100u
#define WINDOW UINT64_C(0x40000) /* Guest-physical; its page comes and goes. */

enum how { BY_UNMAP, BY_SLOT, BY_PROTECT, BY_INVALIDATE, HOWS };

struct race {
	struct rig r;
	struct svm_vcpu *vcpu[VCPUS];
	uint64_t faults[VCPUS];
	svm_hpa_t resolved; /* What the resolve callback answers; 0: again. */
	bool stop;
};

struct runner {
	struct race *race;
	uint32_t id;
};

/* Store to the window for ever; each hole is an exit, after which the store is tried again. */
static void *run(void *arg)
{
	const struct runner *runner = arg;
	struct race *race = runner->race;
	struct svm_vcpu *vcpu = race->vcpu[runner->id];
	struct svm_exit exit;

	hosted_become(race->r.m, runner->id + 1);
	ck_assert_int_eq(svm_cpu_online(race->r.host), 0);
	while (!get(&race->stop)) {
		ck_assert_int_eq(svm_vcpu_run(vcpu, &exit), 0);
		if (exit.kind == SVM_EXIT_KIND_NEED_MEMORY)
			ck_assert_int_eq(svm_vm_reserve(race->r.vm, 0), 0);
		if (exit.kind == SVM_EXIT_KIND_NPT_FAULT) {
			put(&race->faults[runner->id], race->faults[runner->id] + 1);
			sched_yield();
		}
	}
	ck_assert_int_eq(svm_cpu_offline(race->r.host), 0);
	hosted_leave();
	return NULL;
}

static enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                       struct svm_resolved_page *page)
{
	struct race *race = arg;
	const svm_hpa_t hpa = get(&race->resolved);

	(void)gpa;
	(void)access;
	if (!hpa)
		return SVM_RESOLVE_AGAIN;
	*page = (struct svm_resolved_page){ hpa, 4096, SVM_PROT_ALL };
	return SVM_RESOLVE_MAPPED;
}

static void give(struct race *race, enum how how, svm_hpa_t hpa)
{
	if (how == BY_INVALIDATE)
		put(&race->resolved, hpa);
	else
		ck_assert_int_eq(svm_vm_map(race->r.vm, WINDOW, hpa, 4096, SVM_PROT_ALL), 0);
}

static void take_away(struct race *race, enum how how)
{
	struct svm_vm *vm = race->r.vm;

	switch (how) {
	case BY_UNMAP:
		ck_assert_int_eq(svm_vm_unmap(vm, WINDOW, 4096), 0);
		break;
	case BY_SLOT:
		ck_assert_int_eq(svm_vm_slot_remove(vm, WINDOW), 0);
		break;
	case BY_PROTECT: /* First the right to write, which is what the guests use. */
		ck_assert_int_eq(svm_vm_protect(vm, WINDOW, 4096, SVM_PROT_READ), 0);
		hosted_revoke(race->r.m, 0, WINDOW, 4096);
		for (int i = 0; i < 3; i++)
			sched_yield();
		ck_assert_int_eq(svm_vm_unmap(vm, WINDOW, 4096), 0);
		break;
	default:
		svm_vm_invalidate_begin(vm, WINDOW, 4096);
		put(&race->resolved, 0);
		svm_vm_invalidate_end(vm, WINDOW, 4096);
		break;
	}
	hosted_revoke(race->r.m, 0, WINDOW, 4096);
}

/* All guests have written to the page behind the window. */
static void wait_for_writes(const uint8_t *page)
{
	for (uint32_t id = 0; id < VCPUS; id++)
		while (!__atomic_load_n(&page[64 * id], __ATOMIC_ACQUIRE))
			sched_yield();
}

static void start(struct race *race, const struct hosted_config *config, enum how how)
{
	const struct svm_slot slot = {
		.gpa = WINDOW,
		.size = 4096,
		.prot = SVM_PROT_ALL,
		.kind = SVM_SLOT_RESOLVE,
		.resolve = resolve,
		.resolve_arg = race,
	};
	struct rig *r = &race->r;

	rig_init(r, config, GUEST_32);
	ck_assert_int_eq(svm_vcpu_destroy(r->vcpu), 0);
	r->vcpu = NULL;
	for (uint32_t id = 0; id < VCPUS; id++) {
		const uint64_t rip = GUEST_CODE + 0x100 * id;

		hosted_script_init(&r->code, 32);
		hosted_script_mov(&r->code, HOSTED_RBX, WINDOW + 64 * id);
		hosted_script_mov(&r->code, HOSTED_RAX, 0x01010101);
		const size_t again = r->code.size;

		hosted_script_store(&r->code, HOSTED_RBX, HOSTED_RAX, false);
		if (id)
			hosted_script_cpuid(&r->code);
		hosted_script_mov(&r->code, HOSTED_RBX, WINDOW + 64 * id);
		hosted_script_mov(&r->code, HOSTED_RAX, 0x01010101);
		hosted_script_jmp(&r->code, again);
		memcpy(r->memory + rip, r->code.bytes, r->code.size);
		ck_assert_int_eq(rig_vcpu(r, r->vm, id, &race->vcpu[id]), 0);
		rig_start(r, race->vcpu[id], rip);
	}
	if (how == BY_INVALIDATE)
		ck_assert_int_eq(svm_vm_slot_add(r->vm, &slot), 0);
}

START_TEST(memory_that_was_taken_away_is_not_touched)
{
	struct hosted_config config = rig_lacking(_i / HOWS ? rig_lack_count - 1 : 0);
	const enum how how = (enum how)(_i % HOWS);
	static struct race race;
	struct runner runners[VCPUS];
	pthread_t threads[VCPUS];

	config.cpus = VCPUS + 1;
	config.stale_mode = HOSTED_STALE_REVOKED;
	start(&race, &config, how);
	for (uint32_t id = 0; id < VCPUS; id++) {
		runners[id] = (struct runner){ &race, id };
		ck_assert_int_eq(pthread_create(&threads[id], NULL, run, &runners[id]), 0);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		svm_hpa_t hpa;
		uint8_t *page = hosted_guest_alloc(race.r.m, 1, 4096, &hpa);

		give(&race, how, hpa);
		wait_for_writes(page);
		take_away(&race, how);
		hosted_guest_free(race.r.m, hpa, 1);
	}
	put(&race.stop, true);
	for (uint32_t id = 0; id < VCPUS; id++) {
		svm_vcpu_kick(race.vcpu[id]);
		pthread_join(threads[id], NULL);
		ck_assert_uint_gt(race.faults[id], 0);
		ck_assert_int_eq(svm_vcpu_destroy(race.vcpu[id]), 0);
	}
	ck_assert_uint_eq(hosted_breaches_all(race.r.m), 0);
	rig_fini(&race.r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, memory_that_was_taken_away_is_not_touched, 0, 2 * HOWS);
}

int main(void)
{
	return suite_run("library race", add);
}
