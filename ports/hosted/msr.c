/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Model-specific registers that a modelled CPU has; any other is #GP, in the host a breach.
 * APM vol. 2, 15.30, and its appendix A.
 */
#include <time.h>

#include "model.h"

/* The physical bits that a CPU has above 4 KiB alignment. */
static bool page_address_ok(const struct cpu *cpu, uint64_t value)
{
	return !(value & (SVM_PAGE_SIZE - 1)) && !(value >> cpu->f.physical_bits);
}

/* Where a plain register lives; NULL: not plain, or absent on this CPU. */
static uint64_t *plain_msr(struct cpu *cpu, uint32_t msr)
{
	switch (msr) {
	case SVM_MSR_APIC_BASE:
		return &cpu->apic_base;
	case SVM_MSR_SPEC_CTRL:
		return cpu->f.spec_ctrl ? &cpu->spec_ctrl : NULL;
	case SVM_MSR_SYSENTER_CS:
		return &cpu->vm.sysenter_cs;
	case SVM_MSR_SYSENTER_ESP:
		return &cpu->vm.sysenter_esp;
	case SVM_MSR_SYSENTER_EIP:
		return &cpu->vm.sysenter_eip;
	case SVM_MSR_DEBUGCTL:
		return &cpu->debugctl;
	case SVM_MSR_PAT:
		return &cpu->pat;
	case SVM_MSR_XSS:
		return cpu->f.xsaves ? &cpu->xss : NULL;
	case SVM_MSR_STAR:
		return &cpu->vm.star;
	case SVM_MSR_LSTAR:
		return &cpu->vm.lstar;
	case SVM_MSR_CSTAR:
		return &cpu->vm.cstar;
	case SVM_MSR_SFMASK:
		return &cpu->vm.sfmask;
	case SVM_MSR_FS_BASE:
		return &cpu->vm.fs.base;
	case SVM_MSR_GS_BASE:
		return &cpu->vm.gs.base;
	case SVM_MSR_KERNEL_GS_BASE:
		return &cpu->vm.kernel_gs_base;
	case SVM_MSR_TSC_AUX:
		return cpu->f.rdtscp ? &cpu->tsc_aux : NULL;
	case SVM_MSR_TSC_RATIO:
		return cpu->f.svm_edx & SVM_FEATURE_TSC_RATE ? &cpu->tsc_ratio : NULL;
	case SVM_MSR_VM_HSAVE_PA:
		return cpu->f.svm ? &cpu->hsave : NULL;
	default:
		return NULL;
	}
}

bool model_rdmsr(struct cpu *cpu, uint32_t msr, uint64_t *value)
{
	const uint64_t *plain = plain_msr(cpu, msr);

	*value = 0;
	if (plain) {
		*value = *plain;
		return true;
	}
	switch (msr) {
	case SVM_MSR_TSC:
		*value = model_tsc(cpu);
		return true;
	case SVM_MSR_EFER:
		*value = cpu->efer;
		return true;
	case SVM_MSR_VM_CR:
		*value = cpu->vm_cr;
		return cpu->f.svm;
	case SVM_MSR_SVM_KEY: /* Reads 0: 15.31. */
		return cpu->f.svm_edx & SVM_FEATURE_LOCK;
	case SVM_MSR_MTRR_CAP:
		*value = 0x508;
		return true;
	case SVM_MSR_PATCH_LEVEL:
	case SVM_MSR_MCG_CAP:
	case SVM_MSR_MCG_STATUS:
	case SVM_MSR_MTRR_DEF_TYPE:
	case SVM_MSR_SYSCFG:
	case SVM_MSR_HWCR:
		return true;
	default:
		return false;
	}
}

static bool write_efer(struct cpu *cpu, uint64_t value)
{
	if (value & ~efer_allowed(&cpu->f))
		return false;
	if ((value & EFER_SVME) && (cpu->vm_cr & VM_CR_SVMDIS))
		return false;
	if ((value ^ cpu->efer) & (EFER_LME | EFER_LMA)) /* LME with paging on; LMA is not ours. */
		return false;
	cpu->efer = value;
	return true;
}

/* LOCK freezes LOCK and SVMDIS: writes of them are ignored.  15.30.1. */
static bool write_vm_cr(struct cpu *cpu, uint64_t value)
{
	const uint64_t frozen = VM_CR_LOCK | VM_CR_SVMDIS;

	if (value & ~SVM_BITS(4, 0))
		return false;
	if (cpu->vm_cr & VM_CR_LOCK)
		value = (value & ~frozen) | (cpu->vm_cr & frozen);
	if ((value & VM_CR_SVMDIS) && (cpu->efer & EFER_SVME))
		return false;
	cpu->vm_cr = value;
	return true;
}

/* Bytes of the PAT are types 0, 1, 4, 5, 6 or 7. */
static bool pat_valid(uint64_t value)
{
	for (unsigned i = 0; i < 64; i += 8) {
		const uint64_t type = value >> i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool canonical(uint64_t value)
{
	return (uint64_t)((int64_t)(value << 16) >> 16) == value;
}

/* False: reserved bits. */
static bool value_allowed(const struct cpu *cpu, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case SVM_MSR_VM_HSAVE_PA:
		return page_address_ok(cpu, value);
	case SVM_MSR_TSC_RATIO:
		return !(value >> 40);
	case SVM_MSR_SPEC_CTRL:
		return !(value >> 3);
	case SVM_MSR_XSS:
		return value == 0;
	case SVM_MSR_PAT:
		return pat_valid(value);
	case SVM_MSR_TSC_AUX:
	case SVM_MSR_SFMASK:
		return !(value >> 32);
	case SVM_MSR_LSTAR:
	case SVM_MSR_CSTAR:
	case SVM_MSR_FS_BASE:
	case SVM_MSR_GS_BASE:
	case SVM_MSR_KERNEL_GS_BASE:
	case SVM_MSR_SYSENTER_ESP:
	case SVM_MSR_SYSENTER_EIP:
		return canonical(value);
	default:
		return true;
	}
}

bool model_wrmsr(struct cpu *cpu, uint32_t msr, uint64_t value)
{
	uint64_t *plain = plain_msr(cpu, msr);

	if (plain) {
		if (!value_allowed(cpu, msr, value))
			return false;
		*plain = value;
		return true;
	}
	switch (msr) {
	case SVM_MSR_EFER:
		return write_efer(cpu, value);
	case SVM_MSR_VM_CR:
		return cpu->f.svm && write_vm_cr(cpu, value);
	case SVM_MSR_PRED_CMD:
		return cpu->f.spec_ctrl && !(value & ~UINT64_C(1));
	default:
		return false;
	}
}

uint64_t model_tsc(const struct cpu *cpu)
{
	struct timespec now;

	(void)cpu;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool xcr0_valid(const struct hosted_features *f, uint64_t value)
{
	return f->xsave && !(value & ~XCR0_ALL) && (value & 1) && (!(value & 4) || (value & 2));
}
