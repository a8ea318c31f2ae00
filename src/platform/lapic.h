/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_LAPIC_H
#define SVM_PLATFORM_LAPIC_H
/*
 * What the files of the local APIC share.  APM vol. 2, 16.3 … 16.6.
 */
#include <libsvm/platform/lapic.h>

#include "core/core.h"

#define APIC_BASE_BSP    SVM_BIT(8)
#define APIC_BASE_X2APIC SVM_BIT(10)
#define APIC_BASE_ENABLE SVM_BIT(11)

#define APIC_SVR_ENABLE  0x100u
#define APIC_SVR_BITS    0x3ffu
#define APIC_DIVIDE_BITS 0xbu
#define APIC_ICR_BITS    0x000ccfffu /* That the lower half of ICR can hold. */
#define APIC_DFR_FIXED   0x0fffffffu /* Read as ones. */
#define APIC_TOP_BYTE    0xff000000u /* LDR; the destination in xAPIC mode. */

#define APIC_ESR_SENT_VECTOR     0x20u
#define APIC_ESR_RECEIVED_VECTOR 0x40u
#define APIC_ESR_REGISTER        0x80u
#define APIC_ESR_ALL             0xe0u

#define APIC_LVT_VECTOR 0x000000ffu
#define APIC_LVT_MODE   0x00000700u /* enum svm_apic_mode. */
#define APIC_LVT_BUSY   0x00004000u /* Remote IRR; LINT0 and LINT1. */
#define APIC_LVT_LEVEL  0x00008000u
#define APIC_LVT_MASKED 0x00010000u
#define APIC_LVT_TIMER  0x00060000u /* enum lapic_timer_mode. */

enum lapic_timer_mode {
	LAPIC_ONE_SHOT = 0,
	LAPIC_PERIODIC = 1,
	LAPIC_TSC_DEADLINE = 2, /* And 3, which is reserved: nothing counts. */
};

/* LINT0 and LINT1. */
#define LAPIC_PINS 2u

static inline uint32_t svm_lapic_lvt(const struct svm_lapic *lapic, enum svm_lapic_lvt entry)
{
	return svm_atomic_load_relaxed(&lapic->lvt[entry]);
}

static inline bool svm_lapic_has_base(const struct svm_lapic *lapic, uint64_t flag)
{
	return (svm_atomic_load_relaxed(&lapic->base) & flag) != 0;
}

/* Neither off nor in x2APIC mode: the registers are in memory. */
static inline bool svm_lapic_is_in_memory(const struct svm_lapic *lapic)
{
	const uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;

	return (svm_atomic_load_relaxed(&lapic->base) & mode) == APIC_BASE_ENABLE;
}

/* The page of the registers is at this address now. */
static inline bool svm_lapic_is_at(const struct svm_lapic *lapic, uint64_t page)
{
	const uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;

	return (svm_atomic_load_relaxed(&lapic->base) & (SVM_PAGE_MASK | mode)) ==
	       (page | APIC_BASE_ENABLE);
}

/* The timer may have something to do some time. */
static inline bool svm_lapic_is_timing(const struct svm_lapic *lapic)
{
	return lapic->is_counting || lapic->tsc_deadline;
}

/* The logical x2APIC ID follows from the ID: cluster and one bit in it.  APM 16.14. */
static inline uint32_t svm_lapic_x2apic_ldr(uint32_t id)
{
	return (id >> 4) << 16 | UINT32_C(1) << (id & 15);
}

/* Ways to a register. */
#define LAPIC_MMIO_READ  1u
#define LAPIC_MMIO_WRITE 2u
#define LAPIC_MSR_READ   4u
#define LAPIC_MSR_WRITE  8u
/* Beside them, what an access has to do with. */
#define LAPIC_OF_TIME  16u /* The timer may have changed it, or it changes the timer. */
#define LAPIC_OF_TIMER 32u /* A write may change when the owner looks, ... */
#define LAPIC_OF_OWNER 64u /* ... or what it takes next, with nobody woken for it. */
#define LAPIC_IS_KEPT  128u /* What an enabled APIC is given lies there, and nothing follows. */

#define LAPIC_REGISTERS 64u

/* What may be done to a register, the bits that can be written, and where it lies as it reads. */
struct svm_lapic_rule {
	uint8_t ways;
	uint16_t at; /* Offset of a uint32_t in struct svm_lapic; 0: it is computed. */
	uint32_t writable;
};

/* By offset / 16, or MSR - 800h. */
extern const struct svm_lapic_rule svm_lapic_rules[LAPIC_REGISTERS];

static inline unsigned svm_lapic_ways(uint32_t offset)
{
	return offset / 16 < LAPIC_REGISTERS ? svm_lapic_rules[offset / 16].ways : 0;
}

/* Of a register that lies ready. */
static inline uint32_t svm_lapic_load(const struct svm_lapic *lapic, unsigned reg)
{
	const void *word = (const uint8_t *)lapic + svm_lapic_rules[reg].at;

	return svm_atomic_load_relaxed((const uint32_t *)word);
}

/*
 * Four bytes at an offset in the page, where the APIC is, if they lie ready and the timer has
 * nothing to do with them: most registers need neither a call nor the time.
 */
static inline bool svm_lapic_is_ready(const struct svm_lapic *lapic, uint32_t offset)
{
	const unsigned reg = offset / 16;

	return offset % 16 == 0 && reg < LAPIC_REGISTERS && svm_lapic_rules[reg].at &&
	       !((svm_lapic_rules[reg].ways & LAPIC_OF_TIME) && svm_lapic_is_timing(lapic));
}

/* The same for a write that is kept. */
static inline bool svm_lapic_is_kept(const struct svm_lapic *lapic, uint32_t offset)
{
	const unsigned ways = svm_lapic_ways(offset);

	return offset % 16 == 0 && (ways & LAPIC_IS_KEPT) && (lapic->svr & APIC_SVR_ENABLE) &&
	       !((ways & LAPIC_OF_TIME) && svm_lapic_is_timing(lapic));
}

static inline void svm_lapic_keep(struct svm_lapic *lapic, unsigned reg, uint32_t value)
{
	void *const word = (uint8_t *)lapic + svm_lapic_rules[reg].at;

	svm_atomic_store((uint32_t *)word, value & svm_lapic_rules[reg].writable);
}

/* lapic.c */
/* Store the base, and what follows from the mode. */
void svm_lapic_put_base(struct svm_lapic *lapic, uint64_t base);
bool svm_lapic_base_is_legal(const struct svm_lapic *lapic, uint64_t value);
/* lapic_register.c: what an entry of the local vector table can hold. */
uint32_t svm_lapic_lvt_mask(const struct svm_lapic *lapic, enum svm_lapic_lvt entry);
/*
 * Write a register that can be written, the timer advanced.  now: of one that has to do with the
 * timer, if that runs or the register is one OF_TIMER.
 */
void svm_lapic_put(struct svm_lapic *lapic, unsigned reg, uint32_t value,
                   struct svm_lapic_time now);
/* An entry of the local vector table triggers. */
void svm_lapic_trigger(struct svm_lapic *lapic, enum svm_lapic_lvt entry, bool is_level);
/* The same by the owner, who looks for vectors right behind it: for an edge nobody is woken. */
void svm_lapic_trigger_quietly(struct svm_lapic *lapic, enum svm_lapic_lvt entry);
/* A level-triggered pin whose entry was just written may be high. */
void svm_lapic_recheck_lint(struct svm_lapic *lapic, unsigned pin);
void svm_lapic_record_error(struct svm_lapic *lapic, uint32_t error);
void svm_lapic_update_ppr(struct svm_lapic *lapic);

/* lapic_ipi.c */
void svm_lapic_write_icr(struct svm_lapic *lapic, uint32_t low, uint32_t destination);
void svm_lapic_write_self_ipi(struct svm_lapic *lapic, uint8_t vector);

/* lapic_timer.c */
/* svm_lapic_advance() by the owner, who looks for vectors right behind it. */
void svm_lapic_advance_quietly(struct svm_lapic *lapic, struct svm_lapic_time now);
enum lapic_timer_mode svm_lapic_timer_mode(const struct svm_lapic *lapic);
unsigned svm_lapic_timer_shift(uint32_t divide);
void svm_lapic_timer_write_lvt(struct svm_lapic *lapic, uint32_t value);
void svm_lapic_timer_write_initial(struct svm_lapic *lapic, uint32_t value,
                                   struct svm_lapic_time now);
void svm_lapic_timer_write_divide(struct svm_lapic *lapic, uint32_t value,
                                  struct svm_lapic_time now);
uint32_t svm_lapic_timer_current(const struct svm_lapic *lapic, struct svm_lapic_time now);
void svm_lapic_timer_stop(struct svm_lapic *lapic);

#endif
