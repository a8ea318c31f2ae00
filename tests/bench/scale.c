/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How costs grow with the number of VMs on a host, and of vCPUs in a VM, for callgrind to count.
 *
 * usage: bench_scale short|full
 *
 * A turn is all that svm_vcpu_run() does for a vCPU where another one has run before: binding it,
 * an entry with an ASID of its own, an exit because the host wants the CPU.  The guest's own run is
 * left out; in its place the exit is written.  So is what the processor's registers cost, which a
 * model keeps here and instructions read on hardware.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>

#include "counted.h"
#include "core/vcpu/exits.h"
#include "platform/pc.h"

#define HPA TIB

#define VMS_MAX   10000u
#define TURNS_MIN 10000u
#define ROUNDS    100u

static struct svm_vm *vms[VMS_MAX];
static struct svm_vcpu *vcpus[VMS_MAX]; /* Of each VM one, or all of one VM. */

/* --- in place of the processor ------------------------------------------------------------ */

uint64_t __wrap_svm_world_switch(struct svm_switch *s);

uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	struct svm_vcpu *vcpu = (struct svm_vcpu *)s; /* Its first member. */

	vcpu->vmcb->control.exit_code = SVM_EXIT_INTR;
	vcpu->vmcb->control.exit_int_info = 0;
	return 1;
}

#define WITHOUT_RESULT(name, parameters, ...)                                                      \
	void __real_##name parameters;                                                             \
	void __wrap_##name parameters;                                                             \
	void __wrap_##name parameters                                                              \
	{                                                                                          \
		counted_pause();                                                                   \
		__real_##name(__VA_ARGS__);                                                        \
		counted_pause();                                                                   \
	}

#define WITH_RESULT(name, parameters, ...)                                                         \
	uint64_t __real_##name parameters;                                                         \
	uint64_t __wrap_##name parameters;                                                         \
	uint64_t __wrap_##name parameters                                                          \
	{                                                                                          \
		uint64_t result;                                                                   \
                                                                                                   \
		counted_pause();                                                                   \
		result = __real_##name(__VA_ARGS__);                                               \
		counted_pause();                                                                   \
		return result;                                                                     \
	}

WITH_RESULT(svm_ring0_read_dr, (unsigned n), n)
WITH_RESULT(svm_ring0_rdmsr, (uint32_t msr), msr)
WITH_RESULT(svm_ring0_xgetbv0, (void))
WITHOUT_RESULT(svm_ring0_vmsave, (svm_hpa_t vmcb), vmcb)
WITHOUT_RESULT(svm_ring0_xsave, (void *area, uint64_t mask), area, mask)
WITHOUT_RESULT(svm_ring0_xrstor, (const void *area, uint64_t mask), area, mask)

/* The vCPU that is said to be in its guest on that CPU leaves and enters again. */
static void leave_guest(void *ctx, uint32_t cpu)
{
	struct svm_vcpu *vcpu = vcpus[cpu];

	(void)ctx;
	vcpu->flush_epoch = vcpu->vm->flush_epoch;
}

/* --- VMs ---------------------------------------------------------------------------------- */

static void make_vm(unsigned int i)
{
	const struct svm_slot slot = {
		.size = MIB, .prot = SVM_PROT_ALL, .kind = SVM_SLOT_RANGE, .hpa = HPA
	};
	enum svm_npt_fault_reason reason;

	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vms[i]));
	counted_check("slot_add", svm_vm_slot_add(vms[i], &slot));
	if (svm_memory_fault(vms[i], 0, SVM_PROT_EXECUTE, &reason) != SVM_FAULT_FILLED)
		exit(1);
	counted_check("vcpu_create", svm_vcpu_create(vms[i], 0, &vcpus[i]));
	counted_start(vcpus[i]);
}

static void take_turn(struct svm_vcpu *vcpu)
{
	struct svm_exit exit_info;

	counted_check("run", svm_vcpu_run(vcpu, &exit_info));
	if (exit_info.kind != SVM_EXIT_KIND_HOST_INTERRUPT)
		exit(1);
}

static void bench_vms(unsigned int count)
{
	const size_t before = hosted_frames_used(counted_machine);
	const unsigned int turns = count > TURNS_MIN ? count : TURNS_MIN;
	char name[32];

	for (unsigned int i = 0; i < count; i++) {
		make_vm(i);
		take_turn(vcpus[i]);
	}
	printf("cost vm-kib-%u %zu\n", count,
	       (hosted_frames_used(counted_machine) - before) * 4 / count);
	snprintf(name, sizeof(name), "turn-%u", count);
	counted_begin();
	for (unsigned int i = 0; i < turns; i++)
		take_turn(vcpus[i % count]);
	counted_end(name, turns);
	for (unsigned int i = 0; i < count; i++) {
		counted_check("vcpu_destroy", svm_vcpu_destroy(vcpus[i]));
		counted_check("vm_destroy", svm_vm_destroy(vms[i]));
	}
}

/* --- vCPUs -------------------------------------------------------------------------------- */

static void named_count(char *text, size_t size, const char *what, unsigned int count)
{
	snprintf(text, size, "%s-%u", what, count);
}

/* Each vCPU is made, and waits for its start-up IPI as the processors of a guest do. */
static void start_up(struct svm_vm *vm, struct svm_pc *pc, unsigned int count)
{
	struct svm_apic_message init = {
		.mode = SVM_APIC_INIT, .shorthand = SVM_APIC_ALL_BUT_SELF, .is_assert = true
	};
	struct svm_apic_message startup = init;
	char name[32];

	startup.mode = SVM_APIC_STARTUP;
	named_count(name, sizeof(name), "start-up", count);
	counted_begin();
	for (unsigned int i = 0; i < count; i++) {
		counted_check("vcpu_create", svm_vcpu_create(vm, i, &vcpus[i]));
		counted_check("attach", svm_pc_attach(pc, vcpus[i]));
	}
	(void)svm_apic_bus_send(&pc->bus, &init);
	for (unsigned int i = 1; i < count; i++)
		counted_check("serve", svm_pc_serve(pc, vcpus[i]));
	(void)svm_apic_bus_send(&pc->bus, &startup);
	for (unsigned int i = 1; i < count; i++)
		counted_check("serve", svm_pc_serve(pc, vcpus[i]));
	counted_end(name, count);
	for (unsigned int i = 0; i < count; i++)
		if (svm_vcpu_state(vcpus[i]) == SVM_VCPU_WAIT_SIPI)
			exit(1);
}

static void broadcast(struct svm_pc *pc, unsigned int count)
{
	const struct svm_apic_message message = {
		.mode = SVM_APIC_FIXED, .shorthand = SVM_APIC_ALL_BUT_SELF, .vector = 0x50
	};
	const struct svm_lapic_time now = { 0, 0 };
	char name[32];

	for (unsigned int i = 0; i < count; i++)
		svm_lapic_write(&pc->cpu[i].lapic, 0xf0, 4, 0x1ff, now);
	named_count(name, sizeof(name), "broadcast", count);
	counted_begin();
	for (unsigned int i = 0; i < ROUNDS; i++)
		(void)svm_apic_bus_send(&pc->bus, &message);
	counted_end(name, (uint64_t)ROUNDS * count);
}

/* All are in their guests, and have to come out once. */
static void flush(struct svm_vm *vm, unsigned int count)
{
	char name[32];

	for (unsigned int i = 0; i < count; i++)
		vcpus[i]->in_guest = i + 1;
	named_count(name, sizeof(name), "flush", count);
	counted_begin();
	for (unsigned int i = 0; i < ROUNDS; i++)
		svm_vm_flush(vm);
	counted_end(name, (uint64_t)ROUNDS * count);
	for (unsigned int i = 0; i < count; i++)
		vcpus[i]->in_guest = 0;
}

static void bench_vcpus(unsigned int count)
{
	const struct svm_vm_config config = { .vcpu_max = count };
	const struct svm_pc_config machine = {
		.devices = SVM_PC_APIC, .cpus = count, .memory = 16 * MIB
	};
	struct svm_pc *pc;
	struct svm_vm *vm;

	counted_check("vm_create", svm_vm_create(counted_host, &config, &vm));
	counted_check("pc_create", svm_pc_create(vm, &machine, &pc));
	start_up(vm, pc, count);
	broadcast(pc, count);
	flush(vm, count);
	for (unsigned int i = 0; i < count; i++)
		counted_check("vcpu_destroy", svm_vcpu_destroy(vcpus[i]));
	counted_check("pc_destroy", svm_pc_destroy(pc));
	counted_check("vm_destroy", svm_vm_destroy(vm));
}

int main(int argc, char **argv)
{
	const bool is_full = argc == 2 && !strcmp(argv[1], "full");

	if (argc != 2 || (!is_full && strcmp(argv[1], "short"))) {
		fputs("usage: bench_scale short|full\n", stderr);
		return 2;
	}
	counted_init(GIB, leave_guest);
	bench_vms(10);
	bench_vms(100);
	if (is_full)
		bench_vms(VMS_MAX);
	bench_vcpus(2);
	bench_vcpus(16);
	bench_vcpus(256);
	counted_fini();
	return 0;
}
