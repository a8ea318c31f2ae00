/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "counted.h"

#define CPUS 256u /* That the HAL names; one of them is there. */

struct hosted_machine *counted_machine;
struct svm_host *counted_host;

static const struct svm_hal *model;
static uint8_t *direct_map;

void counted_check(const char *what, int error)
{
	if (!error)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, svm_error_name(error));
	exit(1);
}

void counted_pause(void)
{
	CALLGRIND_TOGGLE_COLLECT;
}

void counted_begin(void)
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
}

void counted_end(const char *name, uint64_t count)
{
	char text[64];

	CALLGRIND_TOGGLE_COLLECT;
	snprintf(text, sizeof(text), "%s %llu", name, (unsigned long long)count);
	CALLGRIND_DUMP_STATS_AT(text);
}

static void *counted_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	void *hva;

	counted_pause();
	hva = model->frames_alloc(ctx, count, hpa);
	counted_pause();
	return hva;
}

static void counted_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	counted_pause();
	model->frames_free(ctx, hva, hpa, count);
	counted_pause();
}

static void *direct_address(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	return direct_map + hpa;
}

static bool any_may_be_mapped(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	(void)ctx;
	(void)vm;
	(void)hpa;
	(void)count;
	return true;
}

static uint32_t first_cpu(void *ctx)
{
	(void)ctx;
	return 0;
}

void counted_init(uint64_t memory, void (*kick)(void *ctx, uint32_t cpu))
{
	struct hosted_config config;
	struct svm_hal hal;

	hosted_config_init(&config);
	config.memory = memory;
	config.features.physical_bits = 48;
	counted_machine = hosted_create(&config);
	hosted_become(counted_machine, 0);
	model = hosted_hal(counted_machine);
	hal = *model;
	hal.cpu_max = CPUS;
	hal.cpu_id = first_cpu;
	hal.frames_alloc = counted_frames_alloc;
	hal.frames_free = counted_frames_free;
	hal.phys_to_virt = direct_address;
	hal.may_map = any_may_be_mapped;
	if (kick)
		hal.cpu_kick = kick;
	direct_map = (uint8_t *)hosted_memory(counted_machine, HOSTED_MEMORY_BASE) -
	             HOSTED_MEMORY_BASE;
	counted_check("host_create", svm_host_create(&hal, &counted_host));
	counted_check("direct_map",
	              svm_host_set_direct_map(counted_host, direct_map, UINT64_MAX));
	counted_check("cpu_online", svm_cpu_online(counted_host));
}

void counted_fini(void)
{
	counted_check("cpu_offline", svm_cpu_offline(counted_host));
	counted_check("host_destroy", svm_host_destroy(counted_host));
	hosted_leave();
	hosted_destroy(counted_machine);
}

void counted_start(struct svm_vcpu *vcpu)
{
	const struct svm_vmcb_segment code = { 8, 0xc9b, UINT32_MAX, 0 };
	const struct svm_vmcb_segment data = { 16, 0xc93, UINT32_MAX, 0 };
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu, &system);
	system.cs = code;
	system.ds = system.es = system.ss = system.fs = system.gs = data;
	system.cr0 = 0x11;
	counted_check("set_system", svm_vcpu_set_system(vcpu, &system));
}
