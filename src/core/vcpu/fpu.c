/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's FPU, SSE and AVX registers.
 *
 * The world switch leaves them alone (APM vol. 2, 15.5.1), and the library is compiled without
 * using them, so they change hands once per binding or run (load.c) and not once per exit.  Areas
 * have XSAVE's standard format; both moves run under the host's XCR0, which holds every state that
 * a guest may enable (features.c).
 */
#include "core/features.h"
#include "core/vcpu/vcpu.h"

#define FCW_RESET   0x037f
#define MXCSR_RESET 0x1f80
#define FCW_OFFSET  0
#define MXCSR_OFFSET 24
#define MXCSR_MASK  UINT32_C(0x0000ffff)
#define HEADER_OFFSET 512
#define LEGACY_SIZE 512

static void save(const struct svm_features *features, void *area)
{
	if (features->xsave)
		svm_ring0_xsave(area, features->xcr0);
	else
		svm_ring0_fxsave(area);
}

static void restore(const struct svm_features *features, const void *area)
{
	if (features->xsave)
		svm_ring0_xrstor(area, features->xcr0);
	else
		svm_ring0_fxrstor(area);
}

void svm_fpu_enter_guest(struct svm_vcpu *vcpu)
{
	struct svm_host *host = vcpu->vm->host;

	if (host->own_fpu)
		save(&host->features, vcpu->cpu->host_fpu);
	else
		host->hal.fpu_begin(host->hal.ctx);
	restore(&host->features, vcpu->fpu);
	vcpu->fpu_here = true;
}

void svm_fpu_leave_guest(struct svm_vcpu *vcpu)
{
	struct svm_host *host = vcpu->vm->host;

	save(&host->features, vcpu->fpu);
	if (host->own_fpu)
		restore(&host->features, vcpu->cpu->host_fpu);
	else
		host->hal.fpu_end(host->hal.ctx);
	vcpu->fpu_here = false;
}

static size_t area_size(const struct svm_vcpu *vcpu)
{
	return svm_fpu_size(&vcpu->vm->host->features);
}

void svm_fpu_reset(struct svm_vcpu *vcpu)
{
	const uint16_t fcw = FCW_RESET;
	const uint32_t mxcsr = MXCSR_RESET;
	uint8_t *area = vcpu->fpu;

	/* A clear XSTATE_BV makes XRSTOR load the initial state; FXRSTOR needs the words. */
	memset(area, 0, area_size(vcpu));
	memcpy(area + FCW_OFFSET, &fcw, sizeof(fcw));
	memcpy(area + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

int svm_vcpu_get_xsave(struct svm_vcpu *vcpu, void *area, size_t size)
{
	if (size < area_size(vcpu))
		return SVM_ERR_RANGE;
	if (svm_vcpu_is_elsewhere(vcpu))
		return SVM_ERR_STATE;
	if (vcpu->fpu_here)
		save(&vcpu->vm->host->features, vcpu->fpu);
	memcpy(area, vcpu->fpu, area_size(vcpu));
	return 0;
}

/* What XRSTOR would answer with #GP: APM vol. 4, XRSTOR. */
static bool header_is_legal(const struct svm_features *features, const uint8_t *area)
{
	uint64_t header[8];
	uint32_t mxcsr;

	memcpy(&mxcsr, area + MXCSR_OFFSET, sizeof(mxcsr));
	if (mxcsr & ~MXCSR_MASK)
		return false;
	if (!features->xsave)
		return true;
	memcpy(header, area + HEADER_OFFSET, sizeof(header));
	if (header[0] & ~features->xcr0)
		return false;
	for (unsigned i = 1; i < SVM_ARRAY_SIZE(header); i++)
		if (header[i])
			return false;
	return true;
}

int svm_vcpu_set_xsave(struct svm_vcpu *vcpu, const void *area, size_t size)
{
	const struct svm_features *features = &vcpu->vm->host->features;

	if (size < area_size(vcpu))
		return SVM_ERR_RANGE;
	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING || svm_vcpu_is_elsewhere(vcpu))
		return SVM_ERR_STATE;
	/* Checked in our copy: the caller's memory may change while we look. */
	memcpy(vcpu->copy, area, LEGACY_SIZE + 64 <= size ? LEGACY_SIZE + 64 : LEGACY_SIZE);
	vcpu->copy_valid = false;
	if (!header_is_legal(features, (const uint8_t *)vcpu->copy))
		return SVM_ERR_INVAL;
	memcpy(vcpu->fpu, area, area_size(vcpu));
	memcpy(vcpu->fpu, vcpu->copy, features->xsave ? LEGACY_SIZE + 64 : LEGACY_SIZE);
	if (vcpu->fpu_here)
		restore(features, vcpu->fpu);
	return 0;
}

uint64_t svm_vcpu_get_xcr0(const struct svm_vcpu *vcpu)
{
	return vcpu->s.guest_xcr0;
}

/* None of a group's bits, or all of them. */
static bool all_or_none(uint64_t xcr0, uint64_t group)
{
	return !(xcr0 & group) || (xcr0 & group) == group;
}

/*
 * XSETBV's rules: only what the processor has, x87 always, AVX with SSE, AVX-512's three states
 * together and with AVX, MPX's and AMX's pairs together.
 */
bool svm_xcr0_is_legal(const struct svm_features *features, uint64_t xcr0)
{
	if ((xcr0 & ~features->xcr0) || !(xcr0 & SVM_BIT(0)))
		return false;
	if ((xcr0 & SVM_BIT(2)) && !(xcr0 & SVM_BIT(1)))
		return false;
	if ((xcr0 & SVM_BITS(7, 5)) && !(xcr0 & SVM_BIT(2)))
		return false;
	return all_or_none(xcr0, SVM_BITS(4, 3)) && all_or_none(xcr0, SVM_BITS(7, 5)) &&
	       all_or_none(xcr0, SVM_BITS(18, 17));
}

int svm_vcpu_set_xcr0(struct svm_vcpu *vcpu, uint64_t xcr0)
{
	if (!svm_xcr0_is_legal(&vcpu->vm->host->features, xcr0))
		return SVM_ERR_INVAL;
	vcpu->s.guest_xcr0 = xcr0;
	svm_vcpu_update_switch(vcpu);
	return 0;
}

/* --- single registers, for the emulator ------------------------------------------------------- */

#define FSW_OFFSET    2u
#define FTW_OFFSET    4u
#define ST_OFFSET     32u
#define ST_STRIDE     16u
#define XMM_OFFSET    160u
#define YMM_OFFSET    576u /* CPUID Fn0000_000D subleaf 2 EBX, on every processor with AVX. */
#define XMM_SIZE      16u
#define FSW_TOP       UINT16_C(0x3800)
#define STATE_X87     SVM_BIT(0)
#define STATE_SSE     SVM_BIT(1)
#define STATE_AVX     SVM_BIT(2)
#define ALL_TAGS_VALID 0xff
#define MMX_EXPONENT  UINT16_C(0xffff)

/* The registers of these states into the area, and back: a run that emulates has the FPU. */
static void fpu_to_area(struct svm_vcpu *vcpu)
{
	if (vcpu->fpu_here)
		save(&vcpu->vm->host->features, vcpu->fpu);
}

/*
 * A state whose bit is clear is initial whatever the area holds: what is written needs it set.  But
 * never one that the host has not: where XSETBV cannot be intercepted (QEMU 7.2) a guest's XCR0
 * may hold more, and XRSTOR would fault.
 */
static void area_to_fpu(struct svm_vcpu *vcpu, uint64_t states)
{
	uint8_t *area = vcpu->fpu;
	uint64_t present;

	if (vcpu->vm->host->features.xsave) {
		memcpy(&present, area + HEADER_OFFSET, sizeof(present));
		present |= states & vcpu->vm->host->features.xcr0;
		memcpy(area + HEADER_OFFSET, &present, sizeof(present));
	}
	if (vcpu->fpu_here)
		restore(&vcpu->vm->host->features, vcpu->fpu);
}

static bool state_is_present(const struct svm_vcpu *vcpu, uint64_t state)
{
	uint64_t present;

	if (!vcpu->vm->host->features.xsave)
		return true;
	memcpy(&present, (const uint8_t *)vcpu->fpu + HEADER_OFFSET, sizeof(present));
	return present & state;
}

void svm_fpu_read_vector(struct svm_vcpu *vcpu, unsigned n, void *data, unsigned size)
{
	const uint8_t *area = vcpu->fpu;
	uint8_t *to = data;

	fpu_to_area(vcpu);
	memset(to, 0, size);
	if (state_is_present(vcpu, STATE_SSE))
		memcpy(to, area + XMM_OFFSET + n * XMM_SIZE, XMM_SIZE);
	if (size > XMM_SIZE && state_is_present(vcpu, STATE_AVX))
		memcpy(to + XMM_SIZE, area + YMM_OFFSET + n * XMM_SIZE, XMM_SIZE);
}

void svm_fpu_write_vector(struct svm_vcpu *vcpu, unsigned n, const void *data, unsigned size,
                          bool clear_upper)
{
	const bool upper = size > XMM_SIZE || clear_upper;
	uint8_t *area = vcpu->fpu;

	fpu_to_area(vcpu);
	if (!state_is_present(vcpu, STATE_SSE))
		memset(area + XMM_OFFSET, 0, 16u * XMM_SIZE);
	if (upper && !state_is_present(vcpu, STATE_AVX))
		memset(area + YMM_OFFSET, 0, 16u * XMM_SIZE);
	memcpy(area + XMM_OFFSET + n * XMM_SIZE, data, XMM_SIZE);
	if (size > XMM_SIZE)
		memcpy(area + YMM_OFFSET + n * XMM_SIZE, (const uint8_t *)data + XMM_SIZE,
		       XMM_SIZE);
	else if (upper)
		memset(area + YMM_OFFSET + n * XMM_SIZE, 0, XMM_SIZE);
	area_to_fpu(vcpu, upper ? STATE_SSE | STATE_AVX : STATE_SSE);
}

void svm_fpu_read_mmx(struct svm_vcpu *vcpu, unsigned n, uint64_t *value)
{
	fpu_to_area(vcpu);
	*value = 0;
	if (state_is_present(vcpu, STATE_X87))
		memcpy(value, (const uint8_t *)vcpu->fpu + ST_OFFSET + n * ST_STRIDE,
		       sizeof(*value));
}

/* An MMX write sets TOP to 0, all tags to valid, and the exponent to ones.  APM vol. 1, 5.8. */
void svm_fpu_write_mmx(struct svm_vcpu *vcpu, unsigned n, uint64_t value)
{
	const uint16_t exponent = MMX_EXPONENT, fcw = FCW_RESET;
	uint8_t *area = vcpu->fpu;
	uint16_t fsw;

	fpu_to_area(vcpu);
	if (!state_is_present(vcpu, STATE_X87)) {
		memset(area, 0, MXCSR_OFFSET);
		memcpy(area + FCW_OFFSET, &fcw, sizeof(fcw));
		memset(area + ST_OFFSET, 0, 8u * ST_STRIDE);
	}
	memcpy(&fsw, area + FSW_OFFSET, sizeof(fsw));
	fsw &= (uint16_t)~FSW_TOP;
	memcpy(area + FSW_OFFSET, &fsw, sizeof(fsw));
	area[FTW_OFFSET] = ALL_TAGS_VALID;
	memcpy(area + ST_OFFSET + n * ST_STRIDE, &value, sizeof(value));
	memcpy(area + ST_OFFSET + n * ST_STRIDE + sizeof(value), &exponent, sizeof(exponent));
	area_to_fpu(vcpu, STATE_X87);
}
