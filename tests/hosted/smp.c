/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <libsvm/platform/pc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "smp.h"

#define APIC         UINT64_C(0xfee00000)
#define APIC_EOI     (APIC + 0xb0)
#define APIC_SVR     (APIC + 0xf0)
#define APIC_ICR     (APIC + 0x300)
#define APIC_ICR_TO  (APIC + 0x310)
#define TOKEN_VECTOR 0x50u
#define HANDLERS     UINT64_C(0xd000)
#define PATIENCE     60 /* Seconds without a token are a lost wake-up. */
#define RUNS         16u /* Before the CPU looks at another vCPU. */

void smp_must(bool holds, const char *what, int value)
{
	if (holds)
		return;
	fprintf(stderr, "smp: %s (%d)\n", what, value);
	abort();
}

/* --- the guest ------------------------------------------------------------------------------ */

static void emit_store(struct hosted_script *s, uint64_t address, uint32_t value)
{
	hosted_script_mov(s, HOSTED_RBX, address);
	hosted_script_mov(s, HOSTED_RAX, value);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RAX, false);
}

/* RDI is the other's APIC ID as the register wants it. */
static void emit_send(struct hosted_script *s, unsigned token)
{
	hosted_script_mov(s, HOSTED_RBX, APIC_ICR_TO);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RDI, false);
	emit_store(s, APIC_ICR, 0x4000 | (TOKEN_VECTOR + token));
}

/* Count at RSI, send the token on. */
static void load_handler(struct smp *smp, unsigned token)
{
	struct hosted_script s;

	hosted_script_init(&s, 32);
	hosted_script_push(&s, HOSTED_RAX);
	hosted_script_push(&s, HOSTED_RBX);
	hosted_script_load(&s, HOSTED_RAX, HOSTED_RSI, false);
	hosted_script_inc(&s, HOSTED_RAX);
	hosted_script_store(&s, HOSTED_RSI, HOSTED_RAX, false);
	emit_store(&s, APIC_EOI, 0);
	emit_send(&s, token);
	hosted_script_pop(&s, HOSTED_RBX);
	hosted_script_pop(&s, HOSTED_RAX);
	hosted_script_iret(&s);
	guest_handler(smp->r.memory, TOKEN_VECTOR + token, HANDLERS + 0x100 * token, &s);
}

static void load_nmi_handler(struct smp *smp)
{
	struct hosted_script s;

	hosted_script_init(&s, 32);
	hosted_script_iret(&s);
	guest_handler(smp->r.memory, 2, HANDLERS + 0x100 * SMP_TOKENS, &s);
}

static uint64_t counter_of(uint32_t id)
{
	return GUEST_DATA + 0x40 * id;
}

static void load_main(struct smp *smp, uint32_t id)
{
	const uint64_t rip = GUEST_CODE + 0x200 * id;
	struct hosted_script s;
	size_t again;

	hosted_script_init(&s, 32);
	emit_store(&s, APIC_SVR, 0x1ff);
	for (unsigned token = 0; id == 0 && token < SMP_TOKENS; token++)
		emit_send(&s, token);
	hosted_script_sti(&s);
	if (id == SMP_SPINNER)
		hosted_script_hlt(&s);
	again = s.size;
	emit_store(&s, SMP_WINDOW + 64 * id, 1);
	if (id & 1)
		hosted_script_cpuid(&s);
	if (id != SMP_SPINNER)
		hosted_script_hlt(&s);
	hosted_script_jmp(&s, again);
	memcpy(smp->r.memory + rip, s.bytes, s.size);

	const struct svm_regs regs = {
		.rip = rip,
		.rsp = GUEST_HOLES + 0x1000 * (id + 1),
		.rsi = counter_of(id),
		.rdi = (uint64_t)((id + 1) % SMP_VCPUS) << 24,
		.rflags = 2,
	};
	rig_start(&smp->r, smp->vcpu[id], rip);
	ck_assert_int_eq(svm_vcpu_set_regs(smp->vcpu[id], &regs), 0);
}

/* --- CPUs ----------------------------------------------------------------------------------- */

static void wake_vcpu(void *arg, struct svm_vcpu *vcpu)
{
	struct smp *smp = arg;

	smp_put(&smp->wanted[svm_vcpu_id(vcpu)], true);
}

/*
 * Its flag was cleared before the run and is set by the wake callback, unless the sender took the
 * vCPU for one that is still inside.  Therefore the second look, with a full fence between leaving
 * and looking: tests/model/sleep.pml.
 */
static bool has_more(struct svm_vcpu *vcpu)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return svm_vcpu_has_event(vcpu);
}

/* False: it sleeps. */
static bool after_run(struct smp *smp, uint32_t id, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_HLT:
		return has_more(smp->vcpu[id]);
	case SVM_EXIT_KIND_NEED_MEMORY:
		smp_must(svm_vm_reserve(smp->r.vm, 0) == 0, "reserve", 0);
		return true;
	case SVM_EXIT_KIND_NPT_FAULT:
		__atomic_add_fetch(&smp->faults, 1, __ATOMIC_RELAXED);
		sched_yield();
		return true;
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_HOST_INTERRUPT:
		return true;
	default:
		smp_must(false, svm_exit_kind_name(exit->kind), (int)exit->kind);
		return false;
	}
}

static bool run_once(struct smp *smp, uint32_t id)
{
	struct svm_exit exit;
	int error;

	smp_must(svm_pc_serve(smp->pc, smp->vcpu[id]) == 0, "serve", (int)id);
	error = svm_vcpu_run(smp->vcpu[id], &exit);
	if (error == SVM_ERR_STATE) {
		__atomic_add_fetch(&smp->refused, 1, __ATOMIC_RELAXED);
		return false;
	}
	smp_must(error == 0, svm_error_name(error), error);
	return after_run(smp, id, &exit);
}

/* What arrives after the flag was cleared sets it again. */
static void drive(struct smp *smp, uint32_t id)
{
	bool is_awake = true;

	smp_put(&smp->wanted[id], false);
	for (unsigned i = 0; i < RUNS && is_awake && !smp_get(&smp->stop); i++)
		is_awake = run_once(smp, id);
	if (is_awake)
		smp_put(&smp->wanted[id], true);
}

static void try_drive(struct smp *smp, uint32_t id)
{
	if (!smp_get(&smp->wanted[id]) ||
	    __atomic_exchange_n(&smp->busy[id], true, __ATOMIC_ACQUIRE))
		return;
	drive(smp, id);
	__atomic_store_n(&smp->busy[id], false, __ATOMIC_RELEASE);
}

static void *be_cpu(void *arg)
{
	struct smp_cpu *cpu = arg;
	struct smp *smp = cpu->smp;

	hosted_become(smp->r.m, cpu->id + 1);
	smp_must(svm_cpu_online(smp->r.host) == 0, "online", (int)cpu->id);
	while (!smp_get(&smp->stop)) {
		cpu->noise = cpu->noise * 6364136223846793005u + 1442695040888963407u;
		try_drive(smp, (uint32_t)(cpu->noise >> 33) % SMP_VCPUS);
		if (smp_get(&smp->is_restless) && cpu->noise >> 59 == 0) {
			smp_must(svm_cpu_offline(smp->r.host) == 0, "offline", (int)cpu->id);
			sched_yield();
			smp_must(svm_cpu_online(smp->r.host) == 0, "online", (int)cpu->id);
			__atomic_add_fetch(&smp->moves, 1, __ATOMIC_RELAXED);
		}
		sched_yield();
	}
	smp_must(svm_cpu_offline(smp->r.host) == 0, "offline", (int)cpu->id);
	hosted_leave();
	return NULL;
}

/* --- the rig -------------------------------------------------------------------------------- */

void smp_map_window(struct smp *smp)
{
	(void)hosted_guest_alloc(smp->r.m, 1, 4096, &smp->window);
	ck_assert_int_eq(svm_vm_map(smp->r.vm, SMP_WINDOW, smp->window, 4096, SVM_PROT_ALL), 0);
}

void smp_unmap_window(struct smp *smp)
{
	ck_assert_int_eq(svm_vm_unmap(smp->r.vm, SMP_WINDOW, 4096), 0);
	hosted_revoke(smp->r.m, 0, SMP_WINDOW, 4096);
	hosted_guest_free(smp->r.m, smp->window, 1);
	smp->window = 0;
}

static void init_vcpus(struct smp *smp)
{
	struct rig *r = &smp->r;

	ck_assert_int_eq(svm_vcpu_destroy(r->vcpu), 0);
	r->vcpu = NULL;
	for (uint32_t id = 0; id < SMP_VCPUS; id++) {
		ck_assert_int_eq(svm_vcpu_create(r->vm, id, &smp->vcpu[id]), 0);
		ck_assert_int_eq(svm_pc_attach(smp->pc, smp->vcpu[id]), 0);
		svm_vcpu_set_wake(smp->vcpu[id], wake_vcpu, smp);
		load_main(smp, id);
	}
	/* An APIC that is switched off takes no token: all but the sender up to their first HLT. */
	for (uint32_t id = 1; id < SMP_VCPUS; id++)
		while (run_once(smp, id))
			;
	smp->wanted[0] = true;
}

void smp_init(struct smp *smp, uint32_t asids)
{
	const struct svm_pc_config pc = {
		.devices = SVM_PC_APIC,
		.cpus = SMP_VCPUS,
		.memory = 2 << 20,
	};
	struct hosted_config config;

	memset(smp, 0, sizeof(*smp));
	hosted_config_init(&config);
	config.cpus = SMP_CPUS + 1;
	config.stale_mode = HOSTED_STALE_REVOKED;
	config.run_limit = UINT64_MAX;
	if (asids)
		config.features.asid_count = asids;
	rig_init(&smp->r, &config, GUEST_32);
	ck_assert_int_eq(svm_pc_create(smp->r.vm, &pc, &smp->pc), 0);
	for (unsigned token = 0; token < SMP_TOKENS; token++)
		load_handler(smp, token);
	load_nmi_handler(smp);
	smp_map_window(smp);
	init_vcpus(smp);
}

void smp_start(struct smp *smp)
{
	for (uint32_t i = 0; i < SMP_CPUS; i++) {
		smp->cpu[i] = (struct smp_cpu){ .smp = smp, .id = i, .noise = i };
		ck_assert_int_eq(
			pthread_create(&smp->cpu[i].thread, NULL, be_cpu, &smp->cpu[i]), 0);
	}
}

void smp_stop(struct smp *smp)
{
	smp_put(&smp->stop, true);
	for (uint32_t i = 0; i < SMP_VCPUS; i++)
		svm_vcpu_kick(smp->vcpu[i]);
	for (uint32_t i = 0; i < SMP_CPUS; i++)
		pthread_join(smp->cpu[i].thread, NULL);
}

void smp_fini(struct smp *smp)
{
	for (uint32_t id = 0; id < SMP_VCPUS; id++)
		ck_assert_int_eq(svm_vcpu_destroy(smp->vcpu[id]), 0);
	ck_assert_int_eq(svm_pc_destroy(smp->pc), 0);
	if (smp->window)
		smp_unmap_window(smp);
	ck_assert_uint_eq(hosted_breaches_all(smp->r.m), 0);
	rig_fini(&smp->r);
}

/* --- looking on ----------------------------------------------------------------------------- */

uint32_t smp_count(struct smp *smp, uint32_t id)
{
	const uint32_t *count = (const void *)(smp->r.memory + counter_of(id));

	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

void smp_wait_for(struct smp *smp, uint32_t more)
{
	uint32_t wanted[SMP_VCPUS];
	time_t end = time(NULL) + PATIENCE;

	for (uint32_t id = 0; id < SMP_VCPUS; id++)
		wanted[id] = smp_count(smp, id) + more;
	for (uint32_t id = 0; id < SMP_VCPUS; id++) {
		uint32_t before = smp_count(smp, id);

		while (smp_count(smp, id) < wanted[id]) {
			sched_yield();
			if (smp_count(smp, id) == before) {
				smp_must(time(NULL) < end, "the tokens stand still", (int)id);
				continue;
			}
			before = smp_count(smp, id);
			end = time(NULL) + PATIENCE;
		}
	}
}
