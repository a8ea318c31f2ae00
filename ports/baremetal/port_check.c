/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the library's conformance kit cannot see of this port: that a wrong free is refused, that
 * memory comes back zeroed, that the other processors answer, that nothing is writable and
 * executable, and that a crash prints itself.
 */
#include "port_check.h"

#include "apic.h"
#include "cpu.h"
#include "frames.h"
#include "hal.h"
#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "paging.h"
#include "smp.h"
#include "string.h"
#include "time.h"
#include "x86.h"

#define ANSWER_TIMEOUT_NS 1000000000ull
#define TICK_TIMEOUT_NS   1000000000ull
#define LARGE_RUN         513u /* frames, more than 2 MiB */

static unsigned int passed_count, failed_count;

static void verdict(const char *what, bool passed)
{
	kprintf("port %s%s%s: %s\n", passed ? color_good() : color_bad(), passed ? "pass" : "FAIL",
	        color_off(), what);
	passed_count += passed;
	failed_count += !passed;
}

static bool wait_counter(const uint64_t *counter, uint64_t above, uint64_t timeout_ns)
{
	const uint64_t start = time_ns();

	while (time_ns() - start < timeout_ns) {
		if (__atomic_load_n(counter, __ATOMIC_RELAXED) > above)
			return true;
		cpu_pause();
	}
	return false;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static void check_frames(void)
{
	const size_t before = frames_free_count();
	uint64_t first, second;
	uint8_t *a = frames_alloc(3, PAGE_SIZE, &first);
	uint8_t *b = frames_alloc(1, 0x200000, &second);

	verdict("frames: contiguous and aligned allocations succeed and do not overlap",
	        a && b && !(second & 0x1fffff) &&
	                (second >= first + 3 * PAGE_SIZE || second + PAGE_SIZE <= first));
	if (!a || !b)
		return;
	memset(a, 0xa5, 3 * PAGE_SIZE);
	verdict("frames: a free of more than was allocated changes nothing",
	        !frames_free(0, 1) && !frames_free((uintptr_t)image_text_phys, 1) &&
	                !frames_free(first, SIZE_MAX) && a[0] == 0xa5);
	verdict("frames: a free and its repetition are told apart",
	        frames_free(first, 3) && !frames_free(first, 3) && frames_free(second, 1));
	a = frames_alloc(3, PAGE_SIZE, &first);
	verdict("frames: what comes back is zeroed", a && is_zero(a, 3 * PAGE_SIZE));
	if (a)
		frames_free(first, 3);
	verdict("frames: none is lost", frames_free_count() == before);
}

/* Of a run that is cleared past the caches: all of it, nothing behind it, and no register lost. */
static void check_large_run(void)
{
	const uint64_t mark[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
	uint64_t kept[2], pa;
	uint8_t *a = frames_alloc(LARGE_RUN + 1, PAGE_SIZE, &pa);

	verdict("frames: a large run is zeroed", a && is_zero(a, (LARGE_RUN + 1) * PAGE_SIZE));
	if (!a)
		return;
	memset(a, 0xa5, (LARGE_RUN + 1) * PAGE_SIZE);
	__asm__ volatile("movdqu %0, %%xmm0" : : "m"(mark));
	frames_free(pa, LARGE_RUN);
	__asm__ volatile("movdqu %%xmm0, %0" : "=m"(kept));
	verdict("frames: clearing leaves XMM0 alone", memcmp(mark, kept, sizeof(mark)) == 0);
	verdict("frames: a large run is cleared to its end and no further",
	        is_zero(a, LARGE_RUN * PAGE_SIZE) && a[LARGE_RUN * PAGE_SIZE] == 0xa5);
	frames_free(pa + LARGE_RUN * PAGE_SIZE, 1);
}

static void check_paging(void)
{
	const struct paging_audit audit = paging_audit();

	verdict("paging: no page is writable and executable", !audit.writable_exec);
	verdict("paging: no alias writes the image's read-only part", !audit.writable_text);
	verdict("paging: only the text is executable",
	        audit.executable_bytes == (uint64_t)(image_rodata_phys - image_text_phys));
}

static void check_processors(void)
{
	bool all_kicked = true, all_nmi = true, all_tick = true;

	for (uint32_t i = 0; i < cpu_count(); i++) {
		const struct cpu *cpu = &cpus[i];
		uint64_t before = cpu->kicks;

		apic_send_fixed(cpu->apic_id, VECTOR_KICK);
		all_kicked &= wait_counter(&cpu->kicks, before, ANSWER_TIMEOUT_NS);
		before = cpu->nmis;
		apic_send_nmi(cpu->apic_id);
		all_nmi &= wait_counter(&cpu->nmis, before, ANSWER_TIMEOUT_NS);
		all_tick &= wait_counter(&cpu->ticks, cpu->ticks, TICK_TIMEOUT_NS);
	}
	verdict("processors: each answers a kick", all_kicked);
	verdict("processors: each takes an NMI and goes on", all_nmi);
	verdict("processors: each has a ticking timer", all_tick);
}

static void check_msrs(void)
{
	const struct svm_hal *hal = hal_table();
	uint64_t value = 0;

	/* Numbers this high exist nowhere: a #GP that is survived, or 0 where QEMU lets all pass.
	 */
	const bool read = hal->rdmsr_safe(hal->ctx, 0xc0019fff, &value);

	verdict("msr: a register that does not exist gives an error or 0", !read || value == 0);
	verdict("msr: one that exists is read",
	        hal->rdmsr_safe(hal->ctx, MSR_GS_BASE, &value) && value == (uintptr_t)cpu_self());
}

unsigned int port_check(void)
{
	check_frames();
	check_large_run();
	check_paging();
	check_processors();
	check_msrs();
	kprintf("port: %u passed, %u failed\n", passed_count, failed_count);
	return failed_count;
}

void port_crash(const char *how)
{
	if (!memcmp(how, "page", 5)) {
		*(volatile char *)boot_stack_guard = 1;
	} else if (!memcmp(how, "opcode", 7)) {
		__asm__ volatile("ud2");
	} else if (!memcmp(how, "frame", 6)) {
		char small[8], *at = small;

		__asm__ volatile("" : "+r"(at)); /* the compiler would see through it */
		memset(at, 1, 4 * sizeof(small));
	} else if (!memcmp(how, "stack", 6)) {
		/* The push that meets the guard page cannot even push its own exception: #DF. */
		__asm__ volatile("1:\tpush %rax\n\tjmp 1b");
	} else if (!memcmp(how, "interrupt", 10)) {
		/* What must not be: it finds a GS that is not ours, as between VMLOAD and VMRUN. */
		interrupts_off();
		apic_send_fixed(cpu_self()->apic_id, VECTOR_KICK);
		wrmsr(MSR_GS_BASE, (uintptr_t)boot_stack_guard);
		interrupts_on_and_halt();
	}
}
