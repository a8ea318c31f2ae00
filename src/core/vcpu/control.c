/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control and debug registers as the guest itself writes them.  APM vol. 2, 3.1, 13.1, 14.6.
 *
 * For instructions that the library finishes in the processor's place: MOV CR4, which is always
 * intercepted, and LMSW, CLTS and task switches, which are emulated.  One order: refuse as the
 * processor would, note the consequences, commit.  The tables of page-directory pointers are not
 * checked: with nested paging the processor reads them as it walks (15.25.10).
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"

/* CR0 bits that exist, but for ET, which is always 1: PE MP EM TS NE WP AM NW CD PG. */
#define CR0_WRITABLE UINT64_C(0xe005002f)

/* A change of these ends translations; the processor flushes only for its own MOV (15.16). */
#define CR0_FLUSHES (CR0_PE | CR0_WP | CR0_NW | CR0_CD | CR0_PG)
#define CR4_FLUSHES (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE)

/* CPUID bit -> CR4 bit; what no CPUID bit guards is always there. */
static const struct {
	uint8_t cr4;
	uint8_t leaf; /* 1 or 7. */
	char word;    /* 'b', 'c', 'd'. */
	uint8_t bit;
} cr4_bits[] = {
	{ 0, 1, 'd', 1 },   { 1, 1, 'd', 1 },   { 2, 1, 'd', 4 },   { 3, 1, 'd', 2 },
	{ 4, 1, 'd', 3 },   { 5, 1, 'd', 6 },   { 6, 1, 'd', 7 },   { 7, 1, 'd', 13 },
	{ 9, 1, 'd', 24 },  { 10, 1, 'd', 25 }, { 11, 7, 'c', 2 },  { 12, 7, 'c', 16 },
	{ 16, 7, 'b', 0 },  { 17, 1, 'c', 17 }, { 18, 1, 'c', 26 }, { 20, 7, 'b', 7 },
	{ 21, 7, 'b', 20 }, { 22, 7, 'c', 3 },
};
#define CR4_PCE SVM_BIT(8)

uint64_t svm_vcpu_cr4_allowed(const struct svm_vcpu *vcpu)
{
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	struct svm_cpuid_regs leaf1 = { 0, 0, 0, 0 }, leaf7 = { 0, 0, 0, 0 };
	uint64_t allowed = CR4_PCE;

	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 1, 0, &leaf1);
	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 7, 0, &leaf7);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(cr4_bits); i++) {
		const struct svm_cpuid_regs *regs = cr4_bits[i].leaf == 1 ? &leaf1 : &leaf7;
		const uint32_t word = cr4_bits[i].word == 'b'   ? regs->ebx
		                      : cr4_bits[i].word == 'c' ? regs->ecx
		                                                : regs->edx;

		if ((word >> cr4_bits[i].bit) & 1u)
			allowed |= SVM_BIT(cr4_bits[i].cr4);
	}
	return allowed & ~vcpu->vm->host->features.cr4_reserved;
}

static bool cr4_is_legal(const struct svm_vcpu *vcpu, uint64_t value)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t old = svm_vmcb_get_cr4(vmcb);
	const bool long_mode = svm_vmcb_get_efer(vmcb) & EFER_LMA;

	if (value & ~svm_vcpu_cr4_allowed(vcpu))
		return false;
	if (long_mode && !(value & CR4_PAE))
		return false;
	if (long_mode && ((old ^ value) & CR4_LA57))
		return false;
	if ((value & ~old & CR4_PCIDE) && (!long_mode || (svm_vmcb_get_cr3(vmcb) & 0xfff)))
		return false;
	return true;
}

/* --- CR0 -------------------------------------------------------------------------------------- */

/* What turns paging on or off, and in long mode that mode with it: 14.6. */
static bool paging_may_change(const struct svm_vmcb *vmcb, uint64_t cr0)
{
	const uint64_t cr4 = svm_vmcb_get_cr4(vmcb), efer = svm_vmcb_get_efer(vmcb);
	const bool in_long_code = svm_vmcb_get_cs(vmcb).attributes & SVM_SEG_L;

	if (!((svm_vmcb_get_cr0(vmcb) ^ cr0) & CR0_PG))
		return true;
	if (cr0 & CR0_PG)
		return !(efer & EFER_LME) || ((cr4 & CR4_PAE) && !in_long_code);
	return !(cr4 & CR4_PCIDE) && !((efer & EFER_LMA) && in_long_code);
}

static bool cr0_is_legal(const struct svm_vmcb *vmcb, uint64_t value)
{
	if (value >> 32)
		return false;
	if ((value & CR0_PG) && !(value & CR0_PE))
		return false;
	if ((value & CR0_NW) && !(value & CR0_CD))
		return false;
	return paging_may_change(vmcb, value);
}

/* LMA is the processor's: it follows from LME and PG (3.1.7). */
static bool write_cr0(struct svm_vcpu *vcpu, uint64_t value)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t old = svm_vmcb_get_cr0(vmcb), efer = svm_vmcb_get_efer(vmcb);

	if (!cr0_is_legal(vmcb, value))
		return false;
	if ((old ^ value) & CR0_FLUSHES)
		vcpu->flush = true;
	if ((old ^ value) & CR0_PG)
		svm_vmcb_set_efer(vmcb, (value & CR0_PG) && (efer & EFER_LME) ? efer | EFER_LMA
		                                                              : efer & ~EFER_LMA);
	svm_vmcb_set_cr0(vmcb, (value & CR0_WRITABLE) | CR0_ET);
	return true;
}

/* --- CR3, CR4, CR8 ---------------------------------------------------------------------------- */

#define CR3_KEEPS SVM_BIT(63) /* With CR4.PCIDE: translations may stay, and are not kept here. */

static bool write_cr3(struct svm_vcpu *vcpu, uint64_t value)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const unsigned bits = vcpu->vm->host->features.physical_bits;

	if (svm_vmcb_get_cr4(vmcb) & CR4_PCIDE)
		value &= ~CR3_KEEPS;
	if ((svm_vmcb_get_efer(vmcb) & EFER_LMA) && value >> bits)
		return false;
	vcpu->flush = true;
	svm_vmcb_set_cr3(vmcb, value);
	return true;
}

static bool write_cr4(struct svm_vcpu *vcpu, uint64_t value)
{
	const uint64_t old = svm_vmcb_get_cr4(vcpu->vmcb);

	if (!cr4_is_legal(vcpu, value))
		return false;
	if ((old ^ value) & CR4_FLUSHES)
		vcpu->flush = true;
	svm_vmcb_set_cr4(vcpu->vmcb, value);
	if ((old ^ value) & CR4_OSXSAVE)
		svm_vcpu_update_switch(vcpu);
	return true;
}

static bool write_cr8(struct svm_vcpu *vcpu, uint64_t value)
{
	const uint64_t control = svm_vmcb_get_int_control(vcpu->vmcb);

	if (value & ~UINT64_C(0xf))
		return false;
	svm_vmcb_set_int_control(vcpu->vmcb, (control & ~SVM_INT_V_TPR) | value);
	svm_vcpu_follow_tpr(vcpu);
	return true;
}

void svm_vcpu_set_cr8(struct svm_vcpu *vcpu, uint8_t cr8)
{
	if (svm_control_read(vcpu, 8) != (cr8 & 0xf))
		(void)write_cr8(vcpu, cr8 & 0xf);
}

/* --- by number -------------------------------------------------------------------------------- */

uint64_t svm_control_read(const struct svm_vcpu *vcpu, unsigned n)
{
	switch (n) {
	case 0:
		return svm_vmcb_get_cr0(vcpu->vmcb);
	case 2:
		return svm_vmcb_get_cr2(vcpu->vmcb);
	case 3:
		return svm_vmcb_get_cr3(vcpu->vmcb);
	case 4:
		return svm_vmcb_get_cr4(vcpu->vmcb);
	default:
		return svm_vmcb_get_int_control(vcpu->vmcb) & 0xf;
	}
}

bool svm_control_write(struct svm_vcpu *vcpu, unsigned n, uint64_t value)
{
	switch (n) {
	case 0:
		return write_cr0(vcpu, value);
	case 2:
		svm_vmcb_set_cr2(vcpu->vmcb, value);
		return true;
	case 3:
		return write_cr3(vcpu, value);
	case 4:
		return write_cr4(vcpu, value);
	case 8:
		return write_cr8(vcpu, value);
	default:
		return false;
	}
}

uint64_t svm_debug_read(const struct svm_vcpu *vcpu, unsigned n)
{
	struct svm_debug_regs regs;

	svm_debugger_get_guest(vcpu, &regs);
	if (n < 4)
		return regs.dr[n];
	return n & 1 ? regs.dr7 : regs.dr6;
}

bool svm_debug_write(struct svm_vcpu *vcpu, unsigned n, uint64_t value)
{
	struct svm_debug_regs regs;

	if (n >= 4 && (value >> 32))
		return false;
	svm_debugger_get_guest(vcpu, &regs);
	if (n < 4)
		regs.dr[n] = value;
	else if (n & 1)
		regs.dr7 = (value & DR7_WRITABLE) | DR7_RESET;
	else
		regs.dr6 = (value & DR6_WRITABLE) | DR6_RESET;
	svm_debugger_set_guest(vcpu, &regs);
	return true;
}
