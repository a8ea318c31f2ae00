/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "svm.h"
#include "traps.h"
#include "vmcb.h"

void kernel_main(const struct multiboot *info);

/* Without nested paging the guest's memory is the host's: low memory, where nothing of ours is. */
static void *memory(unsigned long address)
{
	return (void *)address;
}

void kernel_main(const struct multiboot *info)
{
	struct registers registers = { 0 };
	struct vmcb *vmcb;

	traps_init();
	frames_init(info);
	if (svm_enable())
		end();
	for (long i = 0; i < guest_end - guest; i++)
		((volatile unsigned char *)memory(GUEST_START))[i] = guest[i];
	vmcb = frame_alloc();
	vmcb_init(vmcb, GUEST_START);
	vmrun(vmcb, &registers);
	say("exit %lx at %lx\n", vmcb->exit_code, vmcb->rip);
	say("the guest's AX: %lx\n", vmcb->rax);
	say("the host's memory: %lx\n", *(volatile unsigned short *)memory(0x9000) + 0ul);
	end();
}
