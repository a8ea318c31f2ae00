/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ring 0 for real processors: one instruction per function, nothing decided here.
 *
 * The only inline assembly of the library.  VMRUN, VMLOAD and the guest's registers are not
 * among it: they need the register discipline of world_switch.S.
 */
#include "hal/ring0.h"

struct svm_cpuid_regs svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct svm_cpuid_regs r;

	__asm__ volatile("cpuid"
	                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
	                 : "a"(leaf), "c"(subleaf));
	return r;
}

uint64_t svm_ring0_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return ((uint64_t)high << 32) | low;
}

void svm_ring0_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
	                 : "memory");
}

uint64_t svm_ring0_read_cr(enum svm_control_register cr)
{
	uint64_t value = 0;

	switch (cr) {
	case SVM_CR0:
		__asm__ volatile("mov %%cr0, %0" : "=r"(value));
		break;
	case SVM_CR2:
		__asm__ volatile("mov %%cr2, %0" : "=r"(value));
		break;
	case SVM_CR3:
		__asm__ volatile("mov %%cr3, %0" : "=r"(value));
		break;
	case SVM_CR4:
		__asm__ volatile("mov %%cr4, %0" : "=r"(value));
		break;
	}
	return value;
}

void svm_ring0_write_cr2(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr2" ::"r"(value));
}

uint64_t svm_ring0_read_dr(unsigned n)
{
	uint64_t value = 0;

	switch (n) {
	case 0:
		__asm__ volatile("mov %%dr0, %0" : "=r"(value));
		break;
	case 1:
		__asm__ volatile("mov %%dr1, %0" : "=r"(value));
		break;
	case 2:
		__asm__ volatile("mov %%dr2, %0" : "=r"(value));
		break;
	case 3:
		__asm__ volatile("mov %%dr3, %0" : "=r"(value));
		break;
	case 6:
		__asm__ volatile("mov %%dr6, %0" : "=r"(value));
		break;
	case 7:
		__asm__ volatile("mov %%dr7, %0" : "=r"(value));
		break;
	default:
		break;
	}
	return value;
}

void svm_ring0_write_dr(unsigned n, uint64_t value)
{
	switch (n) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" ::"r"(value));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr1" ::"r"(value));
		break;
	case 2:
		__asm__ volatile("mov %0, %%dr2" ::"r"(value));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr3" ::"r"(value));
		break;
	case 6:
		__asm__ volatile("mov %0, %%dr6" ::"r"(value));
		break;
	case 7:
		__asm__ volatile("mov %0, %%dr7" ::"r"(value));
		break;
	default:
		break;
	}
}

uint64_t svm_ring0_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return ((uint64_t)high << 32) | low;
}

uint64_t svm_ring0_xgetbv0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return ((uint64_t)high << 32) | low;
}

void svm_ring0_xsetbv0(uint64_t value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void svm_ring0_xsave(void *area, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((uint32_t)mask),
	                 "d"((uint32_t)(mask >> 32))
	                 : "memory");
}

void svm_ring0_xrstor(const void *area, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"((uint32_t)mask),
	                 "d"((uint32_t)(mask >> 32))
	                 : "memory");
}

void svm_ring0_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void svm_ring0_fxrstor(const void *area)
{
	__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void svm_ring0_vmsave(svm_hpa_t vmcb)
{
	__asm__ volatile("vmsave %0" ::"a"(vmcb) : "memory");
}

void svm_ring0_stgi(void)
{
	__asm__ volatile("stgi" ::: "memory");
}

void svm_ring0_clgi(void)
{
	__asm__ volatile("clgi" ::: "memory");
}

uint64_t svm_ring0_irq_save(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
	return flags;
}

void svm_ring0_irq_restore(uint64_t flags)
{
	__asm__ volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
}

void svm_ring0_pause(void)
{
	__asm__ volatile("pause");
}
