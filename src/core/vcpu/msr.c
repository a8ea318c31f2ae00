/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Model-specific registers that the library answers from the vCPU's state (policy STATE), and the
 * values that it only keeps (policy SHADOW).  APM vol. 2, appendix A for the registers.
 *
 * One order in every writer: read, refuse as the processor would, note the consequences, commit.
 */
#include "core/features.h"
#include "core/vcpu/exits.h"

#define APIC_BASE_X2      SVM_BIT(10)
#define APIC_BASE_ENABLE  SVM_BIT(11)
#define DEBUGCTL_WRITABLE SVM_BITS(5, 0)
#define PRED_CMD_IBPB     SVM_BIT(0)

static uint64_t physical_mask(const struct svm_vcpu *vcpu)
{
	return SVM_BITS(vcpu->vm->host->features.physical_bits - 1u, 12);
}

/* --- EFER ------------------------------------------------------------------------------------ */

/* By the guest's own CPUID, within what the processor allows. */
static uint64_t efer_allowed(const struct svm_vcpu *vcpu)
{
	static const struct {
		uint8_t edx, efer;
	} bits[] = { { 11, 0 }, { 29, 8 }, { 29, 10 }, { 20, 11 }, { 25, 14 } };
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	struct svm_cpuid_regs ext = { 0, 0, 0, 0 };
	uint64_t allowed = 0;

	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 0x80000001, 0, &ext);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(bits); i++)
		if (ext.edx & SVM_BIT(bits[i].edx))
			allowed |= SVM_BIT(bits[i].efer);
	return allowed & ~vcpu->vm->host->features.efer_reserved;
}

/*
 * EFER has two readers.  The guest must not see SVME; VMRUN refuses a VMCB without it (15.5.1).
 * LMA is the processor's: a write of it is ignored (3.1.7).
 */
static bool write_efer(struct svm_vcpu *vcpu, uint64_t value)
{
	const uint64_t old = svm_vmcb_get_efer(vcpu->vmcb);
	const bool paging = svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG;

	if (value & ~efer_allowed(vcpu))
		return false;
	if (paging && ((old ^ value) & EFER_LME))
		return false;
	if ((old ^ value) & (EFER_NXE | EFER_LME))
		vcpu->flush = true; /* The paging mode changed: 15.16. */
	svm_vmcb_set_efer(vcpu->vmcb, (value & ~EFER_LMA) | (old & EFER_LMA) | EFER_SVME);
	return true;
}

/* --- the others ------------------------------------------------------------------------------- */

static bool pat_is_legal(uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		const uint64_t type = (value >> (8 * i)) & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static bool write_apic_base(struct svm_vcpu *vcpu, uint64_t value)
{
	const uint64_t flags = APIC_BASE_BSP | APIC_BASE_X2 | APIC_BASE_ENABLE;

	if (value & ~(physical_mask(vcpu) | flags))
		return false;
	if ((value & APIC_BASE_X2) && !(value & APIC_BASE_ENABLE))
		return false;
	vcpu->msr_shadow[SVM_MSR_INDEX_APIC_BASE] = value;
	return true;
}

uint64_t svm_vcpu_get_apic_base(const struct svm_vcpu *vcpu)
{
	return vcpu->msr_shadow[SVM_MSR_INDEX_APIC_BASE];
}

/* A bit that the processor lacks would fault in the world switch, with GIF = 0. */
static bool write_spec_ctrl(struct svm_vcpu *vcpu, uint64_t value)
{
	const struct svm_features *features = &vcpu->vm->host->features;

	if (!features->spec_ctrl || (value & ~features->spec_ctrl_bits))
		return false;
	if (features->svm & SVM_FEATURE_V_SPEC_CTRL)
		vcpu->vmcb->save.spec_ctrl = value;
	vcpu->s.guest_spec_ctrl = value;
	svm_vcpu_update_switch(vcpu);
	return true;
}

static bool write_pred_cmd(struct svm_vcpu *vcpu, uint64_t value)
{
	if (!vcpu->vm->host->features.ibpb || (value & ~PRED_CMD_IBPB))
		return false;
	if (value)
		vcpu->s.flags |= SVM_SWITCH_DO_IBPB;
	return true;
}

static bool write_xss(struct svm_vcpu *vcpu, uint64_t value)
{
	/* No supervisor state is switched yet, so none can be enabled. */
	return vcpu->vm->host->features.xsaves && value == 0;
}

static bool write_tsc_aux(struct svm_vcpu *vcpu, uint64_t value)
{
	if (!vcpu->vm->host->features.rdtscp || (value >> 32))
		return false;
	vcpu->s.guest_tsc_aux = value;
	svm_vcpu_update_switch(vcpu);
	return true;
}

static SVM_LONG_WAY bool write_state(struct svm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case SVM_MSR_TSC:
		svm_vmcb_set_tsc_offset(vcpu->vmcb, value - svm_ring0_rdtsc());
		return true;
	case SVM_MSR_APIC_BASE:
		return write_apic_base(vcpu, value);
	case SVM_MSR_SPEC_CTRL:
		return write_spec_ctrl(vcpu, value);
	case SVM_MSR_PRED_CMD:
		return write_pred_cmd(vcpu, value);
	case SVM_MSR_DEBUGCTL:
		if (value & ~DEBUGCTL_WRITABLE)
			return false;
		vcpu->msr_shadow[SVM_MSR_INDEX_DEBUGCTL] = value;
		return true;
	case SVM_MSR_PAT:
		if (!pat_is_legal(value))
			return false;
		svm_vmcb_set_g_pat(vcpu->vmcb, value);
		return true;
	case SVM_MSR_XSS:
		return write_xss(vcpu, value);
	case SVM_MSR_EFER:
		return write_efer(vcpu, value);
	case SVM_MSR_TSC_AUX:
		return write_tsc_aux(vcpu, value);
	case SVM_MSR_VM_CR: /* SVMDIS and LOCK are set: writes are ignored (15.30.1). */
		return true;
	default: /* MTRR_CAP, MCG_CAP: read only. */
		return false;
	}
}

static bool shadow(struct svm_vcpu *vcpu, uint32_t msr, uint64_t **value)
{
	const enum svm_msr_index index = svm_msr_index_of(msr);

	if (index >= SVM_MSR_INDEX_COUNT)
		return false;
	*value = &vcpu->msr_shadow[index];
	return true;
}

static SVM_LONG_WAY bool read_shadow(struct svm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	uint64_t *kept;

	if (!shadow(vcpu, msr, &kept))
		return false;
	*value = *kept;
	return true;
}

static SVM_LONG_WAY bool write_shadow(struct svm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t *kept;

	if (!shadow(vcpu, msr, &kept))
		return false;
	*kept = value;
	return true;
}

static SVM_LONG_WAY bool read_state(struct svm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct svm_features *features = &vcpu->vm->host->features;

	switch (msr) {
	case SVM_MSR_TSC:
		*value = svm_ring0_rdtsc() + svm_vmcb_get_tsc_offset(vcpu->vmcb);
		return true;
	case SVM_MSR_SPEC_CTRL:
		*value = vcpu->s.guest_spec_ctrl;
		return features->spec_ctrl;
	case SVM_MSR_PRED_CMD: /* Write only. */
		return false;
	case SVM_MSR_PAT:
		*value = svm_vmcb_get_g_pat(vcpu->vmcb);
		return true;
	case SVM_MSR_XSS:
		*value = vcpu->s.guest_xss;
		return features->xsaves;
	case SVM_MSR_EFER:
		*value = svm_vmcb_get_efer(vcpu->vmcb) & ~EFER_SVME;
		return true;
	case SVM_MSR_TSC_AUX:
		*value = vcpu->s.guest_tsc_aux;
		return features->rdtscp;
	case SVM_MSR_VM_CR:
		*value = VM_CR_SVMDIS | VM_CR_LOCK;
		return true;
	default:
		return read_shadow(vcpu, msr, value);
	}
}

/* Registers that VMLOAD and VMSAVE switch: after an exit the VMCB holds the guest's value. */
static uint64_t *passed(struct svm_vcpu *vcpu, uint32_t msr)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	switch (msr) {
	case SVM_MSR_SYSENTER_CS:
		return &save->sysenter_cs;
	case SVM_MSR_SYSENTER_ESP:
		return &save->sysenter_esp;
	case SVM_MSR_SYSENTER_EIP:
		return &save->sysenter_eip;
	case SVM_MSR_STAR:
		return &save->star;
	case SVM_MSR_LSTAR:
		return &save->lstar;
	case SVM_MSR_CSTAR:
		return &save->cstar;
	case SVM_MSR_SFMASK:
		return &save->sfmask;
	case SVM_MSR_FS_BASE:
		return &save->fs.base;
	case SVM_MSR_GS_BASE:
		return &save->gs.base;
	case SVM_MSR_KERNEL_GS_BASE:
		return &save->kernel_gs_base;
	default:
		return NULL;
	}
}

static bool is_canonical(const struct svm_vcpu *vcpu, uint64_t address)
{
	const unsigned shift = 64u - vcpu->vm->host->features.linear_bits;

	return (uint64_t)((int64_t)(address << shift) >> shift) == address;
}

static bool holds_address(uint32_t msr)
{
	return msr == SVM_MSR_LSTAR || msr == SVM_MSR_CSTAR || msr == SVM_MSR_FS_BASE ||
	       msr == SVM_MSR_GS_BASE || msr == SVM_MSR_KERNEL_GS_BASE ||
	       msr == SVM_MSR_SYSENTER_ESP || msr == SVM_MSR_SYSENTER_EIP;
}

static SVM_LONG_WAY bool write_passed(struct svm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t *home = passed(vcpu, msr);

	if (!home || (holds_address(msr) && !is_canonical(vcpu, value)))
		return false;
	*home = value;
	return true;
}

static SVM_LONG_WAY bool read_passed(struct svm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const uint64_t *home = passed(vcpu, msr);

	if (home)
		*value = *home;
	return home != NULL;
}

static SVM_LONG_WAY bool ask_device(struct svm_vcpu *vcpu, uint32_t msr, bool is_write,
                                    uint64_t *value)
{
	const struct svm_msr_handler *handler = svm_msr_handler_of(&vcpu->vm->msr, msr);
	struct svm_msr_access access = { .msr = msr, .is_write = is_write };

	if (!handler)
		return false;
	if (is_write)
		access.value = *value;
	if (!handler->fn(handler->arg, vcpu, &access))
		return false;
	*value = access.value;
	return true;
}

bool svm_msr_read(struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr, uint64_t *value)
{
	*value = 0;
	switch (policy) {
	case SVM_MSR_STATE:
		return read_state(vcpu, msr, value);
	case SVM_MSR_SHADOW:
		return read_shadow(vcpu, msr, value);
	case SVM_MSR_PASS:
		return read_passed(vcpu, msr, value);
	case SVM_MSR_ZERO:
		return true;
	case SVM_MSR_DEVICE:
		return ask_device(vcpu, msr, false, value);
	case SVM_MSR_REFUSE:
	case SVM_MSR_EXIT:
		break;
	}
	return false;
}

bool svm_msr_write(struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr, uint64_t value)
{
	switch (policy) {
	case SVM_MSR_STATE:
		return write_state(vcpu, msr, value);
	case SVM_MSR_SHADOW:
		return write_shadow(vcpu, msr, value);
	case SVM_MSR_PASS:
		return write_passed(vcpu, msr, value);
	case SVM_MSR_ZERO:
		return true;
	case SVM_MSR_DEVICE:
		return ask_device(vcpu, msr, true, &value);
	case SVM_MSR_REFUSE:
	case SVM_MSR_EXIT:
		break;
	}
	return false;
}

int svm_vcpu_get_msr(struct svm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	uint64_t read;

	if (!svm_msr_read(vcpu, svm_msr_policy_of(&vcpu->vm->msr, msr), msr, &read))
		return SVM_ERR_NOENT;
	*value = read;
	return 0;
}

int svm_vcpu_set_msr(struct svm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		return SVM_ERR_STATE;
	if (!svm_msr_write(vcpu, svm_msr_policy_of(&vcpu->vm->msr, msr), msr, value))
		return SVM_ERR_INVAL;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_AUDIT);
	return 0;
}
