/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The registers of a local APIC, by memory and by MSR.  APM vol. 2, tables 16-2 and 16-6.
 *
 * Both ways reach the same registers under the same number: offset / 16 or MSR - 800h.  They differ
 * in what is wrong: in xAPIC mode a register that does not exist sets a bit in ESR, reserved bits
 * are dropped; in x2APIC mode both are #GP, and so are reads of what is write-only.
 */
#include "lapic.h"

#define X2APIC_FIRST 0x800u

/* AMD's version with 6 entries in the local vector table: 5 is the highest.  16.3.4. */
#define LAPIC_VERSION 0x00050010u

#define X2APIC_ICR_RESERVED 0xfff32000u /* In x2APIC mode; bit 12 is read-only. */

enum lapic_register {
	APIC_REG_ID = 0x02,
	APIC_REG_VERSION = 0x03,
	APIC_REG_TPR = 0x08,
	APIC_REG_APR = 0x09,
	APIC_REG_PPR = 0x0a,
	APIC_REG_EOI = 0x0b,
	APIC_REG_REMOTE_READ = 0x0c,
	APIC_REG_LDR = 0x0d,
	APIC_REG_DFR = 0x0e,
	APIC_REG_SVR = 0x0f,
	APIC_REG_ISR = 0x10,
	APIC_REG_TMR = 0x18,
	APIC_REG_IRR = 0x20,
	APIC_REG_ESR = 0x28,
	APIC_REG_ICR_LOW = 0x30,
	APIC_REG_ICR_HIGH = 0x31,
	APIC_REG_LVT_TIMER = 0x32,
	APIC_REG_LVT_THERMAL = 0x33,
	APIC_REG_LVT_PERF = 0x34,
	APIC_REG_LVT_LINT0 = 0x35,
	APIC_REG_LVT_LINT1 = 0x36,
	APIC_REG_LVT_ERROR = 0x37,
	APIC_REG_INITIAL_COUNT = 0x38,
	APIC_REG_CURRENT_COUNT = 0x39,
	APIC_REG_DIVIDE = 0x3e,
	APIC_REG_SELF_IPI = 0x3f,
};

#define BY_MMIO       (LAPIC_MMIO_READ | LAPIC_MMIO_WRITE)
#define BY_BOTH_READ  (LAPIC_MMIO_READ | LAPIC_MSR_READ)
#define BY_BOTH_WRITE (LAPIC_MMIO_WRITE | LAPIC_MSR_WRITE)
#define BY_BOTH       (BY_BOTH_READ | BY_BOTH_WRITE)
#define OF_TIME       LAPIC_OF_TIME
#define OF_TIMER      (LAPIC_OF_TIME | LAPIC_OF_TIMER)
#define OF_OWNER      LAPIC_OF_OWNER
#define IS_KEPT       LAPIC_IS_KEPT

#define AT(member)    offsetof(struct svm_lapic, member)
#define AT_LVT(entry) (AT(lvt) + sizeof(uint32_t) * SVM_LAPIC_LVT_##entry)

#define LVT_BITS         (APIC_LVT_MASKED | APIC_LVT_MODE | APIC_LVT_VECTOR)
#define LINT_BITS        (LVT_BITS | APIC_LVT_LEVEL | 0x2000u) /* And polarity. */
#define TIMER_BITS       (APIC_LVT_MASKED | APIC_LVT_TIMER | APIC_LVT_VECTOR)
#define LVT_TSC_DEADLINE 0x40000u /* Of the timer's mode. */

/*
 * A write to a register that can be read only is dropped in memory and #GP by MSR.  LINT0 and LINT1
 * are computed, since a bit of theirs is others' to set.
 */
const struct svm_lapic_rule svm_lapic_rules[LAPIC_REGISTERS] = {
	[APIC_REG_ID] = { BY_BOTH_READ, AT(id), 0 },
	[APIC_REG_VERSION] = { BY_BOTH_READ, 0, 0 },
	[APIC_REG_TPR] = { BY_BOTH | OF_OWNER, AT(tpr), 0xff },
	[APIC_REG_APR] = { BY_BOTH_READ | OF_TIME, 0, 0 },
	[APIC_REG_PPR] = { BY_BOTH_READ, AT(ppr), 0 },
	[APIC_REG_EOI] = { BY_BOTH_WRITE | OF_OWNER, 0, 0 },
	[APIC_REG_REMOTE_READ] = { LAPIC_MMIO_READ, 0, 0 },
	[APIC_REG_LDR] = { BY_MMIO | LAPIC_MSR_READ | IS_KEPT, AT(ldr), APIC_TOP_BYTE },
	[APIC_REG_DFR] = { BY_MMIO, AT(dfr), 0xf0000000 },
	[APIC_REG_SVR] = { BY_BOTH | OF_TIME | OF_OWNER, AT(svr), APIC_SVR_BITS },
	[APIC_REG_ISR... APIC_REG_IRR + 7] = { BY_BOTH_READ | OF_TIME, 0, 0 },
	[APIC_REG_ESR] = { BY_BOTH | OF_TIME, AT(esr), 0 },
	[APIC_REG_ICR_LOW] = { BY_BOTH, AT(icr_low), 0xffffffff },
	[APIC_REG_ICR_HIGH] = { BY_MMIO | IS_KEPT, AT(icr_high), APIC_TOP_BYTE },
	[APIC_REG_LVT_TIMER] = { BY_BOTH | OF_TIMER, AT_LVT(TIMER), TIMER_BITS },
	[APIC_REG_LVT_THERMAL] = { BY_BOTH | IS_KEPT, AT_LVT(THERMAL), LVT_BITS },
	[APIC_REG_LVT_PERF] = { BY_BOTH | IS_KEPT, AT_LVT(PERF), LVT_BITS },
	[APIC_REG_LVT_LINT0... APIC_REG_LVT_LINT1] = { BY_BOTH | OF_OWNER, 0, LINT_BITS },
	[APIC_REG_LVT_ERROR] = { BY_BOTH | OF_TIME | IS_KEPT, AT_LVT(ERROR), LVT_BITS },
	[APIC_REG_INITIAL_COUNT] = { BY_BOTH | OF_TIMER, AT(initial_count), 0xffffffff },
	[APIC_REG_CURRENT_COUNT] = { BY_BOTH_READ | OF_TIME, 0, 0 },
	[APIC_REG_DIVIDE] = { BY_BOTH | OF_TIMER, AT(divide), APIC_DIVIDE_BITS },
	[APIC_REG_SELF_IPI] = { LAPIC_MSR_WRITE, 0, 0xff },
};

static bool is_lvt(unsigned reg)
{
	return reg >= APIC_REG_LVT_TIMER && reg <= APIC_REG_LVT_ERROR;
}

static inline uint32_t writable_apic_bits(const struct svm_lapic *lapic, unsigned reg)
{
	const uint32_t bits = svm_lapic_rules[reg].writable;

	if (reg == APIC_REG_LVT_TIMER && !lapic->config.has_tsc_deadline)
		return bits & ~LVT_TSC_DEADLINE;
	return bits;
}

uint32_t svm_lapic_lvt_mask(const struct svm_lapic *lapic, enum svm_lapic_lvt entry)
{
	return writable_apic_bits(lapic, APIC_REG_LVT_TIMER + entry);
}

/* --- reading ------------------------------------------------------------------------------ */

/* What an APIC says when destinations are compared: the highest of all its priorities.  16.6.2. */
static uint32_t arbitration_priority(const struct svm_lapic *lapic)
{
	uint32_t best = svm_lapic_ppr(lapic);

	for (unsigned i = 0; i < 8; i++) {
		const uint32_t word = svm_atomic_load(&lapic->irr[7 - i]);
		const uint32_t high = 32 * (7 - i) + (word >> 16 ? 16 : 0);

		if (!word)
			continue;
		return high >> 4 > best >> 4 ? high : best;
	}
	return best;
}

/* Whether the pin's last interrupt has ended is not the owner's to store. */
static uint32_t read_lint(const struct svm_lapic *lapic, unsigned pin)
{
	const bool is_busy = svm_atomic_load(&lapic->lint_busy) & (UINT32_C(1) << pin);

	return svm_lapic_lvt(lapic, (enum svm_lapic_lvt)(SVM_LAPIC_LVT_LINT0 + pin)) |
	       (is_busy ? APIC_LVT_BUSY : 0);
}

static uint32_t read_apic_vectors(const struct svm_lapic *lapic, unsigned reg)
{
	if (reg < APIC_REG_TMR)
		return lapic->isr[reg & 7];
	return svm_atomic_load(reg < APIC_REG_IRR ? &lapic->tmr[reg & 7] : &lapic->irr[reg & 7]);
}

static uint32_t compute_register(const struct svm_lapic *lapic, unsigned reg,
                                 struct svm_lapic_time now)
{
	switch (reg) {
	case APIC_REG_VERSION:
		return LAPIC_VERSION;
	case APIC_REG_APR:
		return arbitration_priority(lapic);
	case APIC_REG_ISR ... APIC_REG_IRR + 7:
		return read_apic_vectors(lapic, reg);
	case APIC_REG_LVT_LINT0:
	case APIC_REG_LVT_LINT1:
		return read_lint(lapic, reg - APIC_REG_LVT_LINT0);
	case APIC_REG_CURRENT_COUNT:
		return svm_lapic_timer_current(lapic, now);
	default:
		return 0;
	}
}

static uint32_t read_apic_register(const struct svm_lapic *lapic, unsigned reg,
                                   struct svm_lapic_time now)
{
	return svm_lapic_rules[reg].at ? svm_lapic_load(lapic, reg)
	                               : compute_register(lapic, reg, now);
}

/* --- writing ------------------------------------------------------------------------------ */

/* An APIC that software disables masks all its entries, and they stay masked.  16.3.2. */
static void write_svr(struct svm_lapic *lapic, uint32_t value)
{
	svm_atomic_store(&lapic->svr, value);
	if (value & APIC_SVR_ENABLE)
		return;
	for (unsigned i = 0; i < SVM_LAPIC_LVT_COUNT; i++)
		svm_atomic_or(&lapic->lvt[i], APIC_LVT_MASKED);
}

static void write_lvt(struct svm_lapic *lapic, unsigned reg, uint32_t value)
{
	if (!(lapic->svr & APIC_SVR_ENABLE))
		value |= APIC_LVT_MASKED;
	if (reg == APIC_REG_LVT_TIMER) {
		svm_lapic_timer_write_lvt(lapic, value);
		return;
	}
	svm_atomic_store(&lapic->lvt[reg - APIC_REG_LVT_TIMER], value);
	if (reg == APIC_REG_LVT_LINT0 || reg == APIC_REG_LVT_LINT1)
		svm_lapic_recheck_lint(lapic, reg - APIC_REG_LVT_LINT0);
}

/* The errors found since the last write become readable, and the next one interrupts again. */
static void write_esr(struct svm_lapic *lapic)
{
	lapic->esr = svm_atomic_exchange(&lapic->errors, 0);
}

/* The value is cut to the bits that the register has; the register can be written. */
static void write_apic_register(struct svm_lapic *lapic, unsigned reg, uint32_t value,
                                struct svm_lapic_time now)
{
	switch (reg) {
	case APIC_REG_TPR:
		lapic->tpr = value;
		svm_lapic_update_ppr(lapic);
		break;
	case APIC_REG_EOI:
		svm_lapic_eoi(lapic);
		break;
	case APIC_REG_LDR:
		svm_atomic_store(&lapic->ldr, value);
		break;
	case APIC_REG_DFR:
		svm_atomic_store(&lapic->dfr, value | APIC_DFR_FIXED);
		break;
	case APIC_REG_SVR:
		write_svr(lapic, value);
		break;
	case APIC_REG_ESR:
		write_esr(lapic);
		break;
	case APIC_REG_ICR_LOW:
		svm_lapic_write_icr(lapic, value, lapic->icr_high >> 24);
		break;
	case APIC_REG_ICR_HIGH:
		lapic->icr_high = value;
		break;
	case APIC_REG_LVT_TIMER ... APIC_REG_LVT_ERROR:
		write_lvt(lapic, reg, value);
		break;
	case APIC_REG_INITIAL_COUNT:
		svm_lapic_timer_write_initial(lapic, value, now);
		break;
	case APIC_REG_DIVIDE:
		svm_lapic_timer_write_divide(lapic, value, now);
		break;
	case APIC_REG_SELF_IPI:
		svm_lapic_write_self_ipi(lapic, (uint8_t)value);
		break;
	default:
		break;
	}
}

/* --- by memory ---------------------------------------------------------------------------- */

/* One that does not exist is an error of the guest.  16.4.5. */
static inline bool exists_in_memory(unsigned reg)
{
	return reg < LAPIC_REGISTERS && (svm_lapic_rules[reg].ways & BY_MMIO);
}

static uint64_t ones_of_size(unsigned size)
{
	return size < 8 ? (UINT64_C(1) << (8 * (size & 7))) - 1 : UINT64_MAX;
}

uint64_t svm_lapic_read(struct svm_lapic *lapic, uint32_t offset, unsigned size,
                        struct svm_lapic_time now)
{
	const unsigned reg = (offset & (SVM_LAPIC_SIZE - 1)) / 16;
	const unsigned byte = offset & 15;

	svm_lapic_advance(lapic, now);
	if (!svm_lapic_is_in_memory(lapic))
		return ones_of_size(size);
	if (byte >= 4)
		return 0;
	if (!exists_in_memory(reg)) {
		svm_lapic_record_error(lapic, APIC_ESR_REGISTER);
		return 0;
	}
	return ((uint64_t)read_apic_register(lapic, reg, now) >> (8 * byte)) & ones_of_size(size);
}

void svm_lapic_put(struct svm_lapic *lapic, unsigned reg, uint32_t value, struct svm_lapic_time now)
{
	write_apic_register(lapic, reg, value & writable_apic_bits(lapic, reg), now);
}

void svm_lapic_write(struct svm_lapic *lapic, uint32_t offset, unsigned size, uint64_t value,
                     struct svm_lapic_time now)
{
	const unsigned reg = (offset & (SVM_LAPIC_SIZE - 1)) / 16;

	svm_lapic_advance(lapic, now);
	if (!svm_lapic_is_in_memory(lapic) || (offset & 15) || size != 4)
		return;
	if (!exists_in_memory(reg))
		svm_lapic_record_error(lapic, APIC_ESR_REGISTER);
	else if (svm_lapic_rules[reg].ways & LAPIC_MMIO_WRITE)
		svm_lapic_put(lapic, reg, (uint32_t)value, now);
}

/* --- by MSR ------------------------------------------------------------------------------- */

static bool allows_msr(const struct svm_lapic *lapic, uint32_t msr, unsigned way)
{
	return svm_lapic_has_base(lapic, APIC_BASE_X2APIC) && msr >= X2APIC_FIRST &&
	       msr < X2APIC_FIRST + LAPIC_REGISTERS &&
	       (svm_lapic_rules[msr - X2APIC_FIRST].ways & way);
}

bool svm_lapic_read_msr(struct svm_lapic *lapic, uint32_t msr, uint64_t *value,
                        struct svm_lapic_time now)
{
	if (!allows_msr(lapic, msr, LAPIC_MSR_READ))
		return false;
	svm_lapic_advance(lapic, now);
	*value = read_apic_register(lapic, msr - X2APIC_FIRST, now);
	if (msr == X2APIC_FIRST + APIC_REG_ICR_LOW)
		*value |= (uint64_t)lapic->icr_high << 32;
	return true;
}

/* ICR alone is 64 bits wide: the destination is its upper half. */
static bool write_wide_icr(struct svm_lapic *lapic, uint64_t value)
{
	if (value & X2APIC_ICR_RESERVED)
		return false;
	lapic->icr_high = (uint32_t)(value >> 32);
	svm_lapic_write_icr(lapic, (uint32_t)value, lapic->icr_high);
	return true;
}

/* Bits that are read-only and not reserved: delivery status of all, remote IRR of LINT0, LINT1. */
static uint32_t read_only_bits(unsigned reg)
{
	if (!is_lvt(reg))
		return 0;
	return reg == APIC_REG_LVT_LINT0 || reg == APIC_REG_LVT_LINT1 ? 0x5000 : 0x1000;
}

bool svm_lapic_write_msr(struct svm_lapic *lapic, uint32_t msr, uint64_t value,
                         struct svm_lapic_time now)
{
	const unsigned reg = msr - X2APIC_FIRST;
	uint32_t writable;

	if (!allows_msr(lapic, msr, LAPIC_MSR_WRITE))
		return false;
	svm_lapic_advance(lapic, now);
	if (reg == APIC_REG_ICR_LOW)
		return write_wide_icr(lapic, value);
	writable = writable_apic_bits(lapic, reg);
	if (value & ~(uint64_t)(writable | read_only_bits(reg)))
		return false;
	write_apic_register(lapic, reg, (uint32_t)value & writable, now);
	return true;
}
