/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * XSAVE and FXSAVE on a register file that is itself an area in standard format.
 *
 * The format's own rules are kept, because a library that breaks one faults on real processors
 * only: alignment, the mask within XCR0, reserved bytes of the header, MXCSR.
 * APM vol. 2, 11.5.
 */
#include <string.h>

#include "model.h"

#define LEGACY_SIZE   512u
#define HEADER_OFFSET 512u
#define AVX_OFFSET    576u
#define AVX_SIZE      256u
#define SSE_OFFSET    160u
#define SSE_SIZE      256u
#define MXCSR_OFFSET  24u

static bool area_ok(const struct cpu *cpu, const void *area, uintptr_t align, const char *what)
{
	if (!((uintptr_t)area & (align - 1)))
		return true;
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: %s at an address not aligned to %d", what,
	       (int)align);
	return false;
}

static bool xsave_ok(const struct cpu *cpu, const void *area, const char *what)
{
	if (!(cpu->cr4 & CR4_OSXSAVE)) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#UD: %s without CR4.OSXSAVE", what);
		return false;
	}
	return area_ok(cpu, area, 64, what);
}

static void move(uint8_t *to, const uint8_t *from, uint64_t states)
{
	if (states & 1) {
		memcpy(to, from, MXCSR_OFFSET);
		memcpy(to + 32, from + 32, SSE_OFFSET - 32);
	}
	if (states & 6)
		memcpy(to + MXCSR_OFFSET, from + MXCSR_OFFSET, 8);
	if (states & 2)
		memcpy(to + SSE_OFFSET, from + SSE_OFFSET, SSE_SIZE);
	if (states & 4)
		memcpy(to + AVX_OFFSET, from + AVX_OFFSET, AVX_SIZE);
}

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

void svm_ring0_xsave(void *area, uint64_t mask)
{
	struct cpu *cpu = this_cpu();
	uint8_t *bytes = area;

	if (!xsave_ok(cpu, area, "XSAVE"))
		return;
	mask &= cpu->xcr0;
	move(bytes, cpu->fpu, mask);
	const uint64_t bv = (get_u64(bytes + HEADER_OFFSET) & ~mask) | mask;

	memcpy(bytes + HEADER_OFFSET, &bv, sizeof(bv));
}

static bool mxcsr_ok(const struct cpu *cpu, const uint8_t *bytes)
{
	uint32_t mxcsr;

	memcpy(&mxcsr, bytes + MXCSR_OFFSET, sizeof(mxcsr));
	if (!(mxcsr & ~0xffffu))
		return true;
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: XRSTOR of MXCSR 0x%x", mxcsr);
	return false;
}

/* States of the mask that XSTATE_BV lacks become initial. */
static void initialise(uint8_t *fpu, uint64_t states)
{
	static const uint8_t zeros[HOSTED_FPU_SIZE];

	move(fpu, zeros, states & ~UINT64_C(6));
	if (states & 1) {
		fpu[0] = 0x7f;
		fpu[1] = 0x03;
	}
	if (states & 2)
		memset(fpu + SSE_OFFSET, 0, SSE_SIZE);
	if (states & 4)
		memset(fpu + AVX_OFFSET, 0, AVX_SIZE);
}

void svm_ring0_xrstor(const void *area, uint64_t mask)
{
	struct cpu *cpu = this_cpu();
	const uint8_t *bytes = area;

	if (!xsave_ok(cpu, area, "XRSTOR"))
		return;
	const uint64_t bv = get_u64(bytes + HEADER_OFFSET);

	if ((bv & ~cpu->xcr0) || get_u64(bytes + HEADER_OFFSET + 8)) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT,
		       "#GP: XRSTOR of XSTATE_BV 0x%llx under XCR0 0x%llx, or a compacted header",
		       (unsigned long long)bv, (unsigned long long)cpu->xcr0);
		return;
	}
	mask &= cpu->xcr0;
	if ((mask & 6) && !mxcsr_ok(cpu, bytes))
		return;
	if (mask & 6)
		memcpy(cpu->fpu + MXCSR_OFFSET, bytes + MXCSR_OFFSET, 4);
	initialise(cpu->fpu, mask & ~bv);
	move(cpu->fpu, bytes, mask & bv);
}

void svm_ring0_fxsave(void *area)
{
	struct cpu *cpu = this_cpu();

	if (area_ok(cpu, area, 16, "FXSAVE"))
		memcpy(area, cpu->fpu, LEGACY_SIZE - 96);
}

void svm_ring0_fxrstor(const void *area)
{
	struct cpu *cpu = this_cpu();

	if (area_ok(cpu, area, 16, "FXRSTOR") && mxcsr_ok(cpu, area))
		memcpy(cpu->fpu, area, LEGACY_SIZE - 96);
}
