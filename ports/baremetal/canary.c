/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stack protector of this port's own code (the library is built without: each kernel has its
 * own).  The guard value is one word for all CPUs and new for each boot; it keeps a zero byte,
 * which stops a text that runs over.
 */
#include "canary.h"

#include "cpu.h"
#include "kprintf.h"
#include "power.h"
#include "x86.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define RDRAND_TRIES       10

/* The compiler's names. */
extern uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

uintptr_t __stack_chk_guard;

static bool read_random(uint64_t *value)
{
	uint8_t ok = 0;

	for (int i = 0; i < RDRAND_TRIES && !ok; i++)
		__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	return ok;
}

__attribute__((no_stack_protector)) void canary_init(void)
{
	uint64_t value = 0;

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND) || !read_random(&value))
		value = rdtsc() * UINT64_C(0x9e3779b97f4a7c15);
	__stack_chk_guard = value & ~UINT64_C(0xff);
}

_Noreturn void __stack_chk_fail(void)
{
	const struct cpu *self = cpu_self_without_gs();

	kprintf("%shost: a function on CPU %u wrote past its stack frame, called from %p%s\n",
	        color_bad(), self->index, __builtin_return_address(0), color_off());
	if (self->index == 0)
		power_off(POWER_CRASH);
	cpu_halt_forever();
}
