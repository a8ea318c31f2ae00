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
#include "uart.h"
#include "vcpu.h"

#define V_IRQ          (1ul << 8)  /* An interrupt waits for the guest's IF. */
#define V_IGN_TPR      (1ul << 20) /* Whatever its task priority. */
#define V_INTR_MASKING (1ul << 24) /* The guest's IF is not the host's. */
#define V_VECTOR       32

void vcpu_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	vcpu->vmcb->int_control = V_INTR_MASKING | V_IGN_TPR | V_IRQ | (uint64_t)vector << V_VECTOR;
}

/* The exit has not taken the interrupt: it is still pending, and now the host takes it. */
static void let_the_host_have_it(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

/* The I/O permission map: a bit for each port, and 1 means exit. */
static const uint8_t *all_ports(void)
{
	static uint8_t map[12288] __attribute__((aligned(4096)));

	for (unsigned i = 0; i < sizeof(map); i++)
		map[i] = 0xff;
	return map;
}

void vcpu_init(struct vcpu *vcpu, uint64_t *root)
{
	*vcpu = (struct vcpu){ .vmcb = frame_alloc(), .root = root };
	vmcb_init(vcpu->vmcb, GUEST_START);
	vmcb_intercept(vcpu->vmcb, EXIT_INTR);
	vmcb_intercept(vcpu->vmcb, EXIT_CPUID);
	vmcb_intercept(vcpu->vmcb, EXIT_IOIO);
	vcpu->vmcb->iopm = (uintptr_t)all_ports();
	vcpu->vmcb->int_control = V_INTR_MASKING;
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

/*
 * IN and OUT.  The processor has decoded them: EXITINFO1 has the port in its upper half and bit 0
 * for IN, EXITINFO2 the address of the next instruction.
 */
static void on_io(struct vcpu *vcpu)
{
	const uint16_t port = (uint16_t)(vcpu->vmcb->exit_info_1 >> 16);

	if (vcpu->vmcb->exit_info_1 & 1)
		vcpu->vmcb->rax = (vcpu->vmcb->rax & ~0xfful) | uart_in(port);
	else
		uart_out(port, (uint8_t)vcpu->vmcb->rax);
	vcpu->vmcb->rip = vcpu->vmcb->exit_info_2;
}

void vcpu_run(struct vcpu *vcpu)
{
	for (;;) {
		vmrun(vcpu->vmcb, &vcpu->registers);
		switch (vcpu->vmcb->exit_code) {
		case EXIT_INTR:
			let_the_host_have_it();
			break;
		case EXIT_CPUID:
			on_cpuid(vcpu);
			break;
		case EXIT_VMMCALL:
			on_vmmcall(vcpu);
			break;
		case EXIT_IOIO:
			on_io(vcpu);
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
