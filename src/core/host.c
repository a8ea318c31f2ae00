/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The host object: the completed HAL and the default permission maps.
 *
 * Frames from the HAL are checked here and nowhere else.  An allocator that returns a virtual
 * address for a physical one, or a frame above MAXPHYADDR, would show much later as a VMRUN that
 * is refused; here it has a name.
 */
#include "core/host.h"
#include "core/core.h"
#include "core/hal_default.h"
#include "core/msr_policy.h"
#include "hal/ring0.h"

void svm_host_lock(struct svm_host *host)
{
	host->hal.mutex_lock(host->hal.ctx, &host->lock);
}

void svm_host_unlock(struct svm_host *host)
{
	host->hal.mutex_unlock(host->hal.ctx, &host->lock);
}

void svm_host_log(const struct svm_host *host, enum svm_log_level level, const char *text)
{
	host->hal.log(host->hal.ctx, level, text);
}

static uint8_t physical_bits(void)
{
	if (svm_ring0_cpuid(0x80000000, 0).eax < 0x80000008)
		return 36;
	return (uint8_t)svm_ring0_cpuid(0x80000008, 0).eax;
}

static bool frames_keep_contract(const struct svm_hal *hal, unsigned bits, void *hva, size_t count,
                                 svm_hpa_t hpa)
{
	const uint64_t size = (uint64_t)count * SVM_PAGE_SIZE;

	if (((uintptr_t)hva | hpa) & (SVM_PAGE_SIZE - 1))
		return false;
	if (hpa + size - 1 < hpa || (hpa + size - 1) >> bits)
		return false;
	return hal->phys_to_virt(hal->ctx, hpa) == hva &&
	       hal->phys_to_virt(hal->ctx, hpa + size - 1) == (uint8_t *)hva + size - 1;
}

/* bits: of a physical address.  NULL and the reason in *error. */
static void *frames_checked(const struct svm_hal *hal, unsigned bits, size_t count, svm_hpa_t *hpa,
                            int *error)
{
	void *hva = hal->frames_alloc(hal->ctx, count, hpa);

	*error = SVM_ERR_NOMEM;
	if (!hva)
		return NULL;
	if (frames_keep_contract(hal, bits, hva, count, *hpa)) {
		*error = 0;
		return hva;
	}
	hal->log(hal->ctx, SVM_LOG_ERROR,
	         "frames_alloc: not 4 KiB aligned, beyond MAXPHYADDR, or phys_to_virt "
	         "leads elsewhere");
	hal->frames_free(hal->ctx, hva, *hpa, count);
	*error = SVM_ERR_HAL_CONTRACT;
	return NULL;
}

void *svm_host_frames(struct svm_host *host, size_t count, svm_hpa_t *hpa)
{
	/* Known once a CPU was online; CPUID is slow, above all where a hypervisor is below. */
	const unsigned bits =
		host->features.physical_bits ? host->features.physical_bits : physical_bits();
	int error;

	return frames_checked(&host->hal, bits, count, hpa, &error);
}

void svm_host_frames_free(struct svm_host *host, void *hva, svm_hpa_t hpa, size_t count)
{
	host->hal.frames_free(host->hal.ctx, hva, hpa, count);
}

static int check_entries(const struct svm_hal *hal)
{
	const char *missing;

	if (hal->size != sizeof(*hal) || hal->abi != SVM_HAL_ABI)
		return SVM_ERR_ABI;
	if (hal->cpu_max == 0 || hal->cpu_max > SVM_CPU_MAX || hal->tsc_hz == 0)
		return SVM_ERR_INVAL;
	missing = svm_hal_missing_entry(hal);
	if (!missing)
		return 0;
	if (hal->log)
		hal->log(hal->ctx, SVM_LOG_ERROR, missing);
	return SVM_ERR_HAL_MISSING;
}

static int make_default_maps(struct svm_host *host)
{
	int error;

	host->iopm = frames_checked(&host->hal, physical_bits(), SVM_IOPM_PAGES, &host->iopm_hpa,
	                            &error);
	if (!host->iopm)
		return error;
	host->msrpm = frames_checked(&host->hal, physical_bits(), SVM_MSRPM_PAGES, &host->msrpm_hpa,
	                             &error);
	if (!host->msrpm)
		goto free_iopm;
	memset(host->iopm, 0xff, SVM_IOPM_PAGES * SVM_PAGE_SIZE);
	svm_msrpm_default(host->msrpm);
	return 0;

free_iopm:
	svm_host_frames_free(host, host->iopm, host->iopm_hpa, SVM_IOPM_PAGES);
	return error;
}

int svm_host_create(const struct svm_hal *hal, struct svm_host **result)
{
	struct svm_hal complete;
	struct svm_host *host;
	svm_hpa_t hpa = 0;
	size_t pages;
	int error;

	if (!hal || !result)
		return SVM_ERR_INVAL;
	error = check_entries(hal);
	if (error)
		return error;

	complete = *hal;
	svm_hal_complete(&complete);
	pages = (sizeof(*host) + complete.cpu_max * sizeof(host->cpu[0]) + SVM_PAGE_SIZE - 1) /
	        SVM_PAGE_SIZE;
	host = frames_checked(&complete, physical_bits(), pages, &hpa, &error);
	if (!host)
		return error;

	host->hal = complete;
	host->pages = pages;
	host->hpa = hpa;
	host->own_fpu = !hal->fpu_begin || !hal->fpu_end;
	host->is_preemptible = hal->preempt_off && hal->preempt_on;
	error = make_default_maps(host);
	if (error)
		goto free_host;
	*result = host;
	return 0;

free_host:
	complete.frames_free(complete.ctx, host, hpa, pages);
	return error;
}

void svm_host_set_fixed_registers(struct svm_host *host, bool fixed)
{
	host->fixed_registers = fixed;
}

int svm_host_set_direct_map(struct svm_host *host, void *base, uint64_t size)
{
	uint8_t *const map = base;

	if (host->hpa < size && map + host->hpa != (uint8_t *)host)
		return SVM_ERR_HAL_CONTRACT;
	host->direct_map = map;
	host->direct_size = size;
	return 0;
}

int svm_host_destroy(struct svm_host *host)
{
	const struct svm_hal hal = host->hal;

	svm_host_lock(host);
	const bool busy = host->vm_count || host->cpus_online;

	svm_host_unlock(host);
	if (busy)
		return SVM_ERR_BUSY;
	svm_host_frames_free(host, host->iopm, host->iopm_hpa, SVM_IOPM_PAGES);
	svm_host_frames_free(host, host->msrpm, host->msrpm_hpa, SVM_MSRPM_PAGES);
	hal.frames_free(hal.ctx, host, host->hpa, host->pages);
	return 0;
}

const struct svm_features *svm_host_features(const struct svm_host *host)
{
	return &host->features;
}

#define NS_PER_S UINT64_C(1000000000)

/* In two parts: ticks times 10^9 would overflow after some seconds. */
uint64_t svm_host_clock_ns(const struct svm_host *host)
{
	const uint64_t hz = host->hal.tsc_hz;
	uint64_t ticks;

	if (host->hal.clock_ns)
		return host->hal.clock_ns(host->hal.ctx);
	ticks = svm_ring0_rdtsc();
	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}
