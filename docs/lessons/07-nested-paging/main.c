/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "npt.h"
#include "svm.h"
#include "traps.h"
#include "vmcb.h"

void kernel_main(const struct multiboot *info);

static unsigned short word_at(uint64_t *root, uint64_t gpa)
{
	const volatile unsigned short *page = npt_find(root, gpa);

	return page[gpa % 4096 / 2];
}

/* Two pages: the code, and the one behind it. */
static void load(uint64_t *root)
{
	unsigned char *code = frame_alloc();

	for (long i = 0; i < guest_end - guest; i++)
		code[i] = guest[i];
	npt_map(root, GUEST_START, code);
	npt_map(root, 0x9000, frame_alloc());
}

void kernel_main(const struct multiboot *info)
{
	struct registers registers = { 0 };
	struct vmcb *vmcb;
	uint64_t *root;

	traps_init();
	frames_init(info);
	if (svm_enable())
		end();
	root = frame_alloc();
	load(root);
	vmcb = frame_alloc();
	vmcb_init(vmcb, GUEST_START);
	vmcb->nested_paging = 1;
	vmcb->nested_root = (uintptr_t)root;
	*(volatile unsigned short *)0x9000 = 0x5678;
	vmrun(vmcb, &registers);
	say("exit %lx: error %lx, address %lx\n", vmcb->exit_code, vmcb->exit_info_1 & 0xff,
	    vmcb->exit_info_2);
	npt_map(root, vmcb->exit_info_2 & ~4095ul, frame_alloc());
	vmrun(vmcb, &registers); /* The same instruction once more. */
	say("exit %lx\n", vmcb->exit_code);
	say("the guest's 20344h: %lx\n", word_at(root, 0x20344) + 0ul);
	say("the guest's 9000h: %lx\n", word_at(root, 0x9000) + 0ul);
	say("the host's 9000h: %lx\n", *(volatile unsigned short *)0x9000 + 0ul);
	end();
}
