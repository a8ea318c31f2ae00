/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The functions of src/hal/ring0.h on a modelled CPU.
 *
 * Where the instruction would raise an exception, a kernel would be gone: that is a breach, with
 * the register and the value in its text.
 */
#include <sched.h>

#include "model.h"

struct svm_cpuid_regs svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf)
{
	return model_cpuid(this_cpu(), leaf, subleaf);
}

uint64_t svm_ring0_rdmsr(uint32_t msr)
{
	struct cpu *cpu = this_cpu();
	uint64_t value;

	if (!model_rdmsr(cpu, msr, &value))
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: RDMSR 0x%x on CPU %u", msr, cpu->id);
	return value;
}

void svm_ring0_wrmsr(uint32_t msr, uint64_t value)
{
	struct cpu *cpu = this_cpu();

	if (!model_wrmsr(cpu, msr, value))
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: WRMSR 0x%x = 0x%llx on CPU %u", msr,
		       (unsigned long long)value, cpu->id);
}

uint64_t svm_ring0_read_cr(enum svm_control_register cr)
{
	const struct cpu *cpu = this_cpu();

	switch (cr) {
	case SVM_CR0:
		return cpu->cr0;
	case SVM_CR2:
		return cpu->cr2;
	case SVM_CR3:
		return cpu->cr3;
	case SVM_CR4:
		return cpu->cr4;
	}
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#UD: MOV from CR%d", (int)cr);
	return 0;
}

void svm_ring0_write_cr2(uint64_t value)
{
	this_cpu()->cr2 = value;
}

static bool debug_register_ok(const struct cpu *cpu, unsigned n)
{
	if (n < 4 || n == 6 || n == 7)
		return true;
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "debug register %u", n);
	return false;
}

uint64_t svm_ring0_read_dr(unsigned n)
{
	const struct cpu *cpu = this_cpu();

	return debug_register_ok(cpu, n) ? cpu->dr[n] : 0;
}

void svm_ring0_write_dr(unsigned n, uint64_t value)
{
	struct cpu *cpu = this_cpu();

	if (!debug_register_ok(cpu, n))
		return;
	if (n >= 6 && value >> 32) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: DR%u = 0x%llx", n,
		       (unsigned long long)value);
		return;
	}
	cpu->dr[n] = value;
}

uint64_t svm_ring0_rdtsc(void)
{
	return model_tsc(this_cpu());
}

static bool osxsave_ok(const struct cpu *cpu, const char *what)
{
	if (cpu->cr4 & CR4_OSXSAVE)
		return true;
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#UD: %s with CR4.OSXSAVE = 0", what);
	return false;
}

uint64_t svm_ring0_xgetbv0(void)
{
	const struct cpu *cpu = this_cpu();

	return osxsave_ok(cpu, "XGETBV") ? cpu->xcr0 : 1;
}

void svm_ring0_xsetbv0(uint64_t value)
{
	struct cpu *cpu = this_cpu();

	if (!osxsave_ok(cpu, "XSETBV"))
		return;
	if (!xcr0_valid(&cpu->f, value)) {
		breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#GP: XCR0 = 0x%llx",
		       (unsigned long long)value);
		return;
	}
	cpu->xcr0 = value;
}

static bool svm_ok(const struct cpu *cpu, const char *what)
{
	if (cpu->efer & EFER_SVME)
		return true;
	breach(cpu->m, HOSTED_BREACH_HOST_FAULT, "#UD: %s with EFER.SVME = 0 on CPU %u", what,
	       cpu->id);
	return false;
}

void svm_ring0_vmsave(svm_hpa_t vmcb)
{
	struct cpu *cpu = this_cpu();

	if (svm_ok(cpu, "VMSAVE"))
		vmsave(cpu, vmcb);
}

/* STGI works without SVME too where SKINIT exists (15.27); CLGI does not. */
void svm_ring0_stgi(void)
{
	struct cpu *cpu = this_cpu();

	if (!svm_ok(cpu, "STGI"))
		return;
	cpu->gif = true;
	host_take_events(cpu);
}

void svm_ring0_clgi(void)
{
	struct cpu *cpu = this_cpu();

	if (svm_ok(cpu, "CLGI"))
		cpu->gif = false;
}

uint64_t svm_ring0_irq_save(void)
{
	struct cpu *cpu = this_cpu();
	const uint64_t flags = cpu->intr_flag ? RFLAGS_IF | RFLAGS_1 : RFLAGS_1;

	host_take_events(cpu);
	cpu->intr_flag = false;
	return flags;
}

void svm_ring0_irq_restore(uint64_t flags)
{
	struct cpu *cpu = this_cpu();

	cpu->intr_flag = flags & RFLAGS_IF;
	host_take_events(cpu);
}

/* A waiting loop of the host: its interrupts arrive, and another thread must get on. */
void svm_ring0_pause(void)
{
	struct cpu *cpu = this_cpu();

	host_take_events(cpu);
	sched_yield();
}
