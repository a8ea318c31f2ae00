/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Application processors, started one at a time by INIT and two STARTUP interrupts through a page
 * below 1 MiB.  One at a time, because they share that page; a processor that does not answer
 * within its time is counted and left: it cannot start late into a page that is gone, since it is
 * sent a second INIT.
 */
#include "smp.h"

#include "apic.h"
#include "frames.h"
#include "idt.h"
#include "memory.h"
#include "multiboot.h"
#include "paging.h"
#include "sched.h"
#include "string.h"
#include "time.h"
#include "x86.h"

#define TRAMPOLINE_FIRST 0x1000ull /* page 0 holds the BIOS's vectors */
#define TRAMPOLINE_LIMIT 0x9f000ull
#define INIT_DELAY_US    10000
#define STARTUP_DELAY_US 200
#define START_TIMEOUT_US 500000
#define XAPIC_BROADCAST  255u
#define POLL_US          100

extern char trampoline_start[], trampoline_end[];
extern char trampoline_gdt_base[], trampoline_far_32[], trampoline_far_64[];
extern char trampoline_root[], trampoline_cpu[], trampoline_stack[], trampoline_c[];

static uint32_t online_count;

uint32_t cpu_count(void)
{
	return __atomic_load_n(&online_count, __ATOMIC_ACQUIRE);
}

struct cpu *cpu_self_without_gs(void)
{
	const uint32_t id = cpu_count() > 1 ? apic_id() : cpus[0].apic_id;

	for (uint32_t i = 0; i < CPU_MAX; i++) {
		if (cpus[i].self && cpus[i].apic_id == id)
			return &cpus[i];
	}
	return &cpus[0];
}

static void cpu_go_online(struct cpu *self)
{
	cpu_enable_features();
	apic_enable();
	__atomic_store_n(&self->online, true, __ATOMIC_RELEASE);
}

bool smp_init_boot_cpu(void)
{
	if (!cpu_prepare(&cpus[0], 0, 0))
		return false;
	idt_init();
	cpu_load_tables(&cpus[0]);
	cpu_enable_features();
	online_count = 1;
	return true;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static _Noreturn void application_main(struct cpu *self)
{
	cpu_load_tables(self);
	cpu_go_online(self);
	interrupts_on();
	sched_run(never, NULL);
	__builtin_unreachable();
}

static uint64_t find_trampoline_page(void)
{
	for (uint64_t page = TRAMPOLINE_FIRST; page < TRAMPOLINE_LIMIT; page += PAGE_SIZE) {
		bool is_free = memory_map_has_ram(page, page + PAGE_SIZE);

		for (size_t i = 0; i < boot_info.module_count; i++) {
			is_free &= boot_info.modules[i].end <= page ||
			           boot_info.modules[i].start >= page + PAGE_SIZE;
		}
		if (is_free)
			return page;
	}
	return 0;
}

/* Where a symbol of the trampoline lies in its copy. */
static void *in_copy(uint64_t page, const char *symbol)
{
	return (char *)phys_to_direct(page) + (symbol - trampoline_start);
}

static void relocate(uint64_t page, const char *symbol)
{
	uint32_t value;

	memcpy(&value, in_copy(page, symbol), sizeof(value));
	value += (uint32_t)page;
	memcpy(in_copy(page, symbol), &value, sizeof(value));
}

static void store(uint64_t page, const char *symbol, uint64_t value)
{
	memcpy(in_copy(page, symbol), &value, sizeof(value));
}

static bool wait_online(const struct cpu *cpu, uint64_t us)
{
	for (uint64_t waited = 0; waited <= us; waited += POLL_US) {
		if (__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE))
			return true;
		time_delay_us(POLL_US);
	}
	return false;
}

/* xAPIC has eight bits for an ID, and 255 is everyone: a longer ID would hit another processor. */
static bool is_reachable(uint32_t id)
{
	return apic_is_x2apic() || id < XAPIC_BROADCAST;
}

static bool start_one(uint64_t page, struct cpu *cpu)
{
	const uint8_t vector = (uint8_t)(page >> 12);

	store(page, trampoline_cpu, (uintptr_t)cpu);
	store(page, trampoline_stack, cpu->stack_top);

	apic_send_init(cpu->apic_id);
	time_delay_us(INIT_DELAY_US);
	apic_send_startup(cpu->apic_id, vector);
	if (wait_online(cpu, STARTUP_DELAY_US))
		return true;
	apic_send_startup(cpu->apic_id, vector); /* the first may be lost; a second is ignored */
	if (wait_online(cpu, START_TIMEOUT_US))
		return true;
	apic_send_init(cpu->apic_id);
	time_delay_us(INIT_DELAY_US);
	return false;
}

uint32_t smp_start_others(const struct acpi_info *info)
{
	const uint64_t page = find_trampoline_page();
	uint32_t failed = 0;

	cpus[0].apic_id = apic_id();
	cpus[0].online = true;
	if (!page || !paging_map(page, page, PAGE_SIZE, MAP_RX))
		return info->apic_id_count > 1 ? info->apic_id_count - 1 : 0;

	memcpy(phys_to_direct(page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	relocate(page, trampoline_gdt_base);
	relocate(page, trampoline_far_32);
	relocate(page, trampoline_far_64);
	store(page, trampoline_root, paging_root());
	store(page, trampoline_c, (uintptr_t)application_main);

	for (uint32_t i = 0; i < info->apic_id_count; i++) {
		const uint32_t index = online_count;

		if (info->apic_ids[i] == cpus[0].apic_id)
			continue;
		if (index == CPU_MAX || !is_reachable(info->apic_ids[i]) ||
		    !cpu_prepare(&cpus[index], index, info->apic_ids[i]) ||
		    !start_one(page, &cpus[index])) {
			failed++;
			continue;
		}
		__atomic_store_n(&online_count, index + 1, __ATOMIC_RELEASE);
	}
	paging_unmap(page, PAGE_SIZE);
	return failed;
}

bool cpu_is_idle(uint32_t cpu)
{
	return !__atomic_load_n(&cpus[cpu].work, __ATOMIC_ACQUIRE);
}

bool cpu_start_on(uint32_t cpu, void (*fn)(void *arg), void *arg)
{
	if (!cpu_is_idle(cpu))
		return false;
	cpus[cpu].work_arg = arg;
	__atomic_store_n(&cpus[cpu].work, fn, __ATOMIC_RELEASE);
	apic_send_fixed(cpus[cpu].apic_id, VECTOR_KICK);
	return true;
}

bool cpu_run_on(uint32_t cpu, void (*fn)(void *arg), void *arg, uint64_t timeout_ms)
{
	const uint64_t deadline = time_ns() + timeout_ms * 1000000;

	if (cpu == cpu_self()->index) {
		fn(arg);
		return true;
	}
	if (!cpu_start_on(cpu, fn, arg))
		return false;
	while (!cpu_is_idle(cpu)) {
		if (time_ns() > deadline)
			return false;
		cpu_pause();
	}
	return true;
}
