/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What one emulated access to a device costs, for callgrind to count.
 *
 * usage: bench_emulate load|store|change warm|assist|cold|first COUNT
 *
 * A 64-bit guest with tables of four levels touches a device COUNT times by one MOV.  The exit is
 * written into the VMCB as a processor without decode assists reports it, and svm_exit_dispatch()
 * does the rest.  The process links the archive that kernels link, so that the figures are theirs;
 * the processor model stands in for ring 0 and is not called between an exit and its end.
 *
 * warm    everything is as it was a moment ago
 * assist  the same, on a processor that says which bytes it has fetched
 * cold    no instruction is in the cache
 * first   the walks are forgotten too: the long way
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/exit_codes.h>
#include <libsvm/libsvm.h>

#include "core/vcpu/device_move.h"
#include "hosted.h"

#define CODE   UINT64_C(0x1000)
#define TABLES UINT64_C(0x8000)
#define PAGES  64u
#define DEVICE UINT64_C(0x100000) /* Mapped by the guest, in no slot. */

static const struct access {
	const char *name, *bytes;
	bool is_write;
} accesses[] = {
	{ "load", "\x8b\x03", false },  /* mov eax, [rbx] */
	{ "store", "\x89\x03", true },  /* mov [rbx], eax */
	{ "change", "\x09\x03", true }, /* or [rbx], eax: two accesses, and always the long way */
};

/* Present, writable, accessed, dirty. */
#define PTE UINT64_C(0x63)

static struct hosted_machine *machine;

static void check(const char *what, int error)
{
	if (!error)
		return;
	fprintf(stderr, "bench_emulate: %s: %s\n", what, svm_error_name(error));
	exit(1);
}

static enum svm_device_result bench_device(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_mmio_access *access)
{
	(void)vcpu;
	memcpy(access->is_write ? arg : access->data, access->is_write ? access->data : arg, 4);
	return SVM_DEVICE_DONE;
}

static void put64(uint8_t *memory, svm_gpa_t gpa, uint64_t value)
{
	memcpy(memory + gpa, &value, sizeof(value));
}

static void fill_tables(uint8_t *memory)
{
	for (unsigned i = 0; i < 3; i++)
		put64(memory, TABLES + i * 4096u, (TABLES + (i + 1) * 4096u) | PTE);
	for (unsigned i = 0; i < 512; i++)
		put64(memory, TABLES + 3 * 4096u + i * 8u, i * 4096u | PTE);
}

static void set_state(struct svm_vcpu *vcpu)
{
	const struct svm_vmcb_segment data = { 16, 0xc93, UINT32_MAX, 0 };
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu, &system);
	system.cs = (struct svm_vmcb_segment){ 8, 0xa9b, UINT32_MAX, 0 };
	system.ss = system.ds = system.es = system.fs = system.gs = data;
	system.cr0 = 0x80010011;
	system.cr4 = 0x20;
	system.cr3 = TABLES;
	system.efer = 0xd00;
	check("set_system", svm_vcpu_set_system(vcpu, &system));
}

enum state { WARM, ASSIST, COLD, FIRST };

static void forget(struct svm_vcpu *vcpu, enum state state)
{
	if (state == COLD || state == FIRST) {
		memset(&vcpu->insn_cache, 0, sizeof(vcpu->insn_cache));
		svm_device_forget(vcpu);
	}
	if (state == FIRST)
		vcpu->code_walk.mode = vcpu->data_walk.mode = 0;
}

/* The exit of one instruction with an operand at [RBX]. */
static void touch(struct svm_vcpu *vcpu, const struct access *access, enum state state)
{
	const struct svm_regs regs = { .rip = CODE, .rbx = DEVICE + 0x10, .rflags = 2 };
	struct svm_vmcb_control *control = &vcpu->vmcb->control;
	struct svm_exit exit_info;

	check("set_regs", svm_vcpu_set_regs(vcpu, &regs));
	control->exit_code = SVM_EXIT_NPF;
	control->exit_info_1 = SVM_NPF_FINAL | SVM_NPF_USER;
	if (access->is_write)
		control->exit_info_1 |= SVM_NPF_WRITE;
	control->exit_info_2 = DEVICE + 0x10;
	control->insn_count = state == ASSIST ? 15 : 0;
	memcpy(control->insn_bytes, access->bytes, 2);
	if (svm_exit_dispatch(vcpu, &exit_info) != SVM_ACTION_RESUME ||
	    vcpu->vmcb->save.rip != CODE + 2) {
		fputs("bench_emulate: the access was not emulated\n", stderr);
		exit(1);
	}
}

static void run(const struct access *access, enum state state, unsigned count)
{
	const struct svm_vm_config config = { .vcpu_max = 1, .table_reserve = 8 };
	uint32_t latch = 0;
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	svm_hpa_t hpa;
	uint8_t *memory;

	machine = hosted_create(NULL);
	hosted_become(machine, 0);
	memory = hosted_guest_alloc(machine, PAGES, 4096, &hpa);
	check("host_create", svm_host_create(hosted_hal(machine), &host));
	/* As kernels have one.  The model, when it is asked for a page, looks for mistakes. */
	check("direct_map", svm_host_set_direct_map(host, memory - hpa, UINT64_MAX));
	check("cpu_online", svm_cpu_online(host));
	check("vm_create", svm_vm_create(host, &config, &vm));
	check("vm_map", svm_vm_map(vm, 0, hpa, PAGES * 4096, SVM_PROT_ALL));
	check("mmio", svm_vm_mmio_handler(vm, DEVICE, 0x1000, bench_device, &latch));
	check("vcpu_create", svm_vcpu_create(vm, 0, &vcpu));
	fill_tables(memory);
	memcpy(memory + CODE, access->bytes, 2);
	set_state(vcpu);
	for (unsigned i = 0; i < count; i++) {
		forget(vcpu, state);
		touch(vcpu, access, state);
	}
	check("vcpu_destroy", svm_vcpu_destroy(vcpu));
	check("vm_destroy", svm_vm_destroy(vm));
	check("cpu_offline", svm_cpu_offline(host));
	check("host_destroy", svm_host_destroy(host));
	hosted_guest_free(machine, hpa, PAGES);
	hosted_leave();
	hosted_destroy(machine);
}

int main(int argc, char **argv)
{
	static const char *const states[] = { "warm", "assist", "cold", "first" };

	for (unsigned i = 0; argc == 4 && i < 12; i++) {
		if (strcmp(argv[1], accesses[i / 4].name) || strcmp(argv[2], states[i % 4]))
			continue;
		run(&accesses[i / 4], (enum state)(i % 4), (unsigned)strtoul(argv[3], NULL, 0));
		return 0;
	}
	fputs("usage: bench_emulate load|store|change warm|assist|cold|first COUNT\n", stderr);
	return 2;
}
