/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls and a run page that make no sense, from a process that is nobody.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm.h"

#define NOBODY 65534

static uint64_t random_state;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Plausible, at an edge, or anything. */
static uint64_t random_value(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 0xfff, 0x1000, 0x7fffffff, 0x80000000,
		                          0xffffffff, 1ull << 47, ~0ull };
	const uint64_t kind = random_u64() % 4;

	if (kind == 0)
		return edges[random_u64() % (sizeof(edges) / sizeof(edges[0]))];
	return kind == 1 ? random_u64() % 64 : kind == 2 ? random_u64() & 0xfffff000 : random_u64();
}

/* Every number of the interface's group in turn, with the sizes that the real ones have. */
static unsigned long random_request(void)
{
	static const unsigned long known[] = {
		KVM_CREATE_VM, KVM_GET_MSR_INDEX_LIST, KVM_CHECK_EXTENSION, KVM_GET_SUPPORTED_CPUID,
		KVM_CREATE_VCPU, KVM_GET_DIRTY_LOG, KVM_SET_USER_MEMORY_REGION, KVM_SET_TSS_ADDR,
		KVM_SET_IDENTITY_MAP_ADDR, KVM_X86_SETUP_MCE, KVM_X86_SET_MCE,
		KVM_RUN, KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_FPU,
		KVM_SET_FPU, KVM_GET_MSRS, KVM_SET_MSRS, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
		KVM_SET_CPUID2, KVM_GET_CPUID2, KVM_INTERRUPT, KVM_NMI, KVM_RUN, KVM_RUN, KVM_RUN,
		KVM_SET_REGS, KVM_SET_SREGS, KVM_CREATE_IRQCHIP, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP,
		KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS, KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI,
		KVM_CREATE_PIT2, KVM_GET_PIT2, KVM_SET_PIT2, KVM_GET_LAPIC, KVM_SET_LAPIC,
		KVM_IRQFD, KVM_IOEVENTFD, KVM_ENABLE_CAP, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
		KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XSAVE2, KVM_GET_XCRS, KVM_SET_XCRS,
		KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_GET_CLOCK, KVM_SET_CLOCK,
		KVM_SET_TSC_KHZ, KVM_X86_SET_MSR_FILTER, KVM_CLEAR_DIRTY_LOG, KVM_SET_BOOT_CPU_ID,
		KVM_GET_STATS_FD, KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_SET_NR_MMU_PAGES,
		KVM_SET_GUEST_DEBUG,
	};

	if (random_u64() % 8 == 0)
		return _IO(KVMIO, random_u64() & 0xff);
	return known[random_u64() % (sizeof(known) / sizeof(known[0]))];
}

int random_calls(uint64_t seed, unsigned long count)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction action = { .sa_handler = on_alarm };
	static uint64_t argument[1024];
	int files[16] = { 0 };
	struct machine m;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	random_state = seed * 2 + 1;
	machine_open(&m);
	files[0] = m.device, files[1] = m.vm, files[2] = m.vcpu;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned long i = 0; i < count; i++) {
		const unsigned slot = (unsigned)(random_u64() % 16);
		const unsigned long request = random_request();
		uint64_t arg = (uintptr_t)argument;
		int result;

		for (unsigned n = 0; n < 64; n++)
			argument[n] = random_value();
		for (unsigned n = 0; n < 4; n++)
			((uint64_t *)m.run)[random_u64() % 512] = random_value();
		if (request == KVM_SET_USER_MEMORY_REGION && random_u64() % 2)
			argument[3] = (uintptr_t)m.memory;
		if (request == KVM_RUN || random_u64() % 8 == 0)
			arg = random_u64() % 4 ? 0 : random_value();
		m.run->immediate_exit = 0;
		result = ioctl(files[slot % 4 ? slot % 3 : slot], request, arg);
		if (result > 2 && (request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
		                   request == KVM_GET_STATS_FD)) {
			const unsigned keep = 3 + (unsigned)(random_u64() % 13);

			if (files[keep])
				close(files[keep]);
			files[keep] = result;
		}
	}
	printf("random: %lu calls\n", count);
	return 0;
}
