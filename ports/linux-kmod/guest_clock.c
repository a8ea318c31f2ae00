/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The clock of a VM, in nanoseconds since it was made, for user space and for the guest.
 *
 * It is a straight line through one moment, drawn with the host's TSC: user space reads it here,
 * the guest from a page in its memory with the same multiplier, so both always agree.  A host whose
 * TSC cannot be trusted offers neither.
 *
 * The page is written before a vCPU enters its guest, by its own thread, since that may have to
 * wait for memory.
 */
#include <linux/math64.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

/* Memory can be taken away again before it is written to; who gives no memory has no clock. */
#define TRIES 8u

#define OLD_WALL_CLOCK  0x11u
#define OLD_SYSTEM_TIME 0x12u
#define WALL_CLOCK      SVM_PARAVIRT_MSR_FIRST
#define SYSTEM_TIME     (SVM_PARAVIRT_MSR_FIRST + 1)
#define ENABLED         1u

#define FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

u32 guest_clock_flags(void)
{
	if (check_tsc_unstable())
		return 0;
	return FLAGS;
}

u32 guest_clock_features(void)
{
	return check_tsc_unstable() ? 0 : SVM_PARAVIRT_CLOCK | SVM_PARAVIRT_CLOCK_STABLE;
}

int guest_clock_init(struct guest *guest)
{
	const struct svm_paravirt_config config = {
		.vm = guest->vm,
		.features = SVM_PARAVIRT_CLOCK | SVM_PARAVIRT_CLOCK_STABLE,
		.tsc_hz = hal_table()->tsc_hz,
	};

	mutex_init(&guest->clock_lock);
	guest->clock_base_tsc = rdtsc();
	return hal_errno(svm_paravirt_init(&guest->paravirt, &config));
}

/* What a guest computes from its page. */
static u64 clock_at(const struct guest *guest, u64 tsc)
{
	const struct svm_paravirt *const pv = &guest->paravirt;
	u64 delta = tsc - guest->clock_base_tsc;

	delta = pv->shift < 0 ? delta >> -pv->shift : delta << pv->shift;
	return guest->clock_base_ns + mul_u64_u32_shr(delta, pv->multiplier, 32);
}

/* The same TSC and the same line for all of them, as the guest may read any page. */
static bool tscs_are_equal(const struct guest *guest)
{
	const u64 common = READ_ONCE(guest->tsc_offset);
	unsigned int i;

	for (i = 0; i < GUEST_VCPUS; i++) {
		const struct guest_vcpu *const vcpu = guest_vcpu_at(guest, i);

		if (vcpu && READ_ONCE(vcpu->tsc_offset) != common)
			return false;
	}
	return true;
}

/* --- the guest's page ------------------------------------------------------------------------- */

void guest_clock_changed(struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < GUEST_VCPUS; i++) {
		struct guest_vcpu *const vcpu = guest_vcpu_at(guest, i);

		if (!vcpu)
			continue;
		WRITE_ONCE(vcpu->clock_tries, TRIES);
		svm_vcpu_kick(vcpu->vcpu);
	}
}

static int draw_line(struct guest_vcpu *vcpu)
{
	struct guest *const guest = vcpu->guest;
	struct svm_paravirt *const pv = &guest->paravirt;

	pv->config.features = SVM_PARAVIRT_CLOCK;
	if (tscs_are_equal(guest))
		pv->config.features |= SVM_PARAVIRT_CLOCK_STABLE;
	return svm_paravirt_set_line(pv, pv->config.tsc_hz,
	                             guest->clock_base_tsc + READ_ONCE(vcpu->tsc_offset),
	                             guest->clock_base_ns);
}

int guest_clock_settle(struct guest_vcpu *vcpu)
{
	struct guest *const guest = vcpu->guest;
	const u32 tries = READ_ONCE(vcpu->clock_tries);
	const u32 version = vcpu->paravirt.clock_version;
	int error = 0;

	if (!tries)
		return 1;
	WRITE_ONCE(vcpu->clock_tries, 0);
	if (!(vcpu->paravirt.clock & ENABLED))
		return 1;
	(void)guest_memory_fault(guest, vcpu->paravirt.clock, SVM_PROT_WRITE);
	mutex_lock(&guest->clock_lock);
	error = draw_line(vcpu);
	if (!error)
		svm_paravirt_update(&guest->paravirt, &vcpu->paravirt);
	mutex_unlock(&guest->clock_lock);
	if (vcpu->paravirt.clock_version == version)
		WRITE_ONCE(vcpu->clock_tries, tries - 1);
	return error ? hal_errno(error) : 1;
}

static bool write_wall_clock(struct guest_vcpu *vcpu, u64 value)
{
	struct guest *const guest = vcpu->guest;
	struct svm_paravirt *const pv = &guest->paravirt;
	bool done;

	(void)guest_memory_fault(guest, value, SVM_PROT_WRITE);
	mutex_lock(&guest->clock_lock);
	pv->config.wall_ns = ktime_get_real_ns() - clock_at(guest, rdtsc());
	done = svm_paravirt_write_msr(pv, &vcpu->paravirt, WALL_CLOCK, value);
	mutex_unlock(&guest->clock_lock);
	return done;
}

static u32 new_number(u32 msr)
{
	return msr == OLD_WALL_CLOCK ? WALL_CLOCK : msr == OLD_SYSTEM_TIME ? SYSTEM_TIME : msr;
}

enum guest_msr_result guest_clock_get_msr(struct guest_vcpu *vcpu, u32 msr, u64 *value)
{
	switch (new_number(msr)) {
	case WALL_CLOCK:
		*value = READ_ONCE(vcpu->guest->paravirt.wall_gpa);
		return GUEST_MSR_DONE;
	case SYSTEM_TIME:
		*value = vcpu->paravirt.clock;
		return GUEST_MSR_DONE;
	default:
		return GUEST_MSR_ANOTHER;
	}
}

/* User space writes 0 to turn them off, and that on any host. */
enum guest_msr_result guest_clock_set_msr(struct guest_vcpu *vcpu, u32 msr, bool by_guest,
                                          u64 value)
{
	const u32 number = new_number(msr);

	if (number != WALL_CLOCK && number != SYSTEM_TIME)
		return GUEST_MSR_ANOTHER;
	if ((by_guest || value) && !guest_clock_features())
		return GUEST_MSR_REFUSED;
	if (number == WALL_CLOCK) {
		if (!by_guest && !value)
			return GUEST_MSR_DONE;
		return write_wall_clock(vcpu, value) ? GUEST_MSR_DONE : GUEST_MSR_REFUSED;
	}
	vcpu->paravirt.clock = value;
	WRITE_ONCE(vcpu->clock_tries, TRIES);
	return GUEST_MSR_DONE;
}

/* --- user space ------------------------------------------------------------------------------- */

long guest_clock_get(struct guest *guest, void __user *user)
{
	struct kvm_clock_data out = { 0 };
	unsigned long flags;
	u64 tsc;

	mutex_lock(&guest->clock_lock);
	local_irq_save(flags);
	tsc = rdtsc_ordered();
	out.realtime = ktime_get_real_ns();
	local_irq_restore(flags);
	out.clock = clock_at(guest, tsc);
	mutex_unlock(&guest->clock_lock);
	out.host_tsc = tsc;
	out.flags = guest_clock_flags();
	if (!tscs_are_equal(guest))
		out.flags &= ~KVM_CLOCK_TSC_STABLE;
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

long guest_clock_set(struct guest *guest, void __user *user)
{
	struct kvm_clock_data in;
	u64 now;

	if (copy_from_user(&in, user, sizeof(in)))
		return -EFAULT;
	if (in.flags & ~FLAGS)
		return -EINVAL; /* Whoever gives back what it was given gives all of them. */
	mutex_lock(&guest->clock_lock);
	now = ktime_get_real_ns();
	guest->clock_base_tsc = rdtsc_ordered();
	guest->clock_base_ns = in.clock;
	/* It goes on for the time that the VM was away, but not back. */
	if ((in.flags & KVM_CLOCK_REALTIME) && now > in.realtime)
		guest->clock_base_ns += now - in.realtime;
	mutex_unlock(&guest->clock_lock);
	guest_clock_changed(guest);
	return 0;
}
