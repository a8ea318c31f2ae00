/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vmrun(vmcb, registers): from VMRUN on all registers but RAX and RSP are the guest's, and only
 * assembly can live with that.
 *
 * GIF is clear around it, so that nothing interrupts half a switch.  The host's own IF is set: in
 * lesson 10 it lets a physical interrupt end the run.  A host with a TSS, or with data behind GS,
 * would VMSAVE before and VMLOAD after; this one has neither.
 */
	.text
	.globl	vmrun
vmrun:	.irp	name, rbx, rbp, r12, r13, r14, r15, rsi
	push	%\name
	.endr
	mov	%rdi, %rax
	clgi
	sti
	.set	offset, 0
	.irp	name, rbx, rcx, rdx, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rsi
	mov	offset(%rsi), %\name	/* RSI last: it was the base. */
	.set	offset, offset + 8
	.endr
	vmload	%rax
	vmrun	%rax			/* Each exit goes on here. */
	vmsave	%rax
	xchg	%rsi, (%rsp)		/* The guest's, for our pointer. */
	.set	offset, 0
	.irp	name, rbx, rcx, rdx, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	mov	%\name, offset(%rsi)
	.set	offset, offset + 8
	.endr
	pop	offset(%rsi)
	cli
	stgi
	.irp	name, r15, r14, r13, r12, rbp, rbx
	pop	%\name
	.endr
	ret
	.section .note.GNU-stack, "", @progbits
