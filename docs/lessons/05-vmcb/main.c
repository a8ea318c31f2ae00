/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"
#include "frames.h"
#include "svm.h"
#include "traps.h"
#include "vmcb.h"

void kernel_main(const struct multiboot *info);

/* A block with one thing wrong.  There is one answer for all of them. */
static void try(const char *what, struct vmcb *vmcb)
{
	struct registers registers = { 0 };

	vmrun(vmcb, &registers);
	say("%s: %s\n", what, (uint32_t)vmcb->exit_code == EXIT_INVALID ? "refused" : "entered");
	vmcb_init(vmcb, 0);
}

void kernel_main(const struct multiboot *info)
{
	struct vmcb *vmcb;

	traps_init();
	frames_init(info);
	if (svm_enable())
		end();
	vmcb = frame_alloc();
	vmcb_init(vmcb, 0);
	vmcb->intercepts[EXIT_VMRUN / 32] = 0;
	try("without the intercept of VMRUN", vmcb);
	vmcb->asid = 0;
	try("with ASID 0", vmcb);
	vmcb->efer = 0;
	try("without EFER.SVME", vmcb);
	end();
}
