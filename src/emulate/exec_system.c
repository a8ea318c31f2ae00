/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * System registers, and the flags that only some may change.  APM vol. 3, 3 and 4; vol. 2, 3, 7.5.
 *
 * Privilege is checked here; what a register accepts is its owner's affair, behind
 * read_register() and write_register().  Everything is checked before the owner is asked to
 * write, and the write is the last thing that can fail.
 *
 * Not modelled, and so UNKNOWN instead of wrong: the virtual interrupt flag (CR4.VME and CR4.PVI,
 * where CLI, STI, PUSHF and POPF would not fault), a debug register touched with DR7.GD set, and
 * HLT, INVD, WBINVD, MONITOR and MWAIT beyond their faults, since only the guest's owner can
 * carry them out.  MONITOR and MWAIT outside CPL 0 are #UD, as with HWCR.MonMwaitUserEn clear.
 * MOV CR8 by way of LOCK (AltMovCr8) is not decoded.
 */
#include "emulate/operand.h"

#define SYSTEM_CR0_PE      UINT64_C(0x1)
#define SYSTEM_CR0_MSW     UINT64_C(0xf) /* What LMSW writes: TS EM MP PE. */
#define SYSTEM_CR0_TS      UINT64_C(0x8)
#define SYSTEM_CR4_VME     UINT64_C(0x1)
#define SYSTEM_CR4_PVI     UINT64_C(0x2)
#define SYSTEM_CR4_TSD     UINT64_C(0x4)
#define SYSTEM_CR4_DE      UINT64_C(0x8)
#define SYSTEM_CR4_PCE     UINT64_C(0x100)
#define SYSTEM_CR4_OSXSAVE UINT64_C(0x40000)
#define SYSTEM_DR7_GD      UINT64_C(0x2000)

#define SYSTEM_MSR_TSC     0x00000010u
#define SYSTEM_MSR_TSC_AUX 0xc0000103u

/* What POPF can change at the highest privilege: neither VM, VIF and VIP, nor RF, which it clears.
 */
#define POPF_ANY (FLAGS_ARITHMETIC | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID)

/* --- helpers ---------------------------------------------------------------------------------- */

static enum svm_emul_result system_done(struct svm_emul *e)
{
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}

static enum svm_emul_result system_gp(struct svm_emul *e)
{
	return svm_emul_raise_error(e, VECTOR_GP, 0);
}

static enum svm_emul_result owner_reads(struct svm_emul *e, enum svm_emul_register kind,
                                        uint32_t number, uint64_t *value)
{
	if (!e->ops->read_register)
		return SVM_EMUL_UNKNOWN;
	return e->ops->read_register(e->arg, kind, number, value, &e->fault);
}

/* The write ends the instruction: RIP moves only if it was taken. */
static enum svm_emul_result owner_writes(struct svm_emul *e, enum svm_emul_register kind,
                                         uint32_t number, uint64_t value)
{
	enum svm_emul_result result = SVM_EMUL_UNKNOWN;

	/* After a switch of modes RIP is still that of the old one. */
	if (e->ops->write_register)
		result = e->ops->write_register(e->arg, kind, number, value, &e->fault);
	return result == SVM_EMUL_OK ? system_done(e) : result;
}

/* EDX:EAX, zero-extended. */
static void set_edx_eax(struct svm_emul *e, uint64_t value)
{
	svm_emul_set_reg(e, SVM_EMUL_RAX, 4, value);
	svm_emul_set_reg(e, SVM_EMUL_RDX, 4, value >> 32);
}

static uint64_t get_edx_eax(const struct svm_emul *e)
{
	return e->gpr[SVM_EMUL_RDX] << 32 | (uint32_t)e->gpr[SVM_EMUL_RAX];
}

/* --- control registers ------------------------------------------------------------------------ */

/* 64 bits in 64-bit mode and 32 elsewhere, whatever the prefixes. */
static unsigned system_register_size(const struct svm_emul *e)
{
	return svm_emul_is_long(e) ? 8 : 4;
}

static bool control_register_exists(unsigned n)
{
	return n == 0 || n == 2 || n == 3 || n == 4 || n == 8;
}

static enum svm_emul_result move_control(struct svm_emul *e, bool is_write)
{
	const unsigned n = svm_emul_reg(e), size = system_register_size(e);
	enum svm_emul_result result;
	uint64_t value = 0;

	if (!control_register_exists(n))
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0)
		return system_gp(e);
	if (is_write)
		return owner_writes(e, SVM_EMUL_CR, n, svm_emul_get_reg(e, svm_emul_rm(e), size));
	result = owner_reads(e, SVM_EMUL_CR, n, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, svm_emul_rm(e), size, value);
	return system_done(e);
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE takes them away. */
static enum svm_emul_result move_debug(struct svm_emul *e, bool is_write)
{
	const unsigned size = system_register_size(e);
	unsigned n = svm_emul_reg(e);
	enum svm_emul_result result;
	uint64_t dr7 = 0, value = 0;

	if (n > 7 || ((n == 4 || n == 5) && (e->cr4 & SYSTEM_CR4_DE)))
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0)
		return system_gp(e);
	if (n == 4 || n == 5)
		n += 2;
	result = owner_reads(e, SVM_EMUL_DR, 7, &dr7);
	if (result == SVM_EMUL_OK && (dr7 & SYSTEM_DR7_GD))
		return SVM_EMUL_UNKNOWN;
	if (result != SVM_EMUL_OK)
		return result;
	if (is_write)
		return owner_writes(e, SVM_EMUL_DR, n, svm_emul_get_reg(e, svm_emul_rm(e), size));
	result = owner_reads(e, SVM_EMUL_DR, n, &value);
	if (result != SVM_EMUL_OK)
		return result;
	svm_emul_set_reg(e, svm_emul_rm(e), size, value);
	return system_done(e);
}

/* LMSW can set PE and never clear it. */
static enum svm_emul_result load_status_word(struct svm_emul *e)
{
	uint64_t word = 0;
	enum svm_emul_result result;

	if (e->cpl != 0)
		return system_gp(e);
	result = svm_emul_load_word(e, &word);
	if (result != SVM_EMUL_OK)
		return result;
	word = (word & SYSTEM_CR0_MSW) | (e->cr0 & SYSTEM_CR0_PE);
	return owner_writes(e, SVM_EMUL_CR, 0, (e->cr0 & ~SYSTEM_CR0_MSW) | word);
}

static enum svm_emul_result store_status_word(struct svm_emul *e)
{
	return svm_emul_umip_forbids(e) ? system_gp(e) : svm_emul_store_word(e, e->cr0);
}

static enum svm_emul_result clear_task_switched(struct svm_emul *e)
{
	if (e->cpl != 0)
		return system_gp(e);
	return owner_writes(e, SVM_EMUL_CR, 0, e->cr0 & ~SYSTEM_CR0_TS);
}

/* Neither limit nor canonical form is checked: an address that cannot be mapped has no entry. */
static enum svm_emul_result invalidate_page(struct svm_emul *e)
{
	unsigned segment;
	uint64_t linear;

	if (e->cpl != 0)
		return system_gp(e);
	if (!e->ops->invalidate)
		return SVM_EMUL_UNKNOWN;
	linear = svm_emul_effective_address(e, &segment);
	if (!svm_emul_is_long(e))
		linear = (uint32_t)(linear + e->segment[segment].base);
	else if (segment == SVM_EMUL_FS || segment == SVM_EMUL_GS)
		linear += e->segment[segment].base;
	e->ops->invalidate(e->arg, linear);
	return system_done(e);
}

/* --- model-specific, extended and counting registers ------------------------------------------ */

static enum svm_emul_result read_msr(struct svm_emul *e)
{
	enum svm_emul_result result;
	uint64_t value = 0;

	if (e->cpl != 0)
		return system_gp(e);
	result = owner_reads(e, SVM_EMUL_MSR, (uint32_t)e->gpr[SVM_EMUL_RCX], &value);
	if (result != SVM_EMUL_OK)
		return result;
	set_edx_eax(e, value);
	return system_done(e);
}

static enum svm_emul_result write_msr(struct svm_emul *e)
{
	if (e->cpl != 0)
		return system_gp(e);
	return owner_writes(e, SVM_EMUL_MSR, (uint32_t)e->gpr[SVM_EMUL_RCX], get_edx_eax(e));
}

static enum svm_emul_result set_xcr(struct svm_emul *e)
{
	if (!(e->cr4 & SYSTEM_CR4_OSXSAVE))
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0)
		return system_gp(e);
	return owner_writes(e, SVM_EMUL_XCR, (uint32_t)e->gpr[SVM_EMUL_RCX], get_edx_eax(e));
}

static enum svm_emul_result get_xcr(struct svm_emul *e)
{
	const uint32_t n = (uint32_t)e->gpr[SVM_EMUL_RCX];
	enum svm_emul_result result = SVM_EMUL_OK;
	uint64_t value = e->xcr0;

	if (!(e->cr4 & SYSTEM_CR4_OSXSAVE))
		return svm_emul_raise(e, VECTOR_UD);
	if (n != 0)
		result = owner_reads(e, SVM_EMUL_XCR, n, &value);
	if (result != SVM_EMUL_OK)
		return result;
	set_edx_eax(e, value);
	return system_done(e);
}

/* Without TSC_AUX there is no RDTSCP. */
static enum svm_emul_result read_tsc(struct svm_emul *e, bool with_aux)
{
	enum svm_emul_result result = SVM_EMUL_OK;
	uint64_t aux = 0, tsc = 0;

	if (with_aux)
		result = owner_reads(e, SVM_EMUL_MSR, SYSTEM_MSR_TSC_AUX, &aux);
	if (result == SVM_EMUL_FAULT)
		return svm_emul_raise(e, VECTOR_UD);
	if (e->cpl != 0 && (e->cr4 & SYSTEM_CR4_TSD))
		return system_gp(e);
	if (result == SVM_EMUL_OK)
		result = owner_reads(e, SVM_EMUL_MSR, SYSTEM_MSR_TSC, &tsc);
	if (result != SVM_EMUL_OK)
		return result;
	set_edx_eax(e, tsc);
	if (with_aux)
		svm_emul_set_reg(e, SVM_EMUL_RCX, 4, aux);
	return system_done(e);
}

static enum svm_emul_result read_counter(struct svm_emul *e)
{
	enum svm_emul_result result;
	uint64_t value = 0;

	if (e->cpl != 0 && !(e->cr4 & SYSTEM_CR4_PCE))
		return system_gp(e);
	result = owner_reads(e, SVM_EMUL_PMC, (uint32_t)e->gpr[SVM_EMUL_RCX], &value);
	if (result != SVM_EMUL_OK)
		return result;
	set_edx_eax(e, value);
	return system_done(e);
}

/* --- flags ------------------------------------------------------------------------------------ */

static uint64_t iopl_of(const struct svm_emul *e)
{
	return (e->rflags & FLAG_IOPL) >> 12;
}

/* CLI and STI.  Real mode has CPL 0. */
static enum svm_emul_result set_interrupt_flag(struct svm_emul *e, bool on)
{
	if (e->cpl > iopl_of(e)) {
		const uint64_t virtual = e->in_vm86 ? SYSTEM_CR4_VME : SYSTEM_CR4_PVI;

		return e->cpl == 3 && (e->cr4 & virtual) ? SVM_EMUL_UNKNOWN : system_gp(e);
	}
	e->sets_shadow = on && !(e->rflags & FLAG_IF);
	e->rflags = on ? e->rflags | FLAG_IF : e->rflags & ~FLAG_IF;
	return system_done(e);
}

/* Virtual-8086 mode below IOPL 3 has no flags image of its own, unless CR4.VME makes one. */
static enum svm_emul_result check_flags_image(struct svm_emul *e)
{
	if (!e->in_vm86 || iopl_of(e) == 3)
		return SVM_EMUL_OK;
	if ((e->cr4 & SYSTEM_CR4_VME) && svm_emul_stack_width(e) == 2)
		return SVM_EMUL_UNKNOWN;
	return system_gp(e);
}

static enum svm_emul_result push_flags(struct svm_emul *e)
{
	struct svm_emul_span span;
	uint64_t rsp;
	enum svm_emul_result result = check_flags_image(e);

	if (result == SVM_EMUL_OK)
		result = svm_emul_prepare_push(e, svm_emul_stack_width(e), &rsp, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &span, e->rflags & ~(FLAG_VM | FLAG_RF));
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	return system_done(e);
}

/* IOPL is CPL 0's, IF that of CPL up to IOPL; others keep them without a fault. */
uint64_t svm_emul_flags_writable(const struct svm_emul *e, unsigned size)
{
	uint64_t writable = POPF_ANY;

	if (e->cpl == 0)
		writable |= FLAG_IOPL;
	if (e->cpl <= iopl_of(e))
		writable |= FLAG_IF;
	return size == 2 ? writable & 0xffff : writable;
}

static enum svm_emul_result pop_flags(struct svm_emul *e)
{
	const unsigned size = svm_emul_stack_width(e);
	const uint64_t writable = svm_emul_flags_writable(e, size);
	struct svm_emul_span span;
	uint64_t rsp, value = 0;
	enum svm_emul_result result = check_flags_image(e);

	if (result == SVM_EMUL_OK)
		result = svm_emul_prepare_pop(e, size, &rsp, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &value);
	if (result != SVM_EMUL_OK)
		return result;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->rflags = (e->rflags & ~writable) | (value & writable);
	return system_done(e);
}

#define FLAGS_OF_AH (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF)

static enum svm_emul_result set_flags(struct svm_emul *e, uint64_t rflags)
{
	e->rflags = rflags;
	return system_done(e);
}

static enum svm_emul_result single_flags(struct svm_emul *e)
{
	const uint64_t ah = e->gpr[SVM_EMUL_RAX] >> 8 & FLAGS_OF_AH;

	switch (e->insn.opcode) {
	case 0x9e: /* SAHF */
		return set_flags(e, (e->rflags & ~FLAGS_OF_AH) | ah);
	case 0x9f: /* LAHF; bit 1 of the flags is always set. */
		e->gpr[SVM_EMUL_RAX] = (e->gpr[SVM_EMUL_RAX] & ~UINT64_C(0xff00)) |
		                       ((e->rflags & FLAGS_OF_AH) | 2) << 8;
		return system_done(e);
	case 0xf5: /* CMC */
		return set_flags(e, e->rflags ^ FLAG_CF);
	case 0xf8: /* CLC */
		return set_flags(e, e->rflags & ~FLAG_CF);
	case 0xf9: /* STC */
		return set_flags(e, e->rflags | FLAG_CF);
	case 0xfc: /* CLD */
		return set_flags(e, e->rflags & ~FLAG_DF);
	case 0xfd: /* STD */
		return set_flags(e, e->rflags | FLAG_DF);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}

/* --- dispatch --------------------------------------------------------------------------------- */

static enum svm_emul_result system_0f(struct svm_emul *e)
{
	switch (e->insn.opcode) {
	case 0x00: /* VERR, VERW, LAR, LSL */
	case 0x02:
	case 0x03:
		return svm_exec_rights(e);
	case 0x01:
		return e->insn.modrm == 0xd0 ? get_xcr(e) : SVM_EMUL_UNKNOWN;
	case 0x0b: /* UD2, UD1, UD0 */
	case 0xb9:
	case 0xff:
		return svm_emul_raise(e, VECTOR_UD);
	default:
		return svm_exec_base(e);
	}
}

/* What has no intercept of its own, and so no kind. */
static enum svm_emul_result system_other(struct svm_emul *e)
{
	if (e->insn.encoding != SVM_INSN_LEGACY)
		return SVM_EMUL_UNKNOWN;
	if (e->insn.map == SVM_INSN_MAP_PRIMARY)
		return single_flags(e);
	return e->insn.map == SVM_INSN_MAP_0F ? system_0f(e) : SVM_EMUL_UNKNOWN;
}

/* Only the fault is ours. */
static enum svm_emul_result owner_acts(struct svm_emul *e)
{
	return e->cpl != 0 ? system_gp(e) : SVM_EMUL_UNKNOWN;
}

enum svm_emul_result svm_exec_system(struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_MOV_FROM_CR:
	case SVM_INSN_MOV_TO_CR:
		return move_control(e, e->insn.kind == SVM_INSN_MOV_TO_CR);
	case SVM_INSN_MOV_FROM_DR:
	case SVM_INSN_MOV_TO_DR:
		return move_debug(e, e->insn.kind == SVM_INSN_MOV_TO_DR);
	case SVM_INSN_LMSW:
		return load_status_word(e);
	case SVM_INSN_SMSW:
		return store_status_word(e);
	case SVM_INSN_CLTS:
		return clear_task_switched(e);
	case SVM_INSN_INVLPG:
		return invalidate_page(e);
	case SVM_INSN_RDMSR:
		return read_msr(e);
	case SVM_INSN_WRMSR:
		return write_msr(e);
	case SVM_INSN_XSETBV:
		return set_xcr(e);
	case SVM_INSN_RDTSC:
	case SVM_INSN_RDTSCP:
		return read_tsc(e, e->insn.kind == SVM_INSN_RDTSCP);
	case SVM_INSN_RDPMC:
		return read_counter(e);
	case SVM_INSN_HLT:
	case SVM_INSN_INVD:
	case SVM_INSN_WBINVD:
		return owner_acts(e);
	case SVM_INSN_MONITOR:
	case SVM_INSN_MWAIT:
		return e->cpl != 0 ? svm_emul_raise(e, VECTOR_UD) : SVM_EMUL_UNKNOWN;
	case SVM_INSN_SWAPGS:
		return svm_exec_base(e);
	case SVM_INSN_CLI:
	case SVM_INSN_STI:
		return set_interrupt_flag(e, e->insn.kind == SVM_INSN_STI);
	case SVM_INSN_PUSHF:
		return push_flags(e);
	case SVM_INSN_POPF:
		return pop_flags(e);
	case SVM_INSN_OTHER:
		return system_other(e);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
