/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vCPUs that take turns on one CPU, and one that is sent from CPU to CPU.  Each guest has a pattern
 * in registers that it shares with the host and with the other: MSRs of the system call, TSC_AUX,
 * breakpoints, x87, SSE.  It looks at them after each of many exits that the kernel finishes, where
 * its thread may lose the CPU.  The VMM's own are looked at as well.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vmm.h"

#define KERNEL_PORT 0x10 /* An eventfd takes what is written there. */
#define GOOD_PORT   0x11
#define BAD_PORT    0x12

#define ROUNDS 500 /* Of the guest, with an exit each, before it goes to the VMM. */
#define STRING_(x) #x
#define STRING(x)  STRING_(x)

extern const uint8_t turns_code[], turns_bad[], turns_end[];

/* In real mode, at CODE: EBX has the pattern, ESI the rounds to go. */
__asm__(".pushsection .rodata\n"
        ".code16\n"
        "turns_code:\n"
        "	movl	%cr4, %eax\n"
        "	orl	$0x200, %eax\n" /* OSFXSR */
        "	movl	%eax, %cr4\n"
        "	movl	%ebx, %eax\n"
        "	movl	%ebx, %edx\n"
        "	movl	$0xc0000081, %ecx\n" /* STAR */
        "	wrmsr\n"
        "	xorl	%edx, %edx\n"
        "	movl	$0xc0000102, %ecx\n" /* KernelGSBase */
        "	wrmsr\n"
        "	movl	$0xc0000103, %ecx\n" /* TSC_AUX */
        "	wrmsr\n"
        "	movl	%ebx, %dr0\n"
        "	movl	%ebx, %dr3\n"
        "	movl	$0x401, %eax\n" /* An instruction that is nowhere: they are swapped now. */
        "	movl	%eax, %dr7\n"
        "	movd	%ebx, %xmm0\n"
        "	movd	%ebx, %xmm7\n"
        "	movl	%ebx, 0x2000\n"
        "	fninit\n"
        "	fildl	0x2000\n"
        "1:	outb	%al, $0x10\n"
        "	movl	$0xc0000081, %ecx\n"
        "	rdmsr\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	cmpl	%ebx, %edx\n"
        "	jne	turns_bad\n"
        "	movl	$0xc0000102, %ecx\n"
        "	rdmsr\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	movl	$0xc0000103, %ecx\n"
        "	rdmsr\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	movl	%dr0, %eax\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	movl	%dr3, %eax\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	movd	%xmm0, %eax\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	movd	%xmm7, %eax\n"
        "	cmpl	%ebx, %eax\n"
        "	jne	turns_bad\n"
        "	fistl	0x2004\n"
        "	cmpl	%ebx, 0x2004\n"
        "	jne	turns_bad\n"
        "	decl	%esi\n"
        "	jnz	1b\n"
        "	movl	$" STRING(ROUNDS) ", %esi\n"
        "	outb	%al, $0x11\n"
        "	jmp	1b\n"
        "turns_bad:\n"
        "	outb	%al, $0x12\n"
        "	jmp	turns_bad\n"
        "turns_end:\n"
        ".code64\n"
        ".popsection\n");

struct turns {
	struct machine m;
	uint32_t pattern;
	int kernel_fd, stats;
	int cpu; /* To stay on; -1: any. */
	unsigned lost; /* So often its thread lost the CPU ... */
	unsigned wanted; /* ... and shall. */
	unsigned batches;
	pthread_t thread;
};

/* KVM's MSRs follow it, TSC_AUX among them. */
static void offer_all(const struct machine *m)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 room[100];
	} cpuid = { .head.nent = 100 };

	EXPECT(ioctl(m->device, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0, 0);
	EXPECT(ioctl(m->vcpu, KVM_SET_CPUID2, &cpuid) == 0, 0);
}

static void open_turns(struct turns *t)
{
	struct kvm_ioeventfd taken = { .addr = KERNEL_PORT, .len = 1,
		                       .flags = KVM_IOEVENTFD_FLAG_PIO };
	const uint16_t bad = (uint16_t)(CODE + (turns_bad - turns_code));
	struct kvm_regs regs;

	machine_open(&t->m);
	offer_all(&t->m);
	t->kernel_fd = taken.fd = eventfd(0, EFD_NONBLOCK);
	EXPECT(ioctl(t->m.vm, KVM_IOEVENTFD, &taken) == 0, 0);
	t->stats = ioctl(t->m.vcpu, KVM_GET_STATS_FD, 0);
	for (unsigned vector = 0; vector < 32; vector++) /* No exception is right. */
		memcpy(t->m.memory + 4 * vector, &bad, sizeof(bad));
	start(&t->m, turns_code, (size_t)(turns_end - turns_code));
	EXPECT(ioctl(t->m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	regs.rbx = t->pattern;
	regs.rsi = ROUNDS;
	EXPECT(ioctl(t->m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
}

static void close_turns(struct turns *t)
{
	machine_close(&t->m);
	close(t->kernel_fd);
	close(t->stats);
}

/* KVM_RUN with a pattern of the VMM's own in a register that no call of the kernel changes. */
static long run_with(const struct turns *t, uint64_t *pattern)
{
	long result = SYS_ioctl;

	__asm__ volatile("movq	%[pattern], %%xmm9\n\t"
	                 "syscall\n\t"
	                 "movq	%%xmm9, %[pattern]"
	                 : "+a"(result), [pattern] "+r"(*pattern)
	                 : "D"(t->m.vcpu), "S"(KVM_RUN), "d"(0)
	                 : "rcx", "r11", "xmm9", "memory");
	return result;
}

/* What Linux has in TSC_AUX: the number of the CPU below that of its node. */
static unsigned cpu_by_aux(void)
{
	uint32_t low, high, aux;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
	return aux & 0xfff;
}

static unsigned times_lost(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (unsigned)usage.ru_nivcsw;
}

static bool runs_well(struct turns *t)
{
	const uint64_t own = ~(uint64_t)t->pattern;
	uint64_t pattern = own;
	const long result = run_with(t, &pattern);
	const struct kvm_run *const run = t->m.run;

	EXPECT(pattern == own, pattern);
	EXPECT(t->cpu < 0 || cpu_by_aux() == (unsigned)t->cpu, cpu_by_aux());
	if (result == -EINTR)
		return !failed;
	EXPECT(result == 0, result);
	EXPECT(run->exit_reason == KVM_EXIT_IO, run->exit_reason);
	EXPECT(run->io.port == GOOD_PORT, run->io.port);
	t->batches++;
	return !failed;
}

static void go_to(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	EXPECT(pthread_setaffinity_np(thread, sizeof(set), &set) == 0, cpu);
}

static unsigned wanted_now(const struct turns *t)
{
	return __atomic_load_n(&t->wanted, __ATOMIC_RELAXED);
}

#define SECONDS_MOST 60

static void *take_turns(void *arg)
{
	struct turns *const t = arg;
	const time_t end = time(NULL) + SECONDS_MOST;

	if (t->cpu >= 0)
		go_to(pthread_self(), t->cpu);
	while (runs_well(t) && (times_lost() < wanted_now(t) || !t->batches))
		EXPECT(time(NULL) < end, times_lost());
	t->lost = times_lost();
	return NULL;
}

/*
 * One load for each call, and one for each time that its thread lost the CPU, but none for the
 * exits that the kernel has finished.  KVM does not count them.
 */
static void check_loads(const struct turns *t)
{
	const int64_t loads = counter_of(t->stats, "loads");

	if (loads < 0)
		return;
	EXPECT(counter_of(t->stats, "host_exits") >= (int64_t)(t->batches * ROUNDS), t->batches);
	EXPECT(loads >= (int64_t)t->batches, loads);
	EXPECT(loads <= (int64_t)(t->batches * ROUNDS / 4), loads);
}

static void turns(void)
{
	struct turns t[2] = { { .pattern = 0x11111111, .wanted = 20 },
		              { .pattern = 0x2a2a2a2a, .wanted = 20 } };

	for (unsigned i = 0; i < 2; i++)
		open_turns(&t[i]);
	for (unsigned i = 0; i < 2 && !failed; i++)
		pthread_create(&t[i].thread, NULL, take_turns, &t[i]);
	for (unsigned i = 0; i < 2 && t[i].thread; i++)
		pthread_join(t[i].thread, NULL);
	for (unsigned i = 0; i < 2; i++) {
		check_loads(&t[i]);
		close_turns(&t[i]);
	}
}

/* Two by one thread: none is left loaded when the call is over. */
static void one_thread(void)
{
	struct turns t[2] = { { .pattern = 0x33333333 }, { .pattern = 0x4b4b4b4b } };

	cpu_set_t before;

	sched_getaffinity(0, sizeof(before), &before);
	go_to(pthread_self(), 0);
	for (unsigned i = 0; i < 2; i++)
		open_turns(&t[i]);
	for (unsigned i = 0; i < 20; i++)
		runs_well(&t[i % 2]);
	sched_setaffinity(0, sizeof(before), &before);
	for (unsigned i = 0; i < 2; i++) {
		check_loads(&t[i]);
		close_turns(&t[i]);
	}
}

#define MOVES 60u

static void wanders(void)
{
	struct turns t = { .pattern = 0x5c5c5c5c, .cpu = -1, .wanted = ~0u };

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	open_turns(&t);
	if (!failed)
		pthread_create(&t.thread, NULL, take_turns, &t);
	for (unsigned i = 0; t.thread && i < MOVES; i++) {
		go_to(t.thread, i % 2);
		usleep(5000);
	}
	__atomic_store_n(&t.wanted, 0, __ATOMIC_RELAXED);
	if (t.thread)
		pthread_join(t.thread, NULL);
	EXPECT(t.lost >= MOVES / 4, t.lost);
	check_loads(&t);
	close_turns(&t);
}

const struct test turns_tests[] = {
	{ "turns", turns },
	{ "turns-of-one-thread", one_thread },
	{ "wanders", wanders },
	{ NULL, NULL },
};
