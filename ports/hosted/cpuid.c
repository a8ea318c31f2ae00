/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CPUID of a modelled CPU, from its features: only leaves that a monitor asks for.
 * APM vol. 3, appendix E.
 */
#include <string.h>

#include "model.h"

#define MAX_BASIC    0x0000000du
#define MAX_EXTENDED 0x80000021u

static struct svm_cpuid_regs vendor_leaf(uint32_t maximum)
{
	return (struct svm_cpuid_regs){
		.eax = maximum,
		.ebx = 0x68747541, /* AuthenticAMD */
		.ecx = 0x444d4163,
		.edx = 0x69746e65,
	};
}

/* Family 0Fh and an extended family on top; model 1, stepping 1. */
static uint32_t signature(const struct hosted_features *f)
{
	const uint32_t base = f->family < 0xf ? f->family : 0xf;

	return (f->family - base) << 20 | base << 8 | 1u << 4 | 1u;
}

static struct svm_cpuid_regs leaf_1(const struct cpu *cpu)
{
	const struct hosted_features *f = &cpu->f;
	struct svm_cpuid_regs r = {
		.eax = signature(f),
		.ebx = cpu->id << 24 | cpu->m->config.cpus << 16 | 8u << 8,
		/* SSE3 PCLMULQDQ SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES */
		.ecx = 0x02d83203u & ~(1u << 12),
		/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH
		 * MMX FXSR SSE SSE2 */
		.edx = 0x078bfbff,
	};

	if (f->xsave) {
		r.ecx |= 1u << 26 | 1u << 28; /* XSAVE, AVX */
		if (cpu->cr4 & CR4_OSXSAVE)
			r.ecx |= 1u << 27;
	}
	if (f->tcg)
		r.ecx |= 1u << 31; /* a hypervisor is there, and has leaves */
	return r;
}

static struct svm_cpuid_regs leaf_d(const struct cpu *cpu, uint32_t subleaf)
{
	if (!cpu->f.xsave)
		return (struct svm_cpuid_regs){ 0 };
	switch (subleaf) {
	case 0:
		return (struct svm_cpuid_regs){
			.eax = (uint32_t)XCR0_ALL,
			.ebx = cpu->xcr0 & 4 ? HOSTED_FPU_SIZE : 576,
			.ecx = HOSTED_FPU_SIZE,
		};
	case 1: /* XSAVEOPT XSAVEC XGETBV1 XSAVES; no supervisor states. */
		return (struct svm_cpuid_regs){
			.eax = cpu->f.xsaves ? 0xf : 0x1,
			.ebx = cpu->f.xsaves ? HOSTED_FPU_SIZE : 0,
		};
	case 2: /* AVX: 256 bytes at 576. */
		return (struct svm_cpuid_regs){ .eax = 256, .ebx = 576 };
	default:
		return (struct svm_cpuid_regs){ 0 };
	}
}

static struct svm_cpuid_regs leaf_80000001(const struct hosted_features *f)
{
	return (struct svm_cpuid_regs){
		.eax = signature(f),
		.ecx = 1u /* LAHF */ | (f->svm ? 1u << 2 : 0) | 1u << 4 /* AltMovCr8 */ | 1u << 5,
		/* The leaf-1 bits that AMD repeats, SYSCALL, NX, 1 GiB pages, RDTSCP, long mode. */
		.edx = (0x078bfbffu & 0x0183f3ffu) | 1u << 11 | (f->nx ? 1u << 20 : 0) | 1u << 25 |
		       (f->page_1g ? 1u << 26 : 0) | (f->rdtscp ? 1u << 27 : 0) | 1u << 29,
	};
}

struct svm_cpuid_regs model_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	const struct hosted_features *f = &cpu->f;

	switch (leaf) {
	case 0:
		return vendor_leaf(MAX_BASIC);
	case 1:
		return leaf_1(cpu);
	case 7: /* FSGSBASE SMEP BMI1 AVX2 BMI2 SMAP; LA57 */
		if (subleaf)
			break;
		return (struct svm_cpuid_regs){
			.ebx = 1u | 1u << 3 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 20,
			.ecx = f->la57 ? 1u << 16 : 0,
		};
	case 0xd:
		return leaf_d(cpu, subleaf);
	case 0x40000000:
		if (!f->tcg)
			break;
		return (struct svm_cpuid_regs){
			.ebx = 0x54474354, /* TCGTCGTCGTCG */
			.ecx = 0x43544743,
			.edx = 0x47435447,
		};
	case 0x80000000:
		return vendor_leaf(MAX_EXTENDED);
	case 0x80000001:
		return leaf_80000001(f);
	case 0x80000008:
		return (struct svm_cpuid_regs){
			.eax = f->physical_bits | (f->la57 ? 57u : 48u) << 8,
			.ebx = f->spec_ctrl ? 1u << 12 | 1u << 14 : 0, /* IBPB, IBRS */
			.ecx = cpu->m->config.cpus - 1,
		};
	case 0x8000000a:
		if (!f->svm)
			break;
		return (struct svm_cpuid_regs){
			.eax = 1,
			.ebx = f->asid_count,
			.edx = f->svm_edx,
		};
	default:
		break;
	}
	return (struct svm_cpuid_regs){ 0 };
}

uint64_t efer_allowed(const struct hosted_features *f)
{
	uint64_t allowed = EFER_SCE | EFER_LME | EFER_LMA | SVM_BIT(14); /* FFXSR */

	if (f->nx)
		allowed |= EFER_NXE;
	if (f->svm)
		allowed |= EFER_SVME | SVM_BIT(13); /* LMSLE */
	return allowed;
}

uint64_t cr4_allowed(const struct hosted_features *f)
{
	/* VME … OSXMMEXCPT, FSGSBASE, SMEP, SMAP */
	uint64_t allowed = SVM_BITS(10, 0) | SVM_BIT(16) | CR4_SMEP | CR4_SMAP;

	if (f->xsave)
		allowed |= CR4_OSXSAVE;
	if (f->la57)
		allowed |= CR4_LA57;
	return allowed;
}
