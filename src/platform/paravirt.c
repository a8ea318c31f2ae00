/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM's paravirtual interface: two structures in guest memory, each under a version that is odd
 * while it changes (Documentation/virt/kvm/x86/msr.rst).
 *
 *	struct pvclock_wall_clock { u32 version, sec, nsec; };
 *	struct pvclock_vcpu_time_info {
 *		u32 version, pad; u64 tsc_timestamp, system_time;
 *		u32 tsc_to_system_mul; s8 tsc_shift; u8 flags, pad[2];
 *	};
 *
 * Versions are counted here and not read back, so that the guest has no say in them.
 */
#include <libsvm/platform/paravirt.h>

#include "core/core.h"

#define MSR_WALL_CLOCK  0x4b564d00u
#define MSR_SYSTEM_TIME 0x4b564d01u
#define MSR_EOI         0x4b564d04u

#define PV_ENABLE    SVM_BIT(0)
#define PV_EOI_BITS  SVM_BIT(1) /* Reserved: addresses are multiples of 4. */
#define CLOCK_STABLE 0x01u
#define TSC_HZ_LEAST UINT64_C(1000)
#define TSC_HZ_MOST  UINT64_C(1000000000000)

/*
 * 10^9 / hz as 0.m × 2^shift with 32 bits of m, by long division: the fraction is first brought
 * between 1/2 and 1.
 */
void svm_paravirt_scale(uint64_t tsc_hz, uint32_t *multiplier, int8_t *shift)
{
	uint64_t top = SVM_NS_PER_S, bottom = tsc_hz, quotient = 0;
	int8_t s = 0;

	for (unsigned i = 0; i < 64 && top >= bottom; i++, s++)
		bottom *= 2;
	for (unsigned i = 0; i < 64 && top * 2 < bottom; i++, s--)
		top *= 2;
	for (unsigned i = 0; i < 33; i++) {
		quotient *= 2;
		if (top >= bottom) {
			top -= bottom;
			quotient++;
		}
		top *= 2;
	}
	*multiplier = (uint32_t)quotient;
	*shift = s;
}

int svm_paravirt_set_line(struct svm_paravirt *pv, uint64_t tsc_hz, uint64_t base_tsc,
                          uint64_t base_ns)
{
	if (tsc_hz < TSC_HZ_LEAST || tsc_hz > TSC_HZ_MOST)
		return SVM_ERR_INVAL;
	pv->config.tsc_hz = tsc_hz;
	pv->config.base_tsc = base_tsc;
	pv->config.base_ns = base_ns;
	svm_paravirt_scale(tsc_hz, &pv->multiplier, &pv->shift);
	return 0;
}

int svm_paravirt_init(struct svm_paravirt *pv, const struct svm_paravirt_config *config)
{
	const uint32_t features = config->features;

	if ((features & ~SVM_PARAVIRT_ALL) ||
	    ((features & SVM_PARAVIRT_CLOCK_STABLE) && !(features & SVM_PARAVIRT_CLOCK)) ||
	    ((features & SVM_PARAVIRT_TLB_FLUSH) && !(features & SVM_PARAVIRT_STEAL_TIME)))
		return SVM_ERR_INVAL;
	*pv = (struct svm_paravirt){ .config = *config };
	return svm_paravirt_set_line(pv, config->tsc_hz, config->base_tsc, config->base_ns);
}

void svm_paravirt_cpuid(const struct svm_paravirt *pv,
                        struct svm_cpuid_entry rows[SVM_PARAVIRT_ROWS])
{
	rows[0] = (struct svm_cpuid_entry){
		.leaf = SVM_PARAVIRT_LEAF,
		.eax = SVM_PARAVIRT_LEAF + 1,
		.ebx = 0x4b4d564b, /* "KVMKVMKVM" */
		.ecx = 0x564b4d56,
		.edx = 0x0000004d,
	};
	rows[1] = (struct svm_cpuid_entry){
		.leaf = SVM_PARAVIRT_LEAF + 1,
		.eax = pv->config.features,
	};
}

/* --- guest memory ---------------------------------------------------------------------------- */

static void store_field(uint8_t *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

/*
 * A structure whose first member is its version.  Three writes, in this order also for another
 * processor that reads meanwhile: x86 keeps the order of stores.
 */
static void publish_versioned(struct svm_vm *vm, svm_gpa_t gpa, uint8_t *bytes, size_t size,
                              uint32_t *version)
{
	store_field(bytes, *version + 1, 4);
	if (svm_vm_write(vm, gpa, bytes, 4, NULL) ||
	    svm_vm_write(vm, gpa + 4, bytes + 4, size - 4, NULL))
		return;
	*version += 2;
	store_field(bytes, *version, 4);
	(void)!svm_vm_write(vm, gpa, bytes, 4, NULL);
}

static void write_wall_clock(struct svm_paravirt *pv)
{
	uint8_t bytes[12];

	store_field(bytes + 4, pv->config.wall_ns / SVM_NS_PER_S, 4);
	store_field(bytes + 8, pv->config.wall_ns % SVM_NS_PER_S, 4);
	publish_versioned(pv->config.vm, pv->wall_gpa, bytes, sizeof(bytes), &pv->wall_version);
}

void svm_paravirt_update(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu)
{
	const bool is_stable = pv->config.features & SVM_PARAVIRT_CLOCK_STABLE;
	uint8_t bytes[32] = { 0 };

	if (!(vcpu->clock & PV_ENABLE))
		return;
	store_field(bytes + 8, pv->config.base_tsc, 8);
	store_field(bytes + 16, pv->config.base_ns, 8);
	store_field(bytes + 24, pv->multiplier, 4);
	store_field(bytes + 28, (uint8_t)pv->shift, 1);
	store_field(bytes + 29, is_stable ? CLOCK_STABLE : 0, 1);
	publish_versioned(pv->config.vm, vcpu->clock & ~PV_ENABLE, bytes, sizeof(bytes),
	                  &vcpu->clock_version);
}

/* --- registers ------------------------------------------------------------------------------- */

static uint32_t feature_of(uint32_t msr)
{
	switch (msr) {
	case MSR_WALL_CLOCK:
	case MSR_SYSTEM_TIME:
		return SVM_PARAVIRT_CLOCK;
	case MSR_EOI:
		return SVM_PARAVIRT_EOI;
	default:
		return 0;
	}
}

bool svm_paravirt_read_msr(const struct svm_paravirt *pv, const struct svm_paravirt_vcpu *vcpu,
                           uint32_t msr, uint64_t *value)
{
	if (!(pv->config.features & feature_of(msr)))
		return false;
	if (msr == MSR_WALL_CLOCK)
		*value = pv->wall_gpa;
	else
		*value = msr == MSR_SYSTEM_TIME ? vcpu->clock : vcpu->eoi;
	return true;
}

bool svm_paravirt_write_msr(struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu, uint32_t msr,
                            uint64_t value)
{
	if (!(pv->config.features & feature_of(msr)))
		return false;
	switch (msr) {
	case MSR_WALL_CLOCK:
		pv->wall_gpa = value;
		write_wall_clock(pv);
		return true;
	case MSR_SYSTEM_TIME:
		vcpu->clock = value;
		svm_paravirt_update(pv, vcpu);
		return true;
	default:
		if ((value & PV_ENABLE) && (value & PV_EOI_BITS))
			return false;
		vcpu->eoi = value;
		vcpu->eoi_offered = false;
		return true;
	}
}

/* --- the end of an interrupt ----------------------------------------------------------------- */

bool svm_paravirt_offer_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu)
{
	const uint8_t offer = 1;

	vcpu->eoi_offered = (vcpu->eoi & PV_ENABLE) &&
	                    !svm_vm_write(pv->config.vm, vcpu->eoi & ~PV_ENABLE, &offer, 1, NULL);
	return vcpu->eoi_offered;
}

/*
 * The guest clears bit 0 instead of writing the register.  A byte that is gone counts as cleared: a
 * guest that took it away would lose the end of an interrupt otherwise.
 */
static bool look_at_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu,
                        uint8_t *byte)
{
	const svm_gpa_t gpa = vcpu->eoi & ~PV_ENABLE;
	int error;

	*byte = 0;
	if (!vcpu->eoi_offered)
		return false;
	error = svm_vm_read(pv->config.vm, gpa, byte, 1, NULL);
	if (error == SVM_ERR_AGAIN || (!error && (*byte & 1)))
		return false;
	vcpu->eoi_offered = false;
	return true;
}

bool svm_paravirt_look_for_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu)
{
	uint8_t byte;

	return look_at_eoi(pv, vcpu, &byte);
}

bool svm_paravirt_take_eoi(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu)
{
	const svm_gpa_t gpa = vcpu->eoi & ~PV_ENABLE;
	uint8_t byte;

	if (look_at_eoi(pv, vcpu, &byte))
		return true;
	if (!(byte & 1))
		return false;
	byte &= (uint8_t)~1u;
	vcpu->eoi_offered = svm_vm_write(pv->config.vm, gpa, &byte, 1, NULL) == SVM_ERR_AGAIN;
	return false;
}

void svm_paravirt_reset_vcpu(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu)
{
	(void)svm_paravirt_take_eoi(pv, vcpu);
	vcpu->clock = 0;
	vcpu->eoi = 0;
	vcpu->eoi_offered = false;
}

/* --- saved state ----------------------------------------------------------------------------- */

void svm_paravirt_save(const struct svm_paravirt *pv, struct svm_paravirt_state *state)
{
	*state = (struct svm_paravirt_state){ pv->wall_gpa, pv->wall_version, 0 };
}

void svm_paravirt_save_vcpu(const struct svm_paravirt_vcpu *vcpu,
                            struct svm_paravirt_vcpu_state *state)
{
	*state = (struct svm_paravirt_vcpu_state){
		vcpu->clock, vcpu->eoi, vcpu->clock_version, vcpu->eoi_offered, { 0 }
	};
}

int svm_paravirt_restore(struct svm_paravirt *pv, const struct svm_paravirt_state *state)
{
	const struct svm_paravirt_state s = *state;

	if ((s.wall_version & 1) || s.reserved)
		return SVM_ERR_INVAL;
	if (!(pv->config.features & SVM_PARAVIRT_CLOCK) && (s.wall_gpa || s.wall_version))
		return SVM_ERR_INVAL;
	pv->wall_gpa = s.wall_gpa;
	pv->wall_version = s.wall_version;
	return 0;
}

/* A register without its feature is 0; an offer needs a place that was offered. */
static bool vcpu_state_is_legal(uint32_t features, const struct svm_paravirt_vcpu_state *s)
{
	if ((s->clock_version & 1) || s->eoi_offered > 1 || s->reserved[0] || s->reserved[1] ||
	    s->reserved[2])
		return false;
	if (!(features & SVM_PARAVIRT_CLOCK) && (s->clock || s->clock_version))
		return false;
	if (!(features & SVM_PARAVIRT_EOI) && s->eoi)
		return false;
	if ((s->eoi & PV_ENABLE) && (s->eoi & PV_EOI_BITS))
		return false;
	return !s->eoi_offered || (s->eoi & PV_ENABLE);
}

int svm_paravirt_restore_vcpu(const struct svm_paravirt *pv, struct svm_paravirt_vcpu *vcpu,
                              const struct svm_paravirt_vcpu_state *state)
{
	const struct svm_paravirt_vcpu_state s = *state;

	if (!vcpu_state_is_legal(pv->config.features, &s))
		return SVM_ERR_INVAL;
	*vcpu = (struct svm_paravirt_vcpu){ s.clock, s.eoi, s.clock_version, s.eoi_offered };
	return 0;
}
