/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The machine as a whole, and which of its CPUs the calling thread is.
 *
 * Ring 0 functions have no argument that names a CPU, as the instructions have none: a thread
 * becomes a CPU, and no two threads may be the same one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static _Thread_local struct cpu *current;

struct cpu *this_cpu(void)
{
	if (!current) {
		fputs("hosted: a thread that is no CPU executed ring 0 code: hosted_become()\n",
		      stderr);
		abort();
	}
	return current;
}

void hosted_config_init(struct hosted_config *config)
{
	*config = (struct hosted_config){
		.cpus = 1,
		.memory = 64u << 20,
		.features = {
			.svm = true,
			.svm_edx = HOSTED_SVM_EDX,
			.asid_count = 16,
			.physical_bits = 48,
			.page_1g = true,
			.nx = true,
			.xsave = true,
			.xsaves = true,
			.rdtscp = true,
			.spec_ctrl = true,
			.family = 0x17,
			.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
		},
		.run_limit = 10000,
	};
}

/* Values that differ in every register, so that a mix-up shows. */
static struct vmload_state host_vmload_state(uint32_t id)
{
	const uint64_t base = UINT64_C(0xffff800000000000) + ((uint64_t)id << 32);

	return (struct vmload_state){
		.fs = { 0, 0, 0, base + 0x1000 },
		.gs = { 0, 0, 0, base + 0x2000 },
		.tr = { 0x40, 0x8b, 0x67, base + 0x3000 },
		.ldtr = { 0, 0, 0, 0 },
		.kernel_gs_base = base + 0x4000,
		.star = UINT64_C(0x0023001000000000) + id,
		.lstar = base + 0x5000,
		.cstar = base + 0x6000,
		.sfmask = 0x47700,
		.sysenter_cs = 0x10,
		.sysenter_esp = base + 0x7000,
		.sysenter_eip = base + 0x8000,
	};
}

static void cpu_init(struct hosted_machine *m, uint32_t id)
{
	struct cpu *cpu = &m->cpus[id];

	cpu->m = m;
	cpu->id = id;
	cpu->f = m->config.features;
	cpu->cr0 = CR0_PE | CR0_MP | SVM_BIT(4) | SVM_BIT(5) | CR0_WP | CR0_PG;
	cpu->cr2 = 0x1234;
	cpu->cr3 = HOSTED_MEMORY_BASE;
	cpu->cr4 = CR4_PAE | CR4_PGE | SVM_BIT(9) | SVM_BIT(10);
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
	cpu->xcr0 = 1;
	cpu->tsc_ratio = UINT64_C(1) << 32;
	cpu->pat = UINT64_C(0x0007040600070406);
	cpu->apic_base = 0xfee00800u + (id == 0 ? 0x100u : 0u);
	cpu->vm = host_vmload_state(id);
	cpu->home = cpu->vm;
	cpu->gif = true;
	cpu->intr_flag = true;
	cpu->fpu[0] = 0x7f; /* FCW 037Fh, MXCSR 1F80h. */
	cpu->fpu[1] = 0x03;
	cpu->fpu[24] = 0x80;
	cpu->fpu[25] = 0x1f;
	tlb_init(&cpu->tlb);
}

/* Registers that follow from the features, which a test may change until a thread comes. */
static void cpu_start(struct cpu *cpu)
{
	cpu->started = true;
	if (cpu->f.xsave)
		cpu->cr4 |= CR4_OSXSAVE;
	else
		cpu->cr4 &= ~CR4_OSXSAVE;
	cpu->xcr0 = cpu->f.xsave ? XCR0_ALL : 1;
	if (cpu->f.la57)
		cpu->cr4 |= CR4_LA57;
	cpu->vm_cr = cpu->f.vm_cr;
	cpu->efer = cpu->f.efer;
	if (!cpu->f.nx)
		cpu->efer &= ~EFER_NXE;
}

struct hosted_machine *hosted_create(const struct hosted_config *config)
{
	struct hosted_machine *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	if (config)
		m->config = *config;
	else
		hosted_config_init(&m->config);
	pthread_mutex_init(&m->lock, NULL);
	frames_init(m);
	m->cpus = aligned_alloc(64, m->config.cpus * sizeof(*m->cpus));
	if (!m->cpus)
		abort();
	memset(m->cpus, 0, m->config.cpus * sizeof(*m->cpus));
	for (uint32_t id = 0; id < m->config.cpus; id++)
		cpu_init(m, id);
	hal_init(m);
	return m;
}

void hosted_destroy(struct hosted_machine *m)
{
	const size_t leaked = hosted_frames_used(m);

	if (leaked)
		breach(m, HOSTED_BREACH_LEAK, "%zu frames", leaked);
	if (current && current->m == m)
		hosted_leave();
	for (uint32_t id = 0; id < m->config.cpus; id++) {
		tlb_fini(&m->cpus[id].tlb);
		kept_fini(&m->cpus[id]);
	}
	frames_fini(m);
	pthread_mutex_destroy(&m->lock);
	free(m->cpus);
	free(m);
}

void hosted_become(struct hosted_machine *m, uint32_t id)
{
	struct cpu *cpu = &m->cpus[id];

	if (current)
		hosted_leave();
	if (__atomic_exchange_n(&cpu->owned, 1, __ATOMIC_SEQ_CST))
		breach(m, HOSTED_BREACH_HAL, "two threads are CPU %u", id);
	if (!cpu->started)
		cpu_start(cpu);
	current = cpu;
}

void hosted_leave(void)
{
	if (current)
		atomic_set(&current->owned, 0);
	current = NULL;
}

struct hosted_features *hosted_cpu_features(struct hosted_machine *m, uint32_t cpu)
{
	return &m->cpus[cpu].f;
}

void hosted_set_handler(struct hosted_machine *m,
                        void (*fn)(void *arg, uint32_t cpu, uint32_t event), void *arg)
{
	m->handler = fn;
	m->handler_arg = arg;
}

uint32_t hosted_port(struct hosted_machine *m, uint16_t port)
{
	return atomic_get(&m->ports[port]);
}

struct hosted_counts hosted_cpu_counts(struct hosted_machine *m, uint32_t cpu)
{
	return m->cpus[cpu].counts;
}

const char *hosted_invalid_rule(struct hosted_machine *m, uint32_t cpu)
{
	return m->cpus[cpu].invalid_rule;
}

bool hosted_cpu_gif(struct hosted_machine *m, uint32_t cpu)
{
	return m->cpus[cpu].gif;
}

bool hosted_cpu_if(struct hosted_machine *m, uint32_t cpu)
{
	return m->cpus[cpu].intr_flag;
}

uint64_t *hosted_cpu_dr(struct hosted_machine *m, uint32_t cpu, unsigned n)
{
	return &m->cpus[cpu].dr[n];
}

uint8_t *hosted_cpu_fpu(struct hosted_machine *m, uint32_t cpu)
{
	return m->cpus[cpu].fpu;
}
