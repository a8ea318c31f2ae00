/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Model-specific registers that the library does not have, or not as KVM has them.
 *
 * Three of them are no AMD processor's: KVM has them for every guest, and VMMs count on it.  They
 * do nothing, but that MISC_ENABLE can offer MONITOR and MWAIT to the guest, if user space has
 * switched the old habit off by which it did not.
 *
 * User space may set what the guest may not.
 */
#include <libsvm/msrs.h>

#include "guest.h"
#include "guest_own.h"

#define MSR_POWER_CTL 0x1fcu

#define MISC_ENABLE_MWAIT BIT_ULL(18)
#define LEAF7_TSC_ADJUST  BIT(1) /* EBX. */

static bool has_tsc_adjust(struct guest_vcpu *vcpu, bool by_guest)
{
	return !by_guest ||
	       (guest_cpuid_word(vcpu->guest, 7, GUEST_CPUID_EBX) & LEAF7_TSC_ADJUST);
}

enum guest_msr_result guest_msr_own_get(struct guest_vcpu *vcpu, u32 msr, bool by_guest,
                                        u64 *value)
{
	enum guest_msr_result result;

	switch (msr) {
	case SVM_MSR_TSC:
		*value = guest_tsc_get(vcpu);
		return GUEST_MSR_DONE;
	case GUEST_MSR_TSC_ADJUST:
		*value = vcpu->tsc_adjust;
		return has_tsc_adjust(vcpu, by_guest) ? GUEST_MSR_DONE : GUEST_MSR_REFUSED;
	case GUEST_MSR_PLATFORM_INFO:
		if (by_guest && READ_ONCE(vcpu->guest->hides_platform_info))
			return GUEST_MSR_REFUSED;
		*value = vcpu->platform_info;
		return GUEST_MSR_DONE;
	case GUEST_MSR_MISC_ENABLE:
		*value = vcpu->misc_enable;
		return GUEST_MSR_DONE;
	case MSR_POWER_CTL:
		*value = vcpu->power_ctl;
		return GUEST_MSR_DONE;
	default:
		break;
	}
	result = guest_mce_get(vcpu, msr, by_guest, value);
	return result == GUEST_MSR_ANOTHER ? guest_clock_get_msr(vcpu, msr, value) : result;
}

static enum guest_msr_result set_tsc(struct guest_vcpu *vcpu, bool by_guest, u64 value)
{
	if (by_guest)
		guest_tsc_write(vcpu, value);
	else
		guest_tsc_set(vcpu, value);
	return GUEST_MSR_DONE;
}

static enum guest_msr_result set_tsc_adjust(struct guest_vcpu *vcpu, bool by_guest, u64 value)
{
	if (!has_tsc_adjust(vcpu, by_guest))
		return GUEST_MSR_REFUSED;
	if (by_guest)
		guest_tsc_write_adjust(vcpu, value);
	else
		vcpu->tsc_adjust = value;
	return GUEST_MSR_DONE;
}

static enum guest_msr_result set_misc_enable(struct guest_vcpu *vcpu, u64 value)
{
	vcpu->misc_enable = value;
	if (READ_ONCE(vcpu->guest->quirks_off) & KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT) {
		vcpu->monitor_by_msr = true;
		svm_vcpu_show_monitor(vcpu->vcpu, value & MISC_ENABLE_MWAIT);
	}
	return GUEST_MSR_DONE;
}

enum guest_msr_result guest_msr_own_set(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 value)
{
	enum guest_msr_result result;

	switch (msr) {
	case SVM_MSR_TSC:
		return set_tsc(vcpu, by_guest, value);
	case GUEST_MSR_TSC_ADJUST:
		return set_tsc_adjust(vcpu, by_guest, value);
	case GUEST_MSR_PLATFORM_INFO:
		if (by_guest)
			return GUEST_MSR_REFUSED;
		vcpu->platform_info = value;
		return GUEST_MSR_DONE;
	case GUEST_MSR_MISC_ENABLE:
		return set_misc_enable(vcpu, value);
	case MSR_POWER_CTL:
		vcpu->power_ctl = value;
		return GUEST_MSR_DONE;
	default:
		break;
	}
	result = guest_mce_set(vcpu, msr, by_guest, value);
	return result == GUEST_MSR_ANOTHER ? guest_clock_set_msr(vcpu, msr, by_guest, value)
	                                   : result;
}

bool guest_has_mwait(struct guest_vcpu *vcpu)
{
	if (vcpu->monitor_by_msr)
		return vcpu->misc_enable & MISC_ENABLE_MWAIT;
	return guest_cpuid_word(vcpu->guest, 1, GUEST_CPUID_ECX) & BIT(3);
}
