/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A block that VMRUN takes, and that describes the processor after a jump to 0:rip in real mode.
 * Segments are given as the processor holds them, base and limit and rights: no table is read.
 */
#include "vmcb.h"

#define EFER_SVME    0x1000
#define CODE_16      0x9b /* Present, code, readable, accessed. */
#define DATA_16      0x93 /* Present, data, writable, accessed. */
#define PAT_AT_RESET 0x0007040600070406

void vmcb_intercept(struct vmcb *vmcb, unsigned code)
{
	vmcb->intercepts[code / 32] |= 1u << code % 32;
}

void vmcb_init(struct vmcb *vmcb, uint64_t rip)
{
	const struct segment data = { 0, DATA_16, 0xffff, 0 };

	vmcb_intercept(vmcb, EXIT_VMRUN); /* Without it VMRUN refuses. */
	vmcb_intercept(vmcb, EXIT_VMMCALL);
	vmcb_intercept(vmcb, EXIT_HLT);
	vmcb_intercept(vmcb, EXIT_SHUTDOWN);
	vmcb->asid = 1; /* 0 is the host. */
	vmcb->cs = (struct segment){ 0, CODE_16, 0xffff, 0 };
	vmcb->ds = vmcb->es = vmcb->ss = vmcb->fs = vmcb->gs = data;
	vmcb->gdtr.limit = vmcb->idtr.limit = 0xffff;
	vmcb->efer = EFER_SVME; /* The guest's, too: VMRUN insists. */
	vmcb->cr0 = 0x10;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->pat = PAT_AT_RESET;
	vmcb->rflags = 2;
	vmcb->rip = rip;
}
