/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_TESTS_EVA_VCPU_H
#define SVM_TESTS_EVA_VCPU_H
/*
 * A vCPU after any exit: VMCB and members hold anything, and pointers lead where they do in a VM
 * that runs.  What is not proved here has a body here that gives any answer its header allows.
 */
#include "core/vcpu/exits.h"
#include "core/vcpu/vcpu.h"

static struct svm_vmcb vmcb;
static struct svm_vcpu vcpu;
static struct svm_vm vm;
static struct svm_host host;
#define SLOTS 4
static struct svm_record_slot slots[SLOTS];
static struct svm_cpuid_entry cpuid_rows[SVM_CPUID_MAX];

#define UNKNOWN(object) Frama_C_make_unknown((char *)&(object), sizeof(object))

static bool any_bool(void *ctx)
{
	(void)ctx;
	return eva_maybe();
}

static enum svm_device_result any_device(void *arg, struct svm_vcpu *of,
                                         struct svm_io_access *access)
{
	(void)arg;
	(void)of;
	access->value = (uint32_t)eva_any();
	return (enum svm_device_result)Frama_C_interval(0, 2);
}

static int any_pending(void *arg, struct svm_vcpu *of, uint8_t tpr)
{
	(void)arg;
	(void)of;
	(void)tpr;
	return Frama_C_interval(-1, 255);
}

static uint8_t accept_any(void *arg, struct svm_vcpu *of, uint8_t vector)
{
	(void)arg;
	(void)of;
	(void)vector;
	return (uint8_t)Frama_C_interval(0, 255);
}

/* Other files of the core. */
bool svm_vcpu_wants_control(const struct svm_vcpu *of, unsigned n, bool is_write)
{
	(void)of;
	/*@ assert n < 32; */
	(void)n;
	(void)is_write;
	return eva_maybe();
}

bool svm_vcpu_debugger_wants(const struct svm_vcpu *of, unsigned code)
{
	(void)of;
	/*@ assert code < 192; */
	(void)code;
	return eva_maybe();
}

void svm_vcpu_request(struct svm_vcpu *of, uint32_t request)
{
	svm_atomic_or(&of->s.requests, request);
}

enum svm_vcpu_state svm_vcpu_state(const struct svm_vcpu *of)
{
	(void)of;
	return (enum svm_vcpu_state)Frama_C_interval(0, 6);
}

static void any_vcpu(void)
{
	UNKNOWN(vmcb);
	UNKNOWN(vcpu);
	UNKNOWN(vm);
	UNKNOWN(host.features);
	host.features.physical_bits = (uint8_t)Frama_C_interval(32, 52); /* As features.c has it. */
	host.features.linear_bits = eva_maybe() ? 48 : 57;
	UNKNOWN(cpuid_rows);

	host.hal.should_exit = any_bool;
	host.hal.machine_check = any_bool;
	vm.host = &host;
	vm.cpuid.entries = cpuid_rows;
	vm.cpuid.count = (uint32_t)Frama_C_interval(0, SVM_CPUID_MAX);
	vm.msr.range_count = (uint32_t)Frama_C_interval(0, SVM_MSR_RANGE_MAX);

	vcpu.vm = &vm;
	vcpu.vmcb = &vmcb;
	vcpu.recorder.ring = slots;
	vcpu.recorder.end = slots + SLOTS;
	vcpu.recorder.last = slots + Frama_C_interval(0, SLOTS - 1);
	vcpu.irq = (struct svm_irq_port){ .accept = accept_any }; /* Called only with the other. */
	if (eva_maybe())
		vcpu.irq.pending = any_pending;
	vcpu.events.held_interrupt = Frama_C_interval(-1, 255);
	vcpu.interrupt_vector = Frama_C_interval(-1, 255);
	vcpu.events.exception_vector = (uint8_t)Frama_C_interval(0, 31);
}

#endif
