/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "npt.h"
#include "svm.h"
#include "traps.h"
#include "vcpu.h"

void kernel_main(const struct multiboot *info);

#define GUEST_TIMER_VECTOR 0x20

static struct vcpu vcpu;
static unsigned long ticks;

/* Each tick of the host is one of the guest. */
static void on_tick(struct trap *trap)
{
	(void)trap;
	ticks++;
	vcpu_interrupt(&vcpu, GUEST_TIMER_VECTOR);
	timer_done();
}

static void load(uint64_t *root)
{
	unsigned char *code = frame_alloc();

	for (long i = 0; i < guest_end - guest; i++)
		code[i] = guest[i];
	npt_map(root, GUEST_START, code);
}

void kernel_main(const struct multiboot *info)
{
	uint64_t *root;

	traps_init();
	frames_init(info);
	if (svm_enable())
		end();
	root = frame_alloc();
	load(root);
	vcpu_init(&vcpu, root);
	on_trap(TIMER_VECTOR, on_tick);
	timer_init();
	vcpu_run(&vcpu);
	say("ticks of the host: %s\n", ticks >= 5 ? "enough" : "too few");
	end();
}
