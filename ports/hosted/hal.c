/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The five mandatory entries and a log; the rest is the library's defaults, on purpose: they are
 * what a minimal port runs with.
 *
 * No entry may be called with GIF = 0, since a host's lock or allocator would wait for an
 * interrupt that cannot come.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static void check_context(struct hosted_machine *m, const char *entry)
{
	const struct cpu *cpu = this_cpu();

	if (cpu->m != m)
		breach(m, HOSTED_BREACH_HAL, "%s of another machine's HAL", entry);
	if (!cpu->gif)
		breach(m, HOSTED_BREACH_HAL, "%s with GIF = 0 on CPU %u", entry, cpu->id);
}

static void *hal_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	check_context(ctx, "frames_alloc");
	if (!this_cpu()->intr_flag)
		breach(ctx, HOSTED_BREACH_HAL, "frames_alloc, which may sleep, with IF = 0");
	return library_alloc(ctx, count, hpa);
}

static void hal_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	check_context(ctx, "frames_free");
	if (!this_cpu()->intr_flag)
		breach(ctx, HOSTED_BREACH_HAL, "frames_free, which may sleep, with IF = 0");
	library_free(ctx, hva, hpa, count);
}

static void *hal_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	struct hosted_machine *m = ctx;

	check_context(m, "phys_to_virt");
	if (hpa - (uint64_t)(uintptr_t)m->memory < m->config.memory)
		breach(m, HOSTED_BREACH_HVA_AS_HPA, "phys_to_virt(0x%llx)",
		       (unsigned long long)hpa);
	return hosted_memory(m, hpa);
}

static uint32_t hal_cpu_id(void *ctx)
{
	check_context(ctx, "cpu_id");
	return this_cpu()->id;
}

static void hal_cpu_kick(void *ctx, uint32_t cpu)
{
	struct hosted_machine *m = ctx;

	if (cpu >= m->config.cpus)
		breach(m, HOSTED_BREACH_HAL, "cpu_kick(%u): no such CPU", cpu);
	else
		hosted_pend(m, cpu, HOSTED_INTR);
}

static void hal_log(void *ctx, enum svm_log_level level, const char *line)
{
	(void)ctx;
	if (level <= SVM_LOG_WARN && getenv("HOSTED_LOG"))
		fprintf(stderr, "libsvm: %s\n", line);
}

static void hal_bug(void *ctx, const char *what)
{
	breach(ctx, HOSTED_BREACH_HAL, "bug(): %s", what);
}

void hal_init(struct hosted_machine *m)
{
	m->hal = (struct svm_hal){
		.size = sizeof(struct svm_hal),
		.abi = SVM_HAL_ABI,
		.ctx = m,
		.cpu_max = m->config.cpus,
		.tsc_hz = 1000000000,
		.frames_alloc = hal_frames_alloc,
		.frames_free = hal_frames_free,
		.phys_to_virt = hal_phys_to_virt,
		.cpu_id = hal_cpu_id,
		.cpu_kick = hal_cpu_kick,
		.log = hal_log,
		.bug = hal_bug,
	};
}

const struct svm_hal *hosted_hal(struct hosted_machine *m)
{
	return &m->hal;
}
