/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_HOST_H
#define SVM_CORE_HOST_H
/*
 * The host object and its CPUs.
 *
 * A CPU owns what the processor keeps per core: the host save area of VMRUN, the page for the
 * host's VMSAVE, and the ASIDs.  ASIDs are never shared between CPUs, so a number means nothing
 * without the CPU and the generation it was taken in (see asid.h).
 */
#include <libsvm/host.h>

#include "core/core.h"
#include "core/cpuid.h"

struct svm_vcpu;

struct svm_cpu {
	bool online;
	uint32_t id; /* cpu_id() of the HAL. */
	uint64_t serial; /* Of this svm_cpu_online(), unlike any other; not 0. */
	uint64_t old_efer, old_hsave; /* What svm_cpu_offline() puts back. */
	void *pages;                  /* Host save area, then the VMSAVE page. */
	svm_hpa_t pages_hpa;
	uint64_t asid_generation; /* Starts at 1; 0 in a vCPU means "none yet". */
	uint32_t asid_next;
	bool asid_flush;                /* The next entry must flush every ASID. */
	struct svm_vcpu *loaded;        /* Bound here now. */
	uint64_t last_serial;           /* For IBPB: vCPU whose guest ran here last. */
	void *host_fpu;                 /* Host's XSAVE area while a guest's is loaded, or NULL. */
	svm_hpa_t host_fpu_hpa;
};

struct svm_host {
	struct svm_hal hal; /* Completed: no entry is NULL. */
	struct svm_features features;
	uintptr_t lock; /* Guards the members below and the creation of VMs. */
	uint32_t cpus_online;
	uint32_t vm_count;
	uint64_t cpu_serial;  /* Atomic: successful svm_cpu_online()s ever. */
	uint64_t vcpu_serial; /* Atomic: vCPUs ever made; an address may be used twice. */
	/* Default maps, all ones but for the pass-through MSRs; shared by VMs that change none. */
	void *iopm, *msrpm;
	svm_hpa_t iopm_hpa, msrpm_hpa;
	struct svm_cpuid_table cpuid; /* What VMs start with; made with the features. */
	struct svm_cpuid_entry cpuid_rows[SVM_CPUID_MAX];
	size_t pages; /* Frames of this object. */
	svm_hpa_t hpa;
	bool own_fpu; /* The HAL has no fpu_begin(): save the host's state ourselves. */
	bool is_preemptible; /* It has a preempt_off(), which a run need not call else. */
	uint8_t *direct_map;  /* Where the host sees address 0 ... */
	uint64_t direct_size; /* ... and what is below this; see svm_host_at(). */
	bool fixed_registers; /* Read at load and not before each run: the host has promised it. */
	struct svm_cpu cpu[]; /* hal.cpu_max of them. */
};

/* The page of the host's VMSAVE. */
static inline svm_hpa_t svm_cpu_host_vmcb(const struct svm_cpu *cpu)
{
	return cpu->pages_hpa + SVM_PAGE_SIZE;
}

#define SVM_IOPM_PAGES  3u /* 64 Ki ports and the three bits past the end: 15.10.1. */
#define SVM_MSRPM_PAGES 2u

void svm_host_lock(struct svm_host *host);
void svm_host_unlock(struct svm_host *host);

/* One line to the HAL's log; parts are joined, NULL ends them. */
void svm_host_log(const struct svm_host *host, enum svm_log_level level, const char *text);

/* frames_alloc() with its contract checked: NULL if the HAL failed or broke it. */
void *svm_host_frames(struct svm_host *host, size_t count, svm_hpa_t *hpa);
void svm_host_frames_free(struct svm_host *host, void *hva, svm_hpa_t hpa, size_t count);

/* Bytes, and pages, of an FPU area that holds every state a guest may have. */
size_t svm_fpu_size(const struct svm_features *features);
size_t svm_fpu_pages(const struct svm_features *features);

/* Where the host sees a byte of its direct map, if it is there; else NULL. */
static inline void *svm_host_direct(const struct svm_host *host, svm_hpa_t hpa)
{
	return SVM_MOSTLY(hpa < host->direct_size) ? host->direct_map + hpa : NULL;
}

/*
 * phys_to_virt() of the HAL for a frame of the library's, or for guest memory inside a section of
 * memory/section.h.
 */
static inline void *svm_host_at(const struct svm_host *host, svm_hpa_t hpa)
{
	if (SVM_MOSTLY(hpa < host->direct_size))
		return host->direct_map + hpa;
	return host->hal.phys_to_virt(host->hal.ctx, hpa);
}

/* The same to read, where it is a question whether the host has it: not below direct_size. */
static inline bool svm_host_find(const struct svm_host *host, svm_hpa_t hpa, const void **hva)
{
	if (SVM_MOSTLY(hpa < host->direct_size)) {
		*hva = host->direct_map + hpa;
		return true;
	}
	*hva = host->hal.phys_to_virt(host->hal.ctx, hpa);
	return *hva != NULL;
}

/* The CPU that executes the call, or NULL if it is not online. */
struct svm_cpu *svm_host_this_cpu(struct svm_host *host);

/* clock_ns() of the HAL, or the TSC divided by its rate. */
uint64_t svm_host_clock_ns(const struct svm_host *host);

#endif
