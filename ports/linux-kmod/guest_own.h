/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_GUEST_OWN_H
#define LIBSVM_LINUX_GUEST_OWN_H
/*
 * What the guest finds in KVM's machine beside the processor: registers, hypercalls, clocks.
 */
#include "guest.h"

/* Most that one call may carry; KVM's figure. */
#define GUEST_MSR_ENTRIES 256u

/* Numbers of Intel's, for which the library has no names. */
#define GUEST_MSR_TSC_ADJUST    0x3bu
#define GUEST_MSR_PLATFORM_INFO 0xceu
#define GUEST_MSR_MISC_ENABLE   0x1a0u

enum guest_msr_result {
	GUEST_MSR_DONE,
	GUEST_MSR_REFUSED,
	GUEST_MSR_ANOTHER, /* Not one of these. */
};

/* guest_msr_own.c */
enum guest_msr_result guest_msr_own_get(struct guest_vcpu *vcpu, u32 msr, bool by_guest,
                                        u64 *value);
enum guest_msr_result guest_msr_own_set(struct guest_vcpu *vcpu, u32 msr, bool by_guest,
                                        u64 value);
bool guest_has_mwait(struct guest_vcpu *vcpu);

/* guest_msr_exit.c; results as of settle_debt(). */
int guest_msr_exit(struct guest_vcpu *vcpu);
int guest_msr_complete(struct guest_vcpu *vcpu);

/* guest_msr_filter.c */
bool guest_msr_is_denied(struct guest *guest, u32 msr, bool is_write);
void guest_msr_filter_free(struct guest_msr_filter *filter);
long guest_msr_filter_set(struct guest *guest, void __user *user);

/* guest_mce.c */
void guest_mce_init(struct guest_vcpu *vcpu);
enum guest_msr_result guest_mce_get(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 *value);
enum guest_msr_result guest_mce_set(struct guest_vcpu *vcpu, u32 msr, bool by_guest, u64 value);
long guest_mce_supported(void __user *user);
long guest_mce_setup(struct guest_vcpu *vcpu, void __user *user);
long guest_mce_raise(struct guest_vcpu *vcpu, void __user *user);

/* guest_tsc.c: set by user space, written by the guest. */
u64 guest_tsc_get(struct guest_vcpu *vcpu);
void guest_tsc_set(struct guest_vcpu *vcpu, u64 value);
void guest_tsc_write(struct guest_vcpu *vcpu, u64 value);
void guest_tsc_write_adjust(struct guest_vcpu *vcpu, u64 value);
long guest_tsc_set_khz(unsigned long khz);

/* guest_clock.c; settle: as settle_debt(), before an entry. */
u32 guest_clock_flags(void); /* KVM_CLOCK_*, 0: no clock. */
u32 guest_clock_features(void);
int guest_clock_init(struct guest *guest);
void guest_clock_changed(struct guest *guest);
int guest_clock_settle(struct guest_vcpu *vcpu);

static inline bool guest_clock_is_due(const struct guest_vcpu *vcpu)
{
	return READ_ONCE(vcpu->clock_tries);
}

enum guest_msr_result guest_clock_get_msr(struct guest_vcpu *vcpu, u32 msr, u64 *value);
enum guest_msr_result guest_clock_set_msr(struct guest_vcpu *vcpu, u32 msr, bool by_guest,
                                          u64 value);
long guest_clock_get(struct guest *guest, void __user *user);
long guest_clock_set(struct guest *guest, void __user *user);

/* guest_msr_features.c: what can be known before there is a VM. */
long guest_msr_feature_list(void __user *user);
long guest_msr_features(void __user *user);

/* guest_hypercall.c; while the VM has no vCPU, with the library's errors; results as above. */
int guest_hypercall_start(struct guest *guest);
int guest_hypercall(struct guest_vcpu *vcpu);
int guest_undefined(struct guest_vcpu *vcpu);
int guest_mwait(struct guest_vcpu *vcpu);

/* guest_stats.c: a file of counters, of the VM or of a vCPU. */
long guest_stats_open(struct guest *guest, struct guest_vcpu *vcpu);

/* guest_caps.c */
int guest_set_boot_id(struct guest *guest, unsigned long id);
long guest_set_identity_map(struct guest *guest, void __user *user);
long guest_enable_cap(struct guest *guest, void __user *user);

#endif
