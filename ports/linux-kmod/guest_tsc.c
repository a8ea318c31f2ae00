/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's TSC: an offset to the host's, and TSC_ADJUST.
 *
 * VMMs set the TSC of one vCPU after the other to the same value.  Taken literally the guest would
 * find them apart by the time between the calls, and give the TSC up as a clock.  So a value that
 * is what an earlier one would be by now, give or take a second, gets the earlier one's offset; and
 * so does 0, with which vCPUs begin, once there is an earlier one.
 *
 * The guest's own writes move both registers by the same amount; user space moves one at a time.
 */
#include <asm/msr.h>
#include <asm/tsc.h>

#include "guest.h"
#include "guest_own.h"
#include "hal.h"

/* Parts in a million by which a wish may differ from what there is; KVM's figure. */
#define TOLERANCE 250u

u64 guest_tsc_get(struct guest_vcpu *vcpu)
{
	return rdtsc() + vcpu->tsc_offset;
}

/* The clock's page depends on it, and whether all of them are equal. */
static void set_offset(struct guest_vcpu *vcpu, u64 offset)
{
	WRITE_ONCE(vcpu->tsc_offset, offset);
	svm_vcpu_set_tsc_offset(vcpu->vcpu, offset);
	guest_clock_changed(vcpu->guest);
}

void guest_tsc_set(struct guest_vcpu *vcpu, u64 value)
{
	struct guest *const guest = vcpu->guest;
	const u64 second = tsc_khz * 1000ull;
	u64 now, expected;
	bool follows;

	mutex_lock(&guest->tsc_lock);
	now = rdtsc();
	expected = guest->tsc_value + (now - guest->tsc_at);
	follows = guest->tsc_set && (!value || value + second - expected <= 2 * second);
	if (!follows) {
		guest->tsc_offset = value - now;
		guest->tsc_value = value;
		guest->tsc_at = now;
		guest->tsc_set = true;
	}
	set_offset(vcpu, guest->tsc_offset);
	mutex_unlock(&guest->tsc_lock);
}

static void move(struct guest_vcpu *vcpu, u64 by)
{
	set_offset(vcpu, vcpu->tsc_offset + by);
	vcpu->tsc_adjust += by;
}

void guest_tsc_write(struct guest_vcpu *vcpu, u64 value)
{
	move(vcpu, value - guest_tsc_get(vcpu));
}

void guest_tsc_write_adjust(struct guest_vcpu *vcpu, u64 value)
{
	move(vcpu, value - vcpu->tsc_adjust);
}

/* The processor's frequency is what there is: no scaling here. */
long guest_tsc_set_khz(unsigned long khz)
{
	const u64 slack = (u64)tsc_khz * TOLERANCE / 1000000;

	if (!khz)
		return 0;
	return khz >= tsc_khz - slack && khz <= tsc_khz + slack ? 0 : -EINVAL;
}
