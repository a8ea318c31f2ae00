/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Machine checks: banks of registers for each vCPU, and errors that user space has happen there.
 *
 * No error of the machine's gets here: the kernel takes those, and tells a VMM of its memory that
 * is gone by SIGBUS, which the VMM passes on (KVM_X86_SET_MCE).  A vCPU has 32 banks, as one of
 * KVM's, until user space says otherwise.
 *
 * APM vol. 2, chapter 9: a bank has four registers, control, status, address and the rest.  User
 * space may set what the guest may not.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <asm/mce.h>

#include <libsvm/msrs.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

#define BANKS_FIRST    SVM_MSR_MC0_CTL
#define BANK_REGISTERS 4u
#define BANK_CTL       0u
#define BANK_STATUS    1u
#define BANK_ADDR      2u
#define BANK_MISC      3u

/* What KVM says on any processor; AMD's registers have no more than CTL_P and the count. */
#define SUPPORTED (MCG_CTL_P | MCG_SER_P)
#define EXTENDED  GENMASK_ULL(23, 16) /* A number of registers of Intel's: KVM lets it be any. */

#define VECTOR_MC      18u
#define CR4_MCE        BIT(6)
#define HWCR_STATUS_WR BIT(18)

/* Guests leave one bit of a bank out: 10 on AMD's first of 64 bits, 0 on old ones of Intel's. */
#define CTL_SPARED (BIT_ULL(10) | BIT_ULL(0))

static u32 bank_count(const struct guest_vcpu *vcpu)
{
	return vcpu->mcg_cap & MCG_BANKCNT_MASK;
}

/* NULL: there is no such bank. */
static u64 *bank_register(struct guest_vcpu *vcpu, u32 msr)
{
	const u32 count = bank_count(vcpu) * BANK_REGISTERS, n = msr - BANKS_FIRST;

	if (msr < BANKS_FIRST || n >= count)
		return NULL;
	return &vcpu->mce_banks[array_index_nospec(n, count)];
}

/* --- registers -------------------------------------------------------------------------------- */

enum guest_msr_result guest_mce_get(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 *value)
{
	const u64 *const kept = bank_register(vcpu, msr);

	if (msr == SVM_MSR_MCG_CAP) {
		*value = vcpu->mcg_cap;
	} else if (msr == SVM_MSR_MCG_STATUS) {
		*value = vcpu->mcg_status;
	} else if (msr == SVM_MSR_MCG_CTL) {
		if (by_guest && !(vcpu->mcg_cap & MCG_CTL_P))
			return GUEST_MSR_REFUSED;
		*value = vcpu->mcg_ctl;
	} else if (kept) {
		*value = *kept;
	} else {
		return GUEST_MSR_ANOTHER;
	}
	return GUEST_MSR_DONE;
}

static bool may_write_status(struct guest_vcpu *vcpu)
{
	uint64_t hwcr = 0;

	return !svm_vcpu_get_msr(vcpu->vcpu, SVM_MSR_HWCR, &hwcr) && (hwcr & HWCR_STATUS_WR);
}

static bool is_legal_in_bank(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 value)
{
	switch ((msr - BANKS_FIRST) % BANK_REGISTERS) {
	case BANK_CTL:
		return !value || (value | CTL_SPARED) == ~0ull;
	case BANK_STATUS:
		return !by_guest || !value || may_write_status(vcpu);
	default:
		return true;
	}
}

static bool is_legal_ctl(const struct guest_vcpu *vcpu, bool by_guest, u64 value)
{
	if (!(vcpu->mcg_cap & MCG_CTL_P) && (by_guest || value))
		return false;
	return !value || value == ~0ull;
}

enum guest_msr_result guest_mce_set(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 value)
{
	u64 *const kept = bank_register(vcpu, msr);

	if (msr == SVM_MSR_MCG_CAP) {
		return GUEST_MSR_REFUSED;
	} else if (msr == SVM_MSR_MCG_STATUS) {
		vcpu->mcg_status = value;
	} else if (msr == SVM_MSR_MCG_CTL) {
		if (!is_legal_ctl(vcpu, by_guest, value))
			return GUEST_MSR_REFUSED;
		vcpu->mcg_ctl = value;
	} else if (kept) {
		if (!is_legal_in_bank(vcpu, msr, by_guest, value))
			return GUEST_MSR_REFUSED;
		*kept = value;
	} else {
		return GUEST_MSR_ANOTHER;
	}
	return GUEST_MSR_DONE;
}

/* --- calls ------------------------------------------------------------------------------------ */

void guest_mce_init(struct guest_vcpu *vcpu)
{
	vcpu->mcg_cap = GUEST_MCE_BANKS;
}

long guest_mce_supported(void __user *user)
{
	const u64 supported = SUPPORTED;

	return copy_to_user(user, &supported, sizeof(supported)) ? -EFAULT : 0;
}

long guest_mce_setup(struct guest_vcpu *vcpu, void __user *user)
{
	u64 cap;
	u32 i;

	if (copy_from_user(&cap, user, sizeof(cap)))
		return -EFAULT;
	if (cap & ~(SUPPORTED | MCG_BANKCNT_MASK | EXTENDED))
		return -EINVAL;
	if (!(cap & MCG_BANKCNT_MASK) || (cap & MCG_BANKCNT_MASK) > GUEST_MCE_BANKS)
		return -EINVAL;
	vcpu->mcg_cap = cap & (MCG_CTL_P | MCG_BANKCNT_MASK);
	if (cap & MCG_CTL_P)
		vcpu->mcg_ctl = ~0ull;
	for (i = 0; i < bank_count(vcpu); i++)
		vcpu->mce_banks[i * BANK_REGISTERS + BANK_CTL] = ~0ull;
	return 0;
}

static bool takes_machine_checks(struct guest_vcpu *vcpu)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu->vcpu, &system);
	return (system.cr4 & CR4_MCE) && !(vcpu->mcg_status & MCG_STATUS_MCIP);
}

static void fill_bank(u64 *bank, const struct kvm_x86_mce *mce)
{
	const u64 overflow = bank[BANK_STATUS] & MCI_STATUS_VAL ? MCI_STATUS_OVER : 0;

	bank[BANK_ADDR] = mce->addr;
	bank[BANK_MISC] = mce->misc;
	bank[BANK_STATUS] = mce->status | overflow;
}

/* One that is not switched on is not told; one within the handler of another is the end. */
static long not_corrected(struct guest_vcpu *vcpu, u64 *bank, const struct kvm_x86_mce *mce)
{
	if (((vcpu->mcg_cap & MCG_CTL_P) && vcpu->mcg_ctl != ~0ull) || bank[BANK_CTL] != ~0ull)
		return 0;
	if (!takes_machine_checks(vcpu)) {
		vcpu->mce_ends_it = true;
		return 0;
	}
	fill_bank(bank, mce);
	vcpu->mcg_status = mce->mcg_status;
	return hal_errno(svm_vcpu_inject_exception(vcpu->vcpu, VECTOR_MC, 0, 0));
}

long guest_mce_raise(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_x86_mce mce;
	u64 *bank;

	if (copy_from_user(&mce, user, sizeof(mce)))
		return -EFAULT;
	if (mce.bank >= bank_count(vcpu) || !(mce.status & MCI_STATUS_VAL))
		return -EINVAL;
	bank = &vcpu->mce_banks[array_index_nospec(mce.bank, bank_count(vcpu)) * BANK_REGISTERS];
	if (mce.status & MCI_STATUS_UC)
		return not_corrected(vcpu, bank, &mce);
	/* What was not corrected stays to be read. */
	if ((bank[BANK_STATUS] & MCI_STATUS_VAL) && (bank[BANK_STATUS] & MCI_STATUS_UC))
		bank[BANK_STATUS] |= MCI_STATUS_OVER;
	else
		fill_bank(bank, &mce);
	return 0;
}
