/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Enabling and disabling SVM on one CPU.  APM vol. 2, 15.4, 15.30.4.
 *
 * Always run on the CPU concerned, by the host: boot, hot-plug, suspend and kexec are then one
 * path.  EFER is read, changed in one bit and written back whole, since a host may have bits in
 * it that this library does not know.
 */
#include <libsvm/msrs.h>

#include "core/core.h"
#include "core/features.h"
#include "core/host.h"
#include "hal/ring0.h"

/* The host save area of VMRUN, and the page of the host's VMSAVE behind it. */
#define CPU_PAGES 2u

struct svm_cpu *svm_host_this_cpu(struct svm_host *host)
{
	const uint32_t id = host->hal.cpu_id(host->hal.ctx);

	if (id >= host->hal.cpu_max || !host->cpu[id].online)
		return NULL;
	return &host->cpu[id];
}

/* Guests move between CPUs, so what they may use must be on all of them. */
static bool same_features(const struct svm_features *a, const struct svm_features *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The first CPU's features become the host's. */
static int agree_on_features(struct svm_host *host, const struct svm_features *features)
{
	int error = 0;

	svm_host_lock(host);
	if (!host->features.has_svm) {
		host->features = *features;
		svm_cpuid_init_host(host);
	} else if (!same_features(&host->features, features)) {
		error = SVM_ERR_CPU_MISMATCH;
	}
	if (!error)
		host->cpus_online++;
	svm_host_unlock(host);
	return error;
}

static int alloc_pages(struct svm_host *host, struct svm_cpu *cpu)
{
	cpu->pages = svm_host_frames(host, CPU_PAGES, &cpu->pages_hpa);
	if (!cpu->pages)
		return SVM_ERR_NOMEM;
	if (!host->own_fpu)
		return 0;
	cpu->host_fpu = svm_host_frames(host, svm_fpu_pages(&host->features), &cpu->host_fpu_hpa);
	if (cpu->host_fpu)
		return 0;
	svm_host_frames_free(host, cpu->pages, cpu->pages_hpa, CPU_PAGES);
	return SVM_ERR_NOMEM;
}

static void free_pages(struct svm_host *host, struct svm_cpu *cpu)
{
	if (cpu->host_fpu)
		svm_host_frames_free(host, cpu->host_fpu, cpu->host_fpu_hpa,
		                     svm_fpu_pages(&host->features));
	svm_host_frames_free(host, cpu->pages, cpu->pages_hpa, CPU_PAGES);
	*cpu = (struct svm_cpu){ .online = false };
}

size_t svm_fpu_size(const struct svm_features *features)
{
	return features->xsave ? features->xsave_size : 512;
}

size_t svm_fpu_pages(const struct svm_features *features)
{
	return (svm_fpu_size(features) + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE;
}

int svm_cpu_online(struct svm_host *host)
{
	const uint32_t id = host->hal.cpu_id(host->hal.ctx);
	struct svm_features features;
	struct svm_cpu *cpu;
	int error;

	if (id >= host->hal.cpu_max)
		return SVM_ERR_HAL_CONTRACT;
	cpu = &host->cpu[id];
	if (cpu->online)
		return SVM_ERR_STATE;
	error = svm_features_probe(&host->hal, &features);
	if (error)
		return error;
	error = agree_on_features(host, &features);
	if (error)
		return error;
	error = alloc_pages(host, cpu);
	if (error)
		goto forget;

	cpu->old_efer = svm_ring0_rdmsr(SVM_MSR_EFER);
	svm_ring0_wrmsr(SVM_MSR_EFER, cpu->old_efer | EFER_SVME);
	cpu->old_hsave = svm_ring0_rdmsr(SVM_MSR_VM_HSAVE_PA);
	svm_ring0_wrmsr(SVM_MSR_VM_HSAVE_PA, cpu->pages_hpa);
	cpu->serial = svm_atomic_add(&host->cpu_serial, 1);
	cpu->asid_generation = 1; /* The serial tells older ASIDs of generation 1 apart. */
	cpu->asid_next = 1;
	cpu->id = id;
	cpu->asid_flush = true; /* Whoever used SVM before left translations under any ASID. */
	svm_atomic_store_release(&cpu->online, true);
	return 0;

forget:
	svm_host_lock(host);
	host->cpus_online--;
	svm_host_unlock(host);
	return error;
}

int svm_cpu_offline(struct svm_host *host)
{
	struct svm_cpu *cpu = svm_host_this_cpu(host);

	if (!cpu)
		return SVM_ERR_STATE;
	if (cpu->loaded)
		return SVM_ERR_BUSY;

	/* STGI needs SVME: first make sure that interrupts and NMIs reach the host again. */
	svm_ring0_stgi();
	svm_ring0_wrmsr(SVM_MSR_VM_HSAVE_PA, cpu->old_hsave);
	svm_ring0_wrmsr(SVM_MSR_EFER, svm_ring0_rdmsr(SVM_MSR_EFER) & ~EFER_SVME);
	free_pages(host, cpu);
	svm_host_lock(host);
	host->cpus_online--;
	svm_host_unlock(host);
	return 0;
}
