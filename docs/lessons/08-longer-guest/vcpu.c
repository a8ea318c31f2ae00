/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The loop around VMRUN: look at the exit code, do in the processor's place what was intercepted,
 * step over the instruction, and go on.  QEMU reports no next RIP, so each instruction's length
 * is known here.
 */
#include "console.h"
#include "frames.h"
#include "guest.h"
#include "npt.h"
#include "vcpu.h"

void vcpu_init(struct vcpu *vcpu, uint64_t *root)
{
	*vcpu = (struct vcpu){ .vmcb = frame_alloc(), .root = root };
	vmcb_init(vcpu->vmcb, GUEST_START);
	vmcb_intercept(vcpu->vmcb, EXIT_CPUID);
	vcpu->vmcb->nested_paging = 1;
	vcpu->vmcb->nested_root = (uintptr_t)root;
}

/* A processor that has nothing to say. */
static void on_cpuid(struct vcpu *vcpu)
{
	struct registers *r = &vcpu->registers;

	say("CPUID of leaf %lu\n", vcpu->vmcb->rax);
	vcpu->vmcb->rax = r->rbx = r->rcx = r->rdx = 0;
	vcpu->vmcb->rip += 2;
}

static void on_vmmcall(struct vcpu *vcpu)
{
	say("guest: %lu\n", vcpu->vmcb->rax);
	vcpu->vmcb->rip += 3;
}

/* Memory comes when it is touched. */
static void on_nested_fault(struct vcpu *vcpu)
{
	say("a page at %lx\n", vcpu->vmcb->exit_info_2 & ~4095ul);
	npt_map(vcpu->root, vcpu->vmcb->exit_info_2 & ~4095ul, frame_alloc());
}

void vcpu_run(struct vcpu *vcpu)
{
	for (;;) {
		vmrun(vcpu->vmcb, &vcpu->registers);
		switch (vcpu->vmcb->exit_code) {
		case EXIT_CPUID:
			on_cpuid(vcpu);
			break;
		case EXIT_VMMCALL:
			on_vmmcall(vcpu);
			break;
		case EXIT_NPF:
			on_nested_fault(vcpu);
			break;
		case EXIT_HLT:
			say("halted\n");
			return;
		default:
			say("exit %lx at %lx\n", vcpu->vmcb->exit_code, vcpu->vmcb->rip);
			return;
		}
	}
}
