/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_PC_RIG_H
#define TESTS_UNIT_PC_RIG_H
/*
 * A whole PC for tests: the library on the strict processor, the devices, and a clock that the test
 * turns.
 */
#include <libsvm/platform/pc.h>

#include "vcpu_rig.h"

#define LAPIC  0xfee00000u
#define IOAPIC 0xfec00000u
#define MIB    UINT64_C(0x100000)
#define NS_0   UINT64_C(1000000000) /* The host's clock when the PC is made. */

static uint64_t clock_ns;

static inline uint64_t read_clock(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

struct machine {
	struct rig r;
	struct svm_pc *pc;
	struct svm_vcpu *other; /* vCPU 1, if there is one. */
};

static inline struct svm_pc_config config_of(uint32_t cpus)
{
	return (struct svm_pc_config){
		.devices = SVM_PC_DEFAULT | SVM_PC_FW_CFG | SVM_PC_TSC_DEADLINE,
		.cpus = cpus,
		.memory = 2 * MIB,
		.wall_clock = 1700000000,
	};
}

static inline void machine_init(struct machine *m, enum rig_mode mode, uint32_t cpus)
{
	const struct svm_pc_config config = config_of(cpus);

	memset(m, 0, sizeof(*m));
	clock_ns = NS_0;
	rig_machine(&m->r, NULL);
	m->r.hal.clock_ns = read_clock;
	rig_start(&m->r, mode);
	rig_handlers(&m->r);
	ck_assert_int_eq(svm_vm_set_exits(m->r.vm, SVM_WANT_MMIO), 0);
	ck_assert_int_eq(svm_pc_create(m->r.vm, &config, &m->pc), 0);
	ck_assert_int_eq(svm_pc_attach(m->pc, m->r.vcpu), 0);
	if (cpus > 1) {
		ck_assert_int_eq(svm_vcpu_create(m->r.vm, 1, &m->other), 0);
		ck_assert_int_eq(svm_pc_attach(m->pc, m->other), 0);
		ck_assert_int_eq(svm_vcpu_init_ipi(m->other), 0);
	}
}

static inline void machine_fini(struct machine *m)
{
	if (m->other)
		ck_assert_int_eq(svm_vcpu_destroy(m->other), 0);
	ck_assert_int_eq(svm_vcpu_destroy(m->r.vcpu), 0);
	m->r.vcpu = NULL;
	ck_assert_int_eq(svm_pc_destroy(m->pc), 0);
	rig_fini(&m->r);
}

/* --- pieces of guests ------------------------------------------------------------------------ */

static inline void out8(struct hosted_script *s, uint16_t port, uint8_t value)
{
	hosted_script_mov(s, HOSTED_RDX, port);
	hosted_script_mov(s, HOSTED_RAX, value);
	hosted_script_out_dx(s, 1);
}

static inline void store32(struct hosted_script *s, uint32_t address, uint32_t value)
{
	hosted_script_mov(s, HOSTED_RBX, address);
	hosted_script_mov(s, HOSTED_RAX, value);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RAX, false);
}

static inline void write_msr(struct hosted_script *s, uint32_t msr, uint64_t value)
{
	hosted_script_mov(s, HOSTED_RCX, msr);
	hosted_script_mov(s, HOSTED_RAX, (uint32_t)value);
	hosted_script_mov(s, HOSTED_RDX, (uint32_t)(value >> 32));
	hosted_script_wrmsr(s);
}

#endif
