/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Moves to and from control and debug registers.  Faults that need no memory come before the
 * intercept, and what the guest changes itself flushes its own translations (15.9, 15.16).
 */
#include "model.h"

static uint64_t cr_info(const struct cpu *cpu, const struct guest_insn *insn, bool is_mov)
{
	if (!(cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS))
		return POISON;
	return is_mov ? SVM_CR_MOV | insn->rm : 0;
}

/* What MOV to CR0 refuses; false: #GP. */
static bool cr0_valid(const struct cpu *cpu, uint64_t value)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const bool starts_paging = (value & CR0_PG) && !(save->_cr0 & CR0_PG);

	if (value >> 32)
		return false;
	if ((value & CR0_PG) && !(value & CR0_PE))
		return false;
	if ((value & CR0_NW) && !(value & CR0_CD))
		return false;
	return !(starts_paging && (save->_efer & EFER_LME) && !(save->_cr4 & CR4_PAE));
}

static void set_cr0(struct cpu *cpu, uint64_t value)
{
	struct svm_vmcb_save *save = &cpu->guest.v->save;

	if ((value ^ save->_cr0) & CR0_PG) {
		if ((value & CR0_PG) && (save->_efer & EFER_LME))
			save->_efer |= EFER_LMA;
		else
			save->_efer &= ~EFER_LMA;
	}
	if ((value ^ save->_cr0) & (CR0_PG | CR0_WP))
		linear_flush(cpu, cpu->guest.key.asid, true);
	save->_cr0 = value | SVM_BIT(4);
}

static bool cr0_intercepted(struct cpu *cpu, const struct guest_insn *insn, uint64_t value,
                            bool is_mov)
{
	const uint64_t changed = (value ^ cpu->guest.v->save._cr0) & ~(CR0_TS | CR0_MP);
	const uint64_t info = cr_info(cpu, insn, is_mov);

	if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE, info, POISON))
		return true;
	return (changed || !is_mov) &&
	       guest_intercept(cpu, insn, SVM_EXIT_CR0_SEL_WRITE, info, POISON);
}

void guest_write_cr(struct cpu *cpu, const struct guest_insn *insn)
{
	struct svm_vmcb_save *save = &cpu->guest.v->save;
	const uint64_t value = cpu->guest.gpr[insn->rm];
	const uint64_t info = cr_info(cpu, insn, true);

	switch (insn->reg) {
	case 0:
		if (!cr0_valid(cpu, value)) {
			guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
			return;
		}
		if (cr0_intercepted(cpu, insn, value, true))
			return;
		set_cr0(cpu, value);
		break;
	case 2:
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE + 2, info, POISON))
			return;
		save->_cr2 = value;
		break;
	case 3:
		if (guest_is_long(cpu) && value >> cpu->f.physical_bits) {
			guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
			return;
		}
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE + 3, info, POISON))
			return;
		save->_cr3 = value;
		linear_flush(cpu, cpu->guest.key.asid, false);
		break;
	case 4:
		if ((value & ~cr4_allowed(&cpu->f)) || (guest_is_long(cpu) && !(value & CR4_PAE))) {
			guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
			return;
		}
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE + 4, info, POISON))
			return;
		if (value != save->_cr4)
			linear_flush(cpu, cpu->guest.key.asid, true);
		save->_cr4 = value;
		break;
	case 8:
		if (value >> 4) {
			guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
			return;
		}
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE + 8, info, POISON))
			return;
		cpu->guest.v->control._int_control =
			(cpu->guest.v->control._int_control & ~SVM_INT_V_TPR) | value;
		break;
	default:
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return;
	}
	guest_advance(cpu, insn);
}

void guest_read_cr(struct cpu *cpu, const struct guest_insn *insn)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	uint64_t value;

	switch (insn->reg) {
	case 0:
		value = save->_cr0;
		break;
	case 2:
		value = save->_cr2;
		break;
	case 3:
		value = save->_cr3;
		break;
	case 4:
		value = save->_cr4;
		break;
	case 8:
		value = cpu->guest.v->control._int_control & 15;
		break;
	default:
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return;
	}
	if (guest_intercept(cpu, insn, SVM_EXIT_CR_READ + insn->reg, cr_info(cpu, insn, true),
	                    POISON))
		return;
	cpu->guest.gpr[insn->rm] = value;
	guest_advance(cpu, insn);
}

/* CLTS, SMSW and LMSW with a register. */
void guest_machine_status(struct cpu *cpu, const struct guest_insn *insn, unsigned op)
{
	const uint64_t cr0 = cpu->guest.v->save._cr0;

	if (op == 4) {
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_READ, cr_info(cpu, insn, false), POISON))
			return;
		cpu->guest.gpr[insn->rm] = cr0 & 0xffffffff;
	} else if (op == 6) {
		const uint64_t value = (cr0 & ~UINT64_C(0xe)) | (cpu->guest.gpr[insn->rm] & 0xf);

		if (cr0_intercepted(cpu, insn, value, false))
			return;
		set_cr0(cpu, value);
	} else {
		if (guest_intercept(cpu, insn, SVM_EXIT_CR_WRITE, cr_info(cpu, insn, false),
		                    POISON))
			return;
		set_cr0(cpu, cr0 & ~CR0_TS);
	}
	guest_advance(cpu, insn);
}

static uint64_t *debug_register(struct cpu *cpu, unsigned n)
{
	struct svm_vmcb_save *save = &cpu->guest.v->save;

	if ((n & ~1u) == 4 && !(save->_cr4 & SVM_BIT(3)))
		n += 2; /* Aliases without CR4.DE. */
	if (n < 4)
		return &cpu->dr[n];
	return n == 6 ? &save->_dr6 : n == 7 ? &save->_dr7 : NULL;
}

void guest_move_dr(struct cpu *cpu, const struct guest_insn *insn, bool is_write)
{
	const bool assists = cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS;
	const uint64_t value = cpu->guest.gpr[insn->rm];
	uint64_t *dr = debug_register(cpu, insn->reg);

	if (!dr) {
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return;
	}
	if (is_write && insn->reg >= 4 && value >> 32) {
		guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
		return;
	}
	if (guest_intercept(cpu, insn,
	                    (is_write ? SVM_EXIT_DR_WRITE : SVM_EXIT_DR_READ) + insn->reg,
	                    assists ? insn->rm : POISON, POISON))
		return;
	if (is_write)
		*dr = value;
	else
		cpu->guest.gpr[insn->rm] = *dr;
	guest_advance(cpu, insn);
}
