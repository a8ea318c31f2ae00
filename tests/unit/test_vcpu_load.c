/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A vCPU on its CPU, on another one, on one that was away: ASIDs, clean bits, flushes, the FPU, the
 * predictor barrier, and what a loaded vCPU sees of its VM.  APM vol. 2, 11.5, 15.15, 15.16.
 */
#include "vcpu_rig.h"

static void two_cpus(struct rig *r, struct hosted_config *config)
{
	config->cpus = 2;
	rig_init(r, config, RIG_64);
	hosted_become(r->m, 1);
	ck_assert_int_eq(svm_cpu_online(r->host), 0);
	hosted_become(r->m, 0);
}

static void off_two(struct rig *r)
{
	hosted_become(r->m, 1);
	ck_assert_int_eq(svm_cpu_offline(r->host), 0);
	hosted_become(r->m, 0);
	rig_fini(r);
}

static void run_once(struct rig *r, struct svm_vcpu *vcpu)
{
	memcpy(r->memory + RIG_CODE, r->code.bytes, r->code.size);
	ck_assert_int_eq(svm_vcpu_run(vcpu, &r->exit), 0);
	ck_assert_int_eq(r->exit.kind, SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_retry(vcpu), 0); /* The same instruction next time. */
}

/* --- load and put ------------------------------------------------------------------------- */

START_TEST(a_cpu_carries_one_vcpu_and_a_vcpu_is_on_one_cpu)
{
	uint8_t area[1024] = { 0 };
	struct hosted_config config;
	struct svm_vcpu *second;
	struct rig r;

	hosted_config_init(&config);
	two_cpus(&r, &config);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_load(second), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_run(second, &r.exit), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_state(second), SVM_VCPU_CREATED);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_cpu_offline(r.host), SVM_ERR_BUSY);
	run_once(&r, r.vcpu);
	ck_assert_int_eq(svm_vcpu_load(second), SVM_ERR_BUSY); /* A run does not put. */

	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_BUSY);
	/* Its FPU is in the other CPU. */
	svm_vcpu_put(r.vcpu);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, sizeof(area)), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_set_xsave(r.vcpu, area, sizeof(area)), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_init_ipi(r.vcpu), SVM_ERR_STATE);
	run_once(&r, second);

	hosted_become(r.m, 0);
	svm_vcpu_put(r.vcpu);
	svm_vcpu_put(r.vcpu);
	run_once(&r, second);
	run_once(&r, r.vcpu);
	/* A reset puts. */
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_load(second), 0);
	svm_vcpu_put(second);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	off_two(&r);
}
END_TEST

START_TEST(a_cpu_that_is_not_online_runs_nothing)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.cpus = 2;
	rig_init(&r, &config, RIG_64);
	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), SVM_ERR_CPU_OFFLINE);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_CPU_OFFLINE);
	ck_assert_int_eq(svm_vcpu_state(r.vcpu), SVM_VCPU_CREATED);
	hosted_become(r.m, 0);
	rig_fini(&r);
}
END_TEST

/* Policies that change between two runs are in force, loaded or not. */
START_TEST(a_loaded_vcpu_sees_new_policies)
{
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	hosted_script_rdmsr(&r.code);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	regs.rcx = 0xc0000082;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	if (_i)
		ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO); /* LSTAR itself makes no exit. */
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(r.vm, 0xc0000082, 1, SVM_MSR_REFUSE), 0);
	ck_assert_int_eq(svm_vm_io_allow(r.vm, 0x80, 1, true), 0);
	regs.rip = RIG_CODE + 2;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL); /* No exit for the port now. */
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 4);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	regs.rip = RIG_CODE;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 13);
	svm_vcpu_put(r.vcpu);
	rig_fini(&r);
}
END_TEST

/* --- other CPUs, and CPUs that were away -------------------------------------------------- */

/* The model names a clean bit or an ASID that is another's; two ASIDs force a new generation. */
START_TEST(vcpus_wander_between_cpus)
{
	struct hosted_config config;
	struct svm_vcpu *vcpu[3];
	struct rig r;

	hosted_config_init(&config);
	config.features.asid_count = _i % 2 ? 3 : 16;
	if (_i / 2)
		config.features.svm_edx = 1;
	two_cpus(&r, &config);
	vcpu[0] = r.vcpu;
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &vcpu[1]), 0);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 2, &vcpu[2]), 0);
	rig_prepare(&r, vcpu[1]);
	rig_prepare(&r, vcpu[2]);
	hosted_script_load_abs(&r.code, RIG_DATA);
	hosted_script_vmmcall(&r.code);
	for (unsigned i = 0; i < 60; i++) {
		struct svm_vcpu *const one = vcpu[i % 3];
		struct svm_regs regs;

		hosted_become(r.m, i / 4 % 2);
		svm_vcpu_get_regs(one, &regs);
		regs.rip = RIG_CODE;
		ck_assert_int_eq(svm_vcpu_set_regs(one, &regs), 0);
		run_once(&r, one);
	}
	hosted_become(r.m, 0);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu[1]), 0);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu[2]), 0);
	off_two(&r);
}
END_TEST

/* Suspend and resume: the CPU hands out ASID 1 of generation 1 a second time. */
START_TEST(an_asid_does_not_survive_offline)
{
	const struct svm_vm_config vm_config = { .vcpu_max = 1 };
	struct svm_vcpu_stats stats;
	struct svm_vcpu *other;
	struct svm_vm *vm;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	hosted_script_load_abs(&r.code, RIG_DATA);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vm_create(r.host, &vm_config, &vm), 0);
	ck_assert_int_eq(svm_vm_map(vm, 0, r.memory_hpa, RIG_PAGES * 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vcpu_create(vm, 0, &other), 0);
	rig_prepare(&r, other);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	ck_assert_int_eq(svm_cpu_offline(r.host), 0);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	run_once(&r, other);
	run_once(&r, r.vcpu);
	run_once(&r, other);
	ck_assert_uint_ne(svm_vmcb_get_asid(svm_vcpu_vmcb(other)),
	                  svm_vmcb_get_asid(svm_vcpu_vmcb(r.vcpu)));
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.asid_changes, 2);
	ck_assert_int_eq(svm_vcpu_destroy(other), 0);
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
	rig_fini(&r);
}
END_TEST

/* --- flushes ------------------------------------------------------------------------------ */

static struct svm_vcpu *kicked;
static unsigned kicks;

static void leave_guest(void *ctx, uint32_t cpu)
{
	(void)ctx;
	ck_assert_uint_eq(cpu, 0);
	kicks++;
	svm_atomic_store(&kicked->in_guest, 0);
}

/* Who runs with an older epoch is kicked and waited for; who has honoured it is left alone. */
START_TEST(a_flush_kicks_only_who_may_use_old_translations)
{
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.cpu_kick = leave_guest;
	rig_start(&r, RIG_64);
	kicked = r.vcpu;
	kicks = 0;
	svm_vm_flush(r.vm);
	ck_assert_uint_eq(kicks, 0);
	svm_atomic_store(&r.vcpu->in_guest, 1);
	svm_vm_flush(r.vm);
	ck_assert_uint_eq(kicks, 1);
	ck_assert_uint_eq(r.vcpu->in_guest, 0);
	svm_atomic_store(&r.vcpu->in_guest, 1);
	svm_atomic_store(&r.vcpu->flush_epoch, r.vm->flush_epoch + 1);
	svm_vm_flush(r.vm); /* Honours this epoch before it is even asked. */
	ck_assert_uint_eq(kicks, 1);
	svm_atomic_store(&r.vcpu->in_guest, 0);
	rig_fini(&r);
}
END_TEST

/* One flush for any number of changes, by TLB_CONTROL or by a new ASID. */
START_TEST(a_flush_is_done_at_the_next_entry)
{
	struct hosted_config config;
	struct svm_vcpu_stats before, after;
	struct rig r;

	hosted_config_init(&config);
	if (_i)
		config.features.svm_edx &= ~0x40u; /* No FlushByAsid. */
	rig_init(&r, &config, RIG_64);
	hosted_script_vmmcall(&r.code);
	run_once(&r, r.vcpu);
	svm_vcpu_get_stats(r.vcpu, &before);
	svm_vm_flush(r.vm);
	svm_vm_flush(r.vm);
	run_once(&r, r.vcpu);
	svm_vcpu_get_stats(r.vcpu, &after);
	ck_assert_uint_eq(after.flushes, before.flushes + 1);
	ck_assert_uint_eq(after.asid_changes, before.asid_changes + (unsigned)_i);
	ck_assert_uint_eq(svm_vcpu_vmcb(r.vcpu)->control.tlb_control, 0);
	run_once(&r, r.vcpu);
	svm_vcpu_get_stats(r.vcpu, &after);
	ck_assert_uint_eq(after.flushes, before.flushes + 1);
	rig_fini(&r);
}
END_TEST

/* --- the predictor barrier ---------------------------------------------------------------- */

static bool barrier(const struct svm_vcpu *vcpu)
{
	return vcpu->s.flags & SVM_SWITCH_DO_IBPB;
}

START_TEST(a_barrier_is_owed_until_it_was_executed_here)
{
	struct hosted_config config;
	struct svm_vcpu *second;
	struct rig r;

	hosted_config_init(&config);
	two_cpus(&r, &config);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	run_once(&r, r.vcpu);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert(!barrier(r.vcpu)); /* Its own predictions. */
	svm_vcpu_put(r.vcpu);
	/* The second comes, leaves without an entry, pays elsewhere, and still owes it here. */
	ck_assert_int_eq(svm_vcpu_load(second), 0);
	ck_assert(barrier(second));
	svm_vcpu_put(second);
	hosted_become(r.m, 1);
	run_once(&r, second);
	ck_assert(!barrier(second));
	hosted_become(r.m, 0);
	ck_assert_int_eq(svm_vcpu_load(second), 0);
	ck_assert(barrier(second));
	run_once(&r, second);
	ck_assert(!barrier(second));
	svm_vcpu_put(second);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert(barrier(r.vcpu));
	svm_vcpu_put(r.vcpu);
	/* Not where nobody asked for it. */
	ck_assert_int_eq(svm_vm_set_mitigations(r.vm, 0), 0);
	run_once(&r, r.vcpu);
	ck_assert_int_eq(svm_vcpu_load(second), 0);
	ck_assert(!barrier(second));
	svm_vcpu_put(second);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	off_two(&r);
}
END_TEST

/* --- the FPU ------------------------------------------------------------------------------ */

enum { FCW = 0, MXCSR = 24, XMM0 = 160, HEADER = 512, AVX = 576, SIZE = 832 };

/* Host, and two guests: each has its own registers, whoever ran in between. */
START_TEST(vector_registers_are_each_ones_own)
{
	const bool has_xsave = !_i;
	struct hosted_config config;
	uint8_t area[SIZE] = { 0 }, *fpu;
	struct svm_vcpu *second;
	struct rig r;

	hosted_config_init(&config);
	config.features.xsave = config.features.xsaves = has_xsave;
	rig_init(&r, &config, RIG_64);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	fpu = hosted_cpu_fpu(r.m, 0);
	memset(fpu + XMM0, 0x11, 256);
	memset(fpu + AVX, 0x11, 256);

	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_uint_eq(fpu[XMM0], 0); /* Reset: nothing of the host's. */
	ck_assert_uint_eq(fpu[FCW], 0x7f);
	if (has_xsave)
		ck_assert_uint_eq(fpu[AVX + 255], 0);
	memset(fpu + XMM0, 0x22, 256);
	memset(fpu + AVX, 0x22, 256);
	/* While it is loaded the state is in the CPU. */
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, has_xsave ? SIZE : 512), 0);
	ck_assert_uint_eq(area[XMM0], 0x22);
	svm_vcpu_put(r.vcpu);
	ck_assert_uint_eq(fpu[XMM0 + 255], 0x11);
	run_once(&r, second);
	ck_assert_uint_eq(fpu[XMM0 + 255], 0x11);
	ck_assert_int_eq(svm_vcpu_get_xsave(second, area, has_xsave ? SIZE : 512), 0);
	ck_assert_uint_eq(area[XMM0], 0);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, has_xsave ? SIZE : 512), 0);
	ck_assert_uint_eq(area[XMM0 + 255], 0x22);
	if (has_xsave) {
		ck_assert_uint_eq(area[AVX + 255], 0x22);
		ck_assert_uint_eq(fpu[AVX], 0x11);
	}
	/* Into another vCPU, as a snapshot would, loaded or not. */
	ck_assert_int_eq(svm_vcpu_set_xsave(second, area, has_xsave ? SIZE : 512), 0);
	ck_assert_int_eq(svm_vcpu_load(second), 0);
	ck_assert_uint_eq(fpu[XMM0], 0x22);
	memset(area + XMM0, 0x33, 256);
	ck_assert_int_eq(svm_vcpu_set_xsave(second, area, has_xsave ? SIZE : 512), 0);
	ck_assert_uint_eq(fpu[XMM0], 0x33);
	svm_vcpu_put(second);
	ck_assert_uint_eq(fpu[XMM0], 0x11);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

/* What XRSTOR would answer with #GP, in the host. */
static const struct {
	unsigned offset;
	uint8_t value;
	int result;
} area_rows[] = {
	{ XMM0, 0x55, 0 },
	{ HEADER, 0x7, 0 },
	{ HEADER, 0x8, SVM_ERR_INVAL },      /* a state that is not there */
	{ HEADER + 7, 0x80, SVM_ERR_INVAL }, /* compacted */
	{ HEADER + 8, 0x1, SVM_ERR_INVAL },
	{ HEADER + 63, 0x1, SVM_ERR_INVAL },
	{ MXCSR + 1, 0xff, 0 },
	{ MXCSR + 2, 0x1, SVM_ERR_INVAL },
	{ MXCSR + 3, 0x80, SVM_ERR_INVAL },
};

START_TEST(an_area_that_would_fault_is_refused)
{
	uint8_t area[SIZE + 8] = { 0 };
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	area[1 + MXCSR] = 0x80;
	area[1 + area_rows[_i].offset] = area_rows[_i].value;
	ck_assert_int_eq(svm_vcpu_set_xsave(r.vcpu, area + 1, SIZE), area_rows[_i].result);
	ck_assert_int_eq(svm_vcpu_set_xsave(r.vcpu, area + 1, SIZE - 1), SVM_ERR_RANGE);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, SIZE - 1), SVM_ERR_RANGE);
	hosted_script_vmmcall(&r.code);
	run_once(&r, r.vcpu);
	rig_fini(&r);
}
END_TEST

/* A write through the emulator marks what it wrote, and no state that the host has not. */
START_TEST(an_emulated_write_marks_only_what_the_host_has)
{
	static const uint8_t data[32] = { 0x5a, [31] = 0xa5 };
	uint8_t area[SIZE], back[32];
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	if (_i)
		r.host->features.xcr0 = 3;
	svm_fpu_write_vector(r.vcpu, 3, data, 32, true);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, SIZE), 0);
	ck_assert_uint_eq(area[HEADER], _i ? 2 : 6);
	ck_assert_uint_eq(area[XMM0 + 3 * 16], 0x5a);
	svm_fpu_read_vector(r.vcpu, 3, back, 16);
	ck_assert_uint_eq(back[0], 0x5a);
	if (!_i) {
		svm_fpu_read_vector(r.vcpu, 3, back, 32);
		ck_assert_mem_eq(back, data, 32);
	}
	hosted_script_vmmcall(&r.code);
	run_once(&r, r.vcpu);
	rig_fini(&r);
}
END_TEST

static int depth, most;

static void begin(void *ctx)
{
	(void)ctx;
	if (++depth > most)
		most = depth;
}

static void end(void *ctx)
{
	(void)ctx;
	depth--;
}

static int preempted;

static void preempt_off(void *ctx)
{
	(void)ctx;
	preempted++;
}

static void preempt_on(void *ctx)
{
	(void)ctx;
	preempted--;
}

START_TEST(the_hosts_own_fpu_and_preemption_calls_are_paired)
{
	struct rig r;

	depth = most = preempted = 0;
	rig_machine(&r, NULL);
	r.hal.fpu_begin = begin;
	r.hal.fpu_end = end;
	r.hal.preempt_off = preempt_off;
	r.hal.preempt_on = preempt_on;
	rig_start(&r, RIG_64);
	hosted_script_vmmcall(&r.code);
	run_once(&r, r.vcpu);
	ck_assert_int_eq(most, 1);
	ck_assert_int_eq(depth, 0);
	ck_assert_int_eq(preempted, 0);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	ck_assert_int_eq(depth, 0); /* The host cannot be preempted while it has lent its FPU. */
	run_once(&r, r.vcpu);
	ck_assert_int_eq(depth, 0);
	ck_assert_int_eq(preempted, 0);
	svm_vcpu_put(r.vcpu);
	ck_assert_int_eq(depth, 0);
	rig_fini(&r);
}
END_TEST

static uint64_t loads_of(const struct svm_vcpu *vcpu)
{
	struct svm_vcpu_stats stats;

	svm_vcpu_get_stats(vcpu, &stats);
	return stats.loads;
}

/* As a host with preemption notifiers has it: one load, until the thread loses its CPU. */
START_TEST(a_vcpu_that_stays_is_put_by_its_host)
{
	uint8_t area[SIZE] = { 0 }, *fpu;
	struct hosted_config config;
	struct svm_vcpu *second;
	struct rig r;

	hosted_config_init(&config);
	config.cpus = 2;
	rig_machine(&r, &config);
	if (_i) {
		r.hal.fpu_begin = begin;
		r.hal.fpu_end = end;
	}
	depth = 0;
	rig_start(&r, RIG_64);
	svm_host_set_fixed_registers(r.host, _i == 2);
	hosted_become(r.m, 1);
	ck_assert_int_eq(svm_cpu_online(r.host), 0);
	hosted_become(r.m, 0);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_create(r.vm, 1, &second), 0);
	rig_prepare(&r, second);
	fpu = hosted_cpu_fpu(r.m, 0);

	svm_vcpu_stay_loaded(r.vcpu, true);
	run_once(&r, second); /* Nothing is loaded yet. */
	for (unsigned i = 0; i < 3; i++)
		run_once(&r, r.vcpu);
	ck_assert_uint_eq(loads_of(r.vcpu), 1);
	ck_assert_int_eq(svm_vcpu_run(second, &r.exit), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), SVM_ERR_BUSY);

	/* Where the host has its FPU back, state that is set meanwhile goes to the area alone. */
	ck_assert_int_eq(depth, 0);
	area[XMM0] = 0x44;
	area[HEADER] = 2;
	fpu[XMM0] = 0x11;
	ck_assert_int_eq(svm_vcpu_set_xsave(r.vcpu, area, SIZE), 0);
	ck_assert_uint_eq(fpu[XMM0], _i ? 0x11 : 0x44);
	run_once(&r, r.vcpu);
	ck_assert_uint_eq(loads_of(r.vcpu), 1);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, SIZE), 0);
	ck_assert_uint_eq(area[XMM0], 0x44);

	svm_vcpu_put(r.vcpu);
	svm_vcpu_put(r.vcpu);
	run_once(&r, second);
	hosted_become(r.m, 1);
	fpu = hosted_cpu_fpu(r.m, 1);
	run_once(&r, r.vcpu); /* Without a word it has come to the other CPU, and stays there. */
	ck_assert_uint_eq(loads_of(r.vcpu), 2);
	ck_assert_int_eq(svm_cpu_offline(r.host), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vcpu_get_xsave(r.vcpu, area, SIZE), 0);
	ck_assert_uint_eq(area[XMM0], 0x44);

	svm_vcpu_stay_loaded(r.vcpu, false);
	run_once(&r, r.vcpu);
	run_once(&r, r.vcpu);
	ck_assert_uint_eq(loads_of(r.vcpu), 3);
	ck_assert_int_eq(depth, 0);
	ck_assert_int_eq(svm_cpu_offline(r.host), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_CPU_OFFLINE);
	hosted_become(r.m, 0);
	ck_assert_int_eq(svm_vcpu_destroy(second), 0);
	rig_fini(&r);
}
END_TEST

/* XCR0, TSC_AUX and SPEC_CTRL: the guest's inside, the host's outside. */
START_TEST(registers_of_the_switch_change_hands)
{
	struct svm_system_regs system;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_ring0_wrmsr(0xc0000103, 0x77);
	svm_ring0_wrmsr(0x48, 1);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xc0000103, 0x99), 0);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr4 |= SVM_BIT(18);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	ck_assert_int_eq(svm_vcpu_set_xcr0(r.vcpu, 3), 0);
	hosted_script_mov(&r.code, HOSTED_RCX, 0);
	hosted_script_xgetbv(&r.code);
	hosted_script_store_abs(&r.code, RIG_DATA);
	hosted_script_rdtscp(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rcx, 0x99);
	ck_assert_uint_eq(rig_read64(&r, RIG_DATA) & 0xff, 3);
	ck_assert_uint_eq(svm_ring0_rdmsr(0xc0000103), 0x77);
	ck_assert_uint_eq(svm_ring0_rdmsr(0x48), 1);
	ck_assert_uint_eq(svm_ring0_xgetbv0(), 7);
	rig_fini(&r);
}
END_TEST

#define TSC_AUX 0xc0000103
#define GS_BASE 0xc0000101

/* The host's registers become these; a run leaves them as it then finds them. */
static void run_under(struct rig *r, uint64_t value)
{
	svm_ring0_wrmsr(TSC_AUX, value);
	svm_ring0_wrmsr(GS_BASE, value);
	run_once(r, r->vcpu);
}

static void ck_assert_host_has(uint64_t value)
{
	ck_assert_uint_eq(svm_ring0_rdmsr(TSC_AUX), value);
	ck_assert_uint_eq(svm_ring0_rdmsr(GS_BASE), value);
}

/* A host that breaks its promise gets back what it had at load, and thereby shows what is read. */
START_TEST(fixed_registers_are_read_at_load)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_host_set_fixed_registers(r.host, _i);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, TSC_AUX, 0x99), 0);
	run_under(&r, 1);
	ck_assert_host_has(1);
	run_under(&r, 2); /* Not loaded: each run begins with a load. */
	ck_assert_host_has(2);
	ck_assert_int_eq(svm_vcpu_load(r.vcpu), 0);
	hosted_tolerate(r.m, HOSTED_BREACH_HOST_STATE);
	run_under(&r, 3);
	ck_assert_host_has(_i ? 2 : 3);
	ck_assert_uint_eq(hosted_breaches(r.m, HOSTED_BREACH_HOST_STATE), _i ? 3 : 0);
	svm_vcpu_put(r.vcpu);
	run_under(&r, 4);
	ck_assert_host_has(4);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_cpu_carries_one_vcpu_and_a_vcpu_is_on_one_cpu);
	tcase_add_test(tc, a_cpu_that_is_not_online_runs_nothing);
	tcase_add_loop_test(tc, a_loaded_vcpu_sees_new_policies, 0, 2);
	tcase_add_loop_test(tc, vcpus_wander_between_cpus, 0, 4);
	tcase_add_test(tc, an_asid_does_not_survive_offline);
	tcase_add_test(tc, a_flush_kicks_only_who_may_use_old_translations);
	tcase_add_loop_test(tc, a_flush_is_done_at_the_next_entry, 0, 2);
	tcase_add_test(tc, a_barrier_is_owed_until_it_was_executed_here);
	tcase_add_loop_test(tc, vector_registers_are_each_ones_own, 0, 2);
	tcase_add_loop_test(tc, an_area_that_would_fault_is_refused, 0, ROWS(area_rows));
	tcase_add_loop_test(tc, an_emulated_write_marks_only_what_the_host_has, 0, 2);
	tcase_add_test(tc, the_hosts_own_fpu_and_preemption_calls_are_paired);
	tcase_add_loop_test(tc, a_vcpu_that_stays_is_put_by_its_host, 0, 3);
	tcase_add_test(tc, registers_of_the_switch_change_hands);
	tcase_add_loop_test(tc, fixed_registers_are_read_at_load, 0, 2);
}

int main(void)
{
	return rig_main("vCPU on its CPU", add_tests);
}
