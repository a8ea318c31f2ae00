/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The order in which this port comes to life.  Each step needs the ones above it and nothing
 * below; a step that fails says so and ends the machine, as there is nothing to fall back on.
 */
#include "acpi.h"
#include "apic.h"
#include "canary.h"
#include "cmdline.h"
#include "console.h"
#include "cpu.h"
#include "frames.h"
#include "kprintf.h"
#include "memory.h"
#include "multiboot.h"
#include "paging.h"
#include "power.h"
#include "program.h"
#include "run_queue.h"
#include "serial.h"
#include "smp.h"
#include "time.h"
#include "timer.h"
#include "x86.h"

#define DEFAULT_TICKS_PER_SECOND 100
#define NS_PER_S                 UINT64_C(1000000000)

_Noreturn void kernel_main(uint32_t multiboot_info);

static _Noreturn void fail(const char *what)
{
	kprintf("%slibsvm: cannot start: %s%s\n", color_bad(), what, color_off());
	power_off(POWER_FAILURE);
}

static void start_memory(void)
{
	if (!frames_init())
		fail("the memory map has no room for the frame allocator");
	if (!paging_init())
		fail("no memory for page tables");
	if (!smp_init_boot_cpu())
		fail("no memory for stacks");

	const struct paging_audit audit = paging_audit();

	if (audit.writable_exec || audit.writable_text)
		fail("the page tables have a writable and executable page");
	kprintf("memory: %lu MiB free of %lu MiB; %lu leaves mapped, %lu KiB executable, none "
	        "writable\n",
	        frames_free_count() / 256, frames_total_count() / 256, audit.leaves,
	        audit.executable_bytes / 1024);
}

static void start_processors(void)
{
	struct acpi_info info;
	char features[64], mode[16];
	uint32_t silent;

	cmdline_get(boot_info.cmdline, "apic", mode, sizeof(mode));
	acpi_read(&info);
	if (info.problem)
		kprintf("%sACPI: %s; only the boot processor is used%s\n", color_warn(),
		        info.problem, color_off());
	if (!apic_init(mode[0] == 'x' && mode[1] == 'a'))
		fail("this processor has no local APIC");
	apic_enable();
	if (!time_init())
		fail("the interval timer (PIT channel 2) does not count");
	silent = smp_start_others(&info);
	if (silent || info.apic_ids_ignored)
		kprintf("%sprocessors: %u did not answer, %u beyond the limit of %u%s\n",
		        color_warn(), silent, info.apic_ids_ignored, CPU_MAX, color_off());
	cpu_describe_features(features, sizeof(features));
	kprintf("processors: %u online, %s, TSC %lu.%03lu MHz, %s\n", cpu_count(),
	        apic_is_x2apic() ? "x2APIC" : "xAPIC", time_tsc_hz() / 1000000,
	        time_tsc_hz() / 1000 % 1000, features);
}

static void start_tick(void *arg)
{
	timer_start_ticks(*(const uint32_t *)arg);
}

_Noreturn void kernel_main(uint32_t multiboot_info)
{
	bool bad = false;
	uint32_t hz;

	canary_init();
	serial_init();
	multiboot_read(multiboot_info);
	console_set_color(cmdline_number(boot_info.cmdline, "color", 0, &bad) == 1);
	console_set_stamps(cmdline_number(boot_info.cmdline, "stamp", 0, &bad) == 1);
	kprintf("%shello from libsvm bare metal%s\n", color_title(), color_off());
	if (boot_info.truncated)
		kprintf("%sboot loader: some of its information was malformed or too much%s\n",
		        color_warn(), color_off());
	start_memory();
	start_processors();

	hz = (uint32_t)cmdline_number(boot_info.cmdline, "hz", DEFAULT_TICKS_PER_SECOND, &bad);
	if (bad || !hz || hz > 10000)
		hz = DEFAULT_TICKS_PER_SECOND;
	sched_slice_ns = NS_PER_S / hz * 4 / 5;
	interrupts_on();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		cpu_run_on(cpu, start_tick, &hz, 1000);
	program_main();
}
