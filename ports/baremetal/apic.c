/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The local APIC.  Registers have one number, the xAPIC offset; x2APIC puts the same registers at
 * MSR 800h + offset / 16 (APM vol. 2, 16.11).  Only the ICR differs: one 64-bit write with a
 * 32-bit destination there, two 32-bit writes with an 8-bit one here.
 *
 * The PIC is masked and its vectors moved out of the exceptions' way, since it can raise a spurious
 * interrupt even when masked.
 */
#include "apic.h"

#include "idt.h"
#include "paging.h"
#include "x86.h"

#define APIC_BASE_ENABLE (UINT64_C(1) << 11)
#define APIC_BASE_X2APIC (UINT64_C(1) << 10)
#define APIC_BASE_ADDR   UINT64_C(0x000ffffffffff000)

#define REG_ID          0x020
#define REG_TPR         0x080
#define REG_EOI         0x0b0
#define REG_SVR         0x0f0
#define REG_ICR         0x300
#define REG_ICR_HIGH    0x310
#define REG_LVT_TIMER   0x320
#define REG_LVT_LINT0   0x350
#define REG_LVT_LINT1   0x360
#define REG_LVT_ERROR   0x370
#define REG_TIMER_INIT  0x380
#define REG_TIMER_COUNT 0x390
#define REG_TIMER_DIV   0x3e0

#define SVR_ENABLE   0x100u
#define LVT_MASKED   0x10000u
#define LVT_NMI      0x400u
#define TIMER_DIV_16 0x3u
#define ICR_FIXED    0x000u
#define ICR_NMI      0x400u
#define ICR_INIT     0x500u
#define ICR_STARTUP  0x600u
#define ICR_ASSERT   0x4000u
#define ICR_PENDING  0x1000u
#define ICR_WAIT_MAX 1000000
#define NS_PER_S     UINT64_C(1000000000)

#define CPUID_1_ECX_X2APIC (1u << 21)
#define CPUID_1_EDX_APIC   (1u << 9)

static volatile uint32_t *apic_mmio;
static bool apic_x2;
static uint64_t counts_per_ns; /* of the timer, in units of 2^-32 */

static uint32_t apic_read(uint32_t reg)
{
	return apic_x2 ? (uint32_t)rdmsr(0x800 + reg / 16) : apic_mmio[reg / 4];
}

static void apic_write(uint32_t reg, uint32_t value)
{
	if (apic_x2)
		wrmsr(0x800 + reg / 16, value);
	else
		apic_mmio[reg / 4] = value;
}

static void mask_pic(void)
{
	outb(0x20, 0x11); /* ICW1: edge, cascade, ICW4 follows */
	outb(0xa0, 0x11);
	outb(0x21, VECTOR_PIC);
	outb(0xa1, VECTOR_PIC + 8);
	outb(0x21, 0x04); /* ICW3: the second PIC hangs on line 2 */
	outb(0xa1, 0x02);
	outb(0x21, 0x01); /* ICW4: 8086 mode */
	outb(0xa1, 0x01);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

bool apic_init(bool forbid_x2apic)
{
	const struct cpuid_regs leaf_1 = cpuid(1, 0);
	const uint64_t base = rdmsr(MSR_APIC_BASE);

	mask_pic();
	if (!(leaf_1.edx & CPUID_1_EDX_APIC))
		return false;
	/* Once on, x2APIC cannot be left without turning the APIC off: so keep it then. */
	apic_x2 =
		(leaf_1.ecx & CPUID_1_ECX_X2APIC) && (!forbid_x2apic || (base & APIC_BASE_X2APIC));
	if (!apic_x2)
		apic_mmio = paging_window(base & APIC_BASE_ADDR, 0x1000, MAP_DEVICE);
	return apic_x2 || apic_mmio;
}

void apic_enable(void)
{
	wrmsr(MSR_APIC_BASE,
	      rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | (apic_x2 ? APIC_BASE_X2APIC : 0));
	apic_write(REG_TPR, 0);
	apic_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(REG_LVT_LINT0, LVT_MASKED);
	apic_write(REG_LVT_LINT1, LVT_NMI);
	apic_write(REG_LVT_ERROR, LVT_MASKED | VECTOR_SPURIOUS);
	apic_write(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
}

bool apic_is_x2apic(void)
{
	return apic_x2;
}

uint32_t apic_id(void)
{
	const uint32_t id = apic_read(REG_ID);

	return apic_x2 ? id : id >> 24;
}

void apic_eoi(void)
{
	apic_write(REG_EOI, 0);
}

static void apic_send(uint32_t id, uint32_t command)
{
	if (apic_x2) {
		/* Not serialising: what the target is to see must be stored first. */
		__asm__ volatile("mfence" : : : "memory");
		wrmsr(0x800 + REG_ICR / 16, (uint64_t)id << 32 | command);
		return;
	}

	/* An interrupt between the two writes could send an IPI of its own. */
	const uint64_t flags = interrupts_save();

	for (int i = 0; i < ICR_WAIT_MAX && (apic_read(REG_ICR) & ICR_PENDING); i++)
		cpu_pause();
	apic_write(REG_ICR_HIGH, id << 24);
	apic_write(REG_ICR, command);
	interrupts_restore(flags);
}

void apic_send_fixed(uint32_t id, uint8_t vector)
{
	apic_send(id, ICR_FIXED | ICR_ASSERT | vector);
}

void apic_send_nmi(uint32_t id)
{
	apic_send(id, ICR_NMI | ICR_ASSERT);
}

void apic_send_init(uint32_t id)
{
	apic_send(id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(uint32_t id, uint8_t page)
{
	apic_send(id, ICR_STARTUP | ICR_ASSERT | page);
}

/* Below 2^32: then neither a second's counts nor the product below is too large. */
void apic_timer_set_frequency(uint64_t hz)
{
	counts_per_ns = ((hz < UINT32_MAX ? hz : UINT32_MAX) << 32) / NS_PER_S;
}

void apic_timer_start(void)
{
	apic_write(REG_TIMER_DIV, TIMER_DIV_16);
	apic_write(REG_LVT_TIMER, VECTOR_TIMER);
}

/* A far deadline comes too early: whoever armed it looks at the time and arms again. */
void apic_timer_once(uint64_t ns)
{
	const uint32_t count = (uint32_t)((ns < NS_PER_S ? ns : NS_PER_S) * counts_per_ns >> 32);

	apic_write(REG_TIMER_INIT, count ? count : 1);
}

void apic_timer_stop(void)
{
	apic_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(REG_TIMER_INIT, 0);
}

void apic_timer_free_run(void)
{
	apic_write(REG_TIMER_DIV, TIMER_DIV_16);
	apic_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(REG_TIMER_INIT, UINT32_MAX);
}

uint32_t apic_timer_read(void)
{
	return apic_read(REG_TIMER_COUNT);
}
