/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What calls of the library cost that are no exits, for callgrind to count: nested tables of many
 * sizes, permission maps, a decoder's round, an audit, a snapshot.
 *
 * usage: bench_operations short|full
 *
 * Guest memory is a range of addresses and no memory: mapping it touches the tables alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>

#include "counted.h"

#define HPA    (8 * TIB) /* Of the guest's memory; any address that is aligned to 1 GiB. */
#define ROUNDS 1000u

/* --- nested tables ------------------------------------------------------------------------ */

/* A leaf's size follows from the level, or from an offset that lets no larger one fit. */
static const struct shape {
	const char *name;
	uint64_t size, leaf;
	bool is_short;
} shapes[] = {
	{ "4k-1g", GIB, 4 * KIB, true },      { "4k-4g", 4 * GIB, 4 * KIB, false },
	{ "4k-64g", 64 * GIB, 4 * KIB, false }, { "2m-1g", GIB, 2 * MIB, true },
	{ "2m-64g", 64 * GIB, 2 * MIB, true },  { "2m-1t", TIB, 2 * MIB, false },
	{ "1g-64g", 64 * GIB, GIB, true },      { "1g-1t", TIB, GIB, true },
};

/* Tables that leaves of a size need, the root included. */
static uint64_t fewest_tables(const struct shape *shape)
{
	const uint64_t spans[] = { 2 * MIB, GIB, 512 * GIB };
	uint64_t count = 1;

	for (unsigned i = 0; i < 3; i++)
		if (spans[i] > shape->leaf)
			count += (shape->size + spans[i] - 1) / spans[i];
	return count;
}

static void named(char *text, size_t size, const char *what, const struct shape *shape)
{
	snprintf(text, size, "%s-%s", what, shape->name);
}

static void look_up(struct svm_vm *vm, const struct shape *shape)
{
	const uint64_t step = shape->size / ROUNDS & ~(4 * KIB - 1);
	struct svm_mapping mapping;
	char name[32];

	named(name, sizeof(name), "walk", shape);
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		counted_check("query", svm_vm_query(vm, i * step, &mapping));
	counted_end(name, ROUNDS);
	if (mapping.size != shape->leaf) {
		fprintf(stderr, "bench_operations: %s has other leaves\n", shape->name);
		exit(1);
	}
}

static void count_tables(const struct shape *shape, size_t before)
{
	const uint64_t fewest = fewest_tables(shape);
	/* The root was there before. */
	const uint64_t tables = hosted_frames_used(counted_machine) - before + 1;
	char name[32];

	named(name, sizeof(name), "tables", shape);
	printf("cost %s %llu\n", name,
	       (unsigned long long)((tables * 1000 + fewest - 1) / fewest));
}

static void bench_shape(const struct shape *shape)
{
	const struct svm_vm_config config = { .no_huge_pages = shape->leaf == 4 * KIB };
	/* Half a gigabyte aside no leaf of 1 GiB is congruent. */
	const svm_hpa_t hpa = shape->leaf == 2 * MIB ? HPA + GIB / 2 : HPA;
	const uint64_t pages = shape->size / shape->leaf;
	struct svm_vm *vm;
	size_t frames;
	char name[32];

	counted_check("vm_create", svm_vm_create(counted_host, &config, &vm));
	frames = hosted_frames_used(counted_machine);
	named(name, sizeof(name), "map", shape);
	counted_begin();
	counted_check("map", svm_vm_map(vm, 0, hpa, shape->size, SVM_PROT_ALL));
	counted_end(name, pages);
	count_tables(shape, frames);
	look_up(vm, shape);
	named(name, sizeof(name), "unmap", shape);
	counted_begin();
	counted_check("unmap", svm_vm_unmap(vm, 0, shape->size));
	counted_end(name, pages);
	counted_check("vm_destroy", svm_vm_destroy(vm));
}

static void bench_faults(void)
{
	const struct svm_vm_config config = { .no_huge_pages = true, .table_reserve = 16 };
	const struct svm_slot slot = {
		.size = GIB, .prot = SVM_PROT_ALL, .kind = SVM_SLOT_RANGE, .hpa = HPA
	};
	enum svm_npt_fault_reason reason;
	struct svm_vm *vm;

	counted_check("vm_create", svm_vm_create(counted_host, &config, &vm));
	counted_check("slot_add", svm_vm_slot_add(vm, &slot));
	counted_begin();
	/* The other pages of a window have leaves then, and a guest has no exit for them. */
	for (unsigned i = 0; i < ROUNDS; i += 8)
		if (svm_memory_fault(vm, i * 4 * KIB, SVM_PROT_WRITE, &reason) != SVM_FAULT_FILLED)
			exit(1);
	counted_end("fault-4k", ROUNDS);
	counted_check("vm_destroy", svm_vm_destroy(vm));
}

/* A page in 64 is written between two looks. */
static void bench_dirty(void)
{
	static uint8_t bitmap[GIB / (4 * KIB) / 8];
	const uint64_t pages = GIB / (4 * KIB);
	struct svm_vm *vm;

	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vm));
	counted_check("map", svm_vm_map(vm, 0, HPA, GIB, SVM_PROT_ALL));
	counted_begin();
	counted_check("dirty_log", svm_vm_dirty_log(vm, 0, SVM_DIRTY_PROTECT));
	counted_end("dirty-start", pages);
	for (uint64_t page = 0; page < pages; page += 64)
		counted_check("dirty_mark", svm_vm_dirty_mark(vm, page * 4 * KIB, 1));
	counted_begin();
	counted_check("dirty_fetch", svm_vm_dirty_fetch(vm, 0, pages, bitmap));
	counted_end("dirty-fetch", pages);
	counted_begin();
	counted_check("dirty_log", svm_vm_dirty_log(vm, 0, SVM_DIRTY_OFF));
	counted_end("dirty-stop", pages);
	counted_check("vm_destroy", svm_vm_destroy(vm));
}

/* --- the rest ----------------------------------------------------------------------------- */

static void bench_maps(void)
{
	struct svm_vm *vm;

	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vm));
	counted_check("io_allow", svm_vm_io_allow(vm, 0x80, 1, true)); /* The VM's own map. */
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		counted_check("io_allow", svm_vm_io_allow(vm, (uint16_t)(0x1000 + i), 1, true));
	counted_end("ports-one", ROUNDS);
	counted_begin();
	counted_check("io_allow", svm_vm_io_allow(vm, 0, 0x10000, false));
	counted_end("ports-all", 1);
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		counted_check("msr_policy",
		      svm_vm_set_msr_policy(vm, 0xc0000082, 1,
		                            i & 1 ? SVM_MSR_PASS : SVM_MSR_EXIT));
	counted_end("msr-one", ROUNDS);
	counted_check("vm_destroy", svm_vm_destroy(vm));
}

static void bench_decode(void)
{
	/* mov rax, [rbx + rcx * 4 + 16] */
	static const uint8_t bytes[15] = { 0x48, 0x8b, 0x44, 0x8b, 0x10 };
	struct svm_insn insn;

	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		if (svm_insn_decode(SVM_INSN_MODE_64, bytes, sizeof(bytes), &insn) != SVM_INSN_OK)
			exit(1);
	counted_end("decode", ROUNDS);
}

static void audit_once(const struct svm_vcpu *vcpu)
{
	const struct svm_audit_context context = {
		.features = svm_host_features(counted_host),
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.errors_only = true,
	};
	struct svm_finding findings[4];

	if (svm_audit(vcpu->vmcb, &context, findings, 4))
		exit(1);
}

/* What a snapshot of a vCPU is made of: all that its getters give. */
static void snapshot(struct svm_vcpu *vcpu, bool restore)
{
	static uint8_t xsave[8192] __attribute__((aligned(64)));
	const size_t size = svm_host_features(counted_host)->xsave_size;
	struct svm_system_regs system;
	struct svm_debug_regs debug;
	struct svm_events events;
	struct svm_regs regs;

	svm_vcpu_get_regs(vcpu, &regs);
	svm_vcpu_get_system(vcpu, &system);
	svm_vcpu_get_debug(vcpu, &debug);
	svm_vcpu_get_events(vcpu, &events);
	counted_check("get_xsave", svm_vcpu_get_xsave(vcpu, xsave, size));
	if (!restore)
		return;
	counted_check("set_regs", svm_vcpu_set_regs(vcpu, &regs));
	counted_check("set_system", svm_vcpu_set_system(vcpu, &system));
	counted_check("set_debug", svm_vcpu_set_debug(vcpu, &debug));
	counted_check("set_events", svm_vcpu_set_events(vcpu, &events));
	counted_check("set_xsave", svm_vcpu_set_xsave(vcpu, xsave, size));
}

static void bench_vcpu(void)
{
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;

	counted_begin();
	counted_check("vm_create", svm_vm_create(counted_host, NULL, &vm));
	counted_end("vm-create", 1);
	counted_begin();
	counted_check("vcpu_create", svm_vcpu_create(vm, 0, &vcpu));
	counted_end("vcpu-create", 1);
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		audit_once(vcpu);
	counted_end("audit", ROUNDS);
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		snapshot(vcpu, false);
	counted_end("snapshot", ROUNDS);
	counted_begin();
	for (unsigned i = 0; i < ROUNDS; i++)
		snapshot(vcpu, true);
	counted_end("snapshot-restore", ROUNDS);
	counted_begin();
	counted_check("vcpu_destroy", svm_vcpu_destroy(vcpu));
	counted_end("vcpu-destroy", 1);
	counted_begin();
	counted_check("vm_destroy", svm_vm_destroy(vm));
	counted_end("vm-destroy", 1);
}

int main(int argc, char **argv)
{
	const bool is_full = argc == 2 && !strcmp(argv[1], "full");

	if (argc != 2 || (!is_full && strcmp(argv[1], "short"))) {
		fputs("usage: bench_operations short|full\n", stderr);
		return 2;
	}
	counted_init(GIB / 2, NULL);
	for (unsigned i = 0; i < SVM_ARRAY_SIZE(shapes); i++)
		if (is_full || shapes[i].is_short)
			bench_shape(&shapes[i]);
	bench_faults();
	bench_dirty();
	bench_maps();
	bench_decode();
	bench_vcpu();
	counted_fini();
	return 0;
}
