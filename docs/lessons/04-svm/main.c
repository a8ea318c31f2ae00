/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "cpu.h"
#include "frames.h"
#include "svm.h"
#include "traps.h"

void kernel_main(const struct multiboot *info);

/* An instruction of three bytes that does not exist yet. */
static void on_undefined(struct trap *trap)
{
	say("trap %lu: STGI does not exist\n", trap->vector);
	trap->rip += 3;
}

void kernel_main(const struct multiboot *info)
{
	const char *problem;

	traps_init();
	frames_init(info);
	on_trap(6, on_undefined);
	__asm__ volatile("stgi");
	problem = svm_enable();
	if (problem) {
		say("%s\n", problem);
		end();
	}
	__asm__ volatile("stgi");
	say("SVM is on\n");
	say("revision %lu\n", (unsigned long)(read_cpuid(0x8000000a).eax & 0xff));
	say("more than one ASID: %s\n", read_cpuid(0x8000000a).ebx > 2 ? "yes" : "no");
	end();
}
