/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_CPUID_H
#define SVM_CORE_CPUID_H
/*
 * The CPUID table of a VM: sorted rows in frames of their own, found by a hint or bisection on each
 * CPUID exit, with the bits that depend on the vCPU's state patched in.
 */
#include <libsvm/vm.h>

#include "hal/ring0.h"

struct svm_host;
struct svm_vm;
struct svm_vcpu;

#define SVM_CPUID_HINTS 128u

struct svm_cpuid_table {
	struct svm_cpuid_entry *entries; /* Sorted by leaf, subleaf. */
	svm_hpa_t entries_hpa;
	uint32_t count;
	uint32_t max_basic, max_extended;
	/*
	 * By svm_cpuid_hint(): where a leaf's first row may be.  Only a guess, which the lookup
	 * checks, so that zeros are as right as what the sealing puts there.
	 */
	uint8_t hint[SVM_CPUID_HINTS];
	/* The same of rows that alone answer any question about their leaf: index + 1. */
	uint8_t plain[SVM_CPUID_HINTS];
};

/* Leaves 0-1Fh, 40000000h-4000001Fh, 80000000h-8000001Fh each have a hint of their own. */
static inline unsigned svm_cpuid_hint(uint32_t leaf)
{
	return leaf >> 30 << 5 | (leaf & 0x1f);
}

/* Whether MONITOR and MWAIT are shown; svm_vcpu_show_monitor(). */
enum svm_cpuid_monitor {
	SVM_CPUID_MONITOR_AS_TABLE,
	SVM_CPUID_MONITOR_HIDDEN,
	SVM_CPUID_MONITOR_SHOWN,
};

/* The row that alone answers for a leaf, or NULL: ask svm_cpuid_lookup(). */
static inline const struct svm_cpuid_entry *svm_cpuid_plain(const struct svm_cpuid_table *table,
                                                            uint32_t leaf)
{
	const uint32_t row = table->plain[svm_cpuid_hint(leaf)] - 1u;

	return row < table->count && table->entries[row].leaf == leaf ? &table->entries[row] : NULL;
}

/* Do bits of a leaf follow the vCPU's state? */
bool svm_cpuid_is_dynamic(uint32_t leaf);

/* What the dynamic bits depend on. */
struct svm_cpuid_state {
	uint32_t apic_id;
	uint64_t cr4;
	uint64_t xcr0, xss;
	enum svm_cpuid_monitor monitor;
};

/* Frames for the table, and svm_cpuid_default()'s rows for config.vcpu_max CPUs in it, or none. */
SVM_MUST_CHECK int svm_cpuid_init(struct svm_vm *vm);
void svm_cpuid_fini(struct svm_vm *vm);
/*
 * What VMs start with follows from the host's features alone, so it is made once, with them: where
 * a hypervisor is below, each CPUID is an exit.
 */
void svm_cpuid_init_host(struct svm_host *host);

/*
 * Answer a CPUID.  False: the table lacks the leaf (*regs are the zeros that the guest gets if
 * nobody else answers).  A known leaf without this subleaf is zeros and true.
 */
bool svm_cpuid_lookup(const struct svm_cpuid_table *table, const struct svm_cpuid_state *state,
                      uint32_t leaf, uint32_t subleaf, struct svm_cpuid_regs *regs);

#endif
