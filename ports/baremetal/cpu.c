/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Descriptor tables and control registers of one processor.
 *
 * Every CPU has a GDT of its own, since LTR writes the busy bit into the TSS descriptor.  Control
 * bits come from CPUID alone: some emulators hang when a reserved CR4 bit is tried.
 */
#include "cpu.h"

#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "paging.h"
#include "x86.h"

#define IST_STACK_PAGES  2
#define MAIN_STACK_PAGES 8

#define DESCRIPTOR_CODE 0x00af9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull
#define DESCRIPTOR_TSS  0x0000890000000000ull

struct cpu cpus[CPU_MAX];

struct descriptor_pointer {
	uint16_t padding[3]; /* keeps base aligned: the operand starts at limit */
	uint16_t limit;
	uint64_t base;
};

bool cpu_prepare(struct cpu *cpu, uint32_t index, uint32_t apic_id)
{
	cpu->self = cpu;
	cpu->index = index;
	cpu->apic_id = apic_id;
	cpu->online = false;
	cpu->stack_top = paging_stack(MAIN_STACK_PAGES);
	if (!cpu->stack_top)
		return false;
	for (unsigned int i = 1; i <= IST_COUNT; i++) {
		cpu->ist_top[i] = paging_stack(IST_STACK_PAGES);
		if (!cpu->ist_top[i])
			return false;
	}
	return true;
}

static void fill_tss(struct cpu *cpu)
{
	cpu->tss.words[1] = (uint32_t)cpu->stack_top;
	cpu->tss.words[2] = (uint32_t)(cpu->stack_top >> 32);
	for (unsigned int i = 1; i <= IST_COUNT; i++) {
		cpu->tss.words[9 + 2 * (i - 1)] = (uint32_t)cpu->ist_top[i];
		cpu->tss.words[10 + 2 * (i - 1)] = (uint32_t)(cpu->ist_top[i] >> 32);
	}
	cpu->tss.words[25] = (uint32_t)sizeof(cpu->tss) << 16; /* no I/O permission map */
}

static void fill_gdt(struct cpu *cpu)
{
	const uint64_t base = (uintptr_t)&cpu->tss, limit = sizeof(cpu->tss) - 1;

	cpu->gdt[0] = 0;
	cpu->gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE;
	cpu->gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
	cpu->gdt[SELECTOR_TSS / 8] =
		DESCRIPTOR_TSS | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void cpu_load_tables(struct cpu *cpu)
{
	const struct descriptor_pointer gdtr = {
		.limit = sizeof(cpu->gdt) - 1,
		.base = (uintptr_t)cpu->gdt,
	};

	fill_tss(cpu);
	fill_gdt(cpu);
	__asm__ volatile("lgdt %0\n\t"
	                 "mov %w1, %%ss\n\t"
	                 "mov %w2, %%ds\n\t"
	                 "mov %w2, %%es\n\t"
	                 "mov %w2, %%fs\n\t"
	                 "mov %w2, %%gs\n\t"
	                 "lldt %w2\n\t"
	                 "ltr %w3"
	                 :
	                 : "m"(gdtr.limit), "r"(SELECTOR_DATA), "r"(0), "r"(SELECTOR_TSS)
	                 : "memory");
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
	idt_load();
}

#define CPUID_1_ECX_XSAVE      (1u << 26)
#define CPUID_7_EBX_SMEP       (1u << 7)
#define CPUID_7_EBX_SMAP       (1u << 20)
#define CPUID_7_ECX_UMIP       (1u << 2)
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define CPUID_XSAVE            0xdu
#define CPUID_HYPERVISOR       0x40000000u
#define TCG_EBX                0x54474354u /* "TCGTCGTCGTCG" in three registers */
#define TCG_ECX                0x43544743u
#define TCG_EDX                0x47435447u
#define XCR0_X87_SSE           3ull

static bool is_tcg(void)
{
	const struct cpuid_regs leaf = cpuid(CPUID_HYPERVISOR, 0);

	return (cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR) && leaf.ebx == TCG_EBX &&
	       leaf.ecx == TCG_ECX && leaf.edx == TCG_EDX;
}

/*
 * QEMU's TCG treats CR4.OSXSAVE as reserved, and hangs on it, where leaf 0Dh has nothing in its
 * subleaf 1, as on its models of the Bulldozer family.  The processors themselves have no such
 * rule.
 */
static bool has_xsave(void)
{
	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE) || cpuid_max(0) < CPUID_XSAVE)
		return false;
	return !is_tcg() || cpuid(CPUID_XSAVE, 1).eax;
}

void cpu_enable_features(void)
{
	uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE;

	if (cpuid_max(0) >= 7) {
		const struct cpuid_regs leaf_7 = cpuid(7, 0);

		cr4 |= leaf_7.ebx & CPUID_7_EBX_SMEP ? CR4_SMEP : 0;
		cr4 |= leaf_7.ebx & CPUID_7_EBX_SMAP ? CR4_SMAP : 0;
		cr4 |= leaf_7.ecx & CPUID_7_ECX_UMIP ? CR4_UMIP : 0;
	}
	if (has_xsave())
		cr4 |= CR4_OSXSAVE;
	write_cr4(cr4);
	if (cr4 & CR4_OSXSAVE)
		xsetbv(0, XCR0_X87_SSE);

	/* Caches on, FPU usable by whoever needs it; CD and NW may be left set by the firmware. */
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW)) | CR0_MP | CR0_NE | CR0_WP);
}

size_t cpu_describe_features(char *to, size_t size)
{
	const uint64_t cr4 = read_cr4();

	return format_text(to, size, "NXE WP%s%s%s%s", cr4 & CR4_SMEP ? " SMEP" : "",
	                   cr4 & CR4_SMAP ? " SMAP" : "", cr4 & CR4_UMIP ? " UMIP" : "",
	                   cr4 & CR4_OSXSAVE ? " OSXSAVE" : "");
}
