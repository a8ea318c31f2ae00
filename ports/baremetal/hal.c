/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The HAL of this port: five mandatory functions, and those optional ones that the machine has
 * something for.  Left out, with the library's default:
 *
 *	preempt	nothing here moves a running function to another CPU
 *	irq	PUSHF and CLI are what this port would do
 *	fpu	the kernel never uses the FPU, so nothing of it needs saving
 *	mutex	no threads to put to sleep
 *	machine_check	this port has no recovery to offer
 */
#include "hal.h"

#include "apic.h"
#include "cpu.h"
#include "frames.h"
#include "guests.h"
#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "time.h"
#include "timer.h"
#include "x86.h"

static void *hal_frames_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	(void)ctx;
	return frames_alloc(count, PAGE_SIZE, hpa);
}

static void hal_frames_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)ctx;
	if (hva != phys_to_direct(hpa) || !frames_free(hpa, count))
		kprintf("%shal: frames_free(%p, %lx, %zu) of what was never allocated%s\n",
		        color_bad(), hva, hpa, count, color_off());
}

static void *hal_phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	return frames_at(hpa);
}

static uint32_t hal_cpu_id(void *ctx)
{
	(void)ctx;
	return cpu_self()->index;
}

static void hal_cpu_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	struct cpu *const self = cpu_self();

	/* This comes from the very interrupt that ends the wait. */
	if (cpu == self->index && self->waits)
		self->waits = false;
	else if (cpu < cpu_count())
		apic_send_fixed(cpus[cpu].apic_id, VECTOR_KICK);
}

static bool hal_should_exit(void *ctx)
{
	(void)ctx;
	return __atomic_exchange_n(&cpu_self()->wanted, false, __ATOMIC_RELAXED);
}

static void hal_log(void *ctx, enum svm_log_level level, const char *line)
{
	const char *const color = level == SVM_LOG_ERROR  ? color_bad()
	                          : level == SVM_LOG_WARN ? color_warn()
	                                                  : "";

	(void)ctx;
	if (level <= SVM_LOG_INFO)
		kprintf("%slibrary: %s%s\n", color, line, *color ? color_off() : "");
}

static void hal_bug(void *ctx, const char *what)
{
	(void)ctx;
	kprintf("%slibrary found itself inconsistent: %s%s\n", color_bad(), what, color_off());
}

static uint64_t hal_clock_ns(void *ctx)
{
	(void)ctx;
	return time_ns();
}

static void hal_timer_arm(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	timer_arm(deadline_ns);
}

/* Where the #GP of an instruction in these two goes: past it, with ok still 0.  See trap.c. */
#define FIXUP(from, to)                                                                            \
	".pushsection .fixup_table, \"a\"\n\t"                                                     \
	".quad " #from ", " #to "\n\t"                                                             \
	".popsection\n\t"

static bool hal_rdmsr_safe(void *ctx, uint32_t msr, uint64_t *value)
{
	uint32_t low, high, ok = 0;

	(void)ctx;
	__asm__ volatile("1:\trdmsr\n\t"
	                 "mov $1, %0\n"
	                 "2:\n\t" FIXUP(1b, 2b)
	                 : "+r"(ok), "=a"(low), "=d"(high)
	                 : "c"(msr)
	                 : "memory");
	if (ok)
		*value = (uint64_t)high << 32 | low;
	return ok;
}

static bool hal_wrmsr_safe(void *ctx, uint32_t msr, uint64_t value)
{
	uint32_t ok = 0;

	(void)ctx;
	__asm__ volatile("1:\twrmsr\n\t"
	                 "mov $1, %0\n"
	                 "2:\n\t" FIXUP(1b, 2b)
	                 : "+r"(ok)
	                 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
	                 : "memory");
	return ok;
}

/* Table pages and control blocks are the host's: no mistake of ours can hand them to a guest. */
static bool hal_may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	(void)ctx;
	return frames_may_have(hpa, count, guests_owner(vm));
}

static struct svm_hal table = {
	.size = sizeof(struct svm_hal),
	.abi = SVM_HAL_ABI,
	.frames_alloc = hal_frames_alloc,
	.frames_free = hal_frames_free,
	.phys_to_virt = hal_phys_to_virt,
	.cpu_id = hal_cpu_id,
	.cpu_kick = hal_cpu_kick,
	.should_exit = hal_should_exit,
	.log = hal_log,
	.bug = hal_bug,
	.clock_ns = hal_clock_ns,
	.timer_arm = hal_timer_arm,
	.rdmsr_safe = hal_rdmsr_safe,
	.wrmsr_safe = hal_wrmsr_safe,
	.may_map = hal_may_map,
};

const struct svm_hal *hal_table(void)
{
	/* The two numbers that only the running machine knows. */
	table.cpu_max = cpu_count();
	table.tsc_hz = time_tsc_hz();
	return &table;
}

int hal_create_host(const struct svm_hal *hal, struct svm_host **host)
{
	int error = svm_host_create(hal, host);

	if (error)
		return error;
	/* Nothing runs here beside this port, which sets a processor's registers once. */
	svm_host_set_fixed_registers(*host, true);
	error = svm_host_set_direct_map(*host, phys_to_direct(0), frames_end());
	if (error)
		(void)!svm_host_destroy(*host);
	return error;
}
