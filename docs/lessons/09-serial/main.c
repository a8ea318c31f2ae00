/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "npt.h"
#include "svm.h"
#include "traps.h"
#include "vcpu.h"

void kernel_main(const struct multiboot *info);

static void load(uint64_t *root)
{
	unsigned char *code = frame_alloc();

	for (long i = 0; i < guest_end - guest; i++)
		code[i] = guest[i];
	npt_map(root, GUEST_START, code);
}

void kernel_main(const struct multiboot *info)
{
	struct vcpu vcpu;
	uint64_t *root;

	traps_init();
	frames_init(info);
	if (svm_enable())
		end();
	root = frame_alloc();
	load(root);
	vcpu_init(&vcpu, root);
	vcpu_run(&vcpu);
	end();
}
