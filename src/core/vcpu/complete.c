/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the embedder owes after an exit: a value, a step over the instruction, a fault, or the
 * instruction again.  Running on without one is refused, so that nobody has to guess.
 */
#include "core/vcpu/device_move.h"

static bool takes_value(const struct svm_vcpu *vcpu)
{
	return vcpu->owed == SVM_OWED_VALUE;
}

/* A plain move ends with the answer; other instructions go on with it at the next run. */
static int answer(struct svm_vcpu *vcpu, const void *data)
{
	vcpu->owed = SVM_OWED_NOTHING;
	if (vcpu->move_length)
		svm_device_move_answer(vcpu, data);
	else
		svm_emulation_answer(vcpu, data);
	return 0;
}

static bool waits_for_data(const struct svm_vcpu *vcpu)
{
	return vcpu->owed == SVM_OWED_EMULATION && !vcpu->emul.pending.is_write;
}

int svm_vcpu_complete_data(struct svm_vcpu *vcpu, const void *data, size_t size)
{
	if (!waits_for_data(vcpu) || vcpu->emul.pending.kind != SVM_EMUL_PENDING_MMIO)
		return SVM_ERR_STATE;
	return size == vcpu->emul.pending.size ? answer(vcpu, data) : SVM_ERR_INVAL;
}

static SVM_LONG_WAY int skip_any(struct svm_vcpu *vcpu)
{
	if (vcpu->owed == SVM_OWED_NOTHING)
		return SVM_ERR_STATE;
	if (vcpu->owed == SVM_OWED_EMULATION)
		return waits_for_data(vcpu) ? SVM_ERR_STATE : answer(vcpu, NULL);
	if (!vcpu->next_rip || vcpu->owed == SVM_OWED_EVENT)
		return SVM_ERR_NOSUPPORT;
	vcpu->owed = SVM_OWED_NOTHING;
	svm_vcpu_advance(vcpu, vcpu->next_rip);
	return 0;
}

/* An instruction as nearly all are, and known where it ends. */
static inline bool owes_plain_step(const struct svm_vcpu *vcpu)
{
	return vcpu->owed >= SVM_OWED_SKIP && vcpu->owed <= SVM_OWED_CPUID && vcpu->next_rip &&
	       svm_vcpu_is_near(vcpu, vcpu->next_rip);
}

int svm_vcpu_complete_skip(struct svm_vcpu *vcpu)
{
	if (!SVM_MOSTLY(owes_plain_step(vcpu)))
		return skip_any(vcpu);
	vcpu->owed = SVM_OWED_NOTHING;
	svm_vcpu_advance_near(vcpu, vcpu->next_rip);
	return 0;
}

/* Width rules of a register write: 8 and 16 bits merge, 32 bits clear the upper half. */
static uint64_t merge(uint64_t old, uint64_t value, uint8_t size)
{
	switch (size) {
	case 1:
		return (old & ~UINT64_C(0xff)) | (value & 0xff);
	case 2:
		return (old & ~UINT64_C(0xffff)) | (value & 0xffff);
	case 4:
		return (uint32_t)value;
	default:
		return value;
	}
}

int svm_vcpu_complete_value(struct svm_vcpu *vcpu, uint64_t value)
{
	if (waits_for_data(vcpu) && vcpu->emul.pending.size <= sizeof(value))
		return answer(vcpu, &value);
	if (!takes_value(vcpu))
		return SVM_ERR_STATE;
	if (!vcpu->next_rip)
		return SVM_ERR_NOSUPPORT;
	if (vcpu->owed_size == 0) { /* RDMSR: EDX:EAX. */
		svm_vcpu_write_gpr(vcpu, 0, (uint32_t)value);
		vcpu->s.rdx = value >> 32;
	} else {
		svm_vcpu_write_gpr(vcpu, vcpu->owed_register,
		                   merge(svm_vcpu_read_gpr(vcpu, vcpu->owed_register), value,
		                         vcpu->owed_size));
	}
	return svm_vcpu_complete_skip(vcpu);
}

int svm_vcpu_complete_retry(struct svm_vcpu *vcpu)
{
	if (vcpu->owed == SVM_OWED_NOTHING)
		return SVM_ERR_STATE;
	vcpu->owed = SVM_OWED_NOTHING;
	svm_emulation_forget(vcpu);
	return 0;
}

/* Exits of one instruction that the embedder asked for, and the #UD of one that it may supply. */
static bool has_instruction(const struct svm_vcpu *vcpu)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;

	if (vcpu->owed == SVM_OWED_EMULATION || vcpu->owed == SVM_OWED_CPUID)
		return false;
	if (vcpu->owed == SVM_OWED_EVENT)
		return code == SVM_EXIT_EXCEPTION + SVM_VECTOR_UD;
	return code < SVM_EXIT_EXCEPTION ||
	       (code < 64 * SVM_ARRAY_SIZE(vcpu->extra_intercepts) &&
	        svm_vcpu_debugger_wants(vcpu, (unsigned)code));
}

int svm_vcpu_complete_emulate(struct svm_vcpu *vcpu)
{
	if (vcpu->owed == SVM_OWED_NOTHING)
		return SVM_ERR_STATE;
	if (!has_instruction(vcpu))
		return SVM_ERR_NOSUPPORT;
	vcpu->owed = SVM_OWED_NOTHING;
	svm_emulation_release(vcpu);
	return 0;
}

/* CR2 of a #PF: that of the intercepted one, else what the embedder has put there. */
static uint64_t fault_address(const struct svm_vcpu *vcpu)
{
	if (vcpu->vmcb->control.exit_code == SVM_EXIT_EXCEPTION + SVM_VECTOR_PF)
		return vcpu->vmcb->control.exit_info_2;
	return svm_vmcb_get_cr2(vcpu->vmcb);
}

int svm_vcpu_complete_fault(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error)
{
	int result;

	if (vcpu->owed == SVM_OWED_NOTHING)
		return SVM_ERR_STATE;
	result = svm_vcpu_inject_exception(vcpu, vector, error, fault_address(vcpu));
	if (result)
		return result;
	/* A trap is delivered behind its instruction, which next_rip tells for INT3 and INTO. */
	if (vcpu->owed == SVM_OWED_EVENT && vcpu->next_rip &&
	    (vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF))
		vcpu->vmcb->save.rip = svm_vcpu_wrap_rip(vcpu, vcpu->next_rip);
	vcpu->owed = SVM_OWED_NOTHING;
	svm_emulation_forget(vcpu);
	return 0;
}
