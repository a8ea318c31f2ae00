/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "npt.h"
#include "smp.h"
#include "svm.h"
#include "traps.h"
#include "vcpu.h"

void kernel_main(const struct multiboot *info);

static struct vcpu vcpus[2];

static void load(uint64_t *root)
{
	unsigned char *code = frame_alloc();

	for (long i = 0; i < guest_end - guest; i++)
		code[i] = guest[i];
	npt_map(root, GUEST_START, code);
}

/*
 * Processor 1: SVM is a matter of each processor.  The frame for it is not asked for under a lock:
 * processor 0 waits meanwhile.  Later nobody asks, as the guest touches one page.
 */
static volatile int is_ready;

static void run_second(void)
{
	if (svm_enable())
		return;
	say("processor 1 has SVM\n");
	is_ready = 1;
	vcpu_run(&vcpus[1]);
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
	for (uint64_t i = 0; i < 2; i++) {
		vcpu_init(&vcpus[i], root);
		vcpus[i].registers.rbx = i;
	}
	smp_start(run_second);
	while (!is_ready)
		__asm__ volatile("pause");
	vcpu_run(&vcpus[0]);
	end();
}
