/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * One processor: its descriptor tables, stacks and what the others may know of it.  The GS base of
 * every CPU points at its own struct, whose first word points at itself.
 */
#ifndef BAREMETAL_CPU_H
#define BAREMETAL_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_MAX 64

/* Stacks of the interrupt stack table; 0 in an IDT gate means the current stack. */
enum cpu_ist {
	IST_DOUBLE_FAULT = 1,
	IST_NMI = 2,
	IST_MACHINE_CHECK = 3,
	IST_DEBUG = 4,
	IST_COUNT = 4,
};

/* The 64-bit TSS, APM vol. 2, 12.2.5: 104 bytes, whose 64-bit fields lie at odd words. */
struct tss {
	uint32_t words[26];
};

struct cpu {
	struct cpu *self; /* GS:0 */
	uint32_t index;   /* 0 ... cpu_count - 1; the boot CPU is 0 */
	uint32_t apic_id;
	uint64_t gdt[5];
	struct tss tss;
	uint64_t stack_top;
	uint64_t ist_top[IST_COUNT + 1];
	bool online; /* atomic */

	/* Written by this CPU's handlers, read by anyone. */
	uint64_t ticks, kicks, nmis, spurious;
	uint64_t tick_ns, next_tick_ns, armed_ns, sleep_ns; /* timer.c; its own only */
	uint64_t programmed_ns; /* when its timer comes, at the latest */
	uint64_t due_ns;  /* when the first tick was due that nobody has answered, or 0 */
	uint64_t late_ns; /* the latest that a tick ever came */
	bool wanted; /* a tick or a kick came since the flag was last cleared */

	bool is_disturbed; /* there may be a reason to end the slice, see sched_disturb() */
	bool waits; /* in sched_wait(), until what has come is for the waiter to see */
	bool is_prodded; /* atomic: the scheduler wants a look, see sched_prod() */
	struct svm_vcpu *vcpu; /* to be told when its deadline passes, or NULL */

	/* A function to run, set by cpu_run_on(), cleared when done; sched_run() calls it. */
	void (*work)(void *arg);
	void *work_arg;
};

extern struct cpu cpus[CPU_MAX];

/** CPUs that are online; their indices are 0 ... cpu_count() - 1. */
uint32_t cpu_count(void);

static inline struct cpu *cpu_self(void)
{
	struct cpu *self;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(self));
	return self;
}

/**
 * The calling CPU, found by its APIC ID and so without trusting GS; for crashes.
 */
struct cpu *cpu_self_without_gs(void);

/** Allocate the stacks of @p cpu. */
bool cpu_prepare(struct cpu *cpu, uint32_t index, uint32_t apic_id);

/** Give the calling CPU its GDT, TSS, GS base and IDT. */
void cpu_load_tables(struct cpu *cpu);

/** Set CR0, CR4 and XCR0 of the calling CPU from its CPUID. */
void cpu_enable_features(void);

/** Text such as "SMEP SMAP UMIP", of what cpu_enable_features() turned on here. */
size_t cpu_describe_features(char *to, size_t size);

#endif
